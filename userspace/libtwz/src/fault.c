// SPDX-License-Identifier: BSD-3-Clause
/* Faults in software: the table of handlers and what happens without one. */
#include "runtime.h"

#include <twz/debug.h>

struct fault_handler {
	void (*fn)(int, void *, void *);
	void *userdata;
};

static struct mutex table_lock;
static struct fault_handler table[NUM_FAULTS];

static struct fault_handler handler_of(int fault)
{
	struct fault_handler h;

	mutex_acquire(&table_lock);
	h = table[fault];
	mutex_release(&table_lock);
	return h;
}

int twz_fault_set(int fault, void (*fn)(int, void *, void *), void *userdata)
{
	if (fault < 0 || fault >= NUM_FAULTS || fault == FAULT_FAULT)
		return -EINVAL;
	mutex_acquire(&table_lock);
	table[fault] = (struct fault_handler){ fn, userdata };
	mutex_release(&table_lock);
	return 0;
}

void *twz_fault_get_userdata(int fault)
{
	return fault < 0 || fault >= NUM_FAULTS ? NULL : handler_of(fault).userdata;
}

static void report(int fault, const void *info)
{
	const struct fault_pptr_info *p = info;
	const struct fault_object_info *o = info;

	if (fault == FAULT_PPTR)
		debug_printf("unhandled pointer fault: object " IDFMT " entry %lu pointer %lx: "
			     "reason %u, error %d\n", IDPR(p->objid), (unsigned long)p->fote,
		    (unsigned long)p->ptr, p->info, (int)p->retval);
	else if (fault == FAULT_OBJECT)
		debug_printf("unhandled object fault: address %lx flags %lx\n",
		    (unsigned long)o->addr, (unsigned long)o->flags);
	else
		debug_printf("unhandled fault %d\n", fault);
}

static void dispatch(int fault, void *info, void (*fn)(int, void *, void *), void *userdata)
{
	if (fn) {
		fn(fault, info, userdata);
		return;
	}
	report(fault, info);
	twz_thread_exit(THRD_EXIT_FAULT((unsigned)fault));
}

void twz_fault_raise(int fault, void *info)
{
	struct fault_handler h = handler_of(fault);

	dispatch(fault, info, h.fn, h.userdata);
}

void twz_fault_raise_data(int fault, void *info, void *userdata)
{
	dispatch(fault, info, handler_of(fault).fn, userdata);
}

void __twz_throw_pptr(objid_t id, uint64_t fote, uint32_t info, int retval, const void *p)
{
	struct fault_pptr_info f = {
		.objid = id,
		.fote = fote,
		.ip = (uintptr_t)__builtin_return_address(0),
		.info = info,
		.retval = (uint32_t)retval,
		.ptr = (uintptr_t)p,
	};

	twz_fault_raise(FAULT_PPTR, &f);
}

void __twz_throw_object(uint64_t flags, const void *p)
{
	struct fault_object_info f = {
		.ip = (uintptr_t)__builtin_return_address(0),
		.addr = (uintptr_t)p,
		.flags = flags,
	};

	twz_fault_raise(FAULT_OBJECT, &f);
}
