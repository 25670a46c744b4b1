// SPDX-License-Identifier: BSD-3-Clause
/* The store beneath its interface, see inside.h. docs/format-store.md is what this prints. */
#include "inside.h"

#include <stdlib.h>
#include <string.h>

#include "../../kernel/store/internal.h"

#define LL(x) ((unsigned long long)(x))

/* A sealed word's payload; false: damaged. */
static bool peek(const struct store *st, uint64_t offset, uint64_t *payload)
{
	return store_unseal(store_raw(st, offset), payload);
}

/* The object page that the word at an offset names; 0: none, or damaged. */
static uint64_t peek_page(const struct store *st, uint64_t offset)
{
	uint64_t page;

	if (!peek(st, offset, &page) || page < st->first_data || page >= st->pages)
		return 0;
	return page;
}

static bool sound_inode(const struct store *st, uint64_t page)
{
	const struct inode_header *header = store_page_at(st, page);

	return header->magic == INODE_MAGIC && header->self == page &&
	       header->sum == store_inode_sum(st, header);
}

static objid_t inode_id(const struct store *st, uint64_t page)
{
	const struct inode_header *header = store_page_at(st, page);

	return MKID(header->id_hi, header->id_lo);
}

uint64_t inside_object_pages(struct store *st, const struct store_handle *h)
{
	uint64_t pages;

	return peek(st, inode_word(h->inode, INODE_PAGES), &pages) ? pages : 0;
}

/* The first inode on the orphan list; 0: none, or damaged. */
static uint64_t first_orphan(const struct store *st)
{
	return peek_page(st, state_offset(SUPER_A_PAGE, STATE_ORPHANS));
}

uint64_t inside_orphan_pages(struct store *st)
{
	uint64_t inode = first_orphan(st), total = 0, pages;

	for (uint64_t left = st->pages; inode && left; left--) {
		if (peek(st, inode_word(inode, INODE_PAGES), &pages) && pages <= st->pages)
			total += pages;
		inode = peek_page(st, inode_word(inode, INODE_ORPHAN_NEXT));
	}
	return total;
}

bool inside_log_pending(const struct store *st)
{
	return st->overlay != 0;
}

void inside_begin_format(void *base)
{
	*(uint64_t *)base = FORMAT_MAGIC;
}

/* ---- Dump ---- */

static const char *const state_names[STATE_WORDS] = {
	[STATE_BOOTS] = "boots",	  [STATE_FREE] = "free pages",
	[STATE_OBJECTS] = "objects",	  [STATE_ORPHANS] = "first orphan",
	[STATE_ROOT0] = "name root 0-47", [STATE_ROOT1] = "name root 48-95",
	[STATE_ROOT2] = "name root 96-127", [STATE_CLOCK] = "clock",
	[STATE_TIES] = "first tie page",  [STATE_SYSTEM0] = "system object 0-47",
	[STATE_SYSTEM1] = "system object 48-95", [STATE_SYSTEM2] = "system object 96-127",
};

static const char *const inode_names[INODE_NAMED_END] = {
	[INODE_NEXT] = "next in chain",	       [INODE_FLAGS] = "flags",
	[INODE_ORPHAN_NEXT] = "next orphan",   [INODE_ORPHAN_PREV] = "previous orphan",
	[INODE_PAGES] = "pages owned",	       [INODE_NODE] = "node page",
	[INODE_TIES_OUT] = "first child tie",  [INODE_OUT_COUNT] = "children",
	[INODE_TIES_IN] = "first parent tie",  [INODE_IN_COUNT] = "parents",
};

static void dump_word(const struct store *st, const char *name, uint64_t offset, FILE *out)
{
	uint64_t payload;

	if (peek(st, offset, &payload))
		fprintf(out, "  %-16s 0x%llx\n", name, LL(payload));
	else
		fprintf(out, "  %-16s DAMAGED: %016llx at 0x%llx\n", name,
			LL(store_raw(st, offset)), LL(offset));
}

static void dump_geometry(const struct super_header *super, FILE *out)
{
	const struct {
		const char *name;
		uint64_t value;
	} fields[] = {
		{ "version", super->version },	     { "compat", super->compat },
		{ "ro_compat", super->ro_compat },   { "incompat", super->incompat },
		{ "pages", super->pages },	     { "log_page", super->log_page },
		{ "log_pages", super->log_pages },   { "bitmap_page", super->bitmap_page },
		{ "bitmap_pages", super->bitmap_pages }, { "bucket_page", super->bucket_page },
		{ "buckets", super->buckets },	     { "ref_page", super->ref_page },
		{ "first_data", super->first_data },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		fprintf(out, "  %-16s %llu\n", fields[i].name, LL(fields[i].value));
}

static void dump_super(const struct store *st, char letter, uint64_t page, FILE *out)
{
	const struct super_header *super = store_page_at(st, page);

	fprintf(out, "superblock %c, page %llu%s\n", letter, LL(page),
		store_super_sound(super, page) ? "" : ": DAMAGED");
	dump_geometry(super, out);
	for (unsigned int i = 0; i < STATE_WORDS; i++)
		dump_word(st, state_names[i], state_offset(page, i), out);
}

static void dump_log(const struct store *st, FILE *out)
{
	const struct log_record *log = store_page_at(st, LOG_PAGE);

	if (!store_log_sound(st)) {
		fprintf(out, "log: %s\n", log->seq ? "a torn record: never happened" : "empty");
		return;
	}
	fprintf(out, "log: record %llu of %llu words%s\n", LL(log->seq), LL(log->count),
		inside_log_pending(st) ? ", not in place yet" : "");
	for (uint64_t i = 0; i < log->count; i++)
		fprintf(out, "  0x%-14llx 0x%llx\n", LL(log->write[i].offset),
			LL(log->write[i].value & PAYLOAD_MAX));
}

void inside_dump_store(struct store *st, FILE *out)
{
	dump_super(st, 'A', SUPER_A_PAGE, out);
	dump_super(st, 'B', SUPER_B_PAGE, out);
	dump_log(st, out);
}

/* Content pages as runs: neighbours in the object that are neighbours in the store. */
struct run {
	uint64_t pgnr, page, count;
	const char *what;
	FILE *out;
};

static void end_run(struct run *r)
{
	if (r->count == 1)
		fprintf(r->out, "  %s %llu: page %llu\n", r->what, LL(r->pgnr), LL(r->page));
	else if (r->count)
		fprintf(r->out, "  %s %llu-%llu: pages %llu-%llu\n", r->what, LL(r->pgnr),
			LL(r->pgnr + r->count - 1), LL(r->page), LL(r->page + r->count - 1));
	r->count = 0;
}

static void dump_content(const struct store *st, uint64_t offset, uint64_t pgnr, struct run *r)
{
	uint64_t page;
	bool sound = peek(st, offset, &page);

	if (sound && page && r->count && page == r->page + r->count && pgnr == r->pgnr + r->count) {
		r->count++;
		return;
	}
	if (sound && !page)
		return;
	end_run(r);
	if (sound)
		*r = (struct run){ pgnr, page, 1, r->what, r->out };
	else
		fprintf(r->out, "  %s %llu: DAMAGED word at 0x%llx\n", r->what, LL(pgnr),
			LL(offset));
}

static void dump_words(const struct store *st, uint64_t offset, unsigned int count, uint64_t pgnr,
		       struct run *r)
{
	for (unsigned int i = 0; i < count; i++)
		dump_content(st, offset + 8ull * i, pgnr + i, r);
	end_run(r);
}

/* The first page of the run that a node word names; 0: it names none, or is damaged. */
static uint64_t peek_run(const struct store *st, uint64_t offset)
{
	uint64_t word, first;

	if (!peek(st, offset, &word) || !(word & LEAF_RUN))
		return 0;
	first = word & ~LEAF_RUN;
	return first >= st->first_data && first + PAGE_WORDS <= st->pages ? first : 0;
}

static void dump_leaf(const struct store *st, uint64_t offset, unsigned int number, struct run *r)
{
	uint64_t leaf = peek_page(st, offset), first = peek_run(st, offset), word;
	uint64_t pgnr = (uint64_t)number * PAGE_WORDS;

	if (first) {
		fprintf(r->out, "  run %u: content %llu-%llu: pages %llu-%llu\n", number, LL(pgnr),
			LL(pgnr + PAGE_WORDS - 1), LL(first), LL(first + PAGE_WORDS - 1));
	} else if (leaf) {
		fprintf(r->out, "  leaf %u: page %llu\n", number, LL(leaf));
		dump_words(st, leaf * STORE_PAGE_SIZE, PAGE_WORDS, pgnr, r);
	} else if (!peek(st, offset, &word) || word) {
		fprintf(r->out, "  leaf %u: DAMAGED word at 0x%llx\n", number, LL(offset));
	}
}

static void dump_leaves(const struct store *st, uint64_t offset, unsigned int count, struct run *r)
{
	for (unsigned int i = 0; i < count; i++)
		dump_leaf(st, offset + 8ull * i, i, r);
}

static void dump_tree(const struct store *st, uint64_t inode, FILE *out)
{
	uint64_t node = peek_page(st, inode_word(inode, INODE_NODE));
	struct run r = { .what = "content", .out = out };

	dump_words(st, inode_word(inode, INODE_LOW), DIRECT_PAGES, 0, &r);
	if (node)
		dump_leaves(st, node * STORE_PAGE_SIZE, PAGE_WORDS, &r);
	dump_words(st, inode_word(inode, INODE_HIGH), DIRECT_PAGES, FIRST_HIGH, &r);
	r.what = "side";
	dump_words(st, inode_word(inode, INODE_SIDE), DIRECT_PAGES, 0, &r);
	dump_leaves(st, inode_word(inode, INODE_SIDE_LEAF), INODE_SIDE_END - INODE_SIDE_LEAF, &r);
}

void inside_dump_object(struct store *st, const struct store_handle *h, FILE *out)
{
	const struct inode_header *header = store_page_at(st, h->inode);

	fprintf(out, "object " IDFMT ", inode page %llu%s\n", IDPR(h->id), LL(h->inode),
		sound_inode(st, h->inode) ? "" : ": DAMAGED header");
	fprintf(out, "  %-16s %llu\n", "born at boot", LL(header->birth));
	for (unsigned int i = INODE_NEXT; i < INODE_NAMED_END; i++)
		dump_word(st, inode_names[i], inode_word(h->inode, i), out);
	dump_tree(st, h->inode, out);
}

/* ---- Who uses which page ---- */

static void note(struct page_map *map, uint64_t page, const struct page_owner *owner)
{
	if (page && map->owner[page].use == PAGE_UNUSED)
		map->owner[page] = *owner;
}

static void map_contents(const struct store *st, struct page_map *map, struct page_owner owner,
			 uint64_t offset, unsigned int count)
{
	owner.use = PAGE_CONTENT;
	for (unsigned int i = 0; i < count; i++, owner.pgnr++)
		note(map, peek_page(st, offset + 8ull * i), &owner);
}

static void map_run(struct page_map *map, struct page_owner owner, uint64_t first)
{
	owner.use = PAGE_CONTENT;
	for (unsigned int i = 0; i < PAGE_WORDS; i++, owner.pgnr++)
		note(map, first + i, &owner);
}

/* Words that name leaves or runs: those of a node, or of an inode's side pages. */
static void map_leaves(const struct store *st, struct page_map *map, struct page_owner owner,
		       uint64_t offset, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, owner.pgnr += PAGE_WORDS) {
		uint64_t leaf = peek_page(st, offset + 8ull * i);
		uint64_t first = peek_run(st, offset + 8ull * i);

		if (first)
			map_run(map, owner, first);
		if (!leaf || map->owner[leaf].use != PAGE_UNUSED)
			continue;
		owner.use = PAGE_LEAF;
		note(map, leaf, &owner);
		map_contents(st, map, owner, leaf * STORE_PAGE_SIZE, PAGE_WORDS);
	}
}

static void map_side(const struct store *st, struct page_map *map, struct page_owner owner)
{
	owner.pgnr = SIDE_FIRST;
	map_contents(st, map, owner, inode_word(owner.inode, INODE_SIDE), DIRECT_PAGES);
	map_leaves(st, map, owner, inode_word(owner.inode, INODE_SIDE_LEAF),
		   INODE_SIDE_END - INODE_SIDE_LEAF);
}

static void map_inode(const struct store *st, struct page_map *map, uint64_t inode, objid_t id)
{
	struct page_owner owner = { .id = id, .inode = inode, .use = PAGE_INODE };
	uint64_t node = peek_page(st, inode_word(inode, INODE_NODE));

	map->owner[inode] = owner;
	map_contents(st, map, owner, inode_word(inode, INODE_LOW), DIRECT_PAGES);
	map_side(st, map, owner);
	owner.pgnr = FIRST_HIGH;
	map_contents(st, map, owner, inode_word(inode, INODE_HIGH), DIRECT_PAGES);
	if (!node || map->owner[node].use != PAGE_UNUSED)
		return;
	owner.use = PAGE_NODE;
	note(map, node, &owner);
	owner.pgnr = 0;
	map_leaves(st, map, owner, node * STORE_PAGE_SIZE, PAGE_WORDS);
}

/* Tie pages are of many objects. */
static void map_ties(const struct store *st, struct page_map *map)
{
	static const struct page_owner ties = { .use = PAGE_TIES };

	for (uint64_t page = st->first_data; page < st->pages; page++) {
		const uint64_t *words = store_page_at(st, page);

		if (words[TIE_PAGE_MAGIC] == TIE_MAGIC && words[TIE_PAGE_SELF] == page)
			note(map, page, &ties);
	}
}

/* The inodes of a chain with damaged headers; an ID that belongs into the chain is believed. */
static void map_chain(const struct store *st, struct page_map *map, uint64_t bucket)
{
	uint64_t page = peek_page(st, bucket);

	for (uint64_t left = st->pages; page && left; left--) {
		objid_t id = inode_id(st, page);

		if (map->owner[page].use == PAGE_INODE && !sound_inode(st, page))
			return; /* a circle */
		if (!sound_inode(st, page))
			map_inode(st, map, page, store_bucket(st, id) == bucket ? id : 0);
		page = peek_page(st, inode_word(page, INODE_NEXT));
	}
}

/* The same for objects in no chain: nothing tells whether an ID is right. */
static void map_orphans(const struct store *st, struct page_map *map)
{
	uint64_t inode = first_orphan(st);

	for (uint64_t left = st->pages; inode && left; left--) {
		if (map->owner[inode].use != PAGE_INODE)
			map_inode(st, map, inode, 0);
		inode = peek_page(st, inode_word(inode, INODE_ORPHAN_NEXT));
	}
}

/* Inodes are known by their headers, so that those behind a damaged link are found as well. */
void inside_map(struct store *st, struct page_map *map)
{
	map->pages = st->pages;
	map->owner = calloc(st->pages, sizeof(*map->owner));
	for (uint64_t page = st->first_data; map->owner != NULL && page < st->pages; page++) {
		if (sound_inode(st, page))
			map_inode(st, map, page, inode_id(st, page));
	}
	for (uint64_t i = 0; map->owner != NULL && i <= st->bucket_mask; i++)
		map_chain(st, map, st->buckets + 8 * i);
	if (map->owner == NULL)
		return;
	map_orphans(st, map);
	map_ties(st, map);
}

void inside_map_free(struct page_map *map)
{
	free(map->owner);
	map->owner = NULL;
}

/* ---- Offsets in words ---- */

static void place_super(char letter, uint64_t within, FILE *out)
{
	if (within >= STATE_OFFSET && within < STATE_OFFSET + 8 * STATE_WORDS)
		fprintf(out, "superblock %c, %s", letter,
			state_names[(within - STATE_OFFSET) / 8]);
	else
		fprintf(out, "superblock %c, %s", letter,
			within < sizeof(struct super_header) ? "header" : "reserved part");
}

/* Names the objects whose place is behind this bucket. */
static void place_bucket(const struct store *st, const struct page_map *map, uint64_t offset,
			 FILE *out)
{
	unsigned int shown = 0;

	fprintf(out, "hash bucket %llu", LL((offset - st->buckets) / 8));
	for (uint64_t page = st->first_data; map->owner != NULL && page < st->pages; page++) {
		const struct page_owner *owner = &map->owner[page];

		if (owner->use != PAGE_INODE || store_bucket(st, owner->id) != offset)
			continue;
		if (shown++ < 4)
			fprintf(out, "%s " IDFMT, shown == 1 ? ", where these belong:" : ",",
				IDPR(owner->id));
	}
	if (shown > 4)
		fprintf(out, " and %u more", shown - 4);
}

static void place_inode(const struct page_owner *owner, uint64_t within, FILE *out)
{
	uint64_t index = within / 8;

	if (owner->id)
		fprintf(out, "inode of object " IDFMT ", ", IDPR(owner->id));
	else
		fputs("inode of an object of unknown ID, ", out);
	if (index < INODE_NEXT)
		fputs("header", out);
	else if (index < INODE_NAMED_END)
		fputs(inode_names[index], out);
	else if (index >= INODE_LOW && index < INODE_LOW + DIRECT_PAGES)
		fprintf(out, "content page %llu", LL(index - INODE_LOW));
	else if (index >= INODE_HIGH && index < INODE_HIGH + DIRECT_PAGES)
		fprintf(out, "content page %llu", LL(FIRST_HIGH + index - INODE_HIGH));
	else if (index >= INODE_SIDE && index < INODE_SIDE + DIRECT_PAGES)
		fprintf(out, "side page %llu", LL(index - INODE_SIDE));
	else if (index >= INODE_SIDE_LEAF && index < INODE_SIDE_END)
		fprintf(out, "side pages from %llu on", LL(index - INODE_SIDE_LEAF) * PAGE_WORDS);
	else
		fputs("reserved part", out);
}

/* A record names both its objects by their inodes. */
static void place_tie(const struct store *st, const struct page_map *map, uint64_t page,
		      uint64_t within, FILE *out)
{
	uint64_t record = page * STORE_PAGE_SIZE + within / LINE_BYTES * LINE_BYTES;
	uint64_t parent = peek_page(st, record + 8 * TIE_PARENT);
	uint64_t child = peek_page(st, record + 8 * TIE_CHILD);

	if (within < LINE_BYTES) {
		fputs("head of a page of ties", out);
		return;
	}
	fputs("tie", out);
	if (child)
		fprintf(out, " of child " IDFMT, IDPR(map->owner[child].id));
	if (parent)
		fprintf(out, " to parent " IDFMT, IDPR(map->owner[parent].id));
}

static void place_object_page(const struct store *st, const struct page_map *map, uint64_t page,
			      uint64_t within, FILE *out)
{
	static const struct page_owner unused;
	const struct page_owner *owner = map->owner != NULL ? &map->owner[page] : &unused;

	switch (owner->use) {
	case PAGE_INODE:
		place_inode(owner, within, out);
		break;
	case PAGE_NODE:
		fprintf(out, "node of object " IDFMT ", leaf %llu", IDPR(owner->id),
			LL(within / 8));
		break;
	case PAGE_LEAF:
		fprintf(out, "leaf of object " IDFMT, IDPR(owner->id));
		break;
	case PAGE_CONTENT:
		fprintf(out, "%s page %llu of object " IDFMT,
			owner->pgnr < SIDE_FIRST ? "content" : "side",
			LL(owner->pgnr % SIDE_FIRST), IDPR(owner->id));
		break;
	case PAGE_TIES:
		place_tie(st, map, page, within, out);
		break;
	default:
		fputs("of no object that can be told", out);
	}
}

static void place_area(const struct store *st, const struct page_map *map, uint64_t offset,
		       FILE *out)
{
	if (offset < st->buckets)
		fprintf(out, "allocation bitmap, pages %llu-%llu",
			LL((offset - st->bitmap) / 8 * MAP_PAGES),
			LL((offset - st->bitmap) / 8 * MAP_PAGES + MAP_PAGES - 1));
	else if (offset < st->refs)
		place_bucket(st, map, offset & ~7ull, out);
	else
		fprintf(out, "reference map, pages %llu-%llu",
			LL((offset - st->refs) / 8 * REF_PAGES),
			LL((offset - st->refs) / 8 * REF_PAGES + REF_PAGES - 1));
}

void inside_place(struct store *st, const struct page_map *map, uint64_t offset, FILE *out)
{
	uint64_t page = offset / STORE_PAGE_SIZE, within = offset % STORE_PAGE_SIZE;

	fprintf(out, "page %llu, ", LL(page));
	if (page >= st->pages)
		fputs("outside the store", out);
	else if (page == SUPER_A_PAGE || page == SUPER_B_PAGE)
		place_super(page == SUPER_A_PAGE ? 'A' : 'B', within, out);
	else if (page == LOG_PAGE)
		fputs("log", out);
	else if (page < BITMAP_PAGE)
		fputs("reserved", out);
	else if (page < st->first_data)
		place_area(st, map, offset, out);
	else
		place_object_page(st, map, page, within, out);
}
