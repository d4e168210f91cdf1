/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a patch says of itself.
 *
 * The message of the log is made of four answers: how it was, how it is, what
 * an object costs, what a user sees.  Each follows from what the plan knows of
 * the zone or cache; where it knows nothing, nothing is said.
 */
#include "Mail.h"
#include "kmobj/Printable.h"
#include "kmobj/Slab.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include <map>
#include <set>

using namespace llvm;

namespace kmobj {

static constexpr unsigned Width = 72;

std::string wrap(StringRef Text, unsigned Indent, StringRef Lead) {
  std::string Out = Lead.str();
  size_t Column = Out.size();
  bool First = true;
  for (StringRef Rest = Text; !Rest.empty();) {
    auto [Word, Next] = Rest.split(' ');
    Rest = Next;
    if (First) {
      First = false;
    } else if (Column + 1 + Word.size() > Width) {
      Out += "\n" + std::string(Indent, ' ');
      Column = Indent;
    } else {
      Out += ' ';
      ++Column;
    }
    Out += Word;
    Column += Word.size();
  }
  return Out + "\n";
}

std::string bullet(const Twine &Text) {
  return wrap(Text.str(), /*Indent=*/2, "* ");
}

const Step *creation(const PlanEntry &E) {
  for (const Step &S : E.Steps)
    if (S.Do == Action::Create)
      return &S;
  return nullptr;
}

bool isConstructed(const PlanEntry &E) {
  const Step *C = creation(E);
  return C && (C->Ctor != "NULL" || C->Dtor != "NULL");
}

namespace {

constexpr uint64_t ZoneRounding = 32;

/// What kmalloc() makes of so many bytes.
uint64_t kmallocBytes(uint64_t Size) {
  for (uint64_t Limit = 128, Chunk = 8; Limit <= 16384; Limit *= 2, Chunk *= 2)
    if (Size < Limit)
      return alignTo(Size, Chunk);
  return alignTo(Size, 4096);
}

/// "SWAPMETA" (swap_zone)
std::string oldName(const PlanEntry &E) {
  return E.Name.empty() ? E.Variable
                        : "\"" + printable(E.Name) + "\" (" + E.Variable + ")";
}

/// The flags of its allocations, each once.
std::string flagsOf(const PlanEntry &E) {
  std::vector<std::string> Flags;
  for (const Step &S : E.Steps)
    if (S.Do == Action::Alloc && !is_contained(Flags, S.Flags))
      Flags.push_back(S.Flags);
  return join(Flags, " or ");
}

std::string zoneWas(const PlanEntry &E) {
  if (E.ZoneFlags & ZONE_INTERRUPT)
    return std::string("Until now zalloc() never waited and could have the "
                       "last free page") +
           (E.ZoneFlags & ZONE_PANICFAIL ? ", or panicked; "
                                         : ", or returned NULL; ") +
           "addresses for all items were set aside when the zone was made.";
  std::string Text =
      "Until now zalloc() waited for the pages that any caller may have";
  if (E.ZoneFlags & (ZONE_SPECIAL | ZONE_USE_RESERVE))
    Text += ", and needed no map entry to get them into the zone";
  return Text + ".";
}

std::string zoneIs(const PlanEntry &E) {
  const std::string Flags = flagsOf(E);
  const std::string Call =
      "kmalloc_obj()" + (Flags.empty() ? "" : " with " + Flags);
  std::string Text = "Now ";
  if (!E.WantReserve || !E.Reserve) {
    Text += "it is a type without a reserve; " + Call +
            " gets objects out of slabs, which are made when they are needed";
    Text += E.WantReserve ? ", of the same pages." : ".";
  } else if (E.ZoneFlags & ZONE_INTERRUPT) {
    Text += std::to_string(E.Reserve) +
            " slabs are kept ready, and addresses for as many objects are set "
            "aside with their page tables. " +
            Call +
            " does not wait for memory while either is left: one free "
            "page makes a small slab. For those more addresses are set aside, "
            "128 KiB for every 64 pages of RAM at the most, whose page tables "
            "are a thousandth of it.";
  } else {
    Text += std::to_string(E.Reserve) +
            " slabs are kept ready, and more are made of the pages that any "
            "caller may have, in addresses set aside for them. " +
            Call + " waits for such pages.";
  }
  if (E.WantReserve)
    Text += " A fresh object is zero, and a used one has what was left in it, "
            "its first word, too, which zfree() overwrote.";
  return Text;
}

std::string bootText(const PlanEntry &E) {
  if (!E.Bootstrap)
    return "There is no memory for objects before malloc_init() any more.";
  std::string Text = "What is allocated before malloc_init() comes from slabs "
                     "that are registered in place of zbootinit()'s items.";
  std::vector<std::string> Each;
  for (const ObjectCost &C : objectCosts(E))
    Each.push_back(
        std::to_string(SlabBytes / C.PerSlab) +
        " bytes an object in place of " + std::to_string(C.Size) +
        (C.Configurations.empty() ? "" : " (" + C.Configurations + ")"));
  if (!Each.empty())
    Text +=
        " That is " + join(Each, ", ") + ", rounded up to slabs of 128 KiB.";
  for (const Evaluation &N : E.ItemsCounts) {
    uint64_t Count;
    const auto Costs = objectCosts(E);
    if (StringRef(N.Text).getAsInteger(10, Count) || Costs.empty() ||
        E.ItemsCounts.size() > 1)
      continue;
    Text += " For " + N.Text + " objects that is " +
            std::to_string(divideCeil(Count, Costs.back().PerSlab) * SlabBytes /
                           1024) +
            " KiB of static memory in place of " +
            std::to_string(divideCeil(Count * Costs.back().Size, 1024)) +
            " KiB.";
  }
  return Text;
}

/// Too large to share a slab: objects come from kmalloc() as before.
bool isOfKmalloc(const PlanEntry &E) {
  const std::vector<ObjectCost> Costs = objectCosts(E);
  return !Costs.empty() &&
         all_of(Costs, [](const ObjectCost &C) { return C.OfKmalloc; });
}

std::string cacheWas(const PlanEntry &E) {
  if (E.Constructed)
    return "Until now objcache kept free objects" +
           std::string(isConstructed(E) ? " constructed" : "") +
           " in the magazines of each cpu and a depot, and took their memory "
           "from kmalloc().";
  return "Until now objcache took objects from kmalloc() and kept free ones in "
         "magazines.";
}

std::string cacheIs(const PlanEntry &E) {
  if (E.Constructed)
    return "Now kmalloc_cobj() and kfree_cobj() do, with magazines and a depot "
           "of the same size" +
           std::string(isOfKmalloc(E)
                           ? ", and with memory from kmalloc(), too, "
                             "which is zeroed for each that is made."
                           : ".");
  return "Now kmalloc_obj() gets them out of slabs of their own, with a cpu's "
         "magazines in front.";
}

/// What was given with the cache, and what becomes of it.
std::string cacheGiven(const PlanEntry &E) {
  const Step *C = creation(E);
  std::string Text;
  auto Add = [&](const Twine &Sentence) {
    Text += (Text.empty() ? "" : " ") + Sentence.str();
  };
  if (!E.Constructed) {
    if (!E.Cached.empty() && E.Cached != "0")
      Add("How many to keep (" + E.Cached +
          ") has no counterpart: a free slab goes when nobody has needed it "
          "for some seconds.");
    return Text;
  }
  if (!C || !C->CallCtor)
    return "";
  if (C->Ctor != "NULL")
    Add(C->Ctor + "() runs when an object is handed out that is not "
                  "constructed.");
  if (C->Dtor != "NULL")
    Add(C->Dtor + "() runs when one is given up.");
  if (C->MaxOut != "0")
    Add("The limit (" + C->MaxOut +
        ") is what it was: there a caller sleeps or gets NULL, as its flags "
        "say.");
  if (C->Nominal != "0")
    Add("How many are worth keeping (" + C->Nominal + ") is what it was.");
  return Text;
}

std::string costText(const PlanEntry &E) {
  std::string Text;
  for (const ObjectCost &C : objectCosts(E)) {
    Text += Text.empty() ? "" : " ";
    if (!C.Configurations.empty())
      Text += C.Configurations + ": ";
    Text += "an object of " + std::to_string(C.Size) + " bytes took " +
            std::to_string(C.Old) + " (" +
            (E.IsZone ? "zalloc rounds up to 32" : "kmalloc()'s rounding") +
            ") and takes " + std::to_string(C.New);
    if (C.OfKmalloc)
      Text += ": a slab would hold " + std::to_string(C.PerSlab) +
              ", so it still comes from kmalloc().";
    else
      Text += " (whole cache lines) at a multiple of " +
              std::to_string(C.Alignment) + "; a slab of 128 KiB holds " +
              std::to_string(C.PerSlab) + ".";
  }
  if (E.WantReserve && E.Reserve)
    Text += " The reserve is " + std::to_string(E.Reserve * SlabBytes / 1024) +
            " KiB.";
  return Text;
}

std::string seenText(ArrayRef<const PlanEntry *> Entries) {
  const PlanEntry &E = *Entries.front();
  std::vector<std::string> Old, New;
  for (const PlanEntry *One : Entries) {
    if (!One->Name.empty())
      Old.push_back("\"" + printable(One->Name) + "\"");
    New.push_back(printable(One->ShortText));
  }
  std::string Text =
      E.IsZone ? "vmstat -z and vm.zone" : "vmstat -o and kern.objcache.stats";
  Text += " no longer list " +
          (Old.size() == Entries.size()
               ? join(Old, ", ")
               : std::string(Entries.size() == 1 ? "it" : "them")) +
          ". vmstat -m counts ";
  Text += Entries.size() == 1 ? "it" : "them";
  Text += " under " +
          (Old == New ? "the same name" + std::string(Old.size() > 1 ? "s" : "")
                      : join(New, ", "));
  if (!E.IsZone)
    Text += ", but no free objects, which objcache counted in its malloc type";
  return Text + (E.needsShims() ? "; kern.kmalloc_ext shows its slabs." : ".");
}

} // namespace

std::string area(StringRef File) {
  SmallVector<StringRef, 8> Parts;
  File.split(Parts, '/');
  const StringRef Top = Parts.front();
  for (const StringRef Kernel : {"kern", "vm", "cpu", "sys"})
    if (Top == Kernel)
      return "kernel";
  // The directory below those which only sort others.
  size_t Which = 0;
  if (Top == "dev")
    Which = 2;
  else if (Top == "platform" || Top == "vfs" || Top == "net" || Top == "bus")
    Which = 1;
  return Parts[Parts.size() > 1 ? std::min(Which, Parts.size() - 2) : 0].str();
}

std::vector<ObjectCost> objectCosts(const PlanEntry &E) {
  std::map<uint64_t, std::vector<std::string>> Sizes;
  for (const Evaluation &S : E.Sizes) {
    uint64_t Bytes;
    if (!StringRef(S.Text).getAsInteger(10, Bytes) && Bytes)
      Sizes[Bytes].push_back(sys::path::filename(S.Configuration).str());
  }
  if (Sizes.empty() && E.Size)
    Sizes[E.Size];
  std::vector<ObjectCost> Costs;
  for (auto &[Size, Where] : Sizes) {
    ObjectCost C;
    C.Size = Size;
    C.Old = E.IsZone ? alignTo(Size, ZoneRounding) : kmallocBytes(Size);
    C.New = alignTo(Size, CacheLine);
    C.Alignment = std::min<uint64_t>(C.New & -C.New, 8192);
    C.PerSlab = std::max<uint64_t>(SlabRoom / bytesInSlab(Size), 1);
    C.OfKmalloc = E.Constructed && isLargeObject(Size);
    if (C.OfKmalloc)
      C.New = kmallocBytes(Size);
    llvm::sort(Where);
    Where.erase(std::unique(Where.begin(), Where.end()), Where.end());
    C.Configurations = Sizes.size() > 1 ? join(Where, ", ") : "";
    Costs.push_back(C);
  }
  return Costs;
}

/// A zone or cache that nobody uses is deleted.
static std::string goneText(const PlanEntry &E, StringRef Kind) {
  return "The " + Kind.str() + " " + oldName(E) +
         " goes, and nothing takes its place: nothing is allocated from it. " +
         (E.IsZone ? "vmstat -z and vm.zone"
                   : "vmstat -o and kern.objcache.stats") +
         " no longer list it.";
}

/// What no one of the zones could take with it alone.
static std::string goesWithLast(const Plan &P, ArrayRef<std::string> Zones) {
  std::vector<std::string> Found;
  for (const Leftover &L : P.Leftovers)
    if (L.Goes && L.Heir.empty() && L.Of.size() > 1 &&
        all_of(L.Of, [&](auto &Key) { return is_contained(Zones, Key); }) &&
        !is_contained(Found, printable(L.What)))
      Found.push_back(printable(L.What));
  return join(Found, "; ");
}

void describe(Patch &P, const Plan &Of) {
  std::vector<const PlanEntry *> Entries, Gone;
  for (const std::string &Key : P.Zones)
    if (const PlanEntry *E = Of.entry(Key))
      (E->Form == TypeForm::None ? Gone : Entries).push_back(E);
  if (Entries.empty() && Gone.empty())
    return;
  const PlanEntry &E = Entries.empty() ? *Gone.front() : *Entries.front();
  const std::string Kind = E.IsZone ? "zone" : "object cache";
  if (Entries.empty()) {
    P.Subject = area(E.Where.File) + " - Remove the unused " + Kind + " " +
                printable(E.Variable);
    for (const PlanEntry *One : Gone)
      P.Body += (P.Body.empty() ? "" : "\n") + bullet(goneText(*One, Kind));
    return;
  }
  P.Subject =
      area(E.Where.File) + " - Use kmalloc_obj for " + printable(objectName(E));
  if (Entries.size() == 2)
    P.Subject += " and one more " + Kind;
  else if (Entries.size() > 2)
    P.Subject +=
        " and " + std::to_string(Entries.size() - 1) + " more " + Kind + "s";

  const bool Alone = Entries.size() == 1;
  if (Alone) {
    std::string What = "The " + Kind + " " + oldName(E) + " ";
    const bool Destroyed =
        any_of(E.Steps, [](const Step &S) { return S.Do == Action::Destroy; });
    What += E.Form == TypeForm::Dynamic
                ? "becomes a malloc type that is created" +
                      std::string(Destroyed ? " and destroyed" : "") +
                      " where the " + Kind + " was."
                : "becomes the malloc type " + E.Type + ".";
    P.Body = bullet(What);
  } else {
    const bool Meet = !E.Group.empty() && all_of(Entries, [&](auto *One) {
      return One->Group == E.Group;
    });
    P.Body = bullet(
        "These " + Kind + "s " +
        (Meet ? "meet in one variable or macro, so they " : std::string()) +
        "become malloc types together:");
    for (const PlanEntry *One : Entries)
      P.Body += wrap(One->Variable + " becomes " +
                         (One->Form == TypeForm::Dynamic ? "a type made at "
                                                           "run time"
                                                         : One->Type) +
                         ". " + (One->IsZone ? "" : cacheGiven(*One)),
                     /*Indent=*/4, "  - ");
    if (const std::string Shared = goesWithLast(Of, P.Zones); !Shared.empty())
      P.Body += "\n" + bullet("With the last of them goes what they shared: " +
                              Shared + ".");
  }
  // What holds for several is said once.
  std::vector<std::string> Said;
  auto Say = [&](const std::string &Text) {
    if (!Text.empty() && !is_contained(Said, Text)) {
      Said.push_back(Text);
      P.Body += "\n" + bullet(Text);
    }
  };
  for (const PlanEntry *One : Entries) {
    Say(One->IsZone ? zoneWas(*One) : cacheWas(*One));
    Say(One->IsZone ? zoneIs(*One) : cacheIs(*One));
    if (One->IsZone)
      Say("A zone kept its memory for ever. Slabs without objects are given "
          "back, so who may look at an object that another has freed needs "
          "exis_hold().");
    if (One->HasBootstrap)
      Say(bootText(*One));
    if (const Step *C = creation(*One); C && C->RaiseLimit && !One->IsZone)
      Say("kmalloc_raise_limit() was for all that used the old malloc type. "
          "The new one has no limit in bytes" +
          std::string(C->MaxOut != "0" && !C->MaxOut.empty()
                          ? ": how many objects there can be is what limits it."
                          : "."));
    if (const Step *C = creation(*One); C && C->Retries && One->WantReserve)
      Say("Where there were not addresses for all of them a smaller zone was "
          "tried. kmalloc_obj_reserve() makes do with what there are and says "
          "so on the console.");
  }
  if (Alone && !E.IsZone)
    Say(cacheGiven(E));
  for (const PlanEntry *One : Gone)
    Say(goneText(*One, Kind));
  for (const PlanEntry *One : Entries) {
    const std::string Cost = costText(*One);
    Say(Cost.empty() ? "" : "Memory: " + Cost);
  }
  Say("Visible: " + seenText(Entries));
  for (const PlanEntry *One : Entries)
    for (const Step &S : One->Steps)
      if (S.Textual)
        Say("No configuration compiles " + S.Replace.lineRef() +
            ", which was changed by its spelling.");
}

namespace {

/// A file before, and all that the series changes in it.
struct Changed {
  std::string Text;
  std::vector<Change> Changes;

  /// On which line (from 1) what is at Offset stands behind the series.
  size_t lineAfter(uint64_t Offset) const {
    for (const Change &C : Changes)
      if (C.Offset < Offset && Offset < C.Offset + C.Length)
        Offset = C.Offset;
    size_t Line = StringRef(Text).take_front(Offset).count('\n') + 1;
    for (const Change &C : Changes)
      if (C.Offset < Offset || (C.Offset == Offset && C.Length == 0))
        Line += StringRef(C.Text).count('\n') -
                StringRef(Text).substr(C.Offset, C.Length).count('\n');
    return Line;
  }
};

} // namespace

Error annotate(MutableArrayRef<Patch> All, const Plan &Of,
               const SourceTree &Tree) {
  std::map<std::string, Changed> Files;
  for (const Patch &P : All)
    for (const Change &C : P.Changes)
      Files[C.File].Changes.push_back(C);
  for (auto &[File, Of] : Files) {
    auto Text = Tree.read(File);
    if (!Text)
      return Text.takeError();
    Of.Text = std::move(*Text);
    // Equal ones are one.
    std::set<std::tuple<uint64_t, uint64_t, std::string>> Known;
    llvm::erase_if(Of.Changes, [&](const Change &C) {
      return !Known.insert({C.Offset, C.Length, C.Text}).second;
    });
  }
  for (Patch &P : All) {
    std::string Check;
    std::map<Span, std::string> Places;
    std::vector<std::string> Notes;
    for (const std::string &Key : P.Zones) {
      const PlanEntry *E = Of.entry(Key);
      if (!E)
        continue;
      auto Add = [&](const Remark &R) {
        if (!is_contained(Notes, R.str()))
          Notes.push_back(R.str());
      };
      for_each(E->Notes, Add);
      for (const Step &S : E->Steps) {
        for_each(S.Notes, Add);
        const auto In = Files.find(S.Replace.File);
        if (In == Files.end())
          continue;
        const size_t Line = In->second.lineAfter(S.Replace.Begin);
        const bool Gone = S.Do == Action::Remove;
        Places.emplace(S.Replace,
                       "  " + S.Replace.lineRef() + " -> " +
                           (Gone ? "gone" : std::to_string(Line)) + "  " +
                           printable(S.Call) +
                           (S.Flags.empty() ? "" : ": " + printable(S.Flags)) +
                           "\n");
      }
    }
    for (const std::string &N : Notes)
      Check += bullet(printable(N));
    if (!Check.empty())
      P.Notes += "What to check, on lines of the tree as it was:\n" + Check +
                 "\n";
    if (!Places.empty()) {
      P.Notes += "Places, in the tree as it was -> with the whole series:\n";
      for (const auto &[At, Text] : Places)
        P.Notes += Text;
      P.Notes += "\n";
    }
  }
  return Error::success();
}

} // namespace kmobj
