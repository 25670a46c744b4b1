// SPDX-License-Identifier: BSD-3-Clause
/*
 * Derivation of object IDs, see obj/id.h; abi/object.h has the block they are derived from.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/endian.h>
#include <base/string.h>
#include <obj/id.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdatomic.h>

#define META_PAGE_NUMBER (OBJ_METAPAGE / TWZ_PAGE_SIZE)
#define FIXED_META sizeof(struct metainfo)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the ID block is hashed as it stands");
_Static_assert(HASH_FANOUT * HASH_FANOUT * HASH_FANOUT >= OBJ_MAXPAGES, "three levels suffice");

/* What uncovered and unwritten bytes are hashed as. */
static const uint8_t zeroes[TWZ_PAGE_SIZE];

static const char *hashdata_fault(const struct metainfo *mi)
{
	if (mi->flags != MIF_SZ)
		return "flags of a hash-data object are not MIF_SZ";
	if (mi->pad != 0)
		return "pad of a hash-data object is not 0";
	if (mi->p_flags & MIP_DFL_WRITE)
		return "hash-data object is writable";
	return NULL;
}

static const char *meta_fault(const struct metainfo *mi)
{
	if (mi->magic != MI_MAGIC)
		return "wrong magic number";
	if (mi->milen < MI_MILEN_MIN || mi->milen > MI_MILEN_MAX || !is_aligned(mi->milen, 16))
		return "bad milen";
	if (mi->fotentries > OBJ_MAXFOTE)
		return "too many FOT entries";
	if ((mi->flags & MIF_SZ) && mi->sz > OBJ_MAXDATA)
		return "size too large";
	if (mi->p_flags & ~MIP_ALL)
		return "unknown permission flags";
	return mi->p_flags & MIP_HASHDATA ? hashdata_fault(mi) : NULL;
}

int meta_check_why(const struct metainfo *mi, const char **why)
{
	const char *fault = meta_fault(mi);

	if (fault == NULL)
		return 0;
	*why = fault;
	return -EINVLOBJ;
}

int meta_check(const struct metainfo *mi)
{
	const char *why;

	return meta_check_why(mi, &why);
}

static void hash_begin(crypto_generichash_blake2b_state *h, size_t size, const char *personal)
{
	static const uint8_t salt[crypto_generichash_blake2b_SALTBYTES];

	crypto_generichash_blake2b_init_salt_personal(h, NULL, 0, size, salt,
						      (const uint8_t *)personal);
}

/* All IDs begin alike: the hash is begun once. */
static void begin_block(crypto_generichash_blake2b_state *h)
{
	enum { NOT_BEGUN, BEING_KEPT, KEPT };
	static crypto_generichash_blake2b_state kept;
	static _Atomic unsigned int state;
	unsigned int none = NOT_BEGUN;

	if (atomic_load_explicit(&state, memory_order_acquire) == KEPT) {
		*h = kept;
		return;
	}
	hash_begin(h, sizeof(objid_t), ID_BLOCK_PERSONAL);
	if (!atomic_compare_exchange_strong_explicit(&state, &none, BEING_KEPT, memory_order_relaxed,
						     memory_order_relaxed))
		return;
	kept = *h;
	atomic_store_explicit(&state, KEPT, memory_order_release);
}

static objid_t hash_block(const struct id_block *block, size_t size)
{
	crypto_generichash_blake2b_state h;
	objid_t id;

	begin_block(&h);
	crypto_generichash_blake2b_update(&h, (const uint8_t *)block, size);
	crypto_generichash_blake2b_final(&h, (uint8_t *)&id, sizeof(id));
	return id;
}

static void fill_block(struct id_block *block, const struct metainfo *mi)
{
	memset(block, 0, sizeof(*block));
	block->version = ID_BLOCK_VERSION;
	block->p_flags = mi->p_flags;
	block->nonce = mi->nonce;
	block->kuid = mi->kuid;
}

objid_t id_derive(const struct metainfo *mi)
{
	struct id_block block;

	if (mi->p_flags & MIP_HASHDATA)
		return 0;
	fill_block(&block, mi);
	return hash_block(&block, ID_BLOCK_SIZE);
}

objid_t id_derive_root(const struct metainfo *mi, const uint8_t root[HASH_SIZE])
{
	struct id_block block;

	fill_block(&block, mi);
	block.sz = mi->sz;
	block.fotentries = mi->fotentries;
	block.milen = mi->milen;
	memcpy(block.root, root, HASH_SIZE);
	return hash_block(&block, ID_BLOCK_HASHDATA_SIZE);
}

/* Start a digest of the tree: personalised, and bound to a place by its two leading numbers. */
static void begin_digest(crypto_generichash_blake2b_state *h, const char *personal, uint64_t first,
			 uint64_t second)
{
	uint8_t place[16];

	store_le64(place, first);
	store_le64(place + 8, second);
	hash_begin(h, HASH_SIZE, personal);
	crypto_generichash_blake2b_update(h, place, sizeof(place));
}

/* ---- The shape of the tree ---- */

void id_shape(struct id_shape *s, const struct metainfo *mi)
{
	uint64_t entries = mi->fotentries > 1 ? mi->fotentries - 1 : 0;
	uint64_t digests;

	memset(s, 0, sizeof(*s));
	s->data_size = mi->sz;
	s->data_pages = div_round_up(mi->sz, TWZ_PAGE_SIZE);
	s->fot_start = OBJ_METAPAGE - entries * sizeof(struct fotentry);
	digests = s->data_pages + META_PAGE_NUMBER - s->fot_start / TWZ_PAGE_SIZE + 1;
	s->digests[0] = (uint32_t)digests;
	do {
		digests = div_round_up(digests, HASH_FANOUT);
		s->digests[++s->levels] = (uint32_t)digests;
	} while (digests > 1);
}

uint64_t id_leaf_of(const struct id_shape *s, uint64_t number)
{
	uint64_t fot_page = s->fot_start / TWZ_PAGE_SIZE;

	if (number >= 1 && number <= s->data_pages)
		return number - 1;
	if (number < fot_page || number > META_PAGE_NUMBER)
		return ID_NO_LEAF;
	return s->data_pages + number - fot_page;
}

uint64_t id_page_of(const struct id_shape *s, uint64_t leaf)
{
	return leaf < s->data_pages ? leaf + 1
				    : leaf - s->data_pages + s->fot_start / TWZ_PAGE_SIZE;
}

size_t id_covered(const struct id_shape *s, uint64_t number, size_t *start)
{
	uint64_t offset = number * TWZ_PAGE_SIZE;

	*start = 0;
	if (number <= s->data_pages)
		return MIN(s->data_size - (offset - OBJ_NULLPAGE_SIZE), TWZ_PAGE_SIZE);
	if (number == META_PAGE_NUMBER)
		*start = FIXED_META;
	else if (offset < s->fot_start)
		*start = s->fot_start - offset;
	return TWZ_PAGE_SIZE;
}

void id_hash_leaf(const struct id_shape *s, uint64_t number, const void *page,
		  uint8_t digest[HASH_SIZE])
{
	const uint8_t *bytes = page != NULL ? page : zeroes;
	crypto_generichash_blake2b_state h;
	size_t start, end = id_covered(s, number, &start);

	begin_digest(&h, HASH_LEAF_PERSONAL, number, 0);
	crypto_generichash_blake2b_update(&h, zeroes, start);
	crypto_generichash_blake2b_update(&h, bytes + start, end - start);
	crypto_generichash_blake2b_update(&h, zeroes, TWZ_PAGE_SIZE - end);
	crypto_generichash_blake2b_final(&h, digest, HASH_SIZE);
}

uint32_t id_group_size(const struct id_shape *s, unsigned int level, uint32_t group)
{
	return MIN(s->digests[level] - group * HASH_FANOUT, HASH_FANOUT);
}

void id_hash_group(const struct id_shape *s, unsigned int level, uint32_t group, const void *digests,
		   uint8_t digest[HASH_SIZE])
{
	crypto_generichash_blake2b_state h;

	begin_digest(&h, HASH_NODE_PERSONAL, level + 1, group);
	crypto_generichash_blake2b_update(&h, digests, id_group_size(s, level, group) * HASH_SIZE);
	crypto_generichash_blake2b_final(&h, digest, HASH_SIZE);
}

uint32_t id_side_page(const struct id_shape *s, unsigned int level, uint32_t group)
{
	uint32_t page = group;

	/* A digest is over the group of one page: so many pages has the level below it. */
	for (unsigned int above = level + 1; above < s->levels; above++)
		page += s->digests[above + 1];
	return page;
}

uint32_t id_side_pages(const struct id_shape *s)
{
	return id_side_page(s, 0, s->digests[1]);
}

/* ---- Making the tree ---- */

static void begin_node(struct id_tree *t, unsigned int level)
{
	begin_digest(&t->node[level], HASH_NODE_PERSONAL, level + 1, t->index[level]);
	t->children[level] = 0;
}

/* The first page number after n that is covered; 0 = none. */
static uint64_t page_after(const struct id_shape *s, uint64_t n)
{
	if (n < s->data_pages)
		return n + 1;
	if (n == META_PAGE_NUMBER)
		return 0;
	return MAX(n + 1, s->fot_start / TWZ_PAGE_SIZE);
}

void id_tree_begin(struct id_tree *t, const struct metainfo *mi)
{
	memset(t, 0, sizeof(*t));
	id_shape(&t->shape, mi);
	t->next = page_after(&t->shape, 0);
	for (unsigned int level = 0; level < t->shape.levels; level++)
		begin_node(t, level);
}

/* Add a digest to the open node of a level; a node that fills up is added to the level above. */
static void add_digest(struct id_tree *t, unsigned int level, uint8_t digest[HASH_SIZE])
{
	for (; level < t->shape.levels; level++) {
		if (t->keep != NULL)
			t->keep(t->keep_arg, level,
				t->index[level] * HASH_FANOUT + t->children[level], digest);
		crypto_generichash_blake2b_update(&t->node[level], digest, HASH_SIZE);
		if (++t->children[level] < HASH_FANOUT || level + 1 == t->shape.levels)
			return;
		crypto_generichash_blake2b_final(&t->node[level], digest, HASH_SIZE);
		t->index[level]++;
		begin_node(t, level);
	}
}

void id_tree_add(struct id_tree *t, const void *page)
{
	uint8_t digest[HASH_SIZE];

	id_hash_leaf(&t->shape, t->next, page, digest);
	add_digest(t, 0, digest);
	t->next = page_after(&t->shape, t->next);
}

void id_tree_finish(struct id_tree *t, uint8_t root[HASH_SIZE])
{
	for (unsigned int level = 0; level + 1 < t->shape.levels; level++) {
		uint8_t digest[HASH_SIZE];

		if (t->children[level] == 0)
			continue;
		crypto_generichash_blake2b_final(&t->node[level], digest, HASH_SIZE);
		add_digest(t, level + 1, digest);
	}
	crypto_generichash_blake2b_final(&t->node[t->shape.levels - 1], root, HASH_SIZE);
}

int id_derive_hashdata(const struct metainfo *mi, id_page_reader read, void *arg, objid_t *id)
{
	struct id_tree tree;
	uint8_t root[HASH_SIZE];

	if (!(mi->p_flags & MIP_HASHDATA))
		return -EINVAL;
	id_tree_begin(&tree, mi);
	while (id_tree_next(&tree) != 0) {
		const void *page = NULL;
		int rc = read(arg, id_tree_next(&tree), &page);

		if (rc < 0)
			return rc;
		id_tree_add(&tree, page);
	}
	id_tree_finish(&tree, root);
	*id = id_derive_root(mi, root);
	return 0;
}
