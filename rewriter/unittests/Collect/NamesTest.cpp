/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Names.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace kmobj;
using llvm::StringRef;

namespace {

/// The names of a set, in order.
std::string sorted(const llvm::StringSet<> &Set) {
  std::vector<StringRef> Names(Set.keys().begin(), Set.keys().end());
  llvm::sort(Names);
  std::string Text;
  for (StringRef Name : Names)
    Text += (Text.empty() ? "" : " ") + Name.str();
  return Text;
}

TEST(Names, Declared) {
  const NamesOf N("#ifndef _FOO_H_\n"
                  "#define _FOO_H_\n"
                  "#define FOO(x) bar(x)\n"
                  "struct tag;\n"
                  "typedef struct foo { int a, b[2]; struct in *c; } *foo_t;\n"
                  "typedef int (*hook_t)(int unused);\n"
                  "typedef void (plain_t)(void);\n"
                  "enum { ONE, TWO = 2 };\n"
                  "extern int x, *y;\n"
                  "extern int z __read_mostly;\n"
                  "void f(int arg) __dead2;\n"
                  "MALLOC_DECLARE(M_FOO);\n"
                  "static inline int g(foo_t p) { return (p->a + h(p)); }\n"
                  "int v = VALUE;\n"
                  "#endif\n");
  EXPECT_EQ(sorted(N.Declared), "FOO M_FOO ONE TWO _FOO_H_ f foo_t g hook_t "
                                "plain_t v x y z");
  EXPECT_EQ(sorted(N.Tags), "foo");
  EXPECT_EQ(sorted(N.Members), "a b c");
  EXPECT_EQ(sorted(N.Accessed), "a");
  for (StringRef Used : {"bar", "tag", "VALUE", "h", "p", "arg"})
    EXPECT_TRUE(N.Used.contains(Used)) << Used.str();
  // No comment, no string, nothing that an #include names.
  const NamesOf None("/* a */ // b\n#include <c/d.h>\n");
  EXPECT_EQ(sorted(None.Used), "");
}

TEST(Names, BracesThatDoNotAddUp) {
  const NamesOf N("#if A\n"
                  "int f(int a) {\n"
                  "#else\n"
                  "int f(long a) {\n"
                  "#endif\n"
                  "}\n"
                  "int g;\n");
  EXPECT_TRUE(N.Declared.contains("g"));
}

bool guarded(StringRef Body) {
  const std::string Text = "void f(int x) { " + Body.str() + " }\n";
  const FlagTests Tests(Text);
  return Tests.guard(Text.find("call("),
                     [](StringRef Name) { return Name == "FLAG"; });
}

TEST(Names, FlagTests) {
  EXPECT_TRUE(guarded("if (x & FLAG) call();"));
  EXPECT_TRUE(guarded("if (x & FLAG) n = call();"));
  EXPECT_TRUE(guarded("if (x & FLAG) { a(); while (b) { c(); call(); } }"));
  EXPECT_TRUE(guarded("if ((x & FLAG) && y) call(); else other();"));
  EXPECT_FALSE(guarded("if (x & FLAG) other(); else call();"));
  EXPECT_FALSE(guarded("if (x & FLAG) other(); call();"));
  EXPECT_FALSE(guarded("if ((x & FLAG) == 0) call();"));
  EXPECT_FALSE(guarded("if (!(x & FLAG)) call();"));
  EXPECT_FALSE(guarded("if ((x & FLAG) || y) call();"));
  EXPECT_FALSE(guarded("if (x & OTHER) call();"));
  EXPECT_FALSE(guarded("if (x && FLAG) call();"));
  EXPECT_FALSE(guarded("call(x & FLAG);"));
}

} // namespace
