/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The blank lines around what goes.
 *
 * A statement goes with its line; the blank lines above and below then meet, or
 * stand at the edge of a block. Of these some go, with the patch that takes the
 * last of what was between.
 */
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

Error closeGaps(Sources &Files, MutableArrayRef<Patch> Patches, size_t I) {
  if (Error E = closeGaps(Files, Patches, I, /*Trim=*/false))
    return E;
  return closeGaps(Files, Patches, I, /*Trim=*/true);
}

Error closeLastGaps(const SourceTree &Tree, MutableArrayRef<Patch> Patches) {
  const Facts None;
  Sources Files(Tree, None);
  return closeGaps(Files, Patches, Patches.size() - 1);
}

} // namespace kmobj
