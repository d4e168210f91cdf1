/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The operations of the stress mix.
 */
#include "soak.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define	CHUNK		8192

static _Noreturn void
bad(const struct soak *s, const char *why, ...)
{
	va_list ap;

	printf("soak: worker %lu, %s: ", s->number, s->op);
	va_start(ap, why);
	vprintf(why, ap);
	va_end(ap);
	printf(" (errno %d)\n", errno);
	fflush(stdout);
	_exit(1);
}

static unsigned long
below(struct soak *s, unsigned long n)
{
	return soak_random(&s->random) % n;
}

static void
verified(uint64_t words)
{
	__atomic_add_fetch(&shared->verified, words, __ATOMIC_RELAXED);
}

/* Memory of at most max bytes, seldom that much, or -1. */
static int
some_memory(struct soak *s, struct region *r, unsigned long max, int flags)
{
	max = (max >> below(s, 8)) / PAGE_BYTES;
	r->name = s->op;
	r->bytes = (1 + below(s, max + 1)) * PAGE_BYTES;
	r->seed = soak_random(&s->random);
	r->words = mmap(NULL, r->bytes, PROT_READ | PROT_WRITE,
	    flags | MAP_ANONYMOUS, -1, 0);
	if (r->words == MAP_FAILED && errno != ENOMEM)
		bad(s, "mmap of %zu bytes", r->bytes);
	return r->words == MAP_FAILED ? -1 : 0;
}

static void
unmap(const struct soak *s, void *p, size_t bytes)
{
	if (munmap(p, bytes) != 0)
		bad(s, "munmap");
}

static void
check(const struct soak *s, const struct region *r)
{
	uint64_t wrong = region_verify(r);

	if (wrong != 0)
		bad(s, "%ju of %zu words are wrong", (uintmax_t)wrong,
		    r->bytes / sizeof(*r->words));
	verified(r->bytes / sizeof(*r->words));
}

/* A child, 0 in it; -1 if there may be none now. */
static pid_t
child(const struct soak *s)
{
	pid_t pid = fork();

	if (pid < 0 && errno != EAGAIN && errno != ENOMEM)
		bad(s, "fork");
	return pid;
}

static void
expect(const struct soak *s, pid_t pid, int want)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		bad(s, "wait");
	if (status != want)
		bad(s, "a child's status is %#x, expected %#x", status, want);
}

/* Dirty memory, read it, dirty it anew. */
static int
op_paging(struct soak *s)
{
	struct region r;

	if (some_memory(s, &r, s->budget, MAP_PRIVATE) != 0)
		return -1;
	for (int i = 1 + below(s, 3); i != 0; --i) {
		region_dirty(&r);
		if (strcmp(option_word("spoil", ""), "word") == 0)
			++*r.words;
		check(s, &r);
		r.seed = soak_random(&s->random);
	}
	unmap(s, r.words, r.bytes);
	return 0;
}

/* What is not wanted any more reads as zero. */
static int
op_discard(struct soak *s)
{
	struct region r;
	size_t from;

	if (some_memory(s, &r, s->budget / 2, MAP_PRIVATE) != 0)
		return -1;
	region_dirty(&r);
	from = below(s, r.bytes / PAGE_BYTES) * PAGE_BYTES;
	if (madvise((char *)r.words + from, r.bytes - from,
	    MADV_DONTNEED) != 0)
		bad(s, "madvise");
	for (size_t i = from / 8; i < r.bytes / 8; ++i)
		if (r.words[i] != 0)
			bad(s, "word %zu is not zero", i);
	verified((r.bytes - from) / 8);
	unmap(s, (char *)r.words + from, r.bytes - from);
	r.bytes = from;
	check(s, &r);
	if (from != 0)
		unmap(s, r.words, from);
	return 0;
}

/* Parent and children write to what they have in common; none sees others. */
static int
op_cow(struct soak *s)
{
	int n = 1 + below(s, 3);
	struct region r;
	pid_t pid[3];

	if (some_memory(s, &r, s->budget / (n + 1), MAP_PRIVATE) != 0)
		return -1;
	region_dirty(&r);
	for (int i = 0; i < n; ++i) {
		pid[i] = child(s);
		if (pid[i] != 0)
			continue;
		check(s, &r);
		r.seed += 1 + i;
		region_dirty(&r);
		check(s, &r);
		_exit(0);
	}
	check(s, &r);
	r.seed -= 1;
	region_dirty(&r);
	check(s, &r);
	for (int i = 0; i < n; ++i)
		if (pid[i] > 0)
			expect(s, pid[i], 0);
	check(s, &r);
	unmap(s, r.words, r.bytes);
	return 0;
}

/* Children fill shared memory together, each its share of every page. */
static int
op_shared(struct soak *s)
{
	int n = 1 + below(s, 6);
	struct region r;
	pid_t pid[6];

	if (some_memory(s, &r, s->budget / 2, MAP_SHARED) != 0)
		return -1;
	for (int i = 0; i < n; ++i) {
		pid[i] = child(s);
		if (pid[i] < 0 && i > 0) {
			for (int j = 0; j < i; ++j)
				expect(s, pid[j], 0);
			unmap(s, r.words, r.bytes);
			return -1;
		}
		if (pid[i] != 0)
			continue;
		for (size_t w = i; w < r.bytes / 8; w += n)
			r.words[w] = ~(uint64_t)w * (r.seed | 1);
		_exit(0);
	}
	for (int i = 0; i < n; ++i)
		if (pid[i] > 0)
			expect(s, pid[i], 0);
	for (size_t w = 0; pid[0] > 0 && w < r.bytes / 8; ++w)
		if (r.words[w] != ~(uint64_t)w * (r.seed | 1))
			bad(s, "word %zu is %#jx", w, (uintmax_t)r.words[w]);
	verified(r.bytes / 8);
	unmap(s, r.words, r.bytes);
	return 0;
}

static unsigned char
stream_byte(uint64_t seed, size_t at)
{
	return (unsigned char)((at * 131 + (at >> 8) + seed) ^ (seed >> 8));
}

/* A child sends bytes through a pipe, in pieces of any size. */
static int
op_pipe(struct soak *s)
{
	size_t total = 1 + below(s, 200000), at = 0;
	uint64_t seed = soak_random(&s->random);
	unsigned char buf[CHUNK];
	int fd[2];
	ssize_t n;
	pid_t pid;

	if (pipe(fd) != 0)
		bad(s, "pipe");
	pid = child(s);
	if (pid == 0) {
		close(fd[0]);
		while (at < total) {
			size_t len = 1 + below(s, sizeof(buf));

			if (len > total - at)
				len = total - at;
			for (size_t i = 0; i < len; ++i)
				buf[i] = stream_byte(seed, at + i);
			n = write(fd[1], buf, len);
			if (n <= 0)
				bad(s, "write");
			at += n;
		}
		_exit(0);
	}
	close(fd[1]);
	while (pid > 0 && (n = read(fd[0], buf, 1 + below(s, sizeof(buf))))
	    != 0) {
		if (n < 0)
			bad(s, "read");
		for (ssize_t i = 0; i < n; ++i)
			if (buf[i] != stream_byte(seed, at + i))
				bad(s, "byte %zu is %#x", at + i, buf[i]);
		at += n;
	}
	close(fd[0]);
	if (pid < 0)
		return -1;
	if (at != total)
		bad(s, "%zu of %zu bytes came", at, total);
	verified(total / 8);
	expect(s, pid, 0);
	return 0;
}

/* Many small regions come, change and go in any order. */
static int
op_churn(struct soak *s)
{
	enum { SLOTS = 512 };
	uint64_t *at[SLOTS] = { NULL };

	for (unsigned n = 200 + below(s, 4000); n != 0; --n) {
		unsigned i = below(s, SLOTS);
		int prot = below(s, 2) ? PROT_READ : PROT_READ | PROT_WRITE;

		if (at[i] == NULL) {
			at[i] = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (at[i] == MAP_FAILED)
				bad(s, "mmap");
			*at[i] = (uintptr_t)at[i] ^ i;
			continue;
		}
		if (*at[i] != ((uintptr_t)at[i] ^ i))
			bad(s, "region %u holds %#jx", i, (uintmax_t)*at[i]);
		verified(1);
		if (mprotect(at[i], PAGE_BYTES, prot) != 0)
			bad(s, "mprotect");
		if (below(s, 2) == 0) {
			unmap(s, at[i], PAGE_BYTES);
			at[i] = NULL;
		}
	}
	for (unsigned i = 0; i < SLOTS; ++i)
		if (at[i] != NULL)
			unmap(s, at[i], PAGE_BYTES);
	return 0;
}

static void
file_write(const struct soak *s, int fd, uint64_t seed, size_t from, size_t to)
{
	unsigned char buf[CHUNK];

	while (from < to) {
		size_t n = to - from < sizeof(buf) ? to - from : sizeof(buf);

		for (size_t i = 0; i < n; ++i)
			buf[i] = stream_byte(seed, from + i);
		if (pwrite(fd, buf, n, from) != (ssize_t)n)
			bad(s, "pwrite");
		from += n;
	}
}

/* A file is written, renamed, read in two ways, cut and removed. */
static int
op_file(struct soak *s)
{
	uint64_t seed = soak_random(&s->random);
	size_t size = 1 + below(s, s->budget / 4 >> below(s, 8));
	size_t cut = below(s, size);
	char name[64], other[64];
	unsigned char c, *p;
	int fd;

	snprintf(name, sizeof(name), "/tmp/soak.%d", getpid());
	snprintf(other, sizeof(other), "/tmp/soak.%d.other", getpid());
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		bad(s, "open");
	file_write(s, fd, seed, 0, size);
	if (rename(name, other) != 0 || access(name, F_OK) == 0)
		bad(s, "rename");
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		bad(s, "mmap");
	for (size_t i = 0; i < size; ++i)
		if (p[i] != stream_byte(seed, i))
			bad(s, "byte %zu is %#x", i, p[i]);
	verified(size / 8);
	unmap(s, p, size);
	if (ftruncate(fd, cut) != 0 || ftruncate(fd, size) != 0)
		bad(s, "ftruncate");
	for (unsigned n = 0; n < 200; ++n) {
		size_t i = below(s, size);

		if (pread(fd, &c, 1, i) != 1)
			bad(s, "pread");
		if (c != (i < cut ? stream_byte(seed, i) : 0))
			bad(s, "byte %zu is %#x after a cut at %zu", i, c,
			    cut);
	}
	if (unlink(other) != 0 || close(fd) != 0)
		bad(s, "unlink");
	return 0;
}

static volatile sig_atomic_t caught;

static void
catch(int sig)
{
	(void)sig;
	++caught;
}

/* A child counts signals and answers each, then is killed while it dirties. */
static int
op_signals(struct soak *s)
{
	struct sigaction sa = { .sa_handler = catch };
	int n = 1 + below(s, 50), fd[2];
	struct region r;
	char c = 0;
	pid_t pid;

	if (pipe(fd) != 0)
		bad(s, "pipe");
	pid = child(s);
	if (pid == 0) {
		sigset_t set, old;

		sigemptyset(&set);
		sigaddset(&set, SIGUSR1);
		sigprocmask(SIG_BLOCK, &set, &old);
		sigaction(SIGUSR1, &sa, NULL);
		for (int i = 0; i < n; ++i) {
			if (write(fd[1], &c, 1) != 1)
				bad(s, "write");
			while (caught == i)
				sigsuspend(&old);
		}
		if (write(fd[1], &c, 1) != 1 ||
		    some_memory(s, &r, s->budget, MAP_PRIVATE) != 0)
			_exit(1);
		for (;;)
			region_dirty(&r);
	}
	close(fd[1]);
	for (int i = 0; pid > 0 && i <= n; ++i)
		if (read(fd[0], &c, 1) != 1 ||
		    (i < n && kill(pid, SIGUSR1) != 0))
			bad(s, "signal %d of %d", i, n);
	close(fd[0]);
	if (pid < 0)
		return -1;
	usleep(below(s, 100000));
	if (kill(pid, SIGKILL) != 0)
		bad(s, "kill");
	expect(s, pid, SIGKILL);
	return 0;
}

/* A storm of children that end at once. */
static int
op_forks(struct soak *s)
{
	int n = 1 + below(s, 20), got = 0;
	pid_t pid[20];

	while (got < n && (pid[got] = child(s)) > 0)
		++got;
	if (got < n && pid[got] == 0)
		_exit(got);
	for (int i = 0; i < got; ++i)
		expect(s, pid[i], i << 8);
	return got == n ? 0 : -1;
}

/* Another program. */
static int
op_exec(struct soak *s)
{
	char arg[32];
	unsigned want;
	pid_t pid;

	snprintf(arg, sizeof(arg), "%ju", (uintmax_t)soak_random(&s->random));
	want = strtoull(arg, NULL, 10) % 251;
	pid = child(s);
	if (pid == 0) {
		execl("/bin/soak", "soak", "program", arg, NULL);
		bad(s, "exec");
	}
	if (pid < 0)
		return -1;
	expect(s, pid, (int)want << 8);
	return 0;
}

int
soak_program(const char *arg)
{
	struct region r;
	uint64_t n = strtoull(arg, NULL, 10);

	region_map(&r, "program", 1 + n % (256 * 1024), n);
	region_dirty(&r);
	return region_verify(&r) == 0 ? (int)(n % 251) : 255;
}

const struct soak_op soak_ops[] = {
	{ "paging", op_paging },
	{ "discard", op_discard },
	{ "cow", op_cow },
	{ "shared", op_shared },
	{ "pipe", op_pipe },
	{ "churn", op_churn },
	{ "file", op_file },
	{ "signals", op_signals },
	{ "forks", op_forks },
	{ "exec", op_exec },
};

const unsigned soak_nops = sizeof(soak_ops) / sizeof(soak_ops[0]);
_Static_assert(sizeof(soak_ops) / sizeof(soak_ops[0]) <= SOAK_OPS_MAX,
    "struct soak_shared counts fewer operations");
