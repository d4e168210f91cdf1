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

static int
walk(struct tmpfs_node *dir, char *buf, int flags, struct tmpfs_node **dirp,
    char *name, struct tmpfs_node **nodep)
{
	struct tmpfs_node *root = dir->tn_mount->tm_root, *node;
	struct tmpfs_dirent *de;
	char *comp, *s = buf;
	boolean_t last;
	int error, links = 0;
	size_t len;

	if (*s == '/')
		dir = root;
	name[0] = '\0';
	node = dir;
	for (;;) {
		while (*s == '/')
			++s;
		if (*s == '\0')
			break;
		dir = node;
		if (!S_ISDIR(dir->tn_mode))
			return (ENOTDIR);
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

		if (strcmp(name, ".") == 0) {
			node = dir;
			continue;
		}
		if (strcmp(name, "..") == 0) {
			node = dir->tn_dir.parent;
			if (node == NULL)
				return (ENOENT);
			continue;
		}
		if (dir->tn_dir.parent == NULL)
			return (ENOENT);
		de = tmpfs_dir_lookup(dir, name, len);
		if (de == NULL) {
			node = NULL;
			if (last && (flags & WALK_CREATE))
				break;
			return (ENOENT);
		}
		node = de->td_node;
		if (S_ISLNK(node->tn_mode) &&
		    (!last || s[-1] == '/' || (flags & WALK_FOLLOW))) {
			if (++links > TMPFS_MAXLINKS)
				return (ELOOP);
			error = walk_link(node, s, buf);
			if (error)
				return (error);
			s = buf;
			node = *s == '/' ? root : dir;
		} else if (last && s[-1] == '/' && !S_ISDIR(node->tn_mode)) {
			return (ENOTDIR);
		}
	}
	*dirp = dir;
	*nodep = node;
	return (0);
}

int
tmpfs_walk(struct tmpfs_node *start, const char *path, int flags,
    struct tmpfs_node **dirp, char *name, struct tmpfs_node **nodep)
{
	char *buf;
	int error;

	if (*path == '\0')
		return (ENOENT);
	buf = objcache_get(namei_oc, M_WAITOK);
	if (strlcpy(buf, path, MAXPATHLEN) >= MAXPATHLEN)
		error = ENAMETOOLONG;
	else
		error = walk(start, buf, flags, dirp, name, nodep);
	objcache_put(namei_oc, buf);
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
		tmpfs_node_ref(*nodep);
	lockmgr(lk, LK_RELEASE);
	return (error);
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
	struct tmpfs_dirent *de;
	char *s = buf + size - 1;
	int error = 0;

	*s = '\0';
	lockmgr(&tm->tm_lock, LK_SHARED);
	for (; dir != tm->tm_root; dir = parent) {
		parent = dir->tn_dir.parent;
		if (parent == NULL) {
			error = ENOENT;
			break;
		}
		TAILQ_FOREACH(de, &parent->tn_dir.entries, td_link) {
			if (de->td_node == dir)
				break;
		}
		KKASSERT(de != NULL);
		if (de->td_namelen + 1 > (size_t)(s - buf)) {
			error = ERANGE;
			break;
		}
		s -= de->td_namelen;
		memcpy(s, de->td_name, de->td_namelen);
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
