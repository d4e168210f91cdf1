/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a converted tree what the plan promised?
 *
 * Two questions, each asked of the compiler and not of the editor: is anything
 * of the old allocators left where the plan says converted (the converted tree
 * is collected again), and does every unit that can have changed give the same
 * diagnostics as before.
 */
#ifndef KMOBJ_VERIFY_H
#define KMOBJ_VERIFY_H

#include "kmobj/Change.h"
#include "kmobj/Facts.h"
#include "kmobj/Plan.h"
#include "clang/Tooling/CompilationDatabase.h"
#include <functional>
#include <string>
#include <vector>

namespace kmobj {

/// Told after each unit.
using UnitProgress =
    std::function<void(unsigned Done, unsigned Total, llvm::StringRef Unit)>;

struct VerifyOptions {
  /// Parallel parses; 0: one per CPU.
  unsigned Jobs = 0;
  UnitProgress Progress;
};

struct VerifyResult {
  /// One sentence each, with file and line; empty: all is well.
  std::vector<std::string> Problems;
  unsigned Files = 0; ///< that differ between the trees
  unsigned Units = 0; ///< whose diagnostics were compared
};

/// F and P: of the tree before. Converted: directory of the converted tree,
/// a real path.
llvm::Expected<VerifyResult>
verify(const clang::tooling::CompilationDatabase &DB, const Facts &F,
       const Plan &P, llvm::StringRef Converted, const VerifyOptions &Options);

/// Diagnostics that a unit of Tree gives with the contents of After and not
/// without them.
struct NewDiagnostic {
  std::string Unit; ///< relative to the tree
  std::string File; ///< relative to the tree, or absolute
  std::string Text; ///< "file:line:column: error: ..."
  bool IsError = false;
  std::string Message; ///< without place
  std::string Note;    ///< the first note about it
};
std::vector<NewDiagnostic>
newDiagnostics(const clang::tooling::CompilationDatabase &DB,
               const SourceTree &Tree, const FileSet &After,
               llvm::ArrayRef<std::string> Units, const VerifyOptions &Options);

} // namespace kmobj

#endif
