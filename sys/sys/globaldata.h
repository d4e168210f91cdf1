/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Per-processor data, reached through `mycpu'.  Only the owning processor
 * writes it, except where a field says otherwise.
 */
#ifndef _SYS_GLOBALDATA_H_
#define	_SYS_GLOBALDATA_H_

#include <sys/types.h>
#include <sys/time.h>
#include <sys/vmmeter.h>
#include <sys/thread.h>
#include <sys/slaballoc.h>
#include <sys/_malloc.h>
#include <sys/queue.h>
#include <machine/thread.h>

struct vm_map_entry;
struct pmap;

struct globaldata {
	struct globaldata *gd_prvspace;		/* this structure */
	struct thread	*gd_curthread;
	uint64_t	gd_rsp0;		/* stack on entry from user */
	uint64_t	gd_scratch_rsp;		/* system call entry only */
	volatile u_int	gd_reqflags;		/* RQF_* */
	int		gd_cpuid;
	u_int		gd_apicid;		/* to interrupt it */
	int		gd_idleinvl;		/* halted, see pmap_inval.c */
	cpumask_t	gd_cpumask;
	lwkt_queue	gd_tdallq;		/* its threads: lwkt_allq_spin */
	lwkt_queue	gd_tdrunq;		/* ready, by priority */
	int		gd_tdrunqcount;
	struct thread	*gd_prevthread;		/* switched from, just now */
	int		gd_intr_nesting_level;
	int		gd_trap_nesting_level;
	int		gd_spinlocks;		/* spinlocks held */
	struct vmmeter	gd_cnt;
	struct vmtotal	gd_vmtotal;
	struct vmstats	gd_vmstats;		/* copy of vmstats */
	struct vmstats	gd_vmstats_adj;		/* not yet rolled up */
	SLGlobalData	gd_slab;		/* kmalloc() */
	KMGlobalData	gd_kmslab;		/* kmalloc_obj() */
	int		gd_vme_avail;		/* free entries not reserved */
	struct vm_map_entry *gd_vme_base;	/* free entries */
	int		gd_timer_running;
	int		gd_quick_color;
	int		gd_rand_incr;
	volatile u_int	gd_time_seconds;	/* uptime */
	int		gd_exisarmed;
	long		gd_exislockcnt;
	struct thread	*gd_npxthread;		/* whose state the FPU has */
	struct pmap	*gd_pmap;		/* loaded */
	struct thread	gd_idlethread;
} __cachealign;

typedef struct globaldata *globaldata_t;

#define	RQF_IPIQ		0x0001
#define	RQF_INTPEND		0x0002
#define	RQF_AST_LWKT_RESCHED	0x0020	/* a more urgent thread is ready */
#define	RQF_TIMER		0x0080
#define	RQF_IDLECHECK_MASK \
	(RQF_IPIQ | RQF_INTPEND | RQF_TIMER | RQF_AST_LWKT_RESCHED)

extern struct globaldata CPU_prvspace[MAXCPU];

static __inline struct globaldata *
globaldata_find(int cpu)
{
	return (&CPU_prvspace[cpu]);
}

#endif
