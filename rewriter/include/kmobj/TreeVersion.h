/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One version of a tree: the text that its units reach, and what they say when
 * they are parsed.
 */
#ifndef KMOBJ_TREEVERSION_H
#define KMOBJ_TREEVERSION_H

#include "kmobj/Cache.h"
#include "kmobj/Diagnostic.h"
#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/Support/VirtualFileSystem.h"
#include <functional>
#include <memory>

namespace kmobj {

struct UnitText;

class TreeVersion {
public:
  /// A fresh view of the tree for each parse.
  using View = std::function<llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem>()>;

  /// Known null: each unit is parsed.
  TreeVersion(std::string Tree, View See, Cache *Known);
  ~TreeVersion();

  /// Reads what the unit reaches; lives as long as the version. Not from
  /// several threads, and not while diagnostics() is asked for.
  const UnitText &unit(const clang::tooling::CompileCommand &Command);
  UnitDiagnostics diagnostics(const UnitText &Unit);
  bool has(llvm::StringRef File);
  /// File as the tree's facts have it.
  std::string name(llvm::StringRef File);

private:
  friend class Concerns;
  struct Parts;
  std::unique_ptr<Parts> P;
};

} // namespace kmobj

#endif
