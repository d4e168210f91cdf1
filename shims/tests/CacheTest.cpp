// SPDX-License-Identifier: BSD-3-Clause
//
// Constructed objects: magazines, limits and states, on one cpu.

#include "Fixture.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

namespace {

using Cache = KmallocObj;

constexpr size_t Size = 1000;

int Constructed, Destroyed;
bool Fail;

bool isZero(const void *Obj) {
  static const char Zero[Size] = {};
  return memcmp(Obj, Zero, Size) == 0;
}

bool ctor(void *Obj, void *Priv, int Flags) {
  EXPECT_EQ(Priv, &Constructed);
  EXPECT_TRUE(isZero(Obj));
  if (Fail) {
    memset(Obj, 0xa5, Size);
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
  memset(Obj, 0xa5, Size);
  ++Destroyed;
}

// kern_objcache.c's figures, for one cpu.
long nominal(long Limit, long Nominal) {
  if (Nominal == 0)
    Nominal = Limit / 2;
  if (Limit != 0)
    Nominal = std::min(Nominal, Limit);
  return Nominal != 0 ? Nominal : 128;
}

long magazine(long Limit, long Nominal) {
  long Rounds = std::max(nominal(Limit, Nominal) / 2 / 2 + 1, 4L);
  Rounds = std::min(Rounds, 4096L);
  return (Rounds + 2 + 7) / 8 * 8 - 2;
}

long kept(long Limit, long Nominal) {
  const long Rounds = magazine(Limit, Nominal);
  return Rounds * (2 + std::max(nominal(Limit, Nominal) / Rounds + 1, 2L));
}

long most(long Limit, long Nominal) {
  return Limit + 2 * magazine(Limit, Nominal);
}

void setUp(struct malloc_type *Type, long Limit, long Nominal) {
  malloc_init(Type);
  _kmalloc_obj_ctor(Type, ctor, dtor, &Constructed, Limit, Nominal);
  Constructed = Destroyed = 0;
}

std::vector<void *> take(struct malloc_type *Type, long Count,
                         int Flags = M_WAITOK) {
  std::vector<void *> Objs;
  while (long(Objs.size()) < Count) {
    void *Obj = _kmalloc_cobj(Type, Flags);
    if (Obj == nullptr)
      break;
    EXPECT_STREQ(static_cast<char *>(Obj), "constructed");
    Objs.push_back(Obj);
  }
  return Objs;
}

void put(struct malloc_type *Type, const std::vector<void *> &Objs) {
  for (void *Obj : Objs)
    _kfree_cobj(Obj, Type);
}

void tearDown(struct malloc_type *Type) {
  _kmalloc_obj_unctor(Type);
  EXPECT_EQ(Constructed, Destroyed);
  EXPECT_EQ(kmalloc_ext(Type)->constructed, 0);
  EXPECT_EQ(Type->ks_use->inuse, 0u);
}

// 1,000 bursts construct what the magazines do not keep, no more.
TEST_F(Cache, burstsConstructNoMoreThanTheyDidWithObjcache) {
  static const struct {
    long Limit, Nominal;
  } Shapes[] = {{0, 0}, {0, 600}, {50000, 0}, {50000, 3125}, {5000, 100}};
  for (const auto &S : Shapes)
    for (long Burst : {64, 256, 1024, 4096}) {
      SCOPED_TRACE(testing::Message() << S.Limit << " " << S.Nominal << " "
                                      << Burst);
      struct malloc_type *Type = nullptr;
      _kmalloc_create_obj(&Type, "bursts", Size);
      kmalloc_raise_limit(Type, size_t(512) << 20);
      _kmalloc_obj_ctor(Type, ctor, dtor, &Constructed, S.Limit, S.Nominal);
      Constructed = Destroyed = 0;
      const int Rounds = 20;
      for (int R = 0; R < Rounds; ++R)
        put(Type, take(Type, Burst));
      const long Kept = std::min(Burst, kept(S.Limit, S.Nominal));
      EXPECT_EQ(Constructed, Burst + (Rounds - 1) * (Burst - Kept));
      EXPECT_EQ(Constructed - Destroyed, Kept);
      EXPECT_EQ(kmalloc_cobj_idle(kmalloc_ext(Type)), Kept);
      tearDown(Type);
      kmalloc_destroy(&Type);
    }
}

MALLOC_DEFINE_OBJ(M_MOST, Size, "MOST", "");

TEST_F(Cache, theLimitIsExceededByWhatMagazinesMayHold) {
  testing::internal::CaptureStdout();
  setUp(M_MOST_obj, 8, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_MOST_obj);
  for (int Round = 0; Round < 3; ++Round) {
    std::vector<void *> Objs = take(M_MOST_obj, 1000, M_NOWAIT);
    EXPECT_EQ(long(Objs.size()), most(8, 0));
    EXPECT_EQ(kmalloc_cobj(M_MOST, M_WAITOK | M_NULLOK), nullptr);
    EXPECT_EQ(Ext->limit_refusals, 2u * (Round + 1));
    EXPECT_EQ(kmalloc_cobj_out(Ext), most(8, 0));
    put(M_MOST_obj, Objs);
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "kmalloc_obj MOST: exhausted on cpu0, limit 8\n");
  tearDown(M_MOST_obj);
}

MALLOC_DEFINE_OBJ(M_SHORT, Size, "SHORT", "");

// What a constructor holds does not keep slabs from going, nor does having one.
TEST_F(Cache, slabsOfConstructedTypesGoInAShortage) {
  setUp(M_SHORT_obj, 0, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_SHORT_obj);
  put(M_SHORT_obj, take(M_SHORT_obj, 10 * perSlab(M_SHORT_obj)));
  fake_leave_free(FAKE_START - 1);
  rounds(8);
  EXPECT_EQ(Ext->whole.nfull, 0);
  EXPECT_EQ(Ext->constructed, kept(0, 0));
  struct malloc_type *List[] = {M_SHORT_obj};
  EXPECT_NE(kmalloc_obj_reclaimlist(List, 1), 0);
  EXPECT_EQ(Ext->constructed, 0);
  EXPECT_EQ(M_SHORT_obj->ks_use->inuse, 0u);
  tearDown(M_SHORT_obj);
}

MALLOC_DEFINE_OBJ(M_REUSE, Size, "REUSE", "");

TEST_F(Cache, constructedObjectsAreReusedBeforeOthersAreConstructed) {
  setUp(M_REUSE_obj, 0, 0);
  for (int I = 0; I < 1000; ++I) {
    void *A = kmalloc_cobj(M_REUSE, M_WAITOK);
    void *B = kmalloc_cobj(M_REUSE, M_WAITOK);
    ASSERT_NE(A, B);
    kfree_cobj(A, M_REUSE);
    kfree_cobj(B, M_REUSE);
  }
  EXPECT_EQ(Constructed, 2);
  void *Obj = kmalloc_cobj(M_REUSE, M_WAITOK);
  kfree_cobj_dtor(Obj, M_REUSE);
  EXPECT_EQ(Destroyed, 1);
  tearDown(M_REUSE_obj);
}

MALLOC_DEFINE_OBJ(M_LIST, Size, "LIST", "");
MALLOC_DEFINE_OBJ(M_PLAIN_LIST, Size, "PLAIN LIST", "");

// The magazines stay, and keep as much as before.
TEST_F(Cache, reclaimlistDestroysWhatIsKeptOfOneType) {
  malloc_init(M_PLAIN_LIST_obj);
  setUp(M_LIST_obj, 0, 0);
  struct malloc_type *List[] = {M_PLAIN_LIST_obj, M_LIST_obj};
  EXPECT_EQ(kmalloc_obj_reclaimlist(List, 2), 0);
  for (int Round = 1; Round <= 2; ++Round) {
    void *Out = kmalloc_cobj(M_LIST, M_WAITOK);
    put(M_LIST_obj, take(M_LIST_obj, 1000));
    EXPECT_EQ(kmalloc_cobj_idle(kmalloc_ext(M_LIST_obj)), kept(0, 0));
    EXPECT_NE(kmalloc_obj_reclaimlist(List, 2), 0);
    EXPECT_EQ(Constructed - Destroyed, 1);
    EXPECT_EQ(kmalloc_obj_reclaimlist(List, 2), 0);
    EXPECT_EQ(kmalloc_cobj_out(kmalloc_ext(M_LIST_obj)), 1);
    kfree_cobj_dtor(Out, M_LIST);
  }
  tearDown(M_LIST_obj);
}

MALLOC_DEFINE_OBJ(M_MOVES, Size, "MOVES", "");

TEST_F(Cache, setLimitTakesEffectAtOnce) {
  setUp(M_MOVES_obj, 1, 0);
  std::vector<void *> Objs = take(M_MOVES_obj, 1000, M_NOWAIT);
  EXPECT_EQ(long(Objs.size()), most(1, 0));
  kmalloc_obj_set_limit(M_MOVES, 4);
  std::vector<void *> More = take(M_MOVES_obj, 1000, M_NOWAIT);
  EXPECT_EQ(More.size(), 3u);
  kmalloc_obj_set_limit(M_MOVES, 2);
  kfree_cobj_dtor(More[0], M_MOVES);
  EXPECT_EQ(kmalloc_cobj(M_MOVES, M_NOWAIT), nullptr);
  kfree_cobj_dtor(More[1], M_MOVES);
  EXPECT_EQ(kmalloc_cobj(M_MOVES, M_NOWAIT), nullptr);
  kfree_cobj_dtor(More[2], M_MOVES);
  Objs.push_back(kmalloc_cobj(M_MOVES, M_NOWAIT));
  EXPECT_NE(Objs.back(), nullptr);
  kmalloc_obj_set_limit(M_MOVES, 0);
  More = take(M_MOVES_obj, 500, M_NOWAIT);
  EXPECT_EQ(More.size(), 500u);
  put(M_MOVES_obj, Objs);
  put(M_MOVES_obj, More);
  tearDown(M_MOVES_obj);
}

MALLOC_DEFINE_OBJ(M_FAILS, Size, "FAILS", "");

TEST_F(Cache, failedConstructorLeaksNothing) {
  setUp(M_FAILS_obj, 1, 0);
  Fail = true;
  for (size_t I = 0; I <= 2 * perSlab(M_FAILS_obj); ++I)
    EXPECT_EQ(kmalloc_cobj(M_FAILS, M_WAITOK), nullptr);
  Fail = false;
  EXPECT_EQ(M_FAILS_obj->ks_use->inuse, 0u);
  EXPECT_EQ(kmalloc_ext(M_FAILS_obj)->constructed, 0);
  put(M_FAILS_obj, take(M_FAILS_obj, 1));
  tearDown(M_FAILS_obj);
}

void *Got;
struct thread SleeperThread;

// A thread that wants an object when there are none, asleep.
std::thread sleeper(struct malloc_type *Type) {
  Got = nullptr;
  std::thread Sleeper([Type] {
    SleeperThread = {"sleeper"};
    fake_thread_enter(&SleeperThread);
    Got = _kmalloc_cobj(Type, M_WAITOK);
    fake_thread_exit();
  });
  fake_run_until([](void *Chan) { return fake_asleep_on(Chan); },
                 &kmalloc_ext(Type)->depot);
  EXPECT_EQ(Got, nullptr);
  return Sleeper;
}

void *awake(std::thread &Sleeper) {
  fake_run_until([](void *) { return Got != nullptr; }, nullptr);
  Sleeper.join();
  return Got;
}

MALLOC_DEFINE_OBJ(M_SLEEP, Size, "SLEEP", "");

// By a put, by the end of an object, by a higher limit.
TEST_F(Cache, callersSleepAtTheLimitUntilThereIsAReasonNotTo) {
  setUp(M_SLEEP_obj, 2, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(M_SLEEP_obj);
  std::vector<void *> Objs = take(M_SLEEP_obj, 1000, M_NOWAIT);

  std::thread Sleeper = sleeper(M_SLEEP_obj);
  EXPECT_EQ(Ext->limit_sleeps, 1u);
  void *Put = Objs.back();
  kfree_cobj(Put, M_SLEEP);
  EXPECT_EQ(awake(Sleeper), Put);

  Sleeper = sleeper(M_SLEEP_obj);
  kfree_cobj_dtor(Put, M_SLEEP);
  Objs.back() = awake(Sleeper);

  Sleeper = sleeper(M_SLEEP_obj);
  kmalloc_obj_set_limit(M_SLEEP, 3);
  Objs.push_back(awake(Sleeper));
  EXPECT_EQ(kmalloc_cobj_out(Ext), most(2, 0) + 1);
  EXPECT_EQ(Ext->limit_waiting, 0u);
  put(M_SLEEP_obj, Objs);
  tearDown(M_SLEEP_obj);
}

MALLOC_DEFINE_OBJ(M_LOST, Size, "LOST", "");

// It is left as it is, and the cache can be made anew.
TEST_F(Cache, anObjectThatIsOutSurvivesItsCache) {
  setUp(M_LOST_obj, 8, 0);
  void *Out = kmalloc_cobj(M_LOST, M_WAITOK);
  put(M_LOST_obj, take(M_LOST_obj, 12));
  testing::internal::CaptureStdout();
  kmalloc_obj_unctor(M_LOST);
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "LOST: kmalloc_obj_unctor: 1 objects are out\n");
  EXPECT_EQ(Constructed - Destroyed, 1);
  EXPECT_STREQ(static_cast<char *>(Out), "constructed");
  EXPECT_EQ(M_LOST_obj->ks_use->inuse, 1u);

  kmalloc_obj_ctor(M_LOST, ctor, dtor, &Constructed, 8, 0);
  std::vector<void *> Objs = take(M_LOST_obj, 1000, M_NOWAIT);
  EXPECT_EQ(long(Objs.size()), most(8, 0));
  put(M_LOST_obj, Objs);
  kmalloc_obj_unctor(M_LOST);
  EXPECT_EQ(Constructed - Destroyed, 1);

  // Put at last, when there is no destructor.
  kfree_cobj(Out, M_LOST);
  EXPECT_EQ(Constructed - Destroyed, 1);
  EXPECT_EQ(kmalloc_ext(M_LOST_obj)->constructed, 0);
  EXPECT_EQ(M_LOST_obj->ks_use->inuse, 0u);
}

// Nobody need call kmalloc_obj_unctor() first.
TEST_F(Cache, aTypeThatGoesDestroysWhatIsKept) {
  struct malloc_type *kept_obj = nullptr;
  kmalloc_create_obj(&kept, "kept", Size);
  setUp(kept_obj, 0, 0);
  put(kept_obj, take(kept_obj, 10));
  EXPECT_EQ(Constructed - Destroyed, 10);
  kmalloc_destroy_obj(&kept);
  EXPECT_EQ(Constructed - Destroyed, 0);
}

MALLOC_DEFINE_OBJ(M_LESS, Size, "LESS", "");
MALLOC_DEFINE_OBJ(M_MORE, Size, "MORE", "");

TEST_F(Cache, noMoreAreKeptThanThereMayBe) {
  setUp(M_LESS_obj, 64, 64);
  setUp(M_MORE_obj, 64, 100000);
  EXPECT_EQ(kmalloc_ext(M_MORE_obj)->slack, kmalloc_ext(M_LESS_obj)->slack);
  tearDown(M_LESS_obj);
  tearDown(M_MORE_obj);
}

MALLOC_DEFINE_OBJ(M_TWICE, Size, "TWICE", "");
MALLOC_DEFINE_OBJ(M_OTHER, Size, "OTHER", "");

TEST_F(Cache, doubleAndForeignPutsAreSeen) {
  setUp(M_TWICE_obj, 0, 0);
  setUp(M_OTHER_obj, 0, 0);
  char *Obj = static_cast<char *>(kmalloc_cobj(M_TWICE, M_WAITOK));
  EXPECT_DEATH(kfree_cobj(Obj, M_OTHER), "OTHER: .* is not of this type");
  EXPECT_DEATH(kfree_cobj(Obj + 64, M_TWICE),
               "TWICE: .* is not the start of an object");
  kfree_cobj(Obj, M_TWICE);
  EXPECT_DEATH(kfree_cobj(Obj, M_TWICE), "TWICE: .* is idle already");
  EXPECT_DEATH(kfree_cobj_dtor(Obj, M_TWICE),
               "TWICE: .* is idle already");
  Obj = static_cast<char *>(kmalloc_cobj(M_TWICE, M_WAITOK));
  kfree_cobj_dtor(Obj, M_TWICE);
  EXPECT_DEATH(kfree_cobj(Obj, M_TWICE), "TWICE: .* is free already");
  tearDown(M_TWICE_obj);
}

MALLOC_DEFINE_OBJ(M_PAGES, 512, "PAGES", "");

TEST_F(Cache, soAreThoseInMiniSlabs) {
  malloc_init(M_PAGES_obj);
  kmalloc_obj_reserve(M_PAGES, 0, 1000);
  kmalloc_obj_ctor(M_PAGES, nullptr, nullptr, nullptr, 0, 0);
  fake_leave_free(3);
  std::vector<void *> Objs;
  while (void *Obj = kmalloc_cobj(M_PAGES, M_INTNOWAIT))
    Objs.push_back(Obj);
  EXPECT_EQ(kmalloc_ext(M_PAGES_obj)->minis, 3);
  EXPECT_EQ(Objs.size(), 3 * kmalloc_mini_count(M_PAGES_obj));
  for (void *Obj : Objs) {
    kfree_cobj(Obj, M_PAGES);
    ASSERT_DEATH(kfree_cobj(Obj, M_PAGES), "PAGES: .* is free already");
    if (Obj == Objs[8])
      break;
  }
}

MALLOC_DEFINE_OBJ(M_LATER, 512, "LATER", "");

// The slab says itself that it is not of ours.
TEST_F(Cache, objectsFromBeforeTheControlBlockCanBeFreed) {
  malloc_init(M_LATER_obj);
  void *Plain = get(M_LATER_obj, M_WAITOK);
  kmalloc_obj_ctor(M_LATER, nullptr, nullptr, nullptr, 0, 0);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 2 * perSlab(M_LATER_obj); ++I) {
    Objs.push_back(kmalloc_cobj(M_LATER, M_WAITOK));
    EXPECT_NE(kmalloc_slab_of(Objs.back()), kmalloc_slab_of(Plain));
  }
  put(M_LATER_obj, Objs);
  kmalloc_obj_unctor(M_LATER);
  EXPECT_EQ(M_LATER_obj->ks_use->inuse, 1u);
  kfree_obj(Plain, M_LATER);
  EXPECT_EQ(M_LATER_obj->ks_use->inuse, 0u);
}

MALLOC_DEFINE_OBJ(M_LARGE, 65536, "LARGE", "");

// They need no slab, but are cached and limited like any other.
TEST_F(Cache, largeObjectsComeFromKmalloc) {
  fake_kmem_forbidden = true;
  setUp(M_LARGE_obj, 4, 0);
  std::vector<void *> Objs = take(M_LARGE_obj, 1000, M_NOWAIT);
  EXPECT_EQ(long(Objs.size()), most(4, 0));
  EXPECT_TRUE(SLIST_EMPTY(&kmalloc_ext(M_LARGE_obj)->runs));
  put(M_LARGE_obj, Objs);
  EXPECT_EQ(Constructed, most(4, 0));
  EXPECT_DEATH(kfree_cobj(Objs.back(), M_LARGE), "LARGE: .* is idle");
  put(M_LARGE_obj, take(M_LARGE_obj, most(4, 0)));
  EXPECT_LT(Constructed, 2 * most(4, 0));
  tearDown(M_LARGE_obj);
}

MALLOC_DEFINE_OBJ(M_CALLED, Size, "CALLED", "");

TEST_F(Cache, misusePanics) {
  malloc_init(M_CALLED_obj);
  EXPECT_DEATH(kmalloc_cobj(M_CALLED, M_WAITOK),
               "CALLED: kmalloc_obj_ctor was not called");
  EXPECT_DEATH(kfree_cobj(&MainThread, M_CALLED),
               "CALLED: kmalloc_obj_ctor was not called");
  kmalloc_obj_unctor(M_CALLED);
  kmalloc_obj_ctor(M_CALLED, ctor, dtor, &Constructed, 0, 0);
  EXPECT_DEATH(kmalloc_obj_ctor(M_CALLED, ctor, dtor, &Constructed, 0, 0),
               "CALLED: kmalloc_obj_ctor twice");
  EXPECT_DEATH(kmalloc_cobj(M_CALLED, M_WAITOK | M_ZERO),
               "kmalloc_cobj: CALLED: M_ZERO");
  kmalloc_obj_unctor(M_CALLED);
}

} // namespace
