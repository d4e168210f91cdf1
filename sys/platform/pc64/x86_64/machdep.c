/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the loader to mi_startup().
 *
 * locore.S calls hammer_time() on the boot stack, which thread0 keeps, with
 * the first 4 GB of physical memory mapped.  Here the start information is
 * digested (command line, RAM, initial ram disk), the direct map extended to
 * all RAM, descriptor tables loaded; then the machine-independent start-up
 * takes over and does not return.
 *
 * The first megabyte is left alone: firmware tables and the loader's start
 * information are there.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/proc.h>
#include <sys/globaldata.h>

#include <vm/vm.h>
#include <vm/pmap.h>

#include <machine/cpu.h>
#include <machine/md_var.h>
#include <machine/pmap.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <machine/specialreg.h>
#include <machine/vmparam.h>

#define	HVM_START_MAGIC	0x336ec578

struct hvm_start_info {
	uint32_t	magic;
	uint32_t	version;
	uint32_t	flags;
	uint32_t	nr_modules;
	uint64_t	modlist_paddr;
	uint64_t	cmdline_paddr;
	uint64_t	rsdp_paddr;
	uint64_t	memmap_paddr;
	uint32_t	memmap_entries;
	uint32_t	reserved;
};

struct hvm_modlist_entry {
	uint64_t	paddr;
	uint64_t	size;
	uint64_t	cmdline_paddr;
	uint64_t	reserved;
};

struct hvm_memmap_entry {
	uint64_t	addr;
	uint64_t	size;
	uint32_t	type;
	uint32_t	reserved;
};

#define	HVM_MEMMAP_RAM	1

#define	QEMU_EXIT_PORT	0xf4		/* the isa-debug-exit device */
#define	ACPI_PM1A_CNT	0x604
#define	ACPI_SLP_EN	0x2000		/* with sleep type 0: off */

#define	LOWMEM_END	0x100000UL
#define	BOOT_DMAP_END	(4UL << 30)	/* mapped by locore.S */

extern char kernel_start[], kernel_end[];
extern char boot_stack[], boot_stack_top[];
extern pml4_entry_t boot_pml4[];
extern pdp_entry_t boot_pdp[];
extern char Xvectors[], Xfast_syscall[];

vm_phystable_t phys_avail[PHYS_AVAIL_ENTRIES];
vm_paddr_t Maxmem;
long physmem;
vm_paddr_t initrd_start;
vm_paddr_t initrd_end;
vm_paddr_t acpi_rsdp_paddr;

struct globaldata CPU_prvspace[MAXCPU];
struct thread thread0;
struct proc proc0;

static uint64_t gdt[MAXCPU][NGDT];
static struct x86_64tss common_tss[MAXCPU];
static struct gate_descriptor idt[NIDT] __aligned(16);
static char dblfault_stack[MAXCPU][PAGE_SIZE] __aligned(16);

/*
 * Add [beg, end) to phys_avail[].
 */
static void
phys_avail_add(vm_paddr_t beg, vm_paddr_t end)
{
	int i;

	beg = round_page(beg);
	end = trunc_page(end);
	if (beg >= end)
		return;
	for (i = 0; phys_avail[i].phys_end != 0; ++i)
		;
	if (i + 1 >= PHYS_AVAIL_ENTRIES)
		return;
	phys_avail[i].phys_beg = beg;
	phys_avail[i].phys_end = end;
	physmem += atop(end - beg);
	Maxmem = MAX(Maxmem, atop(end));
}

/*
 * Add [beg, end) but for the n holes, which are sorted and disjoint.
 */
static void
phys_avail_add_but(vm_paddr_t beg, vm_paddr_t end,
    const vm_phystable_t *hole, int n)
{
	int i;

	for (i = 0; i < n && beg < end; ++i) {
		if (hole[i].phys_end <= beg || hole[i].phys_beg >= end)
			continue;
		phys_avail_add(beg, MIN(end, hole[i].phys_beg));
		beg = MAX(beg, hole[i].phys_end);
	}
	phys_avail_add(beg, end);
}

static void
getmemsize(const struct hvm_start_info *si)
{
	const struct hvm_memmap_entry *mm;
	const struct hvm_modlist_entry *mod;
	vm_phystable_t hole[3], tmp;
	vm_paddr_t beg, end;
	int n;
	uint32_t i;

	if (si->version < 1 || si->memmap_entries == 0)
		panic("the loader gave no memory map");

	n = 0;
	hole[n].phys_beg = 0;
	hole[n++].phys_end = LOWMEM_END;
	hole[n].phys_beg = (vm_paddr_t)kernel_start - KERNBASE;
	hole[n++].phys_end = round_page((vm_paddr_t)kernel_end - KERNBASE);
	if (si->nr_modules != 0) {
		mod = (const void *)PHYS_TO_DMAP(si->modlist_paddr);
		initrd_start = mod->paddr;
		initrd_end = mod->paddr + mod->size;
		hole[n].phys_beg = trunc_page(initrd_start);
		hole[n++].phys_end = round_page(initrd_end);
		if (hole[2].phys_beg < hole[1].phys_beg) {
			tmp = hole[1];
			hole[1] = hole[2];
			hole[2] = tmp;
		}
	}

	mm = (const void *)PHYS_TO_DMAP(si->memmap_paddr);
	for (i = 0; i < si->memmap_entries; ++i) {
		if (mm[i].type != HVM_MEMMAP_RAM)
			continue;
		beg = mm[i].addr;
		end = MIN(mm[i].addr + mm[i].size,
		    DMAP_MAX_ADDRESS - DMAP_MIN_ADDRESS);
		if (beg < end)
			phys_avail_add_but(beg, end, hole, n);
	}
	if (phys_avail[0].phys_end == 0)
		panic("the loader's memory map has no RAM above 1 MB");
}

/*
 * Page directories for RAM above 4 GB, taken from the first free memory.
 */
static void
dmap_extend(void)
{
	vm_paddr_t pa, pd;
	pd_entry_t *pde;
	int i;

	for (pa = BOOT_DMAP_END; pa < ptoa(Maxmem); pa += NPTEPG * NBPDR) {
		pd = phys_avail[0].phys_beg;
		phys_avail[0].phys_beg += PAGE_SIZE;
		if (phys_avail[0].phys_beg >= phys_avail[0].phys_end)
			panic("no room for the direct map");
		pde = (pd_entry_t *)PHYS_TO_DMAP(pd);
		for (i = 0; i < (int)NPTEPG; ++i)
			pde[i] = (pa + i * NBPDR) | X86_PG_PS | X86_PG_RW |
			    X86_PG_V;
		boot_pdp[pa >> PDPSHIFT] = pd | X86_PG_RW | X86_PG_V;
	}
}

static void
setidt(int vec, void *func, int type, int ist)
{
	uintptr_t a = (uintptr_t)func;

	idt[vec].gd_looffset = a;
	idt[vec].gd_selector = KCSEL;
	idt[vec].gd_ist = ist;
	idt[vec].gd_type = type;
	idt[vec].gd_midoffset = a >> 16;
	idt[vec].gd_hioffset = a >> 32;
}

static void
init_idt(void)
{
	int i;

	for (i = 0; i < NVECTORS; ++i)
		setidt(i, Xvectors + i * 16,
		    i == IDT_BP ? SDT_SYSIGT_USER : SDT_SYSIGT,
		    i == IDT_DF ? 1 : 0);
}

static void
init_gdt(int cpu)
{
	struct region_descriptor rd;
	struct x86_64tss *tss = &common_tss[cpu];
	uint64_t a = (uint64_t)tss;
	uint64_t *g = gdt[cpu];

	tss->tss_ist[0] = (uint64_t)(dblfault_stack[cpu] + PAGE_SIZE);
	tss->tss_iobase = sizeof(*tss);

	g[KCSEL >> 3] = 0x00af9a000000ffffUL;
	g[KDSEL >> 3] = 0x00cf92000000ffffUL;
	g[UDSEL >> 3] = 0x00cff2000000ffffUL;
	g[UCSEL >> 3] = 0x00affa000000ffffUL;
	g[TSSSEL >> 3] = (sizeof(*tss) - 1) | (a & 0xffffff) << 16 |
	    0x89UL << 40 | (a >> 24 & 0xff) << 56;
	g[(TSSSEL >> 3) + 1] = a >> 32;

	rd.rd_limit = sizeof(gdt[cpu]) - 1;
	rd.rd_base = (uint64_t)g;
	__asm __volatile("lgdt %0" :: "m" (rd));
	__asm __volatile("ltr %w0" :: "r" (TSSSEL));
	rd.rd_limit = sizeof(idt) - 1;
	rd.rd_base = (uint64_t)idt;
	__asm __volatile("lidt %0" :: "m" (rd));
}

static void
init_syscall(void)
{
	wrmsr(MSR_STAR, (uint64_t)KCSEL << 32 |
	    (uint64_t)(UBASESEL | SEL_RPL_MASK) << 48);
	wrmsr(MSR_LSTAR, (uint64_t)Xfast_syscall);
	wrmsr(MSR_SF_MASK, PSL_I | PSL_T | PSL_D | PSL_NT | PSL_AC);
}

/*
 * What each processor needs to take traps, interrupts and system calls.
 */
void
init_cpu(int cpu)
{
	init_gdt(cpu);
	init_syscall();
}

/*
 * Stack for the next entry from user mode.
 */
void
cpu_set_rsp0(struct globaldata *gd, uint64_t rsp0)
{
	gd->gd_rsp0 = rsp0;
	common_tss[gd->gd_cpuid].tss_rsp0 = rsp0;
}

void
hammer_time(vm_paddr_t start_info)
{
	const struct hvm_start_info *si;
	struct globaldata *gd = &CPU_prvspace[0];

	gd->gd_prvspace = gd;
	gd->gd_curthread = &thread0;
	thread0.td_gd = gd;
	wrmsr(MSR_GSBASE, (uint64_t)gd);
	wrmsr(MSR_KGSBASE, 0);
	init_idt();
	init_cpu(0);
	i8259_init();
	cninit();

	si = (const void *)PHYS_TO_DMAP(start_info);
	if (start_info >= BOOT_DMAP_END || si->magic != HVM_START_MAGIC)
		panic("not started by a PVH loader");
	if (si->cmdline_paddr != 0)
		kenv_init((const char *)PHYS_TO_DMAP(si->cmdline_paddr));
	acpi_rsdp_paddr = si->rsdp_paddr;
	getmemsize(si);
	dmap_extend();

	boot_pml4[0] = 0;
	load_cr3(rcr3());

	mi_gdinit(gd, 0);
	lwkt_gdinit(gd);
	lwkt_init_thread(&thread0, boot_stack, boot_stack_top - boot_stack,
	    0, gd);
	lwkt_set_comm(&thread0, "swapper");
	thread0.td_proc = NULL;
	thread0_run(gd);
	pmap_bootstrap();
	mi_startup();
}

/*
 * By soft-off through the power management block, where the firmware of QEMU's
 * pc machine puts it.
 */
void
cpu_power_off(void)
{
	cpu_disable_intr();
	outw(ACPI_PM1A_CNT, ACPI_SLP_EN);
	cpu_halt();
}

/*
 * By the exit device; without one, the verdict line must do.
 */
void
cpu_exit_qemu(boolean_t passed)
{
	cpu_disable_intr();
	outl(QEMU_EXIT_PORT, passed ? QEMU_EXIT_PASS : QEMU_EXIT_FAIL);
	cpu_power_off();
}

/*
 * No more work, ever.
 */
void
cpu_halt(void)
{
	for (;;) {
		cpu_disable_intr();
		__asm __volatile("hlt");
	}
}

/*
 * Wait for an interrupt; the caller has interrupts off, so that none can
 * come between its last look for work and the wait.
 */
void
cpu_idle_halt(void)
{
	if (ncpus > 1)
		pmap_inval_idle_enter(mycpu);
	cpu_sti_hlt();
}
