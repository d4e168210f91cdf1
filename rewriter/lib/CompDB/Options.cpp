/* SPDX-License-Identifier: BSD-3-Clause */
//===- Options.cpp - opt_*.h and use_*.h ----------------------------------===//

#include "Options.h"

using namespace llvm;

namespace kmobj::compdb {

Error readOptions(StringRef Path, OptionTable &Table,
                  std::vector<Note> &Notes) {
  Expected<std::string> Text = readFile(Path);
  if (!Text)
    return Text.takeError();
  for (const LogicalLine &Line : logicalLines(*Text)) {
    std::vector<Word> Words = splitWords(Line.Text);
    if (Words.empty())
      continue;
    const std::string &Option = Words[0].Text;
    std::string Header = Words.size() > 1
                             ? Words[1].Text
                             : "opt_" + StringRef(Option).lower() + ".h";
    if (!StringRef(Header).ends_with(".h") || StringRef(Header).contains('/')) {
      Notes.push_back({Path.str(), Line.Number,
                       "`" + Header + "' is not the name of a header"});
      continue;
    }
    Table.try_emplace(Option, Header);
  }
  return Error::success();
}

std::map<std::string, std::string>
optionHeaders(const OptionTable &Table, const KernelConfig &Config,
              std::vector<std::string> &Unknown) {
  std::map<std::string, std::string> Headers;
  Headers["opt_global.h"];
  for (const auto &[Option, Header] : Table)
    Headers[Header];

  std::map<std::string, std::string> Set = Config.Options;
  for (const std::string &Cpu : Config.Cpus)
    Set.try_emplace(Cpu, "1");
  if (!Config.MaxUsers.empty())
    Set.try_emplace("MAXUSERS", Config.MaxUsers);
  for (const auto &[Option, Value] : Set) {
    auto It = Table.find(Option);
    if (It == Table.end() && Option != "MAXUSERS" && !Config.Cpus.count(Option))
      Unknown.push_back(Option);
    std::string &Text =
        Headers[It == Table.end() ? "opt_global.h" : It->second];
    Text += "#define " + Option + " " + Value + "\n";
  }
  return Headers;
}

std::string countHeader(StringRef Device, const KernelConfig &Config) {
  return ("#define N" + Device.upper() + " " + Twine(Config.count(Device)) +
          "\n")
      .str();
}

} // namespace kmobj::compdb
