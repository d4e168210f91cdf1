/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is a converted tree what the plan promised?
 *
 * Three questions, none of them asked of the editor. Does every unit that the
 * changes concern (Concern.h), and every new file, give the diagnostics it gave
 * before, and no more? Is anything of the old allocators left where the plan
 * says converted (the converted tree is collected again)? And does the plan's
 * meaning hold: each call as planned, each other statement where it stood
 * (Meaning.cpp), the allocator's hooks and the shims as they are installed?
 */
#ifndef KMOBJ_VERIFY_H
#define KMOBJ_VERIFY_H

#include "kmobj/Cache.h"
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
  /// What is known of units from earlier; null: nothing.
  Cache *Known = nullptr;
  /// Parse the units, too, that no change concerns.
  bool All = false;
  /// Of the others, so many are parsed, drawn by lot.
  unsigned Draw = 12;
  /// By default the contents decide.
  std::optional<uint64_t> Seed;
  /// The tree before with the shims installed, where the plan needs them: what
  /// install() changes and adds. Its files are compared instead of Before's.
  FileSet Installed;
  UnitProgress Progress;
};

struct VerifyResult {
  /// One sentence each, with file and line; empty: all is well.
  std::vector<std::string> Problems;
  /// What could not be looked at: new files whose headers the tree before does
  /// not have either.
  std::vector<std::string> Notes;
  unsigned Files = 0; ///< that differ between the trees
  unsigned Units = 0; ///< whose diagnostics were compared
  /// Units that read what has changed, and that it does not concern. Of those
  /// some were compared, drawn by this seed.
  unsigned Unconcerned = 0, Drawn = 0;
  uint64_t Seed = 0;
  /// One of those that were drawn shows that it was concerned: all were
  /// compared then.
  std::string Disproved;
};

/// F and P: of the tree before. F.Tree is the one that the compile database
/// names; Before and Converted, which are real paths, are the directories with
/// its two versions, and one of them may be F.Tree itself. Fails where there is
/// nothing to compare.
llvm::Expected<VerifyResult>
verify(const clang::tooling::CompilationDatabase &DB, const Facts &F,
       const Plan &P, llvm::StringRef Before, llvm::StringRef Converted,
       const VerifyOptions &Options);

/// What of P does not hold in After, given the text of the files that differ,
/// with file and line. Statements that P does not touch stand under what they
/// stood under.
std::vector<std::string> meaningProblems(const Facts &F, const Plan &P,
                                         const FileSet &Before,
                                         const FileSet &After);

/// Diagnostics that a unit of Tree gives with the contents of After and not
/// without them. Before: the commands for the tree as it is.
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
               const clang::tooling::CompilationDatabase &Before,
               const SourceTree &Tree, const FileSet &After,
               llvm::ArrayRef<std::string> Units, const VerifyOptions &Options);

} // namespace kmobj

#endif
