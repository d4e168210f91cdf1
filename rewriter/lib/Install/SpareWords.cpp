/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The words that the shims keep in the allocator's structures.
 *
 * Each structure has spare words, and the shims want a pointer in some of them.
 * Such a word gets the name and the type of what it holds; the structures stay
 * as large as they were, with every member where it was.
 */
#include "SpareWords.h"
#include "kmobj/Layout.h"
#include "kmobj/Parse.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Decl.h"
#include "clang/Lex/Lexer.h"
#include "llvm/Support/FileSystem.h"

using namespace llvm;
using namespace clang;

namespace kmobj {

namespace {

struct SpareWord {
  StringRef Record, Spare;
  StringRef Type, Name; ///< what it becomes: `Type *Name'
  StringRef Comment;
};

constexpr SpareWord SpareWords[] = {
    {"kmalloc_slab", "unused01", "void", "origin", "where it came from"},
    {"kmalloc_mgt", "unused01", "struct kmalloc_magcpu", "mags",
     "pcpu, of kmalloc_obj()"},
    {"kmalloc_mgt", "unused02", "struct kmalloc_magcpu", "cmags",
     "pcpu, of kmalloc_cobj()"},
    {"malloc_type", "ks_unused0", "struct kmalloc_ext", "ks_ext",
     "control block, or NULL"},
};

const RecordDecl *findRecord(const ASTContext &Context, StringRef Name) {
  for (const Decl *D : Context.getTranslationUnitDecl()->decls())
    if (const auto *R = dyn_cast<RecordDecl>(D))
      if (R->isThisDeclarationADefinition() && R->getName() == Name)
        return R;
  return nullptr;
}

const FieldDecl *findField(const RecordDecl &Record, StringRef Name) {
  for (const FieldDecl *F : Record.fields())
    if (F->getName() == Name)
      return F;
  return nullptr;
}

/// The column of the comment that trails the last declaration before Offset
/// that has one, at or after Begin; 0 if none has.
unsigned commentColumn(const SourceText &Text, uint64_t Begin,
                       uint64_t Offset) {
  for (uint64_t At = Text.lineBegin(Offset); At > Begin;) {
    At = Text.lineBegin(At - 1);
    const size_t Comment = Text.line(At).find("/*");
    const size_t End = Text.line(At).find(';');
    if (Comment != StringRef::npos && End < Comment)
      return Text.column(At + Comment);
  }
  return 0;
}

/// The declaration of Field, which is all of [Begin, Semicolon) in Text, as
/// Word has it, with a comment if its line has room for one.
Change renamed(const std::string &File, const SourceText &Text,
               const SpareWord &Word, ByteRange Range, uint64_t Name,
               uint64_t RecordBegin) {
  std::string New = Word.Type.str();
  const unsigned Column = columnAfter(New, Text.column(Range.Begin));
  // The star of what was a pointer stood in the column of the others' names.
  const uint64_t Old = Text.slice(Name - 1, Name) == "*" ? Name - 1 : Name;
  New += padTo(Text.column(Old), Column) + "*" + Word.Name.str() + ";";
  if (Text.endsLine(Range.End)) {
    const unsigned At = columnAfter(New, Text.column(Range.Begin));
    New += padTo(std::max(commentColumn(Text, RecordBegin, Range.Begin),
                          At / 8 * 8 + 8),
                 At) +
           "/* " + Word.Comment.str() + " */";
  }
  return {File, Range.Begin, Range.End - Range.Begin, New};
}

} // namespace

Expected<std::vector<Change>>
nameSpareWords(const SourceTree &Tree,
               const tooling::CompilationDatabase &DB, StringRef Unit) {
  auto AST = parseUnit(DB, Tree.path(Unit));
  if (!AST)
    return AST.takeError();
  const ASTContext &Context = (*AST)->getASTContext();
  const SourceManager &SM = Context.getSourceManager();
  SmallString<256> Root;
  sys::fs::real_path(Tree.root(), Root);

  std::vector<Change> Changes;
  for (const SpareWord &Word : SpareWords) {
    const RecordDecl *Record = findRecord(Context, Word.Record);
    if (Record && findField(*Record, Word.Name))
      continue;
    const FieldDecl *Field = Record ? findField(*Record, Word.Spare) : nullptr;
    const auto Fail = [&](const Twine &What) {
      return createStringError((Unit + ": struct " + Word.Record + What +
                                "; the shims cannot be hooked in, nothing was "
                                "installed")
                                   .str());
    };
    if (!Field)
      return Fail(" has no spare word " + Word.Spare + " for the shims");
    if (Context.getTypeSize(Field->getType()) !=
        Context.getTypeSize(Context.VoidPtrTy))
      return Fail(": " + Word.Spare + " is not as wide as a pointer");

    const SourceLocation Begin = SM.getExpansionLoc(Field->getBeginLoc());
    const uint64_t Name =
        SM.getFileOffset(SM.getExpansionLoc(Field->getLocation()));
    // Its name may be from the directory of the compile command.
    SmallString<256> Path;
    if (const auto Entry = SM.getFileEntryRefForID(SM.getFileID(Begin)))
      sys::fs::real_path(Entry->getFileEntry().tryGetRealPathName(), Path);
    StringRef File = Path;
    if (!File.consume_front(Root) || !File.consume_front("/"))
      return Fail(" is declared outside the tree");
    auto Content = Tree.read(File);
    if (!Content)
      return Content.takeError();
    const SourceText Text(*Content);
    const uint64_t From = SM.getFileOffset(Begin);
    const uint64_t End = Name + Word.Spare.size();
    if (Text.slice(From, Name).contains(',') ||
        !Text.text().substr(End).starts_with(";"))
      return Fail(": " + Word.Spare + " is not a declaration of its own");
    Changes.push_back(
        renamed(File.str(), Text, Word, {From, End + 1}, Name,
                SM.getFileOffset(SM.getExpansionLoc(Record->getBeginLoc()))));
  }
  return Changes;
}

} // namespace kmobj
