/* SPDX-License-Identifier: BSD-3-Clause */
//===- UnitCollector.cpp - The facts of one translation unit --------------===//

#include "UnitCollector.h"
#include "FactVisitor.h"
#include "TreeIndex.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Lex/MacroArgs.h"
#include "clang/Lex/PPCallbacks.h"
#include "clang/Lex/Preprocessor.h"
#include "clang/Sema/Sema.h"
#include "clang/Tooling/ArgumentsAdjusters.h"
#include "clang/Tooling/Tooling.h"

using namespace kmobj;
using namespace clang;

namespace {

/// Does the directive at Offset stand under an #if, the include guard apart?
bool isConditional(const FileText &Text, uint32_t Offset) {
  const std::vector<TextToken> &T = Text.tokens();
  unsigned Depth = 0;
  bool First = true, Guarded = false;
  for (size_t I = 0; I + 1 < T.size() && T[I].Begin < Offset; ++I) {
    if (!T[I].LineStart || !T[I].Directive) {
      First = First && T[I].Directive;
      continue;
    }
    llvm::StringRef Word = Text.text(T[I + 1]);
    if (Word.starts_with("if")) {
      Guarded |= First && Word == "ifndef" && Text.is(I + 3, "#") &&
                 Text.is(I + 4, "define");
      ++Depth;
    } else if (Word == "endif" && Depth) {
      --Depth;
    }
    First = false;
  }
  return Depth > (Guarded ? 1u : 0u);
}

/// Files of a unit in which no fact can be: their declarations are not visited,
/// what macros leave out there is no matter.
class PlainFiles {
public:
  PlainFiles(Speller &Spell, const TreeIndex &Index)
      : Spell(Spell), Index(Index) {}

  bool contain(SourceLocation Loc) {
    FileID ID = Spell.SM.getFileID(Spell.SM.getExpansionLoc(Loc));
    auto [It, New] = Known.try_emplace(ID, false);
    if (New && ID != Spell.SM.getMainFileID())
      if (const FileText *Text = Spell.file(ID))
        It->second = Index.isPlain(Text->path());
    return It->second;
  }

private:
  Speller &Spell;
  const TreeIndex &Index;
  llvm::DenseMap<FileID, bool> Known;
};

class Directives : public PPCallbacks {
public:
  Directives(Speller &Spell, PlainFiles &Plain, TextStore &Store,
             UnitFacts &Out)
      : Spell(Spell), Plain(Plain), Store(Store), Out(Out) {}

  void FileChanged(SourceLocation Loc, FileChangeReason Reason,
                   SrcMgr::CharacteristicKind, FileID) override {
    if (Reason == EnterFile)
      Entered.try_emplace(Spell.SM.getFileID(Loc));
  }

  void SourceRangeSkipped(SourceRange Range, SourceLocation) override {
    auto [ID, Begin] = Spell.SM.getDecomposedLoc(Range.getBegin());
    Entered[ID].push_back({Begin, Spell.SM.getFileOffset(Range.getEnd())});
  }

  void InclusionDirective(SourceLocation Hash, const clang::Token &,
                          StringRef Name, bool Angled, CharSourceRange,
                          OptionalFileEntryRef File, StringRef, StringRef,
                          const Module *, bool,
                          SrcMgr::CharacteristicKind) override {
    auto [ID, Offset] = Spell.SM.getDecomposedLoc(Hash);
    const FileText *Text = Spell.file(ID);
    if (!Text || llvm::sys::path::is_absolute(Text->path()))
      return;
    Include Inc;
    Inc.Name = Name.str();
    Inc.Angled = Angled;
    if (File) {
      StringRef Path = File->getFileEntry().tryGetRealPathName();
      Inc.Resolved = Store.name(Path.empty() ? File->getName() : Path);
    }
    size_t End = Text->source().find('\n', Offset);
    Inc.Line = Text->span(Offset, End == StringRef::npos ? Text->source().size()
                                                         : End + 1);
    Inc.Conditional = isConditional(*Text, Offset);
    Includes[Text->path()].push_back(std::move(Inc));
  }

  void MacroExpands(const clang::Token &, const MacroDefinition &Definition,
                    SourceRange Range, const MacroArgs *Args) override {
    const MacroInfo *Macro = Definition.getMacroInfo();
    if (!Args || !Macro || Plain.contain(Range.getBegin()))
      return;
    for (unsigned I = 0; I < Args->getNumMacroArguments(); ++I) {
      bool MakesName = I < Macro->getNumParams() && isPasted(*Macro, I);
      for (const clang::Token *T = Args->getUnexpArgument(I);
           T->isNot(tok::eof); ++T)
        if (T->getIdentifierInfo()) {
          SourceLocation At = Spell.SM.getSpellingLoc(T->getLocation());
          Arguments.try_emplace(At, false).first->second |= MakesName;
        }
    }
  }

  /// A token that the compiler gets.
  void token(const clang::Token &T) {
    if (!T.getLocation().isMacroID() || !T.getIdentifierInfo())
      return;
    auto It = Arguments.find(Spell.SM.getSpellingLoc(T.getLocation()));
    if (It != Arguments.end())
      It->second = true;
  }

  void EndOfMainFile() override {
    for (auto [Loc, Reached] : Arguments)
      if (!Reached) {
        auto [ID, Offset] = Spell.SM.getDecomposedLoc(Loc);
        if (const FileText *Text = Spell.file(ID))
          Out.Dropped[Text->path()].insert(Offset);
      }
    for (auto &[ID, Ranges] : Entered)
      if (const FileText *Text = Spell.file(ID)) {
        llvm::sort(Ranges);
        Out.Read[Text->path()].insert(Ranges);
      }
    for (auto &[Path, List] : Includes) {
      SourceFile F;
      F.Path = Path;
      F.Includes = std::move(List);
      Out.Found.Files.push_back(std::move(F));
    }
  }

private:
  Speller &Spell;
  PlainFiles &Plain;
  TextStore &Store;
  UnitFacts &Out;
  std::map<FileID, SkippedRanges> Entered;
  /// Where identifiers among macros' arguments are written, and whether they
  /// are more than left out: passed on, or part of another name.
  llvm::DenseMap<SourceLocation, bool> Arguments;
  std::map<std::string, std::vector<Include>> Includes;

  static bool isPasted(const MacroInfo &Macro, unsigned Parameter) {
    const IdentifierInfo *Name = Macro.params()[Parameter];
    for (unsigned I = 0; I < Macro.getNumTokens(); ++I) {
      auto Joins = [&](unsigned At) {
        return At < Macro.getNumTokens() &&
               Macro.getReplacementToken(At).is(tok::hashhash);
      };
      if (Macro.getReplacementToken(I).getIdentifierInfo() == Name &&
          (Joins(I - 1) || Joins(I + 1)))
        return true;
    }
    return false;
  }
};

class FactConsumer : public ASTConsumer {
public:
  FactConsumer(CompilerInstance &CI, TextStore &Store, const TreeIndex &Index,
               UnitFacts &Out)
      : PP(CI.getPreprocessor()), Spell(CI.getSourceManager(), Store),
        Plain(Spell, Index), Store(Store), Index(Index), Out(Out) {
    auto Watch = std::make_unique<Directives>(Spell, Plain, Store, Out);
    PP.setTokenWatcher(
        [D = Watch.get()](const clang::Token &T) { D->token(T); });
    PP.addPPCallbacks(std::move(Watch));
  }

  void HandleTranslationUnit(ASTContext &Context) override {
    std::vector<Decl *> Matter;
    for (Decl *D : Context.getTranslationUnitDecl()->decls())
      if (!D->getLocation().isValid() || !Plain.contain(D->getLocation()))
        Matter.push_back(D);
    FactVisitor(Context, PP, Spell, Store, Out).run(Matter, Index.sizeNames());
  }

  PlainFiles &plain() { return Plain; }

private:
  Preprocessor &PP;
  Speller Spell;
  PlainFiles Plain;
  TextStore &Store;
  const TreeIndex &Index;
  UnitFacts &Out;
};

/// Keeps what the compiler says.
class Listener : public DiagnosticConsumer {
public:
  Listener(const std::string &Directory, TextStore &Store, UnitFacts &Out)
      : Directory(Directory), Store(Store), Out(Out) {}

  void begin(CompilerInstance &Compiler, PlainFiles &Files) {
    CI = &Compiler;
    Plain = &Files;
  }
  void end() { CI = nullptr; }

  void HandleDiagnostic(DiagnosticsEngine::Level Level,
                        const Diagnostic &Info) override {
    DiagnosticConsumer::HandleDiagnostic(Level, Info);
    llvm::SmallString<128> Text;
    Info.FormatDiagnostic(Text);
    UnitDiagnostics &All = Out.Diagnostics;
    if (Level == DiagnosticsEngine::Note && !All.empty() &&
        All.back().Note.empty())
      All.back().Note = std::string(Text);
    if (Level < DiagnosticsEngine::Warning)
      return;
    UnitDiagnostic D;
    D.IsError = Level >= DiagnosticsEngine::Error;
    D.Message = std::string(Text);
    if (Info.hasSourceManager() && Info.getLocation().isValid()) {
      const SourceManager &SM = Info.getSourceManager();
      PresumedLoc At =
          SM.getPresumedLoc(SM.getExpansionLoc(Info.getLocation()));
      if (At.isValid()) {
        D.File = name(At.getFilename());
        D.Line = At.getLine();
        D.Column = At.getColumn();
      }
    }
    if (Out.FirstError.empty() && D.IsError && isTrouble(Info))
      Out.FirstError =
          (D.File.empty() ? ""
                          : D.File + ":" + std::to_string(D.Line) + ":" +
                                std::to_string(D.Column) + ": ") +
          D.Message;
    All.push_back(std::move(D));
  }

private:
  const std::string &Directory;
  TextStore &Store;
  UnitFacts &Out;
  CompilerInstance *CI = nullptr;
  PlainFiles *Plain = nullptr;

  std::string name(llvm::StringRef File) {
    llvm::SmallString<256> Path(File);
    if (!llvm::sys::path::is_absolute(Path)) {
      Path = Directory;
      llvm::sys::path::append(Path, File);
    }
    return Store.name(Path);
  }

  /// Does an error say that facts may be missing? A warning that the command
  /// makes an error does not, nor does what stands in a body without facts,
  /// save that it hides what comes behind it.
  bool isTrouble(const Diagnostic &Info) const {
    if (!DiagnosticIDs::isDefaultMappingAsError(Info.getID()))
      return false;
    const unsigned Category =
        DiagnosticIDs::getCategoryNumberForDiag(Info.getID());
    if (!CI || !CI->hasSema() ||
        DiagnosticIDs::getCategoryNameFromID(Category).starts_with("Lexical"))
      return true;
    const DeclContext *In = CI->getSema().CurContext;
    while (In && !isa<FunctionDecl>(In))
      In = In->getParent();
    return !In || !Plain->contain(cast<FunctionDecl>(In)->getLocation());
  }
};

class FactAction : public ASTFrontendAction {
public:
  FactAction(Listener &Listen, TextStore &Store, const TreeIndex &Index,
             UnitFacts &Out, bool &Ran)
      : Listen(Listen), Store(Store), Index(Index), Out(Out), Ran(Ran) {}

  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &CI,
                                                 StringRef) override {
    Ran = true;
    // A header that cannot be found is one error, not the end.
    CI.getDiagnostics().setErrorLimit(0);
    auto Consumer = std::make_unique<FactConsumer>(CI, Store, Index, Out);
    Listen.begin(CI, Consumer->plain());
    return Consumer;
  }

  void EndSourceFileAction() override {
    Listen.end();
    const SourceManager &SM = getCompilerInstance().getSourceManager();
    Out.Sealed = true;
    for (auto I = SM.fileinfo_begin(); I != SM.fileinfo_end(); ++I) {
      llvm::StringRef Path = I->first.getFileEntry().tryGetRealPathName();
      const FileIndex *File =
          Index.known(Store.name(Path.empty() ? I->first.getName() : Path));
      const std::optional<llvm::MemoryBufferRef> Read =
          I->second ? I->second->getBufferIfLoaded() : std::nullopt;
      Out.Sealed &=
          !Read || (File && File->Digest == digestOf(Read->getBuffer()));
    }
  }

private:
  Listener &Listen;
  TextStore &Store;
  const TreeIndex &Index;
  UnitFacts &Out;
  bool &Ran;
};

} // namespace

/// The command as it is parsed here: no output, clang's own headers from where
/// clang is installed, and an error is never the last.
static std::vector<std::string>
arguments(const tooling::CompileCommand &Command) {
  using namespace tooling;
  ArgumentsAdjuster Adjust = combineAdjusters(
      combineAdjusters(getClangStripOutputAdjuster(),
                       getClangStripDependencyFileAdjuster()),
      combineAdjusters(
          getClangSyntaxOnlyAdjuster(),
          combineAdjusters(
              getInsertArgumentAdjuster(
                  {"-Qunused-arguments", "-fno-caret-diagnostics"},
                  ArgumentInsertPosition::BEGIN),
              getInsertArgumentAdjuster("-Wno-fatal-errors",
                                        ArgumentInsertPosition::END))));
  std::vector<std::string> Args = Adjust(Command.CommandLine, Command.Filename);
  if (!Args.empty())
    Args[0] = KMOBJ_CLANG;
  return Args;
}

UnitFacts
kmobj::collectUnit(const tooling::CompileCommand &Command, TextStore &Store,
                   const TreeIndex &Index,
                   llvm::IntrusiveRefCntPtr<llvm::vfs::FileSystem> FS) {
  UnitFacts Out;
  FileSystemOptions Options;
  Options.WorkingDir = Command.Directory;
  auto Files = llvm::makeIntrusiveRefCnt<FileManager>(Options, std::move(FS));
  Listener Listen(Command.Directory, Store, Out);
  bool Ran = false;
  tooling::ToolInvocation Invocation(
      arguments(Command),
      std::make_unique<FactAction>(Listen, Store, Index, Out, Ran),
      Files.get());
  Invocation.setDiagnosticConsumer(&Listen);
  if (!Invocation.run() && !Ran && Out.FirstError.empty())
    Out.FirstError = "clang cannot run this command";
  return Out;
}
