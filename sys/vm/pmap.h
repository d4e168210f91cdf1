/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_PMAP_H_
#define	_VM_PMAP_H_

/*
 * What the machine-independent VM asks of the page tables.
 */

#include <sys/types.h>
#include <machine/pmap.h>

#ifdef _KERNEL

#include <vm/vm.h>

struct proc;
struct vm_map_entry;

/*
 * Set by the machine's start-up code before vm_mem_init(): free physical
 * memory, as page-aligned [phys_beg, phys_end) pairs, ended by phys_end 0.
 */
typedef struct vm_phystable {
	vm_paddr_t	phys_beg;
	vm_paddr_t	phys_end;
} vm_phystable_t;

#define	PHYS_AVAIL_ENTRIES	32
extern vm_phystable_t phys_avail[];

/*
 * Set by pmap_bootstrap(): kernel address space free for kernel_map.
 */
extern vm_offset_t virtual_start;
extern vm_offset_t virtual_end;

void	pmap_init(void);
void	pmap_init2(void);
void	pmap_growkernel(vm_offset_t kstart, vm_offset_t kend);

/* A user pmap's life: pinit, activate, ..., remove everything, puninit. */
void	pmap_pinit(pmap_t);
void	pmap_puninit(pmap_t);

/* Install newvm on a process and, if it is the current one, on this cpu. */
void	pmap_replacevm(struct proc *, struct vmspace *newvm, int adjrefs);

/*
 * Mappings of busied pages.  wired: the mapping wires the page; who removes
 * it unwires.  Kernel mappings are made at once and are writable.  Others
 * may block for memory, and may be writable only if the page is dirty.
 */
void	pmap_enter(pmap_t, vm_offset_t va, struct vm_page *, vm_prot_t,
	    boolean_t wired, struct vm_map_entry *);
void	pmap_remove(pmap_t, vm_offset_t sva, vm_offset_t eva);
void	pmap_protect(pmap_t, vm_offset_t sva, vm_offset_t eva, vm_prot_t);

/* By page.  Pages must be busied to be protected or unmapped. */
void	pmap_page_init(struct vm_page *);
void	pmap_page_protect(struct vm_page *, vm_prot_t);
void	pmap_unmap_pages(struct vm_page **, int count);
int	pmap_ts_referenced(struct vm_page *);
void	pmap_zero_page(vm_paddr_t);
void	pmap_copy_page(vm_paddr_t src, vm_paddr_t dst);

/*
 * Kernel mappings, unmanaged.  None of these blocks or allocates: the page
 * tables exist since pmap_growkernel().
 */
void	pmap_kenter(vm_offset_t, vm_paddr_t);
int	pmap_kenter_noinval(vm_offset_t, vm_paddr_t);
void	pmap_kremove_noinval(vm_offset_t);
void	pmap_qenter(vm_offset_t, struct vm_page **, int count);
void	pmap_qremove(vm_offset_t, int count);
void	pmap_qremove_noinval(vm_offset_t, int count);
vm_paddr_t pmap_kextract(vm_offset_t);
struct vm_page *pmap_kvtom(vm_offset_t va);
void	pmap_invalidate_range(pmap_t, vm_offset_t sva, vm_offset_t eva);

#define	vtophys(va)	pmap_kextract((vm_offset_t)(va))

#endif /* _KERNEL */

#endif /* _VM_PMAP_H_ */
