/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Output.h"
#include "../TemporaryTree.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <set>

using namespace kmobj;
namespace stdfs = std::filesystem;

static std::string message(llvm::Error E) {
  return E ? llvm::toString(std::move(E)) : "";
}

/// Names in a directory, but for those that are expected.
static std::vector<std::string> leftOvers(const TemporaryTree &Disk,
                                          std::set<std::string> Expected) {
  std::vector<std::string> Found;
  std::error_code EC;
  for (const auto &Entry : stdfs::directory_iterator(Disk.root(), EC))
    if (!Expected.count(Entry.path().filename()))
      Found.push_back(Entry.path().filename());
  return Found;
}

TEST(OutputTree, CopiesAndChanges) {
  TemporaryTree Disk(FileSet{{"a.c", "old\n"}, {"sub/b.sh", "same\n"}});
  std::error_code EC;
  stdfs::create_symlink("sub", Disk.root() + "/sys/link", EC);
  stdfs::permissions(Disk.root() + "/sys/sub/b.sh", stdfs::perms(0755), EC);
  const FileSet After{{"a.c", "new\n"}, {"x/y.c", "added\n"}};
  EXPECT_EQ(message(writeOutputTree(Disk.root() + "/out/", Disk.tree(), After)),
            "");
  EXPECT_EQ(Disk.read("out/a.c"), "new\n");
  EXPECT_EQ(Disk.read("out/sub/b.sh"), "same\n");
  EXPECT_EQ(Disk.read("out/x/y.c"), "added\n");
  EXPECT_EQ(stdfs::read_symlink(Disk.root() + "/out/link", EC), "sub");
  EXPECT_EQ(stdfs::status(Disk.root() + "/out/sub/b.sh", EC).permissions(),
            stdfs::perms(0755));
  EXPECT_EQ(Disk.read("sys/a.c"), "old\n");
  EXPECT_TRUE(leftOvers(Disk, {"sys", "out"}).empty());
}

TEST(OutputTree, AChangeThroughALinkInsideTheTree) {
  TemporaryTree Disk(FileSet{{"real/files", "old\n"}});
  std::error_code EC;
  stdfs::create_symlink("real", Disk.root() + "/sys/conf", EC);
  EXPECT_EQ(message(writeOutputTree(Disk.root() + "/out", Disk.tree(),
                                    {{"conf/files", "new\n"}})),
            "");
  EXPECT_EQ(Disk.read("out/real/files"), "new\n");
  EXPECT_TRUE(stdfs::is_symlink(Disk.root() + "/out/conf", EC));
}

TEST(OutputTree, NotInsideTheTree) {
  TemporaryTree Disk(FileSet{{"a.c", "\n"}});
  EXPECT_NE(message(writeOutputTree(Disk.root() + "/sys/out", Disk.tree(), {}))
                .find("lies inside the tree"),
            std::string::npos);
  EXPECT_EQ(Disk.read("sys/out/a.c"), "(none)");
}

TEST(OutputTree, AnErrorLeavesNothing) {
  TemporaryTree Disk(FileSet{{"a.c", "\n"}});
  std::error_code EC;
  stdfs::create_symlink("/nonexistent/x", Disk.root() + "/sys/conf", EC);
  // A link that leads out of the tree cannot be changed.
  Disk.write("outside", "\n");
  stdfs::create_symlink(Disk.root() + "/outside", Disk.root() + "/sys/files",
                        EC);
  EXPECT_NE(message(writeOutputTree(Disk.root() + "/out", Disk.tree(),
                                    {{"files", "new\n"}}))
                .find("leads out of the tree"),
            std::string::npos);
  EXPECT_TRUE(leftOvers(Disk, {"sys", "outside"}).empty());
}

TEST(OutputDirectory, Checks) {
  TemporaryTree Disk(FileSet{{"a.c", "\n"}});
  Disk.write("full/x", "\n");
  Disk.write("file", "\n");
  EXPECT_EQ(message(checkOutputDirectory(Disk.root() + "/fresh")), "");
  EXPECT_NE(
      message(checkOutputDirectory(Disk.root() + "/full")).find("not empty"),
      std::string::npos);
  EXPECT_NE(
      message(checkOutputDirectory(Disk.root() + "/file")).find("no directory"),
      std::string::npos);
  EXPECT_NE(message(checkOutputDirectory(Disk.root() + "/file/x")), "");
  EXPECT_NE(message(checkOutputDirectory(Disk.root() + "/none/x"))
                .find("there is no directory " + Disk.root() +
                      "/none; make it first"),
            std::string::npos);
  EXPECT_TRUE(leftOvers(Disk, {"sys", "full", "file"}).empty());
}

TEST(InPlace, ChangesOnlyWhatDiffers) {
  TemporaryTree Disk(FileSet{{"a.c", "old\n"}, {"b.c", "same\n"}});
  std::error_code EC;
  stdfs::permissions(Disk.root() + "/sys/a.c", stdfs::perms(0600), EC);
  EXPECT_EQ(message(writeInPlace(
                Disk.tree(),
                {{"a.c", "new\n"}, {"b.c", "same\n"}, {"c.c", "added\n"}})),
            "");
  EXPECT_EQ(Disk.read("sys/a.c"), "new\n");
  EXPECT_EQ(Disk.read("sys/c.c"), "added\n");
  EXPECT_EQ(stdfs::status(Disk.root() + "/sys/a.c", EC).permissions(),
            stdfs::perms(0600));
}

TEST(InPlace, AllOrNothing) {
  TemporaryTree Disk(FileSet{{"a.c", "old\n"}});
  // No directory for the second file: the first one stays as it was.
  EXPECT_NE(message(writeInPlace(Disk.tree(),
                                 {{"a.c", "new\n"}, {"none/c.c", "added\n"}})),
            "");
  EXPECT_EQ(Disk.read("sys/a.c"), "old\n");
  std::error_code EC;
  unsigned Count = 0;
  for (const auto &Entry :
       stdfs::directory_iterator(Disk.root() + "/sys", EC)) {
    (void)Entry;
    ++Count;
  }
  EXPECT_EQ(Count, 1u);
}

TEST(Directory, HasTheFilesOrIsNotThere) {
  TemporaryTree Disk(FileSet{{"a.c", "1\n"}});
  EXPECT_EQ(message(writeDirectory(Disk.root() + "/p/", {{"x", "1"}})), "");
  EXPECT_EQ(Disk.read("p/x"), "1");
  EXPECT_NE(message(writeDirectory(Disk.root() + "/q", {{"no/x", "1"}})), "");
  EXPECT_TRUE(leftOvers(Disk, {"sys", "p"}).empty());
}

TEST(OutputTree, WithoutWhatGoes) {
  TemporaryTree Disk(FileSet{{"a.c", "1\n"}, {"b.c", "2\n"}});
  EXPECT_EQ(message(writeOutputTree(Disk.root() + "/out", Disk.tree(),
                                    {{"a.c", "new\n"}}, {"b.c"})),
            "");
  EXPECT_EQ(Disk.read("out/a.c"), "new\n");
  EXPECT_EQ(Disk.read("out/b.c"), "(none)");
  EXPECT_EQ(Disk.read("sys/b.c"), "2\n");
  EXPECT_EQ(message(writeInPlace(Disk.tree(), {}, {"b.c"})), "");
  EXPECT_EQ(Disk.read("sys/b.c"), "(none)");
}

TEST(WriteFile, ReplacesWhole) {
  TemporaryTree Disk(FileSet{{"a.c", "old\n"}});
  EXPECT_EQ(message(writeFile(Disk.root() + "/sys/a.c", "new\n")), "");
  EXPECT_EQ(Disk.read("sys/a.c"), "new\n");
  EXPECT_NE(message(writeFile(Disk.root() + "/sys", "x")), "");
  EXPECT_NE(message(writeFile(Disk.root() + "/none/x", "x")), "");
}
