/* SPDX-License-Identifier: BSD-3-Clause */
//===- Spelling.h - From clang's locations to text in files ---------------===//

#ifndef KMOBJ_COLLECT_SPELLING_H
#define KMOBJ_COLLECT_SPELLING_H

#include "Text.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Stmt.h"
#include "clang/Basic/SourceManager.h"

namespace kmobj {

/// Where a token of the AST is written.
struct Spelled {
  const FileText *Text = nullptr; ///< null: nowhere (pasted, built in)
  uint32_t Offset = 0;
  Provenance From;
  explicit operator bool() const { return Text; }
};

/// Maps locations of one unit to text. Everything it returns points at what is
/// spelled; see Provenance for what stands between.
class Speller {
public:
  Speller(const clang::SourceManager &SM, TextStore &Store)
      : SM(SM), Store(Store) {}

  Spelled spell(clang::SourceLocation Loc);
  /// The identifier at Loc.
  Span name(clang::SourceLocation Loc);
  /// Where the outermost macro expansion, or the code itself, stands.
  Spelled expansion(clang::SourceLocation Loc);
  /// Text of a whole statement or expression, seen from a site with provenance
  /// From: inside the macro's body for one that is written there, else in the
  /// function. A following ';' belongs to a statement.
  Span range(clang::SourceRange Range, const Provenance &From, bool Semicolon);
  /// The same without regard to where a site is: what the tokens from the
  /// first to the last spell; not valid when they are not in one piece.
  Span spelledRange(clang::SourceRange Range);
  const FileText *file(clang::FileID ID);

  const clang::SourceManager &SM;

private:
  TextStore &Store;
  llvm::DenseMap<clang::FileID, const FileText *> Files;
};

/// Macro definition around the directive token at Index: name to end.
Span definitionAround(const FileText &Text, size_t Index, std::string &Name);

} // namespace kmobj

#endif // KMOBJ_COLLECT_SPELLING_H
