// SPDX-License-Identifier: BSD-3-Clause
//
// threads ROUNDS [SPINLOCK]
//
// Five processors allocate and free objects of four types, their own and each
// other's, ROUNDS times each; the maintainer and the poller work on processors
// of their own, and a last one makes memory scarce and plentiful, and a type
// that comes and goes.  Built with ThreadSanitizer.  Spinlocks of the
// description SPINLOCK do nothing, which must be noticed.
//
//	zone	a reserve, and address space for a number of objects
//	grows	a reserve, address space as needed
//	limited	constructed, with a destructor and a limit to sleep at
//	idle	constructed, with a destructor
//
// While an object is out nobody else writes to it; a fresh one is zero and a
// used one as it was left; of a type with a limit there are never more than
// that and what magazines add to it; whoever sleeps at a limit wakes up; in the
// end nothing is out, and every slab is somewhere.

#include "fake_kernel.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>
}

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr int Workers = 5;
constexpr size_t Words = 24; // of an object, that the test looks at
constexpr size_t Held = 300; // objects of a type a worker may hold
constexpr long Limit = Held / 10;

#define REQUIRE(Cond)                                                          \
  do {                                                                         \
    if (!(Cond))                                                               \
      panic("%s:%d: %s", __func__, __LINE__, #Cond);                           \
  } while (0)

MALLOC_DEFINE_OBJ(M_ZONE, Words * 8, "zone", "");
MALLOC_DEFINE_OBJ(M_GROWS, 640, "grows", "");
MALLOC_DEFINE_OBJ(M_LIMITED, Words * 8, "limited", "");
MALLOC_DEFINE_OBJ(M_IDLE, Words * 8, "idle", "");
MALLOC_DEFINE_OBJ(M_SHORT, Words * 8, "short", "");

// Freed to it is what lies in no slab.
MALLOC_DEFINE_OBJ(M_BOOTED, Words * 8, "booted", "");
KMALLOC_OBJ_BOOTSLABS(M_BOOTED, Words * 8, 1);
alignas(KMALLOC_SLAB_SIZE) char Foreign[KMALLOC_SLAB_SIZE];
constexpr long ForeignEvery = 16; // rounds

enum { Zone, Grows, Limited, Idle, Kinds };

std::atomic<int> Running{Workers};
struct Cache {
  const long Limit; // 0: none
  std::atomic<long> Constructed{0};
} LimitedCache{Limit}, IdleCache{0};

// Objects on their way from one processor to another.
std::mutex MailLock;
std::vector<uint64_t *> Mail[Kinds];

void fill(uint64_t *Obj, uint64_t With) {
  for (size_t I = 0; I < Words; ++I)
    Obj[I] = With;
}

bool isFilled(const uint64_t *Obj, uint64_t With) {
  for (size_t I = 0; I < Words; ++I)
    if (Obj[I] != With)
      return false;
  return true;
}

uint64_t tag(const void *Obj) { return reinterpret_cast<uintptr_t>(Obj) | 1; }

bool ctor(void *Obj, void *Priv, int) {
  auto *C = static_cast<Cache *>(Priv);
  REQUIRE(isFilled(static_cast<uint64_t *>(Obj), 0));
  fill(static_cast<uint64_t *>(Obj), tag(Obj));
  const long Now = ++C->Constructed;
  // A destroyed object no longer counts when its destructor begins.
  REQUIRE(C->Limit == 0 ||
          Now <= C->Limit + kmalloc_ext(M_LIMITED_obj)->slack + Workers);
  return true;
}

void dtor(void *Obj, void *Priv) {
  REQUIRE(isFilled(static_cast<uint64_t *>(Obj), tag(Obj)));
  --static_cast<Cache *>(Priv)->Constructed;
}

struct malloc_type *typeOf(int Kind) {
  struct malloc_type *const Types[Kinds] = {M_ZONE_obj, M_GROWS_obj,
                                            M_LIMITED_obj, M_IDLE_obj};
  return Types[Kind];
}

uint64_t *get(int Kind, int Flags) {
  struct malloc_type *Type = typeOf(Kind);
  if (Kind >= Limited) {
    auto *Obj = static_cast<uint64_t *>(_kmalloc_cobj(Type, Flags));
    REQUIRE(Obj == nullptr || isFilled(Obj, tag(Obj)));
    return Obj;
  }
  auto *Obj =
      static_cast<uint64_t *>(_kmalloc_obj(Type->ks_objsize, Type, Flags));
  if (Obj != nullptr) {
    REQUIRE(isFilled(Obj, 0) || isFilled(Obj, tag(Obj)));
    fill(Obj, ~tag(Obj));
  }
  return Obj;
}

void put(int Kind, uint64_t *Obj) {
  if (Kind >= Limited) {
    REQUIRE(isFilled(Obj, tag(Obj)));
    _kfree_cobj(Obj, typeOf(Kind));
    return;
  }
  REQUIRE(isFilled(Obj, ~tag(Obj)));
  fill(Obj, tag(Obj));
  _kfree_obj(Obj, typeOf(Kind));
}

void exchange(int Kind, std::vector<uint64_t *> &Objs) {
  std::lock_guard<std::mutex> Guard(MailLock);
  Objs.swap(Mail[Kind]);
}

u_long counted(struct malloc_type *Type, u_long kmalloc_ext::*Count) {
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  spin_lock(&Ext->spin);
  const u_long N = Ext->*Count;
  spin_unlock(&Ext->spin);
  return N;
}

// One takes all there are of the limited type and holds them until somebody else
// sleeps for one: later on it is up to chance whether anybody does.
void meetAtTheLimit(int Cpu) {
  static std::atomic<bool> AllOut{false};
  std::vector<uint64_t *> Objs;
  if (Cpu == 0) {
    while (uint64_t *Obj = get(Limited, M_WAITOK | M_NULLOK))
      Objs.push_back(Obj);
    AllOut = true;
    while (counted(M_LIMITED_obj, &kmalloc_ext::limit_sleeps) == 0)
      std::this_thread::yield();
  } else {
    while (!AllOut)
      std::this_thread::yield();
    Objs.push_back(get(Limited, M_WAITOK));
  }
  for (uint64_t *Obj : Objs)
    put(Limited, Obj);
}

bool slabOfOnePageMade() {
  return counted(M_ZONE_obj, &kmalloc_ext::minis_made) != 0;
}

// While hardly a page is free some take objects until a slab was made of one
// page, and the others wait for memory: later on that is up to chance, too.
void meetAtTheLastPage(int Cpu) {
  const int Kind = Cpu % 2 == 0 ? Zone : Grows;
  std::vector<uint64_t *> Objs;
  while (!slabOfOnePageMade()) {
    if (uint64_t *Obj = get(Kind, Kind == Zone ? M_INTNOWAIT : M_WAITOK))
      Objs.push_back(Obj);
    else
      std::this_thread::yield();
  }
  for (uint64_t *Obj : Objs)
    put(Kind, Obj);
}

// Who holds objects of the limited type does not sleep for more: at the limit
// he would wait for himself.
void work(int Cpu, long Rounds) {
  struct thread Td = {"worker"};
  fake_thread_enter(&Td);
  std::mt19937 Random(Cpu);
  std::vector<uint64_t *> Objs[Kinds];
  meetAtTheLastPage(Cpu);
  meetAtTheLimit(Cpu);
  for (long Round = 0; Round < Rounds; ++Round) {
    const int Kind = Random() % Kinds;
    std::vector<uint64_t *> &Own = Objs[Kind];
    const size_t Want = Random() % Held;
    const bool Waits = Kind == Limited || Random() % 4 == 0;
    while (Own.size() < Want) {
      uint64_t *Obj =
          get(Kind, Waits && (Kind != Limited || Own.empty()) ? M_WAITOK
                                                              : M_INTNOWAIT);
      if (Obj == nullptr)
        break;
      Own.push_back(Obj);
    }
    if (Round % ForeignEvery == 0)
      _kfree_obj(Foreign + KMALLOC_SLAB_SIZE / 2, M_BOOTED_obj);
    if (Kind == Limited)
      std::this_thread::yield();
    else if (Random() % 8 == 0)
      exchange(Kind, Own);
    while (Own.size() > (Kind == Limited ? 0 : Want / 2)) {
      put(Kind, Own.back());
      Own.pop_back();
    }
  }
  for (int Kind = 0; Kind < Kinds; ++Kind)
    for (uint64_t *Obj : Objs[Kind])
      put(Kind, Obj);
  --Running;
}

void poll() {
  struct thread Td = {"poller"};
  fake_thread_enter(&Td);
  while (Running != 0) {
    malloc_mgt_poll(M_ZONE_obj);
    malloc_mgt_poll(M_GROWS_obj);
    malloc_mgt_poll(M_LIMITED_obj);
    malloc_mgt_poll(M_IDLE_obj);
    fake_tick();
    vm_wait(1);
  }
}

struct Slabs {
  long Slots = 0, Free = 0;
  explicit Slabs(const struct kmalloc_ext *Ext) {
    for (const struct kmalloc_slabs *Of : {&Ext->whole, &Ext->mini})
      for (const struct kmalloc_slab *List : {Of->partial, Of->full})
        for (; List != nullptr; List = List->next) {
          Slots += List->origin != nullptr;
          Free += List->findex;
        }
  }
};

// Every processor's magazines, as if it were there.
void drain(struct kmalloc_ext *Ext) {
  for (int N = 0; N < ncpus; ++N) {
    lwkt_setcpu_self(globaldata_find(N));
    kmalloc_mags_drain(Ext);
  }
}

void checkNothingIsLost(struct malloc_type *Type) {
  struct kmalloc_ext *Ext = kmalloc_ext(Type);
  lockmgr(&Ext->lock, LK_EXCLUSIVE);
  bool Magazines = false;
  long InUse = 0;
  for (int N = 0; N < ncpus; ++N) {
    InUse += Type->ks_use[N].inuse;
    Magazines |= kmalloc_use_mags(&Type->ks_use[N]) != nullptr;
  }
  REQUIRE(Ext->depot != nullptr || Magazines);
  if (Ext->depot == nullptr)
    drain(Ext);
  spin_lock(&Ext->spin);
  const Slabs Seen(Ext);
  REQUIRE(InUse == 0 && kmalloc_cobj_out(Ext) == 0);
  REQUIRE(Seen.Free + kmalloc_cobj_idle(Ext) == Ext->nobjs);
  if (Ext->depot == nullptr)
    REQUIRE(Ext->nslots - Ext->nfreeslots == Seen.Slots + Ext->nready);
  printf("%s: %ld slabs, %ld ready, %lu made of one page, %lu of them back, "
         "%lu refusals, %lu waits, %lu sleeps at the limit\n",
         Type->ks_shortdesc, Seen.Slots, Ext->nready, Ext->minis_made,
         Ext->minis_returned, Ext->refusals, Ext->blocking, Ext->limit_sleeps);
  spin_unlock(&Ext->spin);
  lockmgr(&Ext->lock, LK_RELEASE);
}

// The life of a type.  Nobody else uses it, but the maintainer and the grower
// look at its control block, which they bury and others use again.
void comeAndGo() {
  kmalloc_obj_reserve(M_SHORT, 1, 0);
  if (void *Obj = _kmalloc_obj(M_SHORT_obj->ks_objsize, M_SHORT_obj,
                               M_INTNOWAIT))
    _kfree_obj(Obj, M_SHORT_obj);
  kmalloc_obj_detach(M_SHORT_obj);
}

struct thread MainThread = {"main"};

} // namespace

int main(int Argc, char **Argv) {
  if (Argc < 2 || Argc > 3 || atol(Argv[1]) <= 0) {
    fprintf(stderr, "usage: threads ROUNDS [SPINLOCK]\n");
    return 2;
  }
  fake_boot();
  fake_thread_enter(&MainThread);
  kmalloc_obj_bootinit(M_BOOTED, M_BOOTED_bootslabs,
                       sizeof(M_BOOTED_bootslabs));
  malloc_init(M_BOOTED_obj);
  malloc_init(M_SHORT_obj);
  malloc_init(M_ZONE_obj);
  malloc_init(M_GROWS_obj);
  malloc_init(M_LIMITED_obj);
  malloc_init(M_IDLE_obj);
  kmalloc_obj_reserve(M_ZONE, 2, 20000);
  kmalloc_obj_reserve(M_GROWS, 1, 0);
  kmalloc_obj_ctor(M_LIMITED, ctor, dtor, &LimitedCache, Limit, 0);
  kmalloc_obj_ctor(M_IDLE, ctor, dtor, &IdleCache, 0, 0);
  if (Argc == 3)
    fake_without(Argv[2]);
  fake_start_maintainer();

  std::thread Poller(poll);
  std::vector<std::thread> Threads;
  for (int Cpu = 0; Cpu < Workers; ++Cpu)
    Threads.emplace_back(work, Cpu, atol(Argv[1]));
  while (!slabOfOnePageMade()) {
    fake_leave_free(4);
    vm_wait(1);
  }
  const long Levels[] = {-1, 0, 1, 64, 4, 400, 16};
  for (size_t I = 0; Running != 0; ++I) {
    fake_leave_free(Levels[I % 7]);
    comeAndGo();
    vm_wait(1);
  }
  fake_leave_free(-1);
  for (std::thread &T : Threads)
    T.join();
  Poller.join();
  for (int Kind = 0; Kind < Kinds; ++Kind) {
    for (uint64_t *Obj : Mail[Kind])
      put(Kind, Obj);
    checkNothingIsLost(typeOf(Kind));
  }
  REQUIRE(long(counted(M_BOOTED_obj, &kmalloc_ext::foreign)) ==
          Workers * howmany(atol(Argv[1]), ForeignEvery));
  REQUIRE(kmalloc_ext(M_ZONE_obj)->minis_made > 0);
  REQUIRE(kmalloc_ext(M_LIMITED_obj)->limit_sleeps > 0);
  REQUIRE(kmalloc_cobj_idle(kmalloc_ext(M_IDLE_obj)) > 0);
  kmalloc_obj_unctor(M_LIMITED);
  kmalloc_obj_unctor(M_IDLE);
  REQUIRE(LimitedCache.Constructed == 0 && IdleCache.Constructed == 0);
  fflush(stdout);
  _Exit(0); // the maintainer never ends
}
