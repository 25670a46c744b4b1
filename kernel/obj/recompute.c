// SPDX-License-Identifier: BSD-3-Clause
/*
 * The hash tree of an object computed from all its pages: of one that has no digests beside it, or
 * wrong ones, or is in memory. It takes as long as the object is large, so it is done in steps.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <base/string.h>
#include <log.h>
#include <mm/slab.h>
#include <obj/persist.h>
#include <obj/private.h>

#include "digest.h"

#define STEP_PAGES 4u /* some 600,000 instructions */

struct recompute {
	struct id_tree tree;
	bool matches;        /* the tree gives the ID; what is left is to write the digests, */
	uint64_t next;       /* from this page of state->side on */
};

static struct slab_cache recompute_cache = SLAB_CACHE("hash tree", struct recompute);

void hash_recompute_stop(struct hash_state *state)
{
	if (state->recompute)
		slab_free(&recompute_cache, state->recompute);
	state->recompute = NULL;
}

/* ---- Keeping the digests ---- */

void hash_side_drop(struct hash_state *state)
{
	if (!state->side)
		return;
	object_pages_free(state->side);
	slab_free(&object_cache, state->side);
	state->side = NULL;
}

static void keep_digest(void *arg, unsigned int level, uint32_t index, const uint8_t digest[HASH_SIZE])
{
	struct hash_state *state = arg;
	void *page;

	if (!state->side)
		return;
	uint64_t n = id_side_page(&state->shape, level, index / HASH_FANOUT);
	if (object_page(state->side, n + 1, true, &page) == 0)
		memcpy((uint8_t *)page + index % HASH_FANOUT * HASH_SIZE, digest, HASH_SIZE);
	else
		hash_side_drop(state);
}

/* ---- The steps ---- */

static void keep_digests(struct hash_state *state, struct id_tree *tree)
{
	state->side = object_new(0);
	tree->keep = keep_digest;
	tree->keep_arg = state;
}

static int begin(struct hash_state *state, bool keep)
{
	state->recompute = slab_alloc_zero(&recompute_cache);
	if (!state->recompute)
		return -ENOMEM;
	id_tree_begin(&state->recompute->tree, &state->mi);
	state->recompute->next = 1;
	if (keep)
		keep_digests(state, &state->recompute->tree);
	return 0;
}

static int add_pages(struct object *object, struct id_tree *tree)
{
	for (unsigned int i = 0; i < STEP_PAGES && id_tree_next(tree); i++) {
		void *page;
		int error = object_page_unchecked(object, id_tree_next(tree), &page);
		if (error)
			return error;
		id_tree_add(tree, page);
	}
	return id_tree_next(tree) ? OBJECT_AGAIN : 0;
}

static bool gives_id(struct object *object, struct hash_state *state)
{
	uint8_t root[HASH_SIZE];

	id_tree_finish(&state->recompute->tree, root);
	return id_derive_root(&state->mi, root) == object->id;
}

static int write_digests(struct object *object, struct hash_state *state)
{
	struct recompute *r = state->recompute;
	uint64_t end = id_side_pages(&state->shape) + 1;
	void *page;

	for (unsigned int i = 0; state->side && i < STEP_PAGES && r->next < end; i++, r->next++)
		if (object_page(state->side, r->next, false, &page) == 0 && page)
			hash_side_write(object, r->next - 1, page);
	return state->side && r->next < end ? OBJECT_AGAIN : 0;
}

int hash_recompute(struct object *object, struct hash_state *state)
{
	bool keep = object->persistent && !persist_readonly(object->store);
	int error = state->recompute ? 0 : begin(state, keep);

	if (!error && !state->recompute->matches) {
		error = add_pages(object, &state->recompute->tree);
		if (!error && !gives_id(object, state))
			error = -EINVLOBJ;
		if (error)
			return error;
		state->recompute->matches = true;
	}
	if (!error)
		error = write_digests(object, state);
	if (error)
		return error;
	if (object->persistent)
		log_notice("digests of " IDFMT " computed again", IDPR(object->id));
	hash_recompute_stop(state);
	hash_side_drop(state);
	state->whole = state->trusted = true;
	return 0;
}

int hash_draft_root(struct object *draft, struct hash_state *state, bool keep, uint8_t root[HASH_SIZE])
{
	int error = state->recompute ? 0 : begin(state, keep);

	if (!error)
		error = add_pages(draft, &state->recompute->tree);
	if (error)
		return error;
	id_tree_finish(&state->recompute->tree, root);
	hash_recompute_stop(state);
	return 0;
}
