/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sources as the facts saw them: each is read once and must not have
 * changed since.
 */
#ifndef KMOBJ_EDIT_SOURCES_H
#define KMOBJ_EDIT_SOURCES_H

#include "kmobj/Change.h"
#include "kmobj/Facts.h"
#include "kmobj/Layout.h"
#include <map>
#include <memory>

namespace kmobj {

class Sources {
public:
  Sources(const SourceTree &Tree, const Facts &F) : Tree(Tree), F(F) {}

  const SourceTree &tree() const { return Tree; }
  llvm::Expected<const SourceText *> get(llvm::StringRef Path);

private:
  struct Entry {
    std::string Content;
    std::unique_ptr<SourceText> Text;
  };

  const SourceTree &Tree;
  const Facts &F;
  std::map<std::string, Entry> Entries;
};

} // namespace kmobj

#endif
