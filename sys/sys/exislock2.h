/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Operations on existence locks, see <sys/exislock.h>.
 */
#ifndef _SYS_EXISLOCK2_H_
#define	_SYS_EXISLOCK2_H_

#include <sys/exislock.h>
#include <sys/globaldata.h>
#include <machine/thread.h>

/* A reader's section, on the cpu it knows it runs on. */
static __inline void
exis_hold_gd(globaldata_t gd)
{
	gd->gd_exislockcnt += 1;
}

static __inline void
exis_drop_gd(globaldata_t gd)
{
	gd->gd_exislockcnt -= 1;
	if (gd->gd_exislockcnt == 0)
		gd->gd_exisarmed = 1;	/* the next tick may count it out */
}

/* The same for a caller that has not looked. */
static __inline void
exis_hold(void)
{
	globaldata_t gd = mycpu;

	exis_hold_gd(gd);
}

static __inline void
exis_drop(void)
{
	globaldata_t gd = mycpu;

	exis_drop_gd(gd);
}

/* Used again: live, whatever it was. */
static __inline void
exis_setlive(exislock_t *xlk)
{
	xlk->pseudo_ticks = 0;
}

static __inline void
exis_init(exislock_t *xlk)
{
	exis_setlive(xlk);
}

/*
 * Pseudo ticks left until the object ends (0 for a live one); negative once
 * it has ended.
 */
static __inline long
exis_poll(exislock_t *xlk)
{
	long end = xlk->pseudo_ticks;

	return (end == 0 ? 0 : end - pseudo_ticks);
}

static __inline int
exis_state(exislock_t *xlk)
{
	long left;

	if (xlk->pseudo_ticks == 0)
		return (EXIS_LIVE);
	left = exis_poll(xlk);
	if (left >= 0)
		return (EXIS_CACHED);
	return (left > -3 ? EXIS_NOTCACHED : EXIS_TERMINATE);
}

static __inline int
exis_usable(exislock_t *xlk)
{
	return (exis_poll(xlk) >= 0);
}

/* No reader can see the object any more. */
static __inline int
exis_freeable(exislock_t *xlk)
{
	return (exis_poll(xlk) <= -3);
}

/* Give the object up: two pseudo ticks later it is freeable. */
static __inline void
exis_terminate(exislock_t *xlk)
{
	xlk->pseudo_ticks = pseudo_ticks - 1;
}

#endif
