/* SPDX-License-Identifier: BSD-3-Clause */
//===- Text.cpp - Lines and words of a kernel's build files ---------------===//

#include "Text.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace kmobj::compdb {

std::vector<LogicalLine> logicalLines(StringRef Text) {
  std::vector<LogicalLine> Lines;
  unsigned Number = 0;
  bool Joined = false;
  while (!Text.empty()) {
    auto [Line, Rest] = Text.split('\n');
    Text = Rest;
    ++Number;
    Line.consume_back("\r");
    bool Continues = Line.consume_back("\\");
    if (Joined)
      Lines.back().Text += (" " + Line.ltrim()).str();
    else
      Lines.push_back({Number, Line.str()});
    Joined = Continues;
  }
  return Lines;
}

std::vector<Word> splitWords(StringRef Line) {
  std::vector<Word> Words;
  size_t I = 0, E = Line.size();
  while (true) {
    while (I < E && isspace(static_cast<unsigned char>(Line[I])))
      ++I;
    if (I == E || Line[I] == '#')
      return Words;
    Word W;
    bool Inside = false;
    for (; I < E; ++I) {
      char C = Line[I];
      if (C == '\\' && I + 1 < E) {
        W.Text += Line[++I];
      } else if (C == '"') {
        Inside = !Inside;
        W.Quoted = true;
      } else if (!Inside &&
                 (isspace(static_cast<unsigned char>(C)) || C == '#')) {
        break;
      } else {
        W.Text += C;
      }
    }
    Words.push_back(std::move(W));
  }
}

std::vector<std::string> splitCommand(StringRef Command) {
  std::vector<std::string> Args;
  size_t I = 0, E = Command.size();
  while (true) {
    while (I < E && isspace(static_cast<unsigned char>(Command[I])))
      ++I;
    if (I == E)
      return Args;
    std::string Arg;
    char Quote = 0;
    for (; I < E; ++I) {
      char C = Command[I];
      if (Quote ? C == Quote : C == '\'' || C == '"')
        Quote = Quote ? 0 : C;
      else if (C == '\\' && Quote != '\'' && I + 1 < E)
        Arg += Command[++I];
      else if (!Quote && isspace(static_cast<unsigned char>(C)))
        break;
      else
        Arg += C;
    }
    Args.push_back(std::move(Arg));
  }
}

Expected<std::string> readFile(StringRef Path) {
  auto Buffer = MemoryBuffer::getFile(Path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!Buffer)
    return failure("cannot read " + Path + ": " + Buffer.getError().message());
  return (*Buffer)->getBuffer().str();
}

bool isFile(StringRef Path) { return sys::fs::is_regular_file(Path); }
bool isDirectory(StringRef Path) { return sys::fs::is_directory(Path); }

static void findFiles(StringRef Directory,
                      function_ref<bool(StringRef Name)> Wanted,
                      std::vector<std::string> &Found) {
  std::error_code EC;
  for (sys::fs::directory_iterator I(Directory, EC, /*follow=*/false), E;
       I != E && !EC; I.increment(EC)) {
    if (I->type() == sys::fs::file_type::directory_file)
      findFiles(I->path(), Wanted, Found);
    else if (Wanted(sys::path::filename(I->path())))
      Found.push_back(I->path());
  }
}

std::vector<std::string> findFiles(StringRef Directory,
                                   function_ref<bool(StringRef Name)> Wanted) {
  std::vector<std::string> Found;
  findFiles(Directory, Wanted, Found);
  sort(Found);
  return Found;
}

Error failure(const Twine &Message) {
  return createStringError(inconvertibleErrorCode(), Message);
}

} // namespace kmobj::compdb
