/* SPDX-License-Identifier: BSD-3-Clause */
//===- Text.h - C source as tokens, without a preprocessor ----------------===//
//
// What a file says where the compiler does not look: inactive code, macro
// bodies, files that no unit reads. Also how a call or a declaration that the
// compiler did see is laid out in the file, whatever macros stand in between.
//
// The scanner knows comments, literals, line splices and directives, and no
// keywords. It never fails: what it cannot read is a punctuator of one byte.
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
  bool is(size_t Index, llvm::StringRef Text) const {
    return Index < tokens().size() && text(Tokens[Index]) == Text;
  }
  /// Index of the bracket that closes the one at Open, or tokens().size().
  size_t closing(size_t Open) const;
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
