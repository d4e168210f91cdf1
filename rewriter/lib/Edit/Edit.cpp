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

/// What goes, by the last of the patches or one before it.
struct Removal {
  const Change *What;
  bool IsMine; ///< by the last
};

static std::vector<Removal> removals(ArrayRef<Patch> SoFar) {
  std::vector<Removal> Gone;
  for (const Patch &P : SoFar)
    for (const Change &C : P.Changes)
      if (C.Text.empty() && C.Length)
        Gone.push_back({&C, &P == &SoFar.back()});
  stable_sort(Gone, [](const Removal &A, const Removal &B) {
    return std::tie(A.What->File, A.What->Offset) <
           std::tie(B.What->File, B.What->Offset);
  });
  return Gone;
}

/// Blank lines at the begin and the end of a block that were none there before
/// lines went.
static Error trimBlocks(Sources &Files, MutableArrayRef<Patch> Patches,
                        size_t I) {
  const std::vector<Removal> Gone = removals(Patches.take_front(I + 1));
  std::vector<Change> Blank;
  for (size_t First = 0, Next; First < Gone.size(); First = Next) {
    const std::string &File = Gone[First].What->File;
    const uint64_t Begin = Gone[First].What->Offset;
    uint64_t End = Begin + Gone[First].What->Length;
    bool AnyMine = Gone[First].IsMine;
    for (Next = First + 1; Next < Gone.size(); ++Next) {
      const Change &C = *Gone[Next].What;
      if (C.File != File || C.Offset > End)
        break;
      End = std::max(End, C.Offset + C.Length);
      AnyMine |= Gone[Next].IsMine;
    }
    if (!AnyMine || writtenInto(Patches, File, {Begin, End}))
      continue;
    auto Found = Files.get(File);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    if (Begin == 0 || End >= Text.text().size() ||
        Text.lineBegin(Begin) != Begin || Text.lineBegin(End) != End)
      continue;
    const StringRef Before = Text.line(Begin - 1), After = Text.line(End);
    if (Before.rtrim().ends_with("{") && After.trim().empty())
      Blank.push_back({File, End, Text.nextLine(End) - End, ""});
    else if (Before.trim().empty() && After.ltrim().starts_with("}"))
      Blank.push_back({File, Text.lineBegin(Begin - 1),
                       Begin - Text.lineBegin(Begin - 1), ""});
  }
  append_range(Patches[I].Changes, Blank);
  return Error::success();
}

/// Lines that go one after the other, by patch I or one before it, and leave a
/// blank one on either side take the second with them.
static Error closeGaps(Sources &Files, MutableArrayRef<Patch> Patches,
                       size_t I) {
  Patch &Mine = Patches[I];
  const std::vector<Removal> Gone = removals(Patches.take_front(I + 1));
  std::vector<Change> Blank;
  for (size_t First = 0, Next; First < Gone.size(); First = Next) {
    const std::string &File = Gone[First].What->File;
    const uint64_t Begin = Gone[First].What->Offset;
    uint64_t End = Begin + Gone[First].What->Length;
    bool AnyMine = Gone[First].IsMine;
    for (Next = First + 1; Next < Gone.size(); ++Next) {
      const Change &C = *Gone[Next].What;
      if (C.File != File || C.Offset > End)
        break;
      End = std::max(End, C.Offset + C.Length);
      AnyMine |= Gone[Next].IsMine;
    }
    if (!AnyMine || Next == First + 1 ||
        writtenInto(Patches, File, {Begin, End}))
      continue;
    auto Found = Files.get(File);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    if (Begin > 0 && Text.lineBegin(Begin) == Begin &&
        Text.lineBegin(End) == End && End < Text.text().size() &&
        Text.line(Begin - 1).trim().empty() && Text.line(End).trim().empty())
      Blank.push_back({File, End, Text.nextLine(End) - End, ""});
  }
  append_range(Mine.Changes, Blank);
  return Error::success();
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

/// Puts patches, each of which is of so many entries, in the order that Rank says.
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
  for (size_t I = 0; I < Patches.size(); ++I) {
    if (Error E = closeGaps(Files, Patches, I))
      return E;
    if (Error E = trimBlocks(Files, Patches, I))
      return E;
  }
  if (Error E = alignBackslashes(Files, Patches))
    return E;
  P.updateDrops();
  if (Error E = editIncludes(F, P, Files, Patches))
    return E;
  return Patches;
}

} // namespace kmobj
