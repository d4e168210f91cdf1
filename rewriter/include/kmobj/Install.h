/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shims into a tree.
 *
 * Installing means four things: the shims' files are copied, conf/files and
 * conf/options list them and their options, spare words of the allocator's
 * structures get names, and the tree's own allocator calls them at a handful of
 * places (hooks). A kernel config that calls itself a
 * LINT sets the options, too; a manual page goes in where there are others
 * beside the tree.
 * The places are found in the syntax tree of the allocator: a function by its
 * name, in it an anchor by what it is, never by how it is spelled, so that the
 * allocators of different trees and years will do.
 *
 * All or nothing: an anchor that is missing or found twice, or a file that
 * exists with other contents, and nothing is installed.  What is installed
 * already is left alone; a second run finds nothing to do.
 */
#ifndef KMOBJ_INSTALL_H
#define KMOBJ_INSTALL_H

#include "kmobj/Change.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <string>

namespace kmobj {

/// What to do to Tree so that the shims in directory Shims (with sys/, kern/
/// and conf/ below it) are part of it, in the pieces that conf/series says.
/// Files are built, and called, with the last piece: only then is all there that
/// they need. No patch: nothing is left to do. The error is one sentence that
/// says what stands in the way, and where.
llvm::Expected<std::vector<Patch>>
install(const SourceTree &Tree, const clang::tooling::CompilationDatabase &DB,
        llvm::StringRef Shims);

/// The manual page of the shims' interface, below their man/.
std::string manualPage();

/// All that the shims in directory Shims consist of, one file after the other.
llvm::Expected<std::string> shimsText(llvm::StringRef Shims);

/// Removes the entries of the sources in Paths (relative to the root) from
/// conf/files: a change each, which begins where the entry does. Sources that
/// it does not list are ignored.
llvm::Expected<std::vector<Change>>
dropFromConf(const SourceTree &Tree, llvm::ArrayRef<std::string> Paths);

/// The hooks alone, for the files (relative to the root) that hold the
/// allocator. Used by install(); separate for its tests.
llvm::Expected<std::vector<Change>>
placeHooks(const SourceTree &Tree,
           const clang::tooling::CompilationDatabase &DB,
           llvm::ArrayRef<std::string> Files);

} // namespace kmobj

#endif
