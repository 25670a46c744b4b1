// SPDX-License-Identifier: BSD-3-Clause
/* libtwz: pointers, walks, opening an object. */
/* The C library's headers come first: see twz/_types.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "ours.h"

struct node {
	struct node *next; /* p-ptr */
	uint64_t value;
	uint64_t rest[6];
};

_Static_assert(sizeof(struct node) == 64, "one line a node");

static twzobj objects[2];
static struct node *start;

void ours_new(twzobj *o)
{
	must(twz_object_new(o, NULL, NULL, OBJ_PERSISTENT, OBJECT_FLAGS) == 0, "twz_object_new");
}

void ours_drop(twzobj *o)
{
	objid_t id;

	if (!o->base)
		return;
	id = twz_object_guid(o);
	twz_object_release(o);
	must(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE) == 0, "twz_object_delete");
}

static struct node *node_at(int part, size_t index)
{
	return (struct node *)twz_object_base(&objects[part]) + index;
}

static bool make_ring(size_t count, int parts)
{
	uint32_t *order = shuffled(count);

	for (int i = 0; i < parts; i++) {
		ours_new(&objects[i]);
		memset(twz_object_base(&objects[i]), 0, count * sizeof(struct node));
	}
	for (size_t i = 0; i < count; i++) {
		size_t after = (i + 1) % count;
		int part = (int)(i % (size_t)parts);
		struct node *n = node_at(part, order[i]);

		n->next = twz_ptr_swizzle(&objects[part],
		    node_at((int)(after % (size_t)parts), order[after]), ACCESS);
		n->value = order[i];
	}
	start = node_at(0, order[0]);
	free(order);
	return true;
}

/* All in one object: its handle is at hand. */
static double hop_local(uint32_t hops)
{
	uint64_t sum = 0;
	struct node *n = start;
	double from = cpu_ns();

	for (uint32_t i = 0; i < hops; i++) {
		sum += n->value;
		n = twz_object_lea(&objects[0], n->next);
	}
	sink = sum;
	return (cpu_ns() - from) / hops;
}

/* From object to object: the pointer alone is known. */
static double hop_foreign(uint32_t hops)
{
	uint64_t sum = 0;
	struct node *n = start;
	double from = cpu_ns();

	for (uint32_t i = 0; i < hops; i++) {
		sum += n->value;
		n = twz_ptr_lea(n->next);
	}
	sink = sum;
	return (cpu_ns() - from) / hops;
}

static bool begin_list(void)
{
	return make_ring(LIST_SMALL, 1);
}

static bool begin_two(void)
{
	return make_ring(LIST_SMALL, 2);
}

static bool begin_large(void)
{
	return make_ring(LIST_LARGE, 1);
}

static bool begin_two_large(void)
{
	return make_ring(LIST_LARGE, 2);
}

static double run_list(void)
{
	return hop_local(HOPS);
}

static double run_large(void)
{
	return hop_local(HOPS_LARGE);
}

static double run_two(void)
{
	return hop_foreign(HOPS);
}

static double run_two_large(void)
{
	return hop_foreign(HOPS_LARGE);
}

static void end_list(void)
{
	ours_drop(&objects[0]);
	ours_drop(&objects[1]);
}

const struct contender ours_list = { "ours", begin_list, run_list, end_list };
const struct contender ours_list_two = { "ours", begin_two, run_two, end_list };
const struct contender ours_list_large = { "ours", begin_large, run_large, end_list };
const struct contender ours_list_two_large = { "ours", begin_two_large, run_two_large, end_list };

/* --- open an object, follow its pointer into another, read there, close: nothing is cached */

#define FIRSTS 2000u

static objid_t both[2];

static bool begin_first(void)
{
	make_ring(LIST_SMALL, 2);
	start = (struct node *)((char *)start - (uintptr_t)twz_object_base(&objects[0]));
	for (int i = 0; i < 2; i++) {
		both[i] = twz_object_guid(&objects[i]);
		twz_object_release(&objects[i]);
	}
	return true;
}

static double run_first(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < FIRSTS; i++) {
		const struct node *n;
		twzobj o;

		must(twz_object_init_guid(&o, both[0], ACCESS) == 0, "twz_object_init_guid");
		n = (struct node *)((char *)twz_object_base(&o) + (uintptr_t)start);
		n = twz_object_lea(&o, n->next);
		sink = n->value;
		twz_object_release(&o);
	}
	return (cpu_ns() - from) / FIRSTS;
}

static void end_first(void)
{
	twz_object_delete_guid(both[0], TWZ_OD_IMMEDIATE);
	twz_object_delete_guid(both[1], TWZ_OD_IMMEDIATE);
}

const struct contender ours_first = { "ours", begin_first, run_first, end_first };

/* --- one pointer stored durably */

#define STORES 200000u

static double stores(struct node *target)
{
	struct node *nodes = twz_object_base(&objects[0]);
	double from = cpu_ns();

	for (uint32_t i = 0; i < STORES; i++)
		twz_ptr_store_guid(&objects[0], &nodes[i % LIST_SMALL].next, NULL, target, ACCESS);
	return (cpu_ns() - from) / STORES;
}

static double run_store(void)
{
	return stores(twz_object_base(&objects[0]));
}

static double run_store_foreign(void)
{
	return stores(twz_object_base(&objects[1]));
}

const struct contender ours_store = { "ours", begin_list, run_store, end_list };
const struct contender ours_store_foreign = { "ours", begin_two, run_store_foreign, end_list };

/* --- open by ID, read a word, close */

#define OPENS 5000u

static objid_t closed;

static bool begin_open(void)
{
	ours_new(&objects[0]);
	*(uint64_t *)twz_object_base(&objects[0]) = 1;
	closed = twz_object_guid(&objects[0]);
	twz_object_release(&objects[0]);
	return true;
}

static double run_open(void)
{
	double from = cpu_ns();

	for (uint32_t i = 0; i < OPENS; i++) {
		twzobj o;

		must(twz_object_init_guid(&o, closed, ACCESS) == 0, "twz_object_init_guid");
		sink = *(uint64_t *)twz_object_base(&o);
		twz_object_release(&o);
	}
	return (cpu_ns() - from) / OPENS;
}

static void end_open(void)
{
	twz_object_delete_guid(closed, TWZ_OD_IMMEDIATE);
}

const struct contender ours_open = { "ours", begin_open, run_open, end_open };

/* --- the same, every time another object, that this process has not opened yet */

#define NEWCOMERS 500u

static objid_t newcomers[NEWCOMERS];

static double run_newcomers(void)
{
	double from, spent;

	for (uint32_t i = 0; i < NEWCOMERS; i++)
		must(twz_object_create(OBJECT_FLAGS | TWZ_OC_PERSIST, 0, closed, &newcomers[i]) == 0,
		    "twz_object_create");
	from = cpu_ns();
	for (uint32_t i = 0; i < NEWCOMERS; i++) {
		twzobj o;

		must(twz_object_init_guid(&o, newcomers[i], ACCESS) == 0, "twz_object_init_guid");
		sink = *(uint64_t *)twz_object_base(&o);
		twz_object_release(&o);
	}
	spent = (cpu_ns() - from) / NEWCOMERS;
	for (uint32_t i = 0; i < NEWCOMERS; i++)
		twz_object_delete_guid(newcomers[i], TWZ_OD_IMMEDIATE);
	return spent;
}

const struct contender ours_open_first = { "ours", begin_open, run_newcomers, end_open };
