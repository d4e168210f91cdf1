/* SPDX-License-Identifier: BSD-3-Clause */
//===- Plan.cpp - Facts in, one decision a zone out -----------------------===//

#include "kmobj/Plan.h"
#include "Planner.h"
#include "kmobj/Printable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace kmobj;
using llvm::StringRef;

std::string Remark::str() const {
  return Where ? Where.lineRef() + ": " + Text : Text;
}

StringRef kmobj::actionName(Action A) {
  static const char *const Names[] = {
      "alloc",     "free",    "free-dtor", "bootinit",  "create",
      "destroy",   "remove",  "resize",    "test-null", "assign-null",
      "set-limit", "reclaim", "name",      "rewrite"};
  return Names[static_cast<unsigned>(A)];
}

bool PlanEntry::needsShims() const {
  return Convert && (WantReserve || Bootstrap || Constructed ||
                     llvm::any_of(Steps, [](const Step &S) {
                       return S.CallCache || S.Do == Action::Reclaim;
                     }));
}

void PlanEntry::refuseTried(llvm::ArrayRef<Remark> Why) {
  Convert = Convertible = false;
  append_range(Reasons, Why);
  Tried = Reasons.front().str();
  Planned = plannedValues(*this);
}

void PlanEntry::retry() {
  Convert = Convertible = true;
  Reasons.clear();
  Tried.clear();
  Planned = plannedValues(*this);
}

const PlanEntry *Plan::entry(StringRef Key) const {
  auto It =
      llvm::find_if(Entries, [&](const PlanEntry &E) { return E.Key == Key; });
  return It == Entries.end() ? nullptr : &*It;
}

bool Plan::needsShims() const {
  return llvm::any_of(Entries,
                      [](const PlanEntry &E) { return E.needsShims(); });
}

bool Plan::allConverted() const {
  return StraySites == 0 &&
         llvm::all_of(Entries, [](const PlanEntry &E) { return E.Convert; });
}

void Plan::refuse(const PlanEntry &Entry, const Remark &Why) {
  for (PlanEntry &E : Entries)
    if (&E == &Entry || (!Entry.Group.empty() && E.Group == Entry.Group))
      E.refuseTried(Why);
}

bool Plan::drops(StringRef File) const {
  return (DropZone && (File == Zalloc.Source || File == Zalloc.Header)) ||
         (DropObjcache && (File == Objcache.Source || File == Objcache.Header));
}

/// What goes with several is one patch with them.
static void joinPatches(Plan &P) {
  for (PlanEntry &E : P.Entries)
    E.Patch = E.Group.empty() ? E.Key : E.Group;
  for (const Leftover &L : P.Leftovers) {
    if (!L.Goes)
      continue;
    std::set<std::string> Old;
    for (const PlanEntry &E : P.Entries)
      if (llvm::is_contained(L.Of, E.Key))
        Old.insert(E.Patch);
    for (PlanEntry &E : P.Entries)
      if (Old.count(E.Patch))
        E.Patch = *Old.begin();
  }
}

/// E is called so, unless a person has said otherwise.
static void call(PlanEntry &E, const PlanEntry::Names &As) {
  if (!E.TypeByHand)
    E.Type = As.Type;
  if (!E.ShortByHand)
    E.ShortText = As.ShortText;
  if (!E.LongByHand)
    E.LongText = As.LongText;
  E.Static = As.Static;
}

void Plan::updateDrops() {
  for (Leftover &L : Leftovers) {
    L.Goes = llvm::all_of(L.Of, [&](const std::string &Key) {
      const PlanEntry *E = entry(Key);
      return E && E->Convert;
    });
    for (PlanEntry &E : Entries)
      if (E.Key == L.Heir) {
        E.Form = L.Goes ? TypeForm::Redefine : TypeForm::Define;
        E.MallocDefine = L.Goes ? E.Inherits : "";
        call(E, L.Goes ? E.Inherited : E.Own);
      }
  }
  joinPatches(*this);
  DropZone = StrayZoneMentions == 0;
  DropObjcache = StrayCacheMentions == 0;
  for (const PlanEntry &E : Entries)
    if (!E.Convert)
      (E.IsZone ? DropZone : DropObjcache) = false;
}

/// Zones and caches: every variable that a site or a creation is about.
static std::vector<const Variable *> subjects(const FactsIndex &Index) {
  std::set<std::string> Keys;
  for (const Site &S : Index.F.Sites)
    if (!S.Zone.empty())
      Keys.insert(Index.resolve(S.Zone));
  std::vector<const Variable *> Found;
  for (const std::string &K : Keys)
    if (const Variable *V = Index.F.variable(K))
      if ((V->Kind == VarKind::Zone || V->Kind == VarKind::ZoneStore ||
           V->Kind == VarKind::Cache) &&
          !(Index.isCarrier(K) && !Index.leader(K).empty()))
        Found.push_back(V);
  return Found;
}

/// Zones that meet are converted together, and must be alike.
static void joinGroups(Plan &P, const FactsIndex &Index) {
  std::map<std::string, std::vector<PlanEntry *>> Groups;
  for (PlanEntry &E : P.Entries)
    if (!E.Group.empty())
      Groups[E.Group].push_back(&E);
  for (auto &[Leader, Group] : Groups) {
    // Others of the group may be known by name only.
    bool Complete = true;
    for (const std::string &K : Index.companions(Leader))
      Complete &= Index.isCarrier(K) || P.entry(K);
    PlanEntry *First = nullptr, *Refused = nullptr;
    for (PlanEntry *E : Group) {
      if (E->Key == Leader)
        First = E;
      if (!E->Convertible && !Refused)
        Refused = E;
    }
    auto RefuseAll = [&](const Span &Where, const std::string &Why) {
      for (PlanEntry *E : Group)
        if (E->Convertible) {
          E->Reasons.push_back({Where, Why});
          E->Convert = E->Convertible = false;
        }
    };
    if (!First || !Complete) {
      RefuseAll(Span(), "it meets zones or caches in one variable or macro "
                        "of which not all are known");
      continue;
    }
    if (Refused) {
      RefuseAll(Refused->Where, Refused->Variable +
                                    " meets it in one variable or macro, and "
                                    "is refused: " +
                                    Refused->Reasons.front().str());
      continue;
    }
    for (PlanEntry *E : Group)
      if (E->Constructed != First->Constructed ||
          E->ZoneFlags != First->ZoneFlags || E->IsZone != First->IsZone)
        RefuseAll(E->Where, E->Variable + " and " + First->Variable +
                                " meet in one variable or macro, but are not "
                                "allocated alike");
  }
}

/// Calls that are in the text and in no entry: one remark a file and reason.
static void strays(Plan &P, const Facts &F,
                   const std::set<std::string> &Textual) {
  std::map<std::tuple<std::string, Mention::StateTy>, std::pair<Span, unsigned>>
      Groups;
  for (const Mention &M : F.Mentions) {
    if (M.Kind != Mention::Function || M.State <= Mention::ApiItself ||
        Textual.count(M.Text.id()))
      continue;
    ++(isZoneApi(*apiByName(M.Name)) ? P.StrayZoneMentions
                                     : P.StrayCacheMentions);
    auto &[First, Count] = Groups[{M.Text.File, M.State}];
    if (!Count++)
      First = M.Text;
    // What the compiler saw in spite of its errors is already in an entry.
    if (!(M.State == Mention::DidNotParse && F.siteAt(M.Text.id())))
      ++P.StraySites;
  }
  for (const auto &[Key, Group] : Groups)
    P.Remarks.push_back(
        {Group.first, llvm::formatv("{0} name{1} of the API {2}", Group.second,
                                    Group.second == 1 ? "" : "s",
                                    stateText(std::get<1>(Key)))});
}

/// Names what a plan file knows entries and steps by.
static void identify(Plan &P, const Facts &F) {
  std::map<std::string, std::string> InFunction; // by place
  for (const Use &U : F.Uses) {
    InFunction.try_emplace(U.Name.id(), U.InFunction);
    InFunction.try_emplace(U.Statement.id(), U.InFunction);
  }
  for (const Site &S : F.Sites)
    InFunction[S.Name.id()] = S.InFunction;
  for (const ItemMemory &M : F.ItemMemories)
    if (M.SizeArg < M.Args.size())
      InFunction[M.Args[M.SizeArg].Text.id()] = M.InFunction;
  for (PlanEntry &E : P.Entries) {
    if (const Variable *V = F.variable(E.Key)) {
      E.External = V->External;
      E.Of = V->Record;
      if (V->Scope == VarScope::StaticLocal || V->Scope == VarScope::Local)
        E.Of = StringRef(V->Key).rsplit('@').second.str();
    }
    std::map<std::pair<std::string, std::string>, unsigned> Count;
    for (Step &S : E.Steps) {
      S.Function = InFunction[S.At];
      if (S.Function.empty())
        S.Function = S.Replace.File;
      S.Ordinal = ++Count[{S.Function, S.Call}];
    }
    for (const Site *S : F.sitesOf(E.Key)) {
      const size_t At = S->Function == Api::ObjcacheCreate          ? 2
                        : S->Function == Api::ObjcacheCreateMbacked ? 3
                                                                    : 0;
      if (At && At < S->Args.size())
        E.Cached = S->Args[At].Spelling;
    }
  }
}

Plan kmobj::makePlan(const Facts &F, const PlanOptions &Options) {
  FactsIndex Index(F);
  Plan P;
  P.Naive = Options.Naive;
  std::set<std::string> Textual;
  for (const Variable *V : subjects(Index)) {
    PlanEntry E;
    if (V->Kind == VarKind::Cache) {
      CachePlanner Planner(Index, Options, *V);
      E = Planner.plan();
      Textual.insert(Planner.textual().begin(), Planner.textual().end());
    } else {
      ZonePlanner Planner(Index, Options, *V);
      E = Planner.plan();
      Textual.insert(Planner.textual().begin(), Planner.textual().end());
    }
    P.Entries.push_back(std::move(E));
  }
  llvm::stable_sort(P.Entries, [](const PlanEntry &A, const PlanEntry &B) {
    return std::tie(A.Where, A.Key) < std::tie(B.Where, B.Key);
  });
  chooseTypes(P, Index);
  joinGroups(P, Index);
  findLeftovers(P, Index);
  identify(P, F);

  for (const Unit &U : F.Units)
    if (U.State == Unit::Failed)
      P.Remarks.push_back(
          {Span(), U.Path + " does not parse: " + U.FirstError});
  for (const Site &S : F.Sites)
    if (!P.entry(Index.resolve(S.Zone)) && !P.entry(Index.leader(S.Zone))) {
      ++P.StraySites;
      ++(isZoneApi(S.Function) ? P.StrayZoneMentions : P.StrayCacheMentions);
      P.Remarks.push_back(
          {S.Name, std::string(apiName(S.Function)) + "() " +
                       (S.Trouble.empty() ? "belongs to no known zone or cache"
                                          : S.Trouble)});
    }
  strays(P, F, Textual);
  llvm::stable_sort(P.Remarks, [](const Remark &A, const Remark &B) {
    return A.Where < B.Where;
  });
  P.updateDrops();
  for (PlanEntry &E : P.Entries)
    E.Planned = plannedValues(E);
  return P;
}

/// The reason, which is the tree's, why nothing at all is converted.
static const Remark *commonReason(const Plan &P) {
  const Remark *Found = nullptr;
  for (const PlanEntry &E : P.Entries) {
    if (E.Reasons.size() != 1 || E.Reasons.front().Where.valid() ||
        (Found && Found->Text != E.Reasons.front().Text))
      return nullptr;
    Found = &E.Reasons.front();
  }
  return Found;
}

std::string kmobj::report(const Plan &P) {
  std::string Out, Line;
  llvm::raw_string_ostream OS(Line);
  auto EndLine = [&] {
    Out += printable(Line) + '\n';
    Line.clear();
  };
  unsigned Converted = 0, Done = 0, Left = P.StraySites;
  const Remark *Common = commonReason(P);
  for (const PlanEntry &E : P.Entries) {
    Converted += E.Convert;
    (E.Convert ? Done : Left) += E.Sites;
    const bool Goes = E.Convert && E.Form == TypeForm::None;
    OS << (Goes        ? "deleted    "
           : E.Convert ? "converted  "
                       : "refused    ")
       << (E.Name.empty() ? E.Variable : E.Name) << " ("
       << (E.IsZone ? "zone " : "cache ") << E.Variable << ", " << E.Sites
       << (E.Sites == 1 ? " site)" : " sites)");
    if (Goes)
      OS << ": nobody allocates from it";
    else if (E.Convert)
      OS << " -> " << E.Type;
    else if (!E.Named)
      OS << ": the plan does not name it";
    else if (E.Reasons.empty())
      OS << ": the plan says so";
    else if (!Common)
      OS << ": " << E.Reasons.front().str();
    if (!E.Convert && E.Reasons.size() > 1)
      OS << " (and " << E.Reasons.size() - 1 << " more)";
    EndLine();
  }
  if (Common) {
    OS << "look at    " << Common->str();
    EndLine();
  }
  for (const Remark &R : P.Remarks) {
    OS << "look at    " << R.str();
    EndLine();
  }
  for (const std::string &What : P.Moved) {
    OS << What;
    EndLine();
  }
  OS << llvm::formatv("{0} zones and caches: {1} converted, {2} refused; {3} "
                      "sites converted, {4} left",
                      P.Entries.size(), Converted, P.Entries.size() - Converted,
                      Done, Left);
  EndLine();
  return Out;
}
