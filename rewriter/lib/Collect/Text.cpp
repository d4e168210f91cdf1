/* SPDX-License-Identifier: BSD-3-Clause */
//===- Text.cpp - C source as tokens, without a preprocessor --------------===//

#include "Text.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include <algorithm>

using namespace kmobj;
using llvm::StringRef;

static bool startsIdentifier(unsigned char C) {
  return llvm::isAlpha(C) || C == '_' || C == '$' || C >= 0x80;
}

static bool continuesIdentifier(unsigned char C) {
  return startsIdentifier(C) || llvm::isDigit(C);
}

/// Bytes of a line splice at I: backslash, newline, with a '\r' between.
static size_t spliceAt(StringRef S, size_t I) {
  if (I >= S.size() || S[I] != '\\')
    return 0;
  if (S.substr(I + 1).starts_with("\n"))
    return 2;
  if (S.substr(I + 1).starts_with("\r\n"))
    return 3;
  return 0;
}

/// The offset after the literal that opens at I. An unterminated one ends with
/// its line.
static size_t literalEnd(StringRef S, size_t I) {
  char Quote = S[I++];
  while (I < S.size() && S[I] != Quote) {
    if (S[I] == '\n')
      return I;
    if (S[I] == '\\')
      I += std::max<size_t>(spliceAt(S, I), 2);
    else
      ++I;
  }
  return std::min(I + 1, S.size());
}

StringRef kmobj::withoutDigraph(StringRef Punctuator) {
  constexpr std::pair<StringRef, StringRef> Digraphs[] = {
      {"<%", "{"}, {"%>", "}"}, {"<:", "["}, {":>", "]"}, {"%:", "#"}};
  for (const auto &[Digraph, Meaning] : Digraphs)
    if (Punctuator == Digraph)
      return Meaning;
  return Punctuator;
}

void kmobj::scan(StringRef S,
                 llvm::function_ref<void(const TextToken &)> Each) {
  bool LineStart = true, Directive = false, Include = false;
  size_t I = 0;
  auto Add = [&](size_t End, TextToken::KindTy Kind) {
    if (LineStart && Kind == TextToken::Punct &&
        withoutDigraph(S.slice(I, End)) == "#")
      Directive = true;
    Each({static_cast<uint32_t>(I), static_cast<uint32_t>(End), Kind, Directive,
          LineStart});
    LineStart = false;
    I = End;
  };
  while (I < S.size()) {
    unsigned char C = S[I];
    if (C == '\n') {
      LineStart = true;
      Directive = Include = false;
      ++I;
    } else if (size_t N = spliceAt(S, I)) {
      I += N;
    } else if (llvm::isSpace(C)) {
      ++I;
    } else if (S.substr(I).starts_with("//")) {
      while (I < S.size() && S[I] != '\n')
        I += std::max<size_t>(spliceAt(S, I), 1);
    } else if (S.substr(I).starts_with("/*")) {
      size_t End = S.find("*/", I + 2);
      I = End == StringRef::npos ? S.size() : End + 2;
    } else if (Include && C == '<') {
      // A file's name, not words and operators.
      size_t End = std::min(S.find_first_of(">\n", I), S.size());
      if (End < S.size() && S[End] == '>')
        ++End;
      Add(End, TextToken::String);
    } else if (C == '"' || C == '\'') {
      Add(literalEnd(S, I), TextToken::String);
    } else if (startsIdentifier(C)) {
      size_t End = I + 1;
      while (End < S.size() && continuesIdentifier(S[End]))
        ++End;
      StringRef Word = S.slice(I, End);
      Include = Directive && (Word == "include" || Word == "include_next");
      Add(End, TextToken::Identifier);
    } else if (llvm::isDigit(C)) {
      size_t End = I + 1;
      while (End < S.size() && (continuesIdentifier(S[End]) || S[End] == '.'))
        ++End;
      Add(End, TextToken::Number);
    } else {
      bool Digraph = withoutDigraph(S.substr(I, 2)) != S.substr(I, 2);
      Add(I + (Digraph ? 2 : 1), TextToken::Punct);
    }
  }
}

FileText::FileText(std::string Path, std::unique_ptr<llvm::MemoryBuffer> B)
    : Path(std::move(Path)), Buffer(std::move(B)) {}

void FileText::read() const {
  Tokens.reserve(source().size() / 6);
  scan(source(), [&](const TextToken &T) { Tokens.push_back(T); });
  Lines.push_back(0);
  for (size_t I = 0; (I = source().find('\n', I)) != StringRef::npos;)
    Lines.push_back(++I);
}

Span FileText::span(uint32_t Begin, uint32_t End) const {
  tokens();
  auto Line = std::upper_bound(Lines.begin(), Lines.end(), Begin) - 1;
  return {Path, Begin, End, static_cast<uint32_t>(Line - Lines.begin()) + 1,
          Begin - *Line + 1};
}

size_t FileText::tokenAt(uint32_t Offset) const {
  const std::vector<TextToken> &Tokens = tokens();
  return std::lower_bound(
             Tokens.begin(), Tokens.end(), Offset,
             [](const TextToken &T, uint32_t O) { return T.Begin < O; }) -
         Tokens.begin();
}

size_t FileText::closing(size_t Open) const {
  const std::vector<TextToken> &Tokens = tokens();
  unsigned Depth = 0;
  for (size_t I = Open; I < Tokens.size(); ++I) {
    if (Tokens[I].Kind != TextToken::Punct)
      continue;
    StringRef T = withoutDigraph(text(Tokens[I]));
    if (T == "(" || T == "[" || T == "{")
      ++Depth;
    else if ((T == ")" || T == "]" || T == "}") && --Depth == 0)
      return I;
  }
  return Tokens.size();
}

size_t FileText::enclosing(size_t Index) const {
  const std::vector<TextToken> &Tokens = tokens();
  unsigned Depth = 0;
  for (size_t I = Index; I-- > 0;) {
    if (Tokens[I].Kind != TextToken::Punct ||
        Tokens[I].Directive != Tokens[Index].Directive)
      continue;
    StringRef T = withoutDigraph(text(Tokens[I]));
    if (T == ")" || T == "]" || T == "}")
      ++Depth;
    else if ((T == "(" || T == "[" || T == "{") && Depth-- == 0)
      return I;
  }
  return Tokens.size();
}

size_t FileText::directiveBegin(size_t Index) const {
  while (Index > 0 && !tokens()[Index].LineStart)
    --Index;
  return Index;
}

StringRef FileText::keyword(size_t Begin) const {
  bool Has = Begin + 1 < tokens().size() && !Tokens[Begin + 1].LineStart;
  return Has ? text(Tokens[Begin + 1]) : StringRef();
}

std::vector<Directive> FileText::directives() const {
  std::vector<Directive> Found;
  const std::vector<TextToken> &T = tokens();
  for (size_t I = 0; I < T.size(); ++I) {
    if (!T[I].Directive || !T[I].LineStart)
      continue;
    size_t Last = I;
    while (Last + 1 < T.size() && !T[Last + 1].LineStart)
      ++Last;
    Found.push_back({keyword(I).str(), span(T[I].Begin, T[Last].End)});
  }
  return Found;
}

bool FileText::hasDirective(const Span &S) const {
  const std::vector<TextToken> &T = tokens();
  for (size_t I = tokenAt(S.Begin); I < T.size() && T[I].End <= S.End; ++I)
    if (T[I].Directive && T[I].LineStart)
      return true;
  return false;
}

bool FileText::followsStatement(size_t Index) const {
  const std::vector<TextToken> &T = tokens();
  auto Ends = [&](size_t I) { return is(I, ";") || is(I, "{") || is(I, "}"); };
  if (Index < T.size() && T[Index].Directive)
    return Index > 0 && T[Index - 1].Directive && Ends(Index - 1);
  // What has to come behind a statement: the token, and where it is the first
  // after a directive, whatever comes before that.
  std::vector<size_t> Open{Index};
  std::vector<bool> Seen(Index + 1);
  while (!Open.empty()) {
    size_t At = Open.back();
    Open.pop_back();
    if (At == 0 || Seen[At])
      continue;
    Seen[At] = true;
    if (!T[At - 1].Directive) {
      if (!Ends(At - 1))
        return false;
      continue;
    }
    size_t D = directiveBegin(At - 1);
    StringRef Word = keyword(D);
    bool IsEnd = Word == "endif";
    if (!IsEnd && !Word.starts_with("el")) {
      Open.push_back(D); // #if and others: what is before them
      continue;
    }
    // Behind #endif: the end of each branch, and if there may be none what is
    // before the #if. At the head of a branch: that alone.
    bool Always = false;
    unsigned Depth = 0;
    for (size_t I = D;; I = directiveBegin(I - 1)) {
      while (I > 0 && !(T[I].Directive && T[I].LineStart))
        --I;
      StringRef Word = keyword(I);
      if (Word == "endif" && I != D) {
        ++Depth;
      } else if (Word.starts_with("if") && Depth-- == 0) {
        if (!Always || !IsEnd)
          Open.push_back(I);
        if (IsEnd)
          Open.push_back(D);
        break;
      } else if (IsEnd && Depth == 0 && Word.starts_with("el")) {
        Always |= Word == "else";
        Open.push_back(I);
      }
      if (I == 0)
        return false;
    }
  }
  return true;
}

bool FileText::hasElseBehindDirective(size_t Index) const {
  size_t Next = Index + 1;
  while (Next < tokens().size() && Tokens[Next].Directive)
    ++Next;
  return Next > Index + 1 && !Tokens[Index].Directive && is(Next, "else");
}

Statement FileText::statementAt(const Span &S) const {
  const std::vector<TextToken> &T = tokens();
  size_t First = tokenAt(S.Begin), Last = tokenAt(S.End) - 1;
  Statement Found;
  Found.Text = S;
  bool Before = First > 0 && T[First - 1].Directive == T[First].Directive;
  if (Before)
    Found.After = T[First - 1].End;
  // Where another configuration has other text before it, or a macro's body
  // begins with it, it may be the body of something there.
  if ((!Before || T[First].Directive) && !followsStatement(First))
    Found.Context = Statement::IsBody;
  // Elsewhere it may go on: with an else, or because its ';' comes later.
  bool Ended = is(Last, ";") || is(Last, "}") || T[Last].Directive ||
               Last + 1 == T.size() || !T[Last + 1].Directive;
  if (!Ended || hasElseBehindDirective(Last))
    Found.Context = Statement::Unknown;
  return Found;
}

std::optional<WrittenCall> FileText::callAt(uint32_t Offset) const {
  size_t Name = tokenAt(Offset);
  if (Name == Tokens.size() || Tokens[Name].Begin != Offset ||
      Tokens[Name].Kind != TextToken::Identifier || !is(Name + 1, "("))
    return std::nullopt;
  size_t Close = closing(Name + 1);
  if (Close == Tokens.size() ||
      Tokens[Close].Directive != Tokens[Name].Directive)
    return std::nullopt;
  WrittenCall Call;
  Call.Name = span(Offset, Tokens[Name].End);
  Call.Call = span(Offset, Tokens[Close].End);
  for (size_t I = Name + 2, First = I; I <= Close; ++I) {
    bool Ends = I == Close || is(I, ",");
    if (Ends && I > First)
      Call.Args.push_back(span(Tokens[First].Begin, Tokens[I - 1].End));
    if (Ends)
      First = I + 1;
    else if (is(I, "(") || is(I, "[") || is(I, "{"))
      I = std::min(closing(I), Close - 1);
  }
  return Call;
}

Span FileText::assertionAt(uint32_t Offset) const {
  size_t Name = tokenAt(Offset), After = Name + 1;
  bool Compares = is(After, "!") || is(After, "=");
  if (Compares && is(After + 1, "=") && is(After + 2, "NULL"))
    After += 3;
  if (Name < 3 || !is(Name - 1, "(") || (!is(After, ")") && !is(After, ",")) ||
      (!is(Name - 2, "KASSERT") && !is(Name - 2, "KKASSERT")))
    return {};
  size_t Before = Name - 3, End = closing(Name - 1) + 1;
  if (!followsStatement(Before + 1) || Tokens[Name].Directive || !is(End, ";"))
    return {};
  return span(Tokens[Name - 2].Begin, Tokens[End].End);
}

std::string FileText::spelling(const Span &S) const {
  std::string Out;
  uint32_t Last = S.Begin;
  for (size_t I = tokenAt(S.Begin); I < Tokens.size(); ++I) {
    const TextToken &T = Tokens[I];
    if (T.End > S.End)
      break;
    if (T.Begin > Last && !Out.empty())
      Out += ' ';
    Out += text(T);
    Last = T.End;
  }
  return Out;
}

TextStore::TextStore(std::string T,
                     llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS)
    : Tree(std::move(T)), FS(std::move(FS)) {}

std::string TextStore::name(StringRef File) {
  std::lock_guard<std::mutex> Guard(Lock);
  std::string &Name = Names[File];
  if (!Name.empty())
    return Name;
  llvm::SmallString<256> Real;
  if (FS->getRealPath(File, Real))
    Real = File;
  llvm::sys::path::remove_dots(Real, /*remove_dot_dot=*/true);
  StringRef Rest = Real;
  if (Rest.consume_front(Tree) && Rest.consume_front("/"))
    Name = Rest.str();
  else
    Name = Real.str().str();
  return Name;
}

std::string TextStore::absolute(StringRef Name) const {
  return llvm::sys::path::is_absolute(Name) ? Name.str()
                                            : Tree + "/" + Name.str();
}

const FileText *TextStore::get(StringRef Name) {
  std::lock_guard<std::mutex> Guard(Lock);
  auto [It, New] = Files.try_emplace(Name);
  if (New)
    if (auto Buffer = FS->getBufferForFile(absolute(Name)))
      It->second = std::make_unique<FileText>(Name.str(), std::move(*Buffer));
  return It->second.get();
}
