/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Concern.h"
#include "Pieces.h"
#include "TreeVersionParts.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace kmobj;
using llvm::StringRef;

namespace {

/// What a file says if it says a name.
struct Saying {
  std::string Name;
  /// Only for a unit in which these are said, too: what is pasted to it.
  std::set<std::string> Parts;
  enum HowTy {
    Anyhow,
    InUse,    ///< otherwise than to define it
    AsTag,    ///< otherwise than `struct Name'
    AsKnownTag, ///< where that does not declare it
    AsMember, ///< as a member that is looked at, or may be
    AsMacro   ///< defines a macro of that name
  } How = Anyhow;

  friend bool operator<(const Saying &A, const Saying &B) {
    return std::tie(A.Name, A.How, A.Parts) < std::tie(B.Name, B.How, B.Parts);
  }
};

/// False: who says S says one of All in any case.
bool add(std::set<Saying> &All, const Saying &S) {
  for (auto I = All.lower_bound({S.Name, {}, S.How});
       I != All.end() && I->Name == S.Name && I->How == S.How; ++I)
    if (std::includes(S.Parts.begin(), S.Parts.end(), I->Parts.begin(),
                      I->Parts.end()))
      return false;
  return All.insert(S).second;
}

/// A header that differs, and to whom that matters.
struct ChangedFile {
  bool Leans = false;
  std::set<Saying> Names;
  /// Who says one, and the parts that are missing.
  llvm::DenseMap<const FileIndex *, std::set<std::set<std::string>>> Said;
};

bool isArithmetic(StringRef Word) {
  return llvm::StringSwitch<bool>(Word)
      .Cases("int", "char", "long", "short", "unsigned", "signed", true)
      .Cases("float", "double", "_Bool", "void", true)
      .Default(false);
}

/// `struct T;' or `extern struct T *x[8], *y;': what it says, if it is one.
struct PlainDeclaration {
  std::vector<std::string> Tags, Names, Words;

  bool read(llvm::ArrayRef<StringRef> Piece);
};

bool isName(StringRef Word) {
  return !Word.empty() && (llvm::isAlpha(Word[0]) || Word[0] == '_');
}

} // namespace

bool PlainDeclaration::read(llvm::ArrayRef<StringRef> Piece) {
  for (StringRef Word : Piece)
    if (isName(Word))
      Words.push_back(Word.str());
  size_t I = 0;
  auto Is = [&](StringRef Text) {
    return I < Piece.size() && Piece[I] == Text;
  };
  const bool Extern = Is("extern");
  I += Extern;
  while (Is("const") || Is("volatile"))
    ++I;
  const bool Tagged = Is("struct");
  if (Tagged) {
    if (++I == Piece.size() || !isName(Piece[I]))
      return false;
    Tags.push_back(Piece[I++].str());
    if (!Extern)
      return I + 1 == Piece.size() && Is(";") && I == 2;
  } else {
    const size_t First = I;
    while (I < Piece.size() && isArithmetic(Piece[I]))
      ++I;
    if (I == First)
      return false;
  }
  if (!Extern)
    return false;
  while (true) {
    bool Pointer = false;
    for (; Is("*") || Is("const") || Is("volatile"); ++I)
      Pointer |= Is("*");
    if (I == Piece.size() || !isName(Piece[I]))
      return false;
    Names.push_back(Piece[I++].str());
    while (Is("[")) {
      // What is not complete can be in no array.
      if (Tagged && !Pointer)
        return false;
      I += I + 1 < Piece.size() && llvm::isDigit(Piece[I + 1][0]) ? 2 : 1;
      if (!Is("]"))
        return false;
      ++I;
    }
    if (Is(";"))
      return I + 1 == Piece.size();
    if (!Is(","))
      return false;
    ++I;
  }
}

namespace {

/// `size_t spare' or `struct T *x': a member of a structure, declared alone.
struct PlainMember {
  std::vector<std::string> Words;
  StringRef Name, Tag;
  bool Wide = false; ///< it is as wide as a pointer

  explicit PlainMember(llvm::ArrayRef<StringRef> Text);
  bool isKnown() const { return !Name.empty(); }
};

/// `struct T { .. } ..;': T, its members, and what is behind them.
struct StructurePiece {
  StringRef Tag;
  std::vector<llvm::ArrayRef<StringRef>> Members;
  llvm::ArrayRef<StringRef> Behind;

  explicit StructurePiece(llvm::ArrayRef<StringRef> Piece);
};

} // namespace

PlainMember::PlainMember(llvm::ArrayRef<StringRef> Text) {
  size_t I = 0;
  if (Text.size() > 2 && Text[0] == "struct" && isName(Text[1])) {
    Tag = Text[1];
    I = 2;
  } else {
    for (; I + 1 < Text.size() && isName(Text[I]); ++I)
      Wide |= llvm::StringSwitch<bool>(Text[I])
                  .Cases("size_t", "__size_t", "uintptr_t", true)
                  .Cases("__uintptr_t", "uint64_t", "__uint64_t", true)
                  .Cases("u_int64_t", "u_long", "long", true)
                  .Default(false);
  }
  if (I == 0)
    return;
  for (; I < Text.size() && Text[I] == "*"; ++I)
    Wide = true;
  if (I + 1 != Text.size() || !isName(Text[I]))
    return;
  Name = Text[I];
  for (const StringRef Word : Text)
    if (isName(Word))
      Words.push_back(Word.str());
}

StructurePiece::StructurePiece(llvm::ArrayRef<StringRef> Piece) {
  if (Piece.size() < 4 || Piece[0] != "struct" || !isName(Piece[1]) ||
      Piece[2] != "{")
    return;
  unsigned Depth = 0;
  for (size_t I = 3, Begin = 3; I < Piece.size(); ++I) {
    if (Depth == 0 && Piece[I] == "}") {
      Tag = Piece[1];
      Behind = Piece.drop_front(I);
      return;
    }
    Depth += Piece[I] == "{";
    Depth -= Piece[I] == "}";
    if (Depth == 0 && Piece[I] == ";") {
      Members.push_back(Piece.slice(Begin, I - Begin));
      Begin = I + 1;
    }
  }
}

struct Concerns::Parts {
  TreeVersion::Parts &Before, &After;
  std::vector<Pair> Units;
  std::vector<const FileIndex *> Files; ///< that units read
  std::map<std::string, ChangedFile> Changed;
  llvm::DenseMap<const FileIndex *, std::set<std::string>> PartsSaid;
  /// Of a changed file, the tokens of its text after that are in kept pieces.
  llvm::DenseMap<const FileIndex *, std::vector<bool>> Kept;

  Parts(TreeVersion::Parts &Before, TreeVersion::Parts &After,
        std::vector<Pair> Of)
      : Before(Before), After(After), Units(std::move(Of)) {
    llvm::DenseSet<const FileIndex *> Seen;
    for (const Pair &U : Units)
      for (const FileIndex *F : U.After->Reach.Files)
        if (Seen.insert(F).second)
          Files.push_back(F);
  }

  void compare(const FileIndex &Old, const FileIndex &New, ChangedFile &C);
  void change(const FilePieces &Of, size_t I, bool IsNew, ChangedFile &C);
  bool renames(const FilePieces &Old, size_t I, const FilePieces &New, size_t J,
               ChangedFile &C);
  void follow(std::set<Saying> Fresh,
              llvm::function_ref<bool(const Saying &)> Add,
              llvm::function_ref<void(const FileIndex *, const Saying &)> Say);
  void look(const FileIndex &F, const std::vector<const Saying *> &For,
            llvm::function_ref<void(const Saying &, StringRef)> Say);
  void findParts();
  bool isSaid(const ChangedFile &C, const TreeIndex::Closure &Unit) const;
};

/// Does another piece, in any case and earlier, declare the tag?
static bool isDeclaredBefore(const FilePieces &Of, size_t I, StringRef Tag) {
  for (size_t J = 0; J < I; ++J) {
    const Piece &P = Of.Pieces[J];
    if (P.Directive || P.Broken || !P.Kept)
      continue;
    const std::vector<StringRef> Words = Of.words(P);
    const size_t At = !Words.empty() && Words[0] == "extern" ? 1 : 0;
    if (Words.size() <= At + 1 || Words[At] != "struct" || Words[At + 1] != Tag)
      continue;
    const std::vector<unsigned> &Under = P.Under, &Mine = Of.Pieces[I].Under;
    if (Under.size() <= Mine.size() &&
        std::equal(Under.begin(), Under.end(), Mine.begin()))
      return true;
  }
  return false;
}

/// What the piece, which only one version has, does.
void Concerns::Parts::change(const FilePieces &Of, size_t I, bool IsNew,
                             ChangedFile &C) {
  const Piece &P = Of.Pieces[I];
  const std::vector<StringRef> Words = Of.words(P);
  if (P.Directive) {
    if (Words.size() > 2 && (Words[1] == "define" || Words[1] == "undef"))
      C.Names.insert({Words[2].str(), {}, Saying::Anyhow});
    else
      C.Leans = true;
    return;
  }
  PlainDeclaration D;
  const bool First =
      std::none_of(Of.Pieces.begin(), Of.Pieces.begin() + I,
                   [](const Piece &Earlier) { return !Earlier.Directive; });
  if (First || P.Broken || !D.read(Words)) {
    C.Leans = true;
    return;
  }
  for (const std::string &Word : D.Words)
    C.Names.insert({Word, {}, Saying::AsMacro});
  for (const std::string &Name : D.Names)
    C.Names.insert({Name, {}, Saying::Anyhow});
  for (const std::string &Tag : D.Tags)
    if (!isDeclaredBefore(Of, I, Tag))
      C.Names.insert({Tag, {}, IsNew ? Saying::AsTag : Saying::AsKnownTag});
}

/// Have members of the structure other names only, and other types as wide?
bool Concerns::Parts::renames(const FilePieces &Old, size_t I,
                              const FilePieces &New, size_t J, ChangedFile &C) {
  const Piece &P = Old.Pieces[I], &Q = New.Pieces[J];
  if (P.Directive || Q.Directive || P.Broken || Q.Broken || P.Under != Q.Under)
    return false;
  const std::vector<StringRef> Was = Old.words(P), Is = New.words(Q);
  const StructurePiece A(Was), B(Is);
  if (A.Tag.empty() || A.Tag != B.Tag || A.Behind != B.Behind ||
      A.Members.size() != B.Members.size())
    return false;
  std::set<Saying> Names;
  for (size_t M = 0; M < A.Members.size(); ++M) {
    if (A.Members[M] == B.Members[M])
      continue;
    const PlainMember From(A.Members[M]), To(B.Members[M]);
    for (const PlainMember *Of : {&From, &To}) {
      if (!Of->isKnown() || !Of->Wide)
        return false;
      for (const std::string &Word : Of->Words)
        Names.insert({Word, {}, Saying::AsMacro});
      Names.insert({Of->Name.str(), {}, Saying::AsMember});
    }
    if (!From.Tag.empty() && !isDeclaredBefore(Old, I, From.Tag))
      Names.insert({From.Tag.str(), {}, Saying::AsKnownTag});
    if (!To.Tag.empty() && !isDeclaredBefore(New, J, To.Tag))
      Names.insert({To.Tag.str(), {}, Saying::AsTag});
  }
  C.Names.insert(Names.begin(), Names.end());
  return true;
}

void Concerns::Parts::compare(const FileIndex &Old, const FileIndex &New,
                              ChangedFile &C) {
  const FileText *Was = Before.Index.text(Old), *Is = After.Index.text(New);
  if (!Was || !Is || Old.Opaque || New.Opaque) {
    C.Leans = true;
    return;
  }
  FilePieces A(*Was), B(*Is);
  keepCommon(A, B);
  std::set<size_t> Renamed; // of B
  for (size_t I = 0; I < A.Pieces.size(); ++I) {
    if (A.Pieces[I].Kept)
      continue;
    size_t J = 0;
    while (J < B.Pieces.size() && (B.Pieces[J].Kept || Renamed.count(J) ||
                                   !renames(A, I, B, J, C)))
      ++J;
    if (J < B.Pieces.size())
      Renamed.insert(J);
    else
      change(A, I, /*IsNew=*/false, C);
  }
  std::vector<bool> &Tokens = Kept[&New];
  Tokens.assign(Is->tokens().size(), true);
  for (size_t I = 0; I < B.Pieces.size(); ++I) {
    if (B.Pieces[I].Kept)
      continue;
    if (!Renamed.count(I))
      change(B, I, /*IsNew=*/true, C);
    for (const size_t T : B.Pieces[I].Tokens)
      Tokens[T] = false;
  }
  if (C.Leans || Was->source().count('\n') == Is->source().count('\n'))
    return;
  // Assertions and their like, which are named by their line.
  std::set<std::string> ByLine;
  std::set<Saying> All;
  follow(
      {{"__LINE__", {}, Saying::Anyhow}},
      [&](const Saying &S) {
        ByLine.insert(S.Name);
        return add(All, S);
      },
      [](const FileIndex *, const Saying &) {});
  for (const Piece &P : B.Pieces)
    if (!P.Directive && P.Tokens.size() > 1 && Is->is(P.Tokens[1], "("))
      C.Leans |= ByLine.count(Is->text(Is->tokens()[P.Tokens[0]]).str()) != 0;
}

/// Is this `struct T', and no more than that refers to it or, at file scope,
/// defines it?
static bool isReference(const FileText &Text, size_t I, unsigned Depth,
                        bool InMacro) {
  if (!Text.is(I - 1, "struct"))
    return false;
  const bool Declares = Text.is(I + 1, "{") || Text.is(I + 1, ";");
  return !Declares || (Depth == 0 && !InMacro);
}

namespace {

/// Where in a file its tokens stand, one after the other.
class Scope {
public:
  explicit Scope(const FileText &Text) : Text(Text) {}

  void pass(size_t I);
  /// Would `struct T' at I, if it is not known, declare T for what follows?
  bool declares(size_t I) const;
  unsigned depth() const { return Braces.size(); }

  using Branch = std::vector<unsigned>;
  /// The branches of #ifs around.
  const Branch &branch() const { return Ifs; }
  bool isIn(const Branch &Outer) const {
    return Outer.size() <= Ifs.size() &&
           std::equal(Outer.begin(), Outer.end(), Ifs.begin());
  }

private:
  const FileText &Text;
  std::vector<bool> Braces; ///< of a structure
  Branch Ifs;
  unsigned Parens = 0, Branches = 0;
};

} // namespace

void Scope::pass(size_t I) {
  if (Text.tokens()[I].Directive) {
    if (Text.tokens()[I].LineStart) {
      const StringRef Word = Text.text(Text.tokens()[I + 1]);
      if (!Ifs.empty() && (Word == "endif" || Word.starts_with("el")))
        Ifs.pop_back();
      if (Word.starts_with("if") || Word.starts_with("el"))
        Ifs.push_back(++Branches);
    }
    return;
  }
  auto IsRecord = [&](size_t At) {
    return Text.is(At, "struct") || Text.is(At, "union");
  };
  if (Text.is(I, "{"))
    Braces.push_back(IsRecord(I - 1) || IsRecord(I - 2));
  else if (Text.is(I, "}") && !Braces.empty())
    Braces.pop_back();
  Parens += Text.is(I, "(");
  Parens -= Parens && Text.is(I, ")");
}

bool Scope::declares(size_t I) const {
  if (Parens || !llvm::all_of(Braces, [](bool B) { return B; }) ||
      !Text.is(I - 1, "struct") || Text.tokens()[I].Directive)
    return false;
  size_t Before = I - 2;
  while (Text.is(Before, "const") || Text.is(Before, "volatile") ||
         Text.is(Before, "extern") || Text.is(Before, "static") ||
         Text.is(Before, "typedef"))
    --Before;
  return Before >= Text.tokens().size() || Text.tokens()[Before].Directive ||
         Text.is(Before, ";") || Text.is(Before, "}") || Text.is(Before, "{");
}

/// `x.Name', `x->Name', `offsetof(struct T, Name)', `{ Name: x }', and whatever
/// may be one of these.
static bool isMemberUse(const FileText &Text, size_t I) {
  auto Any = [&](size_t At, std::initializer_list<StringRef> Of) {
    return llvm::any_of(Of, [&](StringRef T) { return Text.is(At, T); });
  };
  return Text.is(I - 1, ".") ||
         (Text.is(I - 1, ">") && Text.is(I - 2, "-")) ||
         (Any(I - 1, {",", "(", "{"}) && Any(I + 1, {",", ")", "[", ".", ":"}));
}

/// What the kept text of F says of these names, and in the body of which macro.
void Concerns::Parts::look(
    const FileIndex &F, const std::vector<const Saying *> &For,
    llvm::function_ref<void(const Saying &, StringRef)> Say) {
  const FileText *Text = After.Index.text(F);
  if (!Text) {
    for (const Saying *S : For)
      Say(*S, {});
    return;
  }
  std::map<StringRef, std::vector<const Saying *>> Likely;
  for (const Saying *S : For)
    Likely[S->Name].push_back(S);
  const auto Parts = Kept.find(&F);
  const std::vector<TextToken> &Tokens = Text->tokens();
  StringRef Macro;
  Scope At(*Text);
  std::map<const Saying *, std::vector<Scope::Branch>> Declared; // in these
  for (size_t I = 0; I < Tokens.size(); ++I) {
    if (Tokens[I].LineStart)
      Macro = {};
    At.pass(I);
    if (Tokens[I].Kind != TextToken::Identifier &&
        Tokens[I].Kind != TextToken::Number)
      continue;
    const StringRef Word = Text->text(Tokens[I]);
    const bool Defines = Tokens[I].Directive && Text->is(I - 1, "define") &&
                         Text->is(I - 2, "#");
    auto Found = [&](StringRef Name, bool Joined) {
      const auto Of = Likely.find(Name);
      if (Of == Likely.end() || (Parts != Kept.end() && !Parts->second[I]))
        return;
      for (const Saying *S : Of->second) {
        if (S->How == (Defines ? Saying::InUse : Saying::AsMacro))
          continue;
        if (S->How == Saying::AsTag && !Joined &&
            isReference(*Text, I, At.depth(), !Macro.empty()))
          continue;
        if (S->How == Saying::AsKnownTag && !Joined && At.declares(I)) {
          Declared[S].push_back(At.branch());
          continue;
        }
        if (S->How == Saying::AsKnownTag &&
            llvm::any_of(Declared[S],
                         [&](const auto &In) { return At.isIn(In); }))
          continue;
        if (S->How == Saying::AsMember && !Joined && !isMemberUse(*Text, I))
          continue;
        Say(*S, Macro);
      }
    };
    Found(Word, false);
    if (I > 1 && Text->is(I - 1, ","))
      Found((Text->text(Tokens[I - 2]) + Word).str(), true);
    if (Defines)
      Macro = Word;
  }
}

/// From names to the macros that say them, and to who says those.
void Concerns::Parts::follow(
    std::set<Saying> Fresh, llvm::function_ref<bool(const Saying &)> Add,
    llvm::function_ref<void(const FileIndex *, const Saying &)> Say) {
  for (const Saying &S : Fresh)
    Add(S);
  while (!Fresh.empty()) {
    const std::set<Saying> Names = std::exchange(Fresh, {});
    auto Carry = [&](Saying S) {
      if (Add(S))
        Fresh.insert(std::move(S));
    };
    for (const FileIndex *F : Files) {
      std::vector<const Saying *> For;
      for (const Saying &S : Names) {
        const bool AsMacro = S.How == Saying::AsMacro;
        if (F->mayName(AsMacro ? "#" + S.Name : S.Name))
          For.push_back(&S);
        if (AsMacro)
          continue;
        for (const FileIndex::Paste &P : F->Pastes) {
          const auto [Front, Back] = StringRef(P.Pattern).split('*');
          StringRef Part = S.Name;
          if (!Part.consume_front(Front) || !Part.consume_back(Back))
            continue;
          Saying Pasted = {P.Macro, S.Parts, Saying::InUse};
          if (!Part.empty())
            Pasted.Parts.insert(Part.str());
          Carry(std::move(Pasted));
        }
      }
      if (!For.empty())
        look(*F, For, [&](const Saying &S, StringRef Macro) {
          if (Macro.empty())
            Say(F, S);
          else
            Carry({Macro.str(), S.Parts, Saying::InUse});
        });
    }
  }
}

/// Who says the parts, wherever.
void Concerns::Parts::findParts() {
  std::set<std::string> Missing;
  for (const auto &[Name, C] : Changed)
    for (const Saying &S : C.Names)
      Missing.insert(S.Parts.begin(), S.Parts.end());
  for (const FileIndex *F : Files) {
    std::set<Saying> Likely;
    std::vector<const Saying *> For;
    for (const std::string &Part : Missing)
      if (F->mayName(Part))
        For.push_back(&*Likely.insert({Part, {}, Saying::Anyhow}).first);
    if (!For.empty())
      look(*F, For,
           [&](const Saying &S, StringRef) { PartsSaid[F].insert(S.Name); });
  }
}

bool Concerns::Parts::isSaid(const ChangedFile &C,
                             const TreeIndex::Closure &Unit) const {
  auto Says = [&](const std::string &Part) {
    return llvm::any_of(Unit, [&](const FileIndex *F) {
      const auto Of = PartsSaid.find(F);
      return Of != PartsSaid.end() && Of->second.count(Part);
    });
  };
  for (const FileIndex *F : Unit)
    if (const auto Of = C.Said.find(F); Of != C.Said.end())
      for (const std::set<std::string> &Missing : Of->second)
        if (llvm::all_of(Missing, Says))
          return true;
  return false;
}

Concerns::Concerns(TreeVersion &Before, TreeVersion &After,
                   std::vector<Pair> Units)
    : P(std::make_unique<Parts>(*Before.P, *After.P, std::move(Units))) {
  for (const FileIndex *F : P->Files)
    if (const FileIndex *Old = P->Before.Index.known(F->Name))
      if (Old->Digest != F->Digest)
        P->Changed.try_emplace(F->Name);
  for (auto &[Name, C] : P->Changed)
    P->compare(*P->Before.Index.known(Name), *P->After.Index.known(Name), C);
  for (auto &Entry : P->Changed) {
    ChangedFile &C = Entry.second;
    if (!C.Leans)
      P->follow(
          C.Names, [&](const Saying &S) { return add(C.Names, S); },
          [&](const FileIndex *F, const Saying &S) {
            C.Said[F].insert(S.Parts);
          });
  }
  P->findParts();
}

Concerns::~Concerns() = default;

Concerns::Verdict Concerns::of(size_t Unit) const {
  const TreeIndex::Reach &Was = P->Units[Unit].Before->Reach,
                         &Is = P->Units[Unit].After->Reach;
  if (!Was.Complete || !Is.Complete)
    return Concerned;
  if (Was.Contents == Is.Contents)
    return Same;
  if (Was.Shape != Is.Shape || P->Changed.count(Is.Files.front()->Name))
    return Concerned;
  for (const FileIndex *F : Is.Files) {
    const auto Found = P->Changed.find(F->Name);
    if (Found == P->Changed.end())
      continue;
    if (Found->second.Leans || llvm::is_contained(Is.InBody, F) ||
        P->isSaid(Found->second, Is.Files))
      return Concerned;
  }
  return Reached;
}

std::vector<std::string> Concerns::changedFiles(size_t Unit) const {
  std::vector<std::string> All;
  for (const FileIndex *F : P->Units[Unit].After->Reach.Files)
    if (P->Changed.count(F->Name))
      All.push_back(F->Name);
  return All;
}

bool Concerns::reads(size_t Unit, StringRef File) const {
  return llvm::any_of(P->Units[Unit].After->Reach.Files,
                      [&](const FileIndex *F) { return F->Name == File; });
}

void Concerns::distrust(StringRef File) { P->Changed[File.str()].Leans = true; }
