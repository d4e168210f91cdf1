/* SPDX-License-Identifier: BSD-3-Clause */
//===- Units.cpp - The C units of a config, and their commands ------------===//

#include "Units.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace kmobj::compdb {

MakeFile readKernelMake(const KernelTree &Tree, const KernelConfig &Config,
                        StringRef Build) {
  MakeFile Make(Tree.Root, Build);
  auto alias = [&](StringRef Path) {
    return RootAlias.str() + Path.substr(Tree.Root.size()).str();
  };
  Make.preset("S", RootAlias);
  Make.preset("SYSDIR", RootAlias);
  Make.preset("O", BuildAlias);
  Make.preset(".CURDIR", BuildAlias);
  Make.preset(".OBJDIR", BuildAlias);
  Make.preset("MACHINE", Tree.Platform);
  Make.preset("MACHINE_ARCH", Tree.Arch);
  Make.preset("MACHINE_CPUARCH", Tree.Arch);
  Make.preset("MACHINE_PLATFORM", Tree.Platform);
  Make.preset("CCVER", "clang19");
  Make.preset("COMPILER_TYPE", "clang");
  Make.preset("AWK", "awk");
  Make.preset("CC", "clang");
  Make.preset("_MACHINE_FWD", BuildAlias);
  Make.define("PERL", "perl");
  if (!Config.Ident.empty())
    Make.define("IDENT", "-D" + Config.Ident);
  for (const auto &[Name, Value] : Config.MakeOptions)
    Make.define(Name, Value);
  if (!Tree.KernelMakefile.empty())
    Make.read(alias(Tree.KernelMakefile));
  else if (isFile(Tree.path("Makefile")))
    Make.read(alias(Tree.path("Makefile")));
  return Make;
}

namespace {

std::string realPath(const std::string &Path) {
  SmallString<256> Real;
  return sys::fs::real_path(Path, Real) ? "" : Real.str().str();
}

class UnitFinder {
public:
  UnitFinder(const FlagContext &Context, MakeFile Make, UnitSet &Set)
      : Context(Context), Make(std::move(Make)), Set(Set) {}

  void kernel(ArrayRef<SourceEntry> Entries, const KernelConfig &Config);
  void assembler();
  void modules(const KernelConfig &Config);
  void leftOut(ArrayRef<SourceEntry> Entries);

private:
  std::vector<std::string> flagsOf(StringRef Command);
  bool add(const std::string &Source, std::vector<std::string> Flags,
           StringRef Module);

  const FlagContext &Context;
  MakeFile Make;
  UnitSet &Set;
  std::map<std::string, std::vector<std::string>> ByCommand;
};

/// The flags a make command would compile with.
std::vector<std::string> UnitFinder::flagsOf(StringRef Command) {
  auto [It, New] = ByCommand.try_emplace(Command.str());
  if (New) {
    std::vector<std::string> Words = splitCommand(Make.expand(Command));
    It->second = parserFlags(Words, Context, Make);
    completeFlags(It->second, Context);
  }
  return It->second;
}

bool UnitFinder::add(const std::string &Source, std::vector<std::string> Flags,
                     StringRef Module) {
  std::string Real = realPath(Source);
  if (Real.empty())
    return false;
  auto [It, New] = Set.Units.try_emplace(Context.Tree.relative(Real));
  if (New) {
    It->second.File = Real;
    It->second.Module = Module.str();
    It->second.Flags = std::move(Flags);
    ++(Module.empty() ? Set.OfKernel : Set.OfModules);
  }
  return true;
}

StringRef ordinaryCommand(const MakeFile &Make) {
  return Make.defined("NORMAL_C") ? "${NORMAL_C}" : "${CPPFLAGS} ${CFLAGS}";
}

void UnitFinder::kernel(ArrayRef<SourceEntry> Entries,
                        const KernelConfig &Config) {
  for (const SourceEntry &Entry : Entries) {
    if (!StringRef(Entry.Path).ends_with(".c") || Entry.NoObject ||
        !Entry.wanted(Config))
      continue;
    StringRef Command = Entry.CompileWith;
    if (!Command.contains("NORMAL_C") && !Command.contains("CFLAGS"))
      Command = ordinaryCommand(Make);
    std::string Path = Context.Tree.path(Entry.Path);
    // What the build makes itself (firmware images, say) is no source.
    bool Built = Entry.Local || StringRef(Entry.CompileWith).contains("AWK") ||
                 (!StringRef(Entry.Path).contains('/') && !isFile(Path));
    if (!add(Path, flagsOf(Command), "") && !Built)
      Set.Absent.push_back({Entry.Path, Context.Tree.relative(Entry.List) +
                                            ":" + utostr(Entry.Line)});
  }
}

/// genassym.c is compiled for the assembler's sake, and is in no list.
void UnitFinder::assembler() {
  const KernelTree &Tree = Context.Tree;
  for (const std::string &Directory :
       {Tree.PlatformDir + "/" + Tree.Arch, Tree.PlatformDir,
        Tree.PlatformDir + "/" + Tree.Platform})
    if (std::string Path = Directory + "/genassym.c"; isFile(Path))
      add(Path, flagsOf(ordinaryCommand(Make)), "");
}

void UnitFinder::modules(const KernelConfig &Config) {
  const std::vector<std::string> Kernel = flagsOf(ordinaryCommand(Make));
  for (const Module &M : findModules(Context, Set.OtherModules)) {
    Set.Links.insert(M.Links.begin(), M.Links.end());
    std::vector<std::string> Flags = M.Flags;
    for (size_t I = 0; I < Kernel.size(); ++I)
      if (Kernel[I] == "-include") {
        ++I;
        if (!is_contained(Flags, Kernel[I]))
          Flags.insert(Flags.end(), {"-include", Kernel[I]});
      } else if (!is_contained(Flags, Kernel[I])) {
        Flags.push_back(Kernel[I]);
      }
    Flags.push_back("-DKLD_MODULE");
    for (const auto &[Option, Value] : M.Options)
      if (!Config.Options.count(Option))
        Flags.push_back("-D" + Option + "=" + Value);
    for (const std::string &Source : M.Sources)
      add(Source, Flags, M.Name);
    for (const std::string &Source : M.Absent)
      if (!StringRef(Source).ends_with("_if.c"))
        Set.Absent.push_back({Source, M.Makefile});
  }
}

void UnitFinder::leftOut(ArrayRef<SourceEntry> Entries) {
  std::set<std::string> Listed;
  for (const SourceEntry &Entry : Entries)
    Listed.insert(Entry.Path);
  for (const std::string &Path :
       findFiles(Context.Tree.Root,
                 [](StringRef Name) { return Name.ends_with(".c"); })) {
    std::string Relative = Context.Tree.relative(Path);
    if (!Set.Units.count(Relative))
      (Listed.count(Relative) ? Set.LeftOut : Set.NoList).push_back(Relative);
  }
}

} // namespace

UnitSet findUnits(ArrayRef<SourceEntry> Entries, const KernelConfig &Config,
                  const FlagContext &Context, const MakeFile &Make) {
  UnitSet Set;
  UnitFinder Finder(Context, Make, Set);
  Finder.kernel(Entries, Config);
  Finder.assembler();
  Finder.modules(Config);
  Finder.leftOut(Entries);
  return Set;
}

/// What gcc let pass in the C of its day is a warning here as well.
static constexpr StringLiteral Tolerated[] = {
    "-Wno-error=implicit-function-declaration",
    "-Wno-error=implicit-int",
    "-Wno-error=int-conversion",
    "-Wno-error=incompatible-function-pointer-types",
    "-Wno-error=return-type",
    "-Wno-error=return-mismatch",
};

std::string databaseText(const UnitSet &Set, StringRef Build) {
  json::Array Commands;
  for (const auto &[Relative, Unit] : Set.Units) {
    json::Array Arguments;
    Arguments.push_back("clang");
    for (const std::string &Flag : Unit.Flags)
      Arguments.push_back(Flag);
    for (StringRef Flag : Tolerated)
      Arguments.push_back(Flag);
    Arguments.push_back("-fsyntax-only");
    Arguments.push_back(Unit.File);
    json::Object Command;
    Command["directory"] = Build;
    Command["file"] = Unit.File;
    Command["arguments"] = std::move(Arguments);
    Commands.push_back(std::move(Command));
  }
  std::string Text;
  raw_string_ostream OS(Text);
  OS << formatv("{0:1}\n", json::Value(std::move(Commands)));
  return Text;
}

} // namespace kmobj::compdb
