/* SPDX-License-Identifier: BSD-3-Clause */
//===- Flags.cpp - What of a tree's compiler flags a parser needs ---------===//

#include "Flags.h"
#include "UserHeaders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace kmobj::compdb {

static bool isUnder(StringRef Path, StringRef Directory) {
  return Path == Directory ||
         (Path.starts_with(Directory) && Path[Directory.size()] == '/');
}

/// The real directory (or file) that Path names, or nothing if it does not
/// exist or is none of the tree's.
static std::string locate(StringRef Path, const FlagContext &Context,
                          const MakeFile &Make) {
  SmallString<256> Full(Make.real(Path));
  if (!sys::path::is_absolute(Full)) {
    Full = Context.Build;
    sys::path::append(Full, Path);
  }
  sys::path::remove_dots(Full, /*remove_dot_dot=*/true);
  if (isUnder(Full, Context.Build)) {
    std::string Staged =
        Context.Staging + Full.substr(Context.Build.size()).str();
    return sys::fs::exists(Staged) ? Full.str().str() : "";
  }
  SmallString<256> Real;
  if (sys::fs::real_path(Full, Real))
    return "";
  StringRef Parent = sys::path::parent_path(Context.Tree.Root);
  std::string Headers = (Parent + "/include").str();
  if (!isUnder(Real, Context.Tree.Root) && !isUnder(Real, Headers))
    return "";
  return Real.str().str();
}

static bool isParserFlag(StringRef Flag) {
  for (StringRef Exact :
       {"-nostdinc", "-undef", "-m16", "-m32", "-m64", "-mred-zone"})
    if (Flag == Exact)
      return true;
  for (StringRef Prefix : {"-std=",          "--target=",
                           "-ffreestanding", "-fhosted",
                           "-fno-builtin",   "-fms-extensions",
                           "-funsigned-",    "-fsigned-",
                           "-fno-signed-",   "-fshort-",
                           "-fno-common",    "-fwrapv",
                           "-fgnu89-inline", "-mcmodel=",
                           "-mno-red-zone",  "-mgeneral-regs-only",
                           "-mno-mmx",       "-mno-sse",
                           "-mno-avx",       "-mno-3dnow",
                           "-mmmx",          "-msse",
                           "-mavx",          "-msoft-float",
                           "-mhard-float"})
    if (Flag.starts_with(Prefix))
      return true;
  return false;
}

std::vector<std::string> parserFlags(ArrayRef<std::string> Words,
                                     const FlagContext &Context,
                                     const MakeFile &Make) {
  std::vector<std::string> Flags;
  auto add = [&](std::string Flag) {
    if (!is_contained(Flags, Flag))
      Flags.push_back(std::move(Flag));
  };
  for (size_t I = 0; I < Words.size(); ++I) {
    StringRef W = Words[I];
    for (StringRef Paired : {"-I", "-isystem", "-iquote", "-idirafter",
                             "-include", "-imacros", "-D", "-U"}) {
      StringRef Argument = W;
      bool File = Paired == "-include" || Paired == "-imacros";
      if (!Argument.consume_front(Paired) || (File && !Argument.empty()))
        continue;
      if (Paired == "-I" && Argument == "-")
        break;
      if (Argument.empty()) {
        if (++I == Words.size())
          break;
        Argument = Words[I];
      }
      if (Paired == "-D" || Paired == "-U") {
        add((Paired + Argument).str());
      } else if (std::string Path = locate(Argument, Context, Make);
                 Path.empty()) {
        break;
      } else if (File) {
        if (!is_contained(Flags, Path)) {
          Flags.push_back(Paired.str());
          Flags.push_back(Path);
        }
      } else {
        add("-I" + Path);
      }
      break;
    }
    if (isParserFlag(W))
      add(W.str());
  }
  return Flags;
}

std::string treeUserHeaders(const KernelTree &Tree) {
  std::string Beside = (sys::path::parent_path(Tree.Root) + "/include").str();
  return isFile(Beside + "/stdlib.h") ? Beside : "";
}

static std::string userHeaders(const FlagContext &Context) {
  std::string Beside = treeUserHeaders(Context.Tree);
  return Beside.empty() ? Context.Build + "/" + UserDirectory.str() : Beside;
}

void completeFlags(std::vector<std::string> &Flags,
                   const FlagContext &Context) {
  auto has = [&](StringRef Prefix) {
    return any_of(Flags, [&](const std::string &F) {
      return StringRef(F).starts_with(Prefix);
    });
  };
  auto insert = [&](std::string Flag) {
    if (!is_contained(Flags, Flag))
      Flags.push_back(std::move(Flag));
  };
  std::vector<std::string> First;
  // Without cpu/ the processor is known by the platform's name alone.
  std::string Processor = Context.Tree.Arch;
  if (Triple(Processor).getArch() == Triple::UnknownArch)
    Processor = StringRef(Processor).ends_with("64") ? "x86_64" : "i386";
  if (!has("--target="))
    First.push_back("--target=" + Processor + "-unknown-" +
                    (Context.Tree.System.empty() ? std::string("none-elf")
                                                 : Context.Tree.System));
  // A kernel Makefile that names no dialect is older than gnu11.
  if (!has("-std="))
    First.push_back(Context.Tree.KernelMakefile.empty() ? "-std=gnu11"
                                                        : "-std=gnu89");
  Flags.insert(Flags.begin(), First.begin(), First.end());
  insert("-nostdinc");
  insert("-ffreestanding");
  insert("-D_KERNEL");
  std::vector<std::string> Paths = {
      "-I" + Context.Build, "-I" + Context.Build + "/include",
      "-I" + Context.Tree.Root, "-I" + userHeaders(Context)};
  for (std::string &Path : Paths)
    insert(std::move(Path));
  std::string Global = Context.Build + "/opt_global.h";
  if (!is_contained(Flags, Global)) {
    Flags.push_back("-include");
    Flags.push_back(Global);
  }
}

std::vector<std::string> includePath(ArrayRef<std::string> Flags) {
  std::vector<std::string> Path;
  for (StringRef Flag : Flags)
    if (Flag.consume_front("-I"))
      Path.push_back(Flag.str());
  return Path;
}

} // namespace kmobj::compdb
