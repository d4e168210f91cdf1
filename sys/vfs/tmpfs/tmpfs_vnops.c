/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tmpfs: operations on names.
 *
 * Each takes the mount's lock exclusively, walks, checks, changes.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <vfs/procfs/procfs.h>
#include <vfs/tmpfs/tmpfs.h>

/*
 * Make a node and name it.  It is referenced if nodep is not NULL.
 */
static int
tmpfs_make(struct tmpfs_node *dir, const char *name, mode_t mode, dev_t rdev,
    const char *target, struct tmpfs_node **nodep)
{
	struct tmpfs_node *node;
	int error;

	error = tmpfs_node_alloc(dir->tn_mount, mode, &node);
	if (error)
		return (error);
	node->tn_rdev = rdev;
	if (S_ISLNK(mode))
		tmpfs_set_target(node, target);
	tmpfs_dir_enter(dir, name, node);
	if (nodep != NULL)
		*nodep = node;
	else
		tmpfs_node_rele(node);
	return (0);
}

int
tmpfs_create(struct tmpfs_node *start, const char *path, mode_t mode,
    dev_t rdev, const char *target)
{
	struct lock *lk = &start->tn_mount->tm_lock;
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *dir, *node;
	int error;

	lockmgr(lk, LK_EXCLUSIVE);
	error = tmpfs_walk(start, path, WALK_CREATE, &dir, name, &node);
	if (error == 0) {
		error = node != NULL ? EEXIST :
		    tmpfs_make(dir, name, mode, rdev, target, NULL);
		tmpfs_walk_done(dir, node);
	}
	lockmgr(lk, LK_RELEASE);
	return (error);
}

int
tmpfs_link(struct tmpfs_node *start1, const char *from,
    struct tmpfs_node *start2, const char *to)
{
	struct lock *lk = &start1->tn_mount->tm_lock;
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *fdir, *dir, *node, *old;
	int error;

	lockmgr(lk, LK_EXCLUSIVE);
	error = tmpfs_walk(start1, from, 0, &fdir, name, &node);
	if (error)
		goto done;
	if (S_ISDIR(node->tn_mode) || node->tn_proc != NULL)
		error = EPERM;
	else
		error = tmpfs_walk(start2, to, WALK_CREATE, &dir, name, &old);
	if (error == 0) {
		if (old != NULL)
			error = EEXIST;
		else
			tmpfs_dir_enter(dir, name, node);
		tmpfs_walk_done(dir, old);
	}
	tmpfs_walk_done(fdir, node);
done:
	lockmgr(lk, LK_RELEASE);
	return (error);
}

/*
 * The entry of a walk's result; NULL for the root, . and ..
 */
static struct tmpfs_dirent *
tmpfs_entry(struct tmpfs_node *dir, const char *name, struct tmpfs_node *node)
{
	struct tmpfs_dirent *de;

	de = tmpfs_dir_lookup(dir, name, strlen(name));
	return (de != NULL && de->td_node == node ? de : NULL);
}

static int
tmpfs_may_remove(struct tmpfs_node *node, boolean_t dir)
{
	if (node->tn_proc != NULL)
		return (EBUSY);
	if (!S_ISDIR(node->tn_mode))
		return (dir ? ENOTDIR : 0);
	if (!dir)
		return (EISDIR);
	return (TAILQ_EMPTY(&node->tn_dir.entries) ? 0 : ENOTEMPTY);
}

int
tmpfs_remove(struct tmpfs_node *start, const char *path, boolean_t isdir)
{
	struct lock *lk = &start->tn_mount->tm_lock;
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *dir, *node;
	struct tmpfs_dirent *de;
	int error;

	lockmgr(lk, LK_EXCLUSIVE);
	error = tmpfs_walk(start, path, 0, &dir, name, &node);
	if (error)
		goto done;
	error = tmpfs_may_remove(node, isdir);
	if (error == 0) {
		de = tmpfs_entry(dir, name, node);
		if (de != NULL)
			tmpfs_dir_remove(dir, de);
		else
			error = EINVAL;
	}
	tmpfs_walk_done(dir, node);
done:
	lockmgr(lk, LK_RELEASE);
	return (error);
}

/*
 * Is dir the directory node, or anywhere in it?
 */
static boolean_t
tmpfs_within(struct tmpfs_node *dir, struct tmpfs_node *node)
{
	for (; dir != node; dir = dir->tn_dir.parent) {
		if (dir == dir->tn_dir.parent || dir->tn_dir.parent == NULL)
			return (FALSE);
	}
	return (TRUE);
}

/*
 * Both names have been walked to; tnode is NULL if there is none yet.
 */
static int
tmpfs_move(struct tmpfs_node *fdir, const char *fname,
    struct tmpfs_node *fnode, struct tmpfs_node *tdir, const char *tname,
    struct tmpfs_node *tnode)
{
	struct tmpfs_dirent *fde, *tde;
	int error;

	if (fnode == tnode)
		return (0);
	fde = tmpfs_entry(fdir, fname, fnode);
	if (fde == NULL ||
	    (S_ISDIR(fnode->tn_mode) && tmpfs_within(tdir, fnode)))
		return (EINVAL);
	if (fnode->tn_proc != NULL)
		return (EBUSY);
	if (tnode != NULL) {
		tde = tmpfs_entry(tdir, tname, tnode);
		if (tde == NULL)
			return (EINVAL);
		error = tmpfs_may_remove(tnode, S_ISDIR(fnode->tn_mode));
		if (error)
			return (error);
		tmpfs_dir_remove(tdir, tde);
	}
	tmpfs_dir_remove(fdir, fde);
	tmpfs_dir_enter(tdir, tname, fnode);
	return (0);
}

int
tmpfs_rename(struct tmpfs_node *start1, const char *from,
    struct tmpfs_node *start2, const char *to)
{
	struct lock *lk = &start1->tn_mount->tm_lock;
	char fname[TMPFS_NAME_MAX + 1], tname[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *fdir, *fnode, *tdir, *tnode;
	int error;

	lockmgr(lk, LK_EXCLUSIVE);
	error = tmpfs_walk(start1, from, 0, &fdir, fname, &fnode);
	if (error)
		goto done;
	error = tmpfs_walk(start2, to, WALK_CREATE, &tdir, tname, &tnode);
	if (error == 0) {
		error = tmpfs_move(fdir, fname, fnode, tdir, tname, tnode);
		tmpfs_walk_done(tdir, tnode);
	}
	tmpfs_walk_done(fdir, fnode);
done:
	lockmgr(lk, LK_RELEASE);
	return (error);
}

/*
 * The node to open, referenced, made if flags say so.
 */
static int
tmpfs_open_node(struct tmpfs_node *start, const char *path, int flags,
    mode_t mode, struct tmpfs_node **nodep)
{
	struct lock *lk = &start->tn_mount->tm_lock;
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *dir;
	int error, wflags;

	if ((flags & O_CREAT) == 0)
		return (tmpfs_lookup(start, path, (flags & O_NOFOLLOW) == 0,
		    nodep));
	wflags = WALK_CREATE;
	if ((flags & (O_EXCL | O_NOFOLLOW)) == 0)
		wflags |= WALK_FOLLOW;
	lockmgr(lk, LK_EXCLUSIVE);
	error = tmpfs_walk(start, path, wflags, &dir, name, nodep);
	if (error == 0) {
		if (*nodep == NULL)
			error = tmpfs_make(dir, name, S_IFREG | mode, 0, NULL,
			    nodep);
		else if (flags & O_EXCL)
			error = EEXIST;
		tmpfs_walk_done(dir, error != 0 ? *nodep : NULL);
	}
	lockmgr(lk, LK_RELEASE);
	return (error);
}

/*
 * The file for a node; takes the reference over.
 */
static int
tmpfs_open_file(struct tmpfs_node *node, int flags, struct file **fpp)
{
	const struct fileops *ops = &tmpfs_fileops;
	int accmode = flags & O_ACCMODE, error = 0;
	struct file *fp;

	if (S_ISLNK(node->tn_mode))
		error = ELOOP;
	else if (S_ISDIR(node->tn_mode) && accmode != O_RDONLY)
		error = EISDIR;
	else if ((flags & O_DIRECTORY) && !S_ISDIR(node->tn_mode))
		error = ENOTDIR;
	else if (S_ISSOCK(node->tn_mode))
		error = ENXIO;
	else if (S_ISCHR(node->tn_mode) &&
	    (ops = dev_fileops(node->tn_rdev)) == NULL)
		error = ENXIO;
	else if (node->tn_proc != NULL && accmode != O_RDONLY)
		error = EACCES;
	else if ((flags & O_TRUNC) && S_ISREG(node->tn_mode) &&
	    accmode != O_RDONLY)
		error = tmpfs_truncate(node, 0);
	if (error) {
		tmpfs_node_rele(node);
		return (error);
	}
	flags &= ~(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
	if (accmode != O_WRONLY)
		flags |= FREAD;
	if (accmode != O_RDONLY)
		flags |= FWRITE;
	fp = falloc(flags, ops, NULL);
	fp->f_node = node;
	if (node->tn_proc != NULL && S_ISREG(node->tn_mode))
		error = procfs_open(fp);
	if (error)
		fdrop(fp);
	else
		*fpp = fp;
	return (error);
}

/*
 * Open a path relative to a directory's descriptor, or AT_FDCWD.
 */
int
tmpfs_open(struct proc *p, int dirfd, const char *path, int flags,
    mode_t mode, struct file **fpp)
{
	struct tmpfs_node *start, *node;
	int error;

	error = at_start(p, dirfd, &start);
	if (error)
		return (error);
	error = tmpfs_open_node(start, path, flags, mode, &node);
	tmpfs_node_rele(start);
	return (error != 0 ? error : tmpfs_open_file(node, flags, fpp));
}

void
tmpfs_getattr(struct tmpfs_node *node, struct stat *st)
{
	bzero(st, sizeof(*st));
	st->st_dev = 1;
	st->st_ino = node->tn_ino;
	st->st_nlink = node->tn_links;
	st->st_mode = node->tn_mode;
	st->st_rdev = node->tn_rdev;
	st->st_size = node->tn_size;
	st->st_blksize = PAGE_SIZE;
	st->st_blocks = howmany(node->tn_size, 512);
	st->st_atim = st->st_mtim = st->st_ctim = node->tn_mtime;
}
