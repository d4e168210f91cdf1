/* SPDX-License-Identifier: BSD-3-Clause */
//===- FactDeclarations.cpp - Zones, caches and their parts ---------------===//

#include "FactVisitor.h"
#include "TreeIndex.h"
#include "clang/AST/Attr.h"
#include "clang/Index/USRGeneration.h"

using namespace kmobj;
using namespace clang;

llvm::StringRef kmobj::recordName(QualType T) {
  T = T.getCanonicalType();
  while (true) {
    if (const auto *P = T->getAs<PointerType>())
      T = P->getPointeeType().getCanonicalType();
    else if (const Type *E = T->getArrayElementTypeNoTypeQual())
      T = QualType(E, 0).getCanonicalType();
    else
      break;
  }
  const auto *R = T->getAs<RecordType>();
  return R ? R->getDecl()->getName() : llvm::StringRef();
}

const ParmVarDecl *kmobj::parameter(const FunctionDecl *F, unsigned Index) {
  const FunctionDecl *Definition = nullptr;
  if (F->isDefined(Definition) && Index < Definition->getNumParams())
    F = Definition;
  return F->getParamDecl(Index);
}

std::optional<Api> kmobj::apiOf(const FunctionDecl *F) {
  if (!F || !F->getIdentifier())
    return std::nullopt;
  std::optional<Api> A = apiByName(F->getName());
  if (!A)
    return std::nullopt;
  llvm::StringRef Record = isZoneApi(*A) ? "vm_zone" : "objcache";
  if (recordName(F->getReturnType()) == Record)
    return A;
  for (const ParmVarDecl *P : F->parameters())
    if (recordName(P->getType()) == Record)
      return A;
  if (!F->hasPrototype() && F->isExternallyVisible())
    return A;
  return std::nullopt;
}

std::optional<VarKind> FactVisitor::kindOf(const ValueDecl *D) const {
  if (!isa<VarDecl, FieldDecl>(D))
    return std::nullopt;
  if (ItemsPass) {
    if (Items.count(cast<ValueDecl>(D->getCanonicalDecl())))
      return VarKind::Items;
    return std::nullopt;
  }
  llvm::StringRef Record = recordName(D->getType());
  if (Record.empty())
    return std::nullopt;
  QualType Element = D->getType().getCanonicalType();
  while (const Type *E = Element->getArrayElementTypeNoTypeQual())
    Element = QualType(E, 0);
  bool Pointer = Element->isPointerType();
  if (Record == "vm_zone")
    return Pointer ? VarKind::Zone : VarKind::ZoneStore;
  if (Record == "objcache" && Pointer)
    return VarKind::Cache;
  if (Record == "objcache_malloc_args" && !Pointer)
    return VarKind::CacheArgs;
  if (Record == "malloc_type" && !Pointer && isa<VarDecl>(D) &&
      cast<VarDecl>(D)->isFileVarDecl())
    return VarKind::MallocType;
  return std::nullopt;
}

std::string FactVisitor::keyOf(const ValueDecl *D) {
  const auto *V = dyn_cast<VarDecl>(D);
  if (V && V->hasExternalFormalLinkage()) {
    llvm::SmallString<64> USR;
    if (!index::generateUSRForDecl(D, USR))
      return USR.str().str();
  }
  const Decl *First = D->getCanonicalDecl();
  Spelled At = Spell.expansion(First->getLocation());
  if (!At)
    return {};
  std::string Key = At.Text->path() + "@";
  // One key for a parameter in all declarations of its function.
  if (const auto *P = dyn_cast<ParmVarDecl>(D))
    if (const auto *F =
            dyn_cast_or_null<FunctionDecl>(P->getParentFunctionOrMethod())) {
      const FunctionDecl *Canonical = F->getCanonicalDecl();
      llvm::SmallString<64> USR;
      std::string Of;
      if (F->isExternallyVisible() && !index::generateUSRForDecl(F, USR))
        Of = USR.str().str();
      else if (Spelled Where = Spell.expansion(Canonical->getLocation()))
        Of = Where.Text->path() + "@" + F->getName().str();
      return Of + "@" + std::to_string(P->getFunctionScopeIndex());
    }
  if (const auto *F = dyn_cast<FieldDecl>(D))
    return Key + F->getParent()->getName().str() + "." + D->getName().str();
  if (V->isLocalVarDeclOrParm()) {
    if (const auto *F =
            dyn_cast_or_null<FunctionDecl>(V->getParentFunctionOrMethod()))
      Key += F->getName().str() + "@";
    Key +=
        std::to_string(Spell.SM.getExpansionLineNumber(V->getLocation())) + "@";
  }
  return Key + D->getName().str();
}

std::string FactVisitor::track(const ValueDecl *D) {
  if (!kindOf(D))
    return {};
  Spelled At = Spell.expansion(D->getCanonicalDecl()->getLocation());
  if (!At || isApiFile(At.Text->path()))
    return {};
  return keyOf(D);
}

/// Tokens of the declaration around the name: [First, Last] of the statement,
/// [From, To] of the declarator.
namespace {
struct Layout {
  size_t First, Last, From, To;
  unsigned Declarators = 1, Index = 0;
};
} // namespace

static std::optional<Layout> layout(const FileText &Text, size_t First,
                                    size_t Name) {
  Layout L{First, Name, Name, Name};
  const std::vector<TextToken> &T = Text.tokens();
  while (L.From > First && (Text.is(L.From - 1, "*")))
    --L.From;
  bool Past = false;
  for (size_t I = First; I < T.size(); ++I) {
    if (T[I].Directive != T[Name].Directive)
      return std::nullopt;
    if (I >= Name && !Past && (Text.is(I, ",") || Text.is(I, ";"))) {
      L.To = I - 1;
      Past = true;
    }
    if (Text.is(I, ";")) {
      L.Last = I;
      return L;
    }
    if (Text.is(I, ",")) {
      ++L.Declarators;
      L.Index += I < Name;
    } else if (Text.is(I, "(") || Text.is(I, "[") || Text.is(I, "{")) {
      // A name in brackets is no plain declarator.
      size_t Close = Text.closing(I);
      if (Close == T.size() || (I < Name && Name < Close))
        return std::nullopt;
      I = Close;
    }
  }
  return std::nullopt;
}

static bool isStorage(llvm::StringRef Word) {
  return Word == "static" || Word == "extern" || Word == "const" ||
         Word == "volatile" || Word == "register";
}

/// [First, Last] of the type in front of a declarator, storage class and
/// attributes left out.
static Span typeOf(const FileText &Text, size_t First, size_t Before) {
  const std::vector<TextToken> &T = Text.tokens();
  while (First < Before && (isStorage(Text.text(T[First])) ||
                            Text.text(T[First]).starts_with("__")))
    ++First;
  size_t Last = First;
  if (Text.is(First, "struct"))
    ++Last;
  return Text.span(T[First].Begin, T[Last].End);
}

/// A parameter has a type and a declarator, and no statement.
static void parameterLayout(const FileText &Text, uint32_t Begin,
                            Declaration &Decl) {
  const std::vector<TextToken> &T = Text.tokens();
  size_t First = Text.tokenAt(Begin), At = Text.tokenAt(Decl.Name.Begin);
  if (First >= At || At == T.size())
    return;
  size_t From = At;
  while (From > First && Text.is(From - 1, "*"))
    --From;
  Decl.Type = typeOf(Text, First, At);
  bool Unnamed = Decl.Name.Begin == Decl.Name.End;
  uint32_t End = Unnamed ? T[At - 1].End : T[At].End;
  Decl.Declarator = Text.span(From < At ? T[From].Begin : Decl.Name.Begin, End);
}

/// `struct objcache *p;` in the body of a macro that gets p as an argument.
static void bodyStatement(Speller &Spell, SourceLocation Begin,
                          Declaration &Decl) {
  Spelled B = Spell.spell(Begin);
  if (Decl.From.Kind != Provenance::Argument || !B ||
      B.From.Kind != Provenance::Body)
    return;
  const std::vector<TextToken> &T = B.Text->tokens();
  size_t First = B.Text->tokenAt(B.Offset), Last = First;
  while (First > 0 && T[First - 1].Kind == TextToken::Identifier &&
         (isStorage(B.Text->text(T[First - 1])) ||
          B.Text->text(T[First - 1]).starts_with("__")))
    --First;
  while (Last < T.size() && T[Last].Begin < B.From.Definition.End &&
         !B.Text->is(Last, ";"))
    if (B.Text->is(Last++, ","))
      return;
  if (!B.Text->is(Last, ";") || T[Last].End > B.From.Definition.End)
    return;
  Decl.InBody = B.Text->span(T[First].Begin, T[Last].End);
  Decl.BodyMacro = B.From.Macro;
}

Declaration FactVisitor::declarationOf(const DeclaratorDecl *D) {
  Declaration Decl;
  Spelled Name = Spell.spell(D->getLocation());
  Decl.From = Name.From;
  Decl.Name = Spell.name(D->getLocation());
  if (const auto *V = dyn_cast<VarDecl>(D)) {
    Decl.Static = V->getStorageClass() == SC_Static;
    Decl.Extern = V->getStorageClass() == SC_Extern;
    Decl.Definition =
        V->isThisDeclarationADefinition() != VarDecl::DeclarationOnly;
  }
  if (!Name)
    return Decl;
  if (isa<ParmVarDecl>(D)) {
    const auto *Of = dyn_cast_or_null<FunctionDecl>(
        cast<ParmVarDecl>(D)->getParentFunctionOrMethod());
    Decl.Definition = Of && Of->isThisDeclarationADefinition();
    // An unnamed one is where its name would be.
    if (D->getName().empty())
      Decl.Name = Name.Text->span(Name.Offset, Name.Offset);
    Spelled Begin = Spell.spell(D->getBeginLoc());
    if (Begin.Text == Name.Text && Begin.From.Kind == Provenance::Plain &&
        Name.From.Kind == Provenance::Plain)
      parameterLayout(*Name.Text, Begin.Offset, Decl);
    return Decl;
  }
  bodyStatement(Spell, D->getBeginLoc(), Decl);

  // Where the specifiers begin: clang leaves out attributes in front, and what
  // a macro that expands to nothing says.
  const FileText &Text = *Name.Text;
  SourceLocation Begin = D->getBeginLoc();
  for (const Attr *A : D->attrs())
    if (Spell.SM.isBeforeInTranslationUnit(A->getLocation(), Begin))
      Begin = A->getLocation();
  Spelled B = Name.From.Kind == Provenance::Body ? Spell.spell(Begin)
                                                 : Spell.expansion(Begin);
  if (B.Text != &Text || B.Offset > Name.Offset)
    return Decl;
  size_t First = Text.tokenAt(B.Offset), At = Text.tokenAt(Name.Offset);
  const std::vector<TextToken> &T = Text.tokens();
  while (First > 0 && T[First - 1].Kind == TextToken::Identifier &&
         T[First - 1].Directive == T[At].Directive &&
         !(T[First].LineStart && T[At].Directive))
    --First;
  std::optional<Layout> L = layout(Text, First, At);
  if (!L)
    return Decl;
  Decl.Statement = Text.span(T[L->First].Begin, T[L->Last].End);
  Decl.Declarator = Text.span(T[L->From].Begin, T[L->To].End);
  Decl.Declarators = L->Declarators;
  Decl.Index = L->Index;
  for (size_t I = L->First; I < L->Last; ++I) {
    llvm::StringRef Word = Text.text(T[I]);
    if (Word.starts_with("__") && T[I].Kind == TextToken::Identifier)
      Decl.Attributes.push_back(Word.str());
  }
  Decl.Type = typeOf(Text, L->First, L->Last);
  for (size_t I = At; I < L->To; ++I)
    if (Text.is(I, "=")) {
      Decl.Init = Text.span(T[I + 1].Begin, T[L->To].End);
      Decl.InitText = Text.spelling(Decl.Init);
      break;
    }
  return Decl;
}

void FactVisitor::initialiser(const VarDecl *D, Declaration &Decl) {
  const Expr *Init = D->getInit();
  if (!Init)
    return;
  Decl.InitNull = isNull(Init);
  const auto *Op = dyn_cast<UnaryOperator>(Init->IgnoreParenCasts());
  if (Op && Op->getOpcode() == UO_AddrOf)
    if (const auto *Ref =
            dyn_cast<DeclRefExpr>(Op->getSubExpr()->IgnoreParens()))
      Decl.InitStore = track(Ref->getDecl());
}

void FactVisitor::argsMembers(const VarDecl *D, Variable &V) {
  const auto *List = dyn_cast_or_null<InitListExpr>(D->getInit());
  const auto *Record = D->getType()->getAsRecordDecl();
  if (!List || !Record)
    return;
  if (List->isSyntacticForm() && List->getSemanticForm())
    List = List->getSemanticForm();
  unsigned I = 0;
  for (const FieldDecl *F : Record->fields()) {
    if (I >= List->getNumInits())
      break;
    const Expr *E = List->getInit(I++);
    if (isa<ImplicitValueInitExpr>(E))
      continue;
    Argument A = argument(E, nullptr, nullptr);
    if (F->getName() == "objsize" && !sizeText(A, E, V.Key).empty()) {
      A.Value.reset();
      A.Values = {Evaluation()};
    }
    V.Members.push_back(
        {F->getName().str(), A.Text, A.Spelling, A.Value, A.Values, A.Var, {}});
  }
}

/// Where the macro that is expanded at Loc says MALLOC_DEFINE(..).
void FactVisitor::inBody(MallocDefine &M, SourceLocation Loc) {
  // From the inside out, to the expansion whose body belongs to M.From.Macro.
  while (Loc.isMacroID()) {
    SourceLocation Caller = Spell.SM.getImmediateMacroCallerLoc(Loc);
    Spelled At = Spell.spell(Caller);
    if (At && At.From.Kind == Provenance::Body &&
        At.From.Macro == M.From.Macro) {
      const std::vector<TextToken> &T = At.Text->tokens();
      M.From.Definition = At.From.Definition;
      for (size_t I = At.Text->tokenAt(At.From.Definition.Begin);
           I < T.size() && T[I].Begin < At.From.Definition.End; ++I) {
        if (!At.Text->is(I, "MALLOC_DEFINE"))
          continue;
        std::optional<WrittenCall> Call = At.Text->callAt(T[I].Begin);
        if (!Call || M.InBody) {
          M.InBody = Span();
          return;
        }
        M.InBody = Call->Call;
        for (const Span &A : Call->Args)
          M.BodyArgs.push_back(At.Text->spelling(A));
      }
      return;
    }
    Loc = Caller;
  }
}

void FactVisitor::mallocDefine(const VarDecl *D) {
  if (!D->getLocation().isMacroID())
    return;
  Spelled At = Spell.expansion(D->getLocation());
  if (!At)
    return;
  MallocDefine M;
  M.Key = keyOf(D);
  M.Name = D->getName().str();
  std::optional<WrittenCall> Call = At.Text->callAt(At.Offset);
  if (!Call)
    return;
  M.Macro = At.Text->text(Call->Name).str();
  if (M.Macro == "MALLOC_DECLARE")
    return;
  if (!llvm::StringRef(M.Macro).starts_with("MALLOC_DEFINE")) {
    M.From.Kind = Provenance::Body;
    M.From.Macro = M.Macro;
    M.From.Expansions.push_back(Call->Name);
    inBody(M, D->getLocation());
  }
  M.Call = Call->Call;
  M.Args = Call->Args;
  for (const Span &A : M.Args)
    M.ArgTexts.push_back(At.Text->spelling(A));
  if (!M.From.Macro.empty())
    M.Macro = "MALLOC_DEFINE";
  else if (!M.Args.empty())
    M.Name = M.ArgTexts[0];
  M.Static = D->getStorageClass() == SC_Static;
  size_t First = At.Text->tokenAt(At.Offset);
  size_t Last = At.Text->tokenAt(M.Call.End - 1);
  while (First > 0 &&
         At.Text->tokens()[First - 1].Kind == TextToken::Identifier &&
         !At.Text->tokens()[First - 1].Directive)
    --First;
  if (At.Text->is(Last + 1, ";"))
    ++Last;
  M.Statement = At.Text->span(At.Text->tokens()[First].Begin,
                              At.Text->tokens()[Last].End);
  Out.MallocDefines.push_back(std::move(M));
}

void FactVisitor::declare(const DeclaratorDecl *D, VarKind Kind) {
  std::string Key = track(D);
  if (Key.empty())
    return;
  Variable V;
  V.Key = Key;
  V.Name = D->getName().str();
  V.Kind = Kind;
  QualType T = D->getType();
  V.Type = T.getAsString();
  if (const ConstantArrayType *A = Context.getAsConstantArrayType(T)) {
    V.IsArray = true;
    V.Count = A->getZExtSize();
    V.ElementType = A->getElementType().getUnqualifiedType().getAsString();
  } else if (T->isArrayType()) {
    V.IsArray = true;
  } else if (const auto *P = T->getAs<PointerType>()) {
    V.IsPointer = P->getPointeeType()->isPointerType();
    if (Kind == VarKind::Items)
      V.ElementType = P->getPointeeType().getUnqualifiedType().getAsString();
  }
  if (const auto *Var = dyn_cast<VarDecl>(D)) {
    V.External = Var->hasExternalFormalLinkage();
    if (isa<ParmVarDecl>(D))
      V.Scope = VarScope::Parameter;
    else if (Var->isStaticLocal())
      V.Scope = VarScope::StaticLocal;
    else if (Var->isLocalVarDecl())
      V.Scope = VarScope::Local;
    if (Kind == VarKind::MallocType)
      mallocDefine(Var);
  } else if (const auto *F = dyn_cast<FieldDecl>(D)) {
    V.Scope = VarScope::Field;
    V.Record = F->getParent()->getName().str();
  }
  Declaration Decl = declarationOf(D);
  if (const auto *Of =
          dyn_cast_or_null<FunctionDecl>(D->getParentFunctionOrMethod()))
    Decl.Function = Spell.range(Of->getSourceRange(), Provenance(), false);
  if (Decl.InBody)
    if (const FileText *Text = Store.get(Decl.InBody.File)) {
      // Among other declarations, whatever is in front of it.
      Statement S = Text->statementAt(Decl.InBody);
      S.Context = Statement::InBlock;
      Out.Statements.push_back(std::move(S));
    }
  if (const auto *Var = dyn_cast<VarDecl>(D)) {
    initialiser(Var, Decl);
    if (Kind == VarKind::CacheArgs)
      argsMembers(Var, V);
  }
  if (V.IsArray && Decl.Declarator)
    if (const FileText *Text = Store.get(Decl.Name.File)) {
      size_t Open = Text->tokenAt(Decl.Name.End);
      if (Text->is(Open, "[") && Text->closing(Open) > Open + 1)
        V.CountText = Text->span(Text->tokens()[Open + 1].Begin,
                                 Text->tokens()[Text->closing(Open) - 1].End);
    }
  V.Declarations.push_back(std::move(Decl));
  Out.Variables.push_back(std::move(V));
}

bool FactVisitor::VisitVarDecl(VarDecl *V) {
  if (LastPass)
    local(V);
  else if (std::optional<VarKind> Kind = kindOf(V))
    declare(V, *Kind);
  return true;
}

bool FactVisitor::VisitFieldDecl(FieldDecl *F) {
  if (LastPass)
    return true;
  if (std::optional<VarKind> Kind = kindOf(F))
    declare(F, *Kind);
  return true;
}
