/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Who takes the last pages, for a DragonFly kernel under test.
 *
 * The pages below v_free_reserved are there for page-out, and those below
 * v_interrupt_free_min for nobody else.  vm.lastpages has a line for each kind
 * of thread, class of page and function that took some of them with
 * vm_page_alloc(), and the function that called this one:
 *
 *	kind=process thread=- class=N for=vm_fault<trap reserved=8 interrupt=0
 *	    least=119
 *
 * reserved counts pages taken while fewer than v_free_reserved were free,
 * interrupt those of them taken while fewer than v_interrupt_free_min were, and
 * least is the fewest that one of them left.  The first line has the least of
 * all.  The probe prints it at the end of a test.  Hold a converted kernel's
 * against that of the unconverted one: each processor has its own idea of how
 * many pages are free, so that with several even an ordinary page fault can go
 * below either.
 *
 * vm_page_alloc() stays as it is: the linker puts us before it, as it does
 * vm_failpage.c, which excludes us.  Not part of a kernel by default.  Add to
 * conf/files, configure DDB, which knows the functions' names, and link with
 * the option:
 *
 *	vm/vm_lastpage.c	standard
 *
 *	make CC="cc -Wl,--wrap=vm_page_alloc"
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/kernel.h>
#include <sys/linker.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/spinlock2.h>
#include <sys/thread2.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_pageout.h>

#define	ENTRIES		256
#define	LINE		256
#define	CLASSES		(VM_ALLOC_NORMAL | VM_ALLOC_QUICK |	\
			 VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)

vm_page_t	__real_vm_page_alloc(vm_object_t, vm_pindex_t, int);
vm_page_t	__wrap_vm_page_alloc(vm_object_t, vm_pindex_t, int);

struct entry {
	const char	*kind;			/* NULL: unused from here */
	int		class;
	char		thread[MAXCOMLEN + 1];
	const void	*caller[2];
	long		reserved;
	long		interrupt;
	long		least;
};

static struct entry entries[ENTRIES];
static long lost;			/* noted nowhere: the table was full */
static long least_of_all = 1L << 40;
static struct spinlock spin = SPINLOCK_INITIALIZER(&spin, "lastpage");

/*
 * What no processor has yet added to the sum counts, too.
 */
static long
free_pages(void)
{
	long n = vmstats.v_free_count;
	int i;

	for (i = 0; i < ncpus; ++i)
		n += globaldata_find(i)->gd_vmstats_adj.v_free_count;
	return (n);
}

static boolean_t
is_process(thread_t td)
{
	return (td->td_proc != NULL && td->td_proc->p_pid > 0);
}

static const char *
kind_of(thread_t td)
{
	if (td == pagethread || td == emergpager)
		return ("pager");
	if ((td->td_flags & TDF_INTTHREAD) || td->td_preempted != NULL)
		return ("interrupt");
	return (is_process(td) ? "process" : "kernel");
}

static struct entry *
find(const char *kind, int class, const char *thread, void **frame)
{
	void **outer = frame[0];
	struct entry *e;

	for (e = entries; e < &entries[ENTRIES]; ++e) {
		if (e->kind == NULL) {
			e->kind = kind;
			e->class = class;
			strlcpy(e->thread, thread, sizeof(e->thread));
			e->caller[0] = frame[1];
			e->caller[1] = outer[1];
			return (e);
		}
		if (e->kind == kind && e->class == class &&
		    e->caller[0] == frame[1] && e->caller[1] == outer[1] &&
		    strcmp(e->thread, thread) == 0)
			return (e);
	}
	return (NULL);
}

static void
note(int class, long left, void **frame)
{
	thread_t td = curthread;
	char thread[MAXCOMLEN + 1], *p;
	struct entry *e;

	strlcpy(thread, is_process(td) ? "-" : td->td_comm, sizeof(thread));
	for (p = thread; *p != '\0'; ++p) {
		if (*p == ' ')
			*p = '_';
	}
	spin_lock(&spin);
	if ((e = find(kind_of(td), class, thread, frame)) == NULL) {
		++lost;
	} else {
		++e->reserved;
		if (left < vmstats.v_interrupt_free_min)
			++e->interrupt;
		e->least = e->reserved == 1 ? left : lmin(e->least, left);
	}
	spin_unlock(&spin);
}

vm_page_t
__wrap_vm_page_alloc(vm_object_t object, vm_pindex_t pindex, int page_req)
{
	vm_page_t m = __real_vm_page_alloc(object, pindex, page_req);
	int class = page_req & CLASSES;
	long left;

	if (m == NULL)
		return (NULL);
	if (curthread->td_flags & TDF_SYSTHREAD)
		class |= VM_ALLOC_SYSTEM;
	left = free_pages();
	least_of_all = lmin(least_of_all, left);
	if (left < vmstats.v_free_reserved)
		note(class, left, __builtin_frame_address(0));
	return (m);
}

static const char *
function_at(const void *pc)
{
	c_linker_sym_t symbol;
	linker_symval_t value;
	long offset;

	if (linker_ddb_search_symbol(__DECONST(caddr_t, pc), &symbol,
	    &offset) != 0 || linker_ddb_symbol_values(symbol, &value) != 0)
		return ("?");
	return (value.name);
}

static int
sysctl_vm_lastpages(SYSCTL_HANDLER_ARGS)
{
	const struct entry *e;
	char line[LINE];
	int error, n;

	for (n = 0; n < ENTRIES && entries[n].kind != NULL; ++n)
		;
	ksnprintf(line, LINE, "free_reserved=%ld interrupt_free_min=%ld "
	    "least=%ld lost=%ld lines=%d\n", (long)vmstats.v_free_reserved,
	    (long)vmstats.v_interrupt_free_min, least_of_all, lost, n);
	error = SYSCTL_OUT(req, line, strlen(line));
	for (e = entries; error == 0 && e < &entries[n]; ++e) {
		ksnprintf(line, LINE, "kind=%s thread=%s class=%s%s%s%s "
		    "for=%s<%s reserved=%ld interrupt=%ld least=%ld\n",
		    e->kind, e->thread, e->class & VM_ALLOC_NORMAL ? "N" : "",
		    e->class & VM_ALLOC_QUICK ? "Q" : "",
		    e->class & VM_ALLOC_SYSTEM ? "S" : "",
		    e->class & VM_ALLOC_INTERRUPT ? "I" : "",
		    function_at(e->caller[0]), function_at(e->caller[1]),
		    e->reserved, e->interrupt, e->least);
		error = SYSCTL_OUT(req, line, strlen(line));
	}
	if (error == 0)
		error = SYSCTL_OUT(req, "", 1);
	return (error);
}
SYSCTL_PROC(_vm, OID_AUTO, lastpages, CTLTYPE_STRING | CTLFLAG_RD, NULL, 0,
    sysctl_vm_lastpages, "A", "who took pages below v_free_reserved");
