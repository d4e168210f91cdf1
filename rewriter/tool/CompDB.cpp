/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/CompDB.h"
#include "Tool.h"
#include "kmobj/Printable.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>

using namespace llvm;
using namespace kmobj;

static int compdb();

static Verb CompDB("compdb",
                   "make a bare kernel tree parseable: generated headers and "
                   "compile_commands.json (runs the awk and perl scripts of "
                   "the tree, see --no-scripts)",
                   compdb);
static cl::opt<std::string>
    Tree("tree",
         cl::desc("the kernel's sources: the directory with conf/files"),
         cl::value_desc("sys"), cl::sub(CompDB.Command));
static cl::opt<std::string>
    Platform("platform",
             cl::desc("default: the config's, else pc64, or the only one"),
             cl::value_desc("name"), cl::sub(CompDB.Command));
static cl::opt<std::string> Arch("arch",
                                 cl::desc("default: the config's processor"),
                                 cl::value_desc("name"),
                                 cl::sub(CompDB.Command));
static cl::opt<std::string>
    Config("config",
           cl::desc("kernel config, by its name in the tree or its path; "
                    "default: the platform's general one; if it has none, "
                    "what is standard"),
           cl::value_desc("name"), cl::sub(CompDB.Command));
static cl::opt<std::string>
    Output("o",
           cl::desc("directory to write: new, empty, or made by an earlier "
                    "compdb; outside the tree"),
           cl::value_desc("dir"), cl::sub(CompDB.Command));

static cl::opt<bool>
    NoScripts("no-scripts",
              cl::desc("run none of the tree's scripts, which can do whatever "
                       "you can; the headers that they make are missing then"),
              cl::sub(CompDB.Command));

static volatile std::sig_atomic_t Interrupted;

static int compdb() {
  if (Tree.empty() || Output.empty())
    return fail("name the kernel's sources and the directory to write: --tree "
                "SYS and -o DIR are needed");
  // The output directory is removed on the way out, not left half done.
  for (int Signal : {SIGINT, SIGTERM, SIGHUP})
    std::signal(Signal, [](int) { Interrupted = 1; });

  Progress Show("compdb");
  CompDBOptions Options;
  Options.Tree = Tree;
  Options.Platform = Platform;
  Options.Arch = Arch;
  Options.Config = Config;
  Options.Output = Output;
  Options.NoScripts = NoScripts;
  Options.Announce = [](StringRef Script) {
    errs() << "running " << printable(Script)
           << " of the tree (--no-scripts: do not)\n";
  };
  Options.Progress = std::ref(Show);
  Options.Interrupted = [] { return Interrupted != 0; };
  Expected<CompDBResult> Result = makeCompDB(Options);
  if (!Result)
    return fail(Result.takeError());
  outs() << printableLines(Result->Summary);
  return Result->Complete ? Done : NeedsPerson;
}
