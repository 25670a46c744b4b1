// SPDX-License-Identifier: BSD-3-Clause
/*
 * Naming hash-data objects by their content.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <obj/hash.h>
#include <obj/id.h>
#include <obj/private.h>
#include <sec/random.h>

#include "digest.h"

#define DERIVE_TRIES 16
#define DATA_FIRST_PAGE 1u
#define FOT_FIRST_PAGE (OBJ_TOPDATA / PAGE_SIZE)

static int note_last(void *arg, uint64_t pgnr, void *page)
{
	(void)page;
	*(uint64_t *)arg = pgnr;
	return 0;
}

/* An unsized source is sized by its last allocated data page. */
static uint64_t implied_size(struct object *draft)
{
	uint64_t last = 0;

	object_pages_walk(draft, DATA_FIRST_PAGE, FOT_FIRST_PAGE, note_last, &last);
	return last * PAGE_SIZE;
}

/* Zero the bytes [from, to) of an existing page; the range stays within the page. */
static int zero_in_page(struct object *draft, uint64_t from, uint64_t to)
{
	void *page;
	int error = object_page(draft, from / PAGE_SIZE, false, &page);

	if (error || !page || from == to)
		return error;
	error = object_page_write(draft, from / PAGE_SIZE, &page);
	if (!error)
		memset((char *)page + from % PAGE_SIZE, 0, to - from);
	return error;
}

/* What the tree does not cover reads as zero: let it be so. */
int hash_drop_uncovered(struct object *draft, const struct metainfo *mi)
{
	uint64_t data_end = OBJ_NULLPAGE_SIZE + mi->sz;
	uint64_t fot_start = OBJ_FOTE_OFFSET(mi->fotentries - 1ul);
	uint64_t uncovered = div_round_up(data_end, PAGE_SIZE);
	int error = zero_in_page(draft, data_end, align_up(data_end, PAGE_SIZE));

	if (!error)
		error = object_make_holes(draft, &uncovered, fot_start / PAGE_SIZE, OBJ_MAXPAGES);
	if (!error)
		error = zero_in_page(draft, align_down(fot_start, PAGE_SIZE), fot_start);
	return error;
}

/* Draw nonces until the ID is not a reserved one. `mi` is the metadata page's own. */
static int draw_name(struct object *draft, struct metainfo *mi, bool zero_nonce, const uint8_t root[HASH_SIZE])
{
	for (int i = 0; i < DERIVE_TRIES; i++) {
		if (!zero_nonce)
			random_bytes(&mi->nonce, sizeof(mi->nonce));
		draft->id = id_derive_root(mi, root);
		if (!objid_is_reserved(draft->id))
			return 0;
		if (zero_nonce)
			return -EINVAL;
	}
	return -EAGAIN;
}

/* Bring the draft into form, and be ready to hash it. */
static int prepare(struct object *draft, struct metainfo *mi)
{
	if (!(mi->flags & MIF_SZ))
		mi->sz = implied_size(draft);
	mi->flags = MIF_SZ;
	if (mi->fotentries == 0)
		mi->fotentries = 1;
	if (meta_check(mi) != 0)
		return -EINVAL;
	int error = hash_drop_uncovered(draft, mi);
	if (!error)
		draft->hash = hash_state_new(mi);
	return error || draft->hash ? error : -ENOMEM;
}

int hash_name_draft(struct object *draft, bool zero_nonce, bool keep)
{
	uint8_t root[HASH_SIZE];
	void *page;
	int error = object_page_write(draft, OBJ_META_PGNR, &page);
	struct metainfo *mi = page;

	if (!error && !draft->hash)
		error = prepare(draft, mi);
	if (!error)
		error = hash_draft_root(draft, draft->hash, keep, root);
	/* The nonce is not part of the tree. */
	if (!error)
		error = draw_name(draft, mi, zero_nonce, root);
	if (error)
		return error;
	if (!draft->hash->side)
		hash_forget(draft);
	memcpy(&draft->verified, mi, sizeof(draft->verified));
	draft->p_flags = mi->p_flags;
	draft->kuid = mi->kuid;
	draft->identity = OBJ_VERIFIED;
	return 0;
}

struct beside {
	struct store *store;
	const struct store_handle *handle;
};

static int store_digests(void *arg, uint64_t pgnr, void *page)
{
	const struct beside *beside = arg;
	void *stored;

	return store_side_alloc(beside->store, beside->handle, pgnr - 1, page, &stored);
}

int hash_store_digests(struct object *object, struct store *store, const struct store_handle *handle)
{
	struct beside beside = { store, handle };

	if (!object->hash || !object->hash->side)
		return 0;
	return object_pages_walk(object->hash->side, 1, STORE_SIDE_PAGES + 1, store_digests, &beside);
}
