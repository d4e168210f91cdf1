/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file system in pageable memory: all path names lead to its nodes, those
 * below /proc too, whose contents vfs/procfs makes up.  The theory is in
 * tmpfs_subr.c.
 */
#ifndef _VFS_TMPFS_H_
#define	_VFS_TMPFS_H_

#include <sys/types.h>
#include <sys/lock.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <vm/vm_zone.h>

struct file;
struct proc;
struct procfs_entry;
struct stat;
struct tmpfs_mount;
struct uio;
struct vm_object;

#define	TMPFS_NAME_MAX	255		/* bytes of a name */
#define	TMPFS_MAXLINKS	16		/* symbolic links in a path */
#define	TMPFS_SIZE_MAX	(1L << 40)	/* bytes of a file */

struct tmpfs_dirent {
	TAILQ_ENTRY(tmpfs_dirent) td_link;
	struct tmpfs_node *td_node;
	off_t		td_cookie;	/* for getdents(), grows */
	size_t		td_namelen;
	char		td_name[];	/* with its NUL */
};

TAILQ_HEAD(tmpfs_dir, tmpfs_dirent);

struct tmpfs_node {
	struct tmpfs_mount *tn_mount;
	u_int		tn_refs;	/* entries, and users */
	u_int		tn_links;	/* as stat() shows */
	mode_t		tn_mode;
	ino_t		tn_ino;
	dev_t		tn_rdev;	/* S_IFCHR */
	off_t		tn_size;
	struct timespec	tn_mtime;
	const struct procfs_entry *tn_proc; /* made by procfs */
	pid_t		tn_pid;		/* procfs: whose */
	struct lock	tn_lock;	/* S_IFREG: size and data */
	union {
		struct {
			struct tmpfs_dir entries;
			struct tmpfs_node *parent; /* NULL: removed */
			off_t	cookie;	/* of the next entry */
		} tn_dir;
		struct vm_object *tn_object;	/* S_IFREG */
		char	*tn_target;		/* S_IFLNK */
	};
};

struct tmpfs_mount {
	vm_zone_t	tm_node_zone;	/* struct tmpfs_node */
	struct lock	tm_lock;	/* all directories */
	struct tmpfs_node *tm_root;
	ino_t		tm_lastino;
};

#define	TMPFS_COOKIE_FIRST	2	/* after . and .. */

/* tmpfs_subr.c: a node, referenced. */
int	tmpfs_node_alloc(struct tmpfs_mount *tm, mode_t mode,
	    struct tmpfs_node **nodep);
void	tmpfs_node_ref(struct tmpfs_node *node);
void	tmpfs_node_rele(struct tmpfs_node *node);
struct tmpfs_node *tmpfs_root(void);

/* tm_lock held exclusively */
struct tmpfs_dirent *tmpfs_dir_lookup(struct tmpfs_node *dir,
	    const char *name, size_t len);
void	tmpfs_dir_enter(struct tmpfs_node *dir, const char *name,
	    struct tmpfs_node *node);
void	tmpfs_dir_remove(struct tmpfs_node *dir, struct tmpfs_dirent *de);
void	tmpfs_set_target(struct tmpfs_node *node, const char *target);

/*
 * tmpfs_lookup.c.  tmpfs_walk() is for holders of tm_lock; it gives the
 * directory the last name is in, that name (TMPFS_NAME_MAX + 1 bytes, empty
 * for the root), and the node or, with WALK_CREATE, NULL.  Both are referenced;
 * tmpfs_walk_done() releases those that are not NULL.
 */
#define	WALK_FOLLOW	1		/* the last name's symbolic link too */
#define	WALK_CREATE	2		/* the last name need not exist */

int	tmpfs_walk(struct tmpfs_node *start, const char *path, int flags,
	    struct tmpfs_node **dirp, char *name, struct tmpfs_node **nodep);
void	tmpfs_walk_done(struct tmpfs_node *dir, struct tmpfs_node *node);
int	tmpfs_lookup(struct tmpfs_node *start, const char *path,
	    boolean_t follow, struct tmpfs_node **nodep);
int	tmpfs_getcwd(struct tmpfs_node *dir, char *buf, size_t size,
	    const char **path);

/* tmpfs_vnops.c: operations on names; errno. */
int	tmpfs_create(struct tmpfs_node *start, const char *path, mode_t mode,
	    dev_t rdev, const char *target);
int	tmpfs_link(struct tmpfs_node *start1, const char *from,
	    struct tmpfs_node *start2, const char *to);
int	tmpfs_remove(struct tmpfs_node *start, const char *path,
	    boolean_t dir);
int	tmpfs_rename(struct tmpfs_node *start1, const char *from,
	    struct tmpfs_node *start2, const char *to);
int	tmpfs_open(struct proc *p, int dirfd, const char *path, int flags,
	    mode_t mode, struct file **fpp);
/* Where a path relative to dirfd starts, referenced. */
int	at_start(struct proc *p, int dirfd, struct tmpfs_node **startp);
void	tmpfs_getattr(struct tmpfs_node *node, struct stat *st);

/* tmpfs_fileops.c: operations on data. */
extern const struct fileops tmpfs_fileops;
int	tmpfs_truncate(struct tmpfs_node *node, off_t size);
int	tmpfs_getdents(struct file *fp, char *ubuf, size_t size, size_t *done);
int	tmpfs_kern_read(struct tmpfs_node *node, void *buf, size_t len,
	    off_t offset, size_t *done);
int	tmpfs_kern_create(const char *path, mode_t mode, const void *data,
	    size_t size);

/* The file's pages, referenced. */
struct vm_object *tmpfs_object(struct tmpfs_node *node);

#endif
