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
//   - what a declaration with an API type declares, be it a member or a
//     typedef, and a function with a parameter of such a type: for the units
//     that read the file, or for all if it is visible to the linker;
//   - a macro whose body calls the API or has such a name, for the units that
//     read its definition. Defining it alone is no site.
//
// Where the name counts is what makes the filter narrow. To ask instead how it
// is used (a member only behind `.' or `->') would be as narrow, but macros
// that take a member's name as their argument would go unseen.
//
// A macro that pastes one argument to what is written in its body, as foo_##x
// and x##_zone do, is a name in the files which say the rest of it; if nothing
// is left to say, in those which call it with an empty argument. The parts
// of a name also count where they stand side by side as arguments. A unit is
// never skipped with an #include that the text does not resolve to a name, a
// name that goes on in the next line, or digraphs.
//
// Not seen are names pasted from three parts and more, or from parts that are
// macros themselves; if such a unit loses what it uses, verify says so.
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
  bool CallsApi = false;       ///< names an API function, macro bodies apart
  bool MacroCalls = false;     ///< names one in a macro's body
  bool NamesType = false;      ///< names vm_zone_t or struct objcache
  bool Opaque = false;         ///< only a preprocessor can tell what it says
  bool IncludesInBody = false; ///< an #include stands between braces
  struct Apiname {
    uint32_t Begin, End;
    Mention::KindTy Kind;
  };
  std::vector<Apiname> Api;
  std::vector<std::string> ComputedIncludes; ///< #include X
  struct IncludeName {
    std::string Name;
    bool Angled;
  };
  std::vector<IncludeName> Includes;
  /// A name declared with an API type, a function that takes one, or a macro
  /// with one in its body.
  struct Candidate {
    std::string Name;
    bool Linked; ///< counts in all units, not only in those that read this file
    bool InMacro; ///< a macro, or declared in the body of one
  };
  std::vector<Candidate> Candidates;
  /// What ## makes in the body of Macro, with `*' for the one parameter.
  struct Paste {
    std::string Macro, Pattern;
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
  /// What -D says, as a file.
  std::map<std::string,
           std::pair<std::unique_ptr<FileIndex>, std::unique_ptr<FileText>>>
      CommandLines;
  /// Units with the same search path share how it resolves each #include.
  std::map<std::vector<std::string>, std::unique_ptr<IncludeGraph>> Graphs;

  std::vector<std::string> findFiles();
  const FileIndex *file(llvm::StringRef File);
  bool exists(llvm::StringRef File);
  const FileText *text(const FileIndex &F);
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TREEINDEX_H
