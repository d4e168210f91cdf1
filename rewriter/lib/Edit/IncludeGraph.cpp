/* SPDX-License-Identifier: BSD-3-Clause */
#include "IncludeGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"
#include <deque>

using namespace llvm;

namespace kmobj {

bool isKernels(StringRef Condition) {
  return Condition.contains("_KERNEL") && !Condition.contains('!') &&
         !Condition.contains("ifndef") && !Condition.contains('\n');
}

IncludeGraph::IncludeGraph(const Facts &F, const SourceTree &Tree)
    : Tree(Tree) {
  for (const SourceFile &File : F.Files)
    if (File.Parsed)
      for (const Include &I : File.Includes) {
        const std::string &To = I.Resolved.empty() ? I.Name : I.Resolved;
        Edges[File.Path].push_back(To);
        if (I.Angled) {
          Resolved[I.Name].insert(To);
          Spelled.try_emplace(To, I.Name);
        }
      }
  if (constexpr StringLiteral Shims = "sys/kmalloc_obj.h"; !Tree.exists(Shims))
    Edges[Shims.str()] = {"sys/param.h", "sys/malloc.h"};
}

void IncludeGraph::remove(StringRef File, StringRef Header) {
  llvm::erase_if(edges(File.str()), [&](const std::string &T) {
    return StringRef(T) == Header || StringRef(T).ends_with(Header);
  });
}

const std::string &IncludeGraph::text(const std::string &File) {
  const auto [Found, New] = Texts.try_emplace(File);
  if (New && Tree.exists(File)) {
    if (auto Content = Tree.read(File))
      Found->second = std::move(*Content);
    else
      consumeError(Content.takeError());
  }
  return Found->second;
}

const NamesOf &IncludeGraph::names(const std::string &File) {
  std::unique_ptr<NamesOf> &Of = Names[File];
  if (!Of)
    Of = std::make_unique<NamesOf>(text(File));
  return *Of;
}

/// The files that `#include Name' in File may find.
std::vector<std::string> IncludeGraph::found(StringRef File, StringRef Name) {
  SmallString<128> Beside = sys::path::parent_path(File);
  sys::path::append(Beside, Name);
  if (!Tree.exists(Name) && Tree.exists(Beside))
    return {Beside.str().str()};
  const auto Known = Resolved.find(Name.str());
  if (Known == Resolved.end())
    return {Name.str()};
  return {Known->second.begin(), Known->second.end()};
}

/// Of a file that no unit read so far, by its text.
std::vector<std::string> &IncludeGraph::edges(const std::string &File) {
  const auto [Found, New] = Edges.try_emplace(File);
  if (New && StringRef(text(File)).contains("include"))
    for (const IncludeLine &I : findIncludes(SourceText(text(File))))
      append_range(Found->second, found(File, I.Name));
  return Found->second;
}

/// "ifndef _SYS_FOO_H_", which is what keeps Header from being read twice.
bool IncludeGraph::isGuard(StringRef Condition, const std::string &Header) {
  if (!Condition.consume_front("ifndef ") || Condition.contains('\n'))
    return false;
  StringRef First = text(Header);
  First = First.substr(First.find("#ifndef")).drop_front(7).ltrim();
  return First.starts_with(Condition.trim());
}

const std::vector<std::string> &IncludeGraph::guarded(const std::string &File) {
  const auto [Into, New] = Guarded.try_emplace(File);
  if (!New || !StringRef(text(File)).contains("#ifndef"))
    return Into->second;
  for (const IncludeLine &I : findIncludes(SourceText(text(File)))) {
    if (!I.Conditions.empty() && all_of(drop_end(I.Conditions), isKernels))
      for (const std::string &Header : found(File, I.Name))
        if (isGuard(I.Conditions.back(), Header))
          Into->second.push_back(Header);
  }
  return Into->second;
}

std::set<std::string> IncludeGraph::reached(const std::string &From,
                                            StringRef Without) {
  std::set<std::string> Found;
  std::vector<std::string> Open(edges(From));
  while (!Open.empty()) {
    const std::string At = std::move(Open.back());
    Open.pop_back();
    if (At != Without && Found.insert(At).second)
      append_range(Open, edges(At));
  }
  return Found;
}

bool IncludeGraph::reachesWithout(const std::string &File, StringRef Header,
                                  StringRef Without) {
  return reached(File, Without).count(Header.str());
}

bool IncludeGraph::reaches(StringRef File, StringRef Header) {
  return File == Header || reached(File.str(), "").count(Header.str());
}

std::set<std::string> IncludeGraph::closure(ArrayRef<std::string> Roots) {
  std::set<std::string> All;
  std::vector<std::string> Open(Roots.begin(), Roots.end());
  while (!Open.empty()) {
    const std::string At = std::move(Open.back());
    Open.pop_back();
    if (All.insert(At).second)
      append_range(Open, edges(At));
  }
  return All;
}

std::vector<std::string> IncludeGraph::users(ArrayRef<std::string> Roots,
                                             const std::string &Header) {
  std::vector<std::string> Open(Roots.begin(), Roots.end());
  while (!Open.empty()) {
    const std::string At = std::move(Open.back());
    Open.pop_back();
    if (!Indexed.insert(At).second)
      continue;
    for (const std::string &To : edges(At)) {
      IncludedBy[To].push_back(At);
      Open.push_back(To);
    }
  }
  std::set<std::string> Found;
  Open = {Header};
  while (!Open.empty()) {
    const std::string At = std::move(Open.back());
    Open.pop_back();
    if (Found.insert(At).second)
      append_range(Open, IncludedBy[At]);
  }
  std::vector<std::string> Users;
  for (const std::string &Root : Roots)
    if (Root != Header && Found.count(Root))
      Users.push_back(Root);
  return Users;
}

/// Open, and all that these include.
std::set<std::string> IncludeGraph::given(std::vector<std::string> Open) {
  std::set<std::string> Found;
  while (!Open.empty()) {
    const std::string At = std::move(Open.back());
    Open.pop_back();
    if (!Found.insert(At).second)
      continue;
    append_range(Open, edges(At));
    append_range(Open, guarded(At));
  }
  return Found;
}

/// What the other #includes of File give wherever Line does.
std::set<std::string> IncludeGraph::hasWithout(const std::string &File,
                                               const IncludeLine &Line) {
  std::vector<std::string> Open;
  for (const IncludeLine &I : findIncludes(SourceText(text(File)))) {
    if (I.Range.Begin == Line.Range.Begin)
      continue;
    const std::vector<std::string> To = found(File, I.Name);
    const bool Guards = !I.Conditions.empty() && !To.empty() &&
                        isGuard(I.Conditions.back(), To.front());
    if (all_of(ArrayRef(I.Conditions).drop_back(Guards),
               [&](const std::string &C) {
                 return is_contained(Line.Conditions, C);
               }))
      append_range(Open, To);
  }
  return given(std::move(Open));
}

/// Does an #if in File ask for what Header defines, and no other file of Has
/// does? `#ifndef PAGE_SIZE, #define PAGE_SIZE' is no definition of it.
bool IncludeGraph::asks(const std::string &File, const std::string &Header,
                        const std::set<std::string> &Has) {
  auto Gives = [&](const std::string &Other, StringRef Name) {
    return Other != Header && names(Other).Declared.contains(Name) &&
           !names(Other).Asked.contains(Name);
  };
  return any_of(names(File).Asked.keys(), [&](StringRef Name) {
    return names(Header).Declared.contains(Name) &&
           none_of(Has, [&](auto &Other) { return Gives(Other, Name); });
  });
}

/// Which of Missing the texts Own take something of, or what they read does.
std::set<std::string>
IncludeGraph::needed(ArrayRef<std::string> Own,
                     const std::set<std::string> &Has,
                     const std::set<std::string> &Missing) {
  std::set<std::string> Found;
  auto Elsewhere = [&](StringRef Name, auto Set) {
    auto Have = [&](const std::string &File) {
      return (names(File).*Set).contains(Name);
    };
    return any_of(Has, Have) || any_of(Own, Have);
  };
  auto Takes = [&](const std::string &Of, const std::string &Header) {
    const NamesOf &Names = names(Header), &By = names(Of);
    const bool IsOwn = is_contained(Own, Of);
    if (asks(Of, Header, Has))
      return true;
    for (const StringRef Name : Names.Declared.keys())
      if (By.Used.contains(Name) && !Elsewhere(Name, &NamesOf::Declared))
        return true;
    if (!IsOwn)
      return false;
    for (const StringRef Name : Names.Tags.keys())
      if (By.Used.contains(Name) && !Elsewhere(Name, &NamesOf::Tags))
        return true;
    for (const StringRef Name : Names.Members.keys())
      if (By.Accessed.contains(Name) && !Elsewhere(Name, &NamesOf::Members))
        return true;
    return false;
  };
  for (const std::string &Header : Missing) {
    auto By = [&](const std::string &Of) { return Takes(Of, Header); };
    if (any_of(Own, By) || any_of(Has, By))
      Found.insert(Header);
  }
  return Found;
}

std::vector<std::string>
IncludeGraph::neededWithout(const std::string &File, const IncludeLine &Line,
                            const std::string &Header,
                            ArrayRef<std::string> Users) {
  std::set<std::string> Given = given(edges(Header));
  Given.erase(Header);
  auto Without = [&](const std::set<std::string> &Has) {
    std::set<std::string> Missing;
    for (const std::string &H : Given)
      if (!Has.count(H))
        Missing.insert(H);
    return Missing;
  };
  std::set<std::string> Needed;
  bool Asked = false; // for a name of Header itself
  auto Add = [&](ArrayRef<std::string> Own, const std::set<std::string> &Has) {
    const auto Of = needed(Own, Has, Without(Has));
    Needed.insert(Of.begin(), Of.end());
    auto Asks = [&](const std::string &By) { return asks(By, Header, Has); };
    Asked |= !Has.count(Header) && (any_of(Own, Asks) || any_of(Has, Asks));
  };
  if (Users.empty())
    Add(File, hasWithout(File, Line));
  // Who includes File may have all of it from elsewhere.
  const std::vector<std::string> Before = edges(File);
  remove(File, Header);
  for (const std::string &User : Users)
    Add({User, File}, given({User}));
  edges(File) = Before;
  if (Asked)
    return {Header};

  // From Header on, so that one which includes others comes before them.
  std::vector<std::string> Names;
  std::deque<std::string> Open(edges(Header).begin(), edges(Header).end());
  std::set<std::string> Seen;
  while (!Open.empty() && !Needed.empty()) {
    const std::string At = std::move(Open.front());
    Open.pop_front();
    if (!Seen.insert(At).second)
      continue;
    if (Needed.count(At)) {
      const auto Known = Spelled.find(At);
      Names.push_back(Known == Spelled.end() ? At : Known->second);
      for (const std::string &Gives : given({At}))
        Needed.erase(Gives);
    }
    append_range(Open, edges(At));
  }
  return Names;
}

} // namespace kmobj
