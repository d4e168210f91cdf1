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
  for (const Site &S : F.Sites)
    Sharers[S.Name].insert(resolve(S.Zone));
  findCompanions();
}

bool FactsIndex::isCarrier(const std::string &Key) const {
  const Variable *V = F.variable(Key);
  return V && (V->Kind == VarKind::Zone || V->Kind == VarKind::Cache) &&
         (V->Scope == VarScope::Local || V->Scope == VarScope::Parameter);
}

void FactsIndex::findCompanions() {
  std::map<std::string, std::set<std::string>> Next;
  auto Join = [&](const std::string &A, const std::string &B) {
    if (A == B || A.empty() || B.empty())
      return;
    Next[A].insert(B);
    Next[B].insert(A);
  };
  for (const Use &U : F.Uses)
    if (U.What == Role::Carried)
      Join(resolve(U.Var), U.Other);
  for (const Site &S : F.Sites)
    if (!S.ZoneParameter.empty() && !S.Zone.empty())
      for (const std::string &Other : sharers(S))
        Join(resolve(S.Zone), Other);
  std::map<Span, std::string> AtBody;
  for (const Variable &V : F.Variables)
    for (const Declaration &D : V.Declarations)
      if (D.InBody)
        Join(AtBody.try_emplace(D.InBody, V.Key).first->second, V.Key);
  std::set<std::string> Seen;
  for (const auto &[Key, Neighbours] : Next) {
    std::vector<std::string> All, Open{Key};
    while (!Open.empty()) {
      std::string At = std::move(Open.back());
      Open.pop_back();
      if (!Seen.insert(At).second)
        continue;
      for (const std::string &N : Next[At])
        Open.push_back(N);
      All.push_back(std::move(At));
    }
    llvm::sort(All);
    for (const std::string &K : All)
      Companions[K] = All;
  }
}

const std::vector<std::string> &
FactsIndex::companions(const std::string &Key) const {
  static const std::vector<std::string> None;
  auto It = Companions.find(Key);
  return It == Companions.end() ? None : It->second;
}

std::string FactsIndex::leader(const std::string &Key) const {
  for (const std::string &K : companions(Key))
    if (!isCarrier(K))
      return K;
  return {};
}

const std::set<std::string> &FactsIndex::sharers(const Site &S) const {
  return Sharers.at(S.Name);
}

std::string FactsIndex::owner(const Site &S) const {
  const std::set<std::string> &All = sharers(S);
  for (const std::string &K : All)
    if (!isCarrier(K))
      return K;
  std::string Leader = leader(*All.begin());
  return Leader.empty() ? *All.begin() : Leader;
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
  E.Group = Index.leader(V.Key);
  Leads = E.Group.empty() || E.Group == V.Key;
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

Step &Planner::allocation(const Span &At, StringRef Call, const Span &Replace,
                          const std::string &Zone,
                          const std::vector<std::string> &Args) {
  Step &S = step(Action::Alloc, At, Call, Replace);
  S.ZoneText = Zone;
  S.Flags = flagsFor(Args);
  // What the macro that declares it calls the size is not known elsewhere.
  if (E.InPool)
    S.Size = E.Type + "_obj->ks_objsize";
  return S;
}

Step &Planner::allocation(const Site &S) {
  std::vector<std::string> Args;
  for (const Argument &A : S.Args)
    Args.push_back(A.Spelling);
  return allocation(S.Name, apiName(S.Function), S.Call, S.ZoneSpelling, Args);
}

bool Planner::covers(const Span &S) const {
  return llvm::any_of(Covered, [&](const Span &C) { return C.contains(S); });
}

/// D's statement declares what is neither zone nor cache.
static bool declaresOthers(const Facts &F, const Declaration &D) {
  unsigned Known = 0;
  if (D.Declarators > 1)
    for (const Variable &V : F.Variables)
      Known += V.Kind != VarKind::Plain &&
               llvm::any_of(V.Declarations, [&](const Declaration &Other) {
                 return Other.Statement == D.Statement;
               });
  return D.Declarators > 1 && Known < D.Declarators;
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
      if (D.From.Kind == Provenance::Pasted)
        refuse(D.From.Expansions.empty() ? D.Name : D.From.Expansions.front(),
               "the name of " + Part->Name + " is pasted together by a macro");
      else if (D.From.Kind == Provenance::Body)
        refuse(D.Name, Part->Name + " is declared in the body of macro " +
                           D.From.Macro);
      else if (!D.Statement && Part->Scope != VarScope::Parameter && !D.InBody)
        refuse(D.Name, "the declaration of " + Part->Name +
                           " is laid out in a way that cannot be edited");
      else if (!D.InBody && declaresOthers(F, D))
        refuse(D.Name, Part->Name + " is declared together with other "
                                    "variables; declare it by itself first");
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

/// A name that the text has, and a block around S declares: it means something
/// else there.
std::string Planner::shadowed(StringRef Text, const Site &S) {
  auto IsName = [](char C) { return llvm::isAlnum(C) || C == '_'; };
  while (!(Text = Text.drop_until(IsName)).empty()) {
    const std::string Name = Text.take_while(IsName).str();
    if (llvm::is_contained(S.Locals, Name))
      return Name;
    Text = Text.drop_front(Name.size());
  }
  return {};
}

/// An allocation names the size: that must be the same there, in what each name
/// of it stands for.
void Planner::sizeSame(const Site &S) {
  std::set<std::string> Made; // units that create
  for (const Site *C : Sites)
    if (isCreation(C->Function))
      Made.insert(C->Units.begin(), C->Units.end());
  for (const SizeText &Size : F.Sizes) {
    if (!SizeKeys.count(Size.Key))
      continue;
    for (const std::string &Name : Size.Names) {
      if (llvm::is_contained(S.Locals, Name))
        return refuse(S.Name, "its size is written as " + Size.Spelling +
                                  ", and " + Name +
                                  " is something else here: " + S.InFunction +
                                  "() declares it");
      for (const NamedSize &Here : F.NamedSizes)
        for (const NamedSize &There : F.NamedSizes)
          if (Here.Name == Name && There.Name == Name &&
              Here.Configuration == There.Configuration &&
              Here.Text != There.Text)
            for (const std::string &U : S.Units)
              for (const std::string &C : There.Units)
                if (Made.count(C) && llvm::is_contained(Here.Units, U))
                  return refuse(S.Name, "its size is written as " +
                                            Size.Spelling + ", and " + Name +
                                            " is " + Here.Text + " in " + U +
                                            " and " + There.Text + " in " + C +
                                            ", where it is created");
    }
  }
}

/// An allocation names the size: its unit must read what that is made of.
void Planner::sizeKnown(const Site &S) {
  sizeSame(S);
  for (const std::string &Path : S.Units) {
    const Unit *U = F.unit(Path);
    if (!U || U->State != Unit::Parsed)
      continue;
    for (const SizeText &Size : F.Sizes)
      if (SizeKeys.count(Size.Key))
        for (const Span &D : Size.Definitions)
          if (!std::binary_search(U->Reads.begin(), U->Reads.end(), D.File))
            return refuse(S.Name, Size.Spelling + " is not known here: " +
                                      "this unit does not read " + D.File);
  }
}

/// And so does the definition of the type.
void Planner::sizeKnownAt(const Span &Defined, const Site &Created) {
  for (const SizeText &Size : F.Sizes)
    if (SizeKeys.count(Size.Key))
      for (const Span &D : Size.Definitions)
        if (!F.includes(Defined.File, D.File))
          return refuse(Created.Name, Size.Spelling + " is not known at " +
                                          Defined.lineRef() +
                                          ", where the type would be defined: "
                                          "this file does not read " +
                                          D.File);
}

bool Planner::addSize(const Span &Where, const Evaluations &Of) {
  for (const Evaluation &New : Of) {
    int64_t Number = 0;
    if (StringRef(New.Text).getAsInteger(10, Number)) {
      refuse(Where, "the size of an object is not a constant");
      return false;
    }
    if (Number <= 0) {
      refuse(Where, "the size of an object is not positive");
      return false;
    }
    for (const Evaluation &Old : E.Sizes)
      if (Old.Configuration == New.Configuration && Old.Text != New.Text) {
        const auto [First, Second] = origins(Old, New);
        refuse(Where, "the size of an object is " + Old.Text + " in " + First +
                          " and " + New.Text + " in " + Second);
        return false;
      }
    if (!llvm::is_contained(E.Sizes, New))
      E.Sizes.push_back(New);
    E.Size = std::max<uint64_t>(E.Size, Number);
  }
  llvm::sort(E.Sizes);
  return true;
}

/// Trouble that any site may have.
void Planner::commonSites() {
  for (const Site *S : Sites) {
    SizeKeys.insert(S->Zone);
    if (S->Function == Api::ObjcacheCreate && S->Args.size() == 9)
      SizeKeys.insert(S->Args[8].Var);
  }
  for (const Site *S : Sites) {
    if (!S->Trouble.empty())
      refuse(S->Name, S->Trouble);
    else if (isAllocation(S->Function) && !isShared(*S))
      sizeKnown(*S);
    if (S->From.Kind != Provenance::Body && Index.sharers(*S).size() > 1)
      refuse(S->Name, "the call is about several zones or caches, which of "
                      "them depends on the configuration");
    if (S->From.Kind != Provenance::Body)
      continue;
    bool Movable = isAllocation(S->Function) || S->Function == Api::Zfree ||
                   S->Function == Api::ObjcachePut ||
                   S->Function == Api::ObjcacheDtor;
    if (isShared(*S) && S->ParameterAlone && Movable)
      continue;
    if (isCreation(S->Function) && V.Declarations.size() == 1 &&
        V.Declarations.front().InBody &&
        V.Declarations.front().BodyMacro == S->From.Macro)
      continue;
    std::string In = "the call is in the body of macro " + S->From.Macro;
    bool NamesZone = false;
    for (const Use *U : Uses)
      NamesZone |= U->What == Role::SiteZone && S->ZoneText.contains(U->Name);
    if (Index.sharers(*S).size() > 1)
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
      if (Jumps && isDynamic())
        note(C.Statement, "creating the type cannot fail: see whether this "
                          "test can go");
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
    llvm::append_range(AlsoRemove, S.Retry->IfChanged);
    for (const Span &L : S.Retry->Later)
      note(L, S.Retry->Limit + " does not change any more: see whether what "
                               "depends on it can go");
  }
  for (const NullCheck &C : S.Checks)
    // A type that is made at run time is made once, too: its guard stays.
    if (C.Kind == NullCheck::Guard && !isDynamic()) {
      if (!C.OnlyTest || !C.OnlyStatement || C.HasElse)
        Bad(C.Statement, "the condition that guards the creation guards more "
                         "than the creation");
      Replace = C.Statement;
    }
  llvm::erase_if(AlsoRemove,
                 [&](const Span &Check) { return Replace.contains(Check); });
  llvm::append_range(Covered, AlsoRemove);
  return Good;
}

const NullCheck *Planner::guardOf(const Site &S) {
  for (const NullCheck &C : S.Checks)
    if (C.Kind == NullCheck::Guard && C.OnlyTest && C.OnlyStatement &&
        !C.HasElse && C.Statement)
      return &C;
  return nullptr;
}

/// Does the code ask whether it is there, other than around its creation and
/// destruction?
bool Planner::isAskedFor() const {
  std::vector<Span> Goes;
  for (const Site *S : Sites) {
    if (S->Cleared)
      Goes.push_back(S->Cleared);
    for (const NullCheck &C : S->Checks)
      if (C.Kind != NullCheck::Other)
        Goes.push_back(C.Statement);
    if (S->Retry)
      Goes.push_back(S->Retry->Statement);
  }
  return llvm::any_of(Uses, [&](const Use *U) {
    bool Asks = U->What == Role::NullTest || U->What == Role::NullAssign;
    return Asks && !U->Assertion && llvm::none_of(Goes, [&](const Span &S) {
             return S.contains(U->Name);
           });
  });
}

/// What an object takes of a slab, where that is far from what it needs.
void Planner::slabUse() {
  if (E.Size == 0 || E.Size > largestObject() ||
      (E.Constructed && isLargeObject(E.Size))) // those come from kmalloc()
    return;
  const uint64_t Count = SlabRoom / bytesInSlab(E.Size);
  const uint64_t Unused = SlabRoom % bytesInSlab(E.Size);
  if (Unused >= SlabBytes / 5)
    note(E.Where, "a slab holds " + std::to_string(Count) + " of " +
                      std::to_string(E.Size) + " bytes and leaves " +
                      std::to_string(Unused >> 10) + " KiB of 128 unused");
}

/// What a macro declares has a type by its own name, which the macros of its
/// group can make from that: `M_##p'. Not if others meet it there.
bool Planner::isPasted() const {
  return E.InPool &&
         llvm::all_of(Index.companions(V.Key), [&](const std::string &Key) {
           const Variable *Other = F.variable(Key);
           return Index.isCarrier(Key) ||
                  (Other && Other->Declarations.size() == 1 &&
                   Other->Declarations.front().InBody);
         });
}

/// A macro gets the name of the type, and pastes what it needs onto it.
void Planner::nameInBody(Step &St, const Site &S) {
  if (!isShared(S))
    return;
  St.Carried = true;
  St.ZoneText = (isPasted() ? "M_##" : "") + S.ZoneParameter;
  St.Size = St.ZoneText + "##_obj->ks_objsize";
  if (!owns(S))
    E.Steps.pop_back(); // the first that shares it has it
}

/// Where the zone is a value or a macro's argument, its type is.
void Planner::valueUses() {
  for (const Use *U : Uses) {
    if (covers(U->Name))
      continue;
    bool ForMacro = false;
    if (U->What == Role::SiteZone && U->From.Kind == Provenance::Argument)
      for (const Site *S : Sites)
        ForMacro |= isShared(*S) &&
                    llvm::any_of(U->From.Expansions, [&](const Span &X) {
                      return llvm::is_contained(S->From.Expansions, X);
                    });
    if (ForMacro && isPasted()) {
      Covered.push_back(U->Name);
    } else if (ForMacro) {
      step(Action::Name, U->Name, V.Name, U->Name).Bare = true;
    } else if (U->What == Role::Carried && U->From.Kind != Provenance::Body &&
               U->Var == V.Key) {
      step(Action::Name, U->Name, V.Name, U->Name);
    }
  }
}

/// KASSERT(z != NULL, ..): a static type is there.
void Planner::assertions() {
  for (const Use *U : Uses) {
    if (U->Assertion && !covers(U->Name) && !isDynamic())
      step(Action::Remove, U->Name, V.Name, U->Assertion);
  }
}

void Planner::carrierSite(const Variable &C, const Site &S) {
  if (!S.Trouble.empty())
    return refuse(S.Name, S.Trouble);
  if (S.From.Kind == Provenance::Body)
    return refuse(S.Name, "the call is in the body of macro " + S.From.Macro);
  if (S.Function == Api::ObjcacheReclaimlist) {
    if (S.Args.size() > 2 && S.Args[2].SideEffects)
      return refuse(S.Name, "objcache_reclaimlist()'s flags, which go, have "
                            "side effects");
    step(Action::Reclaim, S.Name, apiName(S.Function), S.Name);
    return;
  }
  bool Frees = S.Function == Api::Zfree || S.Function == Api::ObjcachePut ||
               S.Function == Api::ObjcacheDtor;
  if (S.ZoneSpelling != C.Name)
    return refuse(S.Name, S.ZoneSpelling + " is not a plain name");
  if (C.IsArray || (!Frees && !isAllocation(S.Function)))
    return refuse(S.Name, std::string(apiName(S.Function)) + "() of " + C.Name +
                              ", which stands for several");
  if (Frees) {
    releaseSteps(S);
  } else {
    allocation(S).Size = C.Name + "_obj->ks_objsize";
  }
  E.Steps.back().Carried = true;
}

void Planner::carrierUse(const Variable &C, const Use &U) {
  if (U.From.Kind == Provenance::Body)
    return refuse(U.Name, C.Name + " is named in the body of a macro");
  switch (U.What) {
  case Role::SiteZone:
    if (C.IsArray || covers(U.Name))
      return;
    break;
  case Role::Carried:
  case Role::CarrierSet:
  case Role::NullAssign:
  case Role::SizeOf: {
    if (C.IsArray)
      return;
    Step &St = step(Action::Rewrite, U.Name, C.Name, U.Name);
    St.Text = C.Name + "_obj";
    return;
  }
  case Role::NullTest:
    return refuse(U.Name, C.Name + " is compared with NULL");
  default:
    break;
  }
  refuse(U.Name, U.Detail.empty() ? C.Name + " is used in another way"
                                  : C.Name + ": " + U.Detail);
}

/// Locals and parameters that zones of this group go through.
void Planner::carriers() {
  for (const std::string &Key : Index.companions(V.Key)) {
    const Variable *C = F.variable(Key);
    if (!C || !Index.isCarrier(Key) || !Leads)
      continue;
    E.Carriers.push_back(Key);
    // Who else calls a function that other units can see, is known when all of
    // them were parsed.
    if (C->Scope == VarScope::Parameter && StringRef(Key).starts_with("c:"))
      for (const Mention &M : F.Mentions)
        if (M.Kind == Mention::Type && M.State > Mention::Unexpanded) {
          refuse(C->Declarations.front().Name,
                 C->Name +
                     " is a parameter of a function that other units can "
                     "call, and " +
                     M.Text.File + " was not parsed");
          break;
        }
    if (C->Scope == VarScope::Parameter &&
        llvm::none_of(C->Declarations, [](auto &D) { return D.Definition; }))
      refuse(C->Declarations.front().Name,
             "it is passed to a function whose body is in no unit that was "
             "read");
    if (C->IsPointer || (C->IsArray && C->Scope == VarScope::Parameter))
      refuse(C->Declarations.front().Name,
             C->Name + " is a pointer to zones or caches");
    for (const Declaration &D : C->Declarations) {
      if (!D.Type || !D.Declarator || D.From.Kind != Provenance::Plain)
        refuse(D.Name, "the declaration of " + C->Name +
                           " is laid out in a way that cannot be edited");
      // The type of all that the statement declares changes.
      unsigned Together = 0;
      for (const Variable &Other : F.Variables)
        for (const Declaration &OD : Other.Declarations)
          Together += D.Statement && OD.Statement == D.Statement &&
                      llvm::is_contained(Index.companions(V.Key), Other.Key);
      if (D.Statement && Together != D.Declarators)
        refuse(D.Name, C->Name + " is declared together with other variables; "
                                 "declare it by itself first");
    }
    for (const Site *S : F.sitesOf(Key))
      carrierSite(*C, *S);
    for (const Use *U : F.usesOf(Key))
      carrierUse(*C, *U);
  }
}

/// Text goes: it must be there, and the same, in every configuration.
void Planner::goes(const Span &S) {
  if (const Directive *D = S ? F.directiveIn(S) : nullptr)
    refuse(D->Text, "#" + D->Keyword +
                        " stands inside what is replaced, and "
                        "what depends on it would be lost");
}

void Planner::replaced(const Span &S) {
  goes(S);
  if (S && !F.statement(S))
    refuse(S, "how this statement stands in the code around it is not known, "
              "or depends on the configuration");
}

/// What edit has to know about the text that it changes.
void Planner::structure() {
  for (const Step &S : E.Steps) {
    const bool IsStatement = S.Do == Action::Remove || S.Do == Action::Create ||
                             S.Do == Action::Destroy ||
                             S.Do == Action::BootInit;
    IsStatement ? replaced(S.Replace) : goes(S.Replace);
    for (const Span &Dead : S.AlsoRemove)
      replaced(Dead);
    if (S.Do == Action::Resize)
      replaced(S.Statement);
  }
  std::vector<std::string> Declared = Keys;
  Declared.push_back(E.Items);
  Declared.push_back(E.ArgsVariable);
  for (const std::string &Key : Declared)
    if (const Variable *Part = F.variable(Key))
      for (const Declaration &D : Part->Declarations)
        goes(D.Statement);
  for (const MallocDefine &M : F.MallocDefines)
    if (M.Key == E.MallocDefine && !E.MallocDefine.empty())
      goes(M.Statement);
}

/// The names of carriers and of boot items change or go: where no unit looks,
/// too.
void Planner::localNames() {
  for (const Mention &M : F.Mentions) {
    const bool Known = M.State <= Mention::ApiItself;
    if (M.Kind != Mention::Variable || Known)
      continue;
    const Variable *Items = F.variable(E.Items);
    const bool OfItems =
        Items && M.Name == Items->Name &&
        (Items->External || M.Text.File == Items->Declarations[0].Name.File);
    if (OfItems || llvm::is_contained(E.Carriers, M.Var))
      refuse(M.Text, "names " + M.Name + " " + stateText(M.State));
  }
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
    St.ZoneText = S.ZoneSpelling;
    // The object stays as it is written, with whatever is named in it.
    if (S.Args.size() == 2 && !S.Call.contains(S.Args[1].Text)) {
      refuse(S.Name, "the object that is freed here is not written where the "
                     "call is");
    } else if (S.Args.size() == 2) {
      Span After = Covered.back();
      After.Begin = S.Args[1].Text.End;
      Covered.back().End = S.Args[1].Text.Begin;
      Covered.push_back(After);
    }
    nameInBody(St, S);
    if (S.Args.size() > 1 && S.Args[1].SideEffects && S.Args[0].SideEffects)
      refuse(S.Name, "both arguments have side effects, and change places");
    break;
  }
  case Api::Zdestroy:
  case Api::ObjcacheDestroy:
    if (!S.WholeStatement || !S.Statement)
      refuse(S.Name, "the call is part of a larger expression");
    // A static type is there whether or not it was created.
    if (const NullCheck *Guard = isDynamic() ? nullptr : guardOf(S)) {
      step(Action::Destroy, S.Name, apiName(S.Function), Guard->Statement)
          .ZoneText = S.ZoneSpelling;
      break;
    }
    step(Action::Destroy, S.Name, apiName(S.Function), S.Statement).ZoneText =
        S.ZoneSpelling;
    // kmalloc_destroy_obj() sets it to NULL.
    if (S.Cleared)
      step(Action::Remove, S.Cleared, V.Name + " = NULL", S.Cleared);
    break;
  case Api::ObjcacheSetClusterLimit: {
    Step &St = step(Action::SetLimit, S.Name, apiName(S.Function), S.Call);
    St.ZoneText = S.ZoneSpelling;
    St.MaxOut = Spelling(1);
    if (S.From.Kind == Provenance::Body)
      refuse(S.Name, "the call is in the body of macro " + S.From.Macro);
    break;
  }
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
    if (!M.Var.empty())
      return M.Var == V.Key;
    auto SameFile = [&](const Span &S) { return S.File == M.Text.File; };
    return V.External ||
           llvm::any_of(V.Declarations,
                        [&](const auto &D) { return SameFile(D.Name); }) ||
           (V.Scope == VarScope::Field && llvm::any_of(Uses, [&](const Use *U) {
              return SameFile(U->Name);
            }));
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
    bool Destroys = Call && (*A == Api::Zdestroy || *A == Api::ObjcacheDestroy);
    size_t Wanted = A == Api::Zalloc || Destroys ? 1 : 2;
    if (Destroys && M.State == Mention::Inactive && Call->Statement &&
        Call->Args.size() == Wanted) {
      Step &St = step(Action::Destroy, Call->Text, Call->Name, Call->Statement);
      St.Textual = true;
      St.ZoneText = Call->ArgTexts[0];
      St.Notes.push_back(
          {Call->Text, std::string("changed by its spelling, ") + Where});
      Textual.insert(Call->Text.id());
      continue;
    }
    if (!Plain || Call->Args.size() != Wanted) {
      refuse(M.Text, "names " + V.Name + " " + Where);
      continue;
    }
    Step &St = isAllocation(*A)
                   ? allocation(Call->Text, Call->Name, Call->Call,
                                Call->ArgTexts[0], Call->ArgTexts)
                   : step(Action::Free, Call->Text, Call->Name, Call->Call);
    St.Textual = true;
    St.ZoneText = Call->ArgTexts[0];
    if (!isAllocation(*A))
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
    case Role::FlagsOr:
    case Role::Carried:
      // A statement that has a reason already needs no second one for having no
      // step.
      if (!covers(U->Name) && !llvm::any_of(E.Reasons, [&](const Remark &R) {
            return U->Statement && U->Statement.contains(R.Where);
          }))
        refuse(U->Name, "this use of " + V.Name + " has no conversion");
      continue;
    case Role::StoreAssign:
      if (const Variable *Other = F.variable(U->Other);
          Other && !covers(U->Name))
        refuse(U->Name, V.Name + ": its address is stored in " + Other->Name);
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
  if (isDynamic())
    for (const Site *S : Sites)
      if (!isCreation(S->Function) && !isShared(*S) && S->Trouble.empty() &&
          !StringRef(S->ZoneSpelling).ends_with(V.Name))
        refuse(S->Name,
               "the type's name cannot be made from " + S->ZoneSpelling);
  assertions();
  valueUses();
  carriers();
  textualSteps();
  localNames();
  uncovered();
  structure();
  slabUse();
  llvm::stable_sort(E.Steps, [](const Step &A, const Step &B) {
    return A.Replace < B.Replace;
  });
  llvm::stable_sort(E.Reasons, [](const Remark &A, const Remark &B) {
    return A.Where < B.Where;
  });
  llvm::stable_sort(E.Notes, [](const Remark &A, const Remark &B) {
    return A.Where < B.Where;
  });
  if (F.LacksKmallocObj)
    E.Reasons = {{Span(), "this tree has no kmalloc_obj() to convert to"}};
  E.Convert = E.Convertible = E.Reasons.empty();
  // What several share is counted once.
  E.Sites = Textual.size();
  for (const Site *S : Sites)
    E.Sites += owns(*S);
  for (const std::string &Key : E.Carriers)
    E.Sites +=
        llvm::count_if(F.sitesOf(Key), [&](const Site *S) { return owns(*S); });
  return std::move(E);
}
