/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * paging: dirty `factor' times the machine's RAM, or `mib' MiB, read it back
 * `passes' times, check every word.  What does not fit has to leave for the
 * swap disk and return.
 *
 * Kernel arguments: factor (3) or mib, passes (2), seed (1).
 */
#include "support.h"

#include <stdio.h>

static const char test[] = "paging";

int
main(void)
{
	struct region r;
	unsigned long ram = machine_ram();
	unsigned long factor = option_range("factor", 3, 1, 1000);
	unsigned long mib = option_range("mib", factor * ram / MIB, 1,
	    1000 * ram / MIB);
	unsigned long passes = option_range("passes", 2, 1, 1000000);
	unsigned long seed = option_number("seed", 1);
	unsigned long swap = machine_swap();
	uint64_t wrong = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("%s: ram %lu MiB, swap %lu MiB, dirtying %lu MiB, seed %lu\n",
	    test, ram / MIB, swap / MIB, mib, seed);
	if (swap + ram / 2 < mib * MIB)
		test_fail(test, "swap disk too small: %lu MiB for %lu MiB of "
		    "dirty memory on %lu MiB of RAM; expected --swap %lu or more",
		    swap / MIB, mib, ram / MIB, mib);

	region_map(&r, test, mib * MIB, seed);
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
