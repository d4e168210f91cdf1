/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Existence locks: an object outlives, by a known number of pseudo ticks,
 * the moment it was given up, so that a reader between exis_hold() and
 * exis_drop() may still look at it.
 */
#ifndef _SYS_EXISLOCK_H_
#define	_SYS_EXISLOCK_H_

struct exislock {
	long	pseudo_ticks;		/* 0: live; else when it ends */
};
typedef struct exislock exislock_t;

typedef enum exis_state {
	EXIS_TERMINATE,
	EXIS_NOTCACHED,
	EXIS_CACHED,
	EXIS_LIVE
} exis_state_t;

extern long pseudo_ticks;

#endif
