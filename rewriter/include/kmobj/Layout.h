/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where text goes in a file: lines, indentation, columns, style(9).
 *
 * A SourceText answers questions about the lines of one file and turns "remove
 * this statement", "put this line before that one" into byte ranges which
 * leave the surrounding layout alone.  It never changes the text itself.
 */
#ifndef KMOBJ_LAYOUT_H
#define KMOBJ_LAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmobj {

struct ByteRange {
  uint64_t Begin = 0;
  uint64_t End = 0;
};

/// Width of Text when it starts at display column Column; tabs are 8 wide.
unsigned columnAfter(llvm::StringRef Text, unsigned Column = 0);

/// Whitespace that reaches display column Column, in tabs and spaces as
/// style(9) has it.
std::string indentTo(unsigned Column);

/// Where the lines of a macro's definition have their backslash.
constexpr unsigned BackslashColumn = 72;

/// Tabs from display column At to column To; one space if At is there already.
std::string padTo(unsigned To, unsigned At);

/// Head, the arguments joined by commas, and Tail, laid out from display
/// column Column of a line indented by Indent, so that no line passes column
/// LineWidth if that can be helped: continuation lines are indented four
/// columns deeper than Indent. TailWidth columns follow Tail on its line.
std::string layoutCall(llvm::StringRef Head,
                       llvm::ArrayRef<std::string> Arguments,
                       llvm::StringRef Tail, llvm::StringRef Indent,
                       unsigned Column, unsigned TailWidth = 0,
                       unsigned LineWidth = 80);

class SourceText {
public:
  explicit SourceText(llvm::StringRef Text) : Text(Text) {}

  llvm::StringRef text() const { return Text; }
  llvm::StringRef slice(uint64_t Begin, uint64_t End) const {
    return Text.slice(Begin, End);
  }
  uint64_t lineBegin(uint64_t Offset) const;
  /// Offset of the line's terminator (of its '\r' in a CRLF file).
  uint64_t lineEnd(uint64_t Offset) const;
  /// Offset of the first byte of the next line.
  uint64_t nextLine(uint64_t Offset) const;
  unsigned lineNumber(uint64_t Offset) const;
  llvm::StringRef line(uint64_t Offset) const {
    return Text.slice(lineBegin(Offset), lineEnd(Offset));
  }
  /// The whitespace a line starts with.
  llvm::StringRef indent(uint64_t Offset) const;
  unsigned column(uint64_t Offset) const;
  /// Nothing but white space before Offset on its line.
  bool startsLine(uint64_t Offset) const;
  /// Nothing but white space from Offset to the end of its line.
  bool endsLine(uint64_t Offset) const;

  /// What to delete so that [Begin, End), a statement or declaration with its
  /// semicolon, is gone: its lines when nothing else stands on them (with a
  /// comment that trails it), else the text and the blanks that set it apart.
  /// Of two blank lines that would meet, one goes; otherwise blank lines stay.
  ByteRange removal(uint64_t Begin, uint64_t End) const;

  /// End of the white space and of the comments (on the same line) after
  /// Offset; Offset itself when something else follows.
  uint64_t skipTrailingComment(uint64_t Offset) const;

  /// Begin of the first line after Offset that no comment of the line reaches
  /// into and no backslash joins to it; nothing if code follows on the line.
  std::optional<uint64_t> lineBehind(uint64_t Offset) const;

  /// Where the comment begins that stands right above Offset's line; else that
  /// line.
  uint64_t withComment(uint64_t Offset) const;

  /// First byte at or after Offset which is neither white space nor comment.
  uint64_t skipSpaceAndComments(uint64_t Offset) const;

private:
  bool blankLine(uint64_t Offset) const;
  /// The line goes on in the next, as the compiler sees it.
  bool continues(uint64_t Offset) const;

  llvm::StringRef Text;
};

/// One #include directive.
struct IncludeLine {
  /// As written between the brackets or quotes.
  std::string Name;
  /// The directive, from its '#' line's begin to the begin of the next line.
  ByteRange Range;
  /// Not inside any #if but an include guard around the whole file.
  bool Unconditional = true;
  /// "ifdef _KERNEL": the #ifs that it is in, from the outside in, with the
  /// #else and its like that come before it.
  std::vector<std::string> Conditions;
};

/// Calls Each with the words of a text, code or prose, and where they begin.
void forEachWord(llvm::StringRef Text,
                 llvm::function_ref<void(llvm::StringRef, uint64_t)> Each);

/// All #include directives of a file, in order; comments are seen through.
std::vector<IncludeLine> findIncludes(const SourceText &Source);

} // namespace kmobj

#endif
