/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/TreeView.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <mutex>
#include <optional>

using namespace llvm;

namespace kmobj {

namespace {

/// Where a path of the tree is to be read from.
struct Target {
  vfs::FileSystem *FS;
  std::string Path;
};

class Entries : public vfs::detail::DirIterImpl {
public:
  explicit Entries(std::vector<vfs::directory_entry> List)
      : List(std::move(List)) {
    step();
  }
  std::error_code increment() override {
    step();
    return {};
  }

private:
  void step() {
    CurrentEntry =
        Next < List.size() ? List[Next++] : vfs::directory_entry();
  }

  std::vector<vfs::directory_entry> List;
  size_t Next = 0;
};

class View : public vfs::ProxyFileSystem {
public:
  explicit View(StringRef Tree)
      : ProxyFileSystem(vfs::createPhysicalFileSystem()), Tree(Tree.str()) {}

  ErrorOr<vfs::Status> status(const Twine &Path) override {
    const auto T = target(Path);
    if (!T)
      return ProxyFileSystem::status(Path);
    auto Status = T->FS->status(T->Path);
    if (!Status)
      return Status;
    return vfs::Status::copyWithNewName(*Status, Path);
  }

  bool exists(const Twine &Path) override {
    return static_cast<bool>(status(Path));
  }

  ErrorOr<std::unique_ptr<vfs::File>>
  openFileForRead(const Twine &Path) override {
    const auto T = target(Path);
    if (!T)
      return ProxyFileSystem::openFileForRead(Path);
    return vfs::File::getWithPath(T->FS->openFileForRead(T->Path), Path);
  }

  vfs::directory_iterator dir_begin(const Twine &Dir,
                                    std::error_code &EC) override {
    const auto Relative = relative(Dir);
    if (!Relative)
      return ProxyFileSystem::dir_begin(Dir, EC);
    return list(Dir.str(), *Relative, EC);
  }

  std::error_code getRealPath(const Twine &Path,
                              SmallVectorImpl<char> &Output) override {
    const auto Relative = relative(Path);
    if (!Relative)
      return ProxyFileSystem::getRealPath(Path, Output);
    if (!exists(Path))
      return std::make_error_code(std::errc::no_such_file_or_directory);
    Output.assign(Tree.begin(), Tree.end());
    if (!Relative->empty())
      sys::path::append(Output, *Relative);
    return {};
  }

protected:
  virtual std::optional<Target> targetOf(StringRef Relative) = 0;
  virtual vfs::directory_iterator list(const std::string &Dir,
                                       StringRef Relative,
                                       std::error_code &EC) = 0;

  /// Path's place in the tree, links resolved as far as it exists on disk.
  std::optional<std::string> relative(const Twine &Path) {
    SmallString<256> Absolute;
    Path.toVector(Absolute);
    if (makeAbsolute(Absolute))
      return std::nullopt;
    sys::path::remove_dots(Absolute);
    const std::lock_guard<std::mutex> Hold(Lock);
    const StringRef Real = realPath(Absolute);
    if (Real == Tree)
      return "";
    if (Real.size() > Tree.size() && Real.starts_with(Tree) &&
        Real[Tree.size()] == '/')
      return Real.drop_front(Tree.size() + 1).str();
    return std::nullopt;
  }

  std::string Tree;

private:
  std::optional<Target> target(const Twine &Path) {
    const auto Relative = relative(Path);
    return Relative ? targetOf(*Relative) : std::nullopt;
  }

  StringRef realPath(StringRef Absolute) {
    const auto Known = RealPaths.find(Absolute);
    if (Known != RealPaths.end())
      return Known->second;
    SmallString<256> Real;
    if (getUnderlyingFS().getRealPath(Absolute, Real)) {
      const StringRef Parent = sys::path::parent_path(Absolute);
      Real = Parent.empty() || Parent == Absolute ? Absolute : realPath(Parent);
      if (!Parent.empty() && Parent != Absolute)
        sys::path::append(Real, sys::path::filename(Absolute));
    }
    return RealPaths[Absolute] = std::string(Real);
  }

  /// Several parses may share a view.
  std::mutex Lock;
  StringMap<std::string> RealPaths;
};

class DirectoryView : public View {
public:
  DirectoryView(StringRef Tree, StringRef Other)
      : View(Tree), Other(Other.str()) {}

private:
  std::optional<Target> targetOf(StringRef Relative) override {
    SmallString<256> Path(Other);
    if (!Relative.empty())
      sys::path::append(Path, Relative);
    return Target{&getUnderlyingFS(), std::string(Path)};
  }

  vfs::directory_iterator list(const std::string &Dir, StringRef Relative,
                               std::error_code &EC) override {
    const Target T = *targetOf(Relative);
    std::vector<vfs::directory_entry> Found;
    for (auto I = getUnderlyingFS().dir_begin(T.Path, EC);
         !EC && I != vfs::directory_iterator(); I.increment(EC)) {
      SmallString<256> Path(Dir);
      sys::path::append(Path, sys::path::filename(I->path()));
      Found.emplace_back(std::string(Path), I->type());
    }
    if (EC)
      return {};
    return vfs::directory_iterator(std::make_shared<Entries>(Found));
  }

  std::string Other;
};

class ContentsView : public View {
public:
  ContentsView(StringRef Tree, const FileSet &Contents)
      : View(Tree), Memory(new vfs::InMemoryFileSystem) {
    for (const auto &[Path, Content] : Contents)
      Memory->addFile("/" + Path, 0, MemoryBuffer::getMemBufferCopy(Content));
  }

private:
  std::optional<Target> targetOf(StringRef Relative) override {
    std::string Path = ("/" + Relative).str();
    const auto Status = Memory->status(Path);
    if (!Status || Status->isDirectory())
      return std::nullopt;
    return Target{Memory.get(), std::move(Path)};
  }

  vfs::directory_iterator list(const std::string &Dir, StringRef Relative,
                               std::error_code &EC) override {
    std::vector<vfs::directory_entry> Found;
    StringSet<> Names;
    auto Add = [&](vfs::FileSystem &FS, const std::string &From) {
      std::error_code Failed;
      for (auto I = FS.dir_begin(From, Failed);
           !Failed && I != vfs::directory_iterator(); I.increment(Failed)) {
        const StringRef Name = sys::path::filename(I->path());
        SmallString<256> Path(Dir);
        sys::path::append(Path, Name);
        if (Names.insert(Name).second)
          Found.emplace_back(std::string(Path), I->type());
      }
      return Failed;
    };
    const std::error_code OnDisk = Add(getUnderlyingFS(), Dir);
    if (Add(*Memory, ("/" + Relative).str()) && OnDisk) {
      EC = OnDisk;
      return {};
    }
    return vfs::directory_iterator(std::make_shared<Entries>(Found));
  }

  IntrusiveRefCntPtr<vfs::InMemoryFileSystem> Memory;
};

} // namespace

IntrusiveRefCntPtr<vfs::FileSystem> viewDirectory(StringRef Tree,
                                                  StringRef Other) {
  return IntrusiveRefCntPtr<vfs::FileSystem>(new DirectoryView(Tree, Other));
}

IntrusiveRefCntPtr<vfs::FileSystem> viewContents(StringRef Tree,
                                                 const FileSet &Contents) {
  return IntrusiveRefCntPtr<vfs::FileSystem>(new ContentsView(Tree, Contents));
}

} // namespace kmobj
