/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * procfs: the nodes below /proc.
 *
 * /proc is a directory of the root tmpfs that has no entries of its own.
 * Nodes in it are tmpfs nodes with tn_proc set, made when a path leads to them
 * and gone with their last reference; nothing has to be done when a process
 * starts or ends.  They cannot be changed, removed or renamed, nor others made.
 *
 *	/proc		tn_proc is procfs_root
 *	/proc/NAME	a file: its procfs_system_entries[]
 *	/proc/self	a symbolic link
 *	/proc/PID	tn_proc is procfs_pid, tn_pid the process
 *	/proc/PID/NAME	a file: its procfs_process_entries[]
 *
 * A file's text is made as a whole when it is opened, and stays as it is for
 * that opening, however it is read.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/file.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/thread2.h>
#include <sys/uio.h>
#include <vfs/procfs/procfs.h>
#include <vfs/tmpfs/tmpfs.h>

#include <machine/stdarg.h>

#define	PROCFS_TEXT	1024		/* bytes tried first */
#define	PROCFS_PIDLEN	16

/* Directory offsets and node numbers. */
#define	PROCFS_PIDS	256		/* of process 0 in /proc */
#define	PROCFS_INO(pid, i)	(((ino_t)(pid) + 1) << 8 | (i))
#define	PROCFS_INO_SELF		PROCFS_INO(0, 255)

static MALLOC_DEFINE(M_PROCFS, "procfs", "texts of /proc");

static const struct procfs_entry procfs_root = { "proc", NULL };
static const struct procfs_entry procfs_pid = { "pid", NULL };
static const struct procfs_entry procfs_self = { "self", NULL };
static struct tmpfs_node *procfs_rootnode;

static void
procfs_mount(void *dummy)
{
	struct tmpfs_node *root = tmpfs_root();

	if (tmpfs_create(root, "/proc", S_IFDIR | 0555, 0, NULL) != 0 ||
	    tmpfs_lookup(root, "/proc", FALSE, &procfs_rootnode) != 0)
		panic("procfs: cannot make /proc");
	procfs_rootnode->tn_proc = &procfs_root;
	tmpfs_node_rele(root);
}
SYSINIT(procfs, SI_SUB_ROOT_CONF, SI_ORDER_ANY, procfs_mount, NULL);

void
procfs_printf(struct procfs_text *t, const char *fmt, ...)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;
	__va_list ap;

	__va_start(ap, fmt);
	t->len += kvsnprintf(t->text + t->len, room, fmt, ap);
	__va_end(ap);
}

static boolean_t
procfs_alive(pid_t pid)
{
	boolean_t alive;

	lwkt_gettoken(&proc_token);
	alive = (pfind(pid) != NULL);
	lwkt_reltoken(&proc_token);
	return (alive);
}

/*
 * The least process number from pid on, or 0.
 */
static pid_t
procfs_nextpid(pid_t pid)
{
	struct proc *p;
	pid_t next = 0;

	lwkt_gettoken(&proc_token);
	LIST_FOREACH(p, &allproc, p_list) {
		if (p->p_pid >= pid && (next == 0 || p->p_pid < next))
			next = p->p_pid;
	}
	lwkt_reltoken(&proc_token);
	return (next);
}

static struct tmpfs_node *
procfs_node(struct tmpfs_node *dir, const struct procfs_entry *e, mode_t mode,
    pid_t pid, ino_t ino)
{
	struct tmpfs_mount *tm = dir->tn_mount;
	struct tmpfs_node *node;

	node = zalloc(tm->tm_node_zone);
	bzero(node, sizeof(*node));
	lockinit(&node->tn_lock, "procfs node", 0, 0);
	getnanouptime(&node->tn_mtime);
	node->tn_mount = tm;
	node->tn_refs = 1;
	node->tn_links = 1;
	node->tn_mode = mode;
	node->tn_ino = ino;
	node->tn_proc = e;
	node->tn_pid = pid;
	if (S_ISDIR(mode)) {
		TAILQ_INIT(&node->tn_dir.entries);
		node->tn_dir.parent = dir;
	}
	return (node);
}

/*
 * name as a process's number; 0 if it is none.
 */
static pid_t
procfs_number(const char *name)
{
	u_long pid;
	char *end;

	if (*name < '1' || *name > '9')
		return (0);
	pid = strtoul(name, &end, 10);
	return (*end == '\0' && pid <= INT_MAX ? (pid_t)pid : 0);
}

struct tmpfs_node *
procfs_lookup(struct tmpfs_node *dir, const char *name)
{
	boolean_t root = (dir->tn_proc == &procfs_root);
	const struct procfs_entry *e, *list;
	struct tmpfs_node *node;
	char target[PROCFS_PIDLEN];
	pid_t pid;

	pid = root ? procfs_number(name) : dir->tn_pid;
	if (pid != 0 && !procfs_alive(pid))
		return (NULL);
	if (root && pid != 0)
		return (procfs_node(dir, &procfs_pid, S_IFDIR | 0555, pid,
		    PROCFS_INO(pid, 0)));
	if (root && strcmp(name, procfs_self.name) == 0) {
		node = procfs_node(dir, &procfs_self, S_IFLNK | 0777, 0,
		    PROCFS_INO_SELF);
		ksnprintf(target, sizeof(target), "%d", curproc->p_pid);
		tmpfs_set_target(node, target);
		return (node);
	}
	list = root ? procfs_system_entries : procfs_process_entries;
	for (e = list; e->name != NULL; ++e) {
		if (strcmp(name, e->name) == 0)
			return (procfs_node(dir, e, S_IFREG | 0444, pid,
			    PROCFS_INO(pid, e - list + 1)));
	}
	return (NULL);
}

void
procfs_name(struct tmpfs_node *dir, char *name)
{
	ksnprintf(name, TMPFS_NAME_MAX + 1, "%d", dir->tn_pid);
}

boolean_t
procfs_readdir(struct tmpfs_node *dir, off_t *offp, char *name,
    struct tmpfs_node *node)
{
	boolean_t root = (dir->tn_proc == &procfs_root);
	const struct procfs_entry *list, *e;
	off_t i = *offp - TMPFS_COOKIE_FIRST;
	pid_t pid;

	list = root ? procfs_system_entries : procfs_process_entries;
	for (e = list; e->name != NULL; ++e) {
		if (e - list == i) {
			strlcpy(name, e->name, TMPFS_NAME_MAX + 1);
			node->tn_mode = S_IFREG;
			node->tn_ino = PROCFS_INO(dir->tn_pid, i + 1);
			++*offp;
			return (TRUE);
		}
	}
	if (!root)
		return (FALSE);
	if (*offp < PROCFS_PIDS) {
		strlcpy(name, procfs_self.name, TMPFS_NAME_MAX + 1);
		node->tn_mode = S_IFLNK;
		node->tn_ino = PROCFS_INO_SELF;
		*offp = PROCFS_PIDS;
		return (TRUE);
	}
	pid = procfs_nextpid(*offp - PROCFS_PIDS);
	if (pid == 0)
		return (FALSE);
	ksnprintf(name, TMPFS_NAME_MAX + 1, "%d", pid);
	node->tn_mode = S_IFDIR;
	node->tn_ino = PROCFS_INO(pid, 0);
	*offp = PROCFS_PIDS + pid + 1;
	return (TRUE);
}

/*
 * Files.
 */
static int
procfs_show(struct tmpfs_node *node, struct procfs_text *t)
{
	struct proc *p = NULL;
	int error = 0;

	t->len = 0;
	lwkt_gettoken(&proc_token);
	if (node->tn_pid != 0 && (p = pfind(node->tn_pid)) == NULL)
		error = ESRCH;
	else
		node->tn_proc->show(t, p);
	lwkt_reltoken(&proc_token);
	return (error);
}

static int
procfs_read(struct file *fp, struct uio *uio, int flags)
{
	struct procfs_text *t = fp->f_data;
	int error = 0;

	lockmgr(&fp->f_node->tn_lock, LK_EXCLUSIVE);
	if ((flags & FOF_OFFSET) == 0)
		uio->uio_offset = fp->f_offset;
	if ((size_t)uio->uio_offset < t->len)
		error = uiomove(t->text + uio->uio_offset,
		    t->len - uio->uio_offset, uio);
	if ((flags & FOF_OFFSET) == 0)
		fp->f_offset = uio->uio_offset;
	lockmgr(&fp->f_node->tn_lock, LK_RELEASE);
	return (error);
}

static int
procfs_write(struct file *fp, struct uio *uio, int flags)
{
	return (EACCES);
}

static int
procfs_stat(struct file *fp, struct stat *st)
{
	tmpfs_getattr(fp->f_node, st);
	return (0);
}

static int
procfs_close(struct file *fp)
{
	if (fp->f_data != NULL)
		kfree(fp->f_data, M_PROCFS);
	return (0);
}

static const struct fileops procfs_fileops = {
	.fo_read = procfs_read,
	.fo_write = procfs_write,
	.fo_ioctl = nofo_ioctl,
	.fo_poll = always_poll,
	.fo_stat = procfs_stat,
	.fo_close = procfs_close,
};

int
procfs_open(struct file *fp)
{
	size_t size = PROCFS_TEXT;
	struct procfs_text *t;
	int error;

	fp->f_ops = &procfs_fileops;
	for (;;) {
		t = kmalloc(sizeof(*t) + size, M_PROCFS, M_WAITOK);
		t->size = size;
		error = procfs_show(fp->f_node, t);
		if (error == 0 && t->len < size) {
			fp->f_data = t;
			return (0);
		}
		size = t->len + PROCFS_TEXT;
		kfree(t, M_PROCFS);
		if (error)
			return (error);
	}
}
