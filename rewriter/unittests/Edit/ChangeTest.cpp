/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Change.h"
#include "../TemporaryTree.h"
#include "gtest/gtest.h"

using namespace kmobj;

static std::string apply(llvm::StringRef Content, std::vector<Change> Changes) {
  auto Result = applyChanges("f.c", Content, std::move(Changes));
  return Result ? *Result : "error: " + llvm::toString(Result.takeError());
}

TEST(Change, AppliesInAnyOrder) {
  EXPECT_EQ(apply("abcdef", {{"f.c", 4, 1, "E"}, {"f.c", 1, 2, ""}}), "adEf");
}

TEST(Change, InsertionsKeepTheirOrderAndPrecedeAReplacement) {
  EXPECT_EQ(apply("ab", {{"f.c", 1, 1, "X"}, {"f.c", 1, 0, "1"},
                         {"f.c", 1, 0, "2"}}),
            "a12X");
}

TEST(Change, EqualChangesCountOnce) {
  EXPECT_EQ(apply("abc", {{"f.c", 1, 1, "X"}, {"f.c", 1, 1, "X"}}), "aXc");
}

TEST(Change, OverlapNamesTheLine) {
  EXPECT_EQ(apply("a\nbcd\n", {{"f.c", 2, 2, ""}, {"f.c", 3, 1, "X"}}),
            "error: f.c:2: two changes overlap here");
}

TEST(Change, InsertionInsideADeletionIsAnOverlap) {
  EXPECT_EQ(apply("abcd", {{"f.c", 0, 4, ""}, {"f.c", 2, 0, "X"}}),
            "error: f.c:1: two changes overlap here");
}

TEST(Change, OutsideTheFileIsAnError) {
  EXPECT_TRUE(llvm::StringRef(apply("abc", {{"f.c", 2, 2, ""}}))
                  .contains("outside the file"));
  EXPECT_TRUE(llvm::StringRef(apply("abc", {{"f.c", 1, UINT64_MAX, ""}}))
                  .contains("outside the file"));
}

TEST(Change, TakesOnCRLF) {
  EXPECT_EQ(apply("a\r\nb\r\n", {{"f.c", 3, 1, "x\ny"}}), "a\r\nx\r\ny\r\n");
  EXPECT_EQ(apply("a\nb\n", {{"f.c", 2, 1, "x\ny"}}), "a\nx\ny\n");
}

TEST(Materialize, EachPatchBuildsOnTheOnesBefore) {
  TemporaryTree Disk({{"a.c", "one two three\n"}});
  Patch First, Second;
  First.Changes = {{"a.c", 0, 3, "1"}};
  Second.Changes = {{"a.c", 8, 5, "3"}};
  Second.NewFiles = {{"b.c", "new\n"}};
  auto States = materialize(Disk.tree(), {First, Second});
  ASSERT_TRUE(static_cast<bool>(States));
  EXPECT_EQ((*States)[0], (FileSet{{"a.c", "1 two three\n"}}));
  EXPECT_EQ((*States)[1], (FileSet{{"a.c", "1 two 3\n"}, {"b.c", "new\n"}}));
}

TEST(Materialize, ANewFileMustBeNew) {
  TemporaryTree Disk({{"a.c", "\n"}});
  Patch P;
  P.NewFiles = {{"a.c", "x"}};
  auto States = materialize(Disk.tree(), {P});
  ASSERT_FALSE(static_cast<bool>(States));
  EXPECT_TRUE(llvm::StringRef(llvm::toString(States.takeError()))
                  .contains("exists already"));
}

TEST(Materialize, NamesTheFileItCannotRead) {
  TemporaryTree Disk({});
  Patch P;
  P.Changes = {{"gone.c", 0, 0, "x"}};
  auto States = materialize(Disk.tree(), {P});
  ASSERT_FALSE(static_cast<bool>(States));
  EXPECT_TRUE(llvm::StringRef(llvm::toString(States.takeError()))
                  .contains("gone.c: cannot read"));
}
