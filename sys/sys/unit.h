/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Small numbers that are given out and taken back: see kern/subr_unit.c.
 */
#ifndef _SYS_UNIT_H_
#define	_SYS_UNIT_H_

#include <sys/types.h>
#include <sys/lock.h>
#include <sys/queue.h>

#include <vm/vm_zone.h>

struct unit_run {
	TAILQ_ENTRY(unit_run) ur_link;
	int		ur_first;
	int		ur_last;
};

struct unit_set {
	struct lock	us_lock;
	TAILQ_HEAD(, unit_run) us_runs;	/* numbers in use */
	int		us_low;
	int		us_high;
};

/*
 * A set of low to high, none of them in use.  zone holds struct unit_run, and
 * is the same in all calls for a set; it may serve several.  unit_alloc()
 * gives the lowest number not in use, or -1.  Both may block.
 */
void	unit_init(struct unit_set *us, int low, int high);
int	unit_alloc(struct unit_set *us, vm_zone_t zone);
void	unit_free(struct unit_set *us, vm_zone_t zone, int unit);

#endif
