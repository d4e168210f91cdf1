/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _SYS_TREE_H_
#define	_SYS_TREE_H_

/*
 * Intrusive ordered trees behind the RB_* names.
 *
 * The trees are height-balanced (AVL) rather than red-black: the contract of
 * the names is an ordered set with O(log n) operations, and AVL needs one
 * rebalancing walk for insertion and removal alike.  Every node keeps a
 * parent pointer, so a tree can be walked without a stack and a node can be
 * removed without a search.
 *
 * The caller supplies all locking.  cmp(a, b) returns <0, 0 or >0.
 * RB_INSERT returns NULL, or the element already there that compares equal,
 * in which case nothing was inserted.  RB_GENERATE2 adds RB_LOOKUP by the
 * value of one integer field; cmp must order by that same field.
 */

#ifndef NULL
#define	NULL	((void *)0)
#endif

#define	RB_HEAD(name, type)						\
struct name {								\
	struct type *rbh_root;						\
}

#define	RB_INITIALIZER(head)	{ NULL }

#define	RB_ENTRY(type)							\
struct {								\
	struct type *rbe_left;						\
	struct type *rbe_right;						\
	struct type *rbe_parent;					\
	int	rbe_height;						\
}

#define	RB_INIT(head)		((head)->rbh_root = NULL)
#define	RB_ROOT(head)		((head)->rbh_root)
#define	RB_EMPTY(head)		((head)->rbh_root == NULL)
#define	RB_LEFT(elm, field)	((elm)->field.rbe_left)
#define	RB_RIGHT(elm, field)	((elm)->field.rbe_right)
#define	RB_PARENT(elm, field)	((elm)->field.rbe_parent)

#define	RB_PROTOTYPE(name, type, field, cmp)				\
int name##_RB_HEIGHT(struct type *);					\
struct type *name##_RB_ROTATE(struct name *, struct type *, int);	\
void name##_RB_BALANCE(struct name *, struct type *);			\
struct type *name##_RB_REMOVE(struct name *, struct type *);		\
struct type *name##_RB_INSERT(struct name *, struct type *);		\
struct type *name##_RB_FIND(struct name *, struct type *);		\
struct type *name##_RB_NEXT(struct type *);				\
struct type *name##_RB_PREV(struct type *);				\
struct type *name##_RB_MINMAX(struct name *, int);			\
int name##_RB_SCAN(struct name *, int (*)(struct type *, void *),	\
	    int (*)(struct type *, void *), void *)

#define	RB_PROTOTYPE2(name, type, field, cmp, datatype)			\
RB_PROTOTYPE(name, type, field, cmp);					\
struct type *name##_RB_RLOOKUP(struct name *, datatype)

#define	RB_GENERATE(name, type, field, cmp)				\
int									\
name##_RB_HEIGHT(struct type *elm)					\
{									\
	return (elm ? elm->field.rbe_height : 0);			\
}									\
									\
/* Lift elm's right (toleft) or left child into elm's place. */		\
struct type *								\
name##_RB_ROTATE(struct name *head, struct type *elm, int toleft)	\
{									\
	struct type *up, *mid, *parent;					\
	int hl, hr;							\
									\
	parent = elm->field.rbe_parent;					\
	if (toleft) {							\
		up = elm->field.rbe_right;				\
		mid = up->field.rbe_left;				\
		elm->field.rbe_right = mid;				\
		up->field.rbe_left = elm;				\
	} else {							\
		up = elm->field.rbe_left;				\
		mid = up->field.rbe_right;				\
		elm->field.rbe_left = mid;				\
		up->field.rbe_right = elm;				\
	}								\
	if (mid != NULL)						\
		mid->field.rbe_parent = elm;				\
	elm->field.rbe_parent = up;					\
	up->field.rbe_parent = parent;					\
	if (parent == NULL)						\
		head->rbh_root = up;					\
	else if (parent->field.rbe_left == elm)				\
		parent->field.rbe_left = up;				\
	else								\
		parent->field.rbe_right = up;				\
	hl = name##_RB_HEIGHT(elm->field.rbe_left);			\
	hr = name##_RB_HEIGHT(elm->field.rbe_right);			\
	elm->field.rbe_height = (hl > hr ? hl : hr) + 1;		\
	hl = name##_RB_HEIGHT(up->field.rbe_left);			\
	hr = name##_RB_HEIGHT(up->field.rbe_right);			\
	up->field.rbe_height = (hl > hr ? hl : hr) + 1;			\
	return (up);							\
}									\
									\
/* Restore heights and balance from elm up to the root. */		\
void									\
name##_RB_BALANCE(struct name *head, struct type *elm)			\
{									\
	struct type *kid;						\
	int hl, hr;							\
									\
	for (; elm != NULL; elm = elm->field.rbe_parent) {		\
		hl = name##_RB_HEIGHT(elm->field.rbe_left);		\
		hr = name##_RB_HEIGHT(elm->field.rbe_right);		\
		elm->field.rbe_height = (hl > hr ? hl : hr) + 1;	\
		if (hl > hr + 1) {					\
			kid = elm->field.rbe_left;			\
			if (name##_RB_HEIGHT(kid->field.rbe_left) <	\
			    name##_RB_HEIGHT(kid->field.rbe_right))	\
				name##_RB_ROTATE(head, kid, 1);		\
			elm = name##_RB_ROTATE(head, elm, 0);		\
		} else if (hr > hl + 1) {				\
			kid = elm->field.rbe_right;			\
			if (name##_RB_HEIGHT(kid->field.rbe_right) <	\
			    name##_RB_HEIGHT(kid->field.rbe_left))	\
				name##_RB_ROTATE(head, kid, 0);		\
			elm = name##_RB_ROTATE(head, elm, 1);		\
		}							\
	}								\
}									\
									\
struct type *								\
name##_RB_INSERT(struct name *head, struct type *elm)			\
{									\
	struct type **link, *parent;					\
	int c;								\
									\
	link = &head->rbh_root;						\
	parent = NULL;							\
	while (*link != NULL) {						\
		parent = *link;						\
		c = cmp(elm, parent);					\
		if (c == 0)						\
			return (parent);				\
		link = (c < 0) ? &parent->field.rbe_left :		\
		    &parent->field.rbe_right;				\
	}								\
	elm->field.rbe_left = NULL;					\
	elm->field.rbe_right = NULL;					\
	elm->field.rbe_parent = parent;					\
	*link = elm;							\
	name##_RB_BALANCE(head, elm);					\
	return (NULL);							\
}									\
									\
struct type *								\
name##_RB_REMOVE(struct name *head, struct type *elm)			\
{									\
	struct type *heir, *low, *parent;				\
									\
	parent = elm->field.rbe_parent;					\
	low = parent;							\
	if (elm->field.rbe_left == NULL) {				\
		heir = elm->field.rbe_right;				\
	} else if (elm->field.rbe_right == NULL) {			\
		heir = elm->field.rbe_left;				\
	} else {							\
		heir = elm->field.rbe_right;				\
		while (heir->field.rbe_left != NULL)			\
			heir = heir->field.rbe_left;			\
		low = heir->field.rbe_parent;				\
		if (low == elm) {					\
			low = heir;					\
		} else {						\
			low->field.rbe_left = heir->field.rbe_right;	\
			if (heir->field.rbe_right != NULL)		\
				heir->field.rbe_right->field.rbe_parent = low; \
			heir->field.rbe_right = elm->field.rbe_right;	\
			heir->field.rbe_right->field.rbe_parent = heir;	\
		}							\
		heir->field.rbe_left = elm->field.rbe_left;		\
		heir->field.rbe_left->field.rbe_parent = heir;		\
	}								\
	if (heir != NULL)						\
		heir->field.rbe_parent = parent;			\
	if (parent == NULL)						\
		head->rbh_root = heir;					\
	else if (parent->field.rbe_left == elm)				\
		parent->field.rbe_left = heir;				\
	else								\
		parent->field.rbe_right = heir;				\
	name##_RB_BALANCE(head, low);					\
	return (elm);							\
}									\
									\
struct type *								\
name##_RB_FIND(struct name *head, struct type *key)			\
{									\
	struct type *elm;						\
	int c;								\
									\
	elm = head->rbh_root;						\
	while (elm != NULL && (c = cmp(key, elm)) != 0)			\
		elm = (c < 0) ? elm->field.rbe_left : elm->field.rbe_right; \
	return (elm);							\
}									\
									\
struct type *								\
name##_RB_NEXT(struct type *elm)					\
{									\
	struct type *up;						\
									\
	if (elm->field.rbe_right != NULL) {				\
		elm = elm->field.rbe_right;				\
		while (elm->field.rbe_left != NULL)			\
			elm = elm->field.rbe_left;			\
		return (elm);						\
	}								\
	while ((up = elm->field.rbe_parent) != NULL &&			\
	    up->field.rbe_right == elm)					\
		elm = up;						\
	return (up);							\
}									\
									\
struct type *								\
name##_RB_PREV(struct type *elm)					\
{									\
	struct type *up;						\
									\
	if (elm->field.rbe_left != NULL) {				\
		elm = elm->field.rbe_left;				\
		while (elm->field.rbe_right != NULL)			\
			elm = elm->field.rbe_right;			\
		return (elm);						\
	}								\
	while ((up = elm->field.rbe_parent) != NULL &&			\
	    up->field.rbe_left == elm)					\
		elm = up;						\
	return (up);							\
}									\
									\
struct type *								\
name##_RB_MINMAX(struct name *head, int max)				\
{									\
	struct type *elm, *next;					\
									\
	elm = NULL;							\
	for (next = head->rbh_root; next != NULL;			\
	    next = max ? next->field.rbe_right : next->field.rbe_left)	\
		elm = next;						\
	return (elm);							\
}									\
									\
/*									\
 * Call func on every element, in order, for which scancmp returns 0	\
 * (<0: the element lies before the range, >0: behind it).  func may	\
 * remove its own element.  A negative return from func ends the scan	\
 * and is returned; otherwise the sum of what func returned.		\
 */									\
int									\
name##_RB_SCAN(struct name *head,					\
    int (*scancmp)(struct type *, void *),				\
    int (*func)(struct type *, void *), void *arg)			\
{									\
	struct type *elm, *first, *next;				\
	int c, r, sum;							\
									\
	first = NULL;							\
	elm = head->rbh_root;						\
	while (elm != NULL) {						\
		c = scancmp ? scancmp(elm, arg) : 0;			\
		if (c == 0)						\
			first = elm;					\
		elm = (c < 0) ? elm->field.rbe_right : elm->field.rbe_left; \
	}								\
	sum = 0;							\
	for (elm = first; elm != NULL; elm = next) {			\
		if (scancmp != NULL && scancmp(elm, arg) != 0)		\
			break;						\
		next = name##_RB_NEXT(elm);				\
		r = func(elm, arg);					\
		if (r < 0)						\
			return (r);					\
		sum += r;						\
	}								\
	return (sum);							\
}

#define	RB_GENERATE2(name, type, field, cmp, datatype, indexfield)	\
RB_GENERATE(name, type, field, cmp)					\
									\
struct type *								\
name##_RB_RLOOKUP(struct name *head, datatype value)			\
{									\
	struct type *elm;						\
									\
	elm = head->rbh_root;						\
	while (elm != NULL && elm->indexfield != value)			\
		elm = (value < elm->indexfield) ?			\
		    elm->field.rbe_left : elm->field.rbe_right;		\
	return (elm);							\
}

#define	RB_INSERT(name, head, elm)	name##_RB_INSERT(head, elm)
#define	RB_REMOVE(name, head, elm)	name##_RB_REMOVE(head, elm)
#define	RB_FIND(name, head, key)	name##_RB_FIND(head, key)
#define	RB_LOOKUP(name, head, value)	name##_RB_RLOOKUP(head, value)
#define	RB_NEXT(name, head, elm)	name##_RB_NEXT(elm)
#define	RB_PREV(name, head, elm)	name##_RB_PREV(elm)
#define	RB_MIN(name, head)		name##_RB_MINMAX(head, 0)
#define	RB_MAX(name, head)		name##_RB_MINMAX(head, 1)
#define	RB_SCAN(name, head, scancmp, func, arg)				\
	name##_RB_SCAN(head, scancmp, func, arg)

#define	RB_FOREACH(elm, name, head)					\
	for ((elm) = RB_MIN(name, head); (elm) != NULL;			\
	    (elm) = name##_RB_NEXT(elm))

#endif /* _SYS_TREE_H_ */
