/* SPDX-License-Identifier: BSD-3-Clause */
//===- IncludesTest.cpp - #include directives by text ---------------------===//

#include "../../lib/CompDB/Includes.h"
#include "gtest/gtest.h"

using namespace kmobj::compdb;

namespace {

/// `name' if it is surely included, `?name' under a condition.
std::string scan(llvm::StringRef Text, llvm::StringRef System = "dragonfly") {
  std::string Result;
  for (const IncludeDirective &D : scanIncludes(Text, System))
    Result += (Result.empty() ? "" : " ") +
              std::string(D.Conditional ? "?" : "") + D.Name;
  return Result;
}

TEST(Includes, Plain) {
  EXPECT_EQ(scan("#include <a.h>\n# include \"b.h\" /* why */\nint x;\n"),
            "a.h b.h");
  auto Found = scanIncludes("\n#include <a.h>\n#include \"b.h\"\n", "");
  ASSERT_EQ(Found.size(), 2u);
  EXPECT_EQ(Found[0].Line, 2u);
  EXPECT_TRUE(Found[0].Angled);
  EXPECT_FALSE(Found[1].Angled);
}

TEST(Includes, Comments) {
  EXPECT_EQ(scan("/*\n#include <a.h>\n*/\n#include <b.h>\n"), "b.h");
  EXPECT_EQ(scan("/* one */ /* two\n#include <a.h>\n*/ int x;\n"), "");
}

TEST(Includes, GuardIsNoCondition) {
  EXPECT_EQ(scan("#ifndef A_H\n#define A_H\n#include <a.h>\n#endif\n"), "a.h");
  EXPECT_EQ(scan("#include <x.h>\n#ifndef B\n#include <b.h>\n#endif\n"),
            "x.h ?b.h");
}

TEST(Includes, KnownConditions) {
  EXPECT_EQ(scan("#include <x.h>\n#if 0\n#include <a.h>\n#else\n"
                 "#include <b.h>\n#endif\n"),
            "x.h b.h");
  EXPECT_EQ(scan("#ifdef _KERNEL\n#include <a.h>\n#else\n"
                 "#include <b.h>\n#endif\n"),
            "a.h");
  EXPECT_EQ(scan("#include <x.h>\n#ifndef _KERNEL\n#include <a.h>\n#endif\n"),
            "x.h");
  EXPECT_EQ(scan("#ifdef __linux__\n#include <a.h>\n#elif "
                 "defined(__DragonFly__)\n#include <b.h>\n#endif\n"),
            "b.h");
  EXPECT_EQ(scan("#if defined(__FreeBSD__) || defined(__DragonFly__)\n"
                 "#include <a.h>\n#endif\n"),
            "a.h");
  EXPECT_EQ(scan("#ifdef __DragonFly__\n#include <a.h>\n#endif\n", "freebsd"),
            "");
}

TEST(Includes, UnknownConditions) {
  EXPECT_EQ(scan("#include <x.h>\n#ifdef DEBUG\n#include <a.h>\n#else\n"
                 "#include <b.h>\n#endif\n#include <c.h>\n"),
            "x.h ?a.h ?b.h c.h");
}

TEST(Includes, NotADirective) {
  EXPECT_EQ(scan("#include MACRO\n#include\n#include \"unterminated\n"), "");
}

} // namespace
