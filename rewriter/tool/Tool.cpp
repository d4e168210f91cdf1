/* SPDX-License-Identifier: BSD-3-Clause */
#include "Tool.h"
#include "kmobj/Printable.h"
#include "clang/Basic/Version.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace kmobj {

static std::vector<Verb *> &verbs() {
  static std::vector<Verb *> All;
  return All;
}

Verb::Verb(const char *Name, const char *Description, int (*Run)())
    : Command(Name, Description), Run(Run) {
  verbs().push_back(this);
}

ArrayRef<Verb *> Verb::all() { return verbs(); }

int fail(const Twine &Message) {
  WithColor::error(errs(), "kmobj") << printable(Message.str()) << "\n";
  return BadInput;
}

int fail(Error E) {
  handleAllErrors(std::move(E),
                  [](const ErrorInfoBase &Info) { fail(Info.message()); });
  return BadInput;
}

Progress::Progress(const char *What)
    : What(What), Terminal(sys::Process::StandardErrIsDisplayed()),
      Said(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (Terminal)
    errs() << "\r\033[K";
}

void Progress::operator()(unsigned Done, unsigned Total, StringRef Unit) {
  if (Terminal) {
    errs() << "\r\033[K" << What << " [" << Done << "/" << Total << "] "
           << printable(Unit.take_back(50));
    return;
  }
  const auto Now = std::chrono::steady_clock::now();
  if (Now - Said < std::chrono::seconds(10))
    return;
  Said = Now;
  errs() << What << ": " << Done << " of " << Total << " units\n";
}

/// Changes with each change of the program.
static std::string programVersion() {
  static int Address;
  KeyHasher Version;
  const auto Text = MemoryBuffer::getFile(
      sys::fs::getMainExecutable("kmobj", &Address), /*IsText=*/false,
      /*RequiresNullTerminator=*/false);
  if (!Text)
    return "";
  Version << (*Text)->getBuffer() << clang::getClangFullVersion();
  return Version.key();
}

static std::unique_ptr<Cache> TheCache;

Cache &InputOptions::cache() const {
  if (!TheCache) {
    const std::string Version = programVersion();
    SmallString<256> Where;
    if (!NoCache && !Directories.empty() && !Version.empty()) {
      Where = Directories.front();
      if (!sys::fs::is_directory(Where)) // compile_commands.json itself
        sys::path::remove_filename(Where);
      sys::path::append(Where, Cache::DirectoryName);
    }
    TheCache = std::make_unique<Cache>(Version, std::string(Where));
  }
  return *TheCache;
}

void closeCache() {
  const std::string Trouble = TheCache ? TheCache->trouble() : "";
  if (!Trouble.empty())
    errs() << "note: what was parsed is not kept for the next run: "
           << printable(Trouble) << "\n";
  TheCache.reset();
}

InputOptions::InputOptions(Verb &V)
    : Directories("p",
                  cl::desc("directory with compile_commands.json; several, for "
                           "several configurations or platforms of one tree"),
                  cl::value_desc("dir"), cl::sub(V.Command)),
      Tree("tree",
           cl::desc("root of the kernel sources (default: the directory above "
                    "the units which holds conf/files, else the one that has "
                    "them all)"),
           cl::value_desc("dir"), cl::sub(V.Command)),
      Jobs("j",
           cl::desc("parse that many units at a time (default: one a CPU)"),
           cl::value_desc("n"), cl::init(0), cl::Prefix, cl::sub(V.Command)),
      NoCache("no-cache",
              cl::desc("parse each unit, and keep nothing of it (else in "
                       "kmobj.cache of the first -p)"),
              cl::sub(V.Command)) {}

Expected<std::unique_ptr<clang::tooling::CompilationDatabase>>
InputOptions::database() const {
  if (Directories.empty())
    return createStringError("name the directory with compile_commands.json: "
                             "-p DIR");
  return loadDatabase(Directories);
}

/// Does DB name a unit below Tree, which is a real path?
static bool hasUnitIn(const clang::tooling::CompilationDatabase &DB,
                      StringRef Tree) {
  for (const auto &C : DB.getAllCompileCommands()) {
    SmallString<256> Path(C.Filename), Real;
    sys::fs::make_absolute(C.Directory, Path);
    if (sys::fs::real_path(Path, Real))
      Real = Path; // it may be gone
    if (Real.starts_with(Tree) && Real.substr(Tree.size()).starts_with("/"))
      return true;
  }
  return false;
}

Expected<std::string>
InputOptions::treeOf(const clang::tooling::CompilationDatabase &DB) const {
  SmallString<256> Real;
  std::string Root = Tree;
  if (DB.getAllFiles().empty())
    return createStringError("the compile database names no unit");
  if (Root.empty())
    Root = findTree(DB, *vfs::getRealFileSystem());
  if (Root.empty())
    return createStringError("the units have no directory in common; say with "
                             "--tree where the kernel sources begin");
  if (const std::error_code EC = sys::fs::real_path(Root, Real))
    return createStringError("%s: %s", Root.c_str(), EC.message().c_str());
  if (!sys::fs::is_directory(Real))
    return createStringError("%s: is no directory", Root.c_str());
  if (!hasUnitIn(DB, Real))
    return createStringError("%s: no unit of the compile database is in this "
                             "tree; give its own root with --tree",
                             Root.c_str());
  return std::string(Real);
}

Expected<Facts> InputOptions::collectFacts(CollectOptions Options) const {
  auto DB = database();
  if (!DB)
    return DB.takeError();
  auto Root = treeOf(**DB);
  if (!Root)
    return Root.takeError();
  Options.Tree = *Root;
  Options.Jobs = Jobs;
  Options.Known = &cache();
  Progress Show("parsing");
  Options.Progress = std::ref(Show);
  return collect(**DB, Options);
}

/// Fails if a file is not what the facts were collected from.
static Error checkFresh(const Facts &F, vfs::FileSystem &FS) {
  if (!FS.exists(F.Tree))
    return Error::success(); // they were brought here without their sources
  for (const SourceFile &File : F.Files) {
    SmallString<256> Path(F.Tree);
    sys::path::append(Path, File.Path);
    const auto Text = FS.getBufferForFile(Path);
    if (!Text)
      return createStringError("%s: the facts know it, but it cannot be read "
                               "(%s); scan the tree again",
                               Path.c_str(),
                               Text.getError().message().c_str());
    const uint64_t Hash = xxh3_64bits((*Text)->getBuffer());
    if (utohexstr(Hash, /*LowerCase=*/true, 16) != File.Hash)
      return createStringError("%s: it has changed since the facts were "
                               "collected; scan the tree again",
                               Path.c_str());
  }
  return Error::success();
}

Expected<Facts>
InputOptions::facts(ArrayRef<std::string> Files,
                    IntrusiveRefCntPtr<vfs::FileSystem> FS) const {
  if (Files.empty()) {
    if (Directories.empty())
      return createStringError("name the directory with compile_commands.json "
                               "(-p DIR) or facts that were collected "
                               "(--facts FILE)");
    CollectOptions Options;
    Options.FS = std::move(FS);
    return collectFacts(Options);
  }
  std::vector<Facts> Parts;
  for (const std::string &File : Files) {
    auto F = readFacts(File);
    if (!F)
      return F.takeError();
    Parts.push_back(std::move(*F));
  }
  auto All = mergeFacts(std::move(Parts));
  if (!All)
    return All;
  if (Error E = checkShards(*All))
    return E;
  std::string Root;
  if (!Directories.empty()) {
    auto DB = database();
    if (!DB)
      return DB.takeError();
    auto Found = treeOf(**DB);
    if (!Found)
      return Found.takeError();
    // Without --tree, that of the facts may be a part of it.
    if (!Tree.empty() || !hasUnitIn(**DB, All->Tree))
      Root = *Found;
  } else if (!Tree.empty()) {
    SmallString<256> Real;
    if (const std::error_code EC = sys::fs::real_path(Tree, Real))
      return createStringError("%s: %s", Tree.c_str(), EC.message().c_str());
    Root = std::string(Real);
  }
  if (!Root.empty() && Root != All->Tree)
    return createStringError("%s: these facts are about the tree %s, not %s",
                             Files.front().c_str(), All->Tree.c_str(),
                             Root.c_str());
  if (!FS)
    FS = vfs::getRealFileSystem();
  if (Error E = checkFresh(*All, *FS))
    return E;
  return All;
}

Expected<Plan> planFor(const Facts &F, const PlanOptions &Options,
                       StringRef PlanFile) {
  Plan P = makePlan(F, Options);
  if (PlanFile.empty())
    return P;
  auto Buffer = MemoryBuffer::getFile(PlanFile);
  if (!Buffer)
    return createStringError("%s: %s", PlanFile.str().c_str(),
                             Buffer.getError().message().c_str());
  if (Error E = applyPlanFile(P, F, **Buffer))
    return E;
  return P;
}

/// An address for the program's being found.
static int Anchor;

std::string shimsDirectory(const std::string &Given) {
  if (!Given.empty())
    return Given;
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

std::string planBeside(StringRef Tree) {
  return Tree.rtrim('/').str() + ".plan.yaml";
}

std::string planOf(StringRef DatabaseDirectory) {
  return DatabaseDirectory.rtrim('/').str() + "/done-plan.yaml";
}

std::string unparsed(const Facts &F) {
  std::string Out;
  for (const Unit &U : F.Units)
    if (U.State == Unit::Failed)
      Out += printable("not parsed " + U.Path + ": " + U.FirstError) + "\n";
  return Out;
}

std::string notes(const Plan &P) {
  std::string Out;
  StringSet<> Known; // zones of a group share what is to be checked
  auto Add = [&](const Remark &R) {
    if (Known.insert(R.str()).second)
      Out += printable("check      " + R.str()) + "\n";
  };
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convert)
      continue;
    for_each(E.Notes, Add);
    for (const Step &S : E.Steps)
      for_each(S.Notes, Add);
  }
  return Out;
}

int outcome(const Facts &F, const Plan &P) {
  return unparsed(F).empty() && P.allConverted() && P.Moved.empty()
             ? Done
             : NeedsPerson;
}

} // namespace kmobj
