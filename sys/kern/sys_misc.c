/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls on the process itself, time, and the system.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kernel.h>
#include <sys/kinfo.h>
#include <sys/malloc.h>
#include <sys/namei.h>
#include <sys/objcache.h>
#include <sys/proc.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/sysent.h>
#include <sys/thread.h>
#include <sys/time.h>
#include <sys/vmmeter.h>

#include <vm/vm.h>
#include <vm/swap_pager.h>

#include <machine/cpu.h>
#include <machine/md_var.h>
#include <machine/smp.h>
#include <machine/vmparam.h>

static MALLOC_DEFINE(M_SYSCTL, "sysctl", "sysctl values");

#define	ARCH_SET_FS	0x1002
#define	ARCH_GET_FS	0x1003

#define	PR_SET_NAME	15
#define	PR_GET_NAME	16

#define	TIMER_ABSTIME	1

#define	LINUX_REBOOT_POWER_OFF	0x4321fedc

/* Programs built for Linux refuse to run on what looks older. */
#define	UTS_RELEASE	"6.0"

#define	LOADS_SCALE	65536		/* of linux_sysinfo.loads */
#define	SYSCTL_MAXVALUE	65536		/* bytes */
#define	RANDOM_CHUNK	64

struct linux_utsname {
	char	sysname[65];
	char	nodename[65];
	char	release[65];
	char	version[65];
	char	machine[65];
	char	domainname[65];
};

struct linux_sysinfo {
	int64_t		uptime;		/* seconds */
	uint64_t	loads[3];
	uint64_t	totalram;	/* in mem_unit */
	uint64_t	freeram;
	uint64_t	sharedram;
	uint64_t	bufferram;
	uint64_t	totalswap;
	uint64_t	freeswap;
	uint16_t	procs;
	uint16_t	pad0;
	uint32_t	pad1;
	uint64_t	totalhigh;
	uint64_t	freehigh;
	uint32_t	mem_unit;	/* bytes */
	uint32_t	pad2;
};

int
sys_zero(struct proc *p, const register_t *a, register_t *res)
{
	return (0);
}

int
sys_nosys(struct proc *p, const register_t *a, register_t *res)
{
	return (ENOSYS);
}

int
sys_getpid(struct proc *p, const register_t *a, register_t *res)
{
	*res = p->p_pid;
	return (0);
}

int
sys_getppid(struct proc *p, const register_t *a, register_t *res)
{
	lwkt_gettoken(&proc_token);
	*res = p->p_pptr != NULL ? p->p_pptr->p_pid : 0;
	lwkt_reltoken(&proc_token);
	return (0);
}

/*
 * Groups and sessions are only recorded.
 */
int
sys_setpgid(struct proc *p, const register_t *a, register_t *res)
{
	struct proc *target;
	int error = 0;

	if (a[1] < 0)
		return (EINVAL);
	lwkt_gettoken(&proc_token);
	target = a[0] == 0 ? p : pfind(a[0]);
	if (target == NULL || (target != p && target->p_pptr != p))
		error = ESRCH;
	else
		target->p_pgid = a[1] != 0 ? a[1] : target->p_pid;
	lwkt_reltoken(&proc_token);
	return (error);
}

static int
kern_getid(struct proc *p, register_t pid, boolean_t session, register_t *res)
{
	struct proc *target;
	int error = 0;

	lwkt_gettoken(&proc_token);
	target = pid == 0 ? p : pfind(pid);
	if (target == NULL)
		error = ESRCH;
	else
		*res = session ? target->p_sid : target->p_pgid;
	lwkt_reltoken(&proc_token);
	return (error);
}

int
sys_getpgid(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_getid(p, a[0], FALSE, res));
}

int
sys_getpgrp(struct proc *p, const register_t *a, register_t *res)
{
	*res = p->p_pgid;
	return (0);
}

int
sys_getsid(struct proc *p, const register_t *a, register_t *res)
{
	return (kern_getid(p, a[0], TRUE, res));
}

int
sys_setsid(struct proc *p, const register_t *a, register_t *res)
{
	if (p->p_pgid == p->p_pid)
		return (EPERM);
	lwkt_gettoken(&proc_token);
	p->p_pgid = p->p_sid = p->p_pid;
	lwkt_reltoken(&proc_token);
	*res = p->p_sid;
	return (0);
}

int
sys_set_tid_address(struct proc *p, const register_t *a, register_t *res)
{
	*res = p->p_pid;
	return (0);
}

int
sys_arch_prctl(struct proc *p, const register_t *a, register_t *res)
{
	switch (a[0]) {
	case ARCH_SET_FS:
		if ((uint64_t)a[1] >= VM_MAX_USER_ADDRESS)
			return (EPERM);
		cpu_set_fsbase(curthread, a[1]);
		return (0);
	case ARCH_GET_FS:
		return (copyout(&curthread->td_pcb->pcb_fsbase, (void *)a[1],
		    sizeof(uint64_t)));
	default:
		return (EINVAL);
	}
}

int
sys_prctl(struct proc *p, const register_t *a, register_t *res)
{
	char name[MAXCOMLEN + 1];
	size_t done;
	int error;

	switch (a[0]) {
	case PR_SET_NAME:
		error = copyinstr((const void *)a[1], name, sizeof(name),
		    &done);
		if (error && error != ENAMETOOLONG)
			return (error);
		name[sizeof(name) - 1] = '\0';
		lwkt_gettoken(&proc_token);
		strlcpy(p->p_comm, name, sizeof(p->p_comm));
		lwkt_reltoken(&proc_token);
		return (0);
	case PR_GET_NAME:
		return (copyout(p->p_comm, (void *)a[1], MAXCOMLEN));
	default:
		return (EINVAL);
	}
}

int
sys_sched_yield(struct proc *p, const register_t *a, register_t *res)
{
	lwkt_user_yield();
	return (0);
}

/*
 * sched_setaffinity(pid, len, mask), of the caller only.
 */
int
sys_sched_setaffinity(struct proc *p, const register_t *a, register_t *res)
{
	cpumask_t mask;
	int error;

	if (a[0] != 0 && a[0] != p->p_pid)
		return (EPERM);
	CPUMASK_ASSZERO(mask);
	error = copyin((const void *)a[2], &mask,
	    szmin(a[1], sizeof(mask)));
	if (error)
		return (error);
	CPUMASK_ANDMASK(mask, smp_active_mask);
	if (CPUMASK_TESTZERO(mask))
		return (EINVAL);
	curthread->td_cpumask = mask;
	if (!CPUMASK_TESTBIT(mask, mycpuid))
		lwkt_setcpu_self(globaldata_find(BSFCPUMASK(mask)));
	return (0);
}

int
sys_sched_getaffinity(struct proc *p, const register_t *a, register_t *res)
{
	cpumask_t mask = smp_active_mask;

	if (a[0] != 0 && a[0] != p->p_pid)
		return (EPERM);
	if ((size_t)a[1] < sizeof(mask))
		return (EINVAL);
	CPUMASK_ANDMASK(mask, curthread->td_cpumask);
	*res = sizeof(mask);
	return (copyout(&mask, (void *)a[2], sizeof(mask)));
}

/*
 * getcpu(cpu, node): where the caller is, now.
 */
int
sys_getcpu(struct proc *p, const register_t *a, register_t *res)
{
	u_int cpu = mycpuid, node = 0;
	int error = 0;

	if (a[0] != 0)
		error = copyout(&cpu, (void *)a[0], sizeof(cpu));
	if (error == 0 && a[1] != 0)
		error = copyout(&node, (void *)a[1], sizeof(node));
	return (error);
}

static int
sleep_for(const struct timespec *ts)
{
	int end, error = 0;

	if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= 1000000000)
		return (EINVAL);
	if (ts->tv_sec == 0 && ts->tv_nsec == 0)
		return (0);
	end = ticks + tstohz_high(ts);
	while (end - ticks > 0 && error == 0) {
		error = tsleep(&ts, PCATCH, "nanslp", end - ticks);
		if (error == EWOULDBLOCK)
			return (0);
	}
	return (error != 0 ? EINTR : 0);
}

int
sys_nanosleep(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts;
	int error;

	error = copyin((const void *)a[0], &ts, sizeof(ts));
	return (error != 0 ? error : sleep_for(&ts));
}

int
sys_clock_nanosleep(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts, now;
	int error;

	error = copyin((const void *)a[2], &ts, sizeof(ts));
	if (error)
		return (error);
	if (a[1] & TIMER_ABSTIME) {
		getnanouptime(&now);
		ts.tv_sec -= now.tv_sec;
		ts.tv_nsec -= now.tv_nsec;
		if (ts.tv_nsec < 0) {
			ts.tv_nsec += 1000000000;
			--ts.tv_sec;
		}
		if (ts.tv_sec < 0)
			return (0);
	}
	return (sleep_for(&ts));
}

/* Every clock counts from boot. */
int
sys_clock_gettime(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts;

	getnanouptime(&ts);
	return (copyout(&ts, (void *)a[1], sizeof(ts)));
}

int
sys_gettimeofday(struct proc *p, const register_t *a, register_t *res)
{
	struct timeval tv;

	getmicrouptime(&tv);
	return (copyout(&tv, (void *)a[0], sizeof(tv)));
}

int
sys_clock_getres(struct proc *p, const register_t *a, register_t *res)
{
	struct timespec ts = { 0, 1000000000 / hz };

	return (a[1] == 0 ? 0 : copyout(&ts, (void *)a[1], sizeof(ts)));
}

int
sys_time(struct proc *p, const register_t *a, register_t *res)
{
	time_t now = time_uptime;

	*res = now;
	return (a[0] == 0 ? 0 : copyout(&now, (void *)a[0], sizeof(now)));
}

static void
ticks_to_timeval(u_long t, struct timeval *tv)
{
	tv->tv_sec = t / hz;
	tv->tv_usec = t % hz * ustick;
}

void
calcru(struct rusage *ru, u_long uticks, u_long sticks)
{
	bzero(ru, sizeof(*ru));
	ticks_to_timeval(uticks, &ru->ru_utime);
	ticks_to_timeval(sticks, &ru->ru_stime);
}

int
sys_getrusage(struct proc *p, const register_t *a, register_t *res)
{
	struct rusage ru;

	if (a[0] == RUSAGE_CHILDREN)
		calcru(&ru, p->p_cuticks, p->p_csticks);
	else
		calcru(&ru, p->p_uticks, p->p_sticks);
	return (copyout(&ru, (void *)a[1], sizeof(ru)));
}

/* Programs expect 100 ticks a second, which is what hz is. */
int
sys_times(struct proc *p, const register_t *a, register_t *res)
{
	u_long tms[4] = { p->p_uticks, p->p_sticks, p->p_cuticks,
	    p->p_csticks };

	*res = sbticks;
	return (a[0] == 0 ? 0 : copyout(tms, (void *)a[0], sizeof(tms)));
}

/* Limits are what they are: the stack's and the number of files. */
int
sys_prlimit64(struct proc *p, const register_t *a, register_t *res)
{
	uint64_t lim[2] = { ~0UL, ~0UL };

	if (a[1] == RLIMIT_STACK)
		lim[0] = lim[1] = DFLSSIZ;
	else if (a[1] == RLIMIT_NOFILE)
		lim[0] = lim[1] = NOFILE;
	return (a[3] == 0 ? 0 : copyout(lim, (void *)a[3], sizeof(lim)));
}

int
sys_getrlimit(struct proc *p, const register_t *a, register_t *res)
{
	const register_t args[] = { 0, a[0], 0, a[1] };

	return (sys_prlimit64(p, args, res));
}

int
sys_uname(struct proc *p, const register_t *a, register_t *res)
{
	struct linux_utsname u;

	bzero(&u, sizeof(u));
	strlcpy(u.sysname, "Reference", sizeof(u.sysname));
	strlcpy(u.nodename, "localhost", sizeof(u.nodename));
	strlcpy(u.release, UTS_RELEASE, sizeof(u.release));
	strlcpy(u.version, "1.0", sizeof(u.version));
	strlcpy(u.machine, MACHINE, sizeof(u.machine));
	return (copyout(&u, (void *)a[0], sizeof(u)));
}

int
sys_sysinfo(struct proc *p, const register_t *a, register_t *res)
{
	struct linux_sysinfo si;
	int i;

	bzero(&si, sizeof(si));
	si.uptime = time_uptime;
	for (i = 0; i < NELEM(si.loads); ++i)
		si.loads[i] = averunnable.ldavg[i] * LOADS_SCALE /
		    averunnable.fscale;
	si.totalram = vmstats.v_page_count;
	si.freeram = vmstats.v_free_count;
	si.totalswap = vm_swap_max;
	si.freeswap = vm_swap_size;
	si.procs = nprocs;
	si.mem_unit = PAGE_SIZE;
	return (copyout(&si, (void *)a[0], sizeof(si)));
}

int
sys_getrandom(struct proc *p, const register_t *a, register_t *res)
{
	u_long buf[RANDOM_CHUNK / sizeof(u_long)];
	size_t left = szmin(a[1], PAGE_SIZE), n, i;
	char *ubuf = (char *)a[0];
	int error;

	for (*res = left; left != 0; left -= n, ubuf += n) {
		for (i = 0; i < NELEM(buf); ++i)
			buf[i] = krandom();
		n = szmin(left, sizeof(buf));
		error = copyout(buf, ubuf, n);
		if (error)
			return (error);
	}
	return (0);
}

int
sys_reboot(struct proc *p, const register_t *a, register_t *res)
{
	if ((uint32_t)a[2] == LINUX_REBOOT_POWER_OFF)
		cpu_power_off();
	return (EINVAL);
}

/*
 * kmobj_sysctl(name, old, &oldlen, new, newlen)
 */
int
sys_kmobj_sysctl(struct proc *p, const register_t *a, register_t *res)
{
	size_t oldlen = 0, newlen = a[4];
	void *old = NULL, *new = NULL;
	char *name;
	int error;

	if (a[2] != 0) {
		error = copyin((const void *)a[2], &oldlen, sizeof(oldlen));
		if (error)
			return (error);
	}
	if (a[1] == 0)
		oldlen = 0;
	oldlen = szmin(oldlen, SYSCTL_MAXVALUE);
	if (a[3] != 0 && newlen > SYSCTL_MAXVALUE)
		return (EINVAL);

	name = objcache_get(namei_oc, M_WAITOK);
	error = copyinstr((const void *)a[0], name, MAXPATHLEN, NULL);
	if (error)
		goto done;
	if (oldlen != 0)
		old = kmalloc(oldlen, M_SYSCTL, M_WAITOK | M_ZERO);
	if (a[3] != 0) {
		new = kmalloc(newlen + 1, M_SYSCTL, M_WAITOK);
		error = copyin((const void *)a[3], new, newlen);
		if (error)
			goto done;
	}
	error = kernel_sysctlbyname(name, old, &oldlen, new, newlen, NULL);
	if (error == 0 && old != NULL)
		error = copyout(old, (void *)a[1], oldlen);
	if ((error == 0 || error == ENOMEM) && a[2] != 0 &&
	    copyout(&oldlen, (void *)a[2], sizeof(oldlen)) != 0)
		error = EFAULT;
done:
	if (old != NULL)
		kfree(old, M_SYSCTL);
	if (new != NULL)
		kfree(new, M_SYSCTL);
	objcache_put(namei_oc, name);
	return (error);
}
