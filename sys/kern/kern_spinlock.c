/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The slow half of spinlocks, see <sys/spinlock2.h>.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/spinlock2.h>

#include <machine/psl.h>
#include <machine/smp.h>

/*
 * The lock was found taken.  On one processor nobody else can release it, and
 * on several nobody can release it for the one who waits.
 */
void
spin_contested(struct spinlock *spin, const char *ident)
{
	if (ncpus == 1 || spin->owner == curthread) {
		panic("%s: spinlock \"%s\" is already held, by %s", ident,
		    spin->descr, spin->owner != NULL ?
		    spin->owner->td_comm : "nobody known");
	}
	while (atomic_swap_int(&spin->lock, 1) != 0) {
		while (spin->lock != 0) {
			if ((read_rflags() & PSL_I) == 0)
				pmap_inval_intr();
			cpu_pause();
		}
	}
}
