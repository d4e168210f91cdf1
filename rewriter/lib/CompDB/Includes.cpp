/* SPDX-License-Identifier: BSD-3-Clause */
//===- Includes.cpp - Which headers a unit needs, from the text alone -----===//

#include "Includes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

namespace {

enum class Branch { Neutral, Conditional, Dead };

/// What is known of a macro: defined (1), not defined (-1), unknown (0).
int knownMacro(StringRef Name, StringRef System) {
  if (Name == "_KERNEL")
    return 1;
  if (Name == "__DragonFly__" || Name == "__FreeBSD__") {
    if (System.empty())
      return 0;
    return (Name == "__DragonFly__") == (System == "dragonfly") ? 1 : -1;
  }
  for (StringRef Other : {"__linux__", "__NetBSD__", "__OpenBSD__", "_WIN32",
                          "WIN32", "__APPLE__", "__sun", "__CYGWIN__",
                          "_STANDALONE", "LOCORE", "KERNEL_LINT"})
    if (Name == Other)
      return -1;
  return 0;
}

Branch branchOf(int Truth) {
  return Truth > 0   ? Branch::Neutral
         : Truth < 0 ? Branch::Dead
                     : Branch::Conditional;
}

/// Truth of the condition of an #if: `0', `1', `defined(X)', `!defined(X)', and
/// alternatives of which one is known to hold.
int truth(StringRef Condition, StringRef System) {
  Condition = Condition.trim();
  SmallVector<StringRef, 4> Parts;
  Condition.split(Parts, "||");
  if (Parts.size() > 1) {
    int Best = -1;
    for (StringRef P : Parts)
      Best = std::max(Best, P.contains('(') && P.count('(') != P.count(')')
                                ? 0
                                : truth(P, System));
    return Best;
  }
  Parts.clear();
  Condition.split(Parts, "&&");
  if (Parts.size() > 1) {
    int Worst = 1;
    for (StringRef P : Parts)
      Worst =
          std::min(Worst, P.count('(') != P.count(')') ? 0 : truth(P, System));
    return Worst;
  }
  if (Condition == "0")
    return -1;
  if (Condition == "1")
    return 1;
  int Sign = 1;
  if (Condition.consume_front("!"))
    Sign = -1;
  Condition = Condition.trim();
  if (!Condition.consume_front("defined"))
    return 0;
  StringRef Name = Condition.trim("() \t");
  return Sign * knownMacro(Name, System);
}

struct Level {
  Branch Now;
  bool Taken; ///< some branch surely counted
};

/// Removes comments from a directive's line.
StringRef withoutComments(StringRef Line) {
  Line = Line.take_front(std::min(Line.find("/*"), Line.find("//")));
  return Line.rtrim();
}

} // namespace

std::vector<IncludeDirective> scanIncludes(StringRef Text, StringRef System) {
  std::vector<IncludeDirective> Found;
  std::vector<Level> Stack;
  bool InComment = false, First = true;
  unsigned Number = 0;
  while (!Text.empty()) {
    auto [Line, Rest] = Text.split('\n');
    Text = Rest;
    ++Number;
    if (InComment) {
      size_t End = Line.find("*/");
      if (End == StringRef::npos)
        continue;
      InComment = false;
      Line = Line.drop_front(End + 2);
    }
    size_t Open = Line.rfind("/*");
    if (Open != StringRef::npos && Line.find("*/", Open + 2) == StringRef::npos)
      InComment = true;
    StringRef Body = Line.ltrim();
    if (!Body.consume_front("#"))
      continue;
    Body = Body.ltrim();
    StringRef Name = Body.take_while([](char C) { return isAlpha(C); });
    StringRef Argument = Body.drop_front(Name.size()).trim();
    if (Name != "include" && Name != "include_next")
      Argument = withoutComments(Argument);
    if (Name == "if" || Name == "ifdef" || Name == "ifndef") {
      int Truth = Name == "if"      ? truth(Argument, System)
                  : Name == "ifdef" ? knownMacro(Argument, System)
                                    : -knownMacro(Argument, System);
      // The first directive of a header is its guard.
      if (First && Truth == 0 &&
          (Name == "ifndef" || Argument.starts_with("!")))
        Truth = 1;
      Stack.push_back({branchOf(Truth), Truth > 0});
    } else if (Name == "elif" && !Stack.empty()) {
      Level &Top = Stack.back();
      int Truth = truth(Argument, System);
      bool WasDead = Top.Now == Branch::Dead && !Top.Taken;
      Top.Now = Top.Taken               ? Branch::Dead
                : Truth > 0 && !WasDead ? Branch::Conditional
                                        : branchOf(Truth);
      Top.Taken |= Truth > 0;
    } else if (Name == "else" && !Stack.empty()) {
      Level &Top = Stack.back();
      Top.Now = Top.Taken                 ? Branch::Dead
                : Top.Now == Branch::Dead ? Branch::Neutral
                                          : Branch::Conditional;
    } else if (Name == "endif" && !Stack.empty()) {
      Stack.pop_back();
    } else if (Name == "include" && Argument.size() > 2) {
      bool Angled = Argument[0] == '<';
      size_t End = Argument.find(Angled ? '>' : '"', 1);
      bool Dead =
          any_of(Stack, [](const Level &L) { return L.Now == Branch::Dead; });
      if (!Dead && (Angled || Argument[0] == '"') && End != StringRef::npos)
        Found.push_back({Argument.slice(1, End).str(), Number, Angled,
                         any_of(Stack, [](const Level &L) {
                           return L.Now == Branch::Conditional;
                         })});
    }
    First = false;
  }
  return Found;
}

const std::vector<IncludeDirective> &
IncludeFollower::directives(StringRef File) {
  auto [It, New] = Scanned.try_emplace(File);
  if (New) {
    std::string Path = File.str();
    if (StringRef Inside = File; Inside.consume_front(Context.Build + "/"))
      Path = Context.Staging + "/" + Inside.str();
    if (Expected<std::string> Text = readFile(Path))
      It->second = scanIncludes(*Text, Context.Tree.System);
    else
      consumeError(Text.takeError());
  }
  return It->second;
}

bool IncludeFollower::exists(const std::string &File) {
  auto [It, New] = Existing.try_emplace(File);
  if (New) {
    StringRef Inside = File;
    It->second = Inside.consume_front(Context.Build + "/")
                     ? isFile(Context.Staging + "/" + Inside.str())
                     : isFile(File);
  }
  return It->second;
}

IncludeFollower::Node *IncludeFollower::node(Graph &G, StringRef File) {
  auto It = G.try_emplace(File).first;
  It->second.File = It->first();
  return &It->second;
}

void IncludeFollower::resolve(Graph &G, Node &From,
                              ArrayRef<std::string> Path) {
  if (std::exchange(From.Resolved, true))
    return;
  for (const IncludeDirective &D : directives(From.File))
    From.Edges.push_back({&D, resolve(G, D, From.File, Path)});
}

IncludeFollower::Node *IncludeFollower::resolve(Graph &G,
                                                const IncludeDirective &Include,
                                                StringRef From,
                                                ArrayRef<std::string> Path) {
  if (sys::path::is_absolute(Include.Name))
    return exists(Include.Name) ? node(G, Include.Name) : nullptr;
  if (!Include.Angled)
    if (std::string File =
            (sys::path::parent_path(From) + "/" + Include.Name).str();
        exists(File))
      return node(G, File);
  for (const std::string &Directory : Path)
    if (std::string File = Directory + "/" + Include.Name; exists(File))
      return node(G, File);
  return nullptr;
}

std::vector<IncludeFollower::Missing>
IncludeFollower::follow(StringRef Unit, ArrayRef<std::string> Flags) {
  std::vector<std::string> Path = includePath(Flags);
  Graph &G = Graphs[join(Path, "\n")];
  std::vector<Missing> Result;
  struct Item {
    Node *File;
    bool Conditional;
  };
  std::vector<Item> Queue = {{node(G, Unit), false}};
  for (size_t I = 0; I + 1 < Flags.size(); ++I)
    if (Flags[I] == "-include")
      Queue.push_back({node(G, Flags[I + 1]), false});
  ++Visits;
  for (size_t I = 0; I < Queue.size(); ++I) {
    auto [At, Conditional] = Queue[I];
    const bool New = std::exchange(At->Visit, Visits) != Visits;
    if (!New && (!At->Conditional || Conditional))
      continue;
    At->Conditional = Conditional;
    resolve(G, *At, Path);
    for (const auto &[Directive, To] : At->Edges) {
      const bool Under = Conditional || Directive->Conditional;
      if (To)
        Queue.push_back({To, Under});
      else if (!Provide(Directive->Name))
        Result.push_back(
            {Directive->Name, At->File.str(), Directive->Line, Under});
    }
  }
  sort(Result, [](const Missing &A, const Missing &B) {
    return std::tie(A.From, A.Line, A.Name, A.Conditional) <
           std::tie(B.From, B.Line, B.Name, B.Conditional);
  });
  Result.erase(std::unique(Result.begin(), Result.end(),
                           [](const Missing &A, const Missing &B) {
                             return A.From == B.From && A.Line == B.Line;
                           }),
               Result.end());
  return Result;
}

} // namespace kmobj::compdb
