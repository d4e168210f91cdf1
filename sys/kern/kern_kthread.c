/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kernel threads, see <sys/kthread.h>.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kthread.h>
#include <sys/thread.h>

static int
kthread_vcreate(void (*func)(void *), void *arg, struct thread **tdp,
    int flags, const char *fmt, __va_list va)
{
	char name[MAXCOMLEN + 1];

	kvsnprintf(name, sizeof(name), fmt, va);
	return (lwkt_create(func, arg, tdp, NULL, flags, -1, "%s", name));
}

/*
 * A running thread; returns 0.  May block.
 */
int
kthread_create(void (*func)(void *), void *arg, struct thread **tdp,
    const char *fmt, ...)
{
	__va_list va;
	int error;

	__va_start(va, fmt);
	error = kthread_vcreate(func, arg, tdp, 0, fmt, va);
	__va_end(va);
	return (error);
}

/*
 * The same, but the caller must lwkt_schedule() it.
 */
int
kthread_alloc(void (*func)(void *), void *arg, struct thread **tdp,
    const char *fmt, ...)
{
	__va_list va;
	int error;

	__va_start(va, fmt);
	error = kthread_vcreate(func, arg, tdp, TDF_NOSTART, fmt, va);
	__va_end(va);
	return (error);
}

void
kthread_exit(void)
{
	lwkt_exit();
}

static void
kproc_main(void *arg)
{
	const struct kproc_desc *kp = arg;

	kp->func();
}

void
kproc_start(const void *udata)
{
	const struct kproc_desc *kp = udata;
	struct thread *td;

	kthread_alloc(kproc_main, __DECONST(void *, kp), &td, "%s", kp->arg0);
	if (kp->global_threadpp != NULL)
		*kp->global_threadpp = td;
	lwkt_schedule(td);
	splz();
}
