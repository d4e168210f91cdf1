/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cover letter: what, why, by what risk, how tested, what users see.
 *
 * It says what kmobj did and does not know of boots; whoever sends the series
 * adds what he has seen.
 */
#include "Mail.h"
#include "kmobj/Printable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <array>

using namespace llvm;

namespace kmobj {

static std::vector<const PlanEntry *> entries(const Plan &P, bool Converted) {
  std::vector<const PlanEntry *> Found;
  for (const PlanEntry &E : P.Entries)
    if (E.Convert == Converted && !E.AlreadyDone)
      Found.push_back(&E);
  return Found;
}

static std::vector<const PlanEntry *> converted(const Plan &P) {
  return entries(P, true);
}

static std::vector<const PlanEntry *> refused(const Plan &P) {
  return entries(P, false);
}

std::string coverSubject(const Plan &P) {
  return refused(P).empty()
             ? "kernel - Replace zalloc and objcache by kmalloc_obj"
             : "kernel - Move zones and object caches to kmalloc_obj";
}

static std::string heading(StringRef Text) {
  return "\n" + Text.str() + "\n" + std::string(Text.size(), '-') + "\n\n";
}

static std::string padded(StringRef Text, size_t Width) {
  return Text.str() + std::string(Width - Text.size(), ' ');
}

/// "136 -> 192"; in parentheses what it is in other configurations.
static std::string bytesText(const PlanEntry &E) {
  const std::vector<ObjectCost> Costs = objectCosts(E);
  if (Costs.empty() || E.Form == TypeForm::None)
    return "";
  std::vector<std::string> Each;
  for (const ObjectCost &C : Costs)
    Each.push_back(std::to_string(C.Old) + " -> " + std::to_string(C.New));
  const std::string Others = join(drop_begin(Each), ", ");
  return Each.front() + (Others.empty() ? "" : " (" + Others + ")");
}

static std::string riskTable(const Plan &P) {
  std::string Out;
  const std::pair<Risk, StringRef> Levels[] = {
      {Risk::High, "High: the boot or page-out depends on it"},
      {Risk::Middle, "Middle: more than memory that is got and put"},
      {Risk::Low, "Low: memory that is got and put"}};
  // Columns as wide as what is in them.
  std::array<size_t, 3> Widths{};
  std::vector<std::pair<const PlanEntry *, std::array<std::string, 3>>> Rows;
  for (const PlanEntry *E : converted(P)) {
    Rows.push_back(
        {E,
         {area(E->Where.File) + ": " + E->Variable,
          E->Form == TypeForm::None ? "(goes)" : E->Type, bytesText(*E)}});
    for (size_t I = 0; I < Widths.size(); ++I)
      Widths[I] = std::max(Widths[I], Rows.back().second[I].size());
  }
  for (const auto &[Level, Title] : Levels) {
    std::string Text;
    for (const auto &[E, Cells] : Rows) {
      if (riskOf(*E) != Level)
        continue;
      Text += " ";
      for (size_t I = 0; I < Widths.size(); ++I)
        Text += " " + padded(Cells[I], Widths[I]);
      Text += " " + riskText(*E) + "\n";
    }
    if (!Text.empty())
      Out += (Out.empty() ? "" : "\n") + Title.str() + "\n" + Text;
  }
  return Out;
}

static std::string testedText(const Plan &P, const Facts &F,
                              const MailOptions &Options) {
  std::string Out;
  if (Options.Configurations.empty()) {
    Out +=
        bullet("Nothing was compiled: the series was made from facts alone.");
  } else {
    const unsigned Failed = count_if(
        F.Units, [](const Unit &U) { return U.State == Unit::Failed; });
    Out +=
        bullet("clang parsed what a changed line concerns, before and after, "
               "in " +
               join(Options.Configurations, ", ") +
               ": no new error, and each object has its size in each of "
               "them.");
    if (Failed)
      Out += bullet(Twine(Failed) + " of " + Twine(F.Units.size()) +
                    " units did not parse before either; what they might touch "
                    "is not converted.");
  }
  std::vector<std::string> Spelled;
  for (const PlanEntry *E : converted(P))
    for (const Step &S : E->Steps)
      if (S.Textual && !is_contained(Spelled, S.Replace.lineRef()))
        Spelled.push_back(S.Replace.lineRef());
  if (!Spelled.empty())
    Out +=
        bullet("Not compiled, as no configuration has it, but changed by its "
               "spelling: " +
               join(Spelled, ", ") + ".");
  for (const Remark &R : P.Remarks)
    Out += bullet("Left to look at: " + printable(R.str()) + ".");
  Out += bullet("Not linked and not booted: kmobj does neither, in any "
                "configuration.");
  return Out;
}

static std::string usersText(const Plan &P) {
  const auto All = converted(P);
  const bool Zones = any_of(All, [](const PlanEntry *E) { return E->IsZone; });
  const bool Caches =
      any_of(All, [](const PlanEntry *E) { return !E->IsZone; });
  std::string Out;
  if (Zones)
    Out +=
        bullet("vmstat -z and the sysctl vm.zone no longer list the zones of "
               "the table; vmstat -m counts what callers hold of each type.");
  if (Caches)
    Out += bullet("vmstat -o and kern.objcache.stats no longer list the object "
                  "caches of the table; vmstat -m counts them, too: what "
                  "callers hold, where it counted free objects with the malloc "
                  "type of the cache.");
  if (P.needsShims())
    Out +=
        bullet("kern.kmalloc_ext is new: slabs kept ready, magazines, sleeps "
               "and refusals of each type. The loader tunables "
               "kern.kmalloc_reserve (for all types, how many slabs to keep "
               "ready) and kern.kmalloc_mini (0: no slabs of one page) are "
               "sysctls, too; options KMALLOC_OBJ_DEBUG poisons slabs that "
               "are kept ready.");
  Out +=
      bullet("Limits on the number of objects are what they were, and so are "
             "the tunables and sysctls that they are computed from; a patch "
             "that drops a number says so. Each new malloc type has a limit in "
             "bytes of its own, which is kmalloc's default unless its patch "
             "says otherwise.");
  return Out;
}

/// Who outside the kernel has to follow.
static std::string outsideText(const SeriesOptions &Made) {
  if (!Made.Searched)
    return bullet("It was not searched (--userland). vmstat(8), libkvm, "
                  "zone(9), objcache(9) and memory(9) know zalloc and "
                  "objcache.");
  if (Made.Readers.empty())
    return bullet("Nothing was found that knows zalloc or objcache.");
  std::string Out = wrap("These name zalloc or objcache, or what is of them:");
  for (const Reader &R : Made.Readers)
    Out += "  " + printable(R.str()) + "\n";
  return Out;
}

std::string coverText(const Series &S, const Plan &P, const Facts &F,
                      const SeriesOptions &Made, const MailOptions &Options) {
  const auto All = converted(P), Not = refused(P);
  const unsigned Gone = count_if(
      All, [](const PlanEntry *E) { return E->Form == TypeForm::None; });
  const unsigned Zones = count_if(All, [](const PlanEntry *E) {
    return E->IsZone && E->Form != TypeForm::None;
  });
  std::string Out =
      wrap("This moves " + plural(Zones, "zone") + " of zalloc and " +
           plural(All.size() - Zones - Gone, "object cache") +
           " to kmalloc_obj, the newest of the kernel's three "
           "allocators for objects of one size" +
           (Gone ? ", and removes " + std::to_string(Gone) +
                       " that nothing is allocated from."
                 : "."));
  if (P.needsShims())
    Out +=
        "\n" +
        wrap("kmalloc_obj could not take their place so far: it cannot be "
             "used before malloc_init(), and it may wait for memory that only "
             "page-out can free, while page-out waits for it. The first "
             "patches give it slabs that are registered at boot, a reserve, "
             "magazines, constructed objects and limits. No type that does "
             "not ask for them changes.");
  Out +=
      "\n" + wrap("Then come leaf subsystems, the kernel's own caches, those "
                  "that meet in one place, and last what the VM stands on. "
                  "Each patch converts a zone or cache as a whole, and the "
                  "tree compiles after each.");
  Out += heading("By risk (bytes an object took -> takes)");
  Out += riskTable(P);
  if (!Not.empty()) {
    Out += heading("Not converted");
    for (const PlanEntry *E : Not)
      Out += bullet(E->Variable + ": " +
                    (E->Reasons.empty() ? "the plan says so"
                                        : printable(E->Reasons.front().str())));
  }
  Out += heading("How it was tested");
  Out += testedText(P, F, Options);
  Out += heading("What changes for users");
  Out += usersText(P);
  Out += heading("Outside the kernel");
  Out += outsideText(Made);
  Out += heading("Made by");
  Out += programName() + "\n  " + Options.Command + "\n";
  Out += heading("Patches");
  for (size_t I = 0; I < S.Patches.size(); ++I)
    Out += "  " + std::to_string(I + 1) + ". " + S.Patches[I].Subject + "\n";
  return Out;
}

} // namespace kmobj
