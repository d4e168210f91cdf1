/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What verify finds, and what it leaves alone.
 *
 * A tree with every shape that kmobj converts is converted; then one edit of a
 * person's at a time is made to the result. Each of those that weaken it must
 * be named at its file, in the words given; each of those that do no harm must
 * pass without a word.
 */
#include "../TemporaryTree.h"
#include "kmobj/Collect.h"
#include "kmobj/Edit.h"
#include "kmobj/Install.h"
#include "kmobj/Verify.h"
#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gtest/gtest.h"

using namespace kmobj;
using clang::tooling::FixedCompilationDatabase;
using llvm::StringRef;

static const char SwapC[] = R"(#include <sys/param.h>
#include <sys/systm.h>
#include <sys/lock.h>
#include <vm/vm_zone.h>
#include "swap.h"

#define	NBOOT	16

vm_zone_t swap_zone;
static struct vm_zone map_store;
static vm_zone_t map_zone;
static struct map_entry map_first[NBOOT];
static int swap_count;

void
map_boot(void)
{
	map_zone = &map_store;
	zbootinit(map_zone, "MAP", sizeof(struct map_entry), map_first,
	    NBOOT);
}

void
swap_init(int n)
{
	zinitna(map_zone, NULL, 0, 0, ZONE_USE_RESERVE | ZONE_SPECIAL);
	if (n < 4)
		n = 4;
	swap_zone = zinit("SWAPMETA", sizeof(struct swblock), n,
	    ZONE_INTERRUPT);
	if (swap_zone == NULL)
		panic("no swap zone");
	kprintf("swap: %d\n", n);
}

struct swblock *
swap_get(int index)
{
	struct swblock *swap;
	int tries;

	KASSERT(index >= 0, ("swap_get: bad index"));
	for (tries = 0; tries < 3; ++tries) {
		swap = zalloc(swap_zone);
		if (swap == NULL)
			continue;
		swap->index = index;
		++swap_count;
		return (swap);
	}
	return (NULL);
}

void
swap_put(struct swblock *swap)
{
	if (swap == NULL)
		return;
	crit_enter();
	--swap_count;
	crit_exit();
	zfree(swap_zone, swap);
}

struct map_entry *
map_get(int kind)
{
	struct map_entry *entry;

	switch (kind) {
	case 0:
		entry = NULL;
		break;
	case 1:
		entry = zalloc(map_zone);
		entry->kind = kind;
		break;
	default:
		panic("map_get: kind %d", kind);
	}
	return (entry);
}

void
map_put(struct map_entry *entry, int locked)
{
	if (locked)
		crit_enter();
	else
		kprintf("not locked\n");
#ifdef MAP_DEBUG
	zfree(map_zone, entry);
	kprintf("freed\n");
#else
	zfree(map_zone, entry);
#endif
	if (locked)
		crit_exit();
}

#define	SW_GET()	zalloc(swap_zone)

struct swblock *
swap_macro(void)
{
	return (SW_GET());
}

static volatile int swap_most = NBOOT;
static const struct swap_ops swap_ops = { swap_get, swap_put };

static int __attribute__((noinline))
swap_first(void)
{
	return (1);
}

static int __attribute__((noinline))
swap_second(void)
{
	return (2 * swap_first());
}

#define	GETTER(name, get)						\
static void *								\
name(void)								\
{									\
	return (get);							\
}
GETTER(swap_getter, zalloc(swap_zone))

int
swap_range(int low, int high)
{
	long size = high - low;

	lockmgr(&swap_lock, LK_EXCLUSIVE);
	if (size > swap_most)
		size = swap_most;
	lockmgr(&swap_lock, LK_RELEASE);
	if (swap_ops.get == NULL || swap_second() == 0 || !swap_getter())
		return (SWAP_OFF);
	return (size);
}

#ifdef MAP_DEBUG
int
swap_debug(void)
{
	return (1);
}
#else
int
swap_debug(void)
{
	return (0);
}
#endif
)";

static const char SwapH[] = R"(#ifndef _SWAP_H_
#define	_SWAP_H_
#include <vm/vm_zone.h>

struct swblock {
	int	index;
	long	words[15];
};

struct map_entry {
	int	kind;
	long	words[7];
};

#define	LK_SHARED	1
#define	LK_EXCLUSIVE	2
#define	LK_RELEASE	6
int	lockmgr(struct lock *, int);

typedef long swap_blk;
enum swap_state { SWAP_OFF, SWAP_ON };

struct swap_ops {
	struct swblock	*(*get)(int);
	void	(*put)(struct swblock *);
};

extern vm_zone_t swap_zone;
extern struct lock swap_lock;

#endif
)";

static const char CacheC[] = R"(#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <vm/vm_zone.h>

#define	NSPACE	64

struct space {
	int	id;
	void	*pmap;
};

struct softc {
	vm_zone_t	zone;
	int		unit;
};

MALLOC_DEFINE(M_SPACE, "space", "address spaces");
MALLOC_DEFINE(M_PATH, "path", "path buffers");

static struct objcache *space_cache;
static struct objcache *path_cache;

static bool
space_ctor(void *obj, void *private, int flags)
{
	struct space *sp = obj;

	sp->pmap = NULL;
	return (sp->id == 0);
}

static void
space_dtor(void *obj, void *private)
{
	struct space *sp = obj;

	sp->id = 0;
}

void
space_init(void *arg)
{
	space_cache = objcache_create_mbacked(M_SPACE, sizeof(struct space),
	    NSPACE, 0, space_ctor, space_dtor, arg);
	path_cache = objcache_create_simple(M_PATH, 1024);
	kmalloc_raise_limit(M_PATH, 1024 * NSPACE);
}

struct space *
space_get(int wait)
{
	struct space *sp;

	if (wait)
		sp = objcache_get(space_cache, M_WAITOK);
	else
		sp = objcache_get(space_cache, M_NOWAIT);
	return (sp);
}

void
space_put(struct space *sp, int broken)
{
	if (broken) {
		objcache_dtor(space_cache, sp);
		return;
	}
	objcache_put(space_cache, sp);
}

void *
path_get(void)
{
	return (objcache_get(path_cache, M_WAITOK | M_ZERO));
}

void
path_put(void *path)
{
	objcache_put(path_cache, path);
}

int
dev_attach(struct softc *sc)
{
	sc->zone = zinit("DEV", 96, 0, ZONE_DESTROYABLE);
	if (sc->unit > 8)
		return (1);
	return (0);
}

void *
dev_get(struct softc *sc)
{
	return (zalloc(sc->zone));
}

void
dev_detach(struct softc *sc)
{
	zdestroy(sc->zone);
	sc->unit = 0;
	sc->zone = NULL;
}

static int units;

void
dev_count(struct softc *sc)
{
	units = sc->unit;
}

SYSINIT(space, SI_SUB_CONFIGURE, SI_ORDER_ANY, space_init, NULL);

static void
path_uninit(void *arg)
{
	objcache_destroy(path_cache);
}
SYSUNINIT(path, SI_SUB_CONFIGURE, SI_ORDER_ANY, path_uninit, NULL);
)";

static void readTree(const std::string &Root, const std::string &Below,
                     FileSet &Out) {
  std::error_code EC;
  for (llvm::sys::fs::directory_iterator I(Root + "/" + Below, EC), End;
       !EC && I != End; I.increment(EC)) {
    const StringRef Name = llvm::sys::path::filename(I->path());
    const std::string Path =
        Below.empty() ? Name.str() : Below + "/" + Name.str();
    if (I->type() == llvm::sys::fs::file_type::directory_file)
      readTree(Root, Path, Out);
    else
      Out[Path] = (*llvm::MemoryBuffer::getFile(I->path()))->getBuffer().str();
  }
}

static FileSet sources() {
  FileSet All;
  readTree(KMOBJ_INPUTS, "", All);
  All["kern/swap.c"] = SwapC;
  All["kern/swap.h"] = SwapH;
  All["kern/cache.c"] = CacheC;
  return All;
}

namespace {

/// Made once: the tree, its conversion, and the allocator with its hooks.
struct Conversion {
  TemporaryTree Disk{sources()};
  FixedCompilationDatabase DB{Disk.root(),
                              {"-I" + Disk.root() + "/sys", "-std=gnu17",
                               "-fsyntax-only", "-D_KERNEL"}};
  Facts F;
  Plan P;
  FileSet Before, After;     ///< what the zones' conversion changes
  FileSet Hooked, Installed; ///< the allocator before, and with its hooks

  Conversion() {
    struct Units : clang::tooling::CompilationDatabase {
      const FixedCompilationDatabase &Flags;
      const std::string Tree;
      Units(const FixedCompilationDatabase &Flags, std::string Tree)
          : Flags(Flags), Tree(std::move(Tree)) {}
      std::vector<clang::tooling::CompileCommand>
      getCompileCommands(StringRef File) const override {
        return Flags.getCompileCommands(File);
      }
      std::vector<std::string> getAllFiles() const override {
        return {Tree + "/kern/swap.c", Tree + "/kern/cache.c"};
      }
      std::vector<clang::tooling::CompileCommand>
      getAllCompileCommands() const override {
        std::vector<clang::tooling::CompileCommand> All;
        for (const std::string &File : getAllFiles())
          for (auto &C : getCompileCommands(File))
            All.push_back(C);
        return All;
      }
    };
    const Units Database(DB, Disk.tree().root());
    CollectOptions Options;
    Options.Tree = Disk.tree().root();
    Options.Jobs = 1;
    F = llvm::cantFail(collect(Database, Options));
    P = makePlan(F);
    auto Zones = llvm::cantFail(edit(Disk.tree(), F, P));
    After = llvm::cantFail(materialize(Disk.tree(), Zones)).back();
    for (const auto &[Path, Text] : After)
      Before[Path] = llvm::cantFail(Disk.tree().read(Path));
    auto Shims = llvm::cantFail(install(Disk.tree(), Database, KMOBJ_SHIMS));
    Installed = llvm::cantFail(materialize(Disk.tree(), Shims)).back();
  }
};

/// One change of a person's.
struct HandEdit {
  const char *Name, *File, *From, *To;
  const char *Says; ///< null: nothing
};

const HandEdit Edits[] = {
#include "Mutations.inc"
};

void PrintTo(const HandEdit &E, std::ostream *OS) { *OS << E.Name; }

class Mutation : public testing::TestWithParam<HandEdit> {
protected:
  static Conversion &converted() {
    static Conversion *C = new Conversion;
    return *C;
  }
};

std::string joined(const std::vector<std::string> &Lines) {
  std::string Out;
  for (const std::string &Line : Lines)
    Out += Line + "\n";
  return Out;
}

} // namespace

TEST_F(Mutation, AllOfTheTreeIsConverted) {
  for (const PlanEntry &E : converted().P.Entries)
    EXPECT_TRUE(E.Convert) << E.Variable << ": "
                           << (E.Reasons.empty() ? "" : E.Reasons[0].str());
  EXPECT_EQ(converted().P.Entries.size(), 5u);
}

TEST_F(Mutation, TheConversionItselfHasNoProblem) {
  Conversion &C = converted();
  EXPECT_EQ(joined(meaningProblems(C.F, C.P, C.Before, C.After)), "");
  EXPECT_EQ(joined(meaningProblems(C.F, Plan(), C.Installed, C.Installed)), "");
}

TEST_P(Mutation, Is) {
  Conversion &C = converted();
  const HandEdit &E = GetParam();
  const bool Zones = C.After.count(E.File);
  FileSet Now = Zones ? C.After : C.Installed;
  ASSERT_TRUE(Now.count(E.File)) << E.File;
  std::string &Text = Now[E.File];
  const size_t At = Text.find(E.From);
  ASSERT_NE(At, std::string::npos) << Text;
  Text.replace(At, StringRef(E.From).size(), E.To);
  const std::string Found =
      joined(Zones ? meaningProblems(C.F, C.P, C.Before, Now)
                   : meaningProblems(C.F, Plan(), C.Installed, Now));
  if (!E.Says) {
    EXPECT_EQ(Found, "");
    return;
  }
  EXPECT_NE(Found.find(E.Says), std::string::npos) << Found;
  EXPECT_NE(Found.find(std::string(E.File) + ":"), std::string::npos) << Found;
}

INSTANTIATE_TEST_SUITE_P(By, Mutation, testing::ValuesIn(Edits),
                         [](const auto &Info) {
                           return std::string(Info.param.Name);
                         });
