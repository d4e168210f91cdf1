// SPDX-License-Identifier: BSD-3-Clause
//
// What the unit tests share: the fake kernel put right after each test, and
// objects by the type.

#ifndef FIXTURE_H
#define FIXTURE_H

#include "fake_kernel.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>
}

#include <gtest/gtest.h>
#include <vector>

inline struct thread MainThread = {"main"};

// Every slab that a control block counts is in the list that it is counted for.
inline void expectSound(const struct kmalloc_ext *Ext) {
  auto Length = [](const struct kmalloc_slab *Slab) {
    long N = 0;
    for (; Slab != nullptr; Slab = Slab->next)
      ++N;
    return N;
  };
  for (const struct kmalloc_slabs *Of : {&Ext->whole, &Ext->mini}) {
    long Idle = 0;
    for (const struct kmalloc_slab *S = Of->partial; S != nullptr; S = S->next)
      Idle += kmalloc_slab_all_free(S);
    EXPECT_EQ(Of->idle, Idle);
    EXPECT_EQ(Of->nfull, Length(Of->full));
  }
  EXPECT_EQ(Ext->nready, Length(Ext->ready) + Length(Ext->bootready));
}

// Every test has a type of its own, the last state of memory is put right.
class KmallocObj : public ::testing::Test {
protected:
  void SetUp() override { fake_leave_free(-1); }
  void TearDown() override {
    fake_kmem_forbidden = false;
    fake_kmem_reenter = nullptr;
    fake_nofault_hook = nullptr;
    fake_nofault_most = FAKE_KVA_SIZE;
    *fake_sysctl_int_kmalloc_mini = 1;
    pagethread = emergpager = nullptr;
    vm_pages_needed = 0;
    MainThread = {"main"};
    fake_kmalloc_hook = nullptr;
    for (struct kmalloc_ext *Ext = kmalloc_ext_next(nullptr); Ext != nullptr;
         Ext = kmalloc_ext_next(Ext))
      expectSound(Ext);
  }
};

inline void *get(struct malloc_type *Type, int Flags) {
#ifdef SLAB_DEBUG
  return _kmalloc_obj_debug(Type->ks_objsize, Type, Flags, __FILE__, __LINE__);
#else
  return _kmalloc_obj(Type->ks_objsize, Type, Flags);
#endif
}

// Objects that a whole slab of the type has.
inline size_t perSlab(const struct malloc_type *Type) {
  size_t Offset;
  return kmalloc_slab_layout(Type, KMALLOC_SLAB_SIZE, &Offset);
}

// So many rounds of the maintainer, after each of which no reader is left.
inline void rounds(int Count) {
  for (int I = 0; I < Count; ++I) {
    fake_maintain();
    pseudo_ticks += 4;
  }
}

// What the allocator's own types have left in the cpu's cache of free slabs.
inline void dropFreeSlabs() {
  KMGlobalData *Cache = &mycpu->gd_kmslab;
  for (struct kmalloc_slab **List :
       {&Cache->free_slabs, &Cache->remote_free_slabs})
    while (struct kmalloc_slab *Slab = *List) {
      *List = Slab->next;
      --Cache->free_count;
      kmem_slab_free(Slab, KMALLOC_SLAB_SIZE);
    }
}

inline std::vector<void *> getMany(struct malloc_type *Type, size_t Count,
                                   int Flags) {
  std::vector<void *> Objs;
  while (Objs.size() < Count)
    Objs.push_back(get(Type, Flags));
  return Objs;
}

inline void putAll(struct malloc_type *Type, const std::vector<void *> &Objs) {
  for (void *Obj : Objs)
    _kfree_obj(Obj, Type);
}

// Allocate until NULL.
inline std::vector<void *> exhaust(struct malloc_type *Type, int Flags) {
  std::vector<void *> Objs;
  while (void *Obj = get(Type, Flags))
    Objs.push_back(Obj);
  return Objs;
}

#endif
