/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slow half of spinlocks, see <sys/spinlock2.h>.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/spinlock2.h>

/*
 * The lock was found taken.  On one processor nobody else can release it.
 */
void
spin_contested(struct spinlock *spin, const char *ident)
{
	if (ncpus == 1) {
		panic("%s: spinlock \"%s\" is already held, by %s", ident,
		    spin->descr, spin->owner != NULL ?
		    spin->owner->td_comm : "nobody known");
	}
	while (atomic_swap_int(&spin->lock, 1) != 0) {
		while (spin->lock != 0)
			cpu_pause();
	}
}
