/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VM's numbers, for people: vm.stats.*, and the watchdog's report.
 * Counters of struct vmmeter are sums over all cpus.  All are longs.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/sysctl.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>
#include <vm/swap_pager.h>

long
vm_meter_sum(size_t offset)
{
	long sum;
	int cpu;

	sum = 0;
	for (cpu = 0; cpu < ncpus; ++cpu)
		sum += *(u_int *)((char *)&globaldata_find(cpu)->gd_cnt +
		    offset);
	return (sum);
}

static int
vm_meter_handler(SYSCTL_HANDLER_ARGS)
{
	long sum;

	sum = vm_meter_sum(arg2);
	return (sysctl_handle_long(oidp, &sum, 0, req));
}

#define	VM_METER(name, descr)						\
	SYSCTL_PROC(_vm_stats, OID_AUTO, name, CTLTYPE_LONG | CTLFLAG_RD, \
	    NULL, offsetof(struct vmmeter, name), vm_meter_handler, "L", \
	    descr)

VM_METER(v_swtch, "context switches");
VM_METER(v_trap, "traps taken");
VM_METER(v_syscall, "system calls");
VM_METER(v_intr, "device interrupts");
VM_METER(v_ipiq, "messages of other cpus");
VM_METER(v_shootdown, "waits for other cpus to drop TLB entries");
VM_METER(v_migrate, "threads that left for another cpu");
VM_METER(v_vm_faults, "page faults served");
VM_METER(v_zfod, "pages zero filled on demand");
VM_METER(v_cow_faults, "pages copied on a write");
VM_METER(v_swapin, "swap read operations");
VM_METER(v_swapout, "swap write operations");
VM_METER(v_swappgsin, "pages read from swap");
VM_METER(v_swappgsout, "pages written to swap");
VM_METER(v_intrans, "faults that waited for a busy page");
VM_METER(v_reactivated, "inactive pages found in use");
VM_METER(v_pdwakeups, "rounds of the page-out daemon");
VM_METER(v_pdpages, "pages looked at by the daemon");
VM_METER(v_dfree, "pages freed by the daemon");
VM_METER(v_tfree, "pages freed");

#define	VM_STAT(name, descr)						\
	SYSCTL_LONG(_vm_stats, OID_AUTO, name, CTLFLAG_RD,		\
	    &vmstats.name, 0, descr)

VM_STAT(v_page_count, "pages managed");
VM_STAT(v_free_count, "pages free");
VM_STAT(v_wire_count, "pages wired");
VM_STAT(v_active_count, "pages active");
VM_STAT(v_inactive_count, "pages inactive");
VM_STAT(v_free_min, "page-out must run below");
VM_STAT(v_free_target, "page-out's goal");
VM_STAT(v_free_reserved, "ordinary allocations fail below");
VM_STAT(v_free_severe, "page faults stall below");
VM_STAT(v_interrupt_free_min, "system allocations fail below");

void
vm_watchdog_report(void)
{
	kprintf("vm: %ld free of %ld pages (%ld active, %ld inactive, "
	    "%ld wired)\n", vmstats.v_free_count, vmstats.v_page_count,
	    vmstats.v_active_count, vmstats.v_inactive_count,
	    vmstats.v_wire_count);
	kprintf("vm: thresholds: target %ld, min %ld, severe %ld, "
	    "normal %ld, system %ld, interrupt 0\n", vmstats.v_free_target,
	    vmstats.v_free_min, vmstats.v_free_severe,
	    vmstats.v_free_reserved, vmstats.v_interrupt_free_min);
	kprintf("vm: still to be had: normal %ld, system %ld, interrupt %ld\n",
	    lmax(vmstats.v_free_count - vmstats.v_free_reserved + 1, 0),
	    lmax(vmstats.v_free_count - vmstats.v_interrupt_free_min, 0),
	    vmstats.v_free_count);
	kprintf("vm: %ld pages swapped out, %ld in; %ld of %ld swap blocks "
	    "free; %u failed allocations\n",
	    vm_meter_sum(offsetof(struct vmmeter, v_swappgsout)),
	    vm_meter_sum(offsetof(struct vmmeter, v_swappgsin)),
	    (long)vm_swap_size, (long)vm_swap_max, vm_pageout_deficit);
	if (pagethread != NULL)
		kprintf("vm: page-out thread %s, pages needed %d\n",
		    pagethread->td_wmesg != NULL ? pagethread->td_wmesg :
		    "running", vm_pages_needed);
	if (emergpager != NULL)
		kprintf("vm: emergency page-out thread %s\n",
		    emergpager->td_wmesg != NULL ? emergpager->td_wmesg :
		    "running");
}
