/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs every program of a tree and prints its trace: what the functions of its
 * pools return, what is in the objects where that is defined, and the model's
 * own events.  Each program runs in a process of its own, so one that fails
 * spoils no other's trace.  The order of calls follows from the program's
 * seed alone: a program and its conversion are called alike.
 *
 * What is in an object is defined if it was handed out before and never
 * destroyed since, if its pool's fresh objects are zero, and in the words that
 * a constructor sets.
 */

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/spinlock.h>
#include <sys/pool.h>

#define	SLOTS	12		/* objects of a pool that are out at a time */
#define	KNOWN	256		/* objects of a pool seen so far */
#define	OPS	150
#define	OWN	(2 * sizeof(long))
#define	STALE	0xee		/* what a destroyed object is filled with */

int	fflush(void *);
int	fork(void);
int	printf(const char *, ...);
int	vprintf(const char *, __builtin_va_list);
int	strcmp(const char *, const char *);
int	waitpid(int, int *, int);
void	_exit(int) __dead2;

struct state {
	void	*slot[SLOTS];
	void	*known[KNOWN];
	int	nknown;
	int	ready;
	int	vague;
};

static struct state *states;
static int nstates;
static u_int random_state;
static int vague;

static u_int
rnd(u_int below)
{
	random_state = random_state * 1103515245u + 12345u;
	return ((random_state >> 8) % below);
}

void
trace(const char *fmt, ...)
{
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vprintf(fmt, ap);
	__builtin_va_end(ap);
	printf("\n");
}

static int
known(struct state *st, void *obj)
{
	int i;

	for (i = 0; i < st->nknown; ++i) {
		if (st->known[i] == obj)
			return (1);
	}
	return (0);
}

void
pool_forget(void *obj)
{
	struct state *st;
	int i;

	for (st = states; st < states + nstates; ++st) {
		for (i = 0; i < st->nknown; ++i) {
			if (st->known[i] == obj)
				st->known[i] = st->known[--st->nknown];
		}
	}
}

static u_int
digest(const void *obj, size_t from, size_t to)
{
	const unsigned char *p = obj;
	u_int h = 2166136261u;

	for (; from < to; ++from)
		h = (h ^ p[from]) * 16777619u;
	return (h);
}

static void
fill(const struct pool *pool, void *obj, unsigned char byte)
{
	size_t from = pool->flags & POOL_CTOR ? OWN : 0;

	__builtin_memset((char *)obj + from, byte, pool->size - from);
}

static int
choose(void *const *table)
{
	int n = 0;

	while (n < POOL_FUNCTIONS && table[n] != NULL)
		++n;
	return (n == 0 ? -1 : (int)rnd(n));
}

static void
do_get(const struct pool *pool, struct state *st, int spin)
{
	static struct spinlock lock;
	static unsigned char stamp;
	size_t from, to;
	void *obj;
	int i, which;

	which = choose((void *const *)pool->get);
	for (i = 0; i < SLOTS && st->slot[i] != NULL; ++i)
		continue;
	if (which < 0 || i == SLOTS)
		return;
	if (spin)
		spin_lock(&lock);
	obj = pool->get[which]((int)rnd(8));
	if (spin)
		spin_unlock(&lock);
	if (obj == NULL) {
		trace("get %s.%d: NULL", pool->name, which);
		return;
	}
	from = pool->flags & POOL_ZONE ? OWN : 0;
	to = pool->size;
	if (st->vague) {
		trace("get %s.%d%s", pool->name, which,
		    (pool->flags & POOL_ZERO) &&
		    ((unsigned char *)obj)[from] == STALE ? ": stale" : "");
		to = 0;
	} else if (!known(st, obj)) {
		trace("get %s.%d: fresh", pool->name, which);
		if ((pool->flags & POOL_ZERO) == 0)
			to = pool->flags & POOL_CTOR ? OWN : 0;
		if (st->nknown < KNOWN)
			st->known[st->nknown++] = obj;
	} else {
		trace("get %s.%d: used", pool->name, which);
	}
	if (from < to)
		trace("    %08x", digest(obj, from, to));
	stamp = stamp % 100 + 1;
	fill(pool, obj, stamp);
	st->slot[i] = obj;
}

/*
 * Its conversion may hand an object out again that was destroyed if nothing can
 * tell: from here on neither contents nor who waits for memory are defined.
 */
static void
do_drop(const struct pool *pool, struct state *st, void *obj)
{
	trace("drop %s", pool->name);
	if ((pool->flags & POOL_EXACT) == 0) {
		fill(pool, obj, STALE);
		st->vague = 1;
		vague = 1;
		mem_level = MEM_PLENTY;
	}
	pool_forget(obj);
	pool->drop(obj);
}

static void
do_put(const struct pool *pool, struct state *st, int i, int drop)
{
	void *obj = st->slot[i];
	int which;

	which = choose((void *const *)pool->put);
	if (obj == NULL || which < 0)
		return;
	st->slot[i] = NULL;
	if (drop && pool->drop != NULL) {
		do_drop(pool, st, obj);
		return;
	}
	trace("put %s.%d", pool->name, which);
	pool->put[which](obj);
}

static void
do_fini(const struct pool *pool, struct state *st)
{
	int i;

	for (i = 0; i < SLOTS; ++i)
		do_put(pool, st, i, 0);
	trace("fini %s", pool->name);
	st->nknown = 0;
	st->ready = 0;
	st->vague = 0;
	pool->fini();
}

static void
run(const struct program *prog)
{
	struct state table[8] = { { .ready = 0 } };
	const struct pool *pool;
	struct state *st;
	int levels = MEM_NONE + 1;
	int i, op;

	states = table;
	nstates = prog->npools;
	random_state = prog->seed;
	for (i = 0; i < prog->npools; ++i) {
		prog->pools[i].init();
		table[i].ready = 1;
		if (prog->pools[i].flags & POOL_PANICS)
			levels = MEM_NONE;
	}
	for (op = 0; op < OPS && prog->npools != 0; ++op) {
		i = (int)rnd((u_int)prog->npools);
		pool = &prog->pools[i];
		st = &table[i];
		i = (int)rnd(100);
		if (!st->ready) {
			if (pool->flags & (POOL_AGAIN | POOL_TWICE)) {
				trace("init %s", pool->name);
				pool->init();
				st->ready = 1;
			}
		} else if (i < 55) {
			do_get(pool, st, (pool->flags & POOL_SPIN) && i < 20);
		} else if (i < 88) {
			do_put(pool, st, (int)rnd(SLOTS), i < 68);
		} else if (i < 93) {
			mem_level = vague ? MEM_PLENTY : (int)rnd((u_int)levels);
			trace("memory %d", mem_level);
		} else if (i < 95 && pool->reclaim != NULL) {
			trace("reclaim %s: %d", pool->name, pool->reclaim());
		} else if (i < 97 && pool->tune != NULL) {
			trace("tune %s", pool->name);
			pool->tune();
		} else if (i == 97 && (pool->flags & POOL_TWICE)) {
			trace("init %s", pool->name);
			pool->init();
		} else if (i >= 98 && pool->fini != NULL) {
			mem_level = MEM_PLENTY;
			vague = 1;
			do_fini(pool, st);
		}
	}
	mem_level = MEM_PLENTY;
	trace("outstanding %ld", model_outstanding());
	for (i = 0; i < prog->npools; ++i) {
		if (table[i].ready && prog->pools[i].fini != NULL)
			do_fini(&prog->pools[i], &table[i]);
	}
	trace("outstanding %ld", model_outstanding());
}

/* driver [name]: all programs, or that one. */
int
main(int argc, char **argv)
{
	const struct program *const *prog;
	int pid, status;

	for (prog = programs; *prog != NULL; ++prog) {
		if (argc > 1 && strcmp(argv[1], (*prog)->name) != 0)
			continue;
		trace("== %s", (*prog)->name);
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			run(*prog);
			fflush(NULL);
			_exit(0);
		}
		status = -1;
		waitpid(pid, &status, 0);
		trace("exit %d", status);
	}
	return (0);
}
