/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The changes of one zone or cache.
 *
 * EntryEditor turns an entry of the plan into changes; a Declarators object is
 * shared by the editors of one run, because several zones may be declared in
 * one statement and the last of them to go takes the statement along.
 */
#ifndef KMOBJ_EDIT_ENTRYEDITOR_H
#define KMOBJ_EDIT_ENTRYEDITOR_H

#include "Sources.h"
#include "kmobj/Plan.h"
#include <optional>
#include <set>

namespace kmobj {

/// Which declarators of which statements are gone already.
class Declarators {
public:
  /// Takes declarator D away, and the statement too if D was the last one left
  /// in it. Nothing if the facts do not know all that it declares.
  std::optional<std::vector<Change>> removal(const Facts &F,
                                             const SourceText &Text,
                                             const Declaration &D);

  /// Something new stands on the line behind D's statement.
  void follow(const Declaration &D) { state(D).Followed = true; }

private:
  struct State {
    std::set<unsigned> Gone;
    std::set<unsigned> GoneGaps;
    bool Followed = false;
  };
  std::vector<ByteRange> remove(const SourceText &Text, const Declaration &D,
                                llvm::ArrayRef<const Declaration *> Group);
  State &state(const Declaration &D) {
    return States[{D.Statement.File, D.Statement.Begin}];
  }
  std::map<std::pair<std::string, uint32_t>, State> States;
};

class EntryEditor {
public:
  EntryEditor(const Facts &F, const PlanEntry &Entry, Sources &Files,
              Declarators &Shared)
      : F(F), Entry(Entry), Files(Files), Shared(Shared) {}

  llvm::Expected<std::vector<Change>> run();

  /// What the changes leave for a person to look at.
  std::vector<Remark> Notes;

private:
  /// A call to be written as a statement.
  struct Call {
    std::string Name;
    std::vector<std::string> Arguments;
  };

  llvm::Error declarations();
  llvm::Error define();
  llvm::Error defineDynamic();
  llvm::Error redefine();
  llvm::Error externs(const Variable &V);
  llvm::Error bootItems(const Span &Definition);
  void carriers();
  llvm::Error argsVariable();
  llvm::Error step(const Step &S);
  llvm::Error create(const Step &S);
  llvm::Error allocate(const Step &S);
  llvm::Error release(const Step &S, llvm::StringRef Function);
  llvm::Error destroy(const Step &S);
  llvm::Error bootInit(const Step &S);
  llvm::Error resize(const Step &S);
  llvm::Error replaceCall(const Span &S, const std::string &Head,
                          llvm::ArrayRef<std::string> Arguments);
  llvm::Error setLimit(const Step &S);
  llvm::Error renameVariable(const Step &S);

  /// Statement S is replaced by those given; none: it is taken out.
  llvm::Error replaceStatement(const Span &S, llvm::ArrayRef<Call> New);
  llvm::Error removeStatement(const Span &S) { return replaceStatement(S, {}); }
  llvm::Error takeOut(const SourceText &Text, const Statement &S);
  /// It stands in a macro's definition, where a line must not be broken.
  bool inDirective(const Span &S) const {
    return F.directiveAt(S.File, S.Begin);
  }
  llvm::Error removeDeclaration(const Declaration &D);
  llvm::Error replaceDeclaration(const Declaration &D, const std::string &Text);
  void change(llvm::StringRef File, uint64_t Begin, uint64_t End,
              std::string Text);
  void change(const Span &S, std::string Text) {
    change(S.File, S.Begin, S.End, std::move(Text));
  }

  std::string objectSize() const;
  /// `M_X`, or how the dynamic zone is written at the step.
  std::string typeAt(const Step &S) const;
  std::string definition(llvm::StringRef Indent) const;
  bool isUsedBefore(llvm::StringRef File, uint64_t Offset) const;
  std::optional<uint64_t> completeAfter(const Span &Place) const;
  std::string forward(const Declaration &Gone, const Span &Definition) const;
  llvm::Error dropDefinition(const Declaration &Gone, const Span &Definition);
  std::vector<const Variable *> stores() const;
  llvm::Error trouble(const Span &At, const llvm::Twine &What) const;

  const Facts &F;
  const PlanEntry &Entry;
  Sources &Files;
  Declarators &Shared;
  std::vector<Change> Changes;
};

/// Takes out what nothing needs, with the changes that were to be made in it.
llvm::Error removeLeftover(const Facts &F, const Leftover &L, Sources &Files,
                           Declarators &Shared, std::vector<Change> &Changes);

/// Comments of File, which patches up to Last change.
llvm::Error editComments(llvm::StringRef File, Plan &P, Sources &Files,
                         llvm::MutableArrayRef<Patch> Patches, size_t Last);

/// In a block the statement's line goes; else a `;' stays.
std::optional<Change> without(const Facts &F, const SourceText &Text,
                              const Statement &S);

/// Takes the blank lines away that go with what patch I takes away.
llvm::Error closeGaps(Sources &Files, llvm::MutableArrayRef<Patch> Patches,
                      size_t I);

/// Breaks lines of code that fitted into 80 columns and do not with the names
/// that are new in them.
llvm::Error breakLongLines(Sources &Files, std::vector<Patch> &Patches);

/// The backslash of a macro's line stays in its column where the line's text
/// changes.
llvm::Error alignBackslashes(Sources &Files, std::vector<Patch> &Patches);

/// Adds the changes of #include lines to the patches of the converted entries,
/// so that after each of them every file includes what it uses, and after the
/// last one no file includes what it no longer does. What others may get
/// through a header goes in a patch of its own, the last, whose message has a
/// line a point.
llvm::Error editIncludes(const Facts &F, const Plan &P, Sources &Files,
                         std::vector<Patch> &Patches);

} // namespace kmobj

#endif
