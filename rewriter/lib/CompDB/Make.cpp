/* SPDX-License-Identifier: BSD-3-Clause */
//===- Make.cpp - Reading a BSD Makefile ----------------------------------===//

#include "Make.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

std::string MakeFile::real(StringRef Path) const {
  if (Path.consume_front(RootAlias))
    return Root + Path.str();
  if (Path.consume_front(BuildAlias))
    return Build + Path.str();
  return Path.str();
}

void MakeFile::preset(StringRef Name, StringRef Value) {
  Presets[Name.str()] = Value.str();
}

void MakeFile::define(StringRef Name, StringRef Value) {
  Variables[Name.str()] = Value.str();
}

bool MakeFile::defined(StringRef Name) const {
  return Presets.count(Name.str()) || Variables.count(Name.str());
}

std::string MakeFile::value(StringRef Name) const {
  return expand(("${" + Name + "}").str());
}

std::vector<std::string> MakeFile::words(StringRef Name) const {
  SmallVector<StringRef, 16> Parts;
  std::string Value = value(Name);
  SplitString(Value, Parts);
  return {Parts.begin(), Parts.end()};
}

bool MakeFile::read(StringRef Path) {
  if (Including > 16)
    return false;
  Expected<std::string> Text = readFile(real(Path));
  if (!Text) {
    consumeError(Text.takeError());
    return false;
  }
  Files.insert(Path.str());
  ++Including;
  readLines(logicalLines(*Text), Path);
  --Including;
  return true;
}

/// A line without its comment; `\#' is a plain character.
static std::string withoutComment(StringRef Line) {
  std::string Result;
  for (size_t I = 0; I < Line.size(); ++I) {
    if (Line[I] == '\\' && I + 1 < Line.size() && Line[I + 1] == '#')
      Result += Line[++I];
    else if (Line[I] == '#')
      break;
    else
      Result += Line[I];
  }
  return Result;
}

/// `.  if x' -> ("if", "x").
static std::pair<StringRef, StringRef> splitDirective(StringRef Line) {
  Line = Line.drop_front().ltrim();
  StringRef Name = Line.take_while([](char C) { return isAlnum(C); });
  return {Name, Line.drop_front(Name.size()).trim()};
}

/// The body of a loop sees the loop's variable as text: ${v:M*} becomes
/// ${:Uvalue:M*}, as in make.
static std::string withLoopVariable(StringRef Line, StringRef Name,
                                    StringRef Value) {
  std::string Result;
  for (size_t I = 0; I < Line.size(); ++I) {
    StringRef Rest = Line.drop_front(I);
    if (Rest.consume_front("${") || Rest.consume_front("$(")) {
      if (Rest.starts_with(Name) && Rest.size() > Name.size() &&
          StringRef(":})").contains(Rest[Name.size()])) {
        Result += (Line.substr(I, 2) + ":U" + Value).str();
        I += 1 + Name.size();
        continue;
      }
    } else if (Name.size() == 1 && Rest.starts_with(("$" + Name).str())) {
      Result += Value;
      ++I;
      continue;
    }
    Result += Line[I];
  }
  return Result;
}

void MakeFile::readLines(ArrayRef<LogicalLine> Lines, StringRef Path) {
  std::vector<Conditional> Stack;
  std::string Target; ///< of the rule whose commands follow
  for (size_t I = 0; I < Lines.size(); ++I) {
    StringRef Raw = Lines[I].Text;
    if (!Raw.empty() && Raw[0] == '\t' && !Target.empty()) {
      if (Stack.empty() || Stack.back().Active)
        Commands[Target] += (Raw.trim() + "\n").str();
      continue;
    }
    std::string Text = withoutComment(Lines[I].Text);
    StringRef Line = Text;
    bool Active = Stack.empty() || Stack.back().Active;
    if (Line.trim().empty() || Line[0] == '%')
      continue;
    if (Line[0] == '.') {
      auto [Name, Rest] = splitDirective(Line);
      if (Name == "for") {
        size_t End = I + 1;
        for (unsigned Nested = 1; End < Lines.size(); ++End) {
          StringRef L = Lines[End].Text;
          if (L.empty() || L[0] != '.')
            continue;
          StringRef Word = splitDirective(L).first;
          if (Word == "for")
            ++Nested;
          else if (Word == "endfor" && --Nested == 0)
            break;
        }
        auto [Names, Items] = Rest.split(" in ");
        if (Active && !Names.trim().contains(' ')) {
          std::string Expanded = expand(Items);
          SmallVector<StringRef, 16> Values;
          SplitString(Expanded, Values);
          for (StringRef V : Values) {
            std::vector<LogicalLine> Body;
            for (size_t L = I + 1; L < std::min(End, Lines.size()); ++L)
              Body.push_back(
                  {Lines[L].Number,
                   withLoopVariable(Lines[L].Text, Names.trim(), V)});
            readLines(Body, Path);
          }
        }
        I = End;
        continue;
      }
      if (StringRef(Line).starts_with(".PATH")) {
        if (Active) {
          std::string Dirs = expand(Line.split(':').second);
          SmallVector<StringRef, 4> Parts;
          SplitString(Dirs, Parts);
          for (StringRef P : Parts)
            SearchPath.push_back(P.str());
        }
        continue;
      }
      directive(Name, Rest, Path, Stack);
      continue;
    }
    if (!Active)
      continue;
    Target.clear();
    if (!assignment(Line.trim()))
      Target = StringRef(expand(Line.split(':').first)).trim().str();
  }
}

void MakeFile::directive(StringRef Name, StringRef Rest, StringRef Path,
                         std::vector<Conditional> &Stack) {
  bool Active = Stack.empty() || Stack.back().Active;
  auto test = [&](StringRef Kind) {
    if (Kind == "def")
      return defined(expand(Rest));
    if (Kind == "ndef")
      return !defined(expand(Rest));
    return Kind.empty() && condition(Rest);
  };
  StringRef Kind = Name;
  if (Kind.consume_front("if")) {
    bool Holds = Active && test(Kind);
    Stack.push_back({Holds, Holds, Active});
  } else if (Kind.consume_front("elif") && !Stack.empty()) {
    Conditional &Top = Stack.back();
    Top.Active = Top.Outer && !Top.Taken && test(Kind);
    Top.Taken |= Top.Active;
  } else if (Name == "else" && !Stack.empty()) {
    Conditional &Top = Stack.back();
    Top.Active = Top.Outer && !Top.Taken;
    Top.Taken = true;
  } else if (Name == "endif" && !Stack.empty()) {
    Stack.pop_back();
  } else if (!Active) {
    return;
  } else if (Name == "include" || Name == "sinclude") {
    include(Rest, Path);
  } else if (Name == "undef") {
    Variables.erase(expand(Rest));
  }
}

void MakeFile::include(StringRef Argument, StringRef From) {
  std::string Name = expand(Argument);
  StringRef Bare = Name;
  if (!Bare.consume_front("\"") || !Bare.consume_back("\""))
    return;
  if (sys::path::is_absolute(Bare)) {
    read(Bare);
    return;
  }
  SmallString<256> Path(sys::path::parent_path(From));
  sys::path::append(Path, Bare);
  sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
  read(Path);
}

/// `A= x', `A+= x', `A?= x', `A:= x', `A!= x'. False if it is none of them.
bool MakeFile::assignment(StringRef Line) {
  size_t Depth = 0, Equal = StringRef::npos;
  for (size_t I = 0; I < Line.size(); ++I) {
    char C = Line[I];
    if (C == '{' || C == '(')
      ++Depth;
    else if ((C == '}' || C == ')') && Depth)
      --Depth;
    else if (C == '=' && Depth == 0) {
      Equal = I;
      break;
    }
  }
  if (Equal == StringRef::npos)
    return false;
  StringRef Left = Line.take_front(Equal);
  StringRef Right = Line.drop_front(Equal + 1).trim();
  char Operator = 0;
  if (!Left.empty() && StringRef("+?:!").contains(Left.back())) {
    Operator = Left.back();
    Left = Left.drop_back();
    Left.consume_back(":");
  }
  Left = Left.trim();
  if (Left.empty() || Left.contains(' ') || Left.contains('\t'))
    return false;
  std::string Name = expand(Left);
  if (Presets.count(Name))
    return true;
  switch (Operator) {
  case '+': {
    std::string &Value = Variables[Name];
    Value += (Value.empty() ? "" : " ") + Right.str();
    break;
  }
  case '?':
    Variables.try_emplace(Name, Right.str());
    break;
  case ':':
    Variables[Name] = expand(Right);
    break;
  case '!':
    Variables[Name] = "";
    break;
  default:
    Variables[Name] = Right.str();
  }
  return true;
}

} // namespace kmobj::compdb
