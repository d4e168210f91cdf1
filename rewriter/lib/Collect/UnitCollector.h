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

/// A creation's size, which is written again wherever there is an allocation.
struct SizeText {
  std::string Key; ///< of the zone, the cache, or its objcache_malloc_args
  std::string Spelling;
  std::set<std::string> Files; ///< where what it names is defined
};

struct UnitFacts {
  Facts Found;
  std::vector<SizeText> Sizes;
  std::string FirstError; ///< empty: it parsed
  /// Every file read, and what was left out each time.
  std::map<std::string, std::set<SkippedRanges>> Read;
};

/// Parses one unit, save for the function bodies in files that are plain by
/// Index. Never fails: what went wrong is in FirstError.
UnitFacts collectUnit(const clang::tooling::CompileCommand &Command,
                      TextStore &Store, const TreeIndex &Index,
                      llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

} // namespace kmobj

#endif // KMOBJ_COLLECT_UNITCOLLECTOR_H
