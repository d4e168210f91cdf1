/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * corner: paging from the low-memory corner.  45 % of RAM is dirtied; then,
 * four times for each level N, the free pages are eaten down to exactly N and
 * another 3.5 % of RAM is dirtied, which can succeed only if the page-out
 * daemon gets dirty pages to disk although nearly nothing is free.  In the end
 * every word is checked.
 *
 * Kernel arguments: levels (0,8,64), rounds (4), seed (1); delay (0), ticks
 * that disk requests wait.
 */
#include "support.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char test[] = "corner";

int
main(void)
{
	static struct region regions[256];
	unsigned long rounds = option_range("rounds", 4, 1, 256);
	unsigned long seed = option_number("seed", 1);
	long delay = (long)option_range("delay", 0, 0, 1000);
	const char *levels = option_word("levels", "0,8,64");
	unsigned long ram = machine_ram();
	unsigned long pages = (unsigned long)kvar("vm.stats.v_page_count");
	uint64_t wrong = 0, words = 0;
	size_t n = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s: ram %lu MiB, swap %lu MiB, levels %s, seed %lu\n", test,
	    ram / MIB, machine_swap() / MIB, levels, seed);
	region_map(&regions[n], "base", ram / 100 * 45, seed);
	region_dirty(&regions[n++]);

	if (delay != 0 && kvar_set_long("vm.inject.disk_delay", delay) != 0)
		test_fail(test, "vm.inject.disk_delay=%ld: %s", delay,
		    strerror(errno));
	do {
		char *end;
		unsigned long level = strtoul(levels, &end, 0);

		if (!isdigit((unsigned char)*levels) || level > pages ||
		    (*end != ',' && *end != '\0') || strcmp(end, ",") == 0)
			test_fail(test, "kernel environment: levels: expected "
			    "numbers, 0 to %lu, between commas at `%s'", pages,
			    levels);
		levels = *end == ',' ? end + 1 : end;
		for (unsigned long round = 1; round <= rounds; ++round) {
			long before = kvar("vm.stats.v_swappgsout");

			if (n == sizeof(regions) / sizeof(regions[0]))
				test_fail(test, "more than %zu rounds", n);
			region_map(&regions[n], "round", ram / 1000 * 35,
			    seed + n);
			printf("%s: leaving %lu pages free, round %lu\n", test,
			    level, round);
			kvar_set("vm.inject.leave_free", (long)level);
			region_dirty(&regions[n++]);
			printf("%s: N=%lu round %lu: %ld pages out\n", test,
			    level, round,
			    kvar("vm.stats.v_swappgsout") - before);
			kvar_set("vm.inject.leave_free", -1);
		}
	} while (*levels != '\0');
	for (size_t i = 0; i < n; ++i) {
		wrong += region_verify(&regions[i]);
		words += regions[i].bytes / sizeof(uint64_t);
	}
	kvar_print_paging();
	kvar_print("vm.inject.disk_delayed");
	printf("stat words_verified %ju\n", (uintmax_t)words);
	printf("stat words_wrong %ju\n", (uintmax_t)wrong);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
