/* SPDX-License-Identifier: BSD-3-Clause */
//===- Build.h - Facts made by hand ---------------------------------------===//
//
// Writes facts as the collector would, for code that is described rather than
// parsed. Each place gets a line of its own; a line is 100 bytes wide.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_UNITTESTS_PLAN_BUILD_H
#define KMOBJ_UNITTESTS_PLAN_BUILD_H

#include "kmobj/Plan.h"

namespace kmobj::test {

inline Span at(unsigned Line, unsigned Begin = 0, unsigned End = 90,
               const std::string &File = "vm/a.c") {
  return {File, Line * 100 + Begin, Line * 100 + End, Line, Begin + 1};
}

inline Argument arg(const Span &Where, std::string Text,
                    std::optional<int64_t> Value = std::nullopt) {
  Argument A;
  A.Text = Where;
  A.Spelling = std::move(Text);
  A.Value = Value;
  if (A.Spelling == "NULL")
    A.IsNull = true;
  if (A.Spelling.size() > 1 && A.Spelling[0] == '"') {
    A.IsString = true;
    A.String = A.Spelling.substr(1, A.Spelling.size() - 2);
  }
  if (!Value && !A.IsNull && !A.IsString)
    A.Variables = {A.Spelling};
  return A;
}

class Builder {
public:
  Facts F;

  Builder() { F.Tree = "/sys"; }

  Variable &variable(const std::string &Name, unsigned Line,
                     VarKind Kind = VarKind::Zone) {
    Variable V;
    V.Key = V.Name = Name;
    V.Kind = Kind;
    Declaration D;
    D.Statement = at(Line);
    D.Name = at(Line, 20, 20 + Name.size());
    D.Declarator = D.Name;
    D.Static = D.Definition = true;
    V.Declarations.push_back(D);
    F.Variables.push_back(V);
    return F.Variables.back();
  }

  Use &use(const std::string &Var, unsigned Line, Role What,
           unsigned Column = 10) {
    Use U;
    U.Var = Var;
    U.What = What;
    U.Name = U.Expr = at(Line, Column, Column + 5);
    U.Statement = at(Line);
    U.WholeStatement = true;
    F.Uses.push_back(U);
    block(U.Statement);
    return F.Uses.back();
  }

  /// `Function(Args...)` on Zone; arguments are ten bytes each.
  Site &site(Api Function, const std::string &Zone, unsigned Line,
             std::vector<std::pair<std::string, std::optional<int64_t>>> Args) {
    Site S;
    S.Function = Function;
    S.Zone = S.ZoneSpelling = Zone;
    S.Name = at(Line, 8, 9);
    S.Call = at(Line, 8, 80);
    S.Statement = at(Line);
    S.WholeStatement = true;
    unsigned Column = 10;
    for (auto &[Text, Value] : Args) {
      S.Args.push_back(arg(at(Line, Column, Column + 9), Text, Value));
      Column += 10;
    }
    bool Assigned = Function == Api::Zinit ||
                    (isCreation(Function) && !isZoneApi(Function));
    Use &U = use(Zone, Line, Assigned ? Role::CreateTarget : Role::SiteZone,
                 Assigned ? 0 : 10);
    (void)U;
    S.ZoneText = at(Line, 10, 15);
    F.Sites.push_back(S);
    return F.Sites.back();
  }

  /// A zone as SWAPMETA: created at line 10, used at 20 and 30, or After those.
  void interruptZone(const std::string &Name = "z",
                     const std::string &Title = "\"ITEM\"",
                     unsigned After = 0) {
    variable(Name, After + 1);
    site(Api::Zinit, Name, After + 10,
         {{Title, {}},
          {"sizeof(struct item)", 64},
          {"n", {}},
          {"ZONE_INTERRUPT", 1}});
    site(Api::Zalloc, Name, After + 20, {{Name, {}}}).NullChecked = true;
    site(Api::Zfree, Name, After + 30, {{Name, {}}, {"p", {}}});
  }

  /// A plain cache on a malloc type that is defined at line 2.
  Site &simpleCache(const std::string &Name = "foo_cache",
                    const std::string &Type = "M_FOO") {
    variable(Type, 2, VarKind::MallocType);
    F.Variables.back().Declarations.back().Static = false;
    MallocDefine M;
    M.Key = M.Name = Type;
    M.Macro = "MALLOC_DEFINE";
    M.Statement = at(2);
    M.Call = at(2, 0, 89);
    M.Args = {at(2, 14, 19), at(2, 21, 26), at(2, 28, 40)};
    M.ArgTexts = {Type, "\"foo\"", "\"foo things\""};
    F.MallocDefines.push_back(M);
    F.Identifiers.push_back({Type, {"vm/a.c"}});
    variable(Name, 3, VarKind::Cache);
    site(Api::ObjcacheGet, Name, 20, {{Name, {}}, {"M_WAITOK", 2}});
    site(Api::ObjcachePut, Name, 30, {{Name, {}}, {"p", {}}});
    use(Type, 10, Role::SiteArgument, 12);
    Site &S = site(Api::ObjcacheCreateSimple, Name, 10,
                   {{Type, {}}, {"sizeof(struct foo)", 48}});
    S.Args[0].Var = Type;
    return S;
  }

  /// A statement between others.
  void block(const Span &Text) {
    Statement S;
    S.Text = Text;
    F.Statements.push_back(S);
  }

  /// One configuration, unless a test has said more.
  void evaluate() {
    auto Only = [](Evaluations &Of, std::optional<int64_t> Value) {
      if (Of.size() <= 1)
        Of = {{Value ? std::to_string(*Value) : "", "conf", "vm/a.c"}};
    };
    for (Site &S : F.Sites)
      for (Argument &A : S.Args)
        Only(A.Values, A.Value);
    for (Use &U : F.Uses)
      Only(U.Values, U.Value);
    for (Variable &V : F.Variables)
      for (ArgsMember &M : V.Members)
        Only(M.Values, M.Value);
  }

  Plan plan(PlanOptions Options = {}) {
    evaluate();
    F.normalize();
    return makePlan(F, Options);
  }
};

inline const Step *stepOf(const PlanEntry &E, Action Do) {
  for (const Step &S : E.Steps)
    if (S.Do == Do)
      return &S;
  return nullptr;
}

inline bool refusedFor(const PlanEntry &E, llvm::StringRef Text) {
  for (const Remark &R : E.Reasons)
    if (llvm::StringRef(R.str()).contains(Text))
      return !E.Convert && !E.Convertible;
  return false;
}

} // namespace kmobj::test

#endif // KMOBJ_UNITTESTS_PLAN_BUILD_H
