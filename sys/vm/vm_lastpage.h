/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_LASTPAGE_H_
#define	_VM_VM_LASTPAGE_H_

/*
 * The record of who takes the last pages, see vm_lastpage.c.
 */

#include <sys/thread.h>
#include <machine/thread.h>

/*
 * To the end of the block, the current thread takes pages for what: the name of
 * a zone, of a malloc type, or of whatever else is to stand in the record.  An
 * inner allocation stands under its own name; then the outer one has its name
 * back, however the inner block is left.
 */
#define	VM_PAGE_FOR(what)						\
	const char *vm_page_for_outer					\
	    __attribute__((__cleanup__(vm_page_for_end))) =		\
	    vm_page_for_begin(what)

static __inline const char *
vm_page_for_begin(const char *what)
{
	struct thread *td = curthread;
	const char *outer = td->td_pagefor;

	td->td_pagefor = what;
	return (outer);
}

static __inline void
vm_page_for_end(const char **outerp)
{
	curthread->td_pagefor = *outerp;
}

/*
 * With the free queue locked: a page of class req was taken when count pages
 * were free.  Only what sank memory below v_free_reserved is noted.
 */
void	vm_lastpage_taken(int req, long count);

/*
 * A preempting thread was refused a page for which it had asked with
 * VM_ALLOC_NORMAL, among others.
 */
void	vm_lastpage_preempting(void);

/* Print the record; nobody else may be running. */
void	vm_lastpage_report(void);

#endif	/* !_VM_VM_LASTPAGE_H_ */
