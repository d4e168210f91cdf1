/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj: converts a kernel tree from zalloc and objcache to kmalloc_obj.
 */
#include "Tool.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace kmobj;

static const char Overview[] =
    "kmobj: converts a kernel tree from zalloc and objcache to kmalloc_obj\n\n"
    "  Exit codes: 0 done; 1 something was refused or needs a person (it is\n"
    "  listed); 2 usage or input error, nothing was written.\n";

static std::string verbNames() {
  std::string Names;
  for (const Verb *V : Verb::all())
    Names += (Names.empty() ? "" : ", ") + V->Command.getName().str();
  return Names;
}

int main(int Argc, const char **Argv) {
  InitLLVM Init(Argc, Argv);
  if (Argc < 2)
    return fail("say what to do: " + verbNames() + " (or --help)");
  const StringRef First = Argv[1];
  const bool Known = any_of(Verb::all(), [&](const Verb *V) {
    return V->Command.getName() == First;
  });
  if (!First.starts_with("-") && !Known)
    return fail("'" + First + "' is none of the verbs " + verbNames());

  // Options that come with the libraries are nobody's business here.
  for (auto &[Name, Option] :
       cl::getRegisteredOptions(cl::SubCommand::getTopLevel()))
    if (Name != "help" && Name != "version")
      Option->setHiddenFlag(cl::ReallyHidden);
  std::string Message;
  raw_string_ostream Errors(Message);
  if (!cl::ParseCommandLineOptions(Argc, Argv, Overview, &Errors)) {
    errs() << Message;
    return BadInput;
  }
  for (Verb *V : Verb::all())
    if (V->Command)
      return V->Run();
  return fail("say what to do: " + verbNames() + " (or --help)");
}
