/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_LIB_INSTALL_SPAREWORDS_H
#define KMOBJ_LIB_INSTALL_SPAREWORDS_H

#include "kmobj/Change.h"

namespace kmobj {

/// Gives the spare words that the shims use in the structures of Tree's
/// allocator the names by which they use them, where they have them not yet.
llvm::Expected<std::vector<Change>> nameSpareWords(const SourceTree &Tree);

} // namespace kmobj

#endif
