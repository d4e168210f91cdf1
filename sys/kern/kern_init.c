/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Process 1.  It is created early and started last; its program comes from
 * the initial ram disk, init=/path or /init, and its environment is the
 * kernel's.  When it ends the machine stops with its exit status.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>

struct proc *initproc;

static struct proc proc1;
static char init_path[MAXPATHLEN] = "/init";
TUNABLE_STR("init", init_path, sizeof(init_path));

static void
start_init(void *arg)
{
	struct proc *p = arg;
	char *argv[] = { init_path, NULL };
	int error;

	p->p_thread->td_proc = p;
	lwkt_setpri_self(TDPRI_KERN_USER);
	error = kern_execve(p, init_path, argv, kern_envp);
	verdict_fail("cannot run init program %s, error %d", init_path, error);
}

static void
create_init(void *dummy)
{
	struct proc *p = &proc1;
	int i;

	p->p_pid = 1;
	for (i = 0; i <= 2; ++i)
		p->p_fd[i].fd_kind = FD_CONSOLE;
	lwkt_create(start_init, p, &p->p_thread, NULL, TDF_NOSTART, 0, "init");
	initproc = p;
}
SYSINIT(init, SI_SUB_CREATE_INIT, SI_ORDER_FIRST, create_init, NULL);

static void
kick_init(void *dummy)
{
	lwkt_schedule(initproc->p_thread);
}
SYSINIT(kickinit, SI_SUB_KTHREAD_INIT, SI_ORDER_FIRST, kick_init, NULL);
