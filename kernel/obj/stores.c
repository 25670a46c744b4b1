// SPDX-License-Identifier: BSD-3-Clause
/*
 * The mounted stores asked as if they were one: finding an object, a place for a new one, what is
 * recorded once.
 */
#define LOG_PREFIX "store"

#include <stdatomic.h>

#include <abi/errno.h>
#include <base/bits.h>
#include <log.h>
#include <obj/persist.h>

/* ---- Finding ---- */

#define DOUBLES_TOLD 16u

/* An ID in two stores: a region was copied, changed and plugged in again, or somebody forged it. */
static void tell_double(objid_t id)
{
	static _Atomic unsigned int told;
	unsigned int before = atomic_fetch_add_explicit(&told, 1, memory_order_relaxed);

	if (before < DOUBLES_TOLD)
		log_error("object " IDFMT " is in two stores: the first one's is used", IDPR(id));
	else if (before == DOUBLES_TOLD)
		log_error("more objects are in two stores: no more are named");
}

int persist_find(objid_t id, struct store **store, struct store_handle *handle)
{
	int result = -ENOENT;

	for (unsigned int i = 0; i < persist_store_count(); i++) {
		struct store_handle found;
		int error = store_lookup(persist_store_at(i), id, &found);
		if (error == 0 && result == 0) {
			tell_double(id);
		} else if (error == 0) {
			*store = persist_store_at(i);
			*handle = found;
			result = 0;
		} else if (error != -ENOENT && result != 0) {
			result = error;
		}
	}
	return result;
}

/* ---- A place for a new object ---- */

#define ROOMY_SHARE 8u /* a store with an eighth of its pages free has room to grow in */

/*
 * Objects that are made one after the other belong together more often than not: they should be in
 * one store, where they can be tied and share pages. So the first roomy one is filled before the
 * next is begun.
 */
static uint64_t attraction(struct store *store, unsigned int index)
{
	struct store_stats stats;

	store_stats(store, &stats);
	bool roomy = stats.free_pages >= stats.total_pages / ROOMY_SHARE;
	return roomy ? UINT64_MAX - 1 - index : stats.free_pages;
}

int persist_candidates(struct store *first, struct store *out[PERSIST_MAX_STORES])
{
	uint64_t rank[PERSIST_MAX_STORES];
	int count = 0;

	for (unsigned int i = 0; i < persist_store_count(); i++) {
		struct store *store = persist_store_at(i);
		if (persist_readonly(store))
			continue;
		uint64_t own = store == first ? UINT64_MAX : attraction(store, i);
		int at = count++;
		for (; at > 0 && rank[at - 1] < own; at--) {
			rank[at] = rank[at - 1];
			out[at] = out[at - 1];
		}
		rank[at] = own;
		out[at] = store;
	}
	if (count)
		return count;
	return persist_store_count() ? -EROFS : -ENODEV;
}

bool persist_writable(void)
{
	bool any = false;

	for (unsigned int i = 0; i < persist_store_count(); i++)
		any |= !persist_readonly(persist_store_at(i));
	return any;
}

void persist_totals(struct persist_totals *totals)
{
	*totals = (struct persist_totals){ .present = persist_store_count() > 0, .readonly = true };
	for (unsigned int i = 0; i < persist_store_count(); i++) {
		struct store *store = persist_store_at(i);
		struct store_stats stats;
		store_stats(store, &stats);
		totals->total_pages += stats.total_pages;
		totals->free_pages += stats.free_pages;
		totals->readonly &= persist_readonly(store);
	}
}

/* ---- What stores record ---- */

typedef int (*recorded_id)(struct store *store, objid_t *id);

/* The first recorded ID that names an object which is there. */
static objid_t first_found(recorded_id recorded)
{
	for (unsigned int i = 0; i < persist_store_count(); i++) {
		struct store *store = persist_store_at(i);
		struct store_handle handle;
		objid_t id;
		if (recorded(store, &id) == 0 && id && persist_find(id, &store, &handle) == 0)
			return id;
	}
	return 0;
}

static objid_t recorded_root(unsigned int index)
{
	objid_t id;

	return store_nameroot(persist_store_at(index), &id) == 0 ? id : 0;
}

objid_t persist_nameroot(void)
{
	return first_found(store_nameroot);
}

objid_t persist_system_object(void)
{
	return first_found(store_system_object);
}

/* From the last to the first: until the first is cleared, that one counts. */
static int clear_nameroot(void)
{
	int error = 0;

	for (unsigned int i = persist_store_count(); !error && i-- > 0;)
		if (recorded_root(i))
			error = store_set_nameroot(persist_store_at(i), 0);
	return error;
}

int persist_set_nameroot(objid_t id)
{
	if (persist_store_count() == 0)
		return -ENODEV;
	if (id == 0)
		return clear_nameroot();
	for (unsigned int i = 0; i < persist_store_count(); i++) {
		if (!persist_readonly(persist_store_at(i)))
			return store_set_nameroot(persist_store_at(i), id);
		if (recorded_root(i))
			break;
	}
	return -EROFS;
}

uint64_t persist_clock_mark(void)
{
	uint64_t latest = 0;

	for (unsigned int i = 0; i < persist_store_count(); i++)
		latest = MAX(latest, store_clock_mark(persist_store_at(i)));
	return latest;
}

int persist_set_clock_mark(uint64_t ms)
{
	int result = 0;

	for (unsigned int i = 0; i < persist_store_count(); i++) {
		struct store *store = persist_store_at(i);
		int error = persist_readonly(store) ? 0 : store_set_clock_mark(store, ms);
		result = result ? result : error;
	}
	return result;
}
