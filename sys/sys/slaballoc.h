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
#define	ZALLOC_OVSZ_MAGIC	0x4f56535a
#define	NZONES			72		/* chunk sizes */

typedef struct SLChunk {
	struct SLChunk	*c_Next;
} SLChunk;

/*
 * At the base of every zone.  Zones of one chunk size with anything free are
 * on their cpu's ZoneAry[].  A block too large for a zone has a header of the
 * same kind on a page of its own, at the base of what it got from the VM.
 */
typedef struct SLZone {
	uint32_t	z_Magic;
	int		z_Cpu;
	TAILQ_ENTRY(SLZone) z_Entry;
	int		z_NFree;
	int		z_NMax;
	int		z_UIndex;	/* chunks never handed out start here */
	int		z_ZoneIndex;
	char		*z_BasePtr;
	size_t		z_ChunkSize;	/* bytes; of an oversized block: its own */
	SLChunk		*z_LChunks;	/* freed by the owning cpu */
	SLChunk		*z_RChunks;	/* freed by other cpus, atomically */
	uint32_t	z_Bitmap[];	/* INVARIANTS: set means handed out */
} SLZone;

TAILQ_HEAD(SLZoneList, SLZone);

typedef struct SLGlobalData {
	struct SLZoneList ZoneAry[NZONES];
	struct SLZoneList FreeZones;
	struct SLZoneList FullZones;	/* nothing free but perhaps z_RChunks */
	int		NFreeZones;
} SLGlobalData;

#endif	/* _KERNEL || _KERNEL_STRUCTURES */

#endif	/* !_SYS_SLABALLOC_H_ */
