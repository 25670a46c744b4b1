// SPDX-License-Identifier: BSD-3-Clause
/*
 * A small store with one of everything. See sample.h.
 */
#include <stdlib.h>
#include <string.h>

#include "../../../kernel/store/internal.h"
#include "sample.h"

static const uint64_t pages[] = { 1, 2, 64, 65, 1000, 262079, 262080, 262142, 262143 };
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static void must(int error)
{
	if (error)
		abort();
}

static void add_object(struct sample *sample, struct store *st, unsigned n, unsigned flags)
{
	struct store_handle h;
	void *page;

	sample->id[n] = MKID(0x1000 + n, n * 77 + 1);
	must(store_create(st, sample->id[n], NULL, flags, &h));
	for (unsigned i = 0; i < PAGES - 1; i++) {
		if (n == 0 && i >= 2 && i < 6)
			continue; /* one without a tree */
		must(store_page_alloc(st, &h, pages[i], NULL, &page));
		*(uint64_t *)page = n + 1;
	}
}

/* Side pages, a page of two owners, ties; in a large sample a run. */
static void furnish(struct sample *sample, struct store *st)
{
	struct store_handle h[3];
	void *page;

	for (unsigned i = 0; i < 3; i++)
		must(store_lookup(st, sample->id[i + 1], &h[i]));
	must(store_side_alloc(st, &h[0], 0, NULL, &page));
	must(store_side_alloc(st, &h[0], 600, NULL, &page));
	must(store_page_share(st, &h[1], 70, &h[0], 1, &page));
	must(store_page_share(st, &h[2], 70, &h[0], 1, &page));
	must(store_tie(st, &h[0], &h[1]));
	must(store_tie(st, &h[0], &h[2]));
	must(store_tie(st, &h[1], &h[2]));
	if (sample->len > STORE_MIN_REGION)
		must(store_run_alloc(st, &h[2], 8192, &page));
}

void sample_make(struct sample *sample, size_t len)
{
	static const uint8_t uuid[16] = "damage test";
	struct store st;

	sample->base = hosted_region(len);
	sample->len = len;
	sample->live = 4;
	must(store_format(sample->base, len, uuid, &hosted_ops));
	must(store_mount(&st, sample->base, len, 0, &hosted_ops));
	for (unsigned i = 0; i < SAMPLE_OBJECTS; i++)
		add_object(sample, &st, i, i < 4 ? 0 : i == 4 ? STORE_CREATE_DELETED :
								 STORE_CREATE_HIDDEN);
	furnish(sample, &st);
	must(store_set_nameroot(&st, sample->id[0]));
	if (hosted_check(&st))
		abort();
	store_unmount(&st);
}

static bool is_content_of(struct store *st, uint64_t inode, uint64_t page)
{
	struct store_handle h = { .inode = inode };
	void *at;

	for (uint64_t pgnr = 0; store_page_next(st, &h, &pgnr, &at) == 1; pgnr++) {
		if (at == store_page_at(st, page))
			return true;
	}
	for (uint64_t n = 0; n <= 600; n += 600) {
		if (!store_side_get(st, &h, n, &at) && at == store_page_at(st, page))
			return true;
	}
	return false;
}

/* Inodes are told by their headers: the sample is sound when this is asked. */
bool sample_is_metadata(const struct sample *sample, uint64_t page)
{
	struct store st;
	uint64_t bits;

	must(store_mount(&st, sample->base, sample->len, STORE_RDONLY, NULL));
	must(store_read(&st, st.bitmap + 8 * (page / MAP_PAGES), &bits));
	if (page < st.first_data || !(bits >> page % MAP_PAGES & 1))
		return page < st.first_data;
	for (uint64_t inode = st.first_data; inode < st.pages; inode++) {
		const struct inode_header *header = store_page_at(&st, inode);

		if (header->magic == INODE_MAGIC && is_content_of(&st, inode, page))
			return false;
	}
	return true;
}

static bool whole(struct store *st, const struct sample *sample, unsigned n)
{
	struct store_handle h;
	void *page;

	if (store_lookup(st, sample->id[n], &h) || h.id != sample->id[n])
		return false;
	for (unsigned i = 0; i < PAGES; i++) {
		if (store_page_get(st, &h, pages[i], &page))
			return false;
		if (page && i < PAGES - 1 && *(uint64_t *)page != n + 1)
			return false;
		if (!page && (n != 0 || i < 2 || i >= 6))
			return false;
	}
	return true;
}

static void list_all(struct store *st)
{
	struct store_cursor cursor = { 0 };
	struct store_handle h;
	unsigned steps = 0;

	while (store_next(st, &cursor, &h)) {
		if (++steps > 100000)
			abort(); /* no end in sight */
	}
}

static void change_more(struct store *st, const struct sample *sample)
{
	struct store_handle h[3];
	void *page;

	for (unsigned i = 0; i < 3; i++) {
		if (store_lookup(st, sample->id[i], &h[i]))
			return;
	}
	store_page_unshare(st, &h[1], 1, &page);
	store_page_share(st, &h[0], 9000, &h[1], 64, &page);
	store_page_replace(st, &h[1], 65, store_page_at(st, 0), &page);
	store_page_replace(st, &h[2], 70, NULL, &page);
	store_run_alloc(st, &h[0], 4096, &page);
	store_side_alloc(st, &h[0], 3, NULL, &page);
	store_tie(st, &h[0], &h[1]);
	store_untie(st, &h[1], &h[2]);
}

static void list_ties(struct store *st, const struct sample *sample)
{
	struct store_handle h, other;

	for (unsigned i = 0; i < 2 * SAMPLE_OBJECTS; i++) {
		struct store_tie_cursor cursor = { 0 };
		unsigned steps = 0;

		if (store_lookup(st, sample->id[i / 2], &h))
			continue;
		while (store_tie_next(st, &h, i % 2 ? STORE_CHILDREN : STORE_PARENTS, &cursor,
				      &other) == 1) {
			if (++steps > 100000)
				abort(); /* no end in sight */
		}
	}
}

static void change_all(struct store *st, const struct sample *sample)
{
	struct store_handle h;
	void *page;

	for (unsigned i = 0; i < SAMPLE_OBJECTS; i++) {
		if (store_lookup(st, sample->id[i], &h))
			continue;
		store_page_alloc(st, &h, 3, NULL, &page);
		store_page_alloc(st, &h, 5000, NULL, &page);
		if (i % 2 && !store_mark_deleted(st, &h))
			store_free(st, &h);
	}
	if (!store_create(st, MKID(99, 99), NULL, STORE_CREATE_HIDDEN, &h))
		store_publish(st, &h, 0);
	store_create(st, MKID(99, 98), NULL, 0, &h);
	store_set_clock_mark(st, 1000000);
	store_set_nameroot(st, 4711);
}

unsigned sample_readable(const struct sample *sample, struct store *st)
{
	unsigned found = 0;

	for (unsigned i = 0; i < sample->live; i++)
		found += whole(st, sample, i);
	return found;
}

unsigned sample_use(const struct sample *sample, struct store *st)
{
	unsigned found = sample_readable(sample, st);

	list_all(st);
	list_ties(st, sample);
	hosted_check(st);
	if (!st->rdonly) {
		change_more(st, sample);
		change_all(st, sample);
		list_all(st);
		hosted_check(st);
	}
	return found;
}
