/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _CPU_TRAP_H_
#define	_CPU_TRAP_H_

/* Error code of a page fault. */
#define	PGEX_P		0x01		/* protection, not absence */
#define	PGEX_W		0x02		/* a write */
#define	PGEX_U		0x04		/* from user mode */
#define	PGEX_I		0x10		/* instruction fetch */

#endif
