/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A stand-in for a DragonFly kernel, to test the loader and the harness where
 * no DragonFly kernel is at hand.  It is entered as one, believes what it is
 * told as one, and prints that.  The kernel environment says how it ends:
 *
 *	standin.end=status	as one that passed its test (the default)
 *	standin.end=panic	with a panic message and the debugger's prompt
 *	standin.end=hang	never
 */
#include <stddef.h>
#include <stdint.h>

#define	KERNBASE	0xffffffff80000000UL
#define	COM1		0x3f8
#define	DEBUG_EXIT	0xf4
#define	EXIT_PASS	0x2a		/* see outcome.py */

char ostype[] = "DragonFly";

/* What loading must bring: data at its place, and nothing where bss is. */
uint64_t in_data = 0x0123456789abcdef;
uint64_t in_bss[1000];

void	standin_main(uint32_t metadata, uint32_t kernel_end);

__asm__(".globl btext\n"
	"btext:	movl	4(%rsp), %edi\n"
	"	movl	8(%rsp), %esi\n"
	"	pushq	$2\n"
	"	popfq\n"
	"	leaq	stack_top(%rip), %rsp\n"
	"	call	standin_main\n"
	"	.bss\n"
	"	.align	16\n"
	"	.space	8192\n"
	"stack_top:\n"
	"	.text\n");

static inline void
outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void
put(const char *s)
{
	for (; *s != '\0'; ++s)
		outb(COM1, (uint8_t)*s);
}

static void
put_hex(uint64_t n)
{
	put("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		if (n >> shift != 0 || shift == 0)
			outb(COM1, (uint8_t)"0123456789abcdef"[n >> shift & 15]);
}

static void
put_line(const char *name, uint64_t n)
{
	put(name);
	put(" ");
	put_hex(n);
	put("\n");
}

/* Little endian, at any address. */
static uint64_t
number(const uint8_t *p, uint32_t size)
{
	uint64_t n = 0;

	while (size-- != 0)
		n = n << 8 | p[size];
	return n;
}

static const char *
env_value(const char *env, const char *name)
{
	size_t i;

	while (*env != '\0') {
		for (i = 0; name[i] != '\0' && env[i] == name[i]; ++i)
			;
		if (name[i] == '\0' && env[i] == '=')
			return env + i + 1;
		while (*env++ != '\0')
			;
	}
	return "";
}

static void
print_memory(const uint8_t *smap, uint32_t size)
{
	uint64_t ram = 0;

	for (uint32_t at = 0; at < size; at += 20)
		if (number(smap + at + 16, 4) == 1)
			ram += number(smap + at + 8, 8);
	put_line("ram, MiB:", (ram >> 20) + 1);
}

static const char *
print_record(uint32_t type, uint32_t size, const uint8_t *data)
{
	uint64_t word = number(data, size < 8 ? size : 8);

	switch (type) {
	case 1:
	case 2:
		put(type == 1 ? "name: " : "type: ");
		put((const char *)data);
		put("\n");
		break;
	case 3:
		put_line("addr:", word);
		/* A root is a UFS1: its magic number has a fixed place. */
		put_line("  magic:", *(uint32_t *)(KERNBASE + word + 8192 +
		    1372));
		break;
	case 4:
		put_line("size:", word);
		break;
	case 0x8003:
		put_line("symbols, bytes:", *(uint64_t *)(KERNBASE + word));
		break;
	case 0x8006:
		return (const char *)(KERNBASE + word);
	case 0x8007:
		put_line("howto:", word);
		break;
	case 0x8008:
		put_line("kernend:", word);
		break;
	case 0x9001:
		print_memory(data, size);
		break;
	}
	return NULL;
}

void
standin_main(uint32_t metadata, uint32_t kernel_end)
{
	const uint32_t *record = (const uint32_t *)(KERNBASE + metadata);
	const char *env = NULL, *end, *test;
	uint64_t bss = 0;

	put("standin: entered\n");
	for (size_t i = 0; i < sizeof(in_bss) / sizeof(in_bss[0]); ++i)
		bss |= in_bss[i];
	put_line("data:", in_data);
	put_line("bss:", bss);
	while (record[0] != 0 || record[1] != 0) {
		const char *found = print_record(record[0], record[1],
		    (const uint8_t *)(record + 2));

		if (found != NULL)
			env = found;
		record += 2 + ((record[1] + 7) / 8 * 2);
	}
	put_line("end:", kernel_end);
	for (const char *s = env; *s != '\0'; ++s) {
		put("env: ");
		put(s);
		put("\n");
		while (*s != '\0')
			++s;
	}
	end = env_value(env, "standin.end");
	test = env_value(env, "test");
	if (*end == 'p') {
		put("panic: the stand-in was told to\n");
		put("Stopped at nowhere\n");
		put("db> ");
	} else if (*end == '\0' || *end == 's') {
		put("KMOBJ: PASS ");
		put(*test != '\0' ? test : "paging");
		put("\n");
		outb(DEBUG_EXIT, EXIT_PASS);
	}
	put(*end == 'h' ? "waiting for nothing\n" : "");
	for (;;)
		__asm__ volatile("hlt");
}
