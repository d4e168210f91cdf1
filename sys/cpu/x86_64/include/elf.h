/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF, the 64-bit variety this processor runs.
 */
#ifndef _CPU_ELF_H_
#define	_CPU_ELF_H_

#include <sys/types.h>

typedef struct {
	uint8_t		e_ident[16];
	uint16_t	e_type;
	uint16_t	e_machine;
	uint32_t	e_version;
	uint64_t	e_entry;
	uint64_t	e_phoff;
	uint64_t	e_shoff;
	uint32_t	e_flags;
	uint16_t	e_ehsize;
	uint16_t	e_phentsize;
	uint16_t	e_phnum;
	uint16_t	e_shentsize;
	uint16_t	e_shnum;
	uint16_t	e_shstrndx;
} Elf64_Ehdr;

typedef struct {
	uint32_t	p_type;
	uint32_t	p_flags;
	uint64_t	p_offset;
	uint64_t	p_vaddr;
	uint64_t	p_paddr;
	uint64_t	p_filesz;
	uint64_t	p_memsz;
	uint64_t	p_align;
} Elf64_Phdr;

typedef struct {
	uint64_t	a_type;
	uint64_t	a_val;
} Elf64_Auxinfo;

#define	ELFMAG		"\177ELF"
#define	EI_CLASS	4
#define	EI_DATA		5
#define	ELFCLASS64	2
#define	ELFDATA2LSB	1
#define	ET_EXEC		2
#define	EM_X86_64	62

#define	PT_LOAD		1
#define	PT_INTERP	3
#define	PF_X		1
#define	PF_W		2
#define	PF_R		4

#define	AT_NULL		0
#define	AT_PHDR		3
#define	AT_PHENT	4
#define	AT_PHNUM	5
#define	AT_PAGESZ	6
#define	AT_ENTRY	9
#define	AT_UID		11
#define	AT_EUID		12
#define	AT_GID		13
#define	AT_EGID		14
#define	AT_CLKTCK	17
#define	AT_CLKTCK	17
#define	AT_SECURE	23
#define	AT_RANDOM	25

#endif
