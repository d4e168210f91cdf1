/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache: what is in it, whom it believes, and that no change of anything
 * which a parse depends on goes unnoticed.
 */
#include "kmobj/Cache.h"
#include "../TemporaryTree.h"
#include "kmobj/Collect.h"
#include "gtest/gtest.h"
#include <csignal>
#include <filesystem>
#include <sys/resource.h>

using namespace kmobj;
using clang::tooling::CompilationDatabase;
using clang::tooling::CompileCommand;
using llvm::StringRef;
namespace stdfs = std::filesystem;

namespace {

std::string onlyEntry(const std::string &Directory) {
  for (const auto &E : stdfs::directory_iterator(Directory))
    if (E.path().extension() == ".parse")
      return E.path().string();
  return "";
}

unsigned entries(const std::string &Directory) {
  unsigned N = 0;
  for (const auto &E : stdfs::directory_iterator(Directory))
    N += E.path().extension() == ".parse";
  return N;
}

std::string textOf(const std::string &Path) {
  return SourceTree("/").read(Path.substr(1)).get();
}

void overwrite(const std::string &Path, StringRef Text) {
  std::error_code EC;
  llvm::raw_fd_ostream(Path, EC) << Text;
}

const std::string Key = KeyHasher().key();

/// zalloc() through a header.
const FileSet Tree = {
    {"vm/vm_zone.h", "typedef struct vm_zone *vm_zone_t;\n"
                     "vm_zone_t zinit(char *, unsigned long, int, unsigned);\n"
                     "void *zalloc(vm_zone_t);\n"},
    {"foo.h", "#include <vm/vm_zone.h>\n#define SIZE 64\n"
              "#ifdef BIG\n#undef SIZE\n#define SIZE 128\n#endif\n"},
    {"two/bar.h", "#define BAR 1\n"},
    {"foo.c", "#include \"foo.h\"\n#include <bar.h>\nvm_zone_t foo_zone;\n"
              "void foo(void) { foo_zone = zinit(\"FOO\", SIZE, BAR, 0); }\n"
              "void *get(void) { return (zalloc(foo_zone)); }\n"},
};

class Database : public CompilationDatabase {
public:
  explicit Database(std::string Root) : Root(std::move(Root)) {}
  std::vector<std::string> More;

  std::vector<CompileCommand> getCompileCommands(StringRef) const override {
    std::vector<std::string> Line{"clang", "-nostdinc", "-I" + Root,
                                  "-I" + Root + "/one", "-I" + Root + "/two"};
    llvm::append_range(Line, More);
    Line.push_back(Root + "/foo.c");
    return {CompileCommand(Root, Root + "/foo.c", Line, "")};
  }
  std::vector<std::string> getAllFiles() const override {
    return {Root + "/foo.c"};
  }
  std::vector<CompileCommand> getAllCompileCommands() const override {
    return getCompileCommands("");
  }

private:
  std::string Root;
};

class KnownUnits : public testing::Test {
protected:
  TemporaryTree Disk{Tree};
  Database DB{Disk.tree().root()};
  const std::string Where = Disk.root() + "/kmobj.cache";
  std::string Version = "1";

  std::string facts(Cache *Known) {
    CollectOptions Options;
    Options.Tree = Disk.tree().root();
    Options.Known = Known;
    return writeFacts(llvm::cantFail(collect(DB, Options)));
  }
  /// Collects as a new process does; whether the unit was parsed. What comes
  /// out is what comes out without a cache.
  bool isParsed() {
    Cache Known(Version, Where);
    EXPECT_EQ(facts(&Known), facts(nullptr));
    EXPECT_EQ(Known.trouble(), "");
    return Known.misses() != 0;
  }
};

} // namespace

TEST(Cache, IsKeptForOthers) {
  TemporaryTree Disk(FileSet{});
  const std::string Where = Disk.root() + "/c";
  Cache("1", Where).put(Key, "value\n with two lines");
  Cache Again("1", Where);
  EXPECT_EQ(Again.get(Key), "value\n with two lines");
  EXPECT_EQ(Again.get("other"), std::nullopt);
  EXPECT_EQ(textOf(Where + "/.gitignore"), "*\n");
}

TEST(Cache, WithoutADirectoryItEndsWithTheProcess) {
  Cache C("1");
  C.put(Key, "value");
  EXPECT_EQ(C.get(Key), "value");
}

TEST(Cache, KeysAreOfTextsAndNotOfTheirSum) {
  KeyHasher A, B;
  A << "ab"
    << "c";
  B << "a"
    << "bc";
  EXPECT_NE(A.key(), B.key());
}

TEST(Cache, WhatIsNotWholeIsNotBelieved) {
  TemporaryTree Disk(FileSet{});
  const std::string Where = Disk.root() + "/c";
  Cache("1", Where).put(Key, "value");
  const std::string Path = onlyEntry(Where), Good = textOf(Path);
  EXPECT_EQ(Cache("1", Where).get(Key), "value");
  for (size_t I = 0; I < Good.size(); ++I) {
    std::string Bad = Good;
    Bad[I] ^= 1;
    overwrite(Path, Bad);
    EXPECT_EQ(Cache("1", Where).get(Key), std::nullopt) << I;
    overwrite(Path, StringRef(Good).take_front(I));
    EXPECT_EQ(Cache("1", Where).get(Key), std::nullopt) << I;
  }
  overwrite(Path, Good + "x");
  EXPECT_EQ(Cache("1", Where).get(Key), std::nullopt);
  // Under another key's name.
  overwrite(Where + "/other.parse", Good);
  EXPECT_EQ(Cache("1", Where).get("other"), std::nullopt);
  Cache Mends("1", Where);
  Mends.put(Key, "value");
  EXPECT_EQ(Cache("1", Where).get(Key), "value");
}

TEST(Cache, WhatWasUsedLastStays) {
  TemporaryTree Disk(FileSet{});
  const std::string Where = Disk.root() + "/c", Value(1000, 'x');
  const auto Then = stdfs::file_time_type::clock::now();
  {
    Cache C("1", Where, 1 << 20);
    for (int I = 0; I < 8; ++I) {
      C.put("k" + std::to_string(I), Value);
      stdfs::last_write_time(Where + "/k" + std::to_string(I) + ".parse",
                             Then - std::chrono::hours(10 - I));
    }
  }
  EXPECT_EQ(entries(Where), 8u);
  Cache("1", Where).get("k0"); // of use
  { Cache("1", Where, 5000).put("k9", Value); }
  EXPECT_LE(entries(Where), 4u);
  EXPECT_TRUE(Cache("1", Where).get("k0"));
  EXPECT_TRUE(Cache("1", Where).get("k9"));
  EXPECT_FALSE(Cache("1", Where).get("k1"));
}

TEST(Cache, WhereNothingCanBeWrittenItGoesWithout) {
  TemporaryTree Disk(FileSet{});
  Disk.write("c", "a file");
  Cache C("1", Disk.root() + "/c");
  C.put(Key, "value");
  EXPECT_EQ(C.get(Key), "value");
  EXPECT_NE(C.trouble(), "");
  EXPECT_EQ(Disk.read("c"), "a file");
}

TEST(Cache, WhatDoesNotFitIsNotLeftHalf) {
  TemporaryTree Disk(FileSet{});
  const std::string Where = Disk.root() + "/c";
  Cache C("1", Where);
  C.put("first", "small");
  rlimit Old;
  getrlimit(RLIMIT_FSIZE, &Old);
  const rlimit Full = {200, Old.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &Full);
  C.put(Key, std::string(100000, 'x'));
  setrlimit(RLIMIT_FSIZE, &Old);
  EXPECT_NE(C.trouble(), "");
  EXPECT_EQ(C.get(Key)->size(), 100000u);
  EXPECT_EQ(Cache("1", Where).get(Key), std::nullopt);
  EXPECT_EQ(entries(Where), 1u);
  // Neither is what was begun.
  for (const auto &E : stdfs::directory_iterator(Where))
    EXPECT_NE(E.path().extension(), ".tmp");
}

TEST_F(KnownUnits, AreParsedOnce) {
  EXPECT_TRUE(isParsed());
  EXPECT_FALSE(isParsed());
}

TEST_F(KnownUnits, NotWhenTheUnitChanges) {
  isParsed();
  Disk.write("sys/foo.c", Tree.at("foo.c") + "void *h(void) { return "
                                             "(zalloc(foo_zone)); }\n");
  EXPECT_TRUE(isParsed());
}

TEST_F(KnownUnits, NotWhenAHeaderOfAHeaderChanges) {
  isParsed();
  Disk.write("sys/vm/vm_zone.h", Tree.at("vm/vm_zone.h") + "/* */\n");
  EXPECT_TRUE(isParsed());
  EXPECT_FALSE(isParsed());
  Disk.write("sys/vm/vm_zone.h", Tree.at("vm/vm_zone.h"));
  EXPECT_FALSE(isParsed()); // known from the beginning
}

TEST_F(KnownUnits, NotWhenAMacroOfTheCommandIsAnother) {
  isParsed();
  DB.More = {"-DBIG"};
  EXPECT_TRUE(isParsed());
  EXPECT_NE(facts(nullptr).find("\"value\": 128"), std::string::npos);
}

TEST_F(KnownUnits, NotWhenAHeaderComesBeforeTheOneThatWasFound) {
  isParsed();
  Disk.write("sys/one/bar.h", "#define BAR 2\n");
  EXPECT_TRUE(isParsed());
  EXPECT_NE(facts(nullptr).find("\"2\""), std::string::npos);
}

TEST_F(KnownUnits, NotWhenAHeaderGoes) {
  isParsed();
  stdfs::remove(Disk.root() + "/sys/two/bar.h");
  EXPECT_TRUE(isParsed());
}

TEST_F(KnownUnits, NotByAnotherVersionOfTheProgram) {
  isParsed();
  Version = "2";
  EXPECT_TRUE(isParsed());
}

TEST_F(KnownUnits, NotWithAnotherSearchPathFromTheEnvironment) {
  isParsed();
  setenv("CPATH", (Disk.root() + "/sys/three").c_str(), 1);
  EXPECT_TRUE(isParsed());
  unsetenv("CPATH");
}

/// What is read there, no key says.
TEST_F(KnownUnits, NotByACommandThatReadsElsewhere) {
  Disk.write("elsewhere/usr/include/bar.h", "#define BAR 3\n");
  stdfs::remove(Disk.root() + "/sys/two/bar.h");
  DB.More = {"--sysroot=" + Disk.root() + "/elsewhere", "-idirafter",
             "=/usr/include"};
  isParsed();
  CollectOptions Options;
  EXPECT_EQ(stdfs::exists(Where) ? entries(Where) : 0, 0u);
}

TEST_F(KnownUnits, NotWhenTheTextDoesNotSayWhatIsRead) {
  Disk.write("sys/foo.c",
             "#define WHAT <bar.h>\n#include WHAT\n" + Tree.at("foo.c"));
  isParsed();
  EXPECT_EQ(stdfs::exists(Where) ? entries(Where) : 0, 0u);
}
