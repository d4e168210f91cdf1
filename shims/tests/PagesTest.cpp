// SPDX-License-Identifier: BSD-3-Clause
//
// Who may take which pages: each caller stops where the allocator stopped that
// his type used to have.

#include "Fixture.h"

#include <thread>

namespace {

constexpr int AllFlags[] = {
    0,           M_WAITOK,    M_WAITOK | M_NULLOK, M_INTWAIT,
    M_SYSWAIT,   M_RNOWAIT,   M_NOWAIT,            M_SYSNOWAIT,
    M_INTNOWAIT, M_RNOWAIT | M_USE_INTERRUPT_RESERVE,
    M_USE_RESERVE,            M_USE_INTERRUPT_RESERVE,
    M_NULLOK,    M_WAITOK | M_ZERO,
};

// Where vm_page_alloc() leaves a caller of each class.
constexpr long Normal = FAKE_RESERVED - 1, System = FAKE_INTERRUPT_MIN,
               Interrupt = 0;

struct Taken {
  long Least; // free pages there were in the end
  bool Waits; // rather than going without
};

// Take objects with Flags, from Free free pages on, until there are no more.
// What ends it is NULL, or a sleep for pages that its time limit, if it has one,
// does not help.
Taken takeAll(struct malloc_type *Type, int Flags, long Free,
              struct thread Caller = {"caller"}) {
  static struct thread Td;
  static bool Ended;
  static long Got;
  Td = Caller;
  Ended = false;
  Got = 0;
  static bool Stop;
  Stop = false;
  fake_leave_free(Free);
  std::thread([=] {
    fake_thread_enter(&Td);
    while (!Stop && get(Type, Flags) != nullptr)
      ++Got;
    Ended = true;
    fake_thread_exit();
  }).detach();
  auto Idle = [](void *) { return Ended || fake_asleep_on(&fake_free_pages); };
  long Before;
  do {
    fake_run_until(Idle, nullptr);
    Before = Got;
    wakeup(&fake_free_pages);
    fake_run_until(Idle, nullptr);
  } while (Got != Before);
  const Taken Result = {fake_free_pages, !Ended};
  Stop = true;
  fake_leave_free(-1);
  fake_run_until([](void *) { return Ended; }, nullptr);
  return Result;
}

#define EXPECT_TAKEN(Least_, Waits_, ...)                                      \
  do {                                                                         \
    const Taken T_ = takeAll(__VA_ARGS__);                                     \
    EXPECT_EQ(T_.Least, Least_);                                               \
    EXPECT_EQ(T_.Waits, Waits_);                                               \
  } while (0)

using Pages = KmallocObj;

MALLOC_DEFINE_OBJ(M_OBJECT, 320, "vm_object", "");

// What the allocator did for a type that asks for nothing it does still.
TEST_F(Pages, aTypeThatAsksForNothingWaitsWhereItEverDid) {
  malloc_init(M_OBJECT_obj);
  for (int Flags : AllFlags)
    for (long Free : {40, 20, 100}) {
      SCOPED_TRACE(Flags);
      EXPECT_TAKEN(Free, true, M_OBJECT_obj, Flags, Free);
      EXPECT_EQ(fake_kmem_flags, M_WAITOK);
    }
  EXPECT_EQ(kmalloc_ext(M_OBJECT_obj), nullptr);
}

MALLOC_DEFINE_OBJ(M_MAP, 136, "MAP ENTRY", "");

// kmem_alloc3() filled such a zone by VM_ALLOC_NORMAL.
TEST_F(Pages, aSpecialZoneStopsAtNormal) {
  malloc_init(M_MAP_obj);
  kmalloc_obj_raise_limit(M_MAP, size_t(512) << 20);
  kmalloc_obj_reserve(M_MAP, 3, 0);
  for (int Flags : AllFlags) {
    SCOPED_TRACE(Flags);
    EXPECT_TAKEN(Normal, (Flags & M_RNOWAIT) == 0, M_MAP_obj, Flags, 200);
    fake_maintain();
  }
  // From below that there is nothing to take at all.
  EXPECT_TAKEN(100, true, M_MAP_obj, M_WAITOK, 100);
  EXPECT_TAKEN(100, true, M_MAP_obj, M_INTWAIT, 100);
}

MALLOC_DEFINE_OBJ(M_ORDINARY, 136, "ORDINARY", "");

TEST_F(Pages, soDoesAnOrdinaryZone) {
  malloc_init(M_ORDINARY_obj);
  kmalloc_obj_raise_limit(M_ORDINARY, size_t(512) << 20);
  kmalloc_obj_reserve(M_ORDINARY, 0, 0);
  for (int Flags : AllFlags) {
    SCOPED_TRACE(Flags);
    EXPECT_TAKEN(Normal, (Flags & M_RNOWAIT) == 0, M_ORDINARY_obj, Flags, 159);
    fake_maintain();
  }
}

MALLOC_DEFINE_OBJ(M_SYSTEM, 136, "SYSTEM", "");

// vm_page_alloc() itself lets these go deeper.
TEST_F(Pages, systemThreadsStopAtSystem) {
  malloc_init(M_SYSTEM_obj);
  kmalloc_obj_raise_limit(M_SYSTEM, size_t(512) << 20);
  kmalloc_obj_reserve(M_SYSTEM, 1, 0);
  struct thread Td = {"system"};
  Td.td_flags = TDF_SYSTHREAD;
  EXPECT_TAKEN(System, true, M_SYSTEM_obj, M_WAITOK, System + 20, Td);
}

MALLOC_DEFINE_OBJ(M_SWAPMETA, 320, "SWAPMETA", "");

TEST_F(Pages, anInterruptZoneGetsTheLastPage) {
  malloc_init(M_SWAPMETA_obj);
  kmalloc_obj_raise_limit(M_SWAPMETA, size_t(512) << 20);
  kmalloc_obj_reserve(M_SWAPMETA, 3, 100000);
  for (int Flags : {M_INTNOWAIT, M_INTWAIT, M_NOWAIT, M_WAITOK}) {
    SCOPED_TRACE(Flags);
    EXPECT_TAKEN(Interrupt, (Flags & M_RNOWAIT) == 0, M_SWAPMETA_obj, Flags,
                 60);
  }
}

MALLOC_DEFINE_OBJ(M_CACHE, 136, "CACHE", "");

// objcache gave its caller's flags to kmalloc().
TEST_F(Pages, aCacheStopsWhereTheFlagsSay) {
  malloc_init(M_CACHE_obj);
  kmalloc_obj_raise_limit(M_CACHE, size_t(512) << 20);
  kmalloc_obj_cache(M_CACHE);
  const struct {
    int Flags;
    long Least;
  } Cases[] = {{M_WAITOK, Normal},     {M_SYSWAIT, System},
               {M_NOWAIT, System},     {M_INTNOWAIT, Interrupt},
               {M_INTWAIT, Interrupt}, {M_RNOWAIT, Normal}};
  for (const auto &Case : Cases) {
    SCOPED_TRACE(Case.Flags);
    // Few pages: slots, of which a cache has some, are not to be used up.
    EXPECT_TAKEN(Case.Least, (Case.Flags & M_RNOWAIT) == 0, M_CACHE_obj,
                 Case.Flags, Case.Least + 3);
    fake_maintain();
  }
}

MALLOC_DEFINE_OBJ(M_PREEMPTS, 136, "PREEMPTS", "");
MALLOC_DEFINE_OBJ(M_PREEMPTZONE, 136, "PREEMPTZONE", "");

// The fake kernel panics if it asks for VM_ALLOC_NORMAL.
TEST_F(Pages, whoPreemptsTakesSystemPagesForNormalOnes) {
  struct thread Interrupted = {"interrupted"}, Td = {"interrupt"};
  Td.td_preempted = &Interrupted;
  malloc_init(M_PREEMPTS_obj);
  kmalloc_obj_reserve(M_PREEMPTS, 2, 0);
  malloc_init(M_PREEMPTZONE_obj);
  kmalloc_obj_reserve(M_PREEMPTZONE, 2, 5000);
  EXPECT_TAKEN(System, false, M_PREEMPTS_obj, M_NOWAIT, System + 10, Td);
  EXPECT_TAKEN(Interrupt, false, M_PREEMPTZONE_obj, M_INTNOWAIT, 10, Td);
}

MALLOC_DEFINE_OBJ(M_REFILLED, 136, "REFILLED", "");

// What a caller leaves to the maintainer he does not get from it either: only
// the floor, which is not for him, is made of deeper pages.
TEST_F(Pages, theMaintainerDoesNotTakeForACallerWhatHeMayNotHave) {
  malloc_init(M_REFILLED_obj);
  kmalloc_obj_raise_limit(M_REFILLED, size_t(512) << 20);
  kmalloc_obj_reserve(M_REFILLED, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_REFILLED_obj);
  fake_leave_free(Normal);
  exhaust(M_REFILLED_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->nready, 0);
  EXPECT_EQ(fake_free_pages, Normal);
  for (int Round = 0; Round < 5; ++Round) {
    fake_maintain();
    EXPECT_EQ(Ext->nready, 1);
    EXPECT_EQ(get(M_REFILLED_obj, M_NOWAIT), nullptr);
    EXPECT_EQ(fake_free_pages, Normal - 32);
  }
  fake_leave_free(Normal + 64);
  fake_maintain();
  EXPECT_EQ(Ext->nready, 3);
}

MALLOC_DEFINE_OBJ(M_DAEMON, 136, "DAEMON", "");

TEST_F(Pages, norDoesAPageDaemonThatRefills) {
  malloc_init(M_DAEMON_obj);
  kmalloc_obj_reserve(M_DAEMON, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_DAEMON_obj);
  fake_leave_free(Normal);
  MainThread.td_flags = TDF_SYSTHREAD;
  pagethread = &MainThread;
  EXPECT_NE(get(M_DAEMON_obj, M_NOWAIT), nullptr);
  EXPECT_EQ(Ext->nready, 2);
  EXPECT_EQ(fake_free_pages, Normal);
}

MALLOC_DEFINE_OBJ(M_SAVING, 136, "SAVING", "");

constexpr long Spared = FAKE_RESERVED + 8 - 1;

// While memory is short slabs are made of what is left, but for a few pages;
// then he waits, once, and gets ready slabs; and the last pages come last.
TEST_F(Pages, readySlabsComeBeforeTheLastOrdinaryPages) {
  static struct thread Td;
  static bool Ended, Stop;
  Td = {"process"};
  Ended = Stop = false;
  malloc_init(M_SAVING_obj);
  kmalloc_obj_raise_limit(M_SAVING, size_t(512) << 20);
  kmalloc_obj_reserve(M_SAVING, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_SAVING_obj);
  fake_leave_free(Spared + 40);
  std::thread([] {
    fake_thread_enter(&Td);
    while (!Stop)
      get(M_SAVING_obj, M_WAITOK);
    Ended = true;
    fake_thread_exit();
  }).detach();
  auto Asleep = [](void *) { return fake_asleep_on(&fake_free_pages); };
  const struct {
    long Ready, Free;
  } Sleeps[] = {{3, Spared}, {2, Spared}, {1, Normal}};
  for (const auto &Sleep : Sleeps) {
    fake_run_until(Asleep, nullptr);
    EXPECT_EQ(Ext->nready, Sleep.Ready);
    EXPECT_EQ(fake_free_pages, Sleep.Free);
    EXPECT_FALSE(Ended);
    wakeup(&fake_free_pages);
  }
  fake_run_until(Asleep, nullptr);
  Stop = true;
  fake_leave_free(-1);
  fake_run_until([](void *) { return Ended; }, nullptr);
}

MALLOC_DEFINE_OBJ(M_HASTE, 136, "HASTE", "");

TEST_F(Pages, whoMayNotWaitGetsThemAtOnce) {
  malloc_init(M_HASTE_obj);
  kmalloc_obj_raise_limit(M_HASTE, size_t(512) << 20);
  kmalloc_obj_reserve(M_HASTE, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_HASTE_obj);
  fake_leave_free(Spared + 1);
  while (Ext->nready == 3)
    ASSERT_NE(get(M_HASTE_obj, M_NOWAIT), nullptr);
  EXPECT_EQ(fake_free_pages, Spared);
  MainThread.td_preempted = &MainThread;
  while (Ext->nready == 2)
    ASSERT_NE(get(M_HASTE_obj, M_WAITOK), nullptr);
  EXPECT_EQ(fake_free_pages, Spared);
}

MALLOC_DEFINE_OBJ(M_PLENTY, 136, "PLENTY", "");

// With memory enough a ready slab is first, and another takes its place.
TEST_F(Pages, nobodySavesWhenThereIsEnough) {
  malloc_init(M_PLENTY_obj);
  kmalloc_obj_reserve(M_PLENTY, 3, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_PLENTY_obj);
  const u_long Refills = Ext->refills;
  fake_leave_free(FAKE_MIN);
  EXPECT_NE(get(M_PLENTY_obj, M_WAITOK), nullptr);
  EXPECT_EQ(Ext->refills, Refills + 1);
  EXPECT_EQ(Ext->minis, 0);
  EXPECT_EQ(fake_free_pages, FAKE_MIN - 32);
}

} // namespace
