/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Per-cpu data of the host's fake kernel: <sys/globaldata.h> of these tests.
 */

#ifndef FAKE_GLOBALDATA_H
#define	FAKE_GLOBALDATA_H

#include <sys/_malloc.h>

struct globaldata {
	int		gd_cpuid;
	int		gd_rand_incr;
	KMGlobalData	gd_kmslab;
	int		gd_vme_avail;	/* of zalloc: see fake_old.h */
	struct vm_map_entry *gd_vme_base;
};
typedef struct globaldata *globaldata_t;

#ifdef __cplusplus
extern "C" {
#endif

#ifdef FAKE_SMP
extern struct globaldata fake_globaldata[MAXCPU];
extern __thread struct globaldata *fake_mycpu;
#define	mycpu			fake_mycpu
#define	globaldata_find(cpu)	(&fake_globaldata[cpu])
void	lwkt_setcpu_self(struct globaldata *);
#else
extern struct globaldata fake_globaldata;
#define	mycpu			(&fake_globaldata)
#define	globaldata_find(cpu)	(&fake_globaldata)
#define	lwkt_setcpu_self(gd)	((void)(gd))
#endif

#ifdef __cplusplus
}
#endif

#endif
