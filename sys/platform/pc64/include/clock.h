/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_CLOCK_H_
#define	_MACHINE_CLOCK_H_

#define	TIMER_FREQ	1193182		/* of the i8254, Hz */

#endif
