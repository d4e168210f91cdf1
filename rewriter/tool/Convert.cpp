/* SPDX-License-Identifier: BSD-3-Clause */
#include "Convert.h"
#include "kmobj/Trial.h"

using namespace llvm;

namespace kmobj {

/// Refuses the entries that do not compile as they did; whether there are any.
static Expected<bool>
refuseBroken(const InputOptions &Input, const SourceTree &Tree, const Facts &F,
             Plan &P, const clang::tooling::CompilationDatabase &DB,
             const SeriesOptions &Made) {
  VerifyOptions Options;
  Options.Jobs = Input.Jobs;
  Options.Known = &Input.cache();
  Progress Show("trying");
  Options.Progress = std::ref(Show);
  auto Convert = [&](Plan &Tried) -> Expected<FileSet> {
    auto R = makeSeries(Tree, F, Tried, &DB, Made);
    if (!R)
      return R.takeError();
    FileSet After = R->after();
    if (!Tree.exists("sys/kmalloc_obj.h") &&
        !After.count("sys/kmalloc_obj.h")) {
      auto Header = SourceTree(Made.Shims).read("sys/kmalloc_obj.h");
      if (!Header)
        return Header.takeError();
      After["sys/kmalloc_obj.h"] = std::move(*Header);
    }
    return After;
  };
  return tryConversion(DB, Tree, F, P, Convert, Options);
}

Expected<Series> convert(const InputOptions &Input, const Facts &F, Plan &P,
                         const clang::tooling::CompilationDatabase *DB,
                         const SeriesOptions &Made) {
  const SourceTree Tree(F.Tree);
  for (;;) {
    auto R = makeSeries(Tree, F, P, DB, Made);
    if (!R || !DB || R->Patches.empty())
      return R;
    auto Broken = refuseBroken(Input, Tree, F, P, *DB, Made);
    if (!Broken)
      return Broken.takeError();
    if (!*Broken)
      return R;
  }
}

} // namespace kmobj
