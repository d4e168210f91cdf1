/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internals of kmalloc(): see kern/kern_slaballoc.c.
 */

#ifndef _SYS_SLABALLOC_H_
#define	_SYS_SLABALLOC_H_

#if defined(_KERNEL) || defined(_KERNEL_STRUCTURES)

#include <sys/queue.h>
#include <sys/_malloc.h>

#define	ZALLOC_ZONE_LIMIT	(16 * 1024)	/* larger ones get own pages */
#define	ZALLOC_ZONE_SIZE	(128 * 1024)	/* bytes a zone, and alignment */
#define	ZALLOC_SLAB_MAGIC	0x534c5a4e
#define	ZALLOC_ZONE_RELS	32		/* free zones a cpu keeps */
#define	NZONES			72		/* chunk sizes */

typedef struct SLChunk {
	struct SLChunk	*c_Next;
} SLChunk;

/*
 * At the base of every zone.  A zone is on its cpu's ZoneAry[] if anything in
 * it is free, else on its FullAry[].  Only that cpu touches it, in a critical
 * section, but for z_RChunks.
 */
typedef struct SLZone {
	uint32_t	z_Magic;
	int		z_Cpu;
	TAILQ_ENTRY(SLZone) z_Entry;
	int		z_NFree;
	int		z_NMax;
	int		z_UIndex;	/* chunks from here on are untouched */
	int		z_ZoneIndex;
	char		*z_BasePtr;
	size_t		z_ChunkSize;	/* bytes */
	SLChunk		*z_LChunks;	/* free; UIndex ones are not listed */
	SLChunk		*z_RChunks;	/* freed by other cpus, atomically */
	uint32_t	z_Bitmap[];	/* set: handed out */
} SLZone;

TAILQ_HEAD(SLZoneList, SLZone);
typedef struct SLZoneList SLZoneList;

typedef struct SLGlobalData {
	SLZoneList	ZoneAry[NZONES];
	SLZoneList	FullAry[NZONES];
	SLZoneList	FreeZones;	/* of no size any more */
	int		NFreeZones;
} SLGlobalData;

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#endif	/* !_SYS_SLABALLOC_H_ */
