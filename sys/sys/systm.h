/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What nearly every kernel file needs: assertions, console output, memory
 * and string functions, access to user memory, sleep and wakeup.
 */
#ifndef _SYS_SYSTM_H_
#define	_SYS_SYSTM_H_

#include <sys/types.h>
#include <sys/stdint.h>
#include <machine/stdarg.h>
#include <machine/atomic.h>
#include <machine/cpufunc.h>

struct globaldata;
struct lock;
struct proc;
struct spinlock;
struct thread;
struct vmspace;

extern int cold;			/* no second thread yet */
extern const char *panicstr;		/* not NULL: panicking */
extern int bootverbose;
extern int ncpus;
extern int ncpus_fit;			/* ncpus, rounded up to 2^n */
extern int ncpus_fit_mask;
extern int clocks_running;
extern u_long watchdog_work;		/* done by in-kernel tests */
extern long physmem;			/* pages of RAM */
extern vm_paddr_t Maxmem;		/* page number after the last of RAM */

void	panic(const char *, ...) __dead2 __printflike(1, 2);
void	verdict_fail(const char *, ...) __dead2 __printflike(1, 2);

#ifdef INVARIANTS
#define	KASSERT(exp, msg) do {						\
	if (__predict_false(!(exp)))					\
		panic msg;						\
} while (0)
#define	KKASSERT(exp)							\
	KASSERT(exp, ("assertion \"%s\" failed in %s at %s:%u",		\
	    #exp, __func__, __FILE__, __LINE__))
#define	__debugvar
#else
#define	KASSERT(exp, msg)	do { } while (0)
#define	KKASSERT(exp)		do { } while (0)
#define	__debugvar		__unused
#endif

#define	CTASSERT(x)		_Static_assert(x, #x)

#define	__read_mostly		__section(".data.read_mostly")
#define	__read_frequently	__section(".data.read_frequently")
#define	__exclusive_cache_line	__aligned(__VM_CACHELINE_SIZE * 2)	\
				__section(".data.exclusive_cache_line")

/*
 * Console output, polled: usable in any context.
 */
int	kprintf(const char *, ...) __printflike(1, 2);
int	kvprintf(const char *, __va_list) __printflike(1, 0);
int	ksnprintf(char *, size_t, const char *, ...) __printflike(3, 4);
int	kvsnprintf(char *, size_t, const char *, __va_list) __printflike(3, 0);
int	kvcprintf(const char *, void (*)(int, void *), void *, __va_list)
	    __printflike(1, 0);
void	cnwrite(const char *buf, size_t n);
void	print_backtrace(int count);

long	strtol(const char *, char **, int);
u_long	strtoul(const char *, char **, int);

#define	bcopy(from, to, len) __builtin_memmove(__DEQUALIFY(void *, (to)), \
	    __DEQUALIFY(void *, (from)), (len))
#define	bzero(buf, len)	__builtin_memset(__DEQUALIFY(void *, (buf)), 0, (len))
void	*memcpy(void *, const void *, size_t);
void	*memmove(void *, const void *, size_t);
void	*memset(void *, int, size_t);

/*
 * User memory.  0 or EFAULT (or ENAMETOOLONG); may fault, so may block.
 */
int	copyin(const void *udaddr, void *kaddr, size_t len) __heedresult;
int	copyout(const void *kaddr, void *udaddr, size_t len) __heedresult;
int	zero_user(void *udaddr, size_t len) __heedresult;
int	copyinstr(const void *udaddr, void *kaddr, size_t len, size_t *done)
	    __heedresult;
int	fubyte(const uint8_t *base);

/*
 * Kernel environment: the boot loader's name=value words.  kgetenv() returns
 * a string which lives for ever; the others return 1 if the name is there, else
 * 0 and leave the variable alone.  A value which is not of the kind ends the
 * boot.  kenv_unread() walks the words that nobody has asked for; *n starts at
 * 0.
 */
char	*kgetenv(const char *name);
const char *kenv_unread(int *n);
int	kgetenv_int(const char *name, int *data);
int	kgetenv_long(const char *name, long *data);
int	kgetenv_string(const char *name, char *data, int size);

#include <sys/libkern.h>

void	mi_startup(void) __dead2;
void	mi_gdinit(struct globaldata *gd, int cpu);
void	cpu_halt(void) __dead2;
void	cpu_idle_halt(void);
void	splz(void);

/*
 * Sleeping.  timo is in ticks, 0 means for ever; the result is 0 when woken
 * and EWOULDBLOCK when the time ran out.
 */
int	tsleep(const volatile void *chan, int flags, const char *wmesg,
	    int timo);
int	ssleep(const volatile void *chan, struct spinlock *spin, int flags,
	    const char *wmesg, int timo);
int	lksleep(const volatile void *chan, struct lock *lock, int flags,
	    const char *wmesg, int timo);
void	tsleep_interlock(const volatile void *chan, int flags);
void	tsleep_remove(struct thread *td);
void	tsleep_signal(struct thread *td);
void	wakeup(const volatile void *chan);
void	wakeup_one(const volatile void *chan);

static __inline uint32_t
bitcount32(uint32_t x)
{
	return (__builtin_popcount(x));
}

static __inline uint64_t
bitcount64(uint64_t x)
{
	return (__builtin_popcountl(x));
}

#endif
