/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Change.h"
#include "kmobj/Layout.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <filesystem>

using namespace llvm;
namespace stdfs = std::filesystem;

namespace kmobj {

std::string SourceTree::path(StringRef Relative) const {
  SmallString<256> Path(Root);
  sys::path::append(Path, Relative);
  return std::string(Path);
}

bool SourceTree::exists(StringRef Relative) const {
  return sys::fs::exists(path(Relative));
}

Expected<std::string> SourceTree::read(StringRef Relative) const {
  const std::string Path = path(Relative);
  auto Buffer = MemoryBuffer::getFile(Path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!Buffer)
    return createStringError(Buffer.getError(), "%s: cannot read: %s",
                             Path.c_str(), Buffer.getError().message().c_str());
  return (*Buffer)->getBuffer().str();
}

Expected<std::vector<std::string>> SourceTree::files() const {
  std::vector<std::string> Files;
  std::error_code EC;
  for (stdfs::recursive_directory_iterator I(Root, EC), End; !EC && I != End;
       I.increment(EC)) {
    std::error_code Status;
    if (I->path().filename() == ".git")
      I.disable_recursion_pending();
    if (!I->is_symlink(Status) && I->is_regular_file(Status))
      Files.push_back(
          StringRef(I->path().native()).drop_front(Root.size() + 1).str());
  }
  if (EC)
    return createStringError("%s: %s", Root.c_str(), EC.message().c_str());
  std::sort(Files.begin(), Files.end());
  return Files;
}

static bool usesCRLF(StringRef Content) {
  const size_t Lines = Content.count('\n');
  return Lines != 0 && Content.count("\r\n") * 2 > Lines;
}

static std::string withCRLF(StringRef Text) {
  std::string Out;
  for (const char C : Text) {
    if (C == '\n')
      Out += '\r';
    Out += C;
  }
  return Out;
}

static unsigned lineOf(StringRef Content, uint64_t Offset) {
  return Content.take_front(Offset).count('\n') + 1;
}

/// Neighbours on one line that both go both take the blank between them: one
/// removal of what is from A to B. None if they are no such neighbours.
static std::optional<Change> joined(StringRef Content, const Change &A,
                                    const Change &B) {
  const uint64_t AEnd = A.Offset + A.Length, BEnd = B.Offset + B.Length;
  if (B.Offset >= AEnd || AEnd >= BEnd || !A.Text.empty() || !B.Text.empty() ||
      !Content.slice(B.Offset, AEnd).trim(" \t").empty())
    return std::nullopt;
  const StringRef Both = Content.slice(A.Offset, BEnd);
  const uint64_t Begin = A.Offset + (Both.size() - Both.ltrim().size());
  const ByteRange Gone =
      SourceText(Content).removal(Begin, Begin + Both.trim().size());
  return Change{A.File, Gone.Begin, Gone.End - Gone.Begin, ""};
}

static std::vector<Change> joinRemovals(StringRef Content,
                                        std::vector<Change> Changes) {
  std::vector<Change> Out;
  for (Change &C : Changes) {
    // At the end of a line it takes the blank before it, which may be another's.
    while (!Out.empty()) {
      std::optional<Change> Both = joined(Content, Out.back(), C);
      if (!Both)
        break;
      C = std::move(*Both);
      Out.pop_back();
    }
    Out.push_back(std::move(C));
  }
  return Out;
}

Expected<std::string> applyChanges(StringRef Name, StringRef Content,
                                   std::vector<Change> Changes) {
  std::stable_sort(Changes.begin(), Changes.end(),
                   [](const Change &A, const Change &B) {
                     if (A.Offset != B.Offset)
                       return A.Offset < B.Offset;
                     return A.Length == 0 && B.Length != 0;
                   });
  Changes = joinRemovals(Content, std::move(Changes));
  const bool CRLF = usesCRLF(Content);
  std::string Out;
  uint64_t Position = 0;
  const Change *Previous = nullptr;
  for (const Change &C : Changes) {
    if (C.Offset > Content.size() || C.Length > Content.size() - C.Offset)
      return createStringError(
          "%s: a change at byte %llu lies outside the file (%zu bytes): the "
          "facts do not belong to this file; scan the tree again",
          Name.str().c_str(), static_cast<unsigned long long>(C.Offset),
          Content.size());
    if (Previous && Previous->Offset == C.Offset &&
        Previous->Length == C.Length && Previous->Text == C.Text)
      continue;
    if (C.Offset < Position)
      return createStringError("%s:%u: two changes overlap here",
                               Name.str().c_str(), lineOf(Content, C.Offset));
    Out += Content.slice(Position, C.Offset);
    Out += CRLF ? withCRLF(C.Text) : C.Text;
    Position = C.Offset + C.Length;
    Previous = &C;
  }
  Out += Content.drop_front(Position);
  return Out;
}

Expected<std::vector<FileSet>> materialize(const SourceTree &Tree,
                                           ArrayRef<Patch> Patches) {
  FileSet Originals;
  FileSet Current;
  std::map<std::string, std::vector<Change>> SoFar;
  std::vector<FileSet> States;
  for (const Patch &P : Patches) {
    std::vector<std::string> Touched;
    for (const Change &C : P.Changes) {
      SoFar[C.File].push_back(C);
      Touched.push_back(C.File);
    }
    std::sort(Touched.begin(), Touched.end());
    Touched.erase(std::unique(Touched.begin(), Touched.end()), Touched.end());
    for (const std::string &File : Touched) {
      auto [Entry, New] = Originals.try_emplace(File);
      if (New) {
        auto Content = Tree.read(File);
        if (!Content)
          return Content.takeError();
        Entry->second = std::move(*Content);
      }
      auto Result = applyChanges(File, Entry->second, SoFar[File]);
      if (!Result)
        return Result.takeError();
      Current[File] = std::move(*Result);
    }
    for (const NewFile &F : P.NewFiles) {
      if (Tree.exists(F.Path) || Current.count(F.Path))
        return createStringError("%s: is to be added, but exists already",
                                 Tree.path(F.Path).c_str());
      Current[F.Path] = F.Content;
    }
    for (const std::string &File : P.RemovedFiles) {
      if (SoFar.count(File))
        return createStringError("%s: is to go, and is changed as well",
                                 Tree.path(File).c_str());
      Current.erase(File);
    }
    States.push_back(Current);
  }
  return States;
}

} // namespace kmobj
