/* SPDX-License-Identifier: BSD-3-Clause */
//===- Text.h - Lines and words of a kernel's build files -----------------===//
//
// conf/files, conf/options, kernel configs and Makefiles share their lexical
// rules: a backslash joins lines, # starts a comment, double quotes hold a word
// together. Everything that reads them starts here.
//
//===----------------------------------------------------------------------===//

#ifndef KMOBJ_COMPDB_TEXT_H
#define KMOBJ_COMPDB_TEXT_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace kmobj::compdb {

/// Something in the tree that was not understood, and where.
struct Note {
  std::string File;
  unsigned Line = 0;
  std::string Message;
};

/// A line after joining; Number is that of its first physical line.
struct LogicalLine {
  unsigned Number;
  std::string Text;
};

std::vector<LogicalLine> logicalLines(llvm::StringRef Text);

struct Word {
  std::string Text;
  bool Quoted = false;
};

/// The words of one line, up to a comment. Quotes are removed where they hold
/// a word together; a backslash keeps the next character as it is.
std::vector<Word> splitWords(llvm::StringRef Line);

/// The arguments of a shell command without expansions or redirections.
std::vector<std::string> splitCommand(llvm::StringRef Command);

/// The contents of a file, or one sentence that names it.
llvm::Expected<std::string> readFile(llvm::StringRef Path);

bool isFile(llvm::StringRef Path);
bool isDirectory(llvm::StringRef Path);

/// The files below a directory whose name is Wanted, sorted. Links to
/// directories are not followed.
std::vector<std::string>
findFiles(llvm::StringRef Directory,
          llvm::function_ref<bool(llvm::StringRef Name)> Wanted);

llvm::Error failure(const llvm::Twine &Message);

} // namespace kmobj::compdb

#endif
