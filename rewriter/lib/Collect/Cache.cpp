/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Cache.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <vector>

using namespace llvm;

namespace kmobj {

constexpr StringLiteral Suffix = ".parse", Unfinished = ".tmp";

KeyHasher &KeyHasher::operator<<(StringRef Text) {
  State.update((Twine(Text.size()) + ":").str());
  State.update(Text);
  return *this;
}

std::string KeyHasher::key() {
  return toHex(State.final<32>(), /*LowerCase=*/true);
}

Cache::Cache(std::string Version, std::string Directory, uint64_t MaxBytes)
    : Version(std::move(Version)), Directory(std::move(Directory)),
      MaxBytes(MaxBytes) {}

Cache::~Cache() {
  if (Added)
    prune();
}

std::string Cache::trouble() const {
  const std::lock_guard<std::mutex> Hold(Lock);
  return Trouble;
}

std::string Cache::path(StringRef Key) const {
  return (Directory + "/" + Key + Suffix).str();
}

/// What an entry's file begins with: a line that is another if a byte of the
/// value is, or if the value is another key's.
static std::string headOf(StringRef Key, StringRef Value) {
  KeyHasher Sum;
  Sum << Key << Value;
  return "kmobj " + Sum.key() + "\n";
}

std::optional<std::string> Cache::get(const std::string &Key) {
  {
    const std::lock_guard<std::mutex> Hold(Lock);
    if (const auto Found = Known.find(Key); Found != Known.end()) {
      ++Hits;
      return Found->second;
    }
  }
  std::optional<std::string> Value;
  if (!Directory.empty())
    Value = read(Key);
  ++(Value ? Hits : Misses);
  if (Value) {
    const std::lock_guard<std::mutex> Hold(Lock);
    Known[Key] = *Value;
  }
  return Value;
}

std::optional<std::string> Cache::read(const std::string &Key) {
  auto File = sys::fs::openNativeFileForRead(path(Key));
  if (!File) {
    consumeError(File.takeError());
    return std::nullopt;
  }
  auto Text = MemoryBuffer::getOpenFile(*File, path(Key), /*FileSize=*/-1,
                                        /*RequiresNullTerminator=*/false,
                                        /*IsVolatile=*/true);
  // It was of use now: the last to go.
  sys::fs::setLastAccessAndModificationTime(*File,
                                            std::chrono::system_clock::now());
  sys::fs::closeFile(*File);
  if (!Text)
    return std::nullopt;
  const StringRef All = (*Text)->getBuffer();
  const StringRef Value = All.substr(All.find('\n')).drop_front(1);
  if (All != headOf(Key, Value) + Value.str())
    return std::nullopt;
  return Value.str();
}

void Cache::put(const std::string &Key, StringRef Value) {
  {
    const std::lock_guard<std::mutex> Hold(Lock);
    Known[Key] = Value.str();
    if (Directory.empty() || !Trouble.empty())
      return;
  }
  const std::error_code EC = write(Key, Value);
  const std::lock_guard<std::mutex> Hold(Lock);
  Added = true;
  if (EC && Trouble.empty())
    Trouble = Directory + ": " + EC.message();
}

std::error_code Cache::write(const std::string &Key, StringRef Value) {
  if (!sys::fs::is_directory(Directory)) {
    if (const std::error_code EC = sys::fs::create_directories(Directory))
      return EC;
    // It is nothing to commit, should it be in somebody's tree.
    std::error_code EC;
    raw_fd_ostream Ignore(Directory + "/.gitignore", EC);
    if (!EC)
      Ignore << "*\n";
    Ignore.close();
    Ignore.clear_error();
  }
  auto File = sys::fs::TempFile::create(Directory + "/%%%%%%%%%%" + Unfinished);
  if (!File)
    return errorToErrorCode(File.takeError());
  raw_fd_ostream Out(File->FD, /*shouldClose=*/false);
  Out << headOf(Key, Value) << Value;
  Out.flush();
  const std::error_code EC = Out.error();
  Out.clear_error();
  if (EC) {
    consumeError(File->discard());
    return EC;
  }
  return errorToErrorCode(File->keep(path(Key)));
}

/// Down to three quarters of what is allowed, so that not each run has to.
void Cache::prune() {
  struct Entry {
    sys::TimePoint<> Used;
    uint64_t Bytes;
    std::string Path;
  };
  std::vector<Entry> Entries;
  uint64_t Total = 0;
  const auto Now = std::chrono::system_clock::now();
  std::error_code EC;
  for (sys::fs::directory_iterator I(Directory, EC), End; !EC && I != End;
       I.increment(EC)) {
    sys::fs::file_status Status;
    const StringRef Name = sys::path::filename(I->path());
    if ((!Name.ends_with(Suffix) && !Name.ends_with(Unfinished)) ||
        sys::fs::status(I->path(), Status))
      continue;
    // Somebody who was killed left it there.
    if (Name.ends_with(Unfinished)) {
      if (Now - Status.getLastModificationTime() > std::chrono::hours(1))
        sys::fs::remove(I->path());
      continue;
    }
    Entries.push_back(
        {Status.getLastModificationTime(), Status.getSize(), I->path()});
    Total += Status.getSize();
  }
  if (Total <= MaxBytes)
    return;
  llvm::sort(Entries, [](const Entry &A, const Entry &B) {
    return std::tie(A.Used, A.Path) < std::tie(B.Used, B.Path);
  });
  for (const Entry &E : Entries) {
    if (Total <= MaxBytes / 4 * 3)
      break;
    sys::fs::remove(E.Path);
    Total -= E.Bytes;
  }
}

} // namespace kmobj
