/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit of constructed types: who sleeps, and who wakes him.  Magazines
 * hold one object.  A cpu has two of them, used in a critical section, the
 * depot a few more, under the type's lock; a limit is exceeded by what all cpus
 * can hold.  The claim is made at the head of kern_kmalloc_ctor.c.
 *
 *	crowd		takes what is to be had without waiting, and puts or
 *			destroys all but a few, on whichever cpu it likes, twice
 *	sleeper		waits for an object on its cpu, and keeps it
 *	setter		raises the limit
 *
 * Crowd and sleepers keep no more objects than the limit is in the end, so
 * fewer are out until each sleeper has one.
 *
 * What must hold: whenever fewer objects than the limit are out nobody sleeps
 * for ever; there are never more than the limit and what the cpus can hold.
 * What breaks it:
 *
 *	M_EXACT		what the cpus hold does not come on top of the limit
 *	M_DEPOT		a full magazine reaches the depot without a wakeup
 *	M_DESTROY	an object is destroyed without a wakeup
 *	M_RAISE		the limit is raised without a wakeup
 *	M_SEEN		a giver looks for sleepers before he gives
 *	M_QUEUE		who goes to sleep lets go of the lock first
 *	M_COUNT		an object counts only once it is constructed
 *
 * It stands for these functions; beside each is the hash of its text when the
 * two were last compared (check --functions).
 *
 *	kern_kmalloc_ctor.c	cobj_below_limit		06b50fa1
 *	kern_kmalloc_ctor.c	cobj_discount			b11d1abd
 *	kern_kmalloc_ctor.c	cobj_construct			5ff6a82c
 *	kern_kmalloc_ctor.c	cobj_get			8e3da722
 *	kern_kmalloc_ctor.c	_kmalloc_cobj			6232bbd5
 *	kern_kmalloc_ctor.c	cobj_put			edfb0b17
 *	kern_kmalloc_ctor.c	_kfree_cobj			4b02b60e
 *	kern_kmalloc_ctor.c	_kfree_cobj_dtor		7cc30693
 *	kern_kmalloc_ctor.c	_kmalloc_obj_set_limit		420c6663
 */

#ifdef LARGE
#define	SLEEPERS 2			/* of the last cpus */
#else
#define	SLEEPERS 1
#endif
#define	CPUS	2
#define	MAGS	2			/* magazines of a cpu */
#define	DEPOT	3			/* of the depot */
#define	LIMIT	1
#define	RAISE	3
#define	KEEP	(LIMIT + RAISE - SLEEPERS)
#ifdef M_EXACT
#define	SLACK	0
#else
#define	SLACK	(CPUS * MAGS)
#endif

byte limit = LIMIT;
byte constructed;
byte idle[CPUS];			/* full magazines of a cpu */
byte depot;				/* of the depot */
byte waiting;
byte waiting_here[CPUS];
bool spin;				/* held */
bool crit[CPUS];			/* somebody is in a critical section */
bool asleep[SLEEPERS];
byte out;
byte mine;				/* of these the crowd's */
byte done;

inline crit_enter(c) { atomic { !crit[c] -> crit[c] = true } }
inline crit_exit(c) { crit[c] = false }
inline lock() { atomic { !spin -> spin = true } }
inline unlock() { spin = false }

inline wake_all()
{
	d_step {
		i = 0;
		do
		:: i < SLEEPERS -> asleep[i] = false; i++
		:: else -> break
		od;
		i = 0
	}
}

inline wake_if(seen)
{
	if
	:: seen -> wake_all()
	:: else
	fi
}

/*
 * got: an object, or not.  Who waits is sleeper number self.
 */
inline get(c, wait)
{
	got = false;
	crit_enter(c);
	do
	:: idle[c] > 0 ->
		atomic { idle[c]--; out++; got = true };
		crit_exit(c);
		break
	:: else ->
		lock();
		if
		:: depot > 0 ->
			atomic { depot--; idle[c]++ };
			unlock()
		:: depot == 0 && constructed < limit + SLACK ->
#ifndef M_COUNT
			atomic { constructed++; out++ };
#endif
			unlock();
			crit_exit(c);
#ifdef M_COUNT
			atomic { constructed++; out++ };
#endif
			assert(constructed <= LIMIT + RAISE + SLACK);
			got = true;
			break
		:: else ->
			if
			:: !wait ->
				unlock();
				crit_exit(c);
				break
			:: wait ->
				waiting++;
				waiting_here[c]++;
#ifdef M_QUEUE
				unlock();
				asleep[self] = true;
				crit_exit(c);
#else
				asleep[self] = true;
				unlock();
				crit_exit(c);
#endif
				!asleep[self];
				crit_enter(c);
				lock();
				waiting_here[c]--;
				waiting--;
				unlock()
			fi
		fi
	od
}

inline discount()
{
#ifdef M_SEEN
	seen = waiting > 0;
#endif
	lock();
	atomic { constructed--; out-- };
#ifndef M_SEEN
	seen = waiting > 0;
#endif
	unlock();
#ifndef M_DESTROY
	wake_if(seen)
#endif
}

inline put(c)
{
	crit_enter(c);
	seen = false;
	if
	:: idle[c] < MAGS ->
		atomic { idle[c]++; out-- };
		wake_if(waiting_here[c] > 0);
		crit_exit(c)
	:: else ->
#ifdef M_SEEN
		seen = waiting > 0;
#endif
		lock();
		if
		:: depot < DEPOT ->
			atomic { idle[c]--; depot++ };
#ifndef M_SEEN
			seen = waiting > 0;
#endif
			unlock();
			atomic { idle[c]++; out-- };
#ifdef M_DEPOT
			seen = false;
#endif
			wake_if(seen || waiting_here[c] > 0);
			crit_exit(c)
		:: else ->
			unlock();
			crit_exit(c);
			discount()
		fi
	fi
}

proctype crowd()
{
	byte i, rounds, self;
	bool got, seen;

	do
	:: rounds == 2 -> break
	:: else ->
		rounds++;
		do
		:: get(0, false);
			if
			:: got -> mine++
			:: else -> break
			fi
		od;
		do
		:: mine > 0 ->
			mine--;
			if
			:: put(0)
			:: put(1)
			:: discount()
			fi
		:: mine <= KEEP -> break
		od
	od;
	done++
}

proctype sleeper(byte self)
{
	byte i;
	bool got, seen;

	get(CPUS - 1 - self, true);
	assert(got);
	done++
}

proctype setter()
{
	byte i;
	bool seen;

#ifdef M_SEEN
	seen = waiting > 0;
#endif
	lock();
	limit = limit + RAISE;
#ifndef M_SEEN
	seen = waiting > 0;
#endif
	unlock();
#ifndef M_RAISE
	wake_if(seen);
#endif
	done++
}

init {
	byte n;

	atomic {
		run setter();
		run crowd();
		do
		:: n < SLEEPERS -> run sleeper(n); n++
		:: else -> break
		od
	}
	_nr_pr == 1;
	assert(done == SLEEPERS + 2 && waiting == 0 &&
	    out == SLEEPERS + mine);
	assert(constructed == out + depot + idle[0] + idle[1])
}
