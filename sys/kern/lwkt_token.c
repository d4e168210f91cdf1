/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tokens.
 *
 * A token serializes its holder against all others who want it, but only as
 * long as the holder does not sleep: lwkt_switch() gives up all tokens of
 * the thread it leaves and lets a thread run only with all of its own.  So
 * tokens cannot deadlock whatever the order they are taken in, and whoever
 * sleeps must look again at what the token protected.
 *
 * A thread's tokens are a stack, td_toks_array; a token taken again only
 * counts.  While any is held the thread is not preempted.  A shared request
 * is served as an exclusive one.
 *
 * Between processors: t_owner is taken by an atomic exchange and is all that
 * decides; t_count and the rest belong to the owner.  A processor whose thread
 * cannot have a token enters itself in t_waiters and tries once more; whoever
 * gives a token up sends all of t_waiters a message to look at their run
 * queues again.  As one enters before it tries and the other gives up before
 * it looks, no release is missed, and a waiting processor can run something
 * else or halt.  Before that it spins a little: most tokens are held briefly.
 */
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/globaldata.h>
#include <sys/thread.h>
#include <sys/thread2.h>

#define	LWKT_TOKEN_SPINS	100		/* tries before switching */

void
lwkt_token_init(lwkt_token_t tok, const char *desc)
{
	tok->t_owner = NULL;
	tok->t_count = 0;
	tok->t_collisions = 0;
	CPUMASK_ASSZERO(tok->t_waiters);
	tok->t_desc = desc;
}

void
lwkt_token_uninit(lwkt_token_t tok)
{
	KASSERT(tok->t_owner == NULL,
	    ("lwkt_token_uninit: %s is held", tok->t_desc));
}

static boolean_t
token_acquire(lwkt_token_t tok, thread_t td)
{
	if (tok->t_owner != td && (tok->t_owner != NULL ||
	    !atomic_cmpset_ptr(&tok->t_owner, NULL, td)))
		return (FALSE);
	++tok->t_count;
	return (TRUE);
}

static void
token_retry(void *dummy)
{
	need_lwkt_resched();
}

static void
token_release(lwkt_token_t tok, thread_t td)
{
	cpumask_t waiters;

	KASSERT(tok->t_owner == td && tok->t_count > 0,
	    ("token %s is not held by %s", tok->t_desc, td->td_comm));
	if (--tok->t_count != 0)
		return;
	atomic_swap_ptr((volatile void **)&tok->t_owner, NULL);
	if (CPUMASK_TESTNZERO(tok->t_waiters)) {
		waiters.ary[0] = atomic_readandclear_64(&tok->t_waiters.ary[0]);
		lwkt_send_ipiq_mask(waiters, token_retry, NULL);
	}
}

/*
 * Give up, for a switch, everything on td's stack.
 */
void
lwkt_relalltokens(thread_t td)
{
	lwkt_tokref_t ref;

	for (ref = &td->td_toks_base; ref < td->td_toks_have; ++ref)
		token_release(ref->tr_tok, td);
	td->td_toks_have = &td->td_toks_base;
}

/*
 * Acquire everything on td's stack; or nothing, and this processor is told
 * when to try again.
 */
int
lwkt_getalltokens(thread_t td)
{
	lwkt_tokref_t ref;

	for (ref = &td->td_toks_base; ref < td->td_toks_stop; ++ref) {
		if (token_acquire(ref->tr_tok, td))
			continue;
		ATOMIC_CPUMASK_ORBIT(ref->tr_tok->t_waiters, mycpuid);
		if (token_acquire(ref->tr_tok, td))
			continue;
		atomic_add_long((u_long *)&ref->tr_tok->t_collisions, 1);
		while (--ref >= &td->td_toks_base)
			token_release(ref->tr_tok, td);
		return (FALSE);
	}
	td->td_toks_have = td->td_toks_stop;
	return (TRUE);
}

static void
token_push(lwkt_token_t tok, thread_t td)
{
	lwkt_tokref_t ref = td->td_toks_stop;

	if (ref == &td->td_toks_end)
		panic("thread %s holds too many tokens, taking %s",
		    td->td_comm, tok->t_desc);
	ref->tr_tok = tok;
	td->td_toks_stop = ref + 1;
}

static boolean_t
token_spin(lwkt_token_t tok, thread_t td)
{
	int i;

	for (i = 0; i < LWKT_TOKEN_SPINS && ncpus > 1; ++i) {
		cpu_pause();
		if (tok->t_owner == NULL && token_acquire(tok, td))
			return (TRUE);
	}
	return (FALSE);
}

/*
 * May switch, and then loses the tokens held already for a while: the switch
 * gives up what the thread has and takes all it wants, the new one included.
 */
void
lwkt_gettoken(lwkt_token_t tok)
{
	thread_t td = curthread;

	crit_enter_raw(td);
	token_push(tok, td);
	if (token_acquire(tok, td) || token_spin(tok, td))
		td->td_toks_have = td->td_toks_stop;
	else
		lwkt_switch();
	crit_exit_raw(td);
}

int
lwkt_trytoken(lwkt_token_t tok)
{
	thread_t td = curthread;
	int ok;

	crit_enter_raw(td);
	ok = token_acquire(tok, td);
	if (ok) {
		token_push(tok, td);
		td->td_toks_have = td->td_toks_stop;
	}
	crit_exit_raw(td);
	return (ok);
}

/*
 * Usually the last one taken, but any order will do.
 */
void
lwkt_reltoken(lwkt_token_t tok)
{
	thread_t td = curthread;
	lwkt_tokref_t ref;

	crit_enter_raw(td);
	for (ref = td->td_toks_stop - 1; ref >= &td->td_toks_base; --ref) {
		if (ref->tr_tok == tok)
			break;
	}
	if (ref < &td->td_toks_base)
		panic("lwkt_reltoken: %s is not held by %s", tok->t_desc,
		    td->td_comm);
	token_release(tok, td);
	--td->td_toks_stop;
	td->td_toks_have = td->td_toks_stop;
	for (; ref < td->td_toks_stop; ++ref)
		ref[0] = ref[1];
	crit_exit_raw(td);
}
