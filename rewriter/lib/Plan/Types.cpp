/* SPDX-License-Identifier: BSD-3-Clause */
//===- Types.cpp - What malloc types are called ---------------------------===//
//
// A type is called what a person would call it: as the zone called itself, as
// the malloc type that only it was for, as its objects. The variable comes
// last. A malloc type that served caches alone becomes the type of one of them:
// the one whose variable has its name, else the first.
//
// In one kernel no two types have one name, and none is described as another.
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace kmobj;
using llvm::StringRef;

/// Two that are never in one kernel are created in no configuration both.
bool kmobj::meet(const PlanEntry &A, const PlanEntry &B) {
  return A.Sizes.empty() || B.Sizes.empty() ||
         llvm::any_of(A.Sizes, [&](const Evaluation &X) {
           return llvm::any_of(B.Sizes, [&](const Evaluation &Y) {
             return X.Configuration == Y.Configuration;
           });
         });
}

static StringRef unquoted(StringRef Text) {
  Text.consume_front("\"");
  Text.consume_back("\"");
  return Text;
}

static bool isLiteral(StringRef Text) {
  return Text.size() > 2 && Text.front() == '"' && Text.back() == '"' &&
         !Text.drop_front().drop_back().contains('"');
}

/// Without what says that it is a cache: "devfs-node-cache", "foo objcache".
static StringRef withoutKind(StringRef Name) {
  for (StringRef Kind : {"objcache", "cache", "zone", "pool", "oc"})
    for (char Joint : {'_', '-', ' '}) {
      const std::string Suffix = Joint + Kind.str();
      if (Name.size() > Suffix.size() && Name.consume_back(Suffix))
        return withoutKind(Name);
    }
  return Name;
}

namespace {

class Types {
public:
  Types(Plan &P, const FactsIndex &Index) : P(P), Index(Index), F(Index.F) {}
  void run();

private:
  Plan &P;
  const FactsIndex &Index;
  const Facts &F;

  const MallocDefine *defineOf(StringRef Key) const;
  std::string object(const PlanEntry &E) const;
  std::string ownObject(const PlanEntry &E) const;
  bool sizeKnown(const PlanEntry &E, const std::string &File) const;
  bool isKnownIn(const PlanEntry &E, const std::string &File) const;
  bool isPrivate(const PlanEntry &E) const;
  bool isFree(const PlanEntry &E, const std::string &Name) const;
  bool isSaid(const PlanEntry &E, StringRef Text, StringRef Gone) const;
  void inherit();
  void name(PlanEntry &E);
  void describe(PlanEntry &E);
};

} // namespace

/// The definition of a malloc type, if it is the only one and can be edited.
const MallocDefine *Types::defineOf(StringRef Key) const {
  const MallocDefine *Found = nullptr;
  for (const MallocDefine &M : F.MallocDefines)
    if (M.Key == Key) {
      if (Found)
        return nullptr;
      Found = &M;
    }
  return Found && Found->Macro == "MALLOC_DEFINE" &&
                 Found->From.Kind == Provenance::Plain &&
                 Found->Args.size() == 3
             ? Found
             : nullptr;
}

/// "foo", of objects of struct foo: what the size is that of, else what
/// allocations go to.
std::string Types::object(const PlanEntry &E) const {
  std::set<std::string> Keys{E.Key}, Names;
  for (const Site *S : F.sitesOf(E.Key))
    for (const Argument &A : S->Args)
      Keys.insert(A.Var);
  for (const Use *U : F.usesOf(E.Key))
    if (U->What == Role::StoreAssign)
      Keys.insert(U->Other);
  for (const SizeText &S : F.Sizes)
    if (!S.Key.empty() && Keys.count(S.Key) && !S.Object.empty())
      Names.insert(S.Object);
  if (Names.empty())
    for (const Site *S : F.sitesOf(E.Key))
      if (StringRef Type = S->Dest.Type; isAllocation(S->Function) &&
                                         Type.consume_front("struct ") &&
                                         Type.consume_back(" *"))
        Names.insert(Type.str());
  return Names.size() == 1 ? *Names.begin() : "";
}

/// The same, if it tells the entry from others in its kernel.
std::string Types::ownObject(const PlanEntry &E) const {
  const std::string Object = object(E);
  for (const PlanEntry &Other : P.Entries)
    if (&Other != &E && meet(E, Other) && object(Other) == Object)
      return "";
  return Object;
}

bool Types::isFree(const PlanEntry &E, const std::string &Name) const {
  for (const std::string &Taken : {Name, Name + "_obj"})
    if (Index.isTaken(Taken))
      return false;
  return llvm::none_of(P.Entries, [&](const PlanEntry &Other) {
    return &Other != &E &&
           (Other.Type == Name || Other.Inherited.Type == Name) &&
           meet(E, Other);
  });
}

/// Is another type of E's kernel, of those before it, described so? But for the
/// malloc type Gone.
bool Types::isSaid(const PlanEntry &E, StringRef Text, StringRef Gone) const {
  return llvm::any_of(P.Entries,
                      [&](const PlanEntry &Other) {
                        return &Other < &E && Other.ShortText == Text &&
                               Other.Form != TypeForm::None && meet(E, Other);
                      }) ||
         llvm::any_of(F.MallocDefines, [&](const MallocDefine &M) {
           return M.ArgTexts.size() == 3 && M.ArgTexts[1] == Text &&
                  M.Key != E.MallocDefine && M.Key != Gone &&
                  llvm::none_of(P.Leftovers, [&](const Leftover &L) {
                    return L.MallocDefine == M.Key;
                  });
         });
}

/// The malloc types that served caches alone, each with its caches.
void Types::inherit() {
  std::map<std::string, std::vector<PlanEntry *>> Of;
  for (PlanEntry &E : P.Entries)
    if (!E.OldType.empty() && !E.InPool)
      Of[E.OldType].push_back(&E);
  for (auto &[Key, Caches] : Of) {
    const MallocDefine *Define = defineOf(Key);
    const Variable *Type = F.variable(Key);
    if (!Define || !Type || Define->Name != Type->Name)
      continue;
    Leftover L;
    L.What = Type->Name + ", which was there for them alone";
    std::set<std::string> Keys;
    for (const PlanEntry *E : Caches)
      Keys.insert(E->Key);
    auto InCreation = [&](const Span &S) {
      return llvm::any_of(F.Sites, [&](const Site &Made) {
        return isCreation(Made.Function) && Keys.count(Made.Zone) &&
               Made.Call.contains(S);
      });
    };
    bool Only =
        llvm::all_of(Caches, [](const PlanEntry *E) { return E->Convertible; });
    std::set<std::string> Args;
    for (const Use *U : F.usesOf(Key)) {
      if (U->What == Role::Init || U->What == Role::Member)
        Args.insert(U->Other);
      else if (U->What == Role::LimitRaise)
        L.Statements.push_back(U->Statement);
      else
        Only &= U->What == Role::SiteArgument && InCreation(U->Name);
    }
    for (const std::string &A : Args) {
      const Variable *V = F.variable(A);
      if (!V || V->Kind != VarKind::CacheArgs) {
        Only = false;
        continue;
      }
      for (const Use *U : F.usesOf(A))
        if (U->What == Role::LimitRaise)
          L.Statements.push_back(U->Statement);
      for (const Use *U : F.usesOf(A))
        Only &= U->What == Role::Member || InCreation(U->Name) ||
                llvm::any_of(L.Statements, [&](const Span &S) {
                  return S.contains(U->Name);
                });
    }
    for (const Span &S : L.Statements)
      Only &= F.statement(S) && !F.directiveIn(S);
    auto Unread = [&](const Variable &Part) {
      return llvm::find_if(F.Mentions, [&](const Mention &M) {
        return M.Kind == Mention::Variable && M.Name == Part.Name &&
               M.Var.empty() && M.State > Mention::ApiItself &&
               (Part.External ||
                llvm::any_of(Part.Declarations, [&](const auto &D) {
                  return D.Name.File == M.Text.File;
                }));
      });
    };
    if (const auto M = Unread(*Type); Only && M != F.Mentions.end()) {
      for (PlanEntry *E : Caches)
        E->Notes.push_back(
            {M->Text, Type->Name +
                          " stays a malloc type of its own, since it "
                          "is named here, " +
                          stateText(M->State)});
      Only = false;
    }
    Only &= !F.directiveIn(Define->Statement);
    for (const std::string &A : Args)
      if (const Variable *V = F.variable(A))
        Only &= Unread(*V) == F.Mentions.end();
    // Others than those that declare it may name it in text that was not looked
    // at.
    for (const std::string &File : Index.filesNaming(Type->Name))
      Only &= File == Define->Statement.File ||
              llvm::any_of(Type->Declarations, [&](const Declaration &D) {
                return D.Name.File == File;
              });
    Only &= !Index.isTaken(Type->Name + "_obj");
    if (!Only) {
      for (PlanEntry *E : Caches)
        for (const Span &S : L.Statements)
          E->Notes.push_back(
              {S, "the caches that counted against this limit have types of "
                  "their own, which have none in bytes: see what it should be "
                  "for what is left"});
      for (const Use *U : F.usesOf(Key))
        if (U->What == Role::TypeUse && !U->Detail.empty())
          for (PlanEntry *E : Caches)
            E->Notes.push_back({U->Name, U->Detail + " of " + Type->Name +
                                             " is looked at here, and no "
                                             "longer counts this cache: see "
                                             "what it should be"});
      continue;
    }
    L.Of.assign(Keys.begin(), Keys.end());
    PlanEntry *Heir = nullptr;
    for (PlanEntry *E : Caches)
      if (E->Form == TypeForm::Define &&
          sizeKnown(*E, Define->Statement.File)) {
        const bool Named = typeName(withoutKind(E->Variable)) == Type->Name;
        if (!Heir ||
            (Named && typeName(withoutKind(Heir->Variable)) != Type->Name))
          Heir = E;
      }
    if (Heir) {
      L.Heir = Heir->Key;
      Heir->Inherits = Key;
      Heir->Inherited.Type = Define->Name;
      Heir->Inherited.Static =
          Define->Static && isKnownIn(*Heir, Define->Statement.File);
    } else {
      L.MallocDefine = Key;
    }
    for (const std::string &A : Args)
      if (llvm::none_of(P.Entries, [&](const PlanEntry &E) {
            return E.ArgsVariable == A;
          })) {
        L.Variables.push_back(A);
        for (const ArgsMember &M : F.variable(A)->Members)
          if (M.Statement)
            L.Statements.push_back(M.Statement);
      }
    P.Leftovers.push_back(std::move(L));
  }
}

void Types::name(PlanEntry &E) {
  if (E.Form == TypeForm::Dynamic || E.Form == TypeForm::None)
    E.Type = E.Variable;
  if (E.Form != TypeForm::Define)
    return;
  std::vector<std::string> Wanted;
  if (E.IsZone) {
    Wanted.push_back(typeName(E.Name.empty() ? E.Variable : E.Name));
  } else {
    if (const std::string Object = ownObject(E); !Object.empty())
      Wanted.push_back(typeName(Object));
    Wanted.push_back(typeName(withoutKind(E.Variable)));
  }
  for (const std::string &Name : Wanted)
    if (E.Own.Type.empty() && isFree(E, Name))
      E.Own.Type = Name;
  if (E.Own.Type.empty())
    E.Own.Type =
        freeName(Wanted.front(), E.IsZone ? "_ZONE" : "_CACHE",
                 [&](const std::string &Name) { return !isFree(E, Name); });
  E.Type = E.Own.Type;
  E.Own.Static = E.Static = E.Static || isPrivate(E);
}

/// Short: what `vmstat -m' prints. Long: what that does not say.
void Types::describe(PlanEntry &E) {
  if (E.InPool || E.Form == TypeForm::None)
    return;
  // Caches of one malloc type are of one kind.
  std::string Object = object(E);
  for (const PlanEntry &Other : P.Entries)
    if (Object.empty() && !E.OldType.empty() && Other.OldType == E.OldType &&
        llvm::any_of(P.Leftovers, [&](const Leftover &L) {
          return llvm::is_contained(L.Of, E.Key) &&
                 llvm::is_contained(L.Of, Other.Key);
        }))
      Object = object(Other);
  if (!E.IsZone && isLiteral(E.ShortText))
    E.ShortText = "\"" + withoutKind(unquoted(E.ShortText)).str() + "\"";
  auto Short = [&](const std::string &Type, StringRef Gone) {
    if (isLiteral(E.ShortText) &&
        ((E.Form != TypeForm::Define &&
          (E.IsZone || E.Form != TypeForm::Dynamic)) ||
         !isSaid(E, E.ShortText, Gone)))
      return E.ShortText;
    const StringRef Stem =
        Type.empty() ? StringRef(E.Variable) : StringRef(Type).substr(2);
    return "\"" + Stem.lower() + "\"";
  };
  auto Long = [&](const std::string &Short, const std::string &Old) {
    if (isLiteral(Old) && Old != Short && !StringRef(Old).contains("objcache"))
      return Old;
    return "\"" +
           (Object.empty() ? unquoted(Short).str() + " objects"
                           : Object + " structures") +
           "\"";
  };
  // What a malloc type says of several caches is not said of one of them.
  const MallocDefine *Old = defineOf(E.OldType);
  const bool Alone = llvm::count_if(P.Entries, [&](const PlanEntry &Other) {
                       return Other.OldType == E.OldType;
                     }) == 1;
  const bool Tells =
      Old && Alone && Object.empty() && Old->ArgTexts[1] != Old->ArgTexts[2];
  if (!E.Inherits.empty()) {
    E.Inherited.ShortText =
        Alone ? Old->ArgTexts[1] : Short(E.Inherited.Type, E.Inherits);
    E.Inherited.LongText =
        Long(E.Inherited.ShortText, Alone ? Old->ArgTexts[2] : "");
  }
  E.Own.ShortText = E.ShortText = Short(E.Own.Type, "");
  E.Own.LongText = E.LongText =
      Long(E.ShortText, Tells ? Old->ArgTexts[2] : "");
  for (Step &S : E.Steps)
    if (S.CallCreate && !E.IsZone)
      S.Name = E.ShortText;
}

/// A type is defined where what its size is made of is known.
bool Types::sizeKnown(const PlanEntry &E, const std::string &File) const {
  std::set<std::string> Keys{E.Key};
  for (const Site *S : F.sitesOf(E.Key))
    for (const Argument &A : S->Args)
      if (!A.Var.empty())
        Keys.insert(A.Var);
  return llvm::all_of(F.Sizes, [&](const SizeText &S) {
    return !Keys.count(S.Key) ||
           llvm::all_of(S.Definitions, [&](const Span &D) {
             return F.includes(File, D.File);
           });
  });
}

/// Nothing of E is in another file.
bool Types::isKnownIn(const PlanEntry &E, const std::string &File) const {
  const Variable *V = F.variable(E.Key);
  return V &&
         llvm::all_of(V->Declarations,
                      [&](auto &D) { return D.Name.File == File; }) &&
         llvm::all_of(F.usesOf(E.Key),
                      [&](const Use *U) { return U->Name.File == File; });
}

/// E's variable could have been static: one file defines it, and no other text
/// of the tree names it.
bool Types::isPrivate(const PlanEntry &E) const {
  const Variable *V = F.variable(E.Key);
  return isKnownIn(E, E.Where.File) &&
         !StringRef(E.Where.File).ends_with(".h") &&
         llvm::none_of(V->Declarations, [](auto &D) { return D.Extern; }) &&
         llvm::none_of(F.Mentions, [&](const Mention &M) {
           return M.Name == V->Name && M.Text.File != E.Where.File;
         });
}

void Types::run() {
  inherit();
  for (PlanEntry &E : P.Entries)
    name(E);
  for (PlanEntry &E : P.Entries)
    describe(E);
}

void kmobj::chooseTypes(Plan &P, const FactsIndex &Index) {
  Types(P, Index).run();
}
