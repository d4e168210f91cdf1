/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The object half of kmalloc, reduced to what the shims hook into: set-up
 * of the per-cpu state, a new slab when none is left, retirement.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>

static struct kmalloc_slab kslab_dummy;

static struct kmalloc_slab *
gslab_cache(struct kmalloc_slab *list)
{
	return (list);
}

void
malloc_mgt_init(struct malloc_type *type __unused, struct kmalloc_mgt *mgt,
    size_t size)
{
	size_t count;

	bzero(mgt, sizeof(*mgt));
	spin_init(&mgt->spin, "mgt");
	mgt->active = &kslab_dummy;
	mgt->alternate = &kslab_dummy;

	count = (KMALLOC_SLAB_SIZE - offsetof(struct kmalloc_slab, fobjs[0])) /
	    (size + sizeof(void *));
	mgt->slab_count = count;
	mgt->slab_offset = __VM_CACHELINE_ALIGN(offsetof(struct kmalloc_slab,
	    fobjs[count]));
}

static void
malloc_slab_destroy(struct malloc_type *type, struct kmalloc_slab **slabp)
{
	struct kmalloc_slab *base;
	struct kmalloc_slab *slab;

	base = *slabp;
	*slabp = NULL;
	if (base == NULL)
		return;
	kprintf("%s: slabs retired\n", type->ks_shortdesc);
	base = gslab_cache(base);
	while ((slab = base) != NULL) {
		base = slab->next;
		kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
	}
}

void
malloc_mgt_uninit(struct malloc_type *type, struct kmalloc_mgt *mgt)
{
	malloc_slab_destroy(type, &mgt->full);
}

int
malloc_mgt_poll(struct malloc_type *type)
{
	struct kmalloc_mgt *ggm = &type->ks_mgt;
	struct kmalloc_slab *base;
	struct kmalloc_slab *slab;

	spin_lock(&ggm->spin);
	base = ggm->full;
	ggm->full = NULL;
	spin_unlock(&ggm->spin);

	if (base != NULL) {
		base = gslab_cache(base);
		while ((slab = base) != NULL) {
			base = slab->next;
			kmem_slab_free(slab, KMALLOC_SLAB_SIZE);
		}
	}
	return (1);
}

void *
_kmalloc_obj(unsigned long size, struct malloc_type *type, int flags)
{
	struct kmalloc_mgt *ggm, *mgt;
	struct kmalloc_use *use;
	struct kmalloc_slab *slab;
	size_t delta;
	void *obj;

	crit_enter();
	KKASSERT(size == type->ks_objsize);
	use = &type->ks_use[0];
	mgt = &use->mgt;
	ggm = &type->ks_mgt;
retry:
	slab = mgt->active;
	delta = slab->findex - slab->aindex;
	if (delta != 0) {
		obj = slab->fobjs[slab->aindex++ % slab->ncount];
		goto found;
	}

	/*
	 * Nothing left: a new slab.
	 */
	slab = kmem_slab_alloc(KMALLOC_SLAB_SIZE, KMALLOC_SLAB_SIZE,
			       M_WAITOK);

	bzero(slab, sizeof(*slab));
	slab->type = type;
	slab->ncount = use->mgt.slab_count;
	slab->offset = use->mgt.slab_offset;
	slab->objsize = type->ks_objsize;
	slab->findex = slab->ncount;
	slab->xindex = slab->ncount;
	obj = (char *)slab + slab->offset;
	for (delta = 0; delta < slab->ncount; ++delta) {
		slab->fobjs[delta] = obj;
		obj = (char *)obj + type->ks_objsize;
	}
	slab->magic = KMALLOC_SLAB_MAGIC;
	spin_init(&slab->spin, "slab");

	spin_lock(&ggm->spin);
	mgt->alternate = mgt->active;
	mgt->active = slab;
	spin_unlock(&ggm->spin);
	goto retry;
found:
	use->memuse += size;
	++use->inuse;
	crit_exit();
	if (flags & M_ZERO)
		bzero(obj, size);
	return (obj);
}

void
_kfree_obj(void *obj, struct malloc_type *type)
{
	struct kmalloc_slab *slab;

	slab = (void *)((uintptr_t)obj & ~KMALLOC_SLAB_MASK);
	KKASSERT(slab->type == type);
	slab->fobjs[slab->findex++ % slab->ncount] = obj;
}
