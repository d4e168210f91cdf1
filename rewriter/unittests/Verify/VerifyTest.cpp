/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Verify.h"
#include "../TemporaryTree.h"
#include "kmobj/Parse.h"
#include "kmobj/TreeView.h"
#include "kmobj/Trial.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <set>

using namespace kmobj;
using clang::tooling::FixedCompilationDatabase;
namespace stdfs = std::filesystem;

static std::string contents(llvm::vfs::FileSystem &FS,
                            const std::string &Path) {
  auto Buffer = FS.getBufferForFile(Path);
  return Buffer ? (*Buffer)->getBuffer().str() : "(none)";
}

TEST(TreeView, ContentsInPlaceOfFiles) {
  TemporaryTree Disk(FileSet{{"a.h", "old"}, {"b.h", "kept"}});
  const std::string Tree = Disk.tree().root();
  auto FS = viewContents(Tree, {{"a.h", "new"}, {"c.h", "added"}});
  EXPECT_EQ(contents(*FS, Tree + "/a.h"), "new");
  EXPECT_EQ(contents(*FS, Tree + "/b.h"), "kept");
  EXPECT_EQ(contents(*FS, Tree + "/c.h"), "added");
  EXPECT_EQ(contents(*FS, Tree + "/./a.h"), "new");
}

TEST(TreeView, LinksFromOutsideLeadIntoIt) {
  TemporaryTree Disk(FileSet{{"include/a.h", "old"}});
  const std::string Tree = Disk.tree().root();
  std::error_code EC;
  stdfs::create_directory_symlink(Tree + "/include", Disk.root() + "/machine",
                                  EC);
  auto FS = viewContents(Tree, {{"include/a.h", "new"}});
  EXPECT_EQ(contents(*FS, Disk.root() + "/machine/a.h"), "new");
}

TEST(TreeView, AnotherDirectory) {
  TemporaryTree Disk(FileSet{{"a.h", "old"}, {"gone.h", "x"}});
  Disk.write("out/a.h", "new");
  Disk.write("out/added.h", "added");
  const std::string Tree = Disk.tree().root();
  auto FS = viewDirectory(Tree, Disk.root() + "/out");
  EXPECT_EQ(contents(*FS, Tree + "/a.h"), "new");
  EXPECT_EQ(contents(*FS, Tree + "/added.h"), "added");
  EXPECT_EQ(contents(*FS, Tree + "/gone.h"), "(none)");
  std::error_code EC;
  std::set<std::string> Names;
  for (auto I = FS->dir_begin(Tree, EC);
       !EC && I != llvm::vfs::directory_iterator(); I.increment(EC))
    Names.insert(I->path().str());
  EXPECT_EQ(Names, (std::set<std::string>{Tree + "/a.h", Tree + "/added.h"}));
}

TEST(NewDiagnostics, OnlyThoseThatWereNotThere) {
  TemporaryTree Disk(FileSet{{"a.c", "int f(void) { int unused; return 0; }\n"},
                             {"b.c", "int g;\n"}});
  const FixedCompilationDatabase DB(Disk.root(), {"-Wall"});
  const FileSet After{{"a.c", "\n\nint f(void) { int unused; return h(); }\n"}};
  const auto New =
      newDiagnostics(DB, DB, Disk.tree(), After, {"a.c", "b.c"}, {});
  ASSERT_EQ(New.size(), 1u);
  EXPECT_EQ(New[0].Unit, "a.c");
  EXPECT_EQ(New[0].File, "a.c");
  EXPECT_EQ(New[0].Text.substr(0, 18), "a.c:3:34: error: c");
}

TEST(LoadDatabase, SaysWhatIsMissing) {
  TemporaryTree Disk(FileSet{});
  auto DB = loadDatabase({Disk.root()});
  ASSERT_FALSE(static_cast<bool>(DB));
  EXPECT_NE(llvm::toString(DB.takeError()).find("compile_commands.json"),
            std::string::npos);
}

/// A plan with one zone in a.c, whose conversion is what Text makes of the size
/// as it is to be written.
static llvm::Expected<bool>
tried(Plan &P, const std::string &Size,
      std::function<std::string(std::string)> Text) {
  TemporaryTree Disk(FileSet{{"a.c", "int a;\n"}});
  const FixedCompilationDatabase DB(Disk.root(), {"-Wall"});
  PlanEntry E;
  E.Key = E.Variable = "z";
  E.Where = {"a.c", 0, 1, 1, 1};
  E.Convert = E.Convertible = true;
  E.SizeText = Size;
  E.Size = 64;
  E.Sizes = {{"64", "", "a.c"}};
  P.Entries = {E};
  Facts F;
  F.Tree = Disk.tree().root();
  F.Units = {Unit{"a.c", Unit::Parsed, "", {}}};
  return tryConversion(
      DB, Disk.tree(), F, P,
      [&](Plan &Tried) -> llvm::Expected<FileSet> {
        const PlanEntry &E = Tried.Entries[0];
        return FileSet{{"a.c", E.Convert ? Text(E.SizeText) : "int a;\n"}};
      },
      {});
}

TEST(Trial, TheSizeIsThePlans) {
  Plan P;
  auto Text = [](const std::string &Size) {
    return "struct s { char c[64]; };\nlong a = " + Size + ";\n";
  };
  EXPECT_FALSE(llvm::cantFail(tried(P, "sizeof(struct s)", Text)));
  EXPECT_TRUE(P.Entries[0].Convert);
}

TEST(Trial, ASizeThatIsAnotherIsRefused) {
  Plan P;
  auto Text = [](const std::string &Size) {
    return "struct s { char c[16]; };\nlong a = " + Size + ";\n";
  };
  EXPECT_TRUE(llvm::cantFail(tried(P, "sizeof(struct s)", Text)));
  EXPECT_FALSE(P.Entries[0].Convert);
  EXPECT_EQ(P.Entries[0].Reasons[0].Text,
            "its size is written as sizeof(struct s), which is 16 in a.c and "
            "64 where it is created");
}

TEST(Trial, AWarningIsSaidAndRefusesNothing) {
  Plan P;
  auto Text = [](const std::string &) {
    return std::string("int f(void) { int unused; return 0; }\n");
  };
  EXPECT_FALSE(llvm::cantFail(tried(P, "64", Text)));
  EXPECT_TRUE(P.Entries[0].Convert);
  ASSERT_EQ(P.Remarks.size(), 1u);
  EXPECT_NE(P.Remarks[0].Text.find("unused variable"), std::string::npos);
}
