// SPDX-License-Identifier: BSD-3-Clause
/*
 * The model. See model.h.
 */
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include "model.h"

const uint64_t model_places[MODEL_PLACES] = {
	1, 2, 63, 64, 700, 100000, 3100, 262079, 262080, 262142, 262143,
	SIDE_FIRST, SIDE_FIRST + 64, SIDE_FIRST + 8191,
};

const uint64_t *model_content(uint32_t seed)
{
	static uint64_t *pages[MODEL_SEEDS]; /* kept: compared with a million times */

	if (!pages[seed]) {
		pages[seed] = calloc(PAGE_WORDS, 8);
		if (!pages[seed])
			abort();
		for (unsigned i = 0; i < PAGE_WORDS && seed; i++)
			pages[seed][i] = (uint64_t)seed << 32 | i * 2654435761u;
	}
	return pages[seed];
}

int model_get(struct store *st, const struct store_handle *h, unsigned place, void **page)
{
	uint64_t pgnr = model_places[place];

	return pgnr < SIDE_FIRST ? store_page_get(st, h, pgnr, page)
				 : store_side_get(st, h, pgnr - SIDE_FIRST, page);
}

unsigned model_parents(const struct model *m, unsigned child)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		count += m->ties[i][child] != 0;
	return count;
}

void model_forget(struct model *m, unsigned object)
{
	memset(&m->object[object], 0, sizeof(m->object[object]));
	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		m->ties[i][object] = m->ties[object][i] = 0;
}

void model_remount(struct model *m)
{
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < MODEL_OBJECTS; i++) {
			enum life life = m->object[i].life;

			if (life == HIDDEN || (life == DELETED && !model_parents(m, i))) {
				model_forget(m, i);
				again = true;
			}
		}
	}
}

static const char *compare_page(const uint64_t *page, const struct model_page *m)
{
	const uint64_t *expected = model_content(m->seed);
	const unsigned behind = MODEL_MARK + 1;

	if (!page)
		return m->present ? "page is missing" : NULL;
	if (!m->present)
		return "page appeared";
	if (page[MODEL_MARK] != (m->mark ? m->mark : expected[MODEL_MARK]) ||
	    memcmp(page, expected, MODEL_MARK * 8) ||
	    memcmp(page + behind, expected + behind, STORE_PAGE_SIZE - 8 * behind))
		return "page has wrong content";
	return NULL;
}

static const char *expect(struct store *st, const struct store_handle *h, uint64_t pgnr,
			  bool present)
{
	void *page;

	if (store_page_get(st, h, pgnr, &page))
		return "page word is damaged";
	return (page != NULL) == present ? NULL : "wrong pages exist";
}

/* The pages that the model keeps no content of, at the ends of their ranges. */
static const char *compare_ranges(struct store *st, const struct model_object *m)
{
	const char *why = expect(st, &m->h, MODEL_BULK + m->bulk, false);

	if (!why && m->bulk)
		why = expect(st, &m->h, MODEL_BULK + m->bulk - 1, true);
	if (!why && m->bulk)
		why = expect(st, &m->h, MODEL_BULK, true);
	if (!why)
		why = expect(st, &m->h, MODEL_RUN, m->run);
	if (!why)
		why = expect(st, &m->h, MODEL_RUN + STORE_RUN_PAGES - 1, m->run);
	return why;
}

static const char *compare_object(struct store *st, struct model_object *m)
{
	const char *why = NULL;
	void *page;

	if (store_lookup(st, m->id, &m->h))
		return "object is missing";
	if (store_is_deleted(st, &m->h) != (m->life == DELETED))
		return "deletion is lost";
	for (unsigned i = 0; i < MODEL_PLACES && !why; i++) {
		if (model_get(st, &m->h, i, &page))
			return "page word is damaged";
		why = compare_page(page, &m->page[i]);
	}
	return why ? why : compare_ranges(st, m);
}

/* Which object a handle is of. */
static unsigned object_of(const struct model *m, const struct store_handle *h)
{
	unsigned i = 0;

	while (i < MODEL_OBJECTS - 1 && m->object[i].id != h->id)
		i++;
	return i;
}

static const char *compare_ties(struct store *st, const struct model *m, unsigned parent)
{
	struct store_tie_cursor cursor = { 0 };
	struct store_handle child;
	uint64_t in, out;
	unsigned children = 0, listed = 0;

	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		children += m->ties[parent][i] != 0;
	if (store_tie_counts(st, &m->object[parent].h, &in, &out))
		return "ties are damaged";
	if (in != model_parents(m, parent) || out != children)
		return "wrong number of ties";
	while (store_tie_next(st, &m->object[parent].h, STORE_CHILDREN, &cursor, &child) == 1) {
		listed++;
		if (cursor.count != m->ties[parent][object_of(m, &child)])
			return "wrong tie";
	}
	return listed == children ? NULL : "ties are missing";
}

static const char *compare_words(struct store *st, const struct model *m)
{
	struct store_stats stats;
	objid_t root;
	unsigned objects = 0;

	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		objects += m->object[i].life != NONE;
	store_stats(st, &stats);
	if (!stats.rdonly && stats.objects != objects)
		return "wrong number of objects";
	if (!stats.rdonly && stats.boots <= m->boots)
		return "boot count went back";
	if (store_nameroot(st, &root) || root != m->root)
		return "wrong name root";
	return store_clock_mark(st) == m->clock ? NULL : "wrong clock mark";
}

/* Not found, unless a read-only mount left it in place. */
static const char *compare_gone(struct store *st, const struct model_object *before)
{
	struct store_handle h;

	if (!before->id || store_lookup(st, before->id, &h) == -ENOENT)
		return NULL;
	return st->rdonly && before->life == DELETED ? NULL : "object should be gone";
}

const char *model_compare(struct store *st, const struct model *before)
{
	struct model m = *before;
	const char *why;

	model_remount(&m);
	why = compare_words(st, &m);
	for (unsigned i = 0; i < MODEL_OBJECTS && !why; i++)
		why = m.object[i].life == NONE ? compare_gone(st, &before->object[i])
					       : compare_object(st, &m.object[i]);
	for (unsigned i = 0; i < MODEL_OBJECTS && !why && !st->rdonly; i++)
		why = m.object[i].life == NONE ? NULL : compare_ties(st, &m, i);
	return why;
}

/* Pages of an object's content, by number. */
static unsigned pages_of(const struct model_object *m)
{
	unsigned count = m->bulk;

	for (unsigned i = 0; i < MODEL_SIDE; i++)
		count += m->page[i].present;
	return count + (m->run ? STORE_RUN_PAGES - 1 : 0);
}

static const char *walk_pages(struct store *st, const struct store_handle *h,
			      const struct model_object *m)
{
	unsigned count = 0;
	void *page, *same;
	int found;

	for (uint64_t pgnr = 0; (found = store_page_next(st, h, &pgnr, &page)) == 1; pgnr++) {
		if (store_page_get(st, h, pgnr, &same) || same != page)
			return "walk meets another page";
		count++;
	}
	return found == 0 && count == pages_of(m) ? NULL : "walk misses pages";
}

const char *model_walk(struct store *st, const struct model *before)
{
	struct store_cursor cursor = { 0 };
	struct model m = *before;
	struct store_handle h;
	const char *why = NULL;
	unsigned wanted = 0;
	int found;

	model_remount(&m);
	for (unsigned i = 0; i < MODEL_OBJECTS; i++)
		wanted += m.object[i].life != NONE;
	while (!why && (found = store_next(st, &cursor, &h)) != 0) {
		const struct model_object *o = &m.object[object_of(&m, &h)];

		if (found < 0 || o->id != h.id || o->life == NONE || !wanted--)
			return "list has another object";
		why = walk_pages(st, &h, o);
	}
	return why ? why : wanted ? "list misses objects" : NULL;
}
