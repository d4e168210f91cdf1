/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Running a program: a new address space with image, stack and arguments.
 *
 * The stack starts as the x86-64 ABI wants it, from low to high addresses:
 * argument count, argument pointers, NULL, environment pointers, NULL,
 * auxiliary vector; above them the strings.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/imgact.h>
#include <sys/initrd.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/proc.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>
#include <vm/vm_extern.h>

#include <machine/elf.h>
#include <machine/md_var.h>

static MALLOC_DEFINE(M_EXEC, "exec", "argument vectors");

#define	RANDOM_BYTES	16		/* AT_RANDOM */
#define	NAUX		12		/* auxiliary entries, at most */

struct stack_image {
	uint64_t	*words;		/* being built, in kernel memory */
	int		nwords;
	vm_offset_t	strings;	/* next string, user address */
};

static int
count_strings(char *const *v)
{
	int n;

	for (n = 0; v[n] != NULL; ++n)
		;
	return (n);
}

/*
 * Copy the strings of v out and note their addresses, and a NULL.
 */
static int
put_strings(struct stack_image *si, char *const *v)
{
	size_t len;
	int error, i;

	for (i = 0; v[i] != NULL; ++i) {
		len = strlen(v[i]) + 1;
		error = copyout(v[i], (void *)si->strings, len);
		if (error)
			return (error);
		si->words[si->nwords++] = si->strings;
		si->strings += len;
	}
	si->words[si->nwords++] = 0;
	return (0);
}

static void
put_aux(struct stack_image *si, uint64_t type, uint64_t val)
{
	si->words[si->nwords++] = type;
	si->words[si->nwords++] = val;
}

static size_t
strings_size(char *const *v)
{
	size_t n = 0;
	int i;

	for (i = 0; v[i] != NULL; ++i)
		n += strlen(v[i]) + 1;
	return (n);
}

/*
 * Build the initial stack; *spp becomes the stack pointer.
 */
static int
exec_setup_stack(struct vmspace *vm, const struct image_params *imgp,
    char *const *argv, char *const *envv, vm_offset_t *spp)
{
	vm_offset_t stack = USRSTACK - DFLSSIZ, sp;
	uint64_t seed[RANDOM_BYTES / 8];
	struct stack_image si;
	size_t nstr, nptr;
	int error;

	error = kern_mmap_anon(vm, &stack, DFLSSIZ, VM_PROT_RW, TRUE);
	if (error)
		return (error);
	vm->vm_maxsaddr = (caddr_t)stack;
	vm->vm_ssize = btoc(DFLSSIZ);

	nstr = strings_size(argv) + strings_size(envv);
	nptr = 1 + count_strings(argv) + 1 + count_strings(envv) + 1 + 2 * NAUX;
	if (nstr + nptr * sizeof(uint64_t) > NCARGS)
		return (E2BIG);

	seed[0] = krandom();
	seed[1] = krandom();
	sp = USRSTACK - RANDOM_BYTES;
	error = copyout(seed, (void *)sp, RANDOM_BYTES);
	if (error)
		return (error);

	si.words = kmalloc(nptr * sizeof(uint64_t), M_EXEC, M_WAITOK);
	si.nwords = 0;
	si.strings = sp - nstr;
	sp = rounddown2(si.strings - nptr * sizeof(uint64_t), 16);
	si.words[si.nwords++] = count_strings(argv);
	error = put_strings(&si, argv);
	if (error == 0)
		error = put_strings(&si, envv);
	if (error == 0) {
		put_aux(&si, AT_PHDR, imgp->phdr);
		put_aux(&si, AT_PHENT, sizeof(Elf64_Phdr));
		put_aux(&si, AT_PHNUM, imgp->phnum);
		put_aux(&si, AT_PAGESZ, PAGE_SIZE);
		put_aux(&si, AT_ENTRY, imgp->entry);
		put_aux(&si, AT_UID, 0);
		put_aux(&si, AT_EUID, 0);
		put_aux(&si, AT_GID, 0);
		put_aux(&si, AT_EGID, 0);
		put_aux(&si, AT_SECURE, 0);
		put_aux(&si, AT_RANDOM, USRSTACK - RANDOM_BYTES);
		put_aux(&si, AT_NULL, 0);
		KKASSERT((size_t)si.nwords == nptr);
		error = copyout(si.words, (void *)sp,
		    nptr * sizeof(uint64_t));
	}
	kfree(si.words, M_EXEC);
	*spp = sp;
	return (error);
}

/*
 * Replace what the current process p runs; returns only on failure.  After
 * the old address space is gone a failure is still reported, and the process
 * must then end.
 */
int
kern_execve(struct proc *p, const char *path, char *const *argv,
    char *const *envv)
{
	struct image_params img;
	struct initrd_file file;
	struct vmspace *vm, *ovm;
	const char *name;
	vm_offset_t sp;
	int error;

	error = initrd_lookup(path, &file);
	if (error)
		return (error);
	if ((file.mode & S_IFMT) != S_IFREG)
		return (EACCES);
	error = elf_check(&file);
	if (error)
		return (error);

	vm = vmspace_alloc(PAGE_SIZE, VM_MAX_USER_ADDRESS);
	ovm = p->p_vmspace;
	pmap_replacevm(p, vm, 0);
	if (ovm != NULL)
		vmspace_rel(ovm);

	error = elf_load(&file, vm, &img);
	if (error)
		return (error);
	vm->vm_daddr = (caddr_t)img.brk;
	vm->vm_dsize = 0;
	error = exec_setup_stack(vm, &img, argv, envv, &sp);
	if (error)
		return (error);

	name = strrchr(path, '/');
	name = name != NULL ? name + 1 : path;
	strlcpy(p->p_comm, name, sizeof(p->p_comm));
	lwkt_set_comm(p->p_thread, "%s", name);
	cpu_reset_user(p->p_thread);
	cpu_user_enter(img.entry, sp);
}
