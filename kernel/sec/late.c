// SPDX-License-Identifier: BSD-3-Clause
/*
 * Detaching at system calls.
 */
#include <obj/object.h>
#include <sec/late.h>

#include "set.h"

static struct sec_set *set_of(struct thread *thread)
{
	return atomic_load_explicit(&thread->attached, memory_order_acquire);
}

static void ask(struct sec_late *late, uint32_t flags, uint32_t bit)
{
	if (flags & TWZ_DETACH_ONENTRY)
		late->entry |= bit;
	if (flags & TWZ_DETACH_ONEXIT)
		late->exit |= bit;
	if (flags == TWZ_DETACH_REATTACH)
		late->back |= bit;
}

bool sec_late_request(struct thread *thread, objid_t id, uint32_t flags, unsigned int call)
{
	struct sec_set *set = set_of(thread);
	bool found = false;

	if (!set)
		return false;
	spin_lock(&set->lock);
	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		if (!set->contexts[i] || (id && set->contexts[i]->object->id != id))
			continue;
		ask(&set->late[i], flags, 1u << call);
		found = true;
	}
	spin_unlock(&set->lock);
	if (found)
		atomic_store(&thread->late, 1);
	return found;
}

/* Out of its place, for good: the reference becomes the caller's. Lock held. */
static struct seccontext *remove(struct sec_set *set, unsigned int place)
{
	struct seccontext *context = set->contexts[place];

	set->contexts[place] = NULL;
	set->late[place] = (struct sec_late){ 0 };
	set->fresh &= ~(1u << place);
	return context;
}

/* What the call does to the context in a place, on its way in. True: something. Lock held. */
static bool enter_place(struct sec_set *set, unsigned int place, uint32_t bit, struct seccontext **gone)
{
	if (!set->contexts[place])
		return false;
	if (set->late[place].entry & bit) {
		*gone = remove(set, place);
	} else if (set->late[place].back & bit) {
		set->away[place] = set->contexts[place];
		set->contexts[place] = NULL;
		set->fresh &= ~(1u << place);
	} else {
		return false;
	}
	return true;
}

/* And on its way out. Lock held. */
static bool exit_place(struct sec_set *set, unsigned int place, uint32_t bit, struct seccontext **gone)
{
	bool changed = false;

	if (set->away[place]) {
		set->contexts[place] = set->away[place];
		set->away[place] = NULL;
		set->fresh |= 1u << place;
		changed = true;
	}
	if (set->contexts[place] && (set->late[place].exit & bit)) {
		*gone = remove(set, place);
		changed = true;
	}
	return changed;
}

/* Do it to all, and settle. */
static void pass(struct thread *thread, unsigned int call,
		 bool (*place_fn)(struct sec_set *, unsigned int, uint32_t, struct seccontext **))
{
	struct sec_set *set = set_of(thread);
	bool changed = false;
	uint32_t left = 0;

	for (unsigned int i = 0; i < TWZ_THRD_MAX_SCS; i++) {
		struct seccontext *gone = NULL;
		spin_lock(&set->lock);
		changed |= place_fn(set, i, 1u << call, &gone);
		left |= set->late[i].entry | set->late[i].exit | set->late[i].back;
		spin_unlock(&set->lock);
		if (gone)
			seccontext_put(gone);
	}
	if (!left)
		atomic_store(&thread->late, 0);
	if (changed)
		sec_settle_surely(thread);
}

void sec_late_enter(struct thread *thread, unsigned int call)
{
	pass(thread, call, enter_place);
	thread->late_call = call;
	thread->late_pc = arch_regs_syscall_pc(&thread->regs);
	atomic_store(&thread->unsettled, 1);
}

void sec_late_returned(struct thread *thread)
{
	uintptr_t pc = thread->late_pc;

	if (pc == 0 || arch_regs_pc(&thread->regs) == pc)
		return;
	thread->late_pc = 0;
	pass(thread, thread->late_call, exit_place);
}
