/* SPDX-License-Identifier: BSD-3-Clause */
//===- FileIndex.h - What the text of one file can mean -------------------===//
//
// One pass over the tokens of a file, without its headers and without knowing
// which #if holds: what it includes, calls and declares as far as zones and
// caches go, and a filter of all names in it. TreeIndex.h says what for.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_FILEINDEX_H
#define KMOBJ_COLLECT_FILEINDEX_H

#include "Text.h"

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
  std::string Digest;          ///< of all of its bytes
  struct Apiname {
    uint32_t Begin, End;
    Mention::KindTy Kind;
  };
  std::vector<Apiname> Api;
  std::vector<std::string> ComputedIncludes; ///< #include X
  /// Of #include, and of __has_include(): what follows is read then, or not.
  struct IncludeName {
    std::string Name;
    bool Angled;
    bool InBody; ///< stands between braces
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
  /// "struct foo", "NFOO": named in a statement that creates a zone or cache,
  /// or says how large the objects of one are.
  std::vector<std::string> SizeNames;
  std::vector<uint64_t> Filter;       ///< Bloom filter of all identifiers

  bool mayName(llvm::StringRef Identifier) const;
};

std::string digestOf(llvm::StringRef Source);

/// What is found once is known for every version of the tree.
std::shared_ptr<const FileIndex> indexFile(std::string Name,
                                           llvm::StringRef Source);

/// The types of the API, as a declaration names them.
llvm::ArrayRef<llvm::StringRef> apiTypes();

} // namespace kmobj

#endif // KMOBJ_COLLECT_FILEINDEX_H
