/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pseudo random numbers (xorshift64*): the same ones in every run.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/spinlock2.h>

u_long
krandom(void)
{
	static struct spinlock spin = SPINLOCK_INITIALIZER(, "krandom");
	static uint64_t state = 0x9e3779b97f4a7c15UL;
	uint64_t v;

	spin_lock(&spin);
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	v = state * 0x2545f4914f6cdd1dUL;
	spin_unlock(&spin);
	return (v);
}
