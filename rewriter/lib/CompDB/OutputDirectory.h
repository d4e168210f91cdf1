/* SPDX-License-Identifier: BSD-3-Clause */
//===- OutputDirectory.h - A directory that appears whole or not at all ---===//

#ifndef KMOBJ_COMPDB_OUTPUTDIRECTORY_H
#define KMOBJ_COMPDB_OUTPUTDIRECTORY_H

#include "Text.h"

namespace kmobj::compdb {

/// Writes a file, and the directories above it.
llvm::Error writeFile(const std::string &Path, llvm::StringRef Contents);

/// Everything is written to a staging directory beside the final one and moved
/// there by commit(). What is not committed is removed.
class OutputDirectory {
public:
  /// Final may not exist, be empty, or hold a file called Marker, which says
  /// that it is an earlier output and may go. It may not lie in Forbidden.
  static llvm::Expected<OutputDirectory> create(llvm::StringRef Final,
                                                llvm::StringRef Marker,
                                                llvm::StringRef Forbidden);
  OutputDirectory(OutputDirectory &&Other);
  ~OutputDirectory();

  const std::string & final() const { return Final; }
  const std::string &staging() const { return Staging; }
  llvm::Error write(llvm::StringRef Name, llvm::StringRef Contents);
  /// What an earlier output has under the name Keep stays.
  llvm::Error commit(llvm::StringRef Keep);

private:
  OutputDirectory(std::string Final, std::string Staging)
      : Final(std::move(Final)), Staging(std::move(Staging)) {}

  std::string Final, Staging;
};

} // namespace kmobj::compdb

#endif
