/* SPDX-License-Identifier: BSD-3-Clause */
//===- OutputDirectory.cpp - A directory that appears whole or not at all -===//

#include "OutputDirectory.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdio>
#include <fcntl.h>

using namespace llvm;

namespace kmobj::compdb {

Error writeFile(const std::string &Path, StringRef Contents) {
  if (std::error_code EC =
          sys::fs::create_directories(sys::path::parent_path(Path)))
    return failure("cannot write " + Path + ": " + EC.message());
  std::error_code EC;
  raw_fd_ostream OS(Path, EC);
  if (!EC) {
    OS << Contents;
    OS.close();
    EC = OS.error();
    OS.clear_error();
  }
  if (EC)
    return failure("cannot write " + Path + ": " + EC.message());
  return Error::success();
}

static bool isEmpty(StringRef Directory) {
  std::error_code EC;
  sys::fs::directory_iterator I(Directory, EC);
  return !EC && I == sys::fs::directory_iterator();
}

Expected<OutputDirectory>
OutputDirectory::create(StringRef Name, StringRef Marker, StringRef Forbidden) {
  SmallString<256> Path(Name);
  sys::fs::make_absolute(Path);
  sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
  while (Path.size() > 1 && Path.back() == '/')
    Path.pop_back();
  // The parent need not exist yet: what does is made real, the rest follows.
  SmallString<256> Above(sys::path::parent_path(Path)), Real;
  std::string Below;
  while (sys::fs::real_path(Above, Real)) {
    Below = ("/" + sys::path::filename(Above) + Below).str();
    Above = sys::path::parent_path(Above);
    if (Above.empty())
      return failure("cannot make " + Path);
  }
  std::string Parent = (Real == "/" ? "" : Real.str().str()) + Below;
  std::string Final = (Parent + "/" + sys::path::filename(Path)).str();
  if (sys::fs::exists(Final) && !sys::fs::real_path(Final, Real))
    Final = Real.str().str();
  if (Final == Forbidden ||
      StringRef(Final).starts_with((Forbidden + "/").str()))
    return failure(Final + ": lies in the tree, where nothing is written");
  if (sys::fs::exists(Final)) {
    if (!isDirectory(Final))
      return failure(Final + ": exists, and is not a directory");
    if (!isEmpty(Final) && !isFile((Final + "/" + Marker).str()))
      return failure(Final + ": not empty, and not made by an earlier run");
  }
  if (std::error_code EC =
          sys::fs::create_directories(sys::path::parent_path(Final)))
    return failure("cannot make " + sys::path::parent_path(Final) + ": " +
                   EC.message());
  std::string Template = Final + ".tmp-XXXXXX";
  if (!mkdtemp(Template.data()))
    return failure("cannot make a directory beside " + Final + ": " +
                   std::error_code(errno, std::generic_category()).message());
  sys::fs::setPermissions(Template, static_cast<sys::fs::perms>(0755));
  return OutputDirectory(Final, Template);
}

OutputDirectory::OutputDirectory(OutputDirectory &&Other)
    : Final(std::move(Other.Final)), Staging(std::move(Other.Staging)) {
  Other.Staging.clear();
}

OutputDirectory::~OutputDirectory() {
  if (!Staging.empty())
    sys::fs::remove_directories(Staging);
}

Error OutputDirectory::write(StringRef Name, StringRef Contents) {
  return writeFile((Staging + "/" + Name).str(), Contents);
}

Error OutputDirectory::commit(StringRef Keep) {
  auto fail = [&] {
    return failure("cannot rename to " + Final + ": " +
                   std::error_code(errno, std::generic_category()).message());
  };
  if (!sys::fs::exists(Final)) {
    if (::rename(Staging.c_str(), Final.c_str()))
      return fail();
    Staging.clear();
    return Error::success();
  }
  // Exchanged in one step; the staging directory then holds the old output,
  // which the destructor removes.
  if (renameat2(AT_FDCWD, Staging.c_str(), AT_FDCWD, Final.c_str(),
                RENAME_EXCHANGE))
    return fail();
  const std::string Old = (Staging + "/" + Keep).str();
  if (sys::fs::exists(Old) &&
      ::rename(Old.c_str(), (Final + "/" + Keep).str().c_str()))
    return fail();
  return Error::success();
}

} // namespace kmobj::compdb
