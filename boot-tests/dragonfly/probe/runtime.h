/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * All that the probe has instead of a C library: system calls of DragonFly,
 * lines on the console, options from the kernel environment, variables by
 * their sysctl name, memory whose every word is known, and barriers.
 *
 * Calls that cannot fail on a sound kernel end the test when they do.
 */
#ifndef _RUNTIME_H_
#define _RUNTIME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define	MIB		(1024UL * 1024)
#define	PAGE_BYTES	4096UL

enum { PROT_READ = 1, PROT_WRITE = 2 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2 };

/* %s, %ld, %lu and %lx, to the console, one write a call. */
void	print(const char *form, ...) __attribute__((__format__(__printf__, 1, 2)));
void	runtime_init(const char *test);
void	set_test(const char *test);

/* The verdict; powers the machine off. */
_Noreturn void	test_pass(void);
_Noreturn void	test_fail(const char *form, ...)
		    __attribute__((__format__(__printf__, 1, 2)));

bool		word_equal(const char *, const char *);
/*
 * The kernel environment; a word lies in `buffer'.  The name, which must be a
 * constant, is put where image.py finds it: it boots no kernel with a word that
 * nobody reads.
 */
#define	OPTION_NAME(name) __extension__ ({				\
	static const char option_name[] __attribute__((			\
	    __section__("options"), __used__, __aligned__(1))) = name;	\
	option_name;							\
})
#define	option_word(name, def, buffer, size)				\
	option_word_(OPTION_NAME(name), (def), (buffer), (size))
#define	option_range(name, def, low, high)				\
	option_range_(OPTION_NAME(name), (def), (low), (high))
#define	option_number(name, def) option_range(name, def, 0, ~0UL)

const char	*option_word_(const char *name, const char *def, char *buffer,
		    size_t size);
unsigned long	option_range_(const char *name, unsigned long def,
		    unsigned long low, unsigned long high);
/* Reads a number, up to `high', and moves past it and a comma. */
unsigned long	next_number(const char **at, unsigned long high);

/* Variables by name, int or long: -1 or false if there is none. */
long	kvar(const char *name);
bool	kvar_set(const char *name, long value);
bool	kvar_bytes(const char *name, void *to, size_t *size);

long	swap_on(const char *device);
void	*map(size_t bytes, int prot, int flags);
void	unmap(void *, size_t bytes);

/*
 * Processes.  A child returns from spawn() with true, and ends with
 * child_exit(); reap() waits for n of them, and fails the test unless each
 * ended well.
 */
bool	spawn(void);
_Noreturn void	child_exit(int status);
void	reap(unsigned long n);

/* n processes meet; none goes on before the last has come. */
struct barrier {
	int	come[2];	/* pipes: to the parent, and back */
	int	go[2];
};

void	barrier_init(struct barrier *);
void	barrier_wait(const struct barrier *);		/* a child */
void	barrier_release(const struct barrier *, unsigned long n);

/* A region of whole pages, and the words it holds: a function of its seed. */
struct region {
	uint64_t	*words;
	size_t		bytes;
	uint64_t	seed;
};

void	region_map(struct region *, size_t bytes, int flags, uint64_t seed);
void	region_dirty(const struct region *);
uint64_t region_verify(const struct region *);	/* words that are wrong */

#endif /* !_RUNTIME_H_ */
