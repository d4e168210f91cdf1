/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System control variables, a tree of names such as vm.stats.v_free_count.
 *
 * SYSCTL_NODE() and the leaf macros put a descriptor into a linker set;
 * sysctl_init() threads them into the tree.  The first argument of each
 * macro is the parent: its dotted name with each dot, and the beginning,
 * written as an underscore (_vm_stats).
 */
#ifndef _SYS_SYSCTL_H_
#define	_SYS_SYSCTL_H_

#include <sys/types.h>
#include <sys/queue.h>
#include <sys/linker_set.h>

struct sysctl_oid;
struct sysctl_req;

#define	CTLTYPE		0x1f
#define	CTLTYPE_NODE	0x01
#define	CTLTYPE_INT	0x02
#define	CTLTYPE_STRING	0x03
#define	CTLTYPE_QUAD	0x04
#define	CTLTYPE_OPAQUE	0x05
#define	CTLTYPE_UINT	0x06
#define	CTLTYPE_LONG	0x07
#define	CTLTYPE_ULONG	0x08
#define	CTLTYPE_UQUAD	0x09

#define	CTLFLAG_RD	0x80000000
#define	CTLFLAG_WR	0x40000000
#define	CTLFLAG_RW	(CTLFLAG_RD | CTLFLAG_WR)
#define	CTLFLAG_ANYBODY	0x10000000
#define	CTLFLAG_SKIP	0x01000000
#define	CTLFLAG_NOLOCK	0x00002000

#define	OID_AUTO	(-1)

#define	SYSCTL_HANDLER_ARGS struct sysctl_oid *oidp, void *arg1, int arg2, \
	struct sysctl_req *req

/*
 * One access.  Buffers are kernel memory; the system call copies.
 */
struct sysctl_req {
	char		*oldptr;	/* NULL: only the length is wanted */
	size_t		oldlen;		/* room */
	size_t		oldidx;		/* produced so far */
	const char	*newptr;	/* NULL: read only */
	size_t		newlen;
	size_t		newidx;		/* consumed so far */
};

SLIST_HEAD(sysctl_oid_list, sysctl_oid);

struct sysctl_oid {
	struct sysctl_oid_list *oid_parent;
	SLIST_ENTRY(sysctl_oid) oid_link;
	int		oid_number;
	u_int		oid_kind;
	void		*oid_arg1;
	int		oid_arg2;
	const char	*oid_name;
	int		(*oid_handler)(SYSCTL_HANDLER_ARGS);
	const char	*oid_fmt;
	const char	*oid_descr;
};

int	sysctl_out(struct sysctl_req *, const void *, size_t);
int	sysctl_in(struct sysctl_req *, void *, size_t);

#define	SYSCTL_OUT(r, p, l)	sysctl_out(r, p, l)
#define	SYSCTL_IN(r, p, l)	sysctl_in(r, p, l)
#define	SYSCTL_OUT_STR(r, p)	sysctl_out(r, p, strlen(p) + 1)

int	sysctl_handle_int(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_long(SYSCTL_HANDLER_ARGS);
int	sysctl_handle_string(SYSCTL_HANDLER_ARGS);

/*
 * Read or write by name.  0, ENOENT, EISDIR (a node), EPERM (read only) or
 * ENOMEM (oldlenp's room too small: it then says how much is needed).
 */
int	kernel_sysctlbyname(const char *name, void *old, size_t *oldlenp,
	    const void *new, size_t newlen, size_t *retval);

#define	SYSCTL_DECL(name)						\
	extern struct sysctl_oid_list sysctl_##name##_children

#define	SYSCTL_OID(parent, nbr, name, kind, a1, a2, handler, fmt, descr) \
	static struct sysctl_oid sysctl_##parent##_##name = {		\
		.oid_parent = &sysctl_##parent##_children,		\
		.oid_number = (nbr),					\
		.oid_kind = (kind),					\
		.oid_arg1 = (a1),					\
		.oid_arg2 = (a2),					\
		.oid_name = #name,					\
		.oid_handler = (handler),				\
		.oid_fmt = (fmt),					\
		.oid_descr = (descr)					\
	};								\
	DATA_SET(sysctl_set, sysctl_##parent##_##name)

#define	SYSCTL_NODE(parent, nbr, name, access, handler, descr)		\
	struct sysctl_oid_list sysctl_##parent##_##name##_children;	\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_NODE | (access),		\
	    (void *)&sysctl_##parent##_##name##_children, 0, handler,	\
	    "N", descr)

#define	SYSCTL_STRING(parent, nbr, name, access, arg, len, descr)	\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_STRING | (access),	\
	    arg, len, sysctl_handle_string, "A", descr)

#define	SYSCTL_INT(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_INT | (access),		\
	    ptr, val, sysctl_handle_int, "I", descr)

#define	SYSCTL_UINT(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_UINT | (access),		\
	    ptr, val, sysctl_handle_int, "IU", descr)

#define	SYSCTL_LONG(parent, nbr, name, access, ptr, val, descr)		\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_LONG | (access),		\
	    ptr, val, sysctl_handle_long, "L", descr)

#define	SYSCTL_ULONG(parent, nbr, name, access, ptr, val, descr)	\
	SYSCTL_OID(parent, nbr, name, CTLTYPE_ULONG | (access),		\
	    ptr, val, sysctl_handle_long, "LU", descr)

#define	SYSCTL_PROC(parent, nbr, name, access, ptr, arg, handler, fmt, descr) \
	SYSCTL_OID(parent, nbr, name, (access),				\
	    ptr, arg, handler, fmt, descr)

SYSCTL_DECL();
SYSCTL_DECL(_kern);
SYSCTL_DECL(_vm);
SYSCTL_DECL(_vm_stats);
SYSCTL_DECL(_vm_inject);
SYSCTL_DECL(_hw);
SYSCTL_DECL(_debug);

#endif
