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
#include "IncludeGraph.h"
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
constexpr StringLiteral OldZone = Zalloc.Header;
constexpr StringLiteral OldCache = Objcache.Header;
constexpr StringLiteral Old[] = {OldZone, OldCache};

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

/// The NAME of `typedef struct objcache *NAME;' and its like, on a line of its
/// own.
StringRef oldTypedef(StringRef Line) {
  StringRef Rest = Line.trim();
  if (!Rest.consume_front("typedef") || !Rest.consume_back(";"))
    return "";
  Rest = Rest.trim();
  if (Rest.consume_front("struct")) {
    Rest = Rest.ltrim();
    if (!Rest.consume_front("vm_zone") && !Rest.consume_front("objcache"))
      return "";
    Rest = Rest.ltrim();
    if (!Rest.consume_front("*"))
      return "";
  } else if (!Rest.consume_front("vm_zone_t")) {
    return "";
  }
  Rest = Rest.ltrim();
  return all_of(Rest,
                [](char C) { return clang::isAsciiIdentifierContinue(C); })
             ? Rest
             : "";
}

/// `struct objcache;' and its like, on a line of its own.
bool isForwardDeclaration(StringRef Line, StringRef Tag) {
  return Line.trim() == ("struct " + Tag + ";").str();
}
constexpr StringLiteral ZoneTag = "vm_zone", CacheTag = "objcache";
constexpr StringLiteral Tags[] = {ZoneTag, CacheTag};

/// Which headers a text needs, by the names it uses.
struct Needs {
  bool Malloc = false, Shims = false, Kernel = false;
  bool OldZone = false, OldCache = false;
  /// The same without `struct vm_zone *' and `struct objcache *', which declare
  /// themselves.
  bool DeclaredZone = false, DeclaredCache = false;
  bool Tag = false;     ///< it says struct malloc_type
  bool Defines = false; ///< it says MALLOC_DEFINE, and so has what that takes

  explicit Needs(StringRef Text) {
    const SourceText Source(Text);
    forEachName(Text, [&](const NameUse &N) {
      const StringRef Word = N.Name;
      if (is_contained(Tags, Word) &&
          isForwardDeclaration(Source.line(N.Offset), Word))
        return;
      OldZone |= isZoneName(Word);
      OldCache |= isCacheName(Word);
      DeclaredZone |= isZoneName(Word) && Word != ZoneTag;
      DeclaredCache |= isCacheName(Word) && Word != CacheTag;
      Shims |= is_contained(ShimNames, Word);
      Kernel |= Word == "MALLOC_DEFINE_OBJ";
      Tag |= Word == "malloc_type";
      Defines |= Word == "MALLOC_DEFINE";
      Malloc |= Word.starts_with("kmalloc_") || Word == "kfree_obj" ||
                Word.starts_with("MALLOC_DE");
    });
  }
};

/// What `struct malloc_type' in a text needs before it.
enum class TagNeed { Nothing, Declaration, Header };

/// At file scope, and in a structure there, C declares the tag where it first
/// stands; what comes later means the same.
TagNeed tagNeed(StringRef Text) {
  TagNeed Need = TagNeed::Nothing;
  bool Known = false;
  forEachName(Text, [&](const NameUse &N) {
    if (N.Name != "malloc_type" || std::exchange(Known, true))
      return;
    if (N.InDirective || N.InBody)
      Need = TagNeed::Header;
    else if (N.InParens)
      Need = TagNeed::Declaration;
  });
  return Need;
}

/// Headers that name zones [0] or object caches [1] without including what
/// declares them, and the number of the patch after which they do not.
using OldHeaders = std::array<std::map<std::string, size_t>, 2>;

/// What the last patch does, to say so: by the old header, zones' [0] or object
/// caches' [1].
struct TidyFiles {
  std::array<std::set<std::string>, 2> Sources, Headers, Declaring;
  std::map<std::string, std::vector<std::string>> Instead; ///< of a file
};

/// What is known of all files.
struct Context {
  const Facts &F;
  const Plan &P;
  Sources &Files;
  IncludeGraph &Includes;
  OldHeaders &OldNamed;
  std::vector<std::string> Units;
  /// All .c files of the tree: no unit has read some of them.
  std::vector<std::string> Sources;
  TidyFiles Done;

  bool drops(bool Cache) const { return Cache ? P.DropObjcache : P.DropZone; }
  /// A header that File includes relies on it for the old names still.
  bool isReliedOn(StringRef File, bool Cache, size_t AfterPatch);
  /// What stays of the old API has it from elsewhere than from File, a header.
  bool isDispensable(const std::string &File, bool Cache);
  /// The Line of File goes, or becomes what is needed in its place. None: it is
  /// needed itself.
  std::optional<Change> dropLine(const std::string &File,
                                 const IncludeLine &Line, bool Cache);
};

bool isHeader(StringRef File) { return File.ends_with(".h"); }

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

bool Context::isReliedOn(StringRef File, bool Cache, size_t AfterPatch) {
  return any_of(OldNamed[Cache], [&](const auto &Header) {
    return Header.second > AfterPatch && Includes.reaches(File, Header.first);
  });
}

bool Context::isDispensable(const std::string &File, bool Cache) {
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
    return Includes.reachesWithout(User, Old[Cache], File);
  });
}

std::optional<Change> Context::dropLine(const std::string &File,
                                        const IncludeLine &Line, bool Cache) {
  std::vector<std::string> Users;
  if (isHeader(File))
    Users = Includes.users(Sources, File);
  const std::vector<std::string> Needed =
      Includes.neededWithout(File, Line, Old[Cache].str(), Users);
  if (is_contained(Needed, Old[Cache]))
    return std::nullopt;
  Includes.remove(File, Old[Cache]);
  std::string Text;
  for (const std::string &Name : Needed) {
    Text += "#include <" + Name + ">\n";
    Includes.add(File, Name);
  }
  if (!Needed.empty())
    Done.Instead[File] = Needed;
  return Change{File, Line.Range.Begin, Line.Range.End - Line.Range.Begin,
                Text};
}

class IncludeEditor {
public:
  IncludeEditor(Context &All, std::string File)
      : All(All), F(All.F), Files(All.Files), Includes(All.Includes),
        File(std::move(File)) {}

  /// Every change of this file, and to which patch it belongs. Tidy: what can
  /// only go once all of them are applied.
  Error run(MutableArrayRef<Patch> Patches, std::vector<Change> &Tidy);

private:
  bool isHeader() const { return kmobj::isHeader(File); }
  const IncludeLine *line(StringRef Name) const {
    for (const IncludeLine &I : Lines)
      if (I.Name == Name)
        return &I;
    return nullptr;
  }
  uint64_t place(const SourceText &Text, uint64_t FirstChange,
                 ArrayRef<Patch> Patches) const;
  /// Before the first of what Patches write that says `struct malloc_type', if
  /// all of it is under the same conditions.
  std::optional<uint64_t> tagPlace(const SourceText &Text,
                                   ArrayRef<Patch> Patches) const;
  /// Forward declarations of the old structure, as ranges to delete.
  static std::vector<ByteRange> forwards(const SourceText &Text, StringRef Tag);

  Context &All;
  const Facts &F;
  Sources &Files;
  IncludeGraph &Includes;
  const std::string File;
  std::vector<IncludeLine> Lines;
};

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
  // Where all that needs them is under a condition, and an #include is, too,
  // they are.
  auto UnderAll = [&](const IncludeLine &I) {
    std::set<std::string> Here;
    for (const Branch &B : Ifs.around(I.Range.Begin))
      Here.insert(B.Condition);
    return Common && all_of(*Common, [&](const std::string &Condition) {
             return Here.count(Condition);
           });
  };
  const bool Inside = any_of(Lines, [&](const IncludeLine &I) {
    return Fits(&I) && UnderAll(I) && I.Range.Begin < FirstChange;
  });
  const IncludeLine *Old = line(OldZone) ? line(OldZone) : line(OldCache);
  // Programs read a header, but for what is the kernel's alone.
  if (isHeader() && !Inside && Common && !line(Malloc))
    for (const Branch &B : Ifs.around(FirstChange))
      if (Common->count(B.Condition) && isKernels(B.Condition))
        return Text.nextLine(B.Begin);
  const IncludeLine *After = nullptr, *First = nullptr;
  for (const IncludeLine &I : Lines) {
    if (!Fits(&I) || (Inside && !UnderAll(I)))
      continue;
    if (!First)
      First = &I;
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
  if (Inside && !Common->empty())
    return First->Range.Begin;
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

std::optional<uint64_t> IncludeEditor::tagPlace(const SourceText &Text,
                                                ArrayRef<Patch> Patches) const {
  const Conditionals Ifs(F, File, Text);
  std::optional<uint64_t> First;
  std::set<std::vector<std::string>> Conditions;
  for (const Patch &P : Patches)
    for (const Change &C : P.Changes) {
      if (C.File != File || !StringRef(C.Text).contains("malloc_type"))
        continue;
      First = std::min(First.value_or(C.Offset), C.Offset);
      std::vector<std::string> Here;
      for (const Branch &B : Ifs.around(C.Offset))
        Here.push_back(B.Condition);
      Conditions.insert(std::move(Here));
    }
  if (Conditions.size() != 1)
    return std::nullopt;
  return Text.withComment(definitionBegin(Text, *First));
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
  bool Later[2] = {};
  bool TagWritten = false;
  bool Apart = false; // what is added from the headers of the directory
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
        !Need.OldZone &&
            (!isHeader() || All.drops(false) || All.isDispensable(File, false)),
        !Need.OldCache &&
            (!isHeader() || All.drops(true) || All.isDispensable(File, true))};
    std::vector<Change> New;
    for (size_t I = 0; I < 2; ++I) {
      if (isHeader() && All.OldNamed[I].count(File) &&
          !(I ? Need.DeclaredCache : Need.DeclaredZone))
        All.OldNamed[I][File] = std::min(All.OldNamed[I][File], K);
      if (Removable[I] && Forward.insert(Tags[I]).second)
        for (const ByteRange &R : forwards(Text, Tags[I])) {
          const bool Last = isHeader() && !All.drops(I);
          if (Last)
            All.Done.Declaring[I].insert(File);
          (Last ? Tidy : New).push_back({File, R.Begin, R.End - R.Begin, ""});
        }
      const IncludeLine *Line = line(Old[I]);
      if (!Removable[I] || !Line || !Present.count(Old[I]))
        continue;
      // Whoever includes a header may have the old names from it.
      Later[I] = isHeader() || All.isReliedOn(File, I, K);
      if (Later[I])
        continue;
      if (auto Gone = All.dropLine(File, *Line, I)) {
        New.push_back(std::move(*Gone));
        Present.erase(Old[I]);
      }
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
    if (NewTag && !Need.Malloc) {
      const TagNeed Of = tagNeed(*After);
      std::optional<uint64_t> At;
      if (Of == TagNeed::Declaration && !Includes.reaches(File, Malloc))
        At = tagPlace(Text, Patches);
      NewTag = Of != TagNeed::Nothing && !At;
      if (At && !std::exchange(TagWritten, true))
        New.insert(
            New.begin(),
            {File, *At, 0, Text.indent(*At).str() + "struct malloc_type;\n"});
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
    // Headers of the file's own are a group of their own.
    if (!Added.empty() && Place > 0 && Text.line(Place - 1).contains('"') &&
        !std::exchange(Apart, true))
      Added = "\n" + Added;
    if (!Added.empty())
      New.push_back({File, Place, 0, Added});
    append_range(Patches[K].Changes, New);
  }
  for (size_t I = 0; I < 2; ++I)
    if (Later[I] && (isHeader() || !All.isReliedOn(File, I, Patches.size())))
      if (auto Gone = All.dropLine(File, *line(Old[I]), I)) {
        (isHeader() ? All.Done.Headers : All.Done.Sources)[I].insert(File);
        Tidy.push_back(std::move(*Gone));
      }
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

/// The first patch after which Name is in no file of the tree but in the
/// typedef of it, at Range of In.
Expected<std::optional<size_t>> unusedAfter(StringRef Name, StringRef In,
                                            ByteRange Range, Sources &Files,
                                            ArrayRef<Patch> Patches) {
  auto Paths = Files.tree().files();
  if (!Paths)
    return Paths.takeError();
  std::optional<size_t> Last;
  for (const std::string &File : *Paths) {
    auto Content = Files.tree().read(File);
    if (!Content)
      return Content.takeError();
    auto Names = [&](StringRef Text) {
      bool Found = false;
      if (Text.contains(Name))
        forEachName(Text, [&](const NameUse &N) { Found |= N.Name == Name; });
      return Found;
    };
    std::vector<Change> SoFar;
    if (File == In)
      SoFar.push_back({File, Range.Begin, Range.End - Range.Begin, ""});
    auto Now = applyChanges(File, *Content, SoFar);
    if (!Now)
      return Now.takeError();
    if (!Names(*Now))
      continue;
    size_t K = 0;
    for (; K < Patches.size(); ++K) {
      for (const Change &C : Patches[K].Changes)
        if (C.File == File)
          SoFar.push_back(C);
      Now = applyChanges(File, *Content, SoFar);
      if (!Now)
        return Now.takeError();
      if (!Names(*Now))
        break;
    }
    if (K == Patches.size())
      return std::nullopt;
    Last = std::max(Last.value_or(0), K);
  }
  return Last;
}

/// Names of the old types that nothing uses any more.
Error dropTypedefs(const Facts &F, Sources &Files,
                   MutableArrayRef<Patch> Patches) {
  std::set<std::string> In;
  for (const Mention &M : F.Mentions)
    if (M.Kind == Mention::Type && M.State != Mention::ApiItself)
      In.insert(M.Text.File);
  for (const std::string &File : In) {
    auto Found = Files.get(File);
    if (!Found)
      return Found.takeError();
    const SourceText &Text = **Found;
    for (uint64_t At = 0; At < Text.text().size(); At = Text.nextLine(At)) {
      const StringRef Name = oldTypedef(Text.line(At));
      if (Name.empty())
        continue;
      const ByteRange Gone =
          Text.removal(At + Text.indent(At).size(), Text.lineEnd(At));
      auto K = unusedAfter(Name, File, Gone, Files, Patches);
      if (!K)
        return K.takeError();
      if (*K)
        Patches[**K].Changes.push_back(
            {File, Gone.Begin, Gone.End - Gone.Begin, ""});
    }
  }
  return Error::success();
}

/// "a.h", "a.h and b.h", "40 files"
std::string listed(const std::set<std::string> &Files, StringRef Kind) {
  constexpr size_t Shown = 4;
  if (Files.size() > Shown)
    return std::to_string(Files.size()) + " " + Kind.str();
  std::string Text;
  for (const std::string &File : Files)
    Text += (Text.empty()                      ? ""
             : File == *std::prev(Files.end()) ? " and "
                                               : ", ") +
            File;
  return Text;
}

void describeTidy(const Context &All, Patch &Tidy) {
  const TidyFiles &Done = All.Done;
  std::vector<std::string> Headers;
  auto Say = [&](const Twine &Text) { Tidy.Body += Text.str() + "\n"; };
  for (const bool Cache : {false, true}) {
    const std::string Header = Old[Cache].str();
    const std::set<std::string> &In = Done.Sources[Cache],
                                &Through = Done.Headers[Cache],
                                &Declaring = Done.Declaring[Cache];
    const StringRef Thing = Cache ? "object cache" : "zone";
    if (!In.empty() || !Through.empty())
      Headers.push_back(Header);
    if (!In.empty())
      Say(listed(In, "source files") + " include" +
          (In.size() == 1 ? "s " : " ") + Header + " and use" +
          (In.size() == 1 ? "s " : " ") + "nothing of it.");
    if (!Through.empty())
      Say(Header + " goes out of " + listed(Through, "headers") +
          ". It was there for " +
          (Through.size() == 1 ? "what that declared, or for the files that "
                                 "include it"
                               : "what these declared, or for the files that "
                                 "include them") +
          ", and no " + Thing + " is left there.");
    if (!Declaring.empty())
      Say("Nor is there a use for the declaration of struct " +
          Tags[Cache].str() + " in " + listed(Declaring, "headers") + ".");
    if (!All.drops(Cache) &&
        (!In.empty() || !Through.empty() || !Declaring.empty()))
      Say((Cache ? Objcache : Zalloc).Name + " itself stays, for the " + Thing +
          "s that are not converted; their files still include its "
          "header.");
  }
  for (const auto &[File, Names] : Done.Instead)
    Say(File + " had " + join(Names, ", ") +
        " through it, and includes that itself now.");
  Say("No code changes.");
  Tidy.Subject = Headers.empty() ? "kernel - Remove an unneeded declaration"
                                 : "kernel - Remove unneeded includes of " +
                                       join(Headers, " and ");
}

/// Files that include an old header for nothing: they name nothing of it, nor
/// does what they read, or who has it from them.
Error dropUnused(Context &All, const std::set<std::string> &Touched,
                 Patch &Tidy) {
  const std::set<std::string> Read = All.Includes.closure(All.Units);
  for (const bool Headers : {true, false})
    for (const std::string &File : Read) {
      if (isHeader(File) != Headers || Touched.count(File) ||
          All.P.KeepIncludes.count(File) ||
          !(Headers || StringRef(File).ends_with(".c")) ||
          none_of(Old,
                  [&](StringRef H) { return All.Includes.includes(File, H); }))
        continue;
      auto Text = All.Files.get(File);
      if (!Text)
        return Text.takeError();
      const Needs Need((*Text)->text());
      for (const IncludeLine &Line : findIncludes(**Text)) {
        const StringRef *Which = find(Old, Line.Name);
        if (Which == std::end(Old))
          continue;
        const bool Cache = Which != Old;
        if (Cache ? Need.OldCache : Need.OldZone)
          continue;
        if (Headers ? !All.drops(Cache) && !All.isDispensable(File, Cache)
                    : All.isReliedOn(File, Cache, SIZE_MAX - 1))
          continue;
        if (auto Gone = All.dropLine(File, Line, Cache)) {
          (Headers ? All.Done.Headers : All.Done.Sources)[Cache].insert(File);
          Tidy.Changes.push_back(std::move(*Gone));
        }
      }
    }
  return Error::success();
}

} // namespace

Error editIncludes(const Facts &F, const Plan &P, Sources &Files,
                   std::vector<Patch> &Patches) {
  if (Error E = dropTypedefs(F, Files, Patches))
    return E;
  Patch Tidy;
  OldHeaders OldNamed = oldHeaders(F, Files);
  IncludeGraph Includes(F, Files.tree());
  Context All{F, P, Files, Includes, OldNamed, {}, {}, {}};
  auto Paths = Files.tree().files();
  if (!Paths)
    return Paths.takeError();
  copy_if(*Paths, std::back_inserter(All.Sources),
          [](StringRef Path) { return Path.ends_with(".c"); });
  for (const Unit &U : F.Units)
    if (U.State != Unit::Failed && Files.tree().exists(U.Path))
      All.Units.push_back(U.Path);
  std::set<std::string> Touched;
  for (const Patch &One : Patches)
    for (const Change &C : One.Changes)
      Touched.insert(C.File);
  // Headers first: what they include is there for the others.
  std::vector<std::string> Order(Touched.begin(), Touched.end());
  std::stable_partition(Order.begin(), Order.end(), isHeader);
  for (std::string &File : Order)
    if (Error E =
            IncludeEditor(All, std::move(File)).run(Patches, Tidy.Changes))
      return E;
  if (Error E = dropUnused(All, Touched, Tidy))
    return E;
  if (Tidy.empty())
    return Error::success();
  describeTidy(All, Tidy);
  Patches.push_back(std::move(Tidy));
  return Error::success();
}

} // namespace kmobj
