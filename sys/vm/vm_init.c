/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start-up of the VM system, in two stages.
 *
 * The first makes pages, kernel_map and PV entries work out of static
 * memory, before there is any allocator: that is what zbootinit() is for.
 * The second, when allocators and caches work, gives the zones room to grow.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/vmmeter.h>
#include <vm/vm.h>
#include <vm/pmap.h>
#include <vm/vm_extern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

static void
vm_mem_init(void *dummy __unused)
{
	vm_page_startup();
	vm_object_init1();
	vm_map_startup();
	kmem_init();
	pmap_init();
	kprintf("vm: %ld pages, %ld free\n", vmstats.v_page_count,
	    vmstats.v_free_count);
}
SYSINIT(vm_mem, SI_BOOT1_VM, SI_ORDER_FIRST, vm_mem_init, NULL);

static void
vm_mem_init2(void *dummy __unused)
{
	vm_init2();
}
SYSINIT(vm_mem2, SI_BOOT2_PROC0, SI_ORDER_FIRST, vm_mem_init2, NULL);
