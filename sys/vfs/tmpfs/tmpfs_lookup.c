/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tmpfs: from path names to nodes, and back.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/stat.h>
#include <vfs/procfs/procfs.h>
#include <vfs/tmpfs/tmpfs.h>

/*
 * Put a symbolic link's target in front of the rest of the path; the result
 * replaces both in buf.
 */
static int
walk_link(struct tmpfs_node *link, const char *rest, char *buf)
{
	char *tmp;
	int error = 0;

	tmp = objcache_get(namei_oc, M_WAITOK);
	if (strlcpy(tmp, link->tn_target, MAXPATHLEN) >= MAXPATHLEN ||
	    (*rest != '\0' && (strlcat(tmp, "/", MAXPATHLEN) >= MAXPATHLEN ||
	    strlcat(tmp, rest, MAXPATHLEN) >= MAXPATHLEN)))
		error = ENAMETOOLONG;
	else
		strlcpy(buf, tmp, MAXPATHLEN);
	objcache_put(namei_oc, tmp);
	return (error);
}

/*
 * The entry called name, referenced; NULL if there is none.
 */
static struct tmpfs_node *
walk_entry(struct tmpfs_node *dir, const char *name, size_t len)
{
	struct tmpfs_dirent *de;

	if (dir->tn_proc != NULL)
		return (procfs_lookup(dir, name));
	de = tmpfs_dir_lookup(dir, name, len);
	if (de == NULL)
		return (NULL);
	tmpfs_node_ref(de->td_node);
	return (de->td_node);
}

/*
 * One name of a path, in *dirp.  *nodep is the node, referenced; NULL if it is
 * the last name and may be created.
 */
static int
walk_name(struct tmpfs_node *dir, const char *name, size_t len,
    boolean_t create, struct tmpfs_node **nodep)
{
	*nodep = NULL;
	if (!S_ISDIR(dir->tn_mode))
		return (ENOTDIR);
	if (strcmp(name, ".") == 0) {
		*nodep = dir;
	} else if (dir->tn_dir.parent == NULL) {
		return (ENOENT);
	} else if (strcmp(name, "..") == 0) {
		*nodep = dir->tn_dir.parent;
	} else {
		*nodep = walk_entry(dir, name, len);
		return (*nodep != NULL || (create && dir->tn_proc == NULL) ?
		    0 : ENOENT);
	}
	tmpfs_node_ref(*nodep);
	return (0);
}

/*
 * The walk proper, through buf, which it may write to.  *dirp and *nodep are
 * referenced all along; the caller gives them back, in case of an error too.
 */
static int
walk(char *buf, int flags, struct tmpfs_node **dirp, char *name,
    struct tmpfs_node **nodep)
{
	struct tmpfs_node *dir;
	char *comp, *s = buf;
	boolean_t last;
	int error, links = 0;
	size_t len;

	name[0] = '\0';
	for (;;) {
		if (*s == '/' && s == buf) {
			tmpfs_node_rele(*nodep);
			*nodep = tmpfs_root();
		}
		while (*s == '/')
			++s;
		if (*s == '\0')
			return (0);
		for (comp = s; *s != '\0' && *s != '/'; ++s)
			;
		len = s - comp;
		if (len > TMPFS_NAME_MAX)
			return (ENAMETOOLONG);
		memcpy(name, comp, len);
		name[len] = '\0';
		while (*s == '/')
			++s;
		last = (*s == '\0');

		tmpfs_node_rele(*dirp);
		dir = *dirp = *nodep;
		error = walk_name(dir, name, len,
		    last && (flags & WALK_CREATE), nodep);
		if (error || *nodep == NULL)
			return (error);
		if (S_ISLNK((*nodep)->tn_mode) &&
		    (!last || s[-1] == '/' || (flags & WALK_FOLLOW))) {
			if (++links > TMPFS_MAXLINKS)
				return (ELOOP);
			error = walk_link(*nodep, s, buf);
			if (error)
				return (error);
			tmpfs_node_rele(*nodep);
			tmpfs_node_ref(dir);
			*nodep = dir;
			s = buf;
		} else if (last && s[-1] == '/' &&
		    !S_ISDIR((*nodep)->tn_mode)) {
			return (ENOTDIR);
		}
	}
}

void
tmpfs_walk_done(struct tmpfs_node *dir, struct tmpfs_node *node)
{
	if (dir != NULL)
		tmpfs_node_rele(dir);
	if (node != NULL)
		tmpfs_node_rele(node);
}

int
tmpfs_walk(struct tmpfs_node *start, const char *path, int flags,
    struct tmpfs_node **dirp, char *name, struct tmpfs_node **nodep)
{
	char *buf;
	int error;

	if (*path == '\0')
		return (ENOENT);
	*dirp = *nodep = start;
	tmpfs_node_ref(start);
	tmpfs_node_ref(start);
	buf = objcache_get(namei_oc, M_WAITOK);
	if (strlcpy(buf, path, MAXPATHLEN) >= MAXPATHLEN)
		error = ENAMETOOLONG;
	else
		error = walk(buf, flags, dirp, name, nodep);
	objcache_put(namei_oc, buf);
	if (error)
		tmpfs_walk_done(*dirp, *nodep);
	return (error);
}

/*
 * The node a path leads to, referenced.
 */
int
tmpfs_lookup(struct tmpfs_node *start, const char *path, boolean_t follow,
    struct tmpfs_node **nodep)
{
	struct lock *lk = &start->tn_mount->tm_lock;
	char name[TMPFS_NAME_MAX + 1];
	struct tmpfs_node *dir;
	int error;

	lockmgr(lk, LK_SHARED);
	error = tmpfs_walk(start, path, follow ? WALK_FOLLOW : 0, &dir, name,
	    nodep);
	if (error == 0)
		tmpfs_node_rele(dir);
	lockmgr(lk, LK_RELEASE);
	return (error);
}

static void
dir_name(struct tmpfs_node *parent, struct tmpfs_node *dir, char *name)
{
	struct tmpfs_dirent *de;

	if (parent->tn_proc != NULL) {
		procfs_name(dir, name);
		return;
	}
	TAILQ_FOREACH(de, &parent->tn_dir.entries, td_link) {
		if (de->td_node == dir)
			break;
	}
	KKASSERT(de != NULL);
	strlcpy(name, de->td_name, TMPFS_NAME_MAX + 1);
}

/*
 * A directory's path, built from the end of buf.
 */
int
tmpfs_getcwd(struct tmpfs_node *dir, char *buf, size_t size,
    const char **path)
{
	struct tmpfs_mount *tm = dir->tn_mount;
	struct tmpfs_node *parent;
	char name[TMPFS_NAME_MAX + 1], *s = buf + size - 1;
	size_t len;
	int error = 0;

	*s = '\0';
	lockmgr(&tm->tm_lock, LK_SHARED);
	for (; dir != tm->tm_root; dir = parent) {
		parent = dir->tn_dir.parent;
		if (parent == NULL) {
			error = ENOENT;
			break;
		}
		dir_name(parent, dir, name);
		len = strlen(name);
		if (len + 1 > (size_t)(s - buf)) {
			error = ERANGE;
			break;
		}
		s -= len;
		memcpy(s, name, len);
		*--s = '/';
	}
	lockmgr(&tm->tm_lock, LK_RELEASE);
	if (error == 0 && *s == '\0') {
		if (s == buf)
			return (ERANGE);
		*--s = '/';
	}
	*path = s;
	return (error);
}
