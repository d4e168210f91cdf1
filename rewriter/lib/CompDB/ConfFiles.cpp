/* SPDX-License-Identifier: BSD-3-Clause */
//===- ConfFiles.cpp - Which sources a kernel may have --------------------===//

#include "ConfFiles.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace llvm;

namespace kmobj::compdb {

bool SourceEntry::wanted(const KernelConfig &Config) const {
  if (Standard)
    return true;
  return any_of(Alternatives, [&](const std::vector<Need> &All) {
    return all_of(All, [&](const Need &N) {
      return Config.provides(N.Name) != N.Negated;
    });
  });
}

namespace {

/// Attributes that take no argument and do not change what is parsed.
bool isSilentAttribute(StringRef Word) {
  return StringSwitch<bool>(Word)
      .Cases("no-implicit-rule", "before-depend", "no-depend", "nowerror", true)
      .Cases("device-driver", "config-dependent", true)
      .Cases("needs-flag", "no-ctfconvert", "mandatory", true)
      .Default(false);
}

bool takesArgument(StringRef Word) {
  return StringSwitch<bool>(Word)
      .Cases("dependency", "clean", "warning", "obj-prefix", true)
      .Cases("compile-with", "ctfconvert", true)
      .Default(false);
}

/// Parses the words after the path. Returns what is wrong, or nothing.
std::string parseEntry(ArrayRef<Word> Words, SourceEntry &Entry) {
  StringRef When = Words[1].Text;
  if (When == "standard" || When == "mandatory")
    Entry.Standard = true;
  else if (When != "optional" && When != "count")
    return ("expected `standard' or `optional' after " + Words[0].Text +
            ", found `" + When + "'")
        .str();

  bool Count = When == "count", Negated = false;
  Entry.Alternatives.emplace_back();
  for (size_t I = 2; I < Words.size(); ++I) {
    StringRef Text = Words[I].Text;
    if (takesArgument(Text)) {
      if (I + 1 == Words.size())
        return ("`" + Text + "' wants an argument").str();
      ++I;
      if (Text == "compile-with")
        Entry.CompileWith = Words[I].Text;
    } else if (Text == "no-obj") {
      Entry.NoObject = true;
    } else if (Text == "local") {
      Entry.Local = true;
    } else if (Text == "needs-count" || Text == "count") {
      Count = true;
    } else if (Text == "|") {
      Entry.Alternatives.emplace_back();
    } else if (Text == "!") {
      Negated = true;
    } else if (!isSilentAttribute(Text)) {
      Negated |= Text.consume_front("!");
      Entry.Alternatives.back().push_back({Text.str(), Negated});
      Negated = false;
    }
  }
  erase_if(Entry.Alternatives, [](const auto &All) { return All.empty(); });
  if (Count && !Entry.Alternatives.empty())
    Entry.Counted.push_back(Entry.Alternatives.front().front().Name);
  if (!Entry.Standard && Entry.Alternatives.empty())
    return "`optional' names nothing that could ask for it";
  return "";
}

Error readList(StringRef Path, StringRef Root,
               std::vector<SourceEntry> &Entries, std::vector<Note> &Notes,
               unsigned Depth) {
  if (Depth > 16)
    return failure(Path + ": source lists include each other without end");
  Expected<std::string> Text = readFile(Path);
  if (!Text)
    return Text.takeError();
  for (const LogicalLine &Line : logicalLines(*Text)) {
    std::vector<Word> Words = splitWords(Line.Text);
    if (Words.empty())
      continue;
    StringRef First = Words[0].Text;
    if (First == "include" && Words.size() == 2) {
      StringRef Name = Words[1].Text;
      Name.consume_front("$S/");
      if (Error Err = readList((Root + "/" + Name).str(), Root, Entries, Notes,
                               Depth + 1))
        return Err;
      continue;
    }
    if (First == "defflag" || First == "defparam" || First == "deffs" ||
        First == "define" || (First == "file" && Words.size() > 1))
      return failure(Path + ":" + Twine(Line.Number) + ": `" + First +
                     "': this list is for NetBSD's config(1), whose trees "
                     "cannot be read");
    SourceEntry Entry;
    Entry.Path = Words[0].Text;
    Entry.List = Path.str();
    Entry.Line = Line.Number;
    std::string Wrong =
        Words.size() < 2
            ? "`standard' or `optional' is missing after " + Words[0].Text
            : parseEntry(Words, Entry);
    if (Wrong.empty())
      Entries.push_back(std::move(Entry));
    else
      Notes.push_back({Path.str(), Line.Number, Wrong});
  }
  return Error::success();
}

} // namespace

Error readConfFiles(StringRef Path, StringRef Root,
                    std::vector<SourceEntry> &Entries,
                    std::vector<Note> &Notes) {
  return readList(Path, Root, Entries, Notes, 0);
}

} // namespace kmobj::compdb
