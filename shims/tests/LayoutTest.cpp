// SPDX-License-Identifier: BSD-3-Clause
//
// Where objects lie: aligned as kmalloc() aligns, as many as ever.

#include "Fixture.h"

namespace {

using Layout = KmallocObj;

constexpr size_t Head = __offsetof(struct kmalloc_slab, fobjs);
constexpr size_t Line = __VM_CACHELINE_SIZE;

struct Type {
  struct malloc_type Malloc = {};
  explicit Type(size_t Size) {
    Malloc.ks_shortdesc = "LAYOUT";
    Malloc.ks_objsize = Size;
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

// Slabs of every number of pages that there are.
TEST_F(Layout, everySizeIsAlignedAsByKmallocAndCostsNoObject) {
  for (size_t Size = Line; Size <= KMALLOC_SLAB_SIZE - Head - Line;
       Size += Line) {
    SCOPED_TRACE(Size);
    const Type T(Size);
    for (size_t Bytes = PAGE_SIZE; Bytes <= KMALLOC_SLAB_SIZE; Bytes *= 2) {
      size_t Offset;
      const size_t Count = T.count(Bytes, &Offset);
      ASSERT_GE((Count + 1) * (Size + sizeof(void *)) + Head + Bytes / Line,
                Bytes);
      if (Count == 0)
        continue;
      ASSERT_EQ(Offset % largestPowerIn(Size), 0u);
      ASSERT_GE(Offset, Head + Count * sizeof(void *) + Bytes / Line);
      ASSERT_LE(Offset + Count * Size, Bytes);
    }
    size_t Offset;
    ASSERT_EQ(T.count(KMALLOC_SLAB_SIZE, &Offset), KMALLOC_OBJ_PERSLAB(Size));
  }
}

// What the plan converts, and no more (kmobj/Slab.h).
TEST_F(Layout, theLargestObjectFitsASlab) {
  constexpr size_t Largest = 128640;
  size_t Offset;
  EXPECT_EQ(Type(Largest).count(KMALLOC_SLAB_SIZE, &Offset), 1u);
  EXPECT_EQ(Type(Largest + Line).count(KMALLOC_SLAB_SIZE, &Offset), 0u);
  EXPECT_EQ(Type(130688).count(KMALLOC_SLAB_SIZE, &Offset), 0u)
      << "which was taken to fit before there were states";

  struct malloc_type *large_obj = nullptr;
  kmalloc_create_obj(&large, "large", Largest);
  kmalloc_obj_reserve(large, 0, 2);
  void *Obj = get(large_obj, M_INTNOWAIT);
  EXPECT_NE(Obj, nullptr);
  _kfree_obj(Obj, large_obj);
  kmalloc_destroy_obj(&large);
}

// States cost a mini slab 64 bytes, and so one object at most.
TEST_F(Layout, miniSlabsLoseOneObjectAtMost) {
  for (size_t Size = Line; Size < PAGE_SIZE; Size += Line) {
    const size_t Without = (PAGE_SIZE - Head) / (Size + sizeof(void *));
    size_t Offset;
    ASSERT_GE(Type(Size).count(PAGE_SIZE, &Offset) + 1, Without) << Size;
  }
}

TEST_F(Layout, whatWouldLeaveAnEighthOfASlabEmptyIsLarge) {
  auto Wasteful = [](size_t Size) {
    const Type T(Size);
    return kmalloc_slab_wasteful(&T.Malloc);
  };
  // One object after the other, each with its word, as long as there is room.
  for (size_t Size = Line; Size <= KMALLOC_SLAB_SIZE - Head - Line;
       Size += Line) {
    size_t Left = KMALLOC_SLAB_SIZE - Head - KMALLOC_SLAB_SIZE / Line;
    while (Left >= Size + sizeof(void *))
      Left -= Size + sizeof(void *);
    ASSERT_EQ(Wasteful(Size), Left > KMALLOC_SLAB_SIZE / 8) << Size;
  }
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
