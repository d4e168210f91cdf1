/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compile databases; and parsing one unit of a database outside the collect
 * stage, for its syntax tree.
 */
#ifndef KMOBJ_PARSE_H
#define KMOBJ_PARSE_H

#include "clang/Frontend/ASTUnit.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <memory>
#include <string>
#include <vector>

namespace kmobj {

/// The databases in the directories as one, with commands inferred for files
/// which they do not list. A unit that is in several is parsed as each of them
/// says. The error says what is missing or wrong.
llvm::Expected<std::unique_ptr<clang::tooling::CompilationDatabase>>
loadDatabase(llvm::ArrayRef<std::string> Directories);

/// The unit's tree by the first of its commands. An error names the first
/// diagnostic when it does not parse.
llvm::Expected<std::unique_ptr<clang::ASTUnit>>
parseUnit(const clang::tooling::CompilationDatabase &DB, llvm::StringRef Unit);

} // namespace kmobj

#endif
