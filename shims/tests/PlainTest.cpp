// SPDX-License-Identifier: BSD-3-Clause
//
// A type that asks for nothing, on the allocator with the hooks and on the same
// file without them: for every combination of flags they ask the VM for the
// same, count the same and leave the same slabs.

#include "Fixture.h"

#include <algorithm>

extern "C" {
void *plain__kmalloc_obj(unsigned long, struct malloc_type *, int);
void plain__kfree_obj(void *, struct malloc_type *);
void plain_malloc_mgt_init(struct malloc_type *, struct kmalloc_mgt *, size_t);
int plain_malloc_mgt_poll(struct malloc_type *);
void plain_malloc_mgt_uninit(struct malloc_type *, struct kmalloc_mgt *);
}

namespace {

struct Functions {
  void (*Init)(struct malloc_type *, struct kmalloc_mgt *, size_t);
  void *(*Get)(unsigned long, struct malloc_type *, int);
  void (*Put)(void *, struct malloc_type *);
  int (*Poll)(struct malloc_type *);
  void (*Uninit)(struct malloc_type *, struct kmalloc_mgt *);
};

// What the VM and the type's user see.
std::vector<long> run(const Functions &F, int Flags, size_t Size) {
  struct malloc_type Type = {};
  Type.ks_magic = M_MAGIC;
  Type.ks_shortdesc = "plain";
  Type.ks_flags = KSF_OBJSIZE;
  Type.ks_objsize = __VM_CACHELINE_ALIGN(Size);
  Type.ks_use = &Type.ks_use0;
  Type.ks_limit = size_t(1) << 40;
  F.Init(&Type, &Type.ks_mgt, Type.ks_objsize);
  F.Init(&Type, &Type.ks_use0.mgt, Type.ks_objsize);

  const long Free = fake_free_pages;
  std::vector<long> Seen;
  std::vector<void *> Objs;
  auto Note = [&] {
    Seen.insert(Seen.end(), {fake_kmem_slab_allocs, fake_kmem_flags,
                             fake_requests, Free - fake_free_pages,
                             long(Type.ks_use0.inuse),
                             long(mycpu->gd_kmslab.free_count)});
  };
  fake_kmem_slab_allocs = 0;
  fake_kmem_flags = fake_requests = 0;
  const size_t Objects = 7 * Type.ks_mgt.slab_count + 1;
  for (size_t I = 0; I < Objects; ++I) {
    void *Obj = F.Get(Type.ks_objsize, &Type, Flags);
    if (I % Type.ks_mgt.slab_count == 0) {
      Note();
      const auto *Slab = reinterpret_cast<struct kmalloc_slab *>(
          reinterpret_cast<uintptr_t>(Obj) & ~KMALLOC_SLAB_MASK);
      Seen.insert(Seen.end(), {long(Slab->offset), long(Slab->ncount),
                               long(Slab->objsize), Slab->origin == nullptr});
    }
    Objs.push_back(Obj);
  }
  for (void *Obj : Objs)
    F.Put(Obj, &Type);
  for (int I = 0; I < 20; ++I) {
    Seen.push_back(F.Poll(&Type));
    pseudo_ticks += 4;
    Note();
  }
  Seen.push_back(Type.ks_mgt.nfull);
  F.Uninit(&Type, &Type.ks_use0.mgt);
  F.Uninit(&Type, &Type.ks_mgt);
  Note();
  dropFreeSlabs();
  EXPECT_EQ(fake_free_pages, Free);
  return Seen;
}

class Plain : public KmallocObj {};

TEST_F(Plain, everyCombinationOfFlagsAsksForTheSame) {
  const Functions Hooked = {malloc_mgt_init, _kmalloc_obj, _kfree_obj,
                            malloc_mgt_poll, malloc_mgt_uninit};
  const Functions Unhooked = {plain_malloc_mgt_init, plain__kmalloc_obj,
                              plain__kfree_obj, plain_malloc_mgt_poll,
                              plain_malloc_mgt_uninit};
  const int Bits[] = {M_RNOWAIT,     M_WAITOK,
                      M_NULLOK,      M_USE_RESERVE,
                      M_USE_INTERRUPT_RESERVE, M_ZERO};
  for (unsigned Mask = 0; Mask < 1u << std::size(Bits); ++Mask) {
    int Flags = 0;
    for (size_t I = 0; I < std::size(Bits); ++I)
      if (Mask >> I & 1)
        Flags |= Bits[I];
    const std::vector<long> Want = run(Unhooked, Flags, 2000);
    EXPECT_EQ(run(Hooked, Flags, 2000), Want) << "with flags " << Flags;
    EXPECT_EQ(fake_kmem_flags, M_WAITOK);
  }
}

} // namespace
