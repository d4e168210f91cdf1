/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hooks are placed in a small allocator with the names and shapes of the
 * kernel's own.
 */
#include "kmobj/Install.h"
#include "../TemporaryTree.h"
#include "clang/Tooling/CompilationDatabase.h"
#include "gtest/gtest.h"

using namespace kmobj;

static const char MallocH[] = R"(
#define NULL ((void *)0)
#define KMALLOC_SLAB_SIZE 131072UL
#define KMALLOC_SLAB_MAGIC 7
#define M_WAITOK 2
#define __predict_false(x) (x)
struct malloc_type {
	unsigned long ks_limit;	/* bytes */
	unsigned long ks_unused0;
};
struct kmalloc_slab {
	struct malloc_type	*type;
	int			magic, ncount;
	void			*unused01;
};
struct kmalloc_mgt {
	int		spin;		/* a lock */
	unsigned long	count;
	unsigned long	unused01;
	unsigned long	unused02;	/* spare */
};
struct kmalloc_use { struct kmalloc_mgt mgt; };
struct kmalloc_slab *gslab_cache(struct kmalloc_slab *slab);
void *kmem_slab_alloc(unsigned long size, unsigned long align, int flags);
void bzero(void *p, unsigned long size);
void spin_lock(int *spin);
void crit_exit(void);
void panic(const char *why);
)";

static const char ShimsH[] = R"(
struct kmalloc_slab *kmalloc_slab_of(const void *obj);
void *kmalloc_obj_get(unsigned long size, struct malloc_type *type, int flags);
void kmalloc_obj_put(void *obj, struct malloc_type *type);
void kmalloc_obj_detach(struct malloc_type *type);
)";

static const char Kmalloc[] = R"(#include <sys/malloc.h>

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_slab *slab;
	int i;

	/*
	 * The limit.
	 */
	if (type->ks_limit < size)
		return (NULL);
	slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE, flags);
	for (i = 0; i < 10; ++i)
		slab->ncount = i;
	return (slab);
}

void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab;

	slab = (void *)((unsigned long)obj & ~(KMALLOC_SLAB_SIZE - 1));
	slab->ncount = 0;
}
)";

static const char Slaballoc[] = R"(#include <sys/malloc.h>

void
malloc_init(void *data)
{
    struct malloc_type *kind = data;

    if (kind->ks_limit != 0)
	return;
    kind->ks_limit = 1;
}

void
malloc_uninit(void *data)
{
    struct malloc_type *type = data;

    if (type->ks_limit == 0)
	panic("not there");

    /* Gone from here on. */
    type->ks_limit = 0;
}
)";

namespace {

class Install : public testing::Test {
protected:
  Install()
      : Disk(FileSet{{"sys/malloc.h", MallocH},
                     {"kern/kern_kmalloc.c", Kmalloc},
                     {"kern/kern_slaballoc.c", Slaballoc},
                     {"conf/files", "kern/kern_a.c\tstandard\n"
                                    "kern/kern_kmalloc.c\t\tstandard\n"
                                    "kern/kern_z.c\tstandard\n"
                                    "vm/vm_zone.c\tstandard\n"}}) {
    Disk.write("shims/sys/kmalloc_obj.h", ShimsH);
    Disk.write("shims/sys/kmalloc_ext.h", "#include <sys/kmalloc_obj.h>\n");
    Disk.write("shims/kern/kern_kmalloc_boot.c", "int boot;\n");
    Disk.write("shims/conf/files", "kern/kern_kmalloc_boot.c\tstandard\n");
    Disk.write("shims/conf/options", "KMALLOC_OBJ_DEBUG\topt_global.h\n");
    Disk.write("shims/conf/series",
               "# What comes first.\n"
               "Subject: kernel - Add the interface\n"
               "Files: sys/kmalloc_obj.h\nFiles: sys/kmalloc_ext.h\n"
               "\n* One.\n\n* Two.\n\n"
               "Subject: kernel - Add the rest\n"
               "Files: kern/kern_kmalloc_boot.c\n\n* Three.\n\n"
               "Subject: kernel - Use it\n\n* Four.\n");
  }

  llvm::Expected<std::vector<Patch>> run() {
    const clang::tooling::FixedCompilationDatabase DB(
        Disk.root(), {"-I" + Disk.root() + "/sys", "-ffreestanding"});
    return install(Disk.tree(), DB, Disk.root() + "/shims");
  }

  /// The installed content of a file, or the error.
  std::string installed(const std::string &File) {
    auto P = run();
    if (!P)
      return llvm::toString(P.takeError());
    auto States = materialize(Disk.tree(), *P);
    if (!States)
      return llvm::toString(States.takeError());
    return States->back()[File];
  }

  /// Replaces From by To in a file of the tree.
  void edit(const std::string &File, const std::string &From,
            const std::string &To) {
    std::string Text = Disk.read("sys/" + File);
    const size_t At = Text.find(From);
    ASSERT_NE(At, std::string::npos);
    Disk.write("sys/" + File, Text.replace(At, From.size(), To));
  }

  TemporaryTree Disk;
};

bool contains(const std::string &Text, const std::string &Part) {
  return Text.find(Part) != std::string::npos;
}

} // namespace

TEST_F(Install, HooksInKmalloc) {
  EXPECT_EQ(installed("kern/kern_kmalloc.c"),
            R"(#include <sys/malloc.h>
#include <sys/kmalloc_ext.h>

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_slab *slab;
	int i;

	if (__predict_false(type->ks_ext != NULL))
		return (kmalloc_obj_get(size, type, flags));

	/*
	 * The limit.
	 */
	if (type->ks_limit < size)
		return (NULL);
	slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE, flags);
	for (i = 0; i < 10; ++i)
		slab->ncount = i;
	return (slab);
}

void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab;

	if (__predict_false(kmalloc_slab_of(obj)->magic !=
	    KMALLOC_SLAB_MAGIC)) {
		kmalloc_obj_put(obj, type);
		return;
	}

	slab = (void *)((unsigned long)obj & ~(KMALLOC_SLAB_SIZE - 1));
	slab->ncount = 0;
}
)");
}

TEST_F(Install, HooksInTheFilesOwnStyle) {
  EXPECT_EQ(installed("kern/kern_slaballoc.c"),
            R"(#include <sys/malloc.h>
#include <sys/kmalloc_obj.h>

void
malloc_init(void *data)
{
    struct malloc_type *kind = data;

    if (kind->ks_limit != 0)
	return;
    kind->ks_limit = 1;
}

void
malloc_uninit(void *data)
{
    struct malloc_type *type = data;

    if (type->ks_limit == 0)
	panic("not there");

    kmalloc_obj_detach(type);

    /* Gone from here on. */
    type->ks_limit = 0;
}
)");
}

TEST_F(Install, SpareWordsGetNames) {
  const std::string Text = installed("sys/malloc.h");
  for (const char *Declaration : {R"(struct malloc_type {
	unsigned long ks_limit;	/* bytes */
	struct kmalloc_ext *ks_ext;	/* control block, or NULL */
};)",
                                  R"(	int			magic, ncount;
	void			*origin;	/* where it came from */
};)",
                                  R"(	unsigned long	count;
	struct kmalloc_magcpu *mags;	/* pcpu, of kmalloc_obj() */
	struct kmalloc_magcpu *cmags;	/* spare */
};)"})
    EXPECT_TRUE(contains(Text, Declaration)) << Declaration << "\nin" << Text;
}

TEST_F(Install, NoSpareWord) {
  edit("sys/malloc.h", "ks_unused0", "ks_taken");
  EXPECT_TRUE(contains(installed("sys/malloc.h"),
                       "struct malloc_type has no spare word ks_unused0"));
}

TEST_F(Install, ASpareWordThatIsTooSmall) {
  edit("sys/malloc.h", "unsigned long	unused02", "int	unused02");
  EXPECT_TRUE(contains(installed("sys/malloc.h"),
                       "struct kmalloc_mgt: unused02 is not known to be as wide as a "
                       "pointer"));
}

TEST_F(Install, ASpareWordAmongOthers) {
  edit("sys/malloc.h", "	unsigned long	unused01;\n", "");
  edit("sys/malloc.h", "unsigned long	unused02", "long unused01, unused02");
  EXPECT_TRUE(contains(installed("sys/malloc.h"),
                       "is not a declaration of its own"));
}

TEST_F(Install, ConfFiles) {
  EXPECT_EQ(installed("conf/files"), "kern/kern_a.c\tstandard\n"
                                     "kern/kern_kmalloc.c\t\tstandard\n"
                                     "kern/kern_kmalloc_boot.c\tstandard\n"
                                     "kern/kern_z.c\tstandard\n"
                                     "vm/vm_zone.c\tstandard\n");
}

TEST_F(Install, ConfOptions) {
  Disk.write("sys/conf/options", "# Options.\n"
                                 "DEBUG\t\topt_global.h\n"
                                 "# The end.\n");
  EXPECT_EQ(installed("conf/options"), "# Options.\n"
                                       "DEBUG\t\topt_global.h\n"
                                       "KMALLOC_OBJ_DEBUG\topt_global.h\n"
                                       "# The end.\n");
}

TEST_F(Install, OptionsBesideTheAllocators) {
  Disk.write("sys/conf/options", "MBUF_DEBUG\t\topt_global.h\n"
                                 "KMALLOC_OLD\t\topt_global.h\n"
                                 "SLAB_DEBUG\t\topt_global.h\n"
                                 "\n# Of a driver.\n"
                                 "SAFE_NO_RNG\t\topt_dontuse.h\n");
  EXPECT_EQ(installed("conf/options"), "MBUF_DEBUG\t\topt_global.h\n"
                                       "KMALLOC_OLD\t\topt_global.h\n"
                                       "SLAB_DEBUG\t\topt_global.h\n"
                                       "KMALLOC_OBJ_DEBUG\topt_global.h\n"
                                       "\n# Of a driver.\n"
                                       "SAFE_NO_RNG\t\topt_dontuse.h\n");
}

TEST_F(Install, OptionsInLint) {
  Disk.write("sys/conf/options", "SLAB_DEBUG\topt_global.h\n");
  Disk.write("sys/config/LINT64", "ident\t\tLINT64\n"
                                  "options \tZERO\n"
                                  "options \tKEY\n"
                                  "options \tLOCKF_DEBUG=1\n"
                                  "#options\tMAXFILES=xxx\n"
                                  "options\t\tSLAB_DEBUG\n"
                                  "options \tSOCKBUF_DEBUG\n");
  EXPECT_EQ(installed("config/LINT64"), "ident\t\tLINT64\n"
                                        "options \tZERO\n"
                                        "options \tKEY\n"
                                        "options\t\tKMALLOC_OBJ_DEBUG\n"
                                        "options \tLOCKF_DEBUG=1\n"
                                        "#options\tMAXFILES=xxx\n"
                                        "options\t\tSLAB_DEBUG\n"
                                        "options \tSOCKBUF_DEBUG\n");
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P)) << llvm::toString(P.takeError());
  EXPECT_EQ(P->back().Body, "* Four.\n\n* The new option goes into "
                            "conf/options and config/LINT64.\n");
}

// Whose ident is no LINT, who does not set SLAB_DEBUG but in a comment, or has
// the option already.
TEST_F(Install, OptionsInNoOtherConfig) {
  Disk.write("sys/conf/options", "SLAB_DEBUG\topt_global.h\n");
  Disk.write("sys/config/MYLINT", "ident MINE\noptions SLAB_DEBUG\n");
  Disk.write("sys/config/LINT1", "ident LINT1\n#options SLAB_DEBUG\n"
                                 "options SLAB_DEBUGGER\n");
  Disk.write("sys/config/LINT2", "ident LINT2\noptions SLAB_DEBUG\n"
                                 "options KMALLOC_OBJ_DEBUG=1\n");
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P)) << llvm::toString(P.takeError());
  for (const Change &C : P->back().Changes)
    EXPECT_FALSE(llvm::StringRef(C.File).starts_with("config/")) << C.File;
  EXPECT_EQ(P->back().Body,
            "* Four.\n\n* The new option goes into conf/options.\n");
}

// config(8) would not know it.
TEST_F(Install, NoOptionsNothingForLint) {
  Disk.write("sys/config/LINT", "ident LINT\noptions SLAB_DEBUG\n");
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P)) << llvm::toString(P.takeError());
  for (const Change &C : P->back().Changes)
    EXPECT_FALSE(llvm::StringRef(C.File).starts_with("config/")) << C.File;
}

TEST_F(Install, ASecondTimeThereIsNothingToDo) {
  Disk.write("sys/conf/options", "SLAB_DEBUG\topt_global.h\n");
  Disk.write("sys/config/LINT", "ident \"LINT\"\noptions SLAB_DEBUG\n");
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P));
  auto States = materialize(Disk.tree(), *P);
  ASSERT_TRUE(static_cast<bool>(States));
  for (const auto &[File, Content] : States->back())
    Disk.write("sys/" + File, Content);
  auto Again = run();
  ASSERT_TRUE(static_cast<bool>(Again)) << llvm::toString(Again.takeError());
  EXPECT_TRUE(Again->empty());
}

TEST_F(Install, PiecesWithTheirMessages) {
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P)) << llvm::toString(P.takeError());
  ASSERT_EQ(P->size(), 3u);
  EXPECT_EQ((*P)[0].Subject, "kernel - Add the interface");
  EXPECT_EQ((*P)[0].Body,
            "* One.\n\n* Two.\n\n"
            "* Spare words of the allocator's structures get the names and "
            "types of what\n  they hold from now on; no member moves.\n");
  EXPECT_EQ((*P)[0].NewFiles.size(), 2u);
  EXPECT_EQ((*P)[1].NewFiles.size(), 1u);
  // Nothing is built or called before all of it is there.
  EXPECT_EQ((*P)[0].Changes.size(), 4u); // spare words
  EXPECT_TRUE((*P)[1].Changes.empty());
  EXPECT_EQ((*P)[2].Body, "* Four.\n");
  EXPECT_TRUE((*P)[2].NewFiles.empty());
  EXPECT_EQ((*P)[2].Changes.size(), 6u);
}

TEST_F(Install, AFileOfNoPiece) {
  Disk.write("shims/kern/kern_kmalloc_new.c", "int n;\n");
  EXPECT_TRUE(contains(installed("conf/files"),
                       "kern/kern_kmalloc_new.c is in no piece"));
}

TEST_F(Install, AFileOfTwoPieces) {
  Disk.write("shims/conf/series",
             "Subject: a\nFiles: sys/kmalloc_obj.h sys/kmalloc_ext.h\n"
             "Files: kern/kern_kmalloc_boot.c sys/kmalloc_obj.h\n\nb\n");
  EXPECT_TRUE(contains(installed("conf/files"),
                       "sys/kmalloc_obj.h is named twice or not there"));
}

TEST_F(Install, MissingAnchor) {
  edit("kern/kern_kmalloc.c", "(unsigned long)obj & ~", "(unsigned long)obj | ");
  const std::string Error = installed("kern/kern_kmalloc.c");
  EXPECT_TRUE(contains(Error, "kern_kmalloc.c:21: _kfree_obj(): no statement "
                              "that finds the slab by masking"))
      << Error;
  EXPECT_TRUE(contains(Error, "nothing was installed"));
}

TEST_F(Install, TwoCandidates) {
  edit("kern/kern_kmalloc.c", "	slab->ncount = 0;\n",
       "	slab = (void *)((unsigned long)obj & ~(KMALLOC_SLAB_SIZE - 1));\n");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "_kfree_obj(): more than one statement"));
}

TEST_F(Install, OtherParameters) {
  edit("kern/kern_kmalloc.c", "unsigned long size, struct malloc_type *type",
       "int size, struct malloc_type *type");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "_kmalloc_obj(): it has not one size"));
}

TEST_F(Install, MissingFunction) {
  edit("kern/kern_kmalloc.c", "_kfree_obj", "_kfree_object");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "no function _kfree_obj() was found"));
}

TEST_F(Install, DoesNotParse) {
  edit("kern/kern_kmalloc.c", "int i;", "strange i;");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "kern_kmalloc.c: does not parse: "));
}

TEST_F(Install, AnotherFileOfThatName) {
  Disk.write("sys/kern/kern_kmalloc_boot.c", "int other;\n");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc_boot.c"),
                       "exists and is not the file that would be installed"));
}

TEST_F(Install, NoAllocator) {
  llvm::sys::fs::remove(Disk.root() + "/sys/kern/kern_kmalloc.c");
  llvm::sys::fs::remove(Disk.root() + "/sys/kern/kern_slaballoc.c");
  EXPECT_TRUE(contains(installed("conf/files"),
                       "this tree has no kmalloc_obj to hook the shims into"));
}

TEST_F(Install, DropFromConf) {
  auto Changes = dropFromConf(Disk.tree(), {"vm/vm_zone.c", "not/there.c"});
  ASSERT_TRUE(static_cast<bool>(Changes));
  Patch P;
  P.Changes = *Changes;
  auto States = materialize(Disk.tree(), {P});
  ASSERT_TRUE(static_cast<bool>(States));
  EXPECT_EQ((*States)[0]["conf/files"], "kern/kern_a.c\tstandard\n"
                                        "kern/kern_kmalloc.c\t\tstandard\n"
                                        "kern/kern_z.c\tstandard\n");
}
