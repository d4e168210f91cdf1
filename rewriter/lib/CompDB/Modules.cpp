/* SPDX-License-Identifier: BSD-3-Clause */
//===- Modules.cpp - Sources of loadable modules --------------------------===//

#include "Modules.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

namespace {

class Walker {
public:
  Walker(const FlagContext &Context, std::string Platform)
      : Context(Context), Platform(std::move(Platform)) {}

  void walk(const std::string &Makefile);
  std::map<std::string, Module> Found; ///< by Makefile, relative
  std::set<std::string> Visited;

private:
  void addModule(const MakeFile &Make, const std::string &Makefile,
                 StringRef Directory);

  MakeFile evaluate(StringRef Makefile) const;

  const FlagContext &Context;
  std::string Platform;
};

MakeFile Walker::evaluate(StringRef Makefile) const {
  const KernelTree &Tree = Context.Tree;
  MakeFile Make(Tree.Root, Context.Build);
  std::string Directory = sys::path::parent_path(Makefile).str();
  std::string Alias = RootAlias.str() + Directory.substr(Tree.Root.size());
  Make.preset("S", RootAlias);
  Make.preset("SYSDIR", RootAlias);
  Make.preset(".CURDIR", Alias);
  Make.preset(".OBJDIR", BuildAlias);
  Make.preset("MACHINE", Platform);
  Make.preset("MACHINE_ARCH", Tree.Arch);
  Make.preset("MACHINE_CPUARCH", Tree.Arch);
  Make.preset("MACHINE_PLATFORM", Platform);
  Make.preset("CCVER", "clang19");
  Make.preset("COMPILER_TYPE", "clang");
  Make.preset("KERNBUILDDIR", BuildAlias);
  Make.read(Alias + "/" + sys::path::filename(Makefile).str());
  std::string Above = (Alias + "/../Makefile.inc");
  if (Directory != Tree.Root &&
      isFile(sys::path::parent_path(Directory).str() + "/Makefile.inc"))
    Make.read(Above);
  return Make;
}

/// `echo "#define A 1" > ${.TARGET}'.
void readEchoes(StringRef Commands, std::map<std::string, std::string> &Out) {
  while (!Commands.empty()) {
    auto [Line, Rest] = Commands.split('\n');
    Commands = Rest;
    std::vector<std::string> Words = splitCommand(Line);
    if (Words.size() < 2)
      continue;
    StringRef Text = Words[1];
    StringRef Program = StringRef(Words[0]).ltrim("@-");
    if (Program != "echo" || !Text.consume_front("#define "))
      continue;
    auto [Name, Value] = Text.trim().split(' ');
    Out[Name.str()] = Value.trim().str();
  }
}

void Walker::addModule(const MakeFile &Make, const std::string &Makefile,
                       StringRef Directory) {
  Module M;
  M.Name = Make.value("KMOD");
  M.Makefile = Context.Tree.relative(Makefile);
  std::vector<std::string> Path = {Directory.str()};
  for (const std::string &P : Make.searchPath()) {
    SmallString<256> Full(Make.real(P));
    if (!sys::path::is_absolute(Full)) {
      Full = Directory;
      sys::path::append(Full, P);
    }
    sys::path::remove_dots(Full, /*remove_dot_dot=*/true);
    Path.push_back(Full.str().str());
  }
  for (const std::string &Source : Make.words("SRCS")) {
    if (sys::path::extension(Source) != ".c")
      continue;
    std::string Where;
    std::string Real = Make.real(Source);
    for (const std::string &P : Path) {
      SmallString<256> Full(Real);
      if (!sys::path::is_absolute(Full)) {
        Full = P;
        sys::path::append(Full, Real);
      }
      SmallString<256> Found;
      if (Where.empty() && isFile(Full) && !sys::fs::real_path(Full, Found))
        Where = Found.str().str();
    }
    if (!Where.empty())
      M.Sources.push_back(Where);
    else
      M.Absent.push_back(Source);
  }
  for (const std::string &Link : Make.words("ARCH"))
    if (std::string Target = Directory.str() + "/" + Context.Tree.Arch;
        StringRef(Link).starts_with("arch_") && isDirectory(Target))
      M.Links.emplace(Link, Target);
  std::vector<std::string> Words;
  for (const char *Variable : {"CFLAGS", "KCFLAGS", "COPTS"})
    append_range(Words, Make.words(Variable));
  // A module is compiled in its own directory's object directory; a relative
  // path is meant from its sources.
  for (std::string &W : Words)
    if (StringRef P = W; P.consume_front("-I") && !P.empty() &&
                         !sys::path::is_absolute(P) && P != ".")
      W = ("-I" + Directory + "/" + P).str();
  M.Flags = parserFlags(Words, Context, Make);
  for (const auto &[Target, Commands] : Make.commands())
    if (StringRef(Target).starts_with("opt_"))
      readEchoes(Commands, M.Options);
  Found.emplace(M.Makefile, std::move(M));
}

void Walker::walk(const std::string &Makefile) {
  if (!Visited.insert(Makefile).second)
    return;
  MakeFile Make = evaluate(Makefile);
  std::string Directory = sys::path::parent_path(Makefile).str();
  if (Make.defined("KMOD"))
    addModule(Make, Makefile, Directory);
  std::vector<std::string> Subdirectories = Make.words("SUBDIR");
  append_range(Subdirectories, Make.words("SUBDIR_ORDERED"));
  for (const std::string &Name : Subdirectories) {
    SmallString<256> Path(Directory);
    sys::path::append(Path, Name, "Makefile");
    sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
    if (StringRef(Path).starts_with(Context.Tree.Root + "/") && isFile(Path))
      walk(Path.str().str());
  }
}

bool namesModule(const std::string &Makefile) {
  Expected<std::string> Text = readFile(Makefile);
  if (!Text) {
    consumeError(Text.takeError());
    return false;
  }
  return StringRef(*Text).starts_with("KMOD") ||
         StringRef(*Text).contains("\nKMOD");
}

} // namespace

/// Everything that SUBDIRs from the top lead to on W's platform.
static void walkFromTop(Walker &W, const KernelTree &Tree) {
  for (const char *Top : {"Makefile.modules", "modules/Makefile"})
    if (std::string Path = Tree.path(Top); isFile(Path))
      W.walk(Path);
}

std::vector<Module> findModules(const FlagContext &Context,
                                std::vector<std::string> &Others) {
  const KernelTree &Tree = Context.Tree;
  std::set<std::string> Elsewhere;
  for (const std::string &Platform : Tree.OtherPlatforms) {
    Walker Other(Context, Platform);
    walkFromTop(Other, Tree);
    Elsewhere.insert(Other.Visited.begin(), Other.Visited.end());
  }
  Walker W(Context, Tree.Platform);
  walkFromTop(W, Tree);
  // Makefiles that name a module and which the walk did not reach.
  for (const std::string &Makefile : findFiles(
           Tree.Root, [](StringRef Name) { return Name == "Makefile"; })) {
    if (W.Visited.count(Makefile) || !namesModule(Makefile))
      continue;
    if (Elsewhere.count(Makefile))
      Others.push_back(Tree.relative(Makefile));
    else
      W.walk(Makefile);
  }
  std::vector<Module> Modules;
  for (auto &[Makefile, M] : W.Found)
    Modules.push_back(std::move(M));
  return Modules;
}

} // namespace kmobj::compdb
