/* SPDX-License-Identifier: BSD-3-Clause */
//===- CollectTest.cpp - Facts of sources in memory -----------------------===//

#include "kmobj/Collect.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace kmobj;
using clang::tooling::CompilationDatabase;
using clang::tooling::CompileCommand;
using llvm::StringRef;

namespace {

const char ZoneHeader[] = R"(
#define ZONE_INTERRUPT 1
#define ZONE_SPECIAL 4
#define NULL ((void *)0)
typedef unsigned long size_t;
typedef struct vm_zone { long zmax; long zflags; } *vm_zone_t;
vm_zone_t zinit(char *name, size_t size, long n, unsigned flags);
int zinitna(vm_zone_t z, char *name, size_t size, long n, unsigned flags);
void *zalloc(vm_zone_t z);
void zfree(vm_zone_t z, void *item);
void zbootinit(vm_zone_t z, char *name, size_t size, void *item, long n);
void zdestroy(vm_zone_t z);
void panic(const char *, ...);
void *kmem_alloc(void *map, size_t size, int id);
struct foo { long a[8]; };
)";

const char CacheHeader[] = R"(
typedef unsigned long size_t;
#define NULL ((void *)0)
#define M_WAITOK 2
struct malloc_type { int x; };
#define MALLOC_DEFINE(t, s, l) struct malloc_type t[1] = { { 0 } }
struct objcache;
struct objcache_malloc_args { size_t objsize; struct malloc_type *mtype; };
typedef _Bool (objcache_ctor_fn)(void *, void *, int);
typedef void (objcache_dtor_fn)(void *, void *);
typedef void *(objcache_alloc_fn)(void *, int);
typedef void (objcache_free_fn)(void *, void *);
struct objcache *objcache_create(const char *, int, int, objcache_ctor_fn *,
    objcache_dtor_fn *, void *, objcache_alloc_fn *, objcache_free_fn *, void *);
struct objcache *objcache_create_simple(struct malloc_type *, size_t);
void *objcache_get(struct objcache *, int);
void objcache_put(struct objcache *, void *);
void *objcache_malloc_alloc(void *, int);
void objcache_malloc_free(void *, void *);
struct foo { long a[8]; };
)";

class Database : public CompilationDatabase {
public:
  std::vector<CompileCommand> Commands;
  std::vector<CompileCommand> getCompileCommands(StringRef) const override {
    return Commands;
  }
  std::vector<std::string> getAllFiles() const override {
    std::vector<std::string> Files;
    for (const CompileCommand &C : Commands)
      Files.push_back(C.Filename);
    return Files;
  }
  std::vector<CompileCommand> getAllCompileCommands() const override {
    return Commands;
  }
};

class Collect : public testing::Test {
protected:
  llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> FS =
      llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
  Database DB;
  CollectOptions Options;

  void SetUp() override {
    file("conf/files", "");
    file("vm/vm_zone.h", ZoneHeader);
    file("sys/objcache.h", CacheHeader);
    Options.FS = FS;
    Options.Jobs = 1;
  }
  void file(const std::string &Name, StringRef Text) {
    FS->addFile("/sys/" + Name, 0, llvm::MemoryBuffer::getMemBufferCopy(Text));
  }
  void unit(const std::string &Name, StringRef Text) {
    file(Name, Text);
    std::string Path = "/sys/" + Name;
    DB.Commands.emplace_back("/sys", Path,
                             std::vector<std::string>{"clang", "-nostdinc",
                                                      "-ffreestanding",
                                                      "-I/sys", "-c", Path},
                             "");
  }
  Facts run() {
    llvm::Expected<Facts> F = collect(DB, Options);
    if (!F) {
      ADD_FAILURE() << llvm::toString(F.takeError());
      return Facts();
    }
    return *F;
  }
  std::string text(const Span &S) {
    auto Buffer = FS->getBufferForFile("/sys/" + S.File);
    return Buffer ? (*Buffer)->getBuffer().slice(S.Begin, S.End).str() : "";
  }
  static const Site *site(const Facts &F, Api Function) {
    for (const Site &S : F.Sites)
      if (S.Function == Function)
        return &S;
    return nullptr;
  }
  static Mention::StateTy state(const Facts &F, StringRef Name, unsigned Line) {
    for (const Mention &M : F.Mentions)
      if (M.Name == Name && M.Text.Line == Line)
        return M.State;
    ADD_FAILURE() << Name.str() << " is not mentioned at line " << Line;
    return Mention::ApiItself;
  }
};

} // namespace

TEST_F(Collect, SpansPointAtTheText) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "static __attribute__((unused)) vm_zone_t z;\n"
                 "void init(long n) {\n"
                 "\tz = zinit(\"FOO\", sizeof(struct foo),\n"
                 "\t    n + 1, /* all */ ZONE_INTERRUPT);\n"
                 "}\n"
                 "void *get(void) { return (zalloc(z)); }\n");
  Facts F = run();
  ASSERT_EQ(F.Sites.size(), 2u);
  const Site &S = *site(F, Api::Zinit);
  EXPECT_EQ(S.Zone, "vm/a.c@z");
  EXPECT_EQ(S.Name.id(), "vm/a.c:4:6");
  EXPECT_EQ(text(S.Name), "zinit");
  EXPECT_TRUE(S.WholeStatement);
  EXPECT_EQ(text(S.Statement).front(), 'z');
  EXPECT_EQ(text(S.Statement).back(), ';');
  ASSERT_EQ(S.Args.size(), 4u);
  EXPECT_EQ(S.Args[0].String, "FOO");
  EXPECT_EQ(text(S.Args[1].Text), "sizeof(struct foo)");
  EXPECT_EQ(S.Args[1].Value, 64);
  EXPECT_EQ(S.Args[2].Variables, std::vector<std::string>{"n"});
  EXPECT_EQ(text(S.Args[3].Text), "ZONE_INTERRUPT");
  EXPECT_EQ(S.Args[3].Value, 1);
  const Variable *V = F.variable("vm/a.c@z");
  ASSERT_TRUE(V);
  ASSERT_EQ(V->Declarations.size(), 1u);
  EXPECT_EQ(text(V->Declarations[0].Statement),
            "static __attribute__((unused)) vm_zone_t z;");
  EXPECT_TRUE(V->Declarations[0].Static);
  EXPECT_FALSE(site(F, Api::Zalloc)->WholeStatement);
  EXPECT_TRUE(site(F, Api::Zalloc)->ResultUsed);
}

TEST_F(Collect, ExternalZoneIsOneVariableInAllUnits) {
  file("vm/z.h", "extern vm_zone_t shared;\n");
  unit("vm/a.c", "#include <vm/vm_zone.h>\n#include \"z.h\"\n"
                 "vm_zone_t shared;\n"
                 "void f(void *p) { zfree(shared, p); }\n");
  unit("vm/b.c", "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
                 "void *g(void) { return zalloc(shared); }\n");
  Facts F = run();
  const Variable *V = F.variable("c:@shared");
  ASSERT_TRUE(V);
  EXPECT_EQ(V->Declarations.size(), 2u);
  EXPECT_EQ(F.sitesOf("c:@shared").size(), 2u);
}

TEST_F(Collect, RetryLoopAndDeadCheck) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z;\n"
                 "int init(int n) {\n"
                 "\tint m = n;\n"
                 "\tdo {\n"
                 "\t\tz = zinit(\"Z\", sizeof(struct foo), n, 1);\n"
                 "\t\tif (z != NULL)\n"
                 "\t\t\tbreak;\n"
                 "\t\tn -= (n + 2) / 3;\n"
                 "\t} while (n > 0);\n"
                 "\tif (z == NULL)\n"
                 "\t\tpanic(\"no zone\");\n"
                 "\treturn (m != n);\n"
                 "}\n");
  Facts F = run();
  const Site *S = site(F, Api::Zinit);
  ASSERT_TRUE(S && S->Retry);
  EXPECT_TRUE(S->Retry->Understood);
  EXPECT_EQ(S->Retry->Limit, "n");
  EXPECT_FALSE(S->InLoop);
  ASSERT_EQ(S->Retry->Later.size(), 1u);
  EXPECT_EQ(S->Retry->Later[0].Line, 13u);
  ASSERT_EQ(S->Checks.size(), 1u);
  EXPECT_EQ(S->Checks[0].Kind, NullCheck::Dead);
  EXPECT_EQ(S->Checks[0].Statement.Line, 11u);
}

TEST_F(Collect, LoopThatDoesMoreIsNotUnderstood) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z; int tries;\n"
                 "void init(int n) {\n"
                 "\tdo {\n"
                 "\t\tz = zinit(\"Z\", sizeof(struct foo), n, 1);\n"
                 "\t\tif (z != NULL) break;\n"
                 "\t\tn /= 2; panic(\"less\");\n"
                 "\t} while (n > 0);\n"
                 "}\n");
  const Facts F = run();
  ASSERT_TRUE(site(F, Api::Zinit)->Retry);
  EXPECT_FALSE(site(F, Api::Zinit)->Retry->Understood);
}

TEST_F(Collect, GuardedCreation) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z;\n"
                 "void init(void) {\n"
                 "\tif (z == NULL) {\n"
                 "\t\tz = zinit(\"Z\", sizeof(struct foo), 0, 0);\n"
                 "\t\tpanic(\"also\");\n"
                 "\t}\n"
                 "}\n");
  const Facts F = run();
  const Site *S = site(F, Api::Zinit);
  ASSERT_EQ(S->Checks.size(), 1u);
  EXPECT_EQ(S->Checks[0].Kind, NullCheck::Guard);
  EXPECT_TRUE(S->Checks[0].OnlyTest);
  EXPECT_FALSE(S->Checks[0].OnlyStatement);
}

TEST_F(Collect, NullChecksOfResults) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z;\n"
                 "void f(void) { struct foo *p;\n"
                 "\tp = zalloc(z);\n"
                 "\tif (p == NULL) return;\n"
                 "\tif ((p = zalloc(z)) == NULL) return;\n"
                 "\tp = zalloc(z);\n"
                 "\tp->a[0] = 1;\n"
                 "\tif (p == NULL) return;\n"
                 "}\n");
  const Facts F = run();
  ASSERT_EQ(F.Sites.size(), 3u);
  EXPECT_TRUE(F.Sites[0].NullChecked);
  EXPECT_TRUE(F.Sites[1].NullChecked);
  EXPECT_FALSE(F.Sites[2].NullChecked);
  EXPECT_EQ(F.Sites[0].Dest.Name, "p");
  EXPECT_EQ(F.Sites[0].Dest.Type, "struct foo *");
}

TEST_F(Collect, BootZoneAndItsParts) {
  unit("vm/a.c",
       "#include <vm/vm_zone.h>\n"
       "static struct vm_zone store;\n"
       "static vm_zone_t z;\n"
       "static struct foo first[4 * 2];\n"
       "static vm_zone_t y; static struct vm_zone ystore;\n"
       "static struct foo *yfirst;\n"
       "void boot(long n) {\n"
       "\tz = &store;\n"
       "\tzbootinit(z, \"Z\", sizeof(struct foo), first, 8);\n"
       "\tstore.zflags |= ZONE_SPECIAL;\n"
       "\ty = &ystore;\n"
       "\tyfirst = (void *)kmem_alloc(0, n * sizeof(struct foo), 1);\n"
       "\tzbootinit(y, \"Y\", sizeof(struct foo), yfirst, n);\n"
       "}\n");
  Facts F = run();
  const Variable *First = F.variable("vm/a.c@first");
  ASSERT_TRUE(First);
  EXPECT_EQ(First->Kind, VarKind::Items);
  EXPECT_EQ(First->Count, 8u);
  EXPECT_EQ(text(First->CountText), "4 * 2");
  EXPECT_EQ(First->ElementType, "struct foo");
  ASSERT_EQ(F.ItemMemories.size(), 1u);
  EXPECT_EQ(F.ItemMemories[0].Var, "vm/a.c@yfirst");
  EXPECT_EQ(text(F.ItemMemories[0].Args[1].Text), "n * sizeof(struct foo)");
  unsigned Assigns = 0, Flags = 0;
  for (const Use &U : F.Uses) {
    EXPECT_NE(U.What, Role::Escape) << U.Name.id() << " " << U.Detail;
    Assigns += U.What == Role::StoreAssign;
    if (U.What == Role::FlagsOr) {
      ++Flags;
      EXPECT_EQ(U.Value, 4);
    }
  }
  EXPECT_EQ(Assigns, 4u);
  EXPECT_EQ(Flags, 1u);
}

TEST_F(Collect, Escapes) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z, other;\n"
                 "void take(vm_zone_t);\n"
                 "vm_zone_t f(void) {\n"
                 "\ttake(z);\n"
                 "\tother = z;\n"
                 "\tif (z->zmax > 3) return (0);\n"
                 "\treturn (z);\n"
                 "}\n"
                 "void *g(void) { return zalloc(z); }\n");
  const Facts F = run();
  std::vector<std::string> Details;
  for (const Use *U : F.usesOf("c:@z"))
    if (U->What == Role::Escape)
      Details.push_back(U->Detail);
  EXPECT_EQ(Details, (std::vector<std::string>{"it is stored in other",
                                               "its member zmax is used",
                                               "it is returned"}));
  EXPECT_TRUE(llvm::any_of(F.usesOf("c:@z"), [](const Use *U) {
    return U->What == Role::Carried && U->InFunction == "f";
  }));
}

TEST_F(Collect, SitesInMacros) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z;\n"
                 "#define GET() zalloc(z)\n"
                 "#define CHECK(e) do { if (!(e)) panic(#e); } while (0)\n"
                 "#define PASTE(a, b) a##b(z)\n"
                 "void f(void *p) {\n"
                 "\tp = GET();\n"
                 "\tp = GET();\n"
                 "\tCHECK((p = zalloc(z)) != NULL);\n"
                 "\tp = PASTE(zal, loc);\n"
                 "}\n");
  Facts F = run();
  ASSERT_EQ(F.Sites.size(), 3u);
  const Site &Body = F.Sites[0];
  EXPECT_EQ(Body.From.Kind, Provenance::Body);
  EXPECT_EQ(Body.From.Macro, "GET");
  EXPECT_EQ(Body.Name.Line, 3u);
  EXPECT_EQ(Body.From.Expansions.size(), 2u);
  EXPECT_EQ(text(Body.From.Definition), "GET() zalloc(z)");
  EXPECT_EQ(F.Sites[1].From.Kind, Provenance::Argument);
  EXPECT_EQ(text(F.Sites[1].Call), "zalloc(z)");
  EXPECT_TRUE(F.Sites[1].Trouble.empty());
  EXPECT_FALSE(F.Sites[2].Trouble.empty()) << "a pasted name has no text";
}

TEST_F(Collect, MentionsAreAccountedFor) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "vm_zone_t z;\n"
                 "void f(void *p) {\n"
                 "\tzfree(z, p);\n"
                 "#ifdef NEVER\n"
                 "\tzfree(z, p);\n"
                 "#endif\n"
                 "}\n"
                 "#define UNUSED(p) zfree(z, p)\n"
                 "struct s { int zalloc; };\n"
                 "/* zalloc(z) */ const char *t = \"zfree(z)\";\n");
  unit("vm/broken.c", "#include <vm/vm_zone.h>\nextern vm_zone_t z;\n"
                      "void g(void *p) { zfree(z, p) }\n");
  file("vm/other.c", "void h(void *p) { zfree(z, p); }\n");
  Facts F = run();
  auto In = [&](StringRef File, StringRef Name, unsigned Line) {
    Facts Part;
    for (const Mention &M : F.Mentions)
      if (M.Text.File == File)
        Part.Mentions.push_back(M);
    return state(Part, Name, Line);
  };
  EXPECT_EQ(In("vm/a.c", "zfree", 4), Mention::Understood);
  EXPECT_EQ(In("vm/a.c", "zfree", 6), Mention::Inactive);
  EXPECT_EQ(In("vm/a.c", "z", 6), Mention::Inactive);
  EXPECT_EQ(In("vm/a.c", "zfree", 9), Mention::Unexpanded);
  EXPECT_EQ(In("vm/broken.c", "zfree", 3), Mention::DidNotParse);
  EXPECT_EQ(In("vm/other.c", "zfree", 1), Mention::NotInDatabase);
  EXPECT_EQ(In("vm/vm_zone.h", "zfree", 10), Mention::ApiItself);
  for (const Mention &M : F.Mentions) {
    EXPECT_FALSE(M.Text.File == "vm/a.c" && M.Text.Line >= 10)
        << "a member, a comment or a string: " << M.Text.id();
    if (M.State == Mention::Inactive && M.Name == "zfree") {
      EXPECT_EQ(text(M.Statement), "zfree(z, p);");
      EXPECT_EQ(M.ArgTexts, (std::vector<std::string>{"z", "p"}));
    }
  }
  ASSERT_EQ(F.Units.size(), 2u);
  EXPECT_EQ(F.Units[1].State, Unit::Failed);
  EXPECT_EQ(F.Units[1].FirstError.find("vm/broken.c:3:"), 0u)
      << F.Units[1].FirstError;
}

TEST_F(Collect, FilterSkipsOnlyWhatCannotMatter) {
  file("vm/z.h", "extern vm_zone_t shared;\n");
  file("vm/inline.h", "#define GRAB() zalloc(shared)\n");
  unit("vm/a.c",
       "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
       "vm_zone_t shared;\nvoid *f(void) { return zalloc(shared); }\n");
  unit("vm/none.c", "#include <vm/vm_zone.h>\n#include <vm/z.h>\nint n;\n");
  unit("vm/macro.c", "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
                     "#include <vm/inline.h>\n"
                     "void *g(void) { return GRAB(); }\n");
  unit("vm/escape.c", "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
                      "vm_zone_t h(void) { return shared; }\n");
  Facts F = run();
  ASSERT_EQ(F.Units.size(), 4u);
  for (const Unit &U : F.Units)
    EXPECT_EQ(U.State == Unit::Skipped, U.Path == "vm/none.c") << U.Path;
  Options.NoFilter = true;
  Facts All = run();
  EXPECT_EQ(All.Sites.size(), F.Sites.size());
  EXPECT_EQ(All.Uses.size(), F.Uses.size());
}

TEST_F(Collect, ShardsMergeToTheWhole) {
  file("vm/z.h", "extern vm_zone_t shared;\n");
  unit("vm/a.c",
       "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
       "vm_zone_t shared;\nvoid *f(void) { return zalloc(shared); }\n");
  unit("vm/b.c", "#include <vm/vm_zone.h>\n#include <vm/z.h>\n"
                 "void g(void *p) { zfree(shared, p); }\n");
  std::string Whole = writeFacts(run());
  Options.ShardCount = 2;
  std::vector<Facts> Parts;
  for (Options.Shard = 0; Options.Shard < 2; ++Options.Shard)
    Parts.push_back(run());
  EXPECT_TRUE(writeFacts(llvm::cantFail(mergeFacts(Parts))) == Whole);
}

TEST_F(Collect, OldPrototypesAreTrouble) {
  file("old/vm/vm_zone.h", "typedef struct vm_zone *vm_zone_t;\n"
                           "vm_zone_t zinit(char *, int, int, int, int);\n");
  unit("vm/a.c", "#include \"../old/vm/vm_zone.h\"\n"
                 "vm_zone_t z;\n"
                 "void f(void) { z = zinit(\"Z\", 8, 0, 0, 1); }\n");
  const Facts F = run();
  ASSERT_EQ(F.Sites.size(), 1u);
  EXPECT_EQ(F.Sites[0].Trouble, "zinit() takes 5 arguments in this tree; only "
                                "the one with 4 can be converted");
}

TEST_F(Collect, CacheWithArgsAndMallocType) {
  unit("kern/a.c",
       "#include <sys/objcache.h>\n"
       "MALLOC_DEFINE(M_FOO, \"foo\", \"foo things\");\n"
       "static struct objcache *foo_cache;\n"
       "static struct objcache_malloc_args foo_args = {\n"
       "\tsizeof(struct foo), M_FOO };\n"
       "void init(void) {\n"
       "\tfoo_cache = objcache_create(\"foo\", 0, 0, NULL, NULL, NULL,\n"
       "\t    objcache_malloc_alloc, objcache_malloc_free, &foo_args);\n"
       "}\n"
       "void *get(void) { return objcache_get(foo_cache, M_WAITOK); }\n");
  Facts F = run();
  const Variable *Args = F.variable("kern/a.c@foo_args");
  ASSERT_TRUE(Args);
  EXPECT_TRUE(Args->MembersComplete);
  ASSERT_EQ(Args->Members.size(), 2u);
  EXPECT_EQ(Args->Members[0].Member, "objsize");
  EXPECT_EQ(Args->Members[0].Value, 64);
  EXPECT_EQ(text(Args->Members[0].Text), "sizeof(struct foo)");
  EXPECT_EQ(Args->Members[1].Var, "c:@M_FOO");
  ASSERT_EQ(F.MallocDefines.size(), 1u);
  EXPECT_EQ(text(F.MallocDefines[0].Statement),
            "MALLOC_DEFINE(M_FOO, \"foo\", \"foo things\");");
  EXPECT_EQ(site(F, Api::ObjcacheCreate)->Args[6].VarName,
            "objcache_malloc_alloc");
  for (const Use &U : F.Uses)
    EXPECT_NE(U.What, Role::Escape) << U.Name.id();
}

TEST_F(Collect, IncludesAreRecordedWithTheirLines) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "#ifdef ZONE_SPECIAL\n"
                 "#include \"z.h\"\n"
                 "#endif\n"
                 "vm_zone_t z;\n");
  file("vm/z.h", "\n");
  Facts F = run();
  const SourceFile *A = F.file("vm/a.c");
  ASSERT_TRUE(A);
  ASSERT_EQ(A->Includes.size(), 2u);
  EXPECT_EQ(text(A->Includes[0].Line), "#include <vm/vm_zone.h>\n");
  EXPECT_TRUE(A->Includes[0].Angled);
  EXPECT_FALSE(A->Includes[0].Conditional);
  EXPECT_TRUE(A->Includes[1].Conditional);
  EXPECT_EQ(A->Includes[1].Resolved, "vm/z.h");
}

TEST_F(Collect, ErrorsAreSentences) {
  llvm::Expected<Facts> Empty = collect(DB, Options);
  EXPECT_EQ(llvm::toString(Empty.takeError()),
            "the compile database names no unit");
  unit("vm/a.c", "int a;\n");
  Options.Files = {"vm/b.c"};
  llvm::Expected<Facts> Unknown = collect(DB, Options);
  EXPECT_EQ(llvm::toString(Unknown.takeError()),
            "vm/b.c: the compile database has no such unit");
  Options.Files.clear();
  Options.Tree = "/nowhere";
  llvm::Expected<Facts> NoTree = collect(DB, Options);
  EXPECT_EQ(llvm::toString(NoTree.takeError()), "/nowhere: no such directory");
}

TEST_F(Collect, HowAStatementStandsInTheCode) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "static struct vm_zone s;\n"
                 "static vm_zone_t z;\n"
                 "#define TWICE(x) do { x; x; } while (0)\n"
                 "void init(int n) {\n"
                 "\ts.zflags |= 1;\n" // 6
                 "\tif (n) // why\n"
                 "\t\ts.zflags |= 1;\n"             // 8
                 "\tif (n) { s.zflags |= 1; }\n"    // 9
                 "\tdo s.zflags |= 1; while (0);\n" // 10
                 "\tswitch (n) {\n"
                 "\tcase 1: s.zflags |= 1; break;\n" // 12
                 "\tcase 2: s.zflags |= 1; }\n"      // 13
                 "#ifdef OTHER\n"
                 "\tif (n)\n"
                 "#endif\n"
                 "\ts.zflags |= 1;\n" // 17
                 "#ifdef OTHER\n"
                 "\tn = 1;\n"
                 "#endif\n"
                 "\ts.zflags |= 1;\n"              // 21
                 "\tTWICE(s.zflags |= 1);\n"       // 22
                 "\tif (n) <% s.zflags |= 1; %>\n" // 23
                 "}\n");
  Facts F = run();
  std::map<unsigned, Statement::ContextTy> At;
  for (const Use &U : F.Uses)
    if (U.What == Role::FlagsOr)
      if (const Statement *S = F.statement(U.Statement))
        At[U.Statement.Line] = S->Context;
  const std::map<unsigned, Statement::ContextTy> Wanted = {
      {6, Statement::InBlock},  {8, Statement::IsBody},
      {9, Statement::InBlock},  {10, Statement::IsBody},
      {12, Statement::InBlock}, {13, Statement::AtLabel},
      {17, Statement::IsBody},  {21, Statement::InBlock},
      {23, Statement::InBlock}};
  EXPECT_EQ(At, Wanted);
}

TEST_F(Collect, ValuesOfEachConfiguration) {
  unit("vm/a.c", "#include <vm/vm_zone.h>\n"
                 "#ifdef BIG\n"
                 "#define N 9\n"
                 "#else\n"
                 "#define N 8\n"
                 "#endif\n"
                 "static vm_zone_t z;\n"
                 "void init(void) { z = zinit(\"A\", 64, N, 0); }\n");
  DB.Commands.push_back(DB.Commands.back());
  DB.Commands[0].Output = "B";
  DB.Commands[0].CommandLine.push_back("-DBIG");
  DB.Commands[1].Output = "A";
  const Facts F = run();
  const Site &S = *site(F, Api::Zinit);
  EXPECT_EQ(difference(S.Args[1].Values), "");
  EXPECT_EQ(S.Args[1].Value, 64);
  EXPECT_EQ(difference(S.Args[2].Values), "8 in A and 9 in B");
  EXPECT_EQ(S.Args[2].Value, std::nullopt);
  std::swap(DB.Commands[0], DB.Commands[1]);
  EXPECT_EQ(writeFacts(run()), writeFacts(F));
}

TEST_F(Collect, ASizeNamesWhatItIsMadeOf) {
  unit("vm/a.c",
       "#include <vm/vm_zone.h>\n"
       "static vm_zone_t z;\n"
       "typedef struct bar bar_t;\n"
       "/* struct bar { int x; }; */\n"
       "struct bar { long n; } the_bar;\n"
       "void init(void) { z = zinit(\"A\", sizeof(bar_t), 1, 0); }\n");
  const Facts F = run();
  ASSERT_EQ(F.Sizes.size(), 1u);
  std::vector<std::string> Texts;
  for (const Span &S : F.Sizes[0].Definitions)
    Texts.push_back(text(S));
  EXPECT_EQ(Texts,
            (std::vector<std::string>{"typedef struct bar bar_t;",
                                      "struct bar { long n; } the_bar;"}));
}
