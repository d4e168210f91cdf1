/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Changes to source files, and what becomes of the files.
 *
 * Everything the rewriter does to a tree is first said as data: a Patch is one
 * reviewable unit (the installation of the shims, one zone, ...), a Change
 * replaces a range of bytes of one file, a NewFile adds one.  Offsets always
 * refer to the file as it is on disk, whichever patch the change belongs to, so
 * that patches can be produced independently of each other.  materialize() then
 * computes the files' contents after each patch; writers (Output.h) only ever
 * see whole contents.
 *
 * Invariants: changes of one file never overlap, across all patches; a file
 * without a change is never touched; a file keeps its own line endings.
 */
#ifndef KMOBJ_CHANGE_H
#define KMOBJ_CHANGE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kmobj {

/// Replaces Length bytes at Offset of File (path relative to the tree's root)
/// by Text. Text uses '\n'; it takes on the file's line ending when applied.
struct Change {
  std::string File;
  uint64_t Offset = 0;
  uint64_t Length = 0;
  std::string Text;
};

/// A file which the tree does not have yet.
struct NewFile {
  std::string Path;
  std::string Content;
};

/// A file beside the tree, in the repository that has both. One patch at the
/// most changes it.
struct OutsideFile {
  std::string Path; ///< relative to the directory that the tree is in
  std::optional<std::string> Before; ///< nothing: it is new
  std::string After;
};

/// What belongs together in review: it is applied whole, after the patches
/// before it.
struct Patch {
  /// First line of the commit message, without "[PATCH]".
  std::string Subject;
  /// Rest of the commit message; may be empty.
  std::string Body;
  /// For the reviewer's eye alone; no part of the commit message.
  std::string Notes;
  /// Keys of the plan's entries that it converts.
  std::vector<std::string> Zones;
  std::vector<Change> Changes;
  std::vector<NewFile> NewFiles;
  /// Files that go. No patch changes one of them.
  std::vector<std::string> RemovedFiles;
  /// Goes with it where the tree's repository has a place for it.
  std::vector<OutsideFile> Outside;

  bool empty() const {
    return Changes.empty() && NewFiles.empty() && RemovedFiles.empty();
  }
};

/// The kernel sources on disk.
class SourceTree {
public:
  explicit SourceTree(std::string Root) : Root(std::move(Root)) {}

  const std::string &root() const { return Root; }
  /// Absolute path of a path relative to the root.
  std::string path(llvm::StringRef Relative) const;
  bool exists(llvm::StringRef Relative) const;
  /// The file's bytes, or an error that names the file and the reason.
  llvm::Expected<std::string> read(llvm::StringRef Relative) const;
  /// Its files, sorted; no links, and nothing of git's.
  llvm::Expected<std::vector<std::string>> files() const;

private:
  std::string Root;
};

/// Path relative to the root -> content.
using FileSet = std::map<std::string, std::string>;

/// Applies Changes, which must all belong to the file Name, to Content.
/// Changes at one offset are applied in the order given, insertions before a
/// replacement; equal changes count once. Overlap is an error.
llvm::Expected<std::string> applyChanges(llvm::StringRef Name,
                                         llvm::StringRef Content,
                                         std::vector<Change> Changes);

/// For each patch the contents of every file touched by it or by an earlier
/// one, as they are after that patch.
llvm::Expected<std::vector<FileSet>> materialize(const SourceTree &Tree,
                                                 llvm::ArrayRef<Patch> Patches);

} // namespace kmobj

#endif
