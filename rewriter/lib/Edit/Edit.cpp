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

/// A blank line beside what goes that goes with it: the second of two which did
/// not meet before, or the last of the file; if Trim, the one at the begin or
/// the end of a block.
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
  const bool BlankAfter = After.trim().empty();
  // Of what went alone, that one may have gone with it.
  const bool Meet =
      BlankBefore && (G.Removals > 1 || !Text.line(End - 1).trim().empty());
  if (BlankAfter && (Trim ? Before.rtrim().ends_with("{") : Meet))
    return Change{G.File, End, Text.nextLine(End) - End, ""};
  if (Trim && BlankBefore && After.ltrim().starts_with("}"))
    return LineBefore;
  return std::nullopt;
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

/// The backslash of a macro's line stays in its column where the line's text
/// changes.
static Error alignBackslashes(Sources &Files, std::vector<Patch> &Patches) {
  struct Line {
    std::vector<Change *> Changes;
    Patch *By = nullptr; ///< null: several, and none shall meet another's
  };
  std::map<std::pair<std::string, uint64_t>, Line> Lines;
  for (Patch &P : Patches)
    for (Change &C : P.Changes) {
      auto Found = Files.get(C.File);
      if (!Found)
        return Found.takeError();
      auto [It, New] =
          Lines.try_emplace({C.File, (*Found)->lineBegin(C.Offset)});
      It->second.By = New || It->second.By == &P ? &P : nullptr;
      It->second.Changes.push_back(&C);
    }
  std::vector<std::pair<Patch *, Change>> Pads;
  for (auto &[At, L] : Lines) {
    auto Found = Files.get(At.first);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    const StringRef Old = Text.line(At.second);
    const StringRef Body = Old.drop_back(Old.ends_with("\\")).rtrim();
    const uint64_t End = At.second + Body.size();
    const uint64_t Pad = Old.size() - Body.size();
    const bool Inside = all_of(L.Changes, [&](const Change *C) {
      return C->Offset + C->Length <= End;
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
  if (Error E = alignBackslashes(Files, Patches))
    return E;
  return Patches;
}

} // namespace kmobj
