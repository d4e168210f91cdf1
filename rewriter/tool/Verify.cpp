/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Verify.h"
#include "Tool.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace kmobj;

static int runVerify();

static Verb VerifyVerb("verify",
                       "checks a converted tree: nothing of the old APIs left, "
                       "no new diagnostics",
                       runVerify);
static InputOptions Input(VerifyVerb);
static cl::opt<std::string> Converted("converted",
                                      cl::desc("root of the converted tree"),
                                      cl::value_desc("dir"),
                                      cl::sub(VerifyVerb.Command));
static cl::list<std::string>
    FactsFiles("facts", cl::desc("facts collected by scan, instead of parsing"),
               cl::value_desc("file"), cl::sub(VerifyVerb.Command));
static cl::opt<std::string>
    PlanFile("plan",
             cl::desc("the plan it was converted by, as "
                      "`rewrite -o' wrote it"),
             cl::value_desc("plan.yaml"), cl::sub(VerifyVerb.Command));

static int runVerify() {
  if (Converted.empty())
    return fail("name the converted tree: --converted DIR");
  SmallString<256> Real;
  if (const std::error_code EC = sys::fs::real_path(Converted, Real))
    return fail(Converted + ": " + EC.message());
  if (!sys::fs::is_directory(Real))
    return fail(Converted + ": is no directory");
  auto DB = Input.database();
  if (!DB)
    return fail(DB.takeError());
  const std::vector<std::string> Files(FactsFiles.begin(), FactsFiles.end());
  auto F = Input.facts(Files);
  if (!F)
    return fail(F.takeError());
  auto P = planFor(*F, {}, PlanFile);
  if (!P)
    return fail(P.takeError());

  VerifyOptions Options;
  Options.Jobs = Input.Jobs;
  Progress Show("comparing");
  Options.Progress = std::ref(Show);
  auto Result = verify(**DB, *F, *P, Real, Options);
  if (!Result)
    return fail(Result.takeError());
  for (const std::string &Problem : Result->Problems)
    outs() << Problem << "\n";
  outs() << Result->Files << " files differ, " << Result->Units
         << " units compared, " << Result->Problems.size() << " problems\n";
  return Result->Problems.empty() ? Done : NeedsPerson;
}
