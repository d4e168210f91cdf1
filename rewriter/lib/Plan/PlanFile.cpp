/* SPDX-License-Identifier: BSD-3-Clause */
//===- PlanFile.cpp - The part of a plan that a person reads and edits ----===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/xxhash.h"

using namespace kmobj;
using llvm::StringRef;
namespace yaml = llvm::yaml;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// What kmalloc() takes.
static bool isAllocationFlag(StringRef Name) {
  return llvm::StringSwitch<bool>(Name)
      .Cases("M_WAITOK", "M_NOWAIT", "M_INTWAIT", "M_SYSWAIT", true)
      .Cases("M_INTNOWAIT", "M_SYSNOWAIT", "M_RNOWAIT", true)
      .Cases("M_ZERO", "M_NULLOK", "M_USE_RESERVE", true)
      .Cases("M_USE_INTERRUPT_RESERVE", "M_POWEROF2", "M_CACHEALIGN", true)
      .Case("M_PASSIVE_ZERO", true)
      .Default(false);
}

/// The first M_* name in an expression which is no flag of kmalloc(); empty
/// when there is none. Other names are the code's own variables.
static StringRef misspeltFlag(StringRef Text) {
  auto IsName = [](char C) { return llvm::isAlnum(C) || C == '_'; };
  while (!(Text = Text.drop_until(IsName)).empty()) {
    StringRef Name = Text.take_while(IsName);
    if (Name.starts_with("M_") && !isAllocationFlag(Name))
      return Name;
    Text = Text.drop_front(Name.size());
  }
  return {};
}

/// M_* names, and variables, with | between them.
static bool areFlags(StringRef Text) {
  static const llvm::Regex Name(
      "^[[:alpha:]_][[:alnum:]_]*((\\.|->)[[:alpha:]_][[:alnum:]_]*)*$");
  std::string Plain;
  unsigned Depth = 0;
  for (const char C : Text) {
    if (C == ')' && Depth-- == 0)
      return false;
    Depth += C == '(';
    Plain += C == '(' || C == ')' ? ' ' : C;
  }
  llvm::SmallVector<StringRef, 4> Parts;
  StringRef(Plain).split(Parts, '|');
  return Depth == 0 && llvm::all_of(Parts, [](StringRef Part) {
           return Name.match(Part.trim(' '));
         });
}

/// YAML is UTF-8; a byte of a name that is not is written as the last but so
/// many of what is nobody's, U+10FF80 for 0x80.
constexpr unsigned ForeignByte = 0x10ff00;

/// Always between double quotes: what needs them and what does not would
/// otherwise change from one zone to the next.
static std::string quoted(StringRef Text) {
  std::string Out = "\"";
  auto Escape = [&](char Kind, unsigned Value, unsigned Width) {
    Out += '\\';
    Out += Kind;
    Out += llvm::utohexstr(Value, /*LowerCase=*/true, Width);
  };
  while (!Text.empty()) {
    const auto First = static_cast<unsigned char>(Text.front());
    const unsigned Size = llvm::getNumBytesForUTF8(First);
    const StringRef Point = Text.take_front(Size);
    const auto *Begin = Point.bytes_begin();
    if (First < 0x20 || First == 0x7f) {
      Escape('x', First, 2);
    } else if (Point.size() < Size ||
               !llvm::isLegalUTF8Sequence(Begin, Point.bytes_end())) {
      Escape('U', ForeignByte + First, 8);
      Text = Text.drop_front();
      continue;
    } else if (First == 0xc2 && Begin[1] < 0xa0) {
      Escape('x', Begin[1], 2); // U+0080 to U+009F are control characters
    } else {
      if (First == '"' || First == '\\')
        Out += '\\';
      Out += Point;
    }
    Text = Text.drop_front(Size);
  }
  return Out + "\"";
}

/// Text as it was before quoted() wrote foreign bytes.
static std::string withForeignBytes(StringRef Text) {
  std::string Out;
  for (; !Text.empty(); Text = Text.drop_front()) {
    // U+10FF80 to U+10FFFF: F4 8F BE 80 to F4 8F BF BF.
    if (Text.size() >= 4 && Text.starts_with("\xf4\x8f") &&
        (Text[2] == '\xbe' || Text[2] == '\xbf')) {
      Out += static_cast<char>((Text[2] << 6 & 0xc0) | (Text[3] & 0x3f));
      Text = Text.drop_front(3);
    } else {
      Out += Text.front();
    }
  }
  return Out;
}

static const char *formName(TypeForm Form) {
  switch (Form) {
  case TypeForm::Define:
    return "define";
  case TypeForm::Redefine:
    return "redefine";
  case TypeForm::Dynamic:
    return "dynamic";
  case TypeForm::None:
    return "none";
  }
  llvm_unreachable("all forms have a name");
}

static void list(llvm::raw_ostream &OS, StringRef Indent, StringRef Key,
                 const std::vector<Remark> &Remarks) {
  if (Remarks.empty())
    return;
  OS << Indent << Key << ":\n";
  for (const Remark &R : Remarks)
    OS << Indent << "  - " << quoted(R.str()) << '\n';
}

/// Its definition has two strings.
static bool isDescribed(const PlanEntry &E) {
  return E.Convertible && !E.InPool &&
         (E.Form == TypeForm::Define || E.Form == TypeForm::Redefine);
}

/// What a person reads of an entry but may not edit: a key and its value.
static std::vector<std::pair<StringRef, std::string>>
fixedValues(const PlanEntry &E) {
  std::vector<std::pair<StringRef, std::string>> Out{
      {"kind", E.IsZone ? "zone" : "cache"}, {"name", E.Name}};
  auto Add = [&](StringRef Key, const std::string &Value) {
    if (!Value.empty())
      Out.push_back({Key, Value});
  };
  Add("of", E.Of);
  if (!E.Convertible)
    return Out;
  Add("form", formName(E.Form));
  Add("size", E.SizeText);
  Add("bytes", std::to_string(E.Size));
  for (const Step &S : E.Steps)
    if (S.Do == Action::Create) {
      if (S.CallCtor) {
        Add("limit", S.MaxOut);
        Add("constructor", S.Ctor);
        Add("destructor", S.Dtor);
        Add("private", S.Private);
      } else if (S.RaiseLimit && E.IsZone) {
        Add("limit", S.Objects);
      }
      break;
    }
  Add("cached", E.Cached);
  if (E.Constructed)
    Add("constructed", "true");
  return Out;
}

/// What a plan file says of a site, but may not be edited.
static std::string fixedSite(StringRef In, StringRef Call, StringRef Do) {
  return (In + "|" + Call + "|" + Do + "\n").str();
}

/// "fork1 #1"
static std::string placeOf(const Step &S) {
  return S.Function + " #" + std::to_string(S.Ordinal);
}

static StringRef functionOf(StringRef Place) {
  return Place.rsplit(" #").first;
}

static std::string hashOf(StringRef Text) {
  return llvm::utohexstr(llvm::xxh3_64bits(Text), /*LowerCase=*/true, 16);
}

namespace {
/// Where what is in PlanEntry::Planned.
enum Planned {
  Decision,
  Type,
  Reserve,
  Bootstrap,
  Zeroed,
  Fixed,
  Sites,
  Short,
  Long,
  First
};
} // namespace

/// decision, type, reserve, bootstrap, zeroed; hashes of what may not be
/// edited (below); the descriptions; then the flags of each allocation.
std::vector<std::string> kmobj::plannedValues(const PlanEntry &E) {
  auto Bool = [](bool B) { return std::string(B ? "true" : "false"); };
  std::vector<std::string> Out{E.Convert ? "convert" : "refuse",
                               E.Type,
                               std::to_string(E.Reserve),
                               Bool(E.Bootstrap),
                               Bool(E.WantReserve && E.Reserve == 0),
                               "",
                               "",
                               E.ShortText,
                               E.LongText};
  for (const Step &S : E.Steps)
    if (S.Do == Action::Alloc)
      Out.push_back(S.Flags);
  return Out;
}

/// With the hashes of what is written now of the zone and of its sites.
static std::vector<std::string> plannedAsWritten(const PlanEntry &E) {
  std::vector<std::string> Out = E.Planned;
  std::string OfZone, OfSites;
  OfZone = E.Variable + "\n";
  for (const auto &[Key, Value] : fixedValues(E))
    OfZone += (Key + "|" + Value + "\n").str();
  for (const Step &S : E.Steps)
    OfSites += fixedSite(placeOf(S), S.Call, actionName(S.Do));
  Out[Fixed] = hashOf(OfZone);
  Out[Sites] = hashOf(OfSites);
  return Out;
}

std::string kmobj::writePlan(const Plan &P) {
  std::string Text;
  llvm::raw_string_ostream OS(Text);
  OS << "# kmobj plan, one decision a zone. You may edit: decision (convert,\n"
        "# refuse), type, short and long (what describes the type), reserve\n"
        "# (slabs kept ready; 0: none), bootstrap, and flags of a site.\n"
        "# zeroed: fresh objects are zero though no slab is\n"
        "# kept ready. A zone whose entry is taken out is not converted. The\n"
        "# rest says what was found; planned is what kmobj itself decided, by\n"
        "# which it knows your edits when the tree has moved on.\n"
        "version: 1\n";
  OS << "naive: " << (P.Naive ? "true" : "false") << '\n';
  if (P.Control)
    OS << "negative-control: true\n";
  OS << "zones:" << (P.Entries.empty() ? " []\n" : "\n");
  for (const PlanEntry &E : P.Entries) {
    OS << "  - variable: " << quoted(E.Variable) << '\n'
       << "    at: " << quoted(E.Where.lineRef()) << '\n';
    const auto Fixed = fixedValues(E);
    auto Value = [&](StringRef Key, const std::string &Text) {
      OS << "    " << Key << ": ";
      // Words and numbers, as in the rest of the file.
      const bool Plain = Key == "kind" || Key == "form" || Key == "bytes" ||
                         Key == "constructed";
      OS << (Plain ? Text : quoted(Text)) << '\n';
    };
    for (const auto &[Key, Text] : llvm::ArrayRef(Fixed).take_front(2))
      Value(Key, Text);
    OS << "    decision: " << (E.Convert ? "convert" : "refuse") << '\n';
    list(OS, "    ", "reasons", E.Reasons);
    if (!E.Tried.empty())
      Value("tried", E.Tried);
    if (E.Convertible && E.Form != TypeForm::None)
      OS << "    type: " << quoted(E.Type) << '\n';
    if (isDescribed(E))
      OS << "    short: " << quoted(E.ShortText) << '\n'
         << "    long: " << quoted(E.LongText) << '\n';
    for (const auto &[Key, Text] : llvm::ArrayRef(Fixed).drop_front(2))
      Value(Key, Text);
    if (E.Convertible) {
      OS << "    reserve: " << E.Reserve << '\n';
      if (E.WantReserve && E.Reserve == 0)
        OS << "    zeroed: true\n";
      OS << "    bootstrap: " << (E.Bootstrap ? "true" : "false") << '\n';
    }
    list(OS, "    ", "notes", E.Notes);
    OS << "    sites:" << (E.Steps.empty() ? " []\n" : "\n");
    for (const Step &S : E.Steps) {
      OS << "      - in: " << quoted(placeOf(S)) << '\n'
         << "        at: " << quoted(S.At) << '\n'
         << "        call: " << quoted(S.Call) << '\n'
         << "        do: " << actionName(S.Do) << '\n';
      if (S.Do == Action::Alloc)
        OS << "        flags: " << quoted(S.Flags) << '\n';
      list(OS, "        ", "notes", S.Notes);
    }
    OS << "    planned: [";
    const char *Separator = "";
    for (const std::string &V : plannedAsWritten(E)) {
      OS << Separator << quoted(V);
      Separator = ", ";
    }
    OS << "]\n";
  }
  list(OS, "", "remarks", P.Remarks);
  return Text;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

class PlanReader {
public:
  PlanReader(Plan &P, const Facts &F, llvm::MemoryBufferRef File)
      : P(P), Index(F), File(File), Input(File, Sources) {
    Sources.setDiagHandler(
        [](const llvm::SMDiagnostic &D, void *Self) {
          static_cast<PlanReader *>(Self)->syntax(D);
        },
        this);
  }

  llvm::Error read();

private:
  using Map = std::map<std::string, yaml::Node *>;
  Plan &P;
  FactsIndex Index;
  llvm::MemoryBufferRef File;
  llvm::SourceMgr Sources;
  yaml::Stream Input;
  std::string Error;

  void syntax(const llvm::SMDiagnostic &D) {
    if (Error.empty())
      Error = llvm::formatv("{0}:{1}: {2}", File.getBufferIdentifier(),
                            D.getLineNo(), D.getMessage());
  }
  /// The first error counts. Returns false, for `return fail(..)`.
  bool fail(yaml::Node *At, const llvm::Twine &What) {
    if (!Error.empty())
      return false;
    unsigned Line = 1;
    if (At) {
      const char *Where = At->getSourceRange().Start.getPointer();
      StringRef Text = File.getBuffer();
      if (Where >= Text.begin() && Where <= Text.end())
        Line += StringRef(Text.begin(), Where - Text.begin()).count('\n');
    }
    Error = llvm::formatv("{0}:{1}: {2}", File.getBufferIdentifier(), Line,
                          What.str());
    return false;
  }

  /// Walks a mapping: one value after the other, as the parser demands.
  template <class Fn> bool mapping(yaml::Node *N, const char *What, Fn Each) {
    auto *M = llvm::dyn_cast_or_null<yaml::MappingNode>(N);
    if (!M)
      return fail(N, llvm::Twine("expected ") + What);
    std::set<std::string> Seen;
    for (yaml::KeyValueNode &KV : *M) {
      std::string Key;
      if (!scalar(KV.getKey(), Key))
        return false;
      if (!Seen.insert(Key).second)
        return fail(KV.getKey(), "'" + Key + "' is given twice");
      if (!Each(Key, KV.getValue()))
        return false;
    }
    return Error.empty();
  }
  template <class Fn> bool sequence(yaml::Node *N, const char *What, Fn Each) {
    auto *S = llvm::dyn_cast_or_null<yaml::SequenceNode>(N);
    if (!S)
      return fail(N, llvm::Twine("expected a list of ") + What);
    for (yaml::Node &Element : *S)
      if (!Each(&Element))
        return false;
    return Error.empty();
  }
  bool scalar(yaml::Node *N, std::string &Out) {
    auto *S = llvm::dyn_cast_or_null<yaml::ScalarNode>(N);
    if (!S)
      return fail(N, "expected a single value");
    llvm::SmallString<64> Storage;
    Out = withForeignBytes(S->getValue(Storage));
    return true;
  }
  bool boolean(yaml::Node *N, const char *Key, std::optional<bool> &Out) {
    std::string Text;
    if (!scalar(N, Text))
      return false;
    if (Text != "true" && Text != "false")
      return fail(N, llvm::Twine(Key) + " is '" + Text +
                         "', expected true or false");
    Out = Text == "true";
    return true;
  }

  struct SiteEdit {
    std::string In, At, Call, Do, Flags;
    yaml::Node *Where = nullptr, *FlagsAt = nullptr;
    bool HasFlags = false;
  };
  struct Edit {
    std::string Variable, At, Decision, Type, Short, Long, Tried;
    std::optional<unsigned> Reserve;
    std::optional<bool> Bootstrap, Zeroed;
    std::vector<SiteEdit> Sites;
    std::vector<std::string> Planned; ///< empty: the file does not say
    std::map<std::string, std::string> Fixed;
    std::map<std::string, yaml::Node *> Where;
    yaml::Node *Whole = nullptr;

    bool fromKmobj() const { return !Planned.empty(); }
    /// Did a person change what is not to be edited? In the order in which
    /// writePlan() has it.
    bool isTouched() const {
      if (!fromKmobj())
        return true;
      std::string Text = Variable + "\n";
      for (StringRef Key :
           {"kind", "name", "of", "form", "size", "bytes", "limit",
            "constructor", "destructor", "private", "cached", "constructed"})
        if (const auto It = Fixed.find(Key.str()); It != Fixed.end())
          Text += (Key + "|" + It->second + "\n").str();
      return hashOf(Text) != Planned[::Fixed];
    }
    /// Is Value what a person made of what kmobj had planned?
    bool isEdit(enum Planned What, StringRef Value) const {
      return !fromKmobj() || Planned[What] != Value;
    }
  };
  std::vector<Edit> Edits;
  bool Naive = false;
  bool document(yaml::Node *Root);
  bool zone(yaml::Node *N);
  bool zoneKey(Edit &E, const std::string &Key, yaml::Node *Value);
  bool site(yaml::Node *N, Edit &E);
  bool apply();
  bool apply(const Edit &E);
  PlanEntry *find(const Edit &E);
  bool applyFixed(PlanEntry &To, const Edit &E);
  bool applyDecision(PlanEntry &To, const Edit &E);
  bool applyType(PlanEntry &To, const Edit &E);
  bool applyTexts(PlanEntry &To, const Edit &E);
  bool applyAmounts(PlanEntry &To, const Edit &E);
  bool applySites(PlanEntry &To, const Edit &E);
  bool applyFlags(PlanEntry &To, Step &At, const SiteEdit &S);
  std::string brokenPromise(const PlanEntry &E, const Step &S,
                            StringRef Flags) const;
  void moved(const char *What, const PlanEntry &E, const llvm::Twine &Text) {
    P.Moved.push_back((llvm::Twine(What) + E.Variable + " (" +
                       E.Where.lineRef() + "): " + Text)
                          .str());
  }
  void groups();
};

} // namespace

bool PlanReader::site(yaml::Node *N, Edit &E) {
  SiteEdit S;
  S.Where = N;
  bool Good = mapping(N, "a site", [&](const std::string &Key, yaml::Node *V) {
    if (Key == "in")
      return scalar(V, S.In);
    if (Key == "at")
      return scalar(V, S.At);
    if (Key == "call")
      return scalar(V, S.Call);
    if (Key == "do")
      return scalar(V, S.Do);
    if (Key == "flags") {
      S.HasFlags = true;
      S.FlagsAt = V;
      return scalar(V, S.Flags);
    }
    if (Key == "notes") {
      V->skip();
      return true;
    }
    return fail(V, "a site has no '" + Key + "'");
  });
  E.Sites.push_back(std::move(S));
  return Good;
}

bool PlanReader::zoneKey(Edit &E, const std::string &Key, yaml::Node *V) {
  E.Where[Key] = V;
  if (Key == "variable")
    return scalar(V, E.Variable);
  if (Key == "at")
    return scalar(V, E.At);
  if (Key == "decision") {
    if (!scalar(V, E.Decision))
      return false;
    if (E.Decision != "convert" && E.Decision != "refuse")
      return fail(V, "unknown decision '" + E.Decision +
                         "', expected convert or refuse");
    return true;
  }
  if (Key == "tried")
    return scalar(V, E.Tried);
  if (Key == "type")
    return scalar(V, E.Type);
  if (Key == "short")
    return scalar(V, E.Short);
  if (Key == "long")
    return scalar(V, E.Long);
  if (Key == "bootstrap")
    return boolean(V, "bootstrap", E.Bootstrap);
  if (Key == "zeroed")
    return boolean(V, "zeroed", E.Zeroed);
  if (Key == "reserve") {
    std::string Text;
    unsigned N;
    if (!scalar(V, Text))
      return false;
    if (StringRef(Text).getAsInteger(10, N) || N > 1024)
      return fail(V, "reserve is '" + Text +
                         "', expected a number of slabs from 0 to 1024");
    E.Reserve = N;
    return true;
  }
  if (Key == "sites")
    return sequence(V, "sites", [&](yaml::Node *N) { return site(N, E); });
  if (Key == "planned") {
    if (!sequence(V, "values", [&](yaml::Node *N) {
          return scalar(N, E.Planned.emplace_back());
        }))
      return false;
    return E.Planned.size() >= First ||
           fail(V, "planned is what kmobj decided, and not to be edited");
  }
  if (Key == "reasons" || Key == "notes") {
    V->skip();
    return true;
  }
  for (StringRef Known :
       {"kind", "name", "of", "form", "size", "bytes", "limit", "constructor",
        "destructor", "private", "cached", "constructed"})
    if (Key == Known)
      return scalar(V, E.Fixed[Key]);
  return fail(V, "a zone has no '" + Key + "'");
}

bool PlanReader::zone(yaml::Node *N) {
  Edit E;
  E.Whole = N;
  if (!mapping(N, "a zone", [&](const std::string &Key, yaml::Node *V) {
        return zoneKey(E, Key, V);
      }))
    return false;
  if (E.Variable.empty())
    return fail(N, "a zone without 'variable'");
  Edits.push_back(std::move(E));
  return true;
}

PlanEntry *PlanReader::find(const Edit &E) {
  const StringRef File = StringRef(E.At).rsplit(':').first;
  const auto Of = E.Fixed.find("of");
  PlanEntry *Found = nullptr;
  for (PlanEntry &Entry : P.Entries) {
    if (Entry.Variable != E.Variable ||
        (Of != E.Fixed.end() && Of->second != Entry.Of))
      continue;
    // What the linker sees has one name in all the tree.
    const bool Here = Entry.Where.File == File;
    if (!E.At.empty() && !Here && !(Entry.External && E.fromKmobj()))
      continue;
    if (!Found || (Here && Entry.Where.lineRef() == E.At))
      Found = &Entry;
  }
  return Found;
}

/// What is not to be edited says what it says in the tree, or did when the plan
/// was made.
bool PlanReader::applyFixed(PlanEntry &To, const Edit &E) {
  const auto Now = fixedValues(To);
  const bool Touched = E.isTouched();
  for (const auto &[Key, Value] : E.Fixed) {
    const auto It =
        llvm::find_if(Now, [&](const auto &Pair) { return Pair.first == Key; });
    const std::string Is = It == Now.end() ? "" : It->second;
    if (Is == Value || (!To.Convertible && It == Now.end()))
      continue;
    // Whether it takes over a malloc type depends on the others that had that.
    if (Key == "form" && !To.Inherits.empty())
      continue;
    if (Touched)
      return fail(E.Where.at(Key), Key + " is '" + Value + "', but '" + Is +
                                       "' in the tree, and "
                                       "that is not to be edited");
    moved("changed    ", To, Key + " was " + Value + ", and is " + Is);
  }
  if (E.fromKmobj() && Touched)
    return fail(E.Whole, To.Variable + ": besides decision, type, short, long, "
                                       "reserve, bootstrap and flags nothing "
                                       "is to be edited");
  return true;
}

bool PlanReader::applyDecision(PlanEntry &To, const Edit &E) {
  if (E.Decision == "convert" && !To.Convertible) {
    if (E.isEdit(Decision, E.Decision))
      return fail(E.Where.at("decision"),
                  E.Variable +
                      " cannot be converted: " + To.Reasons.front().str());
    moved("changed    ", To,
          "it cannot be converted any more: " + To.Reasons.front().str());
    return true;
  }
  // What a trial found is found by another one alone.
  if (E.Decision == "refuse" && To.Convertible && !E.Tried.empty() &&
      !E.isEdit(Decision, E.Decision)) {
    To.refuseTried(Remark{Span(), E.Tried});
    return true;
  }
  if (E.Decision == "refuse" && To.Convertible &&
      !E.isEdit(Decision, E.Decision))
    moved("changed    ", To, "it could be converted now; the plan says refuse");
  if (!E.Decision.empty())
    To.Convert = E.Decision == "convert";
  return true;
}

bool PlanReader::applyType(PlanEntry &To, const Edit &E) {
  if (E.Type.empty() || !E.isEdit(Type, E.Type))
    return true;
  yaml::Node *At = E.Where.at("type");
  bool Identifier =
      !E.Type.empty() && !llvm::isDigit(E.Type[0]) &&
      llvm::all_of(E.Type, [](char C) { return llvm::isAlnum(C) || C == '_'; });
  if (!Identifier)
    return fail(At, "type '" + E.Type + "' is not a C identifier");
  if (E.Type == To.Type)
    return true;
  if (To.Form == TypeForm::Dynamic)
    return fail(At, To.Variable + " keeps its name: its type is made when the "
                                  "zone is created");
  if (To.InPool)
    return fail(At, To.Variable + " is declared by a macro, which makes the "
                                  "name of its type");
  for (const std::string &Name : {E.Type, E.Type + "_obj"})
    if (Index.isTaken(Name))
      return fail(At, "type " + E.Type + ": the tree already has " + Name +
                          " (" + Index.filesNaming(Name).front() + ")");
  for (const PlanEntry &Other : P.Entries)
    if (&Other != &To && Other.Type == E.Type && meet(Other, To))
      return fail(At, "type " + E.Type + " is also that of " + Other.Variable);
  To.Type = E.Type;
  To.TypeByHand = true;
  return true;
}

/// The strings of the type's definition, which are C literals.
bool PlanReader::applyTexts(PlanEntry &To, const Edit &E) {
  auto Apply = [&](const char *Key, enum Planned What, const std::string &Text,
                   std::string &Into, bool &ByHand) {
    if (Text.empty() || !E.isEdit(What, Text) || Text == Into)
      return true;
    yaml::Node *At = E.Where.at(Key);
    if (!isDescribed(To))
      return fail(At, To.Variable + " has no definition with a " + Key +
                          " description");
    const StringRef Inner = StringRef(Text).drop_front().drop_back();
    const bool Literal =
        Text.size() > 2 && Text.front() == '"' && Text.back() == '"' &&
        llvm::all_of(Inner, [](char C) {
          return C >= 0x20 && C < 0x7f && C != '"' && C != '\\';
        });
    if (!Literal)
      return fail(At, llvm::Twine(Key) + " is '" + Text +
                          "', expected text between double quotes");
    Into = Text;
    ByHand = true;
    return true;
  };
  return Apply("short", Short, E.Short, To.ShortText, To.ShortByHand) &&
         Apply("long", Long, E.Long, To.LongText, To.LongByHand);
}

bool PlanReader::applyAmounts(PlanEntry &To, const Edit &E) {
  auto Bool = [](bool B) { return B ? "true" : "false"; };
  const bool Reserves =
      E.Reserve && E.isEdit(Reserve, std::to_string(*E.Reserve));
  const bool Boots = E.Bootstrap && E.isEdit(Bootstrap, Bool(*E.Bootstrap));
  const bool Zeroes = E.Zeroed && E.isEdit(Zeroed, Bool(*E.Zeroed));
  if (Boots && *E.Bootstrap && !To.HasBootstrap)
    return fail(E.Where.at("bootstrap"),
                To.Variable + " has no first items: there is nothing to "
                              "bootstrap it with");
  if (Boots && !*E.Bootstrap && To.Bootstrap && !P.Control)
    return fail(E.Where.at("bootstrap"),
                To.Variable + " serves allocations before malloc_init() has "
                              "run: without bootstrap the kernel does not "
                              "boot");
  if (Reserves && *E.Reserve && !To.IsZone)
    return fail(E.Where.at("reserve"),
                To.Variable + " is an object cache, which keeps no reserve");
  if (Zeroes && !To.IsZone)
    return fail(E.Where.at("zeroed"),
                To.Variable + " is an object cache: fresh objects of its type "
                              "are zero in any case");
  if (!Reserves && !Boots && !Zeroes)
    return true;
  if (Reserves)
    To.Reserve = *E.Reserve;
  if (Boots)
    To.Bootstrap = *E.Bootstrap;
  To.WantReserve = To.Reserve > 0 || To.Bootstrap || E.Zeroed.value_or(false);
  return true;
}

namespace {
/// What an expression of M_* flags says about waiting.
struct Waiting {
  bool Waits = false, Not = false, Zero = false, Interrupt = false;
  bool Known = true; ///< no variable decides
  explicit Waiting(StringRef Text) {
    auto IsName = [](char C) { return llvm::isAlnum(C) || C == '_'; };
    while (!(Text = Text.drop_until(IsName)).empty()) {
      StringRef Name = Text.take_while(IsName);
      Text = Text.drop_front(Name.size());
      Waits |= Name == "M_WAITOK" || Name == "M_INTWAIT" || Name == "M_SYSWAIT";
      Not |= Name == "M_NOWAIT" || Name == "M_RNOWAIT" ||
             Name == "M_INTNOWAIT" || Name == "M_SYSNOWAIT";
      Interrupt |= Name == "M_INTNOWAIT" || Name == "M_USE_INTERRUPT_RESERVE";
      Zero |= Name == "M_ZERO";
      Known &= isAllocationFlag(Name);
    }
  }
};
} // namespace

/// Which promise of the old allocator flags by hand would break; empty: none.
std::string PlanReader::brokenPromise(const PlanEntry &E, const Step &S,
                                      StringRef Flags) const {
  const Waiting New(Flags), Old(S.Flags);
  if (New.Waits && New.Not)
    return "they say both to wait and not to";
  if (New.Known && !New.Waits && !New.Not)
    return "they say neither to wait nor not to: expected M_WAITOK, M_NOWAIT "
           "or one of their kind";
  if (P.Control)
    return "";
  if (New.Zero && E.Constructed)
    return "M_ZERO wipes what " + E.Variable + "'s constructor made";
  const bool Interrupt =
      (E.ZoneFlags & ZONE_INTERRUPT) && !(E.ZoneFlags & ZONE_PANICFAIL);
  if (Interrupt && New.Waits)
    return E.Variable + " is a ZONE_INTERRUPT zone, whose allocation never "
                        "waits";
  if (New.Known && Old.Waits && New.Not) {
    const Site *At = Index.F.siteAt(S.At);
    if (At && !At->NullChecked)
      return "the result could be NULL then, and is not checked";
  }
  return "";
}

bool PlanReader::applyFlags(PlanEntry &To, Step &At, const SiteEdit &S) {
  if (At.Do != Action::Alloc)
    return fail(S.FlagsAt, "the site at " + At.At +
                               " allocates nothing and takes no flags");
  if (S.Flags == At.Flags)
    return true;
  if (!areFlags(S.Flags))
    return fail(S.FlagsAt, "flags '" + S.Flags +
                               "', expected M_* names with | between them");
  StringRef Wrong = misspeltFlag(S.Flags);
  if (!Wrong.empty())
    return fail(S.FlagsAt, "flags '" + S.Flags + "': " + Wrong +
                               " is none of kmalloc()'s flags");
  if (std::string Why = brokenPromise(To, At, S.Flags); !Why.empty())
    return fail(S.FlagsAt, "flags '" + S.Flags + "': " + Why);
  At.Flags = S.Flags;
  return true;
}

bool PlanReader::applySites(PlanEntry &To, const Edit &E) {
  const bool Listed = E.Where.count("sites") && E.fromKmobj();
  if (Listed) {
    std::string Text;
    for (const SiteEdit &S : E.Sites)
      Text += fixedSite(S.In, S.Call, S.Do);
    if (hashOf(Text) != E.Planned[Sites])
      return fail(E.Where.at("sites"),
                  "the sites of " + To.Variable +
                      " are not those that kmobj listed: a zone is converted "
                      "at each of them or not at all; say `decision: refuse'");
  } else if (E.fromKmobj()) {
    return fail(E.Whole, "the sites of " + To.Variable +
                             " are missing: it is "
                             "converted at each of them or not at all");
  }
  std::set<const Step *> Seen;
  size_t Flag = First; // of Planned
  for (const SiteEdit &S : E.Sites) {
    auto It = llvm::find_if(To.Steps, [&](const Step &St) {
      return S.In.empty() ? St.At == S.At
                          : placeOf(St) == S.In && St.Call == S.Call;
    });
    std::string Was;
    if (E.fromKmobj() && S.Do == actionName(Action::Alloc))
      Was = Flag < E.Planned.size() ? E.Planned[Flag++] : "";
    const bool Edited = S.HasFlags && (!E.fromKmobj() || S.Flags != Was);
    if (It == To.Steps.end()) {
      if (!E.fromKmobj())
        return fail(S.Where, To.Variable + " has no site at " +
                                 (S.In.empty() ? S.At : S.In));
      moved("gone       ", To,
            S.Call + " in " + S.In + (Edited ? ", with flags " + S.Flags : ""));
      continue;
    }
    Seen.insert(&*It);
    if (Edited && E.fromKmobj() && Was != It->Flags)
      moved("changed    ", To,
            "flags of " + S.Call + " in " + S.In + " were " + Was +
                ", would be " + It->Flags + " now, and stay " + S.Flags);
    else if (!Edited && !Was.empty() && Was != It->Flags)
      moved("changed    ", To,
            "flags of " + S.Call + " in " + S.In + " were " + Was +
                ", and are " + It->Flags);
    if (!Edited)
      continue;
    // By their number alone one call is told from the next.
    const auto Had = llvm::count_if(E.Sites, [&](const SiteEdit &Other) {
      return Other.Call == S.Call && functionOf(Other.In) == It->Function;
    });
    const auto Has = llvm::count_if(To.Steps, [&](const Step &Other) {
      return Other.Call == S.Call && Other.Function == It->Function;
    });
    if (Listed && Had != Has) {
      moved("unclear    ", To,
            "flags of " + S.Call + " in " + S.In + " are " + S.Flags +
                " by hand, but " + It->Function + " had " +
                std::to_string(Had) + " such calls and has " +
                std::to_string(Has) +
                ": it is not converted until the plan says which is meant");
      To.Convert = false;
      continue;
    }
    if (!applyFlags(To, *It, S))
      return false;
  }
  if (Listed)
    for (const Step &S : To.Steps)
      if (!Seen.count(&S))
        moved("new        ", To, S.Call + " in " + placeOf(S));
  return true;
}

bool PlanReader::apply(const Edit &E) {
  PlanEntry *To = find(E);
  if (!To && !E.isTouched()) {
    P.Moved.push_back("gone       " + E.Variable + " (" + E.At +
                      "): it is not in the tree any more");
    return true;
  }
  if (!To)
    return fail(E.Where.at("variable"),
                "there is no zone or cache " + E.Variable +
                    (E.At.empty()
                         ? ""
                         : " in " + StringRef(E.At).rsplit(':').first.str()));
  if (To->Named)
    return fail(E.Where.at("variable"), E.Variable + " is given twice");
  To->Named = true;
  if (!applyDecision(*To, E) || !applyFixed(*To, E))
    return false;
  if (!To->Convertible)
    return true;
  return applyType(*To, E) && applyTexts(*To, E) && applyAmounts(*To, E) &&
         applySites(*To, E);
}

/// What the file does not name is not converted.
bool PlanReader::apply() {
  for (PlanEntry &E : P.Entries)
    E.Named = false;
  for (const Edit &E : Edits)
    if (!apply(E))
      return false;
  for (PlanEntry &E : P.Entries) {
    if (E.Named)
      continue;
    if (E.Convertible)
      moved("new        ", E, "the plan does not name it; it is not converted");
    E.Convert = false;
  }
  return true;
}

/// What meets in one variable or macro has one decision.
void PlanReader::groups() {
  for (const PlanEntry &A : P.Entries)
    for (const PlanEntry &B : P.Entries)
      if (!A.Group.empty() && A.Group == B.Group && A.Convert && !B.Convert) {
        Error = File.getBufferIdentifier().str() + ": " + A.Variable +
                " is to be converted and " + B.Variable +
                " is not, but they meet in one variable or macro: decide both "
                "alike";
        return;
      }
}

bool PlanReader::document(yaml::Node *Root) {
  return mapping(Root, "a plan", [&](const std::string &Key, yaml::Node *V) {
    if (Key == "version") {
      std::string Version;
      return scalar(V, Version) &&
             (Version == "1" ||
              fail(V, "this is a plan of version " + Version + ", expected 1"));
    }
    if (Key == "zones")
      return sequence(V, "zones", [&](yaml::Node *N) { return zone(N); });
    if (Key == "naive" || Key == "negative-control") {
      std::optional<bool> Value;
      if (!boolean(V, Key.c_str(), Value))
        return false;
      (Key == "naive" ? Naive : P.Control) = *Value;
      return true;
    }
    if (Key == "remarks") {
      V->skip();
      return true;
    }
    return fail(V, "a plan has no '" + Key + "'");
  });
}

llvm::Error PlanReader::read() {
  yaml::document_iterator Document = Input.begin();
  yaml::Node *Root = Document == Input.end() ? nullptr : Document->getRoot();
  if (Error.empty())
    document(Root);
  if (Error.empty() && Input.failed())
    Error = File.getBufferIdentifier().str() + ": not YAML";
  if (Error.empty() && Naive != P.Naive) {
    const bool Control = P.Control;
    PlanOptions Options;
    Options.Naive = Naive;
    P = makePlan(Index.F, Options);
    P.Control = Control;
  }
  if (Error.empty() && apply())
    groups();
  if (!Error.empty())
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                   Error.c_str());
  P.updateDrops();
  return llvm::Error::success();
}

llvm::Error kmobj::applyPlanFile(Plan &P, const Facts &F,
                                 llvm::MemoryBufferRef File) {
  Plan Changed = P;
  if (llvm::Error E = PlanReader(Changed, F, File).read())
    return E;
  P = std::move(Changed);
  return llvm::Error::success();
}
