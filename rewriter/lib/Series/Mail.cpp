/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mails as git format-patch makes them and git am takes them.
 */
#include "Mail.h"
#include "kmobj/Output.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace kmobj {

/// "0001-kernel-Use-kmalloc_obj-for-struct-foo.patch", as git names them.
static std::string fileName(unsigned Number, StringRef Subject) {
  std::string Name = std::to_string(Number);
  Name = std::string(Name.size() < 4 ? 4 - Name.size() : 0, '0') + Name + "-";
  const size_t Limit = Name.size() + 52;
  for (const char C : Subject) {
    const bool Plain = isAlnum(C) || C == '_' || C == '.';
    if (Plain)
      Name += C;
    else if (Name.back() != '-')
      Name += '-';
    if (Name.size() >= Limit)
      break;
  }
  return StringRef(Name).rtrim("-.").str() + ".patch";
}

std::string plural(unsigned N, StringRef What) {
  return std::to_string(N) + " " + What.str() + (N == 1 ? "" : "s");
}

static std::string mail(unsigned Number, unsigned Of, StringRef Subject,
                        StringRef Text, const MailOptions &Options) {
  std::string Out = "From " + std::string(40, '0') +
                    " Mon Sep 17 00:00:00 2001\nFrom: " + Options.Author + "\n";
  if (!Options.Date.empty())
    Out += "Date: " + Options.Date + "\n";
  Out += "Subject: [PATCH " + std::to_string(Number) + "/" +
         std::to_string(Of) + "] " + Subject.str() + "\n";
  const bool Plain = all_of((Subject + Options.Author + Text).str(),
                            [](unsigned char C) { return C < 0x80; });
  if (!Plain)
    Out += "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
           "Content-Transfer-Encoding: 8bit\n";
  return Out + "\n" + Text.str() + "-- \n" + programName() + "\n\n";
}

std::string statText(ArrayRef<FileStat> Files) {
  size_t Longest = 0;
  unsigned Most = 0, Added = 0, Removed = 0;
  for (const FileStat &F : Files) {
    Longest = std::max(Longest, F.Path.size());
    Most = std::max(Most, F.Added + F.Removed);
    Added += F.Added;
    Removed += F.Removed;
  }
  constexpr unsigned Graph = 30;
  const size_t Digits = std::to_string(Most).size();
  auto Scaled = [&](unsigned N) {
    if (Most <= Graph || N == 0)
      return N;
    return std::max(1u, N * Graph / Most);
  };
  std::string Out;
  for (const FileStat &F : Files) {
    const std::string Number = std::to_string(F.Added + F.Removed);
    Out += " " + F.Path + std::string(Longest - F.Path.size(), ' ') + " | " +
           std::string(Digits - Number.size(), ' ') + Number + " " +
           std::string(Scaled(F.Added), '+') +
           std::string(Scaled(F.Removed), '-');
    Out = StringRef(Out).rtrim(' ').str() + "\n";
  }
  Out += " " + plural(Files.size(), "file") + " changed";
  if (Added || !Removed)
    Out += ", " + plural(Added, "insertion") + "(+)";
  if (Removed)
    Out += ", " + plural(Removed, "deletion") + "(-)";
  return Out + "\n";
}

Expected<FileSet> formatMails(const SourceTree &Tree, const Series &S,
                              const Plan &P, const Facts &F,
                              const SeriesOptions &Made,
                              const MailOptions &Options) {
  // Of the directory that the tree is in.
  const StringRef Where = StringRef(Options.Prefix).rtrim('/');
  const std::string Above = Where.take_front(Where.rfind('/') + 1).str();
  FileSet Mails;
  const unsigned Count = S.Patches.size();
  std::map<std::string, FileStat> Total;
  for (unsigned I = 0; I < Count; ++I) {
    const Patch &One = S.Patches[I];
    const FileSet *Before = I ? &S.States[I - 1] : nullptr;
    std::map<std::string, FileDiff> Differ;
    auto Add = [&](const std::string &File, const FileSet *After) -> Error {
      auto D = fileDiff(Tree, Options.Prefix, File, Before, After);
      if (!D)
        return D.takeError();
      Differ[File] = std::move(*D);
      return Error::success();
    };
    for (const auto &[File, Content] : S.States[I])
      if (Error E = Add(File, &S.States[I]))
        return std::move(E);
    for (const std::string &File : One.RemovedFiles)
      if (Error E = Add(File, nullptr))
        return std::move(E);
    for (const OutsideFile &O : One.Outside)
      Differ["../" + O.Path] = {Above + O.Path, O.Before, O.After};
    std::string Diffs;
    std::vector<FileStat> Stats;
    for (const auto &[File, D] : Differ) {
      const DiffText Text = gitDiff(D);
      if (Text.Text.empty())
        continue;
      Diffs += Text.Text;
      Stats.push_back({D.Path, Text.Added, Text.Removed});
      FileStat &All = Total[D.Path];
      All.Path = D.Path;
      All.Added += Text.Added;
      All.Removed += Text.Removed;
    }
    std::string Notes = One.Notes;
    Notes += "Made by " + programName() + ": " + Options.Command + "\n\n";
    Mails[fileName(I + 1, One.Subject)] = mail(
        I + 1, Count, One.Subject,
        One.Body + "---\n" + Notes + statText(Stats) + "\n" + Diffs, Options);
  }
  if (Count) {
    std::vector<FileStat> Stats;
    for (const auto &[File, Stat] : Total)
      Stats.push_back(Stat);
    Mails["0000-cover-letter.patch"] =
        mail(0, Count, coverSubject(P),
             coverText(S, P, F, Made, Options) + "\n" + statText(Stats) + "\n",
             Options);
  }
  return Mails;
}

} // namespace kmobj
