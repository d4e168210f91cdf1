/* SPDX-License-Identifier: BSD-3-Clause */
//===- ConfFiles.h - Which sources a kernel may have ----------------------===//
//
// conf/files and its relatives, as config(8) reads them: a path, when it is
// wanted, and how it is made if not in the ordinary way.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_CONFFILES_H
#define KMOBJ_COMPDB_CONFFILES_H

#include "KernelConfig.h"

namespace kmobj::compdb {

struct Need {
  std::string Name;
  bool Negated = false;
};

struct SourceEntry {
  std::string Path; ///< relative to the root of the tree
  std::string List; ///< the file that has the entry
  unsigned Line = 0;
  bool Standard = false;
  /// Wanted if all needs of any one alternative are met.
  std::vector<std::vector<Need>> Alternatives;
  /// Devices whose number is written to a header.
  std::vector<std::string> Counted;
  std::string CompileWith; ///< a make command; empty: the ordinary way
  bool NoObject = false;   ///< makes a header or the like, no object file
  bool Local = false;      ///< made by the build, not in the tree

  bool wanted(const KernelConfig &Config) const;
};

/// Reads the list at Path, and the lists that it includes, appending to
/// Entries. Lines that make no sense become notes. Fails on an unreadable
/// file, or one that is not such a list.
llvm::Error readConfFiles(llvm::StringRef Path, llvm::StringRef Root,
                          std::vector<SourceEntry> &Entries,
                          std::vector<Note> &Notes);

} // namespace kmobj::compdb

#endif
