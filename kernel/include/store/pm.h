// SPDX-License-Identifier: BSD-3-Clause
/*
 * The only way the store writes persistent memory and makes writes durable.
 *
 * Rules of the memory: an aligned 8-byte store is never torn; anything stored may become durable at
 * any time, in any order; a store is certainly durable after a pm_flush() of its line and a
 * pm_fence() after that. Nothing in the store assumes more.
 *
 * Every flush and fence carries a site number of its own. The kernel ignores it (store/pm.c); the
 * crash explorer links its own implementation of these five functions, sees every store, and can
 * leave out any one site at run time to show that a test notices.
 */
#ifndef STORE_PM_H
#define STORE_PM_H

#include <stddef.h>
#include <stdint.h>

/*
 * The architecture's part. `flush` starts the write-back of every line that [addr, addr+len)
 * touches; `fence` returns when all write-backs this CPU started earlier are durable, and orders
 * them (and all earlier stores) before all later stores. Context: any, locks held, interrupts in
 * any state.
 */
struct pm_ops {
	void (*flush)(const void *addr, size_t len);
	void (*fence)(void);
};

/* Numbers are only stable within one build; pm_site_name() gives the name. */
enum pm_site {
	PM_FORMAT_BEGIN_FLUSH,
	PM_FORMAT_BEGIN_FENCE,
	PM_FORMAT_BODY_FLUSH,
	PM_FORMAT_BODY_FENCE,
	PM_FORMAT_END_FLUSH,
	PM_FORMAT_END_FENCE,
	PM_FRESH_FLUSH,
	PM_FRESH_FENCE,
	PM_LOG_FLUSH,
	PM_LOG_FENCE,
	PM_APPLY_FLUSH,
	PM_APPLY_FENCE,
	PM_REPLAY_FLUSH,
	PM_REPLAY_FENCE,
	PM_SITES,
};

const char *pm_site_name(enum pm_site site); /* "?" for a number out of range */

/* One aligned, untorn 8-byte store with release ordering: readers without the lock may see it. */
void pm_store64(uint64_t *to, uint64_t value);

/* Plain stores, 8 bytes at a time. `to`, `from` and `len` are multiples of 8. No overlap. */
void pm_copy(void *to, const void *from, size_t len);
void pm_zero(void *to, size_t len);

void pm_flush(const struct pm_ops *ops, const void *addr, size_t len, enum pm_site site);
void pm_fence(const struct pm_ops *ops, enum pm_site site);

#endif
