/* SPDX-License-Identifier: BSD-3-Clause */
//===- KernelTree.h - Where a BSD kernel tree keeps its things ------------===//
//
// Three arrangements are known:
//
//   platform/<P>/{conf,include}, cpu/<A>/include, config/   (DragonFly)
//   arch/<P>/{conf,include}, cpu/<A>/include, config/       (its first years)
//   <A>/{conf,include}, conf/files.<A>, x86/include         (FreeBSD
//   and 4.4BSD)
//
// Nothing else of the kit's code asks how a tree is arranged.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_KERNELTREE_H
#define KMOBJ_COMPDB_KERNELTREE_H

#include "KernelConfig.h"

namespace kmobj::compdb {

struct KernelTree {
  std::string Root;     ///< real path
  std::string Platform; ///< pc64, vkernel64, i386...
  std::string Arch;     ///< x86_64, i386...
  std::string System;   ///< dragonfly, freebsd; empty: neither

  std::vector<std::string> OtherPlatforms;

  std::string PlatformDir; ///< absolute, as all paths here
  std::string CpuDir;      ///< empty: there is none
  std::string ConfigPath;  ///< the kernel config; empty: there is none
  std::vector<std::string> FileLists, OptionLists;
  std::string KernelMakefile; ///< empty: there is none

  /// Directory below an include path (machine, cpu...) -> the directories of
  /// the tree that fill it, the last one first.
  std::map<std::string, std::vector<std::string>> Forwarded;

  std::string path(llvm::StringRef Relative) const;
  /// Path below the root, or the path itself if it is not there.
  std::string relative(llvm::StringRef Path) const;
};

/// Finds out how the tree at Root is arranged. Platform, Arch and Config are
/// the user's wishes, empty ones are found: the config says its platform; else
/// pc64 or the only one; the platform's config is the one called GENERIC or
/// like the platform. Fails with one sentence if Root is no BSD kernel tree, or
/// has not what is wished for.
llvm::Expected<KernelTree> findKernelTree(llvm::StringRef Root,
                                          llvm::StringRef Platform,
                                          llvm::StringRef Arch,
                                          llvm::StringRef Config,
                                          KernelConfig &Read);

} // namespace kmobj::compdb

#endif
