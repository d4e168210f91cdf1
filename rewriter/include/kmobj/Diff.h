/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unified diffs, in the form git writes and takes.
 *
 * The differ is Myers' greedy algorithm on whole lines after the common head
 * and tail are cut off.  Same input, same bytes out; no file is read here.
 */
#ifndef KMOBJ_DIFF_H
#define KMOBJ_DIFF_H

#include "llvm/ADT/StringRef.h"
#include <optional>
#include <string>

namespace kmobj {

/// One file before and after. Nothing before: the file is new. Nothing after:
/// it goes.
struct FileDiff {
  /// Path as shown, with '/', without the a/ and b/ prefixes.
  std::string Path;
  std::optional<std::string> Before;
  std::optional<std::string> After;
  bool Executable = false;
};

struct DiffText {
  /// Empty when nothing differs.
  std::string Text;
  unsigned Added = 0;
  unsigned Removed = 0;
};

/// Git's diff of one file, with "diff --git" header, blob ids and three lines
/// of context.
DiffText gitDiff(const FileDiff &File);

} // namespace kmobj

#endif
