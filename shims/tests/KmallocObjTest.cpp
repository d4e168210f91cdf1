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

void freeAll(struct malloc_type *Type, const std::vector<void *> &Objs) {
  for (void *Obj : Objs)
    _kfree_obj(Obj, Type);
}

// Let the poller retire what it can.
void poll(struct malloc_type *Type) {
  for (int I = 0; I < 64; ++I) {
    malloc_mgt_poll(Type);
    pseudo_ticks += 4;
  }
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
  freeAll(M_BOOT_obj, Objs);
  for (int I = 0; I < 1500; ++I)
    EXPECT_NE(get(M_BOOT_obj, M_INTWAIT), nullptr);
}

MALLOC_DEFINE_OBJ(M_BOTH, Size, "BOTH", "");
KMALLOC_OBJ_BOOTSLABS(M_BOTH, Size, 900);

TEST_F(KmallocObj, theLimitIsWhatIsReservedOnTopOfBootMemory) {
  kmalloc_obj_bootinit(M_BOTH, M_BOTH_bootslabs, sizeof(M_BOTH_bootslabs));
  malloc_init(M_BOTH_obj);
  M_BOTH_obj->ks_limit = 1000 * Size;
  kmalloc_obj_raise_limit(M_BOTH, 2000 * Size);
  kmalloc_obj_reserve(M_BOTH, 1, 2000);
  for (int I = 0; I < 2900; ++I)
    ASSERT_NE(get(M_BOTH_obj, M_INTNOWAIT), nullptr) << "object " << I;
}

MALLOC_DEFINE_OBJ(M_READY, Size, "READY", "");
KMALLOC_OBJ_BOOTSLABS(M_READY, Size, 20000);
MALLOC_DEFINE_OBJ(M_EMPTIED, Size, "EMPTIED", "");

// How many of so many polls send the poller on to the next type.
int nextTypes(struct malloc_type *Type, int Polls) {
  int Next = 0;
  for (int I = 0; I < Polls; ++I) {
    Next += malloc_mgt_poll(Type) != 0;
    pseudo_ticks += 4;
  }
  return Next;
}

// They are the reserve, no page is taken for one, and the poller does not stay
// with them, used or not.
TEST_F(KmallocObj, bootSlabsThatNobodyUsesAreReady) {
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
  EXPECT_EQ(M_READY_obj->ks_mgt.nfull, 0u);
  EXPECT_EQ(nextTypes(M_READY_obj, 3600), 3600);

  // An ordinary type that was emptied.
  malloc_init(M_EMPTIED_obj);
  std::vector<void *> Objs;
  for (size_t I = 0; I < Slabs * M_EMPTIED_obj->ks_mgt.slab_count; ++I)
    Objs.push_back(get(M_EMPTIED_obj, M_WAITOK));
  freeAll(M_EMPTIED_obj, Objs);
  const int Ordinary = nextTypes(M_EMPTIED_obj, 3600);
  EXPECT_GT(Ordinary, 3500);
  kmalloc_cache_reclaim();

  Objs.clear();
  for (size_t I = 0; I < Slabs * M_READY_obj->ks_mgt.slab_count; ++I)
    Objs.push_back(get(M_READY_obj, M_INTNOWAIT));
  EXPECT_EQ(Ext->nready, 3) << "of other memory now";
  freeAll(M_READY_obj, Objs);
  EXPECT_EQ(nextTypes(M_READY_obj, 3600), Ordinary);
  // Two slabs are the cpu's, four the poller leaves, but not in a shortage.
  EXPECT_GE(Ext->nready, Slabs - 6);
  fake_leave_free(100);
  for (int I = 0; I < 3; ++I) {
    fake_maintain();
    pseudo_ticks += 4;
  }
  EXPECT_EQ(M_READY_obj->ks_mgt.nfull, 0u);
  EXPECT_GE(Ext->nready, Slabs - 2);
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
  const size_t PerSlab = M_FLOOR_obj->ks_mgt.slab_count;
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

  // They go back when their objects do, but for two of the cpu's.
  freeAll(M_MINI_obj, Objs);
  for (int I = 0; I < 4; ++I) {
    lockmgr(&Ext->lock, LK_EXCLUSIVE);
    kmalloc_ext_reclaim(Ext, 0);
    lockmgr(&Ext->lock, LK_RELEASE);
    pseudo_ticks += 2;
  }
  EXPECT_EQ(Ext->minis, 2);
  EXPECT_EQ(Ext->minis_returned, 49u);
  EXPECT_EQ(fake_free_pages, FAKE_INTERRUPT_MIN - 1 + 49);
  EXPECT_EQ(mycpu->gd_kmslab.free_count, 0u);
  EXPECT_EQ(Ext->nfreeslots, Slots - 2);
}

MALLOC_DEFINE_OBJ(M_POLLED, Size, "POLLED", "");

TEST_F(KmallocObj, theAllocatorsPollerMayRetireMiniSlabs) {
  malloc_init(M_POLLED_obj);
  kmalloc_obj_reserve(M_POLLED, 1, 1000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_POLLED_obj);
  fake_leave_free(20);
  std::vector<void *> Objs = exhaust(M_POLLED_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->minis, 20);
  freeAll(M_POLLED_obj, Objs);
  poll(M_POLLED_obj);
  EXPECT_LE(Ext->minis, 6);
  EXPECT_EQ(Ext->minis_returned, 20u - Ext->minis);
  EXPECT_EQ(mycpu->gd_kmslab.free_count, 0u);
}

MALLOC_DEFINE_OBJ(M_EMPTIES, 256, "EMPTIES", "");

// _kmalloc_obj() looks at 16 empty slabs at a time.  Whoever is about to take an
// emergency page, to be refused or to wait finds an object in any of them.
TEST_F(KmallocObj, anObjectIsFoundInTheLastOfManyEmptySlabs) {
  malloc_init(M_EMPTIES_obj);
  M_EMPTIES_obj->ks_limit = ~size_t(0) / 2;
  kmalloc_obj_reserve(M_EMPTIES, 1, 40000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_EMPTIES_obj);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 60 * M_EMPTIES_obj->ks_mgt.slab_count; ++I)
    Objs.push_back(get(M_EMPTIES_obj, M_INTNOWAIT));
  fake_leave_free(0);
  for (void *Obj : exhaust(M_EMPTIES_obj, M_INTNOWAIT))
    Objs.push_back(Obj);

  auto OneOf = [&](const struct kmalloc_slab *Slab) {
    for (void *Obj : Objs)
      if ((reinterpret_cast<uintptr_t>(Obj) & ~KMALLOC_SLAB_MASK) ==
          reinterpret_cast<uintptr_t>(Slab))
        return Obj;
    return static_cast<void *>(nullptr);
  };
  for (size_t Nth : {size_t(41), M_EMPTIES_obj->ks_mgt.nempty - 1})
    for (int Flags : {M_INTNOWAIT, M_INTWAIT})
      for (long Free : {0, 1}) {
        fake_leave_free(Free);
        struct kmalloc_slab *Slab = M_EMPTIES_obj->ks_mgt.empty;
        for (size_t I = 0; I < Nth; ++I)
          Slab = Slab->next;
        void *Victim = OneOf(Slab);
        ASSERT_NE(Victim, nullptr);
        _kfree_obj(Victim, M_EMPTIES_obj);
        EXPECT_EQ(get(M_EMPTIES_obj, Flags), Victim);
        EXPECT_EQ(fake_free_pages, Free);
      }
  EXPECT_EQ(Ext->blocking, 0u);
  // The list is whole: all of its slabs can still be reached, and no others.
  size_t Slabs = 0;
  struct kmalloc_slab *Slab = M_EMPTIES_obj->ks_mgt.empty;
  struct kmalloc_slab *Last = nullptr;
  for (; Slab != nullptr; Slab = Slab->next, ++Slabs)
    Last = Slab;
  EXPECT_EQ(Slabs, M_EMPTIES_obj->ks_mgt.nempty);
  EXPECT_EQ(M_EMPTIES_obj->ks_mgt.empty_tailp, &Last->next);
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
MALLOC_DEFINE_OBJ(M_HOARDER, Size, "HOARDER", "");

TEST_F(KmallocObj, shortageLeavesNothingButTheReserve) {
  malloc_init(M_HOARD_obj);
  malloc_init(M_HOARDER_obj);
  kmalloc_obj_reserve(M_HOARD, 2, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_HOARD_obj);
  std::vector<void *> Objs, Others;
  for (int I = 0; I < 10000; ++I) {
    Objs.push_back(get(M_HOARD_obj, M_INTNOWAIT));
    Others.push_back(get(M_HOARDER_obj, M_WAITOK));
  }
  freeAll(M_HOARD_obj, Objs);
  freeAll(M_HOARDER_obj, Others);
  poll(M_HOARDER_obj);
  EXPECT_GT(mycpu->gd_kmslab.free_count, 3u);
  long Out = Ext->nslots - Ext->nfreeslots;
  EXPECT_GT(Out, 10);

  for (int I = 0; I < 2; ++I) {
    lockmgr(&Ext->lock, LK_EXCLUSIVE);
    kmalloc_ext_reclaim(Ext, 1);
    lockmgr(&Ext->lock, LK_RELEASE);
    pseudo_ticks += 2;
  }
  // Two ready ones, two of the cpu.
  EXPECT_EQ(Ext->nslots - Ext->nfreeslots, 4);
  EXPECT_EQ(Ext->nready, 2);
  kmalloc_cache_reclaim();
  EXPECT_EQ(mycpu->gd_kmslab.free_count, 0u);
  EXPECT_EQ(mycpu->gd_kmslab.free_slabs, nullptr);
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
  EXPECT_EQ(exhaust(Type, M_NOWAIT).size(), Type->ks_mgt.slab_count);
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
  freeAll(M_LIMITED_obj, Objs);
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
  for (size_t I = 0; I < 5 * M_FRESH_obj->ks_mgt.slab_count; ++I) {
    Objs.push_back(get(M_FRESH_obj, M_WAITOK));
    ASSERT_TRUE(isZero(Objs.back())) << "object " << I;
    memset(Objs.back(), 0x5a, Size);
  }
  freeAll(M_FRESH_obj, Objs);
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
  EXPECT_EQ(Ext->blocked, nullptr);
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
  malloc_init(M_RETIRE_obj);
  kmalloc_obj_reserve(M_RETIRE, 2, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_RETIRE_obj);
  const long Slots = Ext->nfreeslots;
  const long Free = fake_free_pages;

  std::vector<void *> Objs;
  for (int I = 0; I < 12000; ++I)
    Objs.push_back(get(M_RETIRE_obj, M_INTNOWAIT));
  EXPECT_LT(fake_free_pages, Free - 12 * 32);
  freeAll(M_RETIRE_obj, Objs);
  poll(M_RETIRE_obj);

  // Four full slabs stay, and what the cpu holds.
  EXPECT_GE(fake_free_pages, Free - 6 * 32);
  EXPECT_GE(Ext->nfreeslots, Slots - 6);
  EXPECT_EQ(mycpu->gd_kmslab.free_count, 0u);

  // A populated slot is fresh again.
  for (int I = 0; I < 12000; ++I) {
    void *Obj = get(M_RETIRE_obj, M_INTNOWAIT);
    ASSERT_NE(Obj, nullptr);
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
    kmalloc_obj_retire(M_GROWS_obj, nullptr);
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

int Constructed, Destroyed;
bool Fail;

bool ctor(void *Obj, void *Priv, int Flags) {
  EXPECT_EQ(Priv, &Constructed);
  EXPECT_TRUE(isZero(Obj, 1000));
  if (Fail) {
    memset(Obj, 0xa5, 1000);
    return false;
  }
  EXPECT_NE(Flags & (M_WAITOK | M_RNOWAIT), 0);
  strcpy(static_cast<char *>(Obj), "constructed");
  ++Constructed;
  return true;
}

void dtor(void *Obj, void *Priv) {
  EXPECT_EQ(Priv, &Constructed);
  EXPECT_STREQ(static_cast<char *>(Obj), "constructed");
  memset(Obj, 0xa5, 1000);
  ++Destroyed;
}

MALLOC_DEFINE_OBJ(M_CTOR, KMALLOC_COBJ_SIZE(1000), "CTOR", "");
MALLOC_DEFINE_OBJ(M_SHORT, KMALLOC_COBJ_SIZE(1000), "SHORT", "");

TEST_F(KmallocObj, idleObjectsStayConstructedUpToABound) {
  malloc_init(M_CTOR_obj);
  kmalloc_obj_ctor(M_CTOR, ctor, dtor, &Constructed, 0);
  Constructed = Destroyed = 0;
  struct kmalloc_ext *Ext = kmalloc_ext(M_CTOR_obj);
  const int Objects = 10 * M_CTOR_obj->ks_mgt.slab_count;
  std::vector<void *> Objs;
  auto GetAndPut = [&](int Count) {
    Objs.clear();
    for (int I = 0; I < Count; ++I)
      Objs.push_back(kmalloc_cobj(M_CTOR, M_WAITOK));
    for (void *Obj : Objs) {
      ASSERT_STREQ(static_cast<char *>(Obj), "constructed");
      kfree_cobj(Obj, M_CTOR);
    }
  };
  for (int Round = 0; Round < 3; ++Round) {
    GetAndPut(KMALLOC_COBJ_IDLE);
    EXPECT_EQ(Constructed, KMALLOC_COBJ_IDLE) << "in round " << Round;
  }
  EXPECT_EQ(Destroyed, 0);

  for (int Round = 1; Round <= 2; ++Round) {
    GetAndPut(Objects);
    EXPECT_EQ(Destroyed, Round * (Objects - KMALLOC_COBJ_IDLE));
  }
  EXPECT_EQ(Constructed, Destroyed + KMALLOC_COBJ_IDLE);
  EXPECT_EQ(Ext->constructed, KMALLOC_COBJ_IDLE);

  void *Obj = kmalloc_cobj(M_CTOR, M_WAITOK);
  int Before = Destroyed;
  kfree_cobj_dtor(Obj, M_CTOR);
  EXPECT_EQ(Destroyed, Before + 1);

  kmalloc_obj_unctor(M_CTOR);
  EXPECT_EQ(Destroyed, Constructed);
  EXPECT_EQ(Ext->constructed, 0);
  EXPECT_EQ(M_CTOR_obj->ks_use->inuse, 0u);
}

MALLOC_DEFINE_OBJ(M_OWN, KMALLOC_COBJ_SIZE(1000), "OWN", "");

// The maintainer sets the stacks up, which are emptied into the shared one, and
// filled from there, by halves.
TEST_F(KmallocObj, cpusHaveIdleObjectsOfTheirOwn) {
  const long All = KMALLOC_COBJ_CPUIDLE + KMALLOC_COBJ_IDLE;
  malloc_init(M_OWN_obj);
  kmalloc_obj_ctor(M_OWN, ctor, dtor, &Constructed, 0);
  Constructed = Destroyed = 0;
  struct kmalloc_ext *Ext = kmalloc_ext(M_OWN_obj);
  kfree_cobj(kmalloc_cobj(M_OWN, M_WAITOK), M_OWN);
  EXPECT_EQ(Ext->shared.n, 1);
  fake_maintain();
  ASSERT_NE(Ext->idle, nullptr);

  std::vector<void *> Objs;
  for (long I = 0; I < All + 10; ++I)
    Objs.push_back(kmalloc_cobj(M_OWN, M_WAITOK));
  EXPECT_EQ(Constructed, All + 10) << "one was there from before";
  EXPECT_EQ(kmalloc_cobj_out(Ext), All + 10);
  for (long I = 0; I <= KMALLOC_COBJ_CPUIDLE; ++I) {
    kfree_cobj(Objs.back(), M_OWN);
    Objs.pop_back();
  }
  EXPECT_EQ(Ext->idle->n, KMALLOC_COBJ_CPUIDLE / 2 + 1);
  EXPECT_EQ(Ext->shared.n, KMALLOC_COBJ_CPUIDLE / 2);
  for (void *Obj : Objs)
    kfree_cobj(Obj, M_OWN);
  EXPECT_EQ(kmalloc_cobj_idle(Ext), All);
  EXPECT_EQ(Destroyed, 10);
  EXPECT_EQ(kmalloc_cobj_out(Ext), 0);

  Objs.clear();
  for (long I = 0; I < All; ++I)
    Objs.push_back(kmalloc_cobj(M_OWN, M_WAITOK));
  EXPECT_EQ(Constructed, All + 10) << "all of those were idle";
  EXPECT_EQ(kmalloc_cobj_idle(Ext), 0);
  for (void *Obj : Objs)
    kfree_cobj(Obj, M_OWN);
  kmalloc_obj_unctor(M_OWN);
  EXPECT_EQ(Destroyed, Constructed);
  EXPECT_EQ(M_OWN_obj->ks_use->inuse, 0u);
}

MALLOC_DEFINE_OBJ(M_BOUND, KMALLOC_COBJ_SIZE(1000), "BOUND", "");

// All that is idle of a type with a limit is within everyone's reach, but for
// what this cpu has from the time before.
TEST_F(KmallocObj, idleObjectsOfALimitedTypeAreShared) {
  malloc_init(M_BOUND_obj);
  kmalloc_obj_ctor(M_BOUND, ctor, dtor, &Constructed, 4);
  Constructed = Destroyed = 0;
  struct kmalloc_ext *Ext = kmalloc_ext(M_BOUND_obj);
  auto GetAndPut = [](int Count) {
    std::vector<void *> Objs;
    for (int I = 0; I < Count; ++I)
      Objs.push_back(kmalloc_cobj(M_BOUND, M_WAITOK));
    EXPECT_EQ(kmalloc_cobj(M_BOUND, M_WAITOK | M_NULLOK), nullptr);
    for (void *Obj : Objs)
      kfree_cobj(Obj, M_BOUND);
  };
  fake_maintain();
  EXPECT_EQ(Ext->idle, nullptr);
  GetAndPut(4);
  GetAndPut(4);
  EXPECT_EQ(Constructed, 4);
  EXPECT_EQ(Ext->shared.n, 4);
  EXPECT_EQ(Ext->places, 0u);

  kmalloc_obj_set_limit(M_BOUND, 0);
  fake_maintain();
  ASSERT_NE(Ext->idle, nullptr);
  kfree_cobj(kmalloc_cobj(M_BOUND, M_WAITOK), M_BOUND);
  EXPECT_EQ(Ext->idle->n, 4);
  kmalloc_obj_set_limit(M_BOUND, 3);
  GetAndPut(3);
  EXPECT_EQ(Constructed, 4);
  EXPECT_EQ(Ext->idle->n, 1);
  EXPECT_EQ(Ext->shared.n, 3);
  kmalloc_obj_unctor(M_BOUND);
  EXPECT_EQ(Destroyed, 4);
}

// What a constructor holds does not keep slabs from going, nor does having one.
TEST_F(KmallocObj, slabsOfConstructedTypesGoInAShortage) {
  malloc_init(M_SHORT_obj);
  kmalloc_obj_ctor(M_SHORT, ctor, dtor, &Constructed, 0);
  Constructed = Destroyed = 0;
  struct kmalloc_ext *Ext = kmalloc_ext(M_SHORT_obj);
  const size_t Slab = M_SHORT_obj->ks_mgt.slab_count;
  std::vector<void *> Objs;
  while (Objs.size() < 10 * Slab)
    Objs.push_back(kmalloc_cobj(M_SHORT, M_WAITOK));
  for (void *Obj : Objs)
    kfree_cobj(Obj, M_SHORT);
  auto Held = [] { return M_SHORT_obj->ks_mgt.nfull; };
  lockmgr(&Ext->lock, LK_EXCLUSIVE);
  for (int I = 0; I < 8; ++I) {
    kmalloc_ext_reclaim(Ext, 1);
    pseudo_ticks += 4;
  }
  lockmgr(&Ext->lock, LK_RELEASE);
  EXPECT_EQ(Held(), 0u);
  EXPECT_EQ(Ext->constructed, KMALLOC_COBJ_IDLE);
  struct malloc_type *List[] = {M_SHORT_obj};
  EXPECT_NE(kmalloc_obj_reclaimlist(List, 1), 0);
  EXPECT_EQ(Ext->constructed, 0);
  EXPECT_EQ(M_SHORT_obj->ks_use->inuse, 0u);
  kmalloc_obj_unctor(M_SHORT);
}

MALLOC_DEFINE_OBJ(M_REUSE, KMALLOC_COBJ_SIZE(1000), "REUSE", "");

TEST_F(KmallocObj, constructedObjectsAreReusedBeforeOthersAreConstructed) {
  malloc_init(M_REUSE_obj);
  kmalloc_obj_ctor(M_REUSE, ctor, dtor, &Constructed, 0);
  Constructed = Destroyed = 0;
  for (int I = 0; I < 1000; ++I) {
    void *A = kmalloc_cobj(M_REUSE, M_WAITOK);
    void *B = kmalloc_cobj(M_REUSE, M_WAITOK);
    ASSERT_NE(A, B);
    kfree_cobj(A, M_REUSE);
    kfree_cobj(B, M_REUSE);
  }
  EXPECT_EQ(Constructed, 2);
  kmalloc_obj_unctor(M_REUSE);
  EXPECT_EQ(Destroyed, 2);
  EXPECT_EQ(M_REUSE_obj->ks_use->inuse, 0u);
}

MALLOC_DEFINE_OBJ(M_LIST, KMALLOC_COBJ_SIZE(1000), "LIST", "");
MALLOC_DEFINE_OBJ(M_PLAIN_LIST, 1000, "PLAIN LIST", "");

TEST_F(KmallocObj, reclaimlistDestroysWhatIsKeptOfOneType) {
  malloc_init(M_LIST_obj);
  malloc_init(M_PLAIN_LIST_obj);
  kmalloc_obj_ctor(M_LIST, ctor, dtor, &Constructed, 0);
  Constructed = Destroyed = 0;
  struct malloc_type *List[] = {M_PLAIN_LIST_obj, M_LIST_obj};
  EXPECT_EQ(kmalloc_obj_reclaimlist(List, 2), 0);
  void *A = kmalloc_cobj(M_LIST, M_WAITOK);
  void *B = kmalloc_cobj(M_LIST, M_WAITOK);
  kfree_cobj(A, M_LIST);
  EXPECT_NE(kmalloc_obj_reclaimlist(List, 2), 0);
  EXPECT_EQ(Destroyed, 1);
  EXPECT_EQ(kmalloc_obj_reclaimlist(List, 2), 0);
  EXPECT_EQ(kmalloc_cobj_out(kmalloc_ext(M_LIST_obj)), 1);
  kfree_cobj(B, M_LIST);
  kmalloc_obj_unctor(M_LIST);
  EXPECT_EQ(Destroyed, 2);
}

MALLOC_DEFINE_OBJ(M_MOVES, KMALLOC_COBJ_SIZE(1000), "MOVES", "");

TEST_F(KmallocObj, setLimitTakesEffectAtOnce) {
  malloc_init(M_MOVES_obj);
  kmalloc_obj_ctor(M_MOVES, ctor, dtor, &Constructed, 1);
  void *A = kmalloc_cobj(M_MOVES, M_WAITOK);
  EXPECT_EQ(kmalloc_cobj(M_MOVES, M_NOWAIT), nullptr);
  kmalloc_obj_set_limit(M_MOVES, 2);
  void *B = kmalloc_cobj(M_MOVES, M_NOWAIT);
  ASSERT_NE(B, nullptr);
  kmalloc_obj_set_limit(M_MOVES, 1);
  kfree_cobj(B, M_MOVES);
  EXPECT_EQ(kmalloc_cobj(M_MOVES, M_NOWAIT), nullptr);
  kfree_cobj(A, M_MOVES);
  kmalloc_obj_unctor(M_MOVES);
}

MALLOC_DEFINE_OBJ(M_EXHAUSTED, KMALLOC_COBJ_SIZE(1000), "EXHAUSTED", "");

TEST_F(KmallocObj, refusalsAtTheLimitAreCountedAndTheFirstIsAnnounced) {
  malloc_init(M_EXHAUSTED_obj);
  kmalloc_obj_ctor(M_EXHAUSTED, ctor, dtor, &Constructed, 1);
  struct kmalloc_ext *Ext = kmalloc_ext(M_EXHAUSTED_obj);
  ::testing::internal::CaptureStdout();
  void *Obj = kmalloc_cobj(M_EXHAUSTED, M_WAITOK);
  EXPECT_EQ(Ext->limit_refusals, 0u);
  for (int Flags : {M_NOWAIT, M_WAITOK | M_NULLOK, M_INTNOWAIT})
    EXPECT_EQ(kmalloc_cobj(M_EXHAUSTED, Flags), nullptr);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "Warning: EXHAUSTED exhausted, limit 1\n");
  EXPECT_EQ(Ext->limit_refusals, 3u);
  EXPECT_EQ(Ext->limit_sleeps, 0u);
  kfree_cobj(Obj, M_EXHAUSTED);
  kmalloc_obj_unctor(M_EXHAUSTED);
}

MALLOC_DEFINE_OBJ(M_ABROAD, KMALLOC_COBJ_SIZE(1000), "ABROAD", "");

// objcache_destroy() did not look at what was out.
TEST_F(KmallocObj, objectsMayBeOutWhenConstructionEnds) {
  malloc_init(M_ABROAD_obj);
  kmalloc_obj_ctor(M_ABROAD, ctor, dtor, &Constructed, 3);
  Constructed = Destroyed = 0;
  void *A = kmalloc_cobj(M_ABROAD, M_WAITOK);
  void *B = kmalloc_cobj(M_ABROAD, M_WAITOK);
  kfree_cobj(kmalloc_cobj(M_ABROAD, M_WAITOK), M_ABROAD);
  ::testing::internal::CaptureStdout();
  kmalloc_obj_unctor(M_ABROAD);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "ABROAD: kmalloc_obj_unctor: 2 objects are out\n");
  EXPECT_EQ(Destroyed, 1);
  EXPECT_STREQ(static_cast<char *>(A), "constructed");
  kfree_cobj(A, M_ABROAD);

  // What comes back then is not handed out by the next constructor's type, and
  // not given to its destructor.
  kmalloc_obj_ctor(M_ABROAD, ctor, dtor, &Constructed, 2);
  EXPECT_EQ(Destroyed, 1);
  void *C = kmalloc_cobj(M_ABROAD, M_WAITOK);
  EXPECT_EQ(Constructed, 4);
  EXPECT_EQ(kmalloc_cobj(M_ABROAD, M_NOWAIT), nullptr) << "B counts";
  kfree_cobj(B, M_ABROAD);
  kfree_cobj(C, M_ABROAD);
  kmalloc_obj_unctor(M_ABROAD);
  EXPECT_EQ(kmalloc_ext(M_ABROAD_obj)->constructed, 0);
  EXPECT_EQ(M_ABROAD_obj->ks_use->inuse, 0u);
}

MALLOC_DEFINE_OBJ(M_FAILS, KMALLOC_COBJ_SIZE(1000), "FAILS", "");

TEST_F(KmallocObj, failedConstructorLeaksNothing) {
  malloc_init(M_FAILS_obj);
  kmalloc_obj_ctor(M_FAILS, ctor, dtor, &Constructed, 1);
  Fail = true;
  for (size_t I = 0; I <= 2 * M_FAILS_obj->ks_mgt.slab_count; ++I)
    EXPECT_EQ(kmalloc_cobj(M_FAILS, M_WAITOK), nullptr);
  Fail = false;
  EXPECT_EQ(M_FAILS_obj->ks_use->inuse, 0u);
  void *Obj = kmalloc_cobj(M_FAILS, M_WAITOK);
  EXPECT_NE(Obj, nullptr);
  kfree_cobj(Obj, M_FAILS);
}

MALLOC_DEFINE_OBJ(M_SLEEP, KMALLOC_COBJ_SIZE(64), "SLEEP", "");

TEST_F(KmallocObj, callersSleepAtTheLimit) {
  malloc_init(M_SLEEP_obj);
  kmalloc_obj_ctor(M_SLEEP, nullptr, nullptr, nullptr, 2);
  struct kmalloc_ext *Ext = kmalloc_ext(M_SLEEP_obj);
  void *A = kmalloc_cobj(M_SLEEP, M_WAITOK);
  void *B = kmalloc_cobj(M_SLEEP, M_WAITOK);
  EXPECT_EQ(kmalloc_cobj(M_SLEEP, M_NOWAIT), nullptr);
  EXPECT_EQ(kmalloc_cobj(M_SLEEP, M_WAITOK | M_NULLOK), nullptr);

  static void *C;
  C = nullptr;
  struct thread Td = {"sleeper"};
  std::thread Sleeper([&Td] {
    fake_thread_enter(&Td);
    C = kmalloc_cobj(M_SLEEP, M_WAITOK);
    fake_thread_exit();
  });
  fake_run_until([](void *Chan) { return fake_asleep_on(Chan); }, &Ext->places);
  EXPECT_EQ(C, nullptr);
  EXPECT_EQ(Ext->limit_sleeps, 1u);
  kfree_cobj(A, M_SLEEP);
  fake_run_until([](void *) { return C != nullptr; }, nullptr);
  EXPECT_EQ(kmalloc_cobj_out(Ext), 2);
  Sleeper.join();
  kfree_cobj(B, M_SLEEP);
  kfree_cobj(C, M_SLEEP);
  EXPECT_DEATH(kfree_cobj(C, M_SLEEP), "SLEEP: .* is free already");
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
  freeAll(dyn_obj, Objs);
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
MALLOC_DEFINE_OBJ(M_MARK, KMALLOC_COBJ_SIZE(64), "MARK", "");

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
  EXPECT_DEATH(kmalloc_obj_retire(M_ASSERT_obj, Slab),
               "ASSERT: slab .* is retired in use");
  EXPECT_DEATH(kmalloc_ext_recycle(Ext), "block .* is in use");
  EXPECT_DEATH(
      {
        Ext->ready->aindex = 1;
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

TEST_F(KmallocObj, overrunConstructedObjectsPanic) {
  malloc_init(M_MARK_obj);
  kmalloc_obj_ctor(M_MARK, nullptr, nullptr, nullptr, 0);
  char *Obj = static_cast<char *>(kmalloc_cobj(M_MARK, M_WAITOK));
  char *Last = Obj + M_MARK_obj->ks_objsize - 1;
  EXPECT_DEATH(
      {
        *Last = 1;
        kfree_cobj(Obj, M_MARK);
      },
      "MARK: .* is free already, or was overrun");
  kfree_cobj(Obj, M_MARK);
  EXPECT_DEATH(
      {
        memset(Last - 7, 0, 8);
        kmalloc_cobj(M_MARK, M_WAITOK);
      },
      "MARK: .* was overrun while it was free");
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
