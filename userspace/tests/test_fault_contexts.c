// SPDX-License-Identifier: BSD-3-Clause
/*
 * Faults under security contexts: the active one decides what a handler may be, and stays active.
 */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

static twzobj target;         /* what the strict context takes a right on from */
static twzobj strict, open_to_all;
static volatile int handled;

static bool make_scene(uint32_t withheld)
{
	if (new_open_object(&target) < 0 || new_context(&strict) < 0 || new_context(&open_to_all) < 0)
		return false;
	handled = 0;
	*page_word(&target, 1) = 0;
	return twz_sctx_add_dfl(&strict, twz_object_guid(&target), withheld, NULL, 0) >= 0;
}

static void drop_scene(void)
{
	drop_object(&strict);
	drop_object(&open_to_all);
	drop_object(&target);
}

static uint64_t run_in(twzobj *context, long (*fn)(void *), void *arg, long *result)
{
	struct limited l = { .run = fn, .arg = arg, .context = twz_object_guid(context) };
	uint64_t code = run_limited(&l);

	*result = l.result;
	return code;
}

static void load_null(void)
{
	uintptr_t p = 8;

	__asm__("" : "+r"(p));
	*(volatile uint8_t *)p;
}

static objid_t active_context(void)
{
	objid_t id = 0;

	sys_thrd_ctl(THRD_CTL_GET_ACTIVE, (long)&id);
	return id;
}

/* --- a handler that the active context may not execute is none */

static void skip(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
	handled++;
	twz_frame_skip(twz_fault_frame());
}

static long handler_in_target(void *arg)
{
	twz_thread_repr_base()->faults[FAULT_NULL].addr = *(uintptr_t *)arg;
	load_null();
	return 0;
}

static void code_of_others(void)
{
	uint32_t access = FE_READ | FE_EXEC;
	uintptr_t handler;
	ssize_t slot;
	long result;

	NEED(make_scene(SCP_EXEC));
	slot = twz_view_allocate_slot(NULL, twz_object_guid(&target), access);
	NEED(slot > 0);
	handler = SLOT_TO_VADDR(slot) + OBJ_NULLPAGE_SIZE;
	twz_fault_set(FAULT_NULL, skip, NULL);
	/* Executable, it is entered, and is no instruction. */
	CHECK_EQ(run_in(&open_to_all, handler_in_target, &handler, &result),
	    THRD_EXIT_FAULT(FAULT_EXCEPTION));
	CHECK_EQ(handled, 0);
	/* Not executable, it is passed over. */
	CHECK_EQ(run_in(&strict, handler_in_target, &handler, &result), 0);
	CHECK_EQ(result, 0);
	CHECK_EQ(handled, 1);
	twz_fault_set(FAULT_NULL, NULL, NULL);
	twz_view_release_slot(NULL, twz_object_guid(&target), access, (size_t)slot);
	drop_scene();
}

/* --- no context is switched to reach a stack */

static void raw_skip(int fault, void *info, struct twz_fault_frame *f)
{
	(void)fault;
	(void)info;
	handled++;
	twz_frame_skip(f);
	sys_fault_return(f);
}

static long stack_in_target(void *arg)
{
	struct twzthread_repr *repr = twz_thread_repr_base();
	objid_t active = active_context();

	if (sys_attach(0, twz_object_guid(&open_to_all), 0, KSO_SECCTX) != 0)
		return -1;
	repr->faults[FAULT_NULL] =
	    (struct faultinfo){ .addr = (uintptr_t)raw_skip, .flags = FAULT_ON_STACK };
	repr->fault_stack = (uintptr_t)twz_object_base(&target);
	repr->fault_stack_size = 0x10000;
	if (arg)
		*page_word(&target, 1) = 5; /* this access does switch */
	else if (active_context() != active)
		return -2;
	active = active_context();
	load_null();
	return active_context() == active ? 0 : -3;
}

static void stack_of_others(void)
{
	static int access_first;
	long result;

	NEED(make_scene(SCP_WRITE));
	CHECK_EQ(run_in(&strict, stack_in_target, NULL, &result), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(handled, 0);
	CHECK_EQ(run_in(&strict, stack_in_target, &access_first, &result), 0);
	CHECK_EQ(result, 0);
	CHECK_EQ(handled, 1);
	drop_scene();
}

/* --- the frame names the active context */

static long context_of_frame(void *arg)
{
	objid_t *seen = arg;

	load_null();
	return *seen == active_context() && *seen != 0 ? 0 : -1;
}

static void note_context(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	*(objid_t *)userdata = twz_fault_frame()->sctx;
	twz_frame_skip(twz_fault_frame());
}

static void frame_names_context(void)
{
	objid_t seen = 1;
	long result;

	NEED(make_scene(0));
	twz_fault_set(FAULT_NULL, note_context, &seen);
	load_null();
	CHECK(seen == 0);
	CHECK_EQ(run_in(&open_to_all, context_of_frame, &seen, &result), 0);
	CHECK_EQ(result, 0);
	twz_fault_set(FAULT_NULL, NULL, NULL);
	drop_scene();
}

/* --- an end that the context allows only half of */

static long null_under_limits(void *arg)
{
	(void)arg;
	load_null();
	return 0;
}

static void end_without_view(void)
{
	struct limited l = { .run = null_under_limits };
	twzobj context, view;

	twz_view_object_init(&view);
	NEED(new_context(&context) == 0);
	NEED(twz_sctx_add_dfl(&context, twz_object_guid(&view), SCP_WRITE, NULL, 0) == 0);
	l.context = twz_object_guid(&context);
	CHECK_EQ(run_limited(&l), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(l.attached, 0);
	drop_object(&context);
}

static const struct ktap_case cases[] = {
	{ "a fault ends a thread that may not write its view", end_without_view },
	{ "a handler the context may not execute", code_of_others },
	{ "a fault stack the context may not write", stack_of_others },
	{ "the frame names the context", frame_names_context },
};

int main(void)
{
	return KTAP_RUN(cases);
}
