/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What malloc types hold, for people: the sysctl kern.malloc and the watchdog.
 * Nothing is locked; counts of other cpus may be a moment old.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/sysctl.h>

struct malloc_sum {
	ssize_t		inuse;
	ssize_t		memuse;		/* bytes */
	int64_t		calls;
};

static struct malloc_sum
malloc_sum(const struct malloc_type *type)
{
	struct malloc_sum sum = { 0, 0, 0 };
	int n;

	for (n = 0; n < ncpus; ++n) {
		sum.inuse += type->ks_use[n].inuse;
		sum.memuse += type->ks_use[n].memuse;
		sum.calls += type->ks_use[n].calls;
	}
	return (sum);
}

/*
 * Slabs of the type's own that it has.  Those that a cpu uses move.
 */
static size_t
malloc_slabs(const struct malloc_type *type)
{
	const struct kmalloc_mgt *mgt;
	size_t slabs;
	int n;

	slabs = type->ks_mgt.npartial + type->ks_mgt.nfull +
	    type->ks_mgt.nempty;
	for (n = 0; n < ncpus; ++n) {
		mgt = &type->ks_use[n].mgt;
		slabs += (mgt->active != NULL) + (mgt->alternate != NULL);
	}
	return (slabs);
}

static void
kmalloc_watchdog_report(void)
{
	struct malloc_type *type;
	struct malloc_sum sum;

	for (type = kmemstatistics; type != NULL; type = type->ks_next) {
		sum = malloc_sum(type);
		if (sum.inuse == 0)
			continue;
		kprintf("kmalloc: %s: %zd in use, %zd bytes, limit %zu",
		    type->ks_shortdesc, sum.inuse, sum.memuse, type->ks_limit);
		if (type->ks_flags & KSF_OBJSIZE) {
			kprintf(", slabs %zu partial %zu full %zu empty",
			    type->ks_mgt.npartial, type->ks_mgt.nfull,
			    type->ks_mgt.nempty);
		}
		kprintf("\n");
	}
}

WATCHDOG_REPORT(kmalloc_watchdog_report);

/*
 * kern.malloc: one line a type; those of kmalloc_obj() with the size of an
 * object and the number of slabs.
 */
static int
sysctl_kern_malloc(SYSCTL_HANDLER_ARGS)
{
	struct malloc_type *type;
	struct malloc_sum sum;
	char line[128];
	int error;

	ksnprintf(line, sizeof(line), "%-18s %8s %12s %12s %14s %7s %6s\n",
	    "type", "inuse", "memuse", "calls", "limit", "objsize", "slabs");
	error = SYSCTL_OUT(req, line, strlen(line));
	for (type = kmemstatistics; type != NULL && error == 0;
	    type = type->ks_next) {
		sum = malloc_sum(type);
		ksnprintf(line, sizeof(line),
		    "%-18s %8zd %12zd %12ld %14zu %7zu %6zu\n",
		    type->ks_shortdesc, sum.inuse, sum.memuse,
		    (long)sum.calls, type->ks_limit, type->ks_objsize,
		    malloc_slabs(type));
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_kern, OID_AUTO, malloc, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_kern_malloc, "A", "malloc types");
