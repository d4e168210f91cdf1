/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Edit.h"
#include "EntryEditor.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace kmobj {

static std::string wrap(StringRef Text, unsigned Width) {
  std::string Out;
  size_t Column = 0;
  for (StringRef Rest = Text; !Rest.empty();) {
    auto [Word, Next] = Rest.split(' ');
    Rest = Next;
    if (Column && Column + 1 + Word.size() > Width) {
      Out += '\n';
      Column = 0;
    } else if (Column) {
      Out += ' ';
      ++Column;
    }
    Out += Word;
    Column += Word.size();
  }
  return Out + "\n";
}

static Patch describe(const PlanEntry &E) {
  Patch P;
  const std::string Name = E.Name.empty() ? E.Variable : E.Name;
  P.Subject = "kernel - Allocate " + Name + " with kmalloc_obj";
  std::string What =
      (E.IsZone ? "The zone " : "The object cache ") + E.Variable;
  if (E.Form == TypeForm::Dynamic)
    What += " becomes a malloc type that is created where the zone was";
  else
    What += " becomes the malloc type " + E.Type;
  if (E.Constructed)
    What += ", whose objects stay constructed while they are free";
  if (E.Bootstrap && E.HasBootstrap)
    What += "; its first objects come from slabs registered at boot";
  if (E.WantReserve && E.Reserve)
    What += "; " + std::to_string(E.Reserve) + " slabs are kept ready for it";
  P.Body = wrap(What + ".", 72);
  std::vector<std::string> Notes;
  for (const Remark &R : E.Notes)
    Notes.push_back(R.str());
  for (const Step &S : E.Steps)
    for (const Remark &R : S.Notes)
      Notes.push_back(R.str());
  if (!Notes.empty())
    P.Body += "\nTo check:\n";
  for (const std::string &N : Notes)
    P.Body += "* " + N + "\n";
  return P;
}

/// Those that are converted together with it go down with it.
static void refuse(Plan &P, const PlanEntry &Entry, Error E) {
  const Remark Why{Entry.Where, toString(std::move(E))};
  const std::string Key = Entry.Key, Group = Entry.Group;
  for (PlanEntry &Other : P.Entries)
    if (Other.Key == Key || (!Group.empty() && Other.Group == Group)) {
      Other.Convert = Other.Convertible = false;
      Other.Reasons.push_back(Why);
    }
}

/// The changes of a group are one patch.
static void join(Patch &Into, Patch &&Other) {
  Into.Body += "\n" + Other.Body;
  append_range(Into.Changes, Other.Changes);
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

Expected<std::vector<Patch>> edit(const SourceTree &Tree, const Facts &F,
                                  Plan &P) {
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
  std::vector<const PlanEntry *> Entries;
  for (size_t I = 0; I < P.Entries.size();) {
    PlanEntry &Entry = P.Entries[I++];
    if (!Entry.Convert || Entry.AlreadyDone)
      continue;
    const Declarators Before = Shared;
    EntryEditor Editor(F, Entry, Files, Shared);
    auto Changes = Editor.run();
    Error Failed =
        Changes ? checkFits(Files, Patches, *Changes) : Changes.takeError();
    if (Failed) {
      refuse(P, Entry, std::move(Failed));
      Shared = Before;
      if (!Entry.Group.empty()) {
        // What its companions changed already is in Shared: begin again.
        Shared = Declarators();
        Patches.clear();
        Entries.clear();
        I = 0;
      }
      continue;
    }
    for (const Remark &R : Editor.Notes)
      if (none_of(Entry.Notes, [&](const Remark &Known) {
            return Known.Where == R.Where && Known.Text == R.Text;
          }))
        Entry.Notes.push_back(R);
    Patch One = describe(Entry);
    One.Changes = std::move(*Changes);
    const auto Together = find_if(Entries, [&](const PlanEntry *E) {
      return !E->Group.empty() && E->Group == Entry.Group;
    });
    if (Together != Entries.end()) {
      join(Patches[Together - Entries.begin()], std::move(One));
      continue;
    }
    Patches.push_back(std::move(One));
    Entries.push_back(&Entry);
  }
  P.updateDrops();
  if (Error E = editIncludes(F, P, Files, Patches))
    return E;
  return Patches;
}

} // namespace kmobj
