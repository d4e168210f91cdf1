/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a process.
 *
 * exit1() gives back what the process has and leaves a zombie, its number,
 * status and times, for the parent's wait4().  Children of a dead process
 * become process 1's.  When process 1 ends, the machine stops.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/imgact.h>
#include <sys/proc.h>
#include <sys/resource.h>
#include <sys/sysent.h>
#include <sys/thread2.h>
#include <sys/wait.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_extern.h>

#include <machine/cpu.h>

/*
 * The parent of a vfork()ed child may go on.
 */
void
proc_ppwait_done(struct proc *p)
{
	lwkt_gettoken(&proc_token);
	if (p->p_flags & P_PPWAIT) {
		p->p_flags &= ~P_PPWAIT;
		wakeup(p->p_pptr);
	}
	lwkt_reltoken(&proc_token);
}

static void
proc_reparent_children(struct proc *p)
{
	struct proc *child;

	while ((child = LIST_FIRST(&p->p_children)) != NULL) {
		LIST_REMOVE(child, p_sibling);
		LIST_INSERT_HEAD(&initproc->p_children, child, p_sibling);
		child->p_pptr = initproc;
		child->p_exitsig = SIGCHLD;
		if (child->p_stat == SZOMB) {
			psignal(initproc, SIGCHLD);
			wakeup(initproc);
		}
	}
}

/*
 * Process 1 ended: so does the machine, with a pass if the status is 0.
 */
static void __dead2
init_exit(int status)
{
	if (W_TERMSIG(status) != 0)
		verdict_fail("pid 1: killed by signal %d", W_TERMSIG(status));
	cpu_exit_qemu(W_EXITSTATUS(status) == 0);
}

/*
 * The current process ends; status is as wait4() reports it.
 */
void
exit1(int status)
{
	struct thread *td = curthread;
	struct proc *p = td->td_proc;
	struct vmspace *vm = p->p_vmspace;

	if (p == initproc)
		init_exit(status);
	p->p_flags |= P_WEXIT;
	itimer_exit(p);
	fdfree(p);
	tmpfs_node_rele(p->p_cwd);
	pmap_replacevm(p, NULL, 0);
	vmspace_rel(vm);
	proc_ppwait_done(p);

	lwkt_gettoken(&proc_token);
	proc_reparent_children(p);
	p->p_xstat = status;
	p->p_stat = SZOMB;
	p->p_thread = NULL;
	td->td_proc = NULL;
	if (p->p_exitsig != 0)
		psignal(p->p_pptr, p->p_exitsig);
	wakeup(p->p_pptr);
	lwkt_reltoken(&proc_token);
	lwkt_exit();
}

static boolean_t
wait_matches(struct proc *parent, struct proc *p, pid_t pid)
{
	if (pid > 0)
		return (p->p_pid == pid);
	if (pid == 0)
		return (p->p_pgid == parent->p_pgid);
	return (pid == -1 || p->p_pgid == -pid);
}

/*
 * Reap a child that ended; *pidp is it, or 0 with WNOHANG and none so far.
 */
static int
kern_wait(struct proc *p, pid_t pid, int options, pid_t *pidp, int *status,
    struct rusage *ru)
{
	struct proc *child;
	boolean_t found;
	int error = 0;

	*pidp = 0;
	lwkt_gettoken(&proc_token);
	for (;;) {
		found = FALSE;
		LIST_FOREACH(child, &p->p_children, p_sibling) {
			if (!wait_matches(p, child, pid))
				continue;
			found = TRUE;
			if (child->p_stat == SZOMB)
				break;
		}
		if (child != NULL) {
			*pidp = child->p_pid;
			*status = child->p_xstat;
			calcru(ru, child->p_uticks + child->p_cuticks,
			    child->p_sticks + child->p_csticks);
			p->p_cuticks += child->p_uticks + child->p_cuticks;
			p->p_csticks += child->p_sticks + child->p_csticks;
			proc_free(child);
			break;
		}
		if (!found) {
			error = ECHILD;
			break;
		}
		if (options & WNOHANG)
			break;
		error = tsleep(p, PCATCH, "wait", 0);
		if (error)
			break;
	}
	lwkt_reltoken(&proc_token);
	return (error);
}

int
sys_wait4(struct proc *p, const register_t *a, register_t *res)
{
	struct rusage ru;
	pid_t pid;
	int error, status = 0;

	bzero(&ru, sizeof(ru));
	error = kern_wait(p, a[0], a[2], &pid, &status, &ru);
	if (error == 0 && pid != 0 && a[1] != 0)
		error = copyout(&status, (void *)a[1], sizeof(status));
	if (error == 0 && pid != 0 && a[3] != 0)
		error = copyout(&ru, (void *)a[3], sizeof(ru));
	*res = pid;
	return (error);
}

int
sys_exit(struct proc *p, const register_t *a, register_t *res)
{
	exit1(W_EXITCODE(a[0], 0));
}

/*
 * The largest process, in pages it has mapped; process 1 is spared, and
 * whoever is dying already has been asked.
 */
void
oom_kill(void)
{
	struct proc *p, *big = NULL;
	long pages, most = 0;

	lwkt_gettoken(&proc_token);
	LIST_FOREACH(p, &allproc, p_list) {
		if (p->p_stat != SACTIVE || p->p_vmspace == NULL)
			continue;
		if ((p->p_flags & P_WEXIT) ||
		    (p->p_siglist & sigmask(SIGKILL))) {
			big = NULL;
			break;
		}
		pages = vmspace_size(p->p_vmspace);
		if (p != initproc && pages > most) {
			most = pages;
			big = p;
		}
	}
	if (big != NULL) {
		kprintf("out of swap: pid %d (%s), %ld KB, was killed\n",
		    big->p_pid, big->p_comm, pgtok(most));
		psignal(big, SIGKILL);
	}
	lwkt_reltoken(&proc_token);
}
