/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Verify.h"
#include "kmobj/Collect.h"
#include "kmobj/Concern.h"
#include "kmobj/TreeView.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>
#include <numeric>
#include <random>
#include <set>

using namespace llvm;
using clang::tooling::CompilationDatabase;
using clang::tooling::CompileCommand;

namespace kmobj {

namespace {

using FileSystem = IntrusiveRefCntPtr<vfs::FileSystem>;
/// A fresh view for each parse.
using View = std::function<FileSystem()>;

std::string absoluteUnit(const CompileCommand &C) {
  SmallString<256> Path(C.Filename);
  if (!sys::path::is_absolute(Path)) {
    Path = C.Directory;
    sys::path::append(Path, C.Filename);
  }
  sys::path::remove_dots(Path, /*remove_dot_dot=*/false);
  return std::string(Path);
}

/// What of After Before lacks. Lines move, so only file and text count.
std::vector<NewDiagnostic> newOnes(const std::string &Unit,
                                   const UnitDiagnostics &Before,
                                   UnitDiagnostics After) {
  std::multiset<std::pair<std::string, std::string>> Known;
  for (const UnitDiagnostic &D : Before)
    Known.insert({D.File, D.Message});
  std::vector<NewDiagnostic> New;
  for (UnitDiagnostic &D : After) {
    const auto Old = Known.find({D.File, D.Message});
    if (Old != Known.end())
      Known.erase(Old);
    else
      New.push_back({Unit, D.File, D.str(), D.IsError, D.Message, D.Note});
  }
  return New;
}

/// Units as they are in two versions of a tree.
class Comparison {
public:
  Comparison(const std::string &Tree, View Before, View After,
             const VerifyOptions &Options)
      : Before(Tree, std::move(Before), Options.Known),
        After(Tree, std::move(After), Options.Known), Options(Options) {}

  /// Path is absolute.
  void add(const CompilationDatabase &DBBefore, const CompilationDatabase &DB,
           const std::string &Path);
  /// Parses those Units that were not compared yet.
  void compare(ArrayRef<size_t> Units);
  /// All, or those that the changes concern.
  void compareConcerned(VerifyResult &Result);

  std::vector<size_t> all() const {
    std::vector<size_t> Of(Units.size());
    std::iota(Of.begin(), Of.end(), 0);
    return Of;
  }
  std::vector<NewDiagnostic> found() const;

private:
  struct Unit {
    std::string Name;
    std::string Way; ///< the options on which warnings depend
    Concerns::Pair Texts;
    bool Added; ///< there was none before
    bool Compared = false;
    std::vector<NewDiagnostic> New;
  };

  TreeVersion Before, After;
  const VerifyOptions &Options;
  std::vector<Unit> Units;

  std::vector<size_t> witnesses(const Concerns &Of,
                                ArrayRef<size_t> Reached) const;
};

static std::string wayOf(const CompileCommand &C) {
  std::string Way = C.Output;
  for (const StringRef A : C.CommandLine)
    if (A.starts_with("-W") || A.starts_with("-std") ||
        A.starts_with("-pedantic") || A == "-w" || A == "-ansi")
      Way += (" " + A).str();
  return Way;
}

void Comparison::add(const CompilationDatabase &DBBefore,
                     const CompilationDatabase &DB, const std::string &Path) {
  const auto New = DB.getCompileCommands(Path);
  const auto Old = &DBBefore == &DB ? New : DBBefore.getCompileCommands(Path);
  for (size_t I = 0; I < std::min(Old.size(), New.size()); ++I)
    Units.push_back({After.name(Path),
                     wayOf(New[I]),
                     {&Before.unit(Old[I]), &After.unit(New[I])},
                     !Before.has(Path),
                     false,
                     {}});
}

void Comparison::compare(ArrayRef<size_t> Which) {
  std::vector<Unit *> Open;
  for (const size_t I : Which)
    if (!Units[I].Compared)
      Open.push_back(&Units[I]);
  std::mutex Lock;
  unsigned Done = 0;
  DefaultThreadPool Pool(hardware_concurrency(Options.Jobs));
  for (Unit *U : Open)
    Pool.async([&, U] {
      UnitDiagnostics Now = After.diagnostics(*U->Texts.After);
      if (!Now.empty())
        U->New = newOnes(U->Name, Before.diagnostics(*U->Texts.Before),
                         std::move(Now));
      U->Compared = true;
      const std::lock_guard<std::mutex> Hold(Lock);
      ++Done;
      if (Options.Progress)
        Options.Progress(Done, Open.size(), U->Name);
    });
  Pool.wait();
}

/// For each changed file a unit that reads it and is compared: what a line says
/// by itself, it says in each. Warnings differ from one set of options to the
/// other.
std::vector<size_t> Comparison::witnesses(const Concerns &Of,
                                          ArrayRef<size_t> Reached) const {
  std::set<std::pair<std::string, std::string>> Seen; // options, file
  std::vector<size_t> Picked;
  for (const size_t I : Reached) {
    bool Fresh = false;
    for (const std::string &File : Of.changedFiles(I))
      Fresh |= Seen.insert({Units[I].Way, File}).second;
    if (Fresh)
      Picked.push_back(I);
  }
  return Picked;
}

void Comparison::compareConcerned(VerifyResult &Result) {
  std::vector<Concerns::Pair> Pairs;
  for (const Unit &U : Units)
    Pairs.push_back(U.Texts);
  Concerns Of(Before, After, std::move(Pairs));
  auto With = [&](Concerns::Verdict Wanted) {
    std::vector<size_t> Out;
    for (size_t I = 0; I < Units.size(); ++I)
      if (Of.of(I) == Wanted)
        Out.push_back(I);
    return Out;
  };
  std::vector<size_t> Parse = With(Concerns::Concerned);
  const std::vector<size_t> Reached = With(Concerns::Reached);
  append_range(Parse, witnesses(Of, Reached));
  std::vector<size_t> Lot = Reached;
  std::mt19937_64 Random(Result.Seed);
  Result.Drawn = std::min<size_t>(Lot.size(), Options.Draw);
  for (size_t I = 0; I < Result.Drawn; ++I) {
    std::swap(Lot[I], Lot[I + Random() % (Lot.size() - I)]);
    Parse.push_back(Lot[I]);
  }
  Result.Unconcerned = Reached.size();
  if (Options.All)
    append_range(Parse, Reached);
  while (true) {
    compare(Parse);
    // What one unit sees in a header others do, too; a new unit, by another's
    // command, tells nothing of them.
    for (const Unit &U : Units)
      for (const NewDiagnostic &D : U.New)
        if (D.File != U.Name && !U.Added)
          Of.distrust(D.File);
    for (const size_t I : Reached)
      if (Result.Disproved.empty() &&
          any_of(Units[I].New, [&](const NewDiagnostic &D) {
            return D.File == Units[I].Name;
          }))
        Result.Disproved = Units[I].Name;
    Parse = Result.Disproved.empty() ? With(Concerns::Concerned) : Reached;
    if (all_of(Parse, [&](size_t I) { return Units[I].Compared; }))
      break;
  }
  Result.Units = count_if(Units, [](const Unit &U) { return U.Compared; });
}

std::vector<NewDiagnostic> Comparison::found() const {
  std::vector<NewDiagnostic> All;
  for (const Unit &U : Units)
    append_range(All, U.New);
  return All;
}

/// Every file below Root, by its path from there; links are not followed.
void listFiles(const std::string &Root, const std::string &Below,
               std::set<std::string> &Out) {
  SmallString<256> Directory(Root);
  sys::path::append(Directory, Below);
  std::error_code EC;
  for (sys::fs::directory_iterator I(Directory, EC, /*follow_symlinks=*/false),
       End;
       !EC && I != End; I.increment(EC)) {
    const StringRef Name = sys::path::filename(I->path());
    const std::string Path =
        Below.empty() ? Name.str() : Below + "/" + Name.str();
    if (I->type() == sys::fs::file_type::directory_file)
      listFiles(Root, Path, Out);
    else if (I->type() == sys::fs::file_type::regular_file)
      Out.insert(Path);
  }
}

std::set<std::string> changedFiles(const SourceTree &Before,
                                   const SourceTree &After) {
  std::set<std::string> All, Changed;
  listFiles(Before.root(), "", All);
  listFiles(After.root(), "", All);
  for (const std::string &Path : All) {
    auto Old = MemoryBuffer::getFile(Before.path(Path));
    auto New = MemoryBuffer::getFile(After.path(Path));
    if (!Old || !New || (*Old)->getBuffer() != (*New)->getBuffer())
      Changed.insert(Path);
  }
  return Changed;
}

/// What the old allocators are still asked for.
void findLeftOvers(const Facts &After, const Plan &P,
                   std::vector<std::string> &Problems) {
  auto Converted = [&](const std::string &Key) {
    const PlanEntry *E = P.entry(Key);
    return E && E->Convert;
  };
  for (const Site &S : After.Sites) {
    const bool All = isZoneApi(S.Function) ? P.DropZone : P.DropObjcache;
    if (All || Converted(S.Zone))
      Problems.push_back(
          S.Name.lineRef() + ": " + apiName(S.Function).str() +
          "() is still called" +
          (S.ZoneSpelling.empty() ? "" : " for " + S.ZoneSpelling));
  }
  for (const Variable &V : After.Variables) {
    if ((V.Kind != VarKind::Zone && V.Kind != VarKind::Cache) ||
        !Converted(V.Key))
      continue;
    for (const Declaration &D : V.Declarations)
      Problems.push_back(D.Name.lineRef() + ": " + V.Name +
                         " is still declared");
  }
}

} // namespace

std::vector<NewDiagnostic>
newDiagnostics(const CompilationDatabase &DB, const CompilationDatabase &Before,
               const SourceTree &Tree, const FileSet &After,
               ArrayRef<std::string> Units, const VerifyOptions &Options) {
  Comparison Of(
      Tree.root(), [] { return vfs::createPhysicalFileSystem(); },
      [&] { return viewContents(Tree.root(), After); }, Options);
  for (const std::string &Unit : Units)
    Of.add(Before, DB, Tree.path(Unit));
  Of.compare(Of.all());
  return Of.found();
}

static bool isCSource(StringRef Path) {
  const StringRef Extension = sys::path::extension(Path);
  return Extension == ".c" || Extension == ".h";
}

/// Their text, of files that C is written in.
static FileSet contents(const SourceTree &Tree,
                        const std::set<std::string> &Files) {
  FileSet Out;
  for (const std::string &Path : Files) {
    if (!isCSource(Path))
      continue;
    if (auto Content = MemoryBuffer::getFile(Tree.path(Path)))
      Out[Path] = (*Content)->getBuffer().str();
  }
  return Out;
}

static bool isAssembly(StringRef Path) {
  return sys::path::extension(Path).equals_insensitive(".s");
}

/// Lists of files and options, makefiles and assembly: each line is there, and
/// as often, but for those of an allocator that goes.
static void findLineProblems(StringRef Path, StringRef Before, StringRef After,
                             const Plan &P,
                             std::vector<std::string> &Problems) {
  const bool Assembly = isAssembly(Path);
  auto isComment = [&](StringRef Word) {
    return Assembly ? Word.starts_with("/*") || Word.starts_with("*")
                    : Word.starts_with("#");
  };
  auto Lines = [&](StringRef Text) {
    std::map<std::string, unsigned> Out;
    SmallVector<StringRef, 0> All;
    Text.split(All, '\n');
    for (const StringRef Line : All) {
      SmallVector<StringRef, 8> Words;
      SplitString(Line, Words);
      if (!Words.empty() && !isComment(Words[0]) && !P.drops(Words[0]))
        ++Out[join(Words, " ")];
    }
    return Out;
  };
  auto Have = Lines(After);
  for (const auto &[Line, Times] : Lines(Before))
    if (Have[Line] != Times)
      Problems.push_back((Path + ": `" + Line + "' is " +
                          (Have[Line] < Times ? "missing" : "there again"))
                             .str());
}

/// Is what a file says a matter of its lines?
static bool isOfLines(StringRef Path) {
  const StringRef Name = sys::path::filename(Path);
  return isAssembly(Path) || Name.starts_with("Makefile") ||
         Path.starts_with("conf/");
}

/// The shims' files and the allocator with its hooks: every statement that is
/// installed is there.
static void findInstallProblems(const SourceTree &After, const Facts &F,
                                const FileSet &Installed, const Plan &P,
                                std::vector<std::string> &Problems) {
  FileSet Want, Have;
  for (const auto &[Path, Text] : Installed) {
    const bool Edited = any_of(P.Entries, [&, &Path = Path](auto &E) {
      return E.Convert && any_of(E.Steps, [&](const Step &S) {
               return S.Replace.File == Path;
             });
    });
    if (Edited)
      continue;
    auto Content = MemoryBuffer::getFile(After.path(Path));
    if (!Content) {
      Problems.push_back(Path + ": is missing, though the plan needs the "
                                "shims");
      continue;
    }
    if ((*Content)->getBuffer() == Text)
      continue;
    if (!isCSource(Path)) {
      findLineProblems(Path, Text, (*Content)->getBuffer(), P, Problems);
      continue;
    }
    Want[Path] = Text;
    Have[Path] = (*Content)->getBuffer().str();
  }
  append_range(Problems, meaningProblems(F, Plan(), Want, Have));
}

Expected<VerifyResult> verify(const CompilationDatabase &DB, const Facts &F,
                              const Plan &P, StringRef BeforeRoot,
                              StringRef Converted,
                              const VerifyOptions &Options) {
  const SourceTree Before(BeforeRoot.str()), After(Converted.str());
  const View SeeBefore = [&]() -> FileSystem {
    return BeforeRoot == F.Tree ? vfs::createPhysicalFileSystem()
                                : viewDirectory(F.Tree, BeforeRoot);
  };
  const View SeeAfter = [&]() -> FileSystem {
    return Converted == F.Tree ? vfs::createPhysicalFileSystem()
                               : viewDirectory(F.Tree, Converted);
  };
  VerifyResult Result;
  std::set<std::string> Changed = changedFiles(Before, After);
  const bool Converts =
      any_of(P.Entries, [](const PlanEntry &E) { return E.Convert; });
  if (Changed.empty() && Converts)
    return createStringError("%s: there is nothing to verify, it is the same "
                             "as the tree before; if the conversion was "
                             "applied to that tree, compare with a revision: "
                             "--base REV",
                             After.root().c_str());
  for (const PlanEntry &E : P.Entries)
    if (E.Convert && E.Where.valid() && Before.exists(E.Where.File) &&
        !After.exists(E.Where.File))
      return createStringError("%s: there is no %s, where %s is: this is no "
                               "conversion of the tree",
                               After.root().c_str(), E.Where.File.c_str(),
                               E.Variable.c_str());
  Result.Files = Changed.size();
  // An allocator that serves nobody may go.
  std::set<std::string> Dropped;
  for (const std::string &Path : Changed)
    if (P.drops(Path) && !After.exists(Path))
      Dropped.insert(Path);
  for (const std::string &Path : Dropped)
    Changed.erase(Path);

  CollectOptions Collecting;
  Collecting.Tree = F.Tree;
  Collecting.Jobs = Options.Jobs;
  Collecting.Known = Options.Known;
  Collecting.FS = SeeAfter();
  auto Now = collect(DB, Collecting);
  if (!Now)
    return Now.takeError();
  findLeftOvers(*Now, P, Result.Problems);

  // What is installed is compared with what it is installed from.
  FileSet Old = contents(Before, Changed), New = contents(After, Changed);
  for (const auto &[Path, Text] : Options.Installed)
    if (!any_of(P.Entries, [&, &Path = Path](const PlanEntry &E) {
          return E.Convert && any_of(E.Steps, [&](const Step &S) {
                   return S.Replace.File == Path;
                 });
        })) {
      Old.erase(Path);
      New.erase(Path);
    }
  // By lot, but the same for the same change.
  KeyHasher Contents;
  for (const auto &[Path, Text] : New)
    Contents << Path << Text;
  Result.Seed = Options.Seed.value_or(
      std::stoul(Contents.key().substr(0, 6), nullptr, 16));
  append_range(Result.Problems, meaningProblems(F, P, Old, New));
  findInstallProblems(After, F, Options.Installed, P, Result.Problems);
  for (const std::string &Path : Changed)
    if (isOfLines(Path) && !Options.Installed.count(Path))
      if (auto Was = MemoryBuffer::getFile(Before.path(Path)))
        if (auto Is = MemoryBuffer::getFile(After.path(Path)))
          findLineProblems(Path, (*Was)->getBuffer(), (*Is)->getBuffer(), P,
                           Result.Problems);

  std::set<std::string> Units;
  const SourceTree Named(F.Tree);
  for (const CompileCommand &Command : DB.getAllCompileCommands())
    Units.insert(absoluteUnit(Command));
  for (const std::string &Path : Dropped)
    Units.erase(Named.path(Path));
  // What was changed or added without being in the database (the allocator,
  // the shims) is parsed by the command of a unit like it.
  for (const std::string &Path : Changed)
    if (sys::path::extension(Path) == ".c" && After.exists(Path))
      Units.insert(Named.path(Path));
  Comparison Of(F.Tree, SeeBefore, SeeAfter, Options);
  for (const std::string &Path : Units)
    Of.add(DB, DB, Path);
  Of.compareConcerned(Result);
  for (NewDiagnostic &D : Of.found()) {
    const bool Elsewhere = D.File != D.Unit;
    const bool IsNew = !Before.exists(D.Unit);
    // By another unit's command: what the tree's own headers or that command
    // have to say concerns nobody.
    if (IsNew && !StringRef(D.Text).contains(": error: ") &&
        !Changed.count(D.File))
      continue;
    auto &Where = IsNew && StringRef(D.Text).ends_with("file not found")
                      ? Result.Notes
                      : Result.Problems;
    Where.push_back(D.Text + (Elsewhere ? " (in " + D.Unit + ")" : ""));
  }
  llvm::sort(Result.Problems);
  Result.Problems.erase(
      std::unique(Result.Problems.begin(), Result.Problems.end()),
      Result.Problems.end());
  return Result;
}

} // namespace kmobj
