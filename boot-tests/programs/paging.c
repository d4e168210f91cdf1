/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * paging: dirty `factor' times the machine's RAM, read it back `passes' times,
 * check every word.  Every page has to leave for the swap disk and return.
 *
 * Kernel arguments: factor (3), passes (2), seed (1).
 */
#include "support.h"

#include <stdio.h>

static const char test[] = "paging";

int
main(void)
{
	struct region r;
	unsigned long factor = option_number("factor", 3);
	unsigned long passes = option_number("passes", 2);
	unsigned long seed = option_number("seed", 1);
	unsigned long ram = machine_ram();
	unsigned long swap = machine_swap();
	uint64_t wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s: ram %lu MiB, swap %lu MiB, dirtying %lu MiB, seed %lu\n",
	    test, ram / MIB, swap / MIB, factor * ram / MIB, seed);
	if (swap < (factor * ram) - ram / 2)
		test_fail(test, "swap disk too small: %lu MiB for %lu MiB of "
		    "dirty memory on %lu MiB of RAM; expected --swap %lu or more",
		    swap / MIB, factor * ram / MIB, ram / MIB,
		    factor * ram / MIB);

	region_map(&r, test, factor * ram, seed);
	region_dirty(&r);
	printf("%s: dirtied %zu pages\n", test, r.bytes / PAGE_BYTES);
	for (unsigned long pass = 1; pass <= passes; ++pass) {
		wrong += region_verify(&r);
		printf("%s: pass %lu of %lu read back\n", test, pass, passes);
	}
	kvar_print_paging();
	printf("stat words_verified %zu\n",
	    passes * (r.bytes / sizeof(*r.words)));
	printf("stat words_wrong %ju\n", (uintmax_t)wrong);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
