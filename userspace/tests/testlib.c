// SPDX-License-Identifier: BSD-3-Clause
/* Shared steps of the guest tests. */
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

int new_view(twzobj *v)
{
	int r = new_object(v);

	return r < 0 ? r : twz_view_clone(NULL, v, VIEW_CLONE_ENTRIES | VIEW_CLONE_BITMAP, NULL);
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
