/* SPDX-License-Identifier: BSD-3-Clause */
//===- KernelConfig.h - What one kernel is made of ------------------------===//
//
// A kernel config as config(8) reads it: options, devices, make variables, and
// which platform and processor they are for. Old forms are understood: quoted
// machine names, `device sio0 at isa?', `controller', `pseudo-device tun 4'.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_KERNELCONFIG_H
#define KMOBJ_COMPDB_KERNELCONFIG_H

#include "Text.h"
#include <map>
#include <set>

namespace kmobj::compdb {

class KernelConfig {
public:
  std::string Name; ///< file name without its directory; empty: no config
  std::string Platform, Machine, MachineArch, Ident;
  std::string MaxUsers;
  std::map<std::string, std::string> Options;     ///< name -> value
  std::map<std::string, std::string> MakeOptions; ///< name -> value
  std::map<std::string, unsigned> Devices;        ///< name -> count
  std::set<std::string> Cpus;
  std::vector<std::string> ExtraFiles; ///< `files' lines: more source lists
  std::vector<Note> Notes;             ///< lines that were not understood

  /// Whether `optional Need' in a source list is met: by a device of that
  /// name, or by an option or processor type whatever its case.
  bool provides(llvm::StringRef Need) const;

  /// The count of a device: what its use_<name>.h says.
  unsigned count(llvm::StringRef Device) const;
};

/// Reads the config at Path and what it includes; an include is looked for
/// beside its file, then in Directories. Fails on an unreadable file.
llvm::Expected<KernelConfig>
readKernelConfig(llvm::StringRef Path, llvm::ArrayRef<std::string> Directories);

} // namespace kmobj::compdb

#endif
