/* SPDX-License-Identifier: BSD-3-Clause */
//===- MakeExpand.cpp - Expansion and conditions of make ------------------===//

#include "Make.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include <fnmatch.h>

using namespace llvm;

namespace kmobj::compdb {

/// Index of the bracket that closes the one at Open, or npos.
static size_t closing(StringRef Text, size_t Open) {
  char O = Text[Open], C = O == '{' ? '}' : ')';
  unsigned Depth = 0;
  for (size_t I = Open; I < Text.size(); ++I) {
    if (Text[I] == O)
      ++Depth;
    else if (Text[I] == C && --Depth == 0)
      return I;
  }
  return StringRef::npos;
}

std::string MakeFile::expand(StringRef Text, unsigned Depth) const {
  // A variable defined by itself would expand without end.
  if (Depth > 40)
    return "";
  std::string Result;
  for (size_t I = 0; I < Text.size(); ++I) {
    if (Text[I] != '$' || I + 1 == Text.size()) {
      Result += Text[I];
      continue;
    }
    char Next = Text[++I];
    if (Next == '$') {
      Result += '$';
    } else if (Next == '{' || Next == '(') {
      size_t End = closing(Text, I);
      if (End == StringRef::npos)
        return Result;
      Result += expandVariable(Text.slice(I + 1, End), Depth + 1);
      I = End;
    } else {
      Result += expandVariable(Text.substr(I, 1), Depth + 1);
    }
  }
  return Result;
}

/// Inside: what stands between the braces, NAME:mod:mod.
std::string MakeFile::expandVariable(StringRef Inside, unsigned Depth) const {
  std::vector<std::string> Parts(1);
  for (size_t I = 0; I < Inside.size(); ++I) {
    char C = Inside[I];
    if (C == '$' && I + 1 < Inside.size() &&
        (Inside[I + 1] == '{' || Inside[I + 1] == '(')) {
      size_t End = closing(Inside, I + 1);
      if (End == StringRef::npos)
        End = Inside.size() - 1;
      Parts.back() += Inside.slice(I, End + 1);
      I = End;
    } else if (C == ':' && Parts.size() > 1 &&
               (Parts.back().starts_with("S") ||
                Parts.back().starts_with("C")) &&
               Parts.back().size() > 1 &&
               StringRef(Parts.back()).count(Parts.back()[1]) < 3) {
      Parts.back() += C;
    } else if (C == ':') {
      Parts.emplace_back();
    } else {
      Parts.back() += C;
    }
  }
  std::string Name = expand(Parts[0], Depth + 1);
  std::string Value;
  if (auto It = Presets.find(Name); It != Presets.end())
    Value = expand(It->second, Depth + 1);
  else if (auto It = Variables.find(Name); It != Variables.end())
    Value = expand(It->second, Depth + 1);
  bool Known = defined(Name);
  for (const std::string &Modifier : ArrayRef(Parts).drop_front())
    if (StringRef Default = Modifier;
        Default.consume_front("U") && (Name.empty() || !Default.empty()))
      Value = Known ? Value : expand(Default, Depth + 1);
    else
      Value = modify(std::move(Value), Modifier, Depth + 1);
  return Value;
}

/// Substitutes Old by New in Word, with make's anchors ^ and $.
static std::string substitute(StringRef Word, StringRef Old, StringRef New,
                              bool All) {
  bool Front = Old.consume_front("^"), Back = Old.consume_back("$");
  if (Front && Back)
    return Word == Old ? New.str() : Word.str();
  if (Front)
    return Word.starts_with(Old) ? (New + Word.drop_front(Old.size())).str()
                                 : Word.str();
  if (Back)
    return Word.ends_with(Old) ? (Word.drop_back(Old.size()) + New).str()
                               : Word.str();
  std::string Result;
  while (!Old.empty()) {
    size_t At = Word.find(Old);
    if (At == StringRef::npos)
      break;
    Result += (Word.take_front(At) + New).str();
    Word = Word.drop_front(At + Old.size());
    if (!All)
      break;
  }
  return Result + Word.str();
}

std::string MakeFile::modify(std::string Value, StringRef Modifier,
                             unsigned Depth) const {
  // In S/old$/new/ the dollar is an anchor, not a variable.
  std::string Raw = Modifier.str();
  if (Raw.size() > 1 && (Raw[0] == 'S' || Raw[0] == 'C'))
    for (size_t I = 2; I + 1 < Raw.size(); ++I)
      if (Raw[I] == '$' && Raw[I + 1] == Raw[1])
        Raw.insert(I++, "$");
  std::string Text = expand(Raw, Depth);
  StringRef M = Text;
  if (M == "tu" || M == "U")
    return StringRef(Value).upper();
  if (M == "tl" || M == "L")
    return StringRef(Value).lower();
  SmallVector<StringRef, 16> Words;
  SplitString(Value, Words);
  SmallVector<StringRef, 4> Fields;
  bool Substitutes = M.size() > 2 && (M[0] == 'S' || M[0] == 'C');
  if (Substitutes)
    M.drop_front(2).split(Fields, M[1]);
  auto [Old, New] = M.split('=');
  std::vector<std::string> Result;
  for (StringRef W : Words) {
    if (Substitutes) {
      if (Fields.size() < 2)
        Result.push_back(W.str());
      else if (M[0] == 'C')
        Result.push_back(Regex(Fields[0]).sub(Fields[1], W));
      else
        Result.push_back(
            substitute(W, Fields[0], Fields[1],
                       Fields.size() > 2 && Fields[2].contains('g')));
    } else if (M.starts_with("M") || M.starts_with("N")) {
      bool Matches =
          fnmatch(M.drop_front().str().c_str(), W.str().c_str(), 0) == 0;
      if (Matches == (M[0] == 'M'))
        Result.push_back(W.str());
    } else if (M == "T") {
      Result.push_back(sys::path::filename(W).str());
    } else if (M == "H") {
      StringRef Parent = sys::path::parent_path(W);
      Result.push_back(Parent.empty() ? "." : Parent.str());
    } else if (M == "R") {
      Result.push_back(W.drop_back(sys::path::extension(W).size()).str());
    } else if (M == "E") {
      Result.push_back(sys::path::extension(W).drop_front(1).str());
    } else if (M.contains('=') && W.ends_with(Old)) {
      Result.push_back((W.drop_back(Old.size()) + New).str());
    } else {
      Result.push_back(W.str());
    }
  }
  return join(Result, " ");
}

/// `!', `&&', `||', parentheses, functions and comparisons. What cannot be
/// known here, such as make(install), does not hold.
class ConditionParser {
public:
  ConditionParser(const MakeFile &Make, StringRef Text)
      : Make(Make), Rest(Text) {}

  bool either() {
    bool Holds = both();
    while (skip("||")) {
      bool Right = both();
      Holds |= Right;
    }
    return Holds;
  }

private:
  bool both() {
    bool Holds = one();
    while (skip("&&")) {
      bool Right = one();
      Holds &= Right;
    }
    return Holds;
  }

  bool one() {
    Rest = Rest.ltrim();
    if (!Rest.starts_with("!=") && skip("!"))
      return !one();
    if (skip("(")) {
      bool Holds = either();
      skip(")");
      return Holds;
    }
    StringRef Name = Rest.take_while([](char C) { return isAlpha(C); });
    StringRef After = Rest.drop_front(Name.size()).ltrim();
    if (!Name.empty() && After.starts_with("(")) {
      size_t End = closing(After, 0);
      if (End == StringRef::npos)
        End = After.size();
      StringRef Inside = After.slice(1, End).trim();
      Rest = After.drop_front(std::min(End + 1, After.size()));
      return function(Name, Inside);
    }
    return comparison();
  }

  bool function(StringRef Name, StringRef Inside) {
    if (Name == "defined")
      return Make.defined(Make.expand(Inside));
    if (Name == "empty")
      return StringRef(Make.expand(("${" + Inside + "}").str())).trim().empty();
    if (Name == "exists") {
      std::string Path = Make.real(Make.expand(Inside));
      return isFile(Path) || isDirectory(Path);
    }
    return false;
  }

  std::string operand() {
    Rest = Rest.ltrim();
    if (Rest.consume_front("\"")) {
      auto [Text, After] = Rest.split('"');
      Rest = After;
      return Make.expand(Text);
    }
    size_t I = 0;
    while (I < Rest.size()) {
      if (Rest[I] == '$' && I + 1 < Rest.size() &&
          (Rest[I + 1] == '{' || Rest[I + 1] == '(')) {
        size_t End = closing(Rest, I + 1);
        I = End == StringRef::npos ? Rest.size() : End + 1;
      } else if (isspace(static_cast<unsigned char>(Rest[I])) ||
                 StringRef("=!<>&|)").contains(Rest[I])) {
        break;
      } else {
        ++I;
      }
    }
    std::string Text = Make.expand(Rest.take_front(I));
    Rest = Rest.drop_front(I);
    return Text;
  }

  bool comparison() {
    StringRef Before = Rest.ltrim();
    std::string Left = operand();
    for (StringRef Operator : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!skip(Operator))
        continue;
      std::string Right = operand();
      double L, R;
      bool Numbers =
          !StringRef(Left).getAsDouble(L) && !StringRef(Right).getAsDouble(R);
      if (Operator == "==")
        return Numbers ? L == R : Left == Right;
      if (Operator == "!=")
        return Numbers ? L != R : Left != Right;
      if (!Numbers)
        return false;
      return Operator == "<"    ? L < R
             : Operator == ">"  ? L > R
             : Operator == "<=" ? L <= R
                                : L >= R;
    }
    if (Before.starts_with("$") || Before.starts_with("\"")) {
      double Number;
      if (!StringRef(Left).getAsDouble(Number))
        return Number != 0;
      return !Left.empty();
    }
    double Number;
    if (!StringRef(Left).getAsDouble(Number))
      return Number != 0;
    if (Left.empty() && !Rest.empty())
      Rest = Rest.drop_front();
    return Make.defined(Left);
  }

  bool skip(StringRef Token) {
    Rest = Rest.ltrim();
    return Rest.consume_front(Token);
  }

  const MakeFile &Make;
  StringRef Rest;
};

bool MakeFile::condition(StringRef Text) const {
  return ConditionParser(*this, Text).either();
}

} // namespace kmobj::compdb
