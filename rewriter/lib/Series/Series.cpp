/* SPDX-License-Identifier: BSD-3-Clause */
#include "Mail.h"
#include "kmobj/Edit.h"
#include "kmobj/Install.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"

using namespace llvm;

namespace kmobj {

std::string programName() {
  return "kmobj " KMOBJ_VERSION ", LLVM " LLVM_VERSION_STRING;
}

std::vector<std::string> Series::gone() const {
  std::vector<std::string> Files;
  for (const Patch &P : Patches)
    append_range(Files, P.RemovedFiles);
  return Files;
}

std::vector<OutsideFile> Series::outside() const {
  std::vector<OutsideFile> Files;
  for (const Patch &P : Patches)
    append_range(Files, P.Outside);
  return Files;
}

/// A line a point becomes a list.
static void listPoints(Patch &P) {
  SmallVector<StringRef> Points;
  const std::string Text = std::move(P.Body);
  StringRef(Text).split(Points, '\n', -1, /*KeepEmpty=*/false);
  P.Body.clear();
  for (const StringRef Point : Points)
    P.Body += (P.Body.empty() ? "" : "\n") + bullet(Point);
}

/// No two patches of the log have the same subject.
static void tellApart(MutableArrayRef<Patch> Patches, const Plan &P) {
  StringMap<unsigned> Seen;
  for (const Patch &One : Patches)
    ++Seen[One.Subject];
  for (Patch &One : Patches)
    if (Seen[One.Subject] > 1 && !One.Zones.empty())
      if (const PlanEntry *E = P.entry(One.Zones.front()))
        One.Subject += " (" + E->Variable + ")";
}

Expected<Series> makeSeries(const SourceTree &Tree, const Facts &F, Plan &P,
                            const clang::tooling::CompilationDatabase *DB,
                            const SeriesOptions &Options) {
  Series S;
  auto Allocator = shimsText(Options.Shims);
  if (!Allocator)
    return Allocator.takeError();
  const SeriesOrder Order(P, *Allocator);
  auto Zones = edit(Tree, F, P, [&](ArrayRef<const PlanEntry *> Of) {
    return Order.rank(Of);
  });
  if (!Zones)
    return Zones.takeError();
  if (Zones->empty())
    return S;
  for (Patch &One : *Zones)
    if (One.Zones.empty())
      listPoints(One);
    else
      describe(One, P);
  tellApart(*Zones, P);

  if (P.needsShims() && Options.Install) {
    if (!DB)
      return createStringError(
          "the shims are hooked in by parsing the tree's allocator: name the "
          "compile database with -p, or use --no-install");
    auto Installed = install(Tree, *DB, Options.Shims);
    if (!Installed)
      return Installed.takeError();
    S.Patches = std::move(*Installed);
  }
  std::move(Zones->begin(), Zones->end(), std::back_inserter(S.Patches));

  auto States = materialize(Tree, S.Patches);
  if (!States)
    return States.takeError();
  S.States = std::move(*States);
  return S;
}

} // namespace kmobj
