/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * soak: a mix of everything, for as long as one likes.
 *
 * Workers, `workers' at a time, each do some dozen operations chosen at random
 * (paging, copy-on-write, sharing, pipes, map churn, files, signals, programs)
 * and end; process 1 starts others until `minutes' are over, and every other
 * second makes pages short.  Every word and byte is checked.  An operation may
 * be refused for want of memory or processes, but must not fail otherwise, and
 * nobody but those who are killed on purpose may be killed.  In the end every
 * object of every zone, cache and malloc type must be back.
 *
 * What a worker does follows from `seed' and its number; who runs when does
 * not.  Together the workers stay well below RAM plus swap.
 *
 * Kernel arguments: minutes (1), seed (1), workers (twice the processors and
 * two), inject (1): make pages short, spoil: `word' makes a word wrong, `leak'
 * loses objects, both of which must be found.
 */
#include "soak.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define	WORKERS_MAX	64
#define	OPS_MAX		24		/* of one worker */
#define	REPORT_SECONDS	30
#define	SETTLE_SECONDS	5
#define	SWAP_SLACK	1024		/* blocks */
#define	LOST_OBJECTS	1000

static const char test[] = "soak";

struct soak_shared *shared;

static uint64_t seed;
static unsigned long nworkers, budget;
static pid_t worker[WORKERS_MAX];
static unsigned long started;

uint64_t
soak_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static long
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static _Noreturn void
worker_run(unsigned long number)
{
	struct soak s = { .random = seed ^ (number << 32 | number),
	    .number = number, .budget = budget };
	unsigned long n = 1 + soak_random(&s.random) % OPS_MAX;

	while (n-- != 0) {
		unsigned op = soak_random(&s.random) % soak_nops;

		s.op = soak_ops[op].name;
		if (soak_ops[op].run(&s) == 0)
			__atomic_add_fetch(&shared->done[op], 1,
			    __ATOMIC_RELAXED);
		else
			__atomic_add_fetch(&shared->refused, 1,
			    __ATOMIC_RELAXED);
	}
	_exit(0);
}

static void
worker_start(unsigned long slot)
{
	pid_t pid = fork();

	if (pid == 0)
		worker_run(started);
	if (pid < 0 && errno != EAGAIN && errno != ENOMEM)
		test_fail(test, "fork: %s", strerror(errno));
	if (pid > 0) {
		worker[slot] = pid;
		++started;
	}
}

/* Wait for workers; those that are not ours were left by workers. */
static void
workers_reap(int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, options)) > 0) {
		unsigned long slot;

		for (slot = 0; slot < nworkers; ++slot)
			if (worker[slot] == pid)
				break;
		if (slot == nworkers)
			continue;
		worker[slot] = 0;
		if (WIFSIGNALED(status))
			test_fail(test, "seed %ju: a worker was killed by "
			    "signal %d", (uintmax_t)seed, WTERMSIG(status));
		if (WEXITSTATUS(status) != 0)
			test_fail(test, "seed %ju: a worker failed",
			    (uintmax_t)seed);
	}
}

static unsigned long
operations(void)
{
	unsigned long sum = 0;

	for (unsigned i = 0; i < soak_nops; ++i)
		sum += shared->done[i];
	return sum;
}

static void
report(long minutes)
{
	printf("soak: minute %ld: %lu operations by %lu workers, %lu refused; "
	    "%ju words verified; %ld pages out, %ld in\n", minutes,
	    operations(), started, shared->refused,
	    (uintmax_t)shared->verified, kvar("vm.stats.v_swappgsout"),
	    kvar("vm.stats.v_swappgsin"));
}

static void
inject_nothing(void)
{
	kvar_set_long("vm.inject.fail_class", 0);
	kvar_set_long("vm.inject.leave_free", -1);
}

/*
 * Leave only a few pages free, or let page allocations of some classes fail;
 * the next time, let it be.
 */
static void
inject(uint64_t *state)
{
	static const long leave[] = { 0, 8, 64, 256 };
	const size_t n = sizeof(leave) / sizeof(leave[0]);
	static int injected;

	injected = !injected;
	inject_nothing();
	if (!injected)
		return;
	if (soak_random(state) % 2 == 0) {
		kvar_set_long("vm.inject.leave_free",
		    leave[soak_random(state) % n]);
	} else {
		kvar_set_long("vm.inject.fail_every",
		    2 + soak_random(state) % 63);
		kvar_set_long("vm.inject.fail_class",
		    1 + soak_random(state) % 7);
	}
	++shared->injections;
}

static void
run(long seconds, int injecting)
{
	uint64_t state = seed;
	long start = now(), last = start, second = 0;

	while (now() - start < seconds) {
		for (unsigned long i = 0; i < nworkers; ++i)
			if (worker[i] == 0)
				worker_start(i);
		usleep(50000);
		workers_reap(WNOHANG);
		if (injecting && now() != second) {
			second = now();
			inject(&state);
		}
		if (now() - last >= REPORT_SECONDS) {
			last = now();
			report((last - start) / 60);
		}
	}
	inject_nothing();
	workers_reap(0);
}

/*
 * Objects in use.  Each table has one line an account, the name first, in a
 * column `name_width' wide, then numbers; `column' counts them from 0.
 */
static const struct table {
	const char	*name;
	size_t		name_width;
	int		column;
} tables[] = {
	{ "vm.zone", 14, 2 },
	{ "kern.malloc", 18, 0 },
	{ "kern.objcache.stats", 16, 1 },
};

#define	NTABLES		(sizeof(tables) / sizeof(tables[0]))
#define	ACCOUNTS_MAX	256

struct account {
	const struct table *table;
	char		name[24];
	long		used;
};

static size_t
accounts(struct account *a)
{
	size_t n = 0;

	for (size_t t = 0; t < NTABLES; ++t) {
		char *text = kvar_text(tables[t].name), *line, *next;

		for (line = text; line != NULL && *line != '\0'; line = next) {
			char *s = line + tables[t].name_width;

			next = line + strcspn(line, "\n");
			next += *next == '\n';
			if (line == text || n == ACCOUNTS_MAX)
				continue;
			a[n].table = &tables[t];
			snprintf(a[n].name, sizeof(a[n].name), "%.*s",
			    (int)tables[t].name_width, line);
			for (int i = 0; i <= tables[t].column; ++i)
				a[n].used = strtol(s, &s, 10);
			++n;
		}
		free(text);
	}
	return n;
}

/*
 * Objects that an account may have more than in the beginning: what the cpus
 * and process 1 keep.  Caches' objects count with their malloc type, too, and
 * those that an idle object of another cache holds are out.
 */
static long
slack(const struct account *a)
{
	long cpus = kvar("hw.ncpu");

	if (strncmp(a->name, "MAP ENTRY", 9) == 0)
		return 1024 * cpus;
	if (strncmp(a->name, "PV ENTRY", 8) == 0)
		return 1024;
	if (a->table->column == 1 && strncmp(a->name, "pipecl", 6) != 0 &&
	    strncmp(a->name, "mclmeta", 7) != 0)
		return 8;
	return 64 + 64 * cpus;
}

static int
leaks(const struct account *was, size_t nwas, int print)
{
	static struct account is[ACCOUNTS_MAX];
	size_t nis = accounts(is);
	int n = 0;

	for (size_t i = 0; i < nis; ++i) {
		long before = 0;

		for (size_t j = 0; j < nwas; ++j)
			if (was[j].table == is[i].table &&
			    strcmp(was[j].name, is[i].name) == 0)
				before = was[j].used;
		if (is[i].used - before <= slack(&is[i]))
			continue;
		++n;
		if (print)
			printf("soak: leak: %s: %s: %ld objects, %ld in the "
			    "beginning\n", is[i].table->name, is[i].name,
			    is[i].used, before);
	}
	return n;
}

/* Dead threads stay until somebody makes a new one. */
static void
bury_threads(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		test_fail(test, "fork: %s", strerror(errno));
}

/* Shared memory that nobody gives back, in objects that cannot be merged. */
static void
lose_objects(void)
{
	for (int i = 0; i < LOST_OBJECTS; ++i)
		if (mmap(NULL, 1, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED)
			test_fail(test, "mmap: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
	static struct account before[ACCOUNTS_MAX];
	const char *spoil = option_word("spoil", "");
	long minutes, swap;
	size_t naccounts;
	int leaked, i;

	if (argc == 3 && strcmp(argv[1], "program") == 0)
		return soak_program(argv[2]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = option_number("seed", 1);
	minutes = option_range("minutes", 1, 0, 1000000);
	nworkers = option_range("workers", 2 * kvar("hw.ncpu") + 2, 1,
	    WORKERS_MAX);
	if (nworkers > WORKERS_MAX)
		nworkers = WORKERS_MAX;
	if (strcmp(spoil, "") != 0 && strcmp(spoil, "word") != 0 &&
	    strcmp(spoil, "leak") != 0)
		test_fail(test, "kernel environment: spoil=%s: expected word "
		    "or leak", spoil);
	budget = (machine_ram() + machine_swap()) / 4 / nworkers;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		test_fail(test, "mmap: %s", strerror(errno));
	printf("soak: seed %ju, %ld minutes, %lu workers of %lu KB\n",
	    (uintmax_t)seed, minutes, nworkers, budget / 1024);

	run(5, 0);
	bury_threads();
	naccounts = accounts(before);
	swap = kvar("vm.swap_free");
	if (strcmp(spoil, "leak") == 0)
		lose_objects();
	run(minutes * 60, option_range("inject", 1, 0, 1) != 0);

	/* What caches give back takes a moment. */
	bury_threads();
	for (i = 0; i < SETTLE_SECONDS && leaks(before, naccounts, 0) != 0; ++i)
		sleep(1);
	report(minutes);
	for (unsigned op = 0; op < soak_nops; ++op)
		printf("soak: %-10s %lu\n", soak_ops[op].name,
		    shared->done[op]);
	printf("soak: %lu times pages were short on purpose\n",
	    shared->injections);
	leaked = leaks(before, naccounts, 1);
	swap -= kvar("vm.swap_free");
	if (kvar("kern.nprocs") != 1)
		test_fail(test, "seed %ju: %ld processes are left",
		    (uintmax_t)seed, kvar("kern.nprocs") - 1);
	if (leaked != 0)
		test_fail(test, "seed %ju: %d accounts have more objects than "
		    "in the beginning", (uintmax_t)seed, leaked);
	if (swap > SWAP_SLACK)
		test_fail(test, "seed %ju: %ld swap blocks are not back",
		    (uintmax_t)seed, swap);
	printf("soak: 0 words wrong, 0 objects leaked\n");
	test_pass(test);
}
