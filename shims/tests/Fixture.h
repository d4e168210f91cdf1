// SPDX-License-Identifier: BSD-3-Clause
//
// What the unit tests share: the fake kernel put right after each test, and
// objects by the type.

#ifndef FIXTURE_H
#define FIXTURE_H

#include "fake_kernel.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_obj.h>
}

#include <gtest/gtest.h>
#include <vector>

inline struct thread MainThread = {"main"};

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
    MainThread = {"main"};
  }
};

inline void *get(struct malloc_type *Type, int Flags) {
#ifdef SLAB_DEBUG
  return _kmalloc_obj_debug(Type->ks_objsize, Type, Flags, __FILE__, __LINE__);
#else
  return _kmalloc_obj(Type->ks_objsize, Type, Flags);
#endif
}

// Allocate until NULL.
inline std::vector<void *> exhaust(struct malloc_type *Type, int Flags) {
  std::vector<void *> Objs;
  while (void *Obj = get(Type, Flags))
    Objs.push_back(Obj);
  return Objs;
}

#endif
