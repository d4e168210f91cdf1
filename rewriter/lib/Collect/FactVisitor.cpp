/* SPDX-License-Identifier: BSD-3-Clause */
//===- FactVisitor.cpp - Sites and uses -----------------------------------===//

#include "FactVisitor.h"
#include "TreeIndex.h"

using namespace kmobj;
using namespace clang;

void FactVisitor::run() {
  TraverseDecl(Context.getTranslationUnitDecl());
  if (Items.empty())
    return;
  ItemsPass = true;
  TraverseDecl(Context.getTranslationUnitDecl());
}

bool FactVisitor::TraverseStmt(Stmt *S) {
  if (!S)
    return true;
  Stack.push_back(S);
  bool Go = Base::TraverseStmt(S);
  Stack.pop_back();
  return Go;
}

bool FactVisitor::TraverseFunctionDecl(FunctionDecl *F) {
  const FunctionDecl *Saved = Function;
  Function = F;
  bool Go = Base::TraverseFunctionDecl(F);
  Function = Saved;
  return Go;
}

bool FactVisitor::TraverseVarDecl(VarDecl *V) {
  const VarDecl *Saved = Initialised;
  Initialised = V;
  bool Go = Base::TraverseVarDecl(V);
  Initialised = Saved;
  return Go;
}

bool FactVisitor::isNull(const Expr *E) const {
  return E->IgnoreParenCasts()->isNullPointerConstant(
             Context, Expr::NPC_ValueDependentIsNotNull) != Expr::NPCK_NotNull;
}

bool FactVisitor::isSubStatement(const Stmt *Parent, const Stmt *S) {
  if (isa<CompoundStmt>(Parent))
    return true;
  if (const auto *If = dyn_cast<IfStmt>(Parent))
    return S == If->getThen() || S == If->getElse();
  if (const auto *W = dyn_cast<WhileStmt>(Parent))
    return S == W->getBody();
  if (const auto *D = dyn_cast<DoStmt>(Parent))
    return S == D->getBody();
  if (const auto *F = dyn_cast<ForStmt>(Parent))
    return S == F->getBody();
  if (const auto *W = dyn_cast<SwitchStmt>(Parent))
    return S == W->getBody();
  if (const auto *L = dyn_cast<LabelStmt>(Parent))
    return S == L->getSubStmt();
  if (const auto *C = dyn_cast<SwitchCase>(Parent))
    return S == C->getSubStmt();
  if (const auto *A = dyn_cast<AttributedStmt>(Parent))
    return S == A->getSubStmt();
  return false;
}

size_t FactVisitor::statementLevel() const {
  for (size_t I = Stack.size(); I-- > 1;)
    if (isSubStatement(Stack[I - 1], Stack[I]))
      return I;
  return 0;
}

const Stmt *FactVisitor::parent(size_t &Level) const {
  while (Level > 0) {
    const Stmt *P = Stack[--Level];
    if (!isa<ParenExpr, CastExpr>(P))
      return P;
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Uses
//===----------------------------------------------------------------------===//

bool FactVisitor::VisitDeclRefExpr(DeclRefExpr *E) {
  // Taking an API function's address instead of calling it.
  if (const auto *F = dyn_cast<FunctionDecl>(E->getDecl()); F && !ItemsPass)
    if (std::optional<Api> A = apiOf(F)) {
      size_t Level = Stack.size() - 1;
      const auto *Call = dyn_cast_or_null<CallExpr>(parent(Level));
      if (!Call || Call->getCallee()->IgnoreParenImpCasts() != E) {
        Spelled At = Spell.spell(E->getLocation());
        if (!At || isApiFile(At.Text->path()))
          return true;
        Site S;
        S.Function = *A;
        S.Name = S.Call = Spell.name(E->getLocation());
        S.From = At.From;
        S.Trouble = "is not called here but passed on as a function pointer";
        Out.Sites.push_back(std::move(S));
      }
      return true;
    }
  reference(E, E->getDecl(), E->getLocation());
  return true;
}

bool FactVisitor::VisitMemberExpr(MemberExpr *E) {
  reference(E, E->getMemberDecl(), E->getMemberLoc());
  return true;
}

void FactVisitor::reference(const Expr *E, const ValueDecl *D,
                            SourceLocation NameLoc) {
  std::string Key = track(D);
  if (Key.empty())
    return;
  Use U;
  U.Var = Key;
  Spelled At = Spell.spell(NameLoc);
  U.From = At.From;
  U.Name = Spell.name(NameLoc);
  U.Expr = Spell.spelledRange(E->getSourceRange());
  if (!U.Expr)
    U.Expr = U.Name;
  if (Function)
    U.InFunction = Function->getName().str();
  if (!Stack.empty()) {
    size_t Level = statementLevel();
    if (Level > 0)
      U.Statement = Spell.range(Stack[Level]->getSourceRange(), At.From, true);
  }
  if (!At) {
    U.What = Role::Escape;
    U.Detail = "its name is pasted together by a macro";
    Spelled X = Spell.expansion(NameLoc);
    if (X)
      U.Name = U.Expr = X.Text->span(X.Offset, X.Offset);
  } else if (isApiFile(At.Text->path())) {
    return;
  } else {
    classify(U, E, D);
  }
  if (U.What != Role::Escape && U.What != Role::FlagsOr)
    U.Detail.clear();
  std::optional<VarKind> Kind = kindOf(D);
  if (Kind == VarKind::MallocType && U.What == Role::Escape) {
    // The definition's own machinery is not a use.
    Spelled X = Spell.expansion(NameLoc);
    if (X && NameLoc.isMacroID())
      for (const MallocDefine &M : Out.MallocDefines)
        if (M.Key == Key && M.Call.contains(X.Text->path(), X.Offset))
          return;
    U.What = Role::TypeUse;
  }
  Out.Uses.push_back(std::move(U));
}

void FactVisitor::classify(Use &U, const Expr *E, const ValueDecl *D) {
  size_t Level = Stack.size() - 1;
  bool AddressOf = false;
  const Stmt *Child = E;
  const Stmt *P = parent(Level);
  if (const auto *Op = dyn_cast_or_null<UnaryOperator>(P);
      Op && Op->getOpcode() == UO_AddrOf) {
    AddressOf = true;
    Child = Op;
    if (Span Whole = Spell.spelledRange(Op->getSourceRange()))
      U.Expr = Whole;
    P = parent(Level);
  }
  U.What = Role::Escape;
  U.Detail = AddressOf ? "its address is taken" : "it is used in another way";
  if (const Stmt *Direct = Level + 1 < Stack.size() ? Stack[Level + 1] : E)
    Child = Direct;

  if (!P) {
    if (Initialised && Initialised->getInit()) {
      std::string Key = track(Initialised);
      if (!Key.empty() && AddressOf && kindOf(Initialised) == VarKind::Zone) {
        U.What = Role::StoreAssign;
        U.Other = Key;
      } else {
        U.Detail = "it initialises " + Initialised->getName().str();
      }
    }
    return;
  }
  if (isa<InitListExpr>(P)) {
    if (Initialised && kindOf(Initialised) == VarKind::CacheArgs &&
        kindOf(D) == VarKind::MallocType) {
      U.What = Role::Init;
      U.Other = keyOf(Initialised);
    } else {
      U.Detail = "it is put into an initialiser";
    }
    return;
  }
  if (const auto *Call = dyn_cast<CallExpr>(P)) {
    for (unsigned I = 0; I < Call->getNumArgs(); ++I)
      if (Call->getArg(I) == Child)
        return asArgument(U, Call, I, AddressOf);
    return;
  }
  if (const auto *Op = dyn_cast<BinaryOperator>(P))
    return asOperand(U, Op, dyn_cast<Expr>(Child), AddressOf);
  if (const auto *Member = dyn_cast<MemberExpr>(P))
    return asMemberBase(U, Member, Level);
  if (isa<ReturnStmt>(P)) {
    U.Detail = "it is returned";
    return;
  }
  if (isa<DeclStmt>(P)) {
    U.Detail = Initialised && Initialised->getInit()
                   ? "it initialises " + Initialised->getName().str()
                   : U.Detail;
    return;
  }
  const auto *Not = dyn_cast<UnaryOperator>(P);
  bool Condition =
      isa<IfStmt, WhileStmt, DoStmt, ForStmt>(P) && !isSubStatement(P, Child);
  if (const auto *Sel = dyn_cast<ConditionalOperator>(P))
    Condition = Sel->getCond() == Child;
  if (!AddressOf && (Condition || (Not && Not->getOpcode() == UO_LNot)))
    U.What = Role::NullTest;
  if (isa<UnaryExprOrTypeTraitExpr>(P))
    U.Detail = "its size is taken";
  if (isa<ArraySubscriptExpr>(P))
    U.Detail = "it is an element of an array";
}

void FactVisitor::asArgument(Use &U, const CallExpr *Call, unsigned Index,
                             bool AddressOf) {
  const FunctionDecl *Callee = Call->getDirectCallee();
  if (std::optional<Api> A = apiOf(Callee)) {
    bool ZoneFirst = *A != Api::Zinit && *A != Api::ObjcacheReclaimlist &&
                     !(isCreation(*A) && !isZoneApi(*A));
    U.What = ZoneFirst && Index == 0 ? Role::SiteZone : Role::SiteArgument;
    U.Other = std::string(apiName(*A));
    return;
  }
  U.Detail = "it is passed to " +
             (Callee ? Callee->getNameAsString() + "()" : "a function");
  if (AddressOf)
    U.Detail = "its address is passed to " +
               (Callee ? Callee->getNameAsString() + "()" : "a function");
  if (Callee && Index < Callee->getNumParams())
    U.Other = track(Callee->getParamDecl(Index));
}

/// The variable or field that E is, through casts and a leading '&'.
static const ValueDecl *named(const Expr *E, bool *AddressOf = nullptr) {
  E = E->IgnoreParenCasts();
  if (const auto *Op = dyn_cast<UnaryOperator>(E);
      Op && Op->getOpcode() == UO_AddrOf) {
    if (AddressOf)
      *AddressOf = true;
    E = Op->getSubExpr()->IgnoreParens();
  }
  if (const auto *Ref = dyn_cast<DeclRefExpr>(E))
    return Ref->getDecl();
  if (const auto *Member = dyn_cast<MemberExpr>(E))
    return Member->getMemberDecl();
  return nullptr;
}

static const CallExpr *callIn(const Expr *E) {
  return dyn_cast<CallExpr>(E->IgnoreParenCasts());
}

void FactVisitor::asOperand(Use &U, const BinaryOperator *Op, const Expr *Child,
                            bool AddressOf) {
  bool Left = Op->getLHS() == Child;
  const Expr *Other = Left ? Op->getRHS() : Op->getLHS();
  bool Whole = false;
  if (size_t Level = statementLevel())
    if (const auto *E = dyn_cast<Expr>(Stack[Level]))
      Whole = E->IgnoreParens() == Op;
  if (Op->isEqualityOp() && !AddressOf && isNull(Other)) {
    U.What = Role::NullTest;
    return;
  }
  if (Op->isLogicalOp() && !AddressOf) {
    U.What = Role::NullTest;
    return;
  }
  if (Op->getOpcode() == BO_Comma && Left)
    return;
  if (Op->getOpcode() != BO_Assign) {
    U.Detail = "it is an operand of '" + Op->getOpcodeStr().str() + "'";
    return;
  }
  U.WholeStatement = Whole;
  if (!Left) {
    bool Ignored;
    const ValueDecl *To = named(Other, &Ignored);
    std::string Key = To ? track(To) : std::string();
    if (AddressOf && !Key.empty()) {
      U.What = Role::StoreAssign;
      U.Other = Key;
    } else if (const auto *M = dyn_cast<MemberExpr>(Other->IgnoreParenCasts());
               M &&
               recordName(M->getBase()->getType()) == "objcache_malloc_args") {
      const ValueDecl *Args = named(M->getBase());
      U.What = Role::Member;
      U.Other = Args ? track(Args) : std::string();
    } else {
      U.Detail = "it is stored in " +
                 (To ? To->getNameAsString() : std::string("memory"));
    }
    return;
  }
  bool OfAddress = false;
  const ValueDecl *From = named(Other, &OfAddress);
  const CallExpr *Call = callIn(Other);
  const FunctionDecl *Callee = Call ? Call->getDirectCallee() : nullptr;
  if (ItemsPass) {
    U.Detail = "it is assigned in another way";
    if (Callee && Callee->getName().starts_with("kmem_alloc")) {
      U.What = Role::AllocTarget;
      itemMemory(Call, U.Var);
    }
  } else if (std::optional<Api> A = apiOf(Callee); A && isCreation(*A)) {
    U.What = Role::CreateTarget;
  } else if (isNull(Other)) {
    U.What = Role::NullAssign;
  } else if (From && OfAddress && !track(From).empty()) {
    U.What = Role::StoreAssign;
    U.Other = track(From);
  } else {
    U.Detail = "it is assigned in another way";
  }
}

void FactVisitor::asMemberBase(Use &U, const MemberExpr *Member, size_t Level) {
  llvm::StringRef Name = Member->getMemberDecl()->getName();
  U.Detail = "its member " + Name.str() + " is used";
  const auto *Op = dyn_cast_or_null<BinaryOperator>(parent(Level));
  if (!Op || Op->getLHS()->IgnoreParens() != Member)
    return;
  bool Whole = false;
  if (size_t S = statementLevel())
    if (const auto *E = dyn_cast<Expr>(Stack[S]))
      Whole = E->IgnoreParens() == Op;
  U.WholeStatement = Whole;
  if (Name == "zflags" && Op->getOpcode() == BO_OrAssign) {
    U.What = Role::FlagsOr;
    Argument A = argument(Op->getRHS(), nullptr, nullptr);
    U.Detail = A.Spelling;
    U.Value = A.Value;
  } else if (recordName(Member->getBase()->getType()) ==
                 "objcache_malloc_args" &&
             Op->getOpcode() == BO_Assign) {
    U.What = Role::Member;
    U.Detail.clear();
    Argument A = argument(Op->getRHS(), nullptr, nullptr);
    Variable V;
    V.Key = U.Var;
    V.Name = named(Member->getBase())->getName().str();
    V.Kind = VarKind::CacheArgs;
    V.Members.push_back(
        {Name.str(), A.Text, A.Spelling, A.Value, A.Var, U.Statement});
    Out.Variables.push_back(std::move(V));
  }
}

//===----------------------------------------------------------------------===//
// Sites
//===----------------------------------------------------------------------===//

namespace {
/// Names of the variables in an expression.
struct Names : RecursiveASTVisitor<Names> {
  std::set<std::string> Found;
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    if (isa<VarDecl>(E->getDecl()))
      Found.insert(E->getDecl()->getNameAsString());
    return true;
  }
  bool VisitMemberExpr(MemberExpr *E) {
    Found.insert(E->getMemberDecl()->getNameAsString());
    return true;
  }
  bool TraverseUnaryExprOrTypeTraitExpr(UnaryExprOrTypeTraitExpr *) {
    return true;
  }
};
} // namespace

Argument FactVisitor::argument(const Expr *E, const Span *Written,
                               const FileText *Text) {
  Argument A;
  A.Text = Written ? *Written : Spell.spelledRange(E->getSourceRange());
  if (!A.Text) {
    // Written by a macro with more tokens than one: the macro's name it is.
    Spelled X = Spell.expansion(E->getBeginLoc());
    if (X)
      A.Text = Spell.range(E->getSourceRange(), Provenance(), false);
    Text = X.Text;
  } else if (!Written) {
    // A value that a macro spells is the macro, to a reader of the file.
    if (E->getBeginLoc().isMacroID() && E->getEndLoc().isMacroID())
      if (Span Outer = Spell.range(E->getSourceRange(), Provenance(), false))
        A.Text = Outer;
  }
  if (A.Text && !Text)
    Text = Store.get(A.Text.File);
  if (A.Text && Text)
    A.Spelling = Text->spelling(A.Text);
  Expr::EvalResult Value;
  if (E->getType()->isIntegralOrEnumerationType() &&
      E->EvaluateAsInt(Value, Context) &&
      Value.Val.getInt().getSignificantBits() <= 64)
    A.Value = Value.Val.getInt().getExtValue();
  A.IsNull = E->getType()->isPointerType() && isNull(E);
  if (const auto *S = dyn_cast<StringLiteral>(E->IgnoreParenCasts());
      S && S->getCharByteWidth() == 1) {
    A.IsString = true;
    A.String = S->getString().str();
  }
  if (const ValueDecl *D = named(E, &A.AddressOf)) {
    A.Var = track(D);
    A.VarName = D->getNameAsString();
  } else {
    A.AddressOf = false;
  }
  A.SizeOf = isa<UnaryExprOrTypeTraitExpr>(E->IgnoreParenCasts());
  Names N;
  N.TraverseStmt(const_cast<Expr *>(E));
  A.Variables.assign(N.Found.begin(), N.Found.end());
  A.SideEffects = E->HasSideEffects(Context);
  return A;
}

/// How many parameters a function has where this version knows what they mean.
static unsigned knownParameters(Api A) {
  switch (A) {
  case Api::Zinit:
  case Api::ObjcachePopulateLinear:
    return 4;
  case Api::Zinitna:
  case Api::Zbootinit:
    return 5;
  case Api::Zalloc:
  case Api::Zdestroy:
  case Api::ObjcacheDestroy:
    return 1;
  case Api::ObjcacheCreate:
    return 9;
  case Api::ObjcacheCreateMbacked:
    return 7;
  default:
    return 2;
  }
}

static std::string prototypeTrouble(const FunctionDecl *F, Api A) {
  std::string Name(apiName(A));
  if (F->getNumParams() != knownParameters(A))
    return Name + "() takes " + std::to_string(F->getNumParams()) +
           " arguments in this tree; only the one with " +
           std::to_string(knownParameters(A)) + " can be converted";
  if (A == Api::ObjcacheCreate &&
      F->getParamDecl(1)->getType()->isPointerType())
    return Name + "() takes a pointer to its limit in this tree; only the one "
                  "that takes the limit can be converted";
  return {};
}

bool FactVisitor::VisitCallExpr(CallExpr *E) {
  if (ItemsPass)
    return true;
  const FunctionDecl *Callee = E->getDirectCallee();
  if (std::optional<Api> A = apiOf(Callee))
    site(E, Callee, *A);
  return true;
}

void FactVisitor::site(const CallExpr *E, const FunctionDecl *Callee,
                       Api Function) {
  SourceLocation NameLoc = E->getCallee()->IgnoreParenImpCasts()->getExprLoc();
  Spelled At = Spell.spell(NameLoc);
  Site S;
  S.Function = Function;
  S.From = At.From;
  if (this->Function)
    S.InFunction = this->Function->getName().str();
  S.Trouble = prototypeTrouble(Callee, Function);
  std::optional<WrittenCall> Written;
  if (At && isApiFile(At.Text->path()))
    return;
  if (At && At.Text->text(Spell.name(NameLoc)) == apiName(Function)) {
    S.Name = S.Call = Spell.name(NameLoc);
    Written = At.Text->callAt(At.Offset);
  } else {
    Spelled X = Spell.expansion(NameLoc);
    if (X)
      S.Name = S.Call = X.Text->span(X.Offset, X.Offset);
    S.Trouble = "the name of the function is made by a macro";
  }
  if (Written)
    S.Call = Written->Call;
  bool Matches = Written && Written->Args.size() == E->getNumArgs();
  if (!Matches && S.Trouble.empty())
    S.Trouble = "the arguments of the call are made by a macro";
  for (unsigned I = 0; I < E->getNumArgs(); ++I)
    S.Args.push_back(argument(E->getArg(I),
                              Matches ? &Written->Args[I] : nullptr,
                              Matches ? At.Text : nullptr));

  size_t Level = statementLevel();
  const Stmt *Statement = Level ? Stack[Level] : nullptr;
  if (Statement) {
    S.Statement = Spell.range(Statement->getSourceRange(), At.From, true);
    S.Unbraced = !isa<CompoundStmt>(Stack[Level - 1]);
  }
  const Expr *Alone = dyn_cast_or_null<Expr>(Statement);
  S.WholeStatement = Alone && Alone->IgnoreParenCasts() == E;
  size_t Up = Stack.size() - 1;
  const Stmt *P = parent(Up);
  const Stmt *Child = Up + 1 < Stack.size() ? Stack[Up + 1] : E;
  S.ResultUsed = P && !S.WholeStatement && !isSubStatement(P, Child);

  // Which zone.
  const Expr *Target = nullptr;
  bool ByAssignment =
      Function == Api::Zinit || (isCreation(Function) && !isZoneApi(Function));
  if (Function == Api::ObjcacheReclaimlist) {
    S.Trouble = "has no counterpart in this version";
  } else if (!ByAssignment) {
    if (E->getNumArgs() > 0)
      Target = E->getArg(0);
    if (!S.Args.empty()) {
      S.Zone = S.Args[0].Var;
      S.ZoneText = S.Args[0].Text;
      S.ZoneSpelling = S.Args[0].Spelling;
    }
  } else if (const auto *Op = dyn_cast_or_null<BinaryOperator>(P);
             Op && Op->getOpcode() == BO_Assign) {
    Target = Op->getLHS();
    Argument A = argument(Target, nullptr, nullptr);
    S.Zone = A.Var;
    S.ZoneText = S.AssignTo = A.Text;
    S.ZoneSpelling = A.Spelling;
    S.WholeStatement = Alone && Alone->IgnoreParens() == Op;
    S.ResultUsed = !S.WholeStatement;
  } else if (isa_and_nonnull<DeclStmt>(P) || !P) {
    if (Initialised) {
      S.Zone = track(Initialised);
      S.ZoneSpelling = Initialised->getName().str();
      S.ZoneText = S.AssignTo = Spell.name(Initialised->getLocation());
    }
  }
  if (S.Zone.empty() && S.Trouble.empty())
    S.Trouble = ByAssignment
                    ? "what it creates is not assigned to a variable"
                    : "the zone or cache is not a plain variable or member";
  if (Function == Api::Zbootinit && E->getNumArgs() == 5)
    if (const ValueDecl *D = named(E->getArg(3)); isa_and_nonnull<VarDecl>(D)) {
      Items.insert(cast<ValueDecl>(D->getCanonicalDecl()));
      S.Args[3].Var = keyOf(D);
    }
  if (isAllocation(Function))
    destination(S, E);
  if (isCreation(Function) && Target && Statement)
    creationContext(S, Target, Statement, Level);
  Out.Sites.push_back(std::move(S));
}

void FactVisitor::itemMemory(const CallExpr *Call, std::string Var) {
  ItemMemory M;
  M.Var = std::move(Var);
  M.Function = Call->getDirectCallee()->getName().str();
  M.SizeArg = 1; // in every member of the kmem_alloc family
  SourceLocation NameLoc =
      Call->getCallee()->IgnoreParenImpCasts()->getExprLoc();
  Spelled At = Spell.spell(NameLoc);
  std::optional<WrittenCall> Written;
  if (At)
    Written = At.Text->callAt(At.Offset);
  if (!Written || Written->Args.size() != Call->getNumArgs())
    return;
  M.Call = Written->Call;
  for (unsigned I = 0; I < Call->getNumArgs(); ++I)
    M.Args.push_back(argument(Call->getArg(I), &Written->Args[I], At.Text));
  if (size_t Level = statementLevel())
    M.Statement = Spell.range(Stack[Level]->getSourceRange(), At.From, true);
  if (Function)
    M.InFunction = Function->getName().str();
  Out.ItemMemories.push_back(std::move(M));
}

//===----------------------------------------------------------------------===//
// What becomes of an allocation
//===----------------------------------------------------------------------===//

namespace {
/// Finds the first look at a variable after an allocation into it.
class FirstLook : public RecursiveASTVisitor<FirstLook> {
public:
  FirstLook(const ValueDecl *D, const Stmt *Call) : D(D), Call(Call) {}
  bool Tested = false;

  bool shouldTraversePostOrder() const { return false; }
  bool TraverseStmt(Stmt *S) {
    if (!S || Done)
      return true;
    Path.push_back(S);
    bool Go = RecursiveASTVisitor::TraverseStmt(S);
    // The result is there once the whole assignment has been walked.
    if (S == Call)
      Seen = true;
    Path.pop_back();
    return Go;
  }
  bool VisitDeclRefExpr(DeclRefExpr *E) { return look(E->getDecl()); }
  bool VisitMemberExpr(MemberExpr *E) { return look(E->getMemberDecl()); }

private:
  const ValueDecl *D;
  const Stmt *Call;
  std::vector<Stmt *> Path;
  bool Seen = false, Done = false;

  bool look(const ValueDecl *Named) {
    if (!Seen || Done || Named != D)
      return true;
    Done = true;
    size_t I = Path.size() - 1;
    while (I > 0 && isa<ParenExpr, CastExpr>(Path[I - 1]))
      --I;
    if (I == 0)
      return true;
    const Stmt *P = Path[I - 1], *Child = Path[I];
    if (const auto *Op = dyn_cast<BinaryOperator>(P))
      Tested = Op->isEqualityOp() || Op->isLogicalOp();
    else if (const auto *Not = dyn_cast<UnaryOperator>(P))
      Tested = Not->getOpcode() == UO_LNot;
    else if (const auto *If = dyn_cast<IfStmt>(P))
      Tested = If->getCond() == Child;
    else if (const auto *While = dyn_cast<WhileStmt>(P))
      Tested = While->getCond() == Child;
    return true;
  }
};
} // namespace

void FactVisitor::destination(Site &S, const CallExpr *E) {
  size_t Level = Stack.size() - 1;
  const Stmt *P = parent(Level);
  const ValueDecl *D = nullptr;
  const Expr *Whole = E;
  if (const auto *Op = dyn_cast_or_null<BinaryOperator>(P);
      Op && Op->getOpcode() == BO_Assign) {
    Argument A = argument(Op->getLHS(), nullptr, nullptr);
    S.Dest.Name = A.Spelling;
    S.Dest.Type = Op->getLHS()->getType().getAsString();
    D = named(Op->getLHS());
    Whole = Op;
    P = parent(Level);
  } else if (isa_and_nonnull<DeclStmt>(P) && Initialised) {
    S.Dest.Name = Initialised->getName().str();
    S.Dest.Type = Initialised->getType().getAsString();
    S.Dest.Declares = true;
    D = Initialised;
  }
  // `(p = zalloc(z)) == NULL`, `if ((p = zalloc(z)))`, `!(p = zalloc(z))`.
  const Stmt *Child = Level + 1 < Stack.size() ? Stack[Level + 1] : Whole;
  if (const auto *Op = dyn_cast_or_null<BinaryOperator>(P))
    S.NullChecked = Op->isEqualityOp() || Op->isLogicalOp();
  else if (const auto *Not = dyn_cast_or_null<UnaryOperator>(P))
    S.NullChecked = Not->getOpcode() == UO_LNot;
  else if (isa_and_nonnull<IfStmt, WhileStmt>(P))
    S.NullChecked = !isSubStatement(P, Child);
  if (S.NullChecked || !D || !Function || !Function->getBody())
    return;
  FirstLook Look(D, Whole);
  Look.TraverseStmt(Function->getBody());
  S.NullChecked = Look.Tested;
}
