/* SPDX-License-Identifier: BSD-3-Clause */
//===- NameTable.cpp - Which file names a zone or cache -------------------===//

#include "NameTable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace kmobj;
using llvm::StringRef;

/// What Name has for the one `*' in the Pattern, if it fits.
static std::optional<StringRef> part(StringRef Pattern, StringRef Name) {
  auto [Front, Back] = Pattern.split('*');
  if (Name.consume_front(Front) && Name.consume_back(Back))
    return Name;
  return std::nullopt;
}

/// Has the call, whose parenthesis opens there, an empty argument?
static bool leavesOut(const FileText &Text, size_t Open) {
  if (!Text.is(Open, "("))
    return false;
  for (size_t I = Open, Close = Text.closing(Open); I < Close; ++I)
    if ((Text.is(I, "(") || Text.is(I, ",")) &&
        (Text.is(I + 1, ")") || Text.is(I + 1, ",")))
      return true;
  return false;
}

/// Has F the part that Macro lacks? An empty one is an argument left out.
static bool says(const FileIndex &F, const FileText &Text,
                 const std::string &Macro, const std::string &Part) {
  if (!F.mayName(Part.empty() ? Macro : Part))
    return false;
  for (size_t I = 0; I < Text.tokens().size(); ++I)
    if (Part.empty() ? Text.is(I, Macro) && leavesOut(Text, I + 1)
                     : Text.is(I, Part))
      return true;
  return false;
}

static std::vector<std::string> apiNames() {
  std::vector<std::string> Names(apiTypes().begin(), apiTypes().end());
  for (unsigned I = 0; I <= static_cast<unsigned>(Api::ObjcacheSetClusterLimit);
       ++I)
    Names.push_back(apiName(static_cast<Api>(I)).str());
  return Names;
}

NameTable::NameTable(llvm::ArrayRef<const FileIndex *> Files, TextOf Text) {
  for (const FileIndex *F : Files)
    if (!isApiFile(F->Name))
      for (const FileIndex::Candidate &C : F->Candidates)
        declare(*F, C);
  for (const std::string &Name : apiNames()) {
    Linked.insert(Name);
    for (const FileIndex *F : Files)
      for (const FileIndex::Paste &P : F->Pastes)
        paste(*F, P, Name);
  }
  // A macro with a name in its body is a name, which others may have.
  while (!Fresh.empty()) {
    std::set<std::string> Names = std::exchange(Fresh, {});
    for (const FileIndex *F : Files)
      look(*F, Names, Text);
  }
}

bool NameTable::matters(llvm::ArrayRef<const FileIndex *> Unit) const {
  if (Unit.empty())
    return true;
  const FileIndex &Main = *Unit.front();
  if (Main.CallsApi || Main.MacroCalls || Main.NamesType)
    return true;
  std::set<StringRef> Seen;
  for (const FileIndex *F : Unit) {
    if (F->Opaque || Unread.count(F) || (F->CallsApi && !isApiFile(F->Name)))
      return true;
    for (const std::string &X : F->ComputedIncludes)
      for (const FileIndex *By : Unit)
        if (By->mayName("#" + X))
          return true;
    if (auto It = Declares.find(F); It != Declares.end())
      Seen.insert(It->second.begin(), It->second.end());
  }
  // A macro counts where a name in its body does.
  for (bool More = true; std::exchange(More, false);)
    for (const FileIndex *F : Unit)
      if (auto It = Carries.find(F); It != Carries.end())
        for (const auto &[Name, Macro] : It->second)
          if (Linked.count(Name) || Seen.count(Name))
            More |= Seen.insert(Macro).second;
  for (const FileIndex *F : Unit)
    if (auto It = Says.find(F); It != Says.end())
      for (const auto &[Name, OnlyInMacro] : It->second)
        if ((F == &Main || !OnlyInMacro) &&
            (Linked.count(Name) || Seen.count(Name)))
          return true;
  return false;
}

bool NameTable::isPlain(const FileIndex &F) const {
  return !F.CallsApi && !F.NamesType && F.TypeNames.empty() && !F.Opaque &&
         !F.IncludesInBody && !Says.count(&F);
}

void NameTable::declare(const FileIndex &F, const FileIndex::Candidate &C) {
  if (!C.InMacro)
    ++Declared[{&F, C.Name}];
  Declares[&F].insert(C.Name);
  if (C.Linked)
    Linked.insert(C.Name);
  know(C.Name, {});
}

void NameTable::know(const std::string &Name, Parts Missing) {
  if (Known[Name].insert(std::move(Missing)).second)
    Fresh.insert(Name);
}

/// Macro, in F, has Name in its body.
void NameTable::carry(const FileIndex &F, const FileText &Text,
                      const std::string &Name, const std::string &Macro) {
  Carries[&F].insert({Name, Macro});
  const std::set<Parts> Of = Known[Name];
  for (Parts Missing : Of) {
    llvm::erase_if(
        Missing, [&](const std::string &P) { return says(F, Text, Name, P); });
    know(Macro, std::move(Missing));
  }
}

/// The macro is the name for those who say what it lacks.
void NameTable::paste(const FileIndex &F, const FileIndex::Paste &P,
                      StringRef Name) {
  if (std::optional<StringRef> Part = part(P.Pattern, Name)) {
    Carries[&F].insert({Name.str(), P.Macro});
    know(P.Macro, {Part->str()});
  }
}

void NameTable::look(const FileIndex &F, const std::set<std::string> &Names,
                     TextOf TextOfFile) {
  for (const FileIndex::Paste &P : F.Pastes)
    for (const std::string &Name : Names)
      if (Known[Name].count({}))
        paste(F, P, Name);
  if (isApiFile(F.Name))
    return;
  llvm::StringSet<> Likely;
  for (const std::string &Name : Names)
    if (F.mayName(Name))
      Likely.insert(Name);
  if (Likely.empty())
    return;
  const FileText *Text = TextOfFile(F);
  if (!Text) {
    Unread.insert(&F);
    return;
  }
  std::map<std::string, unsigned> Outside;
  std::map<std::string, std::set<std::string>> Inside; ///< macro -> names
  const std::vector<TextToken> &Tokens = Text->tokens();
  StringRef Macro;
  for (size_t I = 0; I < Tokens.size(); ++I) {
    if (Tokens[I].LineStart)
      Macro = {};
    if (Tokens[I].Kind != TextToken::Identifier &&
        Tokens[I].Kind != TextToken::Number)
      continue;
    StringRef Word = Text->text(Tokens[I]);
    if (Tokens[I].Directive && Text->is(I - 1, "define") &&
        Text->is(I - 2, "#")) {
      Macro = Word;
      continue;
    }
    auto Say = [&](StringRef Name) {
      if (!Likely.contains(Name))
        return;
      if (Macro.empty())
        ++Outside[Name.str()];
      else
        Inside[Macro.str()].insert(Name.str());
    };
    Say(Word);
    if (I > 1 && Text->is(I - 1, ","))
      Say((Text->text(Tokens[I - 2]) + Word).str());
  }
  for (const auto &[Name, Times] : Outside)
    if (Times > declarations(F, Name) && isWhole(F, *Text, Name))
      Says[&F][Name] = false;
  for (const auto &[Macro, Words] : Inside)
    for (const std::string &Name : Words) {
      if (isWhole(F, *Text, Name))
        Says[&F].try_emplace(Name, true);
      carry(F, *Text, Name, Macro);
    }
}

/// Are the parts there that Name needs to be one?
bool NameTable::isWhole(const FileIndex &F, const FileText &Text,
                        const std::string &Name) const {
  return llvm::any_of(Known.at(Name), [&](const Parts &Missing) {
    return llvm::all_of(
        Missing, [&](const std::string &P) { return says(F, Text, Name, P); });
  });
}

unsigned NameTable::declarations(const FileIndex &F,
                                 const std::string &Name) const {
  auto It = Declared.find({&F, Name});
  return It == Declared.end() ? 0 : It->second;
}
