/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Text out of a tree, for a terminal.
 *
 * A name in a kernel's sources may hold anything: a line feed that begins a
 * line of its own in a report, an escape sequence that colours or erases what
 * stands above it. Whatever is printed for a person goes through here.
 */
#ifndef KMOBJ_PRINTABLE_H
#define KMOBJ_PRINTABLE_H

#include "llvm/ADT/StringRef.h"
#include <string>

namespace kmobj {

/// Text on one line: control characters become \n, \x1b and the like.
std::string printable(llvm::StringRef Text);

/// The same of each line of Text.
std::string printableLines(llvm::StringRef Text);

} // namespace kmobj

#endif
