/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom a changed header concerns: what is found when all units are parsed is
 * found when only those are that the change concerns. Each edit of a header
 * below breaks some unit in a way of its own; where the rule did not see it,
 * nothing else would, as no unit is drawn by lot.
 */
#include "../TemporaryTree.h"
#include "kmobj/Collect.h"
#include "kmobj/Verify.h"
#include "gtest/gtest.h"

using namespace kmobj;
using clang::tooling::CompilationDatabase;
using clang::tooling::CompileCommand;
using llvm::StringRef;

namespace {

const FileSet Tree = {
    {"a.h", R"(#ifndef _A_H_
#define _A_H_
struct first;
extern int a_count, a_other;
extern struct objcache *a_cache;
#define A_LIMIT 10
#define A_GET(x) ((x) + A_LIMIT)
#define A_JOIN3(a, b) a##b
#ifdef OPTION
extern int a_option;
#endif
struct a_thing { int x, y; };
struct a_words { long w_one; unsigned long w_two; void *w_three; long w_four;
	long w_five; };
static inline int a_inline(int n) { return (n + 1); }
#endif
)"},
    {"b.h", "#include \"a.h\"\n"
            "static inline int b_inline(void) { return (a_other); }\n"},
    {"macro.h", "#include \"a.h\"\n#define M_COUNT a_count\n"
                "#define M_THREE(w) ((w)->w_three)\n"
                "#define M_##x\n#define M_PASTE(x) a_##x\n"},
    {"body.h", "struct e_first;\n"},
    {"line.h", R"(struct l_first;
#define L_LINE2(l) struct l_line_##l { char c; }
#define L_LINE1(l) L_LINE2(l)
#define L_LINE() L_LINE1(__LINE__)
L_LINE();
)"},
    {"late.h", "#include \"line.h\"\n\n\n\n\nL_LINE();\n"},
    {"none.c", "#include \"a.h\"\nint none;\n"},
    {"none2.c", "#include \"a.h\"\nint none2;\n"},
    {"one.c", "#include \"a.h\"\nstruct other { int w_one; };\n"
              "long one(struct a_words *w) { return (w->w_one); }\n"},
    {"two.c", "#include \"a.h\"\nconst unsigned long two =\n"
              "    __builtin_offsetof(struct a_words, w_two);\n"},
    {"three.c", "#include \"macro.h\"\n"
                "void *three(struct a_words *w) { return (M_THREE(w)); }\n"},
    {"four.c", "#define w_new 5\n#include \"a.h\"\n"},
    {"five.c", "#include \"a.h\"\n"
               "_Static_assert(sizeof(struct a_words) == 40, \"size\");\n"},
    {"other.c", "#include \"a.h\"\nstruct more { int w_one; };\n"},
    {"count.c", "#include \"a.h\"\nint count(void) { return (a_count); }\n"},
    {"get.c", "#include \"a.h\"\nint get(void) { return (A_GET(1)); }\n"},
    {"paste.c", "#include \"macro.h\"\n"
                "int paste(void) { return (M_PASTE(count)); }\n"},
    {"join.c", "#include \"a.h\"\n"
               "int join(void) { return (A_JOIN3(a_co, unt)); }\n"},
    {"macro.c", "#include \"macro.h\"\n"
                "int macro(void) { return (M_COUNT); }\n"},
    {"header.c", "#include \"b.h\"\nint header;\n"},
    {"thing.c", "#include \"a.h\"\n"
                "int thing(struct a_thing *t) { return (t->y); }\n"},
    {"static.c", "#include \"a.h\"\nstatic int a_new;\n"
                 "int *fresh(void) { return (&a_new); }\n"},
    {"local.c", "#include \"a.h\"\n"
                "int local(void) { int a_plain = 1; return (a_plain); }\n"},
    {"ifdef.c", "#include \"a.h\"\n#ifdef A_NEW\n#error new\n#endif\n"},
    {"tag.c", "#include \"a.h\"\nint tag(void) { struct mine *p;"
              " struct mine { int m; } s; p = &s; return (p->m = 1); }\n"},
    {"union.c", "#include \"a.h\"\nunion shape { int x; };\n"},
    {"define.c", "#define mac 5\n#include \"a.h\"\n"},
    {"proto.c", "#include \"a.h\"\nvoid proto(struct objcache *);\n"},
    {"known.c", "#include \"a.h\"\nstruct known { struct objcache *k; };\n"
                "void known(struct objcache *);\n"},
    {"branch.c", "#include \"a.h\"\n#ifdef OPTION\nstruct objcache;\n#endif\n"
                 "void branch(struct objcache *);\n"},
    {"block.c", "#include \"a.h\"\nvoid block(void) { struct objcache *b = 0;"
                " (void)b; }\nvoid block2(struct objcache *);\n"},
    {"body.c", "struct body {\n#include \"body.h\"\nint m;\n};\n"},
    {"flat.c", "#include \"body.h\"\nint flat;\n"},
    {"flat2.c", "#include \"body.h\"\nint flat2;\n"},
    {"late.c", "#include \"late.h\"\nint late;\n"},
};

/// Every .c file; -D as given.
class Database : public CompilationDatabase {
public:
  explicit Database(std::string Root, std::vector<std::string> More = {})
      : Root(std::move(Root)), More(std::move(More)) {}

  std::vector<CompileCommand> getCompileCommands(StringRef F) const override {
    std::vector<std::string> Line{"clang", "-std=gnu11",         "-nostdinc",
                                  "-Wall", "-I" + Root + "/one", "-I" + Root};
    llvm::append_range(Line, More);
    Line.push_back(F.str());
    return {CompileCommand(Root, F, Line, "")};
  }
  std::vector<std::string> getAllFiles() const override {
    std::vector<std::string> All;
    for (const auto &[Name, Text] : Tree)
      if (StringRef(Name).ends_with(".c"))
        All.push_back(Root + "/" + Name);
    return All;
  }
  std::vector<CompileCommand> getAllCompileCommands() const override {
    std::vector<CompileCommand> All;
    for (const std::string &File : getAllFiles())
      All.push_back(getCompileCommands(File).front());
    return All;
  }

private:
  std::string Root;
  std::vector<std::string> More;
};

struct HeaderEdit {
  const char *Name, *File, *From, *To;
  /// The unit that it breaks; null: none.
  const char *Breaks;
  /// Units which it does not concern are not parsed; they are when one shows
  /// that something is wrong in the header itself.
  bool Skips;
};

void PrintTo(const HeaderEdit &E, std::ostream *OS) { *OS << E.Name; }

const HeaderEdit Edits[] = {
    {"Comment", "a.h", "struct first;", "struct first; /* a_count */", nullptr,
     true},
    {"Blanks", "a.h", "extern int a_count, a_other;",
     "extern int\n    a_count,   a_other;", nullptr, true},
    {"MemberRenamed", "a.h", "long w_one;", "struct w_tag *w_first;", "one.c",
     true},
    {"MemberRenamedOffset", "a.h", "unsigned long w_two;", "void *w_second;",
     "two.c", true},
    {"MemberRenamedMacro", "a.h", "void *w_three;", "long w_third;", "three.c",
     true},
    {"MemberHasAMacrosName", "a.h", "long w_four;", "long w_new;", "four.c",
     false},
    {"MemberLonger", "a.h", "\tlong w_five;", "\tlong w_five, w_six;", "five.c",
     false},
    {"VariableGoes", "a.h", "extern int a_count, a_other;",
     "extern int a_other;", "count.c", true},
    {"VariableGoesFromPaste", "a.h", "extern int a_count, a_other;",
     "extern int a_other;", "paste.c", true},
    {"VariableGoesFromParts", "a.h", "extern int a_count, a_other;",
     "extern int a_other;", "join.c", true},
    {"VariableGoesFromMacro", "a.h", "extern int a_count, a_other;",
     "extern int a_other;", "macro.c", true},
    {"VariableGoesFromHeader", "a.h", "extern int a_count, a_other;",
     "extern int a_count;", "header.c", true},
    {"VariableComes", "a.h", "struct first;",
     "struct first;\nextern int a_new;", "static.c", true},
    {"TypeChanges", "a.h", "extern int a_count, a_other;",
     "extern int *a_count, a_other;", "count.c", true},
    {"MacroGoes", "a.h", "#define A_LIMIT 10\n", "", "get.c", true},
    {"MacroTakesMore", "a.h", "A_GET(x)", "A_GET(x, y)", "get.c", true},
    {"MacroHides", "a.h", "struct first;", "struct first;\n#define a_plain 7",
     "local.c", true},
    {"MacroIsAskedFor", "a.h", "struct first;", "struct first;\n#define A_NEW",
     "ifdef.c", true},
    {"MacroIsWrong", "a.h", "struct first;", "struct first;\n#define A_BAD(x y",
     "none.c", false},
    {"MacroMoves", "a.h",
     "#define A_LIMIT 10\n#define A_GET(x) ((x) + A_LIMIT)",
     "#define A_GET(x) ((x) + A_LIMIT)\n#define A_LIMIT 10", nullptr, true},
    {"TagComes", "a.h", "struct first;", "struct first;\nstruct mine;", "tag.c",
     true},
    {"TagComesOfAnotherKind", "a.h", "struct first;",
     "struct first;\nextern struct shape *a_shape;", "union.c", true},
    {"TagIsAMacro", "a.h", "struct first;",
     "struct first;\nextern struct mac *a_mac;", "define.c", false},
    {"NameIsAMacro", "a.h", "struct first;", "struct first;\nextern int mac;",
     "define.c", false},
    {"TagGoes", "a.h", "extern struct objcache *a_cache;\n", "", "proto.c",
     true},
    {"TypeIsNotKnown", "a.h", "struct first;",
     "struct first;\nextern a_type a_new_one;", "none.c", false},
    {"ArrayIsNotComplete", "a.h", "struct first;",
     "struct first;\nextern struct first a_firsts[2];", "none.c", false},
    {"MemberGoes", "a.h", "int x, y;", "int x;", "thing.c", false},
    {"FirstDeclaration", "a.h", "struct first;\n",
     "extern int a_zero;\nstruct first;\n", nullptr, false},
    {"BodyOfInline", "a.h", "return (n + 1);", "return (m + 1);", "none.c",
     false},
    {"Condition", "a.h", "#ifdef OPTION", "#ifndef OPTION\n#if 0", "none.c",
     false},
    {"IncludeComes", "a.h", "struct first;",
     "struct first;\n#include \"none.h\"", "none.c", false},
    {"Pragma", "a.h", "struct first;",
     "struct first;\n#pragma GCC poison a_thing", "none.c", false},
    {"LineMoves", "line.h", "struct l_first;", "struct l_first;\n", "late.c",
     false},
    {"ReadInABody", "body.h", "struct e_first;\n",
     "struct e_first;\nextern int e_x;\n", "body.c", false},
};

class HeaderEdits : public testing::TestWithParam<HeaderEdit> {};

VerifyResult verified(const TemporaryTree &Disk, const CompilationDatabase &DB,
                      const VerifyOptions &Options) {
  Facts F;
  F.Tree = Disk.tree().root();
  return llvm::cantFail(
      verify(DB, F, Plan(), F.Tree, Disk.root() + "/after", Options));
}

/// The diagnostics in it.
std::vector<std::string> diagnostics(const VerifyResult &R) {
  std::vector<std::string> All;
  for (const std::string &Line : R.Problems)
    if (StringRef(Line).contains(": error: ") ||
        StringRef(Line).contains(": warning: "))
      All.push_back(Line);
  return All;
}

std::string edited(const std::string &Text, StringRef From, StringRef To) {
  std::string New = Text;
  const size_t At = New.find(From);
  EXPECT_NE(At, std::string::npos) << From.str();
  return New.replace(At, From.size(), To.str());
}

void writeAfter(TemporaryTree &Disk, const FileSet &Changed) {
  for (const auto &[Name, Text] : Tree)
    Disk.write("after/" + Name, Text);
  for (const auto &[Name, Text] : Changed)
    Disk.write("after/" + Name, Text);
}

} // namespace

TEST_P(HeaderEdits, FastFindsWhatAllFind) {
  const HeaderEdit &E = GetParam();
  TemporaryTree Disk(Tree);
  writeAfter(Disk, {{E.File, edited(Tree.at(E.File), E.From, E.To)}});
  const Database DB(Disk.tree().root());
  VerifyOptions Options;
  Options.Draw = 0;
  const VerifyResult Fast = verified(Disk, DB, Options);
  Options.All = true;
  const VerifyResult All = verified(Disk, DB, Options);
  EXPECT_EQ(diagnostics(Fast), diagnostics(All));
  EXPECT_EQ(Fast.Disproved, "");
  std::string Said;
  for (const std::string &Line : diagnostics(Fast))
    Said += Line + "\n";
  if (E.Breaks)
    EXPECT_NE(Said.find(E.Breaks), std::string::npos) << Said;
  else
    EXPECT_EQ(Said, "");
  if (E.Skips)
    EXPECT_LT(Fast.Units, All.Units);
  else
    EXPECT_EQ(Fast.Units, All.Units);
}

INSTANTIATE_TEST_SUITE_P(By, HeaderEdits, testing::ValuesIn(Edits),
                         [](const auto &Info) {
                           return std::string(Info.param.Name);
                         });

TEST(Concern, AHeaderThatHidesAnother) {
  TemporaryTree Disk(Tree);
  writeAfter(Disk, {{"one/macro.h", ""}});
  // "macro.h" is found beside its unit; <macro.h> is looked for.
  Disk.write("sys/count.c", "#include <macro.h>\nint c = sizeof(M_COUNT);\n");
  Disk.write("after/count.c", "#include <macro.h>\nint c = sizeof(M_COUNT);\n");
  const Database DB(Disk.tree().root());
  VerifyOptions Options;
  Options.Draw = 0;
  const VerifyResult R = verified(Disk, DB, Options);
  ASSERT_EQ(diagnostics(R).size(), 1u);
  EXPECT_NE(diagnostics(R)[0].find("M_COUNT"), std::string::npos);
  EXPECT_EQ(R.Units, 1u);
}

/// Names made of three parts are not seen, as NameTable.h says; what is drawn
/// by lot shows it, and then all are parsed.
TEST(Concern, TheLotDisprovesARuleThatIsWrong) {
  FileSet Changed = {
      {"a.h", edited(Tree.at("a.h"), "extern int a_count, a_other;",
                     "extern int a_other;")}};
  TemporaryTree Disk(Tree);
  writeAfter(Disk, Changed);
  for (const char *Of : {"sys/", "after/"})
    for (const char *Unit : {"none.c", "none2.c"})
      Disk.write(std::string(Of) + Unit,
                 "#include \"a.h\"\n#define CAT(a, b, c) a##b##c\n"
                 "int f(void) { return (CAT(a_, cou, nt)); }\n");
  const Database DB(Disk.tree().root());
  VerifyOptions Options;
  Options.Draw = 0;
  const VerifyResult Missed = verified(Disk, DB, Options);
  Options.Draw = 20;
  const VerifyResult Found = verified(Disk, DB, Options);
  Options.All = true;
  EXPECT_EQ(diagnostics(Found), diagnostics(verified(Disk, DB, Options)));
  EXPECT_EQ(Found.Disproved, "none.c");
  // The witness is one of the two.
  EXPECT_LE(diagnostics(Missed).size(), diagnostics(Found).size());
}

TEST(Concern, TheSeedDecidesWhoIsDrawn) {
  TemporaryTree Disk(Tree);
  writeAfter(Disk, {{"a.h", Tree.at("a.h") + "/* */\n"}});
  const Database DB(Disk.tree().root());
  VerifyOptions Options;
  Options.Draw = 2;
  const VerifyResult One = verified(Disk, DB, Options);
  const VerifyResult Two = verified(Disk, DB, Options);
  EXPECT_EQ(One.Seed, Two.Seed);
  EXPECT_EQ(One.Drawn, 2u);
  Options.Seed = 7;
  EXPECT_EQ(verified(Disk, DB, Options).Seed, 7u);
}

/// What is not in the text decides what is read.
TEST(Concern, AnOptionThatIsNotFamiliar) {
  TemporaryTree Disk(Tree);
  writeAfter(Disk, {{"a.h", Tree.at("a.h") + "/* */\n"}});
  const Database Plain(Disk.tree().root());
  const Database Odd(Disk.tree().root(), {"-isysroot", "/nowhere"});
  VerifyOptions Options;
  Options.Draw = 0;
  EXPECT_LT(verified(Disk, Plain, Options).Units, 3u);
  EXPECT_GT(verified(Disk, Odd, Options).Units, 10u);
}
