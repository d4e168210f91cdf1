/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contents out to the disk.
 *
 * Nothing is ever half-written: a file is written next to its place and
 * renamed, a directory is built under a temporary name and renamed when it is
 * complete, a tree is changed in place only after every new content lies
 * ready.  An interrupt or an error removes what was begun.
 */
#ifndef KMOBJ_OUTPUT_H
#define KMOBJ_OUTPUT_H

#include "kmobj/Change.h"
#include "kmobj/Diff.h"
#include "llvm/Support/raw_ostream.h"

namespace kmobj {

/// Writes the whole file or nothing. A path that is no regular file (a
/// terminal, a pipe) is written to directly.
llvm::Error writeFile(llvm::StringRef Path, llvm::StringRef Content);

/// Fails unless Path can become an output directory: it does not exist or is
/// an empty directory, and lies in a directory that can be written to.
llvm::Error checkOutputDirectory(llvm::StringRef Path);

/// A file before and after. Before: what was changed in the tree so far; null:
/// nothing. After: null if the file goes. Prefix: of the path that is shown.
llvm::Expected<FileDiff> fileDiff(const SourceTree &Tree,
                                  llvm::StringRef Prefix, llvm::StringRef Path,
                                  const FileSet *Before, const FileSet *After);

/// One diff of all files that differ or go, by path.
llvm::Error writeDiff(llvm::raw_ostream &OS, const SourceTree &Tree,
                      llvm::StringRef Prefix, const FileSet &After,
                      llvm::ArrayRef<std::string> Gone = {});

/// A directory with these files and no others.
llvm::Error writeDirectory(llvm::StringRef Path, const FileSet &Files);

/// A copy of the tree with the contents of After, but for the files that go.
/// Links and modes are kept.
llvm::Error writeOutputTree(llvm::StringRef Path, const SourceTree &Tree,
                            const FileSet &After,
                            llvm::ArrayRef<std::string> Gone = {});

/// Changes the tree's own files.
llvm::Error writeInPlace(const SourceTree &Tree, const FileSet &After,
                         llvm::ArrayRef<std::string> Gone = {});

} // namespace kmobj

#endif
