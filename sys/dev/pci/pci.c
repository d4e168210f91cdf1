/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration space and enumeration.
 *
 * Firmware has assigned addresses and interrupt lines; we only read them.
 * pci_spin protects the pair of address and data ports.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/spinlock2.h>

#include <dev/pci/pcivar.h>

#define	CONF1_ADDR	0xcf8
#define	CONF1_DATA	0xcfc
#define	CONF1_ENABLE	0x80000000U

#define	PCI_BUSMAX	255
#define	PCI_SLOTMAX	31
#define	PCI_FUNCMAX	7

static struct spinlock pci_spin = SPINLOCK_INITIALIZER(&pci_spin, "pci");

static int
pci_select(const struct pci_dev *dev, int reg)
{
	outl(CONF1_ADDR, CONF1_ENABLE | dev->bus << 16 | dev->slot << 11 |
	    dev->func << 8 | (reg & ~3));
	return (CONF1_DATA + (reg & 3));
}

uint32_t
pci_read_config(const struct pci_dev *dev, int reg, int width)
{
	uint32_t v;
	int port;

	spin_lock(&pci_spin);
	port = pci_select(dev, reg);
	v = width == 1 ? inb(port) : width == 2 ? inw(port) : inl(port);
	spin_unlock(&pci_spin);
	return (v);
}

void
pci_write_config(const struct pci_dev *dev, int reg, uint32_t v, int width)
{
	int port;

	spin_lock(&pci_spin);
	port = pci_select(dev, reg);
	if (width == 1)
		outb(port, v);
	else if (width == 2)
		outw(port, v);
	else
		outl(port, v);
	spin_unlock(&pci_spin);
}

void
pci_foreach(void (*func)(const struct pci_dev *))
{
	struct pci_dev dev;
	uint32_t id;
	int nfunc;

	for (dev.bus = 0; dev.bus <= PCI_BUSMAX; ++dev.bus) {
		for (dev.slot = 0; dev.slot <= PCI_SLOTMAX; ++dev.slot) {
			nfunc = 1;
			for (dev.func = 0; dev.func < nfunc; ++dev.func) {
				id = pci_read_config(&dev, 0, 4);
				if ((id & 0xffff) == 0xffff)
					continue;
				if (dev.func == 0 && (pci_read_config(&dev,
				    PCIR_HDRTYPE, 1) & PCIM_MFDEV))
					nfunc = PCI_FUNCMAX + 1;
				dev.vendor = id & 0xffff;
				dev.device = id >> 16;
				func(&dev);
			}
		}
	}
}
