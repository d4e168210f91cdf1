/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From QEMU's entry to the kernel's.  QEMU enters with paging off and, as PVH
 * has it, with the address of a start information that tells where the
 * handover (our one module) and the memory map are.
 */
#include "loader.h"

#define	START_MAGIC	0x336ec578
#define	COM1		0x3f8
#define	COM_LSR		(COM1 + 5)
#define	LSR_TXRDY	0x20
#define	DEBUG_EXIT	0xf4
#define	EXIT_FAIL	0x2b		/* see outcome.py */

struct start_info {
	uint32_t	magic;
	uint32_t	version;
	uint32_t	flags;
	uint32_t	nmodules;
	uint64_t	modules;
	uint64_t	cmdline;
	uint64_t	rsdp;
	uint64_t	ranges;
	uint32_t	nranges;
	uint32_t	reserved;
};

struct module {
	uint64_t	addr;
	uint64_t	size;
	uint64_t	cmdline;
	uint64_t	reserved;
};

/* start.S: turn on paging and long mode, and jump; never comes back. */
_Noreturn void	enter_kernel(uint32_t root_table, uint32_t metadata,
		    uint32_t kernel_end, uint64_t entry);
_Noreturn void	loader_main(const struct start_info *);

static uint64_t tables[PAGETABLE_COUNT][PAGETABLE_ENTRIES]
    __attribute__((__aligned__(4096)));

static inline uint8_t
inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void
outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
print(const char *s)
{
	for (; *s != '\0'; ++s) {
		while ((inb(COM_LSR) & LSR_TXRDY) == 0)
			;
		outb(COM1, (uint8_t)*s);
	}
}

static _Noreturn void
fail(const char *why)
{
	print("KMOBJ: FAIL loader: ");
	print(why);
	print("\n");
	outb(DEBUG_EXIT, EXIT_FAIL);
	for (;;)
		__asm__ volatile("hlt");
}

static const void *
pointer(uint64_t addr)
{
	return (const void *)(uintptr_t)addr;
}

void
loader_main(const struct start_info *si)
{
	const struct module *module;
	const struct handover *h;
	struct metadata m = { 0 };
	const uint8_t *strings;
	uint8_t *env;

	if (si->magic != START_MAGIC || si->version < 1 || si->nranges == 0)
		fail("entered without a memory map; expected QEMU's PVH entry");
	if (si->nmodules != 1)
		fail("no handover: expected it as QEMU's -initrd");
	module = pointer(si->modules);
	h = pointer(module->addr);
	if (module->size < sizeof(*h) || h->magic != HANDOVER_MAGIC ||
	    h->env_size > module->size - sizeof(*h) ||
	    h->env_size > h->scratch_size)
		fail("the handover is not one this loader knows; build the "
		    "loader and boot-tests from the same source");
	if (h->scratch + h->scratch_size > PAGETABLE_MAPPED)
		fail("kernel and root end above 1 GiB");

	strings = (const uint8_t *)(h + 1);
	env = (uint8_t *)(uintptr_t)h->scratch;
	for (uint32_t i = 0; i < h->env_size; ++i)
		env[i] = strings[i];
	m.base = env + ((h->env_size + 7) & ~7U);
	m.size = (size_t)h->scratch_size - (size_t)(m.base - env);
	if (!metadata_build(&m, h, h->scratch, pointer(si->ranges),
	    si->nranges))
		fail("no room for the metadata");
	if (!pagetable_build(tables, (uintptr_t)tables, h->kernbase))
		fail("kernbase is not the start of a gigabyte");
	enter_kernel((uint32_t)(uintptr_t)tables, (uint32_t)(uintptr_t)m.base,
	    (uint32_t)(h->scratch + h->scratch_size), h->entry);
}
