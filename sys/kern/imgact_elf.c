/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF images: static x86-64 executables.
 *
 * Each segment is a private mapping of the file: its pages are the file's
 * until they are written to, and common to all processes that run it.  What
 * a segment has in memory only is anonymous.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/imgact.h>
#include <vfs/tmpfs/tmpfs.h>

#include <vm/vm.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_param.h>
#include <vm/vm_extern.h>

#include <machine/elf.h>

static const Elf64_Phdr *
elf_phdrs(const struct image_params *imgp)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)imgp->header;

	return ((const Elf64_Phdr *)(imgp->header + eh->e_phoff));
}

static boolean_t
elf_segment_ok(const struct image_params *imgp, const Elf64_Phdr *ph)
{
	size_t size = imgp->node->tn_size;

	return (ph->p_filesz <= size && ph->p_offset <= size - ph->p_filesz &&
	    ph->p_filesz <= ph->p_memsz &&
	    ((ph->p_vaddr - ph->p_offset) & PAGE_MASK) == 0 &&
	    ph->p_vaddr >= PAGE_SIZE && ph->p_vaddr < VM_MAX_USER_ADDRESS &&
	    ph->p_memsz < VM_MAX_USER_ADDRESS - ph->p_vaddr);
}

int
elf_check(const struct image_params *imgp)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)imgp->header;
	const Elf64_Phdr *ph;
	int i, loads = 0;

	if (imgp->header_size < sizeof(*eh) ||
	    memcmp(eh->e_ident, ELFMAG, 4) != 0 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_machine != EM_X86_64 || eh->e_type != ET_EXEC ||
	    eh->e_entry >= VM_MAX_USER_ADDRESS ||
	    eh->e_phentsize != sizeof(*ph) ||
	    eh->e_phoff > imgp->header_size || eh->e_phoff % 8 != 0 ||
	    eh->e_phnum > (imgp->header_size - eh->e_phoff) / sizeof(*ph))
		return (ENOEXEC);
	ph = elf_phdrs(imgp);
	for (i = 0; i < eh->e_phnum; ++i) {
		if (ph[i].p_type == PT_INTERP)
			return (ENOEXEC);
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!elf_segment_ok(imgp, &ph[i]))
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

static int
elf_load_segment(struct vmspace *vm, const struct image_params *imgp,
    const Elf64_Phdr *ph)
{
	vm_offset_t start = trunc_page(ph->p_vaddr);
	vm_offset_t data_end = ph->p_vaddr + ph->p_filesz;
	vm_offset_t file_end = round_page(data_end);
	vm_offset_t end = round_page(ph->p_vaddr + ph->p_memsz);
	vm_prot_t prot = elf_prot(ph);
	int error = 0;

	if (ph->p_filesz == 0)
		file_end = start;
	if (file_end > start) {
		error = kern_mmap(vm, &start, file_end - start, prot, TRUE,
		    tmpfs_object(imgp->node), trunc_page(ph->p_offset),
		    COWF_COPY_ON_WRITE);
		if (error == 0 && ph->p_memsz > ph->p_filesz &&
		    (prot & VM_PROT_WRITE) && file_end > data_end)
			error = zero_user((void *)data_end,
			    file_end - data_end);
	}
	if (error == 0 && end > file_end)
		error = kern_mmap_anon(vm, &file_end, end - file_end, prot,
		    TRUE);
	return (error);
}

int
elf_load(struct vmspace *vm, struct image_params *imgp)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)imgp->header;
	const Elf64_Phdr *ph = elf_phdrs(imgp);
	int error, i;

	imgp->phdr = 0;
	imgp->phnum = eh->e_phnum;
	imgp->entry = eh->e_entry;
	imgp->brk = 0;
	for (i = 0; i < eh->e_phnum; ++i, ++ph) {
		if (ph->p_type != PT_LOAD)
			continue;
		error = elf_load_segment(vm, imgp, ph);
		if (error)
			return (error);
		imgp->brk = MAX(imgp->brk,
		    round_page(ph->p_vaddr + ph->p_memsz));
		if (eh->e_phoff >= ph->p_offset &&
		    eh->e_phoff < ph->p_offset + ph->p_filesz)
			imgp->phdr = ph->p_vaddr + eh->e_phoff - ph->p_offset;
	}
	return (0);
}
