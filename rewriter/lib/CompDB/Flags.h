/* SPDX-License-Identifier: BSD-3-Clause */
//===- Flags.h - What of a tree's compiler flags a parser needs -----------===//
//
// A tree's flags are meant for its own compiler, often a gcc of its year. Kept
// is what changes how a unit is read: include paths, macros, the dialect, the
// machine. Dropped is what changes the code that comes out, and all warnings:
// the parser's own defaults are the same for every tree.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_FLAGS_H
#define KMOBJ_COMPDB_FLAGS_H

#include "KernelTree.h"
#include "Make.h"

namespace kmobj::compdb {

/// Where include paths and -include files may lie.
struct FlagContext {
  const KernelTree &Tree;
  std::string Build;   ///< what the database says
  std::string Staging; ///< where it is while it is being made
};

/// The flags in Words (of a command, or of CFLAGS) that a parser needs, with
/// real paths. Include paths which do not exist, or are the host's, are left
/// out.
std::vector<std::string> parserFlags(llvm::ArrayRef<std::string> Words,
                                     const FlagContext &Context,
                                     const MakeFile &Make);

/// Adds what every unit has, if Flags have it not: target, dialect, _KERNEL, no
/// host headers, the build directory and the root as include paths.
void completeFlags(std::vector<std::string> &Flags, const FlagContext &Context);

/// The C library's headers beside the tree; empty: there are none.
std::string treeUserHeaders(const KernelTree &Tree);

/// The directories of -I, in order.
std::vector<std::string> includePath(llvm::ArrayRef<std::string> Flags);

} // namespace kmobj::compdb

#endif
