// SPDX-License-Identifier: BSD-3-Clause
//
// Where objects lie: aligned as kmalloc() aligns, as many as ever.

#include "Fixture.h"

namespace {

using Layout = KmallocObj;

constexpr size_t Head = __offsetof(struct kmalloc_slab, fobjs);
constexpr size_t Line = __VM_CACHELINE_SIZE;

// Of a type of that size with a control block, or without.
struct Type {
  struct malloc_type Malloc = {};
  struct kmalloc_ext Ext = {};
  Type(size_t Size, bool HasExt, bool Constructed) {
    Malloc.ks_shortdesc = "LAYOUT";
    Malloc.ks_objsize = Size;
    Ext.states = Constructed;
    if (HasExt)
      Malloc.ks_unused0 = reinterpret_cast<uintptr_t>(&Ext);
  }
  size_t count(size_t Bytes, size_t *Offset) const {
    return kmalloc_slab_layout(&Malloc, Bytes, Offset);
  }
};

size_t largestPowerIn(size_t Size) {
  size_t Align = 1;
  while (Align < 8192 && Size % (2 * Align) == 0)
    Align *= 2;
  return Align;
}

TEST_F(Layout, everySizeIsAlignedAsByKmallocAndCostsNoObject) {
  for (size_t Size = Line; Size <= KMALLOC_SLAB_SIZE - Head - Line;
       Size += Line) {
    SCOPED_TRACE(Size);
    struct kmalloc_mgt Mgt = {};
    struct malloc_type Old = {};
    Old.ks_shortdesc = "OLD";
    malloc_mgt_init(&Old, &Mgt, Size);
    for (bool Constructed : {false, true}) {
      const Type T(Size, true, Constructed);
      size_t Offset;
      const size_t Count = T.count(KMALLOC_SLAB_SIZE, &Offset);
      const size_t States = Constructed ? KMALLOC_SLAB_SIZE / Line : 0;
      ASSERT_LE(Count, Mgt.slab_count);
      ASSERT_GE((Count + 1) * (Size + sizeof(void *)) + Head + States,
                KMALLOC_SLAB_SIZE);
      if (Count == 0)
        continue;
      ASSERT_EQ(Offset % largestPowerIn(Size), 0u);
      ASSERT_GE(Offset, Head + Count * sizeof(void *) + States);
      ASSERT_LE(Offset + Count * Size, KMALLOC_SLAB_SIZE);
      if (!Constructed)
        ASSERT_EQ(Count, KMALLOC_OBJ_PERSLAB(Size));
    }
  }
}

// What malloc_mgt_init() says, for types that ask for nothing.
TEST_F(Layout, aTypeWithoutAControlBlockHasTheAllocatorsLayout) {
  for (size_t Size = Line; Size <= KMALLOC_SLAB_SIZE - Head - Line;
       Size += Line) {
    struct kmalloc_mgt Mgt = {};
    const Type T(Size, false, false);
    struct malloc_type Old = T.Malloc;
    malloc_mgt_init(&Old, &Mgt, Size);
    size_t Offset;
    ASSERT_EQ(T.count(KMALLOC_SLAB_SIZE, &Offset), Mgt.slab_count) << Size;
    ASSERT_EQ(Offset, Mgt.slab_offset) << Size;
  }
}

// States cost a mini slab 64 bytes, and so one object at most.
TEST_F(Layout, miniSlabsLoseOneObjectAtMost) {
  for (size_t Size = Line; Size < PAGE_SIZE; Size += Line) {
    SCOPED_TRACE(Size);
    const size_t Before = (PAGE_SIZE - Head) / (Size + sizeof(void *));
    for (bool Constructed : {false, true}) {
      const Type T(Size, true, Constructed);
      size_t Offset;
      const size_t Count = T.count(PAGE_SIZE, &Offset);
      ASSERT_GE(Count + (Constructed ? 1 : 0), Before);
      if (Count == 0)
        continue;
      ASSERT_EQ(Offset % largestPowerIn(Size), 0u);
      ASSERT_GE(Offset, Head + Count * sizeof(void *) +
                            (Constructed ? PAGE_SIZE / Line : 0));
      ASSERT_LE(Offset + Count * Size, size_t(PAGE_SIZE));
    }
  }
}

TEST_F(Layout, whatWouldLeaveAnEighthOfASlabEmptyIsLarge) {
  auto Wasteful = [](size_t Size) {
    const Type T(Size, true, true);
    return kmalloc_slab_wasteful(&T.Malloc);
  };
  for (size_t Size : {64, 512, 2048, 8192, 12288, 16384, 24576, 40960})
    EXPECT_FALSE(Wasteful(Size)) << Size;
  for (size_t Size : {32768, 36864, 49152, 65536, 130560})
    EXPECT_TRUE(Wasteful(Size)) << Size;
}

size_t unaligned(const std::vector<void *> &Objs, size_t Align) {
  size_t N = 0;
  for (void *Obj : Objs)
    N += reinterpret_cast<uintptr_t>(Obj) % Align != 0;
  return N;
}

// A device is told of an mbuf by the physical address of its first byte.
size_t scattered(const std::vector<void *> &Objs, size_t Size) {
  size_t N = 0;
  for (void *Obj : Objs) {
    const uintptr_t First = reinterpret_cast<uintptr_t>(Obj);
    const uintptr_t Last = First + Size - 1;
    if ((First ^ Last) & ~uintptr_t(PAGE_MASK))
      N += pmap_kextract(Last & ~uintptr_t(PAGE_MASK)) !=
           pmap_kextract(First & ~uintptr_t(PAGE_MASK)) + PAGE_SIZE;
  }
  return N;
}

MALLOC_DEFINE_OBJ(M_MBUF, 512, "mbuf", "");
MALLOC_DEFINE_OBJ(M_PATH, 1024, "path", "");
MALLOC_DEFINE_OBJ(M_ITEM, 256, "item", "");

TEST_F(Layout, objectsOfCachesAndZonesLieInOnePage) {
  malloc_init(M_MBUF_obj);
  kmalloc_obj_ctor(M_MBUF, nullptr, nullptr, nullptr, 4000, 0);
  malloc_init(M_PATH_obj);
  kmalloc_obj_cache(M_PATH);
  malloc_init(M_ITEM_obj);
  kmalloc_obj_reserve(M_ITEM, 0, 0);
  std::vector<void *> Mbufs, Paths, Items;
  for (int I = 0; I < 1000; ++I) {
    Mbufs.push_back(kmalloc_cobj(M_MBUF, M_WAITOK));
    Paths.push_back(get(M_PATH_obj, M_WAITOK));
    Items.push_back(get(M_ITEM_obj, M_WAITOK));
  }
  EXPECT_EQ(unaligned(Mbufs, 512), 0u);
  EXPECT_EQ(scattered(Mbufs, 512), 0u);
  EXPECT_EQ(unaligned(Paths, 1024), 0u);
  EXPECT_EQ(scattered(Paths, 1024), 0u);
  EXPECT_EQ(unaligned(Items, 256), 0u);
}

MALLOC_DEFINE_OBJ(M_MINIS, 512, "minis", "");

TEST_F(Layout, soDoThoseInMiniSlabs) {
  malloc_init(M_MINIS_obj);
  kmalloc_obj_reserve(M_MINIS, 0, 1000);
  fake_leave_free(10);
  std::vector<void *> Objs = exhaust(M_MINIS_obj, M_INTNOWAIT);
  EXPECT_EQ(Objs.size(), 7u * kmalloc_ext(M_MINIS_obj)->minis);
  EXPECT_EQ(unaligned(Objs, 512), 0u);
}

MALLOC_DEFINE_OBJ(M_BOOTED, 512, "booted", "");
KMALLOC_OBJ_BOOTSLABS(M_BOOTED, 512, 600);

TEST_F(Layout, soDoThoseInBootSlabs) {
  kmalloc_obj_bootinit(M_BOOTED, M_BOOTED_bootslabs,
                       sizeof(M_BOOTED_bootslabs));
  fake_kmem_forbidden = true;
  std::vector<void *> Objs;
  for (int I = 0; I < 600; ++I)
    Objs.push_back(get(M_BOOTED_obj, M_INTNOWAIT));
  EXPECT_EQ(unaligned(Objs, 512), 0u);
  malloc_init(M_BOOTED_obj);
}

} // namespace
