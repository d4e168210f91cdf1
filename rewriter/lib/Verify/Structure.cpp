/* SPDX-License-Identifier: BSD-3-Clause */
#include "Structure.h"
#include "clang/Basic/LangOptions.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace kmobj {

bool isNewAllocation(StringRef Name) {
  return Name == "kmalloc_obj" || Name == "kmalloc_cobj";
}

bool isNewFree(StringRef Name) {
  return Name == "kfree_obj" || Name == "kfree_cobj" ||
         Name == "kfree_cobj_dtor";
}

bool isSetUp(StringRef Name) {
  return StringSwitch<bool>(Name)
      .Cases("kmalloc_create_obj", "kmalloc_destroy_obj",
             "kmalloc_obj_raise_limit", "kmalloc_obj_set_limit", true)
      .Cases("kmalloc_obj_reserve", "kmalloc_obj_cache", "kmalloc_obj_ctor",
             "kmalloc_obj_unctor", "kmalloc_obj_bootinit", true)
      .Default(false);
}

bool isDefinition(StringRef Name) {
  return Name == "MALLOC_DEFINE_OBJ" || Name == "KMALLOC_OBJ_BOOTSLABS" ||
         Name == "MALLOC_DECLARE";
}

std::string textOf(ArrayRef<Token> T) {
  std::string Out;
  for (const Token &Tok : T)
    Out += (Out.empty() ? "" : " ") + Tok.Text;
  return Out;
}

static bool isOpen(StringRef T) { return T == "(" || T == "{" || T == "["; }
static bool isClose(StringRef T) { return T == ")" || T == "}" || T == "]"; }

size_t behindGroup(ArrayRef<Token> T, size_t I) {
  int Depth = 0;
  for (; I < T.size(); ++I) {
    Depth += isOpen(T[I].Text);
    Depth -= isClose(T[I].Text);
    if (Depth <= 0)
      return I + 1;
  }
  return T.size();
}

std::vector<ArrayRef<Token>> parts(ArrayRef<Token> T, StringRef Separator) {
  std::vector<ArrayRef<Token>> Out;
  size_t Begin = 0;
  for (size_t I = 0; I < T.size();) {
    if (T[I].Text == Separator) {
      Out.push_back(T.slice(Begin, I - Begin));
      Begin = I + 1;
    }
    I = isOpen(T[I].Text) ? behindGroup(T, I) : I + 1;
  }
  Out.push_back(T.drop_front(Begin));
  return Out;
}

namespace {

/// Of a backslash and the end of its line, if Text begins with that: how long.
size_t continuation(StringRef Text) {
  return Text.starts_with("\\\n") ? 2 : Text.starts_with("\\\r\n") ? 3 : 0;
}

struct Directive {
  Tokens Text; ///< without the '#'
  uint32_t Begin = 0, End = 0;
  unsigned Line = 0;
};

/// Text into tokens; those of directives apart, in order.
class Scanner {
public:
  explicit Scanner(StringRef Text) : Text(Text) {}

  template <class OnToken, class OnDirective>
  void run(OnToken Each, OnDirective EachDirective) {
    const std::string Buffer = Text.str();
    clang::LangOptions Options;
    Options.C17 = Options.C11 = Options.C99 = Options.LineComment = true;
    Options.GNUMode = true;
    clang::Lexer Lex(clang::SourceLocation(), Options, Buffer.c_str(),
                     Buffer.c_str(), Buffer.c_str() + Buffer.size());
    unsigned Line = 1;
    uint32_t Counted = 0;
    Directive D;
    bool InDirective = false;
    clang::Token Tok;
    do {
      Lex.LexFromRawLexer(Tok);
      const char *const End = Lex.getBufferLocation();
      Token T;
      T.Begin = End - Buffer.c_str() - Tok.getLength();
      for (; Counted < T.Begin; ++Counted)
        Line += Buffer[Counted] == '\n';
      T.Line = Line;
      const bool Last = Tok.is(clang::tok::eof);
      if (InDirective && (Tok.isAtStartOfLine() || Last)) {
        EachDirective(D);
        D = Directive();
        InDirective = false;
      }
      if (Last)
        break;
      T.Text = Buffer.substr(T.Begin, Tok.getLength());
      // A line that goes on at the margin: the token is behind its backslash.
      while (const size_t Length = continuation(T.Text)) {
        T.Text.erase(0, Length);
        T.Begin += Length;
      }
      for (size_t At = 0; (At = T.Text.find('\\', At)) != std::string::npos;)
        if (const size_t Length = continuation(StringRef(T.Text).substr(At)))
          T.Text.erase(At, Length);
        else
          ++At;
      T.Identifier = Tok.is(clang::tok::raw_identifier);
      if (Tok.is(clang::tok::hash) && Tok.isAtStartOfLine()) {
        InDirective = true;
        D.Line = Line;
        D.Begin = T.Begin;
      } else if (InDirective) {
        D.End = End - Buffer.c_str();
        D.Text.push_back(std::move(T));
      } else {
        Each(T);
      }
    } while (true);
  }

private:
  StringRef Text;
};

class StructureReader {
public:
  StructureReader(StringRef Text, std::vector<Substitution> Substitutions)
      : Text(Text), Substitutions(std::move(Substitutions)) {
    sort(this->Substitutions,
         [](auto &A, auto &B) { return A.Begin < B.Begin; });
  }

  Structure run();

private:
  StringRef Text;
  std::vector<Substitution> Substitutions;
  Structure S;
  std::vector<Declarator> Locals; ///< of the function that is read

  Tokens substituted(ArrayRef<Token> T) const;
  Tokens abstracted(ArrayRef<Token> T);
  void read();
  void split(ArrayRef<Token> T);
  void statements(ArrayRef<Token> T, std::vector<CodeStatement> &Out,
                  bool &Emptied);
  size_t statement(ArrayRef<Token> T, std::vector<CodeStatement> &Out,
                   bool &Emptied);
  size_t simple(ArrayRef<Token> T, std::vector<CodeStatement> &Out,
                bool &Emptied);
};

/// An #if that is open: how its branches pair brackets.
struct Open {
  std::string What;
  int First = 0; ///< brackets left open by the first branch
  bool IsFirst = true;
  bool Opaque = false;
};

} // namespace

Tokens StructureReader::substituted(ArrayRef<Token> T) const {
  Tokens Out;
  size_t Next = 0;
  for (const Substitution &Sub : Substitutions) {
    if (T.empty() || Sub.End <= T.front().Begin || Sub.Begin > T.back().Begin)
      continue;
    while (Next < T.size() && T[Next].Begin < Sub.Begin)
      Out.push_back(T[Next++]);
    // In a directive, and not here.
    if (Next == T.size() || T[Next].Begin >= Sub.End)
      continue;
    const size_t At = Next;
    for (const std::string &New : Sub.New) {
      Token N = T[At];
      N.Text = New;
      N.Begin = Sub.Begin;
      N.Identifier = isAlpha(New[0]) || New[0] == '_';
      Out.push_back(std::move(N));
    }
    while (Next < T.size() && T[Next].Begin < Sub.End)
      ++Next;
  }
  Out.insert(Out.end(), T.begin() + Next, T.end());
  return Out;
}

/// One pair of brackets where there are more.
static Tokens bracketed(Tokens T) {
  while (T.size() > 3 && T[1].Text == "(" && behindGroup(T, 1) == T.size() - 1)
    T = Tokens(T.begin() + 1, T.end() - 1);
  return T;
}

/// `kfree_obj(fp, M_FOO)' -> @kfree_obj ( fp ), its arguments aside.
Tokens StructureReader::abstracted(ArrayRef<Token> T) {
  Tokens Out;
  for (size_t I = 0; I < T.size(); ++I) {
    const StringRef Name = T[I].Text;
    const bool Api = isNewAllocation(Name) || isNewFree(Name) ||
                     isSetUp(Name) || isDefinition(Name);
    if (!Api || I + 1 == T.size() || T[I + 1].Text != "(") {
      Out.push_back(T[I]);
      // What stands for a call already.
      if (Name.starts_with("@") && isNewFree(Name.drop_front()) &&
          I + 1 < T.size()) {
        const size_t End = behindGroup(T, I + 1);
        append_range(Out, bracketed(abstracted(T.slice(I + 1, End - I - 1))));
        I = End - 1;
      }
      continue;
    }
    const size_t End = behindGroup(T, I + 1);
    ApiCall C;
    C.Name = Name.str();
    C.Begin = T[I].Begin;
    C.Line = T[I].Line;
    C.Under = T[I].Under;
    int Depth = 0;
    C.Args.emplace_back();
    for (size_t J = I + 2; J + 1 < End; ++J) {
      Depth += isOpen(T[J].Text);
      Depth -= isClose(T[J].Text);
      if (T[J].Text == "," && Depth == 0)
        C.Args.emplace_back();
      else
        C.Args.back().push_back(T[J]);
    }
    if (isDefinition(Name)) {
      Out.insert(Out.end(), T.begin() + I, T.begin() + End);
      I = End - 1;
      S.Calls.push_back(std::move(C));
      continue;
    }
    Token Stands = T[I];
    Stands.Text = "@" + C.Name;
    Stands.Identifier = false;
    Out.push_back(Stands);
    if (isNewFree(Name)) {
      Tokens Object = abstracted(C.Args.front()); // calls may be in it
      Token Bracket = Stands;
      Bracket.Text = "(";
      Object.insert(Object.begin(), Bracket);
      Bracket.Text = ")";
      Object.push_back(Bracket);
      append_range(Out, bracketed(Object));
    }
    S.Calls.push_back(std::move(C));
    I = End - 1;
  }
  return Out;
}

void StructureReader::read() {
  std::vector<Open> Stack;
  Tokens Code;
  std::map<std::string, unsigned> Known;
  auto Under = [&] {
    std::string All;
    for (const Open &O : Stack)
      All += (All.empty() ? "" : ", ") + O.What;
    const auto [It, New] = Known.try_emplace(All, S.Conditions.size());
    if (New)
      S.Conditions.push_back(All);
    return It->second;
  };
  unsigned Now = Under();
  Scanner(Text).run(
      [&](Token &T) {
        T.Under = Now;
        if (T.Identifier)
          S.Words.insert(T.Text);
        const int Bracket = isOpen(T.Text) - isClose(T.Text);
        if (!Stack.empty() && Stack.back().IsFirst)
          Stack.back().First += Bracket;
        // What an inner #if leaves open, the outer one does too: counted when
        // it ends.
        if (any_of(Stack, [](const Open &O) { return O.Opaque; }))
          S.Opaque.push_back(T);
        else
          Code.push_back(T);
      },
      [&](Directive &D) {
        if (D.Text.empty())
          return;
        for (const Token &T : ArrayRef(D.Text).drop_front())
          if (T.Identifier)
            S.Words.insert(T.Text);
        const std::string Name = D.Text.front().Text;
        const Tokens Rest(D.Text.begin() + 1, D.Text.end());
        if (Name == "if" || Name == "ifdef" || Name == "ifndef") {
          Stack.push_back({"#" + Name + " " + textOf(Rest), 0, true, false});
        } else if ((Name == "else" || Name == "elif") && !Stack.empty()) {
          Open &Top = Stack.back();
          Top.What += ", #" + Name + " " + textOf(Rest);
          Top.Opaque = Top.First != 0;
          Top.IsFirst = false;
        } else if (Name == "endif" && !Stack.empty()) {
          const int Left = Stack.back().First;
          Stack.pop_back();
          if (!Stack.empty() && Stack.back().IsFirst)
            Stack.back().First += Left;
        } else if ((Name == "define" || Name == "undef") && !Rest.empty()) {
          Macro M;
          M.Name = Rest.front().Text;
          M.Line = D.Line;
          M.Begin = D.Begin;
          M.End = D.End;
          M.Undefined = Name == "undef";
          Tokens Body = Rest;
          for (Token &T : Body)
            T.Under = Under();
          size_t First = 1;
          if (Rest.size() > 1 && Rest[1].Text == "(" &&
              Rest[1].Begin == Rest[0].Begin + Rest[0].Text.size())
            for (First = behindGroup(Rest, 1);
                 const Token &T : ArrayRef(Rest).slice(2, First - 2))
              if (T.Identifier || T.Text == "...")
                M.Parameters.push_back(T.Text);
          Body.erase(Body.begin(), Body.begin() + First);
          statements(abstracted(substituted(Body)), M.Body, M.Emptied);
          S.Macros.push_back(std::move(M));
        } else if (Name == "pragma") {
          S.Pragmas.push_back(
              {"", textOf(D.Text), false, D.Begin, D.Line, Now});
        }
        Now = Under();
      });
  S.Opaque = abstracted(substituted(S.Opaque));
  S.All = abstracted(substituted(Code));
}

static bool isControl(StringRef T) {
  return T == "if" || T == "while" || T == "for" || T == "switch";
}

/// The statement at the begin of T; how many tokens it takes.
size_t StructureReader::statement(ArrayRef<Token> T,
                                  std::vector<CodeStatement> &Out,
                                  bool &Emptied) {
  const StringRef First = T[0].Text;
  if (First == ";")
    return 1;
  if (First == Gone) {
    Emptied = true;
    return 1;
  }
  if (First == "{") {
    const size_t End = behindGroup(T, 0);
    statements(T.slice(1, End - 1 - (End > 1 && T[End - 1].Text == "}")), Out,
               Emptied);
    return End;
  }
  CodeStatement St;
  St.Line = T[0].Line;
  St.Compound = true;
  size_t At = 0;
  auto Body = [&](std::vector<CodeStatement> &To) {
    if (At < T.size())
      At += statement(T.drop_front(At), To, St.Emptied);
  };
  const bool Called = T.size() > 1 && T[1].Text == "(";
  const size_t Behind = Called ? behindGroup(T, 1) : 1;
  // FOREACH(a, b) with a body.
  const bool Loop = T[0].Identifier && Called && Behind < T.size() &&
                    (T[Behind].Text == "{" || T[Behind].Identifier) &&
                    First != "return" && First != "sizeof" &&
                    !First.starts_with("__attribute");
  if ((isControl(First) && Called) || Loop) {
    St.Head.assign(T.begin(), T.begin() + Behind);
    At = Behind;
    Body(St.Then);
    if (First == "if" && At < T.size() && T[At].Text == "else") {
      ++At;
      Body(St.Else);
    }
  } else if (First == "do") {
    At = 1;
    Body(St.Then);
    St.Head.push_back(T[0]);
    if (At + 1 < T.size() && T[At].Text == "while" && T[At + 1].Text == "(") {
      const size_t End = behindGroup(T, At + 1);
      St.Head.insert(St.Head.end(), T.begin() + At, T.begin() + End);
      At = End;
    }
  } else if (First == "else") {
    // Its if is in another branch of an #if.
    St.Head.push_back(T[0]);
    At = 1;
    Body(St.Then);
  } else {
    return simple(T, Out, Emptied);
  }
  Out.push_back(std::move(St));
  return std::max<size_t>(At, 1);
}

static bool isStorage(StringRef T) {
  return StringSwitch<bool>(T)
      .Cases("static", "extern", "inline", "__inline", "register", true)
      .Default(false);
}

/// How many tokens the specifiers of a declaration take: words, up to the one
/// behind which a declarator goes on.
static size_t specifiers(ArrayRef<Token> T) {
  auto Is = [&](size_t I, StringRef Text) {
    return I < T.size() && T[I].Text == Text;
  };
  size_t I = 0;
  while (I < T.size() && T[I].Identifier) {
    size_t Next = I + 1;
    if (Is(I, "struct") || Is(I, "union") || Is(I, "enum")) {
      while (Next < T.size() && T[Next].Identifier)
        if (++Next; !StringRef(T[Next - 1].Text).starts_with("__"))
          break;
      I = Is(Next, "{") ? behindGroup(T, Next) : Next;
      continue;
    }
    if (Is(Next, "(") && StringRef(T[I].Text).starts_with("__"))
      Next = behindGroup(T, Next);
    const bool GoesOn = (Next < T.size() && T[Next].Identifier) ||
                        Is(Next, "*") || Is(Next, Gone) || Is(Next, Apart) ||
                        (Is(Next, "(") && Is(Next + 1, "*"));
    if (!GoesOn)
      break;
    I = Next;
  }
  return I;
}

static std::vector<Declarator> declarators(ArrayRef<Token> T, bool Local);

/// Specifiers as text; the members of a structure each by itself, as the
/// declaration of several may have been divided.
static std::string textOfSpecifiers(ArrayRef<Token> T) {
  std::string Out;
  for (size_t I = 0; I < T.size(); ++I) {
    Out += T[I].Text + " ";
    const bool Enum =
        any_of(T.take_front(I), [](auto &X) { return X.Text == "enum"; });
    if (T[I].Text != "{" || Enum)
      continue;
    const size_t End = behindGroup(T, I);
    for (const ArrayRef<Token> Member : parts(T.slice(I + 1, End - I - 2), ";"))
      for (const Declarator &D : declarators(Member, /*Local=*/false))
        Out += D.Text + " ; ";
    I = End - 2;
  }
  return Out;
}

/// `static int a, *b = x' -> {a, static int a}, {b, static int * b = x}.
static std::vector<Declarator> declarators(ArrayRef<Token> T, bool Local) {
  std::vector<Declarator> Out;
  const ArrayRef<Token> Specifiers = T.take_front(specifiers(T));
  const bool OnlyStorage =
      all_of(Specifiers, [](const Token &S) { return isStorage(S.Text); });
  auto Add = [&](ArrayRef<Token> Part) {
    if (any_of(Part, [](const Token &P) { return P.Text == Gone; }))
      return;
    const bool Alone = !Part.empty() && Part[0].Text == Apart;
    const Token *const Set =
        find_if(Part, [](const Token &P) { return P.Text == "="; });
    const Token *const Named = std::find_if(Part.begin(), Set, [](auto &P) {
      return P.Identifier && P.Text != "const" && P.Text != "volatile" &&
             P.Text != "struct" && P.Text != "malloc_type";
    });
    const Token &At = Part.empty() ? T.front() : Part.front();
    Declarator D{"", "", false, At.Begin, At.Line, At.Under};
    if (!Alone)
      D.Text = textOfSpecifiers(Specifiers);
    for (const Token &S : Specifiers)
      if (Alone && isStorage(S.Text))
        D.Text += S.Text + " ";
    D.Text += textOf(Alone   ? Part.drop_front()
                     : Local ? Part.take_front(Set - Part.begin())
                             : Part);
    D.Text = StringRef(D.Text).rtrim().str();
    if (Part.empty() && Specifiers.size() > 1)
      D.Name = Specifiers[0].Text + " " + Specifiers[1].Text;
    const bool Called =
        Named < Set && Named + 1 < Part.end() && Named[1].Text == "(";
    if (Named < Set && !(Called && OnlyStorage))
      D.Name = Named->Text;
    D.IsPrototype = Called && !OnlyStorage && Specifiers[0].Text != "typedef";
    Out.push_back(std::move(D));
  };
  if (!T.empty())
    for (const ArrayRef<Token> Part :
         parts(T.drop_front(Specifiers.size()), ","))
      Add(Part);
  return Out;
}

/// `struct foo *a = b' -> a = b; of a declaration that sets nothing, nothing.
static bool asAssignment(Tokens &Head) {
  size_t I = 0;
  while (I < Head.size() && (Head[I].Identifier || Head[I].Text == "*"))
    ++I;
  const bool Declares = I > 1 && Head[I - 1].Identifier && Head[0].Identifier &&
                        Head[0].Text != "return" && Head[0].Text != "goto" &&
                        Head[0].Text != "case";
  if (!Declares || Head[0].Text == "typedef")
    return false;
  size_t Behind = I;
  while (Behind < Head.size() && Head[Behind].Text == "[")
    Behind = behindGroup(Head, Behind);
  if (Behind == Head.size() || Head[Behind].Text == ",") {
    // Several: only what is set counts.
    if (none_of(Head, [](const Token &T) { return T.Text == "="; }))
      Head.clear();
    return true;
  }
  if (Head[Behind].Text != "=")
    return false;
  Head.erase(Head.begin(), Head.begin() + I - 1);
  return true;
}

/// An expression, a declaration, a label.
size_t StructureReader::simple(ArrayRef<Token> T,
                               std::vector<CodeStatement> &Out, bool &Emptied) {
  CodeStatement St;
  St.Line = T[0].Line;
  size_t I = 0;
  int Depth = 0, Choices = 0;
  const bool Case = T[0].Text == "case" || T[0].Text == "default";
  const bool Label =
      T[0].Identifier && T.size() > 1 && T[1].Text == ":" && !Case;
  for (; I < T.size(); ++I) {
    const StringRef Text = T[I].Text;
    if (Text == Gone) {
      Emptied = true;
      continue;
    }
    if (Depth == 0 && (Text == ";" || isClose(Text))) {
      ++I;
      break;
    }
    Depth += isOpen(Text);
    Depth -= isClose(Text);
    Choices += Text == "?";
    St.Head.push_back(T[I]);
    if (Depth == 0 && Text == ":" && (Case || Label) && Choices-- == 0) {
      ++I;
      break;
    }
  }
  if (St.Head.size() > 2 && St.Head[0].Text == "return" &&
      St.Head[1].Text == "(" && behindGroup(St.Head, 1) == St.Head.size()) {
    St.Head.pop_back();
    St.Head.erase(St.Head.begin() + 1);
  }
  const Tokens Whole = St.Head;
  if (asAssignment(St.Head)) {
    St.Declares = Whole[0].Text != "static";
    append_range(Locals, declarators(Whole, /*Local=*/true));
  }
  if (!St.Head.empty())
    Out.push_back(std::move(St));
  return std::max<size_t>(I, 1);
}

void StructureReader::statements(ArrayRef<Token> T,
                                 std::vector<CodeStatement> &Out,
                                 bool &Emptied) {
  while (!T.empty())
    T = T.drop_front(statement(T, Out, Emptied));
}

/// The functions of a file, by what stands before each brace at file scope, and
/// what stands between them.
void StructureReader::split(ArrayRef<Token> T) {
  size_t Begin = 0;
  std::string LastName; // K&R: declarations stand between name and body
  size_t NamedIn = -1;  // the item that the name is of
  for (size_t I = 0; I < T.size();) {
    const StringRef Text = T[I].Text;
    if (Text == ";" || (Text == Gone && I == Begin)) {
      append_range(S.Items, declarators(T.slice(Begin, I - Begin), false));
      Begin = ++I;
      continue;
    }
    if (Text == "(" && I == Begin + 1 &&
        !StringRef(T[Begin].Text).starts_with("__")) {
      // A macro's call may have no semicolon.
      const size_t End = behindGroup(T, I);
      if (End < T.size() && (T[End].Identifier || T[End].Text == Gone)) {
        append_range(S.Items, declarators(T.slice(Begin, End - Begin), false));
        Begin = I = End;
        continue;
      }
    }
    if (Text == "(" || Text == "[") {
      const bool Names = Text == "(" && I > Begin && T[I - 1].Identifier &&
                         !StringRef(T[I - 1].Text).starts_with("__");
      if (Names && NamedIn != Begin) {
        LastName = T[I - 1].Text;
        NamedIn = Begin;
      }
      I = behindGroup(T, I);
      continue;
    }
    if (Text != "{") {
      ++I;
      continue;
    }
    const size_t End = behindGroup(T, I);
    const ArrayRef<Token> Head = T.slice(Begin, I - Begin);
    const bool Data = any_of(Head, [](const Token &X) {
      return X.Text == "=" || X.Text == "typedef";
    });
    const bool Called =
        any_of(Head, [](const Token &X) { return X.Text == "("; });
    const bool Tag = !Called && any_of(Head, [](const Token &X) {
      return X.Text == "struct" || X.Text == "union" || X.Text == "enum";
    });
    if (Data || Tag) {
      I = End; // up to its semicolon
      continue;
    }
    Function F;
    F.Name = LastName;
    F.Head.assign(Head.begin(), Head.end());
    F.Line = Head.empty() ? T[I].Line : Head.front().Line;
    F.Begin = Head.empty() ? T[I].Begin : Head.front().Begin;
    F.End = T[End - 1].Begin + 1;
    for (size_t I = 0; I + 1 < Head.size(); ++I)
      if (Head[I].Text == F.Name && Head[I + 1].Text == "(") {
        const ArrayRef<Token> List =
            Head.slice(I + 2, behindGroup(Head, I + 1) - I - 3);
        for (const ArrayRef<Token> P : parts(List, ","))
          append_range(F.Parameters, declarators(P, /*Local=*/true));
        break;
      }
    Locals.clear();
    statements(T.slice(I + 1, End - I - 2), F.Body, F.Emptied);
    F.Locals = std::move(Locals);
    S.Functions.push_back(std::move(F));
    Begin = I = End;
  }
}

Structure StructureReader::run() {
  read();
  split(S.All);
  return std::move(S);
}

Structure readStructure(StringRef Text,
                        std::vector<Substitution> Substitutions) {
  return StructureReader(Text, std::move(Substitutions)).run();
}

std::vector<std::string> lexed(StringRef Text) {
  std::vector<std::string> Out;
  Scanner(Text).run([&](Token &T) { Out.push_back(T.Text); },
                    [](Directive &) {});
  return Out;
}

} // namespace kmobj
