/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_PARAM_H_
#define	_SYS_PARAM_H_

#include <sys/types.h>
#include <machine/param.h>

#define	roundup2(n, to)	(((n) + (to) - 1) & ~((to) - 1))

#endif
