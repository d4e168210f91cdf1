/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Slow disks on demand.
 *
 * With vm.inject.disk_delay=N every disk request is started N clock ticks
 * after it was made.  Requests wait in a queue of their own, in order, so
 * nobody sleeps who would not otherwise; a thread, made when N is first set,
 * hands them to their drivers.  A smaller N does not let requests overtake.
 * vm.inject.disk_delayed counts the requests that had to wait.
 *
 * biodelay_spin protects the queue, through the bios' bio_act.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/kthread.h>
#include <sys/sysctl.h>
#include <sys/spinlock2.h>

int bio_delay_ticks;

static TAILQ_HEAD(, bio) biodelay_queue =
    TAILQ_HEAD_INITIALIZER(biodelay_queue);
static struct spinlock biodelay_spin =
    SPINLOCK_INITIALIZER(biodelay_spin, "biodelay");
static struct thread *biodelay_td;
static u_long biodelay_count;

void
bio_delay(struct bio *bio)
{
	spin_lock(&biodelay_spin);
	bio->bio_due = ticks + bio_delay_ticks;
	TAILQ_INSERT_TAIL(&biodelay_queue, bio, bio_act);
	++biodelay_count;
	wakeup(&biodelay_queue);
	spin_unlock(&biodelay_spin);
}

static void
biodelay_thread(void *arg __unused)
{
	struct bio *bio;
	int left;

	spin_lock(&biodelay_spin);
	for (;;) {
		bio = TAILQ_FIRST(&biodelay_queue);
		left = bio != NULL ? bio->bio_due - ticks : 0;
		if (bio == NULL || left > 0) {
			ssleep(&biodelay_queue, &biodelay_spin, 0, "biodelay",
			    left);
			continue;
		}
		TAILQ_REMOVE(&biodelay_queue, bio, bio_act);
		spin_unlock(&biodelay_spin);
		bio->bio_dev->si_strategy(bio->bio_dev, bio);
		spin_lock(&biodelay_spin);
	}
}

static int
sysctl_inject_disk_delay(SYSCTL_HANDLER_ARGS)
{
	int delay, error;

	delay = bio_delay_ticks;
	error = sysctl_handle_int(oidp, &delay, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (delay < 0 || delay > 60 * hz)
		return (EINVAL);
	if (biodelay_td == NULL)
		error = kthread_create(biodelay_thread, NULL, &biodelay_td,
		    "biodelay");
	if (error == 0)
		bio_delay_ticks = delay;
	return (error);
}

SYSCTL_PROC(_vm_inject, OID_AUTO, disk_delay, CTLTYPE_INT | CTLFLAG_RW, NULL,
    0, sysctl_inject_disk_delay, "I", "ticks that disk requests wait");
SYSCTL_ULONG(_vm_inject, OID_AUTO, disk_delayed, CTLFLAG_RD, &biodelay_count,
    0, "disk requests that had to wait");
