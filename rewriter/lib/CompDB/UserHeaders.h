/* SPDX-License-Identifier: BSD-3-Clause */
//===- UserHeaders.h - Stand-ins for headers of the C library -------------===//
//
// A virtual kernel is a user program, and some drivers of real kernels include
// <stdarg.h>. Those headers lie in include/ beside sys/, which a bare sys/ has
// not; the host's own will not do, their types are another system's. The
// stand-ins take types from the tree's sys/ headers, or define int64_t and its
// like where those do not, and declare what does not return an int.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_USERHEADERS_H
#define KMOBJ_COMPDB_USERHEADERS_H

#include "KernelTree.h"
#include "OutputDirectory.h"

namespace kmobj::compdb {

/// Directory of the output that holds them, last on every include path.
inline constexpr llvm::StringLiteral UserDirectory = "user";

llvm::Error writeUserHeaders(const KernelTree &Tree, OutputDirectory &Output);

} // namespace kmobj::compdb

#endif
