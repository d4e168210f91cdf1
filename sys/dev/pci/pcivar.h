/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI devices, by configuration mechanism 1.
 */
#ifndef _PCIVAR_H_
#define	_PCIVAR_H_

#include <sys/types.h>

struct pci_dev {
	int		bus;
	int		slot;
	int		func;
	uint16_t	vendor;
	uint16_t	device;
};

#define	PCIR_COMMAND	0x04
#define	PCIM_CMD_IO	0x0001
#define	PCIM_CMD_BUSMASTER 0x0004
#define	PCIR_HDRTYPE	0x0e
#define	PCIM_MFDEV	0x80
#define	PCIR_BAR(n)	(0x10 + (n) * 4)
#define	PCIM_BAR_IO	0x1
#define	PCIM_BAR_IO_BASE 0xfffffffcU
#define	PCIR_SUBDEV	0x2e
#define	PCIR_INTLINE	0x3c

/* width in bytes: 1, 2 or 4; reg a multiple of it */
uint32_t pci_read_config(const struct pci_dev *, int reg, int width);
void	pci_write_config(const struct pci_dev *, int reg, uint32_t, int width);

/* Call func for each function of each device, in order of address. */
void	pci_foreach(void (*func)(const struct pci_dev *));

#endif
