/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtio disks, legacy interface over PCI I/O ports: vbd0, vbd1, ...
 *
 * Each disk has one queue.  The ring, the request headers and everything
 * else needed for I/O are static, so that the I/O path allocates nothing:
 * page-out depends on it.  A request takes one descriptor for its header,
 * one for each physically contiguous piece of data, one for the status byte.
 * When too few are free the caller sleeps until the interrupt thread has
 * completed others; the interrupt thread itself must not start I/O.
 *
 * vb_spin protects the ring and the free descriptors.  Completion functions
 * are called without it.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/bio.h>
#include <sys/conf.h>
#include <sys/disk.h>
#include <sys/spinlock2.h>

#include <vm/vm.h>
#include <vm/pmap.h>

#include <machine/md_var.h>
#include <machine/vmparam.h>

#include <dev/pci/pcivar.h>

#define	VIRTIO_VENDOR		0x1af4
#define	VIRTIO_BLK_DEVICE	0x1001		/* transitional */

/* I/O port registers */
#define	VIRTIO_HOST_FEATURES	0x00
#define	VIRTIO_GUEST_FEATURES	0x04
#define	VIRTIO_QUEUE_PFN	0x08
#define	VIRTIO_QUEUE_NUM	0x0c
#define	VIRTIO_QUEUE_SEL	0x0e
#define	VIRTIO_QUEUE_NOTIFY	0x10
#define	VIRTIO_STATUS		0x12
#define	VIRTIO_ISR		0x13
#define	VIRTIO_BLK_CAPACITY	0x14		/* 512 byte sectors, 64 bits */

#define	STATUS_ACK		0x01
#define	STATUS_DRIVER		0x02
#define	STATUS_DRIVER_OK	0x04

#define	VIRTIO_BLK_F_FLUSH	(1U << 9)

#define	VIRTIO_BLK_T_IN		0
#define	VIRTIO_BLK_T_OUT	1
#define	VIRTIO_BLK_T_FLUSH	4
#define	VIRTIO_BLK_S_OK		0

#define	VRING_DESC_F_NEXT	1
#define	VRING_DESC_F_WRITE	2		/* the device writes */

struct vring_desc {
	uint64_t	addr;
	uint32_t	len;
	uint16_t	flags;
	uint16_t	next;
};

struct vring_avail {
	uint16_t	flags;
	uint16_t	idx;
	uint16_t	ring[];
};

struct vring_used_elem {
	uint32_t	id;
	uint32_t	len;
};

struct vring_used {
	uint16_t	flags;
	uint16_t	idx;
	struct vring_used_elem ring[];
};

struct virtio_blk_hdr {
	uint32_t	type;
	uint32_t	ioprio;
	uint64_t	sector;
};

#define	VBD_MAX		4			/* disks */
#define	VBD_QSIZE	256			/* descriptors, at most */
#define	VBD_MAXSEGS	(BIO_MAXPAGES + 1)	/* unaligned data: one more */
#define	VBD_RINGBYTES	(3 * PAGE_SIZE)		/* of VBD_QSIZE */

struct vbd_seg {
	vm_paddr_t	addr;
	uint32_t	len;
};

/*
 * A request, at the index of its first descriptor.
 */
struct vbd_req {
	struct virtio_blk_hdr hdr;
	struct bio	*bio;
	volatile uint8_t status;
};

struct vbd_softc {
	struct spinlock	vb_spin;
	int		vb_port;		/* base of the registers */
	u_int		vb_qsize;
	u_int		vb_nfree;		/* free descriptors ... */
	uint16_t	vb_free;		/* ... a list through next */
	uint16_t	vb_last_used;
	boolean_t	vb_flush;		/* the device has a cache */
	int		vb_waiters;
	struct vring_desc *vb_desc;
	struct vring_avail *vb_avail;
	volatile struct vring_used *vb_used;
	struct vbd_req	vb_req[VBD_QSIZE];
	struct cdev	vb_dev;
	struct disk	vb_disk;
};

static struct vbd_softc vbd_softc[VBD_MAX];
static char vbd_ring[VBD_MAX][VBD_RINGBYTES] __aligned(PAGE_SIZE);
static int vbd_count;

static d_strategy_t vbd_strategy;

/*
 * Physical address of static data.
 */
static vm_paddr_t
vbd_physaddr(const volatile void *p)
{
	return ((vm_paddr_t)p - KERNBASE);
}

/*
 * The request's data as physically contiguous pieces; returns their number.
 */
static int
vbd_segments(struct bio *bio, struct vbd_seg *seg)
{
	vm_offset_t va = (vm_offset_t)bio->bio_data;
	size_t left = bio->bio_bcount, len;
	vm_paddr_t pa;
	int i, n = 0;

	for (i = 0; left != 0; ++i) {
		if (bio->bio_pages != NULL) {
			pa = bio->bio_pages[i];
			len = PAGE_SIZE;
		} else {
			pa = vtophys(va);
			len = PAGE_SIZE - (va & PAGE_MASK);
			va += len;
		}
		len = MIN(len, left);
		left -= len;
		if (n != 0 && seg[n - 1].addr + seg[n - 1].len == pa) {
			seg[n - 1].len += len;
			continue;
		}
		KKASSERT(n < VBD_MAXSEGS);
		seg[n].addr = pa;
		seg[n].len = len;
		++n;
	}
	return (n);
}

/*
 * Fill in the next free descriptor; the previous one, if any, leads to it.
 */
static uint16_t
vbd_add_desc(struct vbd_softc *sc, int prev, vm_paddr_t addr, uint32_t len,
    int flags)
{
	uint16_t d = sc->vb_free;

	sc->vb_free = sc->vb_desc[d].next;
	--sc->vb_nfree;
	sc->vb_desc[d].addr = addr;
	sc->vb_desc[d].len = len;
	sc->vb_desc[d].flags = flags;
	if (prev >= 0) {
		sc->vb_desc[prev].flags |= VRING_DESC_F_NEXT;
		sc->vb_desc[prev].next = d;
	}
	return (d);
}

static void
vbd_strategy(cdev_t dev, struct bio *bio)
{
	struct vbd_softc *sc = dev->si_drv1;
	struct vbd_seg seg[VBD_MAXSEGS];
	struct vbd_req *req;
	uint16_t head, d;
	int i, nseg;

	if (bio->bio_cmd == BUF_CMD_FLUSH && !sc->vb_flush) {
		biodone(bio);
		return;
	}
	nseg = bio->bio_cmd == BUF_CMD_FLUSH ? 0 : vbd_segments(bio, seg);

	spin_lock(&sc->vb_spin);
	while (sc->vb_nfree < (u_int)nseg + 2) {
		++sc->vb_waiters;
		ssleep(&sc->vb_nfree, &sc->vb_spin, 0, "vbdslot", 0);
		--sc->vb_waiters;
	}
	head = sc->vb_free;
	req = &sc->vb_req[head];
	req->bio = bio;
	req->status = 0xff;
	req->hdr.type = bio->bio_cmd == BUF_CMD_READ ? VIRTIO_BLK_T_IN :
	    bio->bio_cmd == BUF_CMD_WRITE ? VIRTIO_BLK_T_OUT :
	    VIRTIO_BLK_T_FLUSH;
	req->hdr.ioprio = 0;
	req->hdr.sector = nseg != 0 ? btodb(bio->bio_offset) : 0;
	d = vbd_add_desc(sc, -1, vbd_physaddr(&req->hdr), sizeof(req->hdr), 0);
	for (i = 0; i < nseg; ++i) {
		d = vbd_add_desc(sc, d, seg[i].addr, seg[i].len,
		    bio->bio_cmd == BUF_CMD_READ ? VRING_DESC_F_WRITE : 0);
	}
	vbd_add_desc(sc, d, vbd_physaddr(&req->status), 1, VRING_DESC_F_WRITE);

	sc->vb_avail->ring[sc->vb_avail->idx % sc->vb_qsize] = head;
	cpu_sfence();
	++sc->vb_avail->idx;
	cpu_mfence();
	outw(sc->vb_port + VIRTIO_QUEUE_NOTIFY, 0);
	spin_unlock(&sc->vb_spin);
}

/*
 * Back to the free list with a completed request's descriptors.
 */
static void
vbd_free_chain(struct vbd_softc *sc, uint16_t head)
{
	uint16_t d = head;

	++sc->vb_nfree;
	while (sc->vb_desc[d].flags & VRING_DESC_F_NEXT) {
		d = sc->vb_desc[d].next;
		++sc->vb_nfree;
	}
	sc->vb_desc[d].next = sc->vb_free;
	sc->vb_free = head;
}

static void
vbd_intr(void *arg)
{
	struct vbd_softc *sc = arg;
	struct vbd_req *req;
	struct bio *bio;
	uint32_t id;

	(void)inb(sc->vb_port + VIRTIO_ISR);	/* acknowledges */
	spin_lock(&sc->vb_spin);
	while (sc->vb_last_used != sc->vb_used->idx) {
		cpu_lfence();
		id = sc->vb_used->ring[sc->vb_last_used % sc->vb_qsize].id;
		++sc->vb_last_used;
		req = &sc->vb_req[id];
		bio = req->bio;
		KASSERT(id < sc->vb_qsize && bio != NULL,
		    ("%s: completed request %u is unknown",
		    devtoname(&sc->vb_dev), id));
		req->bio = NULL;
		if (req->status != VIRTIO_BLK_S_OK)
			bio->bio_error = EIO;
		vbd_free_chain(sc, id);
		if (sc->vb_waiters != 0)
			wakeup(&sc->vb_nfree);
		spin_unlock(&sc->vb_spin);
		biodone(bio);
		spin_lock(&sc->vb_spin);
	}
	spin_unlock(&sc->vb_spin);
}

/*
 * Lay the ring out and tell the device.  Returns false if it asks for a ring
 * we have no room for.
 */
static boolean_t
vbd_setup_ring(struct vbd_softc *sc, char *ring)
{
	u_int i;

	outw(sc->vb_port + VIRTIO_QUEUE_SEL, 0);
	sc->vb_qsize = inw(sc->vb_port + VIRTIO_QUEUE_NUM);
	if (sc->vb_qsize < VBD_MAXSEGS + 2 || sc->vb_qsize > VBD_QSIZE)
		return (FALSE);
	sc->vb_desc = (struct vring_desc *)ring;
	sc->vb_avail = (struct vring_avail *)(sc->vb_desc + sc->vb_qsize);
	sc->vb_used = (struct vring_used *)
	    round_page(&sc->vb_avail->ring[sc->vb_qsize + 1]);
	for (i = 0; i < sc->vb_qsize; ++i)
		sc->vb_desc[i].next = i + 1;
	sc->vb_nfree = sc->vb_qsize;
	sc->vb_free = 0;
	outl(sc->vb_port + VIRTIO_QUEUE_PFN, atop(vbd_physaddr(ring)));
	return (TRUE);
}

static void
vbd_probe(const struct pci_dev *pd)
{
	struct vbd_softc *sc;
	uint32_t features;
	uint64_t sectors;
	int unit;

	if (pd->vendor != VIRTIO_VENDOR || pd->device != VIRTIO_BLK_DEVICE)
		return;
	if (vbd_count == VBD_MAX) {
		kprintf("vbd: more than %d disks, the rest is ignored\n",
		    VBD_MAX);
		return;
	}
	unit = vbd_count;
	sc = &vbd_softc[unit];
	if ((pci_read_config(pd, PCIR_BAR(0), 4) & PCIM_BAR_IO) == 0) {
		kprintf("vbd%d: no I/O port interface (disable-modern=on "
		    "gives one), ignored\n", unit);
		return;
	}
	sc->vb_port = pci_read_config(pd, PCIR_BAR(0), 4) & PCIM_BAR_IO_BASE;
	pci_write_config(pd, PCIR_COMMAND, PCIM_CMD_IO | PCIM_CMD_BUSMASTER |
	    pci_read_config(pd, PCIR_COMMAND, 2), 2);
	spin_init(&sc->vb_spin, "vbd");

	outb(sc->vb_port + VIRTIO_STATUS, 0);
	outb(sc->vb_port + VIRTIO_STATUS, STATUS_ACK | STATUS_DRIVER);
	features = inl(sc->vb_port + VIRTIO_HOST_FEATURES) & VIRTIO_BLK_F_FLUSH;
	outl(sc->vb_port + VIRTIO_GUEST_FEATURES, features);
	sc->vb_flush = features != 0;
	if (!vbd_setup_ring(sc, vbd_ring[unit])) {
		kprintf("vbd%d: ring of %u descriptors, need %d to %d, "
		    "ignored\n", unit, sc->vb_qsize, VBD_MAXSEGS + 2,
		    VBD_QSIZE);
		return;
	}
	++vbd_count;
	register_int(pci_read_config(pd, PCIR_INTLINE, 1), vbd_intr, sc, "vbd");
	outb(sc->vb_port + VIRTIO_STATUS,
	    STATUS_ACK | STATUS_DRIVER | STATUS_DRIVER_OK);

	sectors = inl(sc->vb_port + VIRTIO_BLK_CAPACITY) |
	    (uint64_t)inl(sc->vb_port + VIRTIO_BLK_CAPACITY + 4) << 32;
	ksnprintf(sc->vb_dev.si_name, sizeof(sc->vb_dev.si_name), "vbd%d",
	    unit);
	sc->vb_dev.si_unit = unit;
	sc->vb_dev.si_bytes = dbtob(sectors);
	sc->vb_dev.si_strategy = vbd_strategy;
	sc->vb_dev.si_drv1 = sc;
	sc->vb_disk.d_name = sc->vb_dev.si_name;
	sc->vb_disk.d_rawdev = &sc->vb_dev;
	sc->vb_disk.d_info.d_media_size = dbtob(sectors);
	sc->vb_disk.d_info.d_media_blocks = sectors;
	sc->vb_disk.d_info.d_media_blksize = DEV_BSIZE;
	disk_create(unit, &sc->vb_disk);
}

static void
vbd_attach(void *dummy)
{
	pci_foreach(vbd_probe);
}
SYSINIT(vbd, SI_SUB_DRIVERS, SI_ORDER_MIDDLE, vbd_attach, NULL);
