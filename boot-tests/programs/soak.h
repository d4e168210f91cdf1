/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the driver of the stress mix, soak.c, and its operations, soakops.c,
 * know of each other.
 */
#ifndef _SOAK_H_
#define _SOAK_H_

#include "support.h"

#define	SOAK_OPS_MAX	16

/* Counts, in memory that all workers share; they change atomically. */
struct soak_shared {
	unsigned long	done[SOAK_OPS_MAX];
	unsigned long	refused;	/* for want of memory or processes */
	uint64_t	verified;	/* words; a byte stream's bytes / 8 */
	unsigned long	injections;
};

extern struct soak_shared *shared;

/* A worker. */
struct soak {
	uint64_t	random;		/* state of soak_random() */
	unsigned long	number;
	unsigned long	budget;		/* bytes it may use */
	const char	*op;		/* what it is doing */
};

/*
 * run() does one operation: 0, or -1 if it was refused.  What is wrong ends the
 * worker with a message.
 */
struct soak_op {
	const char	*name;
	int		(*run)(struct soak *s);
};

extern const struct soak_op soak_ops[];
extern const unsigned soak_nops;

uint64_t	soak_random(uint64_t *state);

/* The program which the operation `exec' runs: its exit status. */
int	soak_program(const char *arg);

#endif /* !_SOAK_H_ */
