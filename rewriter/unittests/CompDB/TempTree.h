/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_UNITTESTS_COMPDB_TEMPTREE_H
#define KMOBJ_UNITTESTS_COMPDB_TEMPTREE_H

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

/// A directory of files that goes away with its object.
class TempTree {
public:
  TempTree() {
    llvm::SmallString<128> Path, Real;
    llvm::sys::fs::createUniqueDirectory("compdb", Path);
    llvm::sys::fs::real_path(Path, Real);
    Root = Real.str().str();
  }
  ~TempTree() { llvm::sys::fs::remove_directories(Root); }

  std::string add(llvm::StringRef Name, llvm::StringRef Text) {
    std::string Path = Root + "/" + Name.str();
    llvm::sys::fs::create_directories(llvm::sys::path::parent_path(Path));
    std::error_code EC;
    llvm::raw_fd_ostream(Path, EC) << Text;
    return Path;
  }

  std::string Root;
};

#endif
