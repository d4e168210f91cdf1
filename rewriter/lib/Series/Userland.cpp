/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who outside the kernel knows the old allocators: by a symbol or structure
 * that is read out of its memory, by a sysctl, in a manual page.
 *
 * It is text that is looked at, not what it means: a person who reads the list
 * sees at once what matters, and what is not listed does not.
 */
#include "kmobj/Series.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include <algorithm>
#include <filesystem>
#include <map>

using namespace llvm;
namespace stdfs = std::filesystem;

namespace kmobj {

/// The name that Word stands for; empty: it has nothing to do with it. OfKernel:
/// in a page of section 9, where the allocators' functions are named, too; what
/// a library calls zalloc is another thing.
static StringRef nameIn(StringRef Word, bool OfKernel) {
  if (Word == "_zlist")
    return "_zlist";
  if (Word.starts_with("vm_zone"))
    return "vm_zone";
  if (Word.starts_with("vm.zone"))
    return "vm.zone";
  if (Word.contains_insensitive("objcache"))
    return "objcache";
  if (Word == "zone.9")
    return "zone.9";
  if (OfKernel)
    for (const StringRef Function :
         {"zalloc", "zfree", "zinit", "zinitna", "zbootinit", "zdestroy"})
      if (Word == Function)
        return "zalloc";
  return "";
}

static bool isManual(StringRef File) {
  const StringRef Ending = sys::path::extension(File);
  return Ending.size() == 2 && isDigit(Ending[1]);
}

bool Reader::ofZones() const { return Name != "objcache"; }

static void findIn(StringRef Text, const std::string &Path,
                   std::vector<Reader> &Readers) {
  const StringRef File = Path;
  const bool Manual = isManual(File);
  std::map<StringRef, Reader> Found;
  unsigned Line = 0;
  while (!Text.empty()) {
    auto [This, Rest] = Text.split('\n');
    Text = Rest;
    ++Line;
    const StringRef Code = This.ltrim();
    const bool Includes = Code.starts_with("#") && Code.contains("include");
    auto Add = [&](StringRef Name) {
      if (Name.empty())
        return;
      Reader &R = Found[Name];
      R.Includes |= Includes;
      if (R.Lines.empty() || R.Lines.back() != Line)
        R.Lines.push_back(Line);
    };
    if (Manual && This.starts_with(".Xr zone 9"))
      Add("zone.9");
    auto IsWord = [](char C) { return isAlnum(C) || C == '_' || C == '.'; };
    for (StringRef Left = This; !Left.empty();) {
      const StringRef Word = Left.take_while(IsWord);
      Add(nameIn(Word, File.ends_with(".9")));
      Left = Left.drop_front(std::max<size_t>(Word.size(), 1));
    }
  }
  for (auto &[Name, R] : Found)
    Readers.push_back({Path, Name.str(), std::move(R.Lines), R.Includes});
}

Expected<std::vector<Reader>> findReaders(ArrayRef<std::string> Directories,
                                          StringRef Tree) {
  std::vector<Reader> Readers;
  for (const std::string &Directory : Directories) {
    SmallString<256> Root;
    if (const std::error_code EC = sys::fs::real_path(Directory, Root))
      return createStringError("--userland %s: %s", Directory.c_str(),
                               EC.message().c_str());
    if (!sys::fs::is_directory(Root))
      return createStringError("--userland %s: is no directory",
                               Directory.c_str());
    std::error_code EC;
    for (stdfs::recursive_directory_iterator I(Root.c_str(), EC), End;
         !EC && I != End; I.increment(EC)) {
      const stdfs::path &Path = I->path();
      std::error_code Status;
      if (I->is_symlink(Status) || Path.filename() == ".git" ||
          Path.native() == Tree) {
        I.disable_recursion_pending();
        continue;
      }
      if (!I->is_regular_file(Status) || I->file_size(Status) > 4 << 20)
        continue;
      const auto Buffer = MemoryBuffer::getFile(Path.native());
      if (!Buffer)
        return createStringError("%s: %s", Path.c_str(),
                                 Buffer.getError().message().c_str());
      const StringRef Text = (*Buffer)->getBuffer();
      if (Text.take_front(8000).contains('\0'))
        continue;
      const StringRef Below =
          StringRef(Path.native()).drop_front(Root.size()).ltrim('/');
      findIn(Text, (sys::path::filename(Root) + "/" + Below).str(), Readers);
    }
    if (EC)
      return createStringError("--userland %s: %s", Directory.c_str(),
                               EC.message().c_str());
  }
  std::sort(Readers.begin(), Readers.end(),
            [](const Reader &A, const Reader &B) {
              return std::tie(A.File, A.Name) < std::tie(B.File, B.Name);
            });
  return Readers;
}

std::string Reader::str() const {
  constexpr size_t Shown = 4;
  std::vector<std::string> Numbers;
  for (const unsigned L : ArrayRef<unsigned>(Lines).take_front(Shown))
    Numbers.push_back(std::to_string(L));
  std::string Text = File + ":" + join(Numbers, ",");
  if (Lines.size() > Shown)
    Text += " and " + std::to_string(Lines.size() - Shown) + " more";
  return Text + ": " + Name;
}

} // namespace kmobj
