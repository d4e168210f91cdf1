/* SPDX-License-Identifier: BSD-3-Clause */
//===- CompDB.h - Making a kernel tree parseable --------------------------===//
//
// A BSD kernel is not parsed from its sources alone: a build configures it
// first. config(8) makes links and headers of options, make(1) runs the tree's
// scripts, and only the Makefiles know the flags. makeCompDB() does all that
// from a bare sys/ directory, on a system that is not BSD, and leaves what a
// kernel's build directory would hold, with a compile_commands.json.
//
//   conf/files*, conf/options*, a kernel config    -> which units; opt_*.h
//   platform and processor directories             -> machine/, cpu/...
//   tools/*.awk                                    -> *_if.h, usbdevs.h...
//   the kernel's and the modules' Makefiles        -> flags; more units
//
// A forwarding header is one #include of the real header by its real path, so
// that whatever reads the tree sees each header under one name.
//
// Nothing is written to the tree. The output directory appears whole or not at
// all. The same tree gives the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_H
#define KMOBJ_COMPDB_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>

namespace kmobj {

struct CompDBOptions {
  std::string Tree;     ///< root of the kernel's sources
  std::string Platform; ///< empty: see findKernelTree()
  std::string Arch;
  std::string Config;
  std::string Output;
  /// Run none of the tree's scripts: they are code of the tree, which can do
  /// whatever the user can.
  bool NoScripts = false;
  /// Called with each of the tree's scripts before it is first run; may be
  /// empty.
  std::function<void(llvm::StringRef)> Announce;
  /// Called with the step, the number of steps and what is being done now; may
  /// be empty.
  std::function<void(unsigned, unsigned, llvm::StringRef)> Progress;
  /// Asked now and then; true: stop and leave nothing. May be empty.
  std::function<bool()> Interrupted;
};

struct CompDBResult {
  /// No unit of the config lacks a header or is absent itself.
  bool Complete = false;
  /// What was made, what is missing and where: for a person. The full form,
  /// with the units that the config leaves out, is report.txt in the output.
  std::string Summary;
};

/// Fails, with one sentence, if the tree is not a BSD kernel's, the wishes
/// cannot be met or the output cannot be written.
llvm::Expected<CompDBResult> makeCompDB(const CompDBOptions &Options);

} // namespace kmobj

#endif
