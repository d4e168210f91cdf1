/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nothing needs after the conversion is taken out.
 *
 * It is found by the plan, and may be around what steps have changed: a
 * function that lost its last statement goes as a whole.
 */
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

namespace {

class Remover {
public:
  Remover(const Facts &F, Sources &Files, Declarators &Shared,
          std::vector<Change> &Changes)
      : F(F), Files(Files), Shared(Shared), Changes(Changes) {}

  Error run(const Leftover &L);

private:
  const Facts &F;
  Sources &Files;
  Declarators &Shared;
  std::vector<Change> &Changes;

  Error declaration(const Declaration &D);
  void add(Change C);
};

} // namespace

/// What was to change inside is gone with it.
void Remover::add(Change C) {
  erase_if(Changes, [&](const Change &Old) {
    return Old.File == C.File && Old.Offset >= C.Offset &&
           Old.Offset + Old.Length <= C.Offset + C.Length;
  });
  Changes.push_back(std::move(C));
}

Error Remover::declaration(const Declaration &D) {
  auto Text = Files.get(D.Statement.File);
  if (!Text)
    return Text.takeError();
  if (const auto Gone = Shared.removal(F, **Text, D)) // else it stays, unused
    append_range(Changes, *Gone);
  return Error::success();
}

Error Remover::run(const Leftover &L) {
  for (const Span &S : L.Text) {
    auto Text = Files.get(S.File);
    if (!Text)
      return Text.takeError();
    ByteRange Gone = (*Text)->removal(S.Begin, S.End);
    // Of a definition its comment goes, too, and one of the blank lines.
    const uint64_t Begin = (*Text)->withComment(S.Begin);
    if (Begin < Gone.Begin)
      Gone = {Begin, (*Text)->removal(Begin, S.End).End};
    add({S.File, Gone.Begin, Gone.End - Gone.Begin, ""});
  }
  for (const Span &S : L.Statements) {
    auto Text = Files.get(S.File);
    if (!Text)
      return Text.takeError();
    const Statement *Known = F.statement(S);
    Statement Whole;
    Whole.Text = S;
    if (auto C = without(F, **Text, Known ? *Known : Whole))
      add(std::move(*C));
  }
  for (const std::string &Key : L.Variables)
    if (const Variable *V = F.variable(Key))
      for (const Declaration &D : V->Declarations)
        if (Error E = declaration(D))
          return E;
  for (const MallocDefine &M : F.MallocDefines) {
    if (M.Key != L.MallocDefine || L.MallocDefine.empty())
      continue;
    auto Text = Files.get(M.Statement.File);
    if (!Text)
      return Text.takeError();
    const ByteRange Gone = (*Text)->removal(M.Statement.Begin, M.Statement.End);
    add({M.Statement.File, Gone.Begin, Gone.End - Gone.Begin, ""});
    if (const Variable *Type = F.variable(M.Key))
      for (const Declaration &D : Type->Declarations)
        if (!D.Definition && D.Statement)
          if (Error E = declaration(D))
            return E;
  }
  return Error::success();
}

Error removeLeftover(const Facts &F, const Leftover &L, Sources &Files,
                     Declarators &Shared, std::vector<Change> &Changes) {
  return Remover(F, Files, Shared, Changes).run(L);
}

} // namespace kmobj
