/* SPDX-License-Identifier: BSD-3-Clause */
//===- Collect.h - Translation units in, facts out ------------------------===//
//
// The only stage that needs clang's AST. Each unit that may matter is parsed on
// its own, in parallel; the facts of all are merged and every mention of the
// API in the tree's text is accounted for against them.
//
// A unit may be skipped without parsing when neither its own text nor that of
// any header it includes calls the API, defines a zone or cache, or names one.
// Skipping is decided from the text alone and errs towards parsing.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_H
#define KMOBJ_COLLECT_H

#include "kmobj/Cache.h"
#include "kmobj/Facts.h"
#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/Support/VirtualFileSystem.h"
#include <functional>
#include <string>
#include <vector>

namespace kmobj {

struct CollectOptions {
  /// Root of the kernel sources; empty: findTree() of the units.
  std::string Tree;
  /// Only these units (as the database or a person spells them); empty: all.
  std::vector<std::string> Files;
  /// Parallel parses; 0: one per CPU.
  unsigned Jobs = 0;
  /// Take the units whose index modulo ShardCount is Shard.
  unsigned Shard = 0;
  unsigned ShardCount = 1;
  /// Parse every unit, whatever the text filter says.
  bool NoFilter = false;
  /// What is known of units from earlier; null: nothing.
  Cache *Known = nullptr;
  /// Where files are read from; null: the disk. Tests put theirs in memory.
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS;
  /// Called after each unit, from any thread but one at a time.
  std::function<void(unsigned Done, unsigned Total, llvm::StringRef Unit)>
      Progress;
};

/// The nearest directory above the database's units which holds conf/files; of
/// a tree that has none, as one which is not BSD's, the directory above all its
/// units.
std::string findTree(const clang::tooling::CompilationDatabase &DB,
                     llvm::vfs::FileSystem &FS);

/// Fails only when nothing can be said at all (no unit, no tree, a named file
/// which the database does not know). A unit that does not parse is in
/// Facts::Units with its first error.
llvm::Expected<Facts> collect(const clang::tooling::CompilationDatabase &DB,
                              const CollectOptions &Options);

} // namespace kmobj

#endif // KMOBJ_COLLECT_H
