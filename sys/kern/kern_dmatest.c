/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a device sees of a buffer that it is given by physical address.
 *
 * Many a driver takes vtophys() of an mbuf, or of a cluster, and has its device
 * move MSIZE or MCLBYTES bytes from there.  That is right as long as the buffer
 * lies in one page, which kmalloc() sees to: it aligns powers of two to
 * themselves.  This is such a driver.  Its device is the swap disk, on blocks
 * that the swap pager lends it.  Each buffer gets a pattern of its own and goes
 * out as a single physical segment; all come back by an ordinary read, which
 * is told of each page, and are compared.  Of a buffer that crosses into a page
 * which is not physically the next one the device sends somebody else's memory,
 * and it comes back wrong.  If none did, the device also fills them all again:
 * otherwise it would overwrite somebody else's memory.
 *
 * Writing a number to one of these sends as many buffers:
 *
 *	debug.dma.mbuf		mbufs of m_get()
 *	debug.dma.mbufcl	mbufs of m_getcl(), without their clusters
 *	debug.dma.cluster	the clusters of m_getcl()
 *	debug.dma.crossing	MSIZE bytes across two pages each, on purpose:
 *				whether the device shows what it should
 *
 * The variables beside them tell what became of these.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/lock.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/sysctl.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/swap_pager.h>

#define	DMA_MAXBUFS	16384
#define	DMA_CHUNK	MAXPHYS		/* bytes read back at a time */

enum { DMA_MBUF, DMA_MBUFCL, DMA_CLUSTER, DMA_CROSSING };

static MALLOC_DEFINE(M_DMATEST, "dmatest", "test of DMA");

struct dmabuf {
	struct mbuf	*m;
	char		*base;		/* the device is told of all of it ... */
	char		*data;		/* ... and this is ours to fill */
	vm_paddr_t	pa;
	struct bio	bio;
};

static struct lock dma_lock = LOCK_INITIALIZER("dmatest", 0, 0);
static uint64_t dma_serial;		/* of patterns: no two are the same */

static struct dma_result {
	long		buffers;
	long		crossed;
	long		scattered;
	long		unaligned;
	long		sent_wrong;
	long		received_wrong;
	long		wrong_bytes;
} dma;

SYSCTL_NODE(_debug, OID_AUTO, dma, CTLFLAG_RW, NULL, "test of DMA");
SYSCTL_LONG(_debug_dma, OID_AUTO, buffers, CTLFLAG_RD, &dma.buffers, 0,
    "buffers of the last test");
SYSCTL_LONG(_debug_dma, OID_AUTO, crossed, CTLFLAG_RD, &dma.crossed, 0,
    "that lie in two pages");
SYSCTL_LONG(_debug_dma, OID_AUTO, scattered, CTLFLAG_RD, &dma.scattered, 0,
    "of which the second is not physically the next");
SYSCTL_LONG(_debug_dma, OID_AUTO, unaligned, CTLFLAG_RD, &dma.unaligned, 0,
    "not aligned to their size");
SYSCTL_LONG(_debug_dma, OID_AUTO, sent_wrong, CTLFLAG_RD, &dma.sent_wrong, 0,
    "of which the device sent something else");
SYSCTL_LONG(_debug_dma, OID_AUTO, received_wrong, CTLFLAG_RD,
    &dma.received_wrong, 0, "which did not get what the device sent");
SYSCTL_LONG(_debug_dma, OID_AUTO, wrong_bytes, CTLFLAG_RD, &dma.wrong_bytes, 0,
    "bytes of these that were wrong");

static size_t
dma_size(int kind)
{
	return (kind == DMA_CLUSTER ? MCLBYTES : MSIZE);
}

/*
 * The buffers, from the caches that are to be tested.  Waits for memory, and at
 * a limit of the caches for ever: kern.ipc.nmbufs and nmbclusters have to allow
 * as many.
 */
static void
dma_get(struct dmabuf *bufs, int n, int kind, char *pages)
{
	struct dmabuf *b;

	for (b = bufs; b < bufs + n; ++b) {
		if (kind == DMA_CROSSING) {
			b->base = pages + (b - bufs + 1) * PAGE_SIZE -
			    MSIZE / 2;
			b->data = b->base;
			continue;
		}
		b->m = kind == DMA_MBUF ? m_get(M_WAITOK, MT_DATA) :
		    m_getcl(M_WAITOK, MT_DATA);
		if (kind == DMA_CLUSTER) {
			b->base = b->m->m_cluster->mcl_data;
			b->data = b->base;
		} else {
			b->base = (char *)b->m;
			b->data = b->m->m_dat;
		}
	}
}

static void
dma_fill(struct dmabuf *b, size_t len)
{
	const uint64_t serial = ++dma_serial << 16;
	uint64_t word;
	char *p;

	for (p = b->data; p + sizeof(word) <= b->base + len;
	    p += sizeof(word)) {
		word = (serial | (p - b->base)) * 0x9e3779b97f4a7c15UL;
		bcopy(&word, p, sizeof(word));
	}
}

static void
dma_look(struct dmabuf *b, size_t len)
{
	const char *last = b->base + len - 1;

	b->pa = vtophys(b->base);
	++dma.buffers;
	if ((uintptr_t)b->base & (len - 1))
		++dma.unaligned;
	if (trunc_page(b->base) != trunc_page(last)) {
		++dma.crossed;
		if (vtophys(last) != b->pa + len - 1)
			++dma.scattered;
	}
}

/*
 * Tell the device of buffers by address and length; they lie at off, one after
 * the other, on the disk.
 */
static int
dma_move(buf_cmd_t cmd, struct dmabuf *bufs, int n, size_t len, off_t off)
{
	struct dmabuf *b;
	int error = 0, e;

	for (b = bufs; b < bufs + n; ++b) {
		bio_init(&b->bio);
		b->bio.bio_cmd = cmd;
		b->bio.bio_offset = off + (off_t)(b - bufs) * len;
		b->bio.bio_bcount = len;
		b->bio.bio_pages = &b->pa;
		dev_dstrategy(swap_pager_device(), &b->bio);
	}
	for (b = bufs; b < bufs + n; ++b) {
		if ((e = biowait(&b->bio, "dmatest")) != 0)
			error = e;
	}
	return (error);
}

static int
dma_read_back(char *back, size_t bytes, off_t off)
{
	struct bio bio;

	bio_init(&bio);
	bio.bio_cmd = BUF_CMD_READ;
	bio.bio_offset = off;
	bio.bio_bcount = bytes;
	bio.bio_data = back;
	dev_dstrategy(swap_pager_device(), &bio);
	return (biowait(&bio, "dmaback"));
}

/*
 * Count a buffer that is not what it should be.
 */
static void
dma_compare(const char *is, const char *should, size_t len, long *countp)
{
	size_t i;
	long wrong = 0;

	for (i = 0; i < len; ++i)
		wrong += is[i] != should[i];
	dma.wrong_bytes += wrong;
	*countp += wrong != 0;
}

/*
 * One direction, a chunk of the disk at a time: back holds what is there.
 */
static int
dma_pass(struct dmabuf *bufs, int n, size_t len, off_t off, char *back,
    boolean_t receive)
{
	struct dmabuf *b;
	int error = 0, i, some;

	for (; n > 0 && error == 0; n -= some) {
		some = imin(n, DMA_CHUNK / len);
		if (!receive)
			error = dma_move(BUF_CMD_WRITE, bufs, some, len, off);
		if (error == 0)
			error = dma_read_back(back, some * len, off);
		if (error == 0 && receive) {
			for (b = bufs; b < bufs + some; ++b)
				bzero(b->data, b->base + len - b->data);
			error = dma_move(BUF_CMD_READ, bufs, some, len, off);
		}
		for (i = 0; error == 0 && i < some; ++i) {
			if (receive)
				dma_compare(bufs[i].base, back + i * len, len,
				    &dma.received_wrong);
			else
				dma_compare(back + i * len, bufs[i].base, len,
				    &dma.sent_wrong);
		}
		bufs += some;
		off += (off_t)some * len;
	}
	return (error);
}

static int
dma_loop(struct dmabuf *bufs, int n, size_t len)
{
	const int blocks = howmany(n * len, PAGE_SIZE);
	swblk_t blk;
	char *back;
	int error;

	if ((blk = swp_pager_getswapspace(blocks)) == SWAPBLK_NONE)
		return (ENOSPC);
	back = kmalloc(DMA_CHUNK, M_DMATEST, M_WAITOK);
	error = dma_pass(bufs, n, len, (off_t)blk << PAGE_SHIFT, back, FALSE);
	if (error == 0 && dma.sent_wrong == 0)
		error = dma_pass(bufs, n, len, (off_t)blk << PAGE_SHIFT, back,
		    TRUE);
	kfree(back, M_DMATEST);
	swp_pager_freeswapspace(blk, blocks);
	return (error);
}

static int
dma_test(int n, int kind)
{
	const size_t len = dma_size(kind);
	struct dmabuf *bufs;
	char *pages = NULL;
	int error, i;

	bzero(&dma, sizeof(dma));
	kmalloc_raise_limit(M_DMATEST, 0);
	bufs = kmalloc(n * sizeof(*bufs), M_DMATEST, M_WAITOK | M_ZERO);
	if (kind == DMA_CROSSING)
		pages = kmalloc((n + 1) * PAGE_SIZE, M_DMATEST, M_WAITOK);
	dma_get(bufs, n, kind, pages);
	for (i = 0; i < n; ++i) {
		dma_look(&bufs[i], len);
		dma_fill(&bufs[i], len);
	}
	error = dma_loop(bufs, n, len);
	if (kind == DMA_CROSSING) {
		kfree(pages, M_DMATEST);
	} else {
		for (i = 0; i < n; ++i)
			m_free(bufs[i].m);
	}
	kfree(bufs, M_DMATEST);
	return (error);
}

/*
 * arg2: the kind of buffers.
 */
static int
sysctl_dma(SYSCTL_HANDLER_ARGS)
{
	int n = 0, error;

	error = sysctl_handle_int(oidp, &n, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (n < 1 || n > DMA_MAXBUFS)
		return (EINVAL);
	lockmgr(&dma_lock, LK_EXCLUSIVE);
	error = dma_test(n, arg2);
	lockmgr(&dma_lock, LK_RELEASE);
	return (error);
}
SYSCTL_PROC(_debug_dma, OID_AUTO, mbuf, CTLTYPE_INT | CTLFLAG_RW, NULL,
    DMA_MBUF, sysctl_dma, "I", "send so many mbufs");
SYSCTL_PROC(_debug_dma, OID_AUTO, mbufcl, CTLTYPE_INT | CTLFLAG_RW, NULL,
    DMA_MBUFCL, sysctl_dma, "I", "... mbufs that have a cluster");
SYSCTL_PROC(_debug_dma, OID_AUTO, cluster, CTLTYPE_INT | CTLFLAG_RW, NULL,
    DMA_CLUSTER, sysctl_dma, "I", "... clusters");
SYSCTL_PROC(_debug_dma, OID_AUTO, crossing, CTLTYPE_INT | CTLFLAG_RW, NULL,
    DMA_CROSSING, sysctl_dma, "I", "... buffers that cross a page");
