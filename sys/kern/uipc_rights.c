/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open files sent in messages.
 *
 * Between sender and receiver a file is referenced by the message alone, and
 * such messages are a fixed number, made at boot: what nobody receives can
 * thus hold only so many files open.  Who finds none left is told to try
 * later.  Sockets are not sent: one in its own buffer would never go.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/socketvar.h>
#include <sys/sysent.h>

#define	UNP_MAXRIGHTS	32		/* messages in flight */
#define	UNP_MAXFILES	16		/* of a message */

#define	CMSG_ALIGN(n)	roundup2((n), sizeof(size_t))
#define	CMSG_HDRLEN	CMSG_ALIGN(sizeof(struct cmsghdr))

struct unp_rights {
	int		ur_count;
	struct file	*ur_files[UNP_MAXFILES];
};

static struct unp_rights unp_rights_pool[UNP_MAXRIGHTS];
static struct objcache *unp_rights_cache;

static void
unp_rights_init(void *dummy)
{
	unp_rights_cache = objcache_create("unp rights", 0, UNP_MAXRIGHTS,
	    NULL, NULL, NULL, objcache_nop_alloc, objcache_nop_free, NULL);
	objcache_populate_linear(unp_rights_cache, unp_rights_pool,
	    UNP_MAXRIGHTS, sizeof(struct unp_rights));
}
SYSINIT(unp_rights, SI_BOOT2_MACHDEP, SI_ORDER_ANY, unp_rights_init, NULL);

void
unp_dispose(struct unp_rights *rights)
{
	int i;

	for (i = 0; i < rights->ur_count; ++i)
		fdrop(rights->ur_files[i]);
	objcache_put(unp_rights_cache, rights);
}

int
unp_internalize(struct proc *p, const void *control, size_t len,
    struct unp_rights **rightsp)
{
	struct unp_rights *rights;
	struct cmsghdr cm;
	struct file *fp;
	int fds[UNP_MAXFILES], error, i, n;

	if (len < CMSG_HDRLEN)
		return (EINVAL);
	error = copyin(control, &cm, sizeof(cm));
	if (error)
		return (error);
	if (cm.cmsg_level != SOL_SOCKET || cm.cmsg_type != SCM_RIGHTS ||
	    cm.cmsg_len < CMSG_HDRLEN || cm.cmsg_len > len)
		return (EINVAL);
	n = (cm.cmsg_len - CMSG_HDRLEN) / sizeof(fds[0]);
	if (n > UNP_MAXFILES)
		return (EINVAL);
	error = copyin((const char *)control + CMSG_HDRLEN, fds,
	    n * sizeof(fds[0]));
	if (error || n == 0)
		return (error);

	rights = objcache_get(unp_rights_cache, M_NOWAIT);
	if (rights == NULL)
		return (ETOOMANYREFS);
	rights->ur_count = 0;
	for (i = 0; i < n && error == 0; ++i) {
		fp = holdfp(p, fds[i], 0);
		if (fp == NULL) {
			error = EBADF;
			break;
		}
		rights->ur_files[rights->ur_count++] = fp;
		if (file_socket(fp) != NULL)
			error = EOPNOTSUPP;
	}
	if (error)
		unp_dispose(rights);
	else
		*rightsp = rights;
	return (error);
}

/*
 * Descriptors for the files; uses rights up.
 */
int
unp_externalize(struct proc *p, struct unp_rights *rights, void *control,
    size_t *lenp, int *flagsp)
{
	boolean_t cloexec = (*flagsp & MSG_CMSG_CLOEXEC) != 0;
	struct cmsghdr cm = { .cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS };
	int fds[UNP_MAXFILES], error = 0, i, max;
	register_t fd;

	max = *lenp < CMSG_HDRLEN ? 0 :
	    (*lenp - CMSG_HDRLEN) / sizeof(fds[0]);
	*lenp = 0;
	for (i = 0; i < rights->ur_count && i < max && error == 0; ++i) {
		fhold(rights->ur_files[i]);
		error = fdinstall(p, rights->ur_files[i], 0, cloexec, &fd);
		if (error)
			break;
		fds[i] = fd;
	}
	max = i;
	if (max < rights->ur_count)
		*flagsp |= MSG_CTRUNC;
	unp_dispose(rights);
	if (max == 0)
		return (0);
	cm.cmsg_len = CMSG_HDRLEN + max * sizeof(fds[0]);
	error = copyout(&cm, control, sizeof(cm));
	if (error == 0)
		error = copyout(fds, (char *)control + CMSG_HDRLEN,
		    max * sizeof(fds[0]));
	if (error == 0) {
		*lenp = cm.cmsg_len;
		return (0);
	}
	for (i = 0; i < max; ++i) {
		fd = fds[i];
		sys_close(p, &fd, NULL);
	}
	return (error);
}
