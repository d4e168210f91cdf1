/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The protocol of the reserve: refill, consume, retire.
 *
 * One type of KMALLOC_PAGES_NORMAL, SLOTS slots.  A whole slab takes WHOLE
 * pages, a mini slab one.  What the C code does under ext->spin or a vm_page
 * spinlock is one step here, and everything else interleaves.  Pages are
 * counted; a slab is in one place.  Why the maintainer and the grower are two
 * threads (kern_kmalloc_maint.c) is what M_GROWLOCK shows.
 *
 *	pageout		has WRITES writes to record before it frees what faults
 *			have used; waits for a page only if there is none
 *	ordinary	wants a slab, may leave ready ones for later, and may
 *			block: in vm_wait(), after which it begins again (step
 *			5), or in kmem_slab_alloc() (step 6), which wants one
 *			of the same type first, as map entries do
 *	grower		refills the reserve, which anybody may, then waits for
 *			memory for more addresses
 *	maintainer	retires slabs of which every object is free, and gives
 *			back ready ones beyond the target
 *	faults		uses up all pages that it may have, FAULTS times
 *
 * What must hold, and the mutations (-DM_...) that break it; check runs them:
 *
 *	a slab has one user			M_TWICE
 *	no mini slab waits in the reserve	M_MINIREADY
 *	the floor is not for everybody		M_FLOOR
 *	nor are the last pages			M_LASTPAGE
 *	no page is lost				M_PAGES
 *	no slot is lost				M_SLOT
 *	page-out fails only without a page	M_NOMINI
 *	nobody waits for ever			M_GROWLOCK	M_WAKEUP
 *						M_VMWAIT
 *
 * It stands for these functions; beside each is the hash of its text when the
 * two were last compared (check --functions).
 *
 *	kern_kmalloc_reserve.c	kmalloc_ext_get		e7a8422b
 *	kern_kmalloc_reserve.c	kmalloc_ext_take_ready		a3ca4ec5
 *	kern_kmalloc_reserve.c	kmalloc_ext_add_ready		fbf5c2c9
 *	kern_kmalloc_reserve.c	ext_populate			6dd470de
 *	kern_kmalloc_reserve.c	ext_kmem_alloc			44aa15e5
 *	kern_kmalloc_reserve.c	ext_page_would_do		59039e86
 *	kern_kmalloc_reserve.c	ext_wait_ready			5d3d2aa8
 *	kern_kmalloc_reserve.c	page_class			67536316
 *	kern_kmalloc_maint.c	kmalloc_grower_thread		0cd67cf2
 *	kern_kmalloc_reserve.c	ext_is_saving			223f92f0
 *	kern_kmalloc_reserve.c	ext_populate_saving		2462080c
 *	kern_kmalloc_maint.c	kmalloc_maintain		e955cb41
 *	kern_kmalloc_slot.c	slot_take			83046267
 *	kern_kmalloc_slot.c	slot_give			5b7cca5b
 *	kern_kmalloc_slot.c	slot_populate			09fa487f
 *	kern_kmalloc_slot.c	kmalloc_slot_depopulate		19d2d904
 *	kern_kmalloc_reclaim.c	slab_done			8d07a5fd
 *	kern_kmalloc_reclaim.c	kmalloc_ext_reclaim		3c04a803
 */

#ifdef LARGE
#define	SLOTS	3
#define	TARGET	2
#define	PAGES	8
#define	WRITES	2
#define	FAULTS	2
#else
#define	SLOTS	2
#define	TARGET	1
#define	PAGES	6
#define	WRITES	1
#define	FAULTS	2
#endif
#define	WHOLE	2
#define	RESERVED 2		/* pages that NORMAL callers leave */
#define	LAST	1		/* pages that SYSTEM callers leave */
#define	SPARED	1		/* that NORMAL callers use up last of all */

#define	NONE	SLOTS

mtype = { SLOT, BUSY, READY, USED, FREE };

mtype place[SLOTS] = SLOT;
bool mini[SLOTS];
byte nready;
byte pages = PAGES;		/* free */
byte resident;			/* used by faults */
bool extlock;
byte done;			/* of pageout, ordinary, faults */
#ifdef M_WAKEUP
bool asleep;
#endif

#if SLOTS == 3
#define	any(p)		(place[0] == p || place[1] == p || place[2] == p)
#define	pick(p)		(place[0] == p -> 0 : (place[1] == p -> 1 : \
			 (place[2] == p -> 2 : NONE)))
#else
#define	any(p)		(place[0] == p || place[1] == p)
#define	pick(p)		(place[0] == p -> 0 : (place[1] == p -> 1 : NONE))
#endif
#define	in_slab(i)	((place[i] == SLOT) -> 0 : (mini[i] -> 1 : WHOLE))

inline take_ready(privileged, s)
{
#ifdef M_TWICE
	s = pick(READY);
	d_step {
		if
		:: s != NONE -> place[s] = BUSY; nready--
		:: else
		fi
	}
#else
	d_step {
		s = NONE;
		if
#ifdef M_FLOOR
		:: nready > 0 ->
#else
		:: nready > (privileged -> 0 : 1) ->
#endif
			s = pick(READY);
			place[s] = BUSY;
			nready--;
			assert(privileged || nready > 0)
		:: else
		fi
	}
#endif
}

inline add_ready(s)
{
	d_step {
		assert(place[s] == BUSY && !mini[s]);
		place[s] = READY;
		nready++;
#ifdef M_WAKEUP
		asleep = false;
#endif
		s = NONE
	}
}

/* A slab of n pages, taken while more than low are free.  s: it, or NONE. */
inline populate(n, low, privileged, s, got)
{
	d_step {
		s = pick(SLOT);
		if
		:: s != NONE -> place[s] = BUSY
		:: else -> miss = privileged
		fi
	}
	do
	:: s == NONE || got == n -> break
	:: else -> d_step {
		if
		:: pages > low ->
			pages--;
			got++;
			assert(privileged || pages >= RESERVED)
		:: else ->
			miss = (low == 0 && pages == 0);
#ifndef M_PAGES
			pages = pages + got;
#endif
			place[s] = SLOT;
			s = NONE
		fi }
	od;
	mini[s % SLOTS] = (s != NONE -> n == 1 : mini[s % SLOTS]);
	got = 0
}

inline depopulate(s)
{
	d_step {
		assert(place[s] == BUSY);
		pages = pages + (mini[s] -> 1 : WHOLE);
		mini[s] = false;
#ifndef M_SLOT
		place[s] = SLOT;
#endif
		s = NONE
	}
}

inline use(s)
{
	d_step { assert(place[s] == BUSY); place[s] = USED }
}

inline free_objects(s)
{
	d_step { assert(place[s] == USED); place[s] = FREE; s = NONE }
}

/* kmalloc_ext_get() without a free object, as far as it does not block. */
inline getslab(privileged, low, s, got)
{
	take_ready(privileged, s);
	if
	:: s == NONE ->
		populate(WHOLE, (low > LAST -> low : LAST), privileged, s, got)
	:: else
	fi;
#ifndef M_NOMINI
	if
	:: s == NONE -> populate(1, low, privileged, s, got)
	:: else
	fi;
#endif
	skip
}

proctype pageout()
{
	byte s = NONE, got, n;
	bool miss;

	do
	:: n < WRITES || resident > 0 ->
		getslab(true, 0, s, got);
		if
		:: s != NONE ->
			use(s);
			d_step { pages = pages + resident; resident = 0 };
			free_objects(s);
			n = (n < WRITES -> n + 1 : n)
		:: else ->
			/* There was no slot, or not one page. */
			assert(miss);
			(pages > 0 && any(SLOT)) || any(READY)
		fi;
		miss = false
	:: n == WRITES && resident == 0 && done == 2 -> break
	od;
	done++
}

proctype ordinary()
{
	byte s = NONE, got;
	bool miss;

	do
	:: s == NONE ->
		if
		:: true ->
			/* Memory is short: ready slabs are saved. */
			populate(WHOLE, RESERVED, false, s, got);
			if
			:: s == NONE ->
				populate(1, RESERVED + SPARED, false, s, got)
			:: else
			fi
		:: true
		fi;
		if
		:: s != NONE -> break
		:: else
		fi;
#ifdef M_LASTPAGE
		getslab(false, 0, s, got);
#else
		getslab(false, RESERVED, s, got);
#endif
		if
		:: s != NONE -> break
		:: else ->
			if
			:: true ->
				/* 5: till one page would do. */
#ifdef M_VMWAIT
				nready > 1
#else
				nready > 1 || (pages > RESERVED && any(SLOT))
#endif
			:: true -> goto slab_alloc
			fi
		fi
	od;
	use(s);
	free_objects(s);
	goto out;
slab_alloc:
	/* 6: map entries first. */
	do
	:: s == NONE ->
		getslab(true, 0, s, got);
		if
		:: s == NONE ->
#ifdef M_WAKEUP
			/* Till a slab comes, never mind pages. */
			asleep = true;
			!asleep
#else
			any(READY) || (pages > 0 && any(SLOT));
			miss = false
#endif
		:: else
		fi
	:: else -> break
	od;
	miss = false;
	use(s);
	free_objects(s);
	/* Then pages, for which it waits; they go back at the end. */
	pages >= WHOLE + RESERVED;
out:
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

proctype maintainer()
{
	byte s = NONE;

	do
	:: any(FREE) ->
		d_step { s = pick(FREE); place[s] = BUSY };
		atomic { !extlock -> extlock = true };
		retire(s);
		extlock = false
	:: nready > TARGET ->
		atomic { !extlock -> extlock = true };
		d_step {
			if
			:: nready > TARGET ->
				s = pick(READY);
				place[s] = BUSY;
				nready--
			:: else
			fi
		}
		if
		:: s != NONE -> depopulate(s)
		:: else
		fi;
		extlock = false
	:: done == 3 && !any(FREE) -> break
	od
}

proctype grower()
{
	byte s = NONE, got;
	bool miss;

	atomic { !extlock -> extlock = true };
	do
	:: nready < TARGET ->
		populate(WHOLE, LAST, true, s, got);
		if
		:: s != NONE -> add_ready(s)
		:: else -> break
		fi
	:: else -> break
	od;
	miss = false;
	/* More addresses need memory, and it may wait for that. */
#ifdef M_GROWLOCK
	pages >= WHOLE + LAST || done == 3;
	extlock = false
#else
	extlock = false;
	pages >= WHOLE + LAST || done == 3
#endif
}

proctype faults()
{
	byte n;

	do
	:: d_step { n < FAULTS && pages > RESERVED ->
		resident = resident + pages - RESERVED;
		pages = RESERVED;
		n++ }
	:: break
	od;
	n = 0;
	done++
}

init {
	byte i, left;

	atomic {
		run pageout();
		run ordinary();
		run grower();
		run maintainer();
		run faults()
	}
	_nr_pr == 1;
	/* Nothing is left half-way, and every page is somewhere. */
	d_step {
		left = pages + resident;
		do
		:: i < SLOTS ->
			assert(place[i] == SLOT || place[i] == READY);
			left = left + in_slab(i);
			i++
		:: else -> break
		od
	}
	assert(left == PAGES)
}
