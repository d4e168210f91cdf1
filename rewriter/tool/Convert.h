/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plan, edit, try, and again.
 *
 * Before anything is written the changed units are parsed with their new
 * contents.  An entry of the plan whose conversion cannot be edited, or does
 * not compile the way the original did, is refused as a whole, and the rest is
 * edited anew.
 */
#ifndef KMOBJ_TOOL_CONVERT_H
#define KMOBJ_TOOL_CONVERT_H

#include "Tool.h"
#include "kmobj/Series.h"

namespace kmobj {

/// The series that converts what P says, but for what it refuses in P. DB null:
/// nothing is tried.
llvm::Expected<Series> convert(const InputOptions &Input, const Facts &F,
                               Plan &P,
                               const clang::tooling::CompilationDatabase *DB,
                               const SeriesOptions &Made);

} // namespace kmobj

#endif
