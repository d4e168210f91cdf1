/* SPDX-License-Identifier: BSD-3-Clause */
//===- Collect.cpp - Translation units in, facts out ----------------------===//
//
// The order of work: index the tree's text; pick the units; parse them, each
// with a file system of its own; merge; then hold the text's mentions against
// what was understood.
//
//===----------------------------------------------------------------------===//

#include "kmobj/Collect.h"
#include "TreeIndex.h"
#include "UnitReader.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/xxhash.h"

using namespace kmobj;
using clang::tooling::CompileCommand;
using llvm::StringRef;
namespace path = llvm::sys::path;

using FileSystem = llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem>;

static std::string absoluteUnit(const CompileCommand &C) {
  llvm::SmallString<256> P(C.Filename);
  if (!path::is_absolute(P)) {
    P = C.Directory;
    path::append(P, C.Filename);
  }
  path::remove_dots(P, /*remove_dot_dot=*/true);
  return P.str().str();
}

static std::string realPath(llvm::vfs::FileSystem &FS, StringRef P) {
  llvm::SmallString<256> Real;
  if (FS.getRealPath(P, Real))
    Real = P;
  path::remove_dots(Real, /*remove_dot_dot=*/true);
  return Real.str().str();
}

std::string kmobj::findTree(const clang::tooling::CompilationDatabase &DB,
                            llvm::vfs::FileSystem &FS) {
  std::string Common;
  for (const CompileCommand &C : DB.getAllCompileCommands()) {
    std::string Unit = realPath(FS, absoluteUnit(C));
    for (StringRef Dir = path::parent_path(Unit); !Dir.empty();
         Dir = path::parent_path(Dir)) {
      llvm::SmallString<256> Conf(Dir);
      path::append(Conf, "conf", "files");
      if (FS.exists(Conf))
        return Dir.str();
    }
    if (Common.empty())
      Common = path::parent_path(Unit).str();
    while (Common != "/" && !StringRef(Unit).starts_with(Common + "/"))
      Common = path::parent_path(Common).str();
  }
  return Common == "/" ? "" : Common;
}

namespace {

class Collector {
public:
  Collector(const CollectOptions &Options, std::string Tree, FileSystem FS)
      : Options(Options), FS(std::move(FS)), Store(Tree, this->FS),
        Index(Store, this->FS), Reader(Store, Index, Options.Known) {
    All.Tree = std::move(Tree);
  }

  llvm::Expected<Facts> run(const clang::tooling::CompilationDatabase &DB);

private:
  const CollectOptions &Options;
  FileSystem FS;
  TextStore Store;
  TreeIndex Index;
  UnitReader Reader;
  Facts All;
  /// How parsed units, and failing ones, read each file.
  std::map<std::string, std::set<SkippedRanges>> Parsed, Failed;
  std::map<std::string, std::set<uint32_t>> Dropped;
  std::set<std::string> SkippedFiles; ///< read by skipped units, by their text

  llvm::Error select(const clang::tooling::CompilationDatabase &DB,
                     std::vector<CompileCommand> &Units);
  std::vector<UnitText> filter(std::vector<CompileCommand> Units);
  void parse(const std::vector<UnitText> &Units);
  void mention(Mention::KindTy Kind, const FileText &Text, const TextToken &T,
               const std::string &Var = {});
  void mentions();
  void account();
  void functions();
  void hidden();
  void files();
};

} // namespace

llvm::Error Collector::select(const clang::tooling::CompilationDatabase &DB,
                              std::vector<CompileCommand> &Units) {
  std::vector<CompileCommand> Known = DB.getAllCompileCommands();
  llvm::erase_if(Known, [](const CompileCommand &C) {
    StringRef E = path::extension(C.Filename);
    return E != ".c";
  });
  // Whatever order the databases came in.
  std::stable_sort(Known.begin(), Known.end(),
                   [](const CompileCommand &A, const CompileCommand &B) {
                     return std::make_pair(absoluteUnit(A), A.Output) <
                            std::make_pair(absoluteUnit(B), B.Output);
                   });
  if (Options.Files.empty()) {
    Units = std::move(Known);
  } else {
    for (const std::string &File : Options.Files) {
      llvm::SmallString<256> P(File);
      if (!path::is_absolute(P)) {
        // As a person writes it: from the tree, or from where they stand.
        llvm::SmallString<256> InTree(Store.tree());
        path::append(InTree, File);
        if (FS->exists(InTree))
          P = InTree;
        else if (auto EC = FS->makeAbsolute(P))
          return llvm::createStringError(EC, "%s: %s", File.c_str(),
                                         EC.message().c_str());
      }
      std::string Wanted = realPath(*FS, P);
      size_t Before = Units.size();
      for (const CompileCommand &C : Known)
        if (realPath(*FS, absoluteUnit(C)) == Wanted)
          Units.push_back(C);
      if (Units.size() == Before)
        return llvm::createStringError(
            llvm::inconvertibleErrorCode(),
            "%s: the compile database has no such unit", File.c_str());
    }
  }
  std::vector<CompileCommand> Mine;
  if (Options.ShardCount > 1)
    All.Shards = {std::to_string(Options.Shard) + "/" +
                  std::to_string(Options.ShardCount)};
  for (size_t I = 0; I < Units.size(); ++I)
    if (I % std::max(Options.ShardCount, 1u) == Options.Shard)
      Mine.push_back(std::move(Units[I]));
  Units = std::move(Mine);
  return llvm::Error::success();
}

/// Says where what was evaluated was.
static void sign(Facts &F, StringRef Configuration, StringRef Unit) {
  auto Sign = [&](Evaluations &Of) {
    for (Evaluation &E : Of) {
      E.Configuration = Configuration.str();
      E.Unit = Unit.str();
    }
  };
  for (Site &S : F.Sites)
    for (Argument &A : S.Args) {
      Sign(A.Values);
      Sign(A.Overwrites);
    }
  for (ItemMemory &M : F.ItemMemories)
    for (Argument &A : M.Args)
      Sign(A.Values);
  for (Use &U : F.Uses)
    Sign(U.Values);
  for (Variable &V : F.Variables)
    for (ArgsMember &M : V.Members)
      Sign(M.Values);
}

/// The units that may matter.
std::vector<UnitText> Collector::filter(std::vector<CompileCommand> Units) {
  std::vector<TreeIndex::Reach> Reaches;
  std::vector<TreeIndex::Closure> Closures;
  for (const CompileCommand &C : Units) {
    Reaches.push_back(Index.reach(C));
    Closures.push_back(Reaches.back().Files);
  }
  std::vector<bool> Matters(Units.size(), true);
  if (!Options.NoFilter)
    Matters = Index.matter(Closures);
  Index.findSizeNames();
  std::vector<UnitText> Kept;
  llvm::DenseSet<const FileIndex *> OfSkipped;
  for (size_t I = 0; I < Units.size(); ++I) {
    if (Matters[I]) {
      Kept.push_back({std::move(Units[I]), std::move(Reaches[I])});
      continue;
    }
    Unit U;
    U.Path = Store.name(absoluteUnit(Units[I]));
    U.State = Unit::Skipped;
    All.Units.push_back(std::move(U));
    OfSkipped.insert(Closures[I].begin(), Closures[I].end());
  }
  for (const FileIndex *F : OfSkipped)
    SkippedFiles.insert(F->Name);
  return Kept;
}

void Collector::parse(const std::vector<UnitText> &Units) {
  std::vector<UnitFacts> Results(Units.size());
  std::mutex Lock;
  unsigned Done = 0;
  {
    llvm::DefaultThreadPool Pool(llvm::hardware_concurrency(Options.Jobs));
    for (size_t I = 0; I < Units.size(); ++I)
      Pool.async([&, I] {
        // The working directory belongs to a file system, so each unit that
        // reads the disk gets one.
        FileSystem Own =
            Options.FS ? Options.FS
                       : FileSystem(llvm::vfs::createPhysicalFileSystem());
        if (!Options.FS)
          Own->setCurrentWorkingDirectory(Units[I].Command.Directory);
        Results[I] = Reader.facts(Units[I], Own);
        std::lock_guard<std::mutex> Guard(Lock);
        ++Done;
        if (Options.Progress)
          Options.Progress(Done, Units.size(), Units[I].Command.Filename);
      });
    Pool.wait();
  }
  for (size_t I = 0; I < Units.size(); ++I) {
    UnitFacts &R = Results[I];
    Unit U;
    U.Path = Store.name(absoluteUnit(Units[I].Command));
    U.FirstError = R.FirstError;
    U.State = R.FirstError.empty() ? Unit::Parsed : Unit::Failed;
    if (U.State == Unit::Failed) {
      for (const FileIndex *F : Units[I].Reach.Files)
        if (!path::is_absolute(F->Name))
          U.Reads.push_back(F->Name);
      llvm::sort(U.Reads);
    }
    sign(R.Found, Units[I].Command.Output, U.Path);
    for (NamedSize &N : R.Found.NamedSizes) {
      N.Configuration = Units[I].Command.Output;
      N.Units = {U.Path};
    }
    for (Site &S : R.Found.Sites) {
      if (isAllocation(S.Function) || isCreation(S.Function))
        S.Units = {U.Path};
      if (isAllocation(S.Function)) {
        if (U.State == Unit::Parsed && U.Reads.empty())
          for (const auto &[File, Ranges] : R.Read)
            U.Reads.push_back(File);
      }
    }
    All.Units.push_back(std::move(U));
    auto &Read = R.FirstError.empty() ? Parsed : Failed;
    for (auto &[File, Ranges] : R.Read)
      Read[File].insert(Ranges.begin(), Ranges.end());
    for (auto &[File, Offsets] : R.Dropped)
      Dropped[File].insert(Offsets.begin(), Offsets.end());
    auto Append = [](auto &To, auto &From) {
      std::move(From.begin(), From.end(), std::back_inserter(To));
    };
    Append(All.Files, R.Found.Files);
    Append(All.Variables, R.Found.Variables);
    Append(All.MallocDefines, R.Found.MallocDefines);
    Append(All.Sites, R.Found.Sites);
    Append(All.Uses, R.Found.Uses);
    Append(All.Statements, R.Found.Statements);
    Append(All.ItemMemories, R.Found.ItemMemories);
    Append(All.Sizes, R.Found.Sizes);
    Append(All.NamedSizes, R.Found.NamedSizes);
    Append(All.Functions, R.Found.Functions);
    Append(All.Labels, R.Found.Labels);
  }
}

void Collector::mention(Mention::KindTy Kind, const FileText &Text,
                        const TextToken &T, const std::string &Var) {
  Mention M;
  M.Kind = Kind;
  M.Var = Var;
  M.Name = Text.text(T).str();
  M.Text = Text.span(T.Begin, T.End);
  if (Kind == Mention::Function)
    if (std::optional<WrittenCall> Call = Text.callAt(T.Begin)) {
      M.Call = Call->Call;
      M.Args = Call->Args;
      for (const Span &A : M.Args)
        M.ArgTexts.push_back(Text.spelling(A));
      size_t First = Text.tokenAt(T.Begin), Next = Text.tokenAt(M.Call.End);
      if (!T.Directive && Text.followsStatement(First) &&
          Text.is(Text.enclosing(First), "{") && Text.is(Next, ";"))
        M.Statement = Text.span(T.Begin, Text.tokens()[Next].End);
    }
  if (Kind == Mention::Variable)
    M.Statement = Text.assertionAt(T.Begin);
  if (M.Statement)
    All.Statements.push_back(Text.statementAt(M.Statement));
  All.Mentions.push_back(std::move(M));
}

static bool isAccessed(const FileText &Text, size_t I) {
  return Text.is(I - 1, ".") || (Text.is(I - 1, ">") && Text.is(I - 2, "-"));
}

/// A member of that name, or the declaration of one, as zlib has them: not the
/// function whatever else it is.
static bool isMember(const FileText &Text, const TextToken &T) {
  size_t I = Text.tokenAt(T.Begin);
  bool Declared = I > 0 && Text.is(I + 1, ";") &&
                  (Text.tokens()[I - 1].Kind == TextToken::Identifier &&
                   !Text.is(I - 1, "return"));
  return isAccessed(Text, I) || Declared;
}

/// Every mention in the tree's text.
void Collector::mentions() {
  // Names to look for: what is at file scope, or in a structure. A static one,
  // or one in a structure that a .c file keeps to itself, only counts in the
  // files that declare it, and one of a function in that function; the text of
  // others may use the name for other things.
  std::set<std::string> Everywhere;
  std::map<std::string, std::set<std::string>> Inside, Members;
  struct Local {
    std::string Name, Key;
    Span Function;
  };
  std::map<std::string, std::vector<Local>> Locals;
  for (const Variable &V : All.Variables) {
    if (V.Kind == VarKind::Plain)
      continue; // see LosingFunction::Known and Planner::isDead
    if (V.Scope == VarScope::Local || V.Scope == VarScope::Parameter) {
      for (const Declaration &D : V.Declarations)
        if (D.Function && !V.Name.empty())
          Locals[D.Function.File].push_back({V.Name, V.Key, D.Function});
    } else if (V.External)
      Everywhere.insert(V.Name);
    else if (V.Scope == VarScope::File || V.Scope == VarScope::StaticLocal)
      for (const Declaration &D : V.Declarations)
        Inside[D.Name.File].insert(V.Name);
    else if (V.Scope == VarScope::Field)
      for (const Declaration &D : V.Declarations)
        Members[D.Name.File].insert(V.Name);
  }
  for (const Use &U : All.Uses)
    if (const Variable *V = All.variable(U.Var);
        V && V->Scope == VarScope::Field)
      Members[U.Name.File].insert(V->Name);
  // What cannot be read may name any of them that the linker sees.
  for (const auto &[Path, Why] : Index.unreadable())
    for (const std::string &Name : Everywhere) {
      Mention M;
      M.Kind = Mention::Variable;
      M.Name = Name;
      M.Text = {Path, 0, 0, 1, 1};
      All.Mentions.push_back(std::move(M));
    }
  for (const auto &[Name, File] : Index.files()) {
    if (!File || path::is_absolute(Name))
      continue;
    auto Local = Inside.find(Name), Member = Members.find(Name);
    auto InFunctions = Locals.find(Name);
    bool Any = !File->Api.empty() || Local != Inside.end() ||
               Member != Members.end() || InFunctions != Locals.end();
    for (const std::string &V : Everywhere)
      Any = Any || File->mayName(V);
    const FileText *Text = Any ? Store.get(Name) : nullptr;
    if (!Text)
      continue;
    auto Api = File->Api.begin();
    for (const TextToken &T : Text->tokens()) {
      if (T.Kind != TextToken::Identifier)
        continue;
      if (Api != File->Api.end() && Api->Begin == T.Begin) {
        if (Api->Kind != Mention::Function || !isMember(*Text, T))
          mention(Api->Kind, *Text, T);
        ++Api;
        continue;
      }
      std::string Word = Text->text(T).str();
      if (InFunctions != Locals.end())
        for (const struct Local &L : InFunctions->second)
          if (L.Name == Word && L.Function.contains(Name, T.Begin))
            mention(Mention::Variable, *Text, T, L.Key);
      if (Everywhere.count(Word) ||
          (Local != Inside.end() && Local->second.count(Word)) ||
          (Member != Members.end() && Member->second.count(Word) &&
           isAccessed(*Text, Text->tokenAt(T.Begin))))
        mention(Mention::Variable, *Text, T);
    }
  }
}

static bool isActive(const std::set<SkippedRanges> &Times, uint32_t Offset) {
  return llvm::any_of(Times, [&](const SkippedRanges &Skipped) {
    return llvm::none_of(Skipped, [&](const std::pair<uint32_t, uint32_t> &R) {
      return R.first <= Offset && Offset < R.second;
    });
  });
}

/// Says of every mention what it is.
void Collector::account() {
  std::set<std::pair<std::string, uint32_t>> Known;
  auto Know = [&](const Span &S) { Known.insert({S.File, S.Begin}); };
  for (const Variable &V : All.Variables)
    for (const Declaration &D : V.Declarations) {
      Know(D.Name);
    }
  for (const Site &S : All.Sites)
    Know(S.Name);
  for (const Use &U : All.Uses)
    Know(U.Name);
  for (Mention &M : All.Mentions) {
    const std::string &File = M.Text.File;
    if (Index.unreadable().count(File)) {
      M.State = Mention::DidNotParse;
      continue;
    }
    auto P = Parsed.find(File);
    auto F = Failed.find(File);
    const FileText *Text = Store.get(File);
    bool Active = P != Parsed.end() && isActive(P->second, M.Text.Begin);
    size_t At = Text->tokenAt(M.Text.Begin);
    bool InDefine = Text->tokens()[At].Directive;
    if (isApiFile(File))
      M.State = Mention::ApiItself;
    else if (P != Parsed.end() && Known.count({File, M.Text.Begin}))
      M.State = Mention::Understood;
    else if (Active && M.Kind != Mention::Function &&
             M.Kind != Mention::Variable)
      M.State = Mention::Understood;
    else if (Active && Dropped[File].count(M.Text.Begin))
      M.State = Mention::Dropped;
    else if (Active)
      M.State = InDefine ? Mention::Unexpanded : Mention::OtherName;
    else if (P != Parsed.end())
      M.State = Mention::Inactive;
    else if (F != Failed.end())
      M.State = Mention::DidNotParse;
    else if (SkippedFiles.count(File))
      M.State = Mention::Skipped;
    else
      M.State = Mention::NotInDatabase;
  }
}

/// Where the tokens of Text from First to Last say Name, other than as a
/// member.
static std::vector<Span> said(const FileText &Text, StringRef Name,
                              size_t First, size_t Last) {
  std::vector<Span> Found;
  for (size_t I = First; I < Last; ++I) {
    const TextToken &T = Text.tokens()[I];
    if (Text.text(T) == Name && !(I >= 2 && isAccessed(Text, I)))
      Found.push_back(Text.span(T.Begin, T.End));
  }
  return Found;
}

static std::vector<Span> said(const FileText &Text, StringRef Name) {
  return said(Text, Name, 0, Text.tokens().size());
}

static bool anyContains(llvm::ArrayRef<Span> Spans, const Span &What) {
  return llvm::any_of(Spans, [&](const Span &S) { return S.contains(What); });
}

/// Does anything name the static functions that lose statements, but what is
/// known? Of one that others can call that is not asked, as text alone does not
/// tell who does; but where it does, and looks at what it gets, is found.
void Collector::functions() {
  for (LosingFunction &Fn : All.Functions) {
    if (!Fn.External) {
      const FileText *Text = Store.get(Fn.Definition.File);
      Fn.Known = Text && llvm::all_of(said(*Text, Fn.Name), [&](const Span &S) {
                   return Fn.Definition.contains(S) ||
                          anyContains(Fn.Declarations, S) ||
                          anyContains(Fn.Calls, S) || anyContains(Fn.Inits, S);
                 });
      continue;
    }
    for (const auto &[Name, File] : Index.files()) {
      if (!File || path::is_absolute(Name) || !File->mayName(Fn.Name))
        continue;
      if (const FileText *Text = Store.get(Name))
        for (const Span &S : said(*Text, Fn.Name))
          if (const size_t I = Text->tokenAt(S.Begin);
              Text->callAt(S.Begin) && !Text->followsStatement(I) &&
              Text->enclosing(I) < Text->tokens().size() &&
              !llvm::is_contained(Fn.Tests, S))
            Fn.Tests.push_back(S);
    }
  }
}

/// A local or a label that text names which no unit compiles, as an argument
/// that a macro leaves out, is looked at there.
void Collector::hidden() {
  std::vector<Use> Hidden;
  for (const Variable &V : All.Variables) {
    if (V.Kind != VarKind::Plain || V.Declarations.size() != 1)
      continue;
    const Declaration &D = V.Declarations.front();
    const FileText *Text = D.Function ? Store.get(D.Function.File) : nullptr;
    if (!Text)
      continue;
    for (const Span &S : said(*Text, V.Name, Text->tokenAt(D.Function.Begin),
                              Text->tokenAt(D.Function.End))) {
      if (S == D.Name || llvm::any_of(All.Uses, [&](const Use &U) {
            return U.Name == S && U.Var == V.Key;
          }))
        continue;
      Use U;
      U.Var = V.Key;
      U.What = Role::Look;
      U.Name = U.Expr = S;
      Hidden.push_back(std::move(U));
    }
  }
  llvm::append_range(All.Uses, Hidden);
  for (Label &L : All.Labels) {
    const FileText *Text = Store.get(L.Rest.File);
    const size_t End = Text ? Text->tokens().size() : 0;
    // The braces of the function.
    size_t Open = End;
    for (size_t Up = Text ? Text->enclosing(Text->tokenAt(L.Rest.Begin)) : End;
         Up < End; Up = Text->enclosing(Open))
      Open = Up;
    const bool Known =
        Open < End &&
        llvm::all_of(said(*Text, L.Name, Open, Text->closing(Open)),
                     [&](const Span &S) {
                       return L.Rest.contains(S) || anyContains(L.Jumps, S);
                     });
    if (!Known)
      L.Jumps.clear();
  }
}

/// Files that were read or mention something, and names that are taken.
void Collector::files() {
  std::set<std::string> Of;
  for (const auto &[File, Ranges] : Parsed)
    Of.insert(File);
  std::set<std::string> Concerned;
  for (const Mention &M : All.Mentions)
    Concerned.insert(M.Text.File);
  for (const LosingFunction &Fn : All.Functions)
    for (const auto *List : {&Fn.Declarations, &Fn.Calls, &Fn.Inits})
      for (const Span &S : *List)
        Concerned.insert(S.File);
  for (const Variable &V : All.Variables)
    for (const Declaration &D : V.Declarations)
      Concerned.insert(D.Name.File);
  for (const Use &U : All.Uses)
    Concerned.insert(U.Name.File);
  for (const SizeText &S : All.Sizes)
    for (const Span &D : S.Definitions)
      Concerned.insert(D.File);
  Of.insert(Concerned.begin(), Concerned.end());
  for (const std::string &File : Of) {
    if (path::is_absolute(File))
      continue;
    const FileText *Text = Store.get(File);
    if (!Text)
      continue;
    SourceFile F;
    F.Path = File;
    F.Parsed = Parsed.count(File);
    if (Concerned.count(File))
      F.Directives = Text->directives();
    F.Hash = llvm::utohexstr(llvm::xxh3_64bits(Text->source()), true, 16);
    All.Files.push_back(std::move(F));
  }
  All.LacksKmallocObj = true;
  for (const auto &[Name, File] : Index.files())
    if (File && !path::is_absolute(Name)) {
      for (const std::string &T : File->TypeNames)
        All.Identifiers.push_back({T, {Name}});
      if (File->Header && File->mayName("kmalloc_obj"))
        if (const FileText *Text = Store.get(Name))
          for (size_t I = 1; I < Text->tokens().size(); ++I)
            if (Text->is(I, "kmalloc_obj") && Text->is(I - 1, "define"))
              All.LacksKmallocObj = false;
    }
}

/// Malloc types that no cache is made of concern nobody, nor do those uses.
static void dropOtherTypes(Facts &F) {
  std::set<std::string> Wanted;
  for (const Site &S : F.Sites)
    for (const Argument &A : S.Args)
      Wanted.insert(A.Var);
  for (const Variable &V : F.Variables)
    for (const ArgsMember &M : V.Members)
      Wanted.insert(M.Var);
  std::set<std::string> Types;
  for (const Variable &V : F.Variables)
    if (V.Kind == VarKind::MallocType && !Wanted.count(V.Key))
      Types.insert(V.Key);
  llvm::erase_if(F.Variables,
                 [&](const Variable &V) { return Types.count(V.Key); });
  llvm::erase_if(F.Uses, [&](const Use &U) { return Types.count(U.Var); });
  llvm::erase_if(F.MallocDefines, [&](const MallocDefine &M) {
    return !Wanted.count(M.Key) && StringRef(M.Key).contains("M_") &&
           M.Macro != "MALLOC_DEFINE_OBJ";
  });
}

llvm::Expected<Facts>
Collector::run(const clang::tooling::CompilationDatabase &DB) {
  std::vector<CompileCommand> Units;
  if (llvm::Error E = select(DB, Units))
    return E;
  Index.scanTree(Options.Jobs);
  for (const auto &[Path, Why] : Index.unreadable()) {
    Unit U;
    U.Path = Path;
    U.State = Unit::Failed;
    U.FirstError = "cannot be read: " + Why;
    All.Units.push_back(std::move(U));
  }
  parse(filter(std::move(Units)));
  dropOtherTypes(All);
  All.normalize();
  for (Variable &V : All.Variables)
    if (V.Kind == VarKind::CacheArgs)
      V.MembersComplete = llvm::none_of(All.Uses, [&](const Use &U) {
        return U.Var == V.Key && U.What == Role::Escape;
      });
  mentions();
  account();
  functions();
  hidden();
  files();
  All.normalize();
  return All;
}

llvm::Expected<Facts>
kmobj::collect(const clang::tooling::CompilationDatabase &DB,
               const CollectOptions &Options) {
  FileSystem FS = Options.FS
                      ? Options.FS
                      : FileSystem(llvm::vfs::createPhysicalFileSystem());
  if (DB.getAllFiles().empty())
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "the compile database names no unit");
  std::string Tree = Options.Tree.empty() ? findTree(DB, *FS) : Options.Tree;
  if (Tree.empty())
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(),
        "the units have no directory in common; say with --tree where the "
        "kernel sources begin");
  if (!FS->exists(Tree))
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "%s: no such directory", Tree.c_str());
  Tree = realPath(*FS, Tree);
  return Collector(Options, Tree, FS).run(DB);
}
