/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A loader for DragonFly kernels under QEMU.
 *
 * The host has done what needs no machine: boot-tests/dragonfly/image.py read
 * the kernel's ELF file and QEMU put its bytes, its symbols and the root file
 * system where they belong.  What is left is what only the machine knows (its
 * memory) and what must happen on it: build page tables, tell the kernel in
 * the form it expects what was loaded, and enter it in long mode.
 *
 * Everything lies in one run of physical memory:
 *
 *	kernel  symbols  root  scratch
 *	^kernel_addr           ^scratch ... ^scratch + scratch_size
 *
 * The environment and the metadata are built in the scratch area.  Its end is
 * given to the kernel as the end of what it must not hand out as free memory.
 * The loader itself and its page tables lie below the kernel, where nobody
 * needs them once the kernel has page tables of its own.
 */
#ifndef _LOADER_H_
#define _LOADER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define	HANDOVER_MAGIC	0x594c4644424f4d4bULL	/* "KMOBDFLY" */

/*
 * What the host found out, the same struct as image.py packs.  Addresses are
 * physical, but for `entry' and `kernbase', where the kernel was linked.
 */
struct handover {
	uint64_t	magic;
	uint64_t	entry;
	uint64_t	kernbase;
	uint64_t	kernel_addr;
	uint64_t	kernel_size;
	uint64_t	symbols;	/* 0: none */
	uint64_t	symbols_end;
	uint64_t	root;
	uint64_t	root_size;
	uint64_t	scratch;
	uint64_t	scratch_size;
	uint32_t	howto;
	uint32_t	env_size;	/* bytes that follow: strings, the last empty */
};

/* A range of the machine's memory, as PVH reports it and E820 numbers it. */
struct memory_range {
	uint64_t	addr;
	uint64_t	size;
	uint32_t	type;
	uint32_t	reserved;
};

/*
 * Metadata: records of a type, a size, and data padded to eight bytes, which
 * the kernel walks until a record of type and size zero.  Adding to a full
 * buffer leaves it as it is and sets `full'.
 */
struct metadata {
	uint8_t		*base;
	size_t		size;
	size_t		used;
	bool		full;
};

void	metadata_add(struct metadata *, uint32_t type, const void *data,
	    size_t size);

/*
 * All records of a boot: the kernel, with the environment at the physical
 * address `env', the machine's memory and the end of what was loaded, and
 * the root file system.  False if the buffer is too small.
 */
bool	metadata_build(struct metadata *, const struct handover *,
	    uint64_t env, const struct memory_range *, size_t nranges);

/*
 * Page tables: the first gigabyte of physical memory at address zero and at
 * `kernbase', in pages of 2 MiB, writable and executable.  `tables' holds
 * PAGETABLE_COUNT pages at the physical address `addr', the root first.
 * False if kernbase is not the start of a gigabyte in the upper half.
 */
#define	PAGETABLE_COUNT		4
#define	PAGETABLE_ENTRIES	512
#define	PAGETABLE_MAPPED	(1ULL << 30)

bool	pagetable_build(uint64_t (*tables)[PAGETABLE_ENTRIES], uint64_t addr,
	    uint64_t kernbase);

#endif /* !_LOADER_H_ */
