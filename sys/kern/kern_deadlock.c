/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A deadlock on purpose, to see what the watchdog makes of it.
 *
 * With deadlock=1 in the kernel environment start-up takes one lock and wants
 * another, whose holder wants the first.  If there is a second processor, a
 * thread there takes a token and keeps it, running, while another wants it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/lock.h>
#include <sys/thread.h>
#include <sys/thread2.h>

static int deadlock;
TUNABLE_INT("deadlock", &deadlock);

static struct lock deadlock_left = LOCK_INITIALIZER("left", 0, 0);
static struct lock deadlock_right = LOCK_INITIALIZER("right", 0, 0);
static struct lwkt_token deadlock_token = LWKT_TOKEN_INITIALIZER(salt);
static int deadlock_taken;

static void
deadlock_partner(void *arg __unused)
{
	lockmgr(&deadlock_right, LK_EXCLUSIVE);
	deadlock_taken = 1;
	wakeup(&deadlock_taken);
	lockmgr(&deadlock_left, LK_EXCLUSIVE);
	panic("deadlock: no deadlock");
}

static void
deadlock_hoarder(void *arg __unused)
{
	lwkt_gettoken(&deadlock_token);
	for (;;)
		cpu_pause();
}

static void
deadlock_guest(void *arg __unused)
{
	lwkt_gettoken(&deadlock_token);
	panic("deadlock: the token is free");
}

static void
deadlock_start(void *dummy __unused)
{
	struct thread *td;

	if (deadlock == 0)
		return;
	lockmgr(&deadlock_left, LK_EXCLUSIVE);
	kthread_create(deadlock_partner, NULL, &td, "partner");
	while (deadlock_taken == 0)
		tsleep(&deadlock_taken, 0, "partner", 1);
	if (ncpus > 1) {
		lwkt_create(deadlock_hoarder, NULL, NULL, NULL, 0, 1,
		    "hoarder");
		while (deadlock_token.t_owner == NULL)
			tsleep(&deadlock_token, 0, "hoarder", 1);
		lwkt_create(deadlock_guest, NULL, NULL, NULL, 0, 0, "guest");
	}
	lockmgr(&deadlock_right, LK_EXCLUSIVE);
	panic("deadlock: no deadlock");
}
SYSINIT(deadlock, SI_SUB_KTHREAD_VM, SI_ORDER_ANY, deadlock_start, NULL);
