/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.h - Which files can matter, from their text --------------===//
//
// Every C file of the tree is scanned once, before anything is parsed. From
// that come the text filter (which units to parse) and the list of mentions
// (what must be accounted for when the parsing is done).
//
// A unit is skipped only when no file in the closure of its #include
// directives, taken whatever #if they stand under, can hold a site: NameTable.h
// says how that is known.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_TREEINDEX_H
#define KMOBJ_COLLECT_TREEINDEX_H

#include "FileIndex.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <set>

namespace kmobj {

class TreeIndex {
public:
  TreeIndex(TextStore &Store,
            llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);
  ~TreeIndex();

  /// Indexes every C file below the tree, with Jobs threads.
  void scanTree(unsigned Jobs);

  /// The files that a unit's text reaches, the unit first.
  using Closure = std::vector<const FileIndex *>;
  struct Reach {
    Closure Files;
    Closure InBody; ///< of Files, those read between braces
    /// Digests of which file each #include finds; and of what is in them, too.
    std::string Shape, Contents;
    /// Nothing else decides what is read: no option, no computed #include.
    bool Complete = true;
  };
  Reach reach(const clang::tooling::CompileCommand &Command);
  Closure closure(const clang::tooling::CompileCommand &Command) {
    return reach(Command).Files;
  }

  /// Of each unit: may it hold a site or a use?
  std::vector<bool> matter(llvm::ArrayRef<Closure> Units);

  /// Can no function body in this file hold a site or a use, of a malloc type
  /// either? Known after matter(); safe to ask from several threads.
  bool isPlain(llvm::StringRef Name) const;

  /// What sizes of objects may be written with, in the files that were known
  /// when findSizeNames() was called.
  const std::set<std::string> &sizeNames() const { return SizeNames; }
  void findSizeNames();

  const std::map<std::string, std::shared_ptr<const FileIndex>> &
  files() const {
    return Files;
  }
  /// By its name; null: it was not read. Safe to ask from several threads.
  const FileIndex *known(llvm::StringRef Name) const;
  /// The tokens of F, which may be a command line.
  const FileText *text(const FileIndex &F);
  /// Files and directories of the tree that cannot be read, and why.
  const std::map<std::string, std::string> &unreadable() const {
    return Unreadable;
  }

private:
  class IncludeGraph;

  TextStore &Store;
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS;
  std::map<std::string, std::shared_ptr<const FileIndex>> Files;
  std::set<const FileIndex *> Plain;
  std::set<std::string> SizeNames;
  std::map<std::string, std::string> Unreadable;
  llvm::StringMap<bool> Exists;
  /// What -D says, as a file.
  std::map<std::string,
           std::pair<std::shared_ptr<const FileIndex>,
                     std::unique_ptr<FileText>>>
      CommandLines;
  /// Units with the same search path share how it resolves each #include.
  std::map<std::vector<std::string>, std::unique_ptr<IncludeGraph>> Graphs;

  std::vector<std::string> findFiles();
  const FileIndex *file(llvm::StringRef File);
  bool exists(llvm::StringRef File);
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TREEINDEX_H
