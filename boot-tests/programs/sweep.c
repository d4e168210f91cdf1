/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * sweep: page allocations that fail.
 *
 * 60 % of RAM is dirtied.  Then, for each class of vm_page_alloc() and each k,
 * every k-th call of the class fails while memory is mapped, dirtied, copied
 * by a fork, written to by the child, sent through a pipe and a file, checked
 * and unmapped again, and the kernel allocates some for itself.  After that
 * come ranges: the first n calls fail, n the powers of two up to 64.  All this
 * must end, with every word right or with an error that says there is no
 * memory, and the kernel's count of failed calls must be what it was told.
 *
 * Kernel arguments: first (2), last (64), step (1): the values of k; classes
 * (7), a sum of 1 (normal), 2 (system) and 4 (interrupt); delay (0), ticks that
 * disk requests wait; arm (1), 0 to ask for failures that never come.
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define	REPEATS		4	/* of the work, for one call to fail */
#define	SYSTEM_PAGES	16
#define	CHUNK		16384	/* bytes through the pipe and the file */

static const char test[] = "sweep";
static const char *const class_names[] = { "normal", "system", "interrupt" };
#define	NCLASSES	(sizeof(class_names) / sizeof(class_names[0]))

static size_t work_bytes;
static unsigned long errors;		/* of the kind that says no memory */
static uint64_t wrong;

/* Whether a call succeeded; ends the test if it failed for another reason. */
static bool
had_memory(const char *what, bool ok)
{
	if (ok)
		return true;
	if (errno != ENOMEM && errno != EAGAIN)
		test_fail(test, "%s: %s", what, strerror(errno));
	++errors;
	return false;
}

/* The child changes every second page, and sees the others as they were. */
static _Noreturn void
child(const struct region *r)
{
	struct region half = *r;

	half.bytes = r->bytes / 2 & ~(PAGE_BYTES - 1);
	half.seed = r->seed + 1;
	region_dirty(&half);
	_exit(region_verify(&half) == 0 ? 0 : 1);
}

static void
work_fork(const struct region *r)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0)
		child(r);
	if (!had_memory("fork", pid > 0))
		return;
	if (waitpid(pid, &status, 0) != pid)
		test_fail(test, "waitpid: %s", strerror(errno));
	if (status == SIGKILL)
		++errors;
	else if (status != 0)
		test_fail(test, "child ended with status %x", status);
}

/* len bytes from one descriptor to the other, in pieces a pipe holds. */
static void
transfer(const char *what, int to, int from, const char *data)
{
	static char back[CHUNK];
	ssize_t n;

	n = write(to, data, CHUNK);
	if (!had_memory(what, n == CHUNK))
		return;
	if (to != from || lseek(to, 0, SEEK_SET) == 0)
		n = read(from, back, CHUNK);
	if (!had_memory(what, n == CHUNK))
		return;
	wrong += memcmp(data, back, CHUNK) != 0;
}

static void
work_files(const char *data)
{
	int fd, fds[2];

	if (had_memory("pipe", pipe(fds) == 0)) {
		transfer("pipe", fds[1], fds[0], data);
		close(fds[0]);
		close(fds[1]);
	}
	fd = open("/tmp/sweep", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (had_memory("open", fd >= 0)) {
		transfer("file", fd, fd, data);
		close(fd);
		unlink("/tmp/sweep");
	}
}

static void
work(uint64_t seed)
{
	struct region r;
	void *p;

	p = mmap(NULL, work_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!had_memory("mmap", p != MAP_FAILED))
		return;
	r = (struct region){ "work", p, work_bytes, seed };
	region_dirty(&r);
	work_fork(&r);
	work_files(p);
	had_memory("vm.inject.system_pages",
	    kvar_set_long("vm.inject.system_pages", SYSTEM_PAGES) == 0);
	wrong += region_verify(&r);
	munmap(p, work_bytes);
}

/*
 * Work till a call has failed.  Returns how many did; *callsp is how many
 * there were.
 */
static long
round_of(int class, long seed, long *callsp)
{
	long failed = 0;

	if (option_range("arm", 1, 0, 1) != 0)
		kvar_set("vm.inject.fail_class", 1 << class);
	for (int i = 0; i < REPEATS && failed == 0; ++i) {
		work(seed + i);
		failed = kvar("vm.inject.fail_failed");
	}
	*callsp = kvar("vm.inject.fail_calls");
	failed = kvar("vm.inject.fail_failed");
	kvar_set("vm.inject.fail_class", 0);
	return failed;
}

static void
sweep_class(int class, unsigned long first, unsigned long last,
    unsigned long step)
{
	long calls, failed, all_calls = 0, all_failed = 0;

	for (unsigned long k = first; k <= last; k += step) {
		kvar_set("vm.inject.fail_every", k);
		failed = round_of(class, k, &calls);
		/* Other threads may allocate between the two looks. */
		if (failed < calls / (long)k)
			test_fail(test, "%s: %ld of %ld calls failed, not "
			    "every %lu.", class_names[class], failed, calls,
			    k);
		all_calls += calls;
		all_failed += failed;
	}
	kvar_set("vm.inject.fail_every", 0);
	printf("%s: %s: %ld of %ld calls failed, every k-th\n", test,
	    class_names[class], all_failed, all_calls);
	if (all_failed == 0)
		test_fail(test, "%s: no call failed", class_names[class]);

	all_failed = 0;
	kvar_set("vm.inject.fail_first", 1);
	for (long n = 1; n <= 64; n *= 2) {
		kvar_set("vm.inject.fail_last", n);
		failed = round_of(class, n, &calls);
		if (failed > n)
			test_fail(test, "%s: %ld of the first %ld calls "
			    "failed", class_names[class], failed, n);
		all_failed += failed;
	}
	kvar_set("vm.inject.fail_first", 0);
	kvar_set("vm.inject.fail_last", 0);
	printf("%s: %s: %ld calls failed, the first n\n", test,
	    class_names[class], all_failed);
}

int
main(void)
{
	unsigned long first = option_range("first", 2, 1, 1000000);
	unsigned long last = option_range("last", 64, 1, 1000000);
	unsigned long step = option_range("step", 1, 1, 1000000);
	unsigned long classes = option_range("classes", 7, 1, 7);
	unsigned long ram = machine_ram();
	struct region base;

	setvbuf(stdout, NULL, _IOLBF, 0);
	work_bytes = ram / 100 * 12 & ~(PAGE_BYTES - 1);
	kvar_set("vm.inject.disk_delay", (long)option_range("delay", 0, 0, 1000));
	region_map(&base, "base", ram / 100 * 60, 1);
	region_dirty(&base);
	for (int class = NCLASSES - 1; class >= 0; --class) {
		if (classes & 1UL << class)
			sweep_class(class, first, last, step);
	}
	wrong += region_verify(&base);
	kvar_print_paging();
	kvar_print("vm.inject.disk_delayed");
	printf("stat errors_no_memory %lu\n", errors);
	printf("stat words_wrong %ju\n", (uintmax_t)wrong);
	if (wrong != 0)
		test_fail(test, "%ju words wrong", (uintmax_t)wrong);
	test_pass(test);
}
