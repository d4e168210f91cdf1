/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KMOBJ_UNITTESTS_TEMPORARYTREE_H
#define KMOBJ_UNITTESTS_TEMPORARYTREE_H

#include "kmobj/Change.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace kmobj {

/// Files on disk for as long as a test runs, below root()/sys.
class TemporaryTree {
public:
  explicit TemporaryTree(const FileSet &Files) {
    llvm::SmallString<128> Path;
    if (llvm::sys::fs::createUniqueDirectory("kmobj-test", Path))
      std::abort();
    llvm::SmallString<128> Real;
    if (llvm::sys::fs::real_path(Path, Real))
      std::abort();
    Root = std::string(Real);
    if (llvm::sys::fs::create_directory(Root + "/sys"))
      std::abort();
    for (const auto &[Name, Content] : Files)
      write("sys/" + Name, Content);
  }
  ~TemporaryTree() { llvm::sys::fs::remove_directories(Root); }
  TemporaryTree(const TemporaryTree &) = delete;

  const std::string &root() const { return Root; }
  SourceTree tree() const { return SourceTree(Root + "/sys"); }

  void write(const std::string &Name, llvm::StringRef Content) {
    const std::string Path = Root + "/" + Name;
    std::error_code EC = llvm::sys::fs::create_directories(
        llvm::sys::path::parent_path(Path));
    llvm::raw_fd_ostream OS(Path, EC);
    if (EC)
      std::abort();
    OS << Content;
  }
  /// "(none)" when there is no such file.
  std::string read(const std::string &Name) const {
    auto Content = SourceTree(Root).read(Name);
    if (Content)
      return *Content;
    llvm::consumeError(Content.takeError());
    return "(none)";
  }

private:
  std::string Root;
};

} // namespace kmobj

#endif
