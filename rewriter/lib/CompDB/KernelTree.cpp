/* SPDX-License-Identifier: BSD-3-Clause */
//===- KernelTree.cpp - Where a BSD kernel tree keeps its things ----------===//

#include "KernelTree.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

std::string KernelTree::path(StringRef Relative) const {
  return Root + "/" + Relative.str();
}

std::string KernelTree::relative(StringRef Path) const {
  if (Path.starts_with(Root) && Path.size() > Root.size() &&
      Path[Root.size()] == '/')
    return Path.drop_front(Root.size() + 1).str();
  return Path.str();
}

static std::vector<std::string> entries(const std::string &Directory,
                                        bool Directories) {
  std::vector<std::string> Names;
  std::error_code EC;
  for (sys::fs::directory_iterator I(Directory, EC), E; I != E && !EC;
       I.increment(EC)) {
    StringRef Name = sys::path::filename(I->path());
    bool IsDirectory = isDirectory(I->path());
    if (!Name.starts_with(".") && IsDirectory == Directories)
      Names.push_back(Name.str());
  }
  sort(Names);
  return Names;
}

namespace {

class Finder {
public:
  Finder(KernelTree &Tree, KernelConfig &Config) : Tree(Tree), Config(Config) {}

  Error find(StringRef Platform, StringRef Arch, StringRef ConfigName);

private:
  void findPlatforms();
  Error choosePlatform(StringRef Wished);
  Error chooseConfig(StringRef Wished);
  Error chooseArch(StringRef Wished);
  void findLists();
  void findForwarded();
  void findSystem();
  Expected<KernelConfig> read(StringRef Path) const;
  bool hasConfig(const std::string &Platform) const;
  std::string findConfig(StringRef Name) const;

  KernelTree &Tree;
  KernelConfig &Config;
  std::map<std::string, std::string> Platforms; ///< name -> directory
};

void Finder::findPlatforms() {
  for (std::string Parent : {"platform", "arch"})
    for (const std::string &Name : entries(Tree.path(Parent), true)) {
      std::string Directory = Tree.path(Parent + "/" + Name);
      if (isDirectory(Directory + "/include"))
        Platforms.try_emplace(Name, Directory);
    }
  for (const std::string &Name : entries(Tree.Root, true)) {
    std::string Directory = Tree.path(Name);
    if (isDirectory(Directory + "/include") && isDirectory(Directory + "/conf"))
      Platforms.try_emplace(Name, Directory);
  }
}

Expected<KernelConfig> Finder::read(StringRef Path) const {
  std::string Directories[] = {Tree.Root, Tree.path("config"),
                               Tree.path("conf")};
  return readKernelConfig(Path, Directories);
}

/// A name is looked for where the tree keeps its configs, then as a path.
std::string Finder::findConfig(StringRef Name) const {
  std::vector<std::string> Directories = {Tree.path("config")};
  if (!Tree.Platform.empty())
    Directories.push_back(Platforms.at(Tree.Platform) + "/conf");
  else
    for (const auto &[P, Directory] : Platforms)
      Directories.push_back(Directory + "/conf");
  for (const std::string &Directory : Directories)
    if (std::string Path = Directory + "/" + Name.str(); isFile(Path))
      return Path;
  return isFile(Name) ? Name.str() : "";
}

/// The platform that a config is for, by its own words.
static StringRef platformOf(const KernelConfig &Config) {
  return !Config.Platform.empty() ? Config.Platform : Config.Machine;
}

bool Finder::hasConfig(const std::string &Platform) const {
  for (const std::string &Directory :
       {Tree.path("config"), Platforms.at(Platform) + "/conf"})
    for (const std::string &Name : entries(Directory, false)) {
      if (!StringRef(Name).contains("GENERIC"))
        continue;
      Expected<KernelConfig> Read = read(Directory + "/" + Name);
      if (!Read)
        consumeError(Read.takeError());
      else if (platformOf(*Read) == Platform)
        return true;
    }
  return false;
}

Error Finder::choosePlatform(StringRef Wished) {
  if (Platforms.empty())
    return failure(Tree.Root + ": not a BSD kernel tree: no platform has an "
                               "include directory");
  std::string Known;
  for (const auto &[Name, Directory] : Platforms)
    Known += (Known.empty() ? "" : ", ") + Name;
  std::string Name = Wished.str();
  if (Name.empty())
    Name = platformOf(Config).str();
  if (Name.empty() && Platforms.size() == 1)
    Name = Platforms.begin()->first;
  // One without a config is a beginning, or what is left of one.
  for (bool WithConfig : {true, false})
    for (const char *Usual : {"pc64", "pc32", "amd64", "i386"})
      if (Name.empty() && Platforms.count(Usual) &&
          (hasConfig(Usual) || !WithConfig))
        Name = Usual;
  if (Name.empty())
    return failure(Tree.Root + ": which platform? --platform takes one of " +
                   Known);
  if (!Platforms.count(Name))
    return failure(Tree.Root + ": no platform " + Name + ", there are " +
                   Known);
  Tree.Platform = Name;
  Tree.PlatformDir = Platforms[Name];
  for (const auto &[Other, Directory] : Platforms)
    if (Other != Name)
      Tree.OtherPlatforms.push_back(Other);
  return Error::success();
}

/// The platform's general config: of those for this platform, the one that is
/// called GENERIC, or has that in its name, or is called like the platform.
Error Finder::chooseConfig(StringRef Wished) {
  if (!Wished.empty()) {
    StringRef Of = platformOf(Config);
    if (!Of.empty() && Of != Tree.Platform && Platforms.count(Of.str()))
      return failure(Tree.ConfigPath + ": is for platform " + Of + ", not " +
                     Tree.Platform);
    return Error::success();
  }
  int BestRank = 0;
  for (const std::string &Directory :
       {Tree.path("config"), Tree.PlatformDir + "/conf"})
    for (const std::string &Name : entries(Directory, false)) {
      int Rank = Name == "GENERIC"                                     ? 4
                 : StringRef(Name).contains("GENERIC")                 ? 3
                 : StringRef(Name).equals_insensitive(Tree.Platform)   ? 2
                 : StringRef(Name) == StringRef(Tree.Platform).upper() ? 2
                 : StringRef(Name).contains("VKERNEL") &&
                         StringRef(Tree.Platform).contains("vkernel")
                     ? 1
                     : 0;
      if (Rank <= BestRank)
        continue;
      Expected<KernelConfig> Other = read(Directory + "/" + Name);
      if (!Other)
        return Other.takeError();
      if (platformOf(*Other) != Tree.Platform)
        continue;
      BestRank = Rank;
      Tree.ConfigPath = Directory + "/" + Name;
      Config = std::move(*Other);
    }
  return Error::success();
}

Error Finder::chooseArch(StringRef Wished) {
  std::vector<std::string> Known;
  for (const std::string &Name : entries(Tree.path("cpu"), true))
    if (isDirectory(Tree.path("cpu/" + Name + "/include")))
      Known.push_back(Name);
  Tree.Arch = !Wished.empty() ? Wished.str() : Config.MachineArch;
  if (Tree.Arch.empty())
    Tree.Arch = Known.size() == 1 ? Known.front() : "";
  if (Tree.Arch.empty() && !Known.empty()) {
    // The platform's own code lies in a directory called like the processor.
    for (const std::string &Name : Known)
      if (isDirectory(Tree.PlatformDir + "/" + Name))
        Tree.Arch = Name;
    if (Tree.Arch.empty())
      return failure(Tree.Root + ": which processor? --arch takes one of " +
                     join(Known, ", "));
  }
  if (Tree.Arch.empty())
    Tree.Arch = Tree.Platform;
  if (is_contained(Known, Tree.Arch))
    Tree.CpuDir = Tree.path("cpu/" + Tree.Arch);
  else if (!Known.empty())
    return failure(Tree.Root + ": no processor " + Tree.Arch + ", there are " +
                   join(Known, ", "));
  return Error::success();
}

void Finder::findLists() {
  const std::string &P = Tree.Platform, &A = Tree.Arch;
  auto lists = [&](const std::string &Base, std::vector<std::string> &Out) {
    for (const std::string &Path :
         {Tree.path("conf/" + Base), Tree.PlatformDir + "/conf/" + Base,
          Tree.path("conf/" + Base + "." + P),
          Tree.PlatformDir + "/conf/" + Base + "." + P,
          Tree.path("conf/" + Base + "." + A)})
      if (isFile(Path) && !is_contained(Out, Path))
        Out.push_back(Path);
  };
  lists("files", Tree.FileLists);
  lists("options", Tree.OptionLists);
  if (isDirectory(Tree.path("x86/include")) &&
      isFile(Tree.path("conf/files.x86")))
    Tree.FileLists.push_back(Tree.path("conf/files.x86"));

  for (const std::string &Path :
       {Tree.PlatformDir + "/conf/Makefile", Tree.path("conf/Makefile." + P),
        Tree.PlatformDir + "/conf/Makefile." + P,
        Tree.path("conf/Makefile." + A)})
    if (Tree.KernelMakefile.empty() && isFile(Path))
      Tree.KernelMakefile = Path;
}

void Finder::findForwarded() {
  auto add = [&](const std::string &Name, const std::string &Directory) {
    if (isDirectory(Directory))
      Tree.Forwarded[Name].push_back(Directory);
  };
  add("machine", Tree.PlatformDir + "/include");
  add("machine_base", Tree.PlatformDir);
  if (!Tree.CpuDir.empty()) {
    add("machine", Tree.CpuDir + "/include");
    add("cpu", Tree.CpuDir + "/include");
    add("cpu_base", Tree.CpuDir);
  }
  add("x86", Tree.path("x86/include"));
}

/// The system is the one whose version sys/param.h defines.
void Finder::findSystem() {
  Expected<std::string> Text = readFile(Tree.path("sys/param.h"));
  if (!Text) {
    consumeError(Text.takeError());
    return;
  }
  for (StringRef Line : split(*Text, '\n')) {
    if (!Line.consume_front("#"))
      continue;
    Line = Line.ltrim();
    if (!Line.consume_front("define"))
      continue;
    Line = Line.ltrim();
    if (Line.starts_with("__DragonFly_version"))
      Tree.System = "dragonfly";
    else if (Line.starts_with("__FreeBSD_version"))
      Tree.System = "freebsd";
    else
      continue;
    return;
  }
}

Error Finder::find(StringRef Platform, StringRef Arch, StringRef ConfigName) {
  if (!isDirectory(Tree.Root))
    return failure(Tree.Root + ": no such directory");
  if (!isFile(Tree.path("conf/files"))) {
    if (isFile(Tree.path("sys/conf/files")))
      return failure(Tree.Root + ": the kernel's sources are in " +
                     Tree.path("sys") + ": give --tree that");
    return failure(Tree.Root + ": not a BSD kernel tree: it has no conf/files");
  }
  findPlatforms();
  if (!Platform.empty())
    if (Error Err = choosePlatform(Platform))
      return Err;
  if (!ConfigName.empty()) {
    Tree.ConfigPath = findConfig(ConfigName);
    if (Tree.ConfigPath.empty())
      return failure(Tree.Root + ": no kernel config " + ConfigName);
    Expected<KernelConfig> Named = read(Tree.ConfigPath);
    if (!Named)
      return Named.takeError();
    Config = std::move(*Named);
  }
  if (Tree.Platform.empty())
    if (Error Err = choosePlatform(Platform))
      return Err;
  if (Error Err = chooseConfig(ConfigName))
    return Err;
  if (Error Err = chooseArch(Arch))
    return Err;
  findLists();
  findForwarded();
  findSystem();
  return Error::success();
}

} // namespace

Expected<KernelTree> findKernelTree(StringRef Root, StringRef Platform,
                                    StringRef Arch, StringRef Config,
                                    KernelConfig &Read) {
  KernelTree Tree;
  SmallString<256> Real;
  if (std::error_code EC = sys::fs::real_path(Root, Real))
    return failure(Root + ": " + EC.message());
  Tree.Root = Real.str().str();
  if (Error Err = Finder(Tree, Read).find(Platform, Arch, Config))
    return Err;
  return Tree;
}

} // namespace kmobj::compdb
