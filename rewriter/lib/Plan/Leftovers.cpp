/* SPDX-License-Identifier: BSD-3-Clause */
//===- Leftovers.cpp - What nothing needs after the conversion ------------===//
//
// Steps take statements away. What those alone had a use for goes with them: a
// static function of whose body nothing is left, with its calls; a label that
// nothing jumps to any more; a local that is given values and not looked at; an
// objcache_malloc_args that several caches had. It goes when all of the zones
// and caches are converted whose steps it depends on.
//
// All that there is of such a thing must be in the facts. Where a directive
// stands inside, it stays.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"

using namespace kmobj;
using llvm::StringRef;

namespace {

class Leftovers {
public:
  Leftovers(Plan &P, const FactsIndex &Index) : P(P), F(Index.F) {}

  void run() {
    arguments();
    labels();
    functions();
    locals();
    returns();
  }

private:
  Plan &P;
  const Facts &F;

  /// Text that goes, with whom, and what of it the text in its place says
  /// again.
  struct Going {
    Span Text;
    std::vector<std::string> Of;
    std::vector<Span> Again;
  };
  std::vector<Going> going() const;
  std::vector<Going> replaced() const;
  bool canGo(const Span &S) const {
    return S.valid() && !F.directiveIn(S) && !F.directiveAt(S.File, S.Begin);
  }
  bool isStatement(const Span &S) const { return canGo(S) && F.statement(S); }
  void add(Leftover L);
  void arguments();
  void labels();
  void functions();
  void locals();
  void returns();
};

} // namespace

void Leftovers::add(Leftover L) {
  llvm::sort(L.Of);
  L.Of.erase(std::unique(L.Of.begin(), L.Of.end()), L.Of.end());
  P.Leftovers.push_back(std::move(L));
}

/// Does the step leave nothing in its place?
static bool leavesNothing(const PlanEntry &E, const Step &S) {
  return S.Do == Action::Remove || (S.Do == Action::Destroy && !E.Constructed &&
                                    E.Form != TypeForm::Dynamic);
}

std::vector<Leftovers::Going> Leftovers::going() const {
  std::vector<Going> All;
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convertible)
      continue;
    for (const Step &S : E.Steps) {
      if (leavesNothing(E, S))
        All.push_back({S.Replace, {E.Key}, {}});
      for (const Span &Dead : S.AlsoRemove)
        All.push_back({Dead, {E.Key}, {}});
    }
  }
  for (const Leftover &L : P.Leftovers)
    for (const auto *List : {&L.Statements, &L.Text})
      for (const Span &S : *List)
        All.push_back({S, L.Of, {}});
  return All;
}

/// The loops around creations, of which a creation is left.
std::vector<Leftovers::Going> Leftovers::replaced() const {
  std::vector<Going> All;
  for (const PlanEntry &E : P.Entries)
    for (const Step &S : E.Steps) {
      const Site *Made =
          E.Convertible && S.Do == Action::Create ? F.siteAt(S.At) : nullptr;
      if (!Made || !Made->Retry)
        continue;
      Going G{Made->Retry->Statement, {E.Key}, {}};
      for (const Use *U : F.usesOf(E.Key))
        if (U->What == Role::CreateTarget && E.Form == TypeForm::Dynamic)
          G.Again.push_back(U->Expr);
      for (const Argument &A : Made->Args)
        if (A.Spelling == S.Objects)
          G.Again.push_back(A.Text);
      All.push_back(std::move(G));
    }
  return All;
}

/// Arguments that several caches are created with, which have nothing else.
void Leftovers::arguments() {
  for (const Variable &V : F.Variables) {
    if (V.Kind != VarKind::CacheArgs ||
        llvm::any_of(P.Entries,
                     [&](auto &E) { return E.ArgsVariable == V.Key; }) ||
        llvm::any_of(P.Leftovers, [&](auto &L) {
          return llvm::is_contained(L.Variables, V.Key);
        }))
      continue;
    Leftover L;
    L.What = V.Name + ", which they were created with";
    bool Known = !llvm::any_of(F.Mentions, [&](const Mention &M) {
      return M.Kind == Mention::Variable && M.Name == V.Name &&
             M.State > Mention::ApiItself;
    });
    for (const Use *U : F.usesOf(V.Key)) {
      if (U->What == Role::Member)
        continue;
      const auto Made = llvm::find_if(F.Sites, [&](const Site &S) {
        return isCreation(S.Function) && S.Call.contains(U->Name);
      });
      const PlanEntry *E =
          Made == F.Sites.end() ? nullptr : P.entry(Made->Zone);
      if (E && E->Convertible)
        L.Of.push_back(E->Key);
      else
        Known = false;
    }
    for (const Declaration &D : V.Declarations)
      Known &= canGo(D.Statement) && D.From.Kind == Provenance::Plain;
    for (const ArgsMember &M : V.Members)
      if (M.Statement) {
        Known &= isStatement(M.Statement);
        L.Statements.push_back(M.Statement);
      }
    L.Variables.push_back(V.Key);
    if (Known && !L.Of.empty())
      add(std::move(L));
  }
}

/// `if (z == NULL) goto fail;', when creating z cannot fail, and what is at
/// fail, when nothing else jumps there.
void Leftovers::labels() {
  for (const Label &Lb : F.Labels) {
    Leftover L;
    L.What = "label " + Lb.Name + " of " + Lb.InFunction + "()";
    size_t Known = 0;
    for (const Site &S : F.Sites) {
      const PlanEntry *E = isCreation(S.Function) ? P.entry(S.Zone) : nullptr;
      if (!E || !E->Convertible)
        continue;
      for (const NullCheck &C : S.Checks)
        if (C.Kind == NullCheck::Dead && C.Label == Lb.Name &&
            !C.Test.contains(S.Call))
          for (const Span &Jump : Lb.Jumps)
            if (C.Statement.contains(Jump) && isStatement(C.Statement)) {
              ++Known;
              L.Of.push_back(E->Key);
              L.Statements.push_back(C.Statement);
            }
    }
    if (Known == 0 || Known != Lb.Jumps.size() || !canGo(Lb.Rest))
      continue;
    L.Statements.push_back(Lb.Rest);
    for (PlanEntry &E : P.Entries)
      llvm::erase_if(E.Notes, [&](const Remark &R) {
        return llvm::is_contained(L.Statements, R.Where);
      });
    add(std::move(L));
  }
}

/// Functions of which nothing is left.
void Leftovers::functions() {
  std::set<const LosingFunction *> Gone;
  for (bool More = true; std::exchange(More, false);)
    for (const LosingFunction &Fn : F.Functions) {
      if ((!Fn.Known && !Fn.External) || Fn.Body.empty() ||
          !canGo(Fn.Definition) || Gone.count(&Fn))
        continue;
      // In another configuration a call may be part of something else.
      if (llvm::any_of(Fn.Tests, [&](const Span &Test) {
            return llvm::any_of(Fn.Calls, [&](const Span &Call) {
              return Call.contains(Test);
            });
          }))
        continue;
      const std::vector<Going> All = going();
      Leftover L;
      L.What = Fn.Name + "(), which did nothing else";
      bool Empty = true;
      for (const Span &S : Fn.Body) {
        const auto It = llvm::find_if(
            All, [&](const Going &G) { return G.Text.contains(S); });
        Empty &= S.valid() && It != All.end();
        if (It != All.end())
          llvm::append_range(L.Of, It->Of);
      }
      for (const Span &S : Fn.Calls)
        Empty &= isStatement(S);
      for (const auto *List : {&Fn.Declarations, &Fn.Inits})
        for (const Span &S : *List)
          Empty &= canGo(S);
      if (!Empty)
        continue;
      if (Fn.External) {
        Gone.insert(&Fn);
        for (PlanEntry &E : P.Entries)
          if (llvm::is_contained(L.Of, E.Key))
            E.Notes.push_back({Fn.Definition, Fn.Name +
                                                  "() does nothing any more: "
                                                  "see whether it can go, "
                                                  "with its calls"});
        continue;
      }
      L.Statements = Fn.Calls;
      L.Text.push_back(Fn.Definition);
      llvm::append_range(L.Text, Fn.Declarations);
      llvm::append_range(L.Text, Fn.Inits);
      Gone.insert(&Fn);
      add(std::move(L));
      More = true;
    }
}

/// Who tests what a function returns that cannot fail any more, to be looked
/// at.
void Leftovers::returns() {
  const std::vector<Going> All = going();
  for (const LosingFunction &Fn : F.Functions) {
    std::set<std::string> Gone, Left, Of;
    for (const LosingFunction::Return &R : Fn.Returns) {
      const auto By = llvm::find_if(
          All, [&](const Going &G) { return G.Text.contains(R.Text); });
      if (By != All.end())
        Of.insert(By->Of.begin(), By->Of.end());
      (By == All.end() ? Left : Gone).insert(R.Value);
    }
    if (Left.size() != 1 || Left.begin()->empty() || Gone.empty() ||
        Gone == Left)
      continue;
    for (PlanEntry &E : P.Entries)
      if (Of.count(E.Key))
        for (const Span &Test : Fn.Tests)
          E.Notes.push_back({Test, "this looks at what " + Fn.Name +
                                       "() returns, which is always " +
                                       *Left.begin() + " now"});
  }
}

/// Locals of a function that nothing looks at any more.
void Leftovers::locals() {
  std::map<std::string, std::vector<const Variable *>> ByFunction;
  for (const Variable &V : F.Variables)
    if (V.Kind == VarKind::Plain && V.Declarations.size() == 1)
      ByFunction[V.Declarations.front().Function.id()].push_back(&V);
  std::vector<Going> All = going();
  llvm::append_range(All, replaced());
  auto WhoseIs = [&](const Span &S) -> const Going * {
    const auto It = llvm::find_if(All, [&](const Going &G) {
      return G.Text.contains(S) && llvm::none_of(G.Again, [&](const Span &A) {
               return A.contains(S);
             });
    });
    return It == All.end() ? nullptr : &*It;
  };
  for (const auto &[Id, Of] : ByFunction) {
    if (F.directiveIn(Of.front()->Declarations.front().Function))
      continue; // what it hides may look at them
    // All that are not looked at, where Gone or not.
    auto Dead = [&](bool Converted) {
      std::set<const Variable *> Set(Of.begin(), Of.end());
      for (bool More = true; std::exchange(More, false);)
        for (auto It = Set.begin(); It != Set.end();) {
          const bool Stays =
              llvm::any_of(F.usesOf((*It)->Key), [&](const Use *U) {
                if (Converted && WhoseIs(U->Name))
                  return false;
                if (!U->WholeStatement || !isStatement(U->Statement))
                  return true;
                return llvm::any_of(F.Uses, [&](const Use &T) {
                  return T.What == Role::Set && T.Statement == U->Statement &&
                         llvm::none_of(Set, [&](const Variable *V) {
                           return V->Key == T.Var;
                         });
                });
              });
          const Declaration &D = (*It)->Declarations.front();
          // One in a block that goes goes with it.
          if (Stays || !canGo(D.Statement) || WhoseIs(D.Statement) ||
              D.From.Kind != Provenance::Plain) {
            It = Set.erase(It);
            More = true;
          } else {
            ++It;
          }
        }
      return Set;
    };
    const std::set<const Variable *> Before = Dead(false);
    std::set<const Variable *> After = Dead(true);
    for (const Variable *V : Before)
      After.erase(V);
    if (After.empty())
      continue;
    Leftover L;
    std::vector<std::string> Names;
    for (const Variable *V : After) {
      Names.push_back(V->Name);
      L.Variables.push_back(V->Key);
      for (const Use *U : F.usesOf(V->Key))
        if (const Going *G = WhoseIs(U->Name))
          llvm::append_range(L.Of, G->Of);
        else if (!llvm::is_contained(L.Statements, U->Statement))
          L.Statements.push_back(U->Statement);
    }
    llvm::sort(Names);
    for (const std::string &Name : Names)
      L.What += (L.What.empty() ? "" : ", ") + Name;
    L.What += ", which nothing looks at any more";
    if (!L.Of.empty())
      add(std::move(L));
  }
}

void kmobj::findLeftovers(Plan &P, const FactsIndex &Index) {
  Leftovers(P, Index).run();
}
