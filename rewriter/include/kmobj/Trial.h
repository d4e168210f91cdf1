/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trying a conversion before it is written.
 *
 * The units that the conversion concerns are parsed with their new contents, in
 * every configuration.  An entry of the plan whose conversion does not compile
 * as the original did is refused.  So is one whose objects would not have the
 * size that the plan knows, wherever that is written: the trial is a version of
 * the conversion in which each size asserts its number, so that the compiler
 * itself says where a name means something else.
 */
#ifndef KMOBJ_TRIAL_H
#define KMOBJ_TRIAL_H

#include "kmobj/Verify.h"

namespace kmobj {

/// The contents of the files that a plan changes; may refuse entries in it.
using Conversion = std::function<llvm::Expected<FileSet>(Plan &)>;

/// Tries P, and refuses in it what does not hold. Returns whether anything was.
/// A new warning is no reason to refuse; it is said in P's remarks.
llvm::Expected<bool>
tryConversion(const clang::tooling::CompilationDatabase &DB,
              const SourceTree &Tree, const Facts &F, Plan &P,
              const Conversion &Convert, const VerifyOptions &Options);

} // namespace kmobj

#endif
