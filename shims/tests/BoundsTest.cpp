// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers that must not be passed, or must be reached: limits of types, slots,
// floors.

#include "Fixture.h"

namespace {

constexpr size_t Size = 128;

using Bounds = KmallocObj;

MALLOC_DEFINE_OBJ(M_BOOTED, Size, "BOOTED", "");
KMALLOC_OBJ_BOOTSLABS(M_BOOTED, Size, 6000);

// The allocator looks at what a type uses at every KMALLOC_LOOSE_SIZE bytes, so
// there must be more than that of either kind.
TEST_F(Bounds, theLimitAllowsBootMemoryAndWhatIsReserved) {
  static_assert(6000 * Size > KMALLOC_LOOSE_SIZE);
  kmalloc_obj_bootinit(M_BOOTED, M_BOOTED_bootslabs,
                       sizeof(M_BOOTED_bootslabs));
  malloc_init(M_BOOTED_obj);
  M_BOOTED_obj->ks_limit = 1; // the least default there may be
  kmalloc_obj_reserve(M_BOOTED, 1, 6000);
  for (int I = 0; I < 12000; ++I)
    ASSERT_NE(get(M_BOOTED_obj, M_INTNOWAIT), nullptr) << "object " << I;
}

MALLOC_DEFINE_OBJ(M_OVER, Size, "OVER", "");

// The twin: there is a limit, and it is the one above.
TEST_F(Bounds, theLimitEnds) {
  malloc_init(M_OVER_obj);
  M_OVER_obj->ks_limit = 1;
  kmalloc_obj_reserve(M_OVER, 1, 6000);
  size_t Count = 0;
  while (get(M_OVER_obj, M_INTNOWAIT | M_NULLOK) != nullptr)
    ++Count;
  EXPECT_GE(Count, 6000u);
  EXPECT_LE(Count * Size, 6000 * Size + KMALLOC_LOOSE_SIZE);
}

// Of every size and count all objects can be had without waiting, as of a zone.
TEST_F(Bounds, allObjectsOfAnInterruptZoneCanBeHad) {
  for (size_t Bytes : {64, 128, 136, 192, 320, 640, 1024, 2048, 4032, 8192})
    for (size_t Count : {1, 7, 100, 1000, 3000})
      for (int Slabs : {0, 3}) {
        if (Bytes * Count > size_t(6) << 20)
          continue;
        struct malloc_type *t_obj = nullptr;
        kmalloc_create_obj(&t, "t", Bytes);
        t_obj->ks_limit = 1;
        _kmalloc_obj_reserve(t_obj, Slabs, Count);
        fake_kmem_forbidden = true;
        std::vector<void *> Objs;
        while (Objs.size() < Count) {
          void *Obj = get(t_obj, M_INTNOWAIT);
          ASSERT_NE(Obj, nullptr)
              << Objs.size() << " of " << Count << " of " << Bytes;
          Objs.push_back(Obj);
        }
        fake_kmem_forbidden = false;
        for (void *Obj : Objs)
          _kfree_obj(Obj, t_obj);
        kmalloc_destroy_obj(&t);
        fake_maintain();
      }
}

// A type that grows: does the maintainer get more addresses for it while
// Free pages are free and it has Slots slots to spare?
bool growsWith(long Free, long Slots) {
  struct malloc_type *t_obj = nullptr;
  kmalloc_create_obj(&t, "t", Size);
  kmalloc_obj_reserve(t, 1, 0);
  struct kmalloc_ext *Ext = kmalloc_ext(t_obj);
  // A page at a time, so that each makes a mini slab and takes a slot.
  std::vector<void *> Objs;
  pagethread = &MainThread;
  fake_leave_free(0);
  while (Ext->nfreeslots > Slots) {
    if (void *Obj = get(t_obj, M_INTNOWAIT))
      Objs.push_back(Obj);
    else
      fake_leave_free(1);
  }
  pagethread = nullptr;
  const long Before = Ext->nslots;
  fake_leave_free(Free);
  fake_maintain();
  const bool Grew = Ext->nslots != Before;
  fake_leave_free(-1);
  for (void *Obj : Objs)
    _kfree_obj(Obj, t_obj);
  kmalloc_destroy_obj(&t);
  for (int I = 0; I < 4; ++I)
    fake_maintain();
  return Grew;
}

// Page tables would be the last straw, unless others wait for the slots.
TEST_F(Bounds, slotsAreMadeInAShortageOnlyIfJustTheFloorIsLeft) {
  constexpr long Floor = 8, Low = 20;
  EXPECT_TRUE(growsWith(FAKE_MIN + 64, Low));
  EXPECT_FALSE(growsWith(FAKE_MIN - 1, Low));
  EXPECT_FALSE(growsWith(FAKE_MIN - 1, Floor + 2)); // one becomes ready
  EXPECT_TRUE(growsWith(FAKE_MIN - 1, Floor));
  EXPECT_TRUE(growsWith(FAKE_INTERRUPT_MIN, Floor));
  EXPECT_FALSE(growsWith(FAKE_INTERRUPT_MIN - 1, Floor));
  EXPECT_FALSE(growsWith(1, Floor));
}

MALLOC_DEFINE_OBJ(M_FULL, 64, "FULL", "");

// How many exist, constructed or about to be destroyed; a destructor may sleep,
// and others get what they can meanwhile.
long Exist, MostExist;
bool DtorGets;
std::vector<void *> GotByDtor;

bool countCtor(void *, void *, int) {
  MostExist = std::max(MostExist, ++Exist);
  return true;
}

void countDtor(void *, void *) {
  if (DtorGets) {
    DtorGets = false;
    while (void *Obj = kmalloc_cobj(M_FULL, M_NOWAIT))
      GotByDtor.push_back(Obj);
  }
  --Exist;
}

// As with objcache_dtor(), the one that is being destroyed counts no more.
TEST_F(Bounds, oneMoreThanTheLimitAllowsMayBeThereWhileItIsDestroyed) {
  malloc_init(M_FULL_obj);
  Exist = MostExist = 0;
  kmalloc_obj_ctor(M_FULL, countCtor, countDtor, nullptr, 5, 0);
  auto GetAll = [] {
    std::vector<void *> Objs;
    while (void *Obj = kmalloc_cobj(M_FULL, M_NOWAIT))
      Objs.push_back(Obj);
    return Objs;
  };
  auto PutAll = [](const std::vector<void *> &Objs) {
    for (void *Obj : Objs)
      kfree_cobj(Obj, M_FULL);
  };
  std::vector<void *> Objs = GetAll();
  const long All = Objs.size();
  EXPECT_GE(All, 5);
  EXPECT_EQ(Exist, All);

  // Drained, one by one ...
  PutAll(Objs);
  struct malloc_type *List[] = {M_FULL_obj};
  DtorGets = true;
  EXPECT_NE(kmalloc_obj_reclaimlist(List, 1), 0);
  EXPECT_LE(MostExist, All + 1) << "reclaimlist";
  PutAll(GotByDtor);
  GotByDtor.clear();

  // ... and given back unfit for reuse.
  Objs = GetAll();
  EXPECT_EQ(long(Objs.size()), All);
  DtorGets = true;
  kfree_cobj_dtor(Objs.back(), M_FULL);
  Objs.pop_back();
  EXPECT_LE(MostExist, All + 1) << "kfree_cobj_dtor";
  PutAll(GotByDtor);
  GotByDtor.clear();
  PutAll(Objs);
  kmalloc_obj_unctor(M_FULL);
  EXPECT_EQ(Exist, 0);
}

MALLOC_DEFINE_OBJ(M_SLOTS, Size, "SLOTS", "");

// Every slot can be had, and had again, those of a map's last word, too.
TEST_F(Bounds, everySlotIsUsed) {
  malloc_init(M_SLOTS_obj);
  const size_t PerSlab = perSlab(M_SLOTS_obj);
  kmalloc_obj_reserve(M_SLOTS, 0, 62 * PerSlab + 1); // and for magazines
  struct kmalloc_ext *Ext = kmalloc_ext(M_SLOTS_obj);
  ASSERT_GE(Ext->nslots, 64);
  for (int Round = 0; Round < 2; ++Round) {
    std::vector<struct kmalloc_slab *> Slabs;
    while (struct kmalloc_slab *Slab = kmalloc_slot_populate_mini(
               Ext, M_SLOTS_obj, VM_ALLOC_NORMAL, 0))
      Slabs.push_back(Slab);
    EXPECT_EQ(long(Slabs.size()), Ext->nslots);
    EXPECT_EQ(Ext->nfreeslots, 0);
    for (struct kmalloc_slab *Slab : Slabs)
      kmalloc_slot_depopulate(Ext, Slab);
    EXPECT_EQ(Ext->nfreeslots, Ext->nslots);
  }
}

// A type that comes and goes leaves nothing behind.
TEST_F(Bounds, addressesAndBlocksComeBack) {
  auto ComeAndGo = [](size_t Objects) {
    struct malloc_type *t_obj = nullptr;
    kmalloc_create_obj(&t, "t", Size);
    _kmalloc_obj_reserve(t_obj, 1, Objects);
    _kfree_obj(get(t_obj, M_INTNOWAIT), t_obj);
    kmalloc_destroy_obj(&t);
    fake_maintain();
  };
  ComeAndGo(0);
  const long Bytes = fake_nofault_bytes, Pieces = fake_kmallocs;
  for (size_t Objects : {0, 1, 1000, 5000}) {
    ComeAndGo(Objects);
    EXPECT_EQ(fake_nofault_bytes, Bytes);
    EXPECT_EQ(fake_kmallocs, Pieces);
  }
}

// Nobody who may wait gets less because kmalloc() refuses who may not.
TEST_F(Bounds, aTypeCanBeCreatedWhileKmallocRefuses) {
  fake_kmalloc_refuses = true;
  struct malloc_type *t_obj = nullptr;
  kmalloc_create_obj(&t, "t", Size);
  kmalloc_obj_reserve(t, 1, 100);
  EXPECT_NE(get(t_obj, M_INTNOWAIT), nullptr);
  fake_kmalloc_refuses = false;
}

MALLOC_DEFINE_OBJ(M_CLASSES, Size, "CLASSES", "");

// The classes say more than how deep: VM_ALLOC_NORMAL gets cached pages, too.
TEST_F(Bounds, anInterruptZoneAsksForPagesOfEveryClass) {
  malloc_init(M_CLASSES_obj);
  kmalloc_obj_reserve(M_CLASSES, 0, 5000);
  fake_leave_free(FAKE_MIN);
  fake_requests = 0;
  get(M_CLASSES_obj, M_INTNOWAIT);
  EXPECT_EQ(fake_requests, VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM);
  fake_leave_free(1);
  exhaust(M_CLASSES_obj, M_INTNOWAIT);
  EXPECT_EQ(fake_requests,
            VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT);
}

MALLOC_DEFINE_OBJ(M_INTERRUPTS, Size, "INTERRUPTS", "");

// Who preempts must not sleep for a page: what kmem_slab_alloc() does is its own.
TEST_F(Bounds, whoPreemptsDoesNotWaitForAPageHere) {
  struct thread Interrupted = {"interrupted"};
  malloc_init(M_INTERRUPTS_obj);
  kmalloc_obj_reserve(M_INTERRUPTS, 1, 5000);
  fake_leave_free(0);
  exhaust(M_INTERRUPTS_obj, M_INTNOWAIT);
  MainThread.td_preempted = &Interrupted;
  fake_kmem_reenter = [] { fake_leave_free(-1); };
  const long Calls = fake_kmem_slab_allocs;
  EXPECT_NE(get(M_INTERRUPTS_obj, M_INTWAIT), nullptr);
  EXPECT_EQ(fake_kmem_slab_allocs, Calls + 1);
  EXPECT_EQ(fake_kmem_flags, M_WAITOK);
}

} // namespace
