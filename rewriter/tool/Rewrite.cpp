/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj rewrite: plan, edit, try, write.
 *
 * Before anything is written the changed units are parsed with their new
 * contents.  An entry of the plan whose conversion does not compile the way
 * the original did is refused as a whole, and the rest is edited anew.  What
 * was done then is not what the plan said: -o writes it, for verify to go by.
 */
#include "Tool.h"
#include "kmobj/Edit.h"
#include "kmobj/Install.h"
#include "kmobj/Output.h"
#include "kmobj/Trial.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <set>

using namespace llvm;
using namespace kmobj;
using clang::tooling::CompilationDatabase;

static int rewrite();

static Verb Rewrite("rewrite", "applies the plan", rewrite);
static InputOptions Input(Rewrite);
static cl::list<std::string>
    FactsFiles("facts", cl::desc("facts collected by scan, instead of parsing"),
               cl::value_desc("file"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    PlanFile("plan", cl::desc("follow this plan instead of a new one"),
             cl::value_desc("plan.yaml"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    DonePlan("o",
             cl::desc("write the plan as it was carried out to this file, for "
                      "verify: what would not compile is refused in it"),
             cl::value_desc("plan.yaml"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    PatchDirectory("patch-dir",
                   cl::desc("write a series for git am, one patch a zone"),
                   cl::value_desc("dir"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    OutputTree("output-tree", cl::desc("write a converted copy of the tree"),
               cl::value_desc("dir"), cl::sub(Rewrite.Command));
static cl::opt<bool> InPlace("in-place", cl::desc("change the tree itself"),
                             cl::sub(Rewrite.Command));
static cl::opt<bool>
    Diff("diff", cl::desc("print the changes, write nothing (default)"),
         cl::sub(Rewrite.Command));
static cl::opt<bool>
    NoInstall("no-install", cl::desc("do not install the shims into the tree"),
              cl::sub(Rewrite.Command));
static cl::opt<std::string>
    Shims("shims",
          cl::desc("where the shims to install lie (default: found from the "
                   "program)"),
          cl::value_desc("dir"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    Author("author",
           cl::desc("author of the patches (default: from git's config)"),
           cl::value_desc("name <mail>"), cl::sub(Rewrite.Command));

/// An address for its being found.
static int Anchor;

static std::string shimsDirectory() {
  if (!Shims.empty())
    return Shims;
  const std::string Program = sys::fs::getMainExecutable("kmobj", &Anchor);
  const StringRef Above =
      sys::path::parent_path(sys::path::parent_path(Program));
  for (const StringRef Below : {"../shims", "share/kmobj/shims"}) {
    SmallString<256> Path(Above);
    sys::path::append(Path, Below);
    if (sys::fs::exists(Path + "/sys/kmalloc_obj.h"))
      return std::string(Path);
  }
  return KMOBJ_SHIMS;
}

static std::string gitConfig(StringRef Key) {
  const auto Git = sys::findProgramByName("git");
  SmallString<128> File;
  if (!Git || sys::fs::createTemporaryFile("kmobj", "txt", File))
    return "";
  const FileRemover Remover(File);
  const std::optional<StringRef> Redirects[] = {StringRef(""), StringRef(File),
                                                StringRef("")};
  if (sys::ExecuteAndWait(*Git, {*Git, "config", Key}, std::nullopt, Redirects))
    return "";
  const auto Text = MemoryBuffer::getFile(File);
  return Text ? (*Text)->getBuffer().trim().str() : "";
}

static std::string author() {
  if (!Author.empty())
    return Author;
  const std::string Name = gitConfig("user.name");
  const std::string Mail = gitConfig("user.email");
  return Name.empty() || Mail.empty() ? "kmobj <kmobj@localhost>"
                                      : Name + " <" + Mail + ">";
}

namespace {

/// A conversion of the tree that is ready to be written.
struct Result {
  std::vector<Patch> Patches;
  std::vector<FileSet> States;

  FileSet after() const { return States.empty() ? FileSet() : States.back(); }
};

} // namespace

/// Patches of the plan's entries between those of the tree as a whole.
static Expected<Result> apply(const SourceTree &Tree, const Facts &F, Plan &P,
                              const CompilationDatabase *DB) {
  Result R;
  auto Zones = edit(Tree, F, P);
  if (!Zones)
    return Zones.takeError();
  if (!Zones->empty() && P.needsShims() && !NoInstall) {
    if (!DB)
      return createStringError(
          "the shims are hooked in by parsing the tree's allocator: name the "
          "compile database with -p, or use --no-install");
    auto Installed = install(Tree, *DB, shimsDirectory());
    if (!Installed)
      return Installed.takeError();
    if (!Installed->empty())
      R.Patches.push_back(std::move(*Installed));
  }
  const bool Any = !Zones->empty();
  std::move(Zones->begin(), Zones->end(), std::back_inserter(R.Patches));

  std::vector<std::string> Unused;
  if (Any && P.DropZone)
    Unused.push_back("vm/vm_zone.c");
  if (Any && P.DropObjcache)
    Unused.push_back("kern/kern_objcache.c");
  if (!Unused.empty() && Tree.exists("conf/files")) {
    auto Drop = dropFromConf(Tree, Unused);
    if (!Drop)
      return Drop.takeError();
    Patch Last;
    Last.Subject = "kernel - Stop building allocators that nobody uses";
    Last.Body = "Every zone and object cache they served is a malloc type "
                "now.\n";
    Last.Changes = std::move(*Drop);
    if (!Last.empty())
      R.Patches.push_back(std::move(Last));
  }
  auto States = materialize(Tree, R.Patches);
  if (!States)
    return States.takeError();
  R.States = std::move(*States);
  return R;
}

/// Refuses the entries that do not compile as they did; whether there are any.
static Expected<bool> refuseBroken(const SourceTree &Tree, const Facts &F,
                                   Plan &P, const CompilationDatabase &DB) {
  VerifyOptions Options;
  Options.Jobs = Input.Jobs;
  Progress Show("trying");
  Options.Progress = std::ref(Show);
  auto Convert = [&](Plan &Tried) -> Expected<FileSet> {
    auto R = apply(Tree, F, Tried, &DB);
    if (!R)
      return R.takeError();
    FileSet After = R->after();
    if (!Tree.exists("sys/kmalloc_obj.h") &&
        !After.count("sys/kmalloc_obj.h")) {
      auto Header = SourceTree(shimsDirectory()).read("sys/kmalloc_obj.h");
      if (!Header)
        return Header.takeError();
      After["sys/kmalloc_obj.h"] = std::move(*Header);
    }
    return After;
  };
  return tryConversion(DB, Tree, F, P, Convert, Options);
}

static size_t converting(const Plan &P) {
  return count_if(P.Entries, [](const PlanEntry &E) { return E.Convert; });
}

static Error write(const SourceTree &Tree, const Result &R) {
  if (!PatchDirectory.empty())
    return writePatchDirectory(PatchDirectory, Tree, R.Patches, R.States,
                               author());
  if (!OutputTree.empty())
    return writeOutputTree(OutputTree, Tree, R.after());
  if (InPlace)
    return writeInPlace(Tree, R.after());
  return writeDiff(outs(), Tree, R.after());
}

/// git am takes the CR at the end of a line for the mail's.
static std::string carriageReturns(const FileSet &After) {
  std::string Out;
  for (const auto &[File, Content] : After)
    if (StringRef(Content).contains("\r\n"))
      Out += "check      " + File +
             ": its lines end in CR LF: give git am --keep-cr\n";
  return Out;
}

static int rewrite() {
  if (!PatchDirectory.empty() + !OutputTree.empty() + InPlace + Diff > 1)
    return fail("--patch-dir, --output-tree, --in-place and --diff exclude "
                "each other");
  for (const std::string &Output :
       {PatchDirectory.getValue(), OutputTree.getValue()})
    if (!Output.empty())
      if (Error E = checkOutputDirectory(Output))
        return fail(std::move(E));

  std::unique_ptr<CompilationDatabase> DB;
  if (!Input.Directories.empty()) {
    auto Loaded = Input.database();
    if (!Loaded)
      return fail(Loaded.takeError());
    DB = std::move(*Loaded);
  }
  const std::vector<std::string> Files(FactsFiles.begin(), FactsFiles.end());
  auto F = Input.facts(Files);
  if (!F)
    return fail(F.takeError());
  auto P = planFor(*F, {}, PlanFile);
  if (!P)
    return fail(P.takeError());

  const size_t Planned = converting(*P);
  if (!DB && Planned > 0)
    P->Remarks.push_back(
        {Span(), "without a compile database (-p) the conversion is not tried: "
                 "it may not compile, and a size may be another somewhere"});
  const SourceTree Tree(F->Tree);
  auto R = apply(Tree, *F, *P, DB.get());
  while (R && DB && !R->Patches.empty()) {
    auto Broken = refuseBroken(Tree, *F, *P, *DB);
    if (!Broken)
      return fail(Broken.takeError());
    if (!*Broken)
      break;
    R = apply(Tree, *F, *P, DB.get());
  }
  if (!R)
    return fail(R.takeError());

  std::string Report = unparsed(*F) + notes(*P);
  if (!PatchDirectory.empty())
    Report += carriageReturns(R->after());
  Report += report(*P);
  if (Error E = write(Tree, *R))
    return fail(std::move(E));
  if (!DonePlan.empty())
    if (Error E = writeFile(DonePlan, writePlan(*P)))
      return fail(std::move(E));
  // Standard output is the diff's, where there is one.
  const bool IsDiff = PatchDirectory.empty() && OutputTree.empty() && !InPlace;
  (IsDiff ? errs() : outs()) << Report;
  if (!PlanFile.empty() && DonePlan.empty() && converting(*P) < Planned)
    errs() << PlanFile << " says to convert what was refused now: give "
           << "verify the plan that -o writes\n";
  return outcome(*F, *P);
}
