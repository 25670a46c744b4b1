// SPDX-License-Identifier: BSD-3-Clause
/* Shared steps of the guest tests. */
#include "ktap.h"
#include "testlib.h"

int new_object(twzobj *o)
{
	return twz_object_new(o, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS);
}

void drop_object(twzobj *o)
{
	objid_t id = twz_object_guid(o);

	twz_object_release(o);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

long create_from(objid_t *id, const struct twz_ocreate_source *sources, size_t count,
    uint32_t flags, uint16_t backing)
{
	struct twz_ocreate_spec spec = {
		.srcs = (uintptr_t)sources,
		.srcs_len = count,
		.flags = flags,
		.backing_type = backing,
	};
	long r = sys_ocreate2(&spec);

	*id = spec.result;
	return r;
}

struct twz_ocreate_source page_range(objid_t id, uint64_t start, uint64_t count, uint64_t dest)
{
	return (struct twz_ocreate_source){
		.id = id,
		.start = start * TWZ_PAGE_SIZE,
		.length = count * TWZ_PAGE_SIZE,
		.dest = dest * TWZ_PAGE_SIZE,
	};
}

volatile uint64_t *page_word(twzobj *o, uint64_t pgnr)
{
	return (uint64_t *)((char *)twz_object_base(o) + (pgnr - 1) * TWZ_PAGE_SIZE);
}

bool object_exists(objid_t id)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0;
}

bool object_goes(objid_t id)
{
	uint64_t end = twz_clock_ns() + 10000 * NS_PER_MS;

	while (object_exists(id)) {
		if (twz_clock_ns() > end)
			return false;
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
	return true;
}

uint64_t memory_free(void)
{
	struct twz_sysinfo si;
	uint64_t most = 0;

	for (int i = 0; i < 10; i++) {
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
		sys_sysinfo(&si, sizeof(si));
		most = si.mem_free > most ? si.mem_free : most;
	}
	return most;
}

bool have_store(void)
{
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		return true;
	ktap_skip("no store");
	return false;
}

int run_thread_in(struct thread *t, objid_t view, void (*fn)(void *), void *arg)
{
	struct thrd_spawn_args a = {
		.target_view = view,
		.start_func = (uintptr_t)fn,
		.arg = (uintptr_t)arg,
	};

	return twz_thread_spawn(t, &a);
}

int run_thread(struct thread *t, void (*fn)(void *), void *arg)
{
	return run_thread_in(t, 0, fn, arg);
}

uint64_t finish_thread(struct thread *t)
{
	uint64_t code = ~0ull;

	if (twz_thread_join(t, &code, PATIENCE_NS) < 0)
		code = ~0ull;
	twz_thread_release(t);
	return code;
}

uint64_t exit_code_of(void (*fn)(void *), void *arg)
{
	struct thread t;

	return run_thread(&t, fn, arg) < 0 ? ~0ull : finish_thread(&t);
}

static void nothing(void *arg)
{
	(void)arg;
}

/* -ENOTSUP where all threads of a program are in one view. */
static int try_view(twzobj *v)
{
	static bool tried;
	struct thread t;
	int r = tried ? 0 : run_thread_in(&t, twz_object_guid(v), nothing, NULL);

	if (r == 0 && !tried)
		finish_thread(&t);
	tried = r == 0;
	return r;
}

int new_view(twzobj *v)
{
	int r = new_object(v);

	if (r < 0)
		return r;
	r = twz_view_clone(NULL, v, VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP, NULL);
	if (r == 0)
		r = try_view(v);
	if (r < 0)
		drop_object(v);
	return r;
}

objid_t missing_id(void)
{
	return MKID(0x1badbadbadbadbadull, 0xfeedfeedfeedfeedull);
}

static void note_info(int fault, void *info, void *userdata)
{
	(void)fault;
	*(int *)userdata = (int)((struct fault_pptr_info *)info)->info;
}

int thrown_by(void (*fn)(void *), void *arg)
{
	int info = -1;

	twz_fault_set(FAULT_PPTR, note_info, &info);
	fn(arg);
	twz_fault_set(FAULT_PPTR, NULL, NULL);
	return info;
}
