/* SPDX-License-Identifier: BSD-3-Clause */
//===- Generate.h - Headers that a tree's own scripts make ----------------===//
//
// A kernel build makes headers with awk scripts of the tree: kobj interfaces
// (*_if.h) from *_if.m, device identifiers, tables. The same scripts are run
// here, with the output directory as their working directory. Which awk can run
// them is a matter of trying: they are written for the one-true-awk, and other
// awks refuse some of them.
//
// Only awk (and, in old trees, perl) is run, never a shell. What an awk script
// may do is not limited, though: whoever does not trust a tree runs none.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_GENERATE_H
#define KMOBJ_COMPDB_GENERATE_H

#include "ConfFiles.h"
#include "KernelTree.h"
#include "Make.h"
#include "kmobj/CompDB.h"
#include <set>

namespace kmobj::compdb {

/// A header that could not be made, and why.
struct NotMade {
  std::string Header;
  std::string Reason;
};

class Generator {
public:
  /// Output: the directory that the headers go to. Options say whether scripts
  /// are run at all, and until when.
  Generator(const KernelTree &Tree, std::string Output,
            const CompDBOptions &Options);

  /// *_if.h of every *_if.m in the tree; when two have the same name, the one
  /// that a source list names.
  void interfaces(llvm::ArrayRef<SourceEntry> Entries);

  /// Headers which a source list says how to make. What no script makes, but
  /// whose command says what it declares, becomes a stub.
  void headers(llvm::ArrayRef<SourceEntry> Entries, const MakeFile &Make);

  /// Headers of the usual scripts that no source list mentioned.
  void usualHeaders();

  unsigned made() const { return Made; }
  std::vector<std::string> Stubs;
  std::vector<NotMade> Failed;

private:
  bool script(llvm::StringRef Script, llvm::ArrayRef<std::string> Arguments,
              llvm::StringRef Header, llvm::StringRef RedirectedTo = "");
  bool run(llvm::StringRef Interpreter, llvm::ArrayRef<std::string> Arguments,
           llvm::StringRef Header, llvm::StringRef RedirectedTo);
  bool stub(llvm::StringRef Header, llvm::StringRef Command);

  const KernelTree &Tree;
  std::string Output;
  const CompDBOptions &Options;
  std::set<std::string> Announced;
  std::vector<std::string> Awks; ///< the one that worked last comes first
  std::string Perl;
  unsigned Made = 0;
};

} // namespace kmobj::compdb

#endif
