/* SPDX-License-Identifier: BSD-3-Clause */
//===- Pieces.cpp - A file as directives and declarations -----------------===//

#include "Pieces.h"
#include "llvm/ADT/STLExtras.h"

using namespace kmobj;
using llvm::StringRef;

FilePieces::FilePieces(const FileText &Text) : Text(Text) {
  const std::vector<TextToken> &T = Text.tokens();
  std::vector<unsigned> Under;
  unsigned Branches = 0;
  Piece Open; // a declaration that has not ended
  unsigned Depth = 0;
  bool Body = false; // the brace that is open is a function's
  auto Finish = [&](Piece &P) {
    for (const size_t I : P.Tokens) {
      const bool Blank = I != P.Tokens.front() && T[I].Begin != T[I - 1].End;
      P.Text += (Blank ? " " : "") + Text.text(T[I]).str();
    }
    Pieces.push_back(std::move(P));
    P = Piece();
  };
  for (size_t I = 0; I < T.size(); ++I) {
    if (T[I].Directive) {
      Piece D;
      D.Directive = true;
      do
        D.Tokens.push_back(I++);
      while (I < T.size() && T[I].Directive && !T[I].LineStart);
      --I;
      const StringRef Word =
          D.Tokens.size() > 1 ? Text.text(T[D.Tokens[1]]) : StringRef();
      const bool Ends = Word == "endif", Other = Word.starts_with("el");
      if ((Ends || Other) && !Under.empty())
        Under.pop_back();
      D.Under = Under;
      if (Other || Word.starts_with("if"))
        Under.push_back(++Branches);
      Open.Broken |= !Open.Tokens.empty();
      Finish(D);
      continue;
    }
    if (Open.Tokens.empty())
      Open.Under = Under;
    Open.Tokens.push_back(I);
    if (Text.is(I, "{") && Depth == 0)
      Body = Text.is(I - 1, ")");
    if (Text.is(I, "{") || Text.is(I, "(") || Text.is(I, "["))
      ++Depth;
    else if (Depth && (Text.is(I, "}") || Text.is(I, ")") || Text.is(I, "]")))
      --Depth;
    if (Depth == 0 && (Text.is(I, ";") || (Body && Text.is(I, "}")))) {
      Body = false;
      Finish(Open);
    }
  }
  if (!Open.Tokens.empty()) {
    Open.Broken = true;
    Finish(Open);
  }
}

std::vector<StringRef> FilePieces::words(const Piece &P) const {
  std::vector<StringRef> Words;
  for (const size_t I : P.Tokens)
    Words.push_back(Text.text(Text.tokens()[I]));
  return Words;
}

void kmobj::keepCommon(FilePieces &A, FilePieces &B) {
  auto Same = [](const Piece &X, const Piece &Y) {
    return X.Text == Y.Text && X.Directive == Y.Directive;
  };
  std::vector<Piece> &X = A.Pieces, &Y = B.Pieces;
  size_t Front = 0, Back = 0;
  const size_t Least = std::min(X.size(), Y.size());
  while (Front < Least && Same(X[Front], Y[Front])) {
    X[Front].Kept = Y[Front].Kept = true;
    ++Front;
  }
  while (Back < Least - Front &&
         Same(X[X.size() - 1 - Back], Y[Y.size() - 1 - Back])) {
    X[X.size() - 1 - Back].Kept = Y[Y.size() - 1 - Back].Kept = true;
    ++Back;
  }
  // The longest common part of what is between; of much, none is kept.
  const size_t M = X.size() - Front - Back, N = Y.size() - Front - Back;
  if (M * N > 4'000'000)
    return;
  std::vector<unsigned> Longest((M + 1) * (N + 1), 0);
  auto At = [&](size_t I, size_t J) -> unsigned & {
    return Longest[I * (N + 1) + J];
  };
  for (size_t I = M; I-- > 0;)
    for (size_t J = N; J-- > 0;)
      At(I, J) = Same(X[Front + I], Y[Front + J])
                     ? At(I + 1, J + 1) + 1
                     : std::max(At(I + 1, J), At(I, J + 1));
  for (size_t I = 0, J = 0; I < M && J < N;) {
    if (Same(X[Front + I], Y[Front + J])) {
      X[Front + I].Kept = Y[Front + J].Kept = true;
      ++I;
      ++J;
    } else if (At(I + 1, J) >= At(I, J + 1)) {
      ++I;
    } else {
      ++J;
    }
  }
}
