/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Verify.h"
#include "kmobj/Collect.h"
#include "kmobj/Layout.h"
#include "kmobj/Parse.h"
#include "kmobj/TreeView.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include <mutex>
#include <set>

using namespace llvm;
using clang::tooling::CompilationDatabase;

namespace kmobj {

namespace {

using FileSystem = IntrusiveRefCntPtr<vfs::FileSystem>;
/// A fresh view for each parse.
using View = std::function<FileSystem()>;

/// Path below Tree, or the path itself.
std::string relativeTo(StringRef Tree, StringRef Path) {
  SmallString<256> Real;
  if (sys::fs::real_path(Path, Real))
    Real = Path;
  StringRef Relative = Real;
  if (Relative.consume_front(Tree) && Relative.consume_front("/"))
    return Relative.str();
  return std::string(Real);
}

std::string absoluteUnit(const clang::tooling::CompileCommand &C) {
  SmallString<256> Path(C.Filename);
  if (!sys::path::is_absolute(Path)) {
    Path = C.Directory;
    sys::path::append(Path, C.Filename);
  }
  sys::path::remove_dots(Path, /*remove_dot_dot=*/false);
  return std::string(Path);
}

/// Diagnostics with the unit on both sides: those of After that Before lacks.
/// Lines move, so only file and text count.
std::vector<NewDiagnostic> compare(const CompilationDatabase &DB,
                                   StringRef Tree, StringRef Unit,
                                   const View &Before, const View &After) {
  std::vector<UnitDiagnostic> Now = diagnose(DB, Unit, After());
  if (Now.empty())
    return {};
  std::multiset<std::pair<std::string, std::string>> Known;
  for (const UnitDiagnostic &D : diagnose(DB, Unit, Before()))
    Known.insert({D.File, D.Message});
  std::vector<NewDiagnostic> New;
  for (UnitDiagnostic &D : Now) {
    const auto Old = Known.find({D.File, D.Message});
    if (Old != Known.end()) {
      Known.erase(Old);
      continue;
    }
    if (!D.File.empty())
      D.File = relativeTo(Tree, D.File);
    New.push_back({relativeTo(Tree, Unit), D.File, D.str(), D.IsError,
                   D.Message, D.Note});
  }
  return New;
}

std::vector<NewDiagnostic> compareAll(const CompilationDatabase &DB,
                                      StringRef Tree,
                                      ArrayRef<std::string> Units,
                                      const View &Before, const View &After,
                                      const VerifyOptions &Options) {
  std::vector<std::vector<NewDiagnostic>> Results(Units.size());
  std::mutex Lock;
  unsigned Done = 0;
  {
    DefaultThreadPool Pool(hardware_concurrency(Options.Jobs));
    for (size_t I = 0; I < Units.size(); ++I)
      Pool.async([&, I] {
        Results[I] = compare(DB, Tree, Units[I], Before, After);
        const std::lock_guard<std::mutex> Hold(Lock);
        ++Done;
        if (Options.Progress)
          Options.Progress(Done, Units.size(), relativeTo(Tree, Units[I]));
      });
    Pool.wait();
  }
  std::vector<NewDiagnostic> All;
  for (std::vector<NewDiagnostic> &R : Results)
    append_range(All, R);
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

/// The files of After that are changed or include, directly or not, a file of
/// the same name as one that is. More than needed, never less.
std::set<std::string> affectedFiles(const SourceTree &After,
                                    std::set<std::string> Changed) {
  std::set<std::string> All;
  listFiles(After.root(), "", All);
  std::map<std::string, std::vector<std::string>> IncludedBy;
  for (const std::string &Path : All) {
    const StringRef Extension = sys::path::extension(Path);
    if (Extension != ".c" && Extension != ".h")
      continue;
    if (auto Content = MemoryBuffer::getFile(After.path(Path)))
      for (const IncludeLine &I :
           findIncludes(SourceText((*Content)->getBuffer())))
        IncludedBy[sys::path::filename(I.Name).str()].push_back(Path);
  }
  std::vector<std::string> Open(Changed.begin(), Changed.end());
  StringSet<> Names;
  while (!Open.empty()) {
    const std::string Name = sys::path::filename(Open.back()).str();
    Open.pop_back();
    if (!Names.insert(Name).second)
      continue;
    for (const std::string &User : IncludedBy[Name])
      if (Changed.insert(User).second)
        Open.push_back(User);
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

std::vector<NewDiagnostic> newDiagnostics(const CompilationDatabase &DB,
                                          const SourceTree &Tree,
                                          const FileSet &After,
                                          ArrayRef<std::string> Units,
                                          const VerifyOptions &Options) {
  std::vector<std::string> Paths;
  for (const std::string &Unit : Units)
    Paths.push_back(Tree.path(Unit));
  return compareAll(
      DB, Tree.root(), Paths, [] { return vfs::createPhysicalFileSystem(); },
      [&] { return viewContents(Tree.root(), After); }, Options);
}

/// Their text, of files that C is written in.
static FileSet contents(const SourceTree &Tree,
                        const std::set<std::string> &Files) {
  FileSet Out;
  for (const std::string &Path : Files) {
    const StringRef Extension = sys::path::extension(Path);
    if (Extension != ".c" && Extension != ".h")
      continue;
    if (auto Content = MemoryBuffer::getFile(Tree.path(Path)))
      Out[Path] = (*Content)->getBuffer().str();
  }
  return Out;
}

/// Lines that the installation adds to lists of files and options.
static void findListProblems(const SourceTree &After, const FileSet &Installed,
                             std::vector<std::string> &Problems) {
  for (const auto &[Path, Text] : Installed) {
    const StringRef Extension = sys::path::extension(Path);
    if (Extension == ".c" || Extension == ".h")
      continue;
    auto Words = [](StringRef Line) {
      SmallVector<StringRef, 8> Parts;
      SplitString(Line, Parts);
      return join(Parts, " ");
    };
    StringSet<> Have;
    if (auto Content = MemoryBuffer::getFile(After.path(Path))) {
      SmallVector<StringRef, 0> Lines;
      (*Content)->getBuffer().split(Lines, '\n');
      for (const StringRef Line : Lines)
        Have.insert(Words(Line));
    }
    SmallVector<StringRef, 0> Lines;
    StringRef(Text).split(Lines, '\n');
    for (const StringRef Line : Lines)
      if (StringRef(Line).contains("kmalloc") && !Have.contains(Words(Line)))
        Problems.push_back(Path + ": `" + Words(Line) + "' is missing");
  }
}

/// The shims' files and the allocator with its hooks: every statement that is
/// installed is there.
static void findInstallProblems(const SourceTree &After, const Facts &F,
                                const FileSet &Installed, const Plan &P,
                                std::vector<std::string> &Problems) {
  FileSet Want, Have;
  for (const auto &[Path, Text] : Installed) {
    const StringRef Extension = sys::path::extension(Path);
    const bool Edited = any_of(P.Entries, [&, &Path = Path](auto &E) {
      return E.Convert && any_of(E.Steps, [&](const Step &S) {
               return S.Replace.File == Path;
             });
    });
    if ((Extension != ".c" && Extension != ".h") || Edited)
      continue;
    auto Content = MemoryBuffer::getFile(After.path(Path));
    if (!Content) {
      Problems.push_back(Path + ": is missing, though the plan needs the "
                                "shims");
      continue;
    }
    if ((*Content)->getBuffer() == Text)
      continue;
    Want[Path] = Text;
    Have[Path] = (*Content)->getBuffer().str();
  }
  append_range(Problems, meaningProblems(F, Plan(), Want, Have));
  findListProblems(After, Installed, Problems);
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
  const std::set<std::string> Changed = changedFiles(Before, After);
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

  CollectOptions Collecting;
  Collecting.Tree = F.Tree;
  Collecting.Jobs = Options.Jobs;
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
  append_range(Result.Problems, meaningProblems(F, P, Old, New));
  findInstallProblems(After, F, Options.Installed, P, Result.Problems);

  const std::set<std::string> Affected = affectedFiles(After, Changed);
  std::set<std::string> Units;
  for (const auto &Command : DB.getAllCompileCommands()) {
    const std::string Path = absoluteUnit(Command);
    const std::string Relative = relativeTo(F.Tree, Path);
    if (sys::path::is_absolute(Relative) || Affected.count(Relative))
      Units.insert(Path);
  }
  // What was changed or added without being in the database (the allocator,
  // the shims) is parsed by the command of a unit like it.
  const SourceTree Named(F.Tree);
  for (const std::string &Path : Changed)
    if (sys::path::extension(Path) == ".c" && After.exists(Path))
      Units.insert(Named.path(Path));
  Result.Units = Units.size();
  const std::vector<std::string> List(Units.begin(), Units.end());
  for (NewDiagnostic &D :
       compareAll(DB, F.Tree, List, SeeBefore, SeeAfter, Options)) {
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
