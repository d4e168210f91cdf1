/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Edit.h"
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

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
