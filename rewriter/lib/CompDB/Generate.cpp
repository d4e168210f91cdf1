/* SPDX-License-Identifier: BSD-3-Clause */
//===- Generate.cpp - Headers that a tree's own scripts make --------------===//

#include "Generate.h"
#include "OutputDirectory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace kmobj::compdb {

static constexpr char NotRun[] = "the tree's scripts were not to be run";

Generator::Generator(const KernelTree &Tree, std::string Output,
                     const CompDBOptions &Options)
    : Tree(Tree), Output(std::move(Output)), Options(Options) {
  for (const char *Name : {"mawk", "original-awk", "nawk", "bwk-awk", "awk"})
    if (ErrorOr<std::string> Path = sys::findProgramByName(Name))
      Awks.push_back(*Path);
  if (ErrorOr<std::string> Path = sys::findProgramByName("perl"))
    Perl = *Path;
}

/// Runs a program in Directory without input; true if it exits with 0.
static bool runIn(const std::string &Directory, ArrayRef<std::string> Arguments,
                  const std::string &Out) {
  posix_spawn_file_actions_t Actions;
  posix_spawn_file_actions_init(&Actions);
  posix_spawn_file_actions_addchdir_np(&Actions, Directory.c_str());
  posix_spawn_file_actions_addopen(&Actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&Actions, 1, Out.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_addopen(&Actions, 2, "/dev/null", O_WRONLY, 0);
  std::vector<char *> Argv;
  for (const std::string &A : Arguments)
    Argv.push_back(const_cast<char *>(A.c_str()));
  Argv.push_back(nullptr);
  pid_t Child;
  int Status = -1;
  if (posix_spawn(&Child, Argv[0], &Actions, nullptr, Argv.data(), environ) ==
      0)
    while (waitpid(Child, &Status, 0) < 0 && errno == EINTR)
      ;
  posix_spawn_file_actions_destroy(&Actions);
  return WIFEXITED(Status) && WEXITSTATUS(Status) == 0;
}

bool Generator::run(StringRef Interpreter, ArrayRef<std::string> Arguments,
                    StringRef Header, StringRef RedirectedTo) {
  if (Options.Interrupted && Options.Interrupted())
    return false;
  std::vector<std::string> All = {Interpreter.str()};
  All.insert(All.end(), Arguments.begin(), Arguments.end());
  std::string Path = Output + "/" + Header.str();
  std::string Out = RedirectedTo.empty() ? std::string("/dev/null")
                                         : Output + "/" + RedirectedTo.str();
  uint64_t Size = 0;
  if (runIn(Output, All, Out) && !sys::fs::file_size(Path, Size) && Size > 0) {
    ++Made;
    return true;
  }
  sys::fs::remove(Path);
  return false;
}

/// Makes Header with a script of the tree. Arguments follow the script's name.
bool Generator::script(StringRef Script, ArrayRef<std::string> Arguments,
                       StringRef Header, StringRef RedirectedTo) {
  if (Options.NoScripts)
    return false;
  if (Options.Announce && Announced.insert(Script.str()).second)
    Options.Announce(Tree.relative(Script));
  std::vector<std::string> All(Arguments.begin(), Arguments.end());
  if (Script.ends_with(".pl")) {
    All.insert(All.begin(), Script.str());
    return !Perl.empty() && run(Perl, All, Header, RedirectedTo);
  }
  All.insert(All.begin(), {"-f", Script.str()});
  for (size_t I = 0; I < Awks.size(); ++I)
    if (run(Awks[I], All, Header, RedirectedTo)) {
      std::swap(Awks[0], Awks[I]);
      return true;
    }
  return false;
}

static std::string firstScript(const KernelTree &Tree,
                               ArrayRef<StringRef> Names) {
  for (StringRef Name : Names)
    if (std::string Path = Tree.path(Name); isFile(Path))
      return Path;
  return "";
}

void Generator::interfaces(ArrayRef<SourceEntry> Entries) {
  std::map<std::string, std::string> Chosen; // header -> source
  for (const SourceEntry &Entry : Entries)
    if (StringRef(Entry.Path).ends_with(".m") && isFile(Tree.path(Entry.Path)))
      Chosen.try_emplace(sys::path::stem(Entry.Path).str() + ".h",
                         Tree.path(Entry.Path));
  for (const std::string &Path : findFiles(
           Tree.Root, [](StringRef Name) { return Name.ends_with("_if.m"); }))
    Chosen.try_emplace(sys::path::stem(Path).str() + ".h", Path);

  std::string Script =
      firstScript(Tree, {"tools/makeobjops.awk", "kern/makeobjops.awk",
                         "kern/makeobjops.pl", "kern/makedevops.pl"});
  for (const auto &[Header, Source] : Chosen) {
    if (Script.empty())
      Failed.push_back({Header, "the tree has no makeobjops script"});
    else if (Options.NoScripts)
      Failed.push_back({Header, NotRun});
    else if (StringRef(Script).ends_with(".pl")
                 ? !script(Script, {"-h", Source}, Header)
                 : !script(Script, {"--", "-h", Source}, Header) &&
                       !script(Script, {Source, "-h"}, Header))
      Failed.push_back({Header, Tree.relative(Script) + " failed on " +
                                    Tree.relative(Source) +
                                    " with every awk found"});
  }
}

/// `static TYPE NAME[SIZE] =' in a command that is beyond what is run here
/// (uudecode, kbdcontrol) says all a parser wants to know.
bool Generator::stub(StringRef Header, StringRef Command) {
  Regex Declaration("static [A-Za-z_][A-Za-z_0-9 ]* [A-Za-z_0-9]+"
                    "(\\[[0-9* ]+\\])? =");
  std::string Text;
  SmallVector<StringRef, 2> Match;
  while (Declaration.match(Command, &Match)) {
    std::string Line = Match[0].str() + " { 0 };\n";
    if (!StringRef(Text).contains(Line))
      Text += Line;
    Command = Command.drop_front(Match[0].end() - Command.begin());
  }
  if (Text.empty())
    return false;
  if (Error Err = writeFile(Output + "/" + Header.str(), Text)) {
    consumeError(std::move(Err));
    return false;
  }
  Stubs.push_back(Header.str());
  return true;
}

void Generator::headers(ArrayRef<SourceEntry> Entries, const MakeFile &Make) {
  for (const SourceEntry &Entry : Entries) {
    StringRef Header = Entry.Path;
    if (Entry.CompileWith.empty() || !Header.ends_with(".h") ||
        Header.contains('/') || isFile(Output + "/" + Header.str()))
      continue;
    std::string Command = Make.expand(Entry.CompileWith);
    std::vector<std::string> Words = splitCommand(Command);
    for (std::string &W : Words)
      W = Make.real(W);
    std::string Redirected;
    auto Arrow = llvm::find(Words, ">");
    if (Arrow != Words.end() && Arrow + 1 != Words.end())
      Redirected = *(Arrow + 1);
    Words.erase(Arrow, Words.end());
    bool Plain = Words.size() > 2 && !StringRef(Redirected).contains('/') &&
                 none_of(Words, [](const std::string &W) {
                   return W == "|" || W == "&&" || W == "<" ||
                          StringRef(W).ends_with(";");
                 });
    StringRef Program = Words.empty() ? "" : StringRef(Words[0]);
    Program = sys::path::filename(Program);
    bool Done = false;
    if (Plain && Program.ends_with("awk") && Words[1] == "-f")
      Done =
          script(Words[2], ArrayRef(Words).drop_front(3), Header, Redirected);
    else if (Plain && Program.starts_with("perl"))
      Done =
          script(Words[1], ArrayRef(Words).drop_front(2), Header, Redirected);
    if (!Done && Options.NoScripts)
      Failed.push_back({Header.str(), NotRun});
    else if (!Done && !stub(Header, Command))
      Failed.push_back({Header.str(), Tree.relative(Entry.List) + ":" +
                                          utostr(Entry.Line) +
                                          ": its command cannot be run here"});
  }
}

void Generator::usualHeaders() {
  struct Usual {
    const char *Header, *Script, *Source, *Option;
  };
  static constexpr Usual Table[] = {
      {"miidevs.h", "miidevs2h", "dev/netif/mii_layer/miidevs", ""},
      {"miidevs.h", "miidevs2h", "dev/mii/miidevs", ""},
      {"pccarddevs.h", "pccarddevs2h", "bus/pccard/pccarddevs", ""},
      {"pccarddevs.h", "pccarddevs2h", "dev/pccard/pccarddevs", ""},
      {"pcidevs.h", "pcidevs2h", "bus/pci/pcidevs", ""},
      {"usbdevs.h", "usbdevs2h", "bus/u4b/usbdevs", "-h"},
      {"usbdevs_data.h", "usbdevs2h", "bus/u4b/usbdevs", "-d"},
      {"usbdevs.h", "usbdevs2h", "bus/usb/usbdevs", "-h"},
      {"usbdevs_data.h", "usbdevs2h", "bus/usb/usbdevs", "-d"},
      {"usbdevs.h", "usbdevs2h", "dev/usb/usbdevs", "-h"},
      {"usbdevs_data.h", "usbdevs2h", "dev/usb/usbdevs", "-d"},
      {"acpi_quirks.h", "acpi_quirks2h", "dev/acpica/acpi_quirks", ""},
      {"vnode_if.h", "vnode_if", "kern/vnode_if.src", "-h"},
      {"vnode_if_newproto.h", "vnode_if", "kern/vnode_if.src", "-p"},
      {"vnode_if_typedef.h", "vnode_if", "kern/vnode_if.src", "-q"},
  };
  for (const Usual &U : Table) {
    std::string Source = Tree.path(U.Source);
    if (isFile(Output + "/" + U.Header) || !isFile(Source))
      continue;
    std::string Name = U.Script;
    std::string Script =
        firstScript(Tree, {"tools/" + Name + ".awk", "kern/" + Name + ".awk",
                           "kern/" + Name + ".pl"});
    if (Script.empty())
      continue;
    std::vector<std::string> Arguments = {Source};
    if (*U.Option)
      Arguments.insert(StringRef(Script).ends_with(".pl") ? Arguments.begin()
                                                          : Arguments.end(),
                       U.Option);
    if (Options.NoScripts)
      Failed.push_back({U.Header, NotRun});
    else if (!script(Script, Arguments, U.Header))
      Failed.push_back({U.Header, Tree.relative(Script) + " failed on " +
                                      Tree.relative(Source)});
  }
}

} // namespace kmobj::compdb
