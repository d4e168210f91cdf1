/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_PAGEOUT_H_
#define	_VM_VM_PAGEOUT_H_

#include <vm/vm_page.h>

#ifdef _KERNEL

struct thread;

extern struct thread *pagethread;	/* the page-out daemon */
extern struct thread *emergpager;	/* the one that watches it */
extern int vm_pages_needed;	/* it has been woken and not caught up */
extern u_int vm_pageout_deficit;	/* allocations that failed since */

void	pagedaemon_wakeup(void);

/*
 * Wait for memory: until the daemon has freed some, or timo ticks (0: no
 * limit).  The daemons never wait here for themselves to run.
 */
void	vm_wait(int timo);

/* The same for a user page fault: only while memory is severely short. */
void	vm_wait_pfault(void);

#endif /* _KERNEL */

#endif /* _VM_VM_PAGEOUT_H_ */
