/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * kvar NAME...: print kernel variables, numbers or text.
 */
#include "support.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
	long value;

	for (int i = 1; i < argc; ++i) {
		if (kvar_get_long(argv[i], &value) == 0)
			printf("stat %s %ld\n", argv[i], value);
		else
			kvar_print_text(argv[i]);
	}
	return 0;
}
