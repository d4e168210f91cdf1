/* SPDX-License-Identifier: BSD-3-Clause */
//===- UnitCollector.h - The facts of one translation unit ----------------===//

#ifndef KMOBJ_COLLECT_UNITCOLLECTOR_H
#define KMOBJ_COLLECT_UNITCOLLECTOR_H

#include "TreeIndex.h"
#include "kmobj/Diagnostic.h"
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
  UnitDiagnostics Diagnostics;
  /// All that was read is in Index, with the contents that it has there.
  bool Sealed = false;
};

/// Parses one unit. Facts are not looked for in files that are plain by Index,
/// and an error in the body of a function there is no FirstError. Never fails.
UnitFacts collectUnit(const clang::tooling::CompileCommand &Command,
                      TextStore &Store, const TreeIndex &Index,
                      llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

} // namespace kmobj

#endif // KMOBJ_COLLECT_UNITCOLLECTOR_H
