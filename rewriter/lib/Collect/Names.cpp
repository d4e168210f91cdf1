/* SPDX-License-Identifier: BSD-3-Clause */
//===- Names.cpp - What the names in a text are there for -----------------===//

#include "kmobj/Names.h"
#include "Text.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace kmobj;
using llvm::StringRef;

namespace {

class NameReader {
public:
  NameReader(StringRef Source, llvm::function_ref<void(const NameUse &)> Each)
      : Source(Source), Each(Each) {
    scan(Source, [&](const TextToken &T) {
      (T.Directive ? Directives : Code).push_back(T);
    });
  }

  void run();

private:
  StringRef Source;
  llvm::function_ref<void(const NameUse &)> Each;
  std::vector<TextToken> Code, Directives;
  /// What an open brace is of.
  enum BraceTy { File, Record, Enum, Body, Value };
  struct Level {
    BraceTy Kind;
    unsigned Parens = 0;
    bool InValue = false; ///< behind a '='
  };
  std::vector<Level> Levels{{File}};

  StringRef text(size_t I) const {
    return I < Code.size() ? Source.slice(Code[I].Begin, Code[I].End)
                           : StringRef();
  }
  bool isWord(size_t I) const {
    return I < Code.size() && Code[I].Kind == TextToken::Identifier;
  }
  StringRef before(size_t I, size_t Count = 1) const {
    return I >= Count ? text(I - Count) : StringRef();
  }
  static bool isTagKeyword(StringRef Word) {
    return Word == "struct" || Word == "union" || Word == "enum";
  }
  static bool isKeyword(StringRef Word) {
    return llvm::is_contained({"void", "char", "short", "int", "long", "float",
                               "double", "signed", "unsigned", "const",
                               "volatile", "static", "extern", "inline",
                               "typedef", "return", "sizeof", "register"},
                              Word);
  }
  /// SYSINIT, MALLOC_DECLARE: it declares what its arguments name.
  static bool isMacroName(StringRef Word) {
    return llvm::none_of(Word, [](char C) { return llvm::isLower(C); });
  }
  size_t closing(size_t Open) const;
  BraceTy braceAt(size_t I) const;
  NameUse word(size_t I) const;
  StringRef keyword(size_t First) const;
  bool isAsked(size_t First) const;
  void directives();
};

} // namespace

/// The parenthesis that closes the one at Open.
size_t NameReader::closing(size_t Open) const {
  unsigned Depth = 0;
  for (size_t I = Open; I < Code.size(); ++I) {
    Depth += text(I) == "(";
    if (text(I) == ")" && --Depth == 0)
      return I;
  }
  return Code.size();
}

NameReader::BraceTy NameReader::braceAt(size_t I) const {
  const StringRef Keyword = isTagKeyword(before(I)) ? before(I)
                            : I && isWord(I - 1)    ? before(I, 2)
                                                    : StringRef();
  if (Keyword == "enum")
    return Enum;
  if (isTagKeyword(Keyword))
    return Record;
  if (Levels.back().Kind == Body)
    return Body;
  if (before(I) == "=" || Levels.back().Kind == Value)
    return Value;
  if (I && Code[I - 1].Kind == TextToken::String)
    return File; // extern "C" {
  return Body;
}

NameUse NameReader::word(size_t I) const {
  const Level &In = Levels.back();
  NameUse Found{.Name = text(I), .Offset = Code[I].Begin};
  Found.InBody = In.Kind == Body;
  Found.InParens = In.Parens > 0;
  const StringRef Prev = before(I), Next = text(I + 1);
  if (isTagKeyword(Prev)) {
    if (Next == "{")
      Found.Role = NameUse::Tag;
    return Found;
  }
  if (Prev == "." || (Prev == ">" && before(I, 2) == "-")) {
    Found.Role = NameUse::Accessed;
    return Found;
  }
  const auto Declares = In.Kind == Record ? NameUse::Member : NameUse::Declared;
  if (In.Kind == Enum) {
    if (Prev == "{" || Prev == ",")
      Found.Role = Declares;
    return Found;
  }
  if ((In.Kind != File && In.Kind != Record) || In.InValue)
    return Found;
  if (In.Parens) { // `(*name)(', `(name)(', or MACRO(name
    const bool Pointer = In.Parens == 1 && Next == ")" &&
                         (Prev == "*" || Prev == "(") &&
                         (text(I + 2) == "(" || text(I + 2) == "[");
    const bool OfMacro = In.Kind == File && In.Parens == 1 && Prev == "(" &&
                         I >= 2 && isWord(I - 2) && isMacroName(before(I, 2));
    if (Pointer || OfMacro)
      Found.Role = Declares;
    return Found;
  }
  // `int x __read_mostly;', `} __packed;'
  auto IsAttribute = [&](size_t At) {
    return text(At).starts_with("__") && At >= 2 &&
           (llvm::is_contained({")", "}", "]"}, text(At - 1)) ||
            (isWord(At - 1) && !isKeyword(text(At - 1)) &&
             (isWord(At - 2) || text(At - 2) == "*")));
  };
  if (IsAttribute(I) || isKeyword(Found.Name))
    return Found;
  if (Next == "(") {
    if (In.Kind == Record || isMacroName(Found.Name))
      return Found;
    Found.Role = Declares;
    size_t Behind = closing(I + 1) + 1;
    while (isWord(Behind) && text(Behind).starts_with("__")) {
      ++Behind;
      if (text(Behind) == "(")
        Behind = closing(Behind) + 1;
    }
    Found.Defines = text(Behind) == "{";
  } else if (llvm::is_contained({";", ",", "[", "="}, Next) ||
             (In.Kind == Record && Next == ":") || IsAttribute(I + 1)) {
    Found.Role = Declares;
  }
  return Found;
}

/// Of the directive that begins at First.
StringRef NameReader::keyword(size_t First) const {
  return First + 1 < Directives.size()
             ? Source.slice(Directives[First + 1].Begin,
                            Directives[First + 1].End)
             : StringRef();
}

/// Does the directive at First ask what its names are? `#ifndef _SYS_FOO_H_'
/// around an #include does not, nor one with `#define _SYS_FOO_H_' at the
/// beginning of a file.
bool NameReader::isAsked(size_t First) const {
  const StringRef Keyword = keyword(First);
  if (Keyword != "ifndef")
    return Keyword.starts_with("if") || Keyword.starts_with("elif");
  auto Behind = [&](size_t I) {
    for (++I; I < Directives.size() && !Directives[I].LineStart;)
      ++I;
    return I;
  };
  const size_t Next = Behind(First);
  const bool IsGuard = First == 0 && keyword(Next) == "define" &&
                       Behind(Next) == Next + 3;
  return !IsGuard && keyword(Next) != "include";
}

void NameReader::directives() {
  size_t First = 0; // of the directive at hand
  for (size_t I = 0; I < Directives.size(); ++I) {
    const TextToken &T = Directives[I];
    if (T.LineStart)
      First = I;
    if (T.Kind != TextToken::Identifier || I <= First + 1)
      continue;
    const StringRef Keyword = keyword(First);
    const StringRef Name = Source.slice(T.Begin, T.End);
    if (Name == "defined" || Keyword == "include")
      continue;
    NameUse Found{.Name = Name, .Offset = T.Begin};
    auto Is = [&](size_t Back, StringRef Text) {
      const TextToken &Other = Directives[I - Back];
      return Source.slice(Other.Begin, Other.End) == Text;
    };
    if (Is(1, ".") || (Is(1, ">") && Is(2, "-")))
      Found.Role = NameUse::Accessed;
    if (Keyword == "define" && I == First + 2)
      Found.Role = NameUse::Macro;
    if (isAsked(First))
      Found.Role = NameUse::Asked;
    Found.InDirective = true;
    Each(Found);
  }
}

void NameReader::run() {
  directives();
  for (size_t I = 0; I < Code.size(); ++I) {
    const TextToken &T = Code[I];
    if (T.Kind == TextToken::Identifier) {
      Each(word(I));
      continue;
    }
    const StringRef Text = text(I);
    if (Text == "(") {
      ++Levels.back().Parens;
    } else if (Text == ")") {
      Levels.back().Parens -= Levels.back().Parens > 0;
    } else if (Text == "{") {
      Levels.push_back({braceAt(I)});
    } else if (Text == "}") {
      // One in the first column ends all, however the branches of #if add up.
      if (T.Begin == 0 || Source[T.Begin - 1] == '\n')
        Levels.resize(1, {File});
      else if (Levels.size() > 1)
        Levels.pop_back();
    }
    Level &In = Levels.back();
    if (Levels.size() == 1 && (Text == ";" || Text == "}"))
      In = {File};
    else if (In.Parens == 0 && (Text == "=" || Text == ","))
      In.InValue = Text == "=";
  }
}

void kmobj::forEachName(StringRef Source,
                        llvm::function_ref<void(const NameUse &)> Each) {
  NameReader(Source, Each).run();
}

FlagTests::FlagTests(StringRef Source)
    : Text(std::make_unique<FileText>(
          "", llvm::MemoryBuffer::getMemBuffer(
                  Source, "", /*RequiresNullTerminator=*/false))) {}

FlagTests::~FlagTests() = default;

bool FlagTests::guard(uint32_t Offset,
                      llvm::function_ref<bool(StringRef)> Is) const {
  const FileText &Text = *this->Text;
  const std::vector<TextToken> &T = Text.tokens();
  // if ( .. & FLAG .. ), whose parenthesis closes at Close.
  auto Tests = [&](size_t Close) {
    const size_t Open = Text.enclosing(Close);
    if (Open == T.size() || Open == 0 || Text.text(T[Open - 1]) != "if")
      return false;
    bool Found = false;
    for (size_t I = Open + 2; I < Close; ++I) {
      if (Text.is(I, "!") || Text.is(I, "=") || Text.is(I, "|"))
        return false; // it may mean something else
      Found |=
          Text.is(I - 1, "&") && !Text.is(I - 2, "&") && Is(Text.text(T[I]));
    }
    return Found && !Text.is(Open + 1, "!");
  };
  size_t At = Text.tokenAt(Offset);
  while (At < T.size()) {
    // Back to where its statement, or the block around it, begins.
    size_t I = At;
    while (I > 0 && !Text.is(I - 1, ";") && !Text.is(I - 1, "{") &&
           !Text.is(I - 1, "}")) {
      --I;
      if (Text.is(I, ")") && Tests(I))
        return true;
    }
    At = Text.enclosing(At);
    while (At < T.size() && !Text.is(At, "{"))
      At = Text.enclosing(At);
    if (At < T.size() && At > 0 && Text.is(At - 1, ")") && Tests(At - 1))
      return true;
  }
  return false;
}

NamesOf::NamesOf(StringRef Source) {
  forEachName(Source, [&](const NameUse &N) {
    switch (N.Role) {
    case NameUse::Asked:
      Asked.insert(N.Name);
      [[fallthrough]];
    case NameUse::Use:
      Used.insert(N.Name);
      break;
    case NameUse::Macro:
    case NameUse::Declared:
      Declared.insert(N.Name);
      break;
    case NameUse::Tag:
      Tags.insert(N.Name);
      break;
    case NameUse::Member:
      Members.insert(N.Name);
      break;
    case NameUse::Accessed:
      Accessed.insert(N.Name);
      break;
    }
  });
}
