/* SPDX-License-Identifier: BSD-3-Clause */
#include "Tool.h"
#include "kmobj/Output.h"
#include "kmobj/Printable.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace kmobj;

static int scan();

static Verb Scan("scan", "inventory: every zone, cache and call, as JSON",
                 scan);
static InputOptions Input(Scan);
static cl::opt<std::string> Output("o", cl::desc("write to this file"),
                                   cl::value_desc("facts.json"), cl::init("-"),
                                   cl::sub(Scan.Command));
static cl::opt<std::string>
    Shard("shard",
          cl::desc("take part i of n of the units; `kmobj plan --facts' joins "
                   "the parts"),
          cl::value_desc("i/n"), cl::sub(Scan.Command));
static cl::opt<bool> All("all",
                         cl::desc("parse every unit, also those in whose text "
                                  "no site can be"),
                         cl::sub(Scan.Command));
static cl::list<std::string> Files(cl::Positional,
                                   cl::desc("[units] (default: all)"),
                                   cl::sub(Scan.Command));

static int scan() {
  CollectOptions Options;
  Options.Files.assign(Files.begin(), Files.end());
  Options.NoFilter = All;
  if (!Shard.empty()) {
    const auto [Part, Count] = StringRef(Shard).split('/');
    if (Part.getAsInteger(10, Options.Shard) ||
        Count.getAsInteger(10, Options.ShardCount) ||
        Options.Shard >= Options.ShardCount)
      return fail("--shard " + Shard + ": expected i/n with 0 <= i < n");
  }
  auto F = Input.collectFacts(Options);
  if (!F)
    return fail(F.takeError());
  const std::string Text = writeFacts(*F);
  if (Output == "-")
    outs() << Text;
  else if (Error E = writeFile(Output, Text))
    return fail(std::move(E));
  const std::string Failed = unparsed(*F);
  errs() << Failed;
  for (const Mention &M : F->Mentions)
    if (M.Kind == Mention::Function && M.Call && M.State > Mention::ApiItself &&
        !F->siteAt(M.Text.id()))
      errs() << "not seen   " << printable(M.Text.lineRef()) << ": " << M.Name
             << "() " << stateText(M.State) << "\n";
  return Failed.empty() ? Done : NeedsPerson;
}
