/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor of slots: a type that grows by its own objects.
 *
 * The type that map entries come from makes slabs in slots, PERSLAB entries
 * each, and a run of BATCH more slots costs ENTRIES entries, had one after the
 * other.  There are pages enough for mini slabs; what may run out is slots.
 *
 *	mapper		wants WANT entries and keeps them, as a process does its
 *			mappings; may wait
 *	grower		makes a run when there are fewer than LOW slots, in a
 *			shortage when only the floor is left
 *
 * What must hold: nobody waits for ever, no entry is lost.  What breaks it:
 *
 *	M_NOFLOOR	mappers take the last slots, too
 *	M_LOWFLOOR	fewer slots are kept than a run may cost
 *	M_SHORTAGE	the grower waits for the end of the shortage
 *	M_EVERYBODY	a mapper that finds only the floor left makes slots
 *			itself, as kmem_slab_alloc() would
 *	M_LOST		two threads add a slab at once, one forgets the other's
 *
 * It stands for these functions; beside each is the hash of its text when the
 * two were last compared (check --functions).
 *
 *	kern_kmalloc_reserve.c	ext_slots_will_come		f504c7fd
 *	kern_kmalloc_reserve.c	ext_needs_slots			3bf4c01d
 *	kern_kmalloc_reserve.c	ext_may_grow			8a2ed2cc
 *	kern_kmalloc_reserve.c	kmalloc_ext_grow			379db526
 *	kern_kmalloc_reserve.c	ext_wait_ready			5d3d2aa8
 *	kern_kmalloc_slot.c	kmalloc_slot_floor		43f41e74
 *	kern_kmalloc_slot.c	slot_take			83046267
 *	kern_kmalloc_slot.c	kmalloc_run_create		f3bdce44
 *	kern_kmalloc_slot.c	kmalloc_run_add			1f472aaf
 */

#ifdef LARGE
#define	MAPPERS	5
#define	WANT	3
#else
#define	MAPPERS	3
#define	WANT	2
#endif
#define	PERSLAB	2
#define	ENTRIES	2
#define	BATCH	4
#define	FLOOR	2
#define	LOW	3

#ifdef M_NOFLOOR
#define	KEPT	0
#elif defined(M_LOWFLOOR)
#define	KEPT	(ENTRIES - 1)
#else
#define	KEPT	FLOOR
#endif

byte slots = LOW;
byte slabs;			/* made of slots */
byte entries;			/* free */
byte used;
byte done;			/* mappers */
bool shortage;

/* A slab in a slot; the caller has one of its entries. */
inline make_slab()
{
	slots--;
	slabs++;
#ifdef M_LOST
	entries = PERSLAB - 1
#else
	entries = entries + PERSLAB - 1
#endif
}

/* An entry, had while more than low slots are free. */
inline entry(low)
{
	if
	:: atomic { entries > 0 -> entries--; used++ }
#ifdef M_LOST
	:: entries == 0 && slots > low -> atomic { make_slab(); used++ }
#else
	:: atomic { entries == 0 && slots > low -> make_slab(); used++ }
#endif
	fi
}

inline make_run()
{
	entry(0);
	entry(0);
	slots = slots + BATCH
}

proctype mapper()
{
	byte n;

	do
	:: n < WANT ->
#ifdef M_EVERYBODY
		if
		:: entries == 0 && slots <= KEPT -> make_run()
		:: else
		fi;
#endif
		entry(KEPT);
		n++
	:: else -> break
	od;
	done++
}

proctype grower()
{
	do
#ifdef M_SHORTAGE
	:: slots < LOW && !shortage -> make_run()
#else
	:: slots < LOW && (!shortage || slots <= KEPT) -> make_run()
#endif
	:: done == MAPPERS -> break
	od
}

init {
	byte i;

	if
	:: shortage = true
	:: shortage = false
	fi;
	atomic {
		run grower();
		do
		:: i < MAPPERS -> run mapper(); i++
		:: else -> break
		od
	}
	_nr_pr == 1;
	assert(used + entries == PERSLAB * slabs)
}
