/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Output.h"
#include "kmobj/Diff.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include <atomic>
#include <filesystem>

using namespace llvm;
namespace stdfs = std::filesystem;

namespace kmobj {

namespace {

std::atomic<bool> Interrupted;

Error failed(const Twine &What, std::error_code EC) {
  return createStringError(EC, (What + ": " + EC.message()).str());
}

Error interrupted() {
  return createStringError("interrupted; nothing was written");
}

/// While one lives an interrupt does not end the process but is seen by
/// whoever writes.
class HoldInterrupts {
public:
  HoldInterrupts() {
    sys::SetInterruptFunction([] { Interrupted = true; });
  }
  ~HoldInterrupts() { sys::SetInterruptFunction(nullptr); }
};

/// A directory that vanishes unless it is kept under its final name.
class TemporaryDirectory {
public:
  ~TemporaryDirectory() {
    if (!Path.empty()) {
      std::error_code Ignored;
      stdfs::remove_all(Path, Ignored);
    }
  }

  Error create(StringRef Final) {
    SmallString<256> Name;
    for (int Attempt = 0; Attempt < 100; ++Attempt) {
      sys::fs::createUniquePath(Final + ".tmp-%%%%%%", Name,
                                /*MakeAbsolute=*/false);
      const std::error_code EC =
          sys::fs::create_directory(Name, /*IgnoreExisting=*/false);
      if (!EC) {
        Path = std::string(Name);
        return Error::success();
      }
      if (EC != std::errc::file_exists)
        return failed(Final, EC);
    }
    return createStringError("%s: no temporary name for it is free",
                             Final.str().c_str());
  }

  Error keep(StringRef Final) {
    if (Interrupted)
      return interrupted();
    if (const std::error_code EC = sys::fs::rename(Path, Final))
      return failed(Final, EC);
    Path.clear();
    return Error::success();
  }

  std::string Path;

private:
  const HoldInterrupts Held;
};

StringRef withoutSlash(StringRef Path) {
  while (Path.size() > 1 && Path.ends_with("/"))
    Path = Path.drop_back();
  return Path;
}

/// Creates a new file with the given mode.
Error createFile(StringRef Path, StringRef Content, stdfs::perms Mode) {
  std::error_code EC;
  {
    raw_fd_ostream OS(Path, EC);
    if (EC)
      return failed(Path, EC);
    OS << Content;
    OS.close();
    if (OS.has_error()) {
      EC = OS.error();
      OS.clear_error();
      return failed(Path, EC);
    }
  }
  stdfs::permissions(Path.str(), Mode, EC);
  if (EC)
    return failed(Path, EC);
  return Error::success();
}

constexpr stdfs::perms DefaultMode =
    stdfs::perms::owner_read | stdfs::perms::owner_write |
    stdfs::perms::group_read | stdfs::perms::others_read;

stdfs::perms modeOf(const std::string &Path) {
  std::error_code EC;
  const stdfs::file_status Status = stdfs::status(Path, EC);
  return EC || !stdfs::exists(Status) ? DefaultMode : Status.permissions();
}

/// Paths as they lie on the disk: a path through a link inside the tree is
/// replaced by the one it leads to.
Expected<FileSet> resolveLinks(const SourceTree &Tree, const FileSet &Files) {
  SmallString<256> Root;
  if (const std::error_code EC = sys::fs::real_path(Tree.root(), Root))
    return failed(Tree.root(), EC);
  FileSet Out;
  for (const auto &[Path, Content] : Files) {
    SmallString<256> Real;
    if (sys::fs::real_path(Tree.path(Path), Real)) {
      Out[Path] = Content;
      continue;
    }
    StringRef Relative = Real;
    if (!Relative.consume_front(Root) || !Relative.consume_front("/"))
      return createStringError("%s: leads out of the tree, to %s; it is not "
                               "changed",
                               Tree.path(Path).c_str(), Real.c_str());
    Out[Relative.str()] = Content;
  }
  return Out;
}

Error copyTree(const stdfs::path &From, const stdfs::path &To,
               const std::string &Relative, FileSet &Changed,
               ArrayRef<std::string> Gone) {
  std::error_code EC;
  for (stdfs::directory_iterator I(From, EC), End; !EC && I != End;
       I.increment(EC)) {
    if (Interrupted)
      return interrupted();
    const std::string Name = I->path().filename().string();
    const stdfs::path Target = To / Name;
    const std::string Path = Relative.empty() ? Name : Relative + "/" + Name;
    if (is_contained(Gone, Path))
      continue;
    const stdfs::file_status Status = I->symlink_status(EC);
    if (EC)
      return failed(I->path().string(), EC);
    if (stdfs::is_symlink(Status)) {
      stdfs::copy_symlink(I->path(), Target, EC);
    } else if (stdfs::is_directory(Status)) {
      if (!stdfs::create_directory(Target, EC))
        return failed(Target.string(), EC);
      if (Error E = copyTree(I->path(), Target, Path, Changed, Gone))
        return E;
      stdfs::permissions(Target, Status.permissions(), EC);
    } else if (stdfs::is_regular_file(Status)) {
      const auto New = Changed.find(Path);
      if (New != Changed.end()) {
        if (Error E =
                createFile(Target.string(), New->second, Status.permissions()))
          return E;
        Changed.erase(New);
        continue;
      }
      stdfs::copy_file(I->path(), Target, EC);
    } else {
      return createStringError("%s: is neither a file, a directory nor a "
                               "link; it cannot be copied",
                               I->path().c_str());
    }
    if (EC)
      return failed("cannot copy " + I->path().string(), EC);
  }
  if (EC)
    return failed(From.string(), EC);
  return Error::success();
}

} // namespace

Error writeFile(StringRef Path, StringRef Content) {
  std::error_code EC;
  const stdfs::file_status Status = stdfs::status(Path.str(), EC);
  if (!EC && stdfs::exists(Status) && !stdfs::is_regular_file(Status)) {
    if (stdfs::is_directory(Status))
      return failed(Path, std::make_error_code(std::errc::is_a_directory));
    raw_fd_ostream OS(Path, EC);
    if (EC)
      return failed(Path, EC);
    OS << Content;
    return Error::success();
  }
  SmallString<256> Real(Path);
  if (stdfs::exists(Status))
    if ((EC = sys::fs::real_path(Path, Real)))
      return failed(Path, EC);
  auto Temporary = sys::fs::TempFile::create(
      Real + ".tmp-%%%%%%", sys::fs::all_read | sys::fs::owner_write);
  if (!Temporary)
    return createStringError(
        (Path + ": " + toString(Temporary.takeError())).str());
  {
    raw_fd_ostream OS(Temporary->FD, /*shouldClose=*/false);
    OS << Content;
    OS.flush();
    if (OS.has_error()) {
      EC = OS.error();
      OS.clear_error();
      consumeError(Temporary->discard());
      return failed(Path, EC);
    }
  }
  if (stdfs::exists(Status))
    stdfs::permissions(Temporary->TmpName, Status.permissions(), EC);
  return Temporary->keep(Real);
}

Error checkOutputDirectory(StringRef Path) {
  Path = withoutSlash(Path);
  std::error_code EC;
  const stdfs::file_status Status = stdfs::symlink_status(Path.str(), EC);
  if (stdfs::exists(Status)) {
    if (!stdfs::is_directory(Status))
      return createStringError("%s: exists and is no directory",
                               Path.str().c_str());
    const bool Empty = stdfs::is_empty(Path.str(), EC);
    if (EC)
      return failed(Path, EC);
    if (!Empty)
      return createStringError("%s: exists and is not empty; name a new "
                               "directory",
                               Path.str().c_str());
  }
  const StringRef Parent = sys::path::parent_path(Path);
  if (!Parent.empty() && !stdfs::exists(Parent.str(), EC))
    return createStringError("%s: there is no directory %s; make it first",
                             Path.str().c_str(), Parent.str().c_str());
  TemporaryDirectory Probe;
  return Probe.create(Path);
}

Expected<FileDiff> fileDiff(const SourceTree &Tree, StringRef Prefix,
                            StringRef Path, const FileSet *Before,
                            const FileSet *After) {
  FileDiff D;
  D.Path = (Prefix + Path).str();
  D.Executable = (modeOf(Tree.path(Path)) & stdfs::perms::owner_exec) !=
                 stdfs::perms::none;
  if (Before && Before->count(Path.str())) {
    D.Before = Before->at(Path.str());
  } else if (Tree.exists(Path)) {
    auto Content = Tree.read(Path);
    if (!Content)
      return Content.takeError();
    D.Before = std::move(*Content);
  }
  if (After)
    D.After = After->at(Path.str());
  return D;
}

Error writeDiff(raw_ostream &OS, const SourceTree &Tree, StringRef Prefix,
                const FileSet &After, ArrayRef<std::string> Gone) {
  std::map<std::string, std::string> Texts;
  for (const auto &[Path, Content] : After) {
    auto D = fileDiff(Tree, Prefix, Path, nullptr, &After);
    if (!D)
      return D.takeError();
    Texts[Path] = gitDiff(*D).Text;
  }
  for (const std::string &Path : Gone) {
    auto D = fileDiff(Tree, Prefix, Path, nullptr, nullptr);
    if (!D)
      return D.takeError();
    Texts[Path] = gitDiff(*D).Text;
  }
  for (const auto &[Path, Text] : Texts)
    OS << Text;
  return Error::success();
}

Error writeDirectory(StringRef Path, const FileSet &Files) {
  Path = withoutSlash(Path);
  TemporaryDirectory Directory;
  if (Error E = Directory.create(Path))
    return E;
  for (const auto &[File, Content] : Files) {
    if (Interrupted)
      return interrupted();
    SmallString<256> Name(Directory.Path);
    sys::path::append(Name, File);
    if (Error E = createFile(Name, Content, DefaultMode))
      return E;
  }
  return Directory.keep(Path);
}

Error writeOutputTree(StringRef Path, const SourceTree &Tree,
                      const FileSet &After, ArrayRef<std::string> Gone) {
  Path = withoutSlash(Path);
  SmallString<256> Parent(sys::path::parent_path(Path));
  if (Parent.empty())
    Parent = ".";
  SmallString<256> RealParent, Root;
  if (const std::error_code EC = sys::fs::real_path(Parent, RealParent))
    return failed(Path, EC);
  if (const std::error_code EC = sys::fs::real_path(Tree.root(), Root))
    return failed(Tree.root(), EC);
  if (RealParent == Root || RealParent.starts_with((Root + "/").str()))
    return createStringError("%s: lies inside the tree that is copied",
                             Path.str().c_str());
  auto Changed = resolveLinks(Tree, After);
  if (!Changed)
    return Changed.takeError();

  TemporaryDirectory Directory;
  if (Error E = Directory.create(Path))
    return E;
  if (Error E = copyTree(Root.c_str(), Directory.Path, "", *Changed, Gone))
    return E;
  // What is left is new.
  for (const auto &[File, Content] : *Changed) {
    SmallString<256> Target(Directory.Path);
    sys::path::append(Target, File);
    if (const std::error_code EC =
            sys::fs::create_directories(sys::path::parent_path(Target)))
      return failed(Target, EC);
    if (Error E = createFile(Target, Content, DefaultMode))
      return E;
  }
  std::error_code EC;
  stdfs::permissions(Directory.Path, modeOf(Root.c_str()), EC);
  return Directory.keep(Path);
}

Error writeInPlace(const SourceTree &Tree, const FileSet &After,
                   ArrayRef<std::string> Gone) {
  auto Files = resolveLinks(Tree, After);
  if (!Files)
    return Files.takeError();
  const HoldInterrupts Held;

  struct Pending {
    std::string Path, Temporary;
    bool New;
    std::string Old;
  };
  std::vector<Pending> All;
  auto Discard = [&](size_t From) {
    for (size_t I = From; I < All.size(); ++I)
      sys::fs::remove(All[I].Temporary);
  };
  for (const auto &[File, Content] : *Files) {
    Pending P;
    P.Path = Tree.path(File);
    P.New = !Tree.exists(File);
    if (!P.New) {
      auto Old = Tree.read(File);
      if (!Old) {
        Discard(0);
        return Old.takeError();
      }
      if (*Old == Content)
        continue;
      P.Old = std::move(*Old);
    }
    SmallString<256> Name;
    sys::fs::createUniquePath(P.Path + ".tmp-%%%%%%", Name, false);
    P.Temporary = std::string(Name);
    All.push_back(P);
    Error E = createFile(Name, Content, modeOf(P.Path));
    if (!E && Interrupted)
      E = interrupted();
    if (E) {
      Discard(0);
      return E;
    }
  }
  for (size_t I = 0; I < All.size(); ++I) {
    const std::error_code EC = sys::fs::rename(All[I].Temporary, All[I].Path);
    if (!EC)
      continue;
    Discard(I);
    for (size_t Done = 0; Done < I; ++Done) {
      if (All[Done].New)
        sys::fs::remove(All[Done].Path);
      else if (Error E = writeFile(All[Done].Path, All[Done].Old))
        return joinErrors(failed(All[I].Path, EC), std::move(E));
    }
    return failed(All[I].Path, EC);
  }
  for (const std::string &File : Gone)
    if (const std::error_code EC = sys::fs::remove(Tree.path(File)))
      return failed(Tree.path(File), EC);
  return Error::success();
}

} // namespace kmobj
