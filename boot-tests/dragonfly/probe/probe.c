/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The paging probe: /sbin/init of a DragonFly kernel under test.
 *
 * paging: several processes dirty `factor' times the RAM between them, or
 * `mib' MiB, and verify every word `passes' times; many processes map the same
 * pages (PV entries); they make and unmake mappings (MAP entries); and when all
 * have gone, the swap they filled (SWAPMETA) must be free again.
 *
 * corner: 45 % of RAM is dirtied; then, `rounds' times for each of `levels',
 * free pages are eaten down to exactly that many and another 3.5 % is dirtied,
 * which can succeed only if dirty pages get to disk although nearly nothing
 * is free.  The kernel must have the switch vm.inject.leave_free, which
 * vm_leavefree.c adds.  With `tables', `sharers' processes meanwhile map the
 * same pages, each by so many page tables of its own: DragonFly has a PV entry
 * for a page table, so this is what uses them.  With `maps' each makes so many
 * mappings, too, and keeps them until all have made theirs (MAP entries).
 *
 * The last line says what became of it.  Options are kernel environment:
 * test, factor, mib, passes, procs, sharers, maps, seed; levels, rounds,
 * tables; swap.
 * The kernel reads a page of swap at a time unless `burst' allows it as many
 * more.  With `fail', vm_failpage.c refuses one in so many of the allocators'
 * pages while memory is dirtied and, in paging, verified.
 */
#include "runtime.h"

#define	PROCS_MAX	64
#define	MAPS_MAX	8192
#define	ROUNDS_MAX	256
#define	TABLES_MAX	65536
#define	SHARED_BYTES	(8 * MIB)
#define	TABLE_BYTES	(2 * MIB)	/* what one page table maps */

/* What children report; shared with them. */
static struct tally {
	uint64_t	wrong;
	uint64_t	words;
} *tally;

static unsigned long ram, swap, seed;

static const char *const counters[] = {
	"vm.stats.vm.v_page_count", "vm.stats.vm.v_free_count",
	"vm.stats.vm.v_wire_count", "vm.stats.vm.v_vm_faults",
	"vm.stats.vm.v_swappgsout", "vm.stats.vm.v_swappgsin",
	"vm.stats.vm.v_pdwakeups", "vm.stats.sys.v_ipi",
	"vm.swap_size", "vm.swap_free",
	"vm.swap_anon_use", "vm.zone_kmem_pages", "vm.zone_kern_pages",
	"vm.inject.failed",
};

static void
print_text(const char *name)
{
	static char text[64 * 1024];
	size_t size = sizeof(text) - 1;
	char *line, *end;

	if (!kvar_bytes(name, text, &size))
		return;
	text[size] = '\0';
	for (line = text; *line != '\0'; line = end) {
		for (end = line; *end != '\0' && *end != '\n'; ++end)
			;
		if (*end != '\0')
			*end++ = '\0';
		if (*line != '\0')
			print("%s| %s\n", name, line);
	}
}

/* An element of kern.objcache.stats. */
struct cache_stats {
	char		name[32];
	unsigned long	limit, requested, used, cached, exhausted, failed;
	unsigned long	allocated, reserved[5];
};

static void
print_caches(void)
{
	static struct cache_stats caches[256];
	size_t size = sizeof(caches);

	if (!kvar_bytes("kern.objcache.stats", caches, &size))
		return;
	for (size_t i = 0; i < size / sizeof(caches[0]); ++i)
		print("kern.objcache.stats| %s used=%lu cached=%lu "
		    "requested=%lu failed=%lu\n", caches[i].name,
		    caches[i].used, caches[i].cached, caches[i].requested,
		    caches[i].failed);
}

/* Of all processors, by the guest's clock: compare with --icount. */
static void
print_cpu_time(void)
{
	unsigned long us[5];	/* user, nice, system, interrupt, idle */
	size_t size = sizeof(us);

	if (kvar_bytes("kern.cp_time", us, &size))
		print("stat cpu_us user=%lu system=%lu interrupt=%lu "
		    "idle=%lu\n", us[0] + us[1], us[2], us[3], us[4]);
}

static void
print_statistics(const char *when)
{
	print("probe: statistics %s\n", when);
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); ++i)
		if (kvar(counters[i]) >= 0)
			print("stat %s %ld\n", counters[i], kvar(counters[i]));
	print_cpu_time();
	print_text("vm.zone");
	print_caches();
	print_text("kern.kmalloc_ext");
	print_text("vm.lastpages");
}

static void
finish(void)
{
	print_statistics("after");
	print("stat words_verified %lu\n", tally->words);
	print("stat words_wrong %lu\n", tally->wrong);
	if (tally->wrong != 0)
		test_fail("%lu words wrong", tally->wrong);
	test_pass();
}

static void
refuse_pages(unsigned long every)
{
	if (option_number("fail", 0) != 0 &&
	    !kvar_set("vm.inject.fail_every", (long)every))
		test_fail("cannot set vm.inject.fail_every; is vm_failpage.c "
		    "in the kernel?");
}

static void
verify(const struct region *r)
{
	uint64_t wrong = region_verify(r);

	__atomic_add_fetch(&tally->wrong, wrong, __ATOMIC_RELAXED);
	__atomic_add_fetch(&tally->words, r->bytes / sizeof(*r->words),
	    __ATOMIC_RELAXED);
}

/* All of it is dirty at once: nobody verifies before the last has written. */
static void
dirty_and_verify(unsigned long procs, unsigned long bytes,
    unsigned long passes)
{
	struct barrier b;

	barrier_init(&b);
	for (unsigned long i = 0; i < procs; ++i) {
		struct region r;

		if (!spawn())
			continue;
		region_map(&r, bytes / procs, MAP_PRIVATE, seed + i);
		region_dirty(&r);
		barrier_wait(&b);
		for (unsigned long pass = 1; pass <= passes; ++pass) {
			verify(&r);
			print("probe: process %lu has read back %lu times, "
			    "%ld pages in\n", i + 1, pass,
			    kvar("vm.stats.vm.v_swappgsin"));
		}
		child_exit(0);
	}
	barrier_release(&b, procs);
	print("probe: %lu processes dirtied %lu MiB, %ld pages out\n", procs,
	    bytes / MIB, kvar("vm.stats.vm.v_swappgsout"));
	reap(procs);
	print("probe: read back %lu times, %ld pages in\n", passes,
	    kvar("vm.stats.vm.v_swappgsin"));
}

static void
share(unsigned long sharers)
{
	struct barrier b;
	struct region r;

	barrier_init(&b);
	region_map(&r, SHARED_BYTES, MAP_SHARED, seed);
	region_dirty(&r);
	for (unsigned long i = 0; i < sharers; ++i) {
		if (!spawn())
			continue;
		verify(&r);
		barrier_wait(&b);
		child_exit(0);
	}
	barrier_release(&b, sharers);
	reap(sharers);
	unmap(r.words, r.bytes);
	print("probe: %lu processes shared %lu pages\n", sharers,
	    SHARED_BYTES / PAGE_BYTES);
}

/* Neighbours differ in protection, or they would be one map entry. */
static uint64_t *
map_entry(unsigned long i)
{
	return map(PAGE_BYTES, i % 2 != 0 ? PROT_READ : PROT_READ | PROT_WRITE,
	    MAP_PRIVATE);
}

static void
churn(unsigned long procs, unsigned long maps)
{
	struct barrier b;

	barrier_init(&b);
	for (unsigned long p = 0; p < procs; ++p) {
		static uint64_t *page[MAPS_MAX];
		uint64_t wrong = 0;

		if (!spawn())
			continue;
		for (unsigned long i = 0; i < maps; ++i) {
			page[i] = map_entry(i);
			if (i % 2 == 0)
				*page[i] = seed + i;
		}
		barrier_wait(&b);
		for (unsigned long i = 0; i < maps; ++i) {
			wrong += *page[i] != (i % 2 == 0 ? seed + i : 0);
			unmap(page[i], PAGE_BYTES);
		}
		__atomic_add_fetch(&tally->wrong, wrong, __ATOMIC_RELAXED);
		child_exit(0);
	}
	barrier_release(&b, procs);
	reap(procs);
	print("probe: %lu processes made and unmade %lu mappings each\n",
	    procs, maps);
}

static void
paging(void)
{
	unsigned long factor = option_range("factor", 3, 1, 1000);
	unsigned long bytes = MIB * option_range("mib", factor * ram / MIB, 1,
	    1000 * ram / MIB);
	unsigned long procs = option_range("procs", 4, 1, PROCS_MAX);
	unsigned long maps = option_range("maps", 2000, 0, MAPS_MAX);
	unsigned long sharers = option_range("sharers", 32, 0, PROCS_MAX);
	long out;

	if (swap + ram / 2 < bytes)
		test_fail("swap disk too small: %lu MiB for %lu MiB of dirty "
		    "memory on %lu MiB of RAM", swap / MIB, bytes / MIB,
		    ram / MIB);
	refuse_pages(option_number("fail", 0));
	dirty_and_verify(procs, bytes, option_range("passes", 2, 1, 1000000));
	refuse_pages(0);
	share(sharers);
	churn(procs, maps);
	out = kvar("vm.stats.vm.v_swappgsout");
	if (kvar("vm.swap_anon_use") > out / 4)
		test_fail("%ld pages of swap are in use although all who "
		    "filled it have gone", kvar("vm.swap_anon_use"));
	if ((unsigned long)out * PAGE_BYTES + ram < bytes)
		test_fail("only %ld pages went out", out);
	finish();
}

/*
 * What several processes do at low memory: they map the same pages, each by
 * `tables' page tables of its own, and make `maps' mappings.
 */
static struct {
	unsigned long	procs, tables, maps;
	uint64_t	*words;
	struct barrier	start, end;
} crowd;

/* The word that the i-th page table maps. */
static uint64_t *
crowd_word(unsigned long i)
{
	return crowd.words + i * (TABLE_BYTES / sizeof(uint64_t));
}

static void
crowd_init(void)
{
	crowd.tables = option_range("tables", 0, 0, TABLES_MAX);
	crowd.maps = option_range("maps", 0, 0, MAPS_MAX);
	if (crowd.tables == 0 && crowd.maps == 0)
		return;
	crowd.procs = option_range("sharers", 32, 0, PROCS_MAX);
	barrier_init(&crowd.start);
	barrier_init(&crowd.end);
	if (crowd.tables == 0)
		return;
	crowd.words = map(crowd.tables * TABLE_BYTES, PROT_READ | PROT_WRITE,
	    MAP_SHARED);
	for (unsigned long i = 0; i < crowd.tables; ++i)
		*crowd_word(i) = seed + i;
}

/*
 * What they do, they do between two barriers.  One used twice would not do: who
 * gets there first again may take what releases another.
 */
static void
crowd_spawn(void)
{
	for (unsigned long p = 0; p < crowd.procs; ++p) {
		uint64_t wrong = 0;

		if (!spawn())
			continue;
		barrier_wait(&crowd.start);
		for (unsigned long i = 0; i < crowd.tables; ++i)
			wrong += *crowd_word(i) != seed + i;
		for (unsigned long i = 0; i < crowd.maps; ++i)
			map_entry(i);
		barrier_wait(&crowd.end);
		__atomic_add_fetch(&tally->wrong, wrong, __ATOMIC_RELAXED);
		__atomic_add_fetch(&tally->words, crowd.tables,
		    __ATOMIC_RELAXED);
		child_exit(0);
	}
}

static void
corner_round(const struct region *r, unsigned long level, unsigned long round)
{
	long before = kvar("vm.stats.vm.v_swappgsout");

	crowd_spawn();
	print("corner: leaving %lu pages free, round %lu\n", level, round);
	if (!kvar_set("vm.inject.leave_free", (long)level))
		test_fail("cannot set vm.inject.leave_free; is vm_leavefree.c "
		    "in the kernel?");
	refuse_pages(option_number("fail", 0));
	barrier_release(&crowd.start, crowd.procs);
	region_dirty(r);
	barrier_release(&crowd.end, crowd.procs);
	refuse_pages(0);
	print("corner: N=%lu round %lu: %ld pages out\n", level, round,
	    kvar("vm.stats.vm.v_swappgsout") - before);
	kvar_set("vm.inject.leave_free", -1);
	reap(crowd.procs);
}

static void
corner(void)
{
	static struct region regions[ROUNDS_MAX];
	char buffer[512];
	const char *levels = option_word("levels", "0,8,64", buffer,
	    sizeof(buffer));
	unsigned long rounds = option_range("rounds", 4, 1, ROUNDS_MAX);
	unsigned long pages = (unsigned long)kvar("vm.stats.vm.v_page_count");
	size_t n = 0;

	crowd_init();
	region_map(&regions[n], ram / 100 * 45, MAP_PRIVATE, seed);
	region_dirty(&regions[n++]);
	do {
		unsigned long level = next_number(&levels, pages);

		for (unsigned long round = 1; round <= rounds; ++round) {
			if (n == ROUNDS_MAX)
				test_fail("more than %lu rounds",
				    (unsigned long)ROUNDS_MAX);
			region_map(&regions[n], ram / 1000 * 35, MAP_PRIVATE,
			    seed + n);
			corner_round(&regions[n++], level, round);
		}
	} while (*levels != '\0');
	if (kvar("vm.stats.vm.v_swappgsout") == 0)
		test_fail("not one page went out");
	for (size_t i = 0; i < n; ++i)
		verify(&regions[i]);
	finish();
}

int
main(void)
{
	char name[32], device[32];
	const char *test;
	unsigned long burst;
	long error;

	runtime_init("probe");
	test = option_word("test", "paging", name, sizeof(name));
	seed = option_number("seed", 1);
	ram = (unsigned long)kvar("hw.physmem");
	error = swap_on(option_word("swap", "/dev/vbd0", device,
	    sizeof(device)));
	if (error < 0)
		test_fail("swapon: errno %ld; is virtio_blk in the kernel?",
		    -error);
	swap = (unsigned long)kvar("vm.swap_size") * PAGE_BYTES;
	burst = option_number("burst", 0);
	if (burst != 0 && !kvar_set("vm.swap_burst_read", (long)burst))
		test_fail("cannot set vm.swap_burst_read");
	tally = map(sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED);
	print("%s: %ld CPUs, ram %lu MiB, swap %lu MiB, seed %lu\n", test,
	    kvar("hw.ncpu"), ram / MIB, swap / MIB, seed);
	print_statistics("before");
	if (word_equal(test, "paging")) {
		set_test("paging");
		paging();
	}
	if (word_equal(test, "corner")) {
		set_test("corner");
		corner();
	}
	test_fail("no test `%s'; expected paging or corner", test);
}
