/* SPDX-License-Identifier: BSD-3-Clause */
#include "Sources.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace llvm;

namespace kmobj {

Expected<const SourceText *> Sources::get(StringRef Path) {
  const auto Known = Entries.find(Path.str());
  if (Known != Entries.end())
    return Known->second.Text.get();
  auto Content = Tree.read(Path);
  if (!Content)
    return Content.takeError();
  const SourceFile *File = F.file(Path);
  if (File && !File->Hash.empty() &&
      File->Hash != utohexstr(xxh3_64bits(*Content), /*LowerCase=*/true, 16))
    return createStringError(
        "%s: has changed since the facts were collected; scan the tree again",
        Tree.path(Path).c_str());
  Entry &E = Entries[Path.str()];
  E.Content = std::move(*Content);
  E.Text = std::make_unique<SourceText>(E.Content);
  return E.Text.get();
}

} // namespace kmobj
