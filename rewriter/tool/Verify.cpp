/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmobj verify: the tree before, the tree after, the plan between them.
 *
 * The tree before is the one that the compile database names, and the tree
 * after a directory of its own; or the series was applied to the tree itself,
 * and what it was before is a revision in its git repository.
 */
#include "kmobj/Verify.h"
#include "Tool.h"
#include "kmobj/Install.h"
#include "kmobj/Printable.h"
#include "kmobj/Repository.h"
#include "kmobj/TreeView.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>

using namespace llvm;
using namespace kmobj;
using clang::tooling::CompilationDatabase;

static int runVerify();

static Verb VerifyVerb("verify",
                       "checks a converted tree: what the plan says holds, "
                       "what it does not touch is as it was, no new "
                       "diagnostics",
                       runVerify);
static InputOptions Input(VerifyVerb);
static cl::opt<std::string> Converted("converted",
                                      cl::desc("root of the converted tree"),
                                      cl::value_desc("dir"),
                                      cl::sub(VerifyVerb.Command));
static cl::opt<std::string>
    Base("base",
         cl::desc("the tree itself was converted (git am, --in-place): compare "
                  "it with this revision of its git repository"),
         cl::value_desc("rev"), cl::sub(VerifyVerb.Command));
static cl::list<std::string>
    FactsFiles("facts",
               cl::desc("facts of the tree before, collected by scan, instead "
                        "of parsing"),
               cl::value_desc("file"), cl::sub(VerifyVerb.Command));
static cl::opt<std::string>
    PlanFile("plan",
             cl::desc("the plan it was converted by (default: the one that "
                      "rewrite left beside the converted tree, else the last "
                      "one carried out with this compile database)"),
             cl::value_desc("plan.yaml"), cl::sub(VerifyVerb.Command));
static cl::opt<std::string>
    Shims("shims",
          cl::desc("where the shims that were installed lie (default: found "
                   "from the program)"),
          cl::value_desc("dir"), cl::sub(VerifyVerb.Command));
static cl::opt<bool>
    All("all", cl::desc("parse the units, too, that no changed line concerns"),
        cl::sub(VerifyVerb.Command));
static cl::opt<uint64_t>
    Seed("seed",
         cl::desc("which units, of those that no changed line concerns, are "
                  "parsed to prove it (default: the contents decide)"),
         cl::value_desc("n"), cl::sub(VerifyVerb.Command));

namespace {

/// A revision of the tree's part of a git repository, in a directory of its own
/// that goes with the object.
class Checkout {
public:
  ~Checkout() {
    if (!Root.empty())
      sys::fs::remove_directories(Root);
  }

  Error create(const std::string &Tree, const std::string &Revision) {
    if (!sys::findProgramByName("git"))
      return createStringError("--base needs git, which is not installed");
    SmallString<128> Made;
    if (const std::error_code EC =
            sys::fs::createUniqueDirectory("kmobj-base", Made))
      return createStringError("%s: %s", Made.c_str(), EC.message().c_str());
    // Real, as the paths of the tree are.
    SmallString<256> Real;
    sys::fs::real_path(Made, Real);
    Root = std::string(Real);
    const auto Prefix = git({"-C", Tree, "rev-parse", "--show-prefix"});
    const auto Toplevel = git({"-C", Tree, "rev-parse", "--show-toplevel"});
    if (!Prefix || !Toplevel)
      return createStringError("%s: --base: this tree is in no git repository",
                               Tree.c_str());
    const auto Hash = git({"-C", Tree, "rev-parse", "--verify", "--quiet",
                           "--end-of-options", Revision + "^{commit}"});
    if (!Hash)
      return createStringError("--base %s: the repository of %s has no such "
                               "revision",
                               Revision.c_str(), Tree.c_str());
    const std::string Commit = StringRef(*Hash).trim().str();
    const std::string What =
        Commit + ":" + StringRef(*Prefix).rtrim('\n').rtrim('/').str();
    // From the top: below it, only what is there would be checked out.
    const StringRef Top = StringRef(*Toplevel).rtrim('\n');
    ::setenv("GIT_INDEX_FILE", (Root + "/index").c_str(), 1);
    const bool Good = git({"-C", Top, "read-tree", What}) &&
                      git({"-C", Top, "checkout-index", "--all", "--quiet",
                           "--prefix=" + path() + "/"});
    ::unsetenv("GIT_INDEX_FILE");
    if (!Good)
      return createStringError("--base %s: its files could not be taken out of "
                               "the repository of %s",
                               Revision.c_str(), Tree.c_str());
    return Error::success();
  }

  std::string path() const { return Root + "/tree"; }

private:
  std::string Root;
};

} // namespace

/// The plan to go by; empty: there is none.
static std::string findPlan(const std::string &Tree) {
  std::vector<std::string> Places;
  if (!PlanFile.empty())
    return PlanFile;
  if (Base.empty())
    Places.push_back(planBeside(Converted));
  Places.push_back(planOf(Input.Directories.front()));
  if (!Base.empty())
    Places.push_back(planBeside(Tree));
  for (const std::string &Place : Places)
    if (sys::fs::exists(Place))
      return Place;
  return "";
}

/// The files that the installation changes or adds, as they are then.
static Expected<FileSet> installed(const std::string &Before,
                                   const CompilationDatabase &DB,
                                   const Plan &P) {
  if (!P.needsShims())
    return FileSet();
  const SourceTree Tree(Before);
  auto Patches = install(Tree, DB, shimsDirectory(Shims));
  if (!Patches)
    return Patches.takeError();
  auto States = materialize(Tree, *Patches);
  if (!States)
    return States.takeError();
  return States->empty() ? FileSet() : States->back();
}

static int runVerify() {
  if (Converted.empty() == Base.empty())
    return fail("name the converted tree (--converted DIR) or, where it was "
                "converted in place, the revision before (--base REV)");
  auto DB = Input.database();
  if (!DB)
    return fail(DB.takeError());
  auto Tree = Input.treeOf(**DB);
  if (!Tree)
    return fail(Tree.takeError());
  std::string Before = *Tree, After = *Tree;
  Checkout Old;
  if (!Base.empty()) {
    if (Error E = Old.create(*Tree, Base))
      return fail(std::move(E));
    Before = Old.path();
  } else {
    SmallString<256> Real;
    if (const std::error_code EC = sys::fs::real_path(Converted, Real))
      return fail(Converted + ": " + EC.message());
    if (!sys::fs::is_directory(Real))
      return fail(Converted + ": is no directory");
    After = std::string(Real);
    if (After == Before)
      return fail(Converted + ": this is the tree that the compile database "
                              "names; if it was converted in place, compare "
                              "it with the revision before: --base REV");
  }
  const std::string By = findPlan(*Tree);
  if (By.empty())
    return fail("there is no plan that was carried out: name it with --plan "
                "(rewrite writes it with its output)");
  const std::vector<std::string> Files(FactsFiles.begin(), FactsFiles.end());
  auto F = Input.facts(Files, Before == *Tree ? nullptr
                                              : viewDirectory(*Tree, Before));
  if (!F)
    return fail(F.takeError());
  auto P = planFor(*F, {}, By);
  if (!P)
    return fail(P.takeError());

  VerifyOptions Options;
  Options.Jobs = Input.Jobs;
  Options.Known = &Input.cache();
  Options.All = All;
  if (Seed.getNumOccurrences())
    Options.Seed = Seed;
  auto Installed = installed(Before, **DB, *P);
  if (!Installed)
    return fail(Installed.takeError());
  Options.Installed = std::move(*Installed);
  Progress Show("comparing");
  Options.Progress = std::ref(Show);
  auto Result = verify(**DB, *F, *P, Before, After, Options);
  if (!Result)
    return fail(Result.takeError());
  for (const std::string &Note : Result->Notes)
    outs() << "not parsed " << printable(Note) << "\n";
  for (const std::string &Problem : Result->Problems)
    outs() << printable(Problem) << "\n";
  if (!Result->Disproved.empty())
    outs() << printable(Result->Disproved)
           << ": was held to be unconcerned and is not, so all were parsed\n";
  else if (Result->Unconcerned)
    outs() << Result->Unconcerned
           << " units read what was changed and are not concerned; "
           << (All ? std::string("all were parsed")
                   : std::to_string(Result->Drawn) +
                         " were parsed to prove it, --seed " +
                         std::to_string(Result->Seed))
           << "\n";
  outs() << "by the plan " << printable(By) << ": " << Result->Files
         << " files differ, " << Result->Units << " units compared, "
         << Result->Problems.size() << " problems\n";
  return Result->Problems.empty() ? Done : NeedsPerson;
}
