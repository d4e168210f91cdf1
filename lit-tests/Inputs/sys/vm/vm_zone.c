/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The zone allocator, reduced to its interface.  It calls itself through
 * that interface: those calls are not call sites of anybody's zone.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <vm/vm_zone.h>

void *
zalloc(vm_zone_t z)
{
	void *item = z->zitems;

	if (item != NULL)
		z->zitems = *(void **)item;
	return (item);
}

void
zfree(vm_zone_t z, void *item)
{
	*(void **)item = z->zitems;
	z->zitems = item;
}

int
zinitna(vm_zone_t z, char *name, size_t size, long nentries, uint32_t flags)
{
	if ((z->zflags & ZONE_BOOT) == 0) {
		spin_init(&z->zspin, name);
		z->zname = name;
		z->zsize = size;
	}
	z->zmax = nentries;
	z->zflags |= flags;
	return (1);
}

vm_zone_t
zinit(char *name, size_t size, long nentries, uint32_t flags)
{
	vm_zone_t z;

	z = kmalloc(sizeof(*z), M_TEMP, M_WAITOK | M_ZERO);
	if (zinitna(z, name, size, nentries, flags & ~ZONE_DESTROYABLE) == 0) {
		zdestroy(z);
		return (NULL);
	}
	return (z);
}

void
zbootinit(vm_zone_t z, char *name, size_t size, void *item, long nitems)
{
	bzero(z, sizeof(*z));
	z->zname = name;
	z->zsize = size;
	z->zflags = ZONE_BOOT;
	while (nitems-- > 0) {
		zfree(z, item);
		item = (char *)item + size;
	}
}

void
zdestroy(vm_zone_t z)
{
	kfree(z, M_TEMP);
}
