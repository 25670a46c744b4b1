// SPDX-License-Identifier: BSD-3-Clause
/*
 * What the basic operations cost. Meant for the emulator's instruction counting with one CPU,
 * where a nanosecond of guest time is an instruction; elsewhere the figures are nanoseconds.
 * Each figure is the mean of a batch, because the counter may tick only every 100 instructions.
 */
#include <base/string.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/fault.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>
#include <twz/sys/thread.h>
#include <twz/sys/view.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define ACCESS (FE_READ | FE_WRITE)
#define WORDS_PER_PAGE (TWZ_PAGE_SIZE / sizeof(uint64_t))
#define MIB (1ul << 20)

static int failed;

static uint64_t ns_since(uint64_t start)
{
	uint64_t ticks = twz_cpu_counter() - start;

	return ticks * (1000000000u / 1000) / (twz_sysinfo()->timer_hz / 1000);
}

static void report(const char *name, uint64_t ns, uint64_t count)
{
	kec_printf("bench: %s %lu instructions\n", name, (unsigned long)(ns / count));
}

/* Says what did not work; the figure is then missing. */
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

static int new_view(twzobj *view)
{
	int r = new_object(view);

	return r < 0 ? r : twz_view_clone(NULL, view, VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP, NULL);
}

static void null_syscall(void)
{
	enum { COUNT = 10000 };
	uint64_t start = twz_cpu_counter();

	for (int i = 0; i < COUNT; i++)
		sys_null();
	report("null_syscall", ns_since(start), COUNT);
}

static void clock_read(void)
{
	enum { COUNT = 10000 };
	uint64_t start = twz_cpu_counter();

	for (int i = 0; i < COUNT; i++)
		twz_clock_ns();
	report("clock_read", ns_since(start), COUNT);
}

/* --- faults and protected calls */

static void load_null(void)
{
	uintptr_t p = 8;

	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p;
}

/* Entered by the kernel, and back through it. */
static void skip_raw(int fault, void *info, struct twz_fault_frame *f)
{
	(void)fault;
	(void)info;
	twz_frame_skip(f);
	sys_fault_return(f);
}

static void skip(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	twz_frame_skip(twz_fault_frame());
}

static void take_faults(const char *name)
{
	enum { COUNT = 2000 };
	uint64_t start;

	load_null();
	start = twz_cpu_counter();
	for (int i = 0; i < COUNT; i++)
		load_null();
	report(name, ns_since(start), COUNT);
}

static void fault_round_trips(void)
{
	struct faultinfo *own = &twz_thread_repr_base()->faults[FAULT_NULL];

	own->addr = (uintptr_t)skip_raw;
	take_faults("fault_round_trip");
	own->addr = 0;
	twz_fault_set(FAULT_NULL, skip, NULL);
	take_faults("fault_handler_function");
	twz_fault_set(FAULT_NULL, NULL, NULL);
}

static void callee(void)
{
	sys_become_return(1, 0, 0, 0, 0);
}

static void become_and_return(const char *name, objid_t view)
{
	enum { COUNT = 2000 };
	static _Alignas(16) char stack[4096];
	struct sys_become_args args = {
		.target_view = view,
		.target_ip = (uintptr_t)callee,
		.target_sp = (uintptr_t)stack + sizeof(stack),
	};
	uint64_t start;

	if (!ok(name, (int)sys_become(&args, 0, 0)))
		return;
	start = twz_cpu_counter();
	for (int i = 0; i < COUNT; i++)
		sys_become(&args, 0, 0);
	report(name, ns_since(start), COUNT);
}

/* A service has a thread in its view, which keeps the address space there. */
static void wait_for_word(void *word)
{
	while (__atomic_load_n((uint64_t *)word, __ATOMIC_ACQUIRE) == 0)
		twz_thread_sync(THREAD_SYNC_SLEEP, word, 0, NULL);
}

static void call_service(twzobj *view)
{
	atomic_ulong word = 0;
	struct thrd_spawn_args a = {
		.target_view = twz_object_guid(view),
		.start_func = (uintptr_t)wait_for_word,
		.arg = (uintptr_t)&word,
	};
	struct thread service;

	if (!ok("become_other_view_and_return", twz_thread_spawn(&service, &a)))
		return;
	sys_thrd_ctl(THRD_CTL_YIELD, 0);
	become_and_return("become_other_view_and_return", a.target_view);
	atomic_store(&word, 1);
	twz_thread_sync(THREAD_SYNC_WAKE, &word, (uint64_t)-1, NULL);
	twz_thread_join(&service, NULL, 0);
	twz_thread_release(&service);
}

static void protected_calls(void)
{
	twzobj view;

	become_and_return("become_and_return", 0);
	if (!ok("become_other_view_and_return", new_view(&view)))
		return;
	call_service(&view);
	drop_object(&view);
}

/* --- two threads that hand a word back and forth */

#define ROUNDS 2000

struct table {
	atomic_ulong turn;
};

static void play(struct table *t, uint64_t me)
{
	for (int i = 0; i < ROUNDS; i++) {
		while (atomic_load(&t->turn) != me)
			twz_thread_sync(THREAD_SYNC_SLEEP, &t->turn, 1 - me, NULL);
		atomic_store(&t->turn, 1 - me);
		twz_thread_sync(THREAD_SYNC_WAKE, &t->turn, 1, NULL);
	}
}

static void other(void *arg)
{
	play(arg, 1);
}

static void round_trip(const char *name, objid_t view, struct table *table)
{
	struct thrd_spawn_args a = {
		.target_view = view,
		.start_func = (uintptr_t)other,
		.arg = (uintptr_t)table,
	};
	struct thread t;
	uint64_t start;

	atomic_store(&table->turn, 0);
	if (!ok(name, twz_thread_spawn(&t, &a)))
		return;
	start = twz_cpu_counter();
	play(table, 0);
	report(name, ns_since(start), ROUNDS);
	twz_thread_join(&t, NULL, 0);
	twz_thread_release(&t);
}

static void round_trips(void)
{
	static struct table table;
	twzobj view;

	round_trip("thread_sync_round_trip", 0, &table);
	if (!ok("thread_sync_round_trip_two_views", new_view(&view)))
		return;
	round_trip("thread_sync_round_trip_two_views", twz_object_guid(&view), &table);
	drop_object(&view);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void create_and_join(void)
{
	enum { COUNT = 100 };
	struct thrd_spawn_args a = { .start_func = (uintptr_t)nothing };
	uint64_t start = twz_cpu_counter();
	struct thread t;

	for (int i = 0; i < COUNT; i++) {
		if (!ok("thread_create_join", twz_thread_spawn(&t, &a)))
			return;
		twz_thread_join(&t, NULL, 0);
		twz_thread_release(&t);
	}
	report("thread_create_join", ns_since(start), COUNT);
}

/* --- memory */

static void first_touch(void)
{
	enum { COUNT = 2048 };
	volatile uint64_t *base;
	uint64_t start;
	twzobj o;

	if (!ok("first_touch", new_object(&o)))
		return;
	base = twz_object_base(&o);
	base[0] = 1;
	start = twz_cpu_counter();
	for (uint64_t p = 1; p <= COUNT; p++)
		base[p * WORDS_PER_PAGE] = p;
	report("first_touch", ns_since(start), COUNT);
	drop_object(&o);
}

static void create_and_delete(void)
{
	enum { COUNT = 100 };
	uint64_t start = twz_cpu_counter();
	objid_t id;

	for (int i = 0; i < COUNT; i++) {
		if (!ok("create_delete", twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id)))
			return;
		twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
	}
	report("create_delete", ns_since(start), COUNT);
}

static void map_touch_unmap(void)
{
	enum { COUNT = 1000 };
	uint64_t start;
	twzobj o, h;
	objid_t id;

	if (!ok("map_touch_unmap", new_object(&o)))
		return;
	id = twz_object_guid(&o);
	*(volatile uint64_t *)twz_object_base(&o) = 1;
	start = twz_cpu_counter();
	for (int i = 0; i < COUNT; i++) {
		twz_object_init_guid(&h, id, FE_READ);
		*(volatile uint64_t *)twz_object_base(&h);
		twz_object_release(&h);
	}
	report("map_touch_unmap", ns_since(start), COUNT);
	drop_object(&o);
}

struct visit {
	volatile uint64_t *base;
	uint64_t pages;
	uint64_t first_ns;
	uint64_t all_ns;
	uint64_t faults;
};

static void visit_object(void *arg)
{
	struct visit *v = arg;
	volatile uint64_t *base = v->base;
	uint64_t pages = v->pages, start;
	struct twz_thread_stats before, after;

	ns_since(twz_cpu_counter());
	sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&after);
	sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&before);
	start = twz_cpu_counter();
	base[0];
	v->first_ns = ns_since(start);
	for (uint64_t p = 0; p < pages; p++)
		base[p * WORDS_PER_PAGE];
	v->all_ns = ns_since(start);
	sys_thrd_ctl(THRD_CTL_GET_STATS, (long)&after);
	v->faults = after.faults - before.faults;
}

static int visit_in_new_view(struct visit *v)
{
	struct thrd_spawn_args a = { .start_func = (uintptr_t)visit_object, .arg = (uintptr_t)v };
	struct thread t;
	twzobj view;
	int r = new_view(&view);

	if (r < 0)
		return r;
	a.target_view = twz_object_guid(&view);
	r = twz_thread_spawn(&t, &a);
	if (r == 0) {
		twz_thread_join(&t, NULL, 0);
		twz_thread_release(&t);
	}
	drop_object(&view);
	return r;
}

/* What a second view pays for an object of 256 MiB that a first one has touched. */
static void second_view(void)
{
	struct visit v = { .pages = 256 * MIB / TWZ_PAGE_SIZE };
	struct twz_sysinfo si;
	twzobj o;

	sys_sysinfo(&si, sizeof(si));
	if (si.mem_free < 320 * MIB) {
		kec_printf("bench: second_view_256MiB left out: under 320 MiB of memory free\n");
		return;
	}
	if (!ok("second_view_256MiB", new_object(&o)))
		return;
	v.base = twz_object_base(&o);
	for (uint64_t p = 0; p < v.pages; p++)
		v.base[p * WORDS_PER_PAGE] = p;
	if (ok("second_view_256MiB", visit_in_new_view(&v))) {
		report("second_view_256MiB_first_touch", v.first_ns, 1);
		report("second_view_256MiB_all_pages", v.all_ns, 1);
		kec_printf("bench: second_view_256MiB_faults %lu faults\n",
		    (unsigned long)v.faults);
	}
	drop_object(&o);
}

/* --- persistence */

static int persistent_round(void)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS);

	if (r < 0)
		return r;
	memset(twz_object_base(&o), 0x5a, TWZ_PAGE_SIZE);
	_clwb_len(twz_object_base(&o), TWZ_PAGE_SIZE);
	_pfence();
	drop_object(&o);
	return 0;
}

static void persistent_objects(void)
{
	enum { COUNT = 100 };
	uint64_t start = twz_cpu_counter();

	for (int i = 0; i < COUNT; i++)
		if (!ok("persistent_create_write_delete", persistent_round()))
			return;
	report("persistent_create_write_delete", ns_since(start), COUNT);
}

static void durable_overwrite(void)
{
	enum { COUNT = 1000 };
	uint64_t *base, start;
	twzobj o;

	if (!ok("durable_overwrite_64", twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS)))
		return;
	base = twz_object_base(&o);
	base[0] = 1;
	start = twz_cpu_counter();
	for (uint64_t i = 0; i < COUNT; i++) {
		for (int w = 0; w < 8; w++)
			((volatile uint64_t *)base)[w] = i;
		_clwb_len(base, 64);
		_pfence();
	}
	report("durable_overwrite_64", ns_since(start), COUNT);
	drop_object(&o);
}

int main(void)
{
	null_syscall();
	clock_read();
	fault_round_trips();
	protected_calls();
	round_trips();
	create_and_join();
	create_and_delete();
	first_touch();
	map_touch_unmap();
	second_view();
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE) {
		persistent_objects();
		durable_overwrite();
	} else {
		kec_printf("bench: persistence left out: no store\n");
	}
	return failed;
}
