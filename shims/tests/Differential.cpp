// SPDX-License-Identifier: BSD-3-Clause
//
// differential SEED PROGRAMS [KIND]
//
// Random programs over a zone or a cache, run on the allocator that it has in the
// reference kernel and on what it is converted to.  The converted one must not
// wait, nor go without, nor take a page, where the old one did none of these.
//
// A program gets and puts objects, sets how much memory is free, and lets the
// maintainer work.  The fake kernel records the least number of free pages that
// each get left.  Old and new hold different stocks at the same place of a
// program, as slabs are not cut like the pages of a zone.  So what the new one
// does is held against what the old one does there, and against what the old one
// does with exactly as many pages free and no object in stock: it is wrong if it
// differs from both for the worse.
//
// KIND is one of those below, all are tried else.  Kinds that begin with `wrong'
// are conversions as they must not be, for the tests of this test.  A program that
// shows a difference is shortened while it does so, and printed.

#include "fake_kernel.h"
#include "KernelThread.h"

extern "C" {
#include <sys/globaldata.h>
#include <sys/kmalloc_ext.h>
#include <sys/objcache.h>
#include <vm/vm_zone.h>
}

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <tuple>
#include <unistd.h>
#include <vector>

namespace {

constexpr size_t Size = 512;
constexpr long Entries = 3000; // of the interrupt zone
constexpr long Limit = 40;     // of the cache with one

struct thread MainThread = {"main"}, PageThread = {"pageout"};

// An allocator, old or new.
class Allocator {
public:
  virtual ~Allocator() = default;
  virtual void *get(int Flags) = 0;
  virtual void put(void *Obj) = 0;
};

class Zone : public Allocator {
public:
  explicit Zone(uint32_t Flags) {
    static char Name[] = "old";
    if (!zinitna(&Z, Name, Size, Flags & ZONE_INTERRUPT ? Entries : 0, Flags))
      panic("zinitna failed");
  }
  void *get(int) override { return zalloc(&Z); }
  void put(void *Obj) override { zfree(&Z, Obj); }

private:
  struct vm_zone Z = {};
};

// kmalloc() of so many bytes: pieces of slabs as kmem_slab_alloc() gives them.
struct Malloc {
  char *Slab = nullptr;
  size_t Used = 0;
  std::vector<void *> Free;

  static void *alloc(void *Args, int Flags) {
    auto *M = static_cast<Malloc *>(Args);
    void *Obj;
    if (!M->Free.empty()) {
      Obj = M->Free.back();
      M->Free.pop_back();
      return Obj;
    }
    if (M->Slab == nullptr || M->Used + Size > KMALLOC_SLAB_SIZE) {
      M->Slab = static_cast<char *>(kmem_slab_alloc(
          KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE, Flags & OC_MFLAGS));
      M->Used = 0;
      if (M->Slab == nullptr)
        return nullptr;
    }
    Obj = M->Slab + M->Used;
    M->Used += Size;
    return Obj;
  }
  static void free(void *Obj, void *Args) {
    static_cast<Malloc *>(Args)->Free.push_back(Obj);
  }
};

class Cache : public Allocator {
public:
  explicit Cache(long Max)
      : C(objcache_create("old", Max, 0, nullptr, nullptr, nullptr,
                          Malloc::alloc, Malloc::free, &M)) {}
  void *get(int Flags) override { return objcache_get(C, Flags); }
  void put(void *Obj) override { objcache_put(C, Obj); }

private:
  Malloc M;
  struct objcache *C;
};

class Type : public Allocator {
public:
  // FixedFlags: as the plan says of a zone; 0: the caller's.
  Type(int FixedFlags, long Slabs, size_t Objects) : FixedFlags(FixedFlags) {
    _kmalloc_create_obj(&T, "new", Size);
    kmalloc_raise_limit(T, size_t(512) << 20);
    _kmalloc_obj_reserve(T, Slabs, Objects);
  }
  void *get(int Flags) override {
    return _kmalloc_obj(T->ks_objsize, T, FixedFlags ? FixedFlags : Flags);
  }
  void put(void *Obj) override { _kfree_obj(Obj, T); }

private:
  const int FixedFlags;
  struct malloc_type *T = nullptr;
};

class Constructed : public Allocator {
public:
  explicit Constructed(long Max) {
    _kmalloc_create_obj(&T, "new", Size);
    kmalloc_raise_limit(T, size_t(512) << 20);
    _kmalloc_obj_ctor(T, nullptr, nullptr, nullptr, Max, 0);
  }
  void *get(int Flags) override { return _kmalloc_cobj(T, Flags); }
  void put(void *Obj) override { _kfree_cobj(Obj, T); }

private:
  struct malloc_type *T = nullptr;
};

// What a zone or cache becomes; see flagsFor() and MIGRATION.md.
const struct Kind {
  const char *Name;
  Allocator *(*Old)();
  Allocator *(*New)();
  bool TakesFlags;
  long Limit;
} Kinds[] = {
    {"zone", [] { return static_cast<Allocator *>(new Zone(0)); },
     [] { return static_cast<Allocator *>(new Type(M_WAITOK, 0, 0)); }, false,
     0},
    {"special", [] { return static_cast<Allocator *>(new Zone(ZONE_SPECIAL)); },
     [] { return static_cast<Allocator *>(new Type(M_WAITOK, 3, 0)); }, false,
     0},
    {"interrupt",
     [] { return static_cast<Allocator *>(new Zone(ZONE_INTERRUPT)); },
     [] { return static_cast<Allocator *>(new Type(M_INTNOWAIT, 3, Entries)); },
     false, Entries},
    {"cache", [] { return static_cast<Allocator *>(new Cache(0)); },
     [] { return static_cast<Allocator *>(new Constructed(0)); }, true, 0},
    {"limited", [] { return static_cast<Allocator *>(new Cache(Limit)); },
     [] { return static_cast<Allocator *>(new Constructed(Limit)); }, true,
     Limit},
    // A special zone that may take the last page, as an interrupt zone may.
    {"wrong-deep", [] { return static_cast<Allocator *>(new Zone(ZONE_SPECIAL)); },
     [] { return static_cast<Allocator *>(new Type(M_INTWAIT, 3, Entries)); },
     false, Entries},
    // An interrupt zone that waits.
    {"wrong-waits",
     [] { return static_cast<Allocator *>(new Zone(ZONE_INTERRUPT)); },
     [] { return static_cast<Allocator *>(new Type(M_INTWAIT, 3, Entries)); },
     false, Entries},
    // An interrupt zone with no slots of its own.
    {"wrong-refuses",
     [] { return static_cast<Allocator *>(new Zone(ZONE_INTERRUPT)); },
     [] { return static_cast<Allocator *>(new Type(M_INTNOWAIT, 0, 0)); },
     false, Entries},
};

const int Flags[] = {M_WAITOK, M_NOWAIT, M_INTWAIT, M_INTNOWAIT, M_SYSWAIT};
const char *const FlagNames[] = {"M_WAITOK", "M_NOWAIT", "M_INTWAIT",
                                 "M_INTNOWAIT", "M_SYSWAIT"};

enum class Op { Get, Put, Memory, Maintain };
struct Step {
  Op What;
  long Arg;   // how many, or pages
  int Choice; // of Flags
};
using Program = std::vector<Step>;

enum Outcome : int { Nothing, Got, Null, Waits };
const char *const OutcomeNames[] = {"-", "an object", "NULL", "a sleep"};

// What a get came to.  The last of a step that got several, as it stops at the
// first that waits or goes without.
struct Result {
  Outcome What;
  long Free;  // pages before
  long Least; // pages at any time during it, if it took any
  long Count; // objects of the step
  long Out;   // objects that were out then
};

void setMemory(long Pages) {
  fake_leave_free(-1);
  if (Pages >= 0)
    fake_leave_free(lmin(Pages, fake_free_pages));
}

// One get, in a thread of its own.
Result getOne(Allocator &A, int WithFlags, void **Obj) {
  Result R = {Nothing, fake_free_pages, 0, 0, 0};
  fake_least_free = fake_free_pages;
  *Obj = nullptr;
  KernelThread T([&] { *Obj = A.get(WithFlags); });
  if (T.done()) {
    R.What = *Obj != nullptr ? Got : Null;
    R.Least = fake_least_free;
    return R;
  }
  R.What = Waits;
  R.Least = fake_least_free;
  // ~KernelThread() wakes it until it is done.
  fake_leave_free(-1);
  return R;
}

void runStep(Allocator &A, const Step &S, std::vector<void *> &Out, long Max,
             bool New, Result &R) {
  switch (S.What) {
  case Op::Get:
    for (long I = 0; I < S.Arg && Out.size() < 4000; ++I) {
      const bool Full = Max != 0 && long(Out.size()) >= Max;
      void *Obj;
      if (Full)
        return; // a limit is a limit; the old ones have slack besides
      Result One = getOne(A, Flags[S.Choice], &Obj);
      One.Count = I;
      One.Out = Out.size();
      if (Obj != nullptr)
        Out.push_back(Obj);
      // The deepest that any of them went is what matters, and how it ended.
      if (R.What == Nothing || One.Least <= R.Least || One.What != Got) {
        if (One.What == Got || One.Least < R.Least || R.What == Nothing)
          R.Least = One.Least;
        R.What = One.What;
        R.Free = One.Free;
      }
      R.Count = I;
      R.Out = One.Out;
      if (One.What != Got)
        return;
    }
    break;
  case Op::Put:
    for (long I = 0; I < S.Arg && !Out.empty(); ++I) {
      const size_t N = (I * 7 + S.Arg) % Out.size();
      A.put(Out[N]);
      Out[N] = Out.back();
      Out.pop_back();
    }
    break;
  case Op::Memory:
    setMemory(S.Arg);
    break;
  case Op::Maintain:
    if (New) {
      fake_maintain();
      pseudo_ticks += 4;
    }
    break;
  }
}

// In a process of its own, whose fake kernel goes with it.  Results are left in
// memory that is shared with this one.
template <typename Body> std::vector<Result> inChild(size_t Count, Body Do) {
  const size_t Bytes = roundup2((Count + 1) * sizeof(Result), size_t(PAGE_SIZE));
  auto *Shared = static_cast<Result *>(mmap(nullptr, Bytes,
                                            PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  fflush(stdout);
  const pid_t Pid = fork();
  if (Pid == 0) {
    Do(Shared);
    _exit(0);
  }
  int Status = 0;
  if (Pid < 0 || waitpid(Pid, &Status, 0) != Pid || Status != 0)
    panic("a program did not run to its end: status %#x", Status);
  std::vector<Result> Results(Shared, Shared + Count);
  munmap(Shared, Bytes);
  return Results;
}

std::vector<Result> runOn(const Kind &K, const Program &P, bool New) {
  return inChild(P.size(), [&](Result *Results) {
    Allocator *A = New ? K.New() : K.Old();
    std::vector<void *> Out;
    for (size_t I = 0; I < P.size(); ++I)
      runStep(*A, P[I], Out, K.Limit, New, Results[I]);
  });
}

// What the old one does with no stock and so many pages free.
Result withoutStock(const Kind &K, int Choice, long Free) {
  static std::map<std::tuple<const Kind *, int, long>, Result> Known;
  const auto Key = std::make_tuple(&K, Choice, Free);
  if (auto It = Known.find(Key); It != Known.end())
    return It->second;
  const Result R = inChild(1, [&](Result *Results) {
    Allocator *A = K.Old();
    fake_leave_free(0);
    void *Obj = nullptr;
    // A step beyond what any stock holds: this one waits or is refused.
    bool Ended = false, Stop = false;
    KernelThread T([&] {
      do {
        Obj = A->get(K.TakesFlags ? Flags[Choice] : 0);
      } while (Obj != nullptr && !Stop);
      Ended = true;
    });
    Stop = true;
    fake_least_free = Free;
    if (Ended) {
      fake_leave_free(lmin(Free, FAKE_PAGES / 2));
      Results[0] = getOne(*A, Flags[Choice], &Obj);
    } else {
      fake_leave_free(lmin(Free, FAKE_PAGES / 2));
      fake_least_free = fake_free_pages;
      T.run();
      Results[0].What = T.done() ? Got : Waits;
      Results[0].Free = Free;
      Results[0].Least = fake_least_free;
    }
    _exit(0);
  })[0];
  Known[Key] = R;
  return R;
}

// The fewest pages that the old one can leave, however often it is asked.
long deepest(const Kind &K, int Choice) {
  return withoutStock(K, Choice, 8).Least < 8 ? 0
         : withoutStock(K, Choice, FAKE_INTERRUPT_MIN + 8).Least <
                 FAKE_INTERRUPT_MIN + 8
             ? FAKE_INTERRUPT_MIN
             : FAKE_RESERVED - 1;
}

std::string describe(const Result &R) {
  char Text[128];
  snprintf(Text, sizeof(Text), "%s with %ld pages free, %ld at the least",
           OutcomeNames[R.What], R.Free, R.Least);
  return Text;
}

// What is worse, or nothing.
std::string difference(const Kind &K, const Step &S, const Result &Old,
                       const Result &New) {
  if (S.What != Op::Get || New.What == Nothing)
    return "";
  const int Choice = K.TakesFlags ? S.Choice : 0;
  std::string What;
  if (New.Least < New.Free && New.Least < deepest(K, Choice) &&
      New.Least < Old.Least)
    What = "takes pages that the old one left";
  if (New.What != Got && Old.What != New.What) {
    const Result Fresh = withoutStock(K, Choice, New.Free);
    if (Fresh.What != New.What)
      What = std::string(New.What == Waits ? "waits" : "goes without") +
             " where the old one, without stock, came to " + describe(Fresh);
  }
  if (!What.empty())
    What += "\n\tnew: " + describe(New) + "\n\told: " + describe(Old);
  return What;
}

// The first difference, and the step that shows it.
std::string check(const Kind &K, const Program &P, size_t *At) {
  const std::vector<Result> Old = runOn(K, P, false), New = runOn(K, P, true);
  for (*At = 0; *At < P.size(); ++*At)
    if (std::string D = difference(K, P[*At], Old[*At], New[*At]); !D.empty())
      return D;
  return "";
}

Program randomProgram(std::mt19937 &Random) {
  const long Levels[] = {-1,  -1,  0,   1,   8,   20,  43,  44,  45,  60,
                         76,  77,  100, 155, 156, 157, 158, 170, 188, 189,
                         200, 260, 299, 300, 340};
  Program P;
  for (unsigned N = 4 + Random() % 24; N > 0; --N) {
    const int Choice = Random() % NELEM(Flags);
    switch (Random() % 8) {
    case 0:
    case 1:
    case 2:
      P.push_back({Op::Get, 1 + long(Random() % 300), Choice});
      break;
    case 3:
      P.push_back({Op::Get, 1 + long(Random() % 8), Choice});
      break;
    case 4:
      P.push_back({Op::Put, 1 + long(Random() % 400), 0});
      break;
    case 5:
    case 6:
      P.push_back({Op::Memory, Levels[Random() % NELEM(Levels)], 0});
      break;
    default:
      P.push_back({Op::Maintain, 0, 0});
    }
  }
  return P;
}

void print(const Kind &K, const Program &P) {
  for (const Step &S : P) {
    if (S.What == Op::Get)
      printf("\tget %ld%s%s\n", S.Arg, K.TakesFlags ? " with " : "",
             K.TakesFlags ? FlagNames[S.Choice] : "");
    else if (S.What == Op::Put)
      printf("\tput %ld\n", S.Arg);
    else if (S.What == Op::Maintain)
      printf("\tmaintainer\n");
    else if (S.Arg < 0)
      printf("\tall pages free\n");
    else
      printf("\tpages free: %ld\n", S.Arg);
  }
}

// Without the steps that it does not take.
Program shorten(const Kind &K, Program P) {
  size_t At;
  for (size_t I = P.size(); I-- > 0;) {
    Program Less = P;
    Less.erase(Less.begin() + I);
    if (!check(K, Less, &At).empty())
      P = Less;
  }
  for (Step &S : P)
    while (S.What == Op::Get && S.Arg > 1) {
      const long Before = S.Arg;
      S.Arg /= 2;
      if (check(K, P, &At).empty()) {
        S.Arg = Before;
        break;
      }
    }
  return P;
}

bool compare(const Kind &K, unsigned long Seed, long Programs) {
  std::mt19937 Random(Seed);
  size_t At;
  for (long N = 0; N < Programs; ++N) {
    Program P = randomProgram(Random);
    if (check(K, P, &At).empty())
      continue;
    P = shorten(K, P);
    const std::string D = check(K, P, &At);
    printf("%s: seed %lu, program %ld: at step %zu the converted one %s\n",
           K.Name, Seed, N, At + 1, D.c_str());
    print(K, P);
    return false;
  }
  printf("%s: seed %lu: %ld programs\n", K.Name, Seed, Programs);
  return true;
}

} // namespace

extern "C" const char *__asan_default_options() {
  return "detect_stack_use_after_return=0:detect_leaks=0";
}

int main(int Argc, char **Argv) {
  if (Argc < 3 || Argc > 4 || atol(Argv[2]) <= 0) {
    fprintf(stderr, "usage: differential SEED PROGRAMS [KIND]\n");
    return 2;
  }
  fake_thread_enter(&MainThread);
  fake_boot();
  pagethread = &PageThread;
  bool Same = true, Any = false;
  for (const Kind &K : Kinds) {
    const bool Named = Argc == 4 && strcmp(Argv[3], K.Name) == 0;
    if (Named || (Argc == 3 && strncmp(K.Name, "wrong", 5) != 0)) {
      Any = true;
      Same &= compare(K, strtoul(Argv[1], nullptr, 10), atol(Argv[2]));
    }
  }
  if (!Any) {
    fprintf(stderr, "differential: no kind %s\n", Argv[3]);
    return 2;
  }
  fflush(stdout);
  _exit(Same ? 0 : 1);
}
