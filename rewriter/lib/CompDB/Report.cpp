/* SPDX-License-Identifier: BSD-3-Clause */
//===- Report.cpp - What was made, and what could not be ------------------===//

#include "Report.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace kmobj::compdb {

namespace {

bool lacks(const CompileUnit &Unit) {
  return any_of(Unit.Missing, [](const IncludeFollower::Missing &M) {
    return !M.Conditional;
  });
}

unsigned lacking(const UnitSet &Set) {
  return count_if(Set.Units, [](const auto &U) { return lacks(U.second); });
}

std::string where(const KernelTree &Tree, StringRef File, unsigned Line) {
  return Tree.relative(File) + ":" + utostr(Line);
}

class Writer {
public:
  Writer(raw_ostream &OS, const KernelTree &Tree, const KernelConfig &Config,
         const UnitSet &Set, const Findings &Found)
      : OS(OS), Tree(Tree), Config(Config), Set(Set), Found(Found) {}

  void head() {
    OS << "platform " << Tree.Platform << ", processor " << Tree.Arch
       << ", config ";
    if (Tree.ConfigPath.empty())
      OS << "none: only what is standard\n";
    else
      OS << Tree.relative(Tree.ConfigPath) << '\n';
    OS << Set.OfKernel << " units of the kernel, " << Set.OfModules
       << " more of modules\n"
       << Found.Forwarded << " forwarding headers, "
       << Found.OptionHeaders + Found.LateHeaders.size()
       << " of options and counts, " << Found.Generated
       << " made by the tree's scripts\n";
  }

  void missing(bool Conditional) {
    for (const auto &[Relative, Unit] : Set.Units)
      for (const IncludeFollower::Missing &M : Unit.Missing) {
        if (M.Conditional != Conditional)
          continue;
        OS << Relative << ": lacks " << M.Name;
        if (M.From != Unit.File)
          OS << ", included at " << where(Tree, M.From, M.Line);
        else
          OS << " (line " << M.Line << ')';
        OS << '\n';
      }
  }

  void absent() {
    for (const AbsentSource &A : Set.Absent)
      OS << A.Source << ": not in the tree, named by " << A.By << '\n';
  }

  void notMade() {
    for (const NotMade &N : Found.NotMade)
      OS << N.Header << ": not made: " << N.Reason << '\n';
    for (const std::string &Stub : Found.Stubs)
      OS << Stub << ": a stub, its contents are no matter to a parser\n";
  }

  void notes() {
    for (const Note &N : Found.Notes)
      OS << where(Tree, N.File, N.Line) << ": " << N.Message << '\n';
    for (const std::string &Option : Found.UnknownOptions)
      OS << Tree.relative(Tree.ConfigPath) << ": option " << Option
         << " is in no list of options; defined in opt_global.h\n";
  }

  void totals() {
    OS << Set.Units.size() << " units: " << lacking(Set) << " lack a header; "
       << Set.Absent.size() << " sources absent; " << Set.LeftOut.size()
       << " left out by the config, " << Set.NoList.size() << " in no list\n";
  }

  void section(StringRef Title, ArrayRef<std::string> Lines) {
    OS << '\n' << Title << '\n';
    for (const std::string &Line : Lines)
      OS << Line << '\n';
  }

  raw_ostream &OS;
  const KernelTree &Tree;
  const KernelConfig &Config;
  const UnitSet &Set;
  const Findings &Found;
};

} // namespace

bool isComplete(const UnitSet &Set) {
  return Set.Absent.empty() && lacking(Set) == 0;
}

std::string summary(const KernelTree &Tree, const KernelConfig &Config,
                    const UnitSet &Set, const Findings &Found) {
  std::string Text;
  raw_string_ostream OS(Text);
  Writer W(OS, Tree, Config, Set, Found);
  W.head();
  W.notes();
  W.notMade();
  W.absent();
  W.missing(/*Conditional=*/false);
  W.totals();
  return Text;
}

std::string fullReport(const KernelTree &Tree, const KernelConfig &Config,
                       const UnitSet &Set, const Findings &Found) {
  std::string Text;
  raw_string_ostream OS(Text);
  Writer W(OS, Tree, Config, Set, Found);
  OS << "kmobj compdb\n";
  W.head();
  W.section("Lines that were not understood", {});
  W.notes();
  W.section("Headers not made as in a build", {});
  W.notMade();
  W.section("Headers of options that no list has: made empty",
            Found.LateHeaders);
  W.section("Sources that are absent", {});
  W.absent();
  W.section("Units that lack a header", {});
  W.missing(/*Conditional=*/false);
  W.section("Headers that are not there, under a condition", {});
  W.missing(/*Conditional=*/true);
  W.section("Listed sources that this config leaves out", Set.LeftOut);
  W.section("C files in no list and no module", Set.NoList);
  W.section("Modules that only other platforms have", Set.OtherModules);
  OS << '\n';
  W.totals();
  return Text;
}

} // namespace kmobj::compdb
