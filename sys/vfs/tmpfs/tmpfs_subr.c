/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tmpfs: nodes and directory entries.
 *
 * A node is a file, directory, symbolic link or device.  Its references are
 * the directory entries that name it and whoever uses it at the moment (open
 * files, working directories, system calls); with the last one it goes, and
 * its data with it.  File data are the pages of an anonymous object, and go
 * to swap like all others.  Nodes come from a zone of their mount's.
 *
 * Locking: tm_lock protects all directories of the mount, shared to look a
 * name up.  tn_lock protects a file's size, the place in it of whoever has it
 * open, and its object's pages from being cut off while they are copied.
 * tm_lock comes first.  References change with atomic operations: whoever takes
 * one has another, or holds the lock of the directory which names the node.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/stat.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/vm_object.h>

static MALLOC_DEFINE(M_TMPFSNAME, "tmpfs name", "tmpfs names and links");

static struct tmpfs_mount root_mount;

static void
tmpfs_mountroot(void *dummy)
{
	struct tmpfs_mount *tm = &root_mount;

	lockinit(&tm->tm_lock, "tmpfs", 0, 0);
	tm->tm_node_zone = zinit("TMPFS node", sizeof(struct tmpfs_node), 0,
	    ZONE_DESTROYABLE);
	if (tmpfs_node_alloc(tm, S_IFDIR | 0755, &tm->tm_root) != 0)
		panic("tmpfs: cannot make the root directory");
	tm->tm_root->tn_dir.parent = tm->tm_root;
	tm->tm_root->tn_links = 2;
	if (tmpfs_create(tm->tm_root, "/dev", S_IFDIR | 0755, 0, NULL) != 0 ||
	    tmpfs_create(tm->tm_root, "/tmp", S_IFDIR | 0777, 0, NULL) != 0)
		panic("tmpfs: cannot make the first directories");
}
SYSINIT(tmpfs, SI_SUB_ROOT_CONF, SI_ORDER_FIRST, tmpfs_mountroot, NULL);

struct tmpfs_node *
tmpfs_root(void)
{
	tmpfs_node_ref(root_mount.tm_root);
	return (root_mount.tm_root);
}

int
tmpfs_node_alloc(struct tmpfs_mount *tm, mode_t mode,
    struct tmpfs_node **nodep)
{
	struct tmpfs_node *node;

	node = zalloc(tm->tm_node_zone);
	bzero(node, sizeof(*node));
	node->tn_mount = tm;
	node->tn_refs = 1;
	node->tn_mode = mode;
	node->tn_ino = atomic_fetchadd_64(&tm->tm_lastino, 1) + 1;
	getnanouptime(&node->tn_mtime);
	lockinit(&node->tn_lock, "tmpfs node", 0, 0);
	if (S_ISDIR(mode)) {
		TAILQ_INIT(&node->tn_dir.entries);
		node->tn_dir.cookie = TMPFS_COOKIE_FIRST;
	} else if (S_ISREG(mode)) {
		node->tn_object = vm_object_allocate(OBJT_DEFAULT, 0);
	}
	*nodep = node;
	return (0);
}

void
tmpfs_node_ref(struct tmpfs_node *node)
{
	atomic_add_int(&node->tn_refs, 1);
}

void
tmpfs_node_rele(struct tmpfs_node *node)
{
	struct tmpfs_mount *tm = node->tn_mount;

	KKASSERT(node->tn_refs > 0);
	if (atomic_fetchadd_int(&node->tn_refs, -1) != 1)
		return;
	if (S_ISREG(node->tn_mode) && node->tn_object != NULL)
		vm_object_deallocate(node->tn_object);
	else if (S_ISLNK(node->tn_mode))
		kfree(node->tn_target, M_TMPFSNAME);
	lockuninit(&node->tn_lock);
	zfree(tm->tm_node_zone, node);
}

struct tmpfs_dirent *
tmpfs_dir_lookup(struct tmpfs_node *dir, const char *name, size_t len)
{
	struct tmpfs_dirent *de;

	TAILQ_FOREACH(de, &dir->tn_dir.entries, td_link) {
		if (de->td_namelen == len &&
		    memcmp(de->td_name, name, len) == 0)
			break;
	}
	return (de);
}

/*
 * The entry takes a reference of its own.
 */
void
tmpfs_dir_enter(struct tmpfs_node *dir, const char *name,
    struct tmpfs_node *node)
{
	size_t len = strlen(name);
	struct tmpfs_dirent *de;

	de = kmalloc(sizeof(*de) + len + 1, M_TMPFSNAME, M_WAITOK);
	de->td_node = node;
	de->td_cookie = dir->tn_dir.cookie++;
	de->td_namelen = len;
	bcopy(name, de->td_name, len + 1);
	TAILQ_INSERT_TAIL(&dir->tn_dir.entries, de, td_link);
	getnanouptime(&dir->tn_mtime);
	tmpfs_node_ref(node);
	++node->tn_links;
	if (S_ISDIR(node->tn_mode)) {
		++node->tn_links;	/* its own . */
		++dir->tn_links;	/* its .. */
		node->tn_dir.parent = dir;
	}
}

void
tmpfs_dir_remove(struct tmpfs_node *dir, struct tmpfs_dirent *de)
{
	struct tmpfs_node *node = de->td_node;

	TAILQ_REMOVE(&dir->tn_dir.entries, de, td_link);
	kfree(de, M_TMPFSNAME);
	getnanouptime(&dir->tn_mtime);
	--node->tn_links;
	if (S_ISDIR(node->tn_mode)) {
		--node->tn_links;
		--dir->tn_links;
		node->tn_dir.parent = NULL;
	}
	tmpfs_node_rele(node);
}

/*
 * A new symbolic link's contents.
 */
void
tmpfs_set_target(struct tmpfs_node *node, const char *target)
{
	node->tn_target = kstrdup(target, M_TMPFSNAME);
	node->tn_size = strlen(target);
}
