/* SPDX-License-Identifier: BSD-3-Clause */
//===- FactVisitor.h - Walk one unit's AST for facts ----------------------===//
//
// Three walks. The first finds zones, caches, their parts and every use of
// them. It also finds out which other variables hold zbootinit's items, and
// which functions lose statements; the second walk looks for the uses of those
// variables alone, the third for what the statements leave behind.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_FACTVISITOR_H
#define KMOBJ_COLLECT_FACTVISITOR_H

#include "Spelling.h"
#include "UnitCollector.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Lex/Preprocessor.h"
#include <set>

namespace kmobj {

class FactVisitor : public clang::RecursiveASTVisitor<FactVisitor> {
  using Base = clang::RecursiveASTVisitor<FactVisitor>;

public:
  FactVisitor(clang::ASTContext &Context, clang::Preprocessor &PP,
              Speller &Spell, TextStore &Store, UnitFacts &Unit)
      : Context(Context), PP(PP), Spell(Spell), Store(Store), Out(Unit.Found) {}

  /// The declarations at file scope in which facts may be.
  /// SizeNames: what sizes in the tree may be written with.
  void run(llvm::ArrayRef<clang::Decl *> Declarations,
           const std::set<std::string> &SizeNames);

  bool TraverseStmt(clang::Stmt *S);
  bool TraverseFunctionDecl(clang::FunctionDecl *F);
  bool TraverseVarDecl(clang::VarDecl *V);
  bool VisitVarDecl(clang::VarDecl *V);
  bool VisitFieldDecl(clang::FieldDecl *F);
  bool VisitDeclRefExpr(clang::DeclRefExpr *E);
  bool VisitMemberExpr(clang::MemberExpr *E);
  bool VisitCallExpr(clang::CallExpr *E);

private:
  clang::ASTContext &Context;
  clang::Preprocessor &PP;
  Speller &Spell;
  TextStore &Store;
  Facts &Out;

  bool ItemsPass = false, LastPass = false;
  std::set<const clang::ValueDecl *> Items;
  std::vector<const clang::Stmt *> Stack; ///< from the function's body down
  const clang::FunctionDecl *Function = nullptr;
  const clang::VarDecl *Initialised = nullptr;

  // Declarations (FactDeclarations.cpp).
  std::optional<VarKind> kindOf(const clang::ValueDecl *D) const;
  std::string keyOf(const clang::ValueDecl *D);
  /// The key if D is something to follow, else empty.
  std::string track(const clang::ValueDecl *D);
  void declare(const clang::DeclaratorDecl *D, VarKind Kind);
  Declaration declarationOf(const clang::DeclaratorDecl *D);
  void initialiser(const clang::VarDecl *D, Declaration &Out);
  void argsMembers(const clang::VarDecl *D, Variable &V);
  void mallocDefine(const clang::VarDecl *D);
  void inBody(MallocDefine &M, clang::SourceLocation Loc);

  // Uses and sites (FactVisitor.cpp).
  void reference(const clang::Expr *E, const clang::ValueDecl *D,
                 clang::SourceLocation NameLoc);
  void classify(Use &U, const clang::Expr *E, const clang::ValueDecl *D);
  void asArgument(Use &U, const clang::CallExpr *Call, unsigned Index,
                  bool AddressOf);
  void asOperand(Use &U, const clang::BinaryOperator *Op,
                 const clang::Expr *Child, bool AddressOf);
  bool raisesLimit(const clang::CallExpr *Call, unsigned Index) const;
  void asMemberBase(Use &U, const clang::MemberExpr *Member, size_t Level);
  void putInto(Use &U, const clang::ValueDecl *From,
               const clang::ValueDecl *Carrier);
  void passed(const clang::CallExpr *Call, const clang::FunctionDecl *Callee);
  void functionValue(const clang::DeclRefExpr *E, const clang::FunctionDecl *F);
  void escape(std::string Var, const clang::Expr *E, std::string Detail);
  Argument argument(const clang::Expr *E, const Span *Written,
                    const FileText *Text);
  /// Makes a zone's flags those of ZoneFlag; no value if they cannot be told.
  void zoneFlags(Argument &A);
  /// Makes the text of a size fit to be written in other places and notes what
  /// it needs there, for the zone, cache or arguments Key. Returns why it
  /// cannot be, else nothing.
  std::string sizeText(Argument &A, const clang::Expr *E,
                       const std::string &Key);
  std::string definitions(const std::string &Spelling, std::set<Span> &Found,
                          std::set<std::string> &Names);
  void addDefinition(const clang::NamedDecl *D, std::set<Span> &Found);
  void site(const clang::CallExpr *E, const clang::FunctionDecl *Callee,
            Api Function);
  void itemMemory(const clang::CallExpr *Call, std::string Var);
  void destination(Site &S, const clang::CallExpr *E);

  // What surrounds a creation (CreationContext.cpp).
  void creationContext(Site &S, const clang::Expr *Target,
                       const clang::Stmt *Statement, size_t Level);
  void retryLoop(Site &S, const clang::DoStmt *Loop, size_t ParentLevel,
                 const clang::Expr *Target, const clang::Stmt *Statement);
  void ifChanged(RetryLoop &R, const clang::DoStmt *Loop,
                 const clang::VarDecl *Limit, size_t ParentLevel);
  NullCheck nullCheck(const clang::IfStmt *If, size_t ParentLevel,
                      const clang::Expr *Target);
  bool isNullTest(const clang::Expr *Condition, const clang::Expr *Target,
                  bool &IsEqual, bool &Alone);
  bool sameThing(const clang::Expr *A, const clang::Expr *B);

  // What statements that go leave behind (LeftBehind.cpp).
  std::set<const clang::FunctionDecl *> Losing;
  std::map<const clang::FunctionDecl *, LosingFunction> Functions;
  void losesStatements(const Provenance &From);
  void losingFunction(const clang::FunctionDecl *F);
  void functionUse(const clang::DeclRefExpr *E, const clang::FunctionDecl *F);
  void local(const clang::VarDecl *V);
  void localUse(const clang::DeclRefExpr *E, const clang::VarDecl *V);
  void label(NullCheck &C, const clang::IfStmt *If);
  std::vector<std::string> localNames() const;
  void namedSizes(const std::set<std::string> &Names);
  /// The number that a name stands for: nothing if it is not known, no value if
  /// it cannot be read.
  std::optional<std::optional<int64_t>> constantOf(clang::IdentifierInfo *Name);

  void destroyContext(Site &S, const clang::Expr *Target,
                      const clang::Stmt *Statement, size_t Level);

  bool isNull(const clang::Expr *E) const;
  /// A local or parameter which takes zones or caches in.
  bool isCarrier(const clang::ValueDecl *D) const;
  /// Level in Stack of the statement that holds the expression on top.
  size_t statementLevel() const;
  /// S's text, whose parent is at Level of the stack, with its ';'. Notes how
  /// it stands there, if that text is the statement and nothing but.
  Span statement(const clang::Stmt *S, size_t ParentLevel,
                 const Provenance &From);
  Statement::ContextTy contextOf(const clang::Stmt *S,
                                 size_t ParentLevel) const;
  bool isWritten(const clang::Stmt *S, const Span &At,
                 const Provenance &From) const;
  static bool isSubStatement(const clang::Stmt *Parent, const clang::Stmt *S);
  /// First ancestor that is no cast and no parenthesis; Level moves there.
  const clang::Stmt *parent(size_t &Level) const;
};

/// Is it the API's function of that name, by its types?
std::optional<Api> apiOf(const clang::FunctionDecl *F);
/// The parameter as the function's definition has it, if it is seen.
const clang::ParmVarDecl *parameter(const clang::FunctionDecl *F,
                                    unsigned Index);
/// Names of a record type behind pointers and arrays: "vm_zone", "objcache".
llvm::StringRef recordName(clang::QualType T);

} // namespace kmobj

#endif // KMOBJ_COLLECT_FACTVISITOR_H
