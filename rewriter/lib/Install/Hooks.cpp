/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the allocator calls the shims.
 *
 * Each hook names a function and an anchor in it.  A hook is in one of three
 * states: not there (its anchor must then be found exactly once), there (the
 * function calls the shim already), or half there, which is an error since a
 * person has been at work.
 */
#include "kmobj/Install.h"
#include "kmobj/Layout.h"
#include "kmobj/Parse.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Decl.h"
#include "clang/AST/Expr.h"
#include "clang/AST/Stmt.h"
#include "clang/Basic/CharInfo.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <optional>

using namespace llvm;
using namespace clang;

namespace kmobj {

namespace {

/// A statement's place among its neighbours. Block is null when the statement
/// is the unbraced body of an if or loop.
struct Place {
  const CompoundStmt *Block = nullptr;
  const Stmt *Top = nullptr;
};

constexpr unsigned LineWidth = 80;

using Visitor = function_ref<void(const Stmt *, Place)>;

bool isBody(const Stmt *Parent, const Stmt *Child) {
  if (const auto *If = dyn_cast<IfStmt>(Parent))
    return Child == If->getThen() || Child == If->getElse();
  if (const auto *While = dyn_cast<WhileStmt>(Parent))
    return Child == While->getBody();
  if (const auto *For = dyn_cast<ForStmt>(Parent))
    return Child == For->getBody();
  if (const auto *Do = dyn_cast<DoStmt>(Parent))
    return Child == Do->getBody();
  return false;
}

void walk(const Stmt *S, Place At, Visitor Visit) {
  Visit(S, At);
  for (const Stmt *Child : S->children()) {
    if (!Child)
      continue;
    if (const auto *Block = dyn_cast<CompoundStmt>(S))
      walk(Child, {Block, Child}, Visit);
    else if (isBody(S, Child))
      walk(Child, {nullptr, Child}, Visit);
    else
      walk(Child, At, Visit);
  }
}

/// One function of the allocator, with the text around it.
class Hooked {
public:
  Hooked(const FunctionDecl *Function, const SourceText &Text, StringRef File)
      : Function(Function), SM(Function->getASTContext().getSourceManager()),
        Lang(Function->getASTContext().getLangOpts()), Text(Text), File(File) {}

  std::string name() const { return Function->getNameAsString(); }
  const Stmt *body() const { return Function->getBody(); }

  std::string where(const Stmt *S) const {
    return (File + ":" + Twine(Text.lineNumber(begin(S)))).str();
  }
  std::string where() const {
    return (File + ":" +
            Twine(SM.getExpansionLineNumber(Function->getLocation())))
        .str();
  }

  uint64_t begin(const Stmt *S) const {
    return SM.getFileOffset(SM.getExpansionLoc(S->getBeginLoc()));
  }
  uint64_t end(const Stmt *S) const {
    const SourceLocation Last = SM.getExpansionRange(S->getEndLoc()).getEnd();
    return SM.getFileOffset(Last) + Lexer::MeasureTokenLength(Last, SM, Lang);
  }
  /// With the semicolon.
  uint64_t statementEnd(const Stmt *S) const {
    const uint64_t End = end(S);
    const uint64_t Next = Text.skipSpaceAndComments(End);
    return Text.text().substr(Next).starts_with(";") ? Next + 1 : End;
  }
  StringRef spelling(const Stmt *S) const {
    return Text.slice(begin(S), end(S));
  }
  /// Name of the function or macro that the statement is a call of.
  StringRef calls(const Stmt *S) const {
    const StringRef All = spelling(S);
    const StringRef Name =
        All.take_while([](char C) { return isAsciiIdentifierContinue(C); });
    return All.drop_front(Name.size()).ltrim().starts_with("(") ? Name : "";
  }

  /// The function calls Name somewhere.
  bool mentions(StringRef Name) const {
    bool Found = false;
    walk(body(), {}, [&](const Stmt *S, Place) {
      if (const auto *Call = dyn_cast<CallExpr>(S))
        if (const FunctionDecl *Callee = Call->getDirectCallee())
          Found |= Callee->getName() == Name;
    });
    return Found;
  }

  /// Name of the only parameter whose type is a pointer to structure Record,
  /// else empty.
  std::string pointerTo(StringRef Record) const {
    std::vector<std::string> Names;
    for (const ParmVarDecl *P : Function->parameters())
      if (isPointer(P, Record))
        Names.push_back(P->getNameAsString());
    return Names.size() == 1 ? Names.front() : "";
  }

  /// Name of the first unsigned parameter: the object's size.
  std::string sizeParameter() const {
    for (const ParmVarDecl *P : Function->parameters())
      if (P->getType()->isUnsignedIntegerType())
        return P->getNameAsString();
    return "";
  }

  /// Name of the only integer parameter called flags or the last int one.
  std::string flagsParameter() const {
    std::string Name;
    for (const ParmVarDecl *P : Function->parameters())
      if (P->getName() == "flags" ||
          (Name.empty() &&
           P->getType()->isSpecificBuiltinType(BuiltinType::Int)))
        Name = P->getNameAsString();
    return Name;
  }

  const FunctionDecl *const Function;
  const SourceManager &SM;
  const LangOptions &Lang;
  const SourceText &Text;
  const StringRef File;

  static bool isPointer(const VarDecl *Var, StringRef Record) {
    const QualType Type = Var->getType();
    if (!Type->isPointerType())
      return false;
    const auto *R = Type->getPointeeType()->getAsRecordDecl();
    return R && R->getName() == Record;
  }
};

Error missing(const Hooked &F, const Twine &What) {
  return createStringError(
      (F.where() + ": " + F.name() + "(): " + What +
       "; the shims cannot be hooked in, nothing was installed")
          .str());
}

/// Whole lines of text before the statement S, at its indentation.
Change before(const Hooked &F, const Stmt *S, const std::string &Line) {
  const uint64_t Begin = F.begin(S);
  return {F.File.str(), F.Text.lineBegin(Begin), 0,
          F.Text.indent(Begin).str() + Line + "\n"};
}

/// `if (__predict_false(Left Right)) Lines' before all that the function, whose
/// body is not empty, does, and a blank line. Left ends in an operator.
Change firstOfAll(const Hooked &F, const std::string &Left,
                  const std::string &Right, ArrayRef<std::string> Lines) {
  const auto *Body = cast<CompoundStmt>(F.body());
  uint64_t After = F.begin(Body) + 1;
  bool Declarations = false;
  for (const Stmt *S : Body->body()) {
    if (!isa<DeclStmt>(S))
      break;
    After = F.statementEnd(S);
    Declarations = true;
  }
  uint64_t At = F.Text.nextLine(After);
  std::string Out;
  if (Declarations) {
    if (F.Text.line(At).trim().empty())
      At = F.Text.nextLine(At);
    else
      Out = "\n";
  }
  const std::string Indent = F.Text.indent(F.begin(*Body->body_begin())).str();
  const bool Block = Lines.size() > 1;
  const std::string Head = Indent + "if (__predict_false(" + Left;
  const std::string Tail = Right + (Block ? ")) {" : "))");
  Out += Head;
  Out += columnAfter(Head + " " + Tail) > LineWidth
             ? "\n" + indentTo(columnAfter(Indent) + 4)
             : " ";
  Out += Tail + "\n";
  for (const std::string &Line : Lines)
    Out += indentTo(2 * columnAfter(Indent)) + Line + "\n";
  return {F.File.str(), At, 0, Out + (Block ? Indent + "}\n\n" : "\n")};
}

const Expr *strip(const Expr *E) { return E->IgnoreParenImpCasts(); }

/// _kmalloc_obj(), first of all: a type with a control block is not for it.
Error hookGet(const Hooked &F, std::vector<Change> &Out) {
  if (F.mentions("kmalloc_obj_get"))
    return Error::success();
  const std::string Type = F.pointerTo("malloc_type");
  const std::string Size = F.sizeParameter();
  const std::string Flags = F.flagsParameter();
  if (Type.empty() || Size.empty() || Flags.empty())
    return missing(F, "it has not one size, one struct malloc_type * and one "
                      "flags parameter");
  if (cast<CompoundStmt>(F.body())->body_empty())
    return missing(F, "its body is empty");
  Out.push_back(firstOfAll(F, Type + "->ks_ext !=", "NULL",
                           {"return (kmalloc_obj_get(" + Size + ", " + Type +
                            ", " + Flags + "));"}));
  return Error::success();
}

/// S is `slab = (void *)((uintptr_t)obj & ~MASK)'.
bool findsSlab(const Stmt *S, const ValueDecl *Object) {
  const auto *Assign = dyn_cast<BinaryOperator>(S);
  if (!Assign || Assign->getOpcode() != BO_Assign)
    return false;
  const auto *And =
      dyn_cast<BinaryOperator>(Assign->getRHS()->IgnoreParenCasts());
  if (!And || And->getOpcode() != BO_And)
    return false;
  const auto *Left = dyn_cast<DeclRefExpr>(And->getLHS()->IgnoreParenCasts());
  return Left && Left->getDecl() == Object &&
         isa<DeclRefExpr>(strip(Assign->getLHS()));
}

/// _kfree_obj(), first of all: an object that is not in a slab of the
/// allocator's own. The function must find slabs as the shims do.
Error hookPut(const Hooked &F, std::vector<Change> &Out) {
  if (F.mentions("kmalloc_obj_put"))
    return Error::success();
  const std::string Type = F.pointerTo("malloc_type");
  const ParmVarDecl *Object = nullptr;
  for (const ParmVarDecl *P : F.Function->parameters())
    if (P->getType()->isVoidPointerType())
      Object = P;
  if (Type.empty() || !Object)
    return missing(F, "it does not take a void * and a struct malloc_type *");
  unsigned Found = 0;
  walk(F.body(), {}, [&](const Stmt *S, Place At) {
    Found += At.Block && At.Top == S && findsSlab(S, Object);
  });
  if (Found != 1)
    return missing(F, Twine(Found ? "more than one" : "no") +
                          " statement that finds the slab by masking the "
                          "object's address was found");
  const std::string Name = Object->getNameAsString();
  Out.push_back(
      firstOfAll(F, "kmalloc_slab_of(" + Name + ")->magic !=",
                 "KMALLOC_SLAB_MAGIC",
                 {"kmalloc_obj_put(" + Name + ", " + Type + ");", "return;"}));
  return Error::success();
}

/// A statement that only panics if something is wrong.
bool isCheck(const Hooked &F, const Stmt *S) {
  const StringRef Name = F.calls(S);
  if (Name == "KASSERT" || Name == "KKASSERT")
    return true;
  const auto *If = dyn_cast<IfStmt>(S);
  if (!If || If->getElse())
    return false;
  const Stmt *Then = If->getThen();
  if (const auto *Block = dyn_cast<CompoundStmt>(Then))
    Then = Block->size() == 1 ? Block->body_front() : nullptr;
  return Then && F.calls(Then) == "panic";
}

/// malloc_uninit(): the type is about to go.
Error hookDetach(const Hooked &F, std::vector<Change> &Out) {
  if (F.mentions("kmalloc_obj_detach"))
    return Error::success();
  std::string Type = F.pointerTo("malloc_type");
  const auto *Body = cast<CompoundStmt>(F.body());
  const Stmt *LastCheck = nullptr, *First = nullptr;
  for (const Stmt *S : Body->body()) {
    if (const auto *D = dyn_cast<DeclStmt>(S)) {
      const auto *Var =
          D->isSingleDecl() ? dyn_cast<VarDecl>(D->getSingleDecl()) : nullptr;
      if (Var && Var->getInit() && Type.empty() &&
          Hooked::isPointer(Var, "malloc_type"))
        Type = Var->getNameAsString();
    } else if (isCheck(F, S)) {
      LastCheck = S;
    } else {
      First = S;
      break;
    }
  }
  if (Type.empty() || !First)
    return missing(F, "the type it is called for, and what it does to it "
                      "after its checks, were not found");
  const std::string Call = "kmalloc_obj_detach(" + Type + ");";
  if (!LastCheck) {
    Out.push_back(before(F, First, Call));
    return Error::success();
  }
  const uint64_t At = F.Text.nextLine(F.statementEnd(LastCheck));
  const bool Blank = F.Text.line(At).trim().empty();
  Out.push_back({F.File.str(), At, 0,
                 (Blank ? "\n" : "") + F.Text.indent(F.begin(LastCheck)).str() +
                     Call + "\n"});
  return Error::success();
}

struct Hook {
  /// Any one of these; the tree defines one.
  std::vector<StringRef> Functions;
  Error (*Place)(const Hooked &, std::vector<Change> &);
  /// Declares what is called. The fast paths are inline, in the private one.
  StringRef Header;
};

constexpr llvm::StringLiteral Public("sys/kmalloc_obj.h");
constexpr llvm::StringLiteral Private("sys/kmalloc_ext.h");

const Hook Hooks[] = {
    {{"_kmalloc_obj", "_kmalloc_obj_debug"}, hookGet, Private},
    {{"_kfree_obj"}, hookPut, Private},
    {{"malloc_uninit"}, hookDetach, Public},
};

const FunctionDecl *findFunction(const ASTUnit &Unit,
                                 ArrayRef<StringRef> Names) {
  const SourceManager &SM = Unit.getSourceManager();
  for (const Decl *D : Unit.getASTContext().getTranslationUnitDecl()->decls()) {
    const auto *F = dyn_cast<FunctionDecl>(D);
    if (F && F->isThisDeclarationADefinition() && F->getIdentifier() &&
        is_contained(Names, F->getName()) &&
        SM.isInMainFile(SM.getExpansionLoc(F->getLocation())))
      return F;
  }
  return nullptr;
}

/// #include of the shims' Header, after <sys/malloc.h> if that is there.
std::optional<Change> includeShims(const SourceText &Text, StringRef File,
                                   StringRef Header) {
  const std::vector<IncludeLine> Includes = findIncludes(Text);
  const IncludeLine *After = nullptr;
  bool Settled = false;
  for (const IncludeLine &I : Includes) {
    if (I.Name == Header)
      return std::nullopt;
    if (!I.Unconditional || Settled)
      continue;
    if (StringRef(I.Name).starts_with("sys/"))
      After = &I;
    Settled = I.Name == "sys/malloc.h";
  }
  if (!After)
    return std::nullopt;
  return Change{File.str(), After->Range.End, 0,
                ("#include <" + Header + ">\n").str()};
}

} // namespace

Expected<std::vector<Change>> placeHooks(const SourceTree &Tree,
                                         const tooling::CompilationDatabase &DB,
                                         ArrayRef<std::string> Files) {
  std::vector<Change> Changes;
  std::vector<bool> Placed(std::size(Hooks));
  for (const std::string &File : Files) {
    auto Content = Tree.read(File);
    if (!Content)
      return Content.takeError();
    const SourceText Text(*Content);
    auto Unit = parseUnit(DB, Tree.path(File));
    if (!Unit)
      return Unit.takeError();
    const size_t Before = Changes.size();
    StringRef Header = Public;
    for (size_t I = 0; I < std::size(Hooks); ++I) {
      const FunctionDecl *F = findFunction(**Unit, Hooks[I].Functions);
      if (!F)
        continue;
      if (Placed[I])
        return createStringError(
            "%s: %s() is defined in two files; the shims cannot be hooked in, "
            "nothing was installed",
            File.c_str(), F->getNameAsString().c_str());
      if (Error E = Hooks[I].Place(Hooked(F, Text, File), Changes))
        return E;
      Placed[I] = true;
      if (Hooks[I].Header == Private)
        Header = Private;
    }
    if (Changes.size() != Before)
      if (auto Include = includeShims(Text, File, Header))
        Changes.push_back(std::move(*Include));
  }
  for (size_t I = 0; I < std::size(Hooks); ++I)
    if (!Placed[I])
      return createStringError(
          "%s: no function %s() was found; the shims cannot be hooked in, "
          "nothing was installed",
          join(Files, ", ").c_str(), Hooks[I].Functions.front().str().c_str());
  return Changes;
}

} // namespace kmobj
