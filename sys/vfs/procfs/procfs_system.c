/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * procfs: the files of /proc itself, in the form in which ps, top, free, uptime
 * and their like expect them.  Sizes are in KB, times in clock ticks, of which
 * programs expect a hundred a second.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/kinfo.h>
#include <sys/proc.h>
#include <sys/time.h>
#include <sys/vmmeter.h>
#include <vfs/procfs/procfs.h>

#include <vm/vm.h>
#include <vm/swap_pager.h>

#include <machine/cpufunc.h>

#define	METER(name)	vm_meter_sum(offsetof(struct vmmeter, name))

static void
procfs_meminfo(struct procfs_text *t, struct proc *p)
{
	const struct {
		const char	*name;
		long		pages;
	} lines[] = {
		{ "MemTotal:", vmstats.v_page_count },
		{ "MemFree:", vmstats.v_free_count },
		{ "MemAvailable:", vmstats.v_free_count +
		    vmstats.v_inactive_count },
		{ "Buffers:", 0 },
		{ "Cached:", 0 },
		{ "SwapCached:", 0 },
		{ "Active:", vmstats.v_active_count },
		{ "Inactive:", vmstats.v_inactive_count },
		{ "Wired:", vmstats.v_wire_count },
		{ "SwapTotal:", vm_swap_max },
		{ "SwapFree:", vm_swap_size },
	};
	int i;

	for (i = 0; i < NELEM(lines); ++i)
		procfs_printf(t, "%-15s%9ld kB\n", lines[i].name,
		    pgtok(lines[i].pages));
}

static void
procfs_cputime(struct procfs_text *t, const struct kinfo_cputime *cp)
{
	procfs_printf(t, " %lu 0 %lu %lu 0 %lu 0 0 0 0\n", cp->cp_user,
	    cp->cp_sys, cp->cp_idle, cp->cp_intr);
}

static void
procfs_cpustat(struct procfs_text *t, struct proc *p)
{
	struct kinfo_cputime sum = { 0 };
	int cpu;

	for (cpu = 0; cpu < ncpus; ++cpu) {
		sum.cp_user += cputime_percpu[cpu].cp_user;
		sum.cp_sys += cputime_percpu[cpu].cp_sys;
		sum.cp_intr += cputime_percpu[cpu].cp_intr;
		sum.cp_idle += cputime_percpu[cpu].cp_idle;
	}
	procfs_printf(t, "cpu ");
	procfs_cputime(t, &sum);
	for (cpu = 0; cpu < ncpus; ++cpu) {
		procfs_printf(t, "cpu%d", cpu);
		procfs_cputime(t, &cputime_percpu[cpu]);
	}
	procfs_printf(t, "intr %ld\nctxt %ld\nbtime 0\nprocesses %ld\n"
	    "procs_running %d\nprocs_blocked 0\n", METER(v_intr),
	    METER(v_swtch), forks_done, runnable_threads());
}

static void
procfs_vmstat(struct procfs_text *t, struct proc *p)
{
	procfs_printf(t, "nr_free_pages %ld\nnr_active_anon %ld\n"
	    "nr_inactive_anon %ld\nnr_wired %ld\n", vmstats.v_free_count,
	    vmstats.v_active_count, vmstats.v_inactive_count,
	    vmstats.v_wire_count);
	procfs_printf(t, "pswpin %ld\npswpout %ld\npgfault %ld\npgfree %ld\n"
	    "pgscan %ld\npgsteal %ld\n", METER(v_swappgsin),
	    METER(v_swappgsout), METER(v_vm_faults), METER(v_tfree),
	    METER(v_pdpages), METER(v_dfree));
}

static void
procfs_uptime(struct procfs_text *t, struct proc *p)
{
	u_long idle = 0, up = sbticks;
	int cpu;

	for (cpu = 0; cpu < ncpus; ++cpu)
		idle += cputime_percpu[cpu].cp_idle;
	procfs_printf(t, "%lu.%02lu %lu.%02lu\n", up / hz, up % hz * 100 / hz,
	    idle / hz, idle % hz * 100 / hz);
}

static void
procfs_loadavg(struct procfs_text *t, struct proc *p)
{
	u_long avg;
	int i;

	for (i = 0; i < NELEM(averunnable.ldavg); ++i) {
		avg = averunnable.ldavg[i];
		procfs_printf(t, "%lu.%02lu ", avg / averunnable.fscale,
		    avg % averunnable.fscale * 100 / averunnable.fscale);
	}
	procfs_printf(t, "%d/%d %d\n", runnable_threads(), nprocs,
	    curproc->p_pid);
}

static void
procfs_cpuinfo(struct procfs_text *t, struct proc *p)
{
	u_int regs[4], vendor[4] = { 0 };
	int cpu;

	do_cpuid(0, regs);
	vendor[0] = regs[1];
	vendor[1] = regs[3];
	vendor[2] = regs[2];
	for (cpu = 0; cpu < ncpus; ++cpu)
		procfs_printf(t, "processor\t: %d\nvendor_id\t: %s\n\n", cpu,
		    (const char *)vendor);
}

static void
procfs_mounts(struct procfs_text *t, struct proc *p)
{
	procfs_printf(t, "tmpfs / tmpfs rw 0 0\nproc /proc proc ro 0 0\n");
}

static void
procfs_swaps(struct procfs_text *t, struct proc *p)
{
	procfs_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (vm_swap_max != 0)
		procfs_printf(t, "/dev/vbd0\t\t\t\tpartition\t%ld\t\t%ld\t\t0\n",
		    pgtok(vm_swap_max), pgtok(vm_swap_max - vm_swap_size));
}

static void
procfs_version(struct procfs_text *t, struct proc *p)
{
	procfs_printf(t, "Reference kernel, x86-64\n");
}

const struct procfs_entry procfs_system_entries[] = {
	{ "cpuinfo", procfs_cpuinfo },
	{ "loadavg", procfs_loadavg },
	{ "meminfo", procfs_meminfo },
	{ "mounts", procfs_mounts },
	{ "stat", procfs_cpustat },
	{ "swaps", procfs_swaps },
	{ "uptime", procfs_uptime },
	{ "version", procfs_version },
	{ "vmstat", procfs_vmstat },
	{ NULL, NULL }
};
