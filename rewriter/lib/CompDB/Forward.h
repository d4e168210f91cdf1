/* SPDX-License-Identifier: BSD-3-Clause */
//===- Forward.h - machine/, cpu/ and their like --------------------------===//

#ifndef KMOBJ_COMPDB_FORWARD_H
#define KMOBJ_COMPDB_FORWARD_H

#include "KernelTree.h"
#include "Make.h"
#include "OutputDirectory.h"

namespace kmobj::compdb {

/// Writes a forwarding header for each header that config(8) would make
/// reachable by a link, and for those of sys/ which Make's _lhdrs lists as
/// reachable without it. Returns how many.
llvm::Expected<unsigned> writeForwarders(const KernelTree &Tree,
                                         const MakeFile &Make,
                                         OutputDirectory &Output);

/// Forwarding headers for all headers below Target, as directory Name.
llvm::Expected<unsigned> writeForwarders(llvm::StringRef Name,
                                         const std::string &Target,
                                         OutputDirectory &Output);

} // namespace kmobj::compdb

#endif
