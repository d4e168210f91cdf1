/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Printable.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

static void append(std::string &Out, unsigned char C) {
  if (C == '\n')
    Out += "\\n";
  else
    Out += "\\x" + utohexstr(C, /*LowerCase=*/true, /*Width=*/2);
}

std::string kmobj::printable(StringRef Text) {
  std::string Out;
  for (size_t I = 0; I < Text.size(); ++I) {
    const unsigned char C = Text[I];
    // U+0080 to U+009F are control characters as well: C2 80 to C2 9F.
    const bool Second = C == 0xc2 && I + 1 < Text.size() &&
                        static_cast<unsigned char>(Text[I + 1]) < 0xa0;
    if (Second) {
      append(Out, C);
      append(Out, Text[++I]);
    } else if ((C < 0x20 && C != '\t') || C == 0x7f) {
      append(Out, C);
    } else {
      Out += C;
    }
  }
  return Out;
}

std::string kmobj::printableLines(StringRef Text) {
  std::string Out;
  while (!Text.empty()) {
    const auto [Line, Rest] = Text.split('\n');
    Out += printable(Line);
    if (Line.size() < Text.size())
      Out += '\n';
    Text = Rest;
  }
  return Out;
}
