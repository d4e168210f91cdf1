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
struct malloc_type { unsigned long ks_limit; };
struct kmalloc_slab { struct malloc_type *type; int magic; int ncount; };
struct kmalloc_mgt { int spin; };
struct kmalloc_use { struct kmalloc_mgt mgt; };
struct kmalloc_slab *gslab_cache(struct kmalloc_slab *slab);
void *kmem_slab_alloc(unsigned long size, unsigned long align, int flags);
void bzero(void *p, unsigned long size);
void spin_lock(int *spin);
void crit_exit(void);
void panic(const char *why);
)";

static const char ShimsH[] = R"(
void kmalloc_obj_adopt(struct malloc_type *type);
int kmalloc_obj_keep_mgt(struct malloc_type *type, struct kmalloc_mgt *mgt);
struct kmalloc_slab *kmalloc_obj_getslab(struct malloc_type *type, int flags);
void kmalloc_obj_setup(struct malloc_type *type, struct kmalloc_slab *slab);
struct kmalloc_slab *kmalloc_obj_retire(struct malloc_type *type,
    struct kmalloc_slab *base);
int kmalloc_obj_foreign(void *obj, struct malloc_type *type);
void kmalloc_obj_detach(struct malloc_type *type);
)";

static const char Kmalloc[] = R"(#include <sys/malloc.h>

void
malloc_mgt_init(struct malloc_type *type, struct kmalloc_mgt *mgt,
    unsigned long size)
{
	bzero(mgt, size);
}

void
malloc_slab_destroy(struct malloc_type *type, struct kmalloc_slab **slabp)
{
	struct kmalloc_slab *base = *slabp;

	base = gslab_cache(base);
}

int
malloc_mgt_poll(struct malloc_type *type)
{
	struct kmalloc_slab *list = NULL;

	list = gslab_cache(list);
	return (list != NULL);
}

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_slab *slab;
	struct kmalloc_use *use = NULL;
	int i;

	slab = NULL;
	if (slab == NULL) {
		slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE,
		    M_WAITOK);
	}

	bzero(slab, sizeof(*slab));
	for (i = 0; i < 10; ++i)
		slab->ncount = i;	/* set up */

	/*
	 * Rotate it in.
	 */
	spin_lock(&use->mgt.spin);
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
    Disk.write("shims/kern/kern_kmalloc_boot.c", "int boot;\n");
    Disk.write("shims/conf/files", "kern/kern_kmalloc_boot.c\tstandard\n");
    Disk.write("shims/conf/options", "KMALLOC_OBJ_DEBUG\topt_global.h\n");
  }

  llvm::Expected<Patch> run() {
    const clang::tooling::FixedCompilationDatabase DB(
        Disk.root(), {"-I" + Disk.root() + "/sys", "-ffreestanding"});
    return install(Disk.tree(), DB, Disk.root() + "/shims");
  }

  /// The installed content of a file, or the error.
  std::string installed(const std::string &File) {
    auto P = run();
    if (!P)
      return llvm::toString(P.takeError());
    auto States = materialize(Disk.tree(), {*P});
    if (!States)
      return llvm::toString(States.takeError());
    return (*States)[0][File];
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
#include <sys/kmalloc_obj.h>

void
malloc_mgt_init(struct malloc_type *type, struct kmalloc_mgt *mgt,
    unsigned long size)
{
	if (kmalloc_obj_keep_mgt(type, mgt))
		return;

	bzero(mgt, size);
}

void
malloc_slab_destroy(struct malloc_type *type, struct kmalloc_slab **slabp)
{
	struct kmalloc_slab *base = *slabp;

	base = kmalloc_obj_retire(type, base);
	base = gslab_cache(base);
}

int
malloc_mgt_poll(struct malloc_type *type)
{
	struct kmalloc_slab *list = NULL;

	list = kmalloc_obj_retire(type, list);
	list = gslab_cache(list);
	return (list != NULL);
}

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_slab *slab;
	struct kmalloc_use *use = NULL;

	slab = NULL;
	if (slab == NULL) {
		slab = kmalloc_obj_getslab(type, flags);
		if (slab == NULL) {
			crit_exit();
			return (NULL);
		}
	}

	kmalloc_obj_setup(type, slab);

	/*
	 * Rotate it in.
	 */
	spin_lock(&use->mgt.spin);
	return (slab);
}

void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab;

	slab = (void *)((unsigned long)obj & ~(KMALLOC_SLAB_SIZE - 1));
	if (__predict_false(slab->magic != KMALLOC_SLAB_MAGIC) &&
	    kmalloc_obj_foreign(obj, type))
		return;
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

    kmalloc_obj_adopt(kind);
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

TEST_F(Install, ASecondTimeThereIsNothingToDo) {
  Disk.write("sys/conf/options", "DEBUG\topt_global.h\n");
  auto P = run();
  ASSERT_TRUE(static_cast<bool>(P));
  auto States = materialize(Disk.tree(), {*P});
  ASSERT_TRUE(static_cast<bool>(States));
  for (const auto &[File, Content] : (*States)[0])
    Disk.write("sys/" + File, Content);
  auto Again = run();
  ASSERT_TRUE(static_cast<bool>(Again)) << llvm::toString(Again.takeError());
  EXPECT_TRUE(Again->empty());
}

TEST_F(Install, MissingAnchor) {
  edit("kern/kern_slaballoc.c", "kind->ks_limit != 0", "kind->ks_limit == 3");
  const std::string Error = installed("kern/kern_slaballoc.c");
  EXPECT_TRUE(contains(Error, "kern_slaballoc.c:4: malloc_init(): no `if "
                              "(type->ks_limit != 0) return;` was found"))
      << Error;
  EXPECT_TRUE(contains(Error, "nothing was installed"));
}

TEST_F(Install, TwoCandidates) {
  edit("kern/kern_kmalloc.c", "	list = gslab_cache(list);\n",
       "	list = gslab_cache(list);\n	list = gslab_cache(list);\n");
  const std::string Error = installed("kern/kern_kmalloc.c");
  EXPECT_TRUE(contains(Error, "malloc_mgt_poll(): more than one call of "
                              "gslab_cache()"))
      << Error;
}

TEST_F(Install, MissingFunction) {
  edit("kern/kern_kmalloc.c", "malloc_mgt_poll", "malloc_mgt_look");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "no function malloc_mgt_poll() was found"));
}

TEST_F(Install, HalfThere) {
  edit("kern/kern_kmalloc.c",
       "kmem_slab_alloc(KMALLOC_SLAB_SIZE, "
       "KMALLOC_SLAB_SIZE,\n\t\t    M_WAITOK)",
       "kmalloc_obj_getslab(type, flags)");
  edit("sys/malloc.h", "void crit_exit(void);", ShimsH);
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "only one of kmalloc_obj_getslab() and "
                       "kmalloc_obj_setup() is called"));
}

TEST_F(Install, ConditionalAcrossTheSetUp) {
  edit("kern/kern_kmalloc.c", "	bzero(slab, sizeof(*slab));\n",
       "#ifndef X\n	bzero(slab, sizeof(*slab));\n");
  edit(
      "kern/kern_kmalloc.c", "	/*\n	 * Rotate",
      "	slab->ncount = 1;\n#endif\n	i = 1;\n	/*\n	 * Rotate");
  EXPECT_TRUE(contains(installed("kern/kern_kmalloc.c"),
                       "a preprocessor conditional ends in the middle"));
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
