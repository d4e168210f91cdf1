/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Process 1.  It is created early and started last; its program comes from
 * the initial ram disk, init=/path or /init, and its environment is what the
 * kernel has no use for of its own.  When it ends the machine stops, with a
 * pass if it ended with status 0.
 *
 * Its thread starts in the kernel: with the root directory and the program.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/imgact.h>
#include <sys/initrd.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <vfs/tmpfs/tmpfs.h>

#include <machine/md_var.h>

struct proc *initproc;

static char init_path[MAXPATHLEN] = "/init";
TUNABLE_STR("init", init_path, sizeof(init_path));

/*
 * Descriptors 0, 1 and 2: the console.
 */
static int
init_console(struct proc *p)
{
	struct file *fp;
	register_t fd;
	int error, i;

	for (i = 0; i <= 2; ++i) {
		error = tmpfs_open(p, AT_FDCWD, "/dev/console", O_RDWR, 0,
		    &fp);
		if (error == 0)
			error = fdinstall(p, fp, 0, FALSE, &fd);
		if (error)
			return (error);
	}
	return (0);
}

static int
init_exec(struct proc *p)
{
	struct exec_args args;
	const char *word;
	int error, n = 0;

	error = exec_args_init(&args);
	if (error)
		return (error);
	args.path = objcache_get(namei_oc, M_WAITOK);
	strlcpy(args.path, init_path, MAXPATHLEN);
	error = exec_args_add(&args, init_path);
	args.argc = 1;
	while (error == 0 && (word = kenv_unread(&n)) != NULL) {
		error = exec_args_add(&args, word);
		++args.envc;
	}
	if (error == 0)
		error = kern_execve(p, &args);
	objcache_put(namei_oc, args.path);
	exec_args_free(&args);
	return (error);
}

static void
start_init(void *arg)
{
	struct proc *p = arg;
	int error;

	p->p_cwd = tmpfs_root();
	error = initrd_unpack();
	if (error)
		verdict_fail("initrd: error %d, expected a newc archive",
		    error);
	error = init_console(p);
	if (error)
		verdict_fail("cannot open /dev/console, error %d", error);
	error = init_exec(p);
	if (error != EJUSTRETURN)
		verdict_fail("init=%s: cannot run it, error %d",
		    init_path, error);
}

static void
create_init(void *dummy)
{
	if (fork1(NULL, 0, &initproc) != 0)
		panic("cannot create process 1");
	cpu_set_thread_user_handler(initproc->p_thread, start_init, initproc);
}
SYSINIT(init, SI_SUB_CREATE_INIT, SI_ORDER_FIRST, create_init, NULL);

static void
kick_init(void *dummy)
{
	proc_start(initproc);
}
SYSINIT(kickinit, SI_SUB_KTHREAD_INIT, SI_ORDER_FIRST, kick_init, NULL);
