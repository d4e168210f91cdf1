/* SPDX-License-Identifier: BSD-3-Clause */
//===- Meaning.cpp - Does the plan hold in the converted text? ------------===//
//
// Two halves, function by function and macro by macro.
//
// The calls: what the plan says of each site (function, type, flags, size,
// order of arguments) and of each creation (reserve, limit, constructor, boot
// slabs) is what stands there, no more and no less.
//
// The statements: those of the tree before, with a mark for each call that was
// to change, are in the tree after, in the same order and each under the same
// controlling statements. What was added beside them may stay, unless it jumps
// past them or calls an allocator.
//
// A person may rename locals and static functions, move functions, reflow,
// make a check stricter, a reserve larger and a message clearer.
//
//===----------------------------------------------------------------------===//

#include "Structure.h"
#include "kmobj/Verify.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/StringSet.h"
#include <set>

using namespace llvm;

namespace kmobj {

namespace {

//===----------------------------------------------------------------------===//
// What the plan expects
//===----------------------------------------------------------------------===//

/// A call that is to stand where a step was.
struct Expected {
  std::string Name;
  std::vector<std::string> Args; ///< as text; that of the object is not said
  uint32_t At = 0;               ///< offset in the file before
};

/// What is to happen to one file.
struct FilePlan {
  std::vector<Substitution> Substitutions;
  std::vector<Expected> Calls;
};

class Expectations {
public:
  Expectations(const Facts &F, const Plan &P) : F(F) {
    for (const PlanEntry &E : P.Entries)
      if (E.Convert)
        entry(E);
    for (const Leftover &L : P.Leftovers)
      if (L.Goes)
        for (const Span &S : L.Statements)
          setUp(S, {});
  }

  std::map<std::string, FilePlan> Files;

private:
  const Facts &F;

  void entry(const PlanEntry &E);
  void step(const PlanEntry &E, const Step &S);
  void free(const PlanEntry &E, const Step &S, const std::string &Name);
  void declarations(const PlanEntry &E);
  void replace(const Span &S, std::vector<std::string> New) {
    if (S.valid())
      Files[S.File].Substitutions.push_back({S.Begin, S.End, std::move(New)});
  }
  /// Statements with these calls take the place of S.
  void setUp(const Span &S, std::vector<Expected> Calls);
  std::string type(const PlanEntry &E, const Step &S) const {
    return E.Form == TypeForm::Dynamic || S.Carried ? S.ZoneText : E.Type;
  }
};

void Expectations::setUp(const Span &S, std::vector<Expected> Calls) {
  std::vector<std::string> New;
  for (Expected &C : Calls) {
    append_range(New, std::vector<std::string>{"@" + C.Name, ";"});
    C.At = S.Begin;
    Files[S.File].Calls.push_back(std::move(C));
  }
  if (New.empty())
    New.push_back(Gone.str());
  if (New.size() > 2) {
    // One statement still, where an if has no braces.
    New.insert(New.begin(), "{");
    New.push_back("}");
  }
  replace(S, std::move(New));
}

void Expectations::free(const PlanEntry &E, const Step &S,
                        const std::string &Name) {
  Span Object;
  if (const Site *At = F.siteAt(S.At)) {
    if (At->Args.size() == 2)
      Object = At->Args[1].Text;
  } else {
    for (const Mention &M : F.Mentions)
      if (M.Call == S.Replace && M.Args.size() == 2)
        Object = M.Args[1];
  }
  if (!Object.valid())
    return;
  Span Head = S.Replace, Tail = S.Replace;
  Head.End = Object.Begin;
  Tail.Begin = Object.End;
  replace(Head, {"@" + Name, "("});
  replace(Tail, {")"});
  Files[S.Replace.File].Calls.push_back(
      {Name, {"", type(E, S)}, S.Replace.Begin});
}

void Expectations::step(const PlanEntry &E, const Step &S) {
  const std::string Type = type(E, S);
  for (const Span &Dead : S.AlsoRemove)
    setUp(Dead, {});
  switch (S.Do) {
  case Action::Alloc: {
    Expected C{E.Constructed ? "kmalloc_cobj" : "kmalloc_obj",
               {Type, S.Flags},
               S.Replace.Begin};
    if (!E.Constructed)
      C.Args.insert(C.Args.begin(), S.Size.empty() ? E.SizeText : S.Size);
    replace(S.Replace, {"@" + C.Name});
    Files[S.Replace.File].Calls.push_back(std::move(C));
    return;
  }
  case Action::Free:
    return free(E, S, E.Constructed ? "kfree_cobj" : "kfree_obj");
  case Action::FreeDtor:
    return free(E, S, E.Constructed ? "kfree_cobj_dtor" : "kfree_obj");
  case Action::BootInit: {
    if (!E.Bootstrap)
      return setUp(S.Replace, {});
    const std::string Memory =
        E.ItemsStatic ? E.Type + "_bootslabs" : S.Memory;
    return setUp(S.Replace,
                 {{"kmalloc_obj_bootinit",
                   {E.Type, Memory,
                    E.ItemsStatic ? "sizeof(" + Memory + ")" : S.Bytes}}});
  }
  case Action::Create: {
    std::vector<Expected> Calls;
    if (S.CallCreate)
      Calls.push_back(
          {"kmalloc_create_obj", {"&" + Type, S.Name, E.SizeText}});
    if (E.raisesLimit(S))
      Calls.push_back({"kmalloc_obj_raise_limit", {Type, S.Limit}});
    if (S.CallReserve && E.WantReserve)
      Calls.push_back({"kmalloc_obj_reserve",
                       {Type, std::to_string(E.Reserve), S.Objects}});
    if (S.CallCache)
      Calls.push_back({"kmalloc_obj_cache", {Type}});
    if (S.CallCtor)
      Calls.push_back(
          {"kmalloc_obj_ctor",
           {Type, S.Ctor, S.Dtor, S.Private, S.MaxOut, S.Nominal}});
    return setUp(S.Replace, std::move(Calls));
  }
  case Action::Destroy:
    if (E.Form == TypeForm::Dynamic)
      return setUp(S.Replace, {{"kmalloc_destroy_obj", {"&" + Type}}});
    if (E.Constructed)
      return setUp(S.Replace, {{"kmalloc_obj_unctor", {E.Type}}});
    return setUp(S.Replace, {});
  case Action::Remove:
    return setUp(S.Replace, {});
  case Action::Resize:
    return E.Bootstrap ? replace(S.Replace, lexed(S.Bytes))
                       : setUp(S.Statement, {});
  case Action::SetLimit:
    replace(S.Replace, {"@kmalloc_obj_set_limit"});
    Files[S.Replace.File].Calls.push_back(
        {"kmalloc_obj_set_limit", {Type, S.MaxOut}, S.Replace.Begin});
    return;
  case Action::TestNull:
  case Action::AssignNull: {
    const auto U = find_if(F.Uses, [&](const Use &U) {
      return U.Name.id() == S.At;
    });
    if (U != F.Uses.end())
      replace(U->Name, {E.Variable + "_obj"});
    return;
  }
  case Action::Reclaim:
    replace(S.Replace, {"kmalloc_obj_reclaimlist"});
    if (const Site *At = F.siteAt(S.At); At && At->Args.size() > 2) {
      Span Flags = At->Args[2].Text;
      Flags.Begin = At->Args[1].Text.End;
      replace(Flags, {});
    }
    return;
  case Action::Name:
    return replace(S.Replace, {(E.Form == TypeForm::Dynamic ? E.Variable
                                                            : E.Type) +
                               (S.Bare ? "" : "_obj")});
  case Action::Rewrite:
    return replace(S.Replace, lexed(S.Text));
  }
}

void Expectations::declarations(const PlanEntry &E) {
  for (const std::string &Key : E.Carriers)
    if (const Variable *C = F.variable(Key); C && !C->IsArray)
      for (const Declaration &D : C->Declarations)
        if (D.Name.Begin != D.Name.End)
          replace(D.Name, {C->Name + "_obj"});
  // What is declared in a function goes from its statements.
  const Variable *V = F.variable(E.Key);
  if (V && V->Scope == VarScope::StaticLocal)
    for (const Declaration &D : V->Declarations)
      if (D.Declarators == 1)
        setUp(D.Statement, {});
}

void Expectations::entry(const PlanEntry &E) {
  declarations(E);
  for (const Step &S : E.Steps)
    step(E, S);
}

//===----------------------------------------------------------------------===//
// Comparing statements
//===----------------------------------------------------------------------===//

/// Expressions joined by Operator, at the top.
std::vector<std::string> operands(ArrayRef<Token> T, StringRef Operator) {
  std::vector<std::string> Out(1);
  int Depth = 0;
  for (const Token &Tok : T) {
    Depth += Tok.Text == "(" || Tok.Text == "[" || Tok.Text == "{";
    Depth -= Tok.Text == ")" || Tok.Text == "]" || Tok.Text == "}";
    if (Depth == 0 && Tok.Text == Operator)
      Out.emplace_back();
    else
      Out.back() += (Out.back().empty() ? "" : " ") + Tok.Text;
  }
  return Out;
}

/// Every operand of Old is one of New.
bool hasAll(ArrayRef<Token> Old, ArrayRef<Token> New, StringRef Operator) {
  const std::vector<std::string> Have = operands(New, Operator);
  return all_of(operands(Old, Operator), [&](const std::string &Part) {
    return is_contained(Have, Part);
  });
}

bool isAssertion(StringRef Name) {
  return Name == "KASSERT" || Name == "KKASSERT" || Name == "MPASS" ||
         Name == "CTASSERT" || Name == "ASSERT";
}

bool isMessage(StringRef Name) {
  return StringSwitch<bool>(Name)
      .Cases("panic", "kprintf", "printf", "log", "device_printf", true)
      .Cases("kvprintf", "krateprintf", "if_printf", true)
      .Default(false);
}

/// A jump that leaves what follows in the same block undone.
bool leaves(const CodeStatement &S) {
  if (S.Compound || S.Head.empty())
    return false;
  return StringSwitch<bool>(S.Head[0].Text)
      .Cases("return", "break", "continue", "goto", "panic", true)
      .Default(false);
}

bool alwaysLeaves(const std::vector<CodeStatement> &Body) {
  return !Body.empty() && leaves(Body.back());
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

bool isLabel(const CodeStatement &S) {
  return !S.Head.empty() && S.Head.back().Text == ":";
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
                 const Function &B, const Function &A,
                 std::vector<std::string> &Problems)
      : Before(Before), After(After), BeforeFile(std::move(BeforeFile)),
        AfterFile(std::move(AfterFile)), B(B), A(A), Problems(Problems) {}

  void run() {
    lists(B.Body, A.Body, A.Line);
    for (const auto &[Old, Line] : Missing)
      missing(*Old, Line);
  }

private:
  const Structure &Before, &After;
  const std::string BeforeFile, AfterFile;
  const Function &B, &A;
  std::vector<std::string> &Problems;
  std::set<const CodeStatement *> Kept; ///< of A
  std::vector<std::pair<const CodeStatement *, unsigned>> Missing; ///< of B

  bool same(const CodeStatement &Old, const CodeStatement &New) const;
  unsigned weight(const CodeStatement &Old, const CodeStatement &New) const;
  bool deepEqual(const CodeStatement &Old, const CodeStatement &New) const;
  void lists(ArrayRef<CodeStatement> Old, ArrayRef<CodeStatement> New, unsigned Line);
  void missing(const CodeStatement &Old, unsigned Line);
  const CodeStatement *findIn(ArrayRef<CodeStatement> List, const CodeStatement &Old,
                          const CodeStatement *Around,
                          const CodeStatement *&Controls) const;
};

bool BodyComparison::same(const CodeStatement &Old, const CodeStatement &New) const {
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
    return alwaysLeaves(Old.Then) && Old.Else.empty() && hasAll(In, Now, "||");
  if (isAssertion(Name)) {
    auto Condition = [](ArrayRef<Token> T) {
      int Depth = 0;
      size_t I = 0;
      for (; I < T.size(); ++I) {
        Depth += T[I].Text == "(";
        Depth -= T[I].Text == ")";
        if (Depth == 0 && T[I].Text == ",")
          break;
      }
      return T.take_front(I);
    };
    return hasAll(Condition(In), Condition(Now), "&&");
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
void BodyComparison::lists(ArrayRef<CodeStatement> Old, ArrayRef<CodeStatement> New,
                           unsigned Line) {
  const size_t N = Old.size(), M = New.size();
  std::vector<std::vector<unsigned>> Best(N + 1,
                                          std::vector<unsigned>(M + 1));
  std::vector<std::vector<unsigned>> Weight(N, std::vector<unsigned>(M));
  for (size_t I = N; I-- > 0;)
    for (size_t J = M; J-- > 0;) {
      Weight[I][J] = weight(Old[I], New[J]);
      Best[I][J] = std::max({Best[I + 1][J], Best[I][J + 1],
                             Weight[I][J] ? Weight[I][J] + Best[I + 1][J + 1]
                                          : 0});
    }
  size_t I = 0, J = 0;
  const CodeStatement *Leaves = nullptr; // added before what is to be done
  while (I < N || J < M) {
    if (I < N && J < M && Weight[I][J] &&
        Best[I][J] == Weight[I][J] + Best[I + 1][J + 1]) {
      if (Leaves && !isLabel(New[J]))
        Problems.push_back(Place{AfterFile, Leaves->Line}.str() + ": `" +
                           textOf(Leaves->Head) +
                           "' was added before statements of the tree, which "
                           "are not reached");
      Leaves = nullptr;
      Kept.insert(&New[J]);
      lists(Old[I].Then, New[J].Then, New[J].Line);
      lists(Old[I].Else, New[J].Else, New[J].Line);
      Line = New[J].Line;
      ++I;
      ++J;
    } else if (J < M && (I == N || Best[I][J] == Best[I][J + 1])) {
      if (leaves(New[J]))
        Leaves = &New[J];
      else if (isLabel(New[J]))
        Leaves = nullptr;
      ++J;
    } else {
      Missing.push_back({&Old[I], J < M ? New[J].Line : Line});
      ++I;
    }
  }
}

const CodeStatement *BodyComparison::findIn(ArrayRef<CodeStatement> List,
                                        const CodeStatement &Old,
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
      // More slabs, address space and boot items are kept ready: fine.
      const bool MoreIsFine = Name == "kmalloc_obj_reserve" ||
                              Name == "KMALLOC_OBJ_BOOTSLABS";
      if (MoreIsFine && *Is > *Planned)
        continue;
    } else if (normal(Want.Args[I]) == Now) {
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
        {"kmalloc_obj_reserve",
         {"", "the reserve", "the number of objects"}},
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

void rename(std::vector<CodeStatement> &List, const Renames &Names) {
  for (CodeStatement &S : List) {
    rename(S.Head, Names);
    rename(S.Then, Names);
    rename(S.Else, Names);
  }
}

/// Names that a function declares, in order: a word behind a word or a star
/// which something follows that ends a declarator.
std::vector<std::string> declared(ArrayRef<Token> T) {
  std::vector<std::string> Out;
  StringSet<> Seen;
  for (size_t I = 1; I + 1 < T.size(); ++I) {
    const StringRef Next = T[I + 1].Text, Last = T[I - 1].Text;
    const bool Ends = Next == ";" || Next == "," || Next == "=" ||
                      Next == ")" || Next == "[";
    if (!T[I].Identifier || !Ends || Last == "return" || Last == "goto" ||
        Last == "case")
      continue;
    // `a * b;' declares; `x = a * b;' names what is not new.
    if (T[I - 1].Identifier || Last == "*" || Last == ",")
      if (Seen.insert(T[I].Text).second)
        Out.push_back(T[I].Text);
  }
  return Out;
}

struct FileVersion {
  std::string Path;
  Structure S;
  std::map<std::string, const Function *> ByName;

  void index() {
    for (const Function &F : S.Functions)
      ByName.try_emplace(F.Name, &F);
  }
  ArrayRef<Token> tokensOf(const Function &F) const {
    const auto Begin = partition_point(
        S.All, [&](const Token &T) { return T.Begin < F.Begin; });
    const auto End = partition_point(
        S.All, [&](const Token &T) { return T.Begin < F.End; });
    return ArrayRef(S.All).slice(Begin - S.All.begin(), End - Begin);
  }
};

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
  std::vector<std::string> Problems;

  void file(FileVersion &B);
  void function(const FileVersion &B, const Function &Was);
  void macros(const FileVersion &B, const FileVersion *A);
  void added(const FileVersion &A);
  void types();
  void oldCalls(const FileVersion &A);
  void registrations(const FileVersion &B);
  std::vector<Expected> wanted(const FileVersion &B, uint32_t Begin,
                               uint32_t End) const;
  static std::vector<const ApiCall *> calls(const FileVersion &V,
                                            uint32_t Begin, uint32_t End);
  std::set<std::pair<std::string, std::string>> Matched; ///< file, function
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
    const auto It = A.ByName.find(Was.Name);
    if (!Is && It != A.ByName.end() && !Matched.count({A.Path, Was.Name})) {
      In = &A;
      Is = It->second;
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
  Matched.insert({In->Path, Was.Name});

  // Locals may have other names.
  Function Now = *Is;
  Renames Names;
  const ArrayRef<Token> OldTokens = B.tokensOf(Was);
  const ArrayRef<Token> NewTokens = In->tokensOf(*Is);
  StringSet<> OldIds, NewIds;
  for (const Token &T : OldTokens)
    if (T.Identifier)
      OldIds.insert(T.Text);
  for (const Token &T : NewTokens)
    if (T.Identifier)
      NewIds.insert(T.Text);
  std::vector<std::string> Went = declared(OldTokens),
                           Came = declared(NewTokens);
  erase_if(Went, [&](const std::string &N) { return NewIds.contains(N); });
  erase_if(Came, [&](const std::string &N) { return OldIds.contains(N); });
  auto Count = [](ArrayRef<Token> T, StringRef Name) {
    return count_if(T, [&](const Token &X) { return X.Text == Name; });
  };
  for (const std::string &O : Went) {
    const auto It = find_if(Came, [&](const std::string &N) {
      return Count(NewTokens, N) >= Count(OldTokens, O);
    });
    if (It == Came.end())
      continue;
    Names[*It] = O;
    Came.erase(It);
  }
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
  BodyComparison(B.S, In->S, B.Path, In->Path, Was, Now, Problems).run();
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
    if (Is->Undefined != Was.Undefined)
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
    BodyComparison(B.S, A->S, B.Path, A->Path, OldBody, NewBody, Problems)
        .run();
  }
  // A new one must not give another meaning to what is there.
  StringSet<> Words;
  for (const Token &T : B.S.All)
    if (T.Identifier)
      Words.insert(T.Text);
  for (const Macro &M : Now) {
    const StringRef Name = M.Name;
    const bool Ours = Name.starts_with("M_") || Name.starts_with("kmalloc") ||
                      Name.starts_with("kfree") ||
                      Name.starts_with("KMALLOC") ||
                      Name.starts_with("MALLOC_");
    if (!Kept.count(&M) && (Ours || Words.contains(Name)))
      Problems.push_back(A->Path + ":" + std::to_string(M.Line) + ": macro " +
                         M.Name + " is defined anew, and gives another meaning "
                                  "to what is below it");
  }
}

/// Functions that the tree before did not have call no allocator that the plan
/// knows nothing of.
void MeaningCheck::added(const FileVersion &A) {
  for (const Function &Fn : A.S.Functions)
    if (!Matched.count({A.Path, Fn.Name}))
      CallComparison(A.Path, "", Fn.Line, Problems)
          .run({}, calls(A, Fn.Begin, Fn.End));
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
            return F.includes(D.Statement.File, Found.first->Path);
          }))
        Problems.push_back(D.Statement.File + ":" +
                           std::to_string(D.Statement.Line) +
                           ": MALLOC_DECLARE(" + E.Type +
                           "_obj) is missing, where " + V->Name +
                           " was declared");
    }
  }
}

/// `SYSINIT(..);' and its like: calls at file scope.
struct Registration {
  std::string Text;
  uint32_t Begin = 0;
  unsigned Line = 0;
};

std::vector<Registration> registrationsOf(const FileVersion &V) {
  std::vector<Registration> Out;
  const Tokens &T = V.S.All;
  int Depth = 0;
  for (size_t I = 0; I < T.size(); ++I) {
    const bool Starts =
        Depth == 0 && (I == 0 || T[I - 1].Text == ";" || T[I - 1].Text == "}");
    Depth += T[I].Text == "(" || T[I].Text == "{";
    Depth -= T[I].Text == ")" || T[I].Text == "}";
    if (!Starts || !T[I].Identifier || I + 1 == T.size() ||
        T[I + 1].Text != "(" || StringRef(T[I].Text).starts_with("MALLOC_") ||
        T[I].Text == "KMALLOC_OBJ_BOOTSLABS")
      continue;
    size_t End = I + 1;
    for (int Open = 0; End < T.size(); ++End) {
      Open += T[End].Text == "(";
      Open -= T[End].Text == ")";
      if (Open == 0)
        break;
    }
    if (End + 1 < T.size() && T[End + 1].Text == ";")
      Out.push_back(
          {textOf(ArrayRef(T).slice(I, End + 2 - I)), T[I].Begin, T[I].Line});
  }
  return Out;
}

/// They are there, but for those that the plan says go.
void MeaningCheck::registrations(const FileVersion &B) {
  std::multiset<std::string> Now;
  for (const auto &[Path, A] : New)
    for (const Registration &R : registrationsOf(A))
      Now.insert(R.Text);
  for (const Registration &R : registrationsOf(B)) {
    if (const auto It = Now.find(R.Text); It != Now.end()) {
      Now.erase(It);
      continue;
    }
    const bool Goes = any_of(P.Leftovers, [&](const Leftover &L) {
      return L.Goes && any_of(L.Text, [&](const Span &S) {
               return S.contains(B.Path, R.Begin);
             });
    });
    if (!Goes)
      Problems.push_back(B.Path + ":" + std::to_string(R.Line) + ": `" +
                         R.Text + "' is not there any more");
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

/// Static functions, too, may have been renamed: those that came stand for
/// those that went, in order.
void MeaningCheck::file(FileVersion &B) {
  const auto It = New.find(B.Path);
  if (It == New.end())
    return;
  FileVersion &A = It->second;
  std::vector<std::string> Went, Came;
  for (const Function &Fn : B.S.Functions)
    if (!A.ByName.count(Fn.Name) && !(Fn.Emptied && Fn.Body.empty()) &&
        any_of(Fn.Head, [](const Token &T) { return T.Text == "static"; }))
      Went.push_back(Fn.Name);
  for (const Function &Fn : A.S.Functions)
    if (!B.ByName.count(Fn.Name))
      Came.push_back(Fn.Name);
  if (Went.empty() || Went.size() != Came.size())
    return;
  Renames Names;
  for (size_t I = 0; I < Went.size(); ++I)
    Names[Came[I]] = Went[I];
  rename(A.S.All, Names);
  for (Function &Fn : A.S.Functions) {
    if (const auto Renamed = Names.find(Fn.Name); Renamed != Names.end())
      Fn.Name = Renamed->second;
    rename(Fn.Body, Names);
  }
  for (ApiCall &C : A.S.Calls)
    for (Tokens &Arg : C.Args)
      rename(Arg, Names);
  A.ByName.clear();
  A.index();
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
  for (auto &[Path, B] : Old)
    file(B);
  for (const auto &[Path, B] : Old) {
    StringMap<unsigned> Times;
    for (const Function &Fn : B.S.Functions)
      if (!Times[Fn.Name]++)
        function(B, Fn);
    const auto A = New.find(Path);
    macros(B, A == New.end() ? nullptr : &A->second);
    registrations(B);
    if (A == New.end())
      continue;
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
    oldCalls(A);
  }
  types();
  sort(Problems);
  Problems.erase(std::unique(Problems.begin(), Problems.end()),
                 Problems.end());
  return std::move(Problems);
}

} // namespace

std::vector<std::string> meaningProblems(const Facts &F, const Plan &P,
                                         const FileSet &Before,
                                         const FileSet &After) {
  return MeaningCheck(F, P, Before, After).run();
}

} // namespace kmobj
