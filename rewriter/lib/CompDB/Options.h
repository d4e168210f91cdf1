/* SPDX-License-Identifier: BSD-3-Clause */
//===- Options.h - opt_*.h and use_*.h ------------------------------------===//
//
// conf/options says which header an option is defined in; the config says which
// options are set, and to what. Every header that conf/options names is made,
// so that an option which is not set reads as such.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_OPTIONS_H
#define KMOBJ_COMPDB_OPTIONS_H

#include "ConfFiles.h"

namespace kmobj::compdb {

/// Option -> header.
using OptionTable = std::map<std::string, std::string>;

/// Reads the table at Path into Table; a line that was there before stays.
llvm::Error readOptions(llvm::StringRef Path, OptionTable &Table,
                        std::vector<Note> &Notes);

/// Name -> contents of every header of options. Options of the config that no
/// table knows go to opt_global.h, and their names to Unknown.
std::map<std::string, std::string>
optionHeaders(const OptionTable &Table, const KernelConfig &Config,
              std::vector<std::string> &Unknown);

/// The contents of use_<device>.h.
std::string countHeader(llvm::StringRef Device, const KernelConfig &Config);

} // namespace kmobj::compdb

#endif
