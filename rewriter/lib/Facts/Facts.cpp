/* SPDX-License-Identifier: BSD-3-Clause */
//===- Facts.cpp - Look up, order and merge facts -------------------------===//

#include "kmobj/Facts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <map>
#include <set>

using namespace kmobj;
using llvm::StringRef;

std::string Span::lineRef() const {
  return valid() ? File + ":" + std::to_string(Line) : std::string();
}

std::string Span::id() const {
  return valid() ? lineRef() + ":" + std::to_string(Column) : std::string();
}

static const char *const ApiNames[] = {
    "zinit",
    "zinitna",
    "zbootinit",
    "zalloc",
    "zfree",
    "zdestroy",
    "objcache_create",
    "objcache_create_simple",
    "objcache_create_mbacked",
    "objcache_get",
    "objcache_put",
    "objcache_dtor",
    "objcache_destroy",
    "objcache_populate_linear",
    "objcache_reclaimlist",
    "objcache_set_cluster_limit",
};

StringRef kmobj::apiName(Api A) { return ApiNames[static_cast<unsigned>(A)]; }

std::optional<Api> kmobj::apiByName(StringRef Name) {
  for (unsigned I = 0; I < std::size(ApiNames); ++I)
    if (Name == ApiNames[I])
      return static_cast<Api>(I);
  return std::nullopt;
}

bool kmobj::isCreation(Api A) {
  return A <= Api::Zbootinit ||
         (A >= Api::ObjcacheCreate && A <= Api::ObjcacheCreateMbacked);
}

bool kmobj::isAllocation(Api A) {
  return A == Api::Zalloc || A == Api::ObjcacheGet;
}

bool kmobj::isZoneApi(Api A) { return A <= Api::Zdestroy; }

const Variable *Facts::variable(StringRef Key) const {
  auto It =
      llvm::find_if(Variables, [&](const Variable &V) { return V.Key == Key; });
  return It == Variables.end() ? nullptr : &*It;
}

const SourceFile *Facts::file(StringRef Path) const {
  auto It = std::lower_bound(
      Files.begin(), Files.end(), Path,
      [](const SourceFile &F, StringRef P) { return F.Path < P; });
  return It == Files.end() || It->Path != Path ? nullptr : &*It;
}

bool Facts::includes(StringRef File, StringRef Header) const {
  std::set<StringRef> Seen{File};
  std::vector<StringRef> Open{File};
  auto Add = [&](StringRef Path) {
    if (Seen.insert(Path).second)
      Open.push_back(Path);
  };
  while (!Open.empty()) {
    const StringRef At = Open.back();
    Open.pop_back();
    if (At == Header)
      return true;
    if (const SourceFile *Found = file(At)) {
      for (const Include &I : Found->Includes)
        Add(I.Resolved);
      continue;
    }
    // A header outside the tree forwards to the tree's of that name.
    for (const SourceFile &Other : Files)
      if (llvm::sys::path::filename(Other.Path) ==
          llvm::sys::path::filename(At))
        Add(Other.Path);
  }
  return false;
}

const Unit *Facts::unit(StringRef Path) const {
  auto It =
      std::lower_bound(Units.begin(), Units.end(), Path,
                       [](const Unit &U, StringRef P) { return U.Path < P; });
  return It == Units.end() || It->Path != Path ? nullptr : &*It;
}

std::vector<const Site *> Facts::sitesOf(StringRef Key) const {
  std::vector<const Site *> Found;
  for (const Site &S : Sites)
    if (S.Zone == Key)
      Found.push_back(&S);
  return Found;
}

std::vector<const Use *> Facts::usesOf(StringRef Key) const {
  std::vector<const Use *> Found;
  for (const Use &U : Uses)
    if (U.Var == Key)
      Found.push_back(&U);
  return Found;
}

const Site *Facts::siteAt(StringRef Id) const {
  for (const Site &S : Sites)
    if (S.Name.id() == Id)
      return &S;
  return nullptr;
}

const Statement *Facts::statement(const Span &At) const {
  auto It = std::lower_bound(
      Statements.begin(), Statements.end(), At,
      [](const Statement &S, const Span &Place) { return S.Text < Place; });
  return It == Statements.end() || !(It->Text == At) ||
                 It->Context == Statement::Unknown
             ? nullptr
             : &*It;
}

/// The first of File's directives that does not end before Offset.
static const Directive *directiveFrom(const Facts &F, StringRef File,
                                      uint32_t Offset) {
  const SourceFile *Found = F.file(File);
  if (!Found)
    return nullptr;
  auto It = llvm::partition_point(Found->Directives, [&](const Directive &D) {
    return D.Text.End <= Offset;
  });
  return It == Found->Directives.end() ? nullptr : &*It;
}

const Directive *Facts::directiveIn(const Span &S) const {
  const Directive *D = directiveFrom(*this, S.File, S.Begin);
  // The one that S itself is in, as in a macro's body.
  if (D && D->Text.Begin < S.Begin)
    D = directiveFrom(*this, S.File, D->Text.End);
  return D && D->Text.Begin < S.End ? D : nullptr;
}

const Directive *Facts::directiveAt(StringRef File, uint32_t Offset) const {
  const Directive *D = directiveFrom(*this, File, Offset);
  return D && D->Text.Begin <= Offset ? D : nullptr;
}

std::pair<std::string, std::string> kmobj::origins(const Evaluation &A,
                                                   const Evaluation &B) {
  if (A.Configuration != B.Configuration)
    return {A.Configuration, B.Configuration};
  if (A.Unit != B.Unit)
    return {A.Unit, B.Unit};
  return {A.Unit, "the same with other options"};
}

std::string kmobj::difference(const Evaluations &Of) {
  for (const Evaluation &E : Of) {
    if (E.Text == Of.front().Text)
      continue;
    const auto [First, Second] = origins(Of.front(), E);
    auto Worth = [](const Evaluation &E) {
      return E.Text.empty() ? std::string("no constant") : E.Text;
    };
    return Worth(Of.front()) + " in " + First + " and " + Worth(E) + " in " +
           Second;
  }
  return {};
}

/// Sorts V by Less and makes one of neighbours of which Same holds; Join puts
/// what the second knows into the first.
template <class T, class Less, class Join>
static void sortAndJoin(std::vector<T> &V, Less L, Join J) {
  std::stable_sort(V.begin(), V.end(), L);
  std::vector<T> Out;
  for (T &X : V) {
    if (!Out.empty() && !L(Out.back(), X))
      J(Out.back(), X);
    else
      Out.push_back(std::move(X));
  }
  V = std::move(Out);
}

static void joinSpans(std::vector<Span> &Into, const std::vector<Span> &From) {
  Into.insert(Into.end(), From.begin(), From.end());
  llvm::sort(Into);
  Into.erase(std::unique(Into.begin(), Into.end()), Into.end());
}

static void joinReturns(std::vector<LosingFunction::Return> &Into,
                        const std::vector<LosingFunction::Return> &From) {
  Into.insert(Into.end(), From.begin(), From.end());
  auto Order = [](const LosingFunction::Return &R) {
    return std::tie(R.Text, R.Value);
  };
  llvm::sort(Into, [&](auto &A, auto &B) { return Order(A) < Order(B); });
  Into.erase(
      std::unique(Into.begin(), Into.end(),
                  [&](auto &A, auto &B) { return Order(A) == Order(B); }),
      Into.end());
}

static void joinProvenance(Provenance &Into, const Provenance &From) {
  joinSpans(Into.Expansions, From.Expansions);
}

static void joinValues(Evaluations &Into, const Evaluations &From) {
  Into.insert(Into.end(), From.begin(), From.end());
  llvm::sort(Into, [](const Evaluation &A, const Evaluation &B) {
    return std::tie(A.Configuration, A.Text, A.Unit) <
           std::tie(B.Configuration, B.Text, B.Unit);
  });
  Into.erase(std::unique(Into.begin(), Into.end()), Into.end());
}

/// What the same text stands for elsewhere: what differs is not known.
static void joinArguments(Argument &Into, const Argument &From) {
  joinValues(Into.Values, From.Values);
  joinValues(Into.Overwrites, From.Overwrites);
  auto Agree = [](auto &A, const auto &B) {
    if (A != B)
      A = {};
  };
  Agree(Into.Value, From.Value);
  Agree(Into.IsNull, From.IsNull);
  Agree(Into.IsString, From.IsString);
  Agree(Into.Var, From.Var);
  Agree(Into.VarName, From.VarName);
  Agree(Into.AddressOf, From.AddressOf);
  Into.SideEffects |= From.SideEffects;
  Into.Variables.insert(Into.Variables.end(), From.Variables.begin(),
                        From.Variables.end());
  llvm::sort(Into.Variables);
  Into.Variables.erase(
      std::unique(Into.Variables.begin(), Into.Variables.end()),
      Into.Variables.end());
}

static void joinNames(std::vector<std::string> &Into,
                      const std::vector<std::string> &From) {
  Into.insert(Into.end(), From.begin(), From.end());
  llvm::sort(Into);
  Into.erase(std::unique(Into.begin(), Into.end()), Into.end());
}

/// Whether two units see the same code around a creation or destruction.
static bool sameAround(const Site &A, const Site &B) {
  auto SameCheck = [](const NullCheck &X, const NullCheck &Y) {
    return std::tie(X.Kind, X.Statement, X.Test, X.OnlyTest, X.OnlyStatement,
                    X.HasElse, X.Label) == std::tie(Y.Kind, Y.Statement, Y.Test,
                                                    Y.OnlyTest, Y.OnlyStatement,
                                                    Y.HasElse, Y.Label);
  };
  return A.Statement == B.Statement && A.WholeStatement == B.WholeStatement &&
         A.InLoop == B.InLoop && A.AssignTo == B.AssignTo &&
         A.Cleared == B.Cleared && A.Retry.has_value() == B.Retry.has_value() &&
         (!A.Retry || (A.Retry->Statement == B.Retry->Statement &&
                       A.Retry->Understood == B.Retry->Understood &&
                       A.Retry->IfChanged == B.Retry->IfChanged)) &&
         std::equal(A.Checks.begin(), A.Checks.end(), B.Checks.begin(),
                    B.Checks.end(), SameCheck);
}

static void joinSites(Site &Into, const Site &From) {
  joinProvenance(Into.From, From.From);
  if (Into.Trouble.empty())
    Into.Trouble = From.Trouble;
  Into.NullChecked &= From.NullChecked;
  joinNames(Into.Units, From.Units);
  joinNames(Into.Locals, From.Locals);
  const bool Sets = isCreation(Into.Function) ||
                    Into.Function == Api::Zdestroy ||
                    Into.Function == Api::ObjcacheDestroy;
  const bool Same = Into.Function == From.Function &&
                    Into.Args.size() == From.Args.size() &&
                    (!Sets || sameAround(Into, From));
  if (!Same && Into.Trouble.empty())
    Into.Trouble = "the code around it is not the same in all units and "
                   "configurations";
  for (size_t I = 0; Same && I < Into.Args.size(); ++I)
    joinArguments(Into.Args[I], From.Args[I]);
}

/// Parameters and locals of inline functions get here once a unit, exactly
/// alike; what differs between units is only where macros were expanded.
static void joinDeclarations(Variable &V) {
  sortAndJoin(
      V.Declarations,
      [](const Declaration &A, const Declaration &B) {
        return A.Name < B.Name;
      },
      [](Declaration &A, const Declaration &B) {
        joinProvenance(A.From, B.From);
      });
}

void Facts::normalize() {
  sortAndJoin(
      Units, [](const Unit &A, const Unit &B) { return A.Path < B.Path; },
      [](Unit &A, const Unit &B) {
        // One that failed under one set of flags is not understood.
        auto Rank = [](const Unit &U) {
          return U.State == Unit::Failed ? 0 : U.State == Unit::Parsed ? 1 : 2;
        };
        if (Rank(B) < Rank(A)) {
          A = B;
        } else if (A.State == Unit::Parsed && A.Reads.empty()) {
          A.Reads = B.Reads;
        } else if (B.State == Unit::Parsed && !B.Reads.empty()) {
          // What it reads under every set of flags.
          std::vector<std::string> Both;
          std::set_intersection(A.Reads.begin(), A.Reads.end(), B.Reads.begin(),
                                B.Reads.end(), std::back_inserter(Both));
          A.Reads = std::move(Both);
        }
      });
  sortAndJoin(
      Files,
      [](const SourceFile &A, const SourceFile &B) { return A.Path < B.Path; },
      [](SourceFile &A, const SourceFile &B) {
        A.Parsed |= B.Parsed;
        if (A.Hash.empty())
          A.Hash = B.Hash;
        A.Includes.insert(A.Includes.end(), B.Includes.begin(),
                          B.Includes.end());
        if (A.Directives.empty())
          A.Directives = B.Directives;
      });
  for (SourceFile &F : Files)
    sortAndJoin(
        F.Includes,
        [](const Include &A, const Include &B) { return A.Line < B.Line; },
        [](Include &, const Include &) {});
  sortAndJoin(
      Variables,
      [](const Variable &A, const Variable &B) { return A.Key < B.Key; },
      [](Variable &A, const Variable &B) {
        A.Declarations.insert(A.Declarations.end(), B.Declarations.begin(),
                              B.Declarations.end());
        A.Members.insert(A.Members.end(), B.Members.begin(), B.Members.end());
        if (!A.Count) {
          A.Count = B.Count;
          A.CountText = B.CountText;
        }
      });
  for (Variable &V : Variables) {
    joinDeclarations(V);
    sortAndJoin(
        V.Members,
        [](const ArgsMember &A, const ArgsMember &B) {
          return std::tie(A.Text, A.Member) < std::tie(B.Text, B.Member);
        },
        [](ArgsMember &A, const ArgsMember &B) {
          joinValues(A.Values, B.Values);
          if (A.Value != B.Value)
            A.Value.reset();
          if (A.Var != B.Var)
            A.Var.clear();
        });
  }
  sortAndJoin(
      MallocDefines,
      [](const MallocDefine &A, const MallocDefine &B) {
        return std::tie(A.Call, A.Key) < std::tie(B.Call, B.Key);
      },
      [](MallocDefine &A, const MallocDefine &B) {
        joinProvenance(A.From, B.From);
      });
  sortAndJoin(
      Sites,
      [](const Site &A, const Site &B) {
        return std::tie(A.Name, A.Zone) < std::tie(B.Name, B.Zone);
      },
      joinSites);
  for (Site &S : Sites)
    sortAndJoin(S.Units, std::less<>(),
                [](std::string &, const std::string &) {});
  sortAndJoin(
      Sizes,
      [](const SizeText &A, const SizeText &B) {
        return std::tie(A.Key, A.Spelling, A.Definitions) <
               std::tie(B.Key, B.Spelling, B.Definitions);
      },
      [](SizeText &, const SizeText &) {});
  sortAndJoin(
      NamedSizes,
      [](const NamedSize &A, const NamedSize &B) {
        return std::tie(A.Name, A.Configuration, A.Text) <
               std::tie(B.Name, B.Configuration, B.Text);
      },
      [](NamedSize &A, const NamedSize &B) { joinNames(A.Units, B.Units); });
  sortAndJoin(
      Functions,
      [](const LosingFunction &A, const LosingFunction &B) {
        return std::tie(A.Definition, A.Name) < std::tie(B.Definition, B.Name);
      },
      [](LosingFunction &A, const LosingFunction &B) {
        joinSpans(A.Body, B.Body);
        joinSpans(A.Declarations, B.Declarations);
        joinSpans(A.Calls, B.Calls);
        joinSpans(A.Inits, B.Inits);
        joinSpans(A.Tests, B.Tests);
        joinReturns(A.Returns, B.Returns);
        A.Known &= B.Known;
      });
  // One that is not the same in all units is left alone.
  sortAndJoin(
      Labels,
      [](const Label &A, const Label &B) {
        return std::tie(A.InFunction, A.Name, A.Rest.File) <
               std::tie(B.InFunction, B.Name, B.Rest.File);
      },
      [](Label &A, const Label &B) {
        if (!(A.Rest == B.Rest) || A.Jumps != B.Jumps)
          A.Jumps.clear();
      });
  sortAndJoin(
      Uses,
      [](const Use &A, const Use &B) {
        return std::tie(A.Name, A.Var, A.What) <
               std::tie(B.Name, B.Var, B.What);
      },
      [](Use &A, const Use &B) {
        joinProvenance(A.From, B.From);
        joinValues(A.Values, B.Values);
        if (A.Value != B.Value)
          A.Value.reset();
        if (!(A.Statement == B.Statement))
          A.WholeStatement = false;
      });
  sortAndJoin(
      Statements,
      [](const Statement &A, const Statement &B) { return A.Text < B.Text; },
      [](Statement &A, const Statement &B) {
        A.Context = std::max(A.Context, B.Context);
      });
  sortAndJoin(
      ItemMemories,
      [](const ItemMemory &A, const ItemMemory &B) {
        return std::tie(A.Call, A.Var) < std::tie(B.Call, B.Var);
      },
      [](ItemMemory &A, const ItemMemory &B) {
        for (size_t I = 0; I < std::min(A.Args.size(), B.Args.size()); ++I)
          joinArguments(A.Args[I], B.Args[I]);
      });
  sortAndJoin(
      Mentions,
      [](const Mention &A, const Mention &B) {
        return std::tie(A.Text, A.Name, A.Var) <
               std::tie(B.Text, B.Name, B.Var);
      },
      // Whoever understood it, understood it.
      [](Mention &A, const Mention &B) {
        A.State = std::min(A.State, B.State);
      });
  sortAndJoin(
      Identifiers,
      [](const Taken &A, const Taken &B) { return A.Name < B.Name; },
      [](Taken &A, const Taken &B) {
        A.Files.insert(A.Files.end(), B.Files.begin(), B.Files.end());
      });
  for (Taken &T : Identifiers) {
    llvm::sort(T.Files);
    T.Files.erase(std::unique(T.Files.begin(), T.Files.end()), T.Files.end());
  }
}

template <class T>
static void append(std::vector<T> &To, std::vector<T> &From) {
  std::move(From.begin(), From.end(), std::back_inserter(To));
}

llvm::Expected<Facts> kmobj::mergeFacts(std::vector<Facts> Parts) {
  if (Parts.empty())
    return Facts();
  Facts All = std::move(Parts.front());
  for (Facts &P : llvm::drop_begin(Parts)) {
    if (P.Tree != All.Tree)
      return llvm::createStringError(
          llvm::inconvertibleErrorCode(),
          "the facts are about different trees: %s and %s", All.Tree.c_str(),
          P.Tree.c_str());
    append(All.Shards, P.Shards);
    append(All.Units, P.Units);
    append(All.Files, P.Files);
    append(All.Variables, P.Variables);
    append(All.MallocDefines, P.MallocDefines);
    append(All.Sites, P.Sites);
    append(All.Uses, P.Uses);
    append(All.Statements, P.Statements);
    append(All.ItemMemories, P.ItemMemories);
    append(All.Sizes, P.Sizes);
    append(All.NamedSizes, P.NamedSizes);
    append(All.Functions, P.Functions);
    append(All.Labels, P.Labels);
    append(All.Mentions, P.Mentions);
    append(All.Identifiers, P.Identifiers);
  }
  llvm::sort(All.Shards);
  All.Shards.erase(std::unique(All.Shards.begin(), All.Shards.end()),
                   All.Shards.end());
  // All of them are the whole, as if it had never been in parts.
  if (llvm::Error Missing = checkShards(All))
    llvm::consumeError(std::move(Missing));
  else
    All.Shards.clear();
  All.normalize();
  return All;
}

llvm::Error kmobj::checkShards(const Facts &F) {
  auto Fail = [](const std::string &Why) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), Why);
  };
  unsigned Count = 0;
  std::set<unsigned> Seen;
  for (const std::string &Shard : F.Shards) {
    const auto [Part, Of] = StringRef(Shard).split('/');
    unsigned I, N;
    if (Part.getAsInteger(10, I) || Of.getAsInteger(10, N) || I >= N)
      return Fail("'" + Shard + "' in the facts is no shard");
    if (Count && N != Count)
      return Fail("the facts mix shards of " + std::to_string(Count) +
                  " and of " + std::to_string(N));
    Count = N;
    Seen.insert(I);
  }
  std::string Missing;
  for (unsigned I = 0; I < Count; ++I)
    if (!Seen.count(I))
      Missing += (Missing.empty() ? "" : ", ") + std::to_string(I) + "/" +
                 std::to_string(Count);
  if (Missing.empty())
    return llvm::Error::success();
  return Fail("the facts are not whole, of their shards " + Missing +
              (Seen.size() + 1 == Count ? " is" : " are") +
              " missing: give the facts of every shard");
}
