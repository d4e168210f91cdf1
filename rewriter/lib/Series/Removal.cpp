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
#include "kmobj/Install.h"
#include "kmobj/Layout.h"
#include "kmobj/Printable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <filesystem>

using namespace llvm;
namespace stdfs = std::filesystem;

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
  const FileSet After = S.after();
  const std::vector<std::string> Gone = S.gone();
  auto Look = [&](StringRef File, StringRef Text) {
    const StringRef Ending = sys::path::extension(File);
    const StringRef Name = sys::path::filename(File);
    if (is_contained({".c", ".h", ".S", ".s", ".y", ".l", ".m"}, Ending)) {
      if (File != Of.Source && includes(Text, Of.Header))
        OfHeader.add(File);
    } else if (File != "conf/files" &&
               (Name.starts_with("files") || Name.starts_with("Makefile") ||
                Ending == ".mk") &&
               namesInMakefile(Text, Of.Source)) {
      OfSource.add(File);
    }
  };
  const std::string Root = Tree.root();
  std::error_code EC;
  for (stdfs::recursive_directory_iterator I(Root, EC), End; !EC && I != End;
       I.increment(EC)) {
    std::error_code Status;
    if (I->path().filename() == ".git")
      I.disable_recursion_pending();
    if (I->is_symlink(Status) || !I->is_regular_file(Status))
      continue;
    const std::string File =
        StringRef(I->path().native()).drop_front(Root.size() + 1).str();
    if (After.count(File) || is_contained(Gone, File))
      continue;
    auto Text = Tree.read(File);
    if (!Text)
      return Text.takeError();
    Look(File, *Text);
  }
  if (EC)
    return createStringError("%s: %s", Root.c_str(), EC.message().c_str());
  for (const auto &[File, Text] : After)
    Look(File, Text);
  return Error::success();
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
    Remove(Header, "nothing in the tree includes it, but it was not searched "
                   "what outside the kernel does (--userland)");
  else
    Remove(Header, "");
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
    auto States = materialize(Tree, S.Patches);
    if (!States)
      return States.takeError();
    S.States = std::move(*States);
  }
  return Error::success();
}

} // namespace kmobj
