/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fake kernel does alike on one cpu (fake_kernel.c) and on several
 * (fake_smp.c): nothing here is shared between cpus but the pages, each of
 * which is its holder's.
 */

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#include "fake_kernel.h"
#include <sys/kmalloc_ext.h>

struct thread fake_maintainer_td = { .name = "kmalloc_reserve" };
struct thread fake_grower_td = { .name = "kmalloc_grow" };
long fake_kmallocs;
bool fake_kmalloc_refuses;
void (*fake_kmalloc_hook)(void);

void
panic(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "panic: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	abort();
}

/*
 * How many pages vm_page_alloc() leaves, in the kernel's words.
 */
long
fake_page_floor(int req)
{
	if ((req & (VM_ALLOC_NORMAL | VM_ALLOC_SYSTEM | VM_ALLOC_INTERRUPT)) ==
	    0)
		panic("vm_page_alloc: no class");
	if ((req & VM_ALLOC_NORMAL) && curthread->td_preempted != NULL)
		panic("vm_page_alloc: NORMAL from who preempts");
	if (curthread->td_flags & TDF_SYSTHREAD)
		req |= VM_ALLOC_SYSTEM;
	if (req & VM_ALLOC_INTERRUPT)
		return (0);
	return (req & VM_ALLOC_SYSTEM ? FAKE_INTERRUPT_MIN :
	    FAKE_RESERVED - 1);
}

void
vm_page_wire(vm_page_t m)
{
	++m->wire_count;
}

void
vm_page_unwire(vm_page_t m, int activate)
{
	(void)activate;
	if (m->wire_count-- <= 0)
		panic("vm_page_unwire: not wired");
}

void
vm_page_wakeup(vm_page_t m)
{
	if (!m->busy)
		panic("vm_page_wakeup: not busy");
	m->busy = 0;
}

void
vm_page_busy_wait(vm_page_t m, int also_m_busy, const char *msg)
{
	(void)also_m_busy, (void)msg;
	if (m->busy)
		panic("vm_page_busy_wait: page is busy");
	m->busy = 1;
}

/*
 * kmalloc() and malloc types, as far as they are not under test.
 */
#ifdef SLAB_DEBUG
void *
_kmalloc_debug(unsigned long size, struct malloc_type *type, int flags,
    const char *file, int line)
#else
void *
_kmalloc(unsigned long size, struct malloc_type *type, int flags)
#endif
{
	void *ptr;

	(void)type;
	if (((flags & M_RNOWAIT) != 0) == ((flags & M_WAITOK) != 0))
		panic("kmalloc: bad flags %#x", flags);
	if ((flags & M_RNOWAIT) && fake_kmalloc_refuses)
		return (NULL);
	if ((flags & M_WAITOK) && fake_kmalloc_hook != NULL)
		fake_kmalloc_hook();
	ptr = malloc(size);
	memset(ptr, flags & M_ZERO ? 0 : 0xdb, size);
	__atomic_fetch_add(&fake_kmallocs, 1, __ATOMIC_RELAXED);
	return (ptr);
}

void
_kfree(void *ptr, struct malloc_type *type)
{
	(void)type;
	__atomic_fetch_add(&fake_kmallocs, -1, __ATOMIC_RELAXED);
	free(ptr);
}

void
kmalloc_raise_limit(struct malloc_type *type, size_t bytes)
{
	if (bytes == 0)
		bytes = (size_t)1 << 47;	/* all of the address space */
	if (type->ks_limit < bytes)
		type->ks_limit = bytes;
}

int
sysctl_handle_int(SYSCTL_HANDLER_ARGS)
{
	(void)oidp, (void)arg2;
	if (req->in != NULL)
		*(int *)arg1 = *req->in;
	return (0);
}

static void *
kproc_run(void *kp)
{
	fake_thread_enter(*((struct kproc_desc *)kp)->global_threadpp);
	((struct kproc_desc *)kp)->func();
	return (NULL);
}

struct kproc_desc *
fake_kproc(int i)
{
	extern void *fake_sysinit_kmalloc_reserve;
	extern void *fake_sysinit_kmalloc_grow;

	return (i == 0 ? fake_sysinit_kmalloc_reserve :
	    fake_sysinit_kmalloc_grow);
}

void
fake_kprocs_exist(void)
{
	*fake_kproc(0)->global_threadpp = &fake_maintainer_td;
	*fake_kproc(1)->global_threadpp = &fake_grower_td;
}

void
fake_start_maintainer(void)
{
	static bool started;
	pthread_t t;
	int i;

	if (started)
		return;
	started = true;
	fake_kprocs_exist();
	for (i = 0; i < FAKE_KPROCS; ++i) {
		if (pthread_create(&t, NULL, kproc_run, fake_kproc(i)) != 0)
			panic("pthread_create failed");
		pthread_detach(t);
	}
}

void
pmap_qenter(vm_offset_t va, vm_page_t *m, int count)
{
	int i;

	for (i = 0; i < count; ++i)
		pmap_kenter(va + i * PAGE_SIZE, VM_PAGE_TO_PHYS(m[i]));
}

void
pmap_qremove(vm_offset_t va, int count)
{
	int i;

	for (i = 0; i < count; ++i)
		pmap_kremove(va + i * PAGE_SIZE);
}
