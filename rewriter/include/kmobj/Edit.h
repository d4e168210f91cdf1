/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plan, facts and sources in; changes to files out.
 *
 * Nothing is decided here and no C is parsed: the plan says what is to be done
 * at which place, the facts say where the text stands, and this stage writes
 * the new text in the layout of the file around it.  Each converted entry of
 * the plan becomes one Patch.
 *
 * What only the layout can tell may still stand against an entry (a statement
 * that cannot be taken out where it stands, changes of two zones that meet).
 * Such an entry is refused as a whole, like one that the plan refuses.
 */
#ifndef KMOBJ_EDIT_H
#define KMOBJ_EDIT_H

#include "kmobj/Change.h"
#include "kmobj/Facts.h"
#include "kmobj/Layout.h"
#include "kmobj/Plan.h"
#include <functional>

namespace kmobj {

/// Where the patch of these entries comes among the others: lowest first, and
/// in the order of the plan among equals.
using PatchRank = std::function<unsigned(llvm::ArrayRef<const PlanEntry *>)>;

/// One patch for each entry of P that is converted, or for each group of them,
/// without a message. Entries that turn out not to be editable are refused in
/// P, with the reason. Fails if a source cannot be read or is not the one which
/// the facts describe.
llvm::Expected<std::vector<Patch>> edit(const SourceTree &Tree, const Facts &F,
                                        Plan &P, const PatchRank &Rank = {});

/// The comments of a text, from their first byte to behind their last.
std::vector<ByteRange> commentsOf(llvm::StringRef Text);

/// Takes the blank lines away that go with what the last of Patches takes away.
llvm::Error closeLastGaps(const SourceTree &Tree,
                          llvm::MutableArrayRef<Patch> Patches);

} // namespace kmobj

#endif
