/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The limit of constructed types: who gets what is idle, who constructs, who
 * sleeps.  Two types with the same limit; the constructor of the outer takes an
 * object of the inner and does not wait for it.
 *
 *	getter		gets an outer object and puts it, a few times
 *	taker		destroys what is idle, as kmalloc_obj_reclaimlist() does
 *	setter		raises both limits by one, the inner first
 *
 * A place is taken, and an idle object with it, under the type's lock, by the
 * taker, too; given back under it, with the object or when that is destroyed.
 *
 * What must hold: there are no more objects than the limit, out or idle; the
 * constructor never finds the inner type at its limit; nobody sleeps for ever.
 * What breaks it:
 *
 *	M_CPU		idle objects stay where only one cpu finds them
 *	M_COUNT		who is idle is looked for before the place is taken
 *	M_EARLY		the place goes before the object is destroyed
 *	M_TAKER		the taker takes no place
 *	M_SEEN		a giver looks for sleepers before it gives
 *
 * It stands for these functions; beside each is the hash of its text when the two
 * were last compared (check --functions).
 *
 *	kern_kmalloc_ctor.c	place_take			2882bfba
 *	kern_kmalloc_ctor.c	place_give			143770cf
 *	kern_kmalloc_ctor.c	cobj_construct			84c23f0b
 *	kern_kmalloc_ctor.c	cobj_destroy			7851fc28
 *	kern_kmalloc_ctor.c	cobj_get_placed			03407eb0
 *	kern_kmalloc_ctor.c	cobj_put_placed			6429f7da
 *	kern_kmalloc_ctor.c	cobj_drain			278777aa
 *	kern_kmalloc_ctor.c	_kmalloc_obj_set_limit		75d54d8a
 */

#ifdef LARGE
#define	ROUNDS	3
#else
#define	ROUNDS	2
#endif
#define	GETTERS	3
#define	ROOM	1			/* idle objects that are kept */

#define	OUTER	0
#define	INNER	1

byte limit[2] = 1;
byte places[2];
byte idle[2];
byte objects[2];			/* constructed, or about to be */
byte waiting;				/* for an outer one */
bool spin[2];				/* held */
bool asleep[GETTERS];
byte done;
#ifdef M_CPU
bool own[GETTERS];
#endif

inline lock(t) { atomic { !spin[t] -> spin[t] = true } }
inline unlock(t) { spin[t] = false }

/* An inner object: an idle one, or another. */
inline get_inner()
{
	lock(INNER);
	assert(places[INNER] < limit[INNER]);
	d_step {
		places[INNER]++;
		if
		:: idle[INNER] > 0 -> idle[INNER]--
		:: else -> objects[INNER]++
		fi
	}
	unlock(INNER)
}

inline put_inner()
{
	lock(INNER);
	d_step {
		places[INNER]--;
		if
		:: idle[INNER] < ROOM -> idle[INNER]++
		:: else -> objects[INNER]--
		fi
	}
	unlock(INNER)
}

inline construct()
{
	objects[OUTER]++;
	assert(objects[OUTER] <= limit[OUTER]);
	get_inner()
}

inline destroy()
{
	put_inner();
	objects[OUTER]--
}

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

inline get_outer()
{
	lock(OUTER);
#ifdef M_COUNT
	found = idle[OUTER] > 0;
	idle[OUTER] = idle[OUTER] - found;
	unlock(OUTER);
	lock(OUTER);
#endif
	do
	:: places[OUTER] < limit[OUTER] -> break
	:: else ->
		/* ssleep(): on the queue first, then the lock is let go. */
		waiting++;
		asleep[self] = true;
		unlock(OUTER);
		!asleep[self];
		lock(OUTER);
		waiting--
	od;
	places[OUTER]++;
#ifndef M_COUNT
	found = idle[OUTER] > 0;
	idle[OUTER] = idle[OUTER] - found;
#endif
	unlock(OUTER);
#ifdef M_CPU
	found = found || own[self];
	own[self] = false;
#endif
	if
	:: found
	:: else -> construct()
	fi
}

inline look_early()
{
#ifdef M_SEEN
	lock(OUTER);
	seen = waiting > 0;
	unlock(OUTER)
#else
	skip
#endif
}

inline look()
{
#ifndef M_SEEN
	seen = waiting > 0
#else
	skip
#endif
}

inline give_place()
{
	look_early();
	lock(OUTER);
	places[OUTER]--;
	look();
	unlock(OUTER);
	if
	:: seen -> wake_all()
	:: else
	fi
}

inline put_outer()
{
#ifdef M_CPU
	own[self] = true;
	give_place();
#else
	look_early();
	lock(OUTER);
	kept = idle[OUTER] < ROOM;
	if
	:: kept ->
		idle[OUTER]++;
		places[OUTER]--;
		look();
		unlock(OUTER);
		if
		:: seen -> wake_all()
		:: else
		fi
	:: else ->
		unlock(OUTER);
#ifdef M_EARLY
		give_place();
		destroy()
#else
		destroy();
		give_place()
#endif
	fi
#endif
}

proctype getter(byte self)
{
	byte i, n;
	bool found, kept, seen;

	do
	:: n == ROUNDS -> break
	:: else ->
		get_outer();
		put_outer();
		n++
	od;
	done++
}

proctype taker()
{
	byte i;
	bool found, seen;

	lock(OUTER);
	found = idle[OUTER] > 0;
	idle[OUTER] = idle[OUTER] - found;
#ifndef M_TAKER
	places[OUTER] = places[OUTER] + found;
#endif
	unlock(OUTER);
	if
	:: found ->
		destroy();
#ifndef M_TAKER
		give_place()
#endif
	:: else
	fi
}

proctype setter()
{
	byte i;
	bool seen;

	lock(INNER);
	limit[INNER]++;
	unlock(INNER);
	lock(OUTER);
	limit[OUTER]++;
	seen = waiting > 0;
	unlock(OUTER);
	if
	:: seen -> wake_all()
	:: else
	fi
}

init {
	byte n;

	atomic {
		run setter();
		run taker();
		do
		:: n < GETTERS -> run getter(n); n++
		:: else -> break
		od
	}
	_nr_pr == 1;
	assert(done == GETTERS && places[OUTER] == 0 && waiting == 0);
	assert(objects[OUTER] == idle[OUTER]);
	assert(places[INNER] == objects[OUTER])
}
