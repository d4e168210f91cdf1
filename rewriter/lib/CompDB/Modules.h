/* SPDX-License-Identifier: BSD-3-Clause */
//===- Modules.h - Sources of loadable modules ----------------------------===//
//
// Some sources are in no source list, only in the Makefile of a module: KMOD,
// SRCS, .PATH, include paths. Two ways lead to a module: the SUBDIRs from the
// top, which is what the tree builds, and the directories themselves, which
// hold modules that nothing builds any more as well.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_MODULES_H
#define KMOBJ_COMPDB_MODULES_H

#include "Flags.h"

namespace kmobj::compdb {

struct Module {
  std::string Name;                 ///< KMOD
  std::string Makefile;             ///< relative to the root
  std::vector<std::string> Sources; ///< absolute, C files that exist
  std::vector<std::string> Absent;  ///< C files of SRCS that do not
  std::vector<std::string> Flags;   ///< what it adds to the kernel's
};

/// The modules the tree builds for its platform, ordered by Makefile. Left: the
/// Makefiles of modules that no SUBDIR leads to.
std::vector<Module> findModules(const FlagContext &Context,
                                std::vector<std::string> &Left);

} // namespace kmobj::compdb

#endif
