// SPDX-License-Identifier: BSD-3-Clause
/* Security contexts for guest tests. */
#include "contexts.h"

#include "testlib.h"

int new_context(twzobj *o)
{
	int r = twz_object_new(o, NULL, NULL, OBJ_VOLATILE,
	    TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_USE | TWZ_OC_TIED_NONE);

	return r < 0 ? r : twz_sctx_init(o, "test");
}

int new_open_object(twzobj *o)
{
	return twz_object_new(o, NULL, NULL, OBJ_VOLATILE, ALL_DEFAULTS | TWZ_OC_TIED_NONE);
}

static void limited_thread(void *arg)
{
	struct limited *l = arg;

	l->attached = sys_attach(0, l->context, 0, KSO_SECCTX);
	if (l->attached == 0)
		l->result = l->run(l->arg);
}

uint64_t run_limited(struct limited *l)
{
	l->attached = l->result = -1000000;
	return exit_code_of(limited_thread, l);
}

long with_rights(objid_t target, uint32_t allowed, long (*run)(void *), void *arg)
{
	struct limited l = { .run = run, .arg = arg };
	twzobj context;

	if (new_context(&context) < 0)
		return -1000001;
	l.context = twz_object_guid(&context);
	if (twz_sctx_add_dfl(&context, target, ALL_RIGHTS & ~allowed, NULL, 0) < 0)
		return -1000002;
	uint64_t code = run_limited(&l);
	drop_object(&context);
	return code == 0 ? l.result : -(long)code;
}
