/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running a program: a new address space with image, stack and arguments.
 *
 * Arguments and environment are collected in one kernel buffer, with room in
 * front for what a script's first line puts before them.  The buffers are
 * larger than any allocator's slabs, hence kernel memory of their own, and so
 * few that a burst of programs has to take turns.  Arguments leave one for
 * the new stack, which starts as the x86-64 ABI wants it, from low to high
 * addresses: argument count, argument pointers, NULL, environment pointers,
 * NULL, auxiliary vector; above them the strings.
 *
 * Once the old address space is gone there is nothing to return an error to:
 * the process is killed.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/imgact.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysent.h>
#include <sys/thread2.h>
#include <sys/wait.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_extern.h>
#include <vm/vm_page2.h>

#include <machine/elf.h>
#include <machine/md_var.h>

static MALLOC_DEFINE(M_EXEC, "exec", "argument vectors");
static MALLOC_DEFINE(M_PARGS, "pargs", "what programs were called with");

#define	RANDOM_BYTES	16		/* AT_RANDOM */
#define	NAUX		14		/* auxiliary entries, at most */
#define	SCRIPT_ROOM	(2 * MAXPATHLEN)
#define	SCRIPT_DEPTH	4		/* scripts which scripts interpret */
#define	PARGS_MAX	4096		/* bytes of arguments to remember */

#define	EXEC_BUFSIZE	(SCRIPT_ROOM + NCARGS)
#define	EXEC_BUFS	16
#define	EXEC_IDLE	2		/* buffers worth keeping */

static struct objcache *exec_objcache;

struct stack_image {
	uint64_t	*words;		/* being built, in kernel memory */
	int		nwords;
};

static void *
exec_buf_alloc(void *arg, int ocflags)
{
	return ((void *)kmem_alloc(kernel_map, EXEC_BUFSIZE, VM_SUBSYS_IMGACT));
}

static void
exec_buf_free(void *obj, void *arg)
{
	kmem_free(kernel_map, (vm_offset_t)obj, EXEC_BUFSIZE);
}

static void
exec_objcache_init(void *dummy)
{
	exec_objcache = objcache_create("exec-args", EXEC_BUFS, EXEC_IDLE,
	    NULL, NULL, NULL, exec_buf_alloc, exec_buf_free, NULL);
}
SYSINIT(exec, SI_SUB_PRE_DRIVERS, SI_ORDER_ANY, exec_objcache_init, NULL);

int
exec_args_init(struct exec_args *args)
{
	args->buf = objcache_get(exec_objcache, M_WAITOK);
	if (args->buf == NULL)
		return (ENOMEM);
	args->begin = args->end = args->buf + SCRIPT_ROOM;
	args->argc = args->envc = 0;
	return (0);
}

void
exec_args_free(struct exec_args *args)
{
	if (vm_paging_min())
		objcache_dtor(exec_objcache, args->buf);
	else
		objcache_put(exec_objcache, args->buf);
}

/*
 * Append a string; E2BIG.
 */
int
exec_args_add(struct exec_args *args, const char *s)
{
	size_t room = args->buf + SCRIPT_ROOM + NCARGS - args->end;
	size_t len = strlen(s) + 1;

	if (len > room)
		return (E2BIG);
	bcopy(s, args->end, len);
	args->end += len;
	return (0);
}

/*
 * Append the strings of a user's vector; *countp is how many.
 */
static int
exec_args_copyin(struct exec_args *args, uint64_t uvec, int *countp)
{
	uint64_t ptr;
	size_t room, done;
	int error;

	for (; uvec != 0; uvec += sizeof(ptr)) {
		error = copyin((const void *)uvec, &ptr, sizeof(ptr));
		if (error)
			return (error);
		if (ptr == 0)
			break;
		room = args->buf + SCRIPT_ROOM + NCARGS - args->end;
		error = copyinstr((const void *)ptr, args->end, room, &done);
		if (error)
			return (error == ENAMETOOLONG ? E2BIG : error);
		args->end += done;
		++*countp;
	}
	return (0);
}

/*
 * Put an argument before all others.
 */
static int
exec_args_prepend(struct exec_args *args, const char *s)
{
	size_t len = strlen(s) + 1;

	if (len > (size_t)(args->begin - args->buf))
		return (E2BIG);
	args->begin -= len;
	bcopy(s, args->begin, len);
	++args->argc;
	return (0);
}

struct pargs *
pargs_ref(struct pargs *pa)
{
	ASSERT_LWKT_TOKEN_HELD(&proc_token);
	if (pa != NULL)
		++pa->ar_ref;
	return (pa);
}

void
pargs_rele(struct pargs *pa)
{
	ASSERT_LWKT_TOKEN_HELD(&proc_token);
	if (pa != NULL && --pa->ar_ref == 0)
		kfree(pa, M_PARGS);
}

/*
 * Remember the arguments, for people who ask what p is.
 */
static void
pargs_set(struct proc *p, const struct exec_args *args)
{
	const char *s = args->begin;
	struct pargs *pa, *old;
	size_t len;
	int n;

	for (n = args->argc; n > 0; --n)
		s += strlen(s) + 1;
	len = szmin(s - args->begin, PARGS_MAX);
	pa = kmalloc(sizeof(*pa) + len, M_PARGS, M_WAITOK);
	pa->ar_ref = 1;
	pa->ar_length = len;
	bcopy(args->begin, pa->ar_args, len);
	lwkt_gettoken(&proc_token);
	old = p->p_args;
	p->p_args = pa;
	pargs_rele(old);
	lwkt_reltoken(&proc_token);
}

/*
 * Note the addresses of n strings from s on, which will be at *ustrp, and a
 * NULL.
 */
static const char *
put_pointers(struct stack_image *si, const char *s, int n, uint64_t *ustrp)
{
	size_t len;

	for (; n > 0; --n) {
		len = strlen(s) + 1;
		si->words[si->nwords++] = *ustrp;
		*ustrp += len;
		s += len;
	}
	si->words[si->nwords++] = 0;
	return (s);
}

static void
put_aux(struct stack_image *si, uint64_t type, uint64_t val)
{
	si->words[si->nwords++] = type;
	si->words[si->nwords++] = val;
}

static void
put_auxv(struct stack_image *si, const struct image_params *imgp)
{
	put_aux(si, AT_PHDR, imgp->phdr);
	put_aux(si, AT_PHENT, sizeof(Elf64_Phdr));
	put_aux(si, AT_PHNUM, imgp->phnum);
	put_aux(si, AT_PAGESZ, PAGE_SIZE);
	put_aux(si, AT_ENTRY, imgp->entry);
	put_aux(si, AT_UID, 0);
	put_aux(si, AT_EUID, 0);
	put_aux(si, AT_GID, 0);
	put_aux(si, AT_EGID, 0);
	put_aux(si, AT_CLKTCK, hz);
	put_aux(si, AT_SECURE, 0);
	put_aux(si, AT_RANDOM, USRSTACK - RANDOM_BYTES);
	put_aux(si, AT_NULL, 0);
}

/*
 * Build the initial stack; *spp becomes the stack pointer.
 */
static int
exec_setup_stack(struct vmspace *vm, const struct image_params *imgp,
    const struct exec_args *args, vm_offset_t *spp)
{
	vm_offset_t stack = USRSTACK - DFLSSIZ, sp, strings;
	size_t nstr = args->end - args->begin;
	uint64_t seed[RANDOM_BYTES / 8], ustr;
	struct stack_image si;
	const char *s;
	size_t nptr;
	int error;

	error = kern_mmap_anon(vm, &stack, DFLSSIZ, VM_PROT_RW, TRUE);
	if (error)
		return (error);
	vm->vm_maxsaddr = (caddr_t)stack;
	vm->vm_ssize = btoc(DFLSSIZ);

	seed[0] = krandom();
	seed[1] = krandom();
	error = copyout(seed, (void *)(USRSTACK - RANDOM_BYTES), RANDOM_BYTES);
	if (error)
		return (error);

	nptr = 1 + args->argc + 1 + args->envc + 1 + 2 * NAUX;
	strings = USRSTACK - RANDOM_BYTES - nstr;
	sp = rounddown2(strings - nptr * sizeof(uint64_t), 16);
	error = copyout(args->begin, (void *)strings, nstr);
	if (error)
		return (error);
	si.words = kmalloc(nptr * sizeof(uint64_t), M_EXEC, M_WAITOK);
	si.nwords = 0;
	si.words[si.nwords++] = args->argc;
	ustr = strings;
	s = put_pointers(&si, args->begin, args->argc, &ustr);
	put_pointers(&si, s, args->envc, &ustr);
	put_auxv(&si, imgp);
	KKASSERT(si.nwords <= nptr);
	error = copyout(si.words, (void *)sp, si.nwords * sizeof(uint64_t));
	kfree(si.words, M_EXEC);
	*spp = sp;
	return (error);
}

/*
 * If the file is a script, put its interpreter and the script's path in place
 * of the first argument, and the interpreter's path into path.  ENOEXEC if it
 * is none.
 */
static int
exec_script(const struct image_params *imgp, struct exec_args *args,
    char *path)
{
	char line[IMG_HEADER_SIZE + 1];
	char *interp, *arg, *end;
	int error;

	memcpy(line, imgp->header, imgp->header_size);
	line[imgp->header_size] = '\0';
	if (line[0] != '#' || line[1] != '!' ||
	    (end = strchr(line, '\n')) == NULL)
		return (ENOEXEC);
	while (end[-1] == ' ' || end[-1] == '\t')
		--end;
	*end = '\0';
	for (interp = line + 2; *interp == ' ' || *interp == '\t'; ++interp)
		;
	for (arg = interp; *arg != '\0' && *arg != ' ' && *arg != '\t'; ++arg)
		;
	while (*arg == ' ' || *arg == '\t')
		*arg++ = '\0';
	if (*interp == '\0')
		return (ENOEXEC);
	if (args->argc > 0) {
		args->begin += strlen(args->begin) + 1;
		--args->argc;
	}
	error = exec_args_prepend(args, path);
	if (error == 0 && *arg != '\0')
		error = exec_args_prepend(args, arg);
	if (error == 0)
		error = exec_args_prepend(args, interp);
	strlcpy(path, interp, MAXPATHLEN);
	return (error);
}

/*
 * Find the file to load, through scripts: imgp->node, referenced.
 */
static int
exec_find_image(struct image_params *imgp, struct exec_args *args,
    char *path)
{
	int depth, error;

	for (depth = 0; depth < SCRIPT_DEPTH; ++depth) {
		error = tmpfs_lookup(curproc->p_cwd, path, TRUE, &imgp->node);
		if (error)
			return (error);
		error = EACCES;
		if (S_ISREG(imgp->node->tn_mode) &&
		    (imgp->node->tn_mode & 0111) != 0)
			error = tmpfs_kern_read(imgp->node, imgp->header,
			    IMG_HEADER_SIZE, 0, &imgp->header_size);
		if (error == 0) {
			error = elf_check(imgp);
			if (error == 0)
				return (0);
			if (error == ENOEXEC)
				error = exec_script(imgp, args, path);
		}
		tmpfs_node_rele(imgp->node);
		if (error)
			return (error);
	}
	return (ENOEXEC);
}

/*
 * args->path becomes p's program; on success its registers are set and
 * EJUSTRETURN is returned.
 */
int
kern_execve(struct proc *p, struct exec_args *args)
{
	struct image_params *imgp;
	struct vmspace *vm, *ovm;
	const char *name;
	vm_offset_t sp;
	int error;

	imgp = kmalloc(sizeof(*imgp), M_EXEC, M_WAITOK | M_ZERO);
	error = exec_find_image(imgp, args, args->path);
	if (error) {
		kfree(imgp, M_EXEC);
		return (error);
	}

	vm = vmspace_alloc(PAGE_SIZE, VM_MAX_USER_ADDRESS);
	ovm = p->p_vmspace;
	pmap_replacevm(p, vm, 0);
	if (ovm != NULL)
		vmspace_rel(ovm);
	proc_ppwait_done(p);

	error = elf_load(vm, imgp);
	if (error == 0) {
		vm->vm_daddr = (caddr_t)imgp->brk;
		vm->vm_dsize = 0;
		error = exec_setup_stack(vm, imgp, args, &sp);
	}
	tmpfs_node_rele(imgp->node);
	if (error) {
		kprintf("pid %d (%s): cannot load %s, error %d\n", p->p_pid,
		    p->p_comm, args->path, error);
		kfree(imgp, M_EXEC);
		exec_args_free(args);
		objcache_put(namei_oc, args->path);
		exit1(W_EXITCODE(0, SIGKILL));
	}
	name = strrchr(args->path, '/');
	name = name != NULL ? name + 1 : args->path;
	strlcpy(p->p_comm, name, sizeof(p->p_comm));
	lwkt_set_comm(p->p_thread, "%s", name);
	pargs_set(p, args);
	execsigs(p);
	fdcloseexec(p);
	cpu_reset_user(p->p_thread);
	cpu_set_user_start(proc_regs(p), imgp->entry, sp);
	kfree(imgp, M_EXEC);
	return (EJUSTRETURN);
}

int
sys_execve(struct proc *p, const register_t *a, register_t *res)
{
	struct exec_args args;
	int error;

	args.path = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr((const void *)a[0], args.path, MAXPATHLEN, NULL);
	if (error == 0) {
		error = exec_args_init(&args);
	}
	if (error == 0) {
		error = exec_args_copyin(&args, a[1], &args.argc);
		if (error == 0)
			error = exec_args_copyin(&args, a[2], &args.envc);
		if (error == 0)
			error = kern_execve(p, &args);
		exec_args_free(&args);
	}
	objcache_put(namei_oc, args.path);
	return (error);
}
