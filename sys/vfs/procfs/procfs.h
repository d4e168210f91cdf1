/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * /proc: what the kernel knows, as text.  The theory is in procfs.c.
 */
#ifndef _VFS_PROCFS_H_
#define	_VFS_PROCFS_H_

#include <sys/types.h>

struct file;
struct proc;
struct tmpfs_node;

/*
 * Text being written.  What does not fit is counted, not stored.
 */
struct procfs_text {
	size_t	size;			/* room in text[] */
	size_t	len;			/* bytes written */
	char	text[];
};

void	procfs_printf(struct procfs_text *t, const char *fmt, ...)
	    __printflike(2, 3);

/*
 * One name, in /proc itself or in every process's directory.  p, of the latter,
 * cannot go away: proc_token is held, and show() must not block.
 */
struct procfs_entry {
	const char	*name;
	void		(*show)(struct procfs_text *t, struct proc *p);
};

/* procfs_system.c and procfs_process.c; the last name is NULL. */
extern const struct procfs_entry procfs_system_entries[];
extern const struct procfs_entry procfs_process_entries[];

/*
 * For the path walk: the node of a name, referenced, or NULL; the name of a
 * process's directory (TMPFS_NAME_MAX + 1 bytes).
 */
struct tmpfs_node *procfs_lookup(struct tmpfs_node *dir, const char *name);
void	procfs_name(struct tmpfs_node *dir, char *name);

/*
 * The name at or after *offp, which is moved behind it; of node only mode and
 * number are filled in.  FALSE at the end.
 */
boolean_t procfs_readdir(struct tmpfs_node *dir, off_t *offp, char *name,
	    struct tmpfs_node *node);

/* A file of /proc was opened: make its text.  ESRCH; may block. */
int	procfs_open(struct file *fp);

#endif
