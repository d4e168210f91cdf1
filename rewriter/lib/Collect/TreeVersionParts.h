/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_COLLECT_TREEVERSIONPARTS_H
#define KMOBJ_COLLECT_TREEVERSIONPARTS_H

#include "UnitReader.h"
#include "kmobj/TreeVersion.h"
#include <deque>

namespace kmobj {

struct TreeVersion::Parts {
  View See;
  UnitReader::FileSystem FS;
  TextStore Store;
  TreeIndex Index;
  UnitReader Reader;
  std::deque<UnitText> Units;

  Parts(std::string Tree, View V, Cache *Known)
      : See(std::move(V)), FS(See()), Store(std::move(Tree), FS),
        Index(Store, FS), Reader(Store, Index, Known) {}
};

} // namespace kmobj

#endif // KMOBJ_COLLECT_TREEVERSIONPARTS_H
