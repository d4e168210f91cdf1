/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Layout.h"
#include "clang/Basic/CharInfo.h"
#include "llvm/ADT/SmallVector.h"
#include <algorithm>

using namespace llvm;

namespace kmobj {

static constexpr unsigned ContinuationIndent = 4;

unsigned columnAfter(StringRef Text, unsigned Column) {
  for (const char C : Text) {
    if (C == '\t')
      Column = (Column / 8 + 1) * 8;
    else if (C == '\n')
      Column = 0;
    else
      ++Column;
  }
  return Column;
}

std::string indentTo(unsigned Column) {
  return std::string(Column / 8, '\t') + std::string(Column % 8, ' ');
}

std::string padTo(unsigned To, unsigned At) {
  if (At >= To)
    return " ";
  return std::string((To + 7) / 8 - At / 8, '\t');
}

/// Where an argument that is too long may be broken: behind the last binary
/// operator, outside parentheses, that keeps its first line within Width.
static size_t breakPoint(StringRef Text, size_t Width) {
  size_t Best = StringRef::npos;
  int Depth = 0;
  for (size_t I = 0; I + 2 < Text.size() && I + 2 <= Width; ++I) {
    Depth += (Text[I] == '(') - (Text[I] == ')');
    if (Depth == 0 && Text[I] == ' ' && Text[I + 2] == ' ' &&
        StringRef("*+-/|&").contains(Text[I + 1]))
      Best = I + 2;
  }
  return Best;
}

std::string layoutCall(StringRef Head, ArrayRef<std::string> Arguments,
                       StringRef Tail, StringRef Indent, unsigned Column,
                       unsigned TailWidth, unsigned LineWidth) {
  const unsigned DeepColumn = columnAfter(Indent) + ContinuationIndent;
  std::string Out = Head.str();
  unsigned At = columnAfter(Head, Column);
  for (size_t I = 0; I < Arguments.size(); ++I) {
    const bool Last = I + 1 == Arguments.size();
    std::string Piece = Arguments[I] + (Last ? Tail.str() : ",");
    const unsigned Extra = Last ? TailWidth : 0;
    const unsigned Lead = I == 0 ? 0 : 1;
    const StringRef FirstLine =
        StringRef(Piece).take_until([](char C) { return C == '\n'; });
    if (At + Lead + FirstLine.size() + Extra > LineWidth &&
        At + Lead > DeepColumn) {
      Out += "\n" + indentTo(DeepColumn);
      At = DeepColumn;
    } else if (Lead) {
      Out += ' ';
      ++At;
    }
    if (At == DeepColumn && At + FirstLine.size() + Extra > LineWidth) {
      const size_t Break = breakPoint(FirstLine, LineWidth - At);
      if (Break != StringRef::npos)
        Piece.replace(Break, 1, "\n" + indentTo(DeepColumn));
    }
    Out += Piece;
    At = columnAfter(Piece, At);
  }
  if (Arguments.empty())
    Out += Tail;
  return Out;
}

uint64_t SourceText::lineBegin(uint64_t Offset) const {
  const size_t Break = Text.take_front(Offset).rfind('\n');
  return Break == StringRef::npos ? 0 : Break + 1;
}

uint64_t SourceText::lineEnd(uint64_t Offset) const {
  size_t End = Text.find('\n', Offset);
  if (End == StringRef::npos)
    return Text.size();
  if (End > Offset && Text[End - 1] == '\r')
    --End;
  return End;
}

uint64_t SourceText::nextLine(uint64_t Offset) const {
  const size_t End = Text.find('\n', Offset);
  return End == StringRef::npos ? Text.size() : End + 1;
}

unsigned SourceText::lineNumber(uint64_t Offset) const {
  return Text.take_front(Offset).count('\n') + 1;
}

StringRef SourceText::indent(uint64_t Offset) const {
  return line(Offset).take_while([](char C) { return C == ' ' || C == '\t'; });
}

unsigned SourceText::column(uint64_t Offset) const {
  return columnAfter(Text.slice(lineBegin(Offset), Offset));
}

bool SourceText::startsLine(uint64_t Offset) const {
  return Text.slice(lineBegin(Offset), Offset).trim().empty();
}

bool SourceText::endsLine(uint64_t Offset) const {
  return Text.slice(Offset, lineEnd(Offset)).trim().empty();
}

bool SourceText::blankLine(uint64_t Offset) const {
  return line(Offset).trim().empty();
}

bool SourceText::continues(uint64_t Offset) const {
  return line(Offset).ends_with("\\");
}

std::optional<uint64_t> SourceText::lineBehind(uint64_t Offset) const {
  for (uint64_t At = Offset; At < Text.size();) {
    const StringRef Rest = Text.drop_front(At);
    if (Rest.front() == '\n')
      return At + 1;
    if (Rest.starts_with("/*")) {
      At += std::min(Rest.find("*/", 2), Rest.size() - 2) + 2;
    } else if (Rest.starts_with("//") || Rest.front() == '\\') {
      while (continues(At) && nextLine(At) < Text.size())
        At = nextLine(At);
      At = lineEnd(At);
    } else if (isspace(static_cast<unsigned char>(Rest.front()))) {
      ++At;
    } else {
      return std::nullopt;
    }
  }
  return Text.size();
}

uint64_t SourceText::skipTrailingComment(uint64_t Offset) const {
  uint64_t At = Offset;
  for (;;) {
    while (At < Text.size() && (Text[At] == ' ' || Text[At] == '\t'))
      ++At;
    const StringRef Rest = Text.drop_front(At);
    if (Rest.starts_with("//"))
      return continues(At) ? Offset : lineEnd(At);
    if (!Rest.starts_with("/*"))
      break;
    const size_t Close = Rest.find("*/", 2);
    if (Close == StringRef::npos || Rest.take_front(Close).contains('\n'))
      break;
    At += Close + 2;
  }
  return At == Text.size() || endsLine(At) ? At : Offset;
}

uint64_t SourceText::withComment(uint64_t Offset) const {
  const uint64_t Line = lineBegin(Offset);
  const StringRef Above = Text.take_front(Line);
  if (!Above.ends_with("*/\n"))
    return Line;
  const size_t Open = Above.rfind("/*");
  if (Open == StringRef::npos || !startsLine(Open) ||
      skipSpaceAndComments(Open) < Line)
    return Line;
  return lineBegin(Open);
}

uint64_t SourceText::skipSpaceAndComments(uint64_t Offset) const {
  uint64_t At = Offset;
  while (At < Text.size()) {
    const StringRef Rest = Text.drop_front(At);
    if (isspace(static_cast<unsigned char>(Rest.front())))
      ++At;
    else if (Rest.starts_with("//"))
      At = nextLine(At);
    else if (Rest.starts_with("/*"))
      At += std::min(Rest.find("*/", 2), Rest.size() - 2) + 2;
    else
      break;
  }
  return At;
}

ByteRange SourceText::removal(uint64_t Begin, uint64_t End) const {
  const uint64_t Trailing = skipTrailingComment(End);
  const bool Joined = lineBegin(Begin) > 0 && continues(lineBegin(Begin) - 1);
  if (startsLine(Begin) && endsLine(Trailing) && !Joined) {
    ByteRange Range{lineBegin(Begin), nextLine(Trailing)};
    const bool BlankBefore = Range.Begin > 0 && blankLine(Range.Begin - 1);
    if (BlankBefore && Range.End < Text.size() && blankLine(Range.End))
      Range.End = nextLine(Range.End);
    return Range;
  }
  ByteRange Range{Begin, End};
  if (endsLine(End)) {
    while (Range.Begin > 0 &&
           (Text[Range.Begin - 1] == ' ' || Text[Range.Begin - 1] == '\t'))
      --Range.Begin;
  } else {
    while (Range.End < Text.size() &&
           (Text[Range.End] == ' ' || Text[Range.End] == '\t'))
      ++Range.End;
  }
  return Range;
}

namespace {

/// A directive's line with backslash continuations, and what it says.
struct Directive {
  StringRef Keyword;
  StringRef Rest;
  ByteRange Range;
};

std::optional<Directive> directiveAt(const SourceText &Source, uint64_t Begin) {
  const StringRef Line = Source.line(Begin);
  StringRef Body = Line.ltrim();
  if (!Body.consume_front("#"))
    return std::nullopt;
  Body = Body.ltrim();
  Directive D;
  D.Keyword = Body.take_while([](char C) { return C >= 'a' && C <= 'z'; });
  D.Rest = Body.drop_front(D.Keyword.size()).trim();
  uint64_t End = Source.nextLine(Begin);
  while (Source.line(End - 1).rtrim().ends_with("\\") &&
         End < Source.text().size())
    End = Source.nextLine(End);
  D.Range = {Begin, End};
  return D;
}

/// Begin of every line that starts outside comments and string literals.
std::vector<uint64_t> codeLines(StringRef Text) {
  std::vector<uint64_t> Begins{0};
  for (size_t At = 0; At < Text.size();) {
    const StringRef Rest = Text.drop_front(At);
    if (Rest.starts_with("/*")) {
      At += std::min(Rest.find("*/", 2), Rest.size() - 2) + 2;
    } else if (Rest.starts_with("//")) {
      At += std::min(Rest.find('\n'), Rest.size());
    } else if (Rest.front() == '"' || Rest.front() == '\'') {
      size_t I = 1;
      while (I < Rest.size() && Rest[I] != Rest.front() && Rest[I] != '\n')
        I += Rest[I] == '\\' ? 2 : 1;
      At += std::min(I + (I < Rest.size() && Rest[I] != '\n'), Rest.size());
    } else {
      if (Rest.front() == '\n')
        Begins.push_back(At + 1);
      ++At;
    }
  }
  return Begins;
}

} // namespace

void forEachWord(StringRef Text, function_ref<void(StringRef, uint64_t)> Each) {
  for (uint64_t At = 0; At < Text.size();) {
    const StringRef Word = Text.drop_front(At).take_while(
        [](char C) { return clang::isAsciiIdentifierContinue(C); });
    if (!Word.empty())
      Each(Word, At);
    At += std::max<uint64_t>(Word.size(), 1);
  }
}

std::vector<IncludeLine> findIncludes(const SourceText &Source) {
  std::vector<IncludeLine> Includes;
  std::vector<std::string> Open;
  bool SeenCode = false;
  StringRef Guard;
  uint64_t Next = 0;
  for (const uint64_t Begin : codeLines(Source.text())) {
    if (Begin < Next || Begin >= Source.text().size())
      continue;
    const auto D = directiveAt(Source, Begin);
    if (!D) {
      SeenCode |= Source.skipSpaceAndComments(Begin) < Source.lineEnd(Begin);
      continue;
    }
    Next = D->Range.End;
    if (!Guard.empty() &&
        !(D->Keyword == "define" && D->Rest.starts_with(Guard)))
      Open.push_back("ifndef " + Guard.str());
    Guard = StringRef();
    const std::string Condition = D->Keyword.str() + " " + D->Rest.str();
    if (D->Keyword == "ifndef" && !SeenCode && Open.empty()) {
      Guard = D->Rest;
    } else if (D->Keyword == "if" || D->Keyword == "ifdef" ||
               D->Keyword == "ifndef") {
      Open.push_back(Condition);
    } else if (D->Keyword.starts_with("el")) {
      if (!Open.empty())
        Open.back() += "\n" + Condition;
    } else if (D->Keyword == "endif") {
      if (!Open.empty())
        Open.pop_back();
    } else if (D->Keyword == "include" && D->Rest.size() > 2) {
      const char Close = D->Rest.front() == '<' ? '>' : '"';
      const size_t End = D->Rest.find(Close, 1);
      if (End != StringRef::npos)
        Includes.push_back(
            {D->Rest.slice(1, End).str(), D->Range, Open.empty(), Open});
    }
    SeenCode = true;
  }
  return Includes;
}

} // namespace kmobj
