// SPDX-License-Identifier: BSD-3-Clause
/*
 * The superblock: its geometry, telling what stands in a region, and making a new store.
 */
#include <base/bits.h>

#include "internal.h"

uint64_t store_usable_pages(size_t len)
{
	if (len < STORE_MIN_REGION || len > STORE_MAX_REGION)
		return 0;
	return (len - STORE_TAIL_RESERVE) / STORE_PAGE_SIZE;
}

static uint64_t bucket_count(uint64_t pages)
{
	uint64_t count = PAGE_WORDS;

	while (count < pages / 4)
		count *= 2;
	return count;
}

void store_geometry(struct super_header *super, uint64_t pages)
{
	uint64_t words = (pages + MAP_PAGES - 1) / MAP_PAGES;

	memset(super, 0, sizeof(*super));
	super->magic = SUPER_MAGIC;
	super->version = STORE_VERSION;
	super->header_bytes = sizeof(*super);
	super->pages = pages;
	super->page_bytes = STORE_PAGE_SIZE;
	super->log_page = LOG_PAGE;
	super->log_pages = LOG_PAGES;
	super->bitmap_page = BITMAP_PAGE;
	super->bitmap_pages = (words + PAGE_WORDS - 1) / PAGE_WORDS;
	super->bucket_page = super->bitmap_page + super->bitmap_pages;
	super->buckets = bucket_count(pages);
	super->ref_page = super->bucket_page + super->buckets / PAGE_WORDS;
	super->first_data = super->ref_page +
			    (pages + REF_PAGES * PAGE_WORDS - 1) / (REF_PAGES * PAGE_WORDS);
}

uint64_t store_super_sum(const struct super_header *super)
{
	return store_sum(0, (const uint64_t *)super, sizeof(*super) / 8 - 1);
}

bool store_super_sound(const struct super_header *super, uint64_t self)
{
	return super->magic == SUPER_MAGIC && super->self == self &&
	       super->sum == store_super_sum(super);
}

static bool all_zero(const uint64_t *words, size_t count)
{
	uint64_t any = 0;

	for (size_t i = 0; i < count; i++)
		any |= words[i];
	return any == 0;
}

/* Every byte that could become the store's is looked at: what somebody else wrote is never lost. */
static bool is_blank(const unsigned char *base, size_t len)
{
	for (size_t at = 0; at < len - STORE_TAIL_RESERVE; at += STORE_PAGE_SIZE) {
		size_t left = len - STORE_TAIL_RESERVE - at;
		size_t part = left < STORE_PAGE_SIZE ? left : STORE_PAGE_SIZE;

		if (!all_zero((const uint64_t *)(base + at), part / 8))
			return false;
	}
	return true;
}

enum store_content store_probe(const void *base, size_t len)
{
	const struct super_header *a = base;
	const struct super_header *b =
		(const void *)((const unsigned char *)base + SUPER_B_PAGE * STORE_PAGE_SIZE);

	if ((uintptr_t)base % STORE_PAGE_SIZE || !store_usable_pages(len))
		return STORE_TOO_SMALL;
	if (a->magic == FORMAT_MAGIC)
		return STORE_UNFINISHED;
	if (a->magic == SUPER_MAGIC || b->magic == SUPER_MAGIC)
		return STORE_OURS;
	return is_blank(base, len) ? STORE_BLANK : STORE_FOREIGN;
}

/* In use from the start: the fixed areas, and what the last word has beyond the store's end. */
static uint64_t first_bits(const struct super_header *super, uint64_t word)
{
	uint64_t bits = 0;

	for (unsigned bit = 0; bit < MAP_PAGES; bit++) {
		uint64_t page = word * MAP_PAGES + bit;

		if (page < super->first_data || page >= super->pages)
			bits |= 1ull << bit;
	}
	return bits;
}

static void write_bitmap(unsigned char *base, const struct super_header *super)
{
	uint64_t *words = (uint64_t *)(base + super->bitmap_page * STORE_PAGE_SIZE);

	for (uint64_t i = 0; i < (super->pages + MAP_PAGES - 1) / MAP_PAGES; i++)
		pm_store64(&words[i], store_seal(first_bits(super, i)));
}

/* A superblock page without its first word. */
static void write_super(unsigned char *base, struct super_header *super, uint64_t self)
{
	unsigned char *page = base + self * STORE_PAGE_SIZE;
	uint64_t *state = (uint64_t *)(page + STATE_OFFSET);

	super->self = self;
	super->sum = store_super_sum(super);
	pm_copy(page + 8, (unsigned char *)super + 8, sizeof(*super) - 8);
	pm_store64(&state[STATE_FREE], store_seal(super->pages - super->first_data));
}

/* Everything but word 0 of page 0, which alone says whether the rest counts. */
static void write_body(unsigned char *base, struct super_header *super)
{
	pm_zero(base + 8, super->first_data * STORE_PAGE_SIZE - 8);
	write_bitmap(base, super);
	write_super(base, super, SUPER_B_PAGE);
	pm_store64((uint64_t *)(base + SUPER_B_PAGE * STORE_PAGE_SIZE), SUPER_MAGIC);
	write_super(base, super, SUPER_A_PAGE);
}

int store_format(void *base, size_t len, const uint8_t uuid[16], const struct pm_ops *ops)
{
	enum store_content content = store_probe(base, len);
	struct super_header super;
	uint64_t *first = base;

	if (content == STORE_TOO_SMALL)
		return -EINVAL;
	if (content != STORE_BLANK && content != STORE_UNFINISHED)
		return -EEXIST;
	store_geometry(&super, store_usable_pages(len));
	memcpy(super.uuid, uuid, sizeof(super.uuid));

	pm_store64(first, FORMAT_MAGIC);
	pm_flush(ops, first, LINE_BYTES, PM_FORMAT_BEGIN_FLUSH);
	pm_fence(ops, PM_FORMAT_BEGIN_FENCE);
	write_body(base, &super);
	pm_flush(ops, base, super.first_data * STORE_PAGE_SIZE, PM_FORMAT_BODY_FLUSH);
	pm_fence(ops, PM_FORMAT_BODY_FENCE);
	pm_store64(first, SUPER_MAGIC);
	pm_flush(ops, first, LINE_BYTES, PM_FORMAT_END_FLUSH);
	pm_fence(ops, PM_FORMAT_END_FENCE);
	return 0;
}
