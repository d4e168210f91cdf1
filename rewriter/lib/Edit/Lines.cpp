/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lines that change, as style(9) has them.
 *
 * A new name is longer or shorter than the old one. A line that fitted into 80
 * columns and does not any more is broken; the backslash of a macro's line stays
 * in its column. A line that two patches change is left alone: what one of them
 * would move the other has to find.
 */
#include "kmobj/Edit.h"
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

namespace {
/// What changes on a line.
struct ChangedLine {
  std::vector<const Change *> Changes;
  Patch *By = nullptr; ///< null: several, and none shall meet another's
};
/// By the file, and where in it the line begins.
using ChangedLines =
    std::map<std::pair<std::string, uint64_t>, ChangedLine>;
} // namespace

static Expected<ChangedLines> changedLines(Sources &Files,
                                           MutableArrayRef<Patch> Patches) {
  ChangedLines Lines;
  for (Patch &P : Patches)
    for (const Change &C : P.Changes) {
      auto Found = Files.get(C.File);
      if (!Found)
        return Found.takeError();
      const SourceText &Text = **Found;
      const bool Whole = C.Length && Text.lineBegin(C.Offset) == C.Offset;
      for (const uint64_t At : {C.Offset, C.Offset + C.Length - Whole}) {
        auto [It, New] = Lines.try_emplace({C.File, Text.lineBegin(At)});
        ChangedLine &L = It->second;
        L.By = New || L.By == &P ? &P : nullptr;
        if (L.Changes.empty() || L.Changes.back() != &C)
          L.Changes.push_back(&C);
      }
    }
  return Lines;
}

/// Is the line with this code the first of a statement? Before is the code of
/// the line above, or what stands there.
static bool beginsStatement(StringRef Before) {
  Before = Before.rtrim();
  return Before.empty() || Before.ends_with("*/") || Before.ends_with("++") ||
         Before.ends_with("--") ||
         !StringRef(",(=|&+-*/?<>").contains(Before.back());
}

/// Where a line of code may be broken so that no part of it passes column 80,
/// and how deep that is in parentheses: behind a comma or an operator, the
/// outermost, and of these the last. Old is the line, from Begin in the file;
/// Deep is the column of what is behind the break.
static std::optional<uint64_t> breakOf(StringRef Old, uint64_t Begin,
                                       ArrayRef<Change> Changes,
                                       unsigned Deep) {
  constexpr unsigned Width = 80;
  std::optional<uint64_t> Best;
  int Depth = 0, BestDepth = 0;
  for (uint64_t I = 0; I + 1 < Old.size(); ++I) {
    const char C = Old[I];
    if (C == '"' || C == '\'') {
      for (++I; I < Old.size() && Old[I] != C; ++I)
        I += Old[I] == '\\';
      continue;
    }
    Depth += (C == '(') - (C == ')');
    const StringRef Head = Old.take_front(I);
    const bool Ends =
        Head.ends_with(",") || Head.ends_with(" ||") || Head.ends_with(" &&") ||
        (Head.size() > 2 && Head[Head.size() - 2] == ' ' &&
         StringRef("=+-|&?").contains(Head.back()));
    if (C != ' ' || !Ends || (Best && Depth > BestDepth))
      continue;
    std::vector<Change> Left, Right;
    bool Free = true;
    for (const Change &Of : Changes) {
      const uint64_t At = Of.Offset - Begin;
      Free &= At + Of.Length <= I || At > I;
      if (At <= I)
        Left.push_back({Of.File, At, Of.Length, Of.Text});
      else
        Right.push_back({Of.File, At - I - 1, Of.Length, Of.Text});
    }
    if (!Free)
      continue;
    const auto Fits = [&](StringRef Text, ArrayRef<Change> Of, unsigned From) {
      auto New = applyChanges("", Text, Of);
      if (!New) {
        consumeError(New.takeError());
        return false;
      }
      return columnAfter(*New, From) <= Width;
    };
    if (Fits(Head, Left, 0) && Fits(Old.drop_front(I + 1), Right, Deep)) {
      Best = Begin + I;
      BestDepth = Depth;
    }
  }
  return Best;
}

Error breakLongLines(Sources &Files, std::vector<Patch> &Patches) {
  auto Lines = changedLines(Files, Patches);
  if (!Lines)
    return Lines.takeError();
  std::vector<std::pair<Patch *, Change>> Breaks;
  for (auto &[At, L] : *Lines) {
    auto Found = Files.get(At.first);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    const StringRef Old = Text.line(At.second);
    const uint64_t End = At.second + Old.size();
    const StringRef Above = At.second ? Text.line(At.second - 1) : "";
    std::vector<Change> Mine;
    bool Inside = true;
    for (const Change *C : L.Changes) {
      Mine.push_back(*C);
      Inside &= C->Offset >= At.second && C->Offset + C->Length <= End &&
                !StringRef(C->Text).contains('\n');
    }
    if (!L.By || !Inside || columnAfter(Old) > 80 || Old.ends_with("\\") ||
        Above.ends_with("\\") || Old.ltrim().starts_with("#") ||
        Old.contains("/*") || Old.contains("//"))
      continue;
    std::vector<Change> Moved = Mine;
    for (Change &C : Moved)
      C.Offset -= At.second;
    auto New = applyChanges(At.first, Old, Moved);
    if (!New)
      return New.takeError();
    if (columnAfter(*New) <= 80)
      continue;
    const unsigned Deep = columnAfter(Text.indent(At.second)) +
                          (beginsStatement(Above) ? 4 : 0);
    if (const auto Break = breakOf(Old, At.second, Mine, Deep))
      Breaks.push_back({L.By, {At.first, *Break, 1, "\n" + indentTo(Deep)}});
  }
  for (auto &[P, C] : Breaks)
    P->Changes.push_back(std::move(C));
  return Error::success();
}

Error alignBackslashes(Sources &Files, std::vector<Patch> &Patches) {
  auto Lines = changedLines(Files, Patches);
  if (!Lines)
    return Lines.takeError();
  std::vector<std::pair<Patch *, Change>> Pads;
  for (auto &[At, L] : *Lines) {
    auto Found = Files.get(At.first);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    const StringRef Old = Text.line(At.second);
    const StringRef Body = Old.drop_back(Old.ends_with("\\")).rtrim();
    const uint64_t End = At.second + Body.size();
    const uint64_t Pad = Old.size() - Body.size();
    const bool Inside = all_of(L.Changes, [&, Begin = At.second](auto *C) {
      return C->Offset >= Begin && C->Offset + C->Length <= End;
    });
    if (!L.By || !Old.ends_with("\\") || !Inside ||
        !Old.take_back(Pad).contains('\t'))
      continue;
    std::vector<Change> Moved;
    for (const Change *C : L.Changes)
      Moved.push_back({C->File, C->Offset - At.second, C->Length, C->Text});
    auto New = applyChanges(At.first, Body, Moved);
    if (!New)
      return New.takeError();
    const StringRef Last = StringRef(*New).substr(New->rfind('\n') + 1);
    Pads.push_back({L.By,
                    {At.first, End, Pad - 1,
                     padTo(columnAfter(Old) - 1, columnAfter(Last))}});
  }
  for (auto &[P, C] : Pads)
    P->Changes.push_back(std::move(C));
  return Error::success();
}

} // namespace kmobj
