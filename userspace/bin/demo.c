// SPDX-License-Identifier: BSD-3-Clause
/*
 * A persistent program in plain loads and stores. The object named "demo" (A) holds a counter of
 * boots and the head of a list whose nodes stand alternately in A and in a second object (B), so
 * that every link goes through one object's foreign object table into the other. Each run adds
 * one to the counter, one node to the list, checks the list and prints it.
 *
 * Order of durability: the counter; the new node; the link to it. A power cut leaves a list that
 * is whole, and never longer than the counter says.
 */
#include <twz/debug.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/view.h>

#define NAME "demo"
#define DEMO_MAGIC 0x314f4d45445a5754ull /* "TWZDEMO1" */
#define OBJECT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS (FE_READ | FE_WRITE)
#define MAX_NODES (2 * (OBJ_MAXDATA - sizeof(struct demo)) / sizeof(struct node))
#define SHOWN 32 /* nodes printed of a long list, from each end */

struct node {
	uint64_t number; /* 1, 2, … in list order */
	uint64_t boot;   /* counter when it was made */
	struct node *next; /* p-ptr of the object that holds the node */
	uint64_t check;
};

/* Base of both objects; B uses magic and nodes only. */
struct demo {
	uint64_t magic;
	uint64_t boots;
	struct demo *other; /* p-ptr: B */
	struct node *first; /* p-ptr */
	uint64_t reserved[4];
	struct node nodes[];
};

static twzobj a, b;

static uint64_t checksum(const struct node *n)
{
	return (n->number * 0x9e3779b97f4a7c15ull) ^ (n->boot << 17) ^ DEMO_MAGIC;
}

static int fail(const char *what, uint64_t where)
{
	kec_printf("demo: DAMAGED: %s (node %lu)\n", what, (unsigned long)where);
	return 1;
}

static int make_object(twzobj *o)
{
	struct demo *d;
	int r = twz_object_new(o, NULL, NULL, OBJECT_FLAGS);

	if (r < 0)
		return r;
	d = twz_object_base(o);
	d->magic = DEMO_MAGIC;
	_clwb_len(d, sizeof(*d));
	_pfence();
	return 0;
}

/* Both objects are whole before the name leads to them. */
static int create(void)
{
	struct demo *d;
	int r = make_object(&a);

	if (r == 0)
		r = make_object(&b);
	if (r == 0) {
		d = twz_object_base(&a);
		r = twz_ptr_store_guid(&a, &d->other, NULL, twz_object_base(&b), ACCESS);
	}
	if (r == 0)
		r = twz_name_assign(twz_object_guid(&a), NAME);
	if (r == 0)
		kec_printf("demo: made %s objects " IDFMT " and " IDFMT "\n",
		    twz_sysinfo()->features & TWZ_FEATURE_STORE ? "persistent" : "volatile",
		    IDPR(twz_object_guid(&a)), IDPR(twz_object_guid(&b)));
	return r;
}

static int open(objid_t id)
{
	struct kernel_ostat st;
	struct demo *d;
	objid_t other;
	int r = (int)sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st);

	if (r == 0)
		r = twz_object_init_guid(&a, id, ACCESS);
	if (r < 0)
		return r;
	d = twz_object_base(&a);
	if (d->magic != DEMO_MAGIC || !d->other)
		return -EINVLOBJ;
	r = twz_vaddr_to_obj(twz_object_lea(&a, d->other), &other, NULL);
	return r < 0 ? r : twz_object_init_guid(&b, other, ACCESS);
}

static uint64_t bump_counter(void)
{
	struct demo *d = twz_object_base(&a);

	d->boots++;
	_clwb(&d->boots);
	_pfence();
	return d->boots;
}

/* Node number n stands in A if n is odd, in B if it is even. */
static twzobj *home(uint64_t n)
{
	return n % 2 ? &a : &b;
}

static struct node *place(uint64_t n)
{
	struct demo *d = twz_object_base(home(n));

	return &d->nodes[(n - 1) / 2];
}

/* Follow the list from its head; 0, or 1 with a message. *count and *last describe it. */
static int walk(uint64_t boots, uint64_t *count, struct node **last)
{
	struct demo *d = twz_object_base(&a);
	struct node *n = twz_object_lea(&a, d->first);
	uint64_t number = 0;

	*last = NULL;
	for (; n; n = twz_object_lea(home(number), n->next)) {
		number++;
		if (n != place(number))
			return fail("a link leads to the wrong place", number);
		if (n->number != number || n->check != checksum(n))
			return fail("a node's bytes are wrong", number);
		if (n->boot > boots || number > boots)
			return fail("the list is longer than the counter", number);
		*last = n;
	}
	*count = number;
	return 0;
}

static int append(uint64_t boots, uint64_t count, struct node *last)
{
	uint64_t number = count + 1;
	struct demo *d = twz_object_base(&a);
	struct node *n = place(number);
	struct node **link = last ? &last->next : &d->first;

	if (number > MAX_NODES)
		return -ENOSPC;
	*n = (struct node){ .number = number, .boot = boots };
	n->check = checksum(n);
	_clwb_len(n, sizeof(*n));
	_pfence();
	return twz_ptr_store_guid(count ? home(count) : &a, link, NULL, n, ACCESS);
}

static void print(uint64_t count)
{
	kec_printf("demo: list has %lu node%s:", (unsigned long)count, count == 1 ? "" : "s");
	for (uint64_t n = 1; n <= count; n++) {
		if (n == SHOWN + 1 && count > 2 * SHOWN) {
			kec_printf(" ...");
			n = count - SHOWN;
			continue;
		}
		kec_printf(" %lu@%c", (unsigned long)n, home(n) == &a ? 'A' : 'B');
	}
	kec_printf("\n");
}

static int open_or_create(void)
{
	objid_t id;
	int r = twz_name_dfl_resolve(NAME, 0, &id);

	if (r == 0)
		r = open(id);
	else if (r == -ENOENT)
		r = create();
	if (r < 0)
		kec_printf("demo: the object named \"" NAME "\" cannot be had (error %d)\n", -r);
	return r;
}

int main(void)
{
	uint64_t boots, count;
	struct node *last;
	int r;

	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE))
		kec_printf("demo: there is no store: what I make is gone at power-off\n");
	if (open_or_create() < 0)
		return 1;
	boots = bump_counter();
	kec_printf("demo: boot counter %lu\n", (unsigned long)boots);
	if (walk(boots, &count, &last))
		return 1;
	r = append(boots, count, last);
	if (r < 0) {
		kec_printf("demo: no node could be added (error %d)\n", -r);
		return 1;
	}
	if (walk(boots, &count, &last))
		return 1;
	print(count);
	return 0;
}
