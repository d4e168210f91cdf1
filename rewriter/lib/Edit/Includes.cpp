/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * #include lines, patch by patch.
 *
 * A file gets <sys/malloc.h> and <sys/kmalloc_obj.h> (and <sys/kernel.h> for a
 * definition) with the first patch after which it uses their names and does
 * not reach them through its other includes.  The old allocator's header goes
 * with the patch after which the file says nothing of it any more; out of a
 * header it goes only when no file of the tree needs it.
 */
#include "EntryEditor.h"
#include "clang/Basic/CharInfo.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include <array>
#include <optional>
#include <set>
#include <utility>

using namespace llvm;

namespace kmobj {

namespace {

constexpr StringLiteral Malloc = "sys/malloc.h";
constexpr StringLiteral Shims = "sys/kmalloc_obj.h";
constexpr StringLiteral Kernel = "sys/kernel.h";
constexpr StringLiteral OldZone = "vm/vm_zone.h";
constexpr StringLiteral OldCache = "sys/objcache.h";

/// Names that only the shims' header has.
constexpr StringLiteral ShimNames[] = {"KMALLOC_OBJ_BOOTSLABS",
                                       "kmalloc_obj_bootinit",
                                       "kmalloc_obj_bootbytes",
                                       "kmalloc_obj_reserve",
                                       "kmalloc_obj_ctor",
                                       "kmalloc_obj_unctor",
                                       "kmalloc_obj_cache",
                                       "kmalloc_cobj",
                                       "kfree_cobj",
                                       "kfree_cobj_dtor",
                                       "kmalloc_obj_set_limit",
                                       "kmalloc_obj_reclaimlist"};

/// Names that the old headers have.
bool isZoneName(StringRef Word) {
  return Word == "zalloc" || Word == "zfree" || Word == "zinit" ||
         Word == "zinitna" || Word == "zbootinit" || Word == "zdestroy" ||
         Word == "zerror" || Word == "vm_zone_t" || Word == "vm_zone" ||
         Word.starts_with("ZONE_");
}
bool isCacheName(StringRef Word) {
  return Word.starts_with("objcache") || Word.starts_with("OBJCACHE_") ||
         Word == "OC_MFLAGS";
}

/// `struct objcache;' and its like, on a line of its own.
bool isForwardDeclaration(StringRef Line, StringRef Tag) {
  return Line.trim() == ("struct " + Tag + ";").str();
}
constexpr StringLiteral ZoneTag = "vm_zone", CacheTag = "objcache";

/// The words of the code: no comments, strings, includes, and no forward
/// declarations of what the old headers define.
template <typename Fn> void forEachWord(StringRef Text, Fn Do) {
  const SourceText Source(Text);
  for (size_t At = 0; At < Text.size();) {
    const size_t Code = Source.skipSpaceAndComments(At);
    if (Code != At) {
      At = Code;
      continue;
    }
    const char C = Text[At];
    if (C == '"' || C == '\'') {
      size_t I = At + 1;
      while (I < Text.size() && Text[I] != C && Text[I] != '\n')
        I += Text[I] == '\\' ? 2 : 1;
      At = std::min(I + 1, Text.size());
    } else if (C == '#' && Source.startsLine(At) &&
               Text.substr(At + 1).ltrim().starts_with("include")) {
      At = Source.nextLine(At);
    } else if (C == 's' && (isForwardDeclaration(Source.line(At), ZoneTag) ||
                            isForwardDeclaration(Source.line(At), CacheTag))) {
      At = Source.nextLine(At);
    } else if (clang::isAsciiIdentifierContinue(C)) {
      const StringRef Word = Text.drop_front(At).take_while(
          [](char C) { return clang::isAsciiIdentifierContinue(C); });
      Do(Word);
      At += Word.size();
    } else {
      ++At;
    }
  }
}

/// Which headers a text needs, by the names it uses.
struct Needs {
  bool Malloc = false, Shims = false, Kernel = false;
  bool OldZone = false, OldCache = false;
  bool Tag = false;     ///< it says struct malloc_type
  bool Defines = false; ///< it says MALLOC_DEFINE, and so has what that takes

  explicit Needs(StringRef Text) {
    forEachWord(Text, [&](StringRef Word) {
      OldZone |= isZoneName(Word);
      OldCache |= isCacheName(Word);
      Shims |= is_contained(ShimNames, Word);
      Kernel |= Word == "MALLOC_DEFINE_OBJ";
      Tag |= Word == "malloc_type";
      Defines |= Word == "MALLOC_DEFINE";
      Malloc |= Word.starts_with("kmalloc_") || Word == "kfree_obj" ||
                Word.starts_with("MALLOC_DE");
    });
  }
};

/// The includes of all files, as they become.
class Graph {
public:
  Graph(const Facts &F, const SourceTree &Tree) : Tree(Tree) {
    for (const SourceFile &File : F.Files)
      if (File.Parsed)
        for (const Include &I : File.Includes)
          Edges[File.Path].push_back(I.Resolved.empty() ? I.Name : I.Resolved);
    if (!Tree.exists(Shims))
      Edges[Shims.str()] = {"sys/param.h", Malloc.str()};
  }

  void add(StringRef File, StringRef Header) {
    edges(File.str()).push_back(Header.str());
  }
  void remove(StringRef File, StringRef Header) {
    llvm::erase_if(edges(File.str()), [&](const std::string &T) {
      return StringRef(T) == Header || StringRef(T).ends_with(Header);
    });
  }
  /// Does File include Header, other than through Without?
  bool reachesWithout(const std::string &File, StringRef Header,
                      StringRef Without) {
    return reached(File, Without).count(Header.str());
  }
  /// Has File, without its own #include of Header, all that Header includes?
  bool hasAllOf(const std::string &File, StringRef Header) {
    const std::set<std::string> Given = reached(Header.str(), "");
    const std::set<std::string> Has = reached(File, Header);
    return all_of(Given, [&](const std::string &H) { return Has.count(H); });
  }
  bool reaches(StringRef File, StringRef Header) {
    StringSet<> Seen;
    std::vector<std::string> Open{File.str()};
    while (!Open.empty()) {
      const std::string At = std::move(Open.back());
      Open.pop_back();
      if (At == Header)
        return true;
      if (Seen.insert(At).second)
        append_range(Open, edges(At));
    }
    return false;
  }

private:
  /// What From includes, and so on, but not through Without.
  std::set<std::string> reached(const std::string &From, StringRef Without) {
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
  /// Of a header that no unit read so far, by its text and from the root.
  std::vector<std::string> &edges(const std::string &File) {
    const auto [Found, New] = Edges.try_emplace(File);
    if (New && Tree.exists(File)) {
      auto Content = Tree.read(File);
      if (!Content)
        consumeError(Content.takeError());
      else
        for (const IncludeLine &I : findIncludes(SourceText(*Content)))
          Found->second.push_back(I.Name);
    }
    return Found->second;
  }

  const SourceTree &Tree;
  std::map<std::string, std::vector<std::string>> Edges;
};

/// Headers that name zones [0] or object caches [1] without including what
/// declares them, and the number of the patch after which they do not.
using OldHeaders = std::array<std::map<std::string, size_t>, 2>;

/// A branch of an #if that a place is in.
struct Branch {
  std::string Condition;
  uint64_t Begin, End; ///< of the whole #if, the lines of #if and #endif in it
};

/// The #ifs of a file. The include guard is none.
class Conditionals {
public:
  Conditionals(const Facts &F, StringRef File, const SourceText &Text);

  /// From the outside in.
  std::vector<Branch> around(uint64_t Offset) const;

private:
  bool isGuard(size_t Open, size_t Close) const;
  size_t closing(size_t Open) const;

  const SourceText &Text;
  ArrayRef<Directive> All;
  size_t GuardOpen = SIZE_MAX;
};

Conditionals::Conditionals(const Facts &F, StringRef File,
                           const SourceText &Text)
    : Text(Text) {
  if (const SourceFile *Found = F.file(File))
    All = Found->Directives;
  if (!All.empty() && isGuard(0, closing(0)))
    GuardOpen = 0;
}

size_t Conditionals::closing(size_t Open) const {
  unsigned Depth = 0;
  for (size_t I = Open; I < All.size(); ++I) {
    Depth += StringRef(All[I].Keyword).starts_with("if");
    if (All[I].Keyword == "endif" && --Depth == 0)
      return I;
  }
  return All.size();
}

/// #ifndef X, #define X, and nothing around them.
bool Conditionals::isGuard(size_t Open, size_t Close) const {
  const StringRef Keyword = All[Open].Keyword;
  if ((Keyword != "ifndef" && Keyword != "if") || Close + 1 != All.size() ||
      Open + 1 >= All.size() || All[Open + 1].Keyword != "define")
    return false;
  auto Words = [&](size_t I) {
    return Text.slice(All[I].Text.Begin, All[I].Text.End)
        .split(All[I].Keyword)
        .second.trim();
  };
  StringRef Name = Words(Open);
  if (Keyword == "if" &&
      (!Name.consume_front("!") || !Name.ltrim().consume_front("defined")))
    return false;
  const StringRef Defined = Words(Open + 1).take_while(
      [](char C) { return clang::isAsciiIdentifierContinue(C); });
  return Name.rtrim(" \t)").ends_with(Defined) &&
         Text.skipSpaceAndComments(0) == All[Open].Text.Begin &&
         Text.skipSpaceAndComments(All[Close].Text.End) == Text.text().size();
}

std::vector<Branch> Conditionals::around(uint64_t Offset) const {
  std::vector<Branch> Open;
  for (size_t I = 0; I < All.size() && All[I].Text.Begin < Offset; ++I) {
    const Span &D = All[I].Text;
    const StringRef Keyword = All[I].Keyword;
    const std::string Condition = Text.slice(D.Begin, D.End).str();
    if (Keyword.starts_with("if") && I != GuardOpen) {
      const size_t Close = closing(I);
      Open.push_back(
          {Condition, Text.lineBegin(D.Begin),
           Close < All.size() ? All[Close].Text.End : Text.text().size()});
    } else if (Keyword.starts_with("el") && !Open.empty()) {
      Open.back().Condition += "\n" + Condition;
    } else if (Keyword == "endif" && !Open.empty()) {
      Open.pop_back();
    }
  }
  return Open;
}

class IncludeEditor {
public:
  IncludeEditor(const Facts &F, const Plan &P, Sources &Files, Graph &Includes,
                OldHeaders &Old, std::string File)
      : F(F), P(P), Files(Files), Includes(Includes), OldNamed(Old),
        File(std::move(File)) {}

  /// Every change of this file, and to which patch it belongs. Tidy: what can
  /// only go once all of them are applied.
  Error run(MutableArrayRef<Patch> Patches, std::vector<Change> &Tidy);

private:
  bool isHeader() const { return StringRef(File).ends_with(".h"); }
  const IncludeLine *line(StringRef Name) const {
    for (const IncludeLine &I : Lines)
      if (I.Name == Name)
        return &I;
    return nullptr;
  }
  uint64_t place(const SourceText &Text, uint64_t FirstChange,
                 ArrayRef<Patch> Patches) const;
  /// Forward declarations of the old structure, as ranges to delete.
  static std::vector<ByteRange> forwards(const SourceText &Text, StringRef Tag);

  /// A header that this file includes relies on it for the old names still.
  bool isReliedOn(bool Cache, size_t AfterPatch);
  /// Of a header: what stays of the old API has it from elsewhere.
  bool isDispensable(bool Cache);

  const Facts &F;
  const Plan &P;
  Sources &Files;
  Graph &Includes;
  OldHeaders &OldNamed;
  const std::string File;
  std::vector<IncludeLine> Lines;
};

bool IncludeEditor::isReliedOn(bool Cache, size_t AfterPatch) {
  return any_of(OldNamed[Cache], [&](const auto &Header) {
    return Header.second > AfterPatch && Includes.reaches(File, Header.first);
  });
}

bool IncludeEditor::isDispensable(bool Cache) {
  std::set<std::string> Using;
  for (const PlanEntry &E : P.Entries) {
    if (E.Convert || E.IsZone == Cache)
      continue;
    if (const Variable *V = F.variable(E.Key))
      for (const Declaration &D : V->Declarations)
        Using.insert(D.Name.File);
    for (const Site *S : F.sitesOf(E.Key)) {
      Using.insert(S->Name.File);
      Using.insert(S->Units.begin(), S->Units.end());
    }
  }
  for (const Mention &M : F.Mentions)
    if (M.State > Mention::ApiItself && M.Kind != Mention::Variable &&
        isCacheName(M.Name) == Cache)
      Using.insert(M.Text.File);
  return !Using.count(File) && all_of(Using, [&](const std::string &User) {
    return Includes.reachesWithout(User, Cache ? OldCache : OldZone, File);
  });
}

/// The line where the definition or declaration begins that Offset is in: an
/// include must not stand inside.
static uint64_t definitionBegin(const SourceText &Text, uint64_t Offset) {
  std::optional<uint64_t> Begin;
  unsigned Depth = 0;
  uint64_t At = 0;
  while ((At = Text.skipSpaceAndComments(At)) < Offset) {
    const char C = Text.text()[At];
    if (C == '#' && Text.startsLine(At)) {
      while (Text.line(At).rtrim().ends_with("\\"))
        At = Text.nextLine(At);
      At = Text.nextLine(At);
      continue;
    }
    if (!Begin)
      Begin = At;
    Depth += C == '{';
    if (C == '}' && Depth > 0)
      --Depth;
    if (Depth == 0 && (C == '}' || C == ';'))
      Begin.reset();
    ++At;
  }
  return Begin ? Text.lineBegin(*Begin) : Offset;
}

/// New includes follow <sys/malloc.h>, else the first run of <sys/..>, else
/// stand where the old header stands, else before the first change. They are
/// under no condition that does not hold for all that needs them.
uint64_t IncludeEditor::place(const SourceText &Text, uint64_t FirstChange,
                              ArrayRef<Patch> Patches) const {
  const Conditionals Ifs(F, File, Text);
  std::optional<std::set<std::string>> Common;
  for (const Patch &P : Patches)
    for (const Change &C : P.Changes) {
      if (C.File != File || C.Text.empty())
        continue;
      std::set<std::string> Here;
      for (const Branch &B : Ifs.around(C.Offset))
        if (!Common || Common->count(B.Condition))
          Here.insert(B.Condition);
      Common = std::move(Here);
    }
  // The outermost #if around Offset whose condition the changes do not share.
  auto Foreign = [&](uint64_t Offset) -> std::optional<Branch> {
    for (Branch &B : Ifs.around(Offset))
      if (!Common || !Common->count(B.Condition))
        return std::move(B);
    return std::nullopt;
  };
  auto Fits = [&](const IncludeLine *I) {
    return I && !Foreign(I->Range.Begin);
  };
  const IncludeLine *Old = line(OldZone) ? line(OldZone) : line(OldCache);
  const IncludeLine *After = nullptr;
  for (const IncludeLine &I : Lines) {
    if (!Fits(&I))
      continue;
    if (I.Name == Malloc) {
      After = &I;
      break;
    }
    const bool Sys = StringRef(I.Name).starts_with("sys/");
    if (Sys && (!After || After->Range.End == I.Range.Begin))
      After = &I;
  }
  if (Fits(Old) && (!Old->Unconditional || !After || After == Old))
    return Old->Range.Begin;
  if (After)
    return After->Range.End;
  // Behind all includes and what is around them, if that is early enough.
  if (!Lines.empty()) {
    uint64_t Behind = Lines.back().Range.End;
    if (const auto B = Foreign(Lines.back().Range.Begin))
      Behind = Text.lineBehind(B->End).value_or(UINT64_MAX);
    if (Behind <= FirstChange)
      return Behind;
  }
  const uint64_t Before = definitionBegin(Text, FirstChange);
  const auto B = Foreign(Before);
  return B ? B->Begin : Before;
}

std::vector<ByteRange> IncludeEditor::forwards(const SourceText &Text,
                                               StringRef Tag) {
  std::vector<ByteRange> Found;
  for (uint64_t At = 0; At < Text.text().size(); At = Text.nextLine(At))
    if (isForwardDeclaration(Text.line(At), Tag))
      Found.push_back(
          Text.removal(At + Text.indent(At).size(), Text.lineEnd(At)));
  return Found;
}

Error IncludeEditor::run(MutableArrayRef<Patch> Patches,
                         std::vector<Change> &Tidy) {
  auto Found = Files.get(File);
  if (!Found)
    return Found.takeError();
  const SourceText &Text = **Found;
  Lines = findIncludes(Text);

  std::vector<Change> SoFar;
  uint64_t First = Text.text().size();
  for (const Patch &P : Patches)
    for (const Change &C : P.Changes)
      if (C.File == File)
        First = std::min(First, Text.lineBegin(C.Offset));
  for (const StringLiteral Tag : {ZoneTag, CacheTag})
    for (const ByteRange &R : forwards(Text, Tag))
      First = std::min(First, R.Begin);
  const uint64_t Place = place(Text, First, Patches);
  StringSet<> Present;
  for (const IncludeLine &I : Lines)
    Present.insert(I.Name);
  StringSet<> Forward; // those whose declarations are gone
  const Needs Had(Text.text());
  std::optional<Change> Later[2];
  bool TagWritten = false;
  const bool OldHere = Present.count(OldZone) || Present.count(OldCache);

  for (size_t K = 0; K < Patches.size(); ++K) {
    std::vector<Change> Mine;
    for (const Change &C : Patches[K].Changes)
      if (C.File == File)
        Mine.push_back(C);
    if (Mine.empty())
      continue;
    append_range(SoFar, Mine);
    auto After = applyChanges(File, Text.text(), SoFar);
    if (!After)
      return After.takeError();
    const Needs Need(*After);

    const bool Removable[] = {
        !Need.OldZone && (!isHeader() || P.DropZone || isDispensable(false)),
        !Need.OldCache &&
            (!isHeader() || P.DropObjcache || isDispensable(true))};
    const StringLiteral Old[] = {OldZone, OldCache};
    const StringLiteral Tags[] = {ZoneTag, CacheTag};
    std::vector<Change> New;
    for (size_t I = 0; I < 2; ++I) {
      if (isHeader() && OldNamed[I].count(File) &&
          !(I ? Need.OldCache : Need.OldZone))
        OldNamed[I][File] = std::min(OldNamed[I][File], K);
      const bool Dropped = I ? P.DropObjcache : P.DropZone;
      if (Removable[I] && Forward.insert(Tags[I]).second)
        for (const ByteRange &R : forwards(Text, Tags[I]))
          (isHeader() && !Dropped ? Tidy : New)
              .push_back({File, R.Begin, R.End - R.Begin, ""});
      const IncludeLine *Line = line(Old[I]);
      if (!Removable[I] || !Line || !Present.count(Old[I]))
        continue;
      const Change Gone{File, Line->Range.Begin,
                        Line->Range.End - Line->Range.Begin, ""};
      // Whoever includes a header may have the old names from it.
      if (isHeader() || isReliedOn(I, K)) {
        Later[I] = Gone;
        continue;
      }
      Later[I].reset();
      New.push_back(Gone);
      Present.erase(Old[I]);
      Includes.remove(File, Old[I]);
    }
    auto Want = [&](StringRef Header, bool Needed, bool Directly) {
      if (!Needed || Present.count(Header) ||
          (!Directly && Includes.reaches(File, Header)))
        return std::string();
      Present.insert(Header);
      Includes.add(File, Header);
      return ("#include <" + Header + ">\n").str();
    };
    // A header that leaves it to its users to include what it takes.
    const bool Theirs = isHeader() && !OldHere && Had.Defines;
    bool NewTag = Need.Tag && !Had.Tag;
    // Where a declaration of the old structure was enough, one of the new is.
    if (NewTag && !Need.Malloc && !OldHere && !Includes.reaches(File, Malloc)) {
      std::vector<ByteRange> Declared = forwards(Text, ZoneTag);
      append_range(Declared, forwards(Text, CacheTag));
      NewTag = Declared.empty();
      if (!Declared.empty() && !std::exchange(TagWritten, true))
        New.insert(New.begin(),
                   {File, Text.lineBegin(Declared.front().Begin), 0,
                    Text.indent(Declared.front().Begin).str() +
                        "struct malloc_type;\n"});
    }
    std::string Added =
        Want(Malloc, (Need.Malloc || NewTag) && !Theirs, OldHere);
    Added += Want(Shims, Need.Shims, true);
    Added =
        Want(Kernel, Need.Kernel && !Had.Defines && Files.tree().exists(Kernel),
             false) +
        Added;
    if (!Added.empty() && Lines.empty())
      Added += "\n";
    if (!Added.empty())
      New.push_back({File, Place, 0, Added});
    append_range(Patches[K].Changes, New);
  }
  for (size_t I = 0; I < 2; ++I)
    if (Later[I] && (isHeader() || !isReliedOn(I, Patches.size())))
      Tidy.push_back(*Later[I]);
  return Error::success();
}

/// Which old names a header has, by what the tree's text mentions.
OldHeaders oldHeaders(const Facts &F, Sources &Files) {
  OldHeaders Found;
  for (const Mention &M : F.Mentions) {
    // `struct objcache *' declares itself.
    const bool Needs = M.Kind == Mention::Function || M.Kind == Mention::Flag ||
                       M.Name == "vm_zone_t";
    if (M.State != Mention::ApiItself && Needs &&
        StringRef(M.Text.File).ends_with(".h"))
      Found[isCacheName(M.Name)].try_emplace(M.Text.File, SIZE_MAX);
  }
  for (auto &[Cache, Old] : {std::pair(0, OldZone), std::pair(1, OldCache)})
    for (auto It = Found[Cache].begin(); It != Found[Cache].end();) {
      auto Text = Files.get(It->first);
      bool Itself = !Text;
      if (!Text)
        consumeError(Text.takeError());
      else
        for (const IncludeLine &I : findIncludes(**Text))
          Itself |= I.Name == Old;
      It = Itself ? Found[Cache].erase(It) : std::next(It);
    }
  return Found;
}

/// Units that include an old header for nothing: they name nothing of it, no
/// header that they read relies on it, and all that it includes they have from
/// elsewhere.
Error dropUnused(const Facts &F, const Plan &P, Sources &Files, Graph &Includes,
                 const std::set<std::string> &Touched, Patch &Tidy) {
  for (const Unit &U : F.Units) {
    if (U.State == Unit::Failed || Touched.count(U.Path) ||
        !StringRef(U.Path).ends_with(".c") || !Files.tree().exists(U.Path))
      continue;
    auto Content = Files.tree().read(U.Path);
    if (!Content)
      return Content.takeError();
    if (!StringRef(*Content).contains(OldZone) &&
        !StringRef(*Content).contains(OldCache))
      continue;
    const SourceText Text(*Content);
    const Needs Need(*Content);
    for (const IncludeLine &I : findIncludes(Text)) {
      const bool Zone = I.Name == OldZone && P.DropZone && !Need.OldZone;
      const bool Cache = I.Name == OldCache && P.DropObjcache && !Need.OldCache;
      if ((Zone || Cache) && I.Unconditional &&
          Includes.hasAllOf(U.Path, I.Name))
        Tidy.Changes.push_back(
            {U.Path, I.Range.Begin, I.Range.End - I.Range.Begin, ""});
    }
  }
  return Error::success();
}

} // namespace

Error editIncludes(const Facts &F, const Plan &P, Sources &Files,
                   std::vector<Patch> &Patches) {
  Patch Tidy;
  OldHeaders Old = oldHeaders(F, Files);
  Graph Includes(F, Files.tree());
  std::set<std::string> Touched;
  for (const Patch &One : Patches)
    for (const Change &C : One.Changes)
      Touched.insert(C.File);
  // Headers first: what they include is there for the others.
  std::vector<std::string> Order(Touched.begin(), Touched.end());
  std::stable_partition(
      Order.begin(), Order.end(),
      [](const std::string &File) { return StringRef(File).ends_with(".h"); });
  for (std::string &File : Order)
    if (Error E = IncludeEditor(F, P, Files, Includes, Old, std::move(File))
                      .run(Patches, Tidy.Changes))
      return E;
  if (Error E = dropUnused(F, P, Files, Includes, Touched, Tidy))
    return E;
  if (Tidy.empty())
    return Error::success();
  Tidy.Subject = "kernel - Do without the headers of the old allocators";
  Tidy.Body = "Others had what they declare from here, and need it no more.\n";
  Patches.push_back(std::move(Tidy));
  return Error::success();
}

} // namespace kmobj
