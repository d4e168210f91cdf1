/* SPDX-License-Identifier: BSD-3-Clause */
#include "Tool.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace kmobj {

static std::vector<Verb *> &verbs() {
  static std::vector<Verb *> All;
  return All;
}

Verb::Verb(const char *Name, const char *Description, int (*Run)())
    : Command(Name, Description), Run(Run) {
  verbs().push_back(this);
}

ArrayRef<Verb *> Verb::all() { return verbs(); }

int fail(const Twine &Message) {
  WithColor::error(errs(), "kmobj") << Message << "\n";
  return BadInput;
}

int fail(Error E) {
  handleAllErrors(std::move(E),
                  [](const ErrorInfoBase &Info) { fail(Info.message()); });
  return BadInput;
}

Progress::Progress(const char *What)
    : What(What), Terminal(sys::Process::StandardErrIsDisplayed()) {}

Progress::~Progress() {
  if (Terminal)
    errs() << "\r\033[K";
}

void Progress::operator()(unsigned Done, unsigned Total, StringRef Unit) {
  if (Terminal)
    errs() << "\r\033[K" << What << " [" << Done << "/" << Total << "] "
           << Unit.take_back(50);
}

InputOptions::InputOptions(Verb &V)
    : Directories("p",
                  cl::desc("directory with compile_commands.json; several, for "
                           "several configurations or platforms of one tree"),
                  cl::value_desc("dir"), cl::sub(V.Command)),
      Tree("tree",
           cl::desc("root of the kernel sources (default: the directory above "
                    "the units which holds conf/files, else the one that has "
                    "them all)"),
           cl::value_desc("dir"), cl::sub(V.Command)),
      Jobs("j",
           cl::desc("parse that many units at a time (default: one a CPU)"),
           cl::value_desc("n"), cl::init(0), cl::Prefix, cl::sub(V.Command)) {}

Expected<std::unique_ptr<clang::tooling::CompilationDatabase>>
InputOptions::database() const {
  if (Directories.empty())
    return createStringError("name the directory with compile_commands.json: "
                             "-p DIR");
  return loadDatabase(Directories);
}

Expected<Facts> InputOptions::collectFacts(CollectOptions Options) const {
  auto DB = database();
  if (!DB)
    return DB.takeError();
  Options.Tree = Tree;
  Options.Jobs = Jobs;
  Progress Show("parsing");
  Options.Progress = std::ref(Show);
  return collect(**DB, Options);
}

Expected<Facts> InputOptions::facts(ArrayRef<std::string> Files) const {
  if (Files.empty()) {
    if (Directories.empty())
      return createStringError("name the directory with compile_commands.json "
                               "(-p DIR) or facts that were collected "
                               "(--facts FILE)");
    return collectFacts();
  }
  std::vector<Facts> Parts;
  for (const std::string &File : Files) {
    auto F = readFacts(File);
    if (!F)
      return F.takeError();
    Parts.push_back(std::move(*F));
  }
  auto All = mergeFacts(std::move(Parts));
  if (!All || Tree.empty())
    return All;
  SmallString<256> Real;
  if (const std::error_code EC = sys::fs::real_path(Tree, Real))
    return createStringError("%s: %s", Tree.c_str(), EC.message().c_str());
  if (Real != All->Tree)
    return createStringError("%s: these facts are about the tree %s, not %s",
                             Files.front().c_str(), All->Tree.c_str(),
                             Real.c_str());
  return All;
}

Expected<Plan> planFor(const Facts &F, const PlanOptions &Options,
                       StringRef PlanFile) {
  Plan P = makePlan(F, Options);
  if (PlanFile.empty())
    return P;
  auto Buffer = MemoryBuffer::getFile(PlanFile);
  if (!Buffer)
    return createStringError("%s: %s", PlanFile.str().c_str(),
                             Buffer.getError().message().c_str());
  if (Error E = applyPlanFile(P, F, **Buffer))
    return E;
  return P;
}

std::string unparsed(const Facts &F) {
  std::string Out;
  for (const Unit &U : F.Units)
    if (U.State == Unit::Failed)
      Out += "not parsed " + U.Path + ": " + U.FirstError + "\n";
  return Out;
}

std::string notes(const Plan &P) {
  std::string Out;
  StringSet<> Known; // zones of a group share what is to be checked
  auto Add = [&](const Remark &R) {
    if (Known.insert(R.str()).second)
      Out += "check      " + R.str() + "\n";
  };
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convert)
      continue;
    for_each(E.Notes, Add);
    for (const Step &S : E.Steps)
      for_each(S.Notes, Add);
  }
  return Out;
}

int outcome(const Facts &F, const Plan &P) {
  return unparsed(F).empty() && P.allConverted() ? Done : NeedsPerson;
}

} // namespace kmobj
