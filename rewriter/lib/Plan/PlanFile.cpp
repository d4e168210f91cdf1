/* SPDX-License-Identifier: BSD-3-Clause */
//===- PlanFile.cpp - The part of a plan that a person reads and edits ----===//

#include "Planner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

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

/// Always between double quotes: what needs them and what does not would
/// otherwise change from one zone to the next.
static std::string quoted(StringRef Text) {
  std::string Out = "\"";
  for (unsigned char C : Text) {
    if (C == '"' || C == '\\')
      Out += '\\';
    if (C < 0x20 || C >= 0x7f)
      Out += "\\x" + llvm::utohexstr(C, /*LowerCase=*/true, /*Width=*/2);
    else
      Out += C;
  }
  return Out + "\"";
}

static const char *formName(TypeForm Form) {
  switch (Form) {
  case TypeForm::Define:
    return "define";
  case TypeForm::Redefine:
    return "redefine";
  case TypeForm::Dynamic:
    return "dynamic";
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

std::string kmobj::writePlan(const Plan &P) {
  std::string Text;
  llvm::raw_string_ostream OS(Text);
  OS << "# kmobj plan, one decision a zone. You may edit: decision (convert,\n"
        "# refuse), type, reserve (slabs kept ready; 0: none), bootstrap, and\n"
        "# flags of a site. zeroed: fresh objects are zero though no slab is\n"
        "# kept ready. The rest says what was found.\n"
        "version: 1\n";
  OS << "naive: " << (P.Naive ? "true" : "false") << '\n';
  OS << "zones:" << (P.Entries.empty() ? " []\n" : "\n");
  for (const PlanEntry &E : P.Entries) {
    OS << "  - variable: " << quoted(E.Variable) << '\n'
       << "    at: " << quoted(E.Where.lineRef()) << '\n'
       << "    kind: " << (E.IsZone ? "zone" : "cache") << '\n'
       << "    name: " << quoted(E.Name) << '\n'
       << "    decision: " << (E.Convert ? "convert" : "refuse") << '\n';
    list(OS, "    ", "reasons", E.Reasons);
    if (E.Convertible) {
      OS << "    type: " << quoted(E.Type) << '\n'
         << "    form: " << formName(E.Form) << '\n'
         << "    size: " << quoted(E.SizeText) << '\n'
         << "    bytes: " << E.Size << '\n';
      if (E.Constructed)
        OS << "    constructed: true\n";
      OS << "    reserve: " << E.Reserve << '\n';
      if (E.WantReserve && E.Reserve == 0)
        OS << "    zeroed: true\n";
      OS << "    bootstrap: " << (E.Bootstrap ? "true" : "false") << '\n';
    }
    list(OS, "    ", "notes", E.Notes);
    OS << "    sites:" << (E.Steps.empty() ? " []\n" : "\n");
    for (const Step &S : E.Steps) {
      OS << "      - at: " << quoted(S.At) << '\n'
         << "        call: " << quoted(S.Call) << '\n'
         << "        do: " << actionName(S.Do) << '\n';
      if (S.Do == Action::Alloc)
        OS << "        flags: " << quoted(S.Flags) << '\n';
      list(OS, "        ", "notes", S.Notes);
    }
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
    for (yaml::KeyValueNode &KV : *M) {
      std::string Key;
      if (!scalar(KV.getKey(), Key) || !Each(Key, KV.getValue()))
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
    Out = S->getValue(Storage).str();
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
    std::string At;
    std::string Flags;
    yaml::Node *Where = nullptr, *FlagsAt = nullptr;
    bool HasFlags = false;
  };
  struct Edit {
    std::string Variable, At, Decision, Type;
    std::optional<unsigned> Reserve;
    std::optional<bool> Bootstrap, Zeroed;
    std::vector<SiteEdit> Sites;
    std::map<std::string, yaml::Node *> Where;
  };
  bool zone(yaml::Node *N);
  bool zoneKey(Edit &E, const std::string &Key, yaml::Node *Value);
  bool site(yaml::Node *N, Edit &E);
  bool apply(const Edit &E, yaml::Node *N);
  bool applyType(PlanEntry &To, const Edit &E);
  bool applyAmounts(PlanEntry &To, const Edit &E);
  bool applySites(PlanEntry &To, const Edit &E);
  void groups();
};

} // namespace

bool PlanReader::site(yaml::Node *N, Edit &E) {
  SiteEdit S;
  S.Where = N;
  bool Good = mapping(N, "a site", [&](const std::string &Key, yaml::Node *V) {
    if (Key == "at")
      return scalar(V, S.At);
    if (Key == "flags") {
      S.HasFlags = true;
      S.FlagsAt = V;
      return scalar(V, S.Flags);
    }
    if (Key == "call" || Key == "do" || Key == "notes") {
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
  if (Key == "type")
    return scalar(V, E.Type);
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
  for (StringRef Known : {"kind", "name", "form", "size", "bytes",
                          "constructed", "reasons", "notes"})
    if (Key == Known) {
      V->skip();
      return true;
    }
  return fail(V, "a zone has no '" + Key + "'");
}

bool PlanReader::zone(yaml::Node *N) {
  Edit E;
  if (!mapping(N, "a zone", [&](const std::string &Key, yaml::Node *V) {
        return zoneKey(E, Key, V);
      }))
    return false;
  return apply(E, N);
}

bool PlanReader::applyType(PlanEntry &To, const Edit &E) {
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
  if (To.Form == TypeForm::Redefine)
    return fail(At, To.Variable + " takes over " + To.Type +
                        ", which cannot have another name");
  for (const std::string &Name : {E.Type, E.Type + "_obj"})
    if (Index.isTaken(Name))
      return fail(At, "type " + E.Type + ": the tree already has " + Name +
                          " (" + Index.filesNaming(Name).front() + ")");
  for (const PlanEntry &Other : P.Entries)
    if (&Other != &To && Other.Type == E.Type)
      return fail(At, "type " + E.Type + " is also that of " + Other.Variable);
  To.Type = E.Type;
  return true;
}

bool PlanReader::applyAmounts(PlanEntry &To, const Edit &E) {
  if (E.Bootstrap && *E.Bootstrap && !To.HasBootstrap)
    return fail(E.Where.at("bootstrap"),
                To.Variable + " has no first items: there is nothing to "
                              "bootstrap it with");
  if (E.Reserve && *E.Reserve && !To.IsZone)
    return fail(E.Where.at("reserve"),
                To.Variable + " is an object cache, which keeps no reserve");
  if (!E.Reserve && !E.Bootstrap && !E.Zeroed)
    return true;
  if (E.Reserve)
    To.Reserve = *E.Reserve;
  if (E.Bootstrap)
    To.Bootstrap = *E.Bootstrap;
  To.WantReserve = To.Reserve > 0 || To.Bootstrap || E.Zeroed.value_or(false);
  return true;
}

bool PlanReader::applySites(PlanEntry &To, const Edit &E) {
  for (const SiteEdit &S : E.Sites) {
    auto It =
        llvm::find_if(To.Steps, [&](const Step &St) { return St.At == S.At; });
    if (It == To.Steps.end())
      return fail(S.Where, To.Variable + " has no site at " + S.At);
    if (!S.HasFlags)
      continue;
    if (It->Do != Action::Alloc)
      return fail(S.FlagsAt, "the site at " + S.At +
                                 " allocates nothing and takes no flags");
    bool Good = !S.Flags.empty() && llvm::all_of(S.Flags, [](char C) {
      return C >= 0x20 && C < 0x7f && C != ';' && C != '{' && C != '}';
    });
    if (!Good)
      return fail(S.FlagsAt,
                  "flags '" + S.Flags + "' are not an expression of M_* names");
    StringRef Wrong = misspeltFlag(S.Flags);
    if (S.Flags != It->Flags && !Wrong.empty())
      return fail(S.FlagsAt, "flags '" + S.Flags + "': " + Wrong +
                                 " is none of kmalloc()'s flags");
    It->Flags = S.Flags;
  }
  return true;
}

bool PlanReader::apply(const Edit &E, yaml::Node *N) {
  if (E.Variable.empty())
    return fail(N, "a zone without 'variable'");
  StringRef File = StringRef(E.At).rsplit(':').first;
  PlanEntry *To = nullptr;
  for (PlanEntry &Entry : P.Entries)
    if (Entry.Variable == E.Variable &&
        (E.At.empty() || Entry.Where.File == File) &&
        (!To || Entry.Where.lineRef() == E.At))
      To = &Entry;
  if (!To)
    return fail(E.Where.at("variable"),
                "there is no zone or cache " + E.Variable +
                    (E.At.empty() ? "" : " in " + File.str()));
  if (E.Decision == "convert" && !To->Convertible)
    return fail(E.Where.at("decision"), E.Variable + " cannot be converted: " +
                                            To->Reasons.front().str());
  if (!E.Decision.empty())
    To->Convert = E.Decision == "convert";
  if (!To->Convertible)
    return true;
  return (E.Type.empty() || applyType(*To, E)) && applyAmounts(*To, E) &&
         applySites(*To, E);
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

llvm::Error PlanReader::read() {
  yaml::document_iterator Document = Input.begin();
  yaml::Node *Root = Document == Input.end() ? nullptr : Document->getRoot();
  if (Error.empty())
    mapping(Root, "a plan", [&](const std::string &Key, yaml::Node *V) {
      if (Key == "version") {
        std::string Version;
        return scalar(V, Version) &&
               (Version == "1" || fail(V, "this is a plan of version " +
                                              Version + ", expected 1"));
      }
      if (Key == "zones")
        return sequence(V, "zones", [&](yaml::Node *N) { return zone(N); });
      if (Key == "naive") {
        std::optional<bool> Naive;
        if (!boolean(V, "naive", Naive))
          return false;
        P.Naive = *Naive;
        return true;
      }
      if (Key == "remarks") {
        V->skip();
        return true;
      }
      return fail(V, "a plan has no '" + Key + "'");
    });
  if (Error.empty() && Input.failed())
    Error = File.getBufferIdentifier().str() + ": not YAML";
  if (Error.empty())
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
