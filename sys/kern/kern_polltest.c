/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does kmalloc_obj() give back what an emptied type has no use for?
 *
 * Writing N to kern.polltest allocates N objects of a type of its own and frees
 * them all.  Reading says how many slabs with all objects free it still has:
 * the poller retires those beyond KMALLOC_MAXFREEMAGS, a few at a visit, if it
 * comes round to the type at all.  kern.kzone_polled names the type it is with.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>

#define	POLLTEST_SIZE	192

struct polltest_obj {
	struct polltest_obj *next;
	char		filling[POLLTEST_SIZE - sizeof(void *)];
};

static MALLOC_DEFINE_OBJ(M_POLLTEST, sizeof(struct polltest_obj), "polltest",
    "objects that come and go at once");
static struct lock polltest_lock = LOCK_INITIALIZER("polltest", 0, 0);

static void
polltest_run(int n)
{
	struct polltest_obj *obj, *all = NULL;

	while (n-- > 0) {
		obj = kmalloc_obj(sizeof(*obj), M_POLLTEST, M_WAITOK);
		obj->next = all;
		all = obj;
	}
	while ((obj = all) != NULL) {
		all = obj->next;
		kfree_obj(obj, M_POLLTEST);
	}
}

/*
 * Slabs on the empty list are looked at when the poller comes by, too.
 */
static int
polltest_slabs(void)
{
	return (M_POLLTEST_obj->ks_mgt.nfull + M_POLLTEST_obj->ks_mgt.nempty);
}

static int
sysctl_polltest(SYSCTL_HANDLER_ARGS)
{
	int error, n = polltest_slabs();

	error = sysctl_handle_int(oidp, &n, 0, req);
	if (error != 0 || req->newptr == NULL)
		return (error);
	if (n < 0)
		return (EINVAL);
	lockmgr(&polltest_lock, LK_EXCLUSIVE);
	polltest_run(n);
	lockmgr(&polltest_lock, LK_RELEASE);
	return (0);
}
SYSCTL_PROC(_kern, OID_AUTO, polltest, CTLTYPE_INT | CTLFLAG_RW, NULL, 0,
    sysctl_polltest, "I", "objects to allocate and free; slabs left over");
