/* SPDX-License-Identifier: BSD-3-Clause */
#include "Tool.h"
#include "kmobj/Output.h"
#include "kmobj/Printable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace kmobj;

static int plan();

static Verb PlanVerb("plan",
                     "decides for each zone and cache: convert, or refuse and "
                     "why; a person may edit the result",
                     plan);
static InputOptions Input(PlanVerb);
static cl::list<std::string>
    FactsFiles("facts", cl::desc("facts collected by scan, instead of parsing"),
               cl::value_desc("file"), cl::sub(PlanVerb.Command));
static cl::list<std::string> MoreFacts(cl::Positional,
                                       cl::desc("[more facts files]"),
                                       cl::sub(PlanVerb.Command));
static cl::opt<std::string> Output("o",
                                   cl::desc("write to this file; a plan that "
                                            "is there keeps its edits"),
                                   cl::value_desc("plan.yaml"), cl::init("-"),
                                   cl::sub(PlanVerb.Command));
static cl::opt<bool>
    Naive("naive",
          cl::desc("without bootstrap slabs and reserve: the negative control"),
          cl::sub(PlanVerb.Command));

static int plan() {
  std::vector<std::string> Files(FactsFiles.begin(), FactsFiles.end());
  if (Files.empty() && !MoreFacts.empty())
    return fail(MoreFacts.front() + ": facts files follow --facts");
  append_range(Files, MoreFacts);
  auto F = Input.facts(Files);
  if (!F)
    return fail(F.takeError());
  PlanOptions Options;
  Options.Naive = Naive;
  // A plan that is there has a person's edits in it.
  const bool Again = Output != "-" && sys::fs::is_regular_file(Output);
  auto P = planFor(*F, Options, Again ? StringRef(Output) : "");
  if (!P) {
    if (Again)
      errs() << printable(Output) << " is there, and is kept as it is: name "
             << "another file, or remove it\n";
    return fail(P.takeError());
  }
  if (P->Naive != Naive)
    return fail(Output + ": this plan is " + (P->Naive ? "" : "not ") +
                "naive, and is kept as it is: name another file, or remove it");
  const std::string Text = writePlan(*P);
  const std::string Report = unparsed(*F) + report(*P);
  if (Output == "-") {
    outs() << Text;
    errs() << Report;
  } else {
    if (Error E = writeFile(Output, Text))
      return fail(std::move(E));
    outs() << Report;
  }
  return outcome(*F, *P);
}
