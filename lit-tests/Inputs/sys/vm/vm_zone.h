/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _VM_VM_ZONE_H_
#define	_VM_VM_ZONE_H_

#include <sys/types.h>
#include <sys/spinlock.h>

#define	ZONE_INTERRUPT		0x0001
#define	ZONE_PANICFAIL		0x0002
#define	ZONE_SPECIAL		0x0004
#define	ZONE_BOOT		0x0010
#define	ZONE_USE_RESERVE	0x0020
#define	ZONE_DESTROYABLE	0x0040

typedef struct vm_zone {
	struct spinlock	zspin;
	void		*zitems;
	long		zfreecnt;
	long		zmax;
	long		ztotal;
	long		zsize;
	long		zflags;
	char		*zname;
} *vm_zone_t;

vm_zone_t zinit(char *name, size_t size, long nentries, uint32_t flags);
int	zinitna(vm_zone_t z, char *name, size_t size, long nentries,
	    uint32_t flags);
void	*zalloc(vm_zone_t z);
void	zfree(vm_zone_t z, void *item);
void	zbootinit(vm_zone_t z, char *name, size_t size, void *item,
	    long nitems);
void	zdestroy(vm_zone_t z);

#endif
