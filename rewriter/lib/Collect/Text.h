/* SPDX-License-Identifier: BSD-3-Clause */
//===- Text.h - C source as tokens, without a preprocessor ----------------===//
//
// What a file says where the compiler does not look: inactive code, macro
// bodies, files that no unit reads. Also how a call or a declaration that the
// compiler did see is laid out in the file, whatever macros stand in between.
//
// The scanner knows comments, literals, line splices, digraphs and directives,
// and no keywords. It never fails: what it cannot read is a punctuator.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_TEXT_H
#define KMOBJ_COLLECT_TEXT_H

#include "kmobj/Facts.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/VirtualFileSystem.h"
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace kmobj {

struct TextToken {
  enum KindTy : uint8_t { Identifier, Number, String, Punct };
  uint32_t Begin, End;
  KindTy Kind;
  bool Directive; ///< on the (logical) line of a '#' directive
  bool LineStart; ///< first on its logical line
};

/// Calls Each with every token of Source in order.
void scan(llvm::StringRef Source,
          llvm::function_ref<void(const TextToken &)> Each);

/// `{' for `<%', and its like.
llvm::StringRef withoutDigraph(llvm::StringRef Punctuator);

/// A call as written: `name(a, b)`.
struct WrittenCall {
  Span Name, Call;
  std::vector<Span> Args;
};

/// One file, read once. Its tokens and lines are found when first asked for, by
/// whatever thread.
class FileText {
public:
  FileText(std::string Path, std::unique_ptr<llvm::MemoryBuffer> Buffer);

  const std::string &path() const { return Path; }
  llvm::StringRef source() const { return Buffer->getBuffer(); }
  const std::vector<TextToken> &tokens() const {
    std::call_once(Scanned, [this] { read(); });
    return Tokens;
  }
  llvm::StringRef text(const TextToken &T) const {
    return source().slice(T.Begin, T.End);
  }
  llvm::StringRef text(const Span &S) const {
    return source().slice(S.Begin, S.End);
  }
  Span span(uint32_t Begin, uint32_t End) const;
  /// Index of the token at or after Offset; tokens().size() past the last.
  size_t tokenAt(uint32_t Offset) const;
  /// Is it that token, in whatever spelling?
  bool is(size_t Index, llvm::StringRef Text) const {
    return Index < tokens().size() &&
           withoutDigraph(text(Tokens[Index])) == Text;
  }
  /// Index of the bracket that closes the one at Open, or tokens().size().
  size_t closing(size_t Open) const;
  /// Index of the bracket that Index is in, or tokens().size().
  size_t enclosing(size_t Index) const;
  /// First token of the directive that the one at Index is in.
  size_t directiveBegin(size_t Index) const;
  /// The word after a directive's '#'.
  llvm::StringRef keyword(size_t Begin) const;
  std::vector<Directive> directives() const;
  /// Does one begin in S?
  bool hasDirective(const Span &S) const;
  /// Does a statement or a block end before the token at Index, whatever
  /// branch of an #if comes before it?
  bool followsStatement(size_t Index) const;
  /// Does an else come behind the token at Index, with a directive between?
  bool hasElseBehindDirective(size_t Index) const;
  /// How a statement at S stands in a block, as far as the text can tell.
  Statement statementAt(const Span &S) const;
  /// The call whose name is at Offset; nothing when no '(' follows it.
  std::optional<WrittenCall> callAt(uint32_t Offset) const;
  /// The statement KASSERT(z != NULL, ..); or its like, where z is at Offset
  /// and all that is asserted is whether it is NULL.
  Span assertionAt(uint32_t Offset) const;
  /// Text with comments dropped and runs of blanks made one.
  std::string spelling(const Span &S) const;

private:
  std::string Path;
  std::unique_ptr<llvm::MemoryBuffer> Buffer;
  mutable std::once_flag Scanned;
  mutable std::vector<TextToken> Tokens;
  mutable std::vector<uint32_t> Lines;

  void read() const;
};

/// Names files by their real path, relative to the tree, and reads each once.
/// Safe to use from several threads.
class TextStore {
public:
  TextStore(std::string Tree,
            llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

  const std::string &tree() const { return Tree; }
  /// File is absolute. Links resolved; relative to the tree where below it.
  std::string name(llvm::StringRef File);
  /// By its name(); null when it cannot be read.
  const FileText *get(llvm::StringRef Name);
  std::string absolute(llvm::StringRef Name) const;

private:
  std::string Tree;
  llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS;
  std::mutex Lock;
  llvm::StringMap<std::string> Names;
  llvm::StringMap<std::unique_ptr<FileText>> Files;
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TEXT_H
