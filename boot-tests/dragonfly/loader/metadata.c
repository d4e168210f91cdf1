/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a DragonFly kernel wants to be told by its loader.
 *
 * Sizes of addresses and lengths are eight bytes, of flags four.  The memory
 * map is an array of packed E820 entries, whose total size the kernel reads
 * from the record's header.  The kernel adds kernbase itself to the addresses
 * of modules and symbols, so all of them are physical.
 */
#include "loader.h"

enum {
	MODINFO_NAME = 1,
	MODINFO_TYPE = 2,
	MODINFO_ADDR = 3,
	MODINFO_SIZE = 4,
	MODINFO_METADATA = 0x8000,
	MODINFOMD_SSYM = MODINFO_METADATA | 3,
	MODINFOMD_ESYM = MODINFO_METADATA | 4,
	MODINFOMD_ENVP = MODINFO_METADATA | 6,
	MODINFOMD_HOWTO = MODINFO_METADATA | 7,
	MODINFOMD_KERNEND = MODINFO_METADATA | 8,
	MODINFOMD_SMAP = MODINFO_METADATA | 0x1001
};

#define	HEADER_SIZE	(2 * sizeof(uint32_t))
#define	SMAP_SIZE	20
#define	SMAP_MAX	64

static void
put_bytes(uint8_t *to, const void *from, size_t size)
{
	const uint8_t *p = from;

	while (size-- != 0)
		*to++ = *p++;
}

void
metadata_add(struct metadata *m, uint32_t type, const void *data, size_t size)
{
	uint32_t header[2] = { type, (uint32_t)size };
	size_t padded = (size + 7) & ~(size_t)7;
	uint8_t *at = m->base + m->used;

	if (m->full || padded < size ||
	    m->size - m->used < HEADER_SIZE + padded) {
		m->full = true;
		return;
	}
	put_bytes(at, header, sizeof(header));
	put_bytes(at + HEADER_SIZE, data, size);
	for (size_t i = size; i < padded; ++i)
		at[HEADER_SIZE + i] = 0;
	m->used += HEADER_SIZE + padded;
}

static void
add_string(struct metadata *m, uint32_t type, const char *s)
{
	size_t size = 1;

	while (s[size - 1] != '\0')
		++size;
	metadata_add(m, type, s, size);
}

static void
add_number(struct metadata *m, uint32_t type, uint64_t value)
{
	metadata_add(m, type, &value, sizeof(value));
}

static void
add_module(struct metadata *m, const char *name, const char *type,
    uint64_t addr, uint64_t size)
{
	add_string(m, MODINFO_NAME, name);
	add_string(m, MODINFO_TYPE, type);
	add_number(m, MODINFO_ADDR, addr);
	add_number(m, MODINFO_SIZE, size);
}

static void
add_memory(struct metadata *m, const struct memory_range *ranges, size_t n)
{
	uint8_t smap[SMAP_MAX * SMAP_SIZE];

	if (n > SMAP_MAX) {
		m->full = true;
		return;
	}
	for (size_t i = 0; i < n; ++i)
		put_bytes(smap + i * SMAP_SIZE, &ranges[i], SMAP_SIZE);
	metadata_add(m, MODINFOMD_SMAP, smap, n * SMAP_SIZE);
}

bool
metadata_build(struct metadata *m, const struct handover *h, uint64_t env,
    const struct memory_range *ranges, size_t nranges)
{
	add_module(m, "/boot/kernel/kernel", "elf kernel", h->kernel_addr,
	    h->kernel_size);
	metadata_add(m, MODINFOMD_HOWTO, &h->howto, sizeof(h->howto));
	add_number(m, MODINFOMD_ENVP, env);
	add_number(m, MODINFOMD_KERNEND, h->scratch + h->scratch_size);
	if (h->symbols != 0) {
		add_number(m, MODINFOMD_SSYM, h->symbols);
		add_number(m, MODINFOMD_ESYM, h->symbols_end);
	}
	add_memory(m, ranges, nranges);
	add_module(m, "/boot/root", "md_image", h->root, h->root_size);
	metadata_add(m, 0, NULL, 0);
	return !m->full;
}
