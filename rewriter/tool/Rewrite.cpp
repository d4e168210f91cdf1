/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj rewrite: plan, edit, try, write.
 *
 * Before anything is written the changed units are parsed with their new
 * contents.  An entry of the plan whose conversion does not compile the way
 * the original did is refused as a whole, and the rest is edited anew.  What
 * was done then is not what the plan said: the plan as it was carried out is
 * written with the output, for verify to go by.
 */
#include "Tool.h"
#include "kmobj/Install.h"
#include "kmobj/Output.h"
#include "kmobj/Printable.h"
#include "kmobj/Series.h"
#include "kmobj/Trial.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <ctime>

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
             cl::desc("write the plan as it was carried out to this file, too: "
                      "what would not compile is refused in it"),
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
static cl::list<std::string> Userland(
    "userland",
    cl::desc("directory outside the kernel (usr.bin, share/man): lists "
             "what there knows the old allocators; repeatable"),
    cl::value_desc("dir"), cl::sub(Rewrite.Command));
static cl::opt<std::string>
    Author("author",
           cl::desc("author of the patches (default: from git's config)"),
           cl::value_desc("name <mail>"), cl::sub(Rewrite.Command));

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

/// Name <mail>, as it becomes a line of a mail's header.
static Expected<std::string> author() {
  std::string Who = Author;
  std::string From = "--author";
  if (Who.empty()) {
    const std::string Name = gitConfig("user.name");
    const std::string Mail = gitConfig("user.email");
    if (Name.empty() || Mail.empty())
      return "kmobj <kmobj@localhost>";
    Who = Name + " <" + Mail + ">";
    From = "git's user.name and user.email give";
  }
  const auto [Name, Rest] = StringRef(Who).split('<');
  const bool Good = Name.size() > 1 && Name.ends_with(" ") && Rest.size() > 1 &&
                    Rest.count('<') == 0 && Rest.find('>') == Rest.size() - 1 &&
                    none_of(Who, [](unsigned char C) { return C < 0x20; });
  if (!Good)
    return createStringError("%s '%s': expected one line, Name <mail>",
                             From.c_str(), printable(Who).c_str());
  return Who;
}

/// Of a mail's header: SOURCE_DATE_EPOCH, or none.
static Expected<std::string> date() {
  const char *Given = std::getenv("SOURCE_DATE_EPOCH");
  if (!Given)
    return "";
  unsigned long long Seconds;
  const time_t Latest = 253402300799; // the end of the year 9999
  if (StringRef(Given).getAsInteger(10, Seconds) ||
      Seconds > static_cast<unsigned long long>(Latest))
    return createStringError(
        "SOURCE_DATE_EPOCH is '%s': expected seconds since "
        "1970",
        printable(Given).c_str());
  const time_t When = Seconds;
  struct tm Parts;
  char Text[64];
  if (!gmtime_r(&When, &Parts) ||
      !strftime(Text, sizeof(Text), "%a, %d %b %Y %H:%M:%S +0000", &Parts))
    return createStringError("SOURCE_DATE_EPOCH: not a date");
  return Text;
}

/// As it would be typed; paths without what is only so on this machine.
static std::string quoted(StringRef Word) {
  const bool Plain = all_of(Word, [](char C) {
    return isAlnum(C) || StringRef("-_./=+,:@").contains(C);
  });
  std::string Out;
  for (const char C : Word)
    Out += C == '\'' ? std::string("'\\''") : std::string(1, C);
  return Plain && !Word.empty() ? Word.str() : "'" + Out + "'";
}

static std::string nameOf(StringRef Path) {
  return sys::path::filename(Path.rtrim('/')).str();
}

static std::string command() {
  std::string Out = "kmobj rewrite";
  for (const std::string &D : Input.Directories)
    Out += " -p " + quoted(nameOf(D));
  for (const std::string &F : FactsFiles)
    Out += " --facts " + quoted(nameOf(F));
  if (!PlanFile.empty())
    Out += " --plan " + quoted(nameOf(PlanFile));
  if (NoInstall)
    Out += " --no-install";
  for (const std::string &D : Userland)
    Out += " --userland " + quoted(nameOf(D));
  return printable(Out + " --patch-dir DIR");
}

/// Refuses the entries that do not compile as they did; whether there are any.
static Expected<bool> refuseBroken(const SourceTree &Tree, const Facts &F,
                                   Plan &P, const CompilationDatabase &DB,
                                   const SeriesOptions &Made) {
  VerifyOptions Options;
  Options.Jobs = Input.Jobs;
  Options.Known = &Input.cache();
  Progress Show("trying");
  Options.Progress = std::ref(Show);
  auto Convert = [&](Plan &Tried) -> Expected<FileSet> {
    auto R = makeSeries(Tree, F, Tried, &DB, Made);
    if (!R)
      return R.takeError();
    FileSet After = R->after();
    if (!Tree.exists("sys/kmalloc_obj.h") &&
        !After.count("sys/kmalloc_obj.h")) {
      auto Header = SourceTree(Made.Shims).read("sys/kmalloc_obj.h");
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

static Error writePatches(const SourceTree &Tree, Series &S, const Plan &P,
                          const Facts &F, const SeriesOptions &Made,
                          MailOptions &Options) {
  Options.Command = command();
  for (const std::string &D : Input.Directories)
    Options.Configurations.push_back(printable(nameOf(D)));
  if (Error E = annotate(S.Patches, P, Tree))
    return E;
  auto Mails = formatMails(Tree, S, P, F, Made, Options);
  if (!Mails)
    return Mails.takeError();
  // Where the tree has no place for the manual page, it lies with the patches.
  if (Made.Install && P.needsShims() && S.outside().empty()) {
    auto Page = SourceTree(Made.Shims).read("man/" + manualPage());
    if (!Page)
      return Page.takeError();
    (*Mails)[manualPage()] = std::move(*Page);
  }
  return writeDirectory(PatchDirectory, *Mails);
}

static Error write(const SourceTree &Tree, Series &S, const Plan &P,
                   const Facts &F, const SeriesOptions &Made,
                   MailOptions &Options) {
  if (!PatchDirectory.empty())
    return writePatches(Tree, S, P, F, Made, Options);
  if (!OutputTree.empty())
    return writeOutputTree(OutputTree, Tree, S.after(), S.gone());
  if (InPlace) {
    if (Error E = writeInPlace(Tree, S.after(), S.gone()))
      return E;
    for (const OutsideFile &O : S.outside())
      if (Error E = writeFile(Tree.path("../" + O.Path), O.After))
        return E;
    return Error::success();
  }
  return writeDiff(outs(), Tree, S.after(), S.gone());
}

/// The plan that was carried out lies with what was written, and where verify
/// looks for the last one of a compile database.
static Error writeDonePlan(const SourceTree &Tree, const Plan &P,
                           std::string &Report) {
  std::vector<std::string> Places;
  if (!PatchDirectory.empty())
    Places.push_back(PatchDirectory + "/plan.yaml");
  else if (!OutputTree.empty())
    Places.push_back(planBeside(OutputTree));
  else if (InPlace && converting(P))
    Places.push_back(planBeside(Tree.root()));
  if (!Places.empty() && !Input.Directories.empty())
    Places.push_back(planOf(Input.Directories.front()));
  if (!Places.empty())
    Report += "plan       carried out, for verify: " + Places.front() + "\n";
  if (!DonePlan.empty())
    Places.push_back(DonePlan);
  for (const std::string &Place : Places)
    if (Error E = writeFile(Place, writePlan(P)))
      return E;
  return Error::success();
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
  MailOptions Mail;
  auto Who = author();
  if (!Who)
    return fail(Who.takeError());
  Mail.Author = std::move(*Who);
  auto Date = date();
  if (!Date)
    return fail(Date.takeError());
  Mail.Date = std::move(*Date);
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
  SeriesOptions Made;
  Made.Shims = shimsDirectory(Shims);
  Made.Install = !NoInstall;
  Made.Searched = !Userland.empty();
  const std::vector<std::string> Outside(Userland.begin(), Userland.end());
  auto Readers = findReaders(Outside, F->Tree);
  if (!Readers)
    return fail(Readers.takeError());
  Made.Readers = std::move(*Readers);
  auto R = makeSeries(Tree, *F, *P, DB.get(), Made);
  while (R && DB && !R->Patches.empty()) {
    auto Broken = refuseBroken(Tree, *F, *P, *DB, Made);
    if (!Broken)
      return fail(Broken.takeError());
    if (!*Broken)
      break;
    R = makeSeries(Tree, *F, *P, DB.get(), Made);
  }
  if (!R)
    return fail(R.takeError());
  if (Error E = addRemovals(*R, Tree, *P, Made))
    return fail(std::move(E));

  std::string Report = unparsed(*F) + notes(*P);
  for (const Reader &One : Made.Readers)
    Report += "outside    " + printable(One.str()) + "\n";
  if (!PatchDirectory.empty())
    Report += carriageReturns(R->after());
  if (Error E = write(Tree, *R, *P, *F, Made, Mail))
    return fail(std::move(E));
  if (Error E = writeDonePlan(Tree, *P, Report))
    return fail(std::move(E));
  Report += report(*P);
  // Standard output is the diff's, where there is one.
  const bool IsDiff = PatchDirectory.empty() && OutputTree.empty() && !InPlace;
  (IsDiff ? errs() : outs()) << Report;
  if (!PlanFile.empty() && converting(*P) < Planned)
    errs() << PlanFile << " says to convert what was refused now\n";
  return outcome(*F, *P);
}
