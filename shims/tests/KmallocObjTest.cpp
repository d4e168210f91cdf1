// SPDX-License-Identifier: BSD-3-Clause
//
// The shims of kmalloc_obj, with the kernel's own kern_kmalloc.c, on the fake
// kernel of fake_kernel.h.

#include "Fixture.h"

#include <cstdlib>
#include <set>
#include <string>
#include <thread>

namespace {

constexpr size_t Size = 128;

class FakeKernel : public ::testing::Environment {
public:
  void SetUp() override {
    fake_thread_enter(&MainThread);
    fake_boot();
  }
  void TearDown() override { fake_thread_exit(); }
};

bool isZero(const void *Obj, size_t Bytes = Size) {
  const char *P = static_cast<const char *>(Obj);
  for (size_t I = 0; I < Bytes; ++I)
    if (P[I] != 0)
      return false;
  return true;
}

MALLOC_DEFINE_OBJ(M_BOOT, Size, "BOOT", "");
KMALLOC_OBJ_BOOTSLABS(M_BOOT, Size, 1500);

TEST_F(KmallocObj, bootstrapBeforeMallocInit) {
  fake_kmem_forbidden = true;
  kmalloc_obj_bootinit(M_BOOT, M_BOOT_bootslabs, sizeof(M_BOOT_bootslabs));
  std::vector<void *> Objs;
  for (int I = 0; I < 1500; ++I) {
    Objs.push_back(get(M_BOOT_obj, M_INTWAIT));
    ASSERT_TRUE(isZero(Objs.back()));
    memset(Objs.back(), 0x5a, Size);
  }
  EXPECT_EQ(std::set<void *>(Objs.begin(), Objs.end()).size(), 1500u);

  // malloc_init() neither forgets the slabs nor leaves the boot-time limit.
  malloc_init(M_BOOT_obj);
  EXPECT_EQ(M_BOOT_obj->ks_limit, size_t(64) << 20);
  size_t InUse = M_BOOT_obj->ks_use->inuse;
  EXPECT_EQ(InUse, 1500u);
  putAll(M_BOOT_obj, Objs);
  for (int I = 0; I < 1500; ++I)
    EXPECT_NE(get(M_BOOT_obj, M_INTWAIT), nullptr);
}

MALLOC_DEFINE_OBJ(M_BOTH, Size, "BOTH", "");
KMALLOC_OBJ_BOOTSLABS(M_BOTH, Size, 900);

TEST_F(KmallocObj, theLimitIsWhatIsReservedOnTopOfBootMemory) {
  kmalloc_obj_bootinit(M_BOTH, M_BOTH_bootslabs, sizeof(M_BOTH_bootslabs));
  malloc_init(M_BOTH_obj);
  M_BOTH_obj->ks_limit = 1000 * Size;
  kmalloc_obj_reserve(M_BOTH, 1, 2000);
  for (int I = 0; I < 2900; ++I)
    ASSERT_NE(get(M_BOTH_obj, M_INTNOWAIT), nullptr) << "object " << I;
}

MALLOC_DEFINE_OBJ(M_CACHELIMIT, Size, "CACHELIMIT", "");

TEST_F(KmallocObj, whatWasACacheKeepsTheLimitInBytes) {
  malloc_init(M_CACHELIMIT_obj);
  M_CACHELIMIT_obj->ks_limit = 1000 * Size;
  kmalloc_obj_cache(M_CACHELIMIT);
  EXPECT_EQ(M_CACHELIMIT_obj->ks_limit, 1000 * Size);
}

MALLOC_DEFINE_OBJ(M_NOKVA, Size, "NOKVA", "");

// kmem_slab_alloc() panics where there are no addresses, unless it is told that
// NULL will do, as kmalloc() told it.
TEST_F(KmallocObj, withoutAddressesWhoCanTakeItGetsNull) {
  malloc_init(M_NOKVA_obj);
  kmalloc_obj_cache(M_NOKVA);
  fake_nofault_most = 1;
  const u_long Refused = kmalloc_ext(M_NOKVA_obj)->refusals;
  EXPECT_FALSE(exhaust(M_NOKVA_obj, M_NOWAIT).empty());
  EXPECT_EQ(get(M_NOKVA_obj, M_NOWAIT), nullptr);
  EXPECT_EQ(get(M_NOKVA_obj, M_WAITOK | M_NULLOK), nullptr);
  EXPECT_GE(kmalloc_ext(M_NOKVA_obj)->refusals, Refused + 2);
  EXPECT_DEATH(get(M_NOKVA_obj, M_WAITOK), "ran out of space");
}

MALLOC_DEFINE_OBJ(M_TRIMMED, Size, "TRIMMED", "");
KMALLOC_OBJ_BOOTSLABS(M_TRIMMED, Size, 1500);

// Boot slabs that come back are the reserve, and what was made for it goes.
TEST_F(KmallocObj, bootSlabsTakeThePlaceOfOthersInTheReserve) {
  kmalloc_obj_bootinit(M_TRIMMED, M_TRIMMED_bootslabs,
                       sizeof(M_TRIMMED_bootslabs));
  malloc_init(M_TRIMMED_obj);
  struct kmalloc_ext *Ext = kmalloc_ext(M_TRIMMED_obj);
  const long Boot = Ext->nready;
  ASSERT_EQ(Boot, 2);
  std::vector<void *> Objs = getMany(M_TRIMMED_obj, Ext->bootobjs, M_WAITOK);
  EXPECT_EQ(Ext->bootready, nullptr);
  kmalloc_obj_reserve(M_TRIMMED, 3, 0);
  EXPECT_EQ(Ext->nready, 3);
  putAll(M_TRIMMED_obj, Objs);
  rounds(30);
  EXPECT_EQ(Ext->nready, 3);
  EXPECT_NE(Ext->bootready, nullptr);
  ASSERT_NE(Ext->ready, nullptr);
  EXPECT_EQ(Ext->ready->next, nullptr);
  EXPECT_EQ(Ext->nslots - Ext->nfreeslots, 1);
}

MALLOC_DEFINE_OBJ(M_NOLIMIT, Size, "NOLIMIT", "");

TEST_F(KmallocObj, whatIsNoInterruptZoneHasNoLimit) {
  malloc_init(M_NOLIMIT_obj);
  M_NOLIMIT_obj->ks_limit = 1000 * Size;
  kmalloc_obj_reserve(M_NOLIMIT, 0, 0);
  for (int I = 0; I < 1500; ++I)
    ASSERT_NE(get(M_NOLIMIT_obj, M_NOWAIT), nullptr) << "object " << I;
}

MALLOC_DEFINE_OBJ(M_READY, Size, "READY", "");
KMALLOC_OBJ_BOOTSLABS(M_READY, Size, 20000);

// They are the reserve, and no page is taken for one.  The poller goes on to the
// next type at once: there is nothing for it to see.
TEST_F(KmallocObj, bootSlabsThatNobodyUsesAreReady) {
  rounds(25); // what other types had
  const long Free = fake_free_pages;
  kmalloc_obj_bootinit(M_READY, M_READY_bootslabs, sizeof(M_READY_bootslabs));
  malloc_init(M_READY_obj);
  struct kmalloc_ext *Ext = kmalloc_ext(M_READY_obj);
  const long Slabs = sizeof(M_READY_bootslabs) / KMALLOC_SLAB_SIZE;
  EXPECT_EQ(Ext->nready, Slabs);
  kmalloc_obj_reserve(M_READY, 3, 5000);
  fake_maintain();
  EXPECT_EQ(Ext->nready, Slabs);
  EXPECT_EQ(Ext->refills, 0u);
  EXPECT_EQ(fake_free_pages, Free);
  EXPECT_EQ(malloc_mgt_poll(M_READY_obj), 1);

  std::vector<void *> Objs;
  for (size_t I = 0; I < Slabs * perSlab(M_READY_obj); ++I)
    Objs.push_back(get(M_READY_obj, M_INTNOWAIT));
  EXPECT_EQ(Ext->nready, 3) << "of other memory now";
  putAll(M_READY_obj, Objs);
  EXPECT_EQ(malloc_mgt_poll(M_READY_obj), 1);
  EXPECT_EQ(M_READY_obj->ks_mgt.nfull, 0u);
  // What nobody needs for a while is the reserve again.
  rounds(25);
  EXPECT_EQ(Ext->nready, Slabs);
  EXPECT_EQ(Ext->whole.nfull, 0);
  EXPECT_EQ(fake_free_pages, Free);
}

MALLOC_DEFINE_OBJ(M_STOLEN, Size, "STOLEN", "");

TEST_F(KmallocObj, bootMemoryNeedNotBeAligned) {
  const size_t Objects = 2500;
  const size_t Bytes = kmalloc_obj_bootbytes(Size, Objects);
  char *Mem = static_cast<char *>(aligned_alloc(
      KMALLOC_SLAB_SIZE, roundup2(Bytes + PAGE_SIZE, KMALLOC_SLAB_SIZE)));
  fake_kmem_forbidden = true;
  kmalloc_obj_bootinit(M_STOLEN, Mem + PAGE_SIZE, Bytes);
  for (size_t I = 0; I < Objects; ++I) {
    char *Obj = static_cast<char *>(get(M_STOLEN_obj, M_INTWAIT));
    ASSERT_GE(Obj, Mem + PAGE_SIZE);
    ASSERT_LE(Obj + Size, Mem + PAGE_SIZE + Bytes);
  }
  // Mem belongs to the type for ever.
}

MALLOC_DEFINE_OBJ(M_FOREIGN, Size, "FOREIGN", "");
KMALLOC_OBJ_BOOTSLABS(M_FOREIGN, Size, 10);

TEST_F(KmallocObj, staticItemsMayBeFreedToABootType) {
  alignas(64) static char Items[2][Size];
  kmalloc_obj_bootinit(M_FOREIGN, M_FOREIGN_bootslabs,
                       sizeof(M_FOREIGN_bootslabs));
  malloc_init(M_FOREIGN_obj);
  void *Obj = get(M_FOREIGN_obj, M_INTWAIT);
  kfree_obj(Items[0], M_FOREIGN);
  kfree_obj(Items[1], M_FOREIGN);
  EXPECT_EQ(kmalloc_ext(M_FOREIGN_obj)->foreign, 2u);
  EXPECT_EQ(M_FOREIGN_obj->ks_use->inuse, 1u);
  kfree_obj(Obj, M_FOREIGN);
  EXPECT_EQ(M_FOREIGN_obj->ks_use->inuse, 0u);
  EXPECT_DEATH(kfree_obj(Obj, M_FOREIGN), "free already|every object already");
}

MALLOC_DEFINE_OBJ(M_SMALL, Size, "SMALL", "");

TEST_F(KmallocObj, bootMemoryWithoutAWholeSlabPanics) {
  static char Mem[KMALLOC_SLAB_SIZE];
  EXPECT_DEATH(kmalloc_obj_bootinit(M_SMALL, Mem + 1, sizeof(Mem) - 1),
               "SMALL: kmalloc_obj_bootinit: no whole slab in 131071 bytes");
}

MALLOC_DEFINE_OBJ(M_FLOOR, Size, "FLOOR", "");

TEST_F(KmallocObj, reserveIsTakenRefilledAndHasAFloor) {
  malloc_init(M_FLOOR_obj);
  kmalloc_obj_reserve(M_FLOOR, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_FLOOR_obj);
  const size_t PerSlab = perSlab(M_FLOOR_obj);
  EXPECT_EQ(Ext->nready, 3);

  // A slab is eaten, another is populated at once, nobody blocks.
  fake_kmem_forbidden = true;
  std::vector<void *> Objs = {get(M_FLOOR_obj, M_WAITOK)};
  EXPECT_EQ(Ext->nready, 3);
  EXPECT_EQ(Ext->eaten, 1u);
  EXPECT_EQ(Ext->refills, 4u);

  // Without memory: callers without privilege leave the last one.
  fake_leave_free(0);
  std::vector<void *> More = exhaust(M_FLOOR_obj, M_NOWAIT);
  EXPECT_EQ(More.size(), 3 * PerSlab - 1);
  EXPECT_EQ(Ext->nready, 1);
  Objs.insert(Objs.end(), More.begin(), More.end());

  // M_INTNOWAIT does not, and then goes without.
  More = exhaust(M_FLOOR_obj, M_INTNOWAIT);
  EXPECT_EQ(More.size(), PerSlab);
  EXPECT_EQ(Ext->nready, 0);
  EXPECT_EQ(Ext->lowwater, 0);
  EXPECT_EQ(Ext->refusals, 2u);
  EXPECT_EQ(Ext->blocking, 0u);
  EXPECT_EQ(Ext->nfreeslots, Ext->nslots - 4);
}

MALLOC_DEFINE_OBJ(M_WHOLE, Size, "WHOLE", "");

TEST_F(KmallocObj, withoutMiniSlabsThirtyTwoPagesAreNeededAtOnce) {
  malloc_init(M_WHOLE_obj);
  kmalloc_obj_reserve(M_WHOLE, 1, 5000);
  *fake_sysctl_int_kmalloc_mini = 0;
  fake_leave_free(0);
  exhaust(M_WHOLE_obj, M_INTNOWAIT);
  fake_leave_free(31);
  EXPECT_EQ(get(M_WHOLE_obj, M_INTNOWAIT), nullptr);
  EXPECT_EQ(fake_free_pages, 31);
  fake_leave_free(32);
  EXPECT_NE(get(M_WHOLE_obj, M_INTNOWAIT), nullptr);
  EXPECT_EQ(fake_free_pages, 0);
}

MALLOC_DEFINE_OBJ(M_MINI, Size, "MINI", "");

TEST_F(KmallocObj, onePageIsEnough) {
  malloc_init(M_MINI_obj);
  kmalloc_obj_reserve(M_MINI, 2, 3000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_MINI_obj);
  const size_t PerMini = kmalloc_mini_count(M_MINI_obj);
  const long Slots = Ext->nfreeslots;
  EXPECT_GT(PerMini, 20u);
  fake_kmem_forbidden = true;
  fake_leave_free(0);
  std::vector<void *> Objs = exhaust(M_MINI_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->nready, 0);

  // Page by page, each is used to the last byte that is not the header's.
  for (int Page = 1; Page <= 50; ++Page) {
    fake_leave_free(1);
    for (size_t I = 0; I < PerMini; ++I) {
      char *Obj = static_cast<char *>(get(M_MINI_obj, M_INTNOWAIT));
      ASSERT_NE(Obj, nullptr) << "object " << I << " of page " << Page;
      ASSERT_TRUE(isZero(Obj));
      ASSERT_LE((reinterpret_cast<uintptr_t>(Obj) & KMALLOC_SLAB_MASK) + Size,
                size_t(PAGE_SIZE));
      memset(Obj, 0x5a, Size);
      Objs.push_back(Obj);
    }
    EXPECT_EQ(fake_free_pages, 0);
    EXPECT_EQ(Ext->minis, Page);
    ASSERT_EQ(get(M_MINI_obj, M_INTNOWAIT), nullptr);
  }
  EXPECT_EQ(std::set<void *>(Objs.begin(), Objs.end()).size(), Objs.size());
  // It is the type that may have the last page, whatever the flags.
  fake_leave_free(FAKE_INTERRUPT_MIN);
  Objs.push_back(get(M_MINI_obj, M_NOWAIT));
  EXPECT_NE(Objs.back(), nullptr);
  EXPECT_EQ(fake_free_pages, FAKE_INTERRUPT_MIN - 1);
  EXPECT_EQ(Ext->minis_made, 51u);

  // They go back when their objects do.
  putAll(M_MINI_obj, Objs);
  for (int I = 0; I < 4; ++I) {
    lockmgr(&Ext->lock, LK_EXCLUSIVE);
    kmalloc_ext_reclaim(Ext, 0);
    lockmgr(&Ext->lock, LK_RELEASE);
    pseudo_ticks += 2;
    fake_ticks_add(hz);
  }
  EXPECT_EQ(Ext->minis, 0);
  EXPECT_EQ(Ext->minis_returned, 51u);
  EXPECT_GE(fake_free_pages, FAKE_INTERRUPT_MIN - 1 + 51);
  EXPECT_EQ(mycpu->gd_kmslab.free_count, 0u);
  EXPECT_GE(Ext->nfreeslots, Slots);
}

MALLOC_DEFINE_OBJ(M_EMPTIES, 256, "EMPTIES", "");

// Whoever is about to take an emergency page, to be refused or to wait finds an
// object that came back into any slab.
TEST_F(KmallocObj, anObjectIsFoundInAnyOfManySlabs) {
  malloc_init(M_EMPTIES_obj);
  kmalloc_obj_reserve(M_EMPTIES, 1, 40000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_EMPTIES_obj);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 60 * perSlab(M_EMPTIES_obj); ++I)
    Objs.push_back(get(M_EMPTIES_obj, M_INTNOWAIT));
  fake_leave_free(0);
  for (void *Obj : exhaust(M_EMPTIES_obj, M_INTNOWAIT))
    Objs.push_back(Obj);
  for (size_t Nth : {size_t(0), Objs.size() / 2, Objs.size() - 1})
    for (int Flags : {M_INTNOWAIT, M_INTWAIT})
      for (long Free : {0, 1}) {
        fake_leave_free(Free);
        _kfree_obj(Objs[Nth], M_EMPTIES_obj);
        EXPECT_EQ(get(M_EMPTIES_obj, Flags), Objs[Nth]);
        EXPECT_EQ(fake_free_pages, Free);
      }
  EXPECT_EQ(Ext->blocking, 0u);
  fake_leave_free(0);
  EXPECT_EQ(get(M_EMPTIES_obj, M_INTNOWAIT), nullptr);
}

MALLOC_DEFINE_OBJ(M_LARGE, 5000, "LARGE", "");

TEST_F(KmallocObj, objectsLargerThanAPageHaveNoMiniSlabs) {
  malloc_init(M_LARGE_obj);
  kmalloc_obj_reserve(M_LARGE, 1, 100);
  EXPECT_EQ(kmalloc_mini_count(M_LARGE_obj), 0u);
  fake_leave_free(0);
  exhaust(M_LARGE_obj, M_INTNOWAIT);
  fake_leave_free(1);
  EXPECT_EQ(get(M_LARGE_obj, M_INTNOWAIT), nullptr);
  EXPECT_EQ(fake_free_pages, 1);
}

MALLOC_DEFINE_OBJ(M_HOARD, Size, "HOARD", "");

TEST_F(KmallocObj, shortageLeavesNothingButTheReserve) {
  malloc_init(M_HOARD_obj);
  kmalloc_obj_reserve(M_HOARD, 2, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_HOARD_obj);
  std::vector<void *> Objs;
  for (int I = 0; I < 10000; ++I)
    Objs.push_back(get(M_HOARD_obj, M_INTNOWAIT));
  putAll(M_HOARD_obj, Objs);
  EXPECT_GT(Ext->nslots - Ext->nfreeslots, 10);
  fake_leave_free(FAKE_START - 1);
  rounds(4);
  EXPECT_EQ(Ext->nslots - Ext->nfreeslots, 2);
  EXPECT_EQ(Ext->nready, 2);
}

MALLOC_DEFINE_OBJ(M_PAGER, Size, "PAGER", "");
MALLOC_DEFINE_OBJ(M_EMERG, Size, "EMERG", "");

// A page daemon gets the floor, and then the last page, of any type.
void daemonTakesTheFloor(struct malloc_type *Type, struct thread **Daemon) {
  malloc_init(Type);
  _kmalloc_obj_reserve(Type, 1, 0);
  fake_leave_free(0);
  EXPECT_EQ(get(Type, M_NOWAIT), nullptr);
  *Daemon = &MainThread;
  fake_kmem_forbidden = true;
  EXPECT_EQ(exhaust(Type, M_NOWAIT).size(), perSlab(Type));
  fake_leave_free(1);
  EXPECT_NE(get(Type, M_NOWAIT), nullptr);
  EXPECT_EQ(fake_free_pages, 0);
}

TEST_F(KmallocObj, pageOutThreadMayTakeTheFloorAndTheLastPage) {
  daemonTakesTheFloor(M_PAGER_obj, &pagethread);
}

TEST_F(KmallocObj, soMayTheEmergencyPager) {
  daemonTakesTheFloor(M_EMERG_obj, &emergpager);
}

MALLOC_DEFINE_OBJ(M_LIMITED, Size, "LIMITED", "");

TEST_F(KmallocObj, addressSpaceForAllObjectsIsSetAside) {
  malloc_init(M_LIMITED_obj);
  kmalloc_obj_reserve(M_LIMITED, 3, 10000);
  fake_kmem_forbidden = true;
  std::vector<void *> Objs;
  for (int I = 0; I < 10000; ++I) {
    Objs.push_back(get(M_LIMITED_obj, M_INTNOWAIT));
    ASSERT_NE(Objs.back(), nullptr) << "object " << I;
  }
  putAll(M_LIMITED_obj, Objs);
}

MALLOC_DEFINE_OBJ(M_LATER, Size, "LATER", "");

// It may be called by the page-out thread, and waits for nobody: the fake kernel
// panics where one sleeps with a lock held.
TEST_F(KmallocObj, whatMemoryDoesNotAllowNowIsTheMaintainersToDo) {
  malloc_init(M_LATER_obj);
  pagethread = &MainThread;
  fake_leave_free(FAKE_INTERRUPT_MIN + 40);
  kmalloc_obj_reserve(M_LATER, 3, 4000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_LATER_obj);
  EXPECT_EQ(Ext->nready, 1);
  EXPECT_EQ(Ext->lock.owner, nullptr);
  fake_leave_free(-1);
  fake_maintain();
  EXPECT_EQ(Ext->nready, 3);
}

MALLOC_DEFINE_OBJ(M_NARROW, Size, "NARROW", "");
MALLOC_DEFINE_OBJ(M_NOWHERE, Size, "NOWHERE", "");

// As those who tried zinit() with two thirds of the objects.
TEST_F(KmallocObj, fewerObjectsDoWhereThereAreNotAddressesForAll) {
  const long Most = 200;
  malloc_init(M_NARROW_obj);
  M_NARROW_obj->ks_limit = 1;
  fake_nofault_most = Most * KMALLOC_SLAB_SIZE;
  ::testing::internal::CaptureStdout();
  kmalloc_obj_reserve(M_NARROW, 3, 400000);
  const std::string Said = ::testing::internal::GetCapturedStdout();
  struct kmalloc_ext *Ext = kmalloc_ext(M_NARROW_obj);
  EXPECT_LE(Ext->nslots, Most);
  EXPECT_GT(Ext->nslots, Most / 2);
  EXPECT_FALSE(Ext->grows);
  size_t Objects = 0, Wanted = 0;
  EXPECT_EQ(sscanf(Said.c_str(),
                   "NARROW: address space for %zu objects, not for %zu",
                   &Objects, &Wanted),
            2)
      << Said;
  EXPECT_EQ(Wanted, 400000u);
  // By thirds: as many as there were, or half as many again did not fit.
  size_t Fewer = Wanted;
  while (Fewer > Objects)
    Fewer -= (Fewer + 2) / 3;
  EXPECT_EQ(Objects, Fewer);
  EXPECT_EQ(M_NARROW_obj->ks_limit, Objects * Size);
  for (size_t I = 0; I < Objects; ++I)
    ASSERT_NE(get(M_NARROW_obj, M_INTNOWAIT), nullptr) << "object " << I;

  malloc_init(M_NOWHERE_obj);
  fake_nofault_most = 1;
  EXPECT_DEATH(kmalloc_obj_reserve(M_NOWHERE, 3, 400000),
               "NOWHERE: no address space for slabs");
}

MALLOC_DEFINE_OBJ(M_FRESH, Size, "FRESH", "");

TEST_F(KmallocObj, freshObjectsAreZeroRecycledOnesKeepTheirContents) {
  malloc_init(M_FRESH_obj);
  kmalloc_obj_reserve(M_FRESH, 0, 0);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 5 * perSlab(M_FRESH_obj); ++I) {
    Objs.push_back(get(M_FRESH_obj, M_WAITOK));
    ASSERT_TRUE(isZero(Objs.back())) << "object " << I;
    memset(Objs.back(), 0x5a, Size);
  }
  putAll(M_FRESH_obj, Objs);
  // What is not retired is handed out as it was.
  std::set<void *> Known(Objs.begin(), Objs.end());
  for (int I = 0; I < 100; ++I) {
    char *Obj = static_cast<char *>(get(M_FRESH_obj, M_WAITOK));
    ASSERT_TRUE(Known.count(Obj));
    EXPECT_EQ(Obj[Size - 1], 0x5a);
  }
}

MALLOC_DEFINE_OBJ(M_RECURSE, Size, "RECURSE", "");

TEST_F(KmallocObj, recursionTakesTheFloorInsteadOfRecursingAgain) {
  malloc_init(M_RECURSE_obj);
  kmalloc_obj_reserve(M_RECURSE, 2, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_RECURSE_obj);
  static long Free;
  static void *Inner;
  Free = fake_free_pages;
  *fake_sysctl_int_kmalloc_mini = 0; // kmem_slab_alloc() is all there is
  fake_leave_free(0);
  exhaust(M_RECURSE_obj, M_NOWAIT);
  EXPECT_EQ(Ext->nready, 1);

  // kmem_slab_alloc() wants one of the objects it is called for.
  fake_kmem_reenter = [] {
    Inner = get(M_RECURSE_obj, M_INTWAIT);
    fake_leave_free(Free);
  };
  long Calls = fake_kmem_slab_allocs;
  void *Outer = get(M_RECURSE_obj, M_INTWAIT);
  EXPECT_NE(Outer, nullptr);
  EXPECT_NE(Inner, nullptr);
  EXPECT_NE(Inner, Outer);
  EXPECT_EQ(fake_kmem_slab_allocs, Calls + 1);
  EXPECT_EQ(Ext->blocking, 1u);
  EXPECT_TRUE(LIST_EMPTY(&Ext->blocked));
}

MALLOC_DEFINE_OBJ(M_WAITS, Size, "WAITS", "");

// Somebody else had the page when M_INTWAIT asked: the next page is enough, it
// does not wait for 32.
TEST_F(KmallocObj, onePageEndsAWait) {
  malloc_init(M_WAITS_obj);
  kmalloc_obj_reserve(M_WAITS, 1, 100);
  struct kmalloc_ext *Ext = kmalloc_ext(M_WAITS_obj);
  fake_kmem_forbidden = true;
  fake_leave_free(0);
  exhaust(M_WAITS_obj, M_INTNOWAIT);

  static void *Obj;
  Obj = nullptr;
  struct thread Td = {"waiter"};
  std::thread Waiter([&Td] {
    fake_thread_enter(&Td);
    Obj = get(M_WAITS_obj, M_INTWAIT);
    fake_thread_exit();
  });
  fake_run_until([](void *Chan) { return fake_asleep_on(Chan); },
                 &fake_free_pages);
  EXPECT_EQ(Obj, nullptr);
  fake_leave_free(1);
  fake_run_until([](void *) { return Obj != nullptr; }, nullptr);
  Waiter.join();
  EXPECT_EQ(Ext->minis, 1);
  EXPECT_EQ(Ext->blocking, 1u);
  EXPECT_EQ(fake_free_pages, 0);
}

MALLOC_DEFINE_OBJ(M_RETIRE, Size, "RETIRE", "");

TEST_F(KmallocObj, retiredSlotsGiveTheirPagesBack) {
  rounds(25); // what other types had
  malloc_init(M_RETIRE_obj);
  kmalloc_obj_reserve(M_RETIRE, 2, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_RETIRE_obj);
  const long Slots = Ext->nfreeslots;
  const long Free = fake_free_pages;

  std::vector<void *> Objs;
  for (int I = 0; I < 12000; ++I)
    Objs.push_back(get(M_RETIRE_obj, M_INTNOWAIT));
  EXPECT_LT(fake_free_pages, Free - 11 * 32);
  putAll(M_RETIRE_obj, Objs);
  rounds(25);
  EXPECT_EQ(fake_free_pages, Free);
  EXPECT_EQ(Ext->nfreeslots, Slots);

  // A populated slot is fresh again.
  for (int I = 0; I < 12000; ++I) {
    void *Obj = get(M_RETIRE_obj, M_INTNOWAIT);
    ASSERT_TRUE(isZero(Obj));
    memset(Obj, 0x5a, Size);
  }
}

MALLOC_DEFINE_OBJ(M_MAINTAIN, Size, "MAINTAIN", "");

TEST_F(KmallocObj, maintainerRefillsWhenMemoryReturns) {
  fake_start_maintainer();
  malloc_init(M_MAINTAIN_obj);
  kmalloc_obj_reserve(M_MAINTAIN, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_MAINTAIN_obj);
  long Free = fake_free_pages;
  fake_leave_free(0);
  exhaust(M_MAINTAIN_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->nready, 0);
  fake_leave_free(Free);
  fake_run_until(
      [](void *Arg) {
        return static_cast<struct kmalloc_ext *>(Arg)->nready == 3;
      },
      Ext);
  EXPECT_EQ(Ext->lowwater, 0);
}

MALLOC_DEFINE_OBJ(M_REFUSED, Size, "REFUSED", "");

TEST_F(KmallocObj, maintainerSleepsWhenPagesAreRefusedThoughThereAreSome) {
  malloc_init(M_REFUSED_obj);
  fake_fail_page = 1;
  kmalloc_obj_reserve(M_REFUSED, 3, 0);
  EXPECT_LT(kmalloc_ext(M_REFUSED_obj)->nready, 3);
  fake_fail_page = 1;
  fake_maintain();
  fake_maintain();
  EXPECT_EQ(kmalloc_ext(M_REFUSED_obj)->nready, 3);
}

MALLOC_DEFINE_OBJ(M_GROWS, Size, "GROWS", "");

TEST_F(KmallocObj, slabsCanBeRetiredWhileTheMaintainerWaitsForAddresses) {
  fake_start_maintainer();
  malloc_init(M_GROWS_obj);
  kmalloc_obj_reserve(M_GROWS, 1, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_GROWS_obj);
  const long Slots = Ext->nslots;
  static int Retired;
  Retired = 0;
  fake_nofault_hook = [] {
    struct kmalloc_ext *Ext = kmalloc_ext(M_GROWS_obj);
    lockmgr(&Ext->lock, LK_EXCLUSIVE);
    kmalloc_ext_reclaim(Ext, 1);
    lockmgr(&Ext->lock, LK_RELEASE);
    ++Retired;
  };
  while (Ext->nfreeslots > Slots / 3)
    ASSERT_NE(get(M_GROWS_obj, M_NOWAIT), nullptr);
  fake_run_until(
      [](void *Arg) {
        return static_cast<struct kmalloc_ext *>(Arg)->nslots > 100;
      },
      Ext);
  EXPECT_EQ(Retired, 1);
}

MALLOC_DEFINE_OBJ(M_ENTRIES, Size, "ENTRIES", "");

// Addresses for more need objects of the very type, as map entries do.  In a
// shortage all use up the slots but for the floor, and it is enough.
TEST_F(KmallocObj, lastSlotsAreForWhoMakesMore) {
  static constexpr int Waiters = 4, Objects = 600;
  static constexpr int Pages = FAKE_RESERVED + 30; // no whole slab
  fake_start_maintainer();
  malloc_init(M_ENTRIES_obj);
  kmalloc_obj_reserve(M_ENTRIES, 1, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_ENTRIES_obj);
  const long Slots = Ext->nslots;
  static long Low, Got;
  static int Done;
  Low = Slots;
  Got = Done = 0;
  fake_kmem_forbidden = true;
  fake_leave_free(Pages);
  fake_nofault_hook = [] {
    Low = std::min(Low, kmalloc_ext(M_ENTRIES_obj)->nfreeslots);
    for (int I = 0; I < 4; ++I)
      Got += get(M_ENTRIES_obj, M_WAITOK) != nullptr;
  };
  struct thread Tds[Waiters] = {{"w0"}, {"w1"}, {"w2"}, {"w3"}};
  std::vector<std::thread> Threads;
  for (struct thread &Td : Tds)
    Threads.emplace_back([&Td] {
      fake_thread_enter(&Td);
      for (int I = 0; I < Objects; ++I)
        get(M_ENTRIES_obj, M_WAITOK);
      ++Done;
      fake_thread_exit();
    });
  fake_run_until(
      [](void *) {
        if (fake_asleep_on(&fake_free_pages)) // page-out goes on
          fake_leave_free(Pages);
        return Done == Waiters;
      },
      nullptr);
  for (std::thread &T : Threads)
    T.join();
  EXPECT_GT(Ext->nslots, Slots);
  EXPECT_GT(Low, 0);
  EXPECT_EQ(Got % 4, 0);
  EXPECT_GT(Got, 0);
}

TEST_F(KmallocObj, destroyedTypeGivesEverythingBack) {
  long Free = fake_free_pages;
  struct malloc_type *dyn_obj = nullptr;
  kmalloc_create_obj(&dyn, "dyn", Size);
  kmalloc_obj_reserve(dyn, 3, 5000);
  std::vector<void *> Objs;
  for (int I = 0; I < 5000; ++I)
    Objs.push_back(get(dyn_obj, M_INTNOWAIT));
  EXPECT_LT(fake_free_pages, Free);
  putAll(dyn_obj, Objs);
  struct kmalloc_ext *Ext = kmalloc_ext(dyn_obj);
  kmalloc_destroy_obj(&dyn);
  EXPECT_EQ(dyn_obj, nullptr);
  EXPECT_EQ(fake_free_pages, Free);

  // The maintainer gives the addresses back, and the block.
  fake_start_maintainer();
  fake_run_until(
      [](void *Arg) {
        return static_cast<struct kmalloc_ext *>(Arg)->type == nullptr;
      },
      Ext);
  EXPECT_EQ(Ext->nslots, 0);

  // The next type gets a block with nothing of the old one in it.
  kmalloc_create_obj(&dyn, "dyn2", Size);
  kmalloc_obj_reserve(dyn, 1, 0);
  EXPECT_EQ(kmalloc_ext(dyn_obj)->eaten, 0u);
  EXPECT_EQ(kmalloc_ext(dyn_obj)->nready, 1);
  kmalloc_destroy_obj(&dyn);
}

TEST_F(KmallocObj, pagesOfASlabAreValid) {
  struct malloc_type *valid_obj = nullptr;
  kmalloc_create_obj(&valid, "valid", Size);
  kmalloc_obj_reserve(valid, 1, 1000);
  auto *Slab = reinterpret_cast<char *>(
      kmalloc_slab_of(get(valid_obj, M_INTNOWAIT)));
  for (size_t At = 0; At < KMALLOC_SLAB_SIZE; At += PAGE_SIZE) {
    vm_page_t Page =
        fake_page(pmap_kextract(reinterpret_cast<vm_offset_t>(Slab + At)));
    EXPECT_EQ(Page->valid, VM_PAGE_BITS_ALL);
    EXPECT_EQ(Page->wire_count, 1);
  }
  kmalloc_destroy_obj(&valid);
}

TEST_F(KmallocObj, slabsAndRefusalsAreCounted) {
  struct malloc_type *count_obj = nullptr;
  kmalloc_create_obj(&count, "count", Size);
  kmalloc_obj_reserve(count, 0, 1000);
  struct kmalloc_ext *Ext = kmalloc_ext(count_obj);
  void *Obj = get(count_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->eaten, 1u);
  _kfree_obj(Obj, count_obj);
  fake_leave_free(KMALLOC_SLAB_PAGES - 1);
  std::vector<void *> Objs = getMany(count_obj, perSlab(count_obj) + 1,
                                     M_INTNOWAIT);
  EXPECT_EQ(Ext->eaten, 2u);
  EXPECT_EQ(Ext->refill_failures, 1u);
  putAll(count_obj, Objs);
  fake_leave_free(-1);
  kmalloc_destroy_obj(&count);
}

TEST_F(KmallocObj, theSysctlSaysHowManySlabsAreReady) {
  struct malloc_type *asks_obj = nullptr, *none_obj = nullptr;
  kmalloc_create_obj(&asks, "asks", Size);
  kmalloc_obj_reserve(asks, 2, 0);
  kmalloc_create_obj(&none, "none", Size);
  kmalloc_obj_reserve(none, 0, 0);
  for (auto [Value, Asks] : {std::pair(5, 5), {1, 1}, {0, 0}, {-1, 2}}) {
    struct sysctl_req Req = {};
    Req.in = &Value;
    EXPECT_EQ(fake_sysctl_kmalloc_reserve(nullptr, &kmalloc_reserve, 0, &Req),
              0);
    EXPECT_EQ(kmalloc_ext_target(kmalloc_ext(asks_obj)), Asks);
    EXPECT_EQ(kmalloc_ext_target(kmalloc_ext(none_obj)), 0);
    fake_maintain();
    EXPECT_EQ(kmalloc_ext(asks_obj)->nready, Asks);
  }
  kmalloc_destroy_obj(&asks);
  kmalloc_destroy_obj(&none);
}

TEST_F(KmallocObj, statisticsNameEveryType) {
  struct malloc_type *stat_obj = nullptr;
  kmalloc_create_obj(&stat, "TWO WORDS", Size);
  kmalloc_obj_reserve(stat, 2, 0);
  struct sysctl_req Req = {};
  EXPECT_EQ(fake_sysctl_kmalloc_ext(nullptr, nullptr, 0, &Req), 0);
  std::string Text = Req.out;
  free(Req.out);
  EXPECT_EQ(Text.size() + 1, Req.len);
  EXPECT_NE(Text.find("TWO_WORDS      ready=2 low=2 target=2 slots=70/72"),
            std::string::npos)
      << Text;
  kmalloc_destroy_obj(&stat);
}

MALLOC_DEFINE_OBJ(M_ASSERT, Size, "ASSERT", "");

TEST_F(KmallocObj, brokenInvariantsPanic) {
  malloc_init(M_ASSERT_obj);
  kmalloc_obj_reserve(M_ASSERT, 2, 1000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_ASSERT_obj);
  char *Obj = static_cast<char *>(get(M_ASSERT_obj, M_INTNOWAIT));
  struct kmalloc_slab *Slab = reinterpret_cast<struct kmalloc_slab *>(
      reinterpret_cast<uintptr_t>(Obj) & ~KMALLOC_SLAB_MASK);
  EXPECT_DEATH(kmalloc_ext_add_ready(Ext, Slab, 0), "slab .* made ready in use");
  EXPECT_DEATH(kmalloc_slot_depopulate(Ext, Slab),
               "slab .* is given back in use");
  EXPECT_DEATH(kmalloc_ext_recycle(Ext), "block .* is in use");
  EXPECT_DEATH(
      {
        Ext->ready->findex -= 1;
        kmalloc_ext_take_ready(Ext, 1);
      },
      "ready slab .* was used");
  fake_leave_free(1);
  Slab = kmalloc_slot_populate_mini(Ext, M_ASSERT_obj,
                                    VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT, 1);
  ASSERT_NE(Slab, nullptr);
  EXPECT_DEATH(kmalloc_ext_add_ready(Ext, Slab, 0), "mini slab .* made ready");
  kmalloc_slot_depopulate(Ext, Slab);
}

TEST_F(KmallocObj, misusePanics) {
  static MALLOC_DEFINE_OBJ(M_LATE, Size, "LATE", "");
  EXPECT_DEATH(kmalloc_obj_reserve(M_LATE, 1, 0),
               "LATE: kmalloc_obj_reserve before malloc_init");
  malloc_init(M_LATE_obj);
  EXPECT_DEATH(kmalloc_obj_bootinit(M_LATE, &MainThread, 1),
               "LATE: kmalloc_obj_bootinit after malloc_init");
  EXPECT_DEATH(kmalloc_cobj(M_LATE, M_WAITOK),
               "LATE: kmalloc_obj_ctor was not called");
}

} // namespace

int main(int Argc, char **Argv) {
  ::testing::InitGoogleTest(&Argc, Argv);
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ::testing::AddGlobalTestEnvironment(new FakeKernel);
  return RUN_ALL_TESTS();
}
