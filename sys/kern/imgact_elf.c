/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF images: static x86-64 executables.
 *
 * The whole range the segments span is mapped as anonymous memory, the
 * contents copied in, and each segment's protection set then; file pages are
 * ordinary swappable memory from there on.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/imgact.h>
#include <sys/initrd.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>

#include <machine/elf.h>

static const Elf64_Phdr *
elf_phdrs(const struct initrd_file *file)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file->data;

	return ((const Elf64_Phdr *)(file->data + eh->e_phoff));
}

static boolean_t
elf_segment_ok(const struct initrd_file *file, const Elf64_Phdr *ph)
{
	return (ph->p_filesz <= file->size &&
	    ph->p_offset <= file->size - ph->p_filesz &&
	    ph->p_filesz <= ph->p_memsz &&
	    ph->p_vaddr >= PAGE_SIZE && ph->p_vaddr < VM_MAX_USER_ADDRESS &&
	    ph->p_memsz < VM_MAX_USER_ADDRESS - ph->p_vaddr);
}

int
elf_check(const struct initrd_file *file)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file->data;
	const Elf64_Phdr *ph;
	int i, loads = 0;

	if (file->size < sizeof(*eh) ||
	    memcmp(eh->e_ident, ELFMAG, 4) != 0 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_X86_64 || eh->e_type != ET_EXEC ||
	    eh->e_entry >= VM_MAX_USER_ADDRESS ||
	    eh->e_phentsize != sizeof(*ph) || eh->e_phoff > file->size ||
	    eh->e_phnum > (file->size - eh->e_phoff) / sizeof(*ph))
		return (ENOEXEC);
	ph = elf_phdrs(file);
	for (i = 0; i < eh->e_phnum; ++i) {
		if (ph[i].p_type == PT_INTERP)
			return (ENOEXEC);
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!elf_segment_ok(file, &ph[i]))
			return (ENOEXEC);
		++loads;
	}
	return (loads != 0 ? 0 : ENOEXEC);
}

static vm_prot_t
elf_prot(const Elf64_Phdr *ph)
{
	vm_prot_t prot = VM_PROT_NONE;

	if (ph->p_flags & PF_R)
		prot |= VM_PROT_READ;
	if (ph->p_flags & PF_W)
		prot |= VM_PROT_WRITE;
	if (ph->p_flags & PF_X)
		prot |= VM_PROT_EXECUTE;
	return (prot);
}

int
elf_load(const struct initrd_file *file, struct vmspace *vm,
    struct image_params *imgp)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)file->data;
	const Elf64_Phdr *ph = elf_phdrs(file);
	vm_offset_t lo = VM_MAX_USER_ADDRESS, hi = 0;
	int error, i;

	imgp->phdr = 0;
	imgp->phnum = eh->e_phnum;
	imgp->entry = eh->e_entry;
	for (i = 0; i < eh->e_phnum; ++i) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		lo = MIN(lo, trunc_page(ph[i].p_vaddr));
		hi = MAX(hi, round_page(ph[i].p_vaddr + ph[i].p_memsz));
		if (eh->e_phoff >= ph[i].p_offset &&
		    eh->e_phoff < ph[i].p_offset + ph[i].p_filesz)
			imgp->phdr = ph[i].p_vaddr + eh->e_phoff -
			    ph[i].p_offset;
	}
	imgp->brk = hi;
	error = kern_mmap_anon(vm, &lo, hi - lo, VM_PROT_RW, TRUE);
	if (error)
		return (error);
	for (i = 0; i < eh->e_phnum && error == 0; ++i) {
		if (ph[i].p_type == PT_LOAD)
			error = copyout(file->data + ph[i].p_offset,
			    (void *)ph[i].p_vaddr, ph[i].p_filesz);
	}
	for (i = 0; i < eh->e_phnum && error == 0; ++i) {
		if (ph[i].p_type == PT_LOAD)
			error = kern_mprotect(vm, trunc_page(ph[i].p_vaddr),
			    round_page(ph[i].p_vaddr + ph[i].p_memsz) -
			    trunc_page(ph[i].p_vaddr), elf_prot(&ph[i]));
	}
	return (error);
}
