/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words that the shims keep in the allocator's structures.
 *
 * Each structure has spare words, and the shims want a pointer in some of them.
 * Such a word gets the name and the type of what it holds; the structures stay
 * as large as they were, with every member where it was.
 *
 * They are found in the text of the tree's own headers: a compile database may
 * be of another tree, as where a revision is taken out of its repository.
 */
#include "SpareWords.h"
#include "kmobj/Layout.h"
#include "clang/Basic/LangOptions.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include <optional>

using namespace llvm;

namespace kmobj {

namespace {

struct SpareWord {
  StringRef Record, Spare;
  StringRef Type, Name; ///< what it becomes: `Type *Name'
  StringRef Comment;
};

/// Where the structures may be.
constexpr StringLiteral Headers[] = {"sys/_malloc.h", "sys/malloc.h"};

/// What is as wide as a pointer.
constexpr StringLiteral Wide[] = {
    "size_t",   "__size_t", "uint64_t",  "__uint64_t",
    "u_long",   "long",     "uintptr_t", "__uintptr_t",
    "u_int64_t"};

constexpr SpareWord SpareWords[] = {
    {"kmalloc_slab", "unused01", "void", "origin", "where it came from"},
    {"kmalloc_mgt", "unused01", "struct kmalloc_magcpu", "mags",
     "pcpu, of kmalloc_obj()"},
    {"kmalloc_mgt", "unused02", "struct kmalloc_magcpu", "cmags",
     "pcpu, of kmalloc_cobj()"},
    {"malloc_type", "ks_unused0", "struct kmalloc_ext", "ks_ext",
     "control block, or NULL"},
};

struct Token {
  StringRef Text;
  uint64_t Begin;
  uint64_t end() const { return Begin + Text.size(); }
};

/// Text without its comments. A buffer of it ends in a null byte.
std::vector<Token> tokensOf(const std::string &Text) {
  clang::LangOptions Options;
  Options.C99 = Options.LineComment = true;
  clang::Lexer Lex(clang::SourceLocation(), Options, Text.c_str(),
                   Text.c_str(), Text.c_str() + Text.size());
  std::vector<Token> Tokens;
  for (clang::Token T;;) {
    Lex.LexFromRawLexer(T);
    if (T.is(clang::tok::eof))
      return Tokens;
    const uint64_t End = Lex.getBufferLocation() - Text.c_str();
    const uint64_t Begin = End - T.getLength();
    Tokens.push_back({StringRef(Text).slice(Begin, End), Begin});
  }
}

/// The tokens between the braces of struct Name; nothing: it is not defined.
std::optional<ArrayRef<Token>> bodyOf(ArrayRef<Token> Tokens, StringRef Name) {
  for (size_t I = 0; I + 2 < Tokens.size(); ++I) {
    if (Tokens[I].Text != "struct" || Tokens[I + 1].Text != Name ||
        Tokens[I + 2].Text != "{")
      continue;
    const size_t First = I + 3;
    int Depth = 1;
    for (size_t J = First; J < Tokens.size(); ++J) {
      Depth += (Tokens[J].Text == "{") - (Tokens[J].Text == "}");
      if (Depth == 0)
        return Tokens.slice(First, J - First);
    }
  }
  return std::nullopt;
}

/// The column of the comment that trails the last declaration before Offset
/// that has one, at or after Begin; 0 if none has.
unsigned commentColumn(const SourceText &Text, uint64_t Begin,
                       uint64_t Offset) {
  for (uint64_t At = Text.lineBegin(Offset); At > Begin;) {
    At = Text.lineBegin(At - 1);
    const size_t Comment = Text.line(At).find("/*");
    const size_t End = Text.line(At).find(';');
    if (Comment != StringRef::npos && End < Comment)
      return Text.column(At + Comment);
  }
  return 0;
}

/// The declaration of Field, which is all of [Begin, Semicolon) in Text, as
/// Word has it, with a comment if its line has room for one.
Change renamed(const std::string &File, const SourceText &Text,
               const SpareWord &Word, ByteRange Range, uint64_t Name,
               uint64_t RecordBegin) {
  std::string New = Word.Type.str();
  const unsigned Column = columnAfter(New, Text.column(Range.Begin));
  // The star of what was a pointer stood in the column of the others' names.
  const uint64_t Old = Text.slice(Name - 1, Name) == "*" ? Name - 1 : Name;
  New += padTo(Text.column(Old), Column) + "*" + Word.Name.str() + ";";
  if (Text.endsLine(Range.End)) {
    const unsigned At = columnAfter(New, Text.column(Range.Begin));
    New += padTo(std::max(commentColumn(Text, RecordBegin, Range.Begin),
                          At / 8 * 8 + 8),
                 At) +
           "/* " + Word.Comment.str() + " */";
  }
  return {File, Range.Begin, Range.End - Range.Begin, New};
}

/// What gives Word its name in File, whose text is Content; Body is what its
/// structure declares. No change: it has it.
Expected<std::optional<Change>> nameWord(const std::string &File,
                                         const std::string &Content,
                                         ArrayRef<Token> Body,
                                         const SpareWord &Word) {
  const SourceText Text(Content);
  const auto Named = [&](StringRef Name) {
    return find_if(Body, [&](const Token &T) { return T.Text == Name; });
  };
  if (Named(Word.Name) != Body.end())
    return std::nullopt;
  const auto Fail = [&](uint64_t At, const Twine &What) {
    return createStringError((File + ":" + Twine(Text.lineNumber(At)) +
                              ": struct " + Word.Record + What +
                              "; the shims cannot be hooked in, nothing was "
                              "installed")
                                 .str());
  };
  const Token *Name = Named(Word.Spare);
  if (Name == Body.end())
    return Fail(Body.empty() ? 0 : Body.front().Begin,
                " has no spare word " + Word.Spare + " for the shims");
  const Token *First = Name;
  while (First != Body.begin() && First[-1].Text != ";")
    --First;
  const ArrayRef<Token> Type(First, Name);
  const auto Is = [&](StringRef What) {
    return any_of(Type, [&](const Token &T) { return T.Text == What; });
  };
  if (Is(",") || Name + 1 == Body.end() || Name[1].Text != ";")
    return Fail(Name->Begin,
                ": " + Word.Spare + " is not a declaration of its own");
  if (!Is("*") && none_of(Wide, Is))
    return Fail(Name->Begin, ": " + Word.Spare +
                                 " is not known to be as wide as a pointer");
  return renamed(File, Text, Word, {First->Begin, Name[1].end()}, Name->Begin,
                 Body.front().Begin);
}

} // namespace

Expected<std::vector<Change>> nameSpareWords(const SourceTree &Tree) {
  std::vector<Change> Changes;
  for (const SpareWord &Word : SpareWords) {
    bool Found = false;
    for (StringRef File : Headers) {
      if (Found || !Tree.exists(File))
        continue;
      auto Content = Tree.read(File);
      if (!Content)
        return Content.takeError();
      const std::vector<Token> Tokens = tokensOf(*Content);
      const auto Body = bodyOf(Tokens, Word.Record);
      if (!Body)
        continue;
      Found = true;
      auto C = nameWord(File.str(), *Content, *Body, Word);
      if (!C)
        return C.takeError();
      if (*C)
        Changes.push_back(std::move(**C));
    }
    if (!Found)
      return createStringError(
          (Tree.path(Headers[0]) + ": struct " + Word.Record +
           " was not found; the shims cannot be hooked in, nothing was "
           "installed")
              .str());
  }
  return Changes;
}

} // namespace kmobj
