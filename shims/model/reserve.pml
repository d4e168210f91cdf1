/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol of the reserve: refill, consume, retire.
 *
 * One type, SLOTS slots, a whole slab of WHOLE pages, a mini slab of one.  What
 * the C code does under ext->spin or a vm_page spinlock is one step here;
 * everything else interleaves.  Pages are counted, slabs have a place each.
 *
 *	pageout		needs a slab to free pages: never blocks but for a page
 *	ordinary	wants slabs, may block in kmem_slab_alloc(); then the
 *			call recurses once, as map entries make it
 *	maintainer	refills the reserve, then waits for memory for more
 *			addresses
 *	poller		retires slabs of which every object is free
 *	faults		use pages up, as far as NORMAL callers may
 *
 * What must hold, with the mutation (-DM_...) that breaks it:
 *
 *	a slab has one user			M_TWICE		M_MINIREADY
 *	the floor is not for everybody		M_FLOOR
 *	nor is the last page			M_LASTPAGE
 *	no page and no slot is lost		M_PAGES		M_SLOT
 *	page-out fails only without a page	M_NOMINI
 *	nobody waits for ever			M_GROWLOCK	M_WAKEUP
 */

#define	SLOTS	3
#define	WHOLE	2
#define	TARGET	2
#define	PAGES	8
#define	LAST	2		/* pages that SYSTEM callers leave */
#define	WRITES	2
#define	GETS	1

#define	NONE	255

mtype = { SLOT, BUSY, READY, USED, FREE };

mtype place[SLOTS] = SLOT;
bool mini[SLOTS];
byte users[SLOTS];
byte nready;
byte pages = PAGES;		/* free */
byte resident;			/* used by faults */
byte kmem;			/* used by kmem_slab_alloc() */
bool extlock;
bool asleep;			/* the recursion, until a slab is ready */
byte done;

#define	ready_is(i)	(place[i] == READY)
#define	any_ready	(ready_is(0) || ready_is(1) || ready_is(2))
#define	any_free	(place[0] == FREE || place[1] == FREE || \
			 place[2] == FREE)
#define	any_slot	(place[0] == SLOT || place[1] == SLOT || \
			 place[2] == SLOT)

inline pick(want, s)
{
	s = 0;
	do
	:: s < SLOTS && place[s] != want -> s++
	:: s < SLOTS && place[s] == want -> break
	:: s == SLOTS -> s = NONE; break
	od
}

inline add_ready(s)
{
	atomic {
		assert(place[s] == BUSY);
		assert(!mini[s]);		/* a mini slab never waits */
		place[s] = READY;
		nready++;
		asleep = false
	}
}

/* s = NONE if there is none for this caller. */
inline take_ready(privileged, s)
{
#ifdef M_TWICE
	atomic {
		s = NONE;
		if
		:: nready > (privileged -> 0 : 1) -> pick(READY, s)
		:: else
		fi
	}
	atomic {
		if
		:: s != NONE -> place[s] = BUSY; nready--
		:: else
		fi
	}
#else
	atomic {
		s = NONE;
		if
#ifdef M_FLOOR
		:: nready > 0 ->
#else
		:: nready > (privileged -> 0 : 1) ->
#endif
			pick(READY, s);
			assert(s != NONE);
			place[s] = BUSY;
			nready--;
			assert(privileged || nready > 0)
		:: else
		fi
	}
#endif
}

/* A slab of n pages, as long as more than low are free. */
inline populate(n, privileged, low, s, got)
{
	atomic {
		got = 0;
		pick(SLOT, s);
		if
		:: s != NONE -> place[s] = BUSY
		:: else -> miss = (n == 1)
		fi
	}
	if
	:: s != NONE ->
		do
		:: atomic { got < n && pages > low -> pages--; got++;
			assert(privileged || pages >= LAST) }
		:: atomic { got < n && pages <= low -> miss = (n == 1); break }
		:: got == n -> break
		od;
		if
		:: got == n -> mini[s] = (n == 1)
		:: else ->
#ifndef M_PAGES
			do
			:: atomic { got > 0 -> got--; pages++ }
			:: got == 0 -> break
			od;
#endif
			atomic { place[s] = SLOT; s = NONE }
		fi
	:: else
	fi;
	got = 0
}

inline depopulate(s)
{
	atomic {
		assert(place[s] == BUSY);
		pages = pages + (mini[s] -> 1 : WHOLE);
		mini[s] = false;
#ifndef M_SLOT
		place[s] = SLOT
#endif
	}
}

inline use(s)
{
	atomic {
		users[s]++;
		assert(users[s] == 1);
		assert(place[s] == BUSY);
		place[s] = USED
	}
}

inline free_objects(s)
{
	atomic { users[s]--; place[s] = FREE }
}

/* kmalloc_obj_getslab(), as far as it does not block. */
inline getslab(privileged, low, s, got)
{
	take_ready(privileged, s);
	if
	:: s == NONE -> populate(WHOLE, privileged, LAST, s, got)
	:: else
	fi;
#ifndef M_NOMINI
	if
	:: s == NONE -> populate(1, privileged, low, s, got)
	:: else
	fi;
#endif
	skip
}

proctype pageout()
{
	byte s, got, n;
	bool miss;	/* there was no slot, or not one page */

	do
	:: n < WRITES || resident > 0 ->
		getslab(true, 0, s, got);
		if
		:: s != NONE ->
			use(s);
			/* The write frees what faults had used. */
			atomic { pages = pages + resident; resident = 0 };
			free_objects(s);
			if :: n < WRITES -> n++ :: else fi
		:: else ->
			atomic {
				assert(miss);
				miss = false;
				(pages > 0 && any_slot) || any_ready
			}
		fi
	:: else ->
		if
		:: done == 2 && resident == 0 -> break
		:: resident > 0
		fi
	od;
	done++
}

proctype ordinary()
{
	byte s, got, n;
	bool miss;

	do
	:: n < GETS ->
#ifdef M_LASTPAGE
		getslab(false, 0, s, got);
#else
		getslab(false, LAST, s, got);
#endif
		if
		:: s != NONE ->
			use(s);
			free_objects(s)
		:: else ->
			/* kmem_slab_alloc(): map entries first, of this type. */
			do
			:: getslab(true, 0, s, got);
				if
				:: s != NONE -> use(s); free_objects(s); break
				:: else ->
#ifdef M_WAKEUP
					/* Asleep until a slab comes, never mind pages. */
					asleep = true;
					!asleep
#else
					atomic { nready > 0 || (pages > 0 && any_slot) }
#endif
				fi
			od;
			/* Then pages, for which it waits. */
			atomic { pages >= WHOLE + LAST; pages = pages - WHOLE;
			    kmem = kmem + WHOLE };
			atomic { kmem = kmem - WHOLE; pages = pages + WHOLE }
		fi;
		n++
	:: else -> break
	od;
	done++
}

inline retire(s)
{
	if
#ifdef M_MINIREADY
	:: nready < TARGET -> add_ready(s)
#else
	:: !mini[s] && nready < TARGET -> add_ready(s)
#endif
	:: else -> depopulate(s)
	fi
}

proctype poller()
{
	byte s;

	do
	:: atomic {
		pick(FREE, s);
		if
		:: s != NONE -> place[s] = BUSY
		:: else
		fi }
		if
		:: s != NONE ->
			atomic { !extlock -> extlock = true };
			retire(s);
			extlock = false
		:: s == NONE && done == 3 -> break
		:: s == NONE && done != 3 ->
			done == 3 || any_free
		fi
	od
}

proctype maintainer()
{
	byte s, got, n;
	bool miss;

	do
	:: n < 1 ->
		atomic { !extlock -> extlock = true };
		s = 0;
		do
		:: nready < TARGET && s != NONE ->
			populate(WHOLE, true, LAST, s, got);
			if
			:: s != NONE -> add_ready(s)
			:: else
			fi
		:: else -> break
		od;
		/* More addresses need memory, and it may block for that. */
#ifdef M_GROWLOCK
		pages >= WHOLE + LAST || done == 3;
		extlock = false;
#else
		extlock = false;
		pages >= WHOLE + LAST || done == 3;
#endif
		n++
	:: else -> break
	od
}

proctype faults()
{
	byte n;

	do
	:: atomic { n < PAGES && pages > LAST -> pages--; resident++; n++ }
	:: break
	od;
	done++
}

#define	in_slab(i)	((place[i] == SLOT) -> 0 : (mini[i] -> 1 : WHOLE))

init {
	atomic {
		run pageout();
		run ordinary();
		run maintainer();
		run poller();
		run faults()
	}
	_nr_pr == 1;
	assert(pages + resident + kmem + in_slab(0) + in_slab(1) + in_slab(2) ==
	    PAGES);
	assert(place[0] != BUSY && place[1] != BUSY && place[2] != BUSY)
}
