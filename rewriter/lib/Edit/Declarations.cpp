/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the zone was declared, the type is defined.
 *
 * The definition takes the place of the first declaration that goes, unless
 * the object's structure is only complete further down in the file: then it
 * follows the structure.
 */
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace kmobj {

/// The ranges to delete. Group: all declarators of D's statement.
std::vector<ByteRange>
Declarators::remove(const SourceText &Text, const Declaration &D,
                    ArrayRef<const Declaration *> Group) {
  if (D.Declarators == 1)
    return {Text.removal(D.Statement.Begin, D.Statement.End)};

  State &S = state(D);
  S.Gone.insert(D.Index);
  std::vector<ByteRange> Ranges{{D.Declarator.Begin, D.Declarator.End}};
  if (S.Gone.size() == D.Declarators) {
    ByteRange Whole = Text.removal(D.Statement.Begin, D.Statement.End);
    if (S.Followed) // by an empty line, perhaps, but behind what is new
      Whole.End = std::min(Whole.End, Text.nextLine(D.Statement.End));
    Ranges.push_back({Whole.Begin, Group.front()->Declarator.Begin});
    Ranges.push_back({Group.back()->Declarator.End, Whole.End});
    return Ranges;
  }
  // A comma goes with each declarator but the last: the next one that is still
  // there, else the one before.
  std::optional<unsigned> Gap;
  for (unsigned I = D.Index; I + 1 < D.Declarators && !Gap; ++I)
    if (!S.GoneGaps.count(I))
      Gap = I;
  for (unsigned I = D.Index; I > 0 && !Gap; --I)
    if (!S.GoneGaps.count(I - 1))
      Gap = I - 1;
  if (Gap) {
    S.GoneGaps.insert(*Gap);
    Ranges.push_back(
        {Group[*Gap]->Declarator.End, Group[*Gap + 1]->Declarator.Begin});
  }
  return Ranges;
}

/// All declarations of D's statement, by their index; empty when the facts do
/// not know them all (the others are no zones).
static std::vector<const Declaration *> groupOf(const Facts &F,
                                                const Declaration &D) {
  std::vector<const Declaration *> Group(D.Declarators);
  for (const Variable &V : F.Variables)
    for (const Declaration &Other : V.Declarations)
      if (Other.Statement == D.Statement && Other.Index < Group.size())
        Group[Other.Index] = &Other;
  if (is_contained(Group, nullptr))
    Group.clear();
  return Group;
}

std::optional<std::vector<Change>> Declarators::removal(const Facts &F,
                                                        const SourceText &Text,
                                                        const Declaration &D) {
  std::vector<const Declaration *> Group;
  if (D.Declarators > 1) {
    Group = groupOf(F, D);
    if (Group.empty())
      return std::nullopt;
  }
  std::vector<Change> Changes;
  for (const ByteRange &R : remove(Text, D, Group))
    if (R.Begin != R.End)
      Changes.push_back({D.Statement.File, R.Begin, R.End - R.Begin, ""});
  return Changes;
}

Error EntryEditor::removeDeclaration(const Declaration &D) {
  auto Text = Files.get(D.Statement.File);
  if (!Text)
    return Text.takeError();
  const auto Gone = Shared.removal(F, **Text, D);
  if (!Gone)
    return trouble(D.Name, "is declared together with other variables; "
                           "declare it by itself first");
  append_range(Changes, *Gone);
  return Error::success();
}

Error EntryEditor::replaceDeclaration(const Declaration &D,
                                      const std::string &New) {
  if (D.Declarators == 1) {
    change(D.Statement, New);
    return Error::success();
  }
  auto Text = Files.get(D.Statement.File);
  if (!Text)
    return Text.takeError();
  Shared.follow(D);
  if (Error E = removeDeclaration(D))
    return E;
  const auto At = (*Text)->lineBehind(D.Statement.End);
  if (!At)
    return trouble(D.Name, "other code follows on the line of this "
                           "declaration, whose place something new takes");
  change(D.Statement.File, *At, *At,
         (*Text)->indent(D.Statement.Begin).str() + New + "\n");
  return Error::success();
}

std::vector<const Variable *> EntryEditor::stores() const {
  std::vector<const Variable *> Found;
  auto Add = [&](StringRef Key) {
    const Variable *V = F.variable(Key);
    if (V && V->Kind == VarKind::ZoneStore && V->Key != Entry.Key &&
        !is_contained(Found, V))
      Found.push_back(V);
  };
  if (const Variable *Zone = F.variable(Entry.Key))
    for (const Declaration &D : Zone->Declarations)
      Add(D.InitStore);
  for (const Use *U : F.usesOf(Entry.Key))
    if (U->What == Role::StoreAssign)
      Add(U->Other);
  return Found;
}

std::string EntryEditor::definition(StringRef Indent) const {
  const std::string Head =
      Entry.Static ? "static MALLOC_DEFINE_OBJ(" : "MALLOC_DEFINE_OBJ(";
  return layoutCall(Head,
                    {Entry.Type, objectSize(), Entry.ShortText, Entry.LongText},
                    ");", Indent, columnAfter(Indent));
}

/// Where, behind Place, the last thing is defined that the size is made of: the
/// end of that, or of the #if around it that Place is not in. Nothing: at Place
/// all of it is known.
std::optional<uint64_t> EntryEditor::completeAfter(const Span &Place) const {
  std::set<StringRef> Of{Entry.Key};
  for (const Site *S : F.sitesOf(Entry.Key))
    for (const Argument &A : S->Args)
      Of.insert(A.Var);
  for (const Variable *Store : stores())
    Of.insert(Store->Key);
  std::optional<uint64_t> Complete;
  for (const SizeText &Size : F.Sizes)
    if (Of.count(Size.Key))
      for (const Span &D : Size.Definitions)
        if (D.File == Place.File && D.End > Place.End)
          Complete = std::max<uint64_t>(Complete.value_or(0), D.End);
  if (!Complete)
    return std::nullopt;
  // Every #if that opens behind Place, or whose branch ends behind it, is left.
  int Depth = 0;
  for (const Directive &D : F.file(Place.File)->Directives) {
    if (D.Text.Begin < Place.End)
      continue;
    if (D.Text.Begin >= *Complete && Depth <= 0)
      break;
    const bool Branches = StringRef(D.Keyword).starts_with("el");
    Depth += StringRef(D.Keyword).starts_with("if") || (Branches && Depth == 0);
    Depth -= D.Keyword == "endif";
    if (D.Text.Begin >= *Complete)
      Complete = D.Text.End;
    else if (Depth < 0)
      Depth = 0; // the #if that Place itself is in has ended
  }
  return Complete;
}

/// Does anything in File, before Offset, name the type?
bool EntryEditor::isUsedBefore(StringRef File, uint64_t Offset) const {
  auto Before = [&](const Span &S) {
    return S.File == File && S.Begin < Offset;
  };
  return any_of(Entry.Steps, [&](const Step &S) {
    const bool Sets =
        S.RaiseLimit || S.CallReserve || S.CallCache || S.CallCtor;
    if (S.Do == Action::Remove || (S.Do == Action::Create && !Sets) ||
        (S.Do == Action::Destroy && !Entry.Constructed))
      return false;
    const Site *At = F.siteAt(S.At);
    return At && At->From.Kind == Provenance::Body
               ? any_of(At->From.Expansions, Before)
               : Before(S.Replace);
  });
}

/// What stands in place of a declaration that goes, where the type is used
/// before its definition, or in another file; empty when nothing needs it.
std::string EntryEditor::forward(const Declaration &Gone,
                                 const Span &Definition) const {
  const Span &Here = Gone.Statement;
  const bool Same = Here.File == Definition.File;
  if ((Same && Definition.Begin <= Here.Begin) ||
      !isUsedBefore(Here.File, Same ? Definition.Begin : UINT64_MAX))
    return "";
  for (StringRef Key : {Entry.Key, Entry.MallocDefine})
    if (const Variable *V = F.variable(Key))
      for (const Declaration &D : V->Declarations)
        if (!D.Definition && D.Name.valid() &&
            (D.Name.File == Here.File ? D.Name < Here
                                      : F.includes(Here.File, D.Name.File)))
          return "";
  return Entry.Static ? "static struct malloc_type " + Entry.Type + "_obj[1];"
                      : "MALLOC_DECLARE(" + Entry.Type + "_obj);";
}

/// The variable's definition goes, and the type is defined elsewhere.
Error EntryEditor::dropDefinition(const Declaration &Gone,
                                  const Span &Definition) {
  const std::string New = forward(Gone, Definition);
  return New.empty() ? removeDeclaration(Gone) : replaceDeclaration(Gone, New);
}

Error EntryEditor::externs(const Variable &V) {
  for (const Declaration &D : V.Declarations) {
    if (D.Definition)
      continue;
    const Variable *Type = F.variable(Entry.MallocDefine);
    const bool Twice =
        Type && any_of(Type->Declarations, [&](const Declaration &Other) {
          return !Other.Definition && Other.Name.valid() &&
                 F.includes(D.Name.File, Other.Name.File);
        });
    const std::string New = "MALLOC_DECLARE(" + Entry.Type + "_obj);";
    if (Error E = Twice ? removeDeclaration(D) : replaceDeclaration(D, New))
      return E;
  }
  return Error::success();
}

Error EntryEditor::declarations() {
  const Variable *Zone = F.variable(Entry.Key);
  if (!Zone)
    return createStringError("%s: its declaration is not among the facts",
                             Entry.Variable.c_str());
  carriers();
  if (Entry.Form == TypeForm::None) {
    for (const Declaration &D : Zone->Declarations)
      if (Error E = removeDeclaration(D))
        return E;
    return argsVariable();
  }
  if (Entry.InPool)
    return Error::success(); // its steps change the macro
  if (Entry.Form == TypeForm::Dynamic) {
    if (Error E = defineDynamic())
      return E;
    return argsVariable();
  }
  if (Error E = Entry.Form == TypeForm::Redefine ? redefine() : define())
    return E;
  if (Error E = externs(*Zone))
    return E;
  return argsVariable();
}

/// objcache_malloc_args which only this cache had.
Error EntryEditor::argsVariable() {
  if (const Variable *Args = F.variable(Entry.ArgsVariable))
    for (const Declaration &D : Args->Declarations)
      if (Error E = removeDeclaration(D))
        return E;
  return Error::success();
}

Error EntryEditor::define() {
  std::vector<const Declaration *> Going;
  const Variable *Zone = F.variable(Entry.Key);
  for (const Declaration &D : Zone->Declarations)
    if (D.Definition)
      Going.push_back(&D);
  if (Going.empty())
    return createStringError(
        "%s: no unit of the compile database defines it; add the one that "
        "does",
        Entry.Variable.c_str());
  const std::string File = Going.front()->Statement.File;
  for (const Variable *Store : stores())
    for (const Declaration &D : Store->Declarations)
      Going.push_back(&D);
  llvm::stable_sort(Going, [&](const Declaration *A, const Declaration *B) {
    if ((A->Statement.File == File) != (B->Statement.File == File))
      return A->Statement.File == File;
    return A->Statement < B->Statement;
  });

  auto Found = Files.get(File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  const Declaration &First = *Going.front();
  Span Place = First.Statement;
  if (const auto Complete = completeAfter(Place)) {
    // Where other code follows on the line, that gets a line of its own.
    const uint64_t Later = Text.lineBehind(*Complete).value_or(*Complete);
    change(File, Later, Later,
           "\n" + std::string(Later == *Complete ? "\n" : "") + definition("") +
               "\n");
    Place.Begin = Place.End = Later;
    if (Error E = dropDefinition(First, Place))
      return E;
  } else if (Error E = replaceDeclaration(
                 First, definition(Text.indent(First.Statement.Begin)))) {
    return E;
  }
  for (const Declaration *D : ArrayRef(Going).drop_front())
    if (Error E = removeDeclaration(*D))
      return E;
  return bootItems(Place);
}

/// The static array of first items becomes slabs, after the type.
Error EntryEditor::bootItems(const Span &Definition) {
  if (Entry.Items.empty() || !Entry.ItemsStatic)
    return Error::success();
  const Variable *Items = F.variable(Entry.Items);
  if (!Items || Items->Declarations.size() != 1)
    return createStringError("%s: its first items are not one static array",
                             Entry.Variable.c_str());
  const Declaration &Array = Items->Declarations.front();
  if (!Entry.Bootstrap)
    return removeDeclaration(Array);
  const std::string Slabs =
      layoutCall("KMALLOC_OBJ_BOOTSLABS(",
                 {Entry.Type, Entry.SizeText, Entry.ItemsCount}, ");", "", 0);
  if (Array.Statement.File != Definition.File || Definition < Array.Statement)
    return replaceDeclaration(Array, Slabs);
  auto Text = Files.get(Definition.File);
  if (!Text)
    return Text.takeError();
  const auto At = Definition.Begin == Definition.End
                      ? std::optional(uint64_t(Definition.End))
                      : (*Text)->lineBehind(Definition.End);
  if (!At)
    return trouble(Definition, "other code follows on the line of this "
                               "declaration, whose place something new takes");
  change(Definition.File, *At, *At, Slabs + "\n");
  return removeDeclaration(Array);
}

/// MALLOC_DEFINE(M_X, "x", "x") -> MALLOC_DEFINE_OBJ(M_X, size, "x", "x")
Error EntryEditor::redefine() {
  const auto Old = llvm::find_if(F.MallocDefines, [&](const MallocDefine &M) {
    return M.Key == Entry.MallocDefine;
  });
  const Variable *Cache = F.variable(Entry.Key);
  if (Old == F.MallocDefines.end() || Old->Args.size() != 3)
    return createStringError("%s: the definition of its malloc type is not "
                             "among the facts",
                             Entry.Variable.c_str());
  auto Found = Files.get(Old->Call.File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  const StringRef Indent = Text.indent(Old->Call.Begin);
  const unsigned Column = Text.column(Old->Call.Begin);
  std::vector<std::string> Arguments{Entry.Type, objectSize(), Entry.ShortText,
                                     Entry.LongText};
  const std::string New =
      layoutCall("MALLOC_DEFINE_OBJ(", Arguments, ")", Indent, Column,
                 Old->Statement.End - Old->Call.End);
  Span Place = Old->Statement;
  if (const auto Complete = completeAfter(Place)) {
    const uint64_t Later = Text.lineBehind(*Complete).value_or(*Complete);
    Place.Begin = Place.End = Later;
    const StringRef Storage =
        Entry.Static || !Old->Static
            ? Text.slice(Old->Statement.Begin, Old->Call.Begin)
            : StringRef();
    const ByteRange Gone =
        Text.removal(Old->Statement.Begin, Old->Statement.End);
    change(Old->Statement.File, Gone.Begin, Gone.End, "");
    change(
        Old->Statement.File, Later, Later,
        ("\n" + Twine(Later == *Complete ? "\n" : "") + Storage + New + ";\n")
            .str());
  } else {
    change(Old->Call, New);
    // Other files name it, too.
    if (Old->Static && !Entry.Static)
      change(Old->Statement.File, Old->Statement.Begin, Old->Call.Begin, "");
  }

  for (const Declaration &D : Cache->Declarations)
    if (D.Definition)
      if (Error E = dropDefinition(D, Place))
        return E;
  // MALLOC_DECLARE(M_X): the variable behind it is M_X_obj now.
  if (const Variable *Type = F.variable(Old->Key))
    for (const Declaration &D : Type->Declarations) {
      if (D.Definition || !D.Name.valid())
        continue;
      auto In = Files.get(D.Name.File);
      if (!In)
        return In.takeError();
      const StringRef Line = (*In)->line(D.Name.Begin);
      // The variable's declaration becomes another, which this file reads.
      const bool Twice = any_of(Cache->Declarations, [&](const auto &Other) {
        return !Other.Definition && Other.Name.File != D.Name.File &&
               F.includes(D.Name.File, Other.Name.File);
      });
      if (Twice && Line.trim() == "MALLOC_DECLARE(" + Type->Name + ");") {
        const uint64_t Begin = (*In)->lineBegin(D.Name.Begin);
        const ByteRange Gone =
            (*In)->removal(Begin, (*In)->lineEnd(D.Name.Begin));
        change(D.Name.File, Gone.Begin, Gone.End, "");
      } else {
        change(D.Name, Entry.Type + "_obj");
      }
    }
  return Error::success();
}

/// struct objcache *oc -> struct malloc_type *oc_obj; of an array, whose name
/// nothing pastes, only the type.
void EntryEditor::carriers() {
  for (const std::string &Key : Entry.Carriers) {
    const Variable *C = F.variable(Key);
    if (!C)
      continue;
    for (const Declaration &D : C->Declarations) {
      const bool Star = D.Declarator.Begin < D.Name.Begin;
      change(D.Type, "struct malloc_type");
      const bool Unnamed = D.Name.Begin == D.Name.End;
      const std::string Name = Unnamed      ? ""
                               : C->IsArray ? C->Name
                                            : C->Name + "_obj";
      if (!Star)
        change(D.Name, (Unnamed ? " *" : "*") + Name);
      else if (!C->IsArray && !Unnamed)
        change(D.Name, Name);
    }
  }
}

/// vm_zone_t z -> struct malloc_type *z_obj
Error EntryEditor::defineDynamic() {
  for (const Declaration &D : F.variable(Entry.Key)->Declarations) {
    auto Text = Files.get(D.Statement.File);
    if (!Text)
      return Text.takeError();
    if (D.Declarators > 1) {
      const StringRef Storage = (*Text)->slice(D.Statement.Begin, D.Type.Begin);
      const StringRef Rest = (*Text)->slice(D.Name.End, D.Declarator.End);
      if (Error E = replaceDeclaration(D, (Storage + "struct malloc_type *" +
                                           Entry.Variable + "_obj" + Rest + ";")
                                              .str()))
        return E;
      continue;
    }
    const bool Pointer =
        (*Text)->slice(D.Declarator.Begin, D.Name.Begin).contains('*');
    change(D.Type, "struct malloc_type");
    // Names that stood in a column stay there.
    const uint64_t Name = Pointer ? D.Declarator.Begin : D.Name.Begin;
    const StringRef Gap = (*Text)->slice(D.Type.End, Name);
    if (Gap.contains('\t') && Gap.trim().empty())
      change(D.Type.File, D.Type.End, Name,
             padTo((*Text)->column(Name),
                   columnAfter("struct malloc_type",
                               (*Text)->column(D.Type.Begin))));
    change(D.Name, std::string(Pointer ? "" : "*") + Entry.Variable + "_obj");
  }
  return Error::success();
}

} // namespace kmobj
