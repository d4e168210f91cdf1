/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_CLOCK_H_
#define	_MACHINE_CLOCK_H_

#include <sys/types.h>

#define	TIMER_FREQ	1193182		/* of the i8254, Hz */

/*
 * Spin for us microseconds by the i8254, before it is the system's clock.
 * Returns how far it counted.
 */
u_int	i8254_wait(u_int us);

#endif
