/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj rewrite: plan, edit, try, write.
 *
 * What was done need not be what the plan said (Convert.h): the plan as it was
 * carried out is written with the output, for verify to go by.
 */
#include "Convert.h"
#include "kmobj/Install.h"
#include "kmobj/Output.h"
#include "kmobj/Printable.h"
#include "kmobj/Repository.h"
#include "kmobj/Series.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
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
    AllowDirty("allow-dirty",
               cl::desc("--in-place: although files are not as committed"),
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

/// Name <mail>, as it becomes a line of a mail's header. From: what said so.
static Error checkAuthor(StringRef Who, StringRef From) {
  const auto [Name, Rest] = Who.split('<');
  const bool Good = Name.size() > 1 && Name.ends_with(" ") && Rest.size() > 1 &&
                    Rest.count('<') == 0 && Rest.find('>') == Rest.size() - 1 &&
                    none_of(Who, [](unsigned char C) { return C < 0x20; });
  if (Good)
    return Error::success();
  return createStringError("%s '%s': expected one line, Name <mail>",
                           From.str().c_str(), printable(Who).c_str());
}

static Expected<std::string> author(StringRef Tree) {
  if (!Author.empty())
    return Author;
  auto Config = [&](StringRef Key) {
    return StringRef(git({"-C", Tree, "config", Key}).value_or(""))
        .trim()
        .str();
  };
  const std::string Name = Config("user.name"), Mail = Config("user.email");
  if (Name.empty() || Mail.empty())
    return "kmobj <kmobj@localhost>";
  const std::string Who = Name + " <" + Mail + ">";
  if (Error E = checkAuthor(Who, "git's user.name and user.email give"))
    return std::move(E);
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
  return writeDiff(outs(), Tree, Options.Prefix, S.after(), S.gone());
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

/// Fails if what is changed in place could not be told from what others
/// changed.
static Error checkClean(const SourceTree &Tree, const Series &S,
                        const Repository &Repo) {
  const Uncommitted Now = uncommitted(Repo, Tree.root());
  std::vector<std::string> InTheWay = Now.Changed;
  const FileSet After = S.after();
  const std::vector<std::string> Gone = S.gone();
  for (const std::string &File : Now.Unknown)
    if (After.count(File) || is_contained(Gone, File))
      InTheWay.push_back(File);
  if (InTheWay.empty())
    return Error::success();
  const std::string First = printable(InTheWay.front());
  const std::string What = InTheWay.size() == 1
                               ? First + " is not as committed"
                               : std::to_string(InTheWay.size()) +
                                     " files are not as committed, " + First +
                                     " among them";
  return createStringError("%s: %s; commit or stash it, or say --allow-dirty",
                           Tree.root().c_str(), What.c_str());
}

static std::string absolute(StringRef Path) {
  SmallString<256> Full(Path);
  sys::fs::make_absolute(Full);
  sys::path::remove_dots(Full, /*remove_dot_dot=*/true);
  return Full.str().rtrim('/').str();
}

static std::string databaseOptions() {
  std::string Out;
  for (const std::string &D : Input.Directories)
    Out += " -p " + quoted(absolute(D));
  return Out;
}

/// The command that applies the series, as it can be typed anywhere.
static std::string applyCommand(const Series &S, const Repository &Repo) {
  const std::string Mails = quoted(absolute(PatchDirectory)) + "/*.patch";
  const std::string Options =
      std::string(" am --empty=drop") +
      (carriageReturns(S.after()).empty() ? "" : " --keep-cr");
  if (Repo)
    return "git -C " + quoted(Repo.Root) + Options + " " + Mails;
  return "git" + Options + " " + Mails +
         "\n           at the root of a repository that has this tree as sys/; "
         "where it is\n           the root itself with -p2, where it is WHERE "
         "with -p2 --directory=WHERE";
}

/// What was written, where it lies, and what comes next.
static std::string written(const SourceTree &Tree, const Series &S,
                           const FileSet &Before, const Repository &Repo) {
  std::string Out;
  auto Line = [&](StringRef Word, const Twine &Text) {
    Out += Word.str() + std::string(11 - Word.size(), ' ') + Text.str() + "\n";
  };
  if (!PatchDirectory.empty()) {
    if (S.Patches.empty()) {
      Line("wrote", printable(PatchDirectory) + ": no patch, there is nothing "
                                                "to convert");
      return Out;
    }
    Line("wrote", printable(PatchDirectory) + ": a cover letter and " +
                      Twine(S.Patches.size()) + " patches");
    Line("next", printableLines(applyCommand(S, Repo)));
  } else if (!OutputTree.empty()) {
    Line("wrote", printable(OutputTree) + ": a copy of the tree, converted");
    Line("next", printable("kmobj verify" + databaseOptions() + " --tree " +
                           quoted(Tree.root()) + " --converted " +
                           quoted(absolute(OutputTree))));
  } else if (InPlace) {
    unsigned Files = 0;
    for (const auto &[File, Content] : S.after()) {
      const auto Old = Before.find(File);
      if (Old != Before.end() && Old->second == Content)
        continue;
      ++Files;
      Line(Old == Before.end() ? "added" : "changed", printable(File));
    }
    for (const std::string &File : S.gone())
      Line("removed", printable(File));
    for (const OutsideFile &O : S.outside())
      Line(O.Before ? "changed" : "added", "../" + printable(O.Path));
    Line("wrote", printable(Tree.root()) + ": " +
                      Twine(Files + S.gone().size() + S.outside().size()) +
                      " files");
    if (Repo)
      Line("next", printable("kmobj verify" + databaseOptions() + " --tree " +
                             quoted(Tree.root()) + " --base HEAD"));
  }
  return Out;
}

static int rewrite() {
  if (!PatchDirectory.empty() + !OutputTree.empty() + InPlace + Diff > 1)
    return fail("--patch-dir, --output-tree, --in-place and --diff exclude "
                "each other");
  MailOptions Mail;
  if (Author.getNumOccurrences())
    if (Error E = checkAuthor(Author, "--author"))
      return fail(std::move(E));
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
  if (!PatchDirectory.empty()) {
    auto Date = date();
    if (!Date)
      return fail(Date.takeError());
    Mail.Date = std::move(*Date);
    auto Who = author(Tree.root());
    if (!Who)
      return fail(Who.takeError());
    Mail.Author = std::move(*Who);
  }
  const Repository Repo = repositoryOf(Tree.root());
  Mail.Prefix = Repo.Prefix;
  SeriesOptions Made;
  Made.Shims = shimsDirectory(Shims);
  Made.Install = !NoInstall;
  Made.Searched = !Userland.empty();
  const std::vector<std::string> Outside(Userland.begin(), Userland.end());
  auto Readers = findReaders(Outside, F->Tree);
  if (!Readers)
    return fail(Readers.takeError());
  Made.Readers = std::move(*Readers);
  auto R = convert(Input, *F, *P, DB.get(), Made);
  if (!R)
    return fail(R.takeError());
  if (Error E = addRemovals(*R, Tree, *P, Made))
    return fail(std::move(E));
  if (Repo && Repo.Prefix.empty())
    for (Patch &One : R->Patches)
      One.Outside.clear(); // beside the tree is outside the repository
  FileSet Before;
  if (InPlace) {
    if (!AllowDirty)
      if (Error E = checkClean(Tree, *R, Repo))
        return fail(std::move(E));
    for (const auto &[File, Content] : R->after())
      if (Tree.exists(File)) {
        auto Old = Tree.read(File);
        if (!Old)
          return fail(Old.takeError());
        Before[File] = std::move(*Old);
      }
  }

  std::string Report = unparsed(*F) + notes(*P);
  for (const Reader &One : Made.Readers)
    Report += "outside    " + printable(One.str()) + "\n";
  if (!PatchDirectory.empty())
    Report += carriageReturns(R->after());
  if (Error E = write(Tree, *R, *P, *F, Made, Mail))
    return fail(std::move(E));
  if (Error E = writeDonePlan(Tree, *P, Report))
    return fail(std::move(E));
  Report += report(*P) + written(Tree, *R, Before, Repo);
  // Standard output is the diff's, where there is one.
  const bool IsDiff = PatchDirectory.empty() && OutputTree.empty() && !InPlace;
  (IsDiff ? errs() : outs()) << Report;
  if (!PlanFile.empty() && converting(*P) < Planned)
    errs() << PlanFile << " says to convert what was refused now\n";
  return outcome(*F, *P);
}
