/* SPDX-License-Identifier: BSD-3-Clause */
//===- UnitCollector.h - The facts of one translation unit ----------------===//

#ifndef KMOBJ_COLLECT_UNITCOLLECTOR_H
#define KMOBJ_COLLECT_UNITCOLLECTOR_H

#include "TreeIndex.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <map>
#include <set>

namespace kmobj {

/// Ranges of a file that the preprocessor left out, one time it was read.
using SkippedRanges = std::vector<std::pair<uint32_t, uint32_t>>;

struct UnitFacts {
  Facts Found;
  std::string FirstError; ///< empty: it parsed
  /// Every file read, and what was left out each time.
  std::map<std::string, std::set<SkippedRanges>> Read;
  /// Identifiers among the arguments of macros that leave them out.
  std::map<std::string, std::set<uint32_t>> Dropped;
};

/// Parses one unit, save for the function bodies in files that are plain by
/// Index. Never fails: what went wrong is in FirstError.
UnitFacts collectUnit(const clang::tooling::CompileCommand &Command,
                      TextStore &Store, const TreeIndex &Index,
                      llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

} // namespace kmobj

#endif // KMOBJ_COLLECT_UNITCOLLECTOR_H
