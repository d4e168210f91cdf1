// SPDX-License-Identifier: BSD-3-Clause
//
// Magazines of plain types: who gets them, what is in them, and how it comes
// out again.

#include "Fixture.h"

#include <set>

namespace {

constexpr size_t Size = 128;

using Mag = KmallocObj;

struct kmalloc_magcpu *magazines(struct malloc_type *Type) {
  return kmalloc_use_mags(Type->ks_use);
}

// Calls until the cpu is worth magazines, and the maintainer has made them.
void earnMagazines(struct malloc_type *Type) {
  for (int I = 0; I < 64; ++I)
    _kfree_obj(get(Type, M_INTNOWAIT), Type);
  fake_maintain();
  ASSERT_NE(magazines(Type), nullptr);
}

// Objects that the slabs of a type have and nobody else holds.
long freeInSlabs(const struct kmalloc_ext *Ext) {
  long Free = 0;
  for (const struct kmalloc_slabs *Of : {&Ext->whole, &Ext->mini})
    for (const struct kmalloc_slab *Slab : {Of->partial, Of->full})
      for (; Slab != nullptr; Slab = Slab->next)
        Free += Slab->findex;
  return Free;
}

MALLOC_DEFINE_OBJ(M_FEW, Size, "FEW", "");
MALLOC_DEFINE_OBJ(M_SHORTAGE, Size, "SHORTAGE", "");

// Who calls once in a while has none: his objects are not kept from others.
TEST_F(Mag, aCpuGetsThemWhenItHasCalledOften) {
  malloc_init(M_FEW_obj);
  kmalloc_obj_reserve(M_FEW, 1, 1000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_FEW_obj);
  for (int I = 0; I < 63; ++I)
    _kfree_obj(get(M_FEW_obj, M_INTNOWAIT), M_FEW_obj);
  fake_maintain();
  EXPECT_EQ(magazines(M_FEW_obj), nullptr);
  _kfree_obj(get(M_FEW_obj, M_INTNOWAIT), M_FEW_obj);
  EXPECT_EQ(magazines(M_FEW_obj), nullptr) << "the caller made them";
  fake_maintain();
  EXPECT_NE(magazines(M_FEW_obj), nullptr);
  EXPECT_EQ(Ext->wantmags, 0);
}

// They are made of memory that page-out may need.
TEST_F(Mag, nobodyGetsThemWhilePagingIsNeeded) {
  malloc_init(M_SHORTAGE_obj);
  kmalloc_obj_reserve(M_SHORTAGE, 1, 1000);
  fake_leave_free(FAKE_START - 1);
  for (int I = 0; I < 64; ++I)
    _kfree_obj(get(M_SHORTAGE_obj, M_INTNOWAIT), M_SHORTAGE_obj);
  fake_maintain();
  EXPECT_EQ(magazines(M_SHORTAGE_obj), nullptr);
  fake_leave_free(-1);
  fake_maintain();
  EXPECT_NE(magazines(M_SHORTAGE_obj), nullptr);
}

MALLOC_DEFINE_OBJ(M_BECOMES, Size, "BECOMES", "");

// The grower waits for memory meanwhile; a constructed type has its own.
TEST_F(Mag, whoNoLongerWantsThemWhenTheyAreMadeHasNone) {
  malloc_init(M_BECOMES_obj);
  kmalloc_obj_cache(M_BECOMES);
  for (int I = 0; I < 64; ++I)
    _kfree_obj(get(M_BECOMES_obj, M_WAITOK), M_BECOMES_obj);
  const long Pieces = fake_kmallocs;
  fake_kmalloc_hook = [] {
    fake_kmalloc_hook = nullptr;
    kmalloc_obj_ctor(M_BECOMES, nullptr, nullptr, nullptr, 0, 0);
  };
  fake_maintain();
  EXPECT_EQ(fake_kmalloc_hook, nullptr);
  EXPECT_EQ(magazines(M_BECOMES_obj), nullptr);
  kmalloc_obj_unctor(M_BECOMES);
  EXPECT_EQ(fake_kmallocs, Pieces);
}

MALLOC_DEFINE_OBJ(M_GONE, Size, "GONE", "");

// While an object is out of a type that has gone its block still names it.
TEST_F(Mag, theMaintainerDoesNotLookForThoseOfATypeThatIsGone) {
  malloc_init(M_GONE_obj);
  kmalloc_obj_reserve(M_GONE, 0, 100);
  get(M_GONE_obj, M_WAITOK);
  kmalloc_obj_detach(M_GONE_obj);
  struct kmalloc_use *const Use = M_GONE_obj->ks_use;
  M_GONE_obj->ks_use = nullptr;
  struct malloc_type *gone_obj = nullptr;
  kmalloc_create_obj(&gone, "gone", Size);
  kmalloc_obj_reserve(gone, 0, 100);
  struct kmalloc_ext *Ext = kmalloc_ext(gone_obj);
  kmalloc_destroy_obj(&gone);
  fake_maintain();
  EXPECT_EQ(Ext->type, nullptr);
  vm_pages_needed = 1;
  rounds(3);
  M_GONE_obj->ks_use = Use;
}

MALLOC_DEFINE_OBJ(M_BATCH, Size, "BATCH", "");

// Between two visits to the slabs there are as many calls as fill a magazine.
TEST_F(Mag, slabsAreVisitedForABatch) {
  malloc_init(M_BATCH_obj);
  kmalloc_obj_reserve(M_BATCH, 1, 5000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_BATCH_obj);
  earnMagazines(M_BATCH_obj);
  const int Capacity = kmalloc_mag_capacity(M_BATCH_obj);
  std::vector<void *> Objs;
  int Visits = 0;
  for (int I = 0; I < 10 * Capacity; ++I) {
    const long Before = freeInSlabs(Ext);
    Objs.push_back(get(M_BATCH_obj, M_INTNOWAIT));
    Visits += freeInSlabs(Ext) != Before;
  }
  EXPECT_LE(Visits, 11);
  EXPECT_GE(Visits, 9);
  Visits = 0;
  for (void *Obj : Objs) {
    const long Before = freeInSlabs(Ext);
    _kfree_obj(Obj, M_BATCH_obj);
    Visits += freeInSlabs(Ext) != Before;
  }
  EXPECT_LE(Visits, 10);
  // To and fro at the end of one costs none.
  for (int I = 0; I < 5 * Capacity; ++I) {
    const long Before = freeInSlabs(Ext);
    std::vector<void *> Two = getMany(M_BATCH_obj, 2, M_INTNOWAIT);
    putAll(M_BATCH_obj, Two);
    ASSERT_EQ(freeInSlabs(Ext), Before);
  }
}

MALLOC_DEFINE_OBJ(M_HELD, Size, "HELD", "");

// vmstat -m would show a leak else.
TEST_F(Mag, inUseIsWhatCallersHold) {
  malloc_init(M_HELD_obj);
  kmalloc_obj_reserve(M_HELD, 1, 5000);
  earnMagazines(M_HELD_obj);
  const struct kmalloc_use *Use = M_HELD_obj->ks_use;
  EXPECT_EQ(Use->inuse, 0u);
  EXPECT_EQ(Use->memuse, 0u);
  const int64_t Calls = Use->calls;
  std::vector<void *> Objs = getMany(M_HELD_obj, 500, M_INTNOWAIT);
  EXPECT_EQ(Use->inuse, 500u);
  EXPECT_EQ(Use->memuse, 500 * Size);
  EXPECT_EQ(Use->calls, Calls + 500);
  putAll(M_HELD_obj, Objs);
  EXPECT_EQ(Use->inuse, 0u);
  EXPECT_EQ(Use->memuse, 0u);
}

MALLOC_DEFINE_OBJ(M_PAGES, Size, "PAGES", "");

// In an emergency they are for who asks next, on whatever cpu.
TEST_F(Mag, anObjectOfAMiniSlabNeverGoesIntoOne) {
  malloc_init(M_PAGES_obj);
  kmalloc_obj_reserve(M_PAGES, 1, 5000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_PAGES_obj);
  earnMagazines(M_PAGES_obj);
  fake_leave_free(0);
  std::vector<void *> Whole = exhaust(M_PAGES_obj, M_INTNOWAIT);
  fake_leave_free(4);
  std::vector<void *> Minis = exhaust(M_PAGES_obj, M_INTNOWAIT);
  ASSERT_EQ(Ext->minis, 4);
  ASSERT_EQ(Minis.size(), 4 * kmalloc_mini_count(M_PAGES_obj));
  putAll(M_PAGES_obj, Minis);
  EXPECT_EQ(freeInSlabs(Ext), long(Minis.size()));
  const struct kmalloc_magcpu *Cpu = magazines(M_PAGES_obj);
  EXPECT_EQ(Cpu->loaded->rounds + Cpu->previous->rounds, 0);
  // Nor out of a slab.
  _kfree_obj(get(M_PAGES_obj, M_INTNOWAIT), M_PAGES_obj);
  EXPECT_EQ(Cpu->loaded->rounds + Cpu->previous->rounds, 0);
  putAll(M_PAGES_obj, Whole);
}

MALLOC_DEFINE_OBJ(M_DRAINED, Size, "DRAINED", "");

TEST_F(Mag, theMaintainerEmptiesThemWhenPagingIsNeeded) {
  malloc_init(M_DRAINED_obj);
  kmalloc_obj_reserve(M_DRAINED, 1, 5000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_DRAINED_obj);
  earnMagazines(M_DRAINED_obj);
  putAll(M_DRAINED_obj, getMany(M_DRAINED_obj, 300, M_INTNOWAIT));
  const struct kmalloc_magcpu *Cpu = magazines(M_DRAINED_obj);
  fake_maintain();
  EXPECT_GT(Cpu->loaded->rounds + Cpu->previous->rounds, 0);
  fake_leave_free(FAKE_START - 1);
  fake_maintain();
  EXPECT_EQ(Cpu->loaded->rounds + Cpu->previous->rounds, 0);
  EXPECT_EQ(freeInSlabs(Ext), Ext->nobjs);
}

TEST_F(Mag, aTypeThatGoesLeavesNothingInThem) {
  const long Pieces = fake_kmallocs, Free = fake_free_pages;
  struct malloc_type *t_obj = nullptr;
  kmalloc_create_obj(&t, "t", Size);
  kmalloc_obj_reserve(t, 1, 5000);
  struct kmalloc_ext *Ext = kmalloc_ext(t_obj);
  earnMagazines(t_obj);
  putAll(t_obj, getMany(t_obj, 3000, M_INTNOWAIT));
  kmalloc_destroy_obj(&t);
  EXPECT_EQ(fake_free_pages, Free);
  EXPECT_EQ(Ext->nobjs, 0);
  fake_maintain();
  EXPECT_EQ(Ext->type, nullptr);
  EXPECT_LE(fake_kmallocs, Pieces + 1) << "but for the block";
}

MALLOC_DEFINE_OBJ(M_EARLY, Size, "EARLY", "");
KMALLOC_OBJ_BOOTSLABS(M_EARLY, Size, 900);

// Before malloc_init() there are none, and it forgets nothing.
TEST_F(Mag, useGoesOnAcrossMallocInit) {
  kmalloc_obj_bootinit(M_EARLY, M_EARLY_bootslabs, sizeof(M_EARLY_bootslabs));
  fake_kmem_forbidden = true;
  std::vector<void *> Objs = getMany(M_EARLY_obj, 300, M_INTNOWAIT);
  putAll(M_EARLY_obj, getMany(M_EARLY_obj, 300, M_INTNOWAIT));
  malloc_init(M_EARLY_obj);
  EXPECT_EQ(kmalloc_ext(M_EARLY_obj)->nobjs, long(perSlab(M_EARLY_obj)));
  std::vector<void *> More = getMany(M_EARLY_obj, 600, M_INTNOWAIT);
  EXPECT_EQ(std::set<void *>(More.begin(), More.end()).size(), 600u);
  putAll(M_EARLY_obj, More);
  putAll(M_EARLY_obj, Objs);
  earnMagazines(M_EARLY_obj);
}

MALLOC_DEFINE_OBJ(M_MOVED, Size, "MOVED", "");

// malloc_reinit_ncpus() copies the structure of the first cpu.
TEST_F(Mag, theyMoveWithTheCpusStructure) {
  malloc_init(M_MOVED_obj);
  kmalloc_obj_reserve(M_MOVED, 1, 1000);
  earnMagazines(M_MOVED_obj);
  putAll(M_MOVED_obj, getMany(M_MOVED_obj, 100, M_INTNOWAIT));
  struct kmalloc_use Moved = M_MOVED_obj->ks_use0;
  malloc_mgt_relocate(&M_MOVED_obj->ks_use0.mgt, &Moved.mgt);
  M_MOVED_obj->ks_use = &Moved;
  EXPECT_NE(magazines(M_MOVED_obj), nullptr);
  std::vector<void *> Objs = getMany(M_MOVED_obj, 200, M_INTNOWAIT);
  EXPECT_EQ(std::set<void *>(Objs.begin(), Objs.end()).size(), 200u);
  EXPECT_EQ(size_t(Moved.inuse), 200u);
  putAll(M_MOVED_obj, Objs);
  M_MOVED_obj->ks_use0 = Moved;
  M_MOVED_obj->ks_use = &M_MOVED_obj->ks_use0;
}

MALLOC_DEFINE_OBJ(M_TWICE, Size, "TWICE", "");
MALLOC_DEFINE_OBJ(M_THRICE, Size, "THRICE", "");
MALLOC_DEFINE_OBJ(M_MADE, Size, "MADE", "");

// Whether there are magazines or not, and wherever the object is.
TEST_F(Mag, aSecondFreeAndAForeignOneAreSeen) {
  for (struct malloc_type *Type : {M_TWICE_obj, M_THRICE_obj}) {
    malloc_init(Type);
    _kmalloc_obj_reserve(Type, 1, 5000);
  }
  for (bool Magazines : {false, true}) {
    if (Magazines)
      earnMagazines(M_TWICE_obj);
    std::vector<void *> Objs = getMany(M_TWICE_obj, 500, M_INTNOWAIT);
    char *Obj = static_cast<char *>(Objs[0]);
    EXPECT_DEATH(kfree_obj(Obj, M_THRICE), "is of type TWICE, not THRICE");
    EXPECT_DEATH(kfree_obj(Obj + 64, M_TWICE),
                 "TWICE: .* is not the start of an object");
    _kfree_obj(Obj, M_TWICE_obj);
    EXPECT_DEATH(kfree_obj(Obj, M_TWICE), "TWICE: .* is free already");
    for (size_t I = 1; I < Objs.size(); ++I)
      _kfree_obj(Objs[I], M_TWICE_obj);
    EXPECT_DEATH(kfree_obj(Obj, M_TWICE), "TWICE: .* is free already");
  }
}

// Also of objects whose size is no power of two.
TEST_F(Mag, whereAnObjectBeginsIsKnown) {
  for (size_t Bytes : {192, 320, 448, 704}) {
    struct malloc_type *odd_obj = nullptr;
    kmalloc_create_obj(&odd, "odd", Bytes);
    kmalloc_obj_reserve(odd, 0, 1000);
    for (char *Obj = static_cast<char *>(get(odd_obj, M_INTNOWAIT)), *At = Obj;
         At < Obj + Bytes; At += 64) {
      if (At == Obj) {
        void *Other = get(odd_obj, M_INTNOWAIT);
        _kfree_obj(Other, odd_obj);
        EXPECT_DEATH(kfree_obj(Other, odd), "odd: .* is free already");
      } else {
        EXPECT_DEATH(kfree_obj(At, odd), "odd: .* is not the start");
      }
    }
    kmalloc_destroy_obj(&odd);
  }
}

TEST_F(Mag, aConstructedTypeIsNotForKmallocObj) {
  malloc_init(M_MADE_obj);
  kmalloc_obj_ctor(M_MADE, nullptr, nullptr, nullptr, 0, 0);
  EXPECT_DEATH(get(M_MADE_obj, M_WAITOK), "MADE is a constructed type");
  kmalloc_obj_unctor(M_MADE);
}

MALLOC_DEFINE_OBJ(M_GROWING, 256, "GROWING", "");
MALLOC_DEFINE_OBJ(M_READY, 256, "READY", "");
MALLOC_DEFINE_OBJ(M_BOUNDED, 256, "BOUNDED", "");
MALLOC_DEFINE_OBJ(M_LARGEST, 20000, "LARGEST", "");

// No slab is larger than all that there was, but the first.
TEST_F(Mag, aTypeOfFewObjectsHasSmallSlabs) {
  malloc_init(M_GROWING_obj);
  kmalloc_obj_cache(M_GROWING);
  std::set<struct kmalloc_slab *> Slabs;
  size_t All = 0;
  for (int I = 0; I < 3000; ++I) {
    struct kmalloc_slab *Slab = kmalloc_slab_of(get(M_GROWING_obj, M_WAITOK));
    if (!Slabs.insert(Slab).second)
      continue;
    const size_t Bytes = kmalloc_slab_bytes(Slab);
    if (All == 0)
      EXPECT_EQ(Bytes, size_t(PAGE_SIZE));
    else
      EXPECT_LE(Bytes, lmin(2 * All, KMALLOC_SLAB_SIZE));
    All += Bytes;
  }
  EXPECT_GE(Slabs.size(), 6u);
  EXPECT_LE(All, 2 * 3000 * (256 + 16) + KMALLOC_SLAB_SIZE);
}

// A page that has as many objects as are wanted is enough.
TEST_F(Mag, aSlabIsNoLargerThanItMustBe) {
  struct malloc_type *four_obj = nullptr;
  kmalloc_create_obj(&four, "four", 896);
  size_t Offset;
  ASSERT_EQ(kmalloc_slab_layout(four_obj, PAGE_SIZE, &Offset), 4u);
  kmalloc_obj_reserve(four, 0, 0);
  void *Obj = get(four_obj, M_WAITOK);
  EXPECT_EQ(kmalloc_slab_bytes(kmalloc_slab_of(Obj)), size_t(PAGE_SIZE));
  _kfree_obj(Obj, four_obj);
  kmalloc_destroy_obj(&four);
}

// What must get on has whole ones, and so has a type with none that is smaller.
TEST_F(Mag, aReserveAndAnInterruptZoneHaveNone) {
  malloc_init(M_READY_obj);
  kmalloc_obj_reserve(M_READY, 1, 0);
  malloc_init(M_BOUNDED_obj);
  kmalloc_obj_reserve(M_BOUNDED, 0, 100);
  malloc_init(M_LARGEST_obj);
  kmalloc_obj_cache(M_LARGEST);
  for (struct malloc_type *Type : {M_READY_obj, M_BOUNDED_obj, M_LARGEST_obj})
    EXPECT_EQ(kmalloc_slab_bytes(kmalloc_slab_of(get(Type, M_WAITOK))),
              KMALLOC_SLAB_SIZE);
}

MALLOC_DEFINE_OBJ(M_WORKING, Size, "WORKING", "");

// What was needed in the last sweep's time is kept, the rest goes; while paging
// is needed that time is a second.
TEST_F(Mag, aSweepKeepsTheWorkingSet) {
  malloc_init(M_WORKING_obj);
  kmalloc_obj_reserve(M_WORKING, 0, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_WORKING_obj);
  const size_t PerSlab = perSlab(M_WORKING_obj);
  putAll(M_WORKING_obj, getMany(M_WORKING_obj, 15 * PerSlab, M_INTNOWAIT));
  // Five of fifteen are in use at times.
  for (int I = 0; I < 30; ++I) {
    rounds(1);
    putAll(M_WORKING_obj, getMany(M_WORKING_obj, 5 * PerSlab, M_INTNOWAIT));
  }
  EXPECT_LE(Ext->nobjs, long(7 * PerSlab));
  EXPECT_GE(Ext->nobjs, long(5 * PerSlab));
  EXPECT_EQ(Ext->regrets, 0u);
  rounds(25);
  EXPECT_LE(Ext->nobjs, long(PerSlab)) << "magazines hold some of one slab";
}

MALLOC_DEFINE_OBJ(M_REGRET, Size, "REGRET", "");

TEST_F(Mag, whatIsTakenAgainWithinASecondIsCounted) {
  malloc_init(M_REGRET_obj);
  kmalloc_obj_reserve(M_REGRET, 0, 20000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_REGRET_obj);
  putAll(M_REGRET_obj, getMany(M_REGRET_obj, 5000, M_INTNOWAIT));
  fake_leave_free(FAKE_START - 1);
  rounds(4);
  ASSERT_GT(Ext->returned, 0u);
  fake_leave_free(-1);
  EXPECT_EQ(Ext->regrets, 0u);
  get(M_REGRET_obj, M_INTNOWAIT);
  EXPECT_EQ(Ext->regrets, 0u);
  Ext->returned_at = ticks;
  exhaust(M_REGRET_obj, M_INTNOWAIT);
  EXPECT_GT(Ext->regrets, 0u);
}

MALLOC_DEFINE_OBJ(M_ZEROED, Size, "ZEROED", "");

TEST_F(Mag, zeroMeansZero) {
  malloc_init(M_ZEROED_obj);
  kmalloc_obj_reserve(M_ZEROED, 1, 1000);
  const char Zero[Size] = {};
  for (bool Magazines : {false, true}) {
    if (Magazines)
      earnMagazines(M_ZEROED_obj);
    for (int I = 0; I < 10; ++I) {
      void *Obj = get(M_ZEROED_obj, M_INTNOWAIT | M_ZERO);
      EXPECT_EQ(memcmp(Obj, Zero, Size), 0);
      memset(Obj, 0x5a, Size);
      _kfree_obj(Obj, M_ZEROED_obj);
    }
  }
}

} // namespace
