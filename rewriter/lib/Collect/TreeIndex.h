/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.h - Which files can matter, from their text --------------===//
//
// Every C file of the tree is scanned once, before anything is parsed. From
// that come the text filter (which units to parse) and the list of mentions
// (what must be accounted for when the parsing is done).
//
// The filter is honest because it only skips a unit when no file in the closure
// of its #include directives, taken whatever #if they stand under, can hold a
// site: none calls an API function, and none has the name of anything that is
// declared as a zone or cache, save for that declaration itself. A unit with
// an #include that the text does not resolve to a name is never skipped.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_TREEINDEX_H
#define KMOBJ_COLLECT_TREEINDEX_H

#include "Text.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <set>

namespace kmobj {

/// vm_zone.h, objcache.h: they declare the API.
bool isApiHeader(llvm::StringRef File);
/// The headers and vm_zone.c, kern_objcache.c, which implement it.
bool isApiFile(llvm::StringRef File);

/// What the scan of one file found.
struct FileIndex {
  std::string Name;
  bool Header = false;
  bool CallsApi = false;  ///< names an API function
  bool NamesType = false; ///< names vm_zone_t or struct objcache
  bool ComputedInclude = false;
  struct Apiname {
    uint32_t Begin, End;
    Mention::KindTy Kind;
  };
  std::vector<Apiname> Api;
  struct IncludeName {
    std::string Name;
    bool Angled;
  };
  std::vector<IncludeName> Includes;
  /// Names declared with an API type, and where in the tree they count.
  struct Candidate {
    std::string Name;
    enum WhereTy {
      Local,  ///< only in this file: static, or not at file scope, and no
              ///< header; a parameter
      Member, ///< where a member of that name is accessed
      Global
    } Where;
  };
  std::vector<Candidate> Candidates;
  std::vector<std::string> TypeNames; ///< M_*
  std::vector<uint64_t> Filter;       ///< Bloom filter of all identifiers

  bool mayName(llvm::StringRef Identifier) const;
};

FileIndex indexFile(std::string Name, llvm::StringRef Source);

class TreeIndex {
public:
  TreeIndex(TextStore &Store,
            llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

  /// Indexes every C file below the tree, with Jobs threads.
  void scanTree(unsigned Jobs);
  /// Indexes File (absolute) if it is not yet; null when unreadable.
  const FileIndex *file(llvm::StringRef File);

  /// Names of the files that a unit's text reaches, the unit first.
  std::vector<const FileIndex *>
  closure(const clang::tooling::CompileCommand &Command);
  /// May the unit hold a site or a use?
  bool matters(llvm::ArrayRef<const FileIndex *> Closure);

  const std::map<std::string, std::unique_ptr<FileIndex>> &files() const {
    return Files;
  }

private:
  TextStore &Store;
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS;
  std::map<std::string, std::unique_ptr<FileIndex>> Files;
  llvm::StringMap<bool> Exists;
  std::set<std::string> Global, Members;
  std::map<const FileIndex *, bool> NamesForeign;

  bool exists(llvm::StringRef File);
  bool namesOthers(const FileIndex &F);
  bool isForeign(const FileText &Text, size_t Index) const;
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TREEINDEX_H
