/* SPDX-License-Identifier: BSD-3-Clause */
#include "Remains.h"
#include "kmobj/Edit.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include <array>

using namespace llvm;

namespace kmobj {

/// What more files mention is used.
static constexpr unsigned ManyFiles = 8;

bool isSource(StringRef Path) {
  return is_contained({".c", ".h", ".S", ".s", ".y", ".l", ".m"},
                      sys::path::extension(Path));
}

Error forEachRemaining(const SourceTree &Tree, const Series &S,
                       function_ref<void(const RemainingFile &)> Do) {
  const FileSet After = S.after();
  const std::vector<std::string> Gone = S.gone();
  auto Files = Tree.files();
  if (!Files)
    return Files.takeError();
  for (const std::string &File : *Files) {
    if (After.count(File) || is_contained(Gone, File))
      continue;
    auto Text = Tree.read(File);
    if (!Text)
      return Text.takeError();
    Do({File, *Text, false});
  }
  for (const auto &[File, Text] : After)
    Do({File, Text, !Tree.exists(File)});
  return Error::success();
}

static unsigned lineOf(StringRef Text, size_t Offset) {
  return Text.take_front(Offset).count('\n') + 1;
}

Expected<std::string> Remains::text(const std::string &File) const {
  const auto Changed = After.find(File);
  return Changed == After.end() ? Tree.read(File) : Changed->second;
}

/// The files that say each of Names, if they are few; and each of Functions.
Expected<Remains::FilesOf>
Remains::filesWith(const std::set<std::string> &Names,
                   const std::set<std::string> &Functions) {
  FilesOf Files;
  std::array<bool, 256> Begins{}; // most words are none of these
  for (const auto *List : {&Names, &Functions})
    for (const std::string &Name : *List) {
      Files[Name];
      Begins[static_cast<unsigned char>(Name.front())] = true;
    }
  if (Error E = forEachRemaining(Tree, S, [&](const RemainingFile &F) {
        if (F.Path == Source || !isSource(F.Path))
          return;
        forEachWord(F.Text, [&](StringRef Word, uint64_t) {
          if (!Begins[static_cast<unsigned char>(Word.front())])
            return;
          const auto Known = Files.find(Word);
          if (Known == Files.end() ||
              (!Known->second.empty() && Known->second.back() == F.Path))
            return;
          if (Known->second.size() == ManyFiles && !Functions.count(Word.str()))
            Files.erase(Known);
          else
            Known->second.push_back(F.Path.str());
        });
      }))
    return std::move(E);
  return Files;
}

/// Every place in the files that say them. Flags: see UnderFlag.
Expected<MentionMap> Remains::mentions(const FilesOf &Of,
                                       const std::set<std::string> &Flags) {
  std::set<std::string> Matter;
  MentionMap Found;
  for (const auto &Entry : Of) {
    Found[Entry.first().str()];
    Matter.insert(Entry.second.begin(), Entry.second.end());
  }
  for (const std::string &File : Matter) {
    auto Content = text(File);
    if (!Content)
      return Content.takeError();
    const StringRef Text = *Content;
    const FlagTests Tests(Text);
    forEachName(Text, [&](const NameUse &N) {
      const auto Known = Found.find(N.Name.str());
      if (Known == Found.end() || N.Role == NameUse::Member ||
          N.Role == NameUse::Accessed)
        return;
      Mentioned M{File, lineOf(Text, N.Offset), N};
      const StringRef Before = Text.take_front(N.Offset).rtrim();
      M.Tested = Before.ends_with("&") && !Before.ends_with("&&");
      M.UnderFlag = !Flags.empty() && N.InBody &&
                    Tests.guard(N.Offset, [&](StringRef Name) {
                      return Flags.count(Name.str());
                    });
      M.Use.Name = "";
      Known->second.push_back(std::move(M));
    });
  }
  return Found;
}

/// "vm/vm_kern.h:92, vm/vm_kern.c:221,245": where it is declared comes first.
static std::string placesText(ArrayRef<Mentioned> Where) {
  std::vector<std::pair<std::string, std::string>> Places;
  for (const bool Declared : {true, false})
    for (const Mentioned &M : Where) {
      if (M.declares() != Declared)
        continue;
      const std::string Line = std::to_string(M.Line);
      auto In = find_if(Places, [&](auto &P) { return P.first == M.File; });
      if (In == Places.end())
        Places.push_back({M.File, Line});
      else
        In->second += "," + Line;
    }
  std::string Text;
  for (const auto &[File, Lines] : Places)
    Text += (Text.empty() ? "" : ", ") + File + ":" + Lines;
  return Text;
}

Error Remains::comments(const std::set<std::string> &Functions,
                        const std::set<std::string> &Files) {
  for (const std::string &File : Files) {
    if (File == Header || !Tree.exists(File)) // ours
      continue;
    auto Content = text(File);
    if (!Content)
      return Content.takeError();
    const StringRef Text = *Content;
    // Where it is a name of the file's own it means that.
    const NamesOf Code(Text);
    auto IsOwn = [&](StringRef Word) {
      return Code.Declared.contains(Word) || Code.Members.contains(Word) ||
             Code.Used.contains(Word) || Code.Accessed.contains(Word);
    };
    std::map<std::string, std::vector<unsigned>> Lines;
    for (const ByteRange &C : commentsOf(Text))
      forEachWord(Text.slice(C.Begin, C.End), [&](StringRef Word, uint64_t At) {
        if (Functions.count(Word.str()) && !IsOwn(Word))
          Lines[Word.str()].push_back(lineOf(Text, C.Begin + At));
      });
    for (auto &[Word, At] : Lines) {
      At.erase(std::unique(At.begin(), At.end()), At.end());
      constexpr size_t Shown = 4;
      std::string Place = File + ":";
      for (size_t I = 0; I < std::min(At.size(), Shown); ++I)
        Place += (I ? "," : "") + std::to_string(At[I]);
      if (At.size() > Shown)
        Place += " and " + std::to_string(At.size() - Shown) + " more";
      Comments.push_back(Place + ": the comment" + (At.size() > 1 ? "s" : "") +
                         " here say" + (At.size() > 1 ? " " : "s ") + Word);
    }
  }
  return Error::success();
}

Error Remains::look() {
  auto Text = Tree.read(Source);
  if (!Text)
    return Text.takeError();
  const NamesOf Had(*Text);
  std::set<std::string> Names, Own, Functions;
  forEachName(*Text, [&](const NameUse &N) {
    if (N.Role == NameUse::Declared && N.Defines)
      Functions.insert(N.Name.str());
  });
  std::set<std::string> Declared;
  if (Tree.exists(Header)) {
    auto Of = Tree.read(Header);
    if (!Of)
      return Of.takeError();
    forEachName(*Of, [&](const NameUse &N) {
      Own.insert(N.Name.str());
      if (N.Role == NameUse::Declared && Functions.count(N.Name.str()))
        Declared.insert(N.Name.str());
    });
  }
  for (const StringRef Name : Had.Used.keys())
    if (!Own.count(Name.str()) && !Had.Declared.contains(Name) &&
        !Had.Tags.contains(Name) && !Had.Members.contains(Name))
      Names.insert(Name.str());
  auto Files = filesWith(Names, Declared);
  if (!Files)
    return Files.takeError();
  auto Found = mentions(*Files);
  if (!Found)
    return Found.takeError();

  for (const std::string &Name : Declared)
    if (const auto In = Found->find(Name);
        In != Found->end() && all_of(In->second, [&](const Mentioned &M) {
          return M.File == Header;
        }))
      Prototypes.push_back(Name);

  auto IsDeclared = [](const Mentioned &M) { return M.declares(); };
  auto IsMacro = [](const Mentioned &M) {
    return M.Use.Role == NameUse::Macro;
  };
  // Who tests a flag that nothing sets does nothing else then.
  std::set<std::string> Flags, Calls;
  for (const auto &[Name, Where] : *Found) {
    if (Declared.count(Name) || none_of(Where, IsDeclared) ||
        !all_of(Where, [&](const Mentioned &M) {
          return IsDeclared(M) || (M.Tested && any_of(Where, IsMacro));
        }))
      continue;
    const bool Function =
        any_of(Where, [](const Mentioned &M) { return M.Use.Defines; });
    Unused.push_back("only " + Source + " used " + Name +
                     (Function ? "()" : "") + " (" + placesText(Where) + ")");
    if (any_of(Where, [](const Mentioned &M) { return M.Tested; }))
      Flags.insert(Name);
  }
  if (!Flags.empty()) {
    std::set<std::string> Testing;
    for (const std::string &Flag : Flags)
      for (const Mentioned &M : (*Found)[Flag])
        if (M.Tested)
          Testing.insert(M.File);
    for (const std::string &File : Testing) {
      auto In = text(File);
      if (!In)
        return In.takeError();
      const FlagTests Tests(*In);
      forEachName(*In, [&](const NameUse &N) {
        const uint32_t End = N.Offset + N.Name.size();
        if (N.Role == NameUse::Use && N.InBody &&
            StringRef(*In).substr(End).starts_with("(") &&
            Tests.guard(N.Offset,
                        [&](StringRef Is) { return Flags.count(Is.str()); }))
          Calls.insert(N.Name.str());
      });
    }
    auto Calling = filesWith(Calls, {});
    if (!Calling)
      return Calling.takeError();
    auto Under = mentions(*Calling, Flags);
    if (!Under)
      return Under.takeError();
    for (const auto &[Name, Where] : *Under)
      if (any_of(Where, IsDeclared) && all_of(Where, [&](const Mentioned &M) {
            return IsDeclared(M) || M.UnderFlag;
          }))
        Unused.push_back("nothing comes to call " + Name + "(), as " +
                         join(Flags, " or ") + " is never set (" +
                         placesText(Where) + ")");
  }
  std::set<std::string> Saying;
  for (const std::string &Name : Declared)
    Saying.insert((*Files)[Name].begin(), (*Files)[Name].end());
  return comments(Declared, Saying);
}

} // namespace kmobj
