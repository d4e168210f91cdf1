/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * procfs: the files of a process's directory.
 *
 * proc_token is held and nothing here blocks, so that the process, its thread
 * and its address space stay.  A zombie has neither of the latter.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/proc.h>
#include <sys/thread.h>
#include <vfs/procfs/procfs.h>

#include <vm/vm.h>
#include <vm/vm_map.h>

struct procfs_size {
	u_long	bytes;			/* mapped */
	long	pages;			/* resident */
};

static struct procfs_size
procfs_size(struct proc *p)
{
	struct vmspace *vm = p->p_vmspace;
	struct procfs_size s = { 0, 0 };

	if (vm != NULL) {
		s.bytes = vm->vm_map.size;
		s.pages = vmspace_pmap(vm)->pm_stats.resident_count;
	}
	return (s);
}

static char
procfs_state(struct proc *p)
{
	struct thread *td = p->p_thread;

	if (td == NULL || p->p_stat == SZOMB)
		return ('Z');
	if (td->td_wmesg == NULL)
		return ('R');
	return (td->td_flags & TDF_SINTR ? 'S' : 'D');
}

/*
 * The fields that no program we know of looks at are zero.
 */
static void
procfs_stat(struct procfs_text *t, struct proc *p)
{
	struct procfs_size s = procfs_size(p);

	procfs_printf(t, "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0 ", p->p_pid,
	    p->p_comm, procfs_state(p),
	    p->p_pptr != NULL ? p->p_pptr->p_pid : 0, p->p_pgid, p->p_sid);
	procfs_printf(t, "%lu %lu %lu %lu 20 0 1 0 %ld %lu %ld ", p->p_uticks,
	    p->p_sticks, p->p_cuticks, p->p_csticks, p->p_start, s.bytes,
	    s.pages);
	procfs_printf(t, "18446744073709551615 0 0 0 0 0 %u %u 0 0 0 0 0 "
	    "%d %d 0 0 0 0 0 0 0 0 0 0 0 0 %d\n", (u_int)p->p_siglist,
	    (u_int)p->p_sigmask, p->p_exitsig,
	    p->p_thread != NULL ? p->p_thread->td_gd->gd_cpuid : 0,
	    p->p_xstat);
}

static void
procfs_statm(struct procfs_text *t, struct proc *p)
{
	struct procfs_size s = procfs_size(p);

	procfs_printf(t, "%lu %ld 0 0 0 %lu 0\n", s.bytes >> PAGE_SHIFT,
	    s.pages, s.bytes >> PAGE_SHIFT);
}

static void
procfs_status(struct procfs_text *t, struct proc *p)
{
	struct procfs_size s = procfs_size(p);

	procfs_printf(t, "Name:\t%s\nState:\t%c\nPid:\t%d\nPPid:\t%d\n",
	    p->p_comm, procfs_state(p), p->p_pid,
	    p->p_pptr != NULL ? p->p_pptr->p_pid : 0);
	procfs_printf(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
	    "VmSize:\t%lu kB\nVmRSS:\t%ld kB\nThreads:\t1\n", s.bytes / 1024,
	    pgtok(s.pages));
}

static void
procfs_comm(struct procfs_text *t, struct proc *p)
{
	procfs_printf(t, "%s\n", p->p_comm);
}

static void
procfs_cmdline(struct procfs_text *t, struct proc *p)
{
	const struct pargs *pa = p->p_args;
	u_int i;

	if (pa == NULL || p->p_stat == SZOMB)
		return;
	for (i = 0; i < pa->ar_length; ++i)
		procfs_printf(t, "%c", pa->ar_args[i]);
}

static void
procfs_wchan(struct procfs_text *t, struct proc *p)
{
	struct thread *td = p->p_thread;
	const char *wmesg = td != NULL ? td->td_wmesg : NULL;

	procfs_printf(t, "%s", wmesg != NULL ? wmesg : "0");
}

const struct procfs_entry procfs_process_entries[] = {
	{ "cmdline", procfs_cmdline },
	{ "comm", procfs_comm },
	{ "stat", procfs_stat },
	{ "statm", procfs_statm },
	{ "status", procfs_status },
	{ "wchan", procfs_wchan },
	{ NULL, NULL }
};
