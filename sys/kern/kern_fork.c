/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The beginning of a process.
 *
 * A child starts as a copy of its parent: address space (copy-on-write),
 * descriptors, signal state; its thread starts by returning from the system
 * call, with a copy of the parent's registers.  With RFMEM it runs in the
 * parent's address space, which only makes sense while the parent waits,
 * RFPPWAIT: vfork().
 *
 * Processes are limited in number so that their kernel stacks and page
 * tables leave memory for something else.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/sysent.h>
#include <sys/thread2.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/vm_extern.h>
#include <vm/vm_zone.h>

#include <machine/md_var.h>

#define	PID_MAX		30000

#define	CLONE_VM		0x00000100
#define	CLONE_VFORK		0x00004000
#define	CLONE_PARENT_SETTID	0x00100000
#define	CLONE_CHILD_CLEARTID	0x00200000
#define	CLONE_CHILD_SETTID	0x01000000
#define	CLONE_SIGNAL		0x000000ff

struct lwkt_token proc_token = LWKT_TOKEN_INITIALIZER(proc_token);
struct proclist allproc = LIST_HEAD_INITIALIZER(allproc);
int nprocs;

int maxproc;
static pid_t lastpid;
static vm_zone_t proc_zone;

SYSCTL_INT(_kern, OID_AUTO, maxproc, CTLFLAG_RD, &maxproc, 0,
    "Processes there may be");
SYSCTL_INT(_kern, OID_AUTO, nprocs, CTLFLAG_RD, &nprocs, 0,
    "Processes there are");

static void
procinit(void *dummy)
{
	proc_zone = zinit("PROC", sizeof(struct proc), 0, 0);
	maxproc = imin(lmax(physmem / 32, 64), 4096);
	TUNABLE_INT_FETCH("kern.maxproc", &maxproc);
}
SYSINIT(procinit, SI_BOOT2_PROC0, SI_ORDER_ANY, procinit, NULL);

struct proc *
pfind(pid_t pid)
{
	struct proc *p;

	ASSERT_LWKT_TOKEN_HELD(&proc_token);
	LIST_FOREACH(p, &allproc, p_list) {
		if (p->p_pid == pid)
			break;
	}
	return (p);
}

/*
 * A number that is no process's and no group's.
 */
static pid_t
newpid(void)
{
	struct proc *p;
	pid_t pid;

	do {
		if (++lastpid >= PID_MAX)
			lastpid = 2;
		pid = lastpid;
		LIST_FOREACH(p, &allproc, p_list) {
			if (p->p_pid == pid || p->p_pgid == pid ||
			    p->p_sid == pid)
				break;
		}
	} while (p != NULL);
	return (pid);
}

/*
 * Where a new thread starts; it goes on to user mode.
 */
static void
fork_return(void *arg)
{
	struct proc *p = arg;
	pid_t pid = p->p_pid;

	if (p->p_settid != 0 &&
	    copyout(&pid, (void *)p->p_settid, sizeof(pid)) != 0)
		p->p_settid = 0;
	userret(p, proc_regs(p));
}

int
fork1(struct proc *p1, int flags, struct proc **p2p)
{
	struct thread *td1 = curthread;
	struct proc *p2;

	lwkt_gettoken(&proc_token);
	if (nprocs >= maxproc) {
		lwkt_reltoken(&proc_token);
		return (EAGAIN);
	}
	++nprocs;
	lwkt_reltoken(&proc_token);

	p2 = zalloc(proc_zone);
	bzero(p2, sizeof(*p2));
	LIST_INIT(&p2->p_children);
	p2->p_stat = SIDL;
	p2->p_exitsig = SIGCHLD;
	p2->p_sigstk.ss_flags = SS_DISABLE;
	p2->p_umask = 022;
	lwkt_create(fork_return, p2, &p2->p_thread, NULL, TDF_NOSTART,
	    lwkt_next_cpu(td1->td_cpumask), "%s",
	    p1 != NULL ? p1->p_comm : "init");
	p2->p_thread->td_cpumask = td1->td_cpumask;
	if (p1 != NULL) {
		p2->p_pgid = p1->p_pgid;
		p2->p_sid = p1->p_sid;
		p2->p_umask = p1->p_umask;
		p2->p_sigmask = p1->p_sigmask;
		bcopy(p1->p_sigact, p2->p_sigact, sizeof(p2->p_sigact));
		strlcpy(p2->p_comm, p1->p_comm, sizeof(p2->p_comm));
		fdcopy(p1, p2);
		p2->p_cwd = p1->p_cwd;
		tmpfs_node_ref(p2->p_cwd);
		if (flags & RFMEM) {
			p2->p_vmspace = p1->p_vmspace;
			vmspace_ref(p2->p_vmspace);
			p2->p_sigstk = p1->p_sigstk;
		} else {
			p2->p_vmspace = vmspace_fork(p1->p_vmspace);
		}
		if (flags & RFPPWAIT)
			p2->p_flags |= P_PPWAIT;
	}
	cpu_fork(p1, p2);
	cpu_set_thread_user_handler(p2->p_thread, fork_return, p2);

	lwkt_gettoken(&proc_token);
	p2->p_pid = p1 != NULL ? newpid() : 1;
	if (p1 != NULL) {
		p2->p_pptr = p1;
		LIST_INSERT_HEAD(&p1->p_children, p2, p_sibling);
	} else {
		lastpid = p2->p_pgid = p2->p_sid = p2->p_pid;
	}
	LIST_INSERT_HEAD(&allproc, p2, p_list);
	p2->p_stat = SACTIVE;
	lwkt_reltoken(&proc_token);
	*p2p = p2;
	return (0);
}

void
proc_start(struct proc *p2)
{
	struct thread *td = p2->p_thread;

	td->td_proc = p2;
	lwkt_setpri_initial(td, TDPRI_KERN_USER);
	lwkt_schedule(td);
}

/*
 * What is left of a process that was reaped.
 */
void
proc_free(struct proc *p)
{
	ASSERT_LWKT_TOKEN_HELD(&proc_token);
	LIST_REMOVE(p, p_list);
	LIST_REMOVE(p, p_sibling);
	--nprocs;
	zfree(proc_zone, p);
}

/*
 * P_PPWAIT ends when the child, which cannot be reaped before, has its own
 * address space or none.
 */
static int
kern_fork(struct proc *p1, int flags, vm_offset_t stack, uint64_t settid,
    int exitsig, register_t *res)
{
	struct proc *p2;
	pid_t pid;
	int error;

	error = fork1(p1, flags, &p2);
	if (error)
		return (error);
	pid = p2->p_pid;
	p2->p_settid = settid;
	p2->p_exitsig = exitsig;
	if (stack != 0)
		proc_regs(p2)->tf_rsp = stack;
	lwkt_gettoken(&proc_token);
	proc_start(p2);
	if (flags & RFPPWAIT) {
		while ((p2 = pfind(pid)) != NULL && (p2->p_flags & P_PPWAIT))
			tsleep(p1, 0, "ppwait", 0);
	}
	lwkt_reltoken(&proc_token);
	*res = pid;
	return (0);
}

int
sys_fork(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_fork(p, 0, 0, 0, SIGCHLD, res));
}

int
sys_vfork(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_fork(p, RFMEM | RFPPWAIT, 0, 0, SIGCHLD, res));
}

/*
 * clone(flags, stack, parent_tid, child_tid, tls): processes, not threads.
 */
int
sys_clone(struct proc *p, const register_t *a, register_t *res)
{
	register_t known = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID |
	    CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | CLONE_SIGNAL;
	int flags = 0, error;
	pid_t pid;

	if ((a[0] & ~known) || (a[0] & CLONE_SIGNAL) > NSIG)
		return (EINVAL);
	if (a[0] & CLONE_VM) {
		if ((a[0] & CLONE_VFORK) == 0)
			return (EINVAL);
		flags |= RFMEM;
	}
	if (a[0] & CLONE_VFORK)
		flags |= RFPPWAIT;
	error = kern_fork(p, flags, a[1], (a[0] & CLONE_CHILD_SETTID) ?
	    a[3] : 0, a[0] & CLONE_SIGNAL, res);
	if (error == 0 && (a[0] & CLONE_PARENT_SETTID)) {
		pid = *res;
		error = copyout(&pid, (void *)a[2], sizeof(pid));
	}
	return (error);
}
