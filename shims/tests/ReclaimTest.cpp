// SPDX-License-Identifier: BSD-3-Clause
//
// What goes back to the VM while it pages, and what is taken again at once.

#include "Fixture.h"

namespace {

constexpr size_t Size = 512;

using Reclaim = KmallocObj;

// Objects that come and go at once.
void burst(struct malloc_type *Type, size_t Count) {
  putAll(Type, getMany(Type, Count, M_WAITOK));
}

long slabs(struct malloc_type *Type) {
  const struct kmalloc_ext *Ext = kmalloc_ext(Type);
  return Ext->nslots - Ext->nfreeslots;
}

// Seconds pass, and the poller does not come by.
void pass(int Seconds) {
  while (Seconds-- > 0) {
    pseudo_ticks += 4;
    fake_maintain();
  }
}

struct malloc_type *zone(struct malloc_type *Type, long Nslabs) {
  malloc_init(Type);
  kmalloc_raise_limit(Type, size_t(512) << 20);
  _kmalloc_obj_reserve(Type, Nslabs, 20000);
  return Type;
}

MALLOC_DEFINE_OBJ(M_LAZY, Size, "LAZY", "");

// Page-out keeps memory from being short, so that is not what to wait for.
TEST_F(Reclaim, freeSlabsGoWhenPageOutOughtToBegin) {
  struct malloc_type *Type = zone(M_LAZY_obj, 2);
  burst(Type, 5000);
  const long Slabs = slabs(Type);
  EXPECT_GT(Slabs, 10);
  fake_leave_free(FAKE_START);
  pass(5);
  EXPECT_EQ(slabs(Type), Slabs) << "nobody needs memory";
  fake_leave_free(FAKE_START - 1);
  pass(4);
  EXPECT_EQ(slabs(Type), 2) << "the reserve";
  EXPECT_EQ(kmalloc_ext(Type)->nready, 2);
  EXPECT_EQ(fake_free_pages, FAKE_START - 1 + (Slabs - 2) * 32);
  EXPECT_EQ(kmalloc_ext(Type)->regrets, 0u);
}

MALLOC_DEFINE_OBJ(M_WORKS, Size, "WORKS", "");

// At the end of the first whole second, not later.
TEST_F(Reclaim, andWhileItWorks) {
  struct malloc_type *Type = zone(M_WORKS_obj, 2);
  burst(Type, 5000);
  vm_pages_needed = 1;
  pass(2);
  EXPECT_EQ(slabs(Type), 2);
}

MALLOC_DEFINE_OBJ(M_BUSY, Size, "BUSY", "");

// What is used once a second is not free, if it looks so in between.
TEST_F(Reclaim, whatIsNeededOnceASecondStays) {
  struct malloc_type *Type = zone(M_BUSY_obj, 2);
  fake_leave_free(FAKE_START - 1 + 32 * 20);
  burst(Type, 4000);
  vm_pages_needed = 1;
  for (int I = 0; I < 10; ++I) {
    pass(1);
    burst(Type, 4000);
  }
  EXPECT_EQ(kmalloc_ext(Type)->returned, 0u);
  EXPECT_EQ(kmalloc_ext(Type)->regrets, 0u);
  // Half as many: the other half goes, and is not missed.
  for (int I = 0; I < 10; ++I) {
    pass(1);
    burst(Type, 2000);
  }
  EXPECT_GT(kmalloc_ext(Type)->returned, 4u);
  EXPECT_EQ(kmalloc_ext(Type)->regrets, 0u);
}

MALLOC_DEFINE_OBJ(M_REGRETS, Size, "REGRETS", "");

TEST_F(Reclaim, whatIsTakenAgainWithinASecondIsCounted) {
  struct malloc_type *Type = zone(M_REGRETS_obj, 1);
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  for (int Late : {1, 0}) {
    burst(Type, 3000);
    vm_pages_needed = 1;
    pass(4);
    const long Slabs = slabs(Type);
    ASSERT_EQ(Ext->regrets, 0u);
    ASSERT_LT(Slabs, 5);
    ticks = Ext->returned_at + hz - 1 + Late;
    burst(Type, 3000);
    EXPECT_GT(slabs(Type), 10);
    EXPECT_EQ(Ext->regrets, Late ? 0 : u_long(slabs(Type) - Slabs));
  }
}

MALLOC_DEFINE_OBJ(M_SLABS, Size, "MINIS", "");

TEST_F(Reclaim, miniSlabsStayForASecondAfterTheLast) {
  struct malloc_type *Type = zone(M_SLABS_obj, 1);
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  fake_leave_free(20);
  for (void *Obj : exhaust(Type, M_INTNOWAIT))
    _kfree_obj(Obj, Type);
  EXPECT_EQ(Ext->minis, 20);
  const int At = ticks;
  for (int I = 0; I < 4; ++I) {
    ticks = At - 1; // and a second that the round adds
    pass(1);
  }
  EXPECT_EQ(Ext->minis, 20);
  pass(2);
  EXPECT_EQ(Ext->minis, 0);
}

} // namespace
