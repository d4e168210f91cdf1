/* SPDX-License-Identifier: BSD-3-Clause */
#include "Expectations.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

void Expectations::setUp(const Span &S, std::vector<Expected> Calls) {
  std::vector<std::string> New;
  for (Expected &C : Calls) {
    append_range(New, std::vector<std::string>{"@" + C.Name, ";"});
    C.At = S.Begin;
    Files[S.File].Calls.push_back(std::move(C));
  }
  if (New.empty())
    New.push_back(Gone.str());
  if (New.size() > 2) {
    // One statement still, where an if has no braces.
    New.insert(New.begin(), "{");
    New.push_back("}");
  }
  replace(S, std::move(New));
}

void Expectations::free(const PlanEntry &E, const Step &S,
                        const std::string &Name) {
  Span Object;
  if (const Site *At = F.siteAt(S.At)) {
    if (At->Args.size() == 2)
      Object = At->Args[1].Text;
  } else {
    for (const Mention &M : F.Mentions)
      if (M.Call == S.Replace && M.Args.size() == 2)
        Object = M.Args[1];
  }
  if (!Object.valid())
    return;
  Span Head = S.Replace, Tail = S.Replace;
  Head.End = Object.Begin;
  Tail.Begin = Object.End;
  replace(Head, {"@" + Name, "("});
  replace(Tail, {")"});
  Files[S.Replace.File].Calls.push_back(
      {Name, {"", type(E, S)}, S.Replace.Begin});
}

void Expectations::step(const PlanEntry &E, const Step &S) {
  const std::string Type = type(E, S);
  for (const Span &Dead : S.AlsoRemove)
    setUp(Dead, {});
  switch (S.Do) {
  case Action::Alloc: {
    Expected C{E.Constructed ? "kmalloc_cobj" : "kmalloc_obj",
               {Type, S.Flags},
               S.Replace.Begin};
    if (!E.Constructed)
      C.Args.insert(C.Args.begin(), S.Size.empty() ? E.SizeText : S.Size);
    replace(S.Replace, {"@" + C.Name});
    Files[S.Replace.File].Calls.push_back(std::move(C));
    return;
  }
  case Action::Free:
    return free(E, S, E.Constructed ? "kfree_cobj" : "kfree_obj");
  case Action::FreeDtor:
    return free(E, S, E.Constructed ? "kfree_cobj_dtor" : "kfree_obj");
  case Action::BootInit: {
    if (!E.Bootstrap)
      return setUp(S.Replace, {});
    const std::string Memory = E.ItemsStatic ? E.Type + "_bootslabs" : S.Memory;
    return setUp(S.Replace,
                 {{"kmalloc_obj_bootinit",
                   {E.Type, Memory,
                    E.ItemsStatic ? "sizeof(" + Memory + ")" : S.Bytes}}});
  }
  case Action::Create: {
    std::vector<Expected> Calls;
    if (S.CallCreate)
      Calls.push_back({"kmalloc_create_obj", {"&" + Type, S.Name, E.SizeText}});
    if (E.raisesLimit(S))
      Calls.push_back({"kmalloc_obj_raise_limit", {Type, S.Limit}});
    if (S.CallReserve && E.WantReserve)
      Calls.push_back({"kmalloc_obj_reserve",
                       {Type, std::to_string(E.Reserve), S.Objects}});
    if (S.CallCache)
      Calls.push_back({"kmalloc_obj_cache", {Type}});
    if (S.CallCtor)
      Calls.push_back({"kmalloc_obj_ctor",
                       {Type, S.Ctor, S.Dtor, S.Private, S.MaxOut, S.Nominal}});
    return setUp(S.Replace, std::move(Calls));
  }
  case Action::Destroy:
    if (E.Form == TypeForm::Dynamic)
      return setUp(S.Replace, {{"kmalloc_destroy_obj", {"&" + Type}}});
    if (E.Constructed)
      return setUp(S.Replace, {{"kmalloc_obj_unctor", {E.Type}}});
    return setUp(S.Replace, {});
  case Action::Remove:
    return setUp(S.Replace, {});
  case Action::Resize:
    if (E.Bootstrap)
      return replace(S.Replace, lexed(S.Bytes));
    goes(E.Items);
    return setUp(S.Statement, {});
  case Action::SetLimit:
    replace(S.Replace, {"@kmalloc_obj_set_limit"});
    Files[S.Replace.File].Calls.push_back(
        {"kmalloc_obj_set_limit", {Type, S.MaxOut}, S.Replace.Begin});
    return;
  case Action::TestNull:
  case Action::AssignNull: {
    const auto U =
        find_if(F.Uses, [&](const Use &U) { return U.Name.id() == S.At; });
    if (U != F.Uses.end())
      replace(U->Name, {E.Variable + "_obj"});
    return;
  }
  case Action::Reclaim:
    replace(S.Replace, {"kmalloc_obj_reclaimlist"});
    if (const Site *At = F.siteAt(S.At); At && At->Args.size() > 2) {
      Span Flags = At->Args[2].Text;
      Flags.Begin = At->Args[1].Text.End;
      replace(Flags, {});
    }
    return;
  case Action::Name:
    return replace(S.Replace,
                   {(E.Form == TypeForm::Dynamic ? E.Variable : E.Type) +
                    (S.Bare ? "" : "_obj")});
  case Action::Rewrite:
    return replace(S.Replace, lexed(S.Text));
  }
}

void Expectations::goes(StringRef VariableKey) {
  if (const Variable *V = F.variable(VariableKey))
    for (const Declaration &D : V->Declarations)
      if (!D.InBody.valid())
        replace(D.Declarators == 1 ? D.Statement : D.Declarator, {Gone.str()});
}

void Expectations::mallocDefineGoes(StringRef Key) {
  for (const MallocDefine &M : F.MallocDefines)
    if (M.Key == Key && !M.InBody.valid())
      replace(M.Statement, {Gone.str()});
}

/// `vm_zone_t z' -> struct malloc_type * z_obj
void Expectations::becomesType(const Declaration &D, const std::string &Name) {
  std::vector<std::string> Type{"struct", "malloc_type"};
  if (D.Declarator.Begin == D.Name.Begin)
    Type.push_back("*");
  replace(D.Type, std::move(Type));
  if (D.Name.Begin != D.Name.End)
    replace(D.Name, {Name});
}

void Expectations::declarations(const PlanEntry &E) {
  for (const std::string &Key : E.Carriers)
    if (const Variable *C = F.variable(Key))
      for (const Declaration &D : C->Declarations)
        becomesType(D, C->IsArray ? C->Name : C->Name + "_obj");
  const Variable *V = F.variable(E.Key);
  if (!V || E.InPool)
    return;
  if (!E.ArgsVariable.empty())
    goes(E.ArgsVariable);
  if (E.Form == TypeForm::Dynamic) {
    for (const Declaration &D : V->Declarations) {
      const std::string Name = E.Variable + "_obj";
      Span Head = D.Declarator;
      Head.End = D.Name.End;
      if (D.Declarators == 1)
        becomesType(D, Name);
      else
        replace(Head, {Apart.str(), "struct", "malloc_type", "*", Name});
    }
    return;
  }
  goes(E.Key);
  // zone = &store, and the items that it was booted with.
  for (const Declaration &D : V->Declarations)
    goes(D.InitStore);
  for (const Use *U : F.usesOf(E.Key))
    if (U->What == Role::StoreAssign)
      goes(U->Other);
  if (E.ItemsStatic)
    goes(E.Items);
  if (E.Form == TypeForm::Redefine)
    mallocDefineGoes(E.MallocDefine);
}

void Expectations::leftover(const Leftover &L) {
  for (const Span &S : L.Statements)
    setUp(S, {});
  for (const Span &S : L.Text)
    replace(S, {Gone.str()});
  for (const std::string &Key : L.Variables)
    goes(Key);
  if (!L.MallocDefine.empty())
    mallocDefineGoes(L.MallocDefine);
}

void Expectations::entry(const PlanEntry &E) {
  declarations(E);
  for (const Step &S : E.Steps)
    step(E, S);
}

} // namespace kmobj
