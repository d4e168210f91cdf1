/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Diff.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA1.h"
#include <algorithm>
#include <vector>

using namespace llvm;

namespace kmobj {

namespace {

constexpr unsigned ContextLines = 3;
/// Beyond this many edits the middle is shown as replaced altogether: a diff
/// that large is not read line by line, and the search is quadratic.
constexpr int MaxEdits = 2000;

/// A maximal run of old lines [OldBegin, OldEnd) replaced by new lines.
struct Region {
  unsigned OldBegin, OldEnd, NewBegin, NewEnd;
};

using Lines = std::vector<StringRef>;

/// Lines with their terminators; the last one may lack it.
Lines splitLines(StringRef Text) {
  Lines Result;
  while (!Text.empty()) {
    const size_t End = Text.find('\n');
    const size_t Length = End == StringRef::npos ? Text.size() : End + 1;
    Result.push_back(Text.take_front(Length));
    Text = Text.drop_front(Length);
  }
  return Result;
}

/// Myers' greedy search over the differing middles. Appends, for each edit in
/// order from the end, the matching of old against new lines to the regions.
class Differ {
public:
  Differ(const Lines &Old, const Lines &New) : Old(Old), New(New) {}

  std::vector<Region> run() {
    unsigned Head = 0;
    while (Head < Old.size() && Head < New.size() && Old[Head] == New[Head])
      ++Head;
    unsigned Tail = 0;
    while (Tail < Old.size() - Head && Tail < New.size() - Head &&
           Old[Old.size() - 1 - Tail] == New[New.size() - 1 - Tail])
      ++Tail;
    Begin = Head;
    N = Old.size() - Head - Tail;
    M = New.size() - Head - Tail;
    if (N == 0 && M == 0)
      return {};
    if (N == 0 || M == 0 || !search())
      return {{Begin, Begin + N, Begin, Begin + M}};
    return backtrack();
  }

private:
  bool search() {
    const int Max = std::min<int>(N + M, MaxEdits);
    std::vector<int> V(2 * Max + 3, 0);
    for (int D = 0; D <= Max; ++D) {
      Trace.push_back(std::vector<int>(V.begin() + (Max + 1 - D) - 1,
                                       V.begin() + (Max + 1 + D) + 2));
      for (int K = -D; K <= D; K += 2) {
        int *At = &V[Max + 1 + K];
        int X = K == -D || (K != D && At[-1] < At[1]) ? At[1] : At[-1] + 1;
        int Y = X - K;
        while (X < N && Y < M && Old[Begin + X] == New[Begin + Y])
          ++X, ++Y;
        *At = X;
        if (X >= N && Y >= M)
          return true;
      }
    }
    return false;
  }

  std::vector<Region> backtrack() const {
    std::vector<Region> Result;
    int X = N, Y = M;
    for (int D = Trace.size() - 1; D > 0; --D) {
      const int *V = Trace[D].data() + D + 1;
      const int K = X - Y;
      const bool Down = K == -D || (K != D && V[K - 1] < V[K + 1]);
      const int PrevK = Down ? K + 1 : K - 1;
      const int PrevX = V[PrevK], PrevY = PrevX - PrevK;
      const unsigned OldBegin = Begin + PrevX, NewBegin = Begin + PrevY;
      const unsigned OldEnd = OldBegin + !Down, NewEnd = NewBegin + Down;
      if (!Result.empty() && Result.back().OldBegin == OldEnd &&
          Result.back().NewBegin == NewEnd) {
        Result.back().OldBegin = OldBegin;
        Result.back().NewBegin = NewBegin;
      } else {
        Result.push_back({OldBegin, OldEnd, NewBegin, NewEnd});
      }
      X = PrevX, Y = PrevY;
    }
    std::reverse(Result.begin(), Result.end());
    return Result;
  }

  const Lines &Old;
  const Lines &New;
  int N = 0, M = 0;
  unsigned Begin = 0;
  std::vector<std::vector<int>> Trace;
};

/// Moves a pure insertion or deletion down as far as equal lines allow, as
/// git does: an added function then starts at its own first line.
void slideDown(std::vector<Region> &Regions, const Lines &Old,
               const Lines &New) {
  for (size_t I = 0; I < Regions.size(); ++I) {
    Region &R = Regions[I];
    const unsigned OldLimit =
        I + 1 < Regions.size() ? Regions[I + 1].OldBegin : Old.size();
    const unsigned NewLimit =
        I + 1 < Regions.size() ? Regions[I + 1].NewBegin : New.size();
    const bool Insertion = R.OldBegin == R.OldEnd;
    if (!Insertion && R.NewBegin != R.NewEnd)
      continue;
    while (R.OldEnd < OldLimit && R.NewEnd < NewLimit &&
           (Insertion ? New[R.NewBegin] == New[R.NewEnd]
                      : Old[R.OldBegin] == Old[R.OldEnd])) {
      ++R.OldBegin, ++R.OldEnd, ++R.NewBegin, ++R.NewEnd;
    }
  }
}

/// The line of the enclosing function, as `diff -p` finds it.
std::string functionContext(const Lines &Old, unsigned Before) {
  for (unsigned I = Before; I-- > 0;) {
    const StringRef Line = Old[I];
    if (isAlpha(Line.front()) || Line.front() == '_' || Line.front() == '$')
      return " " + Line.rtrim().take_front(80).rtrim().str();
  }
  return {};
}

void printLine(std::string &Out, char Mark, StringRef Line) {
  Out += Mark;
  Out += Line;
  if (!Line.ends_with("\n"))
    Out += "\n\\ No newline at end of file\n";
}

std::string rangeText(unsigned Begin, unsigned End) {
  const unsigned Count = End - Begin;
  std::string Text = std::to_string(Count == 0 ? Begin : Begin + 1);
  if (Count != 1)
    Text += "," + std::to_string(Count);
  return Text;
}

std::string blobId(StringRef Content) {
  SHA1 Hash;
  Hash.update("blob " + std::to_string(Content.size()));
  Hash.update(ArrayRef<uint8_t>(uint8_t(0)));
  Hash.update(Content);
  return toHex(Hash.final(), /*LowerCase=*/true);
}

} // namespace

/// A path as git writes it: in quotes if a character of it could not stand in a
/// header.
static std::string quoted(StringRef Path) {
  const bool Plain = all_of(Path, [](unsigned char C) {
    return C >= 0x20 && C < 0x7f && C != '"' && C != '\\';
  });
  if (Plain)
    return Path.str();
  std::string Out = "\"";
  for (const unsigned char C : Path) {
    if (C == '"' || C == '\\')
      Out += {'\\', static_cast<char>(C)};
    else if (C >= 0x20 && C < 0x7f)
      Out += static_cast<char>(C);
    else
      Out +=
          {'\\', static_cast<char>('0' + C / 64),
           static_cast<char>('0' + C / 8 % 8), static_cast<char>('0' + C % 8)};
  }
  return Out + "\"";
}

/// The same behind --- or +++, where a blank would end it.
static std::string headerPath(StringRef Path) {
  const std::string Quoted = quoted(Path);
  return Quoted + (Quoted.front() != '"' && Path.contains(' ') ? "\t" : "");
}

DiffText gitDiff(const FileDiff &File) {
  DiffText Result;
  const std::string Empty;
  const std::string &Before = File.Before ? *File.Before : Empty;
  const std::string &After = File.After ? *File.After : Empty;
  if (File.Before && File.After && Before == After)
    return Result;
  const Lines Old = splitLines(Before), New = splitLines(After);
  std::vector<Region> Regions = Differ(Old, New).run();
  slideDown(Regions, Old, New);

  const std::string Mode = File.Executable ? "100755" : "100644";
  std::string &Out = Result.Text;
  const std::string A = "a/" + File.Path, B = "b/" + File.Path;
  const std::string Nothing(40, '0');
  Out += "diff --git " + quoted(A) + " " + quoted(B) + "\n";
  if (!File.Before)
    Out += "new file mode " + Mode + "\n";
  if (!File.After)
    Out += "deleted file mode " + Mode + "\n";
  Out += "index " + (File.Before ? blobId(Before) : Nothing) + ".." +
         (File.After ? blobId(After) : Nothing) +
         (File.Before && File.After ? " " + Mode : "") + "\n";
  if (!Regions.empty())
    Out += "--- " + (File.Before ? headerPath(A) : "/dev/null") + "\n+++ " +
           (File.After ? headerPath(B) : "/dev/null") + "\n";

  for (size_t I = 0; I < Regions.size();) {
    size_t Last = I;
    while (Last + 1 < Regions.size() &&
           Regions[Last + 1].OldBegin - Regions[Last].OldEnd <=
               2 * ContextLines)
      ++Last;
    const unsigned Lead = std::min(ContextLines, Regions[I].OldBegin);
    const unsigned Trail =
        std::min<unsigned>(ContextLines, Old.size() - Regions[Last].OldEnd);
    const unsigned OldBegin = Regions[I].OldBegin - Lead;
    Out += "@@ -" + rangeText(OldBegin, Regions[Last].OldEnd + Trail) + " +" +
           rangeText(Regions[I].NewBegin - Lead, Regions[Last].NewEnd + Trail) +
           " @@" + functionContext(Old, OldBegin) + "\n";
    unsigned Line = OldBegin;
    for (; I <= Last; ++I) {
      const Region &R = Regions[I];
      for (; Line < R.OldBegin; ++Line)
        printLine(Out, ' ', Old[Line]);
      for (; Line < R.OldEnd; ++Line)
        printLine(Out, '-', Old[Line]);
      for (unsigned J = R.NewBegin; J < R.NewEnd; ++J)
        printLine(Out, '+', New[J]);
      Result.Removed += R.OldEnd - R.OldBegin;
      Result.Added += R.NewEnd - R.NewBegin;
    }
    for (const unsigned End = Line + Trail; Line < End; ++Line)
      printLine(Out, ' ', Old[Line]);
  }
  return Result;
}

} // namespace kmobj
