// SPDX-License-Identifier: BSD-3-Clause
/*
 * Where faults arrive, from the kernel or raised in software: the table of handlers, and what
 * happens without one.
 */
#include "fault.h"
#include "locks.h"

#include <twz/debug.h>

struct handler {
	void (*fn)(int, void *, void *);
	void *userdata;
};

/*
 * A handler is read without a lock, for a fault may come at any instruction. Of the two copies the
 * one that version's lowest bit names is in force and stays as it is until the version moves on.
 */
struct entry {
	uint32_t version; /* atomic */
	struct handler copies[2];
};

static struct entry table[NUM_FAULTS]; /* written under LOCK_FAULTS */

static __thread struct twz_fault_frame *current_frame;

static struct handler handler_of(int fault)
{
	struct entry *e = &table[fault];
	struct handler h;
	uint32_t version;

	do {
		version = __atomic_load_n(&e->version, __ATOMIC_ACQUIRE);
		h = *(volatile struct handler *)&e->copies[version % 2];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&e->version, __ATOMIC_RELAXED) != version);
	return h;
}

int twz_fault_set(int fault, void (*fn)(int, void *, void *), void *userdata)
{
	struct entry *e;

	if (fault < 0 || fault >= NUM_FAULTS || fault == FAULT_FAULT)
		return -EINVAL;
	e = &table[fault];
	mutex_acquire(&__twz_locks[LOCK_FAULTS]);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	e->copies[(e->version + 1) % 2] = (struct handler){ fn, userdata };
	__atomic_store_n(&e->version, e->version + 1, __ATOMIC_RELEASE);
	mutex_release(&__twz_locks[LOCK_FAULTS]);
	return 0;
}

void *twz_fault_get_userdata(int fault)
{
	return fault < 0 || fault >= NUM_FAULTS ? NULL : handler_of(fault).userdata;
}

bool __twz_fault_is_taken(int fault)
{
	return handler_of(fault).fn || twz_try_is_active();
}

struct twz_fault_frame *twz_fault_frame(void)
{
	return current_frame;
}

void __twz_fault_set_frame(struct twz_fault_frame *frame)
{
	current_frame = frame;
}

size_t __twz_fault_info_size(int fault, const void *info)
{
	static const size_t sizes[NUM_FAULTS] = {
		[FAULT_OBJECT] = sizeof(struct fault_object_info),
		[FAULT_NULL] = sizeof(struct fault_null_info),
		[FAULT_EXCEPTION] = sizeof(struct fault_exception_info),
		[FAULT_SCTX] = sizeof(struct fault_sctx_info),
		[FAULT_FAULT] = sizeof(struct fault_fault_info),
		[FAULT_PAGE] = sizeof(struct fault_page_info),
		[FAULT_PPTR] = sizeof(struct fault_pptr_info),
		[FAULT_SIGNAL] = sizeof(struct fault_signal_info),
		[FAULT_RESUME] = sizeof(struct fault_resume_info),
	};

	if (fault < 0 || fault >= NUM_FAULTS || !info)
		return 0;
	if (fault == FAULT_FAULT)
		return sizes[fault] + ((const struct fault_fault_info *)info)->len;
	return sizes[fault];
}

static _Noreturn void end_thread(void)
{
	for (;;)
		sys_thrd_ctl(THRD_CTL_EXIT, 0);
}

/*
 * Ending in an orderly way touches the view and the thread object. Where a context does not allow
 * that, the fault of it comes back here, and the thread just ends.
 */
_Noreturn void __twz_fault_uncaught(int fault, const void *info)
{
	static __thread bool ending;

	if (ending)
		end_thread();
	ending = true;
	__twz_fault_report(fault, info, current_frame);
	twz_thread_exit(THRD_EXIT_FAULT((unsigned)fault));
}

static bool is_unknown_call(int fault, const void *info)
{
	return fault == FAULT_EXCEPTION &&
	       ((const struct fault_exception_info *)info)->code == FAULT_EXCEPTION_SYSCALL;
}

/* Returning goes on where the fault came from. */
static void dispatch(int fault, void *info, struct handler h)
{
	if (h.fn) {
		h.fn(fault, info, h.userdata);
		return;
	}
	__twz_try_unwind(fault, info, __twz_fault_info_size(fault, info));
	if (!current_frame || !is_unknown_call(fault, info))
		__twz_fault_uncaught(fault, info);
	twz_frame_set_arg(current_frame, 0, (uint64_t)-ENOSYS);
}

void twz_fault_raise(int fault, void *info)
{
	dispatch(fault, info, handler_of(fault));
}

void twz_fault_raise_data(int fault, void *info, void *userdata)
{
	dispatch(fault, info, (struct handler){ handler_of(fault).fn, userdata });
}

/* --- faults of the kernel */

/* The original fault could not be delivered: nothing to be repeated, but a block may catch it. */
static _Noreturn void double_fault(const struct fault_fault_info *info)
{
	__twz_try_unwind((int)info->fault_nr, info->data, info->len);
	__twz_fault_uncaught(FAULT_FAULT, info);
}

/*
 * Storage of its own for a thread that has none: locks name who holds them. Blocks that were given
 * back are taken all at once, so that none comes back while one looks at it.
 */
struct lent {
	struct lent *next;
};

static _Atomic(struct lent *) lendable;

static void give_back(struct lent *first)
{
	struct lent *last = first, *head = atomic_load(&lendable);

	while (last->next)
		last = last->next;
	do {
		last->next = head;
	} while (!atomic_compare_exchange_weak(&lendable, &head, first));
}

/* On its own: a compiler may keep the thread pointer that it has read before in the same function. */
static __attribute__((noinline)) void note_self(objid_t id)
{
	__twz_self.tid = id;
}

static struct lent *lend_storage(objid_t id)
{
	struct lent *block = atomic_exchange(&lendable, NULL);

	if (block && block->next)
		give_back(block->next);
	if (!block)
		block = __twz_pages(__twz_tls_size());
	if (!block)
		return NULL;
	memset(block, 0, __twz_tls_size());
	__twz_set_thread_pointer(__twz_tls_init(block));
	note_self(id);
	return block;
}

/* What the thread did with it is done: from here on it only ends. */
static void return_storage(struct lent *block)
{
	__twz_set_thread_pointer(NULL);
	block->next = NULL;
	give_back(block);
}

static _Noreturn void end_bare_thread(int fault, const void *info, struct twz_fault_frame *frame)
{
	struct lent *block = NULL;
	objid_t id;
	twzobj o;

	__twz_fault_report(fault, info, frame);
	if (sys_thrd_ctl(THRD_CTL_GET_ID, (long)&id) == 0)
		block = lend_storage(id);
	if (block && __twz_object_init_transient(&o, id, FE_READ | FE_WRITE) == 0) {
		struct twzthread_repr *repr = twz_object_base(&o);

		repr->syncinfos[THRD_SYNC_EXIT] = THRD_EXIT_FAULT((unsigned)fault);
		twz_object_release(&o);
	}
	if (block)
		return_storage(block);
	end_thread();
}

/*
 * A thread without a thread pointer, which libtwz did not start: it has no storage of its own, and
 * no function of the program could run in it.
 */
static _Noreturn void bare_thread(int fault, const void *info, struct twz_fault_frame *frame)
{
	if (is_unknown_call(fault, info)) {
		twz_frame_set_arg(frame, 0, (uint64_t)-ENOSYS);
		sys_fault_return(frame);
	}
	end_bare_thread(fault, info, frame);
}

/* Entered from arch/ with what the kernel put on the stack. */
_Noreturn void __twz_fault_begin(int fault, void *info, struct twz_fault_frame *frame)
{
	struct twz_fault_frame *outer;

	if (!__builtin_thread_pointer())
		bare_thread(fault, info, frame);
	outer = current_frame;
	current_frame = frame;
	if (fault == FAULT_FAULT)
		double_fault(info);
	twz_fault_raise(fault, info);
	current_frame = outer;
	sys_fault_return(frame);
	debug_printf("a fault handler left a frame that cannot be returned to\n");
	current_frame = frame;
	__twz_fault_uncaught(fault, info);
}

void __twz_fault_install(twzobj *view)
{
	struct twzview_repr *repr = __twz_view_repr(view);

	repr->fault_flags = FAULT_ON_STACK;
	repr->dbl_fault_handler = (uintptr_t)__twz_fault_entry;
	__atomic_store_n(&repr->fault_handler, (uintptr_t)__twz_fault_entry, __ATOMIC_RELEASE);
}

/* --- faults of libtwz */

void __twz_throw_pptr(objid_t id, uint64_t fote, uint32_t info, int retval, const void *p)
{
	struct fault_pptr_info f = twz_fault_build_pptr_info(id, fote, __builtin_return_address(0),
	    info, (uint32_t)retval, 0, NULL, p);

	twz_fault_raise(FAULT_PPTR, &f);
}

void __twz_throw_object(uint64_t flags, const void *p)
{
	struct fault_object_info f =
	    twz_fault_build_object_info(0, __builtin_return_address(0), (void *)p, flags);

	twz_fault_raise(FAULT_OBJECT, &f);
}
