// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts, as the kernel holds them: what a thread's rights are judged in, and one half of
 * what names an address space (the other is the view).
 */
#ifndef SEC_CONTEXT_H
#define SEC_CONTEXT_H

#include <stdatomic.h>
#include <stdint.h>

struct object;

struct seccontext {
	_Atomic uint32_t refs;
	struct object *object; /* holds a reference; NULL for the two that are no objects */
};

/*
 * Two contexts that no object stands for; they are never freed, their references are not counted.
 * `sec_bootstrap`: the thread that the kernel starts, and those it spawns before it attaches a context:
 * unrestricted. `sec_none`: threads whose active context is gone: default permissions only.
 */
extern struct seccontext sec_bootstrap;
extern struct seccontext sec_none;

/* Another reference to a context one holds a reference to; returns it. */
struct seccontext *seccontext_ref(struct seccontext *context);

/* Drop a reference; the last frees it. No lock held. */
void seccontext_put(struct seccontext *context);

#endif
