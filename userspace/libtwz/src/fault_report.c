// SPDX-License-Identifier: BSD-3-Clause
/* What is printed of a fault that nobody takes. */
#include "fault.h"

#include <twz/debug.h>

#define NAME_MAX 48

static const char *fault_name(int fault)
{
	static const char *const names[NUM_FAULTS] = {
		"object", "null", "exception", "security", "fault",
		"page", "pointer", "signal", "resume",
	};

	return fault >= 0 && fault < NUM_FAULTS ? names[fault] : "unknown";
}

/*
 * What a slot has in every program. Names of other objects are not looked for: that takes locks,
 * which the thread may hold.
 */
static const char *slot_name(size_t slot)
{
	if (slot == PROGRAM_TEXT_SLOT)
		return ", the program";
	if (slot == PROGRAM_DATA_SLOT)
		return ", the program's data";
	if (slot == TWZSLOT_STACK)
		return ", the first thread's stack";
	if (slot == TWZSLOT_THRD)
		return ", the first thread";
	return slot == TWZSLOT_CVIEW ? ", the view" : "";
}

/* An address, and what stands there. */
static void print_place(const char *what, uint64_t addr)
{
	size_t slot = VADDR_TO_SLOT(addr);
	objid_t id;

	if (slot < twz_nslots() && twz_vaddr_to_obj((void *)addr, &id, NULL) == 0)
		debug_printf("  %s %lx (object " IDFMT " offset %lx%s)\n", what, (unsigned long)addr,
		    IDPR(id), (unsigned long)(addr & (OBJ_MAXSIZE - 1)), slot_name(slot));
	else
		debug_printf("  %s %lx\n", what, (unsigned long)addr);
}

static const char *access_name(uint64_t access)
{
	if (access & FAULT_OBJECT_EXEC)
		return "executing";
	if (access & FAULT_OBJECT_WRITE)
		return "writing";
	return access & FAULT_OBJECT_READ ? "reading" : "address";
}

static void print_object(const struct fault_object_info *o)
{
	debug_printf("  object " IDFMT " flags %lx\n", IDPR(o->objid), (unsigned long)o->flags);
	print_place(access_name(o->flags), o->addr);
}

static void print_exception(const struct fault_exception_info *e)
{
	static const char *const names[] = { "", "illegal instruction", "breakpoint",
		"misaligned access", "floating point", "machine access error", "single step" };

	if (e->code == FAULT_EXCEPTION_PAGEFAULT)
		debug_printf("  %s %lx: outside all slots\n", access_name(e->flags),
		    (unsigned long)e->arg0);
	else if (e->code == FAULT_EXCEPTION_SYSCALL)
		debug_printf("  unknown system call %lx\n", (unsigned long)e->arg0);
	else
		debug_printf("  %s (%lx)\n",
		    e->code < sizeof(names) / sizeof(*names) ? names[e->code] : "exception",
		    (unsigned long)e->arg0);
}

static void print_security(const struct fault_sctx_info *s)
{
	debug_printf("  object " IDFMT " permission %x is missing\n", IDPR(s->target), s->pneed);
	print_place("address", s->addr);
}

static void print_page(const struct fault_page_info *p)
{
	debug_printf("  object " IDFMT " page %lx cannot be had: reason %lu\n", IDPR(p->objid),
	    (unsigned long)p->pgnr, (unsigned long)p->info);
}

static void print_pptr(const struct fault_pptr_info *p)
{
	debug_printf("  object " IDFMT " entry %lu pointer %lx: reason %u, error %d\n",
	    IDPR(p->objid), (unsigned long)p->fote, (unsigned long)p->ptr, p->info,
	    (int)p->retval);
}

static void print_info(int fault, const void *info)
{
	const struct fault_fault_info *f = info;
	const struct fault_signal_info *s = info;
	const struct fault_null_info *n = info;

	if (fault == FAULT_OBJECT)
		print_object(info);
	else if (fault == FAULT_NULL)
		print_place("address", n->addr);
	else if (fault == FAULT_EXCEPTION)
		print_exception(info);
	else if (fault == FAULT_SCTX)
		print_security(info);
	else if (fault == FAULT_PAGE)
		print_page(info);
	else if (fault == FAULT_PPTR)
		print_pptr(info);
	else if (fault == FAULT_FAULT)
		debug_printf("  %s fault could not be delivered: reason %u\n",
		    fault_name((int)f->fault_nr), f->info);
	else if (fault == FAULT_SIGNAL)
		debug_printf("  signal %lx\n", (unsigned long)s->args[0]);
}

static const char *thread_name(const struct twz_fault_frame *frame)
{
	bool bare = frame && !twz_frame_tp(frame);

	return !bare && __twz_self.repr ? __twz_self.repr->hdr.name : "a thread";
}

void __twz_fault_report(int fault, const void *info, const struct twz_fault_frame *frame)
{
	debug_printf("%.*s ended by %s fault\n", NAME_MAX, thread_name(frame), fault_name(fault));
	if (info)
		print_info(fault, info);
	if (frame) {
		print_place("at", twz_frame_pc(frame));
		__twz_frame_print(frame);
	}
}
