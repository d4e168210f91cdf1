/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Edit.h"
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

/// Is something new written into Range of File?
static bool writtenInto(ArrayRef<Patch> Patches, StringRef File,
                        ByteRange Range) {
  for (const Patch &P : Patches)
    for (const Change &C : P.Changes)
      if (!C.Text.empty() && C.File == File && C.Offset >= Range.Begin &&
          C.Offset <= Range.End)
        return true;
  return false;
}

namespace {
/// What goes one after the other, by patch I or one before it, and at least in
/// part by patch I; nothing new is written into it.
struct Gap {
  std::string File;
  ByteRange Range;
  unsigned Removals;
};
} // namespace

static std::vector<Gap> gapsOf(ArrayRef<Patch> Patches, size_t I) {
  std::vector<std::pair<const Change *, bool>> Gone; // and whether it is I's
  for (const Patch &P : Patches.take_front(I + 1))
    for (const Change &C : P.Changes)
      if (C.Text.empty() && C.Length)
        Gone.emplace_back(&C, &P == &Patches[I]);
  stable_sort(Gone, [](const auto &A, const auto &B) {
    return std::tie(A.first->File, A.first->Offset) <
           std::tie(B.first->File, B.first->Offset);
  });
  std::vector<Gap> Gaps;
  for (size_t First = 0, Next; First < Gone.size(); First = Next) {
    const Change &Head = *Gone[First].first;
    Gap G{Head.File, {Head.Offset, Head.Offset}, 0};
    bool AnyMine = false;
    for (Next = First; Next < Gone.size(); ++Next) {
      const auto &[C, IsMine] = Gone[Next];
      if (C->File != G.File || C->Offset > G.Range.End)
        break;
      G.Range.End = std::max(G.Range.End, C->Offset + C->Length);
      AnyMine |= IsMine;
      ++G.Removals;
    }
    if (AnyMine && !writtenInto(Patches, G.File, G.Range))
      Gaps.push_back(std::move(G));
  }
  return Gaps;
}

/// The blank lines from Offset on, or with Back before it.
static unsigned blankLines(const SourceText &Text, uint64_t Offset,
                           bool Back = false) {
  unsigned N = 0;
  for (uint64_t At = Offset; Back ? At > 0 : At < Text.text().size(); ++N) {
    if (!Text.line(Back ? At - 1 : At).trim().empty())
      break;
    At = Back ? Text.lineBegin(At - 1) : Text.nextLine(At);
  }
  return N;
}

/// Blank lines beside what goes that go with it: all but one where it was, or
/// but two where two were on both sides, or the last of the file; if Trim, the
/// one at the begin or the end of a block.
static std::optional<Change> blankBeside(const SourceText &Text, const Gap &G,
                                         bool Trim) {
  const auto [Begin, End] = G.Range;
  const uint64_t Size = Text.text().size();
  if (Begin == 0 || End > Size || Text.lineBegin(Begin) != Begin ||
      (End < Size && Text.lineBegin(End) != End))
    return std::nullopt;
  const StringRef Before = Text.line(Begin - 1), After = Text.line(End);
  const bool BlankBefore = Before.trim().empty();
  const Change LineBefore{G.File, Text.lineBegin(Begin - 1),
                          Begin - Text.lineBegin(Begin - 1), ""};
  if (End == Size)
    return BlankBefore && !Trim ? std::optional(LineBefore) : std::nullopt;
  if (Trim && BlankBefore && After.ltrim().starts_with("}"))
    return LineBefore;
  const unsigned Above = blankLines(Text, Begin, /*Back=*/true);
  const unsigned Below = blankLines(Text, End);
  unsigned Gone;
  if (Trim) {
    Gone = Below && (Before.rtrim().ends_with("{") ||
                     Before.ltrim().starts_with("#if"));
  } else {
    // One may be in the gap already.
    const bool Apart =
        Above > 1 && Below + Text.line(End - 1).trim().empty() > 1;
    const unsigned Stay = Apart ? 2 : 1, All = Above + Below;
    Gone = std::min(Below, All > Stay ? All - Stay : 0);
  }
  if (!Gone)
    return std::nullopt;
  uint64_t To = End;
  for (unsigned I = 0; I < Gone; ++I)
    To = Text.nextLine(To);
  return Change{G.File, End, To - End, ""};
}

/// Closing a gap may leave a blank line at the edge of a block: Trim.
static Error closeGaps(Sources &Files, MutableArrayRef<Patch> Patches, size_t I,
                       bool Trim) {
  std::vector<Change> Blank;
  for (const Gap &G : gapsOf(Patches, I)) {
    auto Text = Files.get(G.File);
    if (!Text)
      return Text.takeError();
    if (auto C = blankBeside(**Text, G, Trim))
      Blank.push_back(std::move(*C));
  }
  append_range(Patches[I].Changes, Blank);
  return Error::success();
}

/// Those of patch I.
static Error closeGaps(Sources &Files, MutableArrayRef<Patch> Patches,
                       size_t I) {
  if (Error E = closeGaps(Files, Patches, I, /*Trim=*/false))
    return E;
  return closeGaps(Files, Patches, I, /*Trim=*/true);
}

Error closeLastGaps(const SourceTree &Tree, MutableArrayRef<Patch> Patches) {
  const Facts None;
  Sources Files(Tree, None);
  return closeGaps(Files, Patches, Patches.size() - 1);
}

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

/// Breaks lines of code that fitted into 80 columns and do not with the names
/// that are new in them.
static Error breakLongLines(Sources &Files, std::vector<Patch> &Patches) {
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

/// The backslash of a macro's line stays in its column where the line's text
/// changes.
static Error alignBackslashes(Sources &Files, std::vector<Patch> &Patches) {
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

/// Puts patches, each of which is of so many entries, in the order that Rank
/// says.
static void sortPatches(std::vector<Patch> &Patches,
                        ArrayRef<std::vector<const PlanEntry *>> Entries,
                        const PatchRank &Rank) {
  if (!Rank)
    return;
  std::vector<std::pair<unsigned, size_t>> Order;
  for (size_t I = 0; I < Patches.size(); ++I)
    Order.emplace_back(Rank(Entries[I]), I);
  sort(Order);
  std::vector<Patch> Sorted;
  for (const auto &[Place, I] : Order)
    Sorted.push_back(std::move(Patches[I]));
  Patches = std::move(Sorted);
}

/// Fails if the changes of One meet those of the patches so far.
static Error checkFits(Sources &Files, ArrayRef<Patch> SoFar,
                       ArrayRef<Change> One) {
  std::map<std::string, std::vector<Change>> ByFile;
  for (const Change &C : One)
    ByFile[C.File].push_back(C);
  for (const Patch &P : SoFar)
    for (const Change &C : P.Changes)
      if (ByFile.count(C.File))
        ByFile[C.File].push_back(C);
  for (const auto &[File, Changes] : ByFile) {
    auto Text = Files.get(File);
    if (!Text)
      return Text.takeError();
    auto Result = applyChanges(File, (*Text)->text(), Changes);
    if (!Result)
      return Result.takeError();
  }
  return Error::success();
}

/// Notes about what goes after all.
static void dropNotes(const Leftover &L, ArrayRef<const PlanEntry *> Of,
                      Plan &P) {
  for (PlanEntry &E : P.Entries)
    if (is_contained(Of, &E))
      erase_if(E.Notes, [&](const Remark &R) {
        for (const auto *List : {&L.Statements, &L.Text})
          for (const Span &S : *List)
            if (S.contains(R.Where))
              return true;
        return false;
      });
}

Expected<std::vector<Patch>> edit(const SourceTree &Tree, const Facts &F,
                                  Plan &P, const PatchRank &Rank) {
  Sources Files(Tree, F);
  for (const SourceFile &File : F.Files) {
    const bool Used = any_of(P.Entries, [&](const PlanEntry &E) {
      return E.Convert && any_of(E.Steps, [&](const Step &S) {
               return S.Replace.File == File.Path;
             });
    });
    if (Used)
      if (auto Text = Files.get(File.Path); !Text)
        return Text.takeError();
  }

  Declarators Shared;
  std::vector<Patch> Patches;
  std::vector<std::vector<const PlanEntry *>> Entries; // of each patch
  for (size_t I = 0; I < P.Entries.size();) {
    PlanEntry &Entry = P.Entries[I++];
    if (!Entry.Convert || Entry.AlreadyDone)
      continue;
    EntryEditor Editor(F, Entry, Files, Shared);
    auto Changes = Editor.run();
    Error Failed =
        Changes ? checkFits(Files, Patches, *Changes) : Changes.takeError();
    if (Failed) {
      // What its companions changed is in Shared, and what the others do may
      // depend on this one: begin again.
      P.refuse(Entry, {Entry.Where, toString(std::move(Failed))});
      P.updateDrops();
      Shared = Declarators();
      Patches.clear();
      Entries.clear();
      I = 0;
      continue;
    }
    for (const Remark &R : Editor.Notes)
      if (none_of(Entry.Notes, [&](const Remark &Known) {
            return Known.Where == R.Where && Known.Text == R.Text;
          }))
        Entry.Notes.push_back(R);
    auto Mine = find_if(Entries, [&](const auto &Of) {
      return Of.front()->Patch == Entry.Patch;
    });
    if (Mine == Entries.end()) {
      Patches.emplace_back();
      Mine = Entries.emplace(Entries.end());
    }
    Mine->push_back(&Entry);
    Patch &Into = Patches[Mine - Entries.begin()];
    append_range(Into.Changes, *Changes);
    Into.Zones.push_back(Entry.Key);
  }
  for (const Leftover &L : P.Leftovers) {
    if (!L.Goes)
      continue;
    const auto Mine = find_if(Entries, [&](const auto &Of) {
      return any_of(
          Of, [&](const PlanEntry *E) { return is_contained(L.Of, E->Key); });
    });
    if (Mine == Entries.end())
      continue;
    Patch &In = Patches[Mine - Entries.begin()];
    if (Error E = removeLeftover(F, L, Files, Shared, In.Changes))
      return E;
    dropNotes(L, *Mine, P);
  }
  sortPatches(Patches, Entries, Rank);
  std::map<std::string, size_t> LastOf; // the last patch that changes a file
  for (size_t I = 0; I < Patches.size(); ++I)
    for (const Change &C : Patches[I].Changes)
      LastOf[C.File] = I;
  for (const auto &[File, Last] : LastOf)
    if (Error E = editComments(File, P, Files, Patches, Last))
      return E;
  P.updateDrops();
  if (Error E = editIncludes(F, P, Files, Patches))
    return E;
  for (size_t I = 0; I < Patches.size(); ++I)
    if (Error E = closeGaps(Files, Patches, I))
      return E;
  if (Error E = breakLongLines(Files, Patches))
    return E;
  if (Error E = alignBackslashes(Files, Patches))
    return E;
  return Patches;
}

} // namespace kmobj
