/* SPDX-License-Identifier: BSD-3-Clause */
//===- ZonePlanner.cpp - Decide about a zone ------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace kmobj;
using llvm::StringRef;

namespace {
/// Arguments of a creation: zinit(name, size, n, flags), zinitna(z, name, size,
/// n, flags), zbootinit(z, name, size, items, n).
struct Creation {
  const Argument *Name = nullptr, *Size = nullptr, *Count = nullptr,
                 *Flags = nullptr;
  explicit Creation(const Site &S) {
    unsigned First = S.Function == Api::Zinit ? 0 : 1;
    if (S.Args.size() < First + 4)
      return;
    Name = &S.Args[First];
    Size = &S.Args[First + 1];
    Count = &S.Args[First + 2];
    Flags = &S.Args[First + 3];
  }
};
} // namespace

uint64_t kmobj::largestObject() {
  return llvm::alignDown(SlabRoom - bytesInSlab(0), CacheLine);
}

/// `n` as an operand of a cast or a product.
static std::string operand(const std::string &Text) {
  bool Plain =
      llvm::all_of(Text, [](char C) { return llvm::isAlnum(C) || C == '_'; });
  return Plain ? Text : "(" + Text + ")";
}

/// "0", "ZONE_INTERRUPT | ZONE_SPECIAL"
static std::string flagNames(StringRef Number) {
  int64_t Flags;
  if (Number.getAsInteger(10, Flags))
    return Number.str();
  constexpr std::pair<const char *, ZoneFlag> Names[] = {
      {"ZONE_INTERRUPT", ZONE_INTERRUPT},
      {"ZONE_PANICFAIL", ZONE_PANICFAIL},
      {"ZONE_SPECIAL", ZONE_SPECIAL},
      {"ZONE_USE_RESERVE", ZONE_USE_RESERVE}};
  std::string Out;
  for (const auto &[Name, Flag] : Names)
    if (Flags & Flag)
      Out += (Out.empty() ? "" : " | ") + std::string(Name);
  return Out.empty() ? "0" : Out;
}

/// A zone's flags decide what its type is: one number for all kernels.
bool ZonePlanner::haveFlags(const Span &Where,
                            const std::optional<int64_t> &Flags,
                            const Evaluations &Of) {
  if (Flags)
    return true;
  Evaluations Named = Of;
  for (Evaluation &E : Named)
    E.Text = flagNames(E.Text);
  const std::string Differ = difference(Named);
  refuse(Where, Differ.empty() ? "the zone's flags are not a constant"
                               : "the zone's flags are " + Differ);
  return false;
}

/// What is added to the flags is added wherever the zone is made.
void ZonePlanner::sameConfigurations(const Use &Added, const Argument &Made) {
  auto Lacks = [](const Evaluations &Of, const std::string &Name) {
    return llvm::none_of(
        Of, [&](const Evaluation &E) { return E.Configuration == Name; });
  };
  for (const Evaluation &E : Made.Values)
    if (Lacks(Added.Values, E.Configuration))
      return refuse(Added.Name, "the zone has further flags here, but not in " +
                                    E.Configuration);
}

void ZonePlanner::flags() {
  // What an allocation may do. One type cannot promise both.
  constexpr uint32_t OfAllocation =
      ZONE_INTERRUPT | ZONE_PANICFAIL | ZONE_SPECIAL | ZONE_USE_RESERVE;
  const Argument *First = nullptr;
  for (const Site *S : Sites) {
    if (S->Function != Api::Zinit && S->Function != Api::Zinitna)
      continue;
    Creation C(*S);
    if (!C.Flags)
      continue;
    if (!haveFlags(C.Flags->Text, C.Flags->Value, C.Flags->Values))
      continue;
    if (!First)
      First = C.Flags;
    else if ((*First->Value ^ *C.Flags->Value) & OfAllocation)
      refuse(C.Flags->Text, "the zone's flags are " + C.Flags->Spelling +
                                " here and " + First->Spelling + " at " +
                                First->Text.lineRef());
    E.ZoneFlags |= *C.Flags->Value;
  }
  for (const Use *U : Uses)
    if (U->What == Role::FlagsOr) {
      if (!U->WholeStatement || !U->Statement ||
          U->From.Kind == Provenance::Body) {
        refuse(U->Name, "the zone's flags are changed inside an expression");
        continue;
      }
      if (haveFlags(U->Name, U->Value, U->Values))
        E.ZoneFlags |= *U->Value;
      if (First)
        sameConfigurations(*U, *First);
      step(Action::Remove, U->Name, "zflags |= " + U->Detail, U->Statement);
    }
  E.Blocking =
      !(E.ZoneFlags & (ZONE_INTERRUPT | ZONE_SPECIAL | ZONE_USE_RESERVE));
  if (E.Blocking)
    E.Reserve = 0;
}

std::string ZonePlanner::flagsFor(const std::vector<std::string> &) {
  // zget() took VM_ALLOC_NORMAL pages for all but interrupt zones, and waited.
  if (E.ZoneFlags & ZONE_INTERRUPT)
    return E.ZoneFlags & ZONE_PANICFAIL ? "M_INTWAIT" : "M_INTNOWAIT";
  return "M_WAITOK";
}

void ZonePlanner::allocNotes(Step &St, const Site &S) {
  if (!(E.ZoneFlags & ZONE_INTERRUPT)) {
    if (S.NullChecked)
      St.Notes.push_back({S.Name, "kmalloc_obj() waits and does not return "
                                  "NULL: see whether the test can go"});
    return;
  }
  if (E.ZoneFlags & ZONE_PANICFAIL)
    St.Notes.push_back(
        {S.Name, "ZONE_PANICFAIL: this now waits where it used to panic"});
  else if (!S.NullChecked)
    St.Notes.push_back({S.Name, "may return NULL, as zalloc() did, and the "
                                "result is not checked"});
}

/// One size for all creations, known at compile time.
void ZonePlanner::size() {
  const Argument *Seen = nullptr;
  const Site *SeenAt = nullptr;
  bool Created = false;
  for (const Site *S : Sites) {
    if (!isCreation(S->Function))
      continue;
    Created = true;
    Creation C(*S);
    if (!C.Size)
      continue;
    if (C.Size->Value == 0 && S->Function == Api::Zinitna)
      continue; // as zbootinit said
    if (!Seen) {
      Seen = C.Size;
      SeenAt = S;
    }
    if (Seen->Value && C.Size->Value && *Seen->Value != *C.Size->Value)
      refuse(C.Size->Text, "the size of an item is " +
                               std::to_string(*C.Size->Value) + " here and " +
                               std::to_string(*Seen->Value) + " at " +
                               Seen->Text.lineRef());
    else
      addSize(C.Size->Text, C.Size->Values);
    if (C.Name && C.Name->IsString && E.Name.empty()) {
      E.Name = C.Name->String;
      E.ShortText = E.LongText = C.Name->Spelling;
    }
  }
  if (!Seen) {
    if (!Created)
      refuse(E.Where, "the creation of " + V.Name + " was not seen");
    return;
  }
  E.SizeText = Seen->Spelling;
  if (E.Size > largestObject())
    refuse(Seen->Text,
           llvm::formatv("an item of {0} bytes does not fit a slab, which "
                         "holds {1}",
                         E.Size, largestObject()));
  if (E.ShortText.empty())
    refuse(SeenAt->Name, "the zone's name is not a string literal");
  if (!isDynamic())
    sizeKnownAt(E.Where, *SeenAt);
}

void ZonePlanner::bootstrap(const Site &S) {
  if (S.Args.size() != 5)
    return;
  const Argument &Items = S.Args[3], &Count = S.Args[4];
  const Variable *Memory = F.variable(Items.Var);
  E.HasBootstrap = E.Bootstrap = true;
  E.Items = Items.Var;
  E.ItemsCount = Count.Spelling;
  if (!S.WholeStatement || !S.Statement)
    refuse(S.Name, "the call is part of a larger expression");
  Step &St = step(Action::BootInit, S.Name, "zbootinit", S.Statement);
  St.ZoneText = S.ZoneSpelling;
  if (!Memory || Memory->Kind != VarKind::Items ||
      Memory->Scope != VarScope::File) {
    refuse(Items.Text, "the zone's first items are not a file-scope variable");
    return;
  }
  if (Count.SideEffects)
    refuse(Count.Text, "the number of items has side effects");
  for (const Declaration &D : Memory->Declarations)
    if (!D.Statement || D.From.Kind == Provenance::Body)
      refuse(D.Name,
             "the declaration of " + Memory->Name + " cannot be edited");
  bool Array = Memory->IsArray && Memory->Count;
  for (const Use *U : F.usesOf(Items.Var)) {
    bool Mine = U->What == Role::SiteArgument && S.Call.contains(U->Name);
    if (!Mine && (Array || U->What != Role::AllocTarget))
      refuse(U->Name, Memory->Name + ", which holds the zone's first items, " +
                          (U->Detail.empty() ? "is used again"
                                             : "is used again: " + U->Detail));
  }
  if (Array) {
    E.ItemsStatic = true;
    St.Memory = "bootslabs";
    if (Memory->Declarations.size() != 1)
      refuse(Memory->Declarations.back().Name,
             Memory->Name + " is declared more than once");
    if (Memory->External)
      refuse(Memory->Declarations.front().Name,
             Memory->Name + " can be seen from other units");
    E.ItemsCounts = Count.Values;
    if (const std::string Name = shadowed(Count.Spelling, S); !Name.empty())
      refuse(Count.Text, "the number of first items is written as " +
                             Count.Spelling + ", and " + S.InFunction +
                             "() declares a " + Name + " of its own");
    for (const Evaluation &Known : Count.Values)
      if (Known.Text.empty() || !llvm::isDigit(Known.Text[0]))
        refuse(Count.Text, "the number of items is not a constant");
    return;
  }
  const ItemMemory *Alloc = nullptr;
  for (const ItemMemory &M : F.ItemMemories)
    if (M.Var == Items.Var) {
      if (Alloc)
        refuse(M.Call, Memory->Name + " is allocated more than once");
      Alloc = &M;
    }
  if (!Alloc || Alloc->Args.size() <= Alloc->SizeArg) {
    refuse(Items.Text, "where the memory of the zone's first items comes from "
                       "was not seen");
    return;
  }
  const Argument &Bytes = Alloc->Args[Alloc->SizeArg];
  if (Bytes.Variables != Count.Variables || Bytes.SideEffects)
    refuse(Bytes.Text,
           "the memory is not sized by the number of items, " + Count.Spelling);
  std::string Needed =
      "kmalloc_obj_bootbytes(" + E.SizeText + ", " + Count.Spelling + ")";
  St.Memory = Items.Spelling;
  St.Bytes = Needed;
  Step &Resize = step(Action::Resize, Bytes.Text, Alloc->Function, Bytes.Text);
  Resize.Statement = Alloc->Statement;
  Resize.Bytes = Needed;
}

void ZonePlanner::create(const Site &S) {
  Creation C(S);
  Span Replace;
  std::vector<Span> AlsoRemove;
  creationExtent(S, Replace, AlsoRemove);
  Step &St = step(Action::Create, S.Name, apiName(S.Function), Replace);
  St.AlsoRemove = std::move(AlsoRemove);
  St.ZoneText = S.ZoneSpelling;
  St.CallCreate = isDynamic();
  St.Retries = S.Retry.has_value();
  for (const NullCheck &C : S.Checks)
    if (C.Kind == NullCheck::Guard && !isDynamic())
      note(C.Statement, "without its guard this is done each time, which does "
                        "no harm but may block: see whether it should move to "
                        "where things are set up once");
  St.RaiseLimit = St.CallReserve = true;
  if (!C.Count)
    return;
  St.Name = C.Name->Spelling;
  if (C.Count->SideEffects)
    refuse(C.Count->Text, "the limit has side effects");
  if (!(E.ZoneFlags & ZONE_INTERRUPT))
    return;
  if (C.Count->Value == 0 ||
      llvm::any_of(C.Count->Values, [](auto &V) { return V.Text == "0"; })) {
    refuse(C.Count->Text, "an interrupt zone of 0 entries holds its first "
                          "items and no more: a type would have no limit");
    return;
  }
  St.Objects = C.Count->Spelling;
  St.Limit = "(size_t)" + operand(C.Count->Spelling) +
             " * __VM_CACHELINE_ALIGN(" + E.SizeText + ")";
}

void ZonePlanner::decide() {
  unsigned Zinits = 0, Zinitnas = 0, Boots = 0;
  bool Destroyed = false;
  for (const Site *S : Sites) {
    Zinits += S->Function == Api::Zinit;
    Zinitnas += S->Function == Api::Zinitna;
    Boots += S->Function == Api::Zbootinit;
    Destroyed |= S->Function == Api::Zdestroy;
  }
  bool Asked = isAskedFor() && !Zinitnas && !Boots && Keys.size() == 1;
  if (V.Scope == VarScope::Field || Destroyed || Zinits > 1 || Asked)
    E.Form = TypeForm::Dynamic;
  if (isDynamic() && (Zinitnas || Boots || Keys.size() > 1))
    refuse(E.Where, V.Name + " is a structure member, destroyed or created in "
                             "several places, and uses zinitna() or "
                             "zbootinit()");
  if (Zinitnas > 1 || Boots > 1 || (Zinits && Zinitnas))
    refuse(E.Where, V.Name + " is created in several places");
  if (Boots && !Zinitnas)
    refuse(E.Where, V.Name + " has first items but no zinitna(): it can never "
                             "hold more");
  flags();
  size();

  for (const Use *U : Uses)
    if (U->What == Role::StoreAssign && U->Var == V.Key &&
        llvm::is_contained(Keys, U->Other)) {
      if (U->WholeStatement && U->Statement)
        step(Action::Remove, U->Name, "= &store", U->Statement);
      else
        refuse(U->Name, "the zone is set inside an expression");
    }
  for (const Variable &Store : F.Variables)
    if (llvm::is_contained(Keys, Store.Key) && Store.Key != V.Key)
      for (const Declaration &D : V.Declarations)
        if (D.InitStore == Store.Key)
          Covered.push_back(D.Init);

  for (const Site *S : Sites) {
    if (S->Function == Api::Zbootinit) {
      bootstrap(*S);
    } else if (isCreation(S->Function)) {
      create(*S);
    } else if (S->Function == Api::Zalloc) {
      Step &St = allocation(*S);
      allocNotes(St, *S);
      nameInBody(St, *S);
    } else {
      releaseSteps(*S);
    }
  }
  if (Options.Naive) {
    E.Reserve = 0;
    E.WantReserve = E.Bootstrap = false;
  }
}
