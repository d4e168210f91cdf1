/* SPDX-License-Identifier: BSD-3-Clause */
//===- Pieces.h - A file as directives and declarations -------------------===//
//
// The pieces of a file's text at file scope, and which of them another version
// of the file has, too. Concern.h says what for.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_PIECES_H
#define KMOBJ_COLLECT_PIECES_H

#include "Text.h"

namespace kmobj {

/// A directive, or a declaration up to its `;' or the body's `}'.
struct Piece {
  std::vector<size_t> Tokens;
  std::string Text; ///< as written, comments dropped, blanks made one
  bool Directive = false;
  bool Broken = false;         ///< a directive is in it, or it does not end
  bool Kept = false;           ///< the other version has it, too
  std::vector<unsigned> Under; ///< the branches of #if that it is in
};

struct FilePieces {
  explicit FilePieces(const FileText &Text);

  const FileText &Text;
  std::vector<Piece> Pieces;

  std::vector<llvm::StringRef> words(const Piece &P) const;
};

/// Says which pieces are in both, in the same order.
void keepCommon(FilePieces &A, FilePieces &B);

} // namespace kmobj

#endif // KMOBJ_COLLECT_PIECES_H
