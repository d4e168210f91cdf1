// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the allocators of kernels made by build-kernel and prints what they did
// and what it cost, as JSON.  `bench' makes a table of that.
//
//   native-bench SEED ROUNDS PAIRS STEPS LABEL=KERNEL...
//
// SEED decides where the allocators have their data.  PAIRS are timed in each
// shape and round, and at most STEPS objects are out at once where counts are
// made; 0: none are.
//
// Ticks   of the time stamp counter.  In each round every allocator runs once
//         in every shape, so that what disturbs the machine disturbs all of
//         them; the median of the rounds counts.  (A framework which runs one
//         benchmark after the other to its end is no use for ratios.)
// Counts  are made before, apart from that.  The processor traps after each
//         instruction, the signal handler counts it, looks at whether it locks
//         the bus and at whether it made this cpu hold one more spinlock.  This
//         needs no performance counters and repeats exactly.
//
// Shapes:
//
//   hot       one object, got and put over and over
//   turnover  200 objects got, then put
//   burst     500 got, then put: more than objcache keeps
//   cross     two cpus, each puts the 200 objects that the other one got
//   4 cpus    each of four cpus gets 80, then each puts those of the next; one
//             after the other, for the counts alone
//
#include "bench.h"
#include <algorithm>
#include <array>
#include <asm/prctl.h>
#include <atomic>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <list>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <ucontext.h>
#include <unistd.h>
#include <vector>
#include <x86intrin.h>

namespace {

constexpr long Turnover = 200;
constexpr long Burst = 500;
constexpr long PerCpu = 80;
constexpr unsigned long KvaSize = 1UL << 30;

struct Kernel {
  std::string Label;
  const bench_kernel *Ops;
};

enum Shape { Hot, Turn, BurstShape, Cross, FourCpus, NumShapes };
const char *const ShapeName[] = {"hot", "turnover", "burst", "cross", "4 cpus"};

// What a pair executes.
struct Counts {
  double Instructions, Locked, Taken;
};

// What processes of their own find out: see countAll().
struct Found {
  std::array<Counts, NumShapes> Shapes;
  long Pairs, Served, Out;
};

struct Subject {
  const Kernel *K;
  const bench_alloc *Alloc;
  std::array<std::vector<double>, NumShapes> Ticks; // a pair, in each round
  long Pairs = 0;                                   // all there were
  long Before = 0;                                  // served at start-up

  // Before malloc_init() there is one cpu, and one slab of objects.
  bool has(Shape S) const {
    return S == Hot || S == Turn || strcmp(Alloc->kind, "early") != 0;
  }
};

[[noreturn]] void die() { _exit(1); }

[[noreturn]] void fail(const Subject &S, const char *What) {
  fflush(stdout);
  fprintf(stderr, "native-bench: %s: %s, %s: %s\n", S.K->Label.c_str(),
          S.Alloc->kind, S.Alloc->name, What);
  exit(1);
}

void vprint(const char *Fmt, va_list Ap) {
  fprintf(stderr, "native-bench: kernel: ");
  vfprintf(stderr, Fmt, Ap);
  fprintf(stderr, "\n");
}

// From now on the calling thread is that cpu of that kernel.
void setCpu(const Kernel &K, int Cpu) {
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, K.Ops->cpu(Cpu)) != 0) {
    perror("native-bench: arch_prctl");
    exit(1);
  }
}

void enter(const Kernel &K, int Cpu) {
  setCpu(K, Cpu);
  K.Ops->poll();
}

uint64_t now() {
  unsigned Aux;
  _mm_lfence();
  uint64_t T = __rdtscp(&Aux);
  _mm_lfence();
  return T;
}

//===-- Counting ----------------------------------------------------------===//

struct {
  long Instructions, Locked, Taken;
  uint64_t Last;           // address of the instruction before
  volatile int *Spinlocks; // of this cpu
  int Held;
} Trap;

// An instruction with a lock prefix, or an exchange with memory.
bool locks(const uint8_t *P) {
  while (memchr("\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65", *P, 10))
    ++P;
  if (*P == 0xf0)
    return true;
  if ((*P & 0xf0) == 0x40)
    ++P;
  return (*P == 0x86 || *P == 0x87) && P[1] < 0xc0;
}

// The instruction at Rip is next.
void trapped(int, siginfo_t *, void *Context) {
  const auto *Uc = static_cast<ucontext_t *>(Context);
  uint64_t Rip = Uc->uc_mcontext.gregs[REG_RIP];

  int Held = *Trap.Spinlocks;
  Trap.Taken += Held > Trap.Held;
  Trap.Held = Held;
  if (Rip == Trap.Last) // one more round of a string instruction
    return;
  Trap.Last = Rip;
  ++Trap.Instructions;
  Trap.Locked += locks(reinterpret_cast<const uint8_t *>(Rip));
}

// Call Func(A, B) with the trap flag set.  Pushes must not run into what the
// compiler keeps below the stack pointer.
[[gnu::noinline]] void step(void (*Func)(void *, long), void *A, long B) {
  asm volatile("movq %%rsp, %%rbx\n\t"
               "subq $256, %%rsp\n\t"
               "andq $-16, %%rsp\n\t"
               "pushfq\n\t"
               "orq $0x100, (%%rsp)\n\t"
               "popfq\n\t"
               "call *%[func]\n\t"
               "pushfq\n\t"
               "andq $~0x100, (%%rsp)\n\t"
               "popfq\n\t"
               "movq %%rbx, %%rsp"
               : "+D"(A), "+S"(B), [func] "+r"(Func)
               :
               : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "cc",
                 "memory");
}

void count(const Kernel &K, int Cpu, void (*Func)(void *, long), void *A,
           long B) {
  Trap.Spinlocks = K.Ops->spinlocks(Cpu);
  Trap.Held = *Trap.Spinlocks;
  Trap.Last = 0;
  step(Func, A, B);
}

void nothing(void *, long) {}

using Step = void (*)(void *, long);

// hot() has one argument, which comes second.
void callHot(void *Hot, long N) { reinterpret_cast<void (*)(long)>(Hot)(N); }

// Counts of what Run does.
Counts counts(const std::function<void()> &Run) {
  Trap.Instructions = Trap.Locked = Trap.Taken = 0;
  Run();
  return {double(Trap.Instructions), double(Trap.Locked), double(Trap.Taken)};
}

Counts perPair(Counts C, Counts Minus, long N) {
  return {(C.Instructions - Minus.Instructions) / N,
          (C.Locked - Minus.Locked) / N, (C.Taken - Minus.Taken) / N};
}

Found countShapes(const Subject &S, long Steps) {
  const bench_alloc &A = *S.Alloc;
  auto Get = reinterpret_cast<Step>(A.get);
  auto Put = reinterpret_cast<Step>(A.put);
  auto Hot = reinterpret_cast<void *>(A.hot);
  std::vector<void *> Objs(std::max(Burst, PerCpu * BENCH_CPUS));
  Found F = {};

  enter(*S.K, 0);
  // Bring what there is to bring.
  F.Pairs = Steps;
  A.hot(Steps);
  for (int I = 0; I < 3; ++I) {
    long N = S.has(BurstShape) ? std::min(Steps, Burst) : Turnover;
    F.Pairs += N;
    A.get(Objs.data(), N);
    A.put(Objs.data(), N);
  }

  auto Count = [&](int Cpu, Step Func, void *Arg, long N) {
    count(*S.K, Cpu, Func, Arg, N);
  };
  // What it costs to call something and to stop is not part of it.
  auto Loop = [&](long N) {
    F.Pairs += N;
    return counts([&] { Count(0, callHot, Hot, N); });
  };
  const long Pairs = std::min(Steps, 20L);
  Counts Once = Loop(Pairs);
  F.Shapes[Shape::Hot] = perPair(Loop(2 * Pairs), Once, Pairs);

  Counts Nothing = counts([&] {
    Count(0, nothing, nullptr, 0);
    Count(0, nothing, nullptr, 0);
  });
  auto Stack = [&](Shape Sh, long N) {
    F.Pairs += N;
    F.Shapes[Sh] = perPair(counts([&] {
                             Count(0, Get, Objs.data(), N);
                             Count(0, Put, Objs.data(), N);
                           }),
                           Nothing, N);
  };
  Stack(Turn, std::min(Steps, Turnover));
  if (S.has(BurstShape))
    Stack(BurstShape, std::min(Steps, Burst));
  if (!S.has(FourCpus))
    return F;

  const long Each = std::min(Steps, PerCpu);
  auto Next = [&](const std::function<void(int, Step, void *, long)> &Do) {
    F.Pairs += BENCH_CPUS * Each;
    for (int Cpu = 0; Cpu < BENCH_CPUS; ++Cpu) {
      enter(*S.K, Cpu);
      Do(Cpu, Get, &Objs[Cpu * Each], Each);
    }
    for (int Cpu = 0; Cpu < BENCH_CPUS; ++Cpu) {
      enter(*S.K, Cpu);
      Do(Cpu, Put, &Objs[(Cpu + 1) % BENCH_CPUS * Each], Each);
    }
  };
  // Once to bring what there is to bring, once to count.
  Next([](int, Step Func, void *Arg, long N) { Func(Arg, N); });
  Nothing = perPair(Nothing, {}, 1);
  Nothing.Instructions *= BENCH_CPUS;
  F.Shapes[FourCpus] =
      perPair(counts([&] { Next(Count); }), Nothing, BENCH_CPUS * Each);
  return F;
}

// Counts are to repeat exactly, so they are made by processes of their own in
// which no time was taken yet: how two threads race decides what lies where.
// Traps take their time; there is a process for each processor of the host.
const Found *countAll(std::vector<Subject> &Subjects, long Steps) {
  const size_t Bytes = Subjects.size() * sizeof(Found);
  const size_t Jobs = std::max(1u, std::thread::hardware_concurrency());
  auto *All = static_cast<Found *>(mmap(nullptr, Bytes, PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (All == MAP_FAILED) {
    perror("native-bench: mmap");
    exit(1);
  }
  for (size_t Job = 0; Job < Jobs; ++Job) {
    if (fork() != 0)
      continue;
    for (size_t I = Job; I < Subjects.size(); I += Jobs) {
      const Subject &S = Subjects[I];
      All[I] = countShapes(S, Steps);
      All[I].Served = S.Alloc->served() - S.Before;
      All[I].Out = S.Alloc->out();
    }
    _exit(0);
  }
  int Status;
  while (wait(&Status) > 0) {
    if (!WIFEXITED(Status) || WEXITSTATUS(Status) != 0) {
      fprintf(stderr, "native-bench: who counts instructions has died\n");
      exit(1);
    }
  }
  return All;
}

//===-- Timing ------------------------------------------------------------===//

// Two threads meet.  One that waits lets others run, as there may be a single
// processor, or a busy one.
class Meeting {
  std::atomic<unsigned> Arrived{0};

public:
  void wait() {
    unsigned Last = (Arrived.fetch_add(1) | 1) + 1;
    for (int Spins = 0; int(Arrived.load() - Last) < 0; ++Spins) {
      if (Spins > 2000)
        sched_yield();
      _mm_pause();
    }
  }
};

// The second cpu.
class Other {
  Meeting Meet;
  const Subject *S = nullptr;
  long Reps = 0;
  std::array<std::vector<void *>, 2> Objs{std::vector<void *>(Turnover),
                                          std::vector<void *>(Turnover)};
  std::array<uint64_t, 2> Ticks{};
  std::thread Thread{[this] {
    for (;;) {
      Meet.wait();
      if (S == nullptr)
        return;
      half(1);
    }
  }};

  void half(int Cpu) {
    uint64_t T, Sum = 0;
    enter(*S->K, Cpu);
    for (long R = 0; R < Reps; ++R) {
      Meet.wait();
      T = now();
      S->Alloc->get(Objs[Cpu].data(), Turnover);
      Sum += now() - T;
      Meet.wait();
      T = now();
      S->Alloc->put(Objs[1 - Cpu].data(), Turnover);
      Sum += now() - T;
      S->K->Ops->poll();
    }
    Ticks[Cpu] = Sum;
    Meet.wait();
  }

public:
  ~Other() {
    S = nullptr;
    Meet.wait();
    Thread.join();
  }
  double run(const Subject &Subj, long N) {
    S = &Subj;
    Reps = N;
    Meet.wait();
    half(0);
    return double(Ticks[0] + Ticks[1]) / (2 * Turnover * Reps);
  }
};

void timeShapes(Subject &S, long Pairs, Other &Second) {
  std::vector<void *> Objs(Burst);
  enter(*S.K, 0);

  S.Alloc->hot(Pairs / 10 + 1);
  uint64_t T = now();
  S.Alloc->hot(Pairs);
  S.Ticks[Hot].push_back(double(now() - T) / Pairs);
  S.Pairs += Pairs + Pairs / 10 + 1;

  auto Stack = [&](Shape Sh, long N) {
    if (!S.has(Sh))
      return;
    const long Reps = Pairs / N + 1;
    uint64_t Sum = 0;
    for (long R = 0; R <= Reps; ++R) {
      T = now();
      S.Alloc->get(Objs.data(), N);
      uint64_t Mid = now();
      if (std::find(Objs.begin(), Objs.begin() + N, nullptr) !=
          Objs.begin() + N)
        fail(S, "no object, although there is memory");
      uint64_t Put = now();
      S.Alloc->put(Objs.data(), N);
      if (R != 0) // the first one brings the caches
        Sum += now() - Put + Mid - T;
    }
    S.Ticks[Sh].push_back(double(Sum) / (N * Reps));
    S.Pairs += N * (Reps + 1);
  };
  Stack(Turn, Turnover);
  Stack(BurstShape, Burst);
  if (S.has(Cross)) {
    const long Reps = Pairs / Turnover + 1;
    S.Ticks[Cross].push_back(Second.run(S, Reps));
    S.Pairs += 2 * Turnover * Reps;
  }
}

//===-- Everything --------------------------------------------------------===//

Kernel load(const std::string &Arg) {
  size_t Eq = Arg.find('=');
  if (Eq == std::string::npos) {
    fprintf(stderr, "native-bench: %s: expected LABEL=KERNEL\n", Arg.c_str());
    exit(2);
  }
  std::string Path = Arg.substr(Eq + 1);
  void *So = dlopen(Path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (So == nullptr) {
    fprintf(stderr, "native-bench: %s\n", dlerror());
    exit(2);
  }
  auto *Ops = static_cast<const bench_kernel *>(dlsym(So, "bench_kernel"));
  if (Ops == nullptr) {
    fprintf(stderr,
            "native-bench: %s: expected what build-kernel makes, but "
            "there is no bench_kernel in it\n",
            Path.c_str());
    exit(2);
  }
  return {Arg.substr(0, Eq), Ops};
}

void boot(const Kernel &K, unsigned Seed) {
  bench_host Host = {};
  constexpr unsigned long Align = 1UL << 21;
  void *Mem = mmap(nullptr, KvaSize + Align, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (Mem == MAP_FAILED) {
    perror("native-bench: mmap");
    exit(1);
  }
  Host.kva = reinterpret_cast<char *>(
      (reinterpret_cast<uintptr_t>(Mem) + Align - 1) & -Align);
  Host.kva_size = KvaSize;
  Host.vprint = vprint;
  Host.die = die;
  Host.seed = Seed;

  const bench_missing *M = K.Ops->missing, *Last = M;
  while (Last->name != nullptr)
    ++Last;
  mprotect(M->addr,
           static_cast<char *>(Last->addr) - static_cast<char *>(M->addr),
           PROT_NONE);

  static std::list<bench_host> Hosts; // kernels keep the address
  Hosts.push_back(Host);
  setCpu(K, 0);
  K.Ops->boot(&Hosts.back());
}

// Who needs what a kernel has not got.
std::vector<Kernel> Kernels;

void faulted(int, siginfo_t *Info, void *) {
  const char *What = "nothing known";
  std::string Where;
  for (const Kernel &K : Kernels) {
    const bench_missing *M = K.Ops->missing;
    for (; M->name != nullptr; ++M) {
      if (Info->si_addr >= M[0].addr && Info->si_addr < M[1].addr) {
        What = M->name;
        Where = K.Label;
      }
    }
  }
  fprintf(stderr, "native-bench: fault at %p: %s has no %s\n", Info->si_addr,
          Where.c_str(), What);
  _exit(1);
}

double median(std::vector<double> V) {
  std::sort(V.begin(), V.end());
  return V[V.size() / 2];
}

} // namespace

int main(int Argc, char **Argv) {
  if (Argc < 6 || atol(Argv[2]) < 1 || atol(Argv[3]) < 1 || atol(Argv[4]) < 0) {
    fprintf(stderr,
            "usage: native-bench SEED ROUNDS PAIRS STEPS LABEL=KERNEL...\n");
    return 2;
  }
  const unsigned Seed = atol(Argv[1]);
  const long Rounds = atol(Argv[2]), Pairs = atol(Argv[3]);
  const long Steps = atol(Argv[4]);

  struct sigaction Sa = {};
  Sa.sa_sigaction = trapped;
  Sa.sa_flags = SA_SIGINFO;
  sigaction(SIGTRAP, &Sa, nullptr);

  Sa.sa_sigaction = faulted;
  sigaction(SIGSEGV, &Sa, nullptr);

  for (int I = 5; I < Argc; ++I)
    Kernels.push_back(load(Argv[I]));
  std::vector<Subject> Subjects;
  for (const Kernel &K : Kernels) {
    boot(K, Seed);
    for (const bench_alloc *A = K.Ops->allocs; A->name != nullptr; ++A)
      Subjects.push_back({&K, A, {}});
  }

  for (Subject &S : Subjects)
    S.Before = S.Alloc->served();
  const std::vector<Found> Uncounted(Subjects.size());
  const Found *All = Steps != 0 ? countAll(Subjects, Steps) : Uncounted.data();
  {
    Other Second;
    for (long R = 0; R < Rounds; ++R) {
      for (Subject &S : Subjects)
        timeShapes(S, Pairs, Second);
    }
  }

  printf("[");
  const char *Comma = "";
  for (size_t I = 0; I < Subjects.size(); ++I) {
    const Subject &S = Subjects[I];
    const Found &F = All[I];
    enter(*S.K, 0);
    printf("%s\n {\"kernel\": \"%s\", \"kind\": \"%s\", "
           "\"allocator\": \"%s\",\n  \"pairs\": %ld, \"served\": %ld, "
           "\"out\": %ld, \"shapes\": {",
           Comma, S.K->Label.c_str(), S.Alloc->kind, S.Alloc->name,
           S.Pairs + F.Pairs, S.Alloc->served() - S.Before + F.Served,
           S.Alloc->out() + F.Out);
    Comma = "";
    for (int Sh = 0; Sh < NumShapes; ++Sh) {
      const Counts &C = F.Shapes[Sh];
      if (!S.has(Shape(Sh)))
        continue;
      printf("%s\n   \"%s\": {", Comma, ShapeName[Sh]);
      Comma = "";
      if (!S.Ticks[Sh].empty()) {
        printf("\"ticks\": %.2f", median(S.Ticks[Sh]));
        Comma = ", ";
      }
      if (Sh != Cross && Steps != 0)
        printf("%s\"instructions\": %.2f, \"locked\": %.3f, \"taken\": %.3f",
               Comma, C.Instructions, C.Locked, C.Taken);
      printf("}");
      Comma = ",";
    }
    printf("}}");
  }
  printf("\n]\n");
}
