/* SPDX-License-Identifier: BSD-3-Clause */
//===- Includes.h - Which headers a unit needs, from the text alone -------===//
//
// Before anything is parsed, the #include directives of a unit and of all it
// includes are followed by text. Two things come out: headers that config(8)
// would have written and which must still be made, and headers that nothing can
// provide. A directive counts as needed only if no condition stands around it,
// save for include guards and those that are known here: _KERNEL, the system's
// own macro, those of other systems, and constants.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_INCLUDES_H
#define KMOBJ_COMPDB_INCLUDES_H

#include "Flags.h"
#include "llvm/ADT/StringMap.h"
#include <functional>

namespace kmobj::compdb {

struct IncludeDirective {
  std::string Name;
  unsigned Line;
  bool Angled;
  bool Conditional; ///< may be left out by a condition not known here
};

/// The directives of a file's text that are not surely left out. System is as
/// in KernelTree.
std::vector<IncludeDirective> scanIncludes(llvm::StringRef Text,
                                           llvm::StringRef System);

class IncludeFollower {
public:
  /// A header that is not there.
  struct Missing {
    std::string Name;
    std::string From; ///< the file that includes it
    unsigned Line;
    bool Conditional;
  };

  /// Provide(name): asked about a header that is not found; true if it will be
  /// there.
  IncludeFollower(const FlagContext &Context,
                  std::function<bool(llvm::StringRef)> Provide)
      : Context(Context), Provide(std::move(Provide)) {}

  /// Follows all includes of Unit with these flags. Ordered by file and line.
  std::vector<Missing> follow(llvm::StringRef Unit,
                              llvm::ArrayRef<std::string> Flags);

private:
  /// A file as one search path leads on from it.
  struct Node {
    struct Edge {
      const IncludeDirective *Directive;
      Node *To; ///< null: not found
    };
    llvm::StringRef File;
    std::vector<Edge> Edges;
    bool Resolved = false;
    unsigned Visit = 0;       ///< the follow() that reached it last, and
    bool Conditional = false; ///< whether only under conditions
  };
  using Graph = llvm::StringMap<Node>;

  const std::vector<IncludeDirective> &directives(llvm::StringRef File);
  static Node *node(Graph &G, llvm::StringRef File);
  void resolve(Graph &G, Node &From, llvm::ArrayRef<std::string> Path);
  Node *resolve(Graph &G, const IncludeDirective &Include, llvm::StringRef From,
                llvm::ArrayRef<std::string> Path);
  bool exists(const std::string &File);

  FlagContext Context;
  std::function<bool(llvm::StringRef)> Provide;
  llvm::StringMap<std::vector<IncludeDirective>> Scanned;
  llvm::StringMap<Graph> Graphs; ///< by search path
  llvm::StringMap<bool> Existing;
  unsigned Visits = 0;
};

} // namespace kmobj::compdb

#endif
