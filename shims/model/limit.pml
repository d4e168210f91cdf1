/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit of a constructed type: places counted by atomic operations, and
 * sleepers that must not miss the wakeup.
 *
 *	getter		takes a place, or counts itself, tries again and sleeps,
 *			with the spinlock held until it is asleep; then gives it
 *			back
 *	setter		raises the limit by one
 *
 * Who gives a place back, or raises the limit, looks for sleepers afterwards
 * and passes through the spinlock before it wakes them.
 *
 * What must hold: no more places are taken than the limit allows, and nobody
 * sleeps for ever.  What breaks it:
 *
 *	M_OVER		the place is counted after it was looked for
 *	M_UNSEEN	a getter counts itself when it has tried again
 *	M_EARLY		a giver looks for sleepers before it gives back
 *	M_NOPASS	a giver wakes without passing through the spinlock
 */

#ifdef LARGE
#define	GETTERS	4
#else
#define	GETTERS	3
#endif

byte limit = 1;
byte places;
byte waiting;
bool spin;			/* held */
bool asleep[GETTERS];
byte done;

inline try_place(got)
{
#ifdef M_OVER
	got = places < limit;
	if
	:: got -> places++
	:: else
	fi;
#else
	d_step {
		got = places < limit;
		if
		:: got -> places++
		:: else
		fi
	}
#endif
	assert(places <= limit)
}

inline lock() { atomic { !spin -> spin = true } }
inline unlock() { spin = false }

inline wake_all()
{
	d_step {
		i = 0;
		do
		:: i < GETTERS -> asleep[i] = false; i++
		:: else -> break
		od;
		i = 0
	}
}

inline wake_sleepers()
{
#ifndef M_NOPASS
	lock();
	unlock();
#endif
	wake_all()
}

proctype getter(byte self)
{
	byte i;
	bool got, seen;

	try_place(got);
	if
	:: got -> goto have
	:: else
	fi;
	lock();
#ifndef M_UNSEEN
	waiting++;
#endif
	do
	:: try_place(got);
	   if
	   :: got -> break
	   :: else ->
#ifdef M_UNSEEN
		waiting++;
#endif
		/* ssleep(): on the queue first, then the lock is let go. */
		asleep[self] = true;
		unlock();
		!asleep[self];
		lock();
#ifdef M_UNSEEN
		waiting--;
#endif
	   fi
	od;
#ifndef M_UNSEEN
	waiting--;
#endif
	unlock();
have:
#ifdef M_EARLY
	seen = waiting > 0;
	places--;
#else
	places--;
	seen = waiting > 0;
#endif
	if
	:: seen -> wake_sleepers()
	:: else
	fi;
	done++
}

proctype setter()
{
	byte i;
	bool seen;

	lock();
	limit++;
	unlock();
	seen = waiting > 0;
	if
	:: seen -> wake_sleepers()
	:: else
	fi
}

init {
	byte n;

	atomic {
		run setter();
		do
		:: n < GETTERS -> run getter(n); n++
		:: else -> break
		od
	}
	_nr_pr == 1;
	assert(done == GETTERS && places == 0 && waiting == 0)
}
