/* SPDX-License-Identifier: BSD-3-Clause */
//===- TreeIndex.h - Which files can matter, from their text --------------===//
//
// Every C file of the tree is scanned once, before anything is parsed. From
// that come the text filter (which units to parse) and the list of mentions
// (what must be accounted for when the parsing is done).
//
// The filter is honest because it skips a unit only when no file in the closure
// of its #include directives, taken whatever #if they stand under, can hold a
// site: none calls an API function, and none has the name of anything that is
// declared as a zone or cache where the unit can see it, save for that
// declaration itself. Such a name is one of
//
//   - what a declaration with an API type declares, be it a typedef: for the
//     units that read the file, or for all if it is visible to the linker;
//   - a macro whose body calls the API or has such a name, for the units that
//     read its definition. Defining it alone is no site.
//
// A macro that pastes with ## counts if the first part is written in its body,
// or stands next to the second as an argument. A unit with an #include that the
// text does not resolve to a name is never skipped.
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
  bool CallsApi = false;   ///< names an API function, macro bodies apart
  bool MacroCalls = false; ///< names one in a macro's body
  bool NamesType = false;  ///< names vm_zone_t or struct objcache
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
  /// A name declared with an API type, or a macro with one in its body.
  struct Candidate {
    std::string Name;
    bool Linked;  ///< counts in all units, not only in those that read this file
    bool InMacro; ///< a macro, or declared in the body of one
  };
  std::vector<Candidate> Candidates;
  /// `x##' in the body of Macro.
  struct Paste {
    std::string Macro, Front;
  };
  std::vector<Paste> Pastes;
  std::vector<std::string> TypeNames; ///< M_*
  std::vector<uint64_t> Filter;       ///< Bloom filter of all identifiers

  bool mayName(llvm::StringRef Identifier) const;
};

FileIndex indexFile(std::string Name, llvm::StringRef Source);

class TreeIndex {
public:
  TreeIndex(TextStore &Store,
            llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);
  ~TreeIndex();

  /// Indexes every C file below the tree, with Jobs threads.
  void scanTree(unsigned Jobs);

  /// The files that a unit's text reaches, the unit first.
  using Closure = std::vector<const FileIndex *>;
  Closure closure(const clang::tooling::CompileCommand &Command);

  /// Of each unit: may it hold a site or a use?
  std::vector<bool> matter(llvm::ArrayRef<Closure> Units);

  /// Can no function body in this file hold a site or a use, of a malloc type
  /// either? Known after matter(); safe to ask from several threads.
  bool isPlain(llvm::StringRef Name) const;

  const std::map<std::string, std::unique_ptr<FileIndex>> &files() const {
    return Files;
  }
  /// Files and directories of the tree that cannot be read, and why.
  const std::map<std::string, std::string> &unreadable() const {
    return Unreadable;
  }

private:
  class IncludeGraph;
  class NameTable;

  TextStore &Store;
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS;
  std::map<std::string, std::unique_ptr<FileIndex>> Files;
  std::set<const FileIndex *> Plain;
  std::map<std::string, std::string> Unreadable;
  llvm::StringMap<bool> Exists;
  /// Units with the same search path share how it resolves each #include.
  std::map<std::vector<std::string>, std::unique_ptr<IncludeGraph>> Graphs;

  std::vector<std::string> findFiles();
  const FileIndex *file(llvm::StringRef File);
  bool exists(llvm::StringRef File);
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TREEINDEX_H
