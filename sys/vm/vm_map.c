/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Address maps.
 *
 * A map is an ordered tree of entries, each a range of addresses backed by a
 * range of an object, or by none as long as nothing in it was touched.
 * Entries never overlap.  Neighbours that continue each other are merged, so
 * entries are about protections and owners, not about allocations.
 *
 * Locking
 *	The map's lockmgr lock: shared to look something up, exclusive to
 *	change an entry.  A page fault holds it shared while it pages in.
 *	Lock order: map, object token, busy page.
 *
 * Copies
 *	fork() gives the child entries for the same objects.  Both sides' are
 *	MAP_ENTRY_NEEDS_COPY then and their pages read-only, till a write puts
 *	a shadow in front of the object: vm_map_lookup().  Entries which
 *	children share (VM_INHERIT_SHARE) have an object from the start.
 *
 * Where entries come from
 *	To insert, delete or clip, an operation needs entries, and it cannot
 *	sleep for them with the map locked: for kernel_map, the allocator would
 *	need that very lock.  So it reserves what it may need beforehand
 *	(vm_map_entry_reserve()) from the cpu's reserve: gd_vme_base is the
 *	list of free entries, gd_vme_avail how many are not spoken for.
 *	MAP ENTRY, the zone behind the reserve, is first fed from static
 *	memory, since mapping any other memory takes an entry.
 *	When the zone itself grows, it must not reserve, which would call the
 *	zone: it uses vm_map_entry_kreserve(), which takes from what the boot
 *	set aside for it and lets gd_vme_avail go down to that extent.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/objcache.h>
#include <sys/thread.h>
#include <sys/thread2.h>
#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>
#include <vm/swap_pager.h>
#include <vm/vm_zone.h>

static MALLOC_DEFINE(M_VMSPACE, "vmspace", "vmspace objcache backing store");
static struct objcache *vmspace_cache;

static struct vm_zone mapentzone_store;
static vm_zone_t mapentzone;
static struct vm_map_entry map_entry_init[MAX_MAPENT];

/* Each cpu's first reserve. */
#define	MAPENTRY_CACHE	(MAP_RESERVE_COUNT * 2 + 32)
static struct vm_map_entry cpu_map_entry_init[SMP_MAXCPU][MAPENTRY_CACHE];

static int rb_vm_map_compare(struct vm_map_entry *, struct vm_map_entry *);
RB_GENERATE(vm_map_rb_tree, vm_map_entry, rb_entry, rb_vm_map_compare);

static int
rb_vm_map_compare(struct vm_map_entry *a, struct vm_map_entry *b)
{
	if (a->ba.start < b->ba.start)
		return (-1);
	return (a->ba.start > b->ba.start);
}

/*
 * Start-up.
 */
void
vm_map_startup(void)
{
	mapentzone = &mapentzone_store;
	zbootinit(mapentzone, "MAP ENTRY", sizeof(struct vm_map_entry),
	    map_entry_init, MAX_MAPENT);
	mapentzone_store.zflags |= ZONE_SPECIAL;
}

static bool
vmspace_ctor(void *obj, void *privdata __unused, int ocflags __unused)
{
	struct vmspace *vm = obj;

	bzero(vm, sizeof(*vm));
	vm->vm_refcnt = VM_REF_DELETED;
	return (true);
}

static void
vmspace_dtor(void *obj, void *privdata __unused)
{
	struct vmspace *vm = obj;

	KKASSERT(vm->vm_refcnt == VM_REF_DELETED);
	pmap_puninit(vmspace_pmap(vm));
}

void
vm_init2(void)
{
	vmspace_cache = objcache_create_mbacked(M_VMSPACE,
	    sizeof(struct vmspace), 0, ncpus * 4, vmspace_ctor, vmspace_dtor,
	    NULL);
	zinitna(mapentzone, NULL, 0, 0, ZONE_USE_RESERVE | ZONE_SPECIAL);
	pmap_init2();
}

/*
 * Address spaces.
 */
struct vmspace *
vmspace_alloc(vm_offset_t min, vm_offset_t max)
{
	struct vmspace *vm;

	vm = objcache_get(vmspace_cache, M_WAITOK);
	KKASSERT(vm->vm_refcnt == VM_REF_DELETED);
	bzero(&vm->vm_startcopy,
	    (char *)&vm->vm_endcopy - (char *)&vm->vm_startcopy);
	pmap_pinit(vmspace_pmap(vm));
	vm_map_init(&vm->vm_map, min, max, vmspace_pmap(vm));
	vm->vm_refcnt = 1;
	return (vm);
}

void
vmspace_ref(struct vmspace *vm)
{
	KKASSERT((vm->vm_refcnt & VM_REF_DELETED) == 0);
	atomic_add_int(&vm->vm_refcnt, 1);
}

void
vmspace_rel(struct vmspace *vm)
{
	KKASSERT((vm->vm_refcnt & VM_REF_DELETED) == 0);
	if (atomic_fetchadd_int(&vm->vm_refcnt, -1) != 1)
		return;
	vm_map_remove(&vm->vm_map, vm_map_min(&vm->vm_map),
	    vm_map_max(&vm->vm_map));
	KKASSERT(vm->vm_map.nentries == 0);
	lockuninit(&vm->vm_map.lock);
	vm->vm_refcnt = VM_REF_DELETED;
	objcache_put(vmspace_cache, vm);
}

void
vm_map_init(struct vm_map *map, vm_offset_t min, vm_offset_t max, pmap_t pmap)
{
	RB_INIT(&map->rb_root);
	map->min_addr = min;
	map->max_addr = max;
	map->nentries = 0;
	map->timestamp = 0;
	map->size = 0;
	map->hint_length = 0;
	map->system_map = 0;
	map->pmap = pmap;
	lockinit(&map->lock, "vm_map", 0, 0);
}

/*
 * The reserve of entries.
 */
void
vm_map_entry_reserve_cpu_init(struct globaldata *gd)
{
	vm_map_entry_t entry;
	int i;

	/*
	 * This stock is kreserve's: it is not counted, and the negative start
	 * makes the first ordinary reservation load as many from the zone.
	 */
	gd->gd_vme_avail = -MAP_RESERVE_COUNT * 2;
	gd->gd_vme_base = NULL;
	for (i = 0; i < MAPENTRY_CACHE; ++i) {
		entry = &cpu_map_entry_init[gd->gd_cpuid][i];
		MAPENT_FREELIST(entry) = gd->gd_vme_base;
		gd->gd_vme_base = entry;
	}
}

int
vm_map_entry_reserve(int count)
{
	struct globaldata *gd = mycpu;
	struct thread *td = curthread;
	vm_map_entry_t entry;

	/*
	 * Whoever serves us may have to map memory, and reserve in turn, but
	 * must then be served from something that is there already.
	 */
	KASSERT(td->td_vme_depth < MAP_RESERVE_DEPTH,
	    ("MAP ENTRY: vm_map_entry_reserve is %d deep: its allocator needs "
	    "map entries to make map entries", td->td_vme_depth));

	crit_enter();
	++td->td_vme_depth;
	while (gd->gd_vme_avail < count) {
		entry = zalloc(mapentzone);
		MAPENT_FREELIST(entry) = gd->gd_vme_base;
		gd->gd_vme_base = entry;
		++gd->gd_vme_avail;
	}
	--td->td_vme_depth;
	gd->gd_vme_avail -= count;
	crit_exit();
	return (count);
}

void
vm_map_entry_release(int count)
{
	struct globaldata *gd = mycpu;
	vm_map_entry_t entry, surplus;

	surplus = NULL;
	crit_enter();
	gd->gd_vme_avail += count;
	if (gd->gd_vme_avail > MAP_RESERVE_SLOP) {
		while (gd->gd_vme_avail > MAP_RESERVE_HYST) {
			entry = gd->gd_vme_base;
			KKASSERT(entry != NULL);
			gd->gd_vme_base = MAPENT_FREELIST(entry);
			--gd->gd_vme_avail;
			MAPENT_FREELIST(entry) = surplus;
			surplus = entry;
		}
	}
	crit_exit();
	while ((entry = surplus) != NULL) {
		surplus = MAPENT_FREELIST(entry);
		zfree(mapentzone, entry);
	}
}

int
vm_map_entry_kreserve(int count)
{
	struct globaldata *gd = mycpu;

	crit_enter();
	gd->gd_vme_avail -= count;
	KASSERT(gd->gd_vme_base != NULL,
	    ("vm_map_entry_kreserve: no entries left, gd_vme_avail %d",
	    gd->gd_vme_avail));
	crit_exit();
	return (count);
}

void
vm_map_entry_krelease(int count)
{
	crit_enter();
	mycpu->gd_vme_avail += count;
	crit_exit();
}

static vm_map_entry_t
vm_map_entry_create(int *countp)
{
	struct globaldata *gd = mycpu;
	vm_map_entry_t entry;

	KASSERT(*countp > 0, ("vm_map_entry_create: more than was reserved"));
	--*countp;
	crit_enter();
	entry = gd->gd_vme_base;
	KASSERT(entry != NULL, ("vm_map_entry_create: reserve is empty"));
	gd->gd_vme_base = MAPENT_FREELIST(entry);
	crit_exit();
	return (entry);
}

/*
 * An unlinked entry goes back to the reserve, its object loses a reference.
 */
static void
vm_map_entry_dispose(vm_map_entry_t entry, int *countp)
{
	struct globaldata *gd;

	if (entry->ba.object != NULL)
		vm_object_deallocate(entry->ba.object);
	++*countp;
	crit_enter();
	gd = mycpu;
	MAPENT_FREELIST(entry) = gd->gd_vme_base;
	gd->gd_vme_base = entry;
	crit_exit();
}

static void
vm_map_entry_link(vm_map_t map, vm_map_entry_t entry)
{
	ASSERT_VM_MAP_LOCKED(map);
	if (RB_INSERT(vm_map_rb_tree, &map->rb_root, entry) != NULL)
		panic("vm_map_entry_link: %lx of map %p is taken",
		    entry->ba.start, map);
	++map->nentries;
}

static void
vm_map_entry_unlink(vm_map_t map, vm_map_entry_t entry)
{
	ASSERT_VM_MAP_LOCKED(map);
	RB_REMOVE(vm_map_rb_tree, &map->rb_root, entry);
	--map->nentries;
}

/*
 * TRUE and the entry which contains address; or FALSE and the one before it,
 * which may be NULL.
 */
boolean_t
vm_map_lookup_entry(vm_map_t map, vm_offset_t address, vm_map_entry_t *entry)
{
	vm_map_entry_t scan;

	*entry = NULL;
	scan = RB_ROOT(&map->rb_root);
	while (scan != NULL) {
		if (address < scan->ba.start) {
			scan = RB_LEFT(scan, rb_entry);
		} else {
			*entry = scan;
			if (address < scan->ba.end)
				return (TRUE);
			scan = RB_RIGHT(scan, rb_entry);
		}
	}
	return (FALSE);
}

/*
 * The first entry that ends behind start.
 */
static vm_map_entry_t
vm_map_first_entry(vm_map_t map, vm_offset_t start)
{
	vm_map_entry_t entry;

	if (vm_map_lookup_entry(map, start, &entry))
		return (entry);
	if (entry == NULL)
		return (RB_MIN(vm_map_rb_tree, &map->rb_root));
	return (RB_NEXT(vm_map_rb_tree, &map->rb_root, entry));
}

/*
 * Clipping and merging.
 */

/*
 * Split entry at addr, which lies inside it; entry keeps the lower part.
 */
static void
vm_map_clip(vm_map_t map, vm_map_entry_t entry, vm_offset_t addr, int *countp)
{
	vm_map_entry_t upper;

	upper = vm_map_entry_create(countp);
	*upper = *entry;
	upper->ba.start = addr;
	upper->ba.offset += addr - entry->ba.start;
	entry->ba.end = addr;
	if (upper->ba.object != NULL)
		vm_object_reference_quick(upper->ba.object);
	vm_map_entry_link(map, upper);
}

/*
 * Make entry boundaries at start and end.  Returns the first entry at or
 * behind start.
 */
static vm_map_entry_t
vm_map_clip_range(vm_map_t map, vm_offset_t start, vm_offset_t end,
    int *countp)
{
	vm_map_entry_t entry;

	if (vm_map_lookup_entry(map, start, &entry) &&
	    entry->ba.start < start)
		vm_map_clip(map, entry, start, countp);
	if (vm_map_lookup_entry(map, end - 1, &entry) && end < entry->ba.end)
		vm_map_clip(map, entry, end, countp);
	return (vm_map_first_entry(map, start));
}

static boolean_t
vm_map_mergeable(vm_map_entry_t a, vm_map_entry_t b)
{
	return (a->ba.end == b->ba.start && a->ba.object == b->ba.object &&
	    (a->ba.object == NULL ||
	    a->ba.offset + (a->ba.end - a->ba.start) == b->ba.offset) &&
	    a->eflags == b->eflags && a->maptype == b->maptype &&
	    a->inheritance == b->inheritance &&
	    a->protection == b->protection &&
	    a->max_protection == b->max_protection &&
	    a->wired_count == b->wired_count && a->id == b->id);
}

void
vm_map_simplify_entry(vm_map_t map, vm_map_entry_t entry, int *countp)
{
	vm_map_entry_t other;

	other = RB_PREV(vm_map_rb_tree, &map->rb_root, entry);
	if (other != NULL && vm_map_mergeable(other, entry)) {
		vm_map_entry_unlink(map, other);
		entry->ba.start = other->ba.start;
		entry->ba.offset = other->ba.offset;
		vm_map_entry_dispose(other, countp);
	}
	other = RB_NEXT(vm_map_rb_tree, &map->rb_root, entry);
	if (other != NULL && vm_map_mergeable(entry, other)) {
		vm_map_entry_unlink(map, other);
		entry->ba.end = other->ba.end;
		vm_map_entry_dispose(other, countp);
	}
}

/*
 * Inserting.
 */

/*
 * Can the anonymous memory before start simply be made longer?  Its object
 * may have had pages at the new place once; if it always had one mapping only
 * those are gone with the entry that mapped them.
 */
static boolean_t
vm_map_extend(vm_map_entry_t prev, vm_map_entry_t proto)
{
	vm_object_t object = prev->ba.object;
	vm_pindex_t pages;
	boolean_t done;

	proto->ba.object = object;
	proto->ba.offset = prev->ba.offset + (prev->ba.end - prev->ba.start);
	if (!vm_map_mergeable(prev, proto))
		return (FALSE);
	if (object == NULL)
		return (TRUE);
	if (object == kernel_object)
		return (FALSE);
	pages = OFF_TO_IDX(proto->ba.offset) +
	    atop(proto->ba.end - proto->ba.start);
	vm_object_hold(object);
	done = (object->ref_count == 1 && (object->flags & OBJ_ONEMAPPING) &&
	    object->backing_object == NULL);
	if (done && pages > object->size)
		object->size = pages;
	vm_object_drop(object);
	return (done);
}

/*
 * Map [start, end) to map_object from offset on; NULL: to fresh anonymous
 * memory.  The caller's reference to the object goes to the entry.
 */
int
vm_map_insert(vm_map_t map, int *countp, void *map_object,
    void *map_aux __unused, vm_ooffset_t offset, void *aux_info __unused,
    vm_offset_t start, vm_offset_t end, vm_maptype_t maptype, vm_subsys_t id,
    vm_prot_t prot, vm_prot_t max, int cow)
{
	struct vm_map_entry proto;
	vm_map_entry_t entry, prev, next;

	ASSERT_VM_MAP_LOCKED(map);
	if (start < vm_map_min(map) || end > vm_map_max(map) || start >= end)
		return (KERN_INVALID_ADDRESS);
	if (vm_map_lookup_entry(map, start, &prev))
		return (KERN_NO_SPACE);
	next = vm_map_first_entry(map, start);
	if (next != NULL && next->ba.start < end)
		return (KERN_NO_SPACE);

	bzero(&proto, sizeof(proto));
	proto.ba.start = start;
	proto.ba.end = end;
	proto.maptype = maptype;
	proto.protection = prot;
	proto.max_protection = max;
	proto.id = id;
	proto.inheritance = (cow & COWF_SHARED) ? VM_INHERIT_SHARE :
	    VM_INHERIT_DEFAULT;
	if (cow & COWF_COPY_ON_WRITE)
		proto.eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;

	map->size += end - start;
	if (map_object == NULL && prev != NULL && vm_map_extend(prev, &proto)) {
		prev->ba.end = end;
		vm_map_simplify_entry(map, prev, countp);
		return (KERN_SUCCESS);
	}
	proto.ba.object = map_object;
	proto.ba.offset = map_object != NULL ? offset : 0;
	entry = vm_map_entry_create(countp);
	*entry = proto;
	vm_map_entry_link(map, entry);
	if (map_object != NULL)
		vm_map_simplify_entry(map, entry, countp);
	return (KERN_SUCCESS);
}

/*
 * First fit: 0 and the address of a hole of length bytes at or behind start,
 * or 1.  A hole in kernel_map comes with its page tables.
 */
int
vm_map_findspace(vm_map_t map, vm_offset_t start, vm_size_t length,
    vm_size_t align, int flags __unused, vm_offset_t *addr)
{
	vm_map_entry_t entry;
	vm_offset_t base;

	KASSERT(powerof2(align) && align >= PAGE_SIZE,
	    ("vm_map_findspace: bad alignment %lu", align));
	if (start < vm_map_min(map))
		start = vm_map_min(map);
	base = start;
	if (map->hint_length != 0 && length >= map->hint_length &&
	    start >= map->hint_base && start < map->hint_start)
		start = map->hint_start;
	entry = vm_map_first_entry(map, start);
	for (;;) {
		start = roundup2(start, align);
		if (start + length < start ||
		    start + length > vm_map_max(map)) {
			if (map->hint_length == 0)
				return (1);
			map->hint_length = 0;
			start = base;
			entry = vm_map_first_entry(map, start);
			continue;
		}
		if (entry == NULL || start + length <= entry->ba.start)
			break;
		start = ulmax(start, entry->ba.end);
		entry = RB_NEXT(vm_map_rb_tree, &map->rb_root, entry);
	}
	if (map == kernel_map && start + length > kernel_vm_end)
		pmap_growkernel(start, start + length);
	/*
	 * Remember what was learnt, if it extends what was known.
	 */
	if (align == PAGE_SIZE && (map->hint_length == 0 ||
	    (length <= map->hint_length && base <= map->hint_base) ||
	    (length == map->hint_length && base == map->hint_base))) {
		map->hint_base = base;
		map->hint_start = start;
		map->hint_length = length;
	}
	*addr = start;
	return (0);
}

/*
 * Find space at or behind *addr (fitit), or take *addr itself, and map it.
 */
int
vm_map_find(vm_map_t map, void *map_object, void *map_aux,
    vm_ooffset_t offset, vm_offset_t *addr, vm_size_t length, vm_size_t align,
    boolean_t fitit, vm_maptype_t maptype, vm_subsys_t id, vm_prot_t prot,
    vm_prot_t max, int cow)
{
	int count, result;

	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	if (fitit && vm_map_findspace(map, *addr, length, align, 0, addr))
		result = KERN_NO_SPACE;
	else
		result = vm_map_insert(map, &count, map_object, map_aux,
		    offset, NULL, *addr, *addr + length, maptype, id, prot,
		    max, cow);
	vm_map_unlock(map);
	vm_map_entry_release(count);
	return (result);
}

/*
 * Removing and changing.
 */

/*
 * Memory from start on is about to be free, and makes one hole with what is
 * free before it.
 */
static void
vm_map_hint_freed(vm_map_t map, vm_offset_t start)
{
	vm_map_entry_t prev;

	if (map->hint_length == 0 || start >= map->hint_start)
		return;
	if (start <= map->hint_base)
		map->hint_length = 0;
	else if (vm_map_lookup_entry(map, start - 1, &prev))
		map->hint_start = start;
	else
		map->hint_start = ulmax(map->hint_base,
		    prev != NULL ? prev->ba.end : 0);
}

int
vm_map_delete(vm_map_t map, vm_offset_t start, vm_offset_t end, int *countp)
{
	vm_map_entry_t entry, next;
	vm_object_t object;
	vm_pindex_t pindex;

	ASSERT_VM_MAP_LOCKED(map);
	vm_map_hint_freed(map, start);
	for (entry = vm_map_clip_range(map, start, end, countp);
	    entry != NULL && entry->ba.start < end; entry = next) {
		next = RB_NEXT(vm_map_rb_tree, &map->rb_root, entry);
		pmap_remove(map->pmap, entry->ba.start, entry->ba.end);
		object = entry->ba.object;
		if (object != NULL && (object->flags & OBJ_ONEMAPPING)) {
			pindex = OFF_TO_IDX(entry->ba.offset);
			vm_object_hold(object);
			vm_object_page_remove(object, pindex, pindex +
			    atop(entry->ba.end - entry->ba.start), FALSE);
			vm_object_drop(object);
		}
		map->size -= entry->ba.end - entry->ba.start;
		vm_map_entry_unlink(map, entry);
		vm_map_entry_dispose(entry, countp);
	}
	return (KERN_SUCCESS);
}

int
vm_map_remove(vm_map_t map, vm_offset_t start, vm_offset_t end)
{
	int count, result;

	start = ulmax(start, vm_map_min(map));
	end = ulmin(end, vm_map_max(map));
	if (start >= end)
		return (KERN_SUCCESS);
	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	result = vm_map_delete(map, start, end, &count);
	vm_map_unlock(map);
	vm_map_entry_release(count);
	return (result);
}

int
vm_map_protect(vm_map_t map, vm_offset_t start, vm_offset_t end,
    vm_prot_t prot, boolean_t set_max)
{
	vm_map_entry_t entry, next;
	vm_offset_t addr;
	int count, result;

	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	result = KERN_SUCCESS;
	for (addr = start; addr < end; addr = entry->ba.end) {
		if (!vm_map_lookup_entry(map, addr, &entry)) {
			result = KERN_INVALID_ADDRESS;
			goto done;
		}
		if ((entry->max_protection & prot) != prot) {
			result = KERN_PROTECTION_FAILURE;
			goto done;
		}
	}
	for (entry = vm_map_clip_range(map, start, end, &count);
	    entry != NULL && entry->ba.start < end; entry = next) {
		if (set_max)
			entry->max_protection = prot;
		entry->protection = prot;
		pmap_protect(map->pmap, entry->ba.start, entry->ba.end, prot);
		vm_map_simplify_entry(map, entry, &count);
		next = RB_NEXT(vm_map_rb_tree, &map->rb_root, entry);
	}
done:
	vm_map_unlock(map);
	vm_map_entry_release(count);
	return (result);
}

/*
 * Make [start, end) of private anonymous memory read as zero again.
 */
static void
vm_map_forget(vm_map_t map, vm_offset_t start, vm_offset_t end, int *countp)
{
	vm_map_entry_t entry;

	for (entry = vm_map_clip_range(map, start, end, countp);
	    entry != NULL && entry->ba.start < end;
	    entry = RB_NEXT(vm_map_rb_tree, &map->rb_root, entry)) {
		pmap_remove(map->pmap, entry->ba.start, entry->ba.end);
		vm_object_deallocate(entry->ba.object);
		entry->ba.object = NULL;
		entry->ba.offset = 0;
		entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
	}
}

/*
 * MADV_DONTNEED throws contents away, but what is shared or a file's; other
 * advice is not taken.
 */
int
vm_map_madvise(vm_map_t map, vm_offset_t start, vm_offset_t end, int behav,
    off_t value __unused)
{
	vm_map_entry_t entry;
	vm_object_t object;
	vm_offset_t s, e;
	vm_pindex_t pindex;
	int count;

	if (behav != MADV_DONTNEED)
		return (KERN_SUCCESS);
	count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
	vm_map_lock(map);
	for (; start < end; start = e) {
		entry = vm_map_first_entry(map, start);
		if (entry == NULL || entry->ba.start >= end)
			break;
		s = ulmax(start, entry->ba.start);
		e = ulmin(end, entry->ba.end);
		if ((object = entry->ba.object) == NULL ||
		    (entry->eflags & MAP_ENTRY_COW) ||
		    entry->inheritance == VM_INHERIT_SHARE)
			continue;
		if ((object->flags & OBJ_ONEMAPPING) == 0 ||
		    object->backing_object != NULL) {
			vm_map_forget(map, s, e, &count);
			vm_map_unlock(map);
			vm_map_entry_release(count);
			count = vm_map_entry_reserve(MAP_RESERVE_COUNT);
			vm_map_lock(map);
			continue;
		}
		pindex = OFF_TO_IDX(entry->ba.offset + (s - entry->ba.start));
		vm_object_hold(object);
		vm_object_page_remove(object, pindex, pindex + atop(e - s),
		    FALSE);
		vm_object_drop(object);
	}
	vm_map_unlock(map);
	vm_map_entry_release(count);
	return (KERN_SUCCESS);
}

/*
 * Mark freshly inserted kernel memory as wired; the caller maps it.
 */
void
vm_map_set_wired_quick(vm_map_t map, vm_offset_t addr, vm_size_t size,
    int *countp)
{
	vm_map_entry_t entry;

	ASSERT_VM_MAP_LOCKED(map);
	entry = vm_map_clip_range(map, addr, addr + size, countp);
	KASSERT(entry != NULL && entry->ba.start == addr &&
	    entry->ba.end == addr + size && entry->wired_count == 0,
	    ("vm_map_set_wired_quick: [%lx, %lx) is not one fresh entry",
	    addr, addr + size));
	++entry->wired_count;
	vm_map_simplify_entry(map, entry, countp);
}

/*
 * Give entry a copy in the map of a new process.  Both maps are locked.
 */
static void
vm_map_copy_entry(vm_map_t map, vm_map_entry_t entry, vm_map_t nmap,
    int *countp)
{
	vm_object_t object = entry->ba.object;
	vm_map_entry_t copy;

	if (entry->inheritance == VM_INHERIT_COPY && object != NULL) {
		vm_object_collapse(object);
		if ((entry->eflags & MAP_ENTRY_NEEDS_COPY) == 0)
			pmap_protect(map->pmap, entry->ba.start, entry->ba.end,
			    VM_PROT_READ);
		entry->eflags |= MAP_ENTRY_NEEDS_COPY;
	}
	copy = vm_map_entry_create(countp);
	*copy = *entry;
	if (object != NULL) {
		vm_object_hold(object);
		object->flags &= ~OBJ_ONEMAPPING;
		vm_object_reference_locked(object);
		vm_object_drop(object);
	}
	vm_map_entry_link(nmap, copy);
	nmap->size += copy->ba.end - copy->ba.start;
}

/*
 * An address space for a new process, with the contents of the old one's.
 * May block.
 */
struct vmspace *
vmspace_fork(struct vmspace *vm1)
{
	vm_map_t map = &vm1->vm_map;
	struct vmspace *vm2;
	vm_map_entry_t entry;
	int count;

	vm2 = vmspace_alloc(vm_map_min(map), vm_map_max(map));
	vm_map_lock(map);
	bcopy(&vm1->vm_startcopy, &vm2->vm_startcopy,
	    (char *)&vm1->vm_endcopy - (char *)&vm1->vm_startcopy);
	vm_map_lock(&vm2->vm_map);
	RB_FOREACH(entry, vm_map_rb_tree, &map->rb_root) {
		count = vm_map_entry_reserve(1);
		vm_map_copy_entry(map, entry, &vm2->vm_map, &count);
		vm_map_entry_release(count);
	}
	vm_map_unlock(&vm2->vm_map);
	vm_map_unlock(map);
	return (vm2);
}

/*
 * Pages resident, and those on swap, rounded up to whole swblocks, if that
 * can be found out without waiting.
 */
long
vmspace_size(struct vmspace *vm)
{
	vm_map_t map = &vm->vm_map;
	vm_map_entry_t entry;
	long pages = vmspace_pmap(vm)->pm_stats.resident_count;

	if (lockmgr(&map->lock, LK_SHARED | LK_NOWAIT) != 0)
		return (pages);
	RB_FOREACH(entry, vm_map_rb_tree, &map->rb_root) {
		if (entry->ba.object != NULL)
			pages += entry->ba.object->swblock_count *
			    SWAP_META_PAGES;
	}
	vm_map_unlock_read(map);
	return (pages);
}

/*
 * Page faults.
 */
void
vm_map_entry_allocate_object(vm_map_entry_t entry)
{
	entry->ba.object = vm_object_allocate(OBJT_DEFAULT,
	    atop(entry->ba.end - entry->ba.start));
	entry->ba.object->flags |= OBJ_ONEMAPPING;
	entry->ba.offset = 0;
}

/*
 * Make entry ready to be written to.  The map is locked exclusively.  May
 * block.
 */
static void
vm_map_entry_own(vm_map_entry_t entry)
{
	if (entry->ba.object == NULL)
		vm_map_entry_allocate_object(entry);
	else if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		vm_object_shadow(&entry->ba.object, &entry->ba.offset,
		    entry->ba.end - entry->ba.start);
	entry->eflags &= ~MAP_ENTRY_NEEDS_COPY;
}

int
vm_map_lookup(vm_map_t *mapp, vm_offset_t vaddr, vm_prot_t fault_type,
    vm_map_entry_t *entryp, struct vm_map_backing **bap,
    vm_pindex_t *pindexp, vm_prot_t *protp)
{
	vm_map_t map = *mapp;
	vm_map_entry_t entry;

	for (;;) {
		vm_map_lock_read(map);
		if (!vm_map_lookup_entry(map, vaddr, &entry)) {
			vm_map_unlock_read(map);
			return (KERN_INVALID_ADDRESS);
		}
		if ((entry->protection & fault_type) != fault_type) {
			vm_map_unlock_read(map);
			return (KERN_PROTECTION_FAILURE);
		}
		if (entry->ba.object != NULL && ((fault_type & VM_PROT_WRITE) ==
		    0 || (entry->eflags & MAP_ENTRY_NEEDS_COPY) == 0))
			break;
		/*
		 * Nothing here was touched before, or what was touched is
		 * common.  An object is a change to the entry, hence the
		 * exclusive lock, and everything anew.
		 */
		vm_map_unlock_read(map);
		vm_map_lock(map);
		if (vm_map_lookup_entry(map, vaddr, &entry))
			vm_map_entry_own(entry);
		vm_map_unlock(map);
	}
	*entryp = entry;
	*bap = &entry->ba;
	*pindexp = OFF_TO_IDX(entry->ba.offset + (vaddr - entry->ba.start));
	*protp = entry->protection;
	if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		*protp &= ~VM_PROT_WRITE;
	return (KERN_SUCCESS);
}

void
vm_map_lookup_done(vm_map_t map, vm_map_entry_t entry __unused,
    int count __unused)
{
	vm_map_unlock_read(map);
}
