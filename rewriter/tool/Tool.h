/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the verbs of kmobj share: how they are found, their exit codes, where
 * facts and plans come from.
 *
 * Each verb is one file with a Verb object in it; main() knows them by their
 * having been constructed.
 */
#ifndef KMOBJ_TOOL_TOOL_H
#define KMOBJ_TOOL_TOOL_H

#include "kmobj/Cache.h"
#include "kmobj/Collect.h"
#include "kmobj/Facts.h"
#include "kmobj/Parse.h"
#include "kmobj/Plan.h"
#include "llvm/Support/CommandLine.h"
#include <chrono>
#include <memory>
#include <string>

namespace kmobj {

enum ExitCode {
  Done = 0,
  NeedsPerson = 1, ///< something was refused, or a person has to look
  BadInput = 2     ///< usage or input error; nothing was written
};

class Verb {
public:
  Verb(const char *Name, const char *Description, int (*Run)());

  llvm::cl::SubCommand Command;
  int (*const Run)();

  static llvm::ArrayRef<Verb *> all();
};

/// Prints "kmobj: error: ..." for each error; the exit code for it.
int fail(llvm::Error E);
int fail(const llvm::Twine &Message);

/// Shows "[3/40] unit" on a terminal; anywhere else, a line every now and then,
/// so that nobody takes long work for a hang.
class Progress {
public:
  explicit Progress(const char *What);
  ~Progress();
  void operator()(unsigned Done, unsigned Total, llvm::StringRef Unit);

private:
  const char *What;
  bool Terminal;
  std::chrono::steady_clock::time_point Said;
};

/// Removes what is too much in the cache, and says if it could not be used.
void closeCache();

/// What -p, --tree, -j and --no-cache say. The same for every verb that takes
/// them.
struct InputOptions {
  explicit InputOptions(Verb &V);

  llvm::cl::list<std::string> Directories;
  llvm::cl::opt<std::string> Tree;
  llvm::cl::opt<unsigned> Jobs;
  llvm::cl::opt<bool> NoCache;

  /// What is known of units: in the first of the -p directories, where the
  /// verbs that follow find it, or for this process only.
  Cache &cache() const;

  /// The compile databases as one; an error if -p is missing.
  llvm::Expected<std::unique_ptr<clang::tooling::CompilationDatabase>>
  database() const;

  /// Parses what may matter, as the options say.
  llvm::Expected<Facts>
  collectFacts(CollectOptions Options = CollectOptions()) const;

  /// From facts files if any are given, else from the sources. Facts that are
  /// about another tree, not whole or older than the sources are an error. FS:
  /// where the sources are read from; null: the disk.
  llvm::Expected<Facts>
  facts(llvm::ArrayRef<std::string> Files,
        llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS = nullptr) const;

  /// The sources' root, a real path. An error where no unit of DB is in it.
  llvm::Expected<std::string>
  treeOf(const clang::tooling::CompilationDatabase &DB) const;
};

/// The plan made from the facts, with the plan file (if any) laid over it.
llvm::Expected<Plan> planFor(const Facts &F, const PlanOptions &Options,
                             llvm::StringRef PlanFile);

/// Where the shims lie: as given, else found from the program.
std::string shimsDirectory(const std::string &Given);

/// The plan that was carried out: next to the tree that was written; and in the
/// directory of the compile database, that of the last conversion by it.
std::string planBeside(llvm::StringRef Tree);
std::string planOf(llvm::StringRef DatabaseDirectory);

/// Units that did not parse, a line each.
std::string unparsed(const Facts &F);

/// What a person should look at in the entries to convert, a line each.
std::string notes(const Plan &P);

/// Done, or NeedsPerson if the facts or the plan leave something.
int outcome(const Facts &F, const Plan &P);

} // namespace kmobj

#endif
