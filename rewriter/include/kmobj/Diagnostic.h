/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_DIAGNOSTIC_H
#define KMOBJ_DIAGNOSTIC_H

#include "llvm/Support/JSON.h"
#include <string>
#include <vector>

namespace kmobj {

/// A warning or an error.
struct UnitDiagnostic {
  std::string File; ///< relative to the tree, or absolute
  unsigned Line = 0;
  unsigned Column = 0;
  bool IsError = false;
  std::string Message;
  std::string Note; ///< the first that explains it

  /// "file:line:column: error: text"
  std::string str() const;
};
using UnitDiagnostics = std::vector<UnitDiagnostic>;

} // namespace kmobj

#endif
