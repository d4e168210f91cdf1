/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * leave: end the machine with any status, having said any verdict.
 *
 * Kernel arguments: status (0), say (PASS): the verdict, or `nothing';
 * off (0): not by a status, but by switching the machine off.
 */
#include "support.h"

#include <sys/reboot.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(void)
{
	const char *say = option_word("say", "PASS");
	int status = (int)option_range("status", 0, 0, 255);

	if (strcmp(say, "nothing") != 0)
		printf("KMOBJ: %s leave\n", say);
	fflush(stdout);
	if (option_range("off", 0, 0, 1) != 0)
		reboot(RB_POWER_OFF);
	return status;
}
