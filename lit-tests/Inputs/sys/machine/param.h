/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _MACHINE_PARAM_H_
#define	_MACHINE_PARAM_H_

#define	SMP_MAXCPU	4
#define	PAGE_SHIFT	12
#define	PAGE_SIZE	(1 << PAGE_SHIFT)
#define	PAGE_MASK	(PAGE_SIZE - 1)

#endif
