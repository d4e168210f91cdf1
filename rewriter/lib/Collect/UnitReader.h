/* SPDX-License-Identifier: BSD-3-Clause */
//===- UnitReader.h - What a unit says, parsed or known -------------------===//
//
// One parse finds both the facts of a unit and its diagnostics. They are two
// entries of the cache, as who asks for diagnostics does not know which files
// are plain. Keys are made of what TreeIndex::reach() found; what was read in
// spite of that, or had changed by then, is in no key, and such a result is not
// kept.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COLLECT_UNITREADER_H
#define KMOBJ_COLLECT_UNITREADER_H

#include "UnitCollector.h"
#include "kmobj/Cache.h"

namespace kmobj {

/// A unit as one command has it.
struct UnitText {
  clang::tooling::CompileCommand Command;
  TreeIndex::Reach Reach;
};

/// Safe to use from several threads, when the index is complete.
class UnitReader {
public:
  using FileSystem = llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem>;

  /// Known null: nothing is.
  UnitReader(TextStore &Store, const TreeIndex &Index, Cache *Known)
      : Store(Store), Index(Index), Known(Known) {}

  UnitFacts facts(const UnitText &U, FileSystem FS);
  UnitDiagnostics diagnostics(const UnitText &U, FileSystem FS);

private:
  TextStore &Store;
  const TreeIndex &Index;
  Cache *Known;

  std::string key(llvm::StringRef What, const UnitText &U) const;
  UnitFacts parse(const UnitText &U, FileSystem FS);
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_UNITREADER_H
