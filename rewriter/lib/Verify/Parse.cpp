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
#include "llvm/Support/Path.h"
#include <set>

using namespace llvm;
using namespace clang;

namespace kmobj {

std::string UnitDiagnostic::str() const {
  std::string Text;
  if (!File.empty())
    Text =
        File + ":" + std::to_string(Line) + ":" + std::to_string(Column) + ": ";
  return Text + (IsError ? "error: " : "warning: ") + Message;
}

namespace {

class Recorder : public DiagnosticConsumer {
public:
  void HandleDiagnostic(DiagnosticsEngine::Level Level,
                        const Diagnostic &Info) override {
    DiagnosticConsumer::HandleDiagnostic(Level, Info);
    SmallString<128> Message;
    Info.FormatDiagnostic(Message);
    if (Level == DiagnosticsEngine::Note && !Found.empty() &&
        Found.back().Note.empty())
      Found.back().Note = std::string(Message);
    if (Level < DiagnosticsEngine::Warning)
      return;
    UnitDiagnostic D;
    D.IsError = Level >= DiagnosticsEngine::Error;
    D.Message = std::string(Message);
    if (Info.hasSourceManager() && Info.getLocation().isValid()) {
      const SourceManager &SM = Info.getSourceManager();
      const PresumedLoc Loc =
          SM.getPresumedLoc(SM.getExpansionLoc(Info.getLocation()));
      if (Loc.isValid()) {
        D.File = Loc.getFilename();
        D.Line = Loc.getLine();
        D.Column = Loc.getColumn();
      }
    }
    Found.push_back(std::move(D));
  }

  std::vector<UnitDiagnostic> Found;
};

} // namespace

static void prepare(tooling::ClangTool &Tool, Recorder &Diagnostics) {
  Tool.setPrintErrorMessage(false);
  Tool.setDiagnosticConsumer(&Diagnostics);
  Tool.appendArgumentsAdjuster(tooling::getInsertArgumentAdjuster(
      // Without carets clang does not count its diagnostics on stderr either.
      {"-ferror-limit=0", "-fno-caret-diagnostics"},
      tooling::ArgumentInsertPosition::END));
}

/// Kernels are built with gcc as well, and an option that clang does not know
/// is an error to it.
static tooling::CommandLineArguments
withoutForeignOptions(const tooling::CommandLineArguments &Command, StringRef) {
  std::vector<const char *> Raw;
  for (const std::string &Argument : drop_begin(Command))
    Raw.push_back(Argument.c_str());
  unsigned MissingIndex, MissingCount;
  const opt::InputArgList Parsed = driver::getDriverOptTable().ParseArgs(
      Raw, MissingIndex, MissingCount,
      opt::Visibility(driver::options::ClangOption));
  std::set<unsigned> Foreign;
  for (const opt::Arg *A : Parsed.filtered(driver::options::OPT_UNKNOWN))
    Foreign.insert(A->getIndex() + 1);
  tooling::CommandLineArguments Known;
  for (unsigned I = 0; I < Command.size(); ++I)
    if (!Foreign.count(I))
      Known.push_back(Command[I]);
  return Known;
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
    sys::path::append(Path, "compile_commands.json");
    if (!sys::fs::exists(Path))
      return createStringError(
          "%s: there is no compile database here; give its directory with -p",
          Path.c_str());
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
  Understood->appendArgumentsAdjuster(withoutForeignOptions);
  return tooling::inferMissingCompileCommands(std::move(Understood));
}

std::vector<UnitDiagnostic> diagnose(const tooling::CompilationDatabase &DB,
                                     StringRef Unit,
                                     IntrusiveRefCntPtr<vfs::FileSystem> FS) {
  if (!FS)
    FS = vfs::createPhysicalFileSystem();
  tooling::ClangTool Tool(DB, {Unit.str()},
                          std::make_shared<PCHContainerOperations>(), FS);
  Recorder Diagnostics;
  prepare(Tool, Diagnostics);
  Tool.run(tooling::newFrontendActionFactory<SyntaxOnlyAction>().get());
  return std::move(Diagnostics.Found);
}

Expected<std::unique_ptr<ASTUnit>>
parseUnit(const tooling::CompilationDatabase &DB, StringRef Unit) {
  tooling::ClangTool Tool(DB, {Unit.str()},
                          std::make_shared<PCHContainerOperations>(),
                          vfs::createPhysicalFileSystem());
  Recorder Diagnostics;
  prepare(Tool, Diagnostics);
  std::vector<std::unique_ptr<ASTUnit>> Units;
  Tool.buildASTs(Units);
  for (const UnitDiagnostic &D : Diagnostics.Found)
    if (D.IsError)
      return createStringError("%s: does not parse: %s", Unit.str().c_str(),
                               D.str().c_str());
  if (Units.empty() || !Units.front())
    return createStringError("%s: could not be parsed", Unit.str().c_str());
  return std::move(Units.front());
}

} // namespace kmobj
