// SPDX-License-Identifier: BSD-3-Clause
/*
 * What operations on persistent objects cost, next to the same on volatile ones. As bench_core:
 * meant for instruction counting with one CPU, each figure the mean of a batch.
 */
#include <base/string.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>

#define DFL (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)
#define UNTIED (DFL | TWZ_OC_TIED_NONE)
#define COUNT 200ul
#define WORDS_PER_PAGE (TWZ_PAGE_SIZE / sizeof(uint64_t))

static objid_t ids[COUNT];
static int failed;

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *kind, const char *name, uint64_t ns, uint64_t count)
{
	kec_printf("bench: %s%s %lu instructions\n", kind, name, (unsigned long)(ns / count));
}

static bool ok(const char *name, int r)
{
	if (r >= 0)
		return true;
	kec_printf("bench: %s failed (error %d)\n", name, -r);
	failed = 1;
	return false;
}

static const char *kind_of(enum object_backing_type type)
{
	return type == OBJ_PERSISTENT ? "store_" : "memory_";
}

static void drop_object(twzobj *o)
{
	objid_t id = twz_object_guid(o);

	twz_object_release(o);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

static void create_delete(enum object_backing_type type)
{
	int flags = UNTIED | (type == OBJ_PERSISTENT ? TWZ_OC_PERSIST : TWZ_OC_VOLATILE);
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < COUNT; i++)
		if (!ok("create", twz_object_create(flags, 0, 0, &ids[i])))
			return;
	report(kind_of(type), "create", ns_since(start), COUNT);
	start = twz_cpu_counter();
	for (unsigned i = 0; i < COUNT; i++)
		twz_object_delete_guid(ids[i], 0);
	report(kind_of(type), "delete", ns_since(start), COUNT);
}

static void create_tied(void)
{
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < COUNT; i++) {
		if (!ok("create_tied", twz_object_create(DFL | TWZ_OC_VOLATILE, 0, 0, &ids[i])))
			return;
		twz_object_tie_guid(twz_thread_id(), ids[i], TIE_UNTIE);
	}
	report("memory_", "create_tied_untie", ns_since(start), COUNT);
}

static void write_pages(volatile uint64_t *base, uint64_t value)
{
	for (uint64_t p = 1; p <= COUNT; p++)
		base[p * WORDS_PER_PAGE] = value;
}

/* First writes of an object's pages, then of those it shares with a copy. */
static void first_writes(enum object_backing_type type)
{
	uint64_t start;
	twzobj o, copy;

	if (!ok("first_write", twz_object_new(&o, NULL, NULL, type, UNTIED)))
		return;
	((volatile uint64_t *)twz_object_base(&o))[0] = 1;
	start = twz_cpu_counter();
	write_pages(twz_object_base(&o), 1);
	report(kind_of(type), "first_write", ns_since(start), COUNT);
	start = twz_cpu_counter();
	if (!ok("copy", twz_object_new(&copy, &o, NULL, type, UNTIED))) {
		drop_object(&o);
		return;
	}
	report(kind_of(type), "copy_of_200_pages", ns_since(start), 1);
	((volatile uint64_t *)twz_object_base(&copy))[0] = 1;
	start = twz_cpu_counter();
	write_pages(twz_object_base(&copy), 2);
	report(kind_of(type), "write_after_copy", ns_since(start), COUNT);
	drop_object(&copy);
	drop_object(&o);
}

static int durable_round(void)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, UNTIED);

	if (r < 0)
		return r;
	memset(twz_object_base(&o), 0x5a, TWZ_PAGE_SIZE);
	_clwb_len(twz_object_base(&o), TWZ_PAGE_SIZE);
	_pfence();
	drop_object(&o);
	return 0;
}

static void create_write_durable_delete(void)
{
	uint64_t start = twz_cpu_counter();

	for (unsigned i = 0; i < COUNT; i++)
		if (!ok("create_write_durable_delete", durable_round()))
			return;
	report("store_", "create_write_durable_delete", ns_since(start), COUNT);
}

/* `step` bytes apart: 0 overwrites one place, a page appends. Each write is durable by itself. */
static void durable_writes(const char *name, uint64_t step, uint64_t length)
{
	uint64_t start;
	char *base;
	twzobj o;

	if (!ok(name, twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, UNTIED)))
		return;
	base = twz_object_base(&o);
	*(volatile char *)base = 1;
	start = twz_cpu_counter();
	for (uint64_t i = 0; i < COUNT; i++) {
		memset(base + i * step, (int)i, length);
		_clwb_len(base + i * step, length);
		_pfence();
	}
	report("store_", name, ns_since(start), COUNT);
	drop_object(&o);
}

/* There and back again, with 200 pages. */
static void change_backing(void)
{
	uint64_t start;
	twzobj o;

	if (!ok("make_persistent", twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, UNTIED)))
		return;
	write_pages(twz_object_base(&o), 1);
	start = twz_cpu_counter();
	if (ok("make_persistent", twz_object_ctl(&o, OCO_PERSIST, 1)))
		report("store_", "make_persistent_200_pages", ns_since(start), 1);
	start = twz_cpu_counter();
	if (ok("make_volatile", twz_object_ctl(&o, OCO_PERSIST, 0)))
		report("store_", "make_volatile_200_pages", ns_since(start), 1);
	drop_object(&o);
}

static void hash_data(void)
{
	uint64_t start;
	twzobj o, h;

	if (!ok("hash_data", twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, UNTIED)))
		return;
	write_pages(twz_object_base(&o), 1);
	start = twz_cpu_counter();
	if (ok("hash_data", twz_object_new(&h, &o, NULL, OBJ_VOLATILE,
	    TWZ_OC_HASHDATA | TWZ_OC_DFL_READ | TWZ_OC_TIED_NONE))) {
		report("memory_", "hash_data_of_200_pages", ns_since(start), 1);
		drop_object(&h);
	}
	drop_object(&o);
}

int main(void)
{
	create_delete(OBJ_VOLATILE);
	create_tied();
	first_writes(OBJ_VOLATILE);
	hash_data();
	if (!(twz_sysinfo()->features & TWZ_FEATURE_STORE)) {
		kec_printf("bench: persistence left out: no store\n");
		return failed;
	}
	create_delete(OBJ_PERSISTENT);
	first_writes(OBJ_PERSISTENT);
	create_write_durable_delete();
	durable_writes("durable_overwrite", 0, TWZ_PAGE_SIZE);
	durable_writes("durable_append", TWZ_PAGE_SIZE, TWZ_PAGE_SIZE);
	change_backing();
	return failed;
}
