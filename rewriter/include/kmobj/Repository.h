/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The git repository that a tree is part of.
 *
 * A kernel's sources may be all of it or lie anywhere in it.  Patches name
 * files from its root, so that git am takes them without options.  A tree that
 * no repository has is taken for the sys/ of one.
 */
#ifndef KMOBJ_REPOSITORY_H
#define KMOBJ_REPOSITORY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>
#include <vector>

namespace kmobj {

struct Repository {
  std::string Root; ///< empty: the tree is not kept in any
  /// What stands before a file's path in the tree: "sys/", or nothing.
  std::string Prefix = "sys/";

  explicit operator bool() const { return !Root.empty(); }
};

/// The repository that keeps the files of Tree.
Repository repositoryOf(llvm::StringRef Tree);

/// Files of Tree, relative to it, that are not as they were committed; those
/// that git does not know as well.
struct Uncommitted {
  std::vector<std::string> Changed, Unknown;
};
Uncommitted uncommitted(const Repository &R, llvm::StringRef Tree);

/// What git says; nothing if it fails or is not there.
std::optional<std::string> git(llvm::ArrayRef<llvm::StringRef> Arguments);

} // namespace kmobj

#endif
