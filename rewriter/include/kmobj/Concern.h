/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom a changed header concerns.
 *
 * The question. A unit U is the same text before and after, by the same
 * command; so is what each of its #includes finds. One of the headers that it
 * reads, H, has other lines. Can the compiler say something about U that it did
 * not say before? To parse U twice is the answer that is always right, and for
 * a header of the whole kernel it is thousands of parses. What follows says
 * when the answer is no.
 *
 * The pieces. H is a sequence of directives and of declarations at file scope.
 * Pieces that both versions have, in the same order, are kept; the rest
 * changed. Comments and blanks are in no piece. A changed piece can act in two
 * ways:
 *
 *   by itself   The compiler has something to say about the piece. That may
 *               depend on all that stands before it in U, which differs from
 *               unit to unit.
 *   by a name   Text elsewhere means something else, as a name that it says was
 *               declared, defined, hidden, or is not any more. C has no other
 *               way from a complete declaration to later text but its names.
 *
 * Plain pieces do not act by themselves, or do it in each unit alike:
 *
 *   #define and #undef say nothing until the name is said. That they are well
 *       formed does not depend on the unit.
 *   struct T;   and   extern [const] struct T *x, *y[8];   and the same of
 *       arithmetic types. They need nothing that was declared before, and end
 *       what they begin; of course T and x are no macros where they stand, and
 *       no declaration is open: a file that is read between braces is not safe,
 *       nor is the first declaration of a file.
 *
 *   struct T { .. }; in which members that are declared alone have other names,
 *       and types which are as wide, a pointer for a size_t: it is as large as
 *       it was, with every other member where it was.
 *
 * A change of anything else, of #if and #include above all, makes H lean on
 * what surrounds it, and concerns every unit that reads H. Changes that kmobj
 * makes to headers which all read are plain as a rule.
 *
 * The names. From plain pieces come the names that macros and declarators have,
 * and those of such members, where they may be looked at: behind a dot or an
 * arrow, as an argument, or in an initialiser.
 * A tag is a case of its own: `struct T' in a declaration only refers to T,
 * and where T is declared in any case, earlier in H and under no further #if,
 * it does nothing. Where T is not, an added reference makes T known at file
 * scope from there on. Text that says `struct T' and no more, or defines it at
 * file scope, can mean two different types before, and means one after: no
 * diagnostic comes of that. Text which says T in another way (union T, a
 * block's own struct T, a macro T) is concerned. A reference that goes may
 * leave T unknown: text that says T is concerned, unless it declares T there
 * for what follows, as a declaration at file scope and a structure's member do,
 * or did so earlier in its file and in the same branch of each #if.
 *
 * Who says a name. Each file's text does, whatever #if it stands under, lexed
 * as for the filter of `scan' (NameTable.h): a macro that says a name in its
 * body is a name, and so is one that pastes it for those that say the rest, and
 * parts of a name side by side as arguments. U is concerned if one of the files
 * that it reads says a name, outside of macros' bodies. That is asked of
 * headers as of U itself, and of what is kept of H.
 *
 * What moves. A line that comes or goes gives those behind it another
 * __LINE__. Where a macro that says it makes declarations at file scope in H,
 * as an assertion with a name of its own does, H leans.
 *
 * Not known. A unit is concerned if its text does not say what it reads: a
 * computed #include, an option that is not familiar.
 *
 * Not seen is what NameTable.h says it does not see. So some units that are not
 * concerned are parsed all the same: one for each changed header, which sees
 * what a plain piece does by itself, and some drawn by lot. What they show is
 * believed rather than all of this.
 */
#ifndef KMOBJ_CONCERN_H
#define KMOBJ_CONCERN_H

#include "kmobj/TreeVersion.h"
#include <map>
#include <set>
#include <string>
#include <vector>

namespace kmobj {

class Concerns {
public:
  /// A unit by one command, in both versions.
  struct Pair {
    const UnitText *Before, *After;
  };
  enum Verdict {
    Same,    ///< nothing that it reads has changed
    Reached, ///< something has, but it is not concerned
    Concerned
  };

  /// All Units must have been read by the two versions.
  Concerns(TreeVersion &Before, TreeVersion &After, std::vector<Pair> Units);
  ~Concerns();

  Verdict of(size_t Unit) const;
  /// The files read by the unit that differ.
  std::vector<std::string> changedFiles(size_t Unit) const;
  bool reads(size_t Unit, llvm::StringRef File) const;
  /// From now on all units that read File are concerned.
  void distrust(llvm::StringRef File);

private:
  struct Parts;
  std::unique_ptr<Parts> P;
};

} // namespace kmobj

#endif
