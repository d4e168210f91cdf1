/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What zalloc and objcache need of a kernel besides fake_kernel.h, to be
 * compiled as they are in the reference kernel, and compared with.
 */

#ifndef FAKE_OLD_H
#define	FAKE_OLD_H

#include "fake_kernel.h"
#include <sys/globaldata.h>
#include <sys/malloc.h>
#include <sys/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

#define	LK_CANRECURSE		0x40
#define	LK_SLEEPFAIL		0x20
/* Refills one at a time; nobody else is there.  It is held asleep. */
#define	lockmgr(lk, flags)		((void)(lk), 0)
#define	KM_KRESERVE		2
#define	VM_SUBSYS_ZALLOC	2
#define	round_page(x)		roundup2(x, (size_t)PAGE_SIZE)
#define	spin_trylock(spin)	(spin_lock(spin), 1)
#define	WATCHDOG_REPORT(func)						\
	void (*const fake_report_##func)(void) __attribute__((__unused__)) = \
	    (func)
#define	SYSCTL_ULONG(parent, nbr, name, acc, ptr, val, descr)		\
	u_long *const fake_sysctl_ulong_##name				\
	    __attribute__((__unused__)) = (ptr)
#define	SYSCTL_NODE(parent, nbr, name, acc, handler, descr)		\
	extern int fake_node_##name

typedef unsigned int u_int;
typedef size_t vm_pindex_t;

struct lwkt_token {
	int		unused;
};
#define	LWKT_TOKEN_INITIALIZER(name)	{ 0 }
#define	lwkt_gettoken(token)		((void)(token))
#define	lwkt_reltoken(token)		((void)(token))

/* A cpu's stock of map entries, which a ZONE_SPECIAL zone fills. */
typedef struct vm_map_entry {
	struct vm_map_entry *next;
} *vm_map_entry_t;
#define	MAPENT_FREELIST(entry)		((entry)->next)

static inline int
imin(int a, int b)
{
	return (a < b ? a : b);
}

static inline int
imax(int a, int b)
{
	return (a > b ? a : b);
}

vm_offset_t kmem_alloc3(struct vm_map *, vm_size_t, int, int);
vm_offset_t kmem_alloc_pageable(struct vm_map *, vm_size_t, int);
void	*krealloc(void *, unsigned long, struct malloc_type *, int);

#ifdef __cplusplus
}
#endif

#endif
