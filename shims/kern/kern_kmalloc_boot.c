/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * kmalloc_obj before malloc_init(): what zbootinit() did.
 *
 * The chicken and the egg
 *
 *	The VM cannot map anything without map entries and pv entries, and no
 *	allocator can get memory before the VM maps some.  zalloc was given an
 *	array of items to start with.  kmalloc_obj finds the slab of an object
 *	by masking its address, so it is given whole slabs: static memory, or
 *	any range from which the aligned slabs are cut.
 *
 * How a type works so early
 *
 *	A malloc type is static data, and all that kmalloc_obj() looks at are
 *	ks_limit, ks_use and the two kmalloc_mgts of the boot cpu.  Registering
 *	memory sets them up: the limit as good as infinite, ks_use the dummy
 *	embedded in the type, and the slabs ready in the type's reserve, which
 *	is where kmalloc_obj_getslab() looks first.  No lock but spinlocks, no
 *	page and no address is needed.  When the slabs are used up and there is
 *	no VM yet, the allocator falls through to kmem_slab_alloc() as zalloc
 *	fell into kmem_alloc().
 *
 *	The list of full slabs is not for them: what lies there was used, and
 *	waits until no reader can be left.  Nobody ever looked at these, so that
 *	they would wait for ever, and the poller with them: malloc_mgt_poll()
 *	stays with a type whose full slabs it cannot retire.
 *
 * How malloc_init() finds it
 *
 *	malloc_init() skips types with a limit, so kmalloc_obj_adopt() takes
 *	the limit away first; the type is then linked and limited like any
 *	other.  It would also initialise both kmalloc_mgts again and forget the
 *	slabs: kmalloc_obj_keep_mgt() tells it not to.  This is why the number
 *	of cpus must still be one then (malloc_reinit_ncpus() copies the first
 *	cpu's structure later), as it is for every static type.
 *
 * Boot slabs are never given back.  What is not in use of them is part of the
 * type's reserve, before malloc_init() and when they retire, and nothing is
 * populated for it while they are enough.
 *
 * What is freed to a type at boot need not have come from it.  A zone links
 * any item into its list; code that primes itself with static items, as the
 * per-cpu stock of map entries does, later frees those to the zone like any
 * other.  kmalloc_obj would take the memory below such an item for a slab.
 * _kfree_obj() finds that it is none by its magic (boot slabs are whole and
 * aligned, so nothing else lies in them) and calls kmalloc_obj_foreign(), which
 * drops the item: static arrays are finite, and so is what is lost.
 *
 * One function sets up every slab, whatever its origin: the rewriter replaces
 * the statements in _kmalloc_obj() by a call of kmalloc_obj_setup().  It must
 * leave alone a slab that was set up where it came from.  It recognises one by
 * magic and type: whoever hands over raw memory clears the magic, and slabs
 * from the cpu's free-slab cache have no type.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/lock.h>
#include <sys/spinlock.h>
#include <sys/thread.h>
#include <sys/kmalloc_obj.h>

#include <sys/spinlock2.h>
#include <sys/thread2.h>

#define	KMALLOC_BOOT_EXTS	16	/* types registered before kmalloc() */

MALLOC_DEFINE(M_KMALLOC_EXT, "kmalloc_ext", "kmalloc_obj control blocks");

static struct kmalloc_ext *kmalloc_exts;
const char kmalloc_origin_boot[1];

static struct kmalloc_ext kmalloc_boot_exts[KMALLOC_BOOT_EXTS];
static int kmalloc_boot_nexts;
static struct spinlock kmalloc_exts_spin =
    SPINLOCK_INITIALIZER(&kmalloc_exts_spin, "kmexts");

/*
 * A block for type out of fresh, an unused one or the static ones.
 */
static struct kmalloc_ext *
kmalloc_ext_attach(struct malloc_type *type, struct kmalloc_ext **freshp)
{
	struct kmalloc_ext *ext;

	for (ext = kmalloc_exts; ext != NULL; ext = ext->next) {
		if (ext->type == NULL)
			break;
	}
	if (ext == NULL) {
		if (*freshp != NULL) {
			ext = *freshp;
			*freshp = NULL;
		} else if (kmalloc_boot_nexts < KMALLOC_BOOT_EXTS) {
			ext = &kmalloc_boot_exts[kmalloc_boot_nexts++];
		} else {
			panic("%s: more than %d types use kmalloc_obj "
			    "before malloc_init", type->ks_shortdesc,
			    KMALLOC_BOOT_EXTS);
		}
		lockinit(&ext->lock, "kmext", 0, 0);
		spin_init(&ext->spin, "kmext");
		ext->next = kmalloc_exts;
		kmalloc_exts = ext;
	}
	ext->type = type;
	type->ks_unused0 = (uintptr_t)ext;
	return (ext);
}

/*
 * The control block of a type, made if there is none.  May block, but for a
 * type that malloc_init() has not seen.
 */
struct kmalloc_ext *
kmalloc_ext_create(struct malloc_type *type)
{
	struct kmalloc_ext *ext, *fresh;

	if ((ext = kmalloc_ext(type)) != NULL)
		return (ext);
	if ((type->ks_flags & KSF_OBJSIZE) == 0)
		panic("%s: not a type of kmalloc_obj", type->ks_shortdesc);

	fresh = NULL;
	if (type->ks_limit != 0)
		fresh = kmalloc(sizeof(*fresh), M_KMALLOC_EXT,
		    M_WAITOK | M_ZERO);
	spin_lock(&kmalloc_exts_spin);
	if ((ext = kmalloc_ext(type)) == NULL)
		ext = kmalloc_ext_attach(type, &fresh);
	spin_unlock(&kmalloc_exts_spin);
	if (fresh != NULL)
		kfree(fresh, M_KMALLOC_EXT);
	return (ext);
}

struct kmalloc_ext *
kmalloc_ext_next(struct kmalloc_ext *ext)
{
	spin_lock(&kmalloc_exts_spin);
	ext = ext != NULL ? ext->next : kmalloc_exts;
	spin_unlock(&kmalloc_exts_spin);
	return (ext);
}

/*
 * The type is gone and nothing of it left: anyone may have the block.
 */
void
kmalloc_ext_recycle(struct kmalloc_ext *ext)
{
	KASSERT(ext->ready == NULL && ext->runs == NULL && ext->blocked == NULL,
	    ("kmalloc_obj: block %p is in use", ext));
	spin_lock(&kmalloc_exts_spin);
	bzero(&ext->dying, sizeof(*ext) - __offsetof(struct kmalloc_ext, dying));
	ext->type = NULL;
	spin_unlock(&kmalloc_exts_spin);
}

void
kmalloc_slab_format(struct malloc_type *type, struct kmalloc_slab *slab,
    void *origin, size_t bytes)
{
	size_t count, offset, i;
	char *obj;

	count = kmalloc_slab_layout(type, bytes, &offset);
	KASSERT(count > 0, ("%s: no object fits %zu bytes", type->ks_shortdesc,
	    bytes));

	/*
	 * Fresh objects are zero, as their states are; recycled ones are not
	 * touched.
	 */
	bzero(slab, kmalloc_ext(type) != NULL ?
	    offset + count * type->ks_objsize : sizeof(*slab));
	spin_init(&slab->spin, "kmslb");
	slab->type = type;
	slab->orig_cpuid = mycpu->gd_cpuid;
	slab->offset = offset;
	slab->objsize = type->ks_objsize;
	slab->ncount = count;
	slab->findex = slab->ncount;
	slab->xindex = slab->ncount;
	slab->unused01 = origin;
	obj = (char *)slab + slab->offset;
	for (i = 0; i < slab->ncount; ++i, obj += slab->objsize)
		slab->fobjs[i] = obj;
	slab->magic = KMALLOC_SLAB_MAGIC;
	kmalloc_debug_format(slab);
}

void
kmalloc_obj_setup(struct malloc_type *type, struct kmalloc_slab *slab)
{
	if (slab->magic != KMALLOC_SLAB_MAGIC || slab->type != type)
		kmalloc_slab_format(type, slab, NULL, KMALLOC_SLAB_SIZE);
}

void
_kmalloc_obj_bootinit(struct malloc_type *type, void *mem, size_t bytes)
{
	struct kmalloc_mgt *ggm = &type->ks_mgt;
	struct kmalloc_ext *ext;
	struct kmalloc_slab *slab;
	uintptr_t base, end;

	ext = kmalloc_ext(type);
	if (type->ks_limit != 0 &&
	    (ext == NULL || ext->boot != KMALLOC_BOOT_ACTIVE))
		panic("%s: kmalloc_obj_bootinit after malloc_init",
		    type->ks_shortdesc);

	base = roundup2((uintptr_t)mem, KMALLOC_SLAB_SIZE);
	end = (uintptr_t)mem + bytes;
	if (base + KMALLOC_SLAB_SIZE > end)
		panic("%s: kmalloc_obj_bootinit: no whole slab in %zu bytes "
		    "at %p", type->ks_shortdesc, bytes, mem);

	if (ext == NULL) {
		ext = kmalloc_ext_create(type);
		malloc_mgt_init(type, ggm, type->ks_objsize);
		malloc_mgt_init(type, &type->ks_use0.mgt, type->ks_objsize);
		type->ks_limit = ~(size_t)0 / 2;
		ext->boot = KMALLOC_BOOT_ACTIVE;
	}

	for (; base + KMALLOC_SLAB_SIZE <= end; base += KMALLOC_SLAB_SIZE) {
		slab = (struct kmalloc_slab *)base;
		kmalloc_slab_format(type, slab, KMALLOC_ORIGIN_BOOT,
		    KMALLOC_SLAB_SIZE);
		ext->bootobjs += slab->ncount;
		kmalloc_ext_add_ready(ext, slab, 0);
	}
}

void
kmalloc_obj_adopt(struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (type->ks_limit == 0) {
		/* Of a former life: kmalloc_obj_detach() must leave it. */
		type->ks_unused0 = 0;
	} else if (ext != NULL && ext->boot == KMALLOC_BOOT_ACTIVE) {
		KASSERT(ncpus == 1, ("%s: malloc_init after the cpus were "
		    "counted", type->ks_shortdesc));
		type->ks_limit = 0;
		ext->boot = KMALLOC_BOOT_ADOPTED;
	}
}

int
kmalloc_obj_keep_mgt(struct malloc_type *type, struct kmalloc_mgt *mgt)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	return (ext != NULL && ext->boot != KMALLOC_BOOT_NONE &&
	    (mgt == &type->ks_mgt || mgt == &type->ks_use0.mgt));
}

void
_kmalloc_obj_foreign(void *obj, struct malloc_type *type)
{
	struct kmalloc_ext *ext = kmalloc_ext(type);

	if (ext == NULL || ext->boot == KMALLOC_BOOT_NONE)
		panic("kfree_obj: %s: %p is not of kmalloc_obj",
		    type->ks_shortdesc, obj);
	spin_lock(&ext->spin);
	++ext->foreign;
	spin_unlock(&ext->spin);
}
