/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include <sys/mman.h>

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define	SYS_KMOBJ_SYSCTL	1000
#define	WRONG_SHOWN		8
#define	TEXT_SLACK		4096	/* bytes it may grow meanwhile */

static const char *
test_asked(void)
{
	return option_word("test", "?");
}

/*
 * Kernel threads that want memory, see sys/vm/vm_inject_hog.c, are part of the
 * test.
 */
static void
wait_for_hogs(void)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	long hogs;

	while (kvar_get_long("vm.inject.hogs", &hogs) == 0 && hogs != 0)
		nanosleep(&pause, NULL);
}

void
test_pass(const char *test)
{
	wait_for_hogs();
	kvar_print_text("vm.lastpages");
	printf("KMOBJ: PASS %s\n", test);
	fflush(stdout);
	exit(0);
}

void
test_fail(const char *test, const char *why, ...)
{
	va_list ap;

	kvar_print_text("vm.lastpages");
	printf("KMOBJ: FAIL %s: ", test);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	exit(1);
}

/*
 * The names that the program's options have put here, each ended by a zero or
 * more.
 */
extern const char __start_options[], __stop_options[];

static const char *
option_next(const char *name)
{
	name += strlen(name);
	while (name < __stop_options && *name == '\0')
		++name;
	return name;
}

static int
option_known(const char *word, size_t len)
{
	const char *name;

	for (name = __start_options; name < __stop_options;
	    name = option_next(name))
		if (strlen(name) == len && strncmp(name, word, len) == 0)
			return 1;
	return 0;
}

/*
 * Before main(): what the kernel has left of its environment must be for us.
 * Programs that are not process 1 get theirs from one that has looked.
 */
__attribute__((__constructor__)) static void
options_check(void)
{
	char known[512] = "";
	const char *name;

	for (char **word = environ; getpid() == 1 && *word != NULL; ++word) {
		if (option_known(*word, strcspn(*word, "=")))
			continue;
		for (name = __start_options; name < __stop_options;
		    name = option_next(name)) {
			strlcat(known, " ", sizeof(known));
			strlcat(known, name, sizeof(known));
		}
		test_fail(test_asked(), "kernel environment: "
		    "nobody reads %.*s; this test reads%s",
		    (int)strcspn(*word, "="), *word, known);
	}
}

const char *
option_word_(const char *name, const char *def)
{
	const char *s = getenv(name);

	return s != NULL ? s : def;
}

unsigned long
option_range_(const char *name, unsigned long def, unsigned long low,
    unsigned long high)
{
	const char *s = getenv(name);
	char *end;
	unsigned long n;

	if (s == NULL)
		return def;
	errno = 0;
	n = strtoul(s, &end, 0);
	if (!isdigit((unsigned char)*s) || errno != 0 || *end != '\0' ||
	    n < low || n > high)
		test_fail(test_asked(), "kernel environment: "
		    "%s=%s: expected a number, %lu to %lu", name, s, low, high);
	return n;
}

static int
kmobj_sysctl(const char *name, void *old, size_t *oldlen, const void *new,
    size_t newlen)
{
	return (int)syscall(SYS_KMOBJ_SYSCTL, name, old, oldlen, new, newlen);
}

/* Variables are int or long: the length that comes back tells which. */
int
kvar_get_long(const char *name, long *value)
{
	union {
		int	i;
		long	l;
	} v;
	size_t len = sizeof(v);

	v.l = 0;
	if (kmobj_sysctl(name, &v, &len, NULL, 0) != 0)
		return -1;
	*value = len == sizeof(v.i) ? v.i : v.l;
	return 0;
}

int
kvar_set_long(const char *name, long value)
{
	int narrow = (int)value;

	if (kmobj_sysctl(name, NULL, NULL, &value, sizeof(value)) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	return kmobj_sysctl(name, NULL, NULL, &narrow, sizeof(narrow));
}

long
kvar(const char *name)
{
	long value;

	if (kvar_get_long(name, &value) != 0)
		test_fail(test_asked(), "%s: %s", name,
		    strerror(errno));
	return value;
}

void
kvar_set(const char *name, long value)
{
	if (kvar_set_long(name, value) != 0)
		test_fail(test_asked(), "%s=%ld: %s", name, value,
		    strerror(errno));
}

void
kvar_print(const char *name)
{
	long value;

	if (kvar_get_long(name, &value) == 0)
		printf("stat %s %ld\n", name, value);
}

char *
kvar_text(const char *name)
{
	size_t len = 0;
	char *text;

	if (kmobj_sysctl(name, NULL, &len, NULL, 0) != 0)
		return NULL;
	len += TEXT_SLACK;
	text = malloc(len + 1);
	if (text != NULL && kmobj_sysctl(name, text, &len, NULL, 0) == 0) {
		text[len] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

void
kvar_print_text(const char *name)
{
	char *text = kvar_text(name), *line, *next;

	if (text == NULL)
		return;
	for (line = text; line != NULL; line = next) {
		if ((next = strchr(line, '\n')) != NULL)
			*next++ = '\0';
		if (*line != '\0')
			printf("%s| %s\n", name, line);
	}
	free(text);
}

void
kvar_print_paging(void)
{
	kvar_print("vm.stats.v_page_count");
	kvar_print("vm.stats.v_free_count");
	kvar_print("vm.stats.v_vm_faults");
	kvar_print("vm.stats.v_swappgsout");
	kvar_print("vm.stats.v_swappgsin");
	kvar_print("vm.emerg_rounds");
	kvar_print("kern.bench_busy");
	kvar_print_text("vm.zone");
	kvar_print_text("kern.objcache.stats");
	kvar_print_text("kern.kmalloc_ext");
}

static unsigned long
kvar_pages(const char *name)
{
	return (unsigned long)kvar(name) * PAGE_BYTES;
}

/* Firmware keeps a little of each memory module: round up to what was put in. */
unsigned long
machine_ram(void)
{
	return (kvar_pages("hw.physmem") + 4 * MIB - 1) & ~(4 * MIB - 1);
}

unsigned long
machine_swap(void)
{
	return kvar_pages("vm.swap_size");
}

/* The finisher of splitmix64 (Steele, Lea, Flood 2014), a bijection. */
static inline uint64_t
pattern(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + i * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void
region_map(struct region *r, const char *name, size_t bytes, uint64_t seed)
{
	void *p;

	bytes = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		test_fail(test_asked(), "mmap of %zu bytes: %s",
		    bytes, strerror(errno));
	r->name = name;
	r->words = p;
	r->bytes = bytes;
	r->seed = seed;
}

void *
map_split(unsigned long splits)
{
	char *p = mmap(NULL, 2 * splits * PAGE_BYTES, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		test_fail(test_asked(), "mmap of %lu pages: %s", 2 * splits,
		    strerror(errno));
	for (unsigned long i = 0; i < splits; ++i) {
		if (mprotect(p + 2 * i * PAGE_BYTES, PAGE_BYTES,
		    PROT_READ | PROT_WRITE) != 0)
			test_fail(test_asked(), "split %lu: %s", i,
			    strerror(errno));
	}
	return p;
}

void
run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		test_fail(test_asked(), "cpu %d: %s", cpu, strerror(errno));
}

void
region_dirty(const struct region *r)
{
	size_t n = r->bytes / sizeof(*r->words);

	for (size_t i = 0; i < n; ++i)
		r->words[i] = pattern(r->seed, i);
}

uint64_t
region_verify(const struct region *r)
{
	size_t n = r->bytes / sizeof(*r->words);
	uint64_t wrong = 0;

	for (size_t i = 0; i < n; ++i) {
		uint64_t want = pattern(r->seed, i);
		uint64_t got = r->words[i];

		if (got == want)
			continue;
		if (wrong++ < WRONG_SHOWN)
			printf("%s: word %zu (page %zu): %016jx, expected "
			    "%016jx\n", r->name, i,
			    i * sizeof(got) / PAGE_BYTES, (uintmax_t)got,
			    (uintmax_t)want);
	}
	return wrong;
}
