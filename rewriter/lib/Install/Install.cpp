/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Install.h"
#include "SpareWords.h"
#include "kmobj/Layout.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>

using namespace llvm;

namespace kmobj {

static const char ConfFiles[] = "conf/files";
static const char ConfOptions[] = "conf/options";
static const char ConfSeries[] = "conf/series";
static const char Config[] = "config";
/// The tree's own option beside which the shims' stand.
static const char Neighbour[] = "SLAB_DEBUG";

namespace {

/// An entry of conf/files or conf/options: the source's path or the option's
/// name, what is said of it, its lines.
struct ConfEntry {
  StringRef Path;
  StringRef Options;
  ByteRange Range;
};

std::vector<ConfEntry> parseConf(const SourceText &Text) {
  std::vector<ConfEntry> Entries;
  for (uint64_t At = 0; At < Text.text().size();) {
    const uint64_t Begin = At;
    bool Continued;
    do {
      Continued = Text.line(At).rtrim().ends_with("\\");
      At = Text.nextLine(At);
    } while (Continued && At < Text.text().size());
    const StringRef Line = Text.line(Begin);
    const StringRef Path = Line.take_until([](char C) { return isSpace(C); });
    if (!Path.empty() && Path.front() != '#')
      Entries.push_back(
          {Path, Line.drop_front(Path.size()).trim(), {Begin, At}});
  }
  return Entries;
}

const ConfEntry *findEntry(ArrayRef<ConfEntry> Entries, StringRef Path) {
  for (const ConfEntry &E : Entries)
    if (E.Path == Path)
      return &E;
  return nullptr;
}

/// Those of New that File does not have yet, after its entry Anchor and in the
/// columns of that.
std::vector<Change> addEntries(const char *File, const SourceText &Text,
                               ArrayRef<ConfEntry> Entries,
                               const ConfEntry &Anchor, StringRef New) {
  const unsigned Column = Text.column(Text.text().find(
      Anchor.Options, Anchor.Range.Begin + Anchor.Path.size()));
  std::string Lines;
  for (const ConfEntry &E : parseConf(SourceText(New))) {
    if (findEntry(Entries, E.Path))
      continue;
    std::string Line = E.Path.str();
    do
      Line += '\t';
    while (columnAfter(Line) < Column);
    Lines += Line + E.Options.str() + "\n";
  }
  if (Lines.empty())
    return {};
  return {{File, Anchor.Range.End, 0, Lines}};
}

/// Lists the shims after the allocator.
Expected<std::vector<Change>> addToConf(const SourceTree &Tree,
                                        StringRef ShimsConf) {
  auto Content = Tree.read(ConfFiles);
  if (!Content)
    return Content.takeError();
  const SourceText Text(*Content);
  const std::vector<ConfEntry> Entries = parseConf(Text);
  const ConfEntry *Anchor = findEntry(Entries, "kern/kern_kmalloc.c");
  if (!Anchor)
    Anchor = findEntry(Entries, "kern/kern_slaballoc.c");
  if (!Anchor)
    return createStringError(
        "%s: has no entry for kern/kern_kmalloc.c, after which the shims "
        "would be listed; nothing was installed",
        Tree.path(ConfFiles).c_str());
  return addEntries(ConfFiles, Text, Entries, *Anchor, ShimsConf);
}

/// Lists the shims' options behind the allocator's own, else behind those of
/// the tree, if it has any.
Expected<std::vector<Change>> addToOptions(const SourceTree &Tree,
                                           StringRef ShimsOptions) {
  if (!Tree.exists(ConfOptions))
    return std::vector<Change>();
  auto Content = Tree.read(ConfOptions);
  if (!Content)
    return Content.takeError();
  const SourceText Text(*Content);
  const std::vector<ConfEntry> Entries = parseConf(Text);
  if (Entries.empty())
    return std::vector<Change>();
  const ConfEntry *Anchor = &Entries.back();
  for (const ConfEntry &E : Entries)
    if (E.Path == Neighbour || E.Path.starts_with("KMALLOC_"))
      Anchor = &E;
  return addEntries(ConfOptions, Text, Entries, *Anchor, ShimsOptions);
}

/// What a line of a kernel config sets: empty if it sets no option.
StringRef optionOf(StringRef Line) {
  SmallVector<StringRef, 4> Words;
  SplitString(Line, Words);
  return Words.size() >= 2 && Words[0] == "options" ? Words[1].split('=').first
                                                    : "";
}

/// The line of a kernel config that sets Option, in Lines; none: nullptr.
const StringRef *findOption(ArrayRef<StringRef> Lines, StringRef Option) {
  const auto *Line = find_if(
      Lines, [&](StringRef Line) { return optionOf(Line) == Option; });
  return Line == Lines.end() ? nullptr : Line;
}

/// The line before which Option has its alphabetical place among those around
/// Anchor, which set options or would if they were no comments.
const StringRef *placeOfOption(ArrayRef<StringRef> Lines,
                               const StringRef *Anchor, StringRef Option) {
  const auto At = [](StringRef Line) { return optionOf(Line.ltrim("# \t")); };
  const StringRef *Place = Anchor + 1;
  while (Place != Lines.begin() && At(Place[-1]) > Option)
    --Place;
  while (Place != Lines.end() && !At(*Place).empty() && At(*Place) < Option)
    ++Place;
  return Place;
}

/// Does the config with these lines call itself a LINT, which has all options?
bool isLint(ArrayRef<StringRef> Lines) {
  return any_of(Lines, [](StringRef Line) {
    SmallVector<StringRef, 4> Words;
    SplitString(Line, Words);
    return Words.size() >= 2 && Words[0] == "ident" &&
           Words[1].ltrim('"').starts_with("LINT");
  });
}

/// Sets the shims' options in each LINT that sets their neighbour, where they
/// belong among those around it and as it does.
Expected<std::vector<Change>> addToLint(const SourceTree &Tree,
                                        StringRef ShimsOptions) {
  std::vector<std::string> Files;
  std::error_code EC;
  for (sys::fs::directory_iterator I(Tree.path(Config), EC), End;
       !EC && I != End; I.increment(EC))
    if (sys::fs::is_regular_file(I->path()))
      Files.push_back((Twine(Config) + "/" + sys::path::filename(I->path()))
                          .str());
  std::sort(Files.begin(), Files.end());
  std::vector<Change> Changes;
  for (const std::string &File : Files) {
    auto Content = Tree.read(File);
    if (!Content)
      return Content.takeError();
    SmallVector<StringRef, 0> Lines;
    StringRef(*Content).split(Lines, '\n');
    const StringRef *Anchor = findOption(Lines, Neighbour);
    if (!Anchor || !isLint(Lines))
      continue;
    for (const ConfEntry &E : parseConf(SourceText(ShimsOptions))) {
      if (findOption(Lines, E.Path))
        continue;
      const StringRef *Place = placeOfOption(Lines, Anchor, E.Path);
      const uint64_t At = Place == Lines.end() ? Content->size()
                                               : Place->data() - Content->data();
      Changes.push_back(
          {File, At, 0,
           (Anchor->take_front(Anchor->find(Neighbour)) + E.Path + "\n").str()});
    }
  }
  return Changes;
}

/// Paths of the shims' sources, relative to Shims: headers and C files.
Expected<std::vector<std::string>> listShims(StringRef Shims) {
  std::vector<std::string> Paths;
  for (const StringRef Directory : {"sys", "kern"}) {
    SmallString<256> Path(Shims);
    sys::path::append(Path, Directory);
    std::error_code EC;
    for (sys::fs::directory_iterator I(Path, EC), End; !EC && I != End;
         I.increment(EC)) {
      const StringRef Name = sys::path::filename(I->path());
      const StringRef Wanted = Directory == "sys" ? ".h" : ".c";
      if (sys::path::extension(Name) == Wanted && !Name.starts_with("."))
        Paths.push_back((Directory + "/" + Name).str());
    }
    if (EC)
      return createStringError("%s: cannot read the shims: %s; name their "
                               "directory with --shims",
                               Path.c_str(), EC.message().c_str());
  }
  std::sort(Paths.begin(), Paths.end());
  return Paths;
}

constexpr StringLiteral ManualDirectory = "share/man/man9";

/// Text with the page in the list MAN, and links to it for each of Names, in
/// their alphabetical places.
std::string inManualMakefile(StringRef Text, ArrayRef<std::string> Names) {
  const std::string Page = manualPage();
  std::string Links;
  for (size_t I = 0; I < Names.size(); ++I)
    Links += (I ? "\t" : "MLINKS+=") + Page + " " + Names[I] + ".9" +
             (I + 1 < Names.size() ? " \\\n" : "\n");
  std::string Out;
  bool InList = false, Listed = false, Linked = false, Continued = false;
  while (!Text.empty()) {
    auto [Line, Rest] = Text.split('\n');
    Text = Rest;
    const bool First = !Continued && Line.starts_with("MAN=");
    const StringRef Name = Line.trim(" \t\\");
    InList |= First;
    Continued = Line.ends_with("\\");
    if (InList && !First && !Listed && (Name > Page || !Continued)) {
      Out += "\t" + Page + " \\\n";
      Listed = true;
    }
    InList &= Continued;
    if (Listed && !Linked && Line.starts_with("MLINKS+=") &&
        Line.drop_front(strlen("MLINKS+=")).ltrim() > Page) {
      Out += Links;
      Linked = true;
    }
    Out += (Line + "\n").str();
  }
  return Listed && !Linked ? Out + Links : Out;
}

/// The manual page goes to the others, if there are others beside the tree.
Error addManual(const SourceTree &Tree, const SourceTree &Shims, Patch &P) {
  const SourceTree Beside(sys::path::parent_path(Tree.root()).str());
  if (!Beside.exists(ManualDirectory))
    return Error::success();
  const std::string Path = (ManualDirectory + "/" + manualPage()).str();
  auto Page = Shims.read("man/" + manualPage());
  if (!Page)
    return Page.takeError();
  if (Beside.exists(Path))
    return Error::success(); // it is there, or it is another's
  // `.Nm x ,' but for the first, which is the page itself.
  std::vector<std::string> Names;
  SmallVector<StringRef, 64> Lines;
  StringRef(*Page).split(Lines, '\n');
  for (StringRef Line : Lines)
    if (Line.consume_front(".Nm "))
      Names.push_back(Line.split(' ').first.str());
  llvm::erase(Names, sys::path::stem(manualPage()));
  std::sort(Names.begin(), Names.end());
  P.Outside.push_back({Path, std::nullopt, std::move(*Page)});
  const std::string Makefile = (ManualDirectory + "/Makefile").str();
  if (!Beside.exists(Makefile))
    return Error::success();
  auto Before = Beside.read(Makefile);
  if (!Before)
    return Before.takeError();
  std::string After = inManualMakefile(*Before, Names);
  P.Outside.push_back({Makefile, std::move(*Before), std::move(After)});
  return Error::success();
}

/// A piece of conf/series: a message, and the files that go in with it.
struct Piece {
  std::string Subject, Body;
  std::vector<std::string> Files;
};

/// conf/series: for each piece a line `Subject: ..', lines `Files: ..', a blank
/// line, and the message's body. Comments begin with # in the first column.
Expected<std::vector<Piece>> parseSeries(const SourceTree &Shims) {
  auto Content = Shims.read(ConfSeries);
  if (!Content)
    return Content.takeError();
  std::vector<Piece> Pieces;
  SmallVector<StringRef, 64> Lines;
  StringRef(*Content).split(Lines, '\n');
  for (StringRef Line : Lines) {
    if (Line.starts_with("#"))
      continue;
    if (Line.consume_front("Subject: ")) {
      Pieces.push_back({Line.str(), "", {}});
    } else if (Pieces.empty()) {
      if (!Line.trim().empty())
        return createStringError("%s: expected `Subject: ' before '%s'",
                                 Shims.path(ConfSeries).c_str(),
                                 Line.str().c_str());
    } else if (Line.consume_front("Files: ")) {
      SmallVector<StringRef, 8> Names;
      Line.split(Names, ' ', -1, /*KeepEmpty=*/false);
      for (const StringRef Name : Names)
        Pieces.back().Files.push_back(Name.str());
    } else if (!Line.empty() || !Pieces.back().Body.empty()) {
      Pieces.back().Body += Line.str() + "\n";
    }
  }
  for (Piece &P : Pieces)
    P.Body = StringRef(P.Body).rtrim('\n').str() + "\n";
  if (Pieces.empty())
    return createStringError("%s: has no `Subject: ' line",
                             Shims.path(ConfSeries).c_str());
  return Pieces;
}

/// Fails unless each of Paths is in one of the pieces, and nothing else is.
Error checkPieces(const SourceTree &Shims, ArrayRef<Piece> Pieces,
                  ArrayRef<std::string> Paths) {
  std::vector<std::string> Named;
  for (const Piece &P : Pieces)
    append_range(Named, P.Files);
  std::sort(Named.begin(), Named.end());
  for (size_t I = 0; I < Named.size(); ++I)
    if ((I && Named[I] == Named[I - 1]) || !is_contained(Paths, Named[I]))
      return createStringError("%s: %s is named twice or not there",
                               Shims.path(ConfSeries).c_str(),
                               Named[I].c_str());
  for (const std::string &Path : Paths)
    if (!is_contained(Named, Path))
      return createStringError(
          "%s: %s is in no piece; say with which it goes in",
          Shims.path(ConfSeries).c_str(), Path.c_str());
  return Error::success();
}

} // namespace

Expected<std::vector<Change>> dropFromConf(const SourceTree &Tree,
                                           ArrayRef<std::string> Paths) {
  auto Content = Tree.read(ConfFiles);
  if (!Content)
    return Content.takeError();
  const SourceText Text(*Content);
  std::vector<Change> Changes;
  for (const ConfEntry &E : parseConf(Text))
    if (is_contained(Paths, E.Path))
      Changes.push_back(
          {ConfFiles, E.Range.Begin, E.Range.End - E.Range.Begin, ""});
  return Changes;
}

std::string manualPage() { return "kmalloc_obj_reserve.9"; }

Expected<std::string> shimsText(StringRef Shims) {
  const SourceTree From(Shims.str());
  auto Paths = listShims(Shims);
  if (!Paths)
    return Paths.takeError();
  std::string All;
  for (const std::string &Path : *Paths) {
    auto Content = From.read(Path);
    if (!Content)
      return Content.takeError();
    All += *Content;
  }
  return All;
}

Expected<std::vector<Patch>>
install(const SourceTree &Tree, const clang::tooling::CompilationDatabase &DB,
        StringRef Shims) {
  const SourceTree From(Shims.str());
  auto Paths = listShims(Shims);
  if (!Paths)
    return Paths.takeError();
  auto Pieces = parseSeries(From);
  if (!Pieces)
    return Pieces.takeError();
  if (Error E = checkPieces(From, *Pieces, *Paths))
    return E;

  std::vector<Patch> Patches;
  for (const Piece &One : *Pieces) {
    Patch P;
    P.Subject = One.Subject;
    P.Body = One.Body;
    for (const std::string &Path : One.Files) {
      auto Content = From.read(Path);
      if (!Content)
        return Content.takeError();
      if (!Tree.exists(Path)) {
        P.NewFiles.push_back({Path, std::move(*Content)});
        continue;
      }
      auto Present = Tree.read(Path);
      if (!Present)
        return Present.takeError();
      if (*Present != *Content)
        return createStringError(
            "%s: exists and is not the file that would be installed; compare "
            "it with %s, then remove it or use --no-install",
            Tree.path(Path).c_str(), From.path(Path).c_str());
    }
    Patches.push_back(std::move(P));
  }

  Patch &Last = Patches.back();
  auto Conf = From.read(ConfFiles);
  if (!Conf)
    return Conf.takeError();
  auto Entries = addToConf(Tree, *Conf);
  if (!Entries)
    return Entries.takeError();
  append_range(Last.Changes, *Entries);
  auto Options = From.read(ConfOptions);
  if (!Options)
    return Options.takeError();
  auto OptionEntries = addToOptions(Tree, *Options);
  if (!OptionEntries)
    return OptionEntries.takeError();
  if (Tree.exists(ConfOptions)) {
    auto LintEntries = addToLint(Tree, *Options);
    if (!LintEntries)
      return LintEntries.takeError();
    append_range(*OptionEntries, *LintEntries);
  }
  if (!OptionEntries->empty()) {
    std::vector<std::string> Lists;
    for (const Change &C : *OptionEntries)
      Lists.push_back(C.File);
    Last.Body += "\n* The new option goes into " + join(Lists, " and ") + ".\n";
  }
  append_range(Last.Changes, *OptionEntries);

  std::vector<std::string> Allocator;
  for (const char *File : {"kern/kern_kmalloc.c", "kern/kern_slaballoc.c"})
    if (Tree.exists(File))
      Allocator.push_back(File);
  if (Allocator.empty())
    return createStringError(
        "%s: there is no kern/kern_kmalloc.c; this tree has no kmalloc_obj "
        "to hook the shims into, nothing was installed",
        Tree.root().c_str());
  auto Hooks = placeHooks(Tree, DB, Allocator);
  if (!Hooks)
    return Hooks.takeError();
  append_range(Last.Changes, *Hooks);
  auto Words = nameSpareWords(Tree);
  if (!Words)
    return Words.takeError();
  if (!Words->empty()) {
    Patch &First = Patches.front();
    First.Body += "\n* Spare words of the allocator's structures get the names "
                  "and types of what\n  they hold from now on; no member "
                  "moves.\n";
    append_range(First.Changes, *Words);
  }
  if (!Last.empty())
    if (Error E = addManual(Tree, From, Last))
      return std::move(E);
  erase_if(Patches, [](const Patch &P) { return P.empty(); });
  return Patches;
}

} // namespace kmobj
