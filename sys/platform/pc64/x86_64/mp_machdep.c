/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The other processors: finding and starting them, interrupts between them.
 *
 * mp_start() runs on the boot processor before any thread but thread0 exists.
 * It learns the processors from ACPI, sets ncpus, starts them one by one
 * (INIT, then a start-up IPI that makes them begin in mpboot.S), and gives
 * the malloc types their per-cpu structures.  A started processor is its own
 * idle thread: it takes interrupts from then on and looks for work.
 *
 * bootAP and bootSTK tell the one being started who it is; there is only one
 * at a time.  The first megabyte's page that the start-up code is copied to
 * is put back as it was.  Slot 0 of the kernel's level 4 table maps it
 * meanwhile.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/malloc.h>
#include <sys/globaldata.h>
#include <sys/thread.h>
#include <sys/thread2.h>

#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_map.h>

#include <machine/clock.h>
#include <machine/lapic.h>
#include <machine/md_var.h>
#include <machine/pmap.h>
#include <machine/segments.h>
#include <machine/smp.h>
#include <machine/specialreg.h>
#include <machine/vmparam.h>

#define	MPBOOT_PAGE	0x8000UL	/* where the start-up code goes */
#define	START_TRIES	100		/* of START_US each */
#define	START_US	10000

volatile cpumask_t smp_active_mask;
char *bootSTK;
static volatile int bootAP;

extern char mptramp_start[], mptramp_end[];
extern pml4_entry_t boot_pml4[];
extern pdp_entry_t boot_pdp[];

/*
 * First C code of another processor, interrupts off.
 */
void
init_secondary(void)
{
	int cpu = bootAP;
	struct globaldata *gd = globaldata_find(cpu);

	wrmsr(MSR_GSBASE, (uint64_t)gd);
	wrmsr(MSR_KGSBASE, 0);
	init_cpu(cpu);
	lapic_init(FALSE);
	gd->gd_apicid = lapic_id();
	gd->gd_pmap = kernel_pmap;
	gd->gd_time_seconds = time_uptime;

	/*
	 * From here on the others tell us which TLB entries are stale; what
	 * has become stale before goes now.
	 */
	ATOMIC_CPUMASK_ORBIT(smp_active_mask, cpu);
	cpu_invltlb();
	lapic_timer_start();
	lwkt_idle_run();
}

static boolean_t
start_ap(int cpu, u_int apicid)
{
	struct globaldata *gd = globaldata_find(cpu);
	int try;

	gd->gd_prvspace = gd;
	gd->gd_curthread = &gd->gd_idlethread;
	mi_gdinit(gd, cpu);
	lwkt_gdinit(gd);
	vm_map_entry_reserve_cpu_init(gd);
	bootAP = cpu;
	bootSTK = gd->gd_idlethread.td_kstack + gd->gd_idlethread.td_kstack_size;
	cpu_mfence();

	lapic_init_ipi(apicid);
	i8254_wait(START_US);
	for (try = 0; try < START_TRIES; ++try) {
		if (try < 2)
			lapic_startup_ipi(apicid, MPBOOT_PAGE);
		i8254_wait(START_US / (try < 2 ? 50 : 1));
		if (CPUMASK_TESTBIT(smp_active_mask, cpu))
			return (TRUE);
	}
	return (FALSE);
}

/*
 * Start the processors but this one.  Those that do not answer stay out, and
 * so do all after them, as cpu numbers have no gaps.
 */
static int
start_all_aps(const u_char *apicids, int napics, u_int self)
{
	static char saved[PAGE_SIZE];
	char *page = (char *)PHYS_TO_DMAP(MPBOOT_PAGE);
	int cpu = 1, i;

	bcopy(page, saved, PAGE_SIZE);
	bcopy(mptramp_start, page, mptramp_end - mptramp_start);
	boot_pml4[0] = ((vm_paddr_t)boot_pdp - KERNBASE) | X86_PG_RW | X86_PG_V;
	for (i = 0; i < napics; ++i) {
		if (apicids[i] == self)
			continue;
		if (!start_ap(cpu, apicids[i])) {
			kprintf("smp: processor with APIC %u does not start\n",
			    apicids[i]);
			break;
		}
		++cpu;
	}
	boot_pml4[0] = 0;
	bcopy(saved, page, PAGE_SIZE);
	return (cpu);
}

static void
mp_start(void *dummy)
{
	static u_char apicids[MAXCPU];
	struct globaldata *gd = mycpu;
	int napics;

	napics = madt_probe(acpi_rsdp_paddr, apicids, MAXCPU, &lapic_addr);
	if (napics < 2)
		return;
	lapic_init(TRUE);
	lapic_timer_calibrate();
	gd->gd_apicid = lapic_id();
	ncpus = start_all_aps(apicids, napics, gd->gd_apicid);
	for (ncpus_fit = 1; ncpus_fit < ncpus; ncpus_fit <<= 1)
		;
	ncpus_fit_mask = ncpus_fit - 1;
	pmap_inval_smp(kernel_pmap, 0, VM_MAX_KERNEL_ADDRESS);
	malloc_reinit_ncpus();
	kprintf("smp: %d processors\n", ncpus);
}
SYSINIT(mp_start, SI_BOOT2_START_CPU, SI_ORDER_FIRST, mp_start, NULL);

void
cpu_send_ipiq(struct globaldata *target)
{
	lapic_ipi(target->gd_apicid, XIPIQ_OFFSET);
}

void
stop_cpus(void)
{
	cpumask_t others = smp_active_mask;
	int cpu;

	CPUMASK_NANDBIT(others, mycpuid);
	while (CPUMASK_TESTNZERO(others)) {
		cpu = BSFCPUMASK(others);
		CPUMASK_NANDBIT(others, cpu);
		lapic_ipi(globaldata_find(cpu)->gd_apicid, XCPUSTOP_OFFSET);
	}
}

/*
 * An interrupt of the local APIC, interrupts off.
 */
void
ipi_dispatch(int vector, int usermode)
{
	switch (vector) {
	case XTIMER_OFFSET:
		lapic_eoi();
		hardclock(usermode);
		break;
	case XIPIQ_OFFSET:
		lapic_eoi();
		lwkt_process_ipiq();
		break;
	case XINVLTLB_OFFSET:
		lapic_eoi();
		pmap_inval_intr();
		break;
	case XCPUSTOP_OFFSET:
		cpu_halt();
	case XSPURIOUSINT_OFFSET:
		break;
	default:
		kprintf("stray interrupt vector %d\n", vector);
		lapic_eoi();
		break;
	}
}
