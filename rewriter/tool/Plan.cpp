/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj plan: what is to become of each zone and cache.
 *
 * Some of what stands in the way is only found when the conversion is edited
 * and tried.  With a compile database that is done here, and nothing of it
 * written, so that a plan says what rewrite would refuse.
 */
#include "Convert.h"
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

/// Refuses in P what a trial of the conversion refuses.
static Error tryOut(const Facts &F, Plan &P) {
  auto DB = Input.database();
  if (!DB)
    return DB.takeError();
  // What an earlier trial refused may hold by now.
  for (PlanEntry &E : P.Entries)
    if (!E.Tried.empty())
      E.retry();
  Plan Tried = P;
  SeriesOptions Made;
  Made.Shims = shimsDirectory("");
  Made.Install = false;
  if (auto R = convert(Input, F, Tried, DB->get(), Made); !R)
    return R.takeError();
  for (size_t I = 0; I < P.Entries.size(); ++I) {
    const PlanEntry &Of = Tried.Entries[I];
    if (P.Entries[I].Convert && !Of.Convert)
      P.Entries[I].refuseTried(Of.Reasons);
  }
  P.updateDrops();
  return Error::success();
}

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
  if (!Input.Directories.empty())
    if (Error E = tryOut(*F, *P))
      return fail(std::move(E));
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
