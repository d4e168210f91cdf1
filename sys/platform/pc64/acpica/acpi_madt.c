/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processors, from ACPI's multiple APIC description table.
 *
 * The root pointer leads to the root table, that to all others; the one
 * signed "APIC" lists local APICs, one for each processor.  All are read
 * through the direct map, as locore.S left it (4 GB), and are checked before
 * they are believed.
 */
#include <sys/param.h>
#include <sys/systm.h>

#include <machine/lapic.h>
#include <machine/vmparam.h>

#define	ACPI_BIOS_START	0xe0000UL
#define	ACPI_BIOS_END	0x100000UL
#define	ACPI_TABLE_MAX	(4UL << 30)

struct acpi_rsdp {
	char		signature[8];		/* "RSD PTR " */
	uint8_t		checksum;
	char		oemid[6];
	uint8_t		revision;
	uint32_t	rsdt;
} __packed;

struct acpi_header {
	char		signature[4];
	uint32_t	length;			/* bytes, with this */
	uint8_t		revision;
	uint8_t		checksum;
	char		oem[14];
	uint32_t	oem_revision;
	char		creator[4];
	uint32_t	creator_revision;
} __packed;

struct acpi_madt {
	struct acpi_header hdr;
	uint32_t	lapic;
	uint32_t	flags;
} __packed;

struct acpi_madt_entry {
	uint8_t		type;
	uint8_t		length;
	uint8_t		procid;			/* MADT_LAPIC */
	uint8_t		apicid;
	uint32_t	flags;
} __packed;

#define	MADT_LAPIC		0
#define	MADT_LAPIC_ENABLED	0x1

static boolean_t
acpi_sum_ok(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *b++;
	return (sum == 0);
}

static boolean_t
rsdp_ok(const struct acpi_rsdp *rsdp)
{
	return (bcmp(rsdp->signature, "RSD PTR ", 8) == 0 &&
	    acpi_sum_ok(rsdp, sizeof(*rsdp)));
}

/*
 * The loader's root pointer, or the one found where the firmware puts it.
 */
static const struct acpi_rsdp *
rsdp_find(vm_paddr_t pa)
{
	const struct acpi_rsdp *rsdp;

	if (pa != 0 && pa < ACPI_TABLE_MAX) {
		rsdp = (const void *)PHYS_TO_DMAP(pa);
		if (rsdp_ok(rsdp))
			return (rsdp);
	}
	for (pa = ACPI_BIOS_START; pa < ACPI_BIOS_END; pa += 16) {
		rsdp = (const void *)PHYS_TO_DMAP(pa);
		if (rsdp_ok(rsdp))
			return (rsdp);
	}
	return (NULL);
}

static const struct acpi_header *
table_at(uint32_t pa)
{
	const struct acpi_header *h = (const void *)PHYS_TO_DMAP(pa);

	if (pa == 0 || h->length < sizeof(*h) || !acpi_sum_ok(h, h->length))
		return (NULL);
	return (h);
}

static const struct acpi_madt *
madt_find(const struct acpi_rsdp *rsdp)
{
	const struct acpi_header *rsdt, *h;
	const uint32_t *entry;
	u_int i, n;

	if ((rsdt = table_at(rsdp->rsdt)) == NULL)
		return (NULL);
	entry = (const uint32_t *)(rsdt + 1);
	n = (rsdt->length - sizeof(*rsdt)) / sizeof(*entry);
	for (i = 0; i < n; ++i) {
		h = table_at(entry[i]);
		if (h != NULL && bcmp(h->signature, "APIC", 4) == 0 &&
		    h->length >= sizeof(struct acpi_madt))
			return ((const struct acpi_madt *)h);
	}
	return (NULL);
}

int
madt_probe(vm_paddr_t rsdp_pa, u_char *apicids, int max, vm_paddr_t *lapic)
{
	const struct acpi_rsdp *rsdp = rsdp_find(rsdp_pa);
	const struct acpi_madt_entry *e;
	const struct acpi_madt *madt;
	const char *p, *end;
	int n = 0;

	if (rsdp == NULL || (madt = madt_find(rsdp)) == NULL)
		return (0);
	*lapic = madt->lapic;
	end = (const char *)madt + madt->hdr.length;
	for (p = (const char *)(madt + 1); p + 2 <= end; p += e->length) {
		e = (const struct acpi_madt_entry *)p;
		if (e->length < 2 || p + e->length > end)
			break;
		if (e->type != MADT_LAPIC || e->length < sizeof(*e) ||
		    (e->flags & MADT_LAPIC_ENABLED) == 0)
			continue;
		if (n == max) {
			kprintf("smp: more than %d processors, the rest is "
			    "ignored\n", max);
			break;
		}
		apicids[n++] = e->apicid;
	}
	return (n);
}
