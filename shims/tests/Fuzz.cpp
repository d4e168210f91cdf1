// SPDX-License-Identifier: BSD-3-Clause
//
// Sequences of allocator calls against a reference model, for libFuzzer.
//
// Each byte pair of the input is an operation and its argument: allocate and
// free objects of three types, take free memory away, make the k-th page
// allocation fail, run the poller or the maintainer, change the limit, reclaim,
// destroy a type and make it anew.
//
//	zone	a reserve and address space for a number of objects
//	grows	a reserve, address space as needed
//	cache	constructed, with a destructor and a limit; its constructor
//		takes two objects of `grows', and fails if it gets only one
//
// What the model knows: which objects are out, and what was in an object when
// it was freed.  An object must not be out twice nor overlap another; it is
// either zero or as it was left; it is refused only for a reason; every page is
// somewhere; and when all is destroyed everything is back.

#include "fake_kernel.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>
}

#include <cstring>
#include <vector>

namespace {

struct thread MainThread = {"main"}, PageThread = {"pageout"};
long AllPages;

#define REQUIRE(Cond)                                                          \
  do {                                                                         \
    if (!(Cond))                                                               \
      panic("%s:%d: %s", __func__, __LINE__, #Cond);                           \
  } while (0)

struct Type {
  struct malloc_type *Malloc = nullptr;
  size_t Size = 0;
  std::vector<char *> Out;
};

Type Zone, Grows, Cache;
const Type *Owner[FAKE_KVA_SIZE / __VM_CACHELINE_SIZE]; // of a line that is out
long Constructed;
int FailCtor;
long Limit;
constexpr size_t ZoneObjects = 500;
constexpr long CacheLimit = 20, CacheKept = 4 * 6; // what its magazines hold

unsigned char tag(const Type &T, const char *Obj) {
  return 1 + (reinterpret_cast<uintptr_t>(Obj) / 64 + T.Size) % 255;
}

// By words: Size is a multiple of them.  Whoever asks writes to all of it next,
// and that is checked byte by byte.
__attribute__((no_sanitize("address", "undefined", "coverage"))) bool
isFilled(const char *Obj, size_t Size, unsigned char With) {
  const uint64_t Word = With * 0x0101010101010101ULL;
  const uint64_t *Words = reinterpret_cast<const uint64_t *>(Obj);
  uint64_t Differ = 0;
  for (size_t I = 0; I < Size / sizeof(Word); ++I)
    Differ |= Words[I] ^ Word;
  return Differ == 0;
}

size_t lineOf(const char *Obj) {
  REQUIRE(Obj >= fake_kva && Obj < fake_kva + FAKE_KVA_SIZE);
  return (Obj - fake_kva) / __VM_CACHELINE_SIZE;
}

// An object was handed out: it must not overlap any that is out already.
void taken(const Type &T, const char *Obj) {
  REQUIRE(reinterpret_cast<uintptr_t>(Obj) % KMALLOC_OBJ_ALIGN(T.Size) == 0);
  const size_t Last = lineOf(Obj + T.Size - 1);
  for (size_t Line = lineOf(Obj); Line <= Last; ++Line) {
    REQUIRE(Owner[Line] == nullptr);
    Owner[Line] = &T;
  }
}

void givenBack(const Type &T, const char *Obj) {
  const size_t Last = lineOf(Obj + T.Size - 1);
  for (size_t Line = lineOf(Obj); Line <= Last; ++Line) {
    REQUIRE(Owner[Line] == &T);
    Owner[Line] = nullptr;
  }
}

bool plentiful() { return fake_free_pages > FAKE_MIN + 200 && !fake_fail_page; }

int flagsOf(unsigned Arg) {
  switch (Arg & 3) {
  case 0:
    return plentiful() ? M_WAITOK : M_NOWAIT;
  case 1:
    return M_NOWAIT;
  default:
    return M_INTNOWAIT;
  }
}

// The reasons for NULL: no page that this caller may have, no address, or a zone
// that has all of its objects out.
void mayRefuse(const Type &T, int Flags, bool Injected) {
  const struct kmalloc_ext *Ext = kmalloc_ext(T.Malloc);
  REQUIRE((Flags & M_WAITOK) == 0);
  const bool Last = Flags == M_INTNOWAIT || curthread == pagethread;
  if (&T == &Zone && T.Out.size() >= ZoneObjects)
    return;
  if (Injected || Ext->nfreeslots <= kmalloc_slot_floor(Ext, Last))
    return;
  const bool Deep = &T == &Zone || curthread == pagethread;
  REQUIRE(fake_free_pages < (Deep ? 1 : FAKE_RESERVED));
  REQUIRE(Ext->nready == 0 || (!Last && Ext->nready == 1));
}

char *get(const Type &T, int Flags) {
  const bool Armed = fake_fail_page != 0;
  char *Obj =
      static_cast<char *>(_kmalloc_obj(T.Malloc->ks_objsize, T.Malloc, Flags));
  if (Obj == nullptr) {
    mayRefuse(T, Flags, Armed && fake_fail_page == 0);
    return nullptr;
  }
  taken(T, Obj);
  REQUIRE(isFilled(Obj, T.Size, Obj[0] == 0 ? 0 : tag(T, Obj)));
  memset(Obj, 0xee, T.Size);
  return Obj;
}

void put(const Type &T, char *Obj) {
  givenBack(T, Obj);
  memset(Obj, tag(T, Obj), T.Size);
  _kfree_obj(Obj, T.Malloc);
}

struct Composed {
  char *Part[2];
  long Magic;
};

bool ctor(void *Obj, void *Priv, int Flags) {
  Composed *C = static_cast<Composed *>(Obj);
  REQUIRE(Priv == &Cache);
  REQUIRE(isFilled(static_cast<char *>(Obj), Cache.Size, 0));
  if (FailCtor == 1 || (C->Part[0] = get(Grows, Flags)) == nullptr) {
    return false;
  }
  if (FailCtor == 2 || (C->Part[1] = get(Grows, Flags)) == nullptr) {
    put(Grows, C->Part[0]);
    return false;
  }
  C->Magic = 4711;
  ++Constructed;
  return true;
}

void dtor(void *Obj, void *Priv) {
  Composed *C = static_cast<Composed *>(Obj);
  REQUIRE(Priv == &Cache && C->Magic == 4711);
  put(Grows, C->Part[0]);
  put(Grows, C->Part[1]);
  --Constructed;
}

char *getCache(int Flags) {
  const bool Full = Limit != 0 && Constructed == long(Cache.Out.size()) &&
                    Constructed >= Limit + kmalloc_ext(Cache.Malloc)->slack;
  if (Full)
    Flags = M_NOWAIT;
  const long Before = Constructed;
  char *Obj = static_cast<char *>(_kmalloc_cobj(Cache.Malloc, Flags));
  if (Obj == nullptr) {
    REQUIRE(Constructed == Before);
    return nullptr;
  }
  REQUIRE(!Full);
  taken(Cache, Obj);
  REQUIRE(reinterpret_cast<Composed *>(Obj)->Magic == 4711);
  return Obj;
}

void create(Type &T, const char *Name, size_t Size) {
  T.Size = Size;
  T.Malloc = nullptr;
  _kmalloc_create_obj(&T.Malloc, Name, Size);
  REQUIRE(T.Out.empty());
  fake_fail_page = 0;
  if (&T == &Zone)
    _kmalloc_obj_reserve(T.Malloc, 2, ZoneObjects);
  if (&T == &Grows)
    _kmalloc_obj_reserve(T.Malloc, 1, 0);
  if (&T == &Cache) {
    Limit = CacheLimit;
    _kmalloc_obj_ctor(T.Malloc, ctor, dtor, &Cache, Limit, 0);
  }
}

void release(Type &T, size_t I, bool Destroy = false) {
  char *Obj = T.Out[I];
  T.Out[I] = T.Out.back();
  T.Out.pop_back();
  if (&T != &Cache) {
    put(T, Obj);
    return;
  }
  givenBack(T, Obj);
  if (Destroy)
    _kfree_cobj_dtor(Obj, T.Malloc);
  else
    _kfree_cobj(Obj, T.Malloc);
}

void destroy(Type &T) {
  while (!T.Out.empty())
    release(T, T.Out.size() - 1);
  if (&T == &Cache) {
    _kmalloc_obj_unctor(T.Malloc);
    REQUIRE(Constructed == 0);
  }
  struct kmalloc_ext *Ext = kmalloc_ext(T.Malloc);
  kmalloc_destroy(&T.Malloc);
  fake_maintain();
  REQUIRE(Ext->type == nullptr && Ext->nslots == 0);
}

void check(const Type &T) {
  const struct kmalloc_ext *Ext = kmalloc_ext(T.Malloc);
  long InUse = T.Malloc->ks_use->inuse;
  REQUIRE(Ext->nready >= 0 && Ext->minis >= 0);
  REQUIRE(Ext->nfreeslots >= 0 && Ext->nfreeslots <= Ext->nslots);
  REQUIRE(Ext->minis + Ext->nready <= Ext->nslots - Ext->nfreeslots);
  if (&T == &Zone)
    REQUIRE(InUse == long(T.Out.size()));
  if (&T == &Grows)
    REQUIRE(InUse == long(T.Out.size()) + 2 * Constructed);
  if (&T == &Cache)
    REQUIRE(InUse == long(T.Out.size()));
  if (&T == &Cache)
    REQUIRE(Ext->constructed == Constructed &&
            kmalloc_cobj_out(Ext) == long(T.Out.size()) &&
            kmalloc_cobj_idle(Ext) == Constructed - long(T.Out.size()) &&
            kmalloc_cobj_idle(Ext) <= CacheKept);
}

Type &typeOf(unsigned Arg) {
  return Arg % 3 == 0 ? Zone : Arg % 3 == 1 ? Grows : Cache;
}

void operate(unsigned Op, unsigned Arg) {
  Type &T = typeOf(Op >> 4);
  switch (Op & 15) {
  case 0:
  case 1:
  case 2:
  case 3: // allocate a few
    for (unsigned I = 0; I <= Arg >> 3; ++I) {
      const int Flags = flagsOf(Arg);
      char *Obj = &T == &Cache ? getCache(Flags) : get(T, Flags);
      if (Obj == nullptr)
        break;
      T.Out.push_back(Obj);
    }
    break;
  case 4:
  case 5: // free some of them
    for (unsigned I = 0; I <= Arg && !T.Out.empty(); ++I)
      release(T, (I * 7 + Arg) % T.Out.size(), (Arg & 3) == 3);
    break;
  case 6:
    if (Arg >= 240 || Arg > fake_free_pages)
      fake_leave_free(-1);
    if (Arg < 240)
      fake_leave_free(lmin(Arg, fake_free_pages));
    break;
  case 7:
    fake_fail_page = Arg;
    break;
  case 8:
    malloc_mgt_poll(T.Malloc);
    pseudo_ticks += Arg & 7;
    break;
  case 9:
    fake_maintain();
    pseudo_ticks += Arg & 7;
    break;
  case 10:
    Limit = Arg & 127;
    _kmalloc_obj_set_limit(Cache.Malloc, Limit);
    break;
  case 11: {
    struct malloc_type *List[] = {Zone.Malloc, Cache.Malloc};
    const long Before = Constructed;
    REQUIRE(kmalloc_obj_reclaimlist(List, 2) == (Constructed < Before));
    break;
  }
  case 12:
    FailCtor = Arg % 3;
    break;
  case 13:
    pagethread = Arg & 1 ? &MainThread : &PageThread;
    break;
  case 14: // as the maintainer does when paging is needed
    if (&T != &Cache)
      kmalloc_mags_drain(kmalloc_ext(T.Malloc));
    break;
  default:
    if (Arg != 0)
      break;
    fake_leave_free(-1);
    if (&T == &Grows)
      break; // the cache has some
    destroy(T);
    create(T, T.Size == 192 ? "zone" : "cache", T.Size);
    break;
  }
}

} // namespace

// longjmp() makes AddressSanitizer look through all its fake stack frames.
extern "C" const char *__asan_default_options() {
  return "detect_stack_use_after_return=0";
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  fake_thread_enter(&MainThread);
  fake_boot();
  AllPages = fake_free_pages;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *Data, size_t Size) {
  pagethread = &PageThread;
  create(Zone, "zone", 192);
  create(Grows, "grows", 640);
  create(Cache, "cache", 960);
  for (size_t I = 0; I + 1 < Size; I += 2) {
    operate(Data[I], Data[I + 1]);
    check(Zone);
    check(Grows);
    check(Cache);
  }
  fake_fail_page = 0;
  FailCtor = 0;
  pagethread = &PageThread;
  fake_leave_free(-1);
  destroy(Cache);
  destroy(Zone);
  destroy(Grows);
  REQUIRE(fake_free_pages == AllPages);
  fake_kva_reset();
  return 0;
}
