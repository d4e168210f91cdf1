/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj: converts a kernel tree from zalloc and objcache to kmalloc_obj.
 */
#include "Tool.h"
#include "kmobj/Series.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

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

/// What does not fit on the disk that standard output goes to is an error like
/// that of any other file. Runs last, before what LLVM would do: abort.
static void checkStandardOutput() {
  outs().flush();
  if (!outs().has_error())
    return;
  const std::string Why = outs().error().message();
  outs().clear_error();
  std::_Exit(fail("standard output: " + Why));
}

/// An option or value that is there and empty: a variable of the shell that is
/// not set, as a rule, and never what was meant.
static int emptyArgument(int Argc, const char **Argv) {
  for (int I = 1; I < Argc; ++I) {
    const StringRef Argument = Argv[I];
    if (Argument.empty())
      return I;
    if (Argument.starts_with("-") && Argument.ends_with("=") &&
        Argument.count('=') == 1)
      return I;
  }
  return 0;
}

int main(int Argc, const char **Argv) {
  InitLLVM Init(Argc, Argv);
  const bool Closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
  // A file must not get the number of a stream that is closed.
  if (sys::Process::FixupStandardFileDescriptors() || Closed)
    return fail("standard output is closed");
  outs(); // made before what is registered now, so it is there when that runs
  std::atexit(checkStandardOutput);
  if (const int Empty = emptyArgument(Argc, Argv)) {
    const StringRef Before = StringRef(Argv[Empty]).empty() && Empty > 1
                                 ? StringRef(Argv[Empty - 1])
                                 : StringRef(Argv[Empty]);
    return fail("an argument is empty (" + Before + "): leave the option out, "
                "or say what it is");
  }
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
  cl::SetVersionPrinter([](raw_ostream &OS) { OS << programName() << "\n"; });
  std::string Message;
  raw_string_ostream Errors(Message);
  if (!cl::ParseCommandLineOptions(Argc, Argv, Overview, &Errors)) {
    errs() << Message;
    return BadInput;
  }
  for (Verb *V : Verb::all())
    if (V->Command) {
      const int Code = V->Run();
      closeCache();
      return Code;
    }
  return fail("say what to do: " + verbNames() + " (or --help)");
}
