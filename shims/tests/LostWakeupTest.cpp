// SPDX-License-Identifier: BSD-3-Clause
//
// Whoever sleeps for something is woken when it comes.  Sleeps of the fake kernel
// do not end by time, so a wakeup that is missing shows.

#include "Fixture.h"
#include "KernelThread.h"

#include <memory>

namespace {

using LostWakeup = KmallocObj;

// What T waits for has happened: somebody must have woken it, and it must get on.
void expectDone(KernelThread &T, const char *After) {
  EXPECT_TRUE(T.done() || !T.asleep()) << "nobody woke it after " << After;
  T.run();
  EXPECT_TRUE(T.done()) << "it sleeps again after " << After;
}

// Objects of a constructed type, as many as can be had without a sleep.
std::vector<void *> getAll(struct malloc_type *Type) {
  std::vector<void *> Objs;
  while (void *Obj = _kmalloc_cobj(Type, M_WAITOK | M_NULLOK))
    Objs.push_back(Obj);
  return Objs;
}

struct SleepersAtTheLimit {
  SleepersAtTheLimit(struct malloc_type *Type, long Limit, int Count)
      : Type(Type) {
    malloc_init(Type);
    _kmalloc_obj_ctor(Type, nullptr, nullptr, nullptr, Limit, 0);
    Out = getAll(Type);
    for (int I = 0; I < Count; ++I) {
      Threads.push_back(std::make_unique<KernelThread>([this] {
        void *Obj = _kmalloc_cobj(this->Type, M_WAITOK);
        EXPECT_NE(Obj, nullptr);
        Got.push_back(Obj);
      }));
      EXPECT_TRUE(Threads.back()->asleep());
    }
  }

  ~SleepersAtTheLimit() {
    while (!Out.empty())
      put();
    Threads.clear();
    for (void *Obj : Got)
      _kfree_cobj(Obj, Type);
  }

  void put(void (*How)(void *, struct malloc_type *) = _kfree_cobj) {
    void *Obj = Out.back();
    Out.pop_back();
    How(Obj, Type);
  }

  // Wait until no thread can run on.
  size_t served() {
    for (auto &T : Threads)
      T->run();
    return Got.size();
  }

  struct malloc_type *Type;
  std::vector<void *> Out, Got;
  std::vector<std::unique_ptr<KernelThread>> Threads;
};

MALLOC_DEFINE_OBJ(M_PUT, 64, "PUT", "");

TEST_F(LostWakeup, eachPutServesASleeper) {
  SleepersAtTheLimit S(M_PUT_obj, 4, 3);
  for (size_t I = 1; I <= 3; ++I) {
    S.put();
    EXPECT_EQ(S.served(), I);
  }
}

MALLOC_DEFINE_OBJ(M_ONLY, 64, "ONLY", "");

TEST_F(LostWakeup, soItDoesWithALimitOfOne) {
  SleepersAtTheLimit S(M_ONLY_obj, 1, 1);
  S.put();
  EXPECT_EQ(S.served(), 1u);
}

MALLOC_DEFINE_OBJ(M_FULL, 64, "FULL", "");

// Somebody else puts, on another cpu: what he cannot keep reaches the depot.
TEST_F(LostWakeup, soDoesAFullMagazineThatReachesTheDepot) {
  SleepersAtTheLimit S(M_FULL_obj, 400, 1);
  struct kmalloc_magcpu *Cpu = kmalloc_use_cmags(M_FULL_obj->ks_use);
  Cpu->waiting = 0; // as on a cpu where nobody sleeps
  for (int I = 0; I <= 2 * Cpu->loaded->capacity; ++I)
    S.put();
  EXPECT_EQ(S.served(), 1u);
  Cpu->waiting = 0;
}

MALLOC_DEFINE_OBJ(M_DTOR, 64, "DTOR", "");

TEST_F(LostWakeup, soDoesAnObjectThatIsDestroyed) {
  SleepersAtTheLimit S(M_DTOR_obj, 4, 3);
  for (size_t I = 1; I <= 3; ++I) {
    S.put(_kfree_cobj_dtor);
    EXPECT_EQ(S.served(), I);
  }
}

MALLOC_DEFINE_OBJ(M_RAISED, 64, "RAISED", "");

TEST_F(LostWakeup, soDoesAHigherLimit) {
  SleepersAtTheLimit S(M_RAISED_obj, 4, 3);
  kmalloc_obj_set_limit(M_RAISED, 6);
  EXPECT_EQ(S.served(), 2u);
  kmalloc_obj_set_limit(M_RAISED, 0);
  EXPECT_EQ(S.served(), 3u);
}

MALLOC_DEFINE_OBJ(M_FAILED, 64, "FAILED", "");

bool CtorFails, CtorSleeps;

// Sleeps for memory, as a constructor may; then fails.
bool failingCtor(void *, void *, int) {
  if (!CtorFails)
    return true;
  while (CtorSleeps)
    vm_wait(0);
  return false;
}

TEST_F(LostWakeup, soDoesAConstructorThatFails) {
  malloc_init(M_FAILED_obj);
  CtorFails = CtorSleeps = false;
  kmalloc_obj_ctor(M_FAILED, failingCtor, nullptr, nullptr, 4, 0);
  std::vector<void *> Out = getAll(M_FAILED_obj);
  kfree_cobj_dtor(Out.back(), M_FAILED);
  Out.pop_back();
  CtorFails = CtorSleeps = true;
  KernelThread Constructs(
      [] { EXPECT_EQ(kmalloc_cobj(M_FAILED, M_WAITOK), nullptr); });
  EXPECT_TRUE(Constructs.asleep());
  void *Obj = nullptr;
  KernelThread Waits([&Obj] { Obj = kmalloc_cobj(M_FAILED, M_WAITOK); });
  EXPECT_TRUE(Waits.asleep());
  CtorSleeps = false;
  wakeup(&fake_free_pages);
  expectDone(Constructs, "memory came");
  CtorFails = false;
  expectDone(Waits, "the constructor failed");
}

// A type whose slabs were all had, with no page for more.
struct Exhausted {
  Exhausted(struct malloc_type *Type, long Slabs, size_t Objects) : Type(Type) {
    malloc_init(Type);
    _kmalloc_obj_reserve(Type, Slabs, Objects);
    while (Out.size() < 6 * perSlab(Type)) // a cpu holds two
      Out.push_back(get(Type, M_WAITOK));
    fake_leave_free(0);
    for (void *Obj : exhaust(Type, M_INTNOWAIT))
      Out.push_back(Obj);
  }

  void putAll() {
    for (void *Obj : Out)
      _kfree_obj(Obj, Type);
    Out.clear();
  }

  struct malloc_type *Type;
  std::vector<void *> Out;
};

// Two rounds: slabs go to the full list, and once no reader is left, further.
void maintain() {
  for (int I = 0; I < 3; ++I) {
    fake_maintain();
    pseudo_ticks += 4;
  }
}

MALLOC_DEFINE_OBJ(M_INNER, 128, "INNER", "");

// Who sleeps inside kmem_slab_alloc() for an object of the very type is woken by
// a slab that becomes ready.
TEST_F(LostWakeup, aReadySlabWakesWhoRecurses) {
  Exhausted E(M_INNER_obj, 1, 20000); // it does not wait for more slots
  *fake_sysctl_int_kmalloc_mini = 0;
  static int Inner;
  Inner = 0;
  fake_kmem_reenter = [] {
    fake_kmem_reenter = nullptr;
    EXPECT_NE(get(M_INNER_obj, M_WAITOK), nullptr);
    ++Inner;
  };
  KernelThread T([] { get(M_INNER_obj, M_WAITOK); });
  ASSERT_TRUE(T.asleep());
  ASSERT_EQ(Inner, 0);
  E.putAll();
  maintain();
  EXPECT_FALSE(T.asleep() && Inner == 0) << "nobody woke it";
  T.run();
  EXPECT_EQ(Inner, 1);
  fake_leave_free(-1);
}

MALLOC_DEFINE_OBJ(M_NEWRUN, 128, "NEWRUN", "");

// Who waits because the last slots are not for him is woken when more are made.
TEST_F(LostWakeup, moreSlotsWakeWhoWaitsForThem) {
  malloc_init(M_NEWRUN_obj);
  kmalloc_obj_reserve(M_NEWRUN, 1, 0);
  fake_maintain(); // there is one, so slots are to come
  fake_leave_free(FAKE_RESERVED + 20);
  int Got = 0;
  bool Stop = false;
  KernelThread T([&] {
    while (!Stop && get(M_NEWRUN_obj, M_WAITOK) != nullptr)
      ++Got;
  });
  // It uses up slots with mini slabs, while page-out frees the pages.
  while (T.asleep() && fake_asleep_on(&fake_free_pages)) {
    fake_leave_free(FAKE_RESERVED + 20);
    T.run();
  }
  ASSERT_TRUE(T.asleep());
  const int Before = Got;
  fake_leave_free(FAKE_RESERVED + 20);
  Stop = true;
  fake_maintain();
  expectDone(T, "there are more slots");
  EXPECT_EQ(Got, Before + 1);
}

MALLOC_DEFINE_OBJ(M_POKED, 128, "POKED", "");
MALLOC_DEFINE_OBJ(M_BARE, 128, "BARE", "");

bool maintainerIdle(void *) { return fake_asleep(&fake_maintainer_td); }

#define EXPECT_AWAKE(What)                                                     \
  do {                                                                         \
    EXPECT_FALSE(maintainerIdle(nullptr)) << What;                             \
    fake_run_until(maintainerIdle, nullptr);                                   \
  } while (0)

// Whatever other types lack it has seen to, and sleeps.
void letTheMaintainerFinish() {
  fake_start_maintainer();
  kmalloc_ext_poke();
  fake_run_until(maintainerIdle, nullptr);
}

// The maintainer sleeps while there is nothing to do, and not when there is.
TEST_F(LostWakeup, whatTheReserveLacksWakesTheMaintainer) {
  malloc_init(M_POKED_obj);
  kmalloc_obj_reserve(M_POKED, 1, 4000);
  letTheMaintainerFinish();
  fake_leave_free(1); // not for a whole slab
  EXPECT_NE(get(M_POKED_obj, M_INTNOWAIT), nullptr);
  EXPECT_AWAKE("the last ready slab was taken");
}

// Of a type that lacks nothing: it would wait for memory else, not for a poke.
TEST_F(LostWakeup, soDoesWhoUsesMiniSlabsOrGoesWithout) {
  malloc_init(M_BARE_obj);
  kmalloc_obj_reserve(M_BARE, 0, 4000);
  letTheMaintainerFinish();
  fake_leave_free(1);
  EXPECT_NE(get(M_BARE_obj, M_INTNOWAIT), nullptr);
  EXPECT_AWAKE("a mini slab was made");
  exhaust(M_BARE_obj, M_INTNOWAIT);
  fake_run_until(maintainerIdle, nullptr);
  EXPECT_EQ(get(M_BARE_obj, M_INTNOWAIT), nullptr);
  EXPECT_AWAKE("a caller went without");
}

MALLOC_DEFINE_OBJ(M_LATER, 128, "LATER", "");
MALLOC_DEFINE_OBJ(M_FEW, 128, "FEW", "");

TEST_F(LostWakeup, soDoesAReserveThatMemoryDoesNotAllow) {
  malloc_init(M_LATER_obj);
  letTheMaintainerFinish();
  fake_leave_free(1);
  kmalloc_obj_reserve(M_LATER, 3, 1000);
  EXPECT_AWAKE("the reserve was not filled");
}

TEST_F(LostWakeup, soDoesWhoLeavesFewSlots) {
  malloc_init(M_FEW_obj);
  kmalloc_obj_reserve(M_FEW, 2, 0);
  letTheMaintainerFinish();
  struct kmalloc_ext *Ext = kmalloc_ext(M_FEW_obj);
  const long Slots = Ext->nslots;
  while (Ext->nslots == Slots && Ext->nfreeslots > 0) {
    const u_long Eaten = Ext->eaten;
    while (Ext->eaten == Eaten)
      ASSERT_NE(get(M_FEW_obj, M_NOWAIT), nullptr);
    fake_run_until(maintainerIdle, nullptr);
  }
  EXPECT_GT(Ext->nslots, Slots) << "nobody made more";
}

} // namespace
