/* SPDX-License-Identifier: BSD-3-Clause */
//===- CompDB.cpp - Making a kernel tree parseable ------------------------===//

#include "kmobj/CompDB.h"
#include "Forward.h"
#include "Generate.h"
#include "Options.h"
#include "Report.h"
#include "Units.h"
#include "UserHeaders.h"
#include "kmobj/Cache.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace kmobj::compdb;

namespace kmobj {

namespace {

/// One run, in the order in which its parts need each other.
class Maker {
public:
  explicit Maker(const CompDBOptions &Options) : Options(Options) {}

  Expected<CompDBResult> run();

private:
  Error readLists();
  Error writeHeaders(OutputDirectory &Output, const MakeFile &Make);
  Error followIncludes(OutputDirectory &Output, const FlagContext &Context);
  Error step(unsigned Number, StringRef What);
  bool provide(StringRef Header);

  const CompDBOptions &Options;
  KernelTree Tree;
  KernelConfig Config;
  std::vector<SourceEntry> Entries;
  OptionTable Table;
  UnitSet Set;
  Findings Found;
  std::set<std::string> CountedDevices;
  std::map<std::string, std::string> LateHeaders; ///< name -> contents
};

Error Maker::step(unsigned Number, StringRef What) {
  if (Options.Interrupted && Options.Interrupted())
    return failure("interrupted; nothing was written");
  if (Options.Progress)
    Options.Progress(Number, 4, What);
  return Error::success();
}

Error Maker::readLists() {
  std::vector<std::string> Lists = Tree.FileLists;
  for (const std::string &Extra : Config.ExtraFiles)
    Lists.push_back(Tree.path("conf/" + Extra));
  for (const std::string &List : Lists)
    if (Error Err = readConfFiles(List, Tree.Root, Entries, Found.Notes))
      return Err;
  for (const std::string &List : Tree.OptionLists)
    if (Error Err = readOptions(List, Table, Found.Notes))
      return Err;
  Found.Notes.insert(Found.Notes.end(), Config.Notes.begin(),
                     Config.Notes.end());
  for (const SourceEntry &Entry : Entries)
    CountedDevices.insert(Entry.Counted.begin(), Entry.Counted.end());
  return Error::success();
}

Error Maker::writeHeaders(OutputDirectory &Output, const MakeFile &Make) {
  if (Error Err = step(1, "forwarding headers"))
    return Err;
  Expected<unsigned> Forwarded = writeForwarders(Tree, Make, Output);
  if (!Forwarded)
    return Forwarded.takeError();
  Found.Forwarded = *Forwarded;
  if (treeUserHeaders(Tree).empty())
    if (Error Err = writeUserHeaders(Tree, Output))
      return Err;

  for (const auto &[Name, Text] :
       optionHeaders(Table, Config, Found.UnknownOptions)) {
    if (Error Err = Output.write(Name, Text))
      return Err;
    ++Found.OptionHeaders;
  }

  if (Error Err = step(2, "headers made by the tree's scripts"))
    return Err;
  Generator Gen(Tree, Output.staging(), Options);
  Gen.interfaces(Entries);
  if (Error Err = step(2, "headers made by the tree's scripts"))
    return Err;
  Gen.headers(Entries, Make);
  Gen.usualHeaders();
  Found.Generated = Gen.made();
  Found.Stubs = Gen.Stubs;
  Found.NotMade = Gen.Failed;
  return Error::success();
}

/// A header which is not there, but which config(8) makes: it is now.
bool Maker::provide(StringRef Header) {
  StringRef Stem = Header;
  if (Header.contains('/') || !Stem.consume_back(".h"))
    return false;
  StringRef Device = Stem;
  if (Device.consume_front("use_") || CountedDevices.count(Device.str()))
    LateHeaders[Header.str()] = countHeader(Device, Config);
  else if (Stem.starts_with("opt_"))
    LateHeaders[Header.str()];
  else
    return false;
  return true;
}

Error Maker::followIncludes(OutputDirectory &Output,
                            const FlagContext &Context) {
  IncludeFollower Follower(Context,
                           [&](StringRef Header) { return provide(Header); });
  for (auto &[Relative, Unit] : Set.Units) {
    if (Error Err = step(4, Relative))
      return Err;
    Unit.Missing = Follower.follow(Unit.File, Unit.Flags);
  }
  for (const auto &[Name, Text] : LateHeaders) {
    if (Error Err = Output.write(Name, Text))
      return Err;
    Found.LateHeaders.push_back(Name);
  }
  return Error::success();
}

Expected<CompDBResult> Maker::run() {
  Expected<KernelTree> Where = findKernelTree(
      Options.Tree, Options.Platform, Options.Arch, Options.Config, Config);
  if (!Where)
    return Where.takeError();
  Tree = std::move(*Where);
  if (Error Err = readLists())
    return Err;
  Expected<OutputDirectory> Output =
      OutputDirectory::create(Options.Output, ReportName, Tree.Root);
  if (!Output)
    return Output.takeError();

  MakeFile Make = readKernelMake(Tree, Config, Output->final());
  for (SourceEntry &Entry : Entries)
    if (StringRef(Entry.Path).contains('$'))
      Entry.Path = Tree.relative(Make.real(Make.expand(Entry.Path)));
  if (Error Err = writeHeaders(*Output, Make))
    return Err;
  FlagContext Context{Tree, Output->final(), Output->staging()};
  if (Error Err = step(3, "units and modules"))
    return Err;
  Set = findUnits(Entries, Config, Context, Make);
  if (Set.Units.empty())
    return failure(Tree.Root + ": its lists name no C source that exists");
  for (const auto &[Name, Target] : Set.Links) {
    Expected<unsigned> Forwarded = writeForwarders(Name, Target, *Output);
    if (!Forwarded)
      return Forwarded.takeError();
    Found.Forwarded += *Forwarded;
  }
  if (Error Err = followIncludes(*Output, Context))
    return Err;
  if (Error Err = Output->write("compile_commands.json",
                                databaseText(Set, Output->final())))
    return Err;
  if (Error Err =
          Output->write(ReportName, fullReport(Tree, Config, Set, Found)))
    return Err;
  if (Error Err = step(4, ""))
    return Err;
  if (Error Err = Output->commit(Cache::DirectoryName))
    return Err;
  CompDBResult Result;
  Result.Complete = isComplete(Set);
  Result.Summary = summary(Tree, Config, Set, Found);
  return Result;
}

} // namespace

Expected<CompDBResult> makeCompDB(const CompDBOptions &Options) {
  return Maker(Options).run();
}

} // namespace kmobj
