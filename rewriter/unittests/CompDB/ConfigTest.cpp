/* SPDX-License-Identifier: BSD-3-Clause */
//===- ConfigTest.cpp - Source lists, kernel configs, options -------------===//

#include "../../lib/CompDB/Options.h"
#include "TempTree.h"
#include "gtest/gtest.h"

using namespace kmobj::compdb;
using namespace llvm;

namespace {

std::vector<SourceEntry> readSources(StringRef Text,
                                     std::vector<Note> *Notes = nullptr) {
  TempTree T;
  std::vector<SourceEntry> Entries;
  std::vector<Note> Ignored;
  Error Err = readConfFiles(T.add("files", Text), T.Root, Entries,
                            Notes ? *Notes : Ignored);
  EXPECT_FALSE(static_cast<bool>(Err)) << toString(std::move(Err));
  return Entries;
}

KernelConfig readConfig(StringRef Text) {
  TempTree T;
  Expected<KernelConfig> C = readKernelConfig(T.add("TEST", Text), {});
  if (!C) {
    ADD_FAILURE() << toString(C.takeError());
    return {};
  }
  return *C;
}

TEST(ConfFiles, StandardAndOptional) {
  auto Entries = readSources("# a comment\n"
                             "kern/a.c\tstandard\n"
                             "dev/b.c   optional foo pci   # both\n"
                             "\n"
                             "dev/c.c optional foo | !bar\n");
  ASSERT_EQ(Entries.size(), 3u);
  EXPECT_EQ(Entries[0].Path, "kern/a.c");
  EXPECT_EQ(Entries[1].Line, 3u);
  KernelConfig None, Foo, FooPci, Bar;
  Foo.Devices["foo"] = 1;
  FooPci.Devices = {{"foo", 1}, {"pci", 1}};
  Bar.Options["BAR"] = "1";
  EXPECT_TRUE(Entries[0].wanted(None));
  EXPECT_FALSE(Entries[1].wanted(None));
  EXPECT_FALSE(Entries[1].wanted(Foo));
  EXPECT_TRUE(Entries[1].wanted(FooPci));
  EXPECT_TRUE(Entries[2].wanted(None));
  EXPECT_FALSE(Entries[2].wanted(Bar));
  Bar.Devices["foo"] = 1;
  EXPECT_TRUE(Entries[2].wanted(Bar));
}

TEST(ConfFiles, Attributes) {
  auto Entries =
      readSources("gen.h  optional foo \\\n"
                  "   dependency \"$S/tools/x.awk $S/dev/x\" \\\n"
                  "   compile-with \"${AWK} -f $S/tools/x.awk > gen.h\" \\\n"
                  "   no-obj no-implicit-rule before-depend clean \"gen.h\"\n"
                  "net/tun.c count tun\n"
                  "dev/fw.c optional fw local needs-count\n");
  ASSERT_EQ(Entries.size(), 3u);
  EXPECT_TRUE(Entries[0].NoObject);
  EXPECT_EQ(Entries[0].CompileWith, "${AWK} -f $S/tools/x.awk > gen.h");
  ASSERT_EQ(Entries[0].Alternatives.size(), 1u);
  ASSERT_EQ(Entries[0].Alternatives[0].size(), 1u);
  EXPECT_EQ(Entries[0].Alternatives[0][0].Name, "foo");
  EXPECT_EQ(Entries[1].Counted, std::vector<std::string>{"tun"});
  EXPECT_EQ(Entries[1].Line, 5u);
  EXPECT_TRUE(Entries[2].Local);
  EXPECT_EQ(Entries[2].Counted, std::vector<std::string>{"fw"});
}

TEST(ConfFiles, WhatMakesNoSenseIsNamed) {
  std::vector<Note> Notes;
  auto Entries = readSources("kern/a.c\n"
                             "kern/b.c sometimes\n"
                             "kern/c.c optional\n"
                             "kern/d.c standard compile-with\n"
                             "kern/e.c standard\n",
                             &Notes);
  ASSERT_EQ(Entries.size(), 1u);
  EXPECT_EQ(Entries[0].Path, "kern/e.c");
  ASSERT_EQ(Notes.size(), 4u);
  EXPECT_EQ(Notes[1].Line, 2u);
  EXPECT_NE(Notes[1].Message.find("sometimes"), std::string::npos);
}

TEST(ConfFiles, IncludesOtherLists) {
  TempTree T;
  T.add("conf/more", "b.c standard\r\n");
  std::vector<SourceEntry> Entries;
  std::vector<Note> Notes;
  cantFail(readConfFiles(T.add("conf/files", "a.c standard\n"
                                             "include \"$S/conf/more\"\n"),
                         T.Root, Entries, Notes));
  ASSERT_EQ(Entries.size(), 2u);
  EXPECT_EQ(Entries[1].Path, "b.c");
}

TEST(ConfFiles, ListThatIncludesItselfFails) {
  TempTree T;
  std::vector<SourceEntry> Entries;
  std::vector<Note> Notes;
  Error Err = readConfFiles(T.add("files", "include \"$S/files\"\n"), T.Root,
                            Entries, Notes);
  EXPECT_NE(toString(std::move(Err)).find("without end"), std::string::npos);
}

TEST(ConfFiles, AnotherKindOfListFails) {
  TempTree T;
  std::vector<SourceEntry> Entries;
  std::vector<Note> Notes;
  Error Err = readConfFiles(T.add("files", "defflag opt_x.h X\n"), T.Root,
                            Entries, Notes);
  EXPECT_NE(toString(std::move(Err)).find("files:1"), std::string::npos);
}

TEST(KernelConfig, TodaysForm) {
  KernelConfig C = readConfig("platform\tpc64\n"
                              "machine x86_64\n"
                              "machine_arch x86_64\n"
                              "cpu HAMMER_CPU\n"
                              "ident TEST\n"
                              "maxusers 8\n"
                              "options INET # the internet\n"
                              "options HZ=100, \tDDB\n"
                              "options SIZE=\"(4 * 1024)\"\n"
                              "options ROOT=\\\"ufs:da0\\\"\n"
                              "makeoptions DEBUG=-g\n"
                              "device em\n"
                              "pseudo-device tun 4\n");
  EXPECT_EQ(C.Platform, "pc64");
  EXPECT_EQ(C.MachineArch, "x86_64");
  EXPECT_EQ(C.Ident, "TEST");
  EXPECT_EQ(C.MaxUsers, "8");
  EXPECT_EQ(C.Options["INET"], "1");
  EXPECT_EQ(C.Options["HZ"], "100");
  EXPECT_EQ(C.Options["DDB"], "1");
  EXPECT_EQ(C.Options["SIZE"], "(4 * 1024)");
  EXPECT_EQ(C.Options["ROOT"], "\"ufs:da0\"");
  EXPECT_EQ(C.MakeOptions["DEBUG"], "-g");
  EXPECT_EQ(C.count("tun"), 4u);
  EXPECT_EQ(C.count("em"), 1u);
  EXPECT_EQ(C.count("nge"), 0u);
  EXPECT_TRUE(C.provides("hammer_cpu"));
  EXPECT_TRUE(C.provides("inet"));
  EXPECT_FALSE(C.provides("inet6"));
  EXPECT_TRUE(C.Notes.empty());
}

TEST(KernelConfig, OldForms) {
  KernelConfig C = readConfig("machine\t\"i386\"\n"
                              "cpu \"I686_CPU\"\n"
                              "config kernel root on wd0\n"
                              "controller fdc0 at isa? port \"IO_FD1\" bio\n"
                              "disk fd0 at fdc0 drive 0\n"
                              "device sio1 at isa?\n"
                              "\tport 0x3f8 tty irq 4\n"
                              "pseudo-device pty 16\n");
  EXPECT_EQ(C.Machine, "i386");
  EXPECT_EQ(C.MachineArch, "i386");
  EXPECT_TRUE(C.provides("fdc"));
  EXPECT_TRUE(C.provides("fd"));
  EXPECT_EQ(C.count("sio"), 2u);
  EXPECT_EQ(C.count("pty"), 16u);
  EXPECT_TRUE(C.Notes.empty());
}

TEST(KernelConfig, IncludeAndTakeBack) {
  TempTree T;
  T.add("BASE", "options A\noptions B\ndevice x\n");
  Expected<KernelConfig> C = readKernelConfig(
      T.add("TEST", "include BASE\nnooptions A\nnodevice x\n"), {});
  ASSERT_TRUE(static_cast<bool>(C));
  EXPECT_FALSE(C->provides("a"));
  EXPECT_TRUE(C->provides("b"));
  EXPECT_FALSE(C->provides("x"));
}

TEST(KernelConfig, MissingIncludeSaysWhere) {
  TempTree T;
  Expected<KernelConfig> C =
      readKernelConfig(T.add("TEST", "ident X\ninclude NOWHERE\n"), {});
  ASSERT_FALSE(static_cast<bool>(C));
  std::string Message = toString(C.takeError());
  EXPECT_NE(Message.find("TEST:2: includes NOWHERE"), std::string::npos)
      << Message;
}

TEST(KernelConfig, UnknownKeywordIsNamed) {
  KernelConfig C = readConfig("ident X\nfrobnicate y\n");
  ASSERT_EQ(C.Notes.size(), 1u);
  EXPECT_EQ(C.Notes[0].Line, 2u);
}

TEST(Options, HeadersSayWhatIsSet) {
  TempTree T;
  OptionTable Table;
  std::vector<Note> Notes;
  cantFail(readOptions(T.add("options", "INET\n"
                                        "HZ opt_clock.h # ticks\n"
                                        "WALL opt_clock.h\n"
                                        "BAD ../x.h\n"),
                       Table, Notes));
  EXPECT_EQ(Notes.size(), 1u);
  KernelConfig C = readConfig("cpu C0\noptions HZ=10\noptions ODD=2\n");
  std::vector<std::string> Unknown;
  auto Headers = optionHeaders(Table, C, Unknown);
  EXPECT_EQ(Headers.at("opt_clock.h"), "#define HZ 10\n");
  EXPECT_EQ(Headers.at("opt_inet.h"), "");
  EXPECT_EQ(Headers.at("opt_global.h"), "#define C0 1\n#define ODD 2\n");
  EXPECT_EQ(Unknown, std::vector<std::string>{"ODD"});
}

TEST(Options, Counts) {
  KernelConfig C = readConfig("pseudo-device bpf 3\n");
  EXPECT_EQ(countHeader("bpf", C), "#define NBPF 3\n");
  EXPECT_EQ(countHeader("vlan", C), "#define NVLAN 0\n");
}

} // namespace
