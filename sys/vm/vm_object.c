/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory objects.
 *
 * An object is a numbered sequence of pages: what map entries map.  Apart
 * from kernel_object all objects are anonymous: a page not resident is on
 * swap if the object has a swap block for it, and zero otherwise.  There is
 * one layer: no shadow chains, hence no copy-on-write.
 *
 * kernel_object holds the wired pages of kernel_map, each at the pindex of
 * its address.  It is never paged.
 *
 * Every page of an anonymous object is mapped by at most one map entry.  So
 * an entry which goes away takes its pages with it (vm_object_page_remove())
 * although another entry may still reference the object.
 *
 * The token protects the object: tree of pages, swap blocks, counts.
 * vm_object_hold() takes it and keeps the structure from being freed; as
 * with every token, it is lost while its holder sleeps.  The last drop after
 * OBJ_HOLD_DEAD is set, in the same word as the count, frees it.  Pages are
 * busied with the token held, and waiting for a busy page is a reason to
 * start anew.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/thread2.h>
#include <vm/vm.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/vm_page2.h>
#include <vm/swap_pager.h>

static MALLOC_DEFINE_OBJ(M_VM_OBJECT, sizeof(struct vm_object),
    "vm_object", "VM objects");

static struct vm_object kernel_object_store;
struct vm_object *kernel_object = &kernel_object_store;

void
_vm_object_allocate(objtype_t type, vm_pindex_t size, vm_object_t object,
    const char *ident)
{
	lwkt_token_init(&object->token, ident);
	RB_INIT(&object->rb_memq);
	RB_INIT(&object->swblock_root);
	object->type = type;
	object->size = size;
	object->resident_page_count = 0;
	object->ref_count = 1;
	object->hold_count = 0;
	object->paging_in_progress = 0;
	object->flags = 0;
	object->swblock_count = 0;
}

void
vm_object_init1(void)
{
	_vm_object_allocate(OBJT_DEFAULT, OFF_TO_IDX(KERNBASE), kernel_object,
	    "kobj");
}

vm_object_t
vm_object_allocate(objtype_t type, vm_pindex_t size)
{
	vm_object_t object;

	object = kmalloc_obj(sizeof(*object), M_VM_OBJECT, M_INTWAIT);
	_vm_object_allocate(type, size, object, "vmobj");
	return (object);
}

void
vm_object_hold(vm_object_t object)
{
	atomic_add_int(&object->hold_count, 1);
	lwkt_gettoken(&object->token);
}

void
vm_object_drop(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	lwkt_reltoken(&object->token);
	if (atomic_fetchadd_int(&object->hold_count, -1) ==
	    (OBJ_HOLD_DEAD | 1))
		kfree_obj(object, M_VM_OBJECT);
}

void
vm_object_reference_quick(vm_object_t object)
{
	atomic_add_int(&object->ref_count, 1);
}

void
vm_object_reference_locked(vm_object_t object)
{
	ASSERT_LWKT_TOKEN_HELD(&object->token);
	atomic_add_int(&object->ref_count, 1);
}

/*
 * Drop a reference; the last one takes pages and swap blocks along.  May
 * block.
 */
void
vm_object_deallocate(vm_object_t object)
{
	vm_object_hold(object);
	KASSERT(object->ref_count > 0,
	    ("vm_object_deallocate: object %p has no references", object));
	if (atomic_fetchadd_int(&object->ref_count, -1) == 1) {
		object->flags |= OBJ_DEAD;
		vm_object_pip_wait(object, "objtrm");
		vm_object_page_remove(object, 0, object->size, FALSE);
		/* A write of pages that were still here ends with the object. */
		vm_object_pip_wait(object, "objtrm");
		swap_pager_freespace_all(object);
		atomic_set_int(&object->hold_count, OBJ_HOLD_DEAD);
		KKASSERT(object->resident_page_count == 0);
	}
	vm_object_drop(object);
}

struct page_range {
	vm_pindex_t start;
	vm_pindex_t end;
	boolean_t clean_only;
};

static int
vm_page_range_cmp(struct vm_page *m, void *data)
{
	struct page_range *range = data;

	if (m->pindex < range->start)
		return (-1);
	return (m->pindex >= range->end);
}

static int
vm_page_remove_callback(struct vm_page *m, void *data)
{
	struct page_range *range = data;

	if (vm_page_busy_try(m, TRUE)) {
		vm_page_sleep_busy(m, TRUE, "vmopar");
		return (-1);
	}
	if (range->clean_only && m->dirty) {
		vm_page_wakeup(m);
		return (0);
	}
	vm_page_protect(m, VM_PROT_NONE);
	if (m->wire_count != 0)
		vm_page_unwire(m, FALSE);
	vm_page_free(m);
	return (0);
}

/*
 * Any page met busy ends the scan, as the sleep lost the token: start anew.
 */
void
vm_object_page_remove(vm_object_t object, vm_pindex_t start, vm_pindex_t end,
    boolean_t clean_only)
{
	struct page_range range = { start, end, clean_only };

	ASSERT_LWKT_TOKEN_HELD(&object->token);
	while (RB_SCAN(vm_page_rb_tree, &object->rb_memq, vm_page_range_cmp,
	    vm_page_remove_callback, &range) < 0)
		;
	if (!clean_only)
		swap_pager_freespace(object, start, end - start);
}

/*
 * Paging in progress: I/O and faults that rely on the object staying.
 */
void
vm_object_pip_add(vm_object_t object, u_int count)
{
	atomic_add_int(&object->paging_in_progress, count);
}

void
vm_object_pip_wakeup_n(vm_object_t object, u_int count)
{
	if (atomic_fetchadd_int(&object->paging_in_progress, -count) == count)
		wakeup(&object->paging_in_progress);
}

void
vm_object_pip_wakeup(vm_object_t object)
{
	vm_object_pip_wakeup_n(object, 1);
}

void
vm_object_pip_wait(vm_object_t object, const char *wmesg)
{
	while (object->paging_in_progress != 0) {
		tsleep_interlock(&object->paging_in_progress, 0);
		if (object->paging_in_progress != 0)
			tsleep(&object->paging_in_progress, PINTERLOCKED,
			    wmesg, 0);
	}
}
