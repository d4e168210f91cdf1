/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_GLOBALDATA_H_
#define	_SYS_GLOBALDATA_H_

struct globaldata {
	int	gd_cpuid;
};

extern struct globaldata *mycpu;

#endif
