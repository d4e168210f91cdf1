/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Parsing one unit of a compile database outside the collect stage: for its
 * diagnostics, or for its syntax tree.
 */
#ifndef KMOBJ_PARSE_H
#define KMOBJ_PARSE_H

#include "clang/Frontend/ASTUnit.h"
#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/Support/VirtualFileSystem.h"
#include <memory>
#include <string>
#include <vector>

namespace kmobj {

/// A warning or an error.
struct UnitDiagnostic {
  std::string File;
  unsigned Line = 0;
  unsigned Column = 0;
  bool IsError = false;
  std::string Message;
  std::string Note; ///< the first that explains it

  /// "file:line:column: error: text"
  std::string str() const;
};

/// The databases in the directories as one, with commands inferred for files
/// which they do not list. A unit that is in several is parsed as each of them
/// says. The error says what is missing or wrong.
llvm::Expected<std::unique_ptr<clang::tooling::CompilationDatabase>>
loadDatabase(llvm::ArrayRef<std::string> Directories);

/// All diagnostics of a unit (path as the database gives it), in order. FS
/// null: the disk.
std::vector<UnitDiagnostic>
diagnose(const clang::tooling::CompilationDatabase &DB, llvm::StringRef Unit,
         llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS);

/// The unit's tree by the first of its commands. An error names the first
/// diagnostic when it does not parse.
llvm::Expected<std::unique_ptr<clang::ASTUnit>>
parseUnit(const clang::tooling::CompilationDatabase &DB, llvm::StringRef Unit);

} // namespace kmobj

#endif
