/* SPDX-License-Identifier: BSD-3-Clause */
//===- Spelling.cpp - From clang's locations to text in files -------------===//

#include "Spelling.h"

using namespace kmobj;
using namespace clang;

Span kmobj::definitionAround(const FileText &Text, size_t Index,
                             std::string &Name) {
  const std::vector<TextToken> &T = Text.tokens();
  size_t First = Index, Last = Index;
  while (First > 0 && !T[First].LineStart)
    --First;
  if (!T[First].Directive || !Text.is(First + 1, "define") ||
      First + 2 >= T.size())
    return {};
  Name = Text.text(T[First + 2]).str();
  while (Last + 1 < T.size() && !T[Last + 1].LineStart)
    ++Last;
  return Text.span(T[First + 2].Begin, T[Last].End);
}

const FileText *Speller::file(FileID ID) {
  auto [It, New] = Files.try_emplace(ID, nullptr);
  if (New)
    if (OptionalFileEntryRef Entry = SM.getFileEntryRefForID(ID)) {
      llvm::StringRef Path = Entry->getFileEntry().tryGetRealPathName();
      It->second =
          Store.get(Store.name(Path.empty() ? Entry->getName() : Path));
    }
  return It->second;
}

Spelled Speller::spell(SourceLocation Loc) {
  Spelled S;
  if (Loc.isInvalid())
    return S;
  bool InMacro = Loc.isMacroID();
  if (InMacro)
    if (Spelled E = expansion(Loc))
      S.From.Expansions.push_back(E.Text->span(
          E.Offset, E.Text->tokens()[E.Text->tokenAt(E.Offset)].End));
  Loc = SM.getSpellingLoc(Loc);
  auto [ID, Offset] = SM.getDecomposedLoc(Loc);
  S.Text = file(ID);
  S.Offset = Offset;
  if (!S.Text) {
    S.From.Kind = Provenance::Pasted;
    return S;
  }
  if (!InMacro)
    return S;
  size_t Index = S.Text->tokenAt(Offset);
  S.From.Kind = Provenance::Argument;
  if (Index < S.Text->tokens().size() && S.Text->tokens()[Index].Directive) {
    S.From.Kind = Provenance::Body;
    S.From.Definition = definitionAround(*S.Text, Index, S.From.Macro);
  }
  return S;
}

Span Speller::name(SourceLocation Loc) {
  Spelled S = spell(Loc);
  if (!S)
    return {};
  size_t Index = S.Text->tokenAt(S.Offset);
  if (Index == S.Text->tokens().size())
    return {};
  return S.Text->span(S.Offset, S.Text->tokens()[Index].End);
}

Spelled Speller::expansion(SourceLocation Loc) {
  auto [ID, Offset] = SM.getDecomposedLoc(SM.getExpansionLoc(Loc));
  return {file(ID), Offset, {}};
}

/// Extends End over the token there, and a ';' after it.
static Span closeRange(const FileText &Text, uint32_t Begin, uint32_t EndToken,
                       bool Semicolon) {
  size_t Last = Text.tokenAt(EndToken);
  if (Last == Text.tokens().size() || EndToken < Begin)
    return {};
  if (Semicolon && !Text.is(Last, "}") && Text.is(Last + 1, ";"))
    ++Last;
  return Text.span(Begin, Text.tokens()[Last].End);
}

Span Speller::range(SourceRange Range, const Provenance &From, bool Semicolon) {
  if (From.Kind == Provenance::Body) {
    // What an argument spells stands where the body has the parameter.
    auto InBody = [&](SourceLocation Loc) {
      Spelled S = spell(Loc);
      while (S && !From.Definition.contains(S.Text->path(), S.Offset)) {
        if (!Loc.isMacroID() || !SM.isMacroArgExpansion(Loc))
          return Spelled();
        Loc = SM.getImmediateExpansionRange(Loc).getBegin();
        S = spell(Loc);
      }
      return S;
    };
    Spelled B = InBody(Range.getBegin()), E = InBody(Range.getEnd());
    if (!B || B.Text != E.Text)
      return {};
    return closeRange(*B.Text, B.Offset, E.Offset, Semicolon);
  }
  Spelled B = expansion(Range.getBegin());
  auto [ID, End] =
      SM.getDecomposedLoc(SM.getExpansionRange(Range.getEnd()).getEnd());
  if (!B || file(ID) != B.Text)
    return {};
  return closeRange(*B.Text, B.Offset, End, Semicolon);
}

Span Speller::spelledRange(SourceRange Range) {
  Spelled B = spell(Range.getBegin()), E = spell(Range.getEnd());
  if (!B || B.Text != E.Text || B.From.Kind != E.From.Kind)
    return {};
  return closeRange(*B.Text, B.Offset, E.Offset, /*Semicolon=*/false);
}
