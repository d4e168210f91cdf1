/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The page tables the kernel is entered with.  One page directory is enough:
 * the kernel and what came with it lie in the first gigabyte, and both places
 * where it is to be seen show the same memory.
 */
#include "loader.h"

#define	PG_V		0x001
#define	PG_RW		0x002
#define	PG_PS		0x080
#define	LARGE_PAGE	(2ULL << 20)

enum { PML4, LOW_PDP, KERNEL_PDP, PD };

bool
pagetable_build(uint64_t (*tables)[PAGETABLE_ENTRIES], uint64_t addr,
    uint64_t kernbase)
{
	size_t pml4_index = kernbase >> 39 & (PAGETABLE_ENTRIES - 1);
	size_t pdp_index = kernbase >> 30 & (PAGETABLE_ENTRIES - 1);

	if (kernbase % PAGETABLE_MAPPED != 0 || kernbase >> 47 != 0x1ffff)
		return false;
	for (size_t t = 0; t < PAGETABLE_COUNT; ++t)
		for (size_t i = 0; i < PAGETABLE_ENTRIES; ++i)
			tables[t][i] = 0;
	tables[PML4][0] = (addr + LOW_PDP * 4096) | PG_V | PG_RW;
	tables[PML4][pml4_index] = (addr + KERNEL_PDP * 4096) | PG_V | PG_RW;
	tables[LOW_PDP][0] = (addr + PD * 4096) | PG_V | PG_RW;
	tables[KERNEL_PDP][pdp_index] = (addr + PD * 4096) | PG_V | PG_RW;
	for (size_t i = 0; i < PAGETABLE_ENTRIES; ++i)
		tables[PD][i] = i * LARGE_PAGE | PG_V | PG_RW | PG_PS;
	return true;
}
