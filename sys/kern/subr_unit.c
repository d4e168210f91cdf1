/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unit numbers.
 *
 * The numbers in use are a list of runs, in order, no two of which touch.  A
 * set thus costs memory for its gaps only, and as the lowest free number is
 * given out first there are few of them.  How many runs there may be is known
 * to the owner of a set, so these come from a zone of his.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/unit.h>

void
unit_init(struct unit_set *us, int low, int high)
{
	lockinit(&us->us_lock, "unit", 0, 0);
	TAILQ_INIT(&us->us_runs);
	us->us_low = low;
	us->us_high = high;
}

static struct unit_run *
unit_run_alloc(vm_zone_t zone, int first, int last)
{
	struct unit_run *ur;

	ur = zalloc(zone);
	ur->ur_first = first;
	ur->ur_last = last;
	return (ur);
}

int
unit_alloc(struct unit_set *us, vm_zone_t zone)
{
	struct unit_run *ur, *next;
	int unit;

	lockmgr(&us->us_lock, LK_EXCLUSIVE);
	ur = TAILQ_FIRST(&us->us_runs);
	if (ur == NULL || ur->ur_first > us->us_low) {
		unit = us->us_low;
		if (ur != NULL && ur->ur_first == unit + 1) {
			ur->ur_first = unit;
		} else {
			ur = unit_run_alloc(zone, unit, unit);
			TAILQ_INSERT_HEAD(&us->us_runs, ur, ur_link);
		}
	} else if (ur->ur_last < us->us_high) {
		unit = ++ur->ur_last;
		next = TAILQ_NEXT(ur, ur_link);
		if (next != NULL && next->ur_first == unit + 1) {
			ur->ur_last = next->ur_last;
			TAILQ_REMOVE(&us->us_runs, next, ur_link);
			zfree(zone, next);
		}
	} else {
		unit = -1;
	}
	lockmgr(&us->us_lock, LK_RELEASE);
	return (unit);
}

void
unit_free(struct unit_set *us, vm_zone_t zone, int unit)
{
	struct unit_run *ur, *rest;

	lockmgr(&us->us_lock, LK_EXCLUSIVE);
	TAILQ_FOREACH(ur, &us->us_runs, ur_link) {
		if (ur->ur_last >= unit)
			break;
	}
	KASSERT(ur != NULL && ur->ur_first <= unit,
	    ("unit_free: %d is not in use", unit));
	if (ur->ur_first == ur->ur_last) {
		TAILQ_REMOVE(&us->us_runs, ur, ur_link);
		zfree(zone, ur);
	} else if (ur->ur_first == unit) {
		++ur->ur_first;
	} else if (ur->ur_last == unit) {
		--ur->ur_last;
	} else {
		rest = unit_run_alloc(zone, unit + 1, ur->ur_last);
		ur->ur_last = unit - 1;
		TAILQ_INSERT_AFTER(&us->us_runs, ur, rest, ur_link);
	}
	lockmgr(&us->us_lock, LK_RELEASE);
}
