/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who fills the reserve of a type of KMALLOC_PAGES_NORMAL, and from which
 * pages: `whose pages' at the head of kern_kmalloc_reserve.c.
 *
 * Ready slabs are a stack; its lowest is the floor.  A slab is a page here, and
 * what is counted is how deep into free memory it was made.
 *
 *	ordinary	takes slabs, leaves the floor, refills from NORMAL pages
 *	daemon		takes any, refills, and vm_page_alloc() gives it SYSTEM
 *			pages whatever it asks for
 *	maintainer	refills: the floor from SYSTEM pages
 *	pages		come and go
 *
 * What must hold: who is ordinary never gets a slab that was made of pages
 * which NORMAL leaves; the floor is made while SYSTEM would get a page.  What
 * breaks it:
 *
 *	M_REFILL	the maintainer fills the whole reserve from SYSTEM pages
 *	M_DAEMON	so does a page daemon
 *	M_RACE		who made a floor puts it on top of another one
 *	M_NOFLOOR	the floor is made of NORMAL pages, too
 *
 * It stands for these functions; beside each is the hash of its text when the
 * two were last compared (check --functions).
 *
 *	kern_kmalloc_reserve.c	kmalloc_ext_get		e7a8422b
 *	kern_kmalloc_reserve.c	kmalloc_ext_take_ready		a3ca4ec5
 *	kern_kmalloc_reserve.c	kmalloc_ext_add_ready		fbf5c2c9
 *	kern_kmalloc_reserve.c	ext_is_deep			564fe3f2
 *	kern_kmalloc_reserve.c	ext_refill_one			4663e7e6
 *	kern_kmalloc_reserve.c	kmalloc_ext_refill			56b8d5ff
 *	kern_kmalloc_maint.c	kmalloc_maintain		e955cb41
 */

#ifdef LARGE
#define	TARGET	3
#define	ROUNDS	3
#else
#define	TARGET	2
#define	ROUNDS	2
#endif
#define	PAGES	4
#define	RESERVED 2		/* pages that NORMAL callers leave */
#define	LAST	1		/* pages that SYSTEM callers leave */

bool deep[TARGET + 3];
byte nready;
byte pages = PAGES;
byte done;

/* A ready slab, if there are more than floor. */
inline take(floor, got)
{
	d_step {
		got = false;
		if
		:: nready > floor ->
			nready--;
			got = true;
			assert(floor == 0 || !deep[nready]);
			deep[nready] = false
		:: else
		fi
	}
}

/* ext_refill_one() by who gets pages down to low, if only for the floor. */
inline refill_one(low, only, got, isdeep)
{
	got = true;
	d_step {
#if defined(M_NOFLOOR)
		isdeep = false;
		got = (!only || nready == 0)
#elif defined(M_REFILL)
		isdeep = (low < RESERVED);
		got = (!only || nready == 0)
#elif defined(M_DAEMON)
		isdeep = (low < RESERVED && (only || nready == 0))
#else
		isdeep = (low < RESERVED && nready == 0);
		got = (!only || nready == 0)
#endif
	}
	d_step {
		if
		:: got && pages > (isdeep -> low : RESERVED) ->
			isdeep = (isdeep && pages <= RESERVED);
			pages--
		:: else -> got = false; isdeep = false
		fi
	}
	d_step {
		if
		:: !got
#if !defined(M_RACE) && !defined(M_REFILL) && !defined(M_DAEMON)
		:: got && isdeep && nready != 0 -> pages++; got = false
#endif
		:: else ->
			deep[nready] = isdeep;
			nready++
		fi;
		isdeep = false
	}
}

inline refill(low, only, got, isdeep)
{
	do
	:: nready < TARGET ->
		refill_one(low, only, got, isdeep);
		if
		:: !got -> break
		:: else
		fi
	:: else -> break
	od;
	got = false
}

proctype ordinary()
{
	byte n;
	bool got, isdeep;

	do
	:: n < ROUNDS ->
		take(1, got);
		if
		:: got -> refill(RESERVED, false, got, isdeep)
		:: else
		fi;
		n++
	:: else -> break
	od;
	n = 0;
	done++
}

proctype daemon()
{
	byte n;
	bool got, isdeep;

	do
	:: n < ROUNDS ->
		take(0, got);
		if
		:: got -> refill(LAST, true, got, isdeep)
		:: else
		fi;
		n++
	:: else -> break
	od;
	n = 0;
	done++
}

proctype maintainer()
{
	bool got, isdeep;

	do
	:: done < 2 -> refill(LAST, false, got, isdeep)
	:: done == 2 -> break
	od;
	/* With nobody there to take it. */
	refill(LAST, false, got, isdeep);
	assert(nready > 0 || pages <= LAST);
	done++
}

proctype others()
{
	do
	:: d_step { done < 3 && pages > RESERVED -> pages-- }
	:: d_step { done < 2 && pages < PAGES -> pages++ }
	:: done == 3 -> break
	od
}

init {
	atomic {
		run ordinary();
		run daemon();
		run maintainer();
		run others()
	}
}
