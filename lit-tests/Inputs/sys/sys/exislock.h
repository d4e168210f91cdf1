/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_EXISLOCK_H_
#define	_SYS_EXISLOCK_H_

typedef struct exislock {
	long	pseudo_ticks;
} exislock_t;

#endif
