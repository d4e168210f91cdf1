/* SPDX-License-Identifier: BSD-3-Clause */
//===- CreationContext.cpp - What surrounds the creation of a zone --------===//
//
// A creation that can fail comes with code that deals with failure: a NULL
// check behind it, a loop that tries again with less, a guard that creates
// once. What replaces the creation cannot fail, so all of that has to be
// recognised to go with it, and anything beyond it has to be left to a person.
//
//===----------------------------------------------------------------------===//

#include "FactVisitor.h"

using namespace kmobj;
using namespace clang;

/// Same variable, or the same member of the same thing.
bool FactVisitor::sameThing(const Expr *A, const Expr *B) {
  A = A->IgnoreParenCasts();
  B = B->IgnoreParenCasts();
  if (const auto *RA = dyn_cast<DeclRefExpr>(A)) {
    const auto *RB = dyn_cast<DeclRefExpr>(B);
    return RB && RA->getDecl()->getCanonicalDecl() ==
                     RB->getDecl()->getCanonicalDecl();
  }
  if (const auto *MA = dyn_cast<MemberExpr>(A)) {
    const auto *MB = dyn_cast<MemberExpr>(B);
    return MB && MA->getMemberDecl() == MB->getMemberDecl() &&
           sameThing(MA->getBase(), MB->getBase());
  }
  return false;
}

/// Is Condition a test of Target against NULL? IsEqual: true when it is NULL.
/// Also takes `(z = zinit(..)) == NULL`. Alone: nothing else is tested.
bool FactVisitor::isNullTest(const Expr *Condition, const Expr *Target,
                             bool &IsEqual, bool &Alone) {
  Condition = Condition->IgnoreParenImpCasts();
  Alone = true;
  auto Is = [&](const Expr *E) {
    E = E->IgnoreParenCasts();
    if (const auto *Op = dyn_cast<BinaryOperator>(E);
        Op && Op->getOpcode() == BO_Assign)
      E = Op->getLHS();
    return sameThing(E, Target);
  };
  if (const auto *Op = dyn_cast<BinaryOperator>(Condition)) {
    if (Op->isEqualityOp()) {
      IsEqual = Op->getOpcode() == BO_EQ;
      return (Is(Op->getLHS()) && isNull(Op->getRHS())) ||
             (Is(Op->getRHS()) && isNull(Op->getLHS()));
    }
    if (Op->isLogicalOp()) {
      bool Ignored;
      bool Found = isNullTest(Op->getLHS(), Target, IsEqual, Ignored) ||
                   isNullTest(Op->getRHS(), Target, IsEqual, Ignored);
      Alone = false;
      return Found;
    }
  }
  if (const auto *Not = dyn_cast<UnaryOperator>(Condition);
      Not && Not->getOpcode() == UO_LNot) {
    IsEqual = true;
    return Is(Not->getSubExpr());
  }
  IsEqual = false;
  return Is(Condition);
}

NullCheck FactVisitor::nullCheck(const IfStmt *If, size_t ParentLevel,
                                 const Expr *Target) {
  NullCheck C;
  bool IsEqual = false;
  isNullTest(If->getCond(), Target, IsEqual, C.OnlyTest);
  C.Statement = statement(If, ParentLevel, Provenance());
  C.Condition = C.Test =
      Spell.range(If->getCond()->getSourceRange(), Provenance(), false);
  C.HasElse = If->getElse();
  label(C, If);
  Span Body = Spell.range(If->getThen()->getSourceRange(), Provenance(), true);
  if (Body)
    if (const FileText *Text = Store.get(Body.File))
      C.Body = Text->spelling(Body);
  C.Kind =
      IsEqual && C.OnlyTest && !C.HasElse ? NullCheck::Dead : NullCheck::Other;
  return C;
}

void FactVisitor::creationContext(Site &S, const Expr *Target,
                                  const Stmt *Statement, size_t Level) {
  bool IsEqual, Alone;
  const Stmt *Outer = Statement;

  // if ((z = zinit(..)) == NULL) panic(..);
  if (const auto *If = dyn_cast<IfStmt>(Statement))
    if (isNullTest(If->getCond(), Target, IsEqual, Alone))
      S.Checks.push_back(nullCheck(If, Level - 1, Target));

  size_t At = Level - 1; // the compound or loop around Outer
  auto LoopAround = [&]() -> const Stmt * {
    size_t L = At;
    if (isa<CompoundStmt>(Stack[L]) && L > 0)
      --L;
    return isa<DoStmt, WhileStmt, ForStmt>(Stack[L]) ? Stack[L] : nullptr;
  };
  if (const auto *Loop = dyn_cast_or_null<DoStmt>(LoopAround())) {
    size_t LoopLevel = At;
    while (Stack[LoopLevel] != Loop)
      --LoopLevel;
    if (LoopLevel > 0)
      retryLoop(S, Loop, LoopLevel - 1, Target, Statement);
    if (S.Retry) {
      Outer = Loop;
      while (Stack[At] != Loop)
        --At;
      --At;
    }
  }
  for (size_t I = At + 1; I-- > 0;)
    S.InLoop |= isa<DoStmt, WhileStmt, ForStmt>(Stack[I]);

  // Checks directly behind.
  unsigned Behind = 0;
  if (const auto *Block = dyn_cast<CompoundStmt>(Stack[At])) {
    auto It = std::find(Block->body_begin(), Block->body_end(), Outer);
    while (It != Block->body_end() && ++It != Block->body_end()) {
      const auto *If = dyn_cast<IfStmt>(*It);
      if (!If || !isNullTest(If->getCond(), Target, IsEqual, Alone))
        break;
      S.Checks.push_back(nullCheck(If, At, Target));
      ++Behind;
    }
  }

  // if (z == NULL) z = zinit(..);
  size_t Guard = At;
  if (isa<CompoundStmt>(Stack[Guard]) && Guard > 0)
    --Guard;
  const auto *If = dyn_cast<IfStmt>(Stack[Guard]);
  if (If && Guard > 0 && If->getCond() &&
      isNullTest(If->getCond(), Target, IsEqual, Alone) && IsEqual &&
      If->getThen() == (Guard == At ? Outer : Stack[At])) {
    NullCheck C = nullCheck(If, Guard - 1, Target);
    C.Kind = NullCheck::Guard;
    const auto *Block = dyn_cast<CompoundStmt>(If->getThen());
    C.OnlyStatement = !Block || Block->size() == 1 + Behind;
    S.Checks.push_back(std::move(C));
  }
}

/// if (z != NULL) { zdestroy(z); z = NULL; }
void FactVisitor::destroyContext(Site &S, const Expr *Target,
                                 const Stmt *Statement, size_t Level) {
  size_t At = Level - 1;
  const auto *Block = dyn_cast<CompoundStmt>(Stack[At]);
  if (Block && At > 0)
    --At;
  auto SetsNull = [&](const Stmt *S) {
    const auto *Op = dyn_cast<BinaryOperator>(S);
    return Op && Op->getOpcode() == BO_Assign &&
           sameThing(Op->getLHS(), Target) && isNull(Op->getRHS());
  };
  if (Block) {
    auto Next = std::next(llvm::find(Block->body(), Statement));
    if (Next != Block->body_end() && SetsNull(*Next))
      S.Cleared = statement(*Next, Level - 1, S.From);
  }
  const auto *If = dyn_cast<IfStmt>(Stack[At]);
  bool IsEqual, Alone;
  const Stmt *Body = Block ? static_cast<const Stmt *>(Block) : Statement;
  if (!If || At == 0 || If->getThen() != Body ||
      !isNullTest(If->getCond(), Target, IsEqual, Alone) || IsEqual)
    return;
  NullCheck C = nullCheck(If, At - 1, Target);
  C.Kind = NullCheck::Guard;
  C.OnlyStatement = true;
  if (Block)
    for (const Stmt *Part : Block->body())
      C.OnlyStatement &= Part == Statement || SetsNull(Part);
  S.Checks.push_back(std::move(C));
}

namespace {
/// Locations at which a variable is looked at.
struct Looks : RecursiveASTVisitor<Looks> {
  const ValueDecl *D;
  std::vector<SourceLocation> Found;
  explicit Looks(const ValueDecl *D) : D(D) {}
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    if (E->getDecl() == D)
      Found.push_back(E->getLocation());
    return true;
  }
};

bool calls(const Stmt *S) {
  if (isa<CallExpr>(S))
    return true;
  for (const Stmt *C : S->children())
    if (C && calls(C))
      return true;
  return false;
}
} // namespace

namespace {
/// Changes of a variable, and whether it may change unseen.
struct Changes : RecursiveASTVisitor<Changes> {
  const ValueDecl *D;
  std::vector<const Stmt *> Found;
  bool Unseen = false;
  explicit Changes(const ValueDecl *D) : D(D) {}
  bool is(const Expr *E) const {
    const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParens());
    return Ref && Ref->getDecl() == D;
  }
  bool VisitBinaryOperator(BinaryOperator *Op) {
    if (Op->isAssignmentOp() && is(Op->getLHS()))
      Found.push_back(Op);
    return true;
  }
  bool VisitUnaryOperator(UnaryOperator *Op) {
    if (Op->isIncrementDecrementOp() && is(Op->getSubExpr()))
      Found.push_back(Op);
    Unseen |= Op->getOpcode() == UO_AddrOf && is(Op->getSubExpr());
    return true;
  }
};
} // namespace

/// `n2 = n;' in front of the loop, and `if (n2 != n) ..' behind it.
void FactVisitor::ifChanged(RetryLoop &R, const DoStmt *Loop,
                            const VarDecl *Limit, size_t ParentLevel) {
  const auto *Block = dyn_cast<CompoundStmt>(Stack[ParentLevel]);
  if (!Block || !Limit->hasLocalStorage() || !isa<FunctionDecl>(Function))
    return;
  auto At = llvm::find(Block->body(), Loop);
  if (At == Block->body_begin() || At == Block->body_end())
    return;
  const auto *Saves = dyn_cast<BinaryOperator>(*std::prev(At));
  if (!Saves || Saves->getOpcode() != BO_Assign)
    return;
  auto VariableOf = [](const Expr *E) -> const VarDecl * {
    const auto *Ref = dyn_cast<DeclRefExpr>(E->IgnoreParenImpCasts());
    return Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
  };
  const VarDecl *Saved = VariableOf(Saves->getLHS());
  if (!Saved || !Saved->hasLocalStorage() || Saved == Limit ||
      VariableOf(Saves->getRHS()) != Limit ||
      !Context.hasSameUnqualifiedType(Saved->getType(), Limit->getType()))
    return;
  Changes OfSaved(Saved), OfLimit(Limit), InLoop(Limit);
  OfSaved.TraverseStmt(Function->getBody());
  OfLimit.TraverseStmt(Function->getBody());
  InLoop.TraverseStmt(const_cast<DoStmt *>(Loop));
  const bool Behind = llvm::any_of(OfLimit.Found, [&](const Stmt *S) {
    return !llvm::is_contained(InLoop.Found, S) &&
           Spell.SM.isBeforeInTranslationUnit(Loop->getEndLoc(),
                                              S->getBeginLoc());
  });
  if (OfSaved.Unseen || OfLimit.Unseen || OfSaved.Found.size() != 1 || Behind)
    return;
  for (++At; At != Block->body_end(); ++At) {
    const auto *If = dyn_cast<IfStmt>(*At);
    const auto *Test =
        If ? dyn_cast<BinaryOperator>(If->getCond()->IgnoreParens()) : nullptr;
    if (!Test || If->getElse() ||
        (Test->getOpcode() != BO_NE && Test->getOpcode() != BO_LT &&
         Test->getOpcode() != BO_GT))
      continue;
    const VarDecl *A = VariableOf(Test->getLHS()),
                  *B = VariableOf(Test->getRHS());
    if ((A == Saved && B == Limit) || (A == Limit && B == Saved))
      R.IfChanged.push_back(statement(If, ParentLevel, Provenance()));
  }
}

void FactVisitor::retryLoop(Site &S, const DoStmt *Loop, size_t ParentLevel,
                            const Expr *Target, const Stmt *Statement) {
  const auto *Body = dyn_cast<CompoundStmt>(Loop->getBody());
  if (!Body || calls(Loop->getCond()))
    return;
  const VarDecl *Limit = nullptr;
  bool Leaves = false, Understood = true;
  for (const Stmt *Part : Body->body()) {
    if (Part == Statement)
      continue;
    bool IsEqual, Alone;
    if (const auto *If = dyn_cast<IfStmt>(Part)) {
      const Stmt *Then = If->getThen();
      if (const auto *Block = dyn_cast<CompoundStmt>(Then);
          Block && Block->size() == 1)
        Then = Block->body_front();
      if (isNullTest(If->getCond(), Target, IsEqual, Alone) && Alone &&
          !IsEqual && !If->getElse() && isa<BreakStmt>(Then)) {
        Leaves = true;
        continue;
      }
    }
    if (const auto *Op = dyn_cast<BinaryOperator>(Part);
        Op && Op->isAssignmentOp() && !calls(Op)) {
      const auto *Ref = dyn_cast<DeclRefExpr>(Op->getLHS()->IgnoreParens());
      const auto *V = Ref ? dyn_cast<VarDecl>(Ref->getDecl()) : nullptr;
      if (V && V->isLocalVarDeclOrParm() && (!Limit || Limit == V)) {
        Limit = V;
        continue;
      }
    }
    Understood = false;
  }
  if (!Leaves && !Limit)
    return;
  RetryLoop R;
  R.Statement = statement(Loop, ParentLevel, Provenance());
  R.Understood = Understood && Leaves && Limit;
  if (Limit) {
    R.Limit = Limit->getName().str();
    Looks L(Limit);
    L.TraverseStmt(Function->getBody());
    for (SourceLocation Loc : L.Found) {
      Spelled At = Spell.expansion(Loc);
      if (At && At.Text->path() == R.Statement.File &&
          At.Offset >= R.Statement.End)
        R.Later.push_back(Spell.range(SourceRange(Loc, Loc), {}, false));
    }
    ifChanged(R, Loop, Limit, ParentLevel);
    llvm::erase_if(R.Later, [&](const Span &L) {
      return llvm::any_of(R.IfChanged,
                          [&](const Span &S) { return S.contains(L); });
    });
    R.Later.erase(std::unique(R.Later.begin(), R.Later.end(),
                              [](const Span &A, const Span &B) {
                                return A.Line == B.Line;
                              }),
                  R.Later.end());
  }
  S.Retry = std::move(R);
}
