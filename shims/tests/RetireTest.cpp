// SPDX-License-Identifier: BSD-3-Clause
//
// Slabs that are done with: when they go, where to, and who may have them next.

#include "Fixture.h"

namespace {

constexpr size_t Size = 128;

using Retire = KmallocObj;

MALLOC_DEFINE_OBJ(M_WHOLE, Size, "WHOLE", "");
MALLOC_DEFINE_OBJ(M_MINI, Size, "MINI", "");

// Slabs that a round of the maintainer takes from a type; readers stay.
size_t retired(struct malloc_type *Type) {
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  const size_t Before = Ext->returned + Ext->minis_returned;
  fake_maintain();
  return Ext->returned + Ext->minis_returned - Before;
}

// A reader of a freed object may be there for as long as pseudo_ticks stands.
TEST_F(Retire, noSlabGoesWhileAReaderMayBeLeft) {
  malloc_init(M_WHOLE_obj);
  kmalloc_obj_reserve(M_WHOLE, 0, 0);
  putAll(M_WHOLE_obj, getMany(M_WHOLE_obj, 5000, M_WAITOK));
  fake_leave_free(FAKE_START - 1); // nothing but the reserve is kept
  for (int Round = 0; Round < 4; ++Round)
    EXPECT_EQ(retired(M_WHOLE_obj), 0u);
  pseudo_ticks += 4;
  EXPECT_GE(retired(M_WHOLE_obj), 1u);
}

TEST_F(Retire, norDoesAMiniSlab) {
  malloc_init(M_MINI_obj);
  kmalloc_obj_reserve(M_MINI, 1, 5000);
  fake_leave_free(10);
  putAll(M_MINI_obj, exhaust(M_MINI_obj, M_INTNOWAIT));
  for (int Round = 0; Round < 4; ++Round)
    EXPECT_EQ(retired(M_MINI_obj), 0u);
  pseudo_ticks += 4;
  EXPECT_GE(retired(M_MINI_obj), 5u);
}

MALLOC_DEFINE_OBJ(M_NOTOURS, 1024, "NOTOURS", "");
MALLOC_DEFINE_OBJ(M_OURS, Size, "OURS", "");

// The cpus' cache of free slabs is for types without a control block, which fill
// and empty it as ever.
TEST_F(Retire, theCacheOfFreeSlabsIsNotOurs) {
  malloc_init(M_NOTOURS_obj);
  malloc_init(M_OURS_obj);
  kmalloc_obj_reserve(M_OURS, 0, 0);
  putAll(M_NOTOURS_obj, getMany(M_NOTOURS_obj, 2000, M_WAITOK));
  for (int I = 0; I < 64; ++I) {
    malloc_mgt_poll(M_NOTOURS_obj);
    pseudo_ticks += 4;
  }
  const size_t Cached = mycpu->gd_kmslab.free_count;
  ASSERT_GT(Cached, 0u);
  putAll(M_OURS_obj, getMany(M_OURS_obj, 5000, M_WAITOK));
  fake_leave_free(FAKE_MIN - 1);
  rounds(25);
  EXPECT_EQ(mycpu->gd_kmslab.free_count, Cached);
}

MALLOC_DEFINE_OBJ(M_GONE, Size, "GONE", "");
MALLOC_DEFINE_OBJ(M_HEIR, Size, "HEIR", "");
KMALLOC_OBJ_BOOTSLABS(M_GONE, Size, 1500);

// Boot memory is nobody else's when its type goes, and is not given to the VM;
// and the type's control block may be another's by the time it retires.
TEST_F(Retire, bootSlabsOfATypeThatIsGoneGoNowhere) {
  kmalloc_obj_bootinit(M_GONE, M_GONE_bootslabs, sizeof(M_GONE_bootslabs));
  malloc_init(M_GONE_obj);
  kmalloc_obj_reserve(M_GONE, 1, 100);
  putAll(M_GONE_obj, getMany(M_GONE_obj, 1500, M_INTNOWAIT));
  struct kmalloc_ext *Ext = kmalloc_ext(M_GONE_obj);
  kmalloc_obj_detach(M_GONE_obj);
  fake_maintain();
  EXPECT_EQ(Ext->type, nullptr);

  malloc_init(M_HEIR_obj);
  kmalloc_obj_reserve(M_HEIR, 1, 0);
  ASSERT_EQ(kmalloc_ext(M_HEIR_obj), Ext);
  const long Ready = Ext->nready, Free = fake_free_pages;
  malloc_mgt_uninit(M_GONE_obj, &M_GONE_obj->ks_use0.mgt);
  malloc_mgt_uninit(M_GONE_obj, &M_GONE_obj->ks_mgt);
  EXPECT_EQ(Ext->nready, Ready);
  EXPECT_EQ(fake_free_pages, Free);
}

MALLOC_DEFINE_OBJ(M_BOOTDIES, Size, "BOOTDIES", "");
KMALLOC_OBJ_BOOTSLABS(M_BOOTDIES, Size, 1500);

// The same while the block is still the type's own.
TEST_F(Retire, bootSlabsOfADyingTypeGoNowhere) {
  kmalloc_obj_bootinit(M_BOOTDIES, M_BOOTDIES_bootslabs,
                       sizeof(M_BOOTDIES_bootslabs));
  malloc_init(M_BOOTDIES_obj);
  kmalloc_obj_reserve(M_BOOTDIES, 2, 100);
  putAll(M_BOOTDIES_obj, getMany(M_BOOTDIES_obj, 1500, M_INTNOWAIT));
  struct kmalloc_ext *Ext = kmalloc_ext(M_BOOTDIES_obj);
  kmalloc_obj_detach(M_BOOTDIES_obj);
  const long Free = fake_free_pages;
  malloc_mgt_uninit(M_BOOTDIES_obj, &M_BOOTDIES_obj->ks_use0.mgt);
  malloc_mgt_uninit(M_BOOTDIES_obj, &M_BOOTDIES_obj->ks_mgt);
  EXPECT_GE(fake_free_pages, Free);
  EXPECT_EQ(Ext->nready, 0);
  fake_maintain();
  EXPECT_EQ(Ext->type, nullptr);
}

MALLOC_DEFINE_OBJ(M_NOBOOT, Size, "NOBOOT", "");
MALLOC_DEFINE_OBJ(M_NOEXT, Size, "NOEXT", "");

TEST_F(Retire, staticItemsMayNotBeFreedToATypeWithoutBootMemory) {
  alignas(64) static char Items[2][Size];
  malloc_init(M_NOBOOT_obj);
  kmalloc_obj_reserve(M_NOBOOT, 1, 100);
  malloc_init(M_NOEXT_obj);
  EXPECT_DEATH(kfree_obj(Items[0], M_NOBOOT), "NOBOOT: .* is not of kmalloc_obj");
  EXPECT_DEATH(kfree_obj(Items[1], M_NOEXT), "NOEXT: .* is not of kmalloc_obj");
}

} // namespace
