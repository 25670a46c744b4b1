// SPDX-License-Identifier: BSD-3-Clause
/*
 * What persistent pointers, handles and names cost. As bench_core: with one CPU under instruction
 * counting a nanosecond is an instruction.
 */
#include <base/printf.h>
#include <base/string.h>
#include <twz/obj.h>
#include <twz/obj/hier.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS (FE_READ | FE_WRITE)
#define ROUNDS 20000u
#define NODES 64u

struct node {
	struct node *next;
	uint64_t value;
	struct node *links[6];
};

static int failed;
static twzobj objects[NODES];

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *name, uint64_t ns, uint64_t count)
{
	kec_printf("bench: %s %lu instructions\n", name, (unsigned long)(ns / count));
}

static bool ok(const char *name, int r)
{
	if (r >= 0)
		return true;
	kec_printf("bench: %s failed (error %d)\n", name, -r);
	failed = 1;
	return false;
}

static int new_object(twzobj *o)
{
	return twz_object_new(o, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS);
}

static void drop_object(twzobj *o)
{
	objid_t id = twz_object_guid(o);

	twz_object_release(o);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

/* Walks a ring; what each step costs besides the pointer is in the first row. */
static void walk_raw(struct node *first)
{
	uint64_t start = twz_cpu_counter();
	struct node *n = first;

	for (unsigned i = 0; i < ROUNDS; i++)
		n = *(struct node *volatile *)&n->next;
	report("pointer_hop_raw", ns_since(start), ROUNDS);
}

static void walk_object(const char *name, twzobj *o, struct node *first)
{
	uint64_t start = twz_cpu_counter();
	struct node *n = first;

	for (unsigned i = 0; i < ROUNDS; i++)
		n = twz_object_lea(o, *(struct node *volatile *)&n->next);
	report(name, ns_since(start), ROUNDS);
}

static void walk_ptr(const char *name, struct node *first)
{
	uint64_t start = twz_cpu_counter();
	struct node *n = first;

	for (unsigned i = 0; i < ROUNDS; i++)
		n = twz_ptr_lea(n->next);
	report(name, ns_since(start), ROUNDS);
}

static void local_hops(void)
{
	struct node *n = twz_object_base(&objects[0]);

	for (unsigned i = 0; i < NODES; i++)
		n[i].next = &n[(i + 1) % NODES];
	walk_raw(n);
	for (unsigned i = 0; i < NODES; i++)
		n[i].next = twz_ptr_local(&n[(i + 1) % NODES]);
	walk_object("pointer_hop_local", &objects[0], n);
	walk_ptr("pointer_hop_local_by_lvalue", n);
}

static int link_ring(void)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < NODES; i++) {
		struct node *n = twz_object_base(&objects[i]);

		r = twz_ptr_store_guid(&objects[i], &n->next, &objects[(i + 1) % NODES],
		    (struct node *)OBJ_NULLPAGE_SIZE, ACCESS);
	}
	return r;
}

static void foreign_hops(void)
{
	struct node *n = twz_object_base(&objects[0]);
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < NODES; i++)
		n = twz_ptr_lea(n->next);
	report("pointer_foreign_first", ns_since(start), NODES);
	walk_ptr("pointer_hop_foreign_by_lvalue", n);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < ROUNDS; i++)
		(void)*(void *volatile *)twz_object_lea(&objects[0],
		    *(struct node *volatile *)&((struct node *)twz_object_base(&objects[0]))->next);
	report("pointer_foreign_cached", ns_since(start), ROUNDS);
}

static void stores(void)
{
	struct node *n = twz_object_base(&objects[0]);
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < ROUNDS / 10; i++)
		twz_ptr_store_guid(&objects[0], &n->links[0], NULL, &n->value, ACCESS);
	report("pointer_store_local", ns_since(start), ROUNDS / 10);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < ROUNDS / 10; i++)
		twz_ptr_store_guid(&objects[0], &n->links[1], &objects[1], (void *)0x1000, ACCESS);
	report("pointer_store_foreign", ns_since(start), ROUNDS / 10);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < 1000; i++)
		twz_object_addfot(&objects[2], MKID(77, i + 1), FE_READ);
	report("fot_add", ns_since(start), 1000);
}

/* Adding what is there already, in FOTs of several sizes. */
static void find_entries(unsigned count)
{
	char name[40];
	uint64_t start;
	twzobj o;

	if (!ok("fot_find", new_object(&o)))
		return;
	for (unsigned i = 0; i < count; i++)
		twz_object_addfot(&o, MKID(99, i + 1), FE_READ);
	twz_object_addfot(&o, MKID(99, 1), FE_READ);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < 1000; i++)
		twz_object_addfot(&o, MKID(99, (i * 7919) % count + 1), FE_READ);
	snprintf(name, sizeof(name), "fot_find_of_%u", count);
	report(name, ns_since(start), 1000);
	drop_object(&o);
}

static void handles(void)
{
	objid_t id = twz_object_guid(&objects[5]);
	uint64_t start = twz_cpu_counter();
	twzobj h;

	for (unsigned i = 0; i < 1000; i++) {
		twz_object_init_guid(&h, id, FE_READ);
		twz_object_release(&h);
	}
	report("handle_open_release", ns_since(start), 1000);
}

static void names(unsigned count)
{
	struct twz_name_ent ent;
	char name[40];
	uint64_t start;
	twzobj ns;

	if (!ok("names", new_object(&ns)) || !ok("names", twz_hier_namespace_init(&ns, 0)))
		return;
	start = twz_cpu_counter();
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "name%u", i);
		twz_hier_assign_name(&ns, name, NAME_ENT_REGULAR, MKID(5, i + 1));
	}
	snprintf(name, sizeof(name), "name_assign_%u", count);
	report(name, ns_since(start), count);
	twz_hier_resolve_name(&ns, "name0", 0, &ent);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "name%u", i * 7 % count);
		twz_hier_resolve_name(&ns, name, 0, &ent);
	}
	snprintf(name, sizeof(name), "name_resolve_%u", count);
	report(name, ns_since(start), 200);
	drop_object(&ns);
}

int main(void)
{
	for (unsigned i = 0; i < NODES; i++)
		if (!ok("objects", new_object(&objects[i])))
			return 1;
	local_hops();
	if (ok("link_ring", link_ring()))
		foreign_hops();
	stores();
	find_entries(10);
	find_entries(1000);
	find_entries(100000);
	handles();
	names(10);
	names(5000);
	for (unsigned i = 0; i < NODES; i++)
		drop_object(&objects[i]);
	return failed;
}
