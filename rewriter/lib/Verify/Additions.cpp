/* SPDX-License-Identifier: BSD-3-Clause */
#include "Additions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace kmobj {

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

bool leaves(const CodeStatement &S) {
  if (S.Compound || S.Head.empty())
    return false;
  return StringSwitch<bool>(S.Head[0].Text)
      .Cases("return", "break", "continue", "goto", "panic", true)
      .Default(false);
}

bool isLabel(const CodeStatement &S) {
  return !S.Head.empty() && S.Head.back().Text == ":";
}

bool alwaysLeaves(const std::vector<CodeStatement> &Body) {
  return !Body.empty() && leaves(Body.back());
}

/// What stands before "(" and calls nothing, or only looks.
static bool onlyLooks(StringRef Name) {
  return Name.starts_with("__predict_") ||
         StringSwitch<bool>(Name)
             .Cases("if", "while", "for", "switch", "return", "sizeof", true)
             .Cases("offsetof", "__offsetof", "__typeof", "NELEM", true)
             .Cases("MIN", "MAX", "strcmp", "strlen", true)
             .Cases("lockstatus", "lockowned", "lockinuse", true)
             .Default(false);
}

static bool isAssignment(StringRef T) {
  return StringSwitch<bool>(T)
      .Cases("=", "+=", "-=", "*=", "/=", "%=", true)
      .Cases("&=", "|=", "^=", "<<=", ">>=", true)
      .Default(false);
}

/// The variable in which the lvalue that ends before End lies; empty: it lies
/// behind a pointer, or anywhere.
static StringRef variableBefore(ArrayRef<Token> T, size_t End) {
  while (End > 0) {
    const Token &Last = T[End - 1];
    if (Last.Text == "]") {
      int Depth = 0;
      do {
        --End;
        Depth += T[End].Text == "]";
        Depth -= T[End].Text == "[";
      } while (Depth && End > 0);
      continue;
    }
    if (!Last.Identifier)
      return "";
    const StringRef Before = End > 1 ? StringRef(T[End - 2].Text) : "";
    if (Before == ".") {
      End -= 2;
      continue;
    }
    return Before == "->" || Before == "*" ? "" : StringRef(Last.Text);
  }
  return "";
}

static StringRef variableBehind(ArrayRef<Token> T, size_t I) {
  if (I == T.size() || !T[I].Identifier)
    return "";
  return I + 1 < T.size() && T[I + 1].Text == "->" ? "" : StringRef(T[I].Text);
}

std::string Additions::effectOfCall(StringRef Name) const {
  const auto It = New.Functions.find(Name.str());
  if (It == New.Functions.end())
    return ("calls " + Twine(Name) + "()").str();
  const Function &Fn = *It->second;
  StringSet<> Own;
  for (const Declarator &D : Fn.Locals)
    Own.insert(D.Name);
  Newcomers Others = New; // it must not call itself
  Others.Functions.erase(Fn.Name);
  Additions Inside(Others, Fn.Body, std::move(Own));
  Inside.MayLeave = true;
  const std::string Does = Inside.harm(ArrayRef(Fn.Body));
  return Does.empty() ? ""
                      : ("calls " + Twine(Name) + "(), which " + Does).str();
}

std::string Additions::effect(ArrayRef<Token> T, bool Asserted) const {
  auto Set = [&](StringRef Name, size_t I) -> std::string {
    if (!Name.empty() && isOwn(Name))
      return "";
    const size_t From = I > 3 ? I - 3 : 0;
    return "sets " + (Name.empty()
                          ? "`" +
                                textOf(T.slice(From, std::min<size_t>(
                                                         4, T.size() - From))) +
                                "'"
                          : Name.str());
  };
  for (size_t I = 0; I < T.size(); ++I) {
    const StringRef Text = T[I].Text;
    std::string Does;
    if (Text == "asm" || Text == "__asm" || Text == "__asm__") {
      Does = "is assembly";
    } else if (isAssignment(Text)) {
      Does = Set(variableBefore(T, I), I);
    } else if (Text == "++" || Text == "--") {
      const bool Postfix =
          I > 0 &&
          (T[I - 1].Identifier || T[I - 1].Text == "]" || T[I - 1].Text == ")");
      Does = Set(Postfix ? variableBefore(T, I) : variableBehind(T, I + 1), I);
    } else if (T[I].Identifier && I + 1 < T.size() && T[I + 1].Text == "(" &&
               !isMessage(Text) && !onlyLooks(Text)) {
      if (isAssertion(Text)) {
        const size_t End = behindGroup(T, I + 1);
        Does = effect(T.slice(I + 2, End - I - 2), true);
        I = End - 1;
      } else if (!Asserted) {
        Does = effectOfCall(Text);
      }
    }
    if (!Does.empty())
      return Does;
  }
  return "";
}

static bool namesAnything(ArrayRef<Token> T) {
  return any_of(
      T, [](const Token &X) { return X.Identifier && X.Text != "NULL"; });
}

static constexpr StringLiteral Undone =
    "leaves what the tree does there undone";

std::string Additions::harm(ArrayRef<CodeStatement> List) const {
  for (const CodeStatement &S : List) {
    const bool Leaves = leaves(S) && !MayLeave;
    if (std::string Does = Leaves ? Undone.str() : harm(S); !Does.empty())
      return Does;
  }
  return "";
}

std::string Additions::harm(const CodeStatement &S) const {
  const StringRef First = S.Head[0].Text;
  // What had no value before may get one where it is declared.
  const auto Values =
      S.Declares ? parts(S.Head, ",") : std::vector<ArrayRef<Token>>{S.Head};
  for (ArrayRef<Token> Value : Values) {
    if (S.Declares)
      Value = Value.drop_until([](const Token &T) { return T.Text == "="; })
                  .drop_front();
    if (std::string Does = effect(Value); !Does.empty())
      return Does;
  }
  if (!S.Compound)
    return isLabel(S) && (First == "case" || First == "default")
               ? "is a case of its own"
               : "";
  if (First == "if") {
    // The jump at its end is looked at for itself.
    for (const auto *Body : {&S.Then, &S.Else})
      if (std::string Does =
              harm(ArrayRef(*Body).drop_back(alwaysLeaves(*Body)));
          !Does.empty())
        return Does;
    return harmOfLeaving(S);
  }
  if (First != "switch" && (!namesAnything(ArrayRef(S.Head).drop_front()) ||
                            (First != "for" && S.Then.empty())))
    return "need not end";
  for (const CodeStatement &Inner : S.Then) {
    const bool OnlyIt = leaves(Inner) && (Inner.Head[0].Text == "break" ||
                                          Inner.Head[0].Text == "continue");
    if (std::string Does = OnlyIt ? "" : harm(Inner); !Does.empty())
      return Does;
  }
  return "";
}

/// `p' of `p == NULL', `!p' and the like.
static ArrayRef<Token> nullTested(ArrayRef<Token> T) {
  while (T.size() > 3 && StringRef(T[0].Text).starts_with("__predict_"))
    T = T.drop_front(2).drop_back();
  while (T.size() > 2 && T[0].Text == "(" && behindGroup(T, 0) == T.size())
    T = T.drop_front().drop_back();
  if (T.size() > 1 && T[0].Text == "!")
    return T.drop_front();
  if (T.size() > 2 && T[T.size() - 2].Text == "==" && T.back().Text == "NULL")
    return T.drop_back(2);
  if (T.size() > 2 && T[0].Text == "NULL" && T[1].Text == "==")
    return T.drop_front(2);
  return {};
}

static bool equal(ArrayRef<Token> A, ArrayRef<Token> B) {
  return A.size() == B.size() && all_of(zip(A, B), [](const auto &P) {
           return std::get<0>(P).Text == std::get<1>(P).Text;
         });
}

/// Is X in T; with Deref, so that it must not be null?
static bool mentions(ArrayRef<Token> T, ArrayRef<Token> X, bool Deref) {
  for (size_t I = 0; I + X.size() <= T.size(); ++I) {
    if (!equal(T.slice(I, X.size()), X))
      continue;
    const StringRef Next =
        I + X.size() < T.size() ? StringRef(T[I + X.size()].Text) : "";
    const StringRef Last = I > 0 ? StringRef(T[I - 1].Text) : "";
    if (Last == "->" || Last == ".")
      continue;
    const bool Freed = I > 1 && StringRef(T[I - 2].Text).starts_with("@kfree");
    if (!Deref || Next == "->" || Next == "[" || Last == "*" || Freed)
      return true;
  }
  return false;
}

static void flatten(const std::vector<CodeStatement> &List,
                    std::vector<const CodeStatement *> &Out) {
  for (const CodeStatement &S : List) {
    Out.push_back(&S);
    flatten(S.Then, Out);
    flatten(S.Else, Out);
  }
}

/// If holds no more than what may stand there, and jumps that leave.
std::string Additions::harmOfLeaving(const CodeStatement &If) const {
  const bool Then = alwaysLeaves(If.Then), Else = alwaysLeaves(If.Else);
  if (MayLeave || (!Then && !Else))
    return "";
  const ArrayRef<Token> Condition =
      ArrayRef(If.Head).slice(2, If.Head.size() - 3);
  const CodeStatement &Jump = Then ? If.Then.back() : If.Else.back();
  if (!namesAnything(Condition) || (Then && Else))
    return Undone.str();
  if (Jump.Head[0].Text == "panic")
    return "";
  if (Else || (Jump.Head[0].Text == "goto" && Jump.Head.size() > 1 &&
               !New.Known.contains(Jump.Head[1].Text)))
    return Undone.str();

  std::vector<const CodeStatement *> All, Inside{&If};
  flatten(Body, All);
  flatten(If.Then, Inside);
  const auto At = find(All, &If);
  const ArrayRef<const CodeStatement *> Before(All.data(), At - All.begin());
  const ArrayRef<const CodeStatement *> Behind = ArrayRef(All).drop_front(
      std::min(Before.size() + Inside.size(), All.size()));
  auto Acts = [](const CodeStatement *S) {
    for (size_t I = 0; I + 1 < S->Head.size(); ++I)
      if (StringRef(S->Head[I].Text).starts_with("@kfree") ||
          (S->Head[I].Identifier && S->Head[I + 1].Text == "(" &&
           !onlyLooks(S->Head[I].Text) && !isMessage(S->Head[I].Text) &&
           !isAssertion(S->Head[I].Text)))
        return true;
    return false;
  };
  for (const ArrayRef<Token> Test : parts(Condition, "||")) {
    const ArrayRef<Token> X = nullTested(Test);
    if (X.empty())
      return Undone.str();
    const bool Needed =
        any_of(Behind,
               [&](const CodeStatement *S) {
                 return mentions(S->Head, X, true);
               }) ||
        any_of(Calls, [&](const ApiCall *C) {
          return C->Line > If.Line && any_of(C->Args, [&](const Tokens &A) {
                   return mentions(A, X, true);
                 });
        });
    if (!Needed)
      return Undone.str();
    if (any_of(Before, Acts) && any_of(Behind, [&](const CodeStatement *S) {
          return Acts(S) && !mentions(S->Head, X, false);
        }))
      return Undone.str();
  }
  return "";
}

} // namespace kmobj
