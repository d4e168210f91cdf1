/* SPDX-License-Identifier: BSD-3-Clause */
//===- Units.h - The C units of a config, and their commands --------------===//

#ifndef KMOBJ_COMPDB_UNITS_H
#define KMOBJ_COMPDB_UNITS_H

#include "ConfFiles.h"
#include "Includes.h"
#include "Modules.h"

namespace kmobj::compdb {

struct CompileUnit {
  std::string File;   ///< real path
  std::string Module; ///< empty: part of the kernel itself
  std::vector<std::string> Flags;
  std::vector<IncludeFollower::Missing> Missing;
};

/// A source that is listed but is not in the tree.
struct AbsentSource {
  std::string Source, By;
};

struct UnitSet {
  std::map<std::string, CompileUnit> Units; ///< by path below the root
  std::vector<AbsentSource> Absent;
  std::vector<std::string> LeftOut; ///< listed, but the config does not want it
  std::vector<std::string> NoList;  ///< in no list and no module
  std::vector<std::string> OtherModules;    ///< Makefiles, see findModules()
  std::map<std::string, std::string> Links; ///< see Module
  unsigned OfKernel = 0, OfModules = 0;
};

/// A MakeFile with the kernel's Makefile read for this config: NORMAL_C and its
/// like are what the tree says. Without one, CPPFLAGS and CFLAGS of the
/// Makefile at the root are used.
MakeFile readKernelMake(const KernelTree &Tree, const KernelConfig &Config,
                        llvm::StringRef Build);

/// The units of the config and of the tree's modules.
UnitSet findUnits(llvm::ArrayRef<SourceEntry> Entries,
                  const KernelConfig &Config, const FlagContext &Context,
                  const MakeFile &Make);

/// compile_commands.json.
std::string databaseText(const UnitSet &Set, llvm::StringRef Build);

} // namespace kmobj::compdb

#endif
