/* SPDX-License-Identifier: BSD-3-Clause */
//===- FactVisitor.cpp - Sites and uses -----------------------------------===//

#include "FactVisitor.h"
#include "TreeIndex.h"
#include "clang/Basic/CharInfo.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace kmobj;
using namespace clang;

void FactVisitor::run(llvm::ArrayRef<Decl *> Declarations,
                      const std::set<std::string> &SizeNames) {
  auto Walk = [&] {
    for (Decl *D : Declarations)
      TraverseDecl(D);
  };
  Walk();
  if (!Items.empty()) {
    ItemsPass = true;
    Walk();
    ItemsPass = false;
  }
  if (!Losing.empty()) {
    LastPass = true;
    Walk();
    LastPass = false;
    for (auto &[F, Of] : Functions)
      if (Of.Definition)
        Out.Functions.push_back(std::move(Of));
  }
  namedSizes(SizeNames);
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
  // Whatever file it is in: the zones that the API gets are not its own.
  if (apiOf(F))
    return true;
  if (LastPass)
    losingFunction(F);
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

/// An element of an array of zones or caches is the array, whose planner says
/// why it cannot be converted.
static const Expr *array(const Expr *E) {
  const auto *Element = dyn_cast<ArraySubscriptExpr>(E);
  if (!Element)
    return E;
  llvm::StringRef Record = recordName(Element->getType());
  if (Record != "vm_zone" && Record != "objcache")
    return E;
  return array(Element->getBase()->IgnoreParenCasts());
}

/// The variable or field that E is, through casts and a leading '&'.
static const ValueDecl *named(const Expr *E, bool *AddressOf = nullptr) {
  E = array(E->IgnoreParenCasts());
  if (const auto *Op = dyn_cast<UnaryOperator>(E);
      Op && Op->getOpcode() == UO_AddrOf) {
    if (AddressOf)
      *AddressOf = true;
    E = array(Op->getSubExpr()->IgnoreParens());
  }
  if (const auto *Ref = dyn_cast<DeclRefExpr>(E))
    return Ref->getDecl();
  if (const auto *Member = dyn_cast<MemberExpr>(E))
    return Member->getMemberDecl();
  return nullptr;
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

Statement::ContextTy FactVisitor::contextOf(const Stmt *S,
                                            size_t ParentLevel) const {
  size_t Level = ParentLevel;
  bool IsLabelled = false;
  for (; Level > 0 && isa<LabelStmt, SwitchCase>(Stack[Level]); --Level) {
    S = Stack[Level];
    IsLabelled = true;
  }
  const auto *Block = dyn_cast<CompoundStmt>(Stack[Level]);
  if (!Block)
    return isa<AttributedStmt>(Stack[Level]) ? Statement::Unknown
                                             : Statement::IsBody;
  bool IsLast = Block->body_back() == S;
  if (IsLast && Level > 0 && isa<StmtExpr>(Stack[Level - 1]))
    return Statement::Unknown;
  if (!IsLabelled)
    return Statement::InBlock;
  auto It = std::find(Block->body_begin(), Block->body_end(), S);
  return IsLast || isa<DeclStmt>(*++It) ? Statement::AtLabel
                                        : Statement::InBlock;
}

/// Is the text all of the statement, and is there nothing else in it? Not so
/// where a macro makes more of its argument than what is written.
bool FactVisitor::isWritten(const Stmt *S, const Span &At,
                            const Provenance &From) const {
  if (From.Kind == Provenance::Body)
    return true; // the range is made of its own tokens there
  CharSourceRange Range = Lexer::makeFileCharRange(
      CharSourceRange::getTokenRange(S->getSourceRange()), Spell.SM,
      Context.getLangOpts());
  if (Range.isInvalid() || Range.getBegin().isMacroID())
    return false;
  Spelled Begin = Spell.expansion(Range.getBegin());
  Spelled End = Spell.expansion(Range.getEnd());
  if (!Begin || Begin.Text != End.Text || Begin.Text->path() != At.File ||
      Begin.Offset != At.Begin)
    return false;
  return End.Offset == At.End ||
         Begin.Text->tokenAt(End.Offset) == Begin.Text->tokenAt(At.End - 1);
}

Span FactVisitor::statement(const Stmt *S, size_t ParentLevel,
                            const Provenance &From) {
  Span At = Spell.range(S->getSourceRange(), From, true);
  const FileText *Text = At ? Store.get(At.File) : nullptr;
  if (!Text)
    return At;
  Statement Found = Text->statementAt(At);
  // In another configuration the macro may leave it as it is written.
  Statement::ContextTy Context = isWritten(S, At, From)
                                     ? contextOf(S, ParentLevel)
                                     : Statement::Unknown;
  // What comes behind a label may not be there in every configuration.
  size_t Next = Text->tokenAt(At.End);
  if (Context == Statement::InBlock &&
      isa<LabelStmt, SwitchCase>(Stack[ParentLevel]) &&
      Next < Text->tokens().size() && Text->tokens()[Next].Directive)
    Context = Statement::AtLabel;
  Found.Context = std::max(Found.Context, Context);
  Out.Statements.push_back(std::move(Found));
  return At;
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
  if (LastPass) {
    if (const auto *F = dyn_cast<FunctionDecl>(E->getDecl()))
      functionUse(E, F);
    else if (const auto *V = dyn_cast<VarDecl>(E->getDecl()))
      localUse(E, V);
    return true;
  }
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
  if (const auto *F = dyn_cast<FunctionDecl>(E->getDecl()); F && !ItemsPass)
    functionValue(E, F);
  reference(E, E->getDecl(), E->getLocation());
  return true;
}

/// A function that takes zones, called through a pointer: nobody knows what it
/// is given there.
void FactVisitor::functionValue(const DeclRefExpr *E, const FunctionDecl *F) {
  size_t Level = Stack.size() - 1;
  const auto *Call =
      Stack.empty() ? nullptr : dyn_cast_or_null<CallExpr>(parent(Level));
  if (Call && Call->getCallee()->IgnoreParenImpCasts() == E)
    return;
  for (unsigned I = 0; I < F->getNumParams(); ++I)
    if (const ParmVarDecl *P = parameter(F, I); isCarrier(P))
      escape(track(P), E,
             F->getNameAsString() + "() is also called through a pointer");
}

void FactVisitor::escape(std::string Var, const Expr *E, std::string Detail) {
  if (Var.empty())
    return;
  Use U;
  U.Var = std::move(Var);
  U.Detail = std::move(Detail);
  U.Name = U.Expr = Spell.range(E->getSourceRange(), Provenance(), false);
  if (Function)
    U.InFunction = Function->getName().str();
  Out.Uses.push_back(std::move(U));
}

bool FactVisitor::isCarrier(const ValueDecl *D) const {
  const auto *V = dyn_cast_or_null<VarDecl>(D);
  if (!V || !V->isLocalVarDeclOrParm() || V->isStaticLocal())
    return false;
  std::optional<VarKind> Kind = kindOf(V);
  return Kind == VarKind::Zone || Kind == VarKind::Cache;
}

/// From's value goes into Carrier.
void FactVisitor::putInto(Use &U, const ValueDecl *From,
                          const ValueDecl *Carrier) {
  if (kindOf(From) != kindOf(Carrier))
    return;
  U.What = Role::Carried;
  U.Other = track(Carrier);
}

/// What goes to parameters that take zones or caches has to be known.
void FactVisitor::passed(const CallExpr *Call, const FunctionDecl *Callee) {
  for (unsigned I = 0; I < Call->getNumArgs(); ++I) {
    const ParmVarDecl *P =
        I < Callee->getNumParams() ? parameter(Callee, I) : nullptr;
    if (!P || !isCarrier(P) || isNull(Call->getArg(I)))
      continue;
    bool AddressOf = false;
    const ValueDecl *Given = named(Call->getArg(I), &AddressOf);
    if (!Given || AddressOf || track(Given).empty())
      escape(track(P), Call->getArg(I), "what it is given here is no variable");
  }
}

bool FactVisitor::VisitMemberExpr(MemberExpr *E) {
  if (LastPass)
    return true;
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
  if (size_t Level = Stack.empty() ? 0 : statementLevel())
    U.Statement = Spell.range(Stack[Level]->getSourceRange(), At.From, true);
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
  if (U.What == Role::LimitRaise) {
    U.WholeStatement = true;
    losesStatements(At.From);
  }
  if (U.What == Role::StoreAssign || U.What == Role::FlagsOr ||
      U.What == Role::Member || U.What == Role::LimitRaise)
    if (size_t Level = Stack.empty() ? 0 : statementLevel())
      statement(Stack[Level], Level - 1, At.From);
  if (U.What != Role::Escape && U.What != Role::FlagsOr &&
      U.What != Role::MemberRead && U.What != Role::LimitRaise)
    U.Detail.clear();
  if (U.What == Role::NullTest && At)
    U.Assertion = At.Text->assertionAt(At.Offset);
  if (U.Assertion)
    Out.Statements.push_back(At.Text->statementAt(U.Assertion));
  std::optional<VarKind> Kind = kindOf(D);
  if (Kind == VarKind::MallocType && U.What == Role::Escape) {
    // The definition's own machinery is not a use.
    Spelled X = Spell.expansion(NameLoc);
    if (X && NameLoc.isMacroID())
      for (const MallocDefine &M : Out.MallocDefines)
        if (M.Key == Key && M.Call.contains(X.Text->path(), X.Offset))
          return;
    U.What = Role::TypeUse;
    size_t Level = Stack.size() - 1;
    const auto *Of = dyn_cast_or_null<MemberExpr>(parent(Level));
    U.Detail = Of ? Of->getMemberDecl()->getName().str() : "";
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

  if (isCarrier(D)) {
    for (const Stmt *S : Stack)
      if (isa<UnaryExprOrTypeTraitExpr>(S)) {
        U.What = Role::SizeOf;
        return;
      }
    // An element of a local array stands for the array.
    const auto *Element = dyn_cast_or_null<ArraySubscriptExpr>(P);
    if (Element && Element->getBase()->IgnoreParenImpCasts() == E) {
      P = parent(Level);
      Child = Stack[Level + 1];
      const auto *Op = dyn_cast_or_null<BinaryOperator>(P);
      if (!Op || Op->getOpcode() != BO_Assign ||
          Op->getLHS()->IgnoreParens() != Element) {
        U.Detail = "it is an element of an array";
        return;
      }
    }
  }
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
  if (isa<InitListExpr, DesignatedInitExpr>(P)) {
    if (Initialised && kindOf(Initialised) == VarKind::CacheArgs &&
        kindOf(D) == VarKind::MallocType) {
      U.What = Role::Init;
      U.Other = keyOf(Initialised);
    } else if (!AddressOf && isCarrier(Initialised) &&
               kindOf(D) == kindOf(Initialised)) {
      putInto(U, D, Initialised);
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
  if (isa<DeclStmt>(P) && !AddressOf && isCarrier(Initialised) &&
      kindOf(D) == kindOf(Initialised)) {
    putInto(U, D, Initialised);
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
    bool ZoneFirst = *A != Api::Zinit && !(isCreation(*A) && !isZoneApi(*A));
    U.What = ZoneFirst && Index == 0 ? Role::SiteZone : Role::SiteArgument;
    U.Other = std::string(apiName(*A));
    return;
  }
  U.Detail = "it is passed to " +
             (Callee ? Callee->getNameAsString() + "()" : "a function");
  if (AddressOf)
    U.Detail = "its address is passed to " +
               (Callee ? Callee->getNameAsString() + "()" : "a function");
  if (!Callee || AddressOf || Index >= Callee->getNumParams())
    return;
  if (raisesLimit(Call, Index))
    U.What = Role::LimitRaise;
  const ParmVarDecl *P = parameter(Callee, Index);
  if (const ValueDecl *D = named(Call->getArg(Index)); D && isCarrier(P))
    putInto(U, D, P);
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
    const ValueDecl *What = named(Child);
    if (!AddressOf && To && What && isCarrier(To) && kindOf(What) == kindOf(To))
      return putInto(U, What, To);
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
  } else if (const ValueDecl *To = named(Child);
             From && !OfAddress && isCarrier(To) &&
             kindOf(From) == kindOf(To) && !track(From).empty()) {
    U.What = Role::CarrierSet;
    U.Other = track(From);
  } else if (From && OfAddress && !track(From).empty()) {
    U.What = Role::StoreAssign;
    U.Other = track(From);
  } else {
    U.Detail = "it is assigned in another way";
  }
}

/// kmalloc_raise_limit(type, bytes); of which the type is argument Index.
bool FactVisitor::raisesLimit(const CallExpr *Call, unsigned Index) const {
  const FunctionDecl *Callee = Call->getDirectCallee();
  const size_t Level = statementLevel();
  return Callee && Callee->getName() == "kmalloc_raise_limit" && Index == 0 &&
         Call->getNumArgs() == 2 && Level && Stack[Level] == Call &&
         !Call->getArg(1)->HasSideEffects(Context);
}

void FactVisitor::asMemberBase(Use &U, const MemberExpr *Member, size_t Level) {
  llvm::StringRef Name = Member->getMemberDecl()->getName();
  U.Detail = "its member " + Name.str() + " is used";
  const Stmt *P = parent(Level);
  const auto *Op = dyn_cast_or_null<BinaryOperator>(P);
  bool Read = Level + 1 < Stack.size() &&
              isa<ImplicitCastExpr>(Stack[Level + 1]) &&
              cast<ImplicitCastExpr>(Stack[Level + 1])->getCastKind() ==
                  CK_LValueToRValue;
  if (Read &&
      recordName(Member->getBase()->getType()) == "objcache_malloc_args") {
    U.What = Role::MemberRead;
    U.Detail = Name.str();
    const auto *Call = dyn_cast_or_null<CallExpr>(P);
    if (const FunctionDecl *F = Call ? Call->getDirectCallee() : nullptr)
      U.Detail += " is passed to " + F->getNameAsString() + "()";
    if (Call && Name == "mtype" &&
        Call->getArg(0)->IgnoreParenImpCasts() == Member &&
        raisesLimit(Call, 0))
      U.What = Role::LimitRaise;
    return;
  }
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
    zoneFlags(A);
    U.Detail = A.Spelling;
    U.Value = A.Value;
    U.Values = A.Values;
  } else if (recordName(Member->getBase()->getType()) ==
                 "objcache_malloc_args" &&
             Op->getOpcode() == BO_Assign) {
    U.What = Role::Member;
    U.Detail.clear();
    Argument A = argument(Op->getRHS(), nullptr, nullptr);
    if (Name == "objsize" && !sizeText(A, Op->getRHS(), U.Var).empty()) {
      A.Value.reset();
      A.Values = {Evaluation()};
    }
    Variable V;
    V.Key = U.Var;
    V.Name = named(Member->getBase())->getName().str();
    V.Kind = VarKind::CacheArgs;
    V.Members.push_back({Name.str(), A.Text, A.Spelling, A.Value, A.Values,
                         A.Var, U.Statement});
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

/// Says what the argument stands for in this unit.
static void evaluate(Argument &A) {
  std::string Text;
  if (A.Value)
    Text = std::to_string(*A.Value);
  else if (A.IsNull)
    Text = "NULL";
  else if (A.IsString)
    Text = "\"" + A.String + "\"";
  else
    Text = (A.AddressOf ? "&" : "") + A.VarName;
  A.Values = {{std::move(Text), {}, {}}};
}

namespace {
/// bzero(), memset() and their like on the first parameter of a function, or on
/// a local that it is given to.
struct Overwriting : RecursiveASTVisitor<Overwriting> {
  ASTContext &Context;
  std::set<const ValueDecl *> Objects;
  uint64_t Most = 0;
  explicit Overwriting(ASTContext &Context) : Context(Context) {}

  bool isObject(const Expr *E) const {
    const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParenCasts());
    return Ref && Objects.count(Ref->getDecl());
  }
  bool VisitVarDecl(VarDecl *V) {
    if (V->getInit() && isObject(V->getInit()))
      Objects.insert(V);
    return true;
  }
  bool VisitBinaryOperator(BinaryOperator *Op) {
    const auto *To = dyn_cast<DeclRefExpr>(Op->getLHS()->IgnoreParenCasts());
    if (Op->getOpcode() == BO_Assign && To && isObject(Op->getRHS()))
      Objects.insert(To->getDecl());
    return true;
  }
  bool VisitCallExpr(CallExpr *Call) {
    const FunctionDecl *Callee = Call->getDirectCallee();
    if (!Callee || !Callee->getIdentifier())
      return true;
    llvm::StringRef Name = Callee->getName();
    Name.consume_front("__builtin_");
    const auto [To, Size] =
        llvm::StringSwitch<std::pair<unsigned, unsigned>>(Name)
            .Case("bzero", {0, 1})
            .Cases("memset", "memcpy", "memmove", {0, 2})
            .Case("bcopy", {1, 2})
            .Default({0, 0});
    Expr::EvalResult Value;
    if (Size && Size < Call->getNumArgs() && isObject(Call->getArg(To)) &&
        !Call->getArg(Size)->isValueDependent() &&
        Call->getArg(Size)->EvaluateAsInt(Value, Context))
      Most = std::max(Most, Value.Val.getInt().getLimitedValue());
    return true;
  }
};
} // namespace

/// What the function that E names overwrites of its first argument.
static Evaluations overwrites(const Expr *E, ASTContext &Context) {
  const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParenCasts());
  if (const auto *Op = dyn_cast<UnaryOperator>(E->IgnoreParenCasts());
      Op && Op->getOpcode() == UO_AddrOf)
    Ref = dyn_cast<DeclRefExpr>(Op->getSubExpr()->IgnoreParenCasts());
  const auto *F = Ref ? dyn_cast<FunctionDecl>(Ref->getDecl()) : nullptr;
  if (!F || !F->hasBody(F) || F->getNumParams() == 0)
    return {};
  Overwriting Calls(Context);
  Calls.Objects.insert(F->getParamDecl(0));
  Calls.TraverseStmt(F->getBody());
  if (Calls.Most == 0)
    return {};
  return {{std::to_string(Calls.Most), {}, {}}};
}

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
  A.Overwrites = overwrites(E, Context);
  evaluate(A);
  return A;
}

/// The number that a name stands for: nothing if it is not known, no value if
/// it cannot be read.
static std::optional<std::optional<int64_t>>
constant(ASTContext &Context, Preprocessor &PP, IdentifierInfo *Name) {
  const MacroInfo *Macro = PP.getMacroInfo(Name);
  if (!Macro) {
    for (const NamedDecl *D :
         Context.getTranslationUnitDecl()->lookup(DeclarationName(Name)))
      if (const auto *Enumerator = dyn_cast<EnumConstantDecl>(D))
        return Enumerator->getInitVal().getExtValue();
    return std::nullopt;
  }
  // N, (N), (1 << N)
  std::vector<int64_t> Numbers;
  for (const Token &T : Macro->tokens()) {
    if (IdentifierInfo *Other = T.getIdentifierInfo()) {
      const auto Value =
          Other == Name ? std::nullopt : constant(Context, PP, Other);
      if (!Value || !*Value)
        return std::optional<int64_t>();
      Numbers.push_back(**Value);
    } else if (T.is(tok::numeric_constant)) {
      const std::string Spelling = PP.getSpelling(T);
      int64_t Value;
      if (llvm::StringRef(Spelling).rtrim("uUlL").getAsInteger(0, Value))
        return std::optional<int64_t>();
      Numbers.push_back(Value);
    } else if (!T.isOneOf(tok::l_paren, tok::r_paren) &&
               !(T.is(tok::lessless) && Numbers.size() == 1)) {
      return std::optional<int64_t>();
    }
  }
  if (Numbers.size() == 2 && Numbers[1] >= 0 && Numbers[1] < 32)
    return Numbers[0] << Numbers[1];
  return Numbers.size() == 1 ? std::optional(Numbers[0]) : std::nullopt;
}

std::optional<std::optional<int64_t>>
FactVisitor::constantOf(IdentifierInfo *Name) {
  return constant(Context, PP, Name);
}

void FactVisitor::zoneFlags(Argument &A) {
  constexpr std::pair<const char *, ZoneFlag> Names[] = {
      {"ZONE_INTERRUPT", ZONE_INTERRUPT},
      {"ZONE_PANICFAIL", ZONE_PANICFAIL},
      {"ZONE_SPECIAL", ZONE_SPECIAL},
      {"ZONE_USE_RESERVE", ZONE_USE_RESERVE}};
  if (!A.Value || *A.Value == 0)
    return;
  int64_t Flags = 0;
  bool Known = false;
  for (const auto &[Name, Flag] : Names) {
    const auto Bits = constant(Context, PP, &Context.Idents.get(Name));
    if (!Bits)
      continue;
    Known = true;
    if (!*Bits) {
      A.Value = std::nullopt;
      return evaluate(A);
    }
    if (**Bits && (*A.Value & **Bits) == **Bits)
      Flags |= Flag;
  }
  if (Known)
    A.Value = Flags;
  evaluate(A);
}

namespace {
/// A variable in an expression, sizeof's operand included, the function's own
/// before others.
struct VariableName : RecursiveASTVisitor<VariableName> {
  const VarDecl *Found = nullptr;
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    const auto *V = dyn_cast<VarDecl>(E->getDecl());
    if (V && (!Found || V->isLocalVarDeclOrParm()))
      Found = V;
    return true;
  }
};
} // namespace

/// Has the macro meant one thing all the time?
static bool isDefinedOnce(const MacroDirective *Last, const MacroInfo *Macro,
                          Preprocessor &PP) {
  for (; Last; Last = Last->getPrevious()) {
    if (isa<UndefMacroDirective>(Last))
      return false;
    if (const auto *Def = dyn_cast<DefMacroDirective>(Last))
      if (!Macro->isIdenticalTo(*Def->getInfo(), PP, /*Syntactically=*/true))
        return false;
  }
  return true;
}

/// What people call things of type T.
static std::string objectName(QualType T, const TagDecl &Tag) {
  const auto *Alias = T->getAs<TypedefType>();
  llvm::StringRef Name = Alias ? Alias->getDecl()->getName() : Tag.getName();
  Name.consume_back("_t");
  return Name.str();
}

std::string FactVisitor::sizeText(Argument &A, const Expr *E,
                                  const std::string &Key) {
  if (!A.Value)
    return {};
  VariableName Variable;
  Variable.TraverseStmt(const_cast<Expr *>(E));
  const auto *SizeOf =
      dyn_cast<UnaryExprOrTypeTraitExpr>(E->IgnoreParenCasts());
  QualType T = SizeOf ? SizeOf->getTypeOfArgument() : QualType();
  QualType Element = T.isNull() ? T : Context.getBaseElementType(T);
  const TagDecl *Tag = T.isNull() ? nullptr : Element->getAsTagDecl();
  if (Tag && Tag->getParentFunctionOrMethod())
    return "the size is that of a type which only this function knows";
  if (Variable.Found) {
    bool Nameless =
        Tag && !Tag->getIdentifier() && !Element->getAs<TypedefType>();
    bool Named = SizeOf && SizeOf->getKind() == UETT_SizeOf && !Nameless;
    if (!Named && Variable.Found->isLocalVarDeclOrParm())
      return "the size is taken of " + Variable.Found->getNameAsString() +
             ", which only this function knows";
    // The type may be known where the variable is not.
    if (Named)
      A.Spelling =
          "sizeof(" +
          T.getUnqualifiedType().getAsString(Context.getPrintingPolicy()) + ")";
  }
  std::set<Span> Found;
  std::set<std::string> Names;
  std::string Trouble = definitions(A.Spelling, Found, Names);
  if (Trouble.empty())
    Out.Sizes.push_back({Key,
                         A.Spelling,
                         {Names.begin(), Names.end()},
                         Tag ? objectName(T, *Tag) : "",
                         {Found.begin(), Found.end()}});
  return Trouble;
}

/// The text that defines D, with the ';' that ends it.
void FactVisitor::addDefinition(const NamedDecl *D, std::set<Span> &Found) {
  Span At = Spell.range(D->getSourceRange(), Provenance(), false);
  const FileText *Text = At ? Store.get(At.File) : nullptr;
  if (!Text)
    return;
  // What else the declaration declares is in it too.
  size_t Last = Text->tokenAt(At.End - 1);
  if (At.End != Text->tokens()[std::min(Last, Text->tokens().size() - 1)].End)
    --Last;
  for (size_t I = Last; I < Text->tokens().size(); ++I) {
    if (Text->is(I, "(") || Text->is(I, "[") || (I > Last && Text->is(I, "{")))
      I = Text->closing(I);
    if (Text->is(I, ";")) {
      At = Text->span(At.Begin, Text->tokens()[I].End);
      break;
    }
  }
  Found.insert(At);
}

/// The definitions of what the names in a text stand for, and of what those are
/// made of. Returns why the text may mean something else elsewhere, or nothing.
std::string FactVisitor::definitions(const std::string &Spelling,
                                     std::set<Span> &Found,
                                     std::set<std::string> &Spelt) {
  using NameAndTag = std::pair<IdentifierInfo *, bool>; // struct NAME, or NAME
  std::set<NameAndTag> Seen;
  std::vector<NameAndTag> Names;
  bool IsTag = false;
  llvm::StringRef Before;
  auto AddName = [&](IdentifierInfo *Name) {
    llvm::StringRef Word = Name ? Name->getName() : "";
    if (Name) {
      Names.push_back({Name, IsTag});
      if (!Name->isKeyword(Context.getLangOpts()))
        Spelt.insert(IsTag ? (Before + " " + Word).str() : Word.str());
    }
    IsTag = Word == "struct" || Word == "union" || Word == "enum";
    Before = Word;
  };
  auto IsName = [](char C) { return clang::isAsciiIdentifierContinue(C); };
  for (llvm::StringRef Text = Spelling;
       !(Text = Text.drop_until(IsName)).empty();) {
    llvm::StringRef Name = Text.take_while(IsName);
    AddName(&Context.Idents.get(Name));
    Text = Text.drop_front(Name.size());
  }
  auto AddType = [&](QualType T) {
    T = Context.getBaseElementType(T);
    if (const auto *Alias = T->getAs<TypedefType>())
      Names.push_back({Alias->getDecl()->getIdentifier(), false});
    else if (const TagDecl *Tag = T->getAsTagDecl())
      if (const TagDecl *Whole = Tag->getDefinition())
        addDefinition(Whole, Found);
  };
  while (!Names.empty()) {
    auto [Name, OfTag] = Names.back();
    Names.pop_back();
    if (!Seen.insert({Name, OfTag}).second)
      continue;
    const MacroDirective *History = PP.getLocalMacroDirectiveHistory(Name);
    if (const MacroInfo *Macro = PP.getMacroInfo(Name)) {
      if (Spelled At = Spell.expansion(Macro->getDefinitionLoc())) {
        std::string Ignored;
        if (Span Text = definitionAround(*At.Text, At.Text->tokenAt(At.Offset),
                                         Ignored))
          Found.insert(Text);
      }
      for (const Token &T : Macro->tokens())
        AddName(T.getIdentifierInfo());
      if (!isDefinedOnce(History, Macro, PP))
        return "the size is made of the macro " + Name->getName().str() +
               ", which is defined more than once";
      continue;
    }
    if (History)
      return "the size is made of the macro " + Name->getName().str() +
             ", which is not defined any more behind it";
    for (const NamedDecl *Decl :
         Context.getTranslationUnitDecl()->lookup(DeclarationName(Name))) {
      const auto *Tag = dyn_cast<TagDecl>(Decl);
      if (OfTag != (Tag != nullptr))
        continue;
      if (Tag)
        Decl = Tag->getDefinition();
      if (!Decl || !isa<TypeDecl, EnumConstantDecl, VarDecl>(Decl))
        continue;
      addDefinition(Decl, Found);
      if (const auto *Alias = dyn_cast<TypedefNameDecl>(Decl))
        AddType(Alias->getUnderlyingType());
      else if (const auto *Variable = dyn_cast<VarDecl>(Decl))
        AddType(Variable->getType());
      else if (isa<EnumConstantDecl>(Decl))
        addDefinition(cast<NamedDecl>(Decl->getDeclContext()), Found);
    }
  }
  return {};
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
  // Its third, once, were flags, which nothing looked at.
  if (A == Api::ObjcacheReclaimlist && F->getNumParams() == 3)
    return {};
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
  if (ItemsPass || LastPass)
    return true;
  const FunctionDecl *Callee = E->getDirectCallee();
  if (std::optional<Api> A = apiOf(Callee))
    site(E, Callee, *A);
  else if (Callee)
    passed(E, Callee);
  return true;
}

/// How many pairs are around E; nothing when there is a cast.
static std::optional<size_t> brackets(const Expr *E) {
  for (size_t N = 0;;) {
    if (const auto *P = dyn_cast<ParenExpr>(E)) {
      E = P->getSubExpr();
      ++N;
    } else if (const auto *C = dyn_cast<ImplicitCastExpr>(E)) {
      E = C->getSubExpr();
    } else {
      return isa<CastExpr>(E) ? std::nullopt : std::optional<size_t>(N);
    }
  }
}

/// `(sc->zone)' is `sc->zone': what is pasted to it must meet the name.
static std::string withoutBrackets(llvm::StringRef Zone) {
  while (Zone.starts_with("(")) {
    size_t Close = 0;
    for (int Depth = 0; Close < Zone.size(); ++Close) {
      Depth += (Zone[Close] == '(') - (Zone[Close] == ')');
      if (Depth == 0)
        break;
    }
    if (Close + 1 != Zone.size())
      break;
    Zone = Zone.drop_front().drop_back().trim();
  }
  return Zone.str();
}

/// In the body of a macro that gets the zone as an argument. Brackets: around
/// the zone, in the body and in the argument.
static void macroParameter(Site &S, const FileText &Text,
                           std::optional<size_t> Brackets) {
  const Span &Body = S.From.Definition;
  const std::vector<TextToken> &T = Text.tokens();
  size_t Name = Text.tokenAt(Body.Begin);
  llvm::StringRef Zone = llvm::StringRef(S.ZoneSpelling).trim("() ");
  // Only `NAME(' with nothing between has parameters.
  if (!Text.is(Name + 1, "(") || T[Name].End != T[Name + 1].Begin)
    return;
  size_t Close = Text.closing(Name + 1);
  bool Parameter = false;
  for (size_t I = Name + 2; I < Close; ++I)
    Parameter |= Text.text(T[I]) == Zone;
  if (!Parameter)
    return;
  S.ZoneParameter = Zone.str();
  // What is pasted to the argument must meet the name that ends it.
  S.ParameterAlone = Brackets == llvm::StringRef(S.ZoneSpelling).count('(');
  for (size_t I = Close + 1; I < T.size() && T[I].End <= Body.End; ++I) {
    if (Text.text(T[I]) != Zone)
      continue;
    size_t Open = I;
    while (Open > Close && Text.is(Open - 1, "("))
      --Open;
    bool InCall = Open > Close && Open < I && apiByName(Text.text(T[Open - 1]));
    S.ParameterAlone &= InCall;
  }
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
    S.Trouble = NameLoc.isMacroID()
                    ? "the name of the function is made by a macro"
                    : "the name of the function is not on one line";
  }
  if (Written)
    S.Call = Written->Call;
  bool Matches = Written && Written->Args.size() == E->getNumArgs();
  if (!Matches && S.Trouble.empty()) {
    if (Written && At.Text->hasDirective(Written->Call))
      S.Trouble = "a preprocessor directive stands inside the call";
    else if (!Written && !NameLoc.isMacroID())
      S.Trouble = "the name of the function stands in brackets";
    else
      S.Trouble = "the arguments of the call are made by a macro";
  }
  for (unsigned I = 0; I < E->getNumArgs(); ++I)
    S.Args.push_back(argument(E->getArg(I),
                              Matches ? &Written->Args[I] : nullptr,
                              Matches ? At.Text : nullptr));

  if (Function == Api::Zinit && S.Args.size() > 3)
    zoneFlags(S.Args[3]);
  if (Function == Api::Zinitna && S.Args.size() > 4)
    zoneFlags(S.Args[4]);

  size_t Level = statementLevel();
  const Stmt *Statement = Level ? Stack[Level] : nullptr;
  if (Statement) {
    bool Goes = isCreation(Function) || Function == Api::Zdestroy ||
                Function == Api::ObjcacheDestroy;
    S.Statement = Goes
                      ? statement(Statement, Level - 1, At.From)
                      : Spell.range(Statement->getSourceRange(), At.From, true);
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
  if (!ByAssignment) {
    if (E->getNumArgs() > 0)
      Target = E->getArg(0);
    if (!S.Args.empty()) {
      S.Zone = S.Args[0].Var;
      S.ZoneText = S.Args[0].Text;
      S.ZoneSpelling = S.Args[0].Spelling;
    }
    if (Target && Matches && S.From.Kind == Provenance::Body)
      macroParameter(S, *At.Text, brackets(Target));
    if (S.ZoneParameter.empty())
      S.ZoneSpelling = withoutBrackets(S.ZoneSpelling);
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
  if (isCreation(Function) && Function != Api::ObjcacheCreate &&
      S.Trouble.empty()) {
    unsigned I = Function == Api::Zinitna || Function == Api::Zbootinit ? 2 : 1;
    S.Trouble = sizeText(S.Args[I], E->getArg(I), S.Zone);
  }
  if (Function == Api::Zbootinit && E->getNumArgs() == 5)
    if (const ValueDecl *D = named(E->getArg(3)); isa_and_nonnull<VarDecl>(D)) {
      Items.insert(cast<ValueDecl>(D->getCanonicalDecl()));
      S.Args[3].Var = keyOf(D);
    }
  if (isAllocation(Function))
    destination(S, E);
  if (isAllocation(Function) || Function == Api::Zbootinit)
    S.Locals = localNames();
  if (isCreation(Function) || Function == Api::Zdestroy ||
      Function == Api::ObjcacheDestroy)
    losesStatements(S.From);
  if (isCreation(Function) && Target && Statement)
    creationContext(S, Target, Statement, Level);
  if ((Function == Api::Zdestroy || Function == Api::ObjcacheDestroy) &&
      Target && Statement && S.From.Kind != Provenance::Body)
    destroyContext(S, Target, Statement, Level);
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
    M.Statement = statement(Stack[Level], Level - 1, At.From);
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
