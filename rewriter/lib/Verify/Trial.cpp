/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Trial.h"
#include "llvm/ADT/STLExtras.h"
#include <set>

using namespace llvm;
using clang::tooling::CompilationDatabase;
using clang::tooling::CompileCommand;

namespace kmobj {

namespace {

/// What an assertion says that fails: the first word of it is the macro's.
constexpr StringLiteral Mark = "kmobj knows another number: ";
constexpr StringLiteral Size = "KMOBJ_SIZE_", Count = "KMOBJ_COUNT_";

/// Number, by the name of the macro, as written in Text; or it does not
/// compile.
std::string asserting(const std::string &Text, const std::string &Macro) {
  return "((" + Text + ") + 0 * sizeof(struct { _Static_assert((" + Text +
         ") == " + Macro + ", \"" + Mark.str() + Macro + "\"); char c; }))";
}

/// Commands that define, as macros, the numbers of a plan's entries in the
/// configuration that the command belongs to.
class SizedDatabase : public CompilationDatabase {
public:
  SizedDatabase(const CompilationDatabase &DB, const Plan &P) : DB(DB), P(P) {}

  std::vector<CompileCommand> getCompileCommands(StringRef F) const override {
    return sized(DB.getCompileCommands(F));
  }
  std::vector<std::string> getAllFiles() const override {
    return DB.getAllFiles();
  }
  std::vector<CompileCommand> getAllCompileCommands() const override {
    return sized(DB.getAllCompileCommands());
  }

private:
  const CompilationDatabase &DB;
  const Plan &P;

  /// Where it is not created no number is known if there are several.
  static StringRef valueIn(const Evaluations &Of, StringRef Configuration) {
    for (const Evaluation &E : Of)
      if (E.Configuration == Configuration)
        return E.Text;
    return difference(Of).empty() && !Of.empty() ? StringRef(Of.front().Text)
                                                 : StringRef();
  }
  std::vector<CompileCommand>
  sized(std::vector<CompileCommand> Commands) const {
    for (CompileCommand &C : Commands) {
      auto Define = [&](const Twine &Macro, const Evaluations &Of) {
        const StringRef Value = valueIn(Of, C.Output);
        if (!Value.empty() && !C.CommandLine.empty())
          C.CommandLine.insert(C.CommandLine.begin() + 1,
                               ("-D" + Macro + "=" + Value).str());
      };
      for (size_t I = 0; I < P.Entries.size(); ++I)
        if (P.Entries[I].Convert) {
          Define(Size + Twine(I), P.Entries[I].Sizes);
          Define(Count + Twine(I), P.Entries[I].ItemsCounts);
        }
    }
    return Commands;
  }
};

void replaceAll(std::string &Text, const std::string &Old,
                const std::string &New) {
  for (size_t At = 0; (At = Text.find(Old, At)) != std::string::npos;
       At += New.size())
    Text.replace(At, Old.size(), New);
}

/// The plan with numbers that do not compile unless they are what they should
/// be. What a macro's body says of several has no one number.
Plan withChecks(const Plan &P) {
  Plan Q = P;
  for (size_t I = 0; I < Q.Entries.size(); ++I) {
    PlanEntry &E = Q.Entries[I];
    if (!E.Convert || E.InPool || E.SizeText.empty())
      continue;
    const std::string Old = E.SizeText;
    E.SizeText = asserting(Old, (Size + Twine(I)).str());
    for (Step &S : E.Steps)
      for (std::string *Text : {&S.Limit, &S.Bytes}) {
        replaceAll(*Text, "__VM_CACHELINE_ALIGN(" + Old + ")",
                   "__VM_CACHELINE_ALIGN(" + E.SizeText + ")");
        replaceAll(*Text, "kmalloc_obj_bootbytes(" + Old + ",",
                   "kmalloc_obj_bootbytes(" + E.SizeText + ",");
      }
    if (!E.ItemsCounts.empty())
      E.ItemsCount = asserting(E.ItemsCount, (Count + Twine(I)).str());
  }
  return Q;
}

/// Entries that stand and fall together have one name.
std::string groupName(const PlanEntry &E) {
  return E.Group.empty() ? E.Key : E.Group;
}

bool changes(const PlanEntry &E, StringRef File) {
  return E.Where.File == File ||
         any_of(E.Steps, [&](const Step &S) { return S.Replace.File == File; });
}

class Trial {
public:
  Trial(const CompilationDatabase &DB, const SourceTree &Tree, const Facts &F,
        Plan &P, const Conversion &Convert, const VerifyOptions &Options)
      : DB(DB), Tree(Tree), F(F), P(P), Convert(Convert), Options(Options) {}

  Expected<bool> run();

private:
  Expected<std::vector<NewDiagnostic>>
  diagnostics(const Plan &Of, ArrayRef<std::string> Units, bool Quiet);
  std::set<std::string> suspects(const NewDiagnostic &D) const;
  bool isConverted(StringRef File) const;
  Error blame(const std::string &Unit, ArrayRef<NewDiagnostic> Errors);
  void refuse(const std::set<std::string> &Groups, const NewDiagnostic &D);

  const CompilationDatabase &DB;
  const SourceTree &Tree;
  const Facts &F;
  Plan &P;
  const Conversion &Convert;
  const VerifyOptions &Options;
  std::set<std::string> Refused; ///< groups, in this round

  /// Was E converted in what this round parsed?
  bool isTried(const PlanEntry &E) const {
    return E.Convert || Refused.count(groupName(E));
  }
};

} // namespace

/// What the units say of the tree as Of makes it. No units: those that it
/// changes, be it only their #includes, and those which see an allocation that
/// it changes.
Expected<std::vector<NewDiagnostic>>
Trial::diagnostics(const Plan &Of, ArrayRef<std::string> Units, bool Quiet) {
  Plan Checked = withChecks(Of);
  const SizedDatabase Sized(DB, Of);
  auto After = Convert(Checked);
  if (!After)
    return After.takeError();
  std::set<std::string> Concerned(Units.begin(), Units.end());
  if (Units.empty()) {
    for (const Unit &U : F.Units)
      if (U.State != Unit::Failed && After->count(U.Path))
        Concerned.insert(U.Path);
    for (const Site &S : F.Sites)
      if (After->count(S.Name.File))
        Concerned.insert(S.Units.begin(), S.Units.end());
  }
  VerifyOptions Own = Options;
  if (Quiet)
    Own.Progress = nullptr;
  return newDiagnostics(
      Sized, DB, Tree, *After,
      std::vector<std::string>(Concerned.begin(), Concerned.end()), Own);
}

/// Groups of which one may be the cause: those that change the file, or else
/// the unit; or else all.
std::set<std::string> Trial::suspects(const NewDiagnostic &D) const {
  std::set<std::string> Found, All;
  for (const std::string &File : {D.File, D.Unit}) {
    for (const PlanEntry &E : P.Entries) {
      if (!isTried(E))
        continue;
      All.insert(groupName(E));
      if (changes(E, File))
        Found.insert(groupName(E));
    }
    if (!Found.empty())
      return Found;
  }
  return All;
}

bool Trial::isConverted(StringRef File) const {
  return any_of(P.Entries, [&](const PlanEntry &E) {
    return isTried(E) && changes(E, File);
  });
}

void Trial::refuse(const std::set<std::string> &Groups,
                   const NewDiagnostic &D) {
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convert || !Groups.count(groupName(E)))
      continue;
    std::string Why = "its conversion would not compile: " + D.Text;
    const StringRef Message(D.Message);
    if (Message.contains(Mark)) {
      // "expression evaluates to '40 == 200'"
      const StringRef Numbers =
          StringRef(D.Note).split('\'').second.split('\'').first;
      const bool OfSize = Message.contains(Size);
      Why = std::string("its ") + (OfSize ? "size" : "number of first items") +
            " is written as " + (OfSize ? E.SizeText : E.ItemsCount) +
            ", which is " + Numbers.split(" == ").first.str() + " in " +
            D.Unit + " and " + Numbers.split(" == ").second.str() +
            " where it is created";
    } else if (Message.contains("static assertion expression")) {
      Why = "its size is written as " + E.SizeText +
            ", which is not constant everywhere: " + D.Text;
    }
    Refused.insert(groupName(E));
    P.refuse(E, {E.Where, Why});
  }
}

/// Refuses the groups that each give one of the errors by themselves. Where no
/// one does, all that may be the cause go.
Error Trial::blame(const std::string &Unit, ArrayRef<NewDiagnostic> Errors) {
  std::map<std::string, std::vector<const NewDiagnostic *>> Alone;
  auto GivenBy = [&](const std::string &Group) -> Error {
    if (Alone.count(Group))
      return Error::success();
    auto &Given = Alone[Group];
    Plan One = P;
    for (PlanEntry &E : One.Entries)
      E.Convert &= groupName(E) == Group;
    One.updateDrops();
    auto Found = diagnostics(One, Unit, /*Quiet=*/true);
    if (!Found)
      return Found.takeError();
    for (const NewDiagnostic &D : Errors)
      if (any_of(*Found, [&](const NewDiagnostic &Same) {
            return Same.File == D.File && Same.Message == D.Message;
          }))
        Given.push_back(&D);
    return Error::success();
  };
  for (const NewDiagnostic &D : Errors) {
    const std::set<std::string> Suspects = suspects(D);
    // One of them is refused for another error of this round, and may have been
    // the cause of this one, too.
    if (any_of(Suspects,
               [&](const std::string &G) { return Refused.count(G); }))
      continue;
    std::set<std::string> Guilty;
    for (const std::string &Group : Suspects) {
      if (Suspects.size() > 1)
        if (Error E = GivenBy(Group))
          return E;
      if (Suspects.size() == 1 || is_contained(Alone[Group], &D))
        Guilty.insert(Group);
    }
    refuse(Guilty.empty() ? Suspects : Guilty, D);
  }
  return Error::success();
}

Expected<bool> Trial::run() {
  const bool AnyConverted =
      any_of(P.Entries, [](const PlanEntry &E) { return E.Convert; });
  auto Found = diagnostics(P, {}, /*Quiet=*/false);
  if (!Found)
    return Found.takeError();
  std::map<std::string, std::vector<NewDiagnostic>> Errors;
  for (const NewDiagnostic &D : *Found)
    if (D.IsError)
      Errors[D.Unit].push_back(D);
  if (!Errors.empty() && !AnyConverted)
    return createStringError("the converted tree would not compile, and no "
                             "zone is to blame: %s; nothing was written",
                             Errors.begin()->second.front().Text.c_str());
  for (const auto &[Unit, OfUnit] : Errors) {
    // No more than its #includes changed.
    const bool Kept = all_of(OfUnit, [&](const NewDiagnostic &D) {
      return !isConverted(Unit) && !isConverted(D.File);
    });
    if (Kept && P.KeepIncludes.insert(Unit).second)
      continue;
    if (Error E = blame(Unit, OfUnit))
      return E;
  }
  P.updateDrops();
  if (Errors.empty())
    for (const NewDiagnostic &D : *Found) {
      const Remark New{Span(),
                       "the converted tree gives a new warning: " + D.Text};
      if (none_of(P.Remarks,
                  [&](const Remark &R) { return R.Text == New.Text; }))
        P.Remarks.push_back(New);
    }
  return !Errors.empty();
}

Expected<bool> tryConversion(const CompilationDatabase &DB,
                             const SourceTree &Tree, const Facts &F, Plan &P,
                             const Conversion &Convert,
                             const VerifyOptions &Options) {
  return Trial(DB, Tree, F, P, Convert, Options).run();
}

} // namespace kmobj
