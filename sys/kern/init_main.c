/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Machine-independent start-up: runs every SYSINIT() in order on thread0,
 * which has nothing more to do then.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/globaldata.h>

int cold = 1;
int bootverbose;
int ncpus = 1;
int ncpus_fit = 1;
int ncpus_fit_mask = 0;

/*
 * Not a number: NO, 0 or nothing are no.
 */
static void
boot_verbose_init(void *dummy)
{
	const char *value = kgetenv("boot_verbose");

	bootverbose = value != NULL && *value != '\0' &&
	    strcmp(value, "NO") != 0 && strcmp(value, "0") != 0;
}
SYSINIT(boot_verbose, SI_BOOT1_TUNABLES, SI_ORDER_FIRST, boot_verbose_init,
    NULL);

SET_DECLARE(sysinit_set, struct sysinit);

/*
 * The next entry to run: the first of the least (subsystem, order).
 */
static struct sysinit *
sysinit_next(void)
{
	struct sysinit **sipp, *si, *best = NULL;

	SET_FOREACH(sipp, sysinit_set) {
		si = *sipp;
		if (si->subsystem <= SI_SPECIAL_DONE)
			continue;
		if (best == NULL || si->subsystem < best->subsystem ||
		    (si->subsystem == best->subsystem &&
		    si->order < best->order))
			best = si;
	}
	return (best);
}

void
mi_startup(void)
{
	struct sysinit *si;

	while ((si = sysinit_next()) != NULL) {
		if (bootverbose)
			kprintf("sysinit %07x %s\n", si->subsystem, si->name);
		si->subsystem = SI_SPECIAL_DONE;
		((sysinit_nfunc_t)si->func)(__DECONST(void *, si->udata));
	}
	for (;;)
		tsleep(&proc0, 0, "sched", 0);
}

void
mi_gdinit(struct globaldata *gd, int cpu)
{
	gd->gd_cpuid = cpu;
	CPUMASK_ASSBIT(gd->gd_cpumask, cpu);
	gd->gd_rand_incr = cpu;
}

static void
print_banner(void *dummy)
{
	kprintf("Reference kernel, x86-64, %ld KB of memory, %d cpu\n",
	    pgtok(physmem), ncpus);
}
SYSINIT(announce, SI_BOOT1_COPYRIGHT, SI_ORDER_FIRST, print_banner, NULL);

static void
set_warm(void *dummy)
{
	cold = 0;
}
SYSINIT(warm, SI_SUB_ISWARM, SI_ORDER_FIRST, set_warm, NULL);
