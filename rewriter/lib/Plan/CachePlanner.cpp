/* SPDX-License-Identifier: BSD-3-Clause */
//===- CachePlanner.cpp - Decide about an object cache --------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace kmobj;
using llvm::StringRef;

std::string CachePlanner::flagsFor(const std::vector<std::string> &Args) {
  return Args.size() > 1 ? Args[1] : std::string();
}

/// objcache_create(.., objcache_malloc_alloc, objcache_malloc_free, &args):
/// size and malloc_type are in args.
bool CachePlanner::allocatorArgs(const Site &S) {
  const Argument &Alloc = S.Args[6], &Free = S.Args[7], &Args = S.Args[8];
  FreshZero = Alloc.VarName == "objcache_malloc_alloc_zero";
  if ((Alloc.VarName != "objcache_malloc_alloc" && !FreshZero) ||
      Free.VarName != "objcache_malloc_free") {
    refuse(Alloc.Text, "the cache has a back end of its own (" +
                           Alloc.Spelling + ", " + Free.Spelling + ")");
    return false;
  }
  const Variable *Found = F.variable(Args.Var);
  if (!Found || Found->Kind != VarKind::CacheArgs || !Args.AddressOf) {
    refuse(Args.Text, "the back end's arguments are not a plain variable");
    return false;
  }
  const ArgsMember *Size = nullptr, *Type = nullptr;
  for (const ArgsMember &M : Found->Members) {
    const ArgsMember *&Which = M.Member == "objsize" ? Size : Type;
    if (Which)
      refuse(M.Text, Found->Name + "." + M.Member + " is set more than once");
    Which = &M;
  }
  if (!Size || !Type || Size->Values.empty() || Type->Var.empty()) {
    refuse(Args.Text, "what " + Found->Name + " holds is not constant");
    return false;
  }
  if (!addSize(Size->Text, Size->Values))
    return false;
  E.SizeText = Size->Spelling;
  TypeKey = Type->Var;

  // It goes with the cache when nothing else looks at it.
  bool Alone = true;
  for (const Use *U : F.usesOf(Found->Key)) {
    bool Mine = U->What == Role::Member || S.Call.contains(U->Name);
    if (!Mine)
      Alone = false;
    if (U->What == Role::Escape && StringRef(U->Detail).contains("address"))
      refuse(U->Name, Found->Name + ": " + U->Detail);
  }
  for (const Declaration &D : Found->Declarations)
    Alone &= D.Statement.valid() && D.From.Kind != Provenance::Body;
  if (const Mention *Unread = unreadName(*Found)) {
    note(Unread->Text, Found->Name + " stays, since it is named here, " +
                           stateText(Unread->State));
    Alone = false;
  }
  if (!Alone)
    return true;
  E.ArgsVariable = Found->Key;
  for (const ArgsMember &M : Found->Members)
    if (M.Statement)
      step(Action::Remove, M.Statement, M.Member, M.Statement);
  return true;
}

/// Where Part is named in text that no unit compiles.
const Mention *CachePlanner::unreadName(const Variable &Part) const {
  for (const Mention &M : F.Mentions)
    if (M.Kind == Mention::Variable && M.Name == Part.Name && M.Var.empty() &&
        M.State > Mention::ApiItself &&
        (Part.External || llvm::any_of(Part.Declarations, [&](const auto &D) {
           return D.Name.File == M.Text.File;
         })))
      return &M;
  return nullptr;
}

/// Takes in everything the creation says; false when it cannot be read.
bool CachePlanner::creation(const Site &S) {
  const Argument *Limit = nullptr, *Nominal = nullptr, *Ctor = nullptr,
                 *Dtor = nullptr, *Private = nullptr;
  if (!S.Trouble.empty())
    return false;
  switch (S.Function) {
  case Api::ObjcacheCreateSimple:
  case Api::ObjcacheCreateMbacked:
    TypeKey = S.Args[0].Var;
    E.SizeText = S.Args[1].Spelling;
    if (TypeKey.empty() || !F.variable(TypeKey)) {
      refuse(S.Args[0].Text, "the malloc type is not a plain variable");
      return false;
    }
    if (!addSize(S.Args[1].Text, S.Args[1].Values))
      return false;
    if (S.Function == Api::ObjcacheCreateMbacked) {
      Limit = &S.Args[2];
      Nominal = &S.Args[3];
      Ctor = &S.Args[4];
      Dtor = &S.Args[5];
      Private = &S.Args[6];
    }
    break;
  default:
    Limit = &S.Args[1];
    Nominal = &S.Args[2];
    Ctor = &S.Args[3];
    Dtor = &S.Args[4];
    Private = &S.Args[5];
    if (S.Args[0].IsString) {
      E.Name = S.Args[0].String;
      E.ShortText = S.Args[0].Spelling;
    }
    if (!allocatorArgs(S))
      return false;
  }
  bool LimitChanges = false;
  for (const Site *Other : Sites)
    LimitChanges |= Other->Function == Api::ObjcacheSetClusterLimit;
  E.Constructed =
      LimitChanges || isLargeObject(E.Size) ||
      (Ctor && (!Ctor->IsNull || !Dtor->IsNull || Limit->Value != 0));
  if (E.Size == 0 || E.Size > largestObject())
    refuse(S.Name, llvm::formatv("an object of {0} bytes does not fit a slab, "
                                 "which holds {1}",
                                 E.Size, largestObject()));
  for (const Argument *Of : {Ctor, Dtor})
    if (Of)
      for (const Evaluation &Bytes : Of->Overwrites)
        for (const Evaluation &Size : E.Sizes)
          if (uint64_t N, M; Bytes.Configuration == Size.Configuration &&
                             !StringRef(Bytes.Text).getAsInteger(10, N) &&
                             !StringRef(Size.Text).getAsInteger(10, M) && N > M)
            refuse(Of->Text,
                   llvm::formatv("{0}() overwrites {1} bytes of an object of "
                                 "{2}: mend that first, as in a slab there is "
                                 "something else behind it, or nothing",
                                 Of->VarName, N, M));
  if (!E.Constructed && Nominal && Nominal->Value != 0)
    note(Nominal->Text, "what is free stays in slabs, however much: " +
                            Nominal->Spelling + " goes");

  // Most are written twice, elsewhere, or not at all.
  for (const Argument &A : S.Args)
    if (A.SideEffects)
      refuse(A.Text, "an argument of the creation has side effects");

  E.OldType = TypeKey;
  if (pool(S))
    return true;
  if (isUnused(S))
    E.Form = TypeForm::None;
  else if (mustBeDynamic(S))
    E.Form = TypeForm::Dynamic;
  Span Replace;
  std::vector<Span> AlsoRemove;
  creationExtent(S, Replace, AlsoRemove);
  if (E.Form == TypeForm::None) {
    E.Constructed = FreshZero = false;
    step(Action::Remove, S.Name, apiName(S.Function), Replace).AlsoRemove =
        std::move(AlsoRemove);
    return true;
  }
  Step &St = step(Action::Create, S.Name, apiName(S.Function), Replace);
  St.AlsoRemove = std::move(AlsoRemove);
  St.ZoneText = S.ZoneSpelling;
  if (StringRef(S.InFunction).contains("objcache"))
    note(S.Name, S.InFunction + "() is named after objcache: see whether to "
                                "rename it");
  St.CallCache = !E.Constructed && !Options.Naive;
  if (isDynamic())
    dynamicType(St);
  limitInBytes(S, St);
  if (!E.Constructed)
    return true;
  St.CallCtor = true;
  if (!Ctor)
    return true;
  St.Ctor = Ctor->Spelling;
  St.Dtor = Dtor->Spelling;
  St.Private = Private->Spelling;
  St.MaxOut = Limit->Spelling;
  St.Nominal = Nominal->Spelling;
  return true;
}

/// A type which is made where the cache was made, because the code asks
/// whether it is there, or makes it anew.
bool CachePlanner::mustBeDynamic(const Site &Created) {
  if (V.Scope == VarScope::Field)
    return true;
  // A type with constructor or limit is set up once and taken down once, and
  // one that lives on keeps objects which are zero no more.
  bool Guarded = false, Destroyed = false;
  for (const NullCheck &C : Created.Checks)
    Guarded |= C.Kind == NullCheck::Guard;
  for (const Site *S : Sites) {
    Destroyed |= S->Function == Api::ObjcacheDestroy;
    Guarded |= S->Function == Api::ObjcacheDestroy && guardOf(*S);
  }
  return (Guarded && E.Constructed) || (FreshZero && Destroyed) || isAskedFor();
}

void CachePlanner::dynamicType(Step &Create) {
  Create.CallCreate = true;
  const MallocDefine *Define = nullptr;
  for (const MallocDefine &M : F.MallocDefines)
    if (M.Key == TypeKey)
      Define = &M;
  if (E.ShortText.empty() && Define && Define->ArgTexts.size() == 3)
    E.ShortText = Define->ArgTexts[1];
  if (E.ShortText.empty())
    E.ShortText = "\"" + V.Name + "\"";
  E.LongText = Create.Name = E.ShortText;
}

/// kmalloc_raise_limit() of the old type said how much memory the caches on it
/// may take. The new type's objects are limited by number.
void CachePlanner::limitInBytes(const Site &S, Step &Create) {
  auto Raised = [&](const std::string &Key) {
    return llvm::any_of(F.usesOf(Key), [](const Use *U) {
      return U->What == Role::LimitRaise ||
             StringRef(U->Detail).contains("kmalloc_raise_limit");
    });
  };
  Create.RaiseLimit = Raised(TypeKey);
  for (const Argument &A : S.Args)
    if (const Variable *Args = F.variable(A.Var);
        Args && Args->Kind == VarKind::CacheArgs)
      Create.RaiseLimit |= Raised(A.Var);
}

/// Created, perhaps destroyed, and nothing else: nobody takes an object from
/// it, and none is made.
bool CachePlanner::isUnused(const Site &Created) const {
  const unsigned Ctor = Created.Function == Api::ObjcacheCreate          ? 3
                        : Created.Function == Api::ObjcacheCreateMbacked ? 4
                                                                         : 0;
  for (unsigned I = Ctor; Ctor && I < Ctor + 2; ++I)
    if (I >= Created.Args.size() || !Created.Args[I].IsNull)
      return false;
  const bool Named = llvm::any_of(F.Mentions, [&](const Mention &M) {
    return M.Kind == Mention::Variable && M.Name == V.Name &&
           M.State > Mention::ApiItself;
  });
  return V.Scope == VarScope::File && !Named && Keys.size() == 1 &&
         Index.companions(V.Key).empty() && !isAskedFor() &&
         llvm::all_of(Sites,
                      [&](const Site *S) {
                        return S == &Created ||
                               S->Function == Api::ObjcacheDestroy;
                      }) &&
         llvm::all_of(Uses, [](const Use *U) {
           return U->What == Role::SiteZone || U->What == Role::CreateTarget ||
                  U->What == Role::NullTest || U->What == Role::NullAssign;
         });
}

/// One macro declares the cache, defines its malloc type and creates it.
bool CachePlanner::pool(const Site &S) {
  if (V.Declarations.size() != 1 || !V.Declarations.front().InBody)
    return false;
  const Declaration &D = V.Declarations.front();
  const MallocDefine *Define = nullptr;
  for (const MallocDefine &M : F.MallocDefines)
    if (M.Key == TypeKey)
      Define = &M;
  StringRef Type = Define ? StringRef(Define->Name) : StringRef();
  bool Pasted = Define && Define->BodyArgs.size() == 3 && Define->InBody &&
                StringRef(Define->BodyArgs[0]).starts_with("M_##") &&
                Type == "M_" + V.Name;
  if (!Pasted || S.From.Macro != D.BodyMacro ||
      !D.From.Definition.File.empty() || Define->From.Macro != D.BodyMacro ||
      E.Constructed || FreshZero || !S.WholeStatement || !S.Statement) {
    refuse(D.Name, V.Name + " is declared in the body of macro " + D.BodyMacro +
                       " in a way that cannot be edited");
    return true;
  }
  E.InPool = true;
  E.Form = TypeForm::Redefine;
  E.MallocDefine = TypeKey;
  E.Type = Define->Name;
  if (Define->ArgTexts.size() == 3)
    E.ShortText = E.LongText = Define->ArgTexts[2];
  E.Static = Define->Static;
  for (const Use *U : Uses)
    if (U->Name == D.Name)
      Covered.push_back(U->Name);
  if (!owns(S))
    return true;
  Step &Definition =
      step(Action::Rewrite, Define->InBody, "MALLOC_DEFINE", Define->InBody);
  Definition.Text = "MALLOC_DEFINE_OBJ(" + Define->BodyArgs[0] + ", " +
                    E.SizeText + ", " + Define->BodyArgs[1] + ", " +
                    Define->BodyArgs[2] + ")";
  step(Action::Remove, D.InBody, V.Name, D.InBody);
  if (Options.Naive) {
    step(Action::Remove, S.Name, apiName(S.Function), S.Statement);
    note(S.Statement, "nothing is created here any more: see whether what is "
                      "left of the function can go");
    return true;
  }
  Step &Create =
      step(Action::Rewrite, S.Name, apiName(S.Function), S.Statement);
  Create.Text = "kmalloc_obj_cache(" + Define->BodyArgs[0] + ");";
  Create.CallCache = true;
  return true;
}

void CachePlanner::decide() {
  if (V.Scope == VarScope::Field)
    E.Form = TypeForm::Dynamic;
  const Site *Created = nullptr;
  for (const Site *S : Sites) {
    if (S->Function == Api::ObjcachePopulateLinear ||
        S->Function == Api::ObjcacheReclaimlist)
      refuse(S->Name, std::string(apiName(S->Function)) +
                          "() has no counterpart in this version");
    if (!isCreation(S->Function))
      continue;
    if (Created)
      refuse(S->Name, V.Name + " is created in several places");
    Created = S;
  }
  if (!Created)
    refuse(E.Where, "the creation of " + V.Name + " was not seen");
  if (Created)
    creation(*Created);
  for (const Site *S : Sites)
    if (isAllocation(S->Function)) {
      nameInBody(allocation(*S), *S);
    } else {
      if (S->Function == Api::ObjcacheDtor && FreshZero)
        refuse(S->Name, "objcache_dtor() of a cache whose fresh objects are "
                        "zero: kmalloc_obj() would hand the object out again "
                        "as it is");
      releaseSteps(*S);
    }
  E.Reserve = 0;
  E.WantReserve = false;
  if (Options.Naive && E.Constructed)
    refuse(Created->Name, "its constructor or limit needs the shims, which "
                          "the naive conversion goes without");
}
