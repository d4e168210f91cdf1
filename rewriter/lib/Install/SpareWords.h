/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_LIB_INSTALL_SPAREWORDS_H
#define KMOBJ_LIB_INSTALL_SPAREWORDS_H

#include "kmobj/Change.h"
#include "clang/Tooling/CompilationDatabase.h"

namespace kmobj {

/// Gives the spare words that the shims use in the structures of Tree's
/// allocator the names by which they use them, where they have them not yet.
/// Unit is the allocator's source.
llvm::Expected<std::vector<Change>>
nameSpareWords(const SourceTree &Tree,
               const clang::tooling::CompilationDatabase &DB,
               llvm::StringRef Unit);

} // namespace kmobj

#endif
