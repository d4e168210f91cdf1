/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What every test program of the guest shares: the verdict line, the kernel's
 * variables, and memory whose every word is known.
 *
 * A pattern is a function of a seed and the word's index alone, so a page may
 * be checked at any time, in any order, without a second copy.  Words of two
 * pages never agree by accident: the generator is a bijection of the index.
 */
#ifndef _SUPPORT_H_
#define _SUPPORT_H_

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define	MIB		(1024UL * 1024)
#define	PAGE_BYTES	4096UL

/* Ends the test: prints the verdict, then exits 0 (pass) or 1 (fail). */
_Noreturn void	test_pass(const char *test);
_Noreturn void	test_fail(const char *test, const char *why, ...)
		    __attribute__((__format__(__printf__, 2, 3)));

/*
 * A number or word given on the kernel's command line, or the default.  That a
 * program asks for a name, which must be a constant, makes it known: any other
 * word on the command line fails the test before it begins.
 */
#define	OPTION_NAME(name) __extension__ ({				\
	static const char option_name[] __attribute__((			\
	    __section__("options"), __used__, __aligned__(1))) = name;	\
	option_name;							\
})
#define	option_word(name, def)	option_word_(OPTION_NAME(name), (def))
#define	option_range(name, def, low, high)				\
	option_range_(OPTION_NAME(name), (def), (low), (high))
#define	option_number(name, def) option_range(name, def, 0, ULONG_MAX)

const char	*option_word_(const char *name, const char *def);
unsigned long	option_range_(const char *name, unsigned long def,
		    unsigned long low, unsigned long high);

/*
 * Kernel variables by their sysctl name.  The first two end the test if there
 * is no such variable or it does not take the value; the next two return 0, or
 * -1 with errno.
 */
long	kvar(const char *name);
void	kvar_set(const char *name, long value);
int	kvar_get_long(const char *name, long *value);
int	kvar_set_long(const char *name, long value);
char	*kvar_text(const char *name);	/* to be freed; or NULL */
void	kvar_print(const char *name);
void	kvar_print_text(const char *name);
void	kvar_print_paging(void);

/* The processor that the calling process runs on from now; no other. */
void	run_on(int cpu);

/* The machine, in bytes. */
unsigned long	machine_ram(void);
unsigned long	machine_swap(void);

/* A region of whole pages, anonymous memory, and its pattern. */
struct region {
	const char	*name;
	uint64_t	*words;
	size_t		bytes;
	uint64_t	seed;
};

void	region_map(struct region *r, const char *name, size_t bytes,
	    uint64_t seed);
void	region_dirty(const struct region *r);
uint64_t region_verify(const struct region *r);	/* words that are wrong */

/*
 * Address space of twice so many pages; every other one has another protection,
 * and so a map entry to itself.
 */
void	*map_split(unsigned long splits);

#endif /* !_SUPPORT_H_ */
