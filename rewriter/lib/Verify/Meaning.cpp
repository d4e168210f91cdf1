/* SPDX-License-Identifier: BSD-3-Clause */
//===- Meaning.cpp - Does the plan hold in the converted text? ------------===//
//
// Three parts. Of the first two, function by function and macro by macro:
//
// The calls: what the plan says of each site (function, type, flags, size,
// order of arguments) and of each creation (reserve, limit, constructor, boot
// slabs) is what stands there, no more and no less.
//
// The statements: those of the tree before, with a mark for each call that was
// to change, are in the tree after, in the same order and each under the same
// controlling statements. What was added beside them does no harm by the rules
// of Additions.h; what a function takes, returns and declares is the same.
//
// The rest of a file: variables and their values, structures, enumerations,
// SYSINITs are what they were, but for what the plan takes out. Prototypes and
// #includes are the compiler's affair.
//
// A person may rename what is known to one file or is new, move functions,
// reflow, make a check stricter, a reserve larger and a message clearer.
//
//===----------------------------------------------------------------------===//

#include "Additions.h"
#include "Expectations.h"
#include "Structure.h"
#include "kmobj/Verify.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include <set>

using namespace llvm;

namespace kmobj {

namespace {

//===----------------------------------------------------------------------===//
// Comparing statements
//===----------------------------------------------------------------------===//

/// `a == b' of `a != b'.
std::string opposite(StringRef Test) {
  static const std::pair<StringRef, StringRef> Pairs[] = {
      {" == ", " != "}, {" < ", " >= "}, {" > ", " <= "}};
  for (const auto &[A, B] : Pairs)
    for (const auto &[From, To] : {std::pair(A, B), std::pair(B, A)})
      if (const auto [X, Y] = Test.split(From); !Y.empty())
        return (X + To + Y).str();
  return Test.starts_with("! ") ? Test.drop_front(2).str()
                                : ("! " + Test).str();
}

/// Every operand of Old is one of New, and what came besides only looks, and
/// does not decide by itself. A check that leaves must look at the same things.
bool isStricter(ArrayRef<Token> Old, ArrayRef<Token> New, bool Assertion,
                const Additions &Add) {
  const StringRef Operator = Assertion ? "&&" : "||";
  StringSet<> Have, Names, Were;
  for (const ArrayRef<Token> Part : parts(New, Operator))
    Have.insert(textOf(Part));
  for (const Token &T : Old)
    if (T.Identifier && T.Text != "NULL")
      Names.insert(T.Text);
  for (const ArrayRef<Token> Part : parts(Old, Operator)) {
    Were.insert(textOf(Part));
    if (!Have.contains(textOf(Part)))
      return false;
  }
  return all_of(parts(New, Operator), [&](ArrayRef<Token> Part) {
    const std::string Text = textOf(Part);
    const bool Same = Assertion || any_of(Part, [&](const Token &T) {
                        return Names.contains(T.Text);
                      });
    return Were.contains(Text) ||
           (Same && !Have.contains(opposite(Text)) &&
            !(Part.size() == 1 && Have.contains(Text + " == NULL")) &&
            Add.effect(Part, Assertion).empty());
  });
}

/// Strings that only a person reads are alike.
std::string withoutMessages(const CodeStatement &S) {
  const bool Message = !S.Head.empty() && isMessage(S.Head[0].Text);
  std::string Out;
  for (const Token &T : S.Head)
    if (!(Message && StringRef(T.Text).starts_with("\"")))
      Out += T.Text + " ";
  return Out;
}

struct Place {
  std::string File;
  unsigned Line;
  std::string str() const { return File + ":" + std::to_string(Line); }
};

/// One function before and after.
class BodyComparison {
public:
  BodyComparison(const Structure &Before, const Structure &After,
                 std::string BeforeFile, std::string AfterFile,
                 const Function &B, const Function &A, const Additions &Add,
                 std::vector<std::string> &Problems)
      : Before(Before), After(After), BeforeFile(std::move(BeforeFile)),
        AfterFile(std::move(AfterFile)), B(B), A(A), Add(Add),
        Problems(Problems) {}

  void run() {
    lists(B.Body, A.Body, A.Line);
    for (const auto &[Old, Line] : Missing)
      missing(*Old, Line);
  }

private:
  const Structure &Before, &After;
  const std::string BeforeFile, AfterFile;
  const Function &B, &A;
  const Additions &Add;
  std::vector<std::string> &Problems;
  std::set<const CodeStatement *> Kept;                            ///< of A
  std::vector<std::pair<const CodeStatement *, unsigned>> Missing; ///< of B

  bool same(const CodeStatement &Old, const CodeStatement &New) const;
  unsigned weight(const CodeStatement &Old, const CodeStatement &New) const;
  bool deepEqual(const CodeStatement &Old, const CodeStatement &New) const;
  void lists(ArrayRef<CodeStatement> Old, ArrayRef<CodeStatement> New,
             unsigned Line);
  void added(ArrayRef<CodeStatement> New, size_t I);
  void missing(const CodeStatement &Old, unsigned Line);
  const CodeStatement *findIn(ArrayRef<CodeStatement> List,
                              const CodeStatement &Old,
                              const CodeStatement *Around,
                              const CodeStatement *&Controls) const;
};

bool BodyComparison::same(const CodeStatement &Old,
                          const CodeStatement &New) const {
  if (Old.Compound != New.Compound || Old.Head.empty() || New.Head.empty())
    return false;
  if (Old.Head[0].Text != New.Head[0].Text ||
      Before.Conditions[Old.Head[0].Under] !=
          After.Conditions[New.Head[0].Under])
    return false;
  if (withoutMessages(Old) == withoutMessages(New))
    return true;
  // Stricter is fine: a test that leaves, or an assertion.
  const StringRef Name = Old.Head[0].Text;
  if (Old.Head.size() < 4 || New.Head.size() < 4)
    return false;
  const ArrayRef<Token> In = ArrayRef(Old.Head).slice(2, Old.Head.size() - 3);
  const ArrayRef<Token> Now = ArrayRef(New.Head).slice(2, New.Head.size() - 3);
  if (Name == "if" && Old.Compound)
    return alwaysLeaves(Old.Then) && Old.Else.empty() &&
           isStricter(In, Now, /*Assertion=*/false, Add);
  if (isAssertion(Name)) {
    // The message behind it may be another.
    const ArrayRef<Token> Was = parts(In, ",")[0], Is = parts(Now, ",")[0];
    return Add.effect(Now.drop_front(Is.size()), true).empty() &&
           (textOf(Was) == textOf(Is) ||
            isStricter(Was, Is, /*Assertion=*/true, Add));
  }
  return false;
}

bool BodyComparison::deepEqual(const CodeStatement &Old,
                               const CodeStatement &New) const {
  auto Lists = [&](ArrayRef<CodeStatement> X, ArrayRef<CodeStatement> Y) {
    return X.size() == Y.size() && all_of(zip(X, Y), [&](const auto &Pair) {
             return deepEqual(std::get<0>(Pair), std::get<1>(Pair));
           });
  };
  return same(Old, New) && Lists(Old.Then, New.Then) &&
         Lists(Old.Else, New.Else);
}

unsigned BodyComparison::weight(const CodeStatement &Old,
                                const CodeStatement &New) const {
  if (!same(Old, New))
    return 0;
  return Old.Compound && deepEqual(Old, New) ? 3 : 2;
}

/// Aligns two lists so that as much as possible is the same.
void BodyComparison::lists(ArrayRef<CodeStatement> Old,
                           ArrayRef<CodeStatement> New, unsigned Line) {
  const size_t N = Old.size(), M = New.size();
  std::vector<std::vector<unsigned>> Best(N + 1, std::vector<unsigned>(M + 1));
  std::vector<std::vector<unsigned>> Weight(N, std::vector<unsigned>(M));
  for (size_t I = N; I-- > 0;)
    for (size_t J = M; J-- > 0;) {
      Weight[I][J] = weight(Old[I], New[J]);
      Best[I][J] =
          std::max({Best[I + 1][J], Best[I][J + 1],
                    Weight[I][J] ? Weight[I][J] + Best[I + 1][J + 1] : 0});
    }
  size_t I = 0, J = 0;
  while (I < N || J < M) {
    if (I < N && J < M && Weight[I][J] &&
        Best[I][J] == Weight[I][J] + Best[I + 1][J + 1]) {
      Kept.insert(&New[J]);
      lists(Old[I].Then, New[J].Then, New[J].Line);
      lists(Old[I].Else, New[J].Else, New[J].Line);
      Line = New[J].Line;
      ++I;
      ++J;
    } else if (J < M && (I == N || Best[I][J] == Best[I][J + 1])) {
      added(New, J++);
    } else {
      Missing.push_back({&Old[I], J < M ? New[J].Line : Line});
      ++I;
    }
  }
}

/// New[I] is in no place where the tree has something.
void BodyComparison::added(ArrayRef<CodeStatement> New, size_t I) {
  const CodeStatement &S = New[I];
  const bool Reached = I == 0 || !leaves(New[I - 1]);
  const bool Last = New.data() == A.Body.data() && I + 1 == New.size() &&
                    S.Head.size() == 1 && S.Head[0].Text == "return";
  const std::string Does = !leaves(S) ? Add.harm(S)
                           : !Reached || Last
                               ? ""
                               : "keeps what is behind it from being reached";
  if (!Does.empty())
    Problems.push_back(Place{AfterFile, S.Line}.str() + ": `" + textOf(S.Head) +
                       "' was added, which " + Does);
}

const CodeStatement *
BodyComparison::findIn(ArrayRef<CodeStatement> List, const CodeStatement &Old,
                       const CodeStatement *Around,
                       const CodeStatement *&Controls) const {
  for (const CodeStatement &S : List) {
    if (S.Compound == Old.Compound && !Kept.count(&S) &&
        withoutMessages(S) == withoutMessages(Old)) {
      Controls = Around;
      return &S;
    }
    for (const auto *Body : {&S.Then, &S.Else})
      if (const CodeStatement *Found = findIn(*Body, Old, &S, Controls))
        return Found;
  }
  return nullptr;
}

/// The conversion left nothing in it, and asking has no effect.
bool isIdle(const CodeStatement &S) {
  return S.Compound && S.Emptied && S.Then.empty() && S.Else.empty() &&
         none_of(drop_begin(S.Head, std::min<size_t>(S.Head.size(), 2)),
                 [](const Token &T) {
                   return T.Text == "(" || T.Text == "=" || T.Text == "++" ||
                          T.Text == "--";
                 });
}

void BodyComparison::missing(const CodeStatement &Old, unsigned Line) {
  if (isIdle(Old))
    return;
  const CodeStatement *Controls = nullptr;
  const CodeStatement *Found = findIn(A.Body, Old, nullptr, Controls);
  const std::string Was = Place{BeforeFile, Old.Line}.str();
  const std::string Text = "`" + textOf(Old.Head) + "'";
  // A call that is not there at all is found missing as such.
  const bool OnlyCall =
      Old.Head.size() == 1 && StringRef(Old.Head[0].Text).starts_with("@");
  if (!Found && OnlyCall)
    return;
  std::string What = " is not there any more (it was at " + Was + ")";
  if (Found) {
    Line = Found->Line;
    const std::string &Under = After.Conditions[Found->Head[0].Under];
    const std::string &Before_ = Before.Conditions[Old.Head[0].Under];
    if (Under != Before_)
      What = " is under " + (Under.empty() ? "no #if" : Under) +
             " now, and was not (at " + Was + ")";
    else if (Controls)
      What = " stands under `" + textOf(Controls->Head) +
             "' now, or in another order, and did not (at " + Was + ")";
    else
      What = " does not stand where it did, under other statements or in "
             "another order (at " +
             Was + ")";
  }
  Problems.push_back(Place{AfterFile, Line}.str() + ": " + Text + What);
}

//===----------------------------------------------------------------------===//
// Comparing calls
//===----------------------------------------------------------------------===//

/// Text as tokens, with what may vary made alike.
std::string normal(StringRef Text) {
  std::string Out;
  for (const std::string &T : lexed(Text))
    Out += (Out.empty() ? "" : " ") + T;
  return Out;
}

/// `M_ZERO | (M_WAITOK)' and the like.
std::string normalFlags(StringRef Text) {
  std::vector<std::string> Parts;
  std::string Part;
  for (const std::string &T : lexed(Text)) {
    if (T == "|") {
      Parts.push_back(std::move(Part));
      Part.clear();
    } else {
      Part += (Part.empty() ? "" : " ") + T;
    }
  }
  Parts.push_back(Part);
  sort(Parts);
  return join(Parts, " | ");
}

std::optional<uint64_t> number(StringRef Text) {
  uint64_t N;
  if (Text.trim("() ").getAsInteger(0, N))
    return std::nullopt;
  return N;
}

/// `2 * N' of `N', `N + 8'.
bool isMore(StringRef Now, StringRef Planned) {
  for (const StringRef Operator : {" * ", " + "})
    for (const bool Behind : {false, true}) {
      const auto [A, B] = Now.split(Operator);
      const StringRef Same = Behind ? B : A, Rest = Behind ? A : B;
      if (Same == Planned && number(Rest).value_or(0) > 0)
        return true;
    }
  return false;
}

class CallComparison {
public:
  CallComparison(std::string File, std::string Where, unsigned Line,
                 std::vector<std::string> &Problems)
      : File(std::move(File)), Where(std::move(Where)), Line(Line),
        Problems(Problems) {}

  void run(std::vector<Expected> Want, std::vector<const ApiCall *> Have);

private:
  const std::string File, Where;
  const unsigned Line;
  std::vector<std::string> &Problems;

  std::string argument(const ApiCall &C, size_t I) const {
    return I < C.Args.size() ? textOf(C.Args[I]) : "";
  }
  static size_t typeAt(StringRef Name) {
    return Name == "kmalloc_obj" || isNewFree(Name) ? 1 : 0;
  }
  /// What of C is not as it should be, in words; empty: nothing.
  std::string wrong(const Expected &Want, const ApiCall &C) const;
  void add(unsigned At, const std::string &What) {
    Problems.push_back(Place{File, At}.str() + ": " + What);
  }
};

std::string CallComparison::wrong(const Expected &Want,
                                  const ApiCall &C) const {
  if (C.Args.size() != Want.Args.size())
    return "has " + std::to_string(C.Args.size()) + " arguments";
  const StringRef Name = Want.Name;
  const size_t Type = typeAt(Name);
  auto Differs = [&](const char *What, size_t I) {
    return std::string(What) + " is " + argument(C, I) + ", and " +
           Want.Args[I] + " in the plan";
  };
  if (normal(Want.Args[Type]) != argument(C, Type)) {
    if (isNewFree(Name) && argument(C, 0) == normal(Want.Args[1]))
      return "has its arguments the wrong way round";
    return Differs("its type", Type);
  }
  for (size_t I = 0; I < Want.Args.size(); ++I) {
    if (I == Type || Want.Args[I].empty())
      continue;
    const std::string Now = argument(C, I);
    const bool Flags = isNewAllocation(Name) && I + 1 == Want.Args.size();
    if (Flags) {
      if (normalFlags(Want.Args[I]) != normalFlags(Now))
        return Differs("its flags", I);
      continue;
    }
    const auto Planned = number(Want.Args[I]), Is = number(Now);
    if (Planned && Is) {
      if (*Is == *Planned)
        continue;
      // More slabs are kept ready, or items at boot: fine. The objects that a
      // reserve is for are the type's limit.
      const bool MoreIsFine = (Name == "kmalloc_obj_reserve" && I == 1) ||
                              (Name == "KMALLOC_OBJ_BOOTSLABS" && I == 2);
      if (MoreIsFine && *Is > *Planned)
        continue;
    } else if (normal(Want.Args[I]) == Now ||
               (Name == "KMALLOC_OBJ_BOOTSLABS" && I == 2 &&
                isMore(Now, normal(Want.Args[I])))) {
      continue;
    }
    // Descriptions are for people.
    if (Name == "kmalloc_create_obj" && I == 1)
      continue;
    static const std::map<std::string, std::vector<const char *>> Names{
        {"kmalloc_obj", {"its size"}},
        {"kmalloc_create_obj", {"", "", "its size"}},
        {"kmalloc_obj_raise_limit", {"", "the limit"}},
        {"kmalloc_obj_set_limit", {"", "the limit"}},
        {"kmalloc_obj_reserve", {"", "the reserve", "the number of objects"}},
        {"kmalloc_obj_ctor",
         {"", "the constructor", "the destructor", "its private data",
          "the limit", "the number that is kept"}},
        {"kmalloc_obj_bootinit", {"", "the memory", "its size"}},
        {"MALLOC_DEFINE_OBJ", {"", "its size"}},
        {"KMALLOC_OBJ_BOOTSLABS", {"", "its size", "the number of objects"}}};
    const auto Known = Names.find(Want.Name);
    return Differs(Known != Names.end() && I < Known->second.size()
                       ? Known->second[I]
                       : "an argument",
                   I);
  }
  return "";
}

void CallComparison::run(std::vector<Expected> Want,
                         std::vector<const ApiCall *> Have) {
  // What is as planned; then what nearly is, of the same type first.
  for (unsigned Round = 0; Round < 3; ++Round)
    for (Expected &W : Want) {
      if (W.Name.empty())
        continue;
      const size_t Type = typeAt(W.Name);
      auto It = find_if(Have, [&](const ApiCall *C) {
        if (C->Name != W.Name)
          return false;
        return Round == 0   ? wrong(W, *C).empty()
               : Round == 1 ? argument(*C, Type) == normal(W.Args[Type])
                            : true;
      });
      if (It == Have.end())
        continue;
      if (const std::string Why = wrong(W, **It); !Why.empty())
        add((*It)->Line, W.Name + "(): " + Why);
      Have.erase(It);
      W.Name.clear();
    }
  for (const Expected &W : Want) {
    if (W.Name.empty())
      continue;
    std::string Args;
    for (const std::string &A : W.Args)
      Args += (Args.empty() ? "" : ", ") + (A.empty() ? "..." : A);
    add(Line, W.Name + "(" + Args + ") is missing" + Where);
  }
  for (const ApiCall *C : Have) {
    std::vector<std::string> Args;
    for (const Tokens &A : C->Args)
      Args.push_back(textOf(A));
    add(C->Line, C->Name + "(" + join(Args, ", ") + ") is not in the plan");
  }
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

using Renames = std::map<std::string, std::string>;

void rename(Tokens &T, const Renames &Names) {
  for (Token &Tok : T)
    if (Tok.Identifier)
      if (const auto It = Names.find(Tok.Text); It != Names.end())
        Tok.Text = It->second;
}

std::string renamed(StringRef Text, const Renames &Names) {
  SmallVector<StringRef, 16> Words;
  Text.split(Words, ' ');
  for (StringRef &W : Words)
    if (const auto It = Names.find(W.str()); It != Names.end())
      W = It->second;
  return join(Words, " ");
}

void rename(std::vector<CodeStatement> &List, const Renames &Names) {
  for (CodeStatement &S : List) {
    rename(S.Head, Names);
    rename(S.Then, Names);
    rename(S.Else, Names);
  }
}

/// What is declared, and how, but for its name.
using Named = std::pair<std::string, std::string>;

Named named(const std::string &Name, const std::string &Text) {
  return {Name, renamed(Text, {{Name, "@"}})};
}

/// What came has the place of what went, in order, if it is declared like it.
Renames renames(ArrayRef<Named> Went, std::vector<Named> Came) {
  Renames Names;
  for (const Named &N : Went) {
    const auto Is =
        find_if(Came, [&](const Named &C) { return C.second == N.second; });
    if (Is == Came.end())
      continue;
    Names[Is->first] = N.first;
    Came.erase(Is);
  }
  return Names;
}

/// Parameters, each in its place, and locals.
std::vector<Named> namesIn(const Function &F) {
  std::vector<Named> Out;
  StringSet<> Seen;
  for (const Declarator &D : F.Parameters)
    Out.push_back(named(D.Name, D.Text + " " + std::to_string(Out.size())));
  for (const Declarator &D : F.Locals)
    if (Seen.insert(D.Name).second)
      Out.push_back(named(D.Name, D.Text));
  return Out;
}

struct FileVersion {
  std::string Path;
  Structure S;
  std::map<std::string, const Function *> ByName;

  void index() {
    ByName.clear();
    for (const Function &F : S.Functions)
      ByName.try_emplace(F.Name, &F);
  }
  void rename(const Renames &Names);
  ArrayRef<Token> tokensOf(const Function &F) const {
    const auto Begin = partition_point(
        S.All, [&](const Token &T) { return T.Begin < F.Begin; });
    const auto End =
        partition_point(S.All, [&](const Token &T) { return T.Begin < F.End; });
    return ArrayRef(S.All).slice(Begin - S.All.begin(), End - Begin);
  }
};

void FileVersion::rename(const Renames &Names) {
  kmobj::rename(S.All, Names);
  kmobj::rename(S.Opaque, Names);
  for (Function &F : S.Functions) {
    F.Name = renamed(F.Name, Names);
    kmobj::rename(F.Head, Names);
    kmobj::rename(F.Body, Names);
    for (Declarator &D : F.Locals)
      D.Text = renamed(D.Text, Names);
  }
  for (Macro &M : S.Macros)
    kmobj::rename(M.Body, Names);
  for (ApiCall &C : S.Calls)
    for (Tokens &Arg : C.Args)
      kmobj::rename(Arg, Names);
  for (Declarator &D : S.Items) {
    D.Name = renamed(D.Name, Names);
    D.Text = renamed(D.Text, Names);
  }
  index();
}

class MeaningCheck {
public:
  MeaningCheck(const Facts &F, const Plan &P, const FileSet &Before,
               const FileSet &After)
      : F(F), P(P), Plans(F, P), Before(Before), After(After) {}

  std::vector<std::string> run();

private:
  const Facts &F;
  const Plan &P;
  Expectations Plans;
  const FileSet &Before, &After;
  std::map<std::string, FileVersion> Old, New;
  Newcomers Arrived;
  std::set<const Declarator *> Placed; ///< items of New that were in Old
  std::vector<std::string> Problems;

  void problem(const FileVersion &V, unsigned Line, const Twine &What) {
    Problems.push_back((V.Path + ":" + Twine(Line) + ": " + What).str());
  }

  void renamedTypes();
  void renamedStatics(const FileVersion &B);
  void newcomers();
  void function(const FileVersion &B, const Function &Was);
  void heads(const FileVersion &A, const Function &Was, const Function &Is,
             const Renames &Names, const StringSet<> &WasNamed);
  void macros(const FileVersion &B, const FileVersion *A);
  void added(const FileVersion &A);
  void callsOutside(const FileVersion &B, const FileVersion &A);
  void types();
  void oldCalls(const FileVersion &A);
  void items(const FileVersion &B);
  void addedItems(const FileVersion &A);
  /// The #ifs around what began at At.
  std::string conditionsAt(const Span &At) const;
  std::vector<Expected> wanted(const FileVersion &B, uint32_t Begin,
                               uint32_t End) const;
  static std::vector<const ApiCall *> calls(const FileVersion &V,
                                            uint32_t Begin, uint32_t End);
  std::set<const Function *> Matched; ///< of New
};

/// Steps may be recorded once for each of several that share a macro.
void tidy(std::vector<Substitution> &Subs) {
  sort(Subs, [](const Substitution &A, const Substitution &B) {
    return std::tie(A.Begin, B.End, A.New) < std::tie(B.Begin, A.End, B.New);
  });
  std::vector<Substitution> Out;
  for (Substitution &S : Subs)
    if (Out.empty() || S.Begin >= Out.back().End ||
        (S.Begin == S.End && S.Begin > Out.back().Begin))
      Out.push_back(std::move(S));
  Subs = std::move(Out);
}

std::vector<const ApiCall *> MeaningCheck::calls(const FileVersion &V,
                                                 uint32_t Begin, uint32_t End) {
  std::vector<const ApiCall *> Out;
  for (const ApiCall &C : V.S.Calls)
    if (C.Begin >= Begin && C.Begin < End && C.Name != "MALLOC_DECLARE")
      Out.push_back(&C);
  return Out;
}

/// What the plan wants there, and what was there already.
std::vector<Expected> MeaningCheck::wanted(const FileVersion &B, uint32_t Begin,
                                           uint32_t End) const {
  std::vector<Expected> Out;
  if (const auto It = Plans.Files.find(B.Path); It != Plans.Files.end())
    for (const Expected &C : It->second.Calls)
      if (C.At >= Begin && C.At < End)
        Out.push_back(C);
  for (const ApiCall *C : calls(B, Begin, End)) {
    Expected E;
    E.Name = C->Name;
    E.At = C->Begin;
    for (const Tokens &A : C->Args)
      E.Args.push_back(textOf(A));
    Out.push_back(std::move(E));
  }
  return Out;
}

void MeaningCheck::function(const FileVersion &B, const Function &Was) {
  // In its own file, else wherever it has been moved to.
  const FileVersion *In = nullptr;
  const Function *Is = nullptr;
  auto Look = [&](const FileVersion &A) {
    // Under #if there are several of that name, in order.
    for (const Function &Fn : A.S.Functions)
      if (!Is && Fn.Name == Was.Name && !Matched.count(&Fn)) {
        In = &A;
        Is = &Fn;
      }
  };
  if (const auto It = New.find(B.Path); It != New.end())
    Look(It->second);
  for (const auto &[Path, A] : New)
    if (!Is && !Old.count(Path))
      Look(A);
  for (const auto &[Path, A] : New)
    if (!Is && Old.count(Path) && !Old.at(Path).ByName.count(Was.Name))
      Look(A);
  const std::vector<Expected> Want = wanted(B, Was.Begin, Was.End);
  if (!Is) {
    const bool Nothing = Was.Emptied && Was.Body.empty();
    if (!Nothing)
      Problems.push_back(B.Path + ":" + std::to_string(Was.Line) + ": " +
                         Was.Name + "() is not there any more");
    return;
  }
  Matched.insert(Is);

  // Locals may have other names.
  Function Now = *Is;
  const ArrayRef<Token> OldTokens = B.tokensOf(Was);
  const ArrayRef<Token> NewTokens = In->tokensOf(*Is);
  StringSet<> OldIds, NewIds;
  for (const Token &T : OldTokens)
    if (T.Identifier)
      OldIds.insert(T.Text);
  for (const Token &T : NewTokens)
    if (T.Identifier)
      NewIds.insert(T.Text);
  std::vector<Named> Went = namesIn(Was), Came = namesIn(*Is);
  erase_if(Went, [&](const Named &N) { return NewIds.contains(N.first); });
  erase_if(Came, [&](const Named &N) { return OldIds.contains(N.first); });
  const Renames Names = renames(Went, std::move(Came));
  rename(Now.Body, Names);
  std::vector<ApiCall> Renamed;
  for (const ApiCall *C : calls(*In, Is->Begin, Is->End)) {
    Renamed.push_back(*C);
    for (Tokens &A : Renamed.back().Args)
      rename(A, Names);
  }
  std::vector<const ApiCall *> Have;
  for (const ApiCall &C : Renamed)
    Have.push_back(&C);
  CallComparison(In->Path, " in " + Was.Name + "()", Is->Line, Problems)
      .run(Want, Have);
  heads(*In, Was, *Is, Names, OldIds);
  StringSet<> Locals;
  for (const Declarator &D : Is->Locals)
    if (!OldIds.contains(renamed(D.Name, Names)))
      Locals.insert(D.Name);
  const Additions Add(Arrived, Now.Body, std::move(Locals), Have);
  BodyComparison(B.S, In->S, B.Path, In->Path, Was, Now, Add, Problems).run();
}

/// What a function takes and returns, and the variables in it.
void MeaningCheck::heads(const FileVersion &A, const Function &Was,
                         const Function &Is, const Renames &Names,
                         const StringSet<> &WasNamed) {
  auto Text = [](const Function &F) {
    std::string Out;
    for (const Token &T : F.Head)
      if (T.Text != "static" && T.Text != "inline" && T.Text != "__inline")
        Out += T.Text + " ";
    return Out;
  };
  const std::string Old = Text(Was), New = renamed(Text(Is), Names);
  if (Old != New)
    problem(A, Is.Line,
            Was.Name + "() is `" + StringRef(New).rtrim() + "' now, and was `" +
                StringRef(Old).rtrim() + "'");
  std::map<std::string, std::set<std::string>> Types;
  for (const Declarator &D : Was.Locals)
    Types[D.Name].insert(D.Text);
  for (const Declarator &D : Is.Locals) {
    const std::string Name = renamed(D.Name, Names);
    const auto It = Types.find(Name);
    if (It != Types.end() && !It->second.count(renamed(D.Text, Names)))
      problem(A, D.Line,
              Twine(D.Name) + " is `" + D.Text + "' now, and was `" +
                  *It->second.begin() + "'");
    else if (It == Types.end() && WasNamed.contains(Name))
      problem(A, D.Line,
              "`" + D.Text + "' hides what " + Was.Name + "() named before");
  }
}

void MeaningCheck::macros(const FileVersion &B, const FileVersion *A) {
  static const std::vector<Macro> None;
  const std::vector<Macro> &Now = A ? A->S.Macros : None;
  std::set<const Macro *> Kept;
  for (const Macro &Was : B.S.Macros) {
    const Macro *Is = nullptr;
    for (const Macro &M : Now)
      if (!Is && M.Name == Was.Name && !Kept.count(&M))
        Is = &M; // under an #if there are several, in order
    const std::string Name = "macro " + Was.Name;
    if (!Is) {
      if (A || !Plans.Files.count(B.Path))
        Problems.push_back(B.Path + ":" + std::to_string(Was.Line) + ": " +
                           Name + " is not there any more");
      continue;
    }
    Kept.insert(Is);
    CallComparison(A->Path, " in " + Name, Is->Line, Problems)
        .run(wanted(B, Was.Begin, Was.End), calls(*A, Is->Begin, Is->End));
    if (Is->Undefined != Was.Undefined ||
        Is->Parameters.size() != Was.Parameters.size() ||
        is_contained(Is->Parameters, "...") !=
            is_contained(Was.Parameters, "..."))
      Problems.push_back(A->Path + ":" + std::to_string(Is->Line) + ": " +
                         Name + " is not what it was");
    Renames Names;
    for (const auto &[Old, New] : zip(Was.Parameters, Is->Parameters))
      Names[New] = Old;
    Function OldBody, NewBody;
    OldBody.Body = Was.Body;
    NewBody.Body = Is->Body;
    NewBody.Line = Is->Line;
    rename(NewBody.Body, Names);
    const Additions Add(Arrived, NewBody.Body, StringSet<>());
    BodyComparison(B.S, A->S, B.Path, A->Path, OldBody, NewBody, Add, Problems)
        .run();
  }
  // A new one must not give another meaning to what is there.
  for (const Macro &M : Now) {
    const StringRef Name = M.Name;
    const bool Ours = Name.starts_with("M_") || Name.starts_with("kmalloc") ||
                      Name.starts_with("kfree") ||
                      Name.starts_with("KMALLOC") ||
                      Name.starts_with("MALLOC_");
    if (!Kept.count(&M) && (Ours || Arrived.Known.contains(Name)))
      Problems.push_back(A->Path + ":" + std::to_string(M.Line) + ": macro " +
                         M.Name +
                         " is defined anew, and gives another meaning "
                         "to what is below it");
  }
}

/// Functions that the tree before did not have call no allocator that the plan
/// knows nothing of.
void MeaningCheck::added(const FileVersion &A) {
  for (const Function &Fn : A.S.Functions)
    if (!Matched.count(&Fn))
      CallComparison(A.Path, "", Fn.Line, Problems)
          .run({}, calls(A, Fn.Begin, Fn.End));
}

/// Calls in arguments of a macro at file scope, or in text that is only kept.
void MeaningCheck::callsOutside(const FileVersion &B, const FileVersion &A) {
  auto Inside = [](const Structure &S, uint32_t At) {
    auto Holds = [&](const auto &X) { return X.Begin <= At && At < X.End; };
    return any_of(S.Functions, Holds) || any_of(S.Macros, Holds);
  };
  const auto It = Plans.Files.find(B.Path);
  std::vector<Expected> Want = wanted(B, 0, UINT32_MAX);
  erase_if(Want, [&](const Expected &C) {
    return isDefinition(C.Name) || Inside(B.S, C.At) ||
           (It != Plans.Files.end() &&
            any_of(It->second.Substitutions, [&](const Substitution &Sub) {
              return Sub.Begin <= C.At && C.At < Sub.End &&
                     Sub.New == std::vector<std::string>{Gone.str()};
            }));
  });
  std::vector<const ApiCall *> Have = calls(A, 0, UINT32_MAX);
  erase_if(Have, [&](const ApiCall *C) {
    return isDefinition(C->Name) || Inside(A.S, C->Begin);
  });
  const unsigned Line = Want.empty() ? 1
                                     : 1 + StringRef(Before.at(B.Path))
                                               .take_front(Want.front().At)
                                               .count('\n');
  CallComparison(A.Path, "", Line, Problems)
      .run(std::move(Want), std::move(Have));
}

/// Each type is defined once, as planned, and declared where it was.
void MeaningCheck::types() {
  auto Find = [&](StringRef Name, StringRef Type) {
    std::vector<std::pair<const FileVersion *, const ApiCall *>> Found;
    for (const auto &[Path, A] : New)
      for (const ApiCall &C : A.S.Calls)
        if (C.Name == Name && !C.Args.empty() && textOf(C.Args[0]) == Type)
          Found.push_back({&A, &C});
    return Found;
  };
  // In no narrower #if than what it is made of.
  auto IsAround = [&](StringRef Under, const PlanEntry &E) {
    std::vector<Span> Was;
    for (const std::string &Key : {E.Key, E.Items})
      if (const Variable *V = F.variable(Key))
        for (const Declaration &D : V->Declarations)
          Was.push_back(D.Statement);
    for (const MallocDefine &M : F.MallocDefines)
      if (M.Key == E.MallocDefine)
        Was.push_back(M.Statement);
    return any_of(Was, [&](const Span &S) {
      return S.valid() && StringRef(conditionsAt(S)).starts_with(Under);
    });
  };
  auto One = [&](const PlanEntry &E, const Expected &Want) {
    auto Found = Find(Want.Name, Want.Args[0]);
    // Kernels that never meet may each have one of that name.
    if (any_of(P.Entries, [&](const PlanEntry &Other) {
          return &Other != &E && Other.Convert && Other.Type == E.Type;
        }))
      erase_if(Found,
               [&](const auto &F) { return F.first->Path != E.Where.File; });
    // Under #if, one may take the place of another.
    if (Found.empty()) {
      Problems.push_back(E.Where.lineRef() + ": " + Want.Name + "(" +
                         Want.Args[0] + ", ...) is missing");
      return;
    }
    for (const auto &[A, C] : Found) {
      const std::string &Under = A->S.Conditions[C->Under];
      if (Old.count(A->Path) && !IsAround(Under, E))
        problem(*A, C->Line,
                Want.Name + "(" + Want.Args[0] + ", ...) is under " + Under +
                    ", where nothing of it was");
      ApiCall Short = *C;
      Short.Args.resize(std::min(Short.Args.size(), Want.Args.size()));
      CallComparison(A->Path, "", C->Line, Problems).run({Want}, {&Short});
    }
  };
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convert || E.InPool || E.Form == TypeForm::Dynamic ||
        E.Form == TypeForm::None)
      continue;
    const Variable *V = F.variable(E.Key);
    const bool Seen = V && any_of(V->Declarations, [&](const Declaration &D) {
                        return Old.count(D.Statement.File);
                      });
    if (!Seen)
      continue;
    One(E, {"MALLOC_DEFINE_OBJ", {E.Type, E.SizeText}});
    if (E.Bootstrap && E.ItemsStatic)
      One(E, {"KMALLOC_OBJ_BOOTSLABS", {E.Type, E.SizeText, E.ItemsCount}});
    for (const Declaration &D : V->Declarations) {
      if (D.Definition || !D.Statement)
        continue;
      const auto Declares = Find("MALLOC_DECLARE", E.Type + "_obj");
      if (none_of(Declares, [&](const auto &Found) {
            const auto &[A, C] = Found;
            return F.includes(D.Statement.File, A->Path) &&
                   (A->Path != D.Statement.File ||
                    StringRef(conditionsAt(D.Statement))
                        .starts_with(A->S.Conditions[C->Under]));
          }))
        Problems.push_back(
            D.Statement.File + ":" + std::to_string(D.Statement.Line) +
            ": MALLOC_DECLARE(" + E.Type + "_obj) is missing, where " +
            V->Name + " was declared");
    }
  }
}

/// What stands at file scope is there, but for what the plan takes out.
void MeaningCheck::items(const FileVersion &B) {
  auto Conditions = [](const FileVersion &V, const Declarator &D) {
    return V.S.Conditions[D.Under];
  };
  for (const Declarator &D : B.S.Items) {
    const StringRef Text = D.Text;
    if (D.IsPrototype || Text == D.Name || Text.starts_with("MALLOC_DECLARE"))
      continue;
    // What is only a name for what is elsewhere, the compiler would miss.
    const bool OnlyName =
        Text.starts_with("extern ") || Text.starts_with("typedef ");
    const FileVersion *In = nullptr;
    const Declarator *Is = nullptr, *Other = nullptr;
    auto Look = [&](const FileVersion &A) {
      for (const Declarator &N : A.S.Items) {
        if (Is || Placed.count(&N))
          continue;
        const bool Same =
            N.Text == D.Text &&
            (A.Path != B.Path || Conditions(A, N) == Conditions(B, D));
        if (Same ||
            (!Other && !D.Name.empty() && N.Name == D.Name && !N.IsPrototype) ||
            (!Other && N.Text == D.Text)) {
          (Same ? Is : Other) = &N;
          In = &A;
        }
      }
    };
    if (const auto It = New.find(B.Path); It != New.end())
      Look(It->second);
    for (const auto &[Path, A] : New)
      if (!Is && !Other && Path != B.Path)
        Look(A);
    if (Is) {
      Placed.insert(Is);
      continue;
    }
    if (!Other && OnlyName)
      continue;
    if (!Other)
      problem(B, D.Line, "`" + Text + "' is not there any more");
    else if (Other->Text == D.Text)
      problem(*In, Other->Line,
              "`" + Text + "' is under " + Conditions(*In, *Other) +
                  " now, and was not");
    else
      problem(*In, Other->Line,
              "`" + Other->Text + "' was `" + Text + "' (at " + B.Path + ":" +
                  Twine(D.Line) + ")");
  }
}

/// A macro's call that came does not have a function called that was there.
void MeaningCheck::addedItems(const FileVersion &A) {
  for (const Declarator &D : A.S.Items) {
    if (!D.Name.empty() || Placed.count(&D))
      continue;
    SmallVector<StringRef, 16> Words;
    StringRef(D.Text).split(Words, ' ');
    for (const auto &[Path, B] : Old)
      for (const StringRef W : Words)
        if (B.ByName.count(W.str()))
          problem(A, D.Line,
                  "`" + D.Text + "' was added, which names " + W + "()");
  }
}

/// The old API's names do not become more anywhere.
void MeaningCheck::oldCalls(const FileVersion &A) {
  auto Count = [](const FileVersion *V) {
    std::map<std::string, std::vector<unsigned>> Out;
    if (V)
      for (const Tokens *T : {&V->S.All, &V->S.Opaque})
        for (const Token &Tok : *T)
          if (apiByName(Tok.Text))
            Out[Tok.Text].push_back(Tok.Line);
    return Out;
  };
  const auto It = Old.find(A.Path);
  auto Had = Count(It == Old.end() ? nullptr : &It->second);
  for (const auto &[Name, Lines] : Count(&A))
    if (Lines.size() > Had[Name].size())
      Problems.push_back(A.Path + ":" + std::to_string(Lines.back()) + ": " +
                         Name + "() is called again");
}

/// A type of the plan that is nowhere is the one that came in its place: a
/// definition of the same size, or a variable with a name to paste.
void MeaningCheck::renamedTypes() {
  struct Type {
    std::string Name, Size; ///< of a variable no size
  };
  std::vector<Type> Found;
  StringSet<> Words;
  for (const auto &[Path, A] : New) {
    for (const auto &Word : A.S.Words)
      Words.insert(Word.getKey());
    for (const ApiCall &C : A.S.Calls)
      if (C.Name == "MALLOC_DEFINE_OBJ" && C.Args.size() == 4)
        Found.push_back({textOf(C.Args[0]), textOf(C.Args[1])});
    const Tokens &T = A.S.All;
    for (size_t I = 2; I < T.size(); ++I)
      if (StringRef Name = T[I].Text; T[I - 2].Text == "malloc_type" &&
                                      T[I - 1].Text == "*" &&
                                      Name.consume_back("_obj"))
        Found.push_back({Name.str(), ""});
  }
  erase_if(Found, [&](const Type &T) {
    return Arrived.Known.contains(T.Name) ||
           Arrived.Known.contains(T.Name + "_obj") ||
           any_of(P.Entries, [&](const PlanEntry &E) {
             return E.Convert && E.Type == T.Name;
           });
  });
  Renames Names;
  for (const PlanEntry &E : P.Entries) {
    if (!E.Convert || E.InPool || E.Form == TypeForm::None ||
        Words.contains(E.Type) || Words.contains(E.Type + "_obj"))
      continue;
    const bool Dynamic = E.Form == TypeForm::Dynamic;
    const auto Is = find_if(Found, [&](const Type &T) {
      return T.Size == (Dynamic ? "" : normal(E.SizeText));
    });
    if (Is == Found.end())
      continue;
    for (const char *Of : {"", "_obj", "_bootslabs"})
      Names[Is->Name + Of] = E.Type + Of;
    Found.erase(Is);
  }
  if (!Names.empty())
    for (auto &[Path, A] : New)
      A.rename(Names);
}

/// What is static in a file may have another name: what came is what went, if
/// it is declared like it.
void MeaningCheck::renamedStatics(const FileVersion &B) {
  const auto It = New.find(B.Path);
  if (It == New.end())
    return;
  FileVersion &A = It->second;
  auto Statics = [](const FileVersion &V) {
    std::vector<Named> Out;
    auto Add = [&](const std::string &Name, const std::string &Text) {
      if (StringRef(Text).starts_with("static ") && !Name.empty())
        Out.push_back(named(Name, Text));
    };
    for (const Function &Fn : V.S.Functions)
      if (!(Fn.Emptied && Fn.Body.empty()))
        Add(Fn.Name, textOf(Fn.Head));
    for (const Declarator &D : V.S.Items)
      if (!D.IsPrototype)
        Add(D.Name, D.Text);
    return Out;
  };
  std::vector<Named> Went = Statics(B), Came = Statics(A);
  auto Has = [](ArrayRef<Named> List, const Named &N) {
    return any_of(List, [&](const Named &X) { return X.first == N.first; });
  };
  const std::vector<Named> AllOld = Went;
  erase_if(Went, [&](const Named &N) { return Has(Came, N); });
  erase_if(Came, [&](const Named &N) {
    return Has(AllOld, N) || Arrived.Known.contains(N.first);
  });
  const Renames Names = renames(Went, std::move(Came));
  if (!Names.empty())
    A.rename(Names);
}

/// What the tree after has, by the names that the tree before knows.
void MeaningCheck::newcomers() {
  StringSet<> Were;
  for (const auto &[Path, B] : Old)
    for (const auto &[Name, Fn] : B.ByName)
      Were.insert(Name);
  for (const auto &[Path, A] : New) {
    for (const Declarator &D : A.S.Items)
      if (!D.IsPrototype && !Arrived.Known.contains(D.Name))
        Arrived.Variables.insert(D.Name);
    for (const auto &[Name, Fn] : A.ByName)
      if (!Were.contains(Name))
        Arrived.Functions[Name] = Fn;
  }
}

std::string MeaningCheck::conditionsAt(const Span &At) const {
  const auto It = Old.find(At.File);
  if (It == Old.end())
    return "";
  const Structure &S = It->second.S;
  const auto T = partition_point(
      S.All, [&](const Token &X) { return X.Begin < At.Begin; });
  return T == S.All.end() ? "" : S.Conditions[T->Under];
}

std::vector<std::string> MeaningCheck::run() {
  for (const auto &[Path, Text] : Before) {
    FileVersion &V = Old[Path];
    V.Path = Path;
    std::vector<Substitution> Subs;
    if (const auto It = Plans.Files.find(Path); It != Plans.Files.end())
      Subs = It->second.Substitutions;
    tidy(Subs);
    V.S = readStructure(Text, std::move(Subs));
    V.index();
  }
  for (const auto &[Path, Text] : After) {
    FileVersion &V = New[Path];
    V.Path = Path;
    V.S = readStructure(Text);
    V.index();
  }
  for (const auto &[Path, B] : Old)
    for (const auto &Word : B.S.Words)
      Arrived.Known.insert(Word.getKey());
  renamedTypes();
  for (const auto &[Path, B] : Old)
    renamedStatics(B);
  newcomers();
  for (const auto &[Path, B] : Old) {
    for (const Function &Fn : B.S.Functions)
      function(B, Fn);
    const auto A = New.find(Path);
    macros(B, A == New.end() ? nullptr : &A->second);
    items(B);
    if (A == New.end())
      continue;
    callsOutside(B, A->second);
    auto Texts = [](const std::vector<Declarator> &List) {
      std::multiset<std::string> Out;
      for (const Declarator &D : List)
        Out.insert(D.Text);
      return Out;
    };
    if (Texts(B.S.Pragmas) != Texts(A->second.S.Pragmas))
      problem(
          A->second,
          (A->second.S.Pragmas.empty() ? B : A->second).S.Pragmas.front().Line,
          "its pragmas are not what they were");
    std::vector<std::string> Was, Is;
    for (const Token &T : B.S.Opaque)
      Was.push_back(T.Text);
    for (const Token &T : A->second.S.Opaque)
      Is.push_back(T.Text);
    if (Was != Is)
      Problems.push_back(Path + ":" +
                         std::to_string(A->second.S.Opaque.empty()
                                            ? 1
                                            : A->second.S.Opaque[0].Line) +
                         ": code in an #else whose braces pair with the #if's "
                         "is not what it was");
  }
  for (const auto &[Path, A] : New) {
    added(A);
    addedItems(A);
    oldCalls(A);
  }
  types();
  sort(Problems);
  Problems.erase(std::unique(Problems.begin(), Problems.end()), Problems.end());
  return std::move(Problems);
}

} // namespace

std::vector<std::string> meaningProblems(const Facts &F, const Plan &P,
                                         const FileSet &Before,
                                         const FileSet &After) {
  return MeaningCheck(F, P, Before, After).run();
}

} // namespace kmobj
