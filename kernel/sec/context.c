// SPDX-License-Identifier: BSD-3-Clause
/*
 * Security contexts: their lifetime.
 */
#include <sec/context.h>

struct seccontext sec_bootstrap;
struct seccontext sec_none;

struct seccontext *seccontext_ref(struct seccontext *context)
{
	atomic_fetch_add_explicit(&context->refs, 1, memory_order_relaxed);
	return context;
}

void seccontext_put(struct seccontext *context)
{
	atomic_fetch_sub_explicit(&context->refs, 1, memory_order_acq_rel);
}
