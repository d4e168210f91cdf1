/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory objects.
 *
 * An object is a numbered sequence of pages: what map entries map.  Apart
 * from kernel_object all objects are anonymous: a page not resident is on
 * swap if the object has a swap block for it; otherwise it is that of the
 * backing object, if there is one, and zero if not.
 *
 * Copy-on-write
 *	Whoever is about to write to memory that fork() made common puts a
 *	fresh object in front of the common one, its shadow, which receives
 *	the copies (vm_object_shadow()).  So an object with shadows never
 *	changes, and a page that is in none of the objects in front can be
 *	looked for from front to back with two tokens at a time: pages only
 *	move forward, and cannot pass the object whose token is held.  Who has
 *	to wait for the next token loses the others meanwhile, and starts anew.
 *	When all but one of the users of a backing object are gone, its pages
 *	can move to the one shadow: vm_object_collapse().  Each page moves by
 *	itself, and moving one never changes what anybody reads, so a collapse
 *	may give up at any point.
 *
 * kernel_object holds the wired pages of kernel_map, each at the pindex of
 * its address.  It is never paged.
 *
 * OBJ_ONEMAPPING says that each page is mapped by at most one map entry: an
 * entry which goes away takes its pages with it (vm_object_page_remove())
 * although another may still reference the object.  Sharing an object takes
 * the flag away; pages nobody maps are then kept until the object goes.
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
	object->backing_object = NULL;
	object->backing_object_offset = 0;
	object->swblock_count = 0;
}

void
vm_object_init1(void)
{
	_vm_object_allocate(OBJT_DEFAULT, OFF_TO_IDX(KERNBASE), kernel_object,
	    "kobj");
	kernel_object->flags |= OBJ_ONEMAPPING;
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

boolean_t
vm_object_hold_next(vm_object_t object)
{
	atomic_add_int(&object->hold_count, 1);
	if (lwkt_trytoken(&object->token))
		return (TRUE);
	lwkt_gettoken(&object->token);
	return (FALSE);
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
 * Drop a reference; the last one takes pages and swap blocks along, and the
 * reference to the backing object.  May block.
 */
void
vm_object_deallocate(vm_object_t object)
{
	vm_object_t backing;

	for (; object != NULL; object = backing) {
		backing = NULL;
		vm_object_hold(object);
		KASSERT(object->ref_count > 0,
		    ("vm_object_deallocate: object %p has no references",
		    object));
		if (atomic_fetchadd_int(&object->ref_count, -1) == 1) {
			object->flags |= OBJ_DEAD;
			vm_object_pip_wait(object, "objtrm");
			vm_object_page_remove(object, 0, (vm_pindex_t)-1,
			    FALSE);
			/* A write of pages that were still here. */
			vm_object_pip_wait(object, "objtrm");
			swap_pager_freespace_all(object);
			KKASSERT(object->resident_page_count == 0);
			backing = object->backing_object;
			object->backing_object = NULL;
			atomic_set_int(&object->hold_count, OBJ_HOLD_DEAD);
		}
		vm_object_drop(object);
	}
}

void
vm_object_shadow(vm_object_t *objectp, vm_ooffset_t *offset, vm_size_t length)
{
	vm_object_t object = *objectp, shadow;

	vm_object_hold(object);
	if (object->ref_count == 1) {
		object->flags |= OBJ_ONEMAPPING;
		vm_object_drop(object);
		return;
	}
	vm_object_drop(object);
	shadow = vm_object_allocate(OBJT_DEFAULT, atop(length));
	shadow->flags |= OBJ_ONEMAPPING;
	shadow->backing_object = object;
	shadow->backing_object_offset = *offset;
	*objectp = shadow;
	*offset = 0;
}

/*
 * Move what backing has and object needs to object, free the rest.  Both are
 * held.  0: backing is empty.  EBUSY: not all could be moved.  EAGAIN: this
 * has slept, and things may be different now.
 */
static int
vm_object_absorb(vm_object_t object, vm_object_t backing)
{
	vm_pindex_t offset = OFF_TO_IDX(object->backing_object_offset);
	vm_pindex_t pindex;
	vm_page_t m;

	while ((m = RB_ROOT(&backing->rb_memq)) != NULL) {
		if (vm_page_busy_try(m, TRUE))
			return (EBUSY);
		pindex = m->pindex - offset;
		if (m->valid == 0 || m->pindex < offset ||
		    pindex >= object->size ||
		    vm_page_lookup(object, pindex) != NULL ||
		    swap_pager_haspage_locked(object, pindex)) {
			vm_page_protect(m, VM_PROT_NONE);
			if (m->flags & PG_SWAPPED)
				swap_pager_unswapped(m);
			vm_page_free(m);
			continue;
		}
		if (m->flags & PG_SWAPPED) {
			swap_pager_unswapped(m);
			m->dirty = VM_PAGE_BITS_ALL;
		}
		vm_page_remove(m);
		vm_page_insert(m, object, pindex);
		vm_page_wakeup(m);
	}
	if (swap_pager_copy(backing, object, offset) == FALSE)
		return (EAGAIN);
	return (backing->paging_in_progress == 0 ? 0 : EBUSY);
}

/*
 * Waiting for backing's token loses object's, and absorbing may sleep: others
 * may have got ahead of us, down to object's end.
 */
void
vm_object_collapse(vm_object_t object)
{
	vm_object_t backing;
	int error;

	vm_object_hold(object);
	while ((object->flags & OBJ_DEAD) == 0 &&
	    (backing = object->backing_object) != NULL) {
		vm_object_hold(backing);
		if (object->backing_object != backing ||
		    (object->flags & OBJ_DEAD)) {
			vm_object_drop(backing);
			continue;
		}
		error = EBUSY;
		if (backing->ref_count == 1 && backing->paging_in_progress == 0)
			error = vm_object_absorb(object, backing);
		if (error == EBUSY) {
			vm_object_drop(object);
			object = backing;
			continue;
		}
		if (error == 0) {
			object->backing_object = backing->backing_object;
			object->backing_object_offset +=
			    backing->backing_object_offset;
			backing->backing_object = NULL;
			backing->ref_count = 0;
			backing->flags |= OBJ_DEAD;
			atomic_set_int(&backing->hold_count, OBJ_HOLD_DEAD);
		}
		vm_object_drop(backing);
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
