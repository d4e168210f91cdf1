// SPDX-License-Identifier: BSD-3-Clause
//
// What options KMALLOC_OBJ_DEBUG finds: see kern_kmalloc_debug.c.

#include "Fixture.h"

namespace {

constexpr size_t Size = 320;

char *objsEnd(const struct kmalloc_slab *Slab) {
  return reinterpret_cast<char *>(const_cast<struct kmalloc_slab *>(Slab)) +
         Slab->offset + Slab->ncount * Slab->objsize;
}

// Retire every slab of which all objects are free.
void retire(struct malloc_type *Type) {
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  for (int I = 0; I < 4; ++I) {
    fake_ticks_add(hz);
    lockmgr(&Ext->lock, LK_EXCLUSIVE);
    kmalloc_ext_reclaim(Ext, 1);
    lockmgr(&Ext->lock, LK_RELEASE);
    pseudo_ticks += 4;
  }
}

class KmallocDebug : public ::testing::Test {
protected:
  void SetUp() override { fake_leave_free(-1); }
};

MALLOC_DEFINE_OBJ(M_STALE, Size, "STALE", "");

TEST_F(KmallocDebug, aWriteToAReadySlabIsFoundWhenItIsTaken) {
  malloc_init(M_STALE_obj);
  kmalloc_obj_reserve(M_STALE, 1, 1000);
  char *Obj = reinterpret_cast<char *>(kmalloc_ext(M_STALE_obj)->ready) +
              kmalloc_ext(M_STALE_obj)->ready->offset;
  const char Before = Obj[Size];
  Obj[Size] = 1;
  EXPECT_DEATH(get(M_STALE_obj, M_INTNOWAIT),
               "STALE: a free object of slab .* was written to");
  Obj[Size] = Before;
  EXPECT_NE(get(M_STALE_obj, M_INTNOWAIT), nullptr);
}

MALLOC_DEFINE_OBJ(M_AFTER, Size, "AFTER", "");

TEST_F(KmallocDebug, aWriteAfterFreeIsFoundOnceTheSlabIsInTheReserve) {
  malloc_init(M_AFTER_obj);
  kmalloc_obj_reserve(M_AFTER, 1, 10000);
  struct kmalloc_ext *Ext = kmalloc_ext(M_AFTER_obj);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 5 * perSlab(M_AFTER_obj); ++I)
    Objs.push_back(get(M_AFTER_obj, M_INTNOWAIT));
  fake_leave_free(20); // so that the reserve is filled by retirement
  while (kmalloc_ext_take_ready(Ext, 1) != nullptr)
    ;
  for (void *Obj : Objs)
    _kfree_obj(Obj, M_AFTER_obj);
  retire(M_AFTER_obj);
  ASSERT_EQ(Ext->nready, 1);
  static_cast<char *>(static_cast<void *>(Ext->ready))[KMALLOC_SLAB_SIZE / 2] ^=
      1;
  EXPECT_DEATH(kmalloc_ext_take_ready(Ext, 1),
               "AFTER: a free object of slab .* was written to");
}

MALLOC_DEFINE_OBJ(M_TAIL, Size, "TAIL", "");

TEST_F(KmallocDebug, anOverrunOfTheLastObjectIsFoundAtRetirement) {
  malloc_init(M_TAIL_obj);
  kmalloc_obj_reserve(M_TAIL, 0, 10000);
  std::vector<void *> Objs;
  for (size_t I = 0; I < 4 * perSlab(M_TAIL_obj); ++I)
    Objs.push_back(get(M_TAIL_obj, M_INTNOWAIT));
  struct kmalloc_slab *Slab = kmalloc_slab_of(Objs[0]);
  ASSERT_LT(objsEnd(Slab), reinterpret_cast<char *>(Slab) + KMALLOC_SLAB_SIZE);
  *objsEnd(Slab) = 0;
  for (void *Obj : Objs)
    _kfree_obj(Obj, M_TAIL_obj);
  EXPECT_DEATH(retire(M_TAIL_obj), "TAIL: end of slab .* was written to");
}

MALLOC_DEFINE_OBJ(M_PAGE, Size, "PAGE", "");

TEST_F(KmallocDebug, miniSlabsHaveRedZonesToo) {
  malloc_init(M_PAGE_obj);
  kmalloc_obj_reserve(M_PAGE, 0, 1000);
  fake_leave_free(3);
  std::vector<void *> Objs;
  while (void *Obj = get(M_PAGE_obj, M_INTNOWAIT))
    Objs.push_back(Obj);
  ASSERT_EQ(Objs.size(), 3 * kmalloc_mini_count(M_PAGE_obj));
  struct kmalloc_slab *Slab = kmalloc_slab_of(Objs[0]);
  ASSERT_LT(objsEnd(Slab), reinterpret_cast<char *>(Slab) + PAGE_SIZE);
  reinterpret_cast<char *>(Slab)[PAGE_SIZE - 1] = 0;
  for (void *Obj : Objs)
    _kfree_obj(Obj, M_PAGE_obj);
  EXPECT_DEATH(retire(M_PAGE_obj), "PAGE: end of slab .* was written to");
}

} // namespace
