// SPDX-License-Identifier: BSD-3-Clause
/* Blocks that catch faults: a list a thread, innermost first. See twz/twztry.h. */
#include "fault.h"

static __thread struct __twz_try *innermost;
__thread struct twz_tx_run *__twz_tx_innermost;

/* Of the fault that was caught last. */
static __thread int caught_fault;
static __thread _Alignas(16) char caught_data[TWZCATCH_DATA_MAX];

int twzcatch_fnum(void)
{
	return caught_fault;
}

void *twzcatch_data(void)
{
	return caught_data;
}

bool twz_try_is_active(void)
{
	return innermost;
}

void *__twz_try_begin(struct __twz_try *t)
{
	t->outer = innermost;
	t->tx = __twz_tx_innermost;
	t->frame = twz_fault_frame();
	t->fault = -1;
	t->caught = false;
	innermost = t;
	return t->regs;
}

bool __twz_try_catch(struct __twz_try *t, int fault)
{
	t->caught = fault == -1 || fault == t->fault;
	return t->caught;
}

/* A block that faulted is off the list already. */
void __twz_try_end(struct __twz_try *t)
{
	if (t->fault < 0)
		innermost = t->outer;
	else if (!t->caught)
		twzcatch_propagate(t->fault, caught_data);
}

void __twz_try_unwind(int fault, const void *info, size_t length)
{
	struct __twz_try *t = innermost;

	if (!t)
		return;
	memmove(caught_data, info, length < TWZCATCH_DATA_MAX ? length : TWZCATCH_DATA_MAX);
	caught_fault = fault;
	innermost = t->outer;
	__twz_tx_innermost = t->tx;
	t->fault = fault;
	__twz_fault_set_frame(t->frame);
	__twz_try_load(t->regs, 1);
}

_Noreturn void twzcatch_propagate(int f, void *data)
{
	__twz_try_unwind(f, data, __twz_fault_info_size(f, data));
	__twz_fault_uncaught(f, data);
}
