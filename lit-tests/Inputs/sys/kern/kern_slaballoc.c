/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Life of a malloc_type, reduced to what the shims hook into.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>

MALLOC_DEFINE(M_TEMP, "temp", "whatever does not last");

int ncpus = 1;

static struct malloc_type *kmemstatistics;

void
malloc_init(void *data)
{
	struct malloc_type *type = data;

	if (type->ks_magic != M_MAGIC)
		panic("malloc_init: not a malloc type");
	if (type->ks_limit != 0)
		return;

	type->ks_limit = kmem_lim_size() / 10;
	if (type->ks_flags & KSF_OBJSIZE) {
		malloc_mgt_init(type, &type->ks_mgt, type->ks_objsize);
		malloc_mgt_init(type, &type->ks_use0.mgt, type->ks_objsize);
	}
	type->ks_use = &type->ks_use0;
	type->ks_next = kmemstatistics;
	kmemstatistics = type;
}

void
malloc_uninit(void *data)
{
	struct malloc_type *type = data;

	malloc_mgt_uninit(type, &type->ks_mgt);
}

void
kmalloc_raise_limit(struct malloc_type *type, size_t bytes)
{
	if (bytes == 0 || type->ks_limit < bytes)
		type->ks_limit = bytes == 0 ? kmem_lim_size() : bytes;
}

void
_kmalloc_create_obj(struct malloc_type **typep, const char *descr,
    size_t objsize)
{
	struct malloc_type *made;

	if (*typep != NULL)
		return;
	made = kmalloc(sizeof(*made), M_TEMP, M_WAITOK);
	*made = (struct malloc_type){
		.ks_shortdesc = descr,
		.ks_objsize = __VM_CACHELINE_ALIGN(objsize),
		.ks_flags = KSF_OBJSIZE,
		.ks_magic = M_MAGIC
	};
	malloc_init(made);
	*typep = made;
}

void
kmalloc_destroy(struct malloc_type **typep)
{
	malloc_uninit(*typep);
	kfree(*typep, M_TEMP);
	*typep = NULL;
}
