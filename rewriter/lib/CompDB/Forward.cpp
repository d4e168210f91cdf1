/* SPDX-License-Identifier: BSD-3-Clause */
//===- Forward.cpp - machine/, cpu/ and their like ------------------------===//

#include "Forward.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

static void collectHeaders(const std::string &Directory,
                           const std::string &Below,
                           std::map<std::string, std::string> &Headers) {
  std::error_code EC;
  for (sys::fs::directory_iterator I(Directory, EC), E; I != E && !EC;
       I.increment(EC)) {
    StringRef Name = sys::path::filename(I->path());
    if (Name.starts_with("."))
      continue;
    if (I->type() == sys::fs::file_type::directory_file)
      collectHeaders(I->path(), Below + Name.str() + "/", Headers);
    else if (Name.ends_with(".h") && isFile(I->path()))
      Headers.try_emplace(Below + Name.str(), I->path());
  }
}

static Error forward(const std::string &Name, StringRef Target,
                     OutputDirectory &Output) {
  return Output.write(Name, ("#include \"" + Target + "\"\n").str());
}

static Error forwardAll(StringRef Name,
                        const std::map<std::string, std::string> &Headers,
                        OutputDirectory &Output) {
  for (const auto &[Header, Target] : Headers)
    if (Error Err = forward((Name + "/" + Header).str(), Target, Output))
      return Err;
  return Error::success();
}

Expected<unsigned> writeForwarders(StringRef Name, const std::string &Target,
                                   OutputDirectory &Output) {
  std::map<std::string, std::string> Headers;
  collectHeaders(Target, "", Headers);
  if (Error Err = forwardAll(Name, Headers, Output))
    return Err;
  return Headers.size();
}

Expected<unsigned> writeForwarders(const KernelTree &Tree, const MakeFile &Make,
                                   OutputDirectory &Output) {
  unsigned Count = 0;
  for (const auto &[Name, Directories] : Tree.Forwarded) {
    std::map<std::string, std::string> Headers;
    for (const std::string &Directory : Directories)
      collectHeaders(Directory, "", Headers);
    if (Error Err = forwardAll(Name, Headers, Output))
      return Err;
    Count += Headers.size();
  }
  for (const std::string &Header : Make.words("_lhdrs"))
    if (std::string Target = Tree.path("sys/" + Header); isFile(Target)) {
      if (Error Err = forward("include/" + Header, Target, Output))
        return Err;
      ++Count;
    }
  return Count;
}

} // namespace kmobj::compdb
