/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several processors.
 */
#ifndef _MACHINE_SMP_H_
#define	_MACHINE_SMP_H_

#include <sys/cpumask.h>

struct globaldata;
struct pmap;

extern volatile cpumask_t smp_active_mask; /* those which run the kernel */

void	init_secondary(void) __dead2;
void	init_cpu(int cpu);		/* descriptors and system call entry */

/* Interrupt target, and its vector's handler there. */
void	cpu_send_ipiq(struct globaldata *target);
void	ipi_dispatch(int vector, int usermode);

/* The others stop where they are, for good.  Any context. */
void	stop_cpus(void);

/*
 * Drop what any processor remembers of [sva, eva), which the caller has
 * changed in pmap's tables; returns when none does.  Not with interrupts off
 * while holding what another may spin for with interrupts off.
 */
void	pmap_inval_smp(struct pmap *pmap, vm_offset_t sva, vm_offset_t eva);
void	pmap_inval_mask(cpumask_t mask, vm_offset_t sva, vm_offset_t eva);

/* The same for one user page, some time soon; does not wait. */
void	pmap_inval_later(struct pmap *pmap, vm_offset_t va);
void	pmap_inval_pending(void);
void	pmap_inval_idle_enter(struct globaldata *gd);
void	pmap_inval_idle_leave(struct globaldata *gd);

/* Obey the requests of others; for loops that wait with interrupts off. */
void	pmap_inval_intr(void);

#endif
