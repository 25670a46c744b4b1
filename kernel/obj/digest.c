// SPDX-License-Identifier: BSD-3-Clause
/*
 * Verifying the pages of a hash-data object of the store one by one, with the digests that are kept
 * beside it.
 *
 * When the ID is verified, so are all digests above the leaves': at most 17 pages of them. A group
 * of leaves' digests follows when one of its pages is used, and then that page alone. A page of
 * digests that is missing or wrong is computed again from what it is about; if that is still not
 * what the level above says, those pages cannot be had, and no others suffer. Only where a level
 * above is wrong is the whole tree computed again.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <base/string.h>
#include <log.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <obj/hash.h>
#include <obj/persist.h>
#include <obj/private.h>

#include "digest.h"

#define TOLD_MAX 8u

static struct slab_cache state_cache = SLAB_CACHE("hash state", struct hash_state);

struct hash_state *hash_state_new(const struct metainfo *mi)
{
	struct hash_state *state = slab_alloc_zero(&state_cache);

	if (!state)
		return NULL;
	memcpy(&state->mi, mi, sizeof(state->mi));
	id_shape(&state->shape, mi);
	return state;
}

void hash_state_free(struct hash_state *state)
{
	hash_recompute_stop(state);
	hash_side_drop(state);
	for (size_t i = 0; i < ARRAY_SIZE(state->many); i++)
		if (state->many[i])
			page_free(state->many[i]);
	slab_free(&state_cache, state);
}

void hash_forget(struct object *object)
{
	if (object->hash)
		hash_state_free(object->hash);
	object->hash = NULL;
}

/* ---- Which leaves were verified ---- */

/* The word with a leaf's bit. NULL: no page of it was verified, or no memory. */
static uint64_t *seen_word(struct hash_state *state, uint64_t leaf, bool make)
{
	if (state->shape.digests[0] <= SEEN_FEW)
		return &state->few[leaf / 64];
	uint64_t **many = &state->many[leaf / SEEN_PAGE_BITS];
	if (!*many && make)
		*many = page_alloc_zero();
	return *many ? *many + leaf % SEEN_PAGE_BITS / 64 : NULL;
}

static bool seen(struct hash_state *state, uint64_t leaf)
{
	const uint64_t *word = state->whole ? NULL : seen_word(state, leaf, false);

	return state->whole || (word && (*word >> leaf % 64 & 1));
}

/* Without memory for the bit it is verified again the next time. */
static void mark_seen(struct hash_state *state, uint64_t leaf)
{
	uint64_t *word = seen_word(state, leaf, true);

	if (word)
		*word |= 1ull << leaf % 64;
}

bool hash_block_checked(struct object *object, uint64_t pgnr)
{
	uint64_t first = align_down(pgnr, STORE_RUN_PAGES);

	for (uint64_t i = 0; object->hash && i < STORE_RUN_PAGES; i++) {
		uint64_t leaf = id_leaf_of(&object->hash->shape, first + i);
		if (leaf == ID_NO_LEAF || !seen(object->hash, leaf))
			return false;
	}
	return true;
}

/* ---- Digests ---- */

static const uint8_t *side_digests(struct object *object, unsigned int level, uint32_t group)
{
	uint32_t n = id_side_page(&object->hash->shape, level, group);
	void *page;

	return store_side_get(object->store, &object->stored, n, &page) == 0 ? page : NULL;
}

void hash_side_write(struct object *object, uint32_t n, const void *content)
{
	struct store *store = object->store;
	void *page;

	if (persist_readonly(object->store) || store_side_get(store, &object->stored, n, &page) != 0)
		return;
	if (!page) {
		(void)store_side_alloc(store, &object->stored, n, content, &page);
	} else if (memcmp(page, content, PAGE_SIZE) != 0) {
		/* A cut leaves a mixture, which nobody trusts either. */
		memcpy(page, content, PAGE_SIZE);
		persist_flush(page, PAGE_SIZE);
		persist_fence();
	}
}

static bool group_gives(const struct id_shape *s, unsigned int level, uint32_t group,
			const uint8_t *digests, const uint8_t *expected)
{
	uint8_t digest[HASH_SIZE];

	if (!digests || !expected)
		return false;
	id_hash_group(s, level, group, digests, digest);
	return memcmp(digest, expected, HASH_SIZE) == 0;
}

/* Do the digests above the leaves' give the ID? Then they are to be trusted from now on. */
static bool upper_levels_match(struct object *object)
{
	struct hash_state *state = object->hash;
	const struct id_shape *s = &state->shape;
	unsigned int top = s->levels - 1;
	const uint8_t *digests = side_digests(object, top, 0);
	uint8_t root[HASH_SIZE];

	if (!digests)
		return false;
	id_hash_group(s, top, 0, digests, root);
	if (id_derive_root(&state->mi, root) != object->id)
		return false;
	for (uint32_t group = 0; top == 2 && group < s->digests[2]; group++)
		if (!group_gives(s, 1, group, side_digests(object, 1, group),
				 digests + group * HASH_SIZE))
			return false;
	if (top == 0)
		state->groups[0] = 1;
	return true;
}

/* What the level above says of a group of leaves. */
static const uint8_t *group_digest(struct object *object, uint32_t group)
{
	const uint8_t *above = side_digests(object, 1, group / HASH_FANOUT);

	return above ? above + group % HASH_FANOUT * HASH_SIZE : NULL;
}

/* The trusted digests of a group of leaves. NULL: those in the side page are not. */
static const uint8_t *leaf_digests(struct object *object, uint32_t group)
{
	uint64_t *word = &object->hash->groups[group / 64];
	const uint8_t *digests = side_digests(object, 0, group);

	if (*word >> group % 64 & 1)
		return digests;
	if (!group_gives(&object->hash->shape, 0, group, digests, group_digest(object, group)))
		return NULL;
	*word |= 1ull << group % 64;
	return digests;
}

static int hash_leaves(struct object *object, uint32_t group, uint8_t *digests)
{
	const struct id_shape *s = &object->hash->shape;
	int error = 0;

	for (uint32_t i = 0; !error && i < id_group_size(s, 0, group); i++) {
		uint64_t pgnr = id_page_of(s, group * HASH_FANOUT + i);
		void *page;
		error = object_page_unchecked(object, pgnr, &page);
		if (!error)
			id_hash_leaf(s, pgnr, page, digests + i * HASH_SIZE);
	}
	return error;
}

/*
 * A group's digests are missing or wrong: if those of its pages are what the level above says, all
 * are verified.
 */
static int mend_group(struct object *object, uint32_t group)
{
	struct hash_state *state = object->hash;
	const struct id_shape *s = &state->shape;
	uint8_t *digests = page_alloc_zero();

	if (!digests)
		return -ENOMEM;
	int error = hash_leaves(object, group, digests);
	if (!error && !group_gives(s, 0, group, digests, group_digest(object, group)))
		error = -EUCLEAN;
	if (!error) {
		log_notice("digests of pages of " IDFMT " computed again", IDPR(object->id));
		hash_side_write(object, id_side_page(s, 0, group), digests);
		for (uint32_t i = 0; i < id_group_size(s, 0, group); i++)
			mark_seen(state, group * HASH_FANOUT + i);
	}
	page_free(digests);
	return error;
}

/* ---- Pages ---- */

static int tell_mismatch(struct object *object, uint64_t pgnr)
{
	if (object->hash->told++ < TOLD_MAX)
		log_warn("page %lu of " IDFMT " is not what its ID says", (unsigned long)pgnr,
			 IDPR(object->id));
	return -EUCLEAN;
}

static int check_leaf(struct object *object, uint64_t leaf, const void *page)
{
	const struct id_shape *s = &object->hash->shape;
	const uint8_t *digests = leaf_digests(object, leaf / HASH_FANOUT);
	uint64_t pgnr = id_page_of(s, leaf);
	uint8_t digest[HASH_SIZE];

	if (!digests) {
		int error = mend_group(object, leaf / HASH_FANOUT);
		return error == -EUCLEAN ? tell_mismatch(object, pgnr) : error;
	}
	id_hash_leaf(s, pgnr, page, digest);
	if (memcmp(digest, digests + leaf % HASH_FANOUT * HASH_SIZE, HASH_SIZE) != 0)
		return tell_mismatch(object, pgnr);
	mark_seen(object->hash, leaf);
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
	return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* Bytes of a page that are not covered read as zero, whatever the media holds. */
static int trim_page(struct object *object, uint64_t pgnr, void **page)
{
	struct hash_state *state = object->hash;
	size_t start, end = id_covered(&state->shape, pgnr, &start);
	uint8_t *bytes = *page;

	if (pgnr == OBJ_META_PGNR || !bytes ||
	    (is_zero(bytes, start) && is_zero(bytes + end, PAGE_SIZE - end)))
		return 0;
	if (persist_readonly(object->store))
		return -EUCLEAN;
	/* The page is known: it is not to be checked on the way. */
	object->hash = NULL;
	int error = object_page_write(object, pgnr, page);
	object->hash = state;
	if (error)
		return error;
	memset(*page, 0, start);
	memset((uint8_t *)*page + end, 0, PAGE_SIZE - end);
	persist_flush(*page, PAGE_SIZE);
	persist_fence();
	return 0;
}

int hash_check_page(struct object *object, uint64_t pgnr, void **page)
{
	struct hash_state *state = object->hash;
	uint64_t leaf = id_leaf_of(&state->shape, pgnr);
	int error = 0;

	if (!state->trusted)
		error = -EINVLOBJ;
	else if (leaf == ID_NO_LEAF)
		*page = NULL;
	else if (!seen(state, leaf))
		error = check_leaf(object, leaf, *page);
	if (!error && leaf != ID_NO_LEAF)
		error = trim_page(object, pgnr, page);
	return error;
}

uint64_t hash_next_covered(struct object *object, uint64_t pgnr)
{
	const struct id_shape *s = &object->hash->shape;

	if (pgnr > s->data_pages)
		pgnr = MAX(pgnr, s->fot_start / PAGE_SIZE);
	return MAX(pgnr, 1ull);
}

bool hash_mismatch(struct object *object, uint64_t pgnr)
{
	void *page;

	return object->hash && object_page_unchecked(object, pgnr, &page) == 0;
}

/* ---- The object ---- */

static int prepare_state(struct object *object, const struct metainfo *mi)
{
	if (object->hash && memcmp(&object->hash->mi, mi, sizeof(*mi)) != 0)
		hash_forget(object);
	if (object->hash)
		return 0;
	object->hash = hash_state_new(mi);
	if (!object->hash)
		return -ENOMEM;
	object->hash->trusted = object->persistent && upper_levels_match(object);
	return 0;
}

/* The state is of use as long as pages are to be verified, or hidden. */
static int finish_verified(struct object *object, const struct metainfo *mi)
{
	void *page;
	int error;

	if (object->persistent) {
		error = object_page_unchecked(object, OBJ_META_PGNR, &page);
		return error ? error : hash_check_page(object, OBJ_META_PGNR, &page);
	}
	error = hash_drop_uncovered(object, mi);
	if (!error)
		hash_forget(object);
	return error;
}

int hash_verify(struct object *object, const struct metainfo *mi)
{
	int error = prepare_state(object, mi);

	if (!error && !object->hash->trusted)
		error = hash_recompute(object, object->hash);
	if (!error)
		error = finish_verified(object, mi);
	if (!error || error == OBJECT_AGAIN)
		return error;
	hash_forget(object);
	return error == -ENOMEM ? error : -EINVLOBJ;
}
