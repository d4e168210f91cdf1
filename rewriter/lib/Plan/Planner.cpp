/* SPDX-License-Identifier: BSD-3-Clause */
//===- Planner.cpp - What zones and caches have in common -----------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace kmobj;
using llvm::StringRef;

FactsIndex::FactsIndex(const Facts &F) : F(F) {
  for (const Use &U : F.Uses) {
    const Variable *To = F.variable(U.Var);
    if (U.What == Role::StoreAssign && To && To->Kind == VarKind::ZoneStore)
      StoreOf.try_emplace(U.Var, U.Other);
  }
  for (const Variable &V : F.Variables)
    for (const Declaration &D : V.Declarations)
      if (!D.InitStore.empty())
        StoreOf.try_emplace(D.InitStore, V.Key);
  for (const Facts::Taken &T : F.Identifiers)
    Identifiers[T.Name] = &T.Files;
}

std::string FactsIndex::resolve(const std::string &Key) const {
  auto It = StoreOf.find(Key);
  return It == StoreOf.end() ? Key : It->second;
}

std::vector<std::string> FactsIndex::storesOf(const std::string &Zone) const {
  std::vector<std::string> Stores;
  for (const auto &[Store, Of] : StoreOf)
    if (Of == Zone)
      Stores.push_back(Store);
  return Stores;
}

bool FactsIndex::isTaken(const std::string &Name) const {
  return Identifiers.count(Name);
}

const std::vector<std::string> &
FactsIndex::filesNaming(const std::string &Name) const {
  static const std::vector<std::string> None;
  auto It = Identifiers.find(Name);
  return It == Identifiers.end() ? None : *It->second;
}

std::string FactsIndex::failure(const std::string &File) const {
  for (const Unit &U : F.Units)
    if (U.State == Unit::Failed &&
        (U.Path == File || llvm::is_contained(U.Reads, File)))
      return U.Path + " does not parse (" + U.FirstError + ")";
  return File + " does not parse";
}

const char *kmobj::stateText(Mention::StateTy State) {
  switch (State) {
  case Mention::Inactive:
    return "in code that no unit compiles";
  case Mention::Dropped:
    return "in an argument that its macro leaves out";
  case Mention::Unexpanded:
    return "in a macro that nothing expands";
  case Mention::NotInDatabase:
    return "in a file that no unit of the compile database reads";
  case Mention::DidNotParse:
    return "in a unit that does not parse";
  default:
    return "in a unit that was not parsed";
  }
}

std::string kmobj::upperCase(StringRef Text) {
  std::string Out;
  for (char C : Text)
    Out += llvm::isAlnum(C) ? llvm::toUpper(C) : '_';
  return Out;
}

std::string kmobj::typeName(StringRef ZoneName) {
  return "M_" + upperCase(ZoneName);
}

std::string
kmobj::freeName(const std::string &Wanted, const std::string &Suffix,
                const std::function<bool(const std::string &)> &Taken) {
  auto Free = [&](const std::string &Name) {
    return !Taken(Name) && !Taken(Name + "_obj");
  };
  if (Free(Wanted))
    return Wanted;
  std::string Name = Wanted + Suffix;
  for (unsigned N = 2; !Free(Name); ++N)
    Name = Wanted + Suffix + std::to_string(N);
  return Name;
}

Planner::Planner(const FactsIndex &Index, const PlanOptions &Options,
                 const Variable &V)
    : Index(Index), F(Index.F), Options(Options), V(V) {
  E.Key = V.Key;
  E.Variable = V.Name;
  E.IsZone = V.Kind != VarKind::Cache;
  E.Reserve = Options.Reserve;
  Keys = Index.storesOf(V.Key);
  Keys.insert(Keys.begin(), V.Key);
  for (const std::string &K : Keys) {
    llvm::append_range(Sites, F.sitesOf(K));
    llvm::append_range(Uses, F.usesOf(K));
  }
  llvm::sort(Sites, [](auto *A, auto *B) { return A->Name < B->Name; });
  llvm::sort(Uses, [](auto *A, auto *B) { return A->Name < B->Name; });
}

void Planner::refuse(const Span &Where, std::string Why) {
  for (const Remark &R : E.Reasons)
    if (R.Where == Where && R.Text == Why)
      return;
  E.Reasons.push_back({Where, std::move(Why)});
}

void Planner::note(const Span &Where, std::string What) {
  E.Notes.push_back({Where, std::move(What)});
}

Step &Planner::step(Action Do, const Span &At, StringRef Call,
                    const Span &Replace) {
  Step S;
  S.Do = Do;
  S.At = At.id();
  S.Call = Call.str();
  S.Replace = Replace;
  Covered.push_back(Replace);
  E.Steps.push_back(std::move(S));
  return E.Steps.back();
}

bool Planner::covers(const Span &S) const {
  return llvm::any_of(Covered, [&](const Span &C) { return C.contains(S); });
}

/// What the variable is and where it is defined.
void Planner::declaration() {
  for (const std::string &Key : Keys) {
    const Variable *Part = F.variable(Key);
    if (!Part)
      continue;
    const Declaration *Definition = nullptr;
    for (const Declaration &D : Part->Declarations) {
      bool IsField = Part->Scope == VarScope::Field;
      if (D.From.Kind == Provenance::Body || D.From.Kind == Provenance::Pasted)
        refuse(D.Name, Part->Name + " is declared in the body of macro " +
                           D.From.Macro);
      else if (!D.Statement && Part->Scope != VarScope::Parameter)
        refuse(D.Name, "the declaration of " + Part->Name +
                           " is laid out in a way that cannot be edited");
      if (Definition && D.Definition && !D.Extern)
        refuse(D.Name, Part->Name + " is defined more than once");
      if (IsField || (D.Definition && !D.Extern))
        Definition = &D;
      if (D.Init && !D.InitNull && D.InitStore.empty() && Key == V.Key)
        refuse(D.Init, Part->Name + " has an initialiser");
    }
    if (Key == V.Key)
      E.Where = Definition                   ? Definition->Name
                : Part->Declarations.empty() ? Span()
                                             : Part->Declarations.front().Name;
    if (!Definition)
      refuse(E.Where, "the definition of " + Part->Name +
                          " is in no unit that was read");
    E.Static = Definition && Definition->Static;
  }
  switch (V.Scope) {
  case VarScope::Parameter:
    refuse(E.Where, V.Name + " is a parameter: the callers' " +
                        (E.IsZone ? "zones" : "caches") + " are not known");
    break;
  case VarScope::Local:
  case VarScope::StaticLocal:
    refuse(E.Where, V.Name + " is a local variable");
    break;
  default:
    break;
  }
  if (V.IsArray || V.IsPointer)
    refuse(E.Where, V.Name + " is " +
                        (V.IsArray ? "an array" : "a pointer to") +
                        std::string(V.IsArray ? " of " : " ") +
                        (E.IsZone ? "zones" : "caches"));
}

/// Trouble that any site may have.
void Planner::commonSites() {
  std::map<Span, std::set<std::string>> Zones;
  for (const Site &S : F.Sites)
    Zones[S.Name].insert(Index.resolve(S.Zone));
  for (const Site *S : Sites) {
    if (!S->Trouble.empty())
      refuse(S->Name, S->Trouble);
    if (S->From.Kind != Provenance::Body)
      continue;
    std::string In = "the call is in the body of macro " + S->From.Macro;
    bool NamesZone = false;
    for (const Use *U : Uses)
      NamesZone |= U->What == Role::SiteZone && S->ZoneText.contains(U->Name);
    if (Zones[S->Name].size() > 1)
      refuse(S->Name, In + ", which is used for several zones or caches");
    else if (isCreation(S->Function))
      refuse(S->Name, In);
    else if (!NamesZone)
      refuse(S->Name, In + ", which gets the zone or cache as a parameter");
  }
}

bool Planner::creationExtent(const Site &S, Span &Replace,
                             std::vector<Span> &AlsoRemove) {
  bool Good = true;
  auto Bad = [&](const Span &Where, const char *Why) {
    refuse(Where, Why);
    Good = false;
  };
  Replace = S.WholeStatement ? S.Statement : Span();
  for (const NullCheck &C : S.Checks)
    if (C.Kind == NullCheck::Dead) {
      // What it jumps to may have no other way in.
      bool Jumps = StringRef(C.Body).contains("goto ");
      if (Jumps && (!isDynamic() || C.Test.contains(S.Call)))
        Bad(C.Statement, "the NULL check behind the creation jumps");
      else if (C.Test.contains(S.Call))
        Replace = C.Statement;
      else if (!Jumps)
        AlsoRemove.push_back(C.Statement);
    }
  if (!Replace)
    Bad(S.Name, "the creation is part of a larger expression");
  if (S.InLoop)
    Bad(S.Name, "the creation is in a loop");
  if (S.Retry) {
    if (!S.Retry->Understood)
      Bad(S.Retry->Statement,
          "the loop around the creation does more than try again with less");
    Replace = S.Retry->Statement;
    for (const Span &L : S.Retry->Later)
      note(L, S.Retry->Limit + " does not change any more: see whether what "
                               "depends on it can go");
  }
  for (const NullCheck &C : S.Checks)
    if (C.Kind == NullCheck::Guard) {
      if (!C.OnlyTest || !C.OnlyStatement || C.HasElse)
        Bad(C.Statement, "the condition that guards the creation guards more "
                         "than the creation");
      Replace = C.Statement;
    }
  llvm::append_range(Covered, AlsoRemove);
  return Good;
}

/// Alloc, free and destroy, alike for both kinds.
void Planner::releaseSteps(const Site &S) {
  auto Spelling = [&](unsigned I) {
    return I < S.Args.size() ? S.Args[I].Spelling : std::string();
  };
  switch (S.Function) {
  case Api::Zfree:
  case Api::ObjcachePut:
  case Api::ObjcacheDtor: {
    Step &St =
        step(S.Function == Api::ObjcacheDtor && E.Constructed ? Action::FreeDtor
                                                              : Action::Free,
             S.Name, apiName(S.Function), S.Call);
    St.Pointer = Spelling(1);
    St.ZoneText = Spelling(0);
    if (S.Args.size() > 1 && S.Args[1].SideEffects && S.Args[0].SideEffects)
      refuse(S.Name, "both arguments have side effects, and change places");
    break;
  }
  case Api::Zdestroy:
  case Api::ObjcacheDestroy:
    if (!S.WholeStatement || !S.Statement)
      refuse(S.Name, "the call is part of a larger expression");
    step(Action::Destroy, S.Name, apiName(S.Function), S.Statement).ZoneText =
        Spelling(0);
    break;
  default:
    break;
  }
}

/// Calls that only the text knows: in inactive code, and in macros which
/// nothing expands.
void Planner::textualSteps() {
  auto Concerns = [&](const Mention &M) {
    if (M.Name != V.Name || M.Kind != Mention::Variable)
      return false;
    auto SameFile = [&](const Span &S) { return S.File == M.Text.File; };
    return V.External ||
           llvm::any_of(V.Declarations,
                        [&](const auto &D) { return SameFile(D.Name); }) ||
           (V.Scope == VarScope::Field &&
            llvm::any_of(Uses, [&](const Use *U) { return SameFile(U->Name); }));
  };
  auto CallAround = [&](const Mention &M) -> const Mention * {
    for (const Mention &C : F.Mentions)
      if (C.Kind == Mention::Function && C.State == M.State &&
          !C.Args.empty() && C.Args[0] == M.Text)
        return &C;
    return nullptr;
  };
  for (const Mention &M : F.Mentions) {
    if (!Concerns(M))
      continue;
    switch (M.State) {
    case Mention::Understood:
    case Mention::OtherName:
    case Mention::ApiItself:
      continue;
    case Mention::NotInDatabase:
      refuse(M.Text, "names " + V.Name +
                         ", but no unit of the compile database reads it");
      continue;
    case Mention::Skipped:
      refuse(M.Text, "names " + V.Name + ", but the unit was not parsed");
      continue;
    case Mention::DidNotParse:
      refuse(M.Text, Index.failure(M.Text.File));
      continue;
    case Mention::Inactive:
    case Mention::Dropped:
    case Mention::Unexpanded:
      break;
    }
    const char *Where = stateText(M.State);
    if (M.Statement && !isDynamic()) {
      Step &St = step(Action::Remove, M.Text, V.Name, M.Statement);
      St.Textual = true;
      St.Notes.push_back(
          {M.Text, std::string("changed by its spelling, ") + Where});
      continue;
    }
    const Mention *Call = CallAround(M);
    std::optional<Api> A = Call ? apiByName(Call->Name) : std::nullopt;
    bool Plain =
        A && (isAllocation(*A) || *A == Api::Zfree || *A == Api::ObjcachePut);
    size_t Wanted = A == Api::Zalloc ? 1 : 2;
    if (!Plain || Call->Args.size() != Wanted) {
      refuse(M.Text, "names " + V.Name + " " + Where);
      continue;
    }
    Step &St = step(isAllocation(*A) ? Action::Alloc : Action::Free, Call->Text,
                    Call->Name, Call->Call);
    St.Textual = true;
    St.ZoneText = Call->ArgTexts[0];
    if (isAllocation(*A))
      St.Flags = flagsFor(Call->ArgTexts);
    else
      St.Pointer = Call->ArgTexts[1];
    St.Notes.push_back(
        {Call->Text, std::string("changed by its spelling, ") + Where});
    Textual.insert(Call->Text.id());
  }
  // A member's name alone says nothing, a call on it does.
  if (V.Scope == VarScope::Field)
    for (const Mention &M : F.Mentions)
      if (M.Kind == Mention::Function && M.State > Mention::ApiItself &&
          !M.ArgTexts.empty() &&
          (StringRef(M.ArgTexts[0]).ends_with("->" + V.Name) ||
           StringRef(M.ArgTexts[0]).ends_with("." + V.Name)))
        refuse(M.Text, M.Name + "(" + M.ArgTexts[0] +
                           ") is in code that was not parsed");
}

/// The rule at the head of Planner.h.
void Planner::uncovered() {
  for (const Use *U : Uses) {
    switch (U->What) {
    case Role::SiteZone:
    case Role::CreateTarget:
    case Role::StoreAssign:
    case Role::FlagsOr:
      // A statement that has a reason already needs no second one for having no
      // step.
      if (!covers(U->Name) && !llvm::any_of(E.Reasons, [&](const Remark &R) {
            return U->Statement && U->Statement.contains(R.Where);
          }))
        refuse(U->Name, "this use of " + V.Name + " has no conversion");
      continue;
    case Role::NullTest:
      if (covers(U->Name))
        continue;
      if (isDynamic() && U->From.Kind != Provenance::Body)
        step(Action::TestNull, U->Name, V.Name, U->Expr);
      else
        refuse(U->Name, V.Name + " is compared with NULL");
      continue;
    case Role::NullAssign:
      if (covers(U->Name))
        continue;
      if (isDynamic() && U->From.Kind != Provenance::Body)
        step(Action::AssignNull, U->Name, V.Name, U->Expr);
      else
        refuse(U->Name, V.Name + " is set to NULL");
      continue;
    case Role::SiteArgument:
      refuse(U->Name, V.Name + " is an argument of " + U->Other + "()");
      continue;
    default:
      refuse(U->Name, U->Detail.empty() ? V.Name + " is used in another way"
                                        : V.Name + ": " + U->Detail);
    }
  }
}

PlanEntry Planner::plan() {
  declaration();
  commonSites();
  decide();
  textualSteps();
  uncovered();
  llvm::stable_sort(E.Steps, [](const Step &A, const Step &B) {
    return A.Replace < B.Replace;
  });
  llvm::stable_sort(E.Reasons, [](const Remark &A, const Remark &B) {
    return A.Where < B.Where;
  });
  llvm::stable_sort(E.Notes, [](const Remark &A, const Remark &B) {
    return A.Where < B.Where;
  });
  E.Convert = E.Convertible = E.Reasons.empty();
  E.Sites = Sites.size() + Textual.size();
  return std::move(E);
}
