/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which patch comes when: see Series.h.
 *
 * Nothing here knows a zone by its name.  A directory of the kernel proper says
 * that more than one driver depends on it; what the old allocator promised says
 * that page-out or the boot does; and what a structure is to the allocator's
 * own code says that the allocator cannot work without it.
 */
#include "kmobj/Series.h"
#include "clang/Basic/CharInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace kmobj {

static StringRef topDirectory(StringRef File) {
  return File.take_until([](char C) { return C == '/'; });
}

static bool isMachine(StringRef File) {
  const StringRef Top = topDirectory(File);
  return Top == "vm" || Top == "platform" || Top == "cpu";
}

static bool isKernel(StringRef File) {
  const StringRef Top = topDirectory(File);
  return Top == "kern" || Top == "sys" || isMachine(File);
}

/// X of the first `struct X' in Text; empty: there is none.
static StringRef structureTag(StringRef Text) {
  const size_t At = Text.find("struct ");
  if (At == StringRef::npos)
    return "";
  return Text.substr(At + 7).ltrim().take_while(
      [](char C) { return clang::isAsciiIdentifierContinue(C); });
}

SeriesOrder::SeriesOrder(const Plan &P, StringRef Allocator) {
  for (const PlanEntry &E : P.Entries)
    if (!E.Group.empty() && isKernel(E.Where.File))
      MeetingFiles.push_back(E.Where.File);
  for (size_t At = 0; (At = Allocator.find("struct ", At)) != StringRef::npos;
       At += 7)
    AllocatorUses.push_back(structureTag(Allocator.substr(At)).str());
}

SeriesOrder::Stage SeriesOrder::stage(const PlanEntry &E) const {
  const StringRef File = E.Where.File;
  if (!isKernel(File))
    return Leaf;
  if (isMachine(File) || riskOf(E) == Risk::High ||
      is_contained(AllocatorUses, structureTag(E.SizeText)))
    return Core;
  return is_contained(MeetingFiles, E.Where.File) ? Meeting : Kernel;
}

unsigned SeriesOrder::rank(ArrayRef<const PlanEntry *> Entries) const {
  unsigned Last = 0;
  for (const PlanEntry *E : Entries) {
    const unsigned Promised =
        riskOf(*E) == Risk::High ? 1 + E->HasBootstrap : 0;
    const Stage At = stage(*E);
    Last = std::max(Last, 4 * At + (At == Core ? Promised : 0));
  }
  return Last;
}

std::string objectName(const PlanEntry &E) {
  if (const StringRef Tag = structureTag(E.SizeText); !Tag.empty())
    return ("struct " + Tag).str();
  return E.Name.empty() ? E.Variable : E.Name;
}

Risk riskOf(const PlanEntry &E) {
  if (E.Form == TypeForm::None)
    return Risk::Low;
  if (E.isPromised())
    return Risk::High;
  return E.Constructed || !E.Group.empty() || E.Form == TypeForm::Dynamic
             ? Risk::Middle
             : Risk::Low;
}

std::string riskText(const PlanEntry &E) {
  if (E.Form == TypeForm::None)
    return "nobody uses it";
  std::vector<std::string> Why;
  if (E.HasBootstrap)
    Why.push_back("in use before malloc_init()");
  if (E.ZoneFlags & ZONE_INTERRUPT)
    Why.push_back("must not wait");
  if (E.ZoneFlags & (ZONE_SPECIAL | ZONE_USE_RESERVE))
    Why.push_back("must not recurse");
  if (E.Constructed)
    Why.push_back(isConstructed(E)             ? "constructed"
                  : creation(E)->MaxOut == "0" ? "too large for a slab"
                                               : "has a limit");
  if (!E.Group.empty())
    Why.push_back("meets others");
  if (E.Form == TypeForm::Dynamic)
    Why.push_back("made at run time");
  return Why.empty() ? "plain" : join(Why, ", ");
}

} // namespace kmobj
