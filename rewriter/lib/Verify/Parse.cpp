/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Parse.h"
#include "clang/Basic/Diagnostic.h"
#include "clang/Basic/SourceManager.h"
#include "clang/Driver/Options.h"
#include "clang/Frontend/FrontendActions.h"
#include "clang/Tooling/ArgumentsAdjusters.h"
#include "clang/Tooling/CommonOptionsParser.h"
#include "clang/Tooling/JSONCompilationDatabase.h"
#include "clang/Tooling/Tooling.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <map>

using namespace llvm;
using namespace clang;

namespace kmobj {

namespace {

/// Keeps the first error.
class FirstError : public DiagnosticConsumer {
public:
  std::string Text;

  void HandleDiagnostic(DiagnosticsEngine::Level Level,
                        const Diagnostic &Info) override {
    DiagnosticConsumer::HandleDiagnostic(Level, Info);
    if (Level < DiagnosticsEngine::Error || !Text.empty())
      return;
    SmallString<128> Message;
    Info.FormatDiagnostic(Message);
    if (Info.hasSourceManager() && Info.getLocation().isValid())
      if (const PresumedLoc At =
              Info.getSourceManager().getPresumedLoc(Info.getLocation());
          At.isValid())
        Text = std::string(At.getFilename()) + ":" +
               std::to_string(At.getLine()) + ":" +
               std::to_string(At.getColumn()) + ": ";
    Text += "error: " + Message.str().str();
  }
};

} // namespace

/// Options of the driver that write files or print, whatever is done besides.
static bool hasOutput(const opt::Arg &A) {
  namespace options = driver::options;
  const opt::Option &O = A.getOption();
  for (const unsigned Group :
       {options::OPT_M_Group, options::OPT_R_Group})
    if (O.matches(Group))
      return true;
  for (const unsigned Id :
       {options::OPT__serialize_diags, options::OPT_H, options::OPT_MJ,
        options::OPT_v, options::OPT__HASH_HASH_HASH, options::OPT__version,
        options::OPT_help, options::OPT_o, options::OPT_ftime_report,
        options::OPT_ftime_report_EQ, options::OPT_ftime_trace,
        options::OPT_ftime_trace_EQ, options::OPT_fproc_stat_report,
        options::OPT_fproc_stat_report_EQ, options::OPT_save_temps,
        options::OPT_save_temps_EQ, options::OPT_save_stats,
        options::OPT_save_stats_EQ, options::OPT_fsave_optimization_record,
        options::OPT_fsave_optimization_record_EQ,
        options::OPT_foptimization_record_file_EQ,
        options::OPT_fdiagnostics_parseable_fixits,
        options::OPT_fdriver_only, options::OPT_dumpdir,
        options::OPT_extract_api, options::OPT_emit_symbol_graph,
        options::OPT_fmodules, options::OPT_fcxx_modules,
        options::OPT_fmodules_cache_path, options::OPT_fimplicit_modules,
        options::OPT_fmodule_output, options::OPT_fmodule_output_EQ,
        options::OPT_verify_pch, options::OPT_emit_ast})
    if (O.matches(Id))
      return true;
  return O.getName().starts_with("print-") ||
         O.getName().starts_with("fdump") || O.getName().starts_with("dump");
}

/// What -Xclang hands on is the parser's own: kept where it says how to read,
/// dropped where it says what to make of it.
static bool isForReading(StringRef Argument) {
  for (const StringRef Output : {"-fdump", "-ftime", "-fmodule", "-fproc",
                                 "-foptimization", "-fsave"})
    if (Argument.starts_with(Output))
      return false;
  for (const StringRef Kind : {"-f", "-m", "-W", "-D", "-U", "-std=", "-O"})
    if (Argument.starts_with(Kind))
      return true;
  return false;
}

/// Which arguments of a compile command are of use to a parser, and no more.
///
/// Kernels are built with gcc as well, and an option that clang does not know
/// is an error to it. Others have a parse write files or print: dependencies,
/// diagnostics in a form for programs, traces. Reading a tree must do neither.
static tooling::CommandLineArguments
forParser(const tooling::CommandLineArguments &Command, StringRef) {
  namespace options = driver::options;
  std::vector<const char *> Raw;
  for (const std::string &Argument : drop_begin(Command))
    Raw.push_back(Argument.c_str());
  unsigned MissingIndex, MissingCount;
  const opt::InputArgList Parsed = driver::getDriverOptTable().ParseArgs(
      Raw, MissingIndex, MissingCount,
      opt::Visibility(driver::options::ClangOption));
  auto Defines = [](StringRef Value) {
    return Value.starts_with("-D") || Value.starts_with("-U");
  };
  std::map<unsigned, bool> Kept; // index of an option's first argument
  for (const opt::Arg *A : Parsed) {
    const opt::Option &O = A->getOption();
    bool Keep = !O.matches(options::OPT_UNKNOWN) && !hasOutput(*A);
    if (O.matches(options::OPT_Xclang))
      Keep = isForReading(A->getValue());
    else if (O.matches(options::OPT_Wp_COMMA)) // -Wp,-MD,FILE
      Keep = all_of(A->getValues(), Defines);
    else if (O.matches(options::OPT_Xpreprocessor))
      Keep = Defines(A->getValue());
    Kept[A->getIndex() + 1] = Keep;
  }
  tooling::CommandLineArguments Known;
  bool Keep = true;
  for (unsigned I = 0; I < Command.size(); ++I) {
    // An option's values follow it.
    if (const auto Found = Kept.find(I); Found != Kept.end())
      Keep = Found->second;
    if (Keep)
      Known.push_back(Command[I]);
  }
  return Known;
}

/// Fails, with the number of the entry, where Path is no compile database.
/// The library that reads it afterwards takes any YAML, and believes it.
static Error checkDatabase(StringRef Path) {
  auto Fail = [&](const Twine &What) {
    return createStringError((Path + ": " + What).str());
  };
  auto Buffer = MemoryBuffer::getFile(Path);
  if (!Buffer)
    return Fail(Buffer.getError().message());
  if ((*Buffer)->getBuffer().trim().empty())
    return Fail("it is empty; a compile database is an array of commands");
  auto Value = json::parse((*Buffer)->getBuffer());
  if (!Value)
    return Fail("not JSON: " + toString(Value.takeError()));
  const json::Array *Entries = Value->getAsArray();
  if (!Entries)
    return Fail("expected an array of commands");
  for (size_t I = 0; I < Entries->size(); ++I) {
    const std::string Which = "command " + std::to_string(I + 1) + ": ";
    const json::Object *Entry = (*Entries)[I].getAsObject();
    if (!Entry)
      return Fail(Which + "expected an object");
    for (const StringRef Key : {"directory", "file"}) {
      const auto Text = Entry->getString(Key);
      if (!Text)
        return Fail(Which + "it has no \"" + Key + "\", or it is no text");
      if (Text->contains('\0'))
        return Fail(Which + "there is a NUL in its \"" + Key + "\"");
    }
    const auto Command = Entry->getString("command");
    const json::Array *Arguments = Entry->getArray("arguments");
    if (!Command && !Arguments)
      return Fail(Which + "it has neither \"arguments\" nor a \"command\"");
    if (Arguments ? Arguments->empty() : Command->trim().empty())
      return Fail(Which + "its command is empty");
    if (Arguments && !all_of(*Arguments, [](const json::Value &A) {
          return A.getAsString().has_value();
        }))
      return Fail(Which + "one of its \"arguments\" is no text");
  }
  return Error::success();
}

namespace {

/// Configurations of one tree, one after the other. A command's Output, which
/// no parse looks at, says which of them it belongs to.
class JoinedDatabase : public tooling::CompilationDatabase {
public:
  struct Part {
    std::string Name;
    std::unique_ptr<tooling::CompilationDatabase> Commands;
  };
  std::vector<Part> Parts;

  std::vector<tooling::CompileCommand>
  getCompileCommands(StringRef File) const override {
    std::vector<tooling::CompileCommand> All;
    for (const Part &P : Parts)
      append_range(All, named(P, P.Commands->getCompileCommands(File)));
    return All;
  }
  std::vector<std::string> getAllFiles() const override {
    std::vector<std::string> All;
    for (const Part &P : Parts)
      append_range(All, P.Commands->getAllFiles());
    return All;
  }
  std::vector<tooling::CompileCommand> getAllCompileCommands() const override {
    std::vector<tooling::CompileCommand> All;
    for (const Part &P : Parts)
      append_range(All, named(P, P.Commands->getAllCompileCommands()));
    return All;
  }

private:
  static std::vector<tooling::CompileCommand>
  named(const Part &P, std::vector<tooling::CompileCommand> Commands) {
    for (tooling::CompileCommand &C : Commands)
      C.Output = P.Name;
    return Commands;
  }
};

} // namespace

Expected<std::unique_ptr<tooling::CompilationDatabase>>
loadDatabase(ArrayRef<std::string> Directories) {
  auto Joined = std::make_unique<JoinedDatabase>();
  for (const std::string &Directory : Directories) {
    SmallString<256> Path(Directory);
    if (sys::path::filename(Path) != "compile_commands.json" ||
        sys::fs::is_directory(Path))
      sys::path::append(Path, "compile_commands.json");
    if (!sys::fs::exists(Path))
      return createStringError(
          "%s: there is no compile database here; give its directory with -p",
          Path.c_str());
    if (Error E = checkDatabase(Path))
      return E;
    std::string Message;
    auto DB = tooling::JSONCompilationDatabase::loadFromFile(
        Path, Message, tooling::JSONCommandLineSyntax::AutoDetect);
    if (!DB)
      return createStringError("%s: %s", Path.c_str(),
                               StringRef(Message).trim().str().c_str());
    SmallString<256> Name(Directory);
    sys::fs::real_path(Directory, Name);
    Joined->Parts.push_back({std::string(Name), std::move(DB)});
  }
  auto Understood = std::make_unique<tooling::ArgumentsAdjustingCompilations>(
      tooling::expandResponseFiles(std::move(Joined),
                                   vfs::getRealFileSystem()));
  Understood->appendArgumentsAdjuster(forParser);
  return tooling::inferMissingCompileCommands(std::move(Understood));
}

Expected<std::unique_ptr<ASTUnit>>
parseUnit(const tooling::CompilationDatabase &DB, StringRef Unit) {
  tooling::ClangTool Tool(DB, {Unit.str()},
                          std::make_shared<PCHContainerOperations>(),
                          vfs::createPhysicalFileSystem());
  FirstError Wrong;
  Tool.setPrintErrorMessage(false);
  Tool.setDiagnosticConsumer(&Wrong);
  // Without carets clang does not count its diagnostics on stderr either.
  Tool.appendArgumentsAdjuster(tooling::getInsertArgumentAdjuster(
      "-fno-caret-diagnostics", tooling::ArgumentInsertPosition::END));
  std::vector<std::unique_ptr<ASTUnit>> Units;
  Tool.buildASTs(Units);
  if (!Wrong.Text.empty())
    return createStringError("%s: does not parse: %s", Unit.str().c_str(),
                             Wrong.Text.c_str());
  if (Units.empty() || !Units.front())
    return createStringError("%s: could not be parsed", Unit.str().c_str());
  return std::move(Units.front());
}

} // namespace kmobj
