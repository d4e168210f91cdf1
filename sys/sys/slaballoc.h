/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory under kmalloc(): chunks of 21 sizes, and runs of pages.  See
 * kern/kern_kmchunk.c.
 */

#ifndef _SYS_SLABALLOC_H_
#define	_SYS_SLABALLOC_H_

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)

#include <sys/types.h>

#define	KMCHUNK_MAX	16384		/* bytes; larger ones get own pages */
#define	KMCHUNK_CLASSES	21		/* sizes of chunks */
#define	KMCHUNK_DEPTH	16		/* chunks of a size a cpu keeps */

/* Free chunks of one size that a cpu has at hand, last freed on top. */
struct kmchunk_stack {
	u_int	n;
	void	*chunk[KMCHUNK_DEPTH];
};

typedef struct SLGlobalData {
	struct kmchunk_stack stack[KMCHUNK_CLASSES];
} SLGlobalData;

#ifdef _KERNEL
/*
 * At least the given number of bytes, which must not be zero; flags are those
 * of kmalloc().  NULL where kmem_slab_alloc() gives NULL.
 */
void	*kmchunk_alloc(size_t bytes, int flags);
/* Give it back.  Blocks only for runs of pages. */
void	kmchunk_free(void *chunk);
/* The bytes that chunk has, and those that a request would get. */
size_t	kmchunk_size(const void *chunk);
size_t	kmchunk_round(size_t bytes);
/* Note who got it. */
#ifdef SLAB_DEBUG
void	kmchunk_record(void *chunk, const char *file, int line);
#else
#define	kmchunk_record(chunk, file, line)	do { } while (0)
#endif
#endif

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#endif	/* !_SYS_SLABALLOC_H_ */
