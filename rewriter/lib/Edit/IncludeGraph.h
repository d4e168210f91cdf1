/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who includes what, and what an #include gives to a file.
 *
 * What units have read is known from the facts; of a file that none has read it
 * is what its text says, in all branches of its #ifs.  `#ifndef _SYS_FOO_H_'
 * around `#include <sys/foo.h>' is no condition: behind it the header is there.
 */
#ifndef KMOBJ_EDIT_INCLUDEGRAPH_H
#define KMOBJ_EDIT_INCLUDEGRAPH_H

#include "kmobj/Change.h"
#include "kmobj/Facts.h"
#include "kmobj/Layout.h"
#include "kmobj/Names.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace kmobj {

/// #ifdef _KERNEL, and its like.
bool isKernels(llvm::StringRef Condition);

/// The includes of all files, as they become.
class IncludeGraph {
public:
  IncludeGraph(const Facts &F, const SourceTree &Tree);

  void add(llvm::StringRef File, llvm::StringRef Header) {
    edges(File.str()).push_back(Header.str());
  }
  /// Does File include Header itself?
  bool includes(const std::string &File, llvm::StringRef Header) {
    return llvm::is_contained(edges(File), Header);
  }
  void remove(llvm::StringRef File, llvm::StringRef Header);
  bool reaches(llvm::StringRef File, llvm::StringRef Header);
  /// Does File include Header, other than through Without?
  bool reachesWithout(const std::string &File, llvm::StringRef Header,
                      llvm::StringRef Without);

  /// The files that Roots read, Roots among them.
  std::set<std::string> closure(llvm::ArrayRef<std::string> Roots);
  /// Those of Roots that read Header.
  std::vector<std::string> users(llvm::ArrayRef<std::string> Roots,
                                 const std::string &Header);

  /// Headers, as an #include names them, that have to take the place of
  /// Header in File's Line: File, or one of its Users, takes a name from what
  /// Header includes and has it from nowhere else. Header itself, if an #if asks
  /// for a name of it; its other names do not count.
  std::vector<std::string> neededWithout(const std::string &File,
                                         const IncludeLine &Line,
                                         const std::string &Header,
                                         llvm::ArrayRef<std::string> Users);

private:
  std::vector<std::string> &edges(const std::string &File);
  /// Headers that are there behind `#ifndef guard, #include', whatever the
  /// facts say.
  const std::vector<std::string> &guarded(const std::string &File);
  bool isGuard(llvm::StringRef Condition, const std::string &Header);
  std::vector<std::string> found(llvm::StringRef File, llvm::StringRef Name);
  /// What From includes, and so on, but not through Without.
  std::set<std::string> reached(const std::string &From,
                                llvm::StringRef Without);
  std::set<std::string> given(std::vector<std::string> Open);
  std::set<std::string> hasWithout(const std::string &File,
                                   const IncludeLine &Line);
  bool asks(const std::string &File, const std::string &Header,
            const std::set<std::string> &Has);
  std::set<std::string> needed(llvm::ArrayRef<std::string> Own,
                               const std::set<std::string> &Has,
                               const std::set<std::string> &Missing);
  const NamesOf &names(const std::string &File);
  const std::string &text(const std::string &File);

  const SourceTree &Tree;
  std::map<std::string, std::vector<std::string>> Edges, Guarded;
  /// What an #include finds, by what it says; and the other way round.
  std::map<std::string, std::set<std::string>> Resolved;
  std::map<std::string, std::string> Spelled;
  std::map<std::string, std::vector<std::string>> IncludedBy;
  std::set<std::string> Indexed; ///< who is in IncludedBy
  std::map<std::string, std::string> Texts;
  std::map<std::string, std::unique_ptr<NamesOf>> Names;
};

} // namespace kmobj

#endif
