// SPDX-License-Identifier: BSD-3-Clause
//
// early-threads ROUNDS
//
// Every processor gets and puts constructed objects, with a limit and without,
// before there is a maintainer thread to set anything up for it.  Built with
// ThreadSanitizer, as Threads.cpp is.

#include "fake_kernel.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>
}

#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

MALLOC_DEFINE_OBJ(M_FREE, 64, "free", "");
MALLOC_DEFINE_OBJ(M_LIMITED, 64, "limited", "");

std::atomic<long> Exist;

// What is in an object is its holder's: a race shows who got it twice.
bool ctor(void *Obj, void *, int) {
  *static_cast<long *>(Obj) = 1;
  ++Exist;
  return true;
}

void dtor(void *Obj, void *) {
  *static_cast<long *>(Obj) = 0;
  --Exist;
}

void work(struct malloc_type *Type, long Rounds) {
  struct thread Td = {"worker"};
  fake_thread_enter(&Td);
  for (long Round = 0; Round < Rounds; ++Round) {
    long *Objs[3];
    for (long *&Obj : Objs) {
      Obj = static_cast<long *>(_kmalloc_cobj(Type, M_NOWAIT));
      if (Obj != nullptr)
        ++*Obj;
    }
    for (long *Obj : Objs)
      if (Obj != nullptr)
        _kfree_cobj(Obj, Type);
  }
}

struct thread MainThread = {"main"};

} // namespace

int main(int Argc, char **Argv) {
  if (Argc != 2 || atol(Argv[1]) <= 0) {
    fprintf(stderr, "usage: early-threads ROUNDS\n");
    return 2;
  }
  fake_boot();
  fake_thread_enter(&MainThread);
  malloc_init(M_FREE_obj);
  malloc_init(M_LIMITED_obj);
  kmalloc_obj_ctor(M_FREE, ctor, dtor, nullptr, 0, 0);
  kmalloc_obj_ctor(M_LIMITED, ctor, dtor, nullptr, 6, 0);
  std::vector<std::thread> Threads;
  for (int I = 0; I < 6; ++I)
    Threads.emplace_back(work, I % 2 ? M_FREE_obj : M_LIMITED_obj,
                         atol(Argv[1]));
  for (std::thread &T : Threads)
    T.join();
  kmalloc_obj_unctor(M_FREE);
  kmalloc_obj_unctor(M_LIMITED);
  if (Exist != 0)
    panic("%ld objects are lost", Exist.load());
}
