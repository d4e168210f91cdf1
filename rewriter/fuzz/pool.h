/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a generated program tells the driver about its zones and caches.
 *
 * A pool is a zone or a cache with the functions that use it; each of them
 * holds one of the shapes under test.  The driver, in driver.c, calls them in
 * a random order and prints what it sees.
 */

#ifndef _SYS_POOL_H_
#define	_SYS_POOL_H_

#include <sys/types.h>

#define	POOL_FUNCTIONS	8

#define	POOL_ZONE	0x01	/* the first two words are the allocator's */
#define	POOL_ZERO	0x02	/* fresh objects are zero */
#define	POOL_CTOR	0x04	/* the first two words are the constructor's */
#define	POOL_SPIN	0x08	/* get may be called with a spinlock held */
#define	POOL_AGAIN	0x10	/* init may be called again after fini */
#define	POOL_TWICE	0x20	/* init may be called at any time */
#define	POOL_PANICS	0x40	/* get panics when no page is left */
#define	POOL_EXACT	0x80	/* what is dropped is destroyed at once */

struct pool {
	const char	*name;
	size_t		size;
	int		flags;
	void		(*init)(void);
	void		*(*get[POOL_FUNCTIONS])(int n);
	void		(*put[POOL_FUNCTIONS])(void *obj);
	void		(*drop)(void *obj);	/* objcache_dtor() */
	void		(*fini)(void);		/* nothing is out */
	void		(*tune)(void);		/* a higher limit */
	int		(*reclaim)(void);
};

struct program {
	const char	*name;
	u_int		seed;
	struct pool	*pools;
	int		npools;
};

/* The tree's programs, up to NULL. */
extern const struct program *const programs[];

/*
 * For the programs: print an event; obj is about to be destroyed.  trace()
 * must not be told anything that depends on an address.
 */
void	trace(const char *fmt, ...);
void	pool_forget(void *obj);

/*
 * Between the driver and the model: how much memory there is, and who may take
 * what is left; objects that were allocated and not freed.
 */
enum { MEM_PLENTY, MEM_SYSTEM, MEM_INTERRUPT, MEM_NONE };

extern int mem_level;

long	model_outstanding(void);

#endif
