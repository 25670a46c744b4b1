// SPDX-License-Identifier: BSD-3-Clause
/*
 * A store in memory for unit tests, and short names for what they do with it all the time.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <abi/errno.h>

#include "../../../kernel/store/internal.h"
#include "../unit.h"
#include "hosted.h"

#define SMALL (4ul << 20)
#define LAST (STORE_OBJECT_PAGES - 1)

static const uint8_t uuid[16] = "unit test store";

struct fixture {
	unsigned char *base;
	size_t len;
	struct store st;
};

static inline void fresh(struct fixture *f, size_t len)
{
	f->base = hosted_region(len);
	f->len = len;
	assert_int_equal(store_format(f->base, len, uuid, &hosted_ops), 0);
	assert_int_equal(store_mount(&f->st, f->base, len, 0, &hosted_ops), 0);
	hosted_log_clear();
}

static inline void remount(struct fixture *f)
{
	store_unmount(&f->st);
	assert_int_equal(store_mount(&f->st, f->base, f->len, 0, &hosted_ops), 0);
	assert_int_equal(hosted_check(&f->st), 0);
}

static inline void done(struct fixture *f)
{
	assert_int_equal(hosted_check(&f->st), 0);
	store_unmount(&f->st);
	hosted_region_free(f->base, f->len);
}

static inline objid_t id_of(uint64_t n)
{
	return MKID(n * 0x9e3779b97f4a7c15ull | 1, n);
}

static inline uint64_t free_pages(struct fixture *f)
{
	struct store_stats stats;

	store_stats(&f->st, &stats);
	return stats.free_pages;
}

static inline uint64_t objects(struct fixture *f)
{
	struct store_stats stats;

	store_stats(&f->st, &stats);
	return stats.objects;
}

static inline void fill(uint64_t *page, uint64_t seed)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++)
		page[i] = seed * 1000 + i;
}

static inline bool filled(const uint64_t *page, uint64_t seed)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		if (page[i] != (seed ? seed * 1000 + i : 0))
			return false;
	}
	return true;
}

static inline void *page_of(struct fixture *f, const struct store_handle *h, uint64_t pgnr)
{
	void *page;

	assert_int_equal(store_page_get(&f->st, h, pgnr, &page), 0);
	return page;
}

static inline struct store_handle new_object(struct fixture *f, uint64_t n)
{
	struct store_handle h;

	assert_int_equal(store_create(&f->st, id_of(n), NULL, 0, &h), 0);
	return h;
}

static inline void free_object(struct fixture *f, const struct store_handle *h)
{
	assert_int_equal(store_mark_deleted(&f->st, h), 0);
	assert_int_equal(store_free(&f->st, h), 0);
	assert_int_equal(hosted_check(&f->st), 0);
}

#endif
