/* SPDX-License-Identifier: BSD-3-Clause */
//===- NameTable.h - Which file names a zone or cache ---------------------===//
//
// The filter is honest because it skips a unit only when none of its files
// calls an API function, and none has the name of anything that is declared as
// a zone or cache where the unit can see it, save for that declaration itself.
// Such a name is one of
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

#ifndef KMOBJ_COLLECT_NAMETABLE_H
#define KMOBJ_COLLECT_NAMETABLE_H

#include "FileIndex.h"
#include <set>

namespace kmobj {

/// Built once from all files; says which file says which name, other than to
/// declare it.
class NameTable {
public:
  /// The tokens of a file, or null if it cannot be read.
  using TextOf = llvm::function_ref<const FileText *(const FileIndex &)>;

  NameTable(llvm::ArrayRef<const FileIndex *> Files, TextOf Text);

  /// May a unit of these files, its own first, hold a site or a use?
  bool matters(llvm::ArrayRef<const FileIndex *> Unit) const;

  /// Can no function body in F hold one, of a malloc type either?
  bool isPlain(const FileIndex &F) const;

private:
  /// Parts of a name that come as arguments of macros, in order.
  using Parts = std::vector<std::string>;

  void declare(const FileIndex &F, const FileIndex::Candidate &C);
  void know(const std::string &Name, Parts Missing);
  void carry(const FileIndex &F, const FileText &Text, const std::string &Name,
             const std::string &Macro);
  void paste(const FileIndex &F, const FileIndex::Paste &P,
             llvm::StringRef Name);
  void look(const FileIndex &F, const std::set<std::string> &Names,
            TextOf TextOfFile);
  bool isWhole(const FileIndex &F, const FileText &Text,
               const std::string &Name) const;
  unsigned declarations(const FileIndex &F, const std::string &Name) const;

  /// Names, and what else a file has to say for a macro to be one: the parts
  /// that it pastes together, in each of the ways there are.
  std::map<std::string, std::set<Parts>> Known;
  std::set<std::string> Fresh;        ///< of Known, not yet looked for
  std::set<std::string> Linked;       ///< names that count in all units
  std::set<const FileIndex *> Unread; ///< name something, who knows where
  std::map<const FileIndex *, std::set<std::string>> Declares;
  /// Names in the bodies of macros, with the macro.
  std::map<const FileIndex *, std::set<std::pair<std::string, std::string>>>
      Carries;
  /// How often a file declares a name outside macros.
  std::map<std::pair<const FileIndex *, std::string>, unsigned> Declared;
  /// true: only in the bodies of macros.
  std::map<const FileIndex *, std::map<std::string, bool>> Says;
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_NAMETABLE_H
