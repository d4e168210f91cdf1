/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * advice: what mprotect, madvise, munmap and fork do to memory, private and
 * shared.
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define	PAGES	64
#define	WORDS	(PAGE_BYTES / sizeof(uint64_t))

static const char test[] = "advice";
static sigjmp_buf back;

static void
expect(const char *what, bool ok)
{
	if (!ok)
		test_fail(test, "%s", what);
	printf("%s: %s\n", test, what);
}

static volatile uint64_t *
map(int flags)
{
	void *p = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
	    flags | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		test_fail(test, "mmap: %s", strerror(errno));
	for (size_t i = 0; i < PAGES; ++i)
		((uint64_t *)p)[i * WORDS] = i + 1;
	return p;
}

static void
caught(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static bool
faults(volatile uint64_t *p, bool write)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	if (write)
		*p = 7;
	else
		(void)*p;
	return false;
}

static volatile uint64_t *
page(volatile uint64_t *p, size_t i)
{
	return p + i * WORDS;
}

static void
advise(volatile uint64_t *p, size_t i, size_t n)
{
	if (madvise((void *)page(p, i), n * PAGE_BYTES, MADV_DONTNEED) != 0)
		test_fail(test, "madvise: %s", strerror(errno));
}

/* Runs in a child, whose status says whether all was as it should be. */
static bool
child_sees(volatile uint64_t *priv, volatile uint64_t *shared)
{
	bool ok = *page(priv, 1) == 2 && *page(shared, 1) == 2;

	*page(priv, 1) = 100;
	*page(shared, 1) = 100;
	advise(priv, 2, 1);
	return ok && *page(priv, 2) == 0 && *page(priv, 3) == 4;
}

int
main(void)
{
	volatile uint64_t *priv = map(MAP_PRIVATE), *shared = map(MAP_SHARED);
	int status;
	pid_t pid;

	signal(SIGSEGV, caught);
	setvbuf(stdout, NULL, _IOLBF, 0);

	mprotect((void *)page(priv, 8), 8 * PAGE_BYTES, PROT_READ);
	expect("a page made read-only is not written to",
	    faults(page(priv, 9), true) && *page(priv, 9) == 10);
	expect("its neighbours are", !faults(page(priv, 7), true) &&
	    !faults(page(priv, 16), true));
	mprotect((void *)page(priv, 8), 8 * PAGE_BYTES, PROT_NONE);
	expect("a page made inaccessible is not read",
	    faults(page(priv, 9), false));
	mprotect((void *)page(priv, 8), 8 * PAGE_BYTES,
	    PROT_READ | PROT_WRITE);
	expect("a page made accessible again has its contents",
	    *page(priv, 9) == 10 && !faults(page(priv, 9), true));

	advise(priv, 20, 4);
	expect("pages not needed any more are zero", *page(priv, 20) == 0 &&
	    *page(priv, 23) == 0);
	expect("their neighbours are not", *page(priv, 19) == 20 &&
	    *page(priv, 24) == 25);
	advise(shared, 20, 1);
	expect("shared pages are not thrown away", *page(shared, 20) == 21);

	pid = fork();
	if (pid == 0)
		_exit(child_sees(priv, shared) ? 0 : 1);
	if (waitpid(pid, &status, 0) != pid)
		test_fail(test, "fork: %s", strerror(errno));
	expect("a child sees the same", status == 0);
	expect("what it writes to private memory is its own",
	    *page(priv, 1) == 2);
	expect("what it throws away, too", *page(priv, 2) == 3);
	expect("what it writes to shared memory is common",
	    *page(shared, 1) == 100);
	advise(priv, 3, 1);
	expect("memory that was copied can be thrown away",
	    *page(priv, 3) == 0 && *page(priv, 4) == 5);

	munmap((void *)page(priv, 30), 2 * PAGE_BYTES);
	expect("unmapped pages are gone", faults(page(priv, 30), false) &&
	    faults(page(priv, 31), false));
	expect("and no others", *page(priv, 29) == 30 && *page(priv, 32) == 33);
	test_pass(test);
}
