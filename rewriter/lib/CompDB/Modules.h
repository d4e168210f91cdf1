/* SPDX-License-Identifier: BSD-3-Clause */
//===- Modules.h - Sources of loadable modules ----------------------------===//
//
// Some sources are in no source list, only in the Makefile of a module: KMOD,
// SRCS, .PATH, include paths. SUBDIRs lead from the top to the modules of a
// platform. Makefiles that no platform's walk reaches belong to modules that
// are built on request or not any more; their sources count all the same.
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
  /// Options it sets for itself: commands that write an opt_*.h.
  std::map<std::string, std::string> Options;
  /// Directories its headers are reached by: arch_linux and the like.
  std::map<std::string, std::string> Links;
};

/// The modules the tree builds for its platform, and those that it builds for
/// none, ordered by Makefile. Others: the Makefiles of modules that only other
/// platforms have.
std::vector<Module> findModules(const FlagContext &Context,
                                std::vector<std::string> &Others);

} // namespace kmobj::compdb

#endif
