/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who takes the last pages.
 *
 * The pages below v_free_reserved are there for page-out, and those below
 * v_interrupt_free_min for nobody else.  Whoever takes them for another purpose
 * does no harm that shows: paging goes on, until one day it does not.  So each
 * page taken below v_free_reserved is noted, with
 *
 *	kind	pager: pagethread or emergpager; interrupt: an interrupt
 *		thread, or any that preempts another; process; kernel: every
 *		other kernel thread
 *	thread	its name, `-' for processes
 *	class	of vm_page_alloc(): N normal, Q quick, S system, I interrupt,
 *		after vm_page_alloc() has added what the thread is entitled to
 *	for	the zone or malloc type that wants it, or what else
 *		VM_PAGE_FOR() names; `-': nothing, as for a page fault's own
 *		page
 *
 * vm.lastpages has a line for each such combination:
 *
 *	kind=process thread=- class=NSI for=MAP_ENTRY reserved=9 interrupt=2
 *	least=11
 *
 * reserved counts the pages taken while fewer than v_free_reserved were free,
 * where VM_ALLOC_NORMAL gets none; interrupt those of them taken while no more
 * than v_interrupt_free_min were, where only VM_ALLOC_INTERRUPT gets any; and
 * least is the fewest pages that one of them left free.  The first line says
 * where these thresholds are, how many lines follow, whether the table was too
 * small for something (lost), and how often a preempting thread was refused a
 * page for which it had asked with VM_ALLOC_NORMAL, among others.  A boot is a
 * record.
 *
 * Before the page-out daemon has set the thresholds all are 0 and nothing is
 * noted.  Pages that the injector hands to page faults were never free.
 *
 * Protected by the free queue's spinlock, which vm_page_alloc() holds anyway,
 * but for the count of preempting threads.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/thread.h>
#include <sys/spinlock2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_lastpage.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#define	LASTPAGE_ENTRIES	128
#define	LASTPAGE_NAME		24
#define	LASTPAGE_LINE		160
#define	LASTPAGE_CLASSES	(VM_ALLOC_NORMAL | VM_ALLOC_QUICK |	\
				 VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)

struct lastpage {
	const char	*kind;			/* NULL: unused from here */
	int		class;
	char		thread[MAXCOMLEN + 1];
	char		what[LASTPAGE_NAME];
	long		reserved;
	long		interrupt;
	long		least;
};

static struct spinlock *const freeq_spin = &vm_page_queues[PQ_FREE].spin;
static struct lastpage lastpages[LASTPAGE_ENTRIES];
static long lastpage_lost;		/* noted nowhere: the table was full */
static u_long lastpage_preempting;

/*
 * In a converted tree kmalloc_ext_get() takes pages for a type.  It stands in
 * files that are also for kernels without this record, so it does not say so
 * itself: the linker has its callers call this (--wrap).
 */
struct kmalloc_ext;
void	*__real_kmalloc_ext_get(struct kmalloc_ext *, struct malloc_type *, int)
	    __attribute__((__weak__));
void	*__wrap_kmalloc_ext_get(struct kmalloc_ext *, struct malloc_type *, int);

void *
__wrap_kmalloc_ext_get(struct kmalloc_ext *ext, struct malloc_type *type,
    int flags)
{
	VM_PAGE_FOR(type->ks_shortdesc);

	return (__real_kmalloc_ext_get(ext, type, flags));
}

static const char *
lastpage_kind(const struct thread *td)
{
	if (td == pagethread || td == emergpager)
		return ("pager");
	if ((td->td_flags & TDF_INTTHREAD) || td->td_preempted != NULL)
		return ("interrupt");
	return (td->td_proc != NULL ? "process" : "kernel");
}

/*
 * A name as one word.
 */
static void
lastpage_word(char *word, const char *name, size_t size)
{
	strlcpy(word, name != NULL && name[0] != '\0' ? name : "-", size);
	for (; *word != '\0'; ++word) {
		if (*word == ' ')
			*word = '_';
	}
}

void
vm_lastpage_taken(int req, long count)
{
	const struct thread *td = curthread;
	const char *kind = lastpage_kind(td);
	char thread[MAXCOMLEN + 1], what[LASTPAGE_NAME];
	struct lastpage *lp;

	req &= LASTPAGE_CLASSES;
	lastpage_word(thread, td->td_proc == NULL ? td->td_comm : NULL,
	    sizeof(thread));
	lastpage_word(what, td->td_pagefor, sizeof(what));
	for (lp = lastpages; lp < &lastpages[LASTPAGE_ENTRIES]; ++lp) {
		if (lp->kind == NULL) {
			lp->kind = kind;
			lp->class = req;
			strlcpy(lp->thread, thread, sizeof(lp->thread));
			strlcpy(lp->what, what, sizeof(lp->what));
			lp->least = count;
			break;
		}
		if (lp->kind == kind && lp->class == req &&
		    strcmp(lp->thread, thread) == 0 &&
		    strcmp(lp->what, what) == 0)
			break;
	}
	if (lp == &lastpages[LASTPAGE_ENTRIES]) {
		++lastpage_lost;
		return;
	}
	++lp->reserved;
	if (count <= vmstats.v_interrupt_free_min)
		++lp->interrupt;
	lp->least = lmin(lp->least, count - 1);
}

void
vm_lastpage_preempting(void)
{
	atomic_add_long(&lastpage_preempting, 1);
	kprintf("vm_page_alloc: %s preempts %s and asks for a page that is not "
	    "free\n", curthread->td_comm, curthread->td_preempted->td_comm);
}

/*
 * The first line, for n lines that follow.
 */
static void
lastpage_head(char *line, int n)
{
	ksnprintf(line, LASTPAGE_LINE, "free_reserved=%ld "
	    "interrupt_free_min=%ld preempting=%lu lost=%ld lines=%d\n",
	    (long)vmstats.v_free_reserved, (long)vmstats.v_interrupt_free_min,
	    lastpage_preempting, lastpage_lost, n);
}

static void
lastpage_line(const struct lastpage *lp, char *line)
{
	ksnprintf(line, LASTPAGE_LINE, "kind=%s thread=%s class=%s%s%s%s "
	    "for=%s reserved=%ld interrupt=%ld least=%ld\n", lp->kind,
	    lp->thread, lp->class & VM_ALLOC_NORMAL ? "N" : "",
	    lp->class & VM_ALLOC_QUICK ? "Q" : "",
	    lp->class & VM_ALLOC_SYSTEM ? "S" : "",
	    lp->class & VM_ALLOC_INTERRUPT ? "I" : "", lp->what, lp->reserved,
	    lp->interrupt, lp->least);
}

/*
 * Entries are added, and never taken out.
 */
static int
lastpage_count(void)
{
	int n;

	for (n = 0; n < LASTPAGE_ENTRIES && lastpages[n].kind != NULL; ++n)
		;
	return (n);
}

void
vm_lastpage_report(void)
{
	const int n = lastpage_count();
	char line[LASTPAGE_LINE];
	int i;

	lastpage_head(line, n);
	kprintf("vm.lastpages| %s", line);
	for (i = 0; i < n; ++i) {
		lastpage_line(&lastpages[i], line);
		kprintf("vm.lastpages| %s", line);
	}
}

static int
sysctl_vm_lastpages(SYSCTL_HANDLER_ARGS)
{
	struct lastpage copy;
	char line[LASTPAGE_LINE];
	int error, i, n;

	spin_lock(freeq_spin);
	n = lastpage_count();
	lastpage_head(line, n);
	spin_unlock(freeq_spin);
	error = SYSCTL_OUT(req, line, strlen(line));
	for (i = 0; error == 0 && i < n; ++i) {
		spin_lock(freeq_spin);
		copy = lastpages[i];
		spin_unlock(freeq_spin);
		lastpage_line(&copy, line);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_vm, OID_AUTO, lastpages, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_vm_lastpages, "A", "who took pages below v_free_reserved");
