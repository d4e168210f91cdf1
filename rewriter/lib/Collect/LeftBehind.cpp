/* SPDX-License-Identifier: BSD-3-Clause */
//===- LeftBehind.cpp - What statements that go leave behind --------------===//
//
// A conversion takes statements away: destructions, limits, tests of what
// cannot fail any more. A function of which nothing is left, a local that only
// they looked at and a label that nothing jumps to go with them, if all that
// there is of them is known. A last walk over the unit finds that out; what
// goes is for the plan to say.
//
//===----------------------------------------------------------------------===//

#include "FactVisitor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace kmobj;
using namespace clang;

/// The function at hand loses statements: what it leaves is looked at later.
void FactVisitor::losesStatements(const Provenance &From) {
  if (!Function || From.Kind == Provenance::Body)
    return;
  Losing.insert(Function->getCanonicalDecl());
}

namespace {
struct Returned : RecursiveASTVisitor<Returned> {
  std::vector<const ReturnStmt *> Found;
  bool VisitReturnStmt(ReturnStmt *S) {
    Found.push_back(S);
    return true;
  }
};
} // namespace

void FactVisitor::losingFunction(const FunctionDecl *F) {
  const FunctionDecl *Canonical = F->getCanonicalDecl();
  const bool External = F->getFormalLinkage() == Linkage::External;
  if (!Losing.count(Canonical) || (External && F->isInlineSpecified()) ||
      F->getLocation().isMacroID() || !Spell.SM.isInMainFile(F->getLocation()))
    return;
  Spelled Name = Spell.expansion(F->getLocation());
  Span At = Spell.range(F->getSourceRange(), {}, true);
  if (!Name || !At)
    return;
  // What a macro that expands to nothing says in front of it.
  const std::vector<TextToken> &T = Name.Text->tokens();
  size_t First = Name.Text->tokenAt(At.Begin);
  while (First > 0 && T[First - 1].Kind == TextToken::Identifier &&
         !T[First - 1].Directive && !T[First].LineStart)
    --First;
  At = Name.Text->span(T[First].Begin, At.End);
  LosingFunction &Of = Functions[Canonical];
  Of.Name = F->getName().str();
  Of.External = External;
  if (!F->doesThisDeclarationHaveABody()) {
    Of.Declarations.push_back(std::move(At));
    return;
  }
  Of.Definition = std::move(At);
  if (const auto *Body = dyn_cast<CompoundStmt>(F->getBody()))
    for (const Stmt *S : Body->body())
      Of.Body.push_back(Spell.range(S->getSourceRange(), {}, true));
  Returned All;
  All.TraverseStmt(F->getBody());
  for (const ReturnStmt *S : All.Found) {
    LosingFunction::Return R;
    R.Text = Spell.range(S->getSourceRange(), {}, true);
    const Expr *Value = S->getRetValue();
    Expr::EvalResult Number;
    if (Value && !F->getReturnType()->isVoidType()) {
      if (F->getReturnType()->isPointerType() && isNull(Value))
        R.Value = "NULL";
      else if (Value->EvaluateAsInt(Number, Context))
        R.Value = llvm::toString(Number.Val.getInt(), 10);
    }
    Of.Returns.push_back(std::move(R));
  }
}

/// SYSINIT(name, sub, order, function, argument);
static Span initOf(const FileText &Text, uint32_t Offset) {
  std::optional<WrittenCall> Call = Text.callAt(Offset);
  if (!Call)
    return {};
  const llvm::StringRef Macro = Text.text(Call->Name);
  const size_t Behind = Text.tokenAt(Call->Call.End);
  if ((Macro != "SYSINIT" && Macro != "SYSUNINIT") || !Text.is(Behind, ";"))
    return {};
  return Text.span(Call->Call.Begin, Text.tokens()[Behind].End);
}

void FactVisitor::functionUse(const DeclRefExpr *E, const FunctionDecl *F) {
  const FunctionDecl *Canonical = F->getCanonicalDecl();
  if (!Losing.count(Canonical))
    return;
  LosingFunction &Of = Functions[Canonical];
  Spelled At = Spell.spell(E->getLocation());
  if (!Function) {
    Spelled X = Spell.expansion(E->getLocation());
    if (Span Init = X ? initOf(*X.Text, X.Offset) : Span())
      Of.Inits.push_back(std::move(Init));
    return;
  }
  const size_t Level = statementLevel();
  const auto *Call = Level ? dyn_cast<CallExpr>(Stack[Level]) : nullptr;
  if (!At || At.From.Kind == Provenance::Body || !Call ||
      Call->getCallee()->IgnoreParenImpCasts() != E ||
      llvm::any_of(Call->arguments(),
                   [&](const Expr *A) { return A->HasSideEffects(Context); })) {
    Of.Tests.push_back(Spell.name(E->getLocation()));
    return;
  }
  if (Span S = statement(Call, Level - 1, At.From))
    Of.Calls.push_back(std::move(S));
}

/// The locals that an assignment, or one in the value of another, gives a value
/// to; nothing if the expression does more than that.
static std::optional<std::set<const VarDecl *>> setsOf(const Expr *E,
                                                       ASTContext &Context) {
  std::set<const VarDecl *> Out;
  E = E->IgnoreParenCasts();
  auto Add = [&](const Expr *Target) {
    const auto *Ref = dyn_cast<DeclRefExpr>(Target->IgnoreParens());
    const auto *V = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
    if (!V || !V->hasLocalStorage() || V->getType().isVolatileQualified())
      return false;
    Out.insert(V);
    return true;
  };
  if (const auto *Op = dyn_cast<UnaryOperator>(E);
      Op && Op->isIncrementDecrementOp() && Add(Op->getSubExpr()))
    return Out;
  const auto *Op = dyn_cast<BinaryOperator>(E);
  if (!Op || !Op->isAssignmentOp() || !Add(Op->getLHS()))
    return std::nullopt;
  if (!Op->getRHS()->HasSideEffects(Context))
    return Out;
  auto Inner = setsOf(Op->getRHS(), Context);
  if (!Inner)
    return std::nullopt;
  Out.insert(Inner->begin(), Inner->end());
  return Out;
}

void FactVisitor::local(const VarDecl *V) {
  if (!Function || !Losing.count(Function->getCanonicalDecl()) ||
      !V->isLocalVarDecl() || V->isStaticLocal() || kindOf(V))
    return;
  Variable Out;
  Out.Key = keyOf(V);
  Out.Name = V->getName().str();
  Out.Kind = VarKind::Plain;
  Out.Scope = VarScope::Local;
  Out.Type = V->getType().getAsString();
  Declaration D = declarationOf(V);
  D.Function = Spell.range(Function->getSourceRange(), {}, false);
  // `struct pair { int a; } *p', which others may know the structure from.
  const FileText *Text = Store.get(D.Statement.File);
  const bool Defines =
      !Text || StringRef(Text->spelling(D.Statement)).contains('{');
  Out.Declarations.push_back(std::move(D));
  this->Out.Variables.push_back(std::move(Out));
  // What is made in a way that does more stays.
  const bool Simple = !Defines && V->getType()->isScalarType() &&
                      !V->getType().isVolatileQualified() && !V->hasAttrs() &&
                      !V->getLocation().isMacroID() &&
                      (!V->getInit() || !V->getInit()->HasSideEffects(Context));
  if (Simple)
    return;
  Use U;
  U.Var = keyOf(V);
  U.What = Role::Look;
  U.Name = U.Expr = Spell.name(V->getLocation());
  this->Out.Uses.push_back(std::move(U));
}

void FactVisitor::localUse(const DeclRefExpr *E, const VarDecl *V) {
  if (!Function || !Losing.count(Function->getCanonicalDecl()) ||
      !V->isLocalVarDecl() || V->isStaticLocal() || kindOf(V))
    return;
  Use U;
  U.Var = keyOf(V);
  U.What = Role::Look;
  Spelled At = Spell.spell(E->getLocation());
  U.From = At.From;
  U.Name = U.Expr = Spell.name(E->getLocation());
  U.InFunction = Function->getName().str();
  if (const size_t Level = statementLevel()) {
    const auto *Whole = dyn_cast<Expr>(Stack[Level]);
    const auto Sets = Whole ? setsOf(Whole, Context) : std::nullopt;
    U.WholeStatement = Sets && At.From.Kind == Provenance::Plain;
    U.Statement = U.WholeStatement ? statement(Stack[Level], Level - 1, At.From)
                                   : Spell.range(Stack[Level]->getSourceRange(),
                                                 At.From, true);
    // On the left of an assignment, not of a comparison.
    size_t Up = Stack.size() - 1;
    const Stmt *P = parent(Up);
    const auto *Op = dyn_cast_or_null<BinaryOperator>(P);
    const auto *Step = dyn_cast_or_null<UnaryOperator>(P);
    const bool Target =
        (Op && Op->isAssignmentOp() && Op->getLHS()->IgnoreParens() == E) ||
        (Step && Step->isIncrementDecrementOp());
    if (U.WholeStatement && Target && Sets->count(V))
      U.What = Role::Set;
  }
  Out.Uses.push_back(std::move(U));
}

namespace {
struct Jumps : RecursiveASTVisitor<Jumps> {
  const LabelDecl *To;
  std::vector<const GotoStmt *> Found;
  bool Taken = false; ///< its address is
  explicit Jumps(const LabelDecl *To) : To(To) {}
  bool VisitGotoStmt(GotoStmt *S) {
    if (S->getLabel() == To)
      Found.push_back(S);
    return true;
  }
  bool VisitAddrLabelExpr(AddrLabelExpr *E) {
    Taken |= E->getLabel() == To;
    return true;
  }
};

bool hasLabel(const Stmt *S) {
  return isa<LabelStmt, SwitchCase>(S) ||
         llvm::any_of(S->children(),
                      [](const Stmt *C) { return C && hasLabel(C); });
}
} // namespace

/// `if (z == NULL) goto fail;': where that leads.
void FactVisitor::label(NullCheck &C, const IfStmt *If) {
  const Stmt *Then = If->getThen();
  if (const auto *Block = dyn_cast<CompoundStmt>(Then);
      Block && Block->size() == 1)
    Then = Block->body_front();
  const auto *Jump = dyn_cast<GotoStmt>(Then);
  const auto *Body =
      Function ? dyn_cast_or_null<CompoundStmt>(Function->getBody()) : nullptr;
  if (!Jump || !Body)
    return;
  C.Label = Jump->getLabel()->getName().str();
  auto At = llvm::find_if(Body->body(), [&](const Stmt *S) {
    const auto *L = dyn_cast<LabelStmt>(S);
    return L && L->getDecl() == Jump->getLabel();
  });
  if (At == Body->body_begin() || At == Body->body_end())
    return;
  const auto *Before = dyn_cast<ReturnStmt>(*std::prev(At));
  // Nothing else leads there or further down.
  if (!Before || hasLabel(cast<LabelStmt>(*At)->getSubStmt()) ||
      std::any_of(std::next(At), Body->body_end(), hasLabel))
    return;
  Jumps J(Jump->getLabel());
  J.TraverseStmt(const_cast<CompoundStmt *>(Body));
  if (J.Taken)
    return;
  Label L;
  L.Name = C.Label;
  L.InFunction = Function->getName().str();
  const bool ReturnGoes = !Before->getRetValue();
  L.Rest = Spell.range(SourceRange((ReturnGoes ? Before : *At)->getBeginLoc(),
                                   Body->body_back()->getEndLoc()),
                       {}, true);
  for (const GotoStmt *G : J.Found)
    L.Jumps.push_back(Spell.range(G->getSourceRange(), {}, true));
  if (L.Rest && llvm::all_of(L.Jumps, [](const Span &S) { return S.valid(); }))
    Out.Labels.push_back(std::move(L));
}

/// What the blocks around the expression on top of the stack declare.
std::vector<std::string> FactVisitor::localNames() const {
  std::set<std::string> Found;
  auto Add = [&](const Decl *D) {
    const auto *Named = dyn_cast<NamedDecl>(D);
    if (!Named || !Named->getIdentifier())
      return;
    const auto *Tag = dyn_cast<TagDecl>(Named);
    Found.insert((Tag ? Tag->getKindName().str() + " " : "") +
                 Named->getName().str());
  };
  auto AddAll = [&](const Stmt *S) {
    if (const auto *Declares = dyn_cast_or_null<DeclStmt>(S))
      for (const Decl *D : Declares->decls()) {
        Add(D);
        if (const auto *E = dyn_cast<EnumDecl>(D))
          for (const EnumConstantDecl *C : E->enumerators())
            Add(C);
      }
  };
  if (Function)
    for (const ParmVarDecl *P : Function->parameters())
      Add(P);
  for (size_t I = 0; I + 1 < Stack.size(); ++I) {
    if (const auto *For = dyn_cast<ForStmt>(Stack[I]))
      AddAll(For->getInit());
    if (const auto *Block = dyn_cast<CompoundStmt>(Stack[I]))
      for (const Stmt *S : Block->body()) {
        AddAll(S);
        if (S == Stack[I + 1])
          break;
      }
  }
  return {Found.begin(), Found.end()};
}

/// What sizes may be written with, as this unit has it.
void FactVisitor::namedSizes(const std::set<std::string> &Names) {
  if (llvm::none_of(Out.Sites, [](const Site &S) {
        return isAllocation(S.Function) || isCreation(S.Function);
      }))
    return;
  for (const std::string &Name : Names) {
    const auto [Kind, Tag] = llvm::StringRef(Name).split(' ');
    IdentifierInfo &Id = Context.Idents.get(Tag.empty() ? Kind : Tag);
    std::optional<int64_t> Value;
    if (Tag.empty())
      if (const auto Known = constantOf(&Id))
        Value = *Known;
    for (const NamedDecl *D :
         Context.getTranslationUnitDecl()->lookup(DeclarationName(&Id))) {
      QualType T;
      if (const auto *Of = dyn_cast<TagDecl>(D); Of && !Tag.empty())
        T = Context.getTagDeclType(Of);
      if (const auto *Of = dyn_cast<TypedefNameDecl>(D); Of && Tag.empty())
        T = Of->getUnderlyingType();
      if (!T.isNull() && !T->isIncompleteType() && !T->isFunctionType() &&
          !T->isDependentType() && !T->isVoidType())
        Value = Context.getTypeSizeInChars(T).getQuantity();
    }
    if (Value)
      Out.NamedSizes.push_back({Name, std::to_string(*Value), {}, {}});
  }
}
