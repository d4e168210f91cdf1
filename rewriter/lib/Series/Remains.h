/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an allocator that goes leaves in the tree: names that nothing else used,
 * and comments that speak of it.
 *
 * It is text that is looked at, for a person to judge.  A name that anything
 * else mentions in its code is used; so is one that many files mention.
 */
#ifndef KMOBJ_LIB_SERIES_REMAINS_H
#define KMOBJ_LIB_SERIES_REMAINS_H

#include "kmobj/Names.h"
#include "kmobj/Series.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <set>

namespace kmobj {

/// A file of the tree as a series leaves it. Ours: the series brings it.
struct RemainingFile {
  llvm::StringRef Path, Text;
  bool Ours;
};
llvm::Error
forEachRemaining(const SourceTree &Tree, const Series &S,
                 llvm::function_ref<void(const RemainingFile &)> Do);
/// Can it have C in it, or what the preprocessor reads?
bool isSource(llvm::StringRef Path);

/// Where the code of the tree names something.
struct Mentioned {
  std::string File;
  unsigned Line;
  NameUse Use;         ///< but for its Name
  bool Tested = false; ///< `& NAME'
  bool UnderFlag = false;

  bool declares() const {
    return Use.Role == NameUse::Declared || Use.Role == NameUse::Macro;
  }
};
using MentionMap = std::map<std::string, std::vector<Mentioned>>;

class Remains {
public:
  /// Of the tree as S leaves it, without Source, whose header is Header.
  Remains(const SourceTree &Tree, const Series &S, std::string Source,
          std::string Header)
      : Tree(Tree), S(S), After(S.after()), Source(std::move(Source)),
        Header(std::move(Header)) {}

  llvm::Error look();

  /// Functions that Header declares, Source has, and nothing names.
  std::vector<std::string> Prototypes;
  /// "only vm/vm_zone.c used foo() (..)"
  std::vector<std::string> Unused;
  /// "vm/vm_object.c:383: the comment here says zinit"
  std::vector<std::string> Comments;

private:
  llvm::Expected<std::string> text(const std::string &File) const;
  using FilesOf = llvm::StringMap<std::vector<std::string>>;
  llvm::Expected<FilesOf> filesWith(const std::set<std::string> &Names,
                                    const std::set<std::string> &Functions);
  llvm::Expected<MentionMap> mentions(const FilesOf &Of,
                                      const std::set<std::string> &Flags = {});
  llvm::Error comments(const std::set<std::string> &Functions,
                       const std::set<std::string> &Files);

  const SourceTree &Tree;
  const Series &S;
  const FileSet After;
  const std::string Source, Header;
};

} // namespace kmobj

#endif
