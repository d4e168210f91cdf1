/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_VMMETER_H_
#define	_SYS_VMMETER_H_

/*
 * Counters of the VM system.  struct vmmeter lives once per cpu
 * (mycpu->gd_cnt) and is only ever bumped by its own cpu; struct vmstats is
 * global and its queue counts change with atomic operations.
 */

#include <sys/types.h>

struct vmmeter {
	u_int	v_swtch;	/* context switches */
	u_int	v_trap;		/* traps taken */
	u_int	v_syscall;	/* system calls */
	u_int	v_intr;		/* device interrupts */
	u_int	v_timer;	/* clock interrupts */
	u_int	v_ipiq;		/* messages of other cpus */
	u_int	v_shootdown;	/* waits for others to drop TLB entries */
	u_int	v_migrate;	/* threads that left for another cpu */
	u_int	v_vm_faults;	/* page faults served */
	u_int	v_zfod;		/* pages zero filled on demand */
	u_int	v_cow_faults;	/* pages copied on a write */
	u_int	v_swapin;	/* swap read operations */
	u_int	v_swapout;	/* swap write operations */
	u_int	v_swappgsin;	/* pages read from swap */
	u_int	v_swappgsout;	/* pages written to swap */
	u_int	v_intrans;	/* faults that waited for a busy page */
	u_int	v_reactivated;	/* laundry pages found referenced */
	u_int	v_pdwakeups;	/* times the page-out daemon woke up */
	u_int	v_pdpages;	/* pages looked at by the daemon */
	u_int	v_dfree;	/* pages freed by the daemon */
	u_int	v_tfree;	/* pages freed in all */
};

struct vmstats {
	u_int	v_page_size;	/* bytes */
	long	v_page_count;	/* pages managed */

	long	v_free_severe;	/* user faults stall below this */
	long	v_free_reserved; /* VM_ALLOC_NORMAL fails below this */
	long	v_free_min;	/* the daemon must run below this */
	long	v_free_target;	/* the daemon's goal */
	long	v_inactive_target; /* inactive pages to keep */
	long	v_paging_wait;	/* vm_wait() callers resume above this */
	long	v_paging_start;	/* the daemon starts below this */
	long	v_paging_target1; /* the daemon slows down above this */
	long	v_paging_target2; /* the daemon stops above this */
	long	v_pageout_free_min; /* kept for the daemon itself */
	long	v_interrupt_free_min; /* VM_ALLOC_SYSTEM fails below this */

	long	v_free_count;
	long	v_wire_count;
	long	v_active_count;
	long	v_inactive_count;
};

struct vmtotal {
	long	t_rm;		/* pages in use */
	long	t_free;		/* pages free */
};

#ifdef _KERNEL
extern struct vmstats vmstats;
#endif

#endif /* _SYS_VMMETER_H_ */
