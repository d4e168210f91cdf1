/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel tree seen with other contents, without writing a file.
 *
 * Every path that leads into the tree, by whatever symbolic link or forwarding
 * header, shows what another directory or a set of contents in memory holds in
 * its place.  So the compile commands made for the tree parse its conversion
 * as they are, and diagnostics name the same paths before and after.
 */
#ifndef KMOBJ_TREEVIEW_H
#define KMOBJ_TREEVIEW_H

#include "kmobj/Change.h"
#include "llvm/Support/VirtualFileSystem.h"

namespace kmobj {

/// Tree's files are those of the directory Other; what Other lacks is not
/// there. Both are absolute real paths.
llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem>
viewDirectory(llvm::StringRef Tree, llvm::StringRef Other);

/// The files in Contents have these contents; all others are as on disk.
llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem>
viewContents(llvm::StringRef Tree, const FileSet &Contents);

} // namespace kmobj

#endif
