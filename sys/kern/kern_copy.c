/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access to user memory from the kernel.
 *
 * The copy itself may fault; the VM then resolves the fault as if user mode
 * had made it, and what it cannot resolve ends the copy with EFAULT.  So the
 * caller must be a process's thread, without spinlocks.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/proc.h>

#include <machine/md_var.h>
#include <machine/vmparam.h>

static boolean_t
user_range(const void *uaddr, size_t len)
{
	vm_offset_t va = (vm_offset_t)uaddr;

	return (curproc != NULL && len <= VM_MAX_USER_ADDRESS &&
	    va <= VM_MAX_USER_ADDRESS - len);
}

int
copyin(const void *udaddr, void *kaddr, size_t len)
{
	if (!user_range(udaddr, len))
		return (EFAULT);
	return (copy_fault(kaddr, udaddr, len,
	    &curthread->td_pcb->pcb_onfault));
}

int
copyout(const void *kaddr, void *udaddr, size_t len)
{
	if (!user_range(udaddr, len))
		return (EFAULT);
	return (copy_fault(udaddr, kaddr, len,
	    &curthread->td_pcb->pcb_onfault));
}

/*
 * Zero user memory.
 */
int
zero_user(void *udaddr, size_t len)
{
	static const char zeroes[PAGE_SIZE];
	size_t n;
	int error = 0;

	for (; len != 0 && error == 0; len -= n) {
		n = szmin(len, sizeof(zeroes));
		error = copyout(zeroes, udaddr, n);
		udaddr = (char *)udaddr + n;
	}
	return (error);
}

static int
copystr_result(ssize_t n, size_t len, size_t *done)
{
	if (n == -2)
		return (EFAULT);
	if (done != NULL)
		*done = n < 0 ? len : (size_t)n;
	return (n < 0 ? ENAMETOOLONG : 0);
}

/*
 * A string of at most len bytes with its NUL; *done is what was copied.
 */
int
copyinstr(const void *udaddr, void *kaddr, size_t len, size_t *done)
{
	size_t max = len;

	if (!user_range(udaddr, 1))
		return (EFAULT);
	max = MIN(max, VM_MAX_USER_ADDRESS - (vm_offset_t)udaddr);
	return (copystr_result(copystr_fault(kaddr, udaddr, max,
	    &curthread->td_pcb->pcb_onfault), max, done));
}

/*
 * The byte, or -1.
 */
int
fubyte(const uint8_t *base)
{
	uint8_t v;

	return (copyin(base, &v, sizeof(v)) != 0 ? -1 : v);
}
