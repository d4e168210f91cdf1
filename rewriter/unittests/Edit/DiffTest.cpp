/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Diff.h"
#include "gtest/gtest.h"
#include <random>

using namespace kmobj;

/// The hunks: what follows the two lines of names.
static std::string hunks(const std::string &Before, const std::string &After) {
  const std::string Text = gitDiff({"f.c", Before, After}).Text;
  const size_t At = Text.find("\n@@");
  return At == std::string::npos ? Text : Text.substr(At + 1);
}

TEST(Diff, NothingDiffers) {
  EXPECT_EQ(gitDiff({"f.c", std::string("a\n"), "a\n"}).Text, "");
}

TEST(Diff, HeaderHasGitsBlobIds) {
  const DiffText D = gitDiff({"sys/f.c", std::string("a\n"), "b\n"});
  EXPECT_EQ(D.Text, "diff --git a/sys/f.c b/sys/f.c\n"
                    "index 78981922613b2afb6025042ff6bd878ac1994e85.."
                    "61780798228d17af2d34fce4cfbdf35556832472 100644\n"
                    "--- a/sys/f.c\n+++ b/sys/f.c\n@@ -1 +1 @@\n-a\n+b\n");
  EXPECT_EQ(D.Added, 1u);
  EXPECT_EQ(D.Removed, 1u);
}

TEST(Diff, NewFile) {
  const DiffText D = gitDiff({"f.c", std::nullopt, "x\ny\n"});
  EXPECT_NE(D.Text.find("new file mode 100644\nindex "
                        "0000000000000000000000000000000000000000.."),
            std::string::npos);
  EXPECT_NE(D.Text.find("--- /dev/null\n+++ b/f.c\n@@ -0,0 +1,2 @@\n+x\n+y\n"),
            std::string::npos);
}

TEST(Diff, ContextAndFunction) {
  EXPECT_EQ(hunks("main(void)\n{\n1\n2\n3\n4\n5\n6\n",
                  "main(void)\n{\n1\n2\n3\n4\nX\n6\n"),
            "@@ -4,5 +4,5 @@ main(void)\n 2\n 3\n 4\n-5\n+X\n 6\n");
}

TEST(Diff, NearHunksJoinFarOnesDoNot) {
  EXPECT_EQ(hunks("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n"),
            "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
  EXPECT_EQ(hunks("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n"),
            "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
            "@@ -6,4 +6,4 @@ a\n 5\n 6\n 7\n-b\n+B\n");
}

TEST(Diff, NoNewlineAtTheEnd) {
  EXPECT_EQ(hunks("a\nb", "a\nc"), "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at "
                                   "end of file\n+c\n\\ No newline at end of "
                                   "file\n");
}

TEST(Diff, DeletedAndInsertedLines) {
  EXPECT_EQ(hunks("1\n2\n3\n", "1\n3\n"), "@@ -1,3 +1,2 @@\n 1\n-2\n 3\n");
  EXPECT_EQ(hunks("1\n3\n", "1\n2\n3\n"), "@@ -1,2 +1,3 @@\n 1\n+2\n 3\n");
}

/// Applies the hunks of a diff, checking every context and deleted line.
static std::string patched(const std::string &Before, const std::string &Diff) {
  std::vector<std::string> Old;
  for (size_t At = 0; At < Before.size();) {
    const size_t End = Before.find('\n', At) + 1;
    Old.push_back(Before.substr(At, End - At));
    At = End;
  }
  std::string Out;
  size_t Line = 0;
  for (size_t At = Diff.find("@@"); At < Diff.size();) {
    const size_t End = Diff.find('\n', At) + 1;
    const std::string Text = Diff.substr(At + 1, End - At - 1);
    if (Diff[At] == '@') {
      const int Begin = std::stoi(Diff.substr(At + 4));
      const bool Nothing =
          Diff.substr(At + 4).find(",0 ") < Diff.substr(At + 4).find(" ");
      while (Line < static_cast<size_t>(Begin) - !Nothing)
        Out += Old[Line++];
    } else if (Diff[At] == '+') {
      Out += Text;
    } else {
      EXPECT_EQ(Old[Line], Text);
      if (Diff[At] == ' ')
        Out += Text;
      ++Line;
    }
    At = End;
  }
  while (Line < Old.size())
    Out += Old[Line++];
  return Out;
}

TEST(Diff, GivesTheNewTextBack) {
  std::mt19937 Random(7);
  for (int Round = 0; Round < 500; ++Round) {
    std::string Before, After;
    for (unsigned I = 0, N = Random() % 40; I < N; ++I) {
      const std::string Line(1, static_cast<char>('a' + Random() % 4));
      if (Random() % 5)
        Before += Line + "\n";
      if (Random() % 5)
        After += Line + "\n";
    }
    const DiffText D = gitDiff({"f.c", Before, After});
    if (Before != After) {
      EXPECT_EQ(patched(Before, D.Text), After) << D.Text;
    }
  }
}

TEST(Diff, AFileThatGoes) {
  const DiffText D = gitDiff({"f.c", std::string("x\n"), std::nullopt});
  EXPECT_EQ(D.Text,
            "diff --git a/f.c b/f.c\ndeleted file mode 100644\nindex "
            "587be6b4c3f93f93c489c0111bba5596147a26cb.."
            "0000000000000000000000000000000000000000\n"
            "--- a/f.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n");
  EXPECT_EQ(D.Removed, 1u);
}

TEST(Diff, NamesAsGitQuotesThem) {
  const DiffText Blank = gitDiff({"a b/f.c", std::string("x\n"), "y\n"});
  EXPECT_NE(Blank.Text.find("diff --git a/a b/f.c b/a b/f.c\n"),
            std::string::npos);
  EXPECT_NE(Blank.Text.find("--- a/a b/f.c\t\n+++ b/a b/f.c\t\n"),
            std::string::npos);
  const DiffText Odd = gitDiff({"\xc3\xbc\"\\/f.c", std::string("x\n"), "y\n"});
  EXPECT_NE(Odd.Text.find("diff --git \"a/\\303\\274\\\"\\\\/f.c\" "
                          "\"b/\\303\\274\\\"\\\\/f.c\"\n"),
            std::string::npos)
      << Odd.Text;
  EXPECT_NE(Odd.Text.find("--- \"a/\\303\\274\\\"\\\\/f.c\"\n"),
            std::string::npos);
}
