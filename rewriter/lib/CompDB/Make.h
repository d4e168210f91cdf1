/* SPDX-License-Identifier: BSD-3-Clause */
//===- Make.h - The variables of a BSD Makefile ---------------------------===//
//
// Which flags a kernel is compiled with, and which sources a module has, is
// said in Makefiles. This evaluates as much of make(1) as it takes to ask them:
// assignments, conditionals, loops, includes, expansion with modifiers. Nothing
// is run: commands are only kept, `!=' gives an empty value.
//
// What is not known is empty or false; a Makefile never fails to be read for
// what it says, only for not being there.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_MAKE_H
#define KMOBJ_COMPDB_MAKE_H

#include "Text.h"
#include <map>
#include <set>

namespace kmobj::compdb {

/// Stand for the root of the tree and for the build directory in everything
/// that make expands, so that a space in their paths splits no word.
inline constexpr llvm::StringLiteral RootAlias = "/<sys>";
inline constexpr llvm::StringLiteral BuildAlias = "/<obj>";

class MakeFile {
public:
  /// Root and Build: what the aliases stand for.
  MakeFile(llvm::StringRef Root, llvm::StringRef Build)
      : Root(Root), Build(Build) {}

  /// A path with its alias replaced.
  std::string real(llvm::StringRef Path) const;

  /// A variable from the command line: assignments in files do not change it.
  void preset(llvm::StringRef Name, llvm::StringRef Value);
  /// A variable with a value that files may change.
  void define(llvm::StringRef Name, llvm::StringRef Value);

  /// Reads a file and the files it includes by a path; <bsd.*.mk> are not in a
  /// kernel tree and are skipped. False if it cannot be read.
  bool read(llvm::StringRef Path);

  bool defined(llvm::StringRef Name) const;
  /// The value with everything in it expanded.
  std::string value(llvm::StringRef Name) const;
  std::string expand(llvm::StringRef Text) const { return expand(Text, 0); }
  std::vector<std::string> words(llvm::StringRef Name) const;

  /// The files read, with aliases.
  const std::set<std::string> &files() const { return Files; }
  /// Target as written -> the commands of its rules, one a line, unexpanded.
  const std::map<std::string, std::string> &commands() const {
    return Commands;
  }
  const std::vector<std::string> &searchPath() const { return SearchPath; }

private:
  struct Conditional {
    bool Active; ///< the lines here count
    bool Taken;  ///< some branch of it counted
    bool Outer;  ///< the lines around it count
  };

  void readLines(llvm::ArrayRef<LogicalLine> Lines, llvm::StringRef Path);
  void directive(llvm::StringRef Name, llvm::StringRef Rest,
                 llvm::StringRef Path, std::vector<Conditional> &Stack);
  bool assignment(llvm::StringRef Line);
  void include(llvm::StringRef Argument, llvm::StringRef From);

  std::string expand(llvm::StringRef Text, unsigned Depth) const;
  std::string expandVariable(llvm::StringRef Inside, unsigned Depth) const;
  std::string modify(std::string Value, llvm::StringRef Modifier,
                     unsigned Depth) const;
  bool condition(llvm::StringRef Text) const;
  friend class ConditionParser;

  std::string Root, Build;
  std::map<std::string, std::string> Variables;
  std::map<std::string, std::string> Presets;
  std::map<std::string, std::string> Commands;
  std::set<std::string> Files;
  std::vector<std::string> SearchPath;
  unsigned Including = 0;
};

} // namespace kmobj::compdb

#endif
