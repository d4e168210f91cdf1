/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The kernel's interface, as far as the probe needs it.  System calls are
 * known by their numbers, which DragonFly never changes.
 */
#include "runtime.h"

#include <stdarg.h>

enum {
	SYS_exit = 1,
	SYS_fork = 2,
	SYS_read = 3,
	SYS_write = 4,
	SYS_open = 5,
	SYS_wait4 = 7,
	SYS_pipe = 42,
	SYS_reboot = 55,
	SYS_munmap = 73,
	SYS_swapon = 85,
	SYS_mmap = 197,
	SYS_sysctl = 202,
	SYS_kenv = 390
};

#define	O_RDWR		2
#define	RB_POWEROFF	0x4000
#define	MAP_ANON	0x1000
#define	KENV_GET	0
#define	OID_MAX		24
#define	DEBUG_EXIT	0xf4
#define	EXIT_PASS	0x2a		/* see outcome.py */
#define	EXIT_FAIL	0x2b
#define	WRONG_SHOWN	8

long	sys_call(long, ...);
void	*memcpy(void *, const void *, size_t);
void	*memset(void *, int, size_t);

static const char *test_name;
static int console;

/* The compiler may call these two. */
void *
memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : :
	    "memory");
	return to;
}

void *
memset(void *to, int c, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return to;
}

static size_t
length(const char *s)
{
	size_t n = 0;

	while (s[n] != '\0')
		++n;
	return n;
}

bool
word_equal(const char *a, const char *b)
{
	for (; *a == *b; ++a, ++b)
		if (*a == '\0')
			return true;
	return false;
}

/* Written at once, as others print, too, unless it is longer than this. */
struct line {
	char	text[1024];
	size_t	used;
};

static void
line_out(struct line *l)
{
	sys_call(SYS_write, (long)console, l->text, l->used);
	l->used = 0;
}

static void
put(struct line *l, char c)
{
	if (l->used == sizeof(l->text))
		line_out(l);
	l->text[l->used++] = c;
}

static void
put_number(struct line *l, uint64_t n, unsigned base)
{
	char digits[20];
	size_t i = 0;

	do {
		digits[i++] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n != 0);
	while (i != 0)
		put(l, digits[--i]);
}

static void
vformat(struct line *l, const char *form, va_list ap)
{
	for (; *form != '\0'; ++form) {
		if (*form != '%') {
			put(l, *form);
		} else if (*++form == 's') {
			for (const char *s = va_arg(ap, const char *);
			    *s != '\0'; ++s)
				put(l, *s);
		} else {
			long n = va_arg(ap, long);
			bool minus = *++form == 'd' && n < 0;

			if (minus)
				put(l, '-');
			put_number(l, minus ? -(uint64_t)n : (uint64_t)n,
			    *form == 'x' ? 16 : 10);
		}
	}
}

void
print(const char *form, ...)
{
	struct line l = { .used = 0 };
	va_list ap;

	va_start(ap, form);
	vformat(&l, form, ap);
	va_end(ap);
	line_out(&l);
}

/*
 * QEMU's isa-debug-exit makes of the number a status of its own, which whoever
 * runs it knows.  Opening /dev/io permits user mode to use ports.
 */
static _Noreturn void
power_off(uint8_t number)
{
	if (sys_call(SYS_open, "/dev/io", (long)O_RDWR, 0L) >= 0)
		__asm__ volatile("outb %0, %1" : : "a"(number),
		    "Nd"((uint16_t)DEBUG_EXIT));
	sys_call(SYS_reboot, (long)RB_POWEROFF);
	for (;;)
		sys_call(SYS_wait4, -1L, NULL, 0L, NULL);
}

void
test_pass(void)
{
	print("KMOBJ: PASS %s\n", test_name);
	power_off(EXIT_PASS);
}

void
test_fail(const char *form, ...)
{
	struct line l = { .used = 0 };
	va_list ap;

	print("KMOBJ: FAIL %s: ", test_name);
	va_start(ap, form);
	vformat(&l, form, ap);
	va_end(ap);
	put(&l, '\n');
	line_out(&l);
	power_off(EXIT_FAIL);
}

void
runtime_init(const char *test)
{
	test_name = test;
	console = (int)sys_call(SYS_open, "/dev/console", (long)O_RDWR, 0L);
}

void
set_test(const char *test)
{
	test_name = test;
}

static long
check(const char *what, long result)
{
	if (result < 0)
		test_fail("%s: errno %ld", what, -result);
	return result;
}

const char *
option_word_(const char *name, const char *def, char *buffer, size_t size)
{
	long n = sys_call(SYS_kenv, (long)KENV_GET, name, buffer,
	    (long)(int)size);

	if (n > 0 && buffer[n - 1] != '\0')	/* it did not fit */
		test_fail("kernel environment: %s: longer than %lu bytes", name,
		    size - 1);
	return n > 0 ? buffer : def;
}

unsigned long
next_number(const char **at, unsigned long high)
{
	const char *s = *at;
	unsigned long number = 0;
	bool bad = *s < '0' || *s > '9';

	for (; *s >= '0' && *s <= '9'; ++s)
		bad |= __builtin_mul_overflow(number, 10UL, &number) ||
		    __builtin_add_overflow(number, (unsigned long)(*s - '0'),
		    &number);
	if (bad || number > high || (*s != '\0' && *s != ',') ||
	    (*s == ',' && s[1] == '\0'))
		test_fail("kernel environment: expected a number, 0 to %lu, at "
		    "`%s'", high, *at);
	*at = *s == ',' ? s + 1 : s;
	return number;
}

unsigned long
option_range_(const char *name, unsigned long def, unsigned long low,
    unsigned long high)
{
	char buffer[32];
	const char *word = option_word_(name, NULL, buffer, sizeof(buffer));
	unsigned long n;

	if (word == NULL)
		return def;
	n = next_number(&word, high);
	if (n < low || *word != '\0')
		test_fail("kernel environment: %s=%s: expected a number, %lu "
		    "to %lu", name, buffer, low, high);
	return n;
}

static long
kernel_variable(const char *name, void *old, size_t *oldlen, const void *new,
    size_t newlen)
{
	static const int name2oid[2] = { 0, 3 };
	int oid[OID_MAX];
	size_t size = sizeof(oid);
	long error = sys_call(SYS_sysctl, name2oid, 2L, oid, &size, name,
	    length(name));

	if (error < 0)
		return error;
	return sys_call(SYS_sysctl, oid, (long)(size / sizeof(oid[0])), old,
	    oldlen, new, newlen);
}

/* Variables are int or long; the length that comes back tells which. */
long
kvar(const char *name)
{
	union {
		unsigned int	i;
		long		l;
	} v = { .l = 0 };
	size_t size = sizeof(v);

	if (kernel_variable(name, &v, &size, NULL, 0) < 0)
		return -1;
	return size == sizeof(v.i) ? (long)v.i : v.l;
}

bool
kvar_set(const char *name, long value)
{
	long old;
	size_t size = sizeof(old);

	return kernel_variable(name, &old, &size, NULL, 0) >= 0 &&
	    kernel_variable(name, NULL, NULL, &value, size) >= 0;
}

bool
kvar_bytes(const char *name, void *to, size_t *size)
{
	return kernel_variable(name, to, size, NULL, 0) >= 0;
}

long
swap_on(const char *device)
{
	return sys_call(SYS_swapon, device);
}

void *
map(size_t bytes, int prot, int flags)
{
	return (void *)check("mmap", sys_call(SYS_mmap, NULL, bytes,
	    (long)prot, (long)(flags | MAP_ANON), -1L, 0L, 0L));
}

void
unmap(void *p, size_t bytes)
{
	check("munmap", sys_call(SYS_munmap, p, bytes));
}

bool
spawn(void)
{
	return check("fork", sys_call(SYS_fork)) == 0;
}

void
child_exit(int status)
{
	sys_call(SYS_exit, (long)status);
	__builtin_trap();
}

void
reap(unsigned long n)
{
	while (n-- != 0) {
		int status = 0;

		check("wait4", sys_call(SYS_wait4, -1L, &status, 0L, NULL));
		if (status != 0)
			test_fail("a process ended with status %lx",
			    (unsigned long)status);
	}
}

/* pipe(2) returns its second descriptor in a second register. */
static void
make_pipe(int fd[2])
{
	long result = SYS_pipe, second;

	__asm__ volatile("syscall" : "+a"(result), "=d"(second) : :
	    "rcx", "r11", "memory");
	fd[0] = (int)result;
	fd[1] = (int)second;
}

void
barrier_init(struct barrier *b)
{
	make_pipe(b->come);
	make_pipe(b->go);
}

void
barrier_wait(const struct barrier *b)
{
	char c = 0;

	check("write", sys_call(SYS_write, (long)b->come[1], &c, 1L));
	check("read", sys_call(SYS_read, (long)b->go[0], &c, 1L));
}

void
barrier_release(const struct barrier *b, unsigned long n)
{
	char c = 0;

	for (unsigned long i = 0; i < n; ++i)
		check("read", sys_call(SYS_read, (long)b->come[0], &c, 1L));
	for (unsigned long i = 0; i < n; ++i)
		check("write", sys_call(SYS_write, (long)b->go[1], &c, 1L));
}

/* The finisher of splitmix64 (Steele, Lea, Flood 2014), a bijection. */
static inline uint64_t
pattern(uint64_t seed, uint64_t i)
{
	uint64_t z = seed + i * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void
region_map(struct region *r, size_t bytes, int flags, uint64_t seed)
{
	r->bytes = (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	r->words = map(r->bytes, PROT_READ | PROT_WRITE, flags);
	r->seed = seed;
}

void
region_dirty(const struct region *r)
{
	for (size_t i = 0; i < r->bytes / sizeof(*r->words); ++i)
		r->words[i] = pattern(r->seed, i);
}

uint64_t
region_verify(const struct region *r)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < r->bytes / sizeof(*r->words); ++i) {
		uint64_t want = pattern(r->seed, i), got = r->words[i];

		if (got == want)
			continue;
		if (wrong++ < WRONG_SHOWN)
			print("seed %lu: word %lu (page %lu): %lx, expected "
			    "%lx\n", r->seed, i, i * sizeof(got) / PAGE_BYTES,
			    got, want);
	}
	return wrong;
}
