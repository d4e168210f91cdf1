/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a parse said, by the contents of all that it read.
 *
 * A key is the digest of everything that the result depends on: who computes
 * it (the program itself), by which command, from which contents of which
 * files. So an entry is never out of date; it is not asked for any more. What
 * lies on the disk is believed only if it is whole.
 *
 * Nobody depends on the cache. An entry that cannot be read is computed again;
 * one that cannot be written is known to this process alone. Entries appear by
 * rename(2), so that several processes may use one directory. The process that
 * added to it removes the entries that were not used for the longest time, when
 * all together are too many.
 */
#ifndef KMOBJ_CACHE_H
#define KMOBJ_CACHE_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/BLAKE3.h"
#include <atomic>
#include <mutex>
#include <optional>
#include <string>

namespace kmobj {

/// Digests a list of texts: {"ab", "c"} is not {"a", "bc"}.
class KeyHasher {
public:
  KeyHasher &operator<<(llvm::StringRef Text);
  /// In hexadecimal.
  std::string key();

private:
  llvm::BLAKE3 State;
};

class Cache {
public:
  /// The directory's name where a verb makes it.
  static constexpr llvm::StringLiteral DirectoryName = "kmobj.cache";
  static constexpr uint64_t Limit = 256 << 20;

  /// Version: that of the program, for its keys. Directory empty: what is known
  /// ends with the process.
  explicit Cache(std::string Version, std::string Directory = "",
                 uint64_t MaxBytes = Limit);
  ~Cache();
  Cache(const Cache &) = delete;

  const std::string &version() const { return Version; }

  std::optional<std::string> get(const std::string &Key);
  void put(const std::string &Key, llvm::StringRef Value);

  /// Why nothing more is written to the disk; empty: no reason.
  std::string trouble() const;
  unsigned hits() const { return Hits; }
  unsigned misses() const { return Misses; }

private:
  const std::string Version, Directory;
  const uint64_t MaxBytes;
  mutable std::mutex Lock;
  llvm::StringMap<std::string> Known;
  std::string Trouble;
  bool Added = false;
  std::atomic<unsigned> Hits = 0, Misses = 0;

  std::string path(llvm::StringRef Key) const;
  std::optional<std::string> read(const std::string &Key);
  std::error_code write(const std::string &Key, llvm::StringRef Value);
  void prune();
};

} // namespace kmobj

#endif
