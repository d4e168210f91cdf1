/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Repository.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace kmobj {

std::optional<std::string> git(ArrayRef<StringRef> Arguments) {
  const auto Program = sys::findProgramByName("git");
  SmallString<128> File;
  if (!Program || sys::fs::createTemporaryFile("kmobj", "txt", File))
    return std::nullopt;
  const FileRemover Remover(File);
  const std::optional<StringRef> Redirects[] = {StringRef(""), StringRef(File),
                                                StringRef("")};
  std::vector<StringRef> All{*Program};
  All.insert(All.end(), Arguments.begin(), Arguments.end());
  if (sys::ExecuteAndWait(*Program, All, std::nullopt, Redirects))
    return std::nullopt;
  const auto Text = MemoryBuffer::getFile(File);
  if (!Text)
    return std::nullopt;
  return (*Text)->getBuffer().str();
}

/// A line that git ends, whatever else is in it.
static std::string line(const std::string &Text) {
  StringRef Line = Text;
  Line.consume_back("\n");
  return Line.str();
}

Repository repositoryOf(StringRef Tree) {
  Repository R;
  const auto Root = git({"-C", Tree, "rev-parse", "--show-toplevel"});
  const auto Prefix = git({"-C", Tree, "rev-parse", "--show-prefix"});
  // A tree may lie in somebody else's repository, unknown to it.
  if (!Root || !Prefix ||
      !git({"-C", Tree, "ls-files", "--error-unmatch", "--", "."}))
    return R;
  R.Root = line(*Root);
  R.Prefix = line(*Prefix);
  return R;
}

Uncommitted uncommitted(const Repository &R, StringRef Tree) {
  Uncommitted Found;
  if (!R)
    return Found;
  const auto Status = git({"-C", Tree, "status", "--porcelain", "-z",
                           "--no-renames", "--untracked-files=all", "--", "."});
  if (!Status)
    return Found;
  for (StringRef Rest = *Status; !Rest.empty();) {
    auto [Entry, Next] = Rest.split('\0');
    Rest = Next;
    if (Entry.size() < 4)
      continue;
    StringRef Path = Entry.drop_front(3);
    Path.consume_front(R.Prefix);
    (Entry.starts_with("??") ? Found.Unknown : Found.Changed)
        .push_back(Path.str());
  }
  return Found;
}

} // namespace kmobj
