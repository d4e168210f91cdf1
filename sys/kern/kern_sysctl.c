/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System control variables: the tree, access by name, the usual handlers.
 *
 * The tree is built once and never changes; no lock is needed.  A handler
 * works on kernel memory only, and may block.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/sysctl.h>

SET_DECLARE(sysctl_set, struct sysctl_oid);

struct sysctl_oid_list sysctl__children;

SYSCTL_NODE(, OID_AUTO, kern, CTLFLAG_RW, NULL, "Kernel");
SYSCTL_NODE(, OID_AUTO, vm, CTLFLAG_RW, NULL, "Virtual memory");
SYSCTL_NODE(, OID_AUTO, hw, CTLFLAG_RW, NULL, "Hardware");
SYSCTL_NODE(, OID_AUTO, debug, CTLFLAG_RW, NULL, "Debugging");
SYSCTL_NODE(_vm, OID_AUTO, stats, CTLFLAG_RW, NULL, "VM statistics");
SYSCTL_NODE(_vm, OID_AUTO, inject, CTLFLAG_RW, NULL, "Fault injection");

SYSCTL_INT(_hw, OID_AUTO, ncpu, CTLFLAG_RD, &ncpus, 0, "Processors");
SYSCTL_LONG(_hw, OID_AUTO, physmem, CTLFLAG_RD, &physmem, 0, "Pages of RAM");

static void
sysctl_init(void *dummy)
{
	struct sysctl_oid **oidp;

	SET_FOREACH(oidp, sysctl_set)
		SLIST_INSERT_HEAD((*oidp)->oid_parent, *oidp, oid_link);
}
SYSINIT(sysctl, SI_BOOT1_LOCK, SI_ORDER_FIRST, sysctl_init, NULL);

/*
 * Hand out len bytes; ENOMEM if they do not fit, and then none are.
 */
int
sysctl_out(struct sysctl_req *req, const void *p, size_t len)
{
	int error = 0;

	if (req->oldptr != NULL) {
		if (req->oldidx + len <= req->oldlen)
			memcpy(req->oldptr + req->oldidx, p, len);
		else
			error = ENOMEM;
	}
	req->oldidx += len;
	return (error);
}

/*
 * Take exactly len bytes of the new value; EINVAL if there are fewer.
 */
int
sysctl_in(struct sysctl_req *req, void *p, size_t len)
{
	if (req->newptr == NULL)
		return (0);
	if (req->newlen - req->newidx < len)
		return (EINVAL);
	memcpy(p, req->newptr + req->newidx, len);
	req->newidx += len;
	return (0);
}

/*
 * An int at arg1, or the constant arg2.
 */
int
sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
	int error;

	if (arg1 == NULL) {
		error = SYSCTL_OUT(req, &arg2, sizeof(arg2));
		return (error != 0 || req->newptr == NULL ? error : EPERM);
	}
	error = SYSCTL_OUT(req, arg1, sizeof(int));
	if (error == 0)
		error = SYSCTL_IN(req, arg1, sizeof(int));
	return (error);
}

int
sysctl_handle_long(SYSCTL_HANDLER_ARGS)
{
	int error;

	if (arg1 == NULL)
		return (EINVAL);
	error = SYSCTL_OUT(req, arg1, sizeof(long));
	if (error == 0)
		error = SYSCTL_IN(req, arg1, sizeof(long));
	return (error);
}

/*
 * A string at arg1 in a buffer of arg2 bytes; with arg2 0, not to be written.
 */
int
sysctl_handle_string(SYSCTL_HANDLER_ARGS)
{
	size_t len;
	int error;

	error = SYSCTL_OUT_STR(req, (const char *)arg1);
	if (error != 0 || req->newptr == NULL)
		return (error);
	len = req->newlen - req->newidx;
	if (len >= (size_t)arg2)
		return (EINVAL);
	error = SYSCTL_IN(req, arg1, len);
	((char *)arg1)[len] = '\0';
	return (error);
}

static struct sysctl_oid *
sysctl_find(const char *name)
{
	struct sysctl_oid_list *list = &sysctl__children;
	struct sysctl_oid *oid;
	const char *dot;
	size_t len;

	for (;;) {
		dot = strchr(name, '.');
		len = dot != NULL ? (size_t)(dot - name) : strlen(name);
		SLIST_FOREACH(oid, list, oid_link) {
			if (strncmp(oid->oid_name, name, len) == 0 &&
			    oid->oid_name[len] == '\0')
				break;
		}
		if (oid == NULL || dot == NULL)
			return (oid);
		if ((oid->oid_kind & CTLTYPE) != CTLTYPE_NODE)
			return (NULL);
		list = oid->oid_arg1;
		name = dot + 1;
	}
}

/*
 * Bytes a new value must have; 0 if that is the handler's business.
 */
static size_t
sysctl_newlen(const struct sysctl_oid *oid)
{
	switch (oid->oid_kind & CTLTYPE) {
	case CTLTYPE_INT:
	case CTLTYPE_UINT:
		return (sizeof(int));
	case CTLTYPE_LONG:
	case CTLTYPE_ULONG:
	case CTLTYPE_QUAD:
	case CTLTYPE_UQUAD:
		return (sizeof(long));
	default:
		return (0);
	}
}

/*
 * Read and, if new is not NULL, then write the variable called name.  On
 * return *oldlenp is how many bytes were stored in old, or if old is NULL or
 * the result ENOMEM how many there are.
 */
int
kernel_sysctlbyname(const char *name, void *old, size_t *oldlenp,
    const void *new, size_t newlen, size_t *retval)
{
	struct sysctl_oid *oid;
	struct sysctl_req req;
	int error;

	oid = sysctl_find(name);
	if (oid == NULL)
		return (ENOENT);
	if (oid->oid_handler == NULL)
		return (EISDIR);
	if (new != NULL && (oid->oid_kind & CTLFLAG_WR) == 0)
		return (EPERM);
	if (new != NULL && sysctl_newlen(oid) != 0 &&
	    newlen != sysctl_newlen(oid))
		return (EINVAL);
	bzero(&req, sizeof(req));
	req.oldptr = old;
	req.oldlen = oldlenp != NULL ? *oldlenp : 0;
	if (oldlenp == NULL)
		req.oldptr = NULL;
	req.newptr = new;
	req.newlen = newlen;
	error = oid->oid_handler(oid, oid->oid_arg1, oid->oid_arg2, &req);
	if (error == 0 && new != NULL && req.newidx != newlen)
		error = EINVAL;
	if (oldlenp != NULL)
		*oldlenp = req.oldidx;
	if (retval != NULL)
		*retval = req.oldidx;
	return (error);
}
