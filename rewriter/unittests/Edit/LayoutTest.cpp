/* SPDX-License-Identifier: BSD-3-Clause */
#include "kmobj/Layout.h"
#include "gtest/gtest.h"

using namespace kmobj;

/// The text without the statement Statement.
static std::string without(const std::string &Text,
                           const std::string &Statement) {
  const size_t At = Text.find(Statement);
  const ByteRange R = SourceText(Text).removal(At, At + Statement.size());
  return Text.substr(0, R.Begin) + Text.substr(R.End);
}

TEST(Removal, TakesItsLine) {
  EXPECT_EQ(without("\ta();\n\tz = &s;\n\tb();\n", "z = &s;"),
            "\ta();\n\tb();\n");
}

TEST(Removal, TakesAllItsLines) {
  EXPECT_EQ(without("\ta();\n\tz(1,\n\t    2);\n\tb();\n", "z(1,\n\t    2);"),
            "\ta();\n\tb();\n");
}

TEST(Removal, KeepsBlankLinesOnOneSide) {
  EXPECT_EQ(without("a;\n\nz;\nb;\n", "z;"), "a;\n\nb;\n");
  EXPECT_EQ(without("a;\nz;\n\nb;\n", "z;"), "a;\n\nb;\n");
}

TEST(Removal, TwoBlankLinesBecomeOne) {
  EXPECT_EQ(without("a;\n\nz;\n\nb;\n", "z;"), "a;\n\nb;\n");
}

TEST(Removal, TakesTheCommentThatTrailsIt) {
  EXPECT_EQ(without("a;\nz;\t/* of z */\nb;\n", "z;"), "a;\nb;\n");
  EXPECT_EQ(without("a;\nz;\t// of z\nb;\n", "z;"), "a;\nb;\n");
}

TEST(Removal, LeavesWhatElseIsOnTheLine) {
  EXPECT_EQ(without("a; z; b;\n", "z;"), "a; b;\n");
  EXPECT_EQ(without("a; z;\n", "z;"), "a;\n");
  EXPECT_EQ(without("z; b;\n", "z;"), "b;\n");
}

TEST(Removal, CRLF) {
  EXPECT_EQ(without("a;\r\nz;\r\nb;\r\n", "z;"), "a;\r\nb;\r\n");
}

TEST(LayoutCall, OneLineWhenItFits) {
  EXPECT_EQ(layoutCall("f(", {"a", "b"}, ");", "\t", 8), "f(a, b);");
}

TEST(LayoutCall, ExactlyEightyColumnsFit) {
  const std::string Long(80 - 8 - 11, 'x');
  EXPECT_EQ(layoutCall("function(", {Long}, ");", "\t", 8),
            "function(" + Long + ");");
  EXPECT_EQ(layoutCall("function(", {Long + "y"}, ");", "\t", 8),
            "function(\n\t    " + Long + "y);");
}

TEST(LayoutCall, ContinuesFourColumnsDeeper) {
  const std::string A(40, 'a'), B(40, 'b');
  EXPECT_EQ(layoutCall("f(", {A, B, "c"}, ");", "\t", 8),
            "f(" + A + ",\n\t    " + B + ", c);");
  EXPECT_EQ(layoutCall("f(", {A, B}, ");", "    ", 4),
            "f(" + A + ",\n\t" + B + ");");
}

TEST(LayoutCall, LeavesRoomForWhatFollows) {
  EXPECT_EQ(layoutCall("f(", {std::string(50, 'a'), "b"}, ")", "\t", 8, 20),
            "f(" + std::string(50, 'a') + ",\n\t    b)");
}

TEST(LayoutCall, BreaksAnArgumentAtAnOperator) {
  const std::string A(40, 'a'), B(40, 'b');
  EXPECT_EQ(layoutCall("f(", {"x", A + " * " + B}, ");", "\t", 8),
            "f(x,\n\t    " + A + " *\n\t    " + B + ");");
}

TEST(LineBehind, NotInAComment) {
  auto Behind = [](llvm::StringRef Text) {
    const auto At = SourceText(Text).lineBehind(Text.find(';') + 1);
    return At ? Text.substr(*At).str() : "(code)";
  };
  EXPECT_EQ(Behind("a; \nb"), "b");
  EXPECT_EQ(Behind("a; /* x\n * y */ \nb"), "b");
  EXPECT_EQ(Behind("a; // x \\\n y\nb"), "b");
  EXPECT_EQ(Behind("a; /* x */ c\nb"), "(code)");
  EXPECT_EQ(Behind("a;"), "");
}

TEST(Removal, ACommentThatGoesOnStays) {
  const std::string Text = "a;\n\tb; // x \\\n y\nc;\n";
  const ByteRange R =
      SourceText(Text).removal(Text.find('b'), Text.find('b') + 2);
  EXPECT_EQ(Text.substr(0, R.Begin) + Text.substr(R.End),
            "a;\n\t// x \\\n y\nc;\n");
}

TEST(Columns, Tabs) {
  EXPECT_EQ(columnAfter("\tab\tc"), 17u);
  EXPECT_EQ(indentTo(20), "\t\t    ");
}

static std::string includes(const std::string &Text) {
  std::string Out;
  for (const IncludeLine &I : findIncludes(SourceText(Text)))
    Out += I.Name + (I.Unconditional ? "; " : "?; ");
  return Out;
}

TEST(Includes, ConditionalOrNot) {
  EXPECT_EQ(includes("#include <a.h>\n#ifdef X\n#include \"b.h\"\n#endif\n"
                     "# include <c.h>\n"),
            "a.h; b.h?; c.h; ");
}

TEST(Includes, AGuardIsNoCondition) {
  EXPECT_EQ(includes("/* c */\n#ifndef _H_\n#define _H_\n#include <a.h>\n"
                     "#endif\n"),
            "a.h; ");
  EXPECT_EQ(includes("#ifndef X\n#include <a.h>\n#endif\n"), "a.h?; ");
}

TEST(Includes, NotInCommentsAndStrings) {
  EXPECT_EQ(includes("/*\n#include <a.h>\n*/\nchar s[] = \"/*\";\n"
                     "#include <b.h>\n"),
            "b.h; ");
}
