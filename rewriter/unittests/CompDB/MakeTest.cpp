/* SPDX-License-Identifier: BSD-3-Clause */
//===- MakeTest.cpp - Variables of Makefiles ------------------------------===//

#include "../../lib/CompDB/Make.h"
#include "TempTree.h"
#include "gtest/gtest.h"

using namespace kmobj::compdb;

namespace {

class MakeTest : public ::testing::Test {
protected:
  std::string value(llvm::StringRef Text, llvm::StringRef Name) {
    MakeFile Make(T.Root, "/build");
    Make.preset("S", RootAlias);
    Make.preset("MACHINE_ARCH", "x86_64");
    EXPECT_TRUE(Make.read(T.add("Makefile", Text)));
    return Make.value(Name);
  }
  TempTree T;
};

TEST_F(MakeTest, Assignments) {
  EXPECT_EQ(value("A= 1 # one\nA+= 2\nA?= 3\nB?= 4\nC= $A${B}$(A)\n", "C"),
            "1 241 2");
  EXPECT_EQ(value("A= x\nB:= ${A}\nA= y\n", "B"), "x");
  EXPECT_EQ(value("A= x\nB= ${A}\nA= y\n", "B"), "y");
  EXPECT_EQ(value("A= a \\\n  b\n", "A"), "a  b");
  EXPECT_EQ(value("A!= rm -rf /\n", "A"), "");
  EXPECT_EQ(value("S= elsewhere\nA= $S/x\n", "A"), "/<sys>/x");
}

TEST_F(MakeTest, SelfReferenceEnds) {
  EXPECT_EQ(value("A= ${A} x\n", "B"), "");
  MakeFile Make("/", "/");
  Make.define("A", "${A}");
  EXPECT_EQ(Make.value("A"), "");
}

TEST_F(MakeTest, Conditions) {
  const char *Text = ".if ${MACHINE_ARCH} == \"x86_64\" && !defined(NOPE)\n"
                     "A= yes\n"
                     ".elif 1\n"
                     "A= no\n"
                     ".else\n"
                     "A= never\n"
                     ".endif\n";
  EXPECT_EQ(value(Text, "A"), "yes");
  EXPECT_EQ(value("X= 0\n.if ${X} > 0\nA= 1\n.else\nA= 2\n.endif\n", "A"), "2");
  EXPECT_EQ(
      value(".if empty(X) || (exists(/nowhere) && 1)\nA= 1\n.endif\n", "A"),
      "1");
  EXPECT_EQ(value("V= clang19\n.if ${V:Mclang*}\nA= c\n.endif\n", "A"), "c");
  EXPECT_EQ(
      value(".ifdef NOPE\n.if 1\nA= 1\n.endif\n.else\nA= 2\n.endif\n", "A"),
      "2");
}

TEST_F(MakeTest, Modifiers) {
  EXPECT_EQ(value("A= x/a.m y/b.c\nB= ${A:T:S/.m$/.h/}\n", "B"), "a.h b.c");
  EXPECT_EQ(value("A= a.c b.h\nB= ${A:M*.c:R}${A:N*.c}\n", "B"), "ab.h");
  EXPECT_EQ(value("A= a.c\nB= ${A:.c=.o} ${A:tu}\n", "B"), "a.o A.C");
  EXPECT_EQ(value("A= gcc80\nB= ${A:C/[a-z]+//}\n", "B"), "80");
  EXPECT_EQ(value("B= ${NONE:Ufallback}\n", "B"), "fallback");
}

TEST_F(MakeTest, Loops) {
  EXPECT_EQ(value(".for i in a b\nA+= <${i}:${i:tu}>\n.endfor\n", "A"),
            "<a:A> <b:B>");
}

TEST_F(MakeTest, IncludesBesideTheFile) {
  T.add("conf/more.mk", "A= more\n");
  EXPECT_EQ(value(".include \"conf/more.mk\"\n.include <bsd.prog.mk>\n", "A"),
            "more");
  EXPECT_EQ(value(".include \"$S/conf/more.mk\"\n", "A"), "more");
}

TEST_F(MakeTest, CommandsAreKeptNotRun) {
  MakeFile Make(T.Root, "/build");
  Make.read(T.add("Makefile", "opt_x.h:\n\techo \"#define X 1\" > ${.TARGET}\n"
                              "\tA= 1\nB= 2\n"));
  EXPECT_EQ(Make.commands().at("opt_x.h"),
            "echo \"#define X 1\" > ${.TARGET}\nA= 1\n");
  EXPECT_FALSE(Make.defined("A"));
  EXPECT_EQ(Make.value("B"), "2");
}

TEST_F(MakeTest, SearchPath) {
  MakeFile Make(T.Root, "/build");
  Make.preset(".CURDIR", "/<sys>/dev");
  Make.read(T.add("Makefile", ".PATH: ${.CURDIR}/x86 ../y\n"));
  EXPECT_EQ(Make.searchPath(),
            (std::vector<std::string>{"/<sys>/dev/x86", "../y"}));
  EXPECT_EQ(Make.real(Make.searchPath()[0]), T.Root + "/dev/x86");
}

} // namespace
