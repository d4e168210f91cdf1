/* SPDX-License-Identifier: BSD-3-Clause */
//===- KernelConfig.cpp - What one kernel is made of ----------------------===//

#include "KernelConfig.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

bool KernelConfig::provides(StringRef Need) const {
  std::string Lower = Need.lower();
  if (Devices.count(Lower))
    return true;
  std::string Upper = Need.upper();
  if (Options.count(Upper) || Cpus.count(Upper))
    return true;
  for (const auto &[Option, Value] : Options)
    if (StringRef(Option).equals_insensitive(Need))
      return true;
  return false;
}

unsigned KernelConfig::count(StringRef Device) const {
  auto It = Devices.find(Device.str());
  return It == Devices.end() ? 0 : It->second;
}

namespace {

enum class Keyword {
  Unknown,
  Platform,
  Machine,
  MachineArch,
  Cpu,
  Ident,
  MaxUsers,
  Options,
  NoOptions,
  MakeOptions,
  NoMakeOptions,
  Device,
  NoDevice,
  NoCpu,
  Include,
  Files,
  Ignored,
};

Keyword keyword(StringRef Word) {
  return StringSwitch<Keyword>(Word)
      .Case("platform", Keyword::Platform)
      .Case("machine", Keyword::Machine)
      .Case("machine_arch", Keyword::MachineArch)
      .Case("cpu", Keyword::Cpu)
      .Case("nocpu", Keyword::NoCpu)
      .Case("ident", Keyword::Ident)
      .Case("maxusers", Keyword::MaxUsers)
      .Cases("option", "options", Keyword::Options)
      .Cases("nooption", "nooptions", Keyword::NoOptions)
      .Cases("makeoption", "makeoptions", Keyword::MakeOptions)
      .Cases("nomakeoption", "nomakeoptions", Keyword::NoMakeOptions)
      .Cases("device", "devices", "pseudo-device", Keyword::Device)
      .Cases("controller", "disk", "tape", Keyword::Device)
      .Cases("nodevice", "nodevices", Keyword::NoDevice)
      .Case("include", Keyword::Include)
      .Case("files", Keyword::Files)
      .Cases("config", "hints", "env", "envvar", "profile", Keyword::Ignored)
      .Cases("hint", "port", "timezone", "ecpu", Keyword::Ignored)
      .Default(Keyword::Unknown);
}

class Reader {
public:
  Reader(KernelConfig &Config, ArrayRef<std::string> Directories)
      : Config(Config), Directories(Directories) {}

  Error read(StringRef Path, unsigned Depth = 0);

private:
  void line(StringRef File, const LogicalLine &Line, unsigned Depth,
            Error &Err);
  void options(ArrayRef<Word> Words);
  void devices(ArrayRef<Word> Words);
  std::string findInclude(StringRef Name, StringRef From) const;

  KernelConfig &Config;
  ArrayRef<std::string> Directories;
};

Error Reader::read(StringRef Path, unsigned Depth) {
  if (Depth > 16)
    return failure(Path + ": configs include each other without end");
  Expected<std::string> Text = readFile(Path);
  if (!Text)
    return Text.takeError();
  Error Err = Error::success();
  for (const LogicalLine &Line : logicalLines(*Text)) {
    cantFail(std::move(Err));
    Err = Error::success();
    line(Path, Line, Depth, Err);
    if (Err)
      return Err;
  }
  return Err;
}

/// `A', `A=1', `A="text"' and `A, B': one option after the other.
void Reader::options(ArrayRef<Word> Words) {
  for (const Word &W : Words) {
    SmallVector<StringRef, 4> Parts;
    if (W.Quoted)
      Parts.push_back(W.Text);
    else
      StringRef(W.Text).split(Parts, ',', -1, /*KeepEmpty=*/false);
    for (StringRef Part : Parts) {
      auto [Name, Value] = Part.split('=');
      if (!Name.empty())
        Config.Options[Name.str()] =
            Part.contains('=') ? Value.str() : std::string("1");
    }
  }
}

/// `em', `a, b', `tun 4', `sio0 at isa? port 0x3f8': the name, and how many.
void Reader::devices(ArrayRef<Word> Words) {
  bool More = true;
  for (size_t I = 0; I < Words.size() && More; ++I) {
    StringRef Name = Words[I].Text;
    More = Name.consume_back(",");
    SmallVector<StringRef, 4> Names;
    Name.split(Names, ',', -1, /*KeepEmpty=*/false);
    unsigned Count = 1;
    if (I + 1 < Words.size() && !More)
      if (StringRef(Words[I + 1].Text).getAsInteger(0, Count))
        Count = 1;
    for (StringRef N : Names) {
      unsigned &Slot = Config.Devices[N.lower()];
      Slot = std::max(Slot, Count);
      StringRef Digits = N;
      StringRef Stem = N.rtrim("0123456789");
      if (Stem.empty() || Stem.size() == N.size())
        continue;
      unsigned Unit = 0;
      Digits.drop_front(Stem.size()).getAsInteger(10, Unit);
      unsigned &StemSlot = Config.Devices[Stem.lower()];
      StemSlot = std::max(StemSlot, Unit < 1000 ? Unit + 1 : 1);
    }
  }
}

std::string Reader::findInclude(StringRef Name, StringRef From) const {
  if (sys::path::is_absolute(Name))
    return Name.str();
  SmallString<256> Path(sys::path::parent_path(From));
  sys::path::append(Path, Name);
  if (isFile(Path))
    return Path.str().str();
  for (const std::string &Directory : Directories) {
    SmallString<256> Other(Directory);
    sys::path::append(Other, Name);
    if (isFile(Other))
      return Other.str().str();
  }
  return Path.str().str();
}

void Reader::line(StringRef File, const LogicalLine &Line, unsigned Depth,
                  Error &Err) {
  std::vector<Word> Words = splitWords(Line.Text);
  if (Words.empty())
    return;
  auto complain = [&](const Twine &Message) {
    Config.Notes.push_back({File.str(), Line.Number, Message.str()});
  };
  Keyword Key = keyword(Words[0].Text);
  if (Key == Keyword::Unknown) {
    // An indented line goes on with the one before: `at isa?' and the like.
    if (!isspace(static_cast<unsigned char>(Line.Text[0])))
      complain("`" + Words[0].Text + "' is not a config keyword");
    return;
  }
  if (Key == Keyword::Ignored)
    return;
  if (Words.size() < 2) {
    complain("`" + Words[0].Text + "' wants a name");
    return;
  }
  const std::string &Value = Words[1].Text;
  ArrayRef<Word> Rest = ArrayRef(Words).drop_front();
  switch (Key) {
  case Keyword::Platform:
    Config.Platform = Value;
    break;
  case Keyword::Machine:
    Config.Machine = Value;
    if (Words.size() > 2)
      Config.MachineArch = Words[2].Text;
    break;
  case Keyword::MachineArch:
    Config.MachineArch = Value;
    break;
  case Keyword::Cpu:
    Config.Cpus.insert(Value);
    break;
  case Keyword::NoCpu:
    Config.Cpus.erase(Value);
    break;
  case Keyword::Ident:
    Config.Ident = Value;
    break;
  case Keyword::MaxUsers:
    Config.MaxUsers = Value;
    break;
  case Keyword::Options:
    options(Rest);
    break;
  case Keyword::NoOptions:
    Config.Options.erase(Value);
    break;
  case Keyword::MakeOptions: {
    std::string All;
    for (const Word &W : Rest)
      All += (All.empty() ? "" : " ") + W.Text;
    auto [Name, Setting] = StringRef(All).split('=');
    Config.MakeOptions[Name.rtrim("+ ").str()] = Setting.ltrim().str();
    break;
  }
  case Keyword::NoMakeOptions:
    Config.MakeOptions.erase(Value);
    break;
  case Keyword::Device:
    devices(Rest);
    break;
  case Keyword::NoDevice:
    Config.Devices.erase(StringRef(Value).lower());
    break;
  case Keyword::Files:
    Config.ExtraFiles.push_back(Value);
    break;
  case Keyword::Include: {
    std::string Path = findInclude(Value, File);
    if (!isFile(Path))
      Err = failure(File + ":" + Twine(Line.Number) + ": includes " + Value +
                    ", which does not exist");
    else
      Err = read(Path, Depth + 1);
    break;
  }
  case Keyword::Ignored:
  case Keyword::Unknown:
    break;
  }
}

} // namespace

Expected<KernelConfig> readKernelConfig(StringRef Path,
                                        ArrayRef<std::string> Directories) {
  KernelConfig Config;
  Config.Name = sys::path::filename(Path).str();
  if (Error Err = Reader(Config, Directories).read(Path))
    return Err;
  if (Config.MachineArch.empty())
    Config.MachineArch = Config.Machine;
  return Config;
}

} // namespace kmobj::compdb
