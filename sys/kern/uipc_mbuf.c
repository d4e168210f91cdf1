/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message buffers.
 *
 * An mbuf holds a few bytes itself, or refers to a cluster of MCLBYTES.  Both
 * sizes are powers of two, and drivers rely on what follows from that: an mbuf
 * or a cluster lies in one page, so vtophys() of its start is all that a device
 * needs to know.  Three caches lie above each other:
 *
 *	mclmeta_cache		a cluster with its count of references
 *	mbuf_cache		an mbuf
 *	mbufcluster_cache	an mbuf constructed with a cluster from
 *				mclmeta_cache, which it keeps while it is cached
 *
 * A free mbuf looks as its constructor left it; m_free() sees to that.  An
 * mbuf of mbufcluster_cache whose cluster somebody else still refers to cannot
 * be made to look so: it is destroyed, and its cluster outlives it.
 *
 * kern.ipc.nmbufs and kern.ipc.nmbclusters limit the first and the last of
 * them and may be changed at any time.  Copies made by m_copym() keep clusters
 * alive, so there may be twice as many of these.  Who may wait first tries
 * without: idle mbufs in mbufcluster_cache hold clusters that nobody uses, so
 * a failure is answered by giving these up (m_reclaim()), then waiting.  A
 * constructor never waits at the limit of another cache, since what is put to
 * its own would not wake it up.
 *
 * Nothing is held while a cache is called; all of them may block.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/mbuf.h>
#include <sys/objcache.h>
#include <sys/sysctl.h>

#include <vm/vm.h>
#include <vm/vm_page2.h>

static MALLOC_DEFINE(M_MBUF, "mbuf", "mbufs");
static MALLOC_DEFINE(M_MBUFCL, "mbufcl", "mbufs with a cluster");
static MALLOC_DEFINE(M_MCLMETA, "mclmeta", "mbuf clusters");
static MALLOC_DEFINE(M_MCLDATA, "mcldata", "data of mbuf clusters");

CTASSERT(sizeof(struct mbuf) == MSIZE);

#define	NMBUFS		1024
#define	NMBCLUSTERS	256

static struct objcache_malloc_args mbuf_malloc_args = {
	sizeof(struct mbuf), M_MBUF
};
static struct objcache_malloc_args mclmeta_malloc_args = {
	sizeof(struct mbcluster), M_MCLMETA
};

static struct objcache *mbuf_cache;
static struct objcache *mclmeta_cache;
static struct objcache *mbufcluster_cache;

static int nmbufs = NMBUFS;
static int nmbclusters = NMBCLUSTERS;
TUNABLE_INT("kern.ipc.nmbufs", &nmbufs);
TUNABLE_INT("kern.ipc.nmbclusters", &nmbclusters);

static u_int mbuf_fail;
static u_long mbuf_drops, mbuf_drains, mbuf_waits, mbuf_copies, mbuf_orphans;
static u_long mbuf_trims;

SYSCTL_NODE(_kern, OID_AUTO, ipc, CTLFLAG_RW, NULL, "local communication");
SYSCTL_UINT(_kern_ipc, OID_AUTO, fail_clusters, CTLFLAG_RW, &mbuf_fail, 0,
    "so many clusters to come cannot be had");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_drops, CTLFLAG_RD, &mbuf_drops, 0,
    "callers that went without an mbuf");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_drains, CTLFLAG_RD, &mbuf_drains, 0,
    "caches emptied to make room");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_waits, CTLFLAG_RD, &mbuf_waits, 0,
    "waits for a cluster to be had");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_copies, CTLFLAG_RD, &mbuf_copies, 0,
    "clusters shared");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_orphans, CTLFLAG_RD, &mbuf_orphans, 0,
    "mbufs destroyed for their shared cluster");
SYSCTL_ULONG(_kern_ipc, OID_AUTO, mbuf_trims, CTLFLAG_RD, &mbuf_trims, 0,
    "mbufs destroyed for want of memory");

/*
 * A macro, since each use names its own cache.
 */
#define	MCACHE_GET(m, cache, how) do {					\
	(m) = objcache_get((cache), (how) | M_NULLOK);			\
	if ((m) == NULL && m_reclaim())					\
		(m) = objcache_get((cache), (how) | M_NULLOK);		\
	if ((m) == NULL && ((how) & M_WAITOK))				\
		(m) = objcache_get((cache), (how));			\
} while (0)

static bool
mbuf_ctor(void *obj, void *privdata, int ocflags)
{
	struct mbuf *m = obj;

	m->m_next = NULL;
	m->m_nextpkt = NULL;
	m->m_data = m->m_dat;
	m->m_cluster = NULL;
	m->m_ctl = NULL;
	m->m_flags = 0;
	return (true);
}

/*
 * Is this one of the clusters that cannot be had?
 */
static bool
mbuf_inject(void)
{
	u_int n = mbuf_fail;

	return (n > 0 && atomic_cmpset_int(&mbuf_fail, n, n - 1));
}

static bool
mclmeta_ctor(void *obj, void *privdata, int ocflags)
{
	struct mbcluster *cl = obj;

	cl->mcl_refs = 0;
	cl->mcl_data = NULL;
	if (!mbuf_inject())
		cl->mcl_data = kmalloc(MCLBYTES, M_MCLDATA,
		    ocflags & OC_MFLAGS);
	return (cl->mcl_data != NULL);
}

static void
mclmeta_dtor(void *obj, void *privdata)
{
	struct mbcluster *cl = obj;

	KKASSERT(cl->mcl_refs == 0);
	kfree(cl->mcl_data, M_MCLDATA);
}

static bool
mbufcluster_ctor(void *obj, void *privdata, int ocflags)
{
	struct mbuf *m = obj;

	mbuf_ctor(m, NULL, ocflags);
	m->m_cluster = objcache_get(mclmeta_cache, ocflags | M_NULLOK);
	if (m->m_cluster == NULL)
		return (false);
	m->m_cluster->mcl_refs = 1;
	m->m_data = m->m_cluster->mcl_data;
	m->m_flags = M_EXT | M_CLCACHE;
	return (true);
}

static void
mcl_rele(struct mbcluster *cl)
{
	KKASSERT(cl->mcl_refs > 0);
	if (atomic_fetchadd_int(&cl->mcl_refs, -1) == 1)
		objcache_put(mclmeta_cache, cl);
}

static void
mbufcluster_dtor(void *obj, void *privdata)
{
	struct mbuf *m = obj;

	mcl_rele(m->m_cluster);
}

static void
mbinit(void *dummy)
{
	mbuf_cache = objcache_create("mbuf", nmbufs, 0, mbuf_ctor, NULL, NULL,
	    objcache_malloc_alloc, objcache_malloc_free, &mbuf_malloc_args);
	mclmeta_cache = objcache_create("mclmeta", 2 * nmbclusters, 0,
	    mclmeta_ctor, mclmeta_dtor, NULL, objcache_malloc_alloc,
	    objcache_malloc_free, &mclmeta_malloc_args);
	mbufcluster_cache = objcache_create_mbacked(M_MBUFCL,
	    sizeof(struct mbuf), nmbclusters, 0, mbufcluster_ctor,
	    mbufcluster_dtor, NULL);
}
SYSINIT(mbuf, SI_BOOT2_MACHDEP, SI_ORDER_FIRST, mbinit, NULL);

static void
mbupdatelimits(void)
{
	objcache_set_cluster_limit(mbuf_cache, nmbufs);
	objcache_set_cluster_limit(mclmeta_cache, 2 * nmbclusters);
	objcache_set_cluster_limit(mbufcluster_cache, nmbclusters);
}

/*
 * arg1: nmbufs or nmbclusters.
 */
static int
sysctl_mblimit(SYSCTL_HANDLER_ARGS)
{
	int *limitp = arg1, limit = *limitp, error;

	error = sysctl_handle_int(oidp, &limit, 0, req);
	if (error || req->newptr == NULL)
		return (error);
	if (limit < 1 || limit > INT_MAX / 4)
		return (EINVAL);
	*limitp = limit;
	mbupdatelimits();
	return (0);
}
SYSCTL_PROC(_kern_ipc, OID_AUTO, nmbufs, CTLTYPE_INT | CTLFLAG_RW, &nmbufs, 0,
    sysctl_mblimit, "I", "mbufs there may be");
SYSCTL_PROC(_kern_ipc, OID_AUTO, nmbclusters, CTLTYPE_INT | CTLFLAG_RW,
    &nmbclusters, 0, sysctl_mblimit, "I", "mbufs with clusters there may be");

/*
 * Free the memory and the clusters that idle mbufs hold.  True if there were
 * any.
 */
static bool
m_reclaim(void)
{
	struct objcache *reclaimlist[] = {
		mbufcluster_cache,
		mbuf_cache
	};

	if (!objcache_reclaimlist(reclaimlist, NELEM(reclaimlist)))
		return (false);
	atomic_add_long(&mbuf_drains, 1);
	return (true);
}

static struct mbuf *
m_hand_out(struct mbuf *m, int type)
{
	if (m != NULL) {
		m->m_len = 0;
		m->m_type = type;
	} else {
		atomic_add_long(&mbuf_drops, 1);
	}
	return (m);
}

struct mbuf *
m_get(int how, int type)
{
	struct mbuf *m;

	MCACHE_GET(m, mbuf_cache, how);
	return (m_hand_out(m, type));
}

struct mbuf *
m_getcl(int how, int type)
{
	struct mbuf *m;

	for (;;) {
		MCACHE_GET(m, mbufcluster_cache, how);
		if (m != NULL || (how & M_WAITOK) == 0)
			break;
		/* The constructor failed, and says not when it will not. */
		atomic_add_long(&mbuf_waits, 1);
		tsleep(&mbuf_waits, 0, "mclwait", 1);
	}
	return (m_hand_out(m, type));
}

struct mbuf *
m_getl(int len, int how, int type)
{
	return (len > MLEN ? m_getcl(how, type) : m_get(how, type));
}

/*
 * While memory is short, idle clusters are of no use to the page-out daemon.
 */
static void
m_freecl(struct mbuf *m)
{
	if (m->m_cluster->mcl_refs > 1) {
		atomic_add_long(&mbuf_orphans, 1);
		objcache_dtor(mbufcluster_cache, m);
		return;
	}
	m->m_next = NULL;
	m->m_nextpkt = NULL;
	m->m_ctl = NULL;
	m->m_data = m->m_cluster->mcl_data;
	if (vm_paging_min()) {
		atomic_add_long(&mbuf_trims, 1);
		objcache_dtor(mbufcluster_cache, m);
	} else {
		objcache_put(mbufcluster_cache, m);
	}
}

struct mbuf *
m_free(struct mbuf *m)
{
	struct mbuf *next = m->m_next;

	if (m->m_flags & M_CLCACHE) {
		m_freecl(m);
		return (next);
	}
	if (m->m_flags & M_EXT)
		mcl_rele(m->m_cluster);
	mbuf_ctor(m, NULL, 0);
	objcache_put(mbuf_cache, m);
	return (next);
}

void
m_freem(struct mbuf *m)
{
	while (m != NULL)
		m = m_free(m);
}

int
m_length(const struct mbuf *m)
{
	int len = 0;

	for (; m != NULL; m = m->m_next)
		len += m->m_len;
	return (len);
}

struct mbuf *
m_copym(const struct mbuf *m, int len, int how)
{
	struct mbuf *top = NULL, **mp = &top, *n;

	for (; m != NULL && len > 0; m = m->m_next) {
		n = m_get(how, m->m_type);
		if (n == NULL) {
			m_freem(top);
			return (NULL);
		}
		n->m_len = imin(m->m_len, len);
		len -= n->m_len;
		if (m->m_flags & M_EXT) {
			atomic_add_int(&m->m_cluster->mcl_refs, 1);
			atomic_add_long(&mbuf_copies, 1);
			n->m_cluster = m->m_cluster;
			n->m_data = m->m_data;
			n->m_flags = M_EXT;
		} else {
			bcopy(m->m_data, n->m_dat, n->m_len);
		}
		*mp = n;
		mp = &n->m_next;
	}
	return (top);
}
