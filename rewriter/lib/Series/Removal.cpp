/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes once nobody needs it.
 *
 * An allocator that serves no zone any more is not built any more, and a file
 * that nothing in the tree refers to is removed.  What reads it outside the
 * kernel is another matter: vmstat(8) looks up zalloc's list of zones whatever
 * it is asked for.  Unless it was looked for (--userland) and nothing of the
 * kind was found, a file of a few lines keeps that list, empty, and the
 * sysctls.
 */
#include "Mail.h"
#include "Remains.h"
#include "kmobj/Edit.h"
#include "kmobj/Install.h"
#include "kmobj/Layout.h"
#include "kmobj/Printable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj {

namespace {

constexpr StringLiteral ZoneList = "vm/vm_zlist.c";

/// The first file that needs an allocator's source or header, and how many do.
struct Referrers {
  std::string First;
  unsigned Count = 0;

  void add(StringRef File) {
    if (Count == 0 || File < First)
      First = File.str();
    ++Count;
  }
  std::string str() const {
    return First +
           (Count > 1 ? " and " + std::to_string(Count - 1) + " more" : "");
  }
};

bool namesInMakefile(StringRef Text, StringRef Source) {
  const StringRef Name = sys::path::filename(Source);
  for (size_t At = 0; (At = Text.find(Name, At)) != StringRef::npos; ++At) {
    const size_t Line = Text.rfind('\n', At) + 1; // npos + 1 is 0
    if (!Text.substr(Line).starts_with("#") &&
        (At == 0 || !(isAlnum(Text[At - 1]) || Text[At - 1] == '_')))
      return true;
  }
  return false;
}

bool includes(StringRef Text, StringRef Header) {
  if (!Text.contains(sys::path::filename(Header)))
    return false;
  return any_of(findIncludes(SourceText(Text)), [&](const IncludeLine &I) {
    return sys::path::filename(I.Name) == sys::path::filename(Header);
  });
}

/// Who needs Of, in the tree as S leaves it. conf/files is not asked.
Error findReferrers(const SourceTree &Tree, const Series &S,
                    const OldAllocator &Of, Referrers &OfSource,
                    Referrers &OfHeader) {
  return forEachRemaining(Tree, S, [&](const RemainingFile &F) {
    const StringRef Name = sys::path::filename(F.Path);
    if (isSource(F.Path)) {
      if (F.Path != Of.Source && includes(F.Text, Of.Header))
        OfHeader.add(F.Path);
    } else if (F.Path != "conf/files" &&
               (Name.starts_with("files") || Name.starts_with("Makefile") ||
                sys::path::extension(F.Path) == ".mk") &&
               namesInMakefile(F.Text, Of.Source)) {
      OfSource.add(F.Path);
    }
  });
}

/// What to take out of the text of Header for the functions that it declares
/// and nobody has any more.
std::vector<Change> dropPrototypes(StringRef Header, StringRef Content,
                                   ArrayRef<std::string> Functions) {
  const SourceText Text(Content);
  std::vector<Change> Gone;
  forEachName(Content, [&](const NameUse &N) {
    if (N.Role != NameUse::Declared || !is_contained(Functions, N.Name))
      return;
    const size_t End = Content.find(';', N.Offset);
    // With its type, on the line above at the most; of one function, and of
    // nothing that may be a macro.
    auto IsType = [](StringRef Words) {
      return !Words.empty() && all_of(Words, [](char C) {
        return islower(C) || isDigit(C) || isSpace(C) || C == '_' || C == '*';
      }) && !Words.contains("__");
    };
    uint64_t Begin = Text.lineBegin(N.Offset);
    if (Text.slice(Begin, N.Offset).trim().empty() && Begin > 0)
      Begin = Text.lineBegin(Begin - 1);
    if (End == StringRef::npos || !IsType(Text.slice(Begin, N.Offset).trim()))
      return;
    unsigned Depth = 0;
    for (const char C : Content.slice(N.Offset, End)) {
      Depth += C == '(';
      Depth -= C == ')';
      if (C == ',' && Depth == 0)
        return;
    }
    Begin = Text.withComment(Begin);
    if (!Text.endsLine(Text.skipTrailingComment(End + 1)))
      return;
    const ByteRange R = Text.removal(Begin, End + 1);
    Gone.push_back({Header.str(), R.Begin, R.End - R.Begin, ""});
  });
  // An #if in which nothing else is goes, too.
  auto IsGone = [&](uint64_t At) {
    return any_of(Gone, [&](const Change &C) {
      return C.Offset <= At && At < C.Offset + C.Length;
    });
  };
  for (uint64_t If = 0; If < Content.size(); If = Text.nextLine(If)) {
    if (!Text.line(If).ltrim().starts_with("#if"))
      continue;
    bool Any = false;
    uint64_t At = Text.nextLine(If);
    while (At < Content.size() &&
           (IsGone(At) || Text.line(At).trim().empty())) {
      Any |= IsGone(At);
      At = Text.nextLine(At);
    }
    if (!Any || !Text.line(At).ltrim().starts_with("#endif"))
      continue;
    const ByteRange R = Text.removal(If, Text.lineEnd(At));
    erase_if(Gone, [&](const Change &C) {
      return C.Offset >= R.Begin && C.Offset + C.Length <= R.End;
    });
    Gone.push_back({Header.str(), R.Begin, R.End - R.Begin, ""});
  }
  return Gone;
}

/// Does it define a list of zones that others can see?
bool hasVisibleList(StringRef Source) {
  const SourceText Text(Source);
  for (uint64_t At = 0; At < Source.size(); At = Text.nextLine(At)) {
    const StringRef Line = Text.line(At);
    if (Line.contains("LIST_HEAD(") && Line.contains(" zlist") &&
        !Line.starts_with("static"))
      return true;
  }
  return false;
}

Expected<Patch> remove(const SourceTree &Tree, const Series &S,
                       const OldAllocator &Of, const SeriesOptions &Options) {
  Patch P;
  const std::string Source = Of.Source.str(), Header = Of.Header.str();
  auto Drop = dropFromConf(Tree, Source);
  if (!Drop)
    return Drop.takeError();
  if (Drop->empty())
    return P;
  const bool IsZalloc = Of.Name == Zalloc.Name;
  std::vector<std::string> Outside;
  for (const Reader &R : Options.Readers)
    if (R.ofZones() == IsZalloc)
      Outside.push_back(R.str());

  P.Subject = "kernel - Remove " + Of.Name.str();
  P.Body = bullet("What it served are malloc types now, and nothing calls it.");
  bool Keep = false;
  if (IsZalloc && Tree.exists(Source) &&
      (!Options.Searched || !Outside.empty())) {
    auto Text = Tree.read(Source);
    if (!Text)
      return Text.takeError();
    Keep = hasVisibleList(*Text);
  }
  P.Changes = std::move(*Drop);
  if (Keep) {
    auto Content = SourceTree(Options.Shims).read("compat/vm_zlist.c");
    if (!Content)
      return Content.takeError();
    P.NewFiles.push_back({ZoneList.str(), std::move(*Content)});
    for (Change &C : P.Changes) {
      C.Length = Source.size(); // what follows the name stays
      C.Text = ZoneList.str();
    }
    P.Body +=
        "\n" + bullet(ZoneList + " takes its place: the list of zones, "
                                 "empty, and the sysctls. vmstat(8) looks "
                                 "up _zlist whatever it is asked for, and "
                                 "ends if there is none. It can go when "
                                 "nothing reads it any more.");
  }

  Referrers OfSource, OfHeader;
  if (Error E = findReferrers(Tree, S, Of, OfSource, OfHeader))
    return E;
  const FileSet After = S.after();
  std::vector<std::string> Stay;
  auto Remove = [&](const std::string &File, const std::string &Why) {
    if (!Tree.exists(File))
      return;
    if (Why.empty() && !After.count(File))
      P.RemovedFiles.push_back(File);
    else
      Stay.push_back(File + " stays: " +
                     (Why.empty() ? "an earlier patch changes it" : Why));
  };
  Remove(Source, OfSource.Count ? "it is listed by " + OfSource.str() : "");
  if (OfHeader.Count == 0)
    for (const Reader &R : Options.Readers)
      if (R.ofZones() == IsZalloc && R.Includes)
        OfHeader.add(R.File);
  if (OfHeader.Count)
    Remove(Header, "it is included by " + OfHeader.str());
  else if (!Options.Searched)
    Remove(Header, "nothing in the kernel includes it any more, but programs "
                   "may, and were not searched (--userland)");
  else
    Remove(Header, "");
  if (is_contained(P.RemovedFiles, Source)) {
    Remains Left(Tree, S, Source, Header);
    if (Error E = Left.look())
      return E;
    if (Tree.exists(Header) && !is_contained(P.RemovedFiles, Header) &&
        !Left.Prototypes.empty()) {
      auto Content = Tree.read(Header);
      if (!Content)
        return Content.takeError();
      append_range(P.Changes,
                   dropPrototypes(Header, *Content, Left.Prototypes));
      Stay.back() += ". It no longer declares functions that do not exist: "
                     "its structures and macros stay";
    }
    std::string Check;
    for (const auto *List : {&Left.Unused, &Left.Comments})
      for (const std::string &One : *List)
        Check += bullet(printable(One));
    if (!Check.empty())
      P.Notes +=
          "What to check, on lines of the tree with the whole series:\n" +
          Check + "\n";
  }
  if (!P.RemovedFiles.empty())
    P.Body += "\n" + bullet(join(P.RemovedFiles, " and ") +
                            (P.RemovedFiles.size() > 1 ? " go" : " goes") +
                            ": nothing refers to " +
                            (P.RemovedFiles.size() > 1 ? "them." : "it."));
  for (const std::string &One : Stay)
    P.Body += "\n" + bullet(One + ".");
  if (!Outside.empty()) {
    P.Body += "\n" + bullet("Outside the kernel these know it:");
    for (const std::string &One : Outside)
      P.Body += "  - " + printable(One) + "\n";
  } else if (Options.Searched) {
    P.Body +=
        "\n" + bullet("Nothing outside the kernel was found that knows it.");
  }
  return P;
}

} // namespace

Error addRemovals(Series &S, const SourceTree &Tree, const Plan &P,
                  const SeriesOptions &Options) {
  if (S.Patches.empty() || !Tree.exists("conf/files"))
    return Error::success();
  for (const auto &[Unused, Of] :
       {std::pair(P.DropZone, &Zalloc), std::pair(P.DropObjcache, &Objcache)}) {
    if (!Unused)
      continue;
    auto Patch = remove(Tree, S, *Of, Options);
    if (!Patch)
      return Patch.takeError();
    if (Patch->empty())
      continue;
    S.Patches.push_back(std::move(*Patch));
    if (Error E = closeLastGaps(Tree, S.Patches))
      return E;
    auto States = materialize(Tree, S.Patches);
    if (!States)
      return States.takeError();
    S.States = std::move(*States);
  }
  return Error::success();
}

} // namespace kmobj
