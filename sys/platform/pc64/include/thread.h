/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mycpu and curthread: %gs holds the address of this processor's
 * globaldata, whose first two words are its own address and the thread
 * running.  A thread may move off its processor unless it is in a critical
 * section, so both are volatile reads.
 */
#ifndef _MACHINE_THREAD_H_
#define	_MACHINE_THREAD_H_

#include <sys/cdefs.h>

struct globaldata;
struct thread;

static __inline struct globaldata *
_get_mycpu(void)
{
	struct globaldata *gd;

	__asm __volatile("movq %%gs:0, %0" : "=r" (gd));
	return (gd);
}

static __inline struct thread *
_get_curthread(void)
{
	struct thread *td;

	__asm __volatile("movq %%gs:8, %0" : "=r" (td));
	return (td);
}

#define	mycpu		_get_mycpu()
#define	mycpuid		(mycpu->gd_cpuid)
#define	curthread	_get_curthread()

#endif
