// SPDX-License-Identifier: BSD-3-Clause
/* Tests of obj/id.h: the published vectors, the bounds of the hash tree, malformed metadata. */
#include "unit.h"

#include <abi/errno.h>
#include <obj/id.h>

#define META_PAGE (OBJ_METAPAGE / TWZ_PAGE_SIZE)

/* An object as the page reader sees it. */
struct object {
	struct metainfo mi;
	uint8_t *data; /* data_pages of them */
	uint64_t data_pages;
	uint8_t fot[TWZ_PAGE_SIZE]; /* the last FOT page */
	uint8_t meta[TWZ_PAGE_SIZE];
	uint64_t last; /* page read last */
	uint64_t reads;
	uint64_t fail_at; /* 0 = never */
};

static int read_page(void *arg, uint64_t number, const void **page)
{
	struct object *o = arg;

	assert_true(number > o->last);
	o->last = number;
	o->reads++;
	if (number == o->fail_at)
		return -EIO;
	if (number == META_PAGE)
		*page = o->meta;
	else if (number == META_PAGE - 1)
		*page = o->fot;
	else if (number <= o->data_pages)
		*page = o->data + (number - 1) * TWZ_PAGE_SIZE;
	return 0;
}

static void fill_bytes(void *p, uint8_t first)
{
	uint8_t *b = p;

	for (int i = 0; i < 16; i++)
		b[i] = (uint8_t)(first + i);
}

static struct object *hash_object(uint64_t sz)
{
	struct object *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->mi = (struct metainfo){ .magic = MI_MAGIC, .flags = MIF_SZ, .p_flags = 5,
				   .fotentries = 1, .milen = 576, .sz = sz };
	o->data_pages = (sz + TWZ_PAGE_SIZE - 1) / TWZ_PAGE_SIZE;
	o->data = calloc(o->data_pages + 1, TWZ_PAGE_SIZE);
	assert_non_null(o->data);
	return o;
}

static void free_object(struct object *o)
{
	free(o->data);
	free(o);
}

static objid_t derive(struct object *o)
{
	objid_t id = 0;

	memcpy(o->meta, &o->mi, sizeof(o->mi));
	o->last = 0;
	o->reads = 0;
	assert_int_equal(id_derive_hashdata(&o->mi, read_page, o, &id), 0);
	assert_int_equal(o->last, META_PAGE);
	return id;
}

static void assert_id(objid_t id, uint64_t hi, uint64_t lo)
{
	assert_int_equal(ID_HI(id), hi);
	assert_int_equal(ID_LO(id), lo);
}

static void vectors_a(void **state)
{
	struct metainfo mi = { .magic = MI_MAGIC, .p_flags = 0xc, .milen = 576, .fotentries = 1 };

	(void)state;
	fill_bytes(&mi.nonce, 0);
	assert_id(id_derive(&mi), 0xa6fe9e9a16e6a625, 0x096841ff054b0bcd);
	mi.p_flags = 0x1c;
	fill_bytes(&mi.kuid, 0x20);
	assert_id(id_derive(&mi), 0xf152f56aee1ff295, 0xceab252dbe670f32);
}

/* What can change during an object's life is not part of its ID. */
static void other_fields_do_not_count(void **state)
{
	struct metainfo mi = { .magic = MI_MAGIC, .p_flags = 0xc, .milen = 4096, .fotentries = 99,
			       .flags = MIF_SZ, .sz = 5 };

	(void)state;
	fill_bytes(&mi.nonce, 0);
	assert_id(id_derive(&mi), 0xa6fe9e9a16e6a625, 0x096841ff054b0bcd);
}

static void vectors_b_c_e(void **state)
{
	struct object *o = hash_object(0);
	uint64_t flags = 0x30004;

	(void)state;
	assert_id(derive(o), 0x86776f522bc59220, 0x5e72940acb93547a);
	assert_int_equal(o->reads, 1);
	free_object(o);
	o = hash_object(5);
	memcpy(o->data, "hello, and bytes that are not covered", 37);
	assert_id(derive(o), 0x434b0b52d9c451ba, 0x415e6317c00fa8fb);
	assert_int_equal(o->reads, 2);
	o->mi.fotentries = 2;
	memset(o->fot, 0xee, TWZ_PAGE_SIZE - 32);
	fill_bytes(o->fot + TWZ_PAGE_SIZE - 32, 0);
	memcpy(o->fot + TWZ_PAGE_SIZE - 16, &flags, sizeof(flags));
	assert_id(derive(o), 0xc0968e515ee33b60, 0x44c1e29d75df7152);
	assert_int_equal(o->reads, 3);
	free_object(o);
}

static void vector_d(void **state)
{
	struct object *o = hash_object(532487);

	(void)state;
	memset(o->data, 0xcc, o->data_pages * TWZ_PAGE_SIZE);
	for (size_t i = 0; i < 532487; i++)
		o->data[i] = (uint8_t)(i % 251);
	assert_id(derive(o), 0x87e20aff54f1626b, 0x9175b1fafa271983);
	free_object(o);
}

/* Flip one bit at p; the ID must follow, and come back. */
static void expect_covered(struct object *o, uint8_t *p, bool covered)
{
	objid_t before = derive(o), after;

	*p ^= 0x10;
	after = derive(o);
	*p ^= 0x10;
	assert_int_equal(after != before, covered);
	assert_true(derive(o) == before);
}

static void covered_and_uncovered_bytes(void **state)
{
	struct object *o = hash_object(TWZ_PAGE_SIZE + 100);

	(void)state;
	o->mi.fotentries = 4;
	expect_covered(o, &o->data[0], true);
	expect_covered(o, &o->data[TWZ_PAGE_SIZE + 99], true);
	expect_covered(o, &o->data[TWZ_PAGE_SIZE + 100], false);
	expect_covered(o, &o->fot[TWZ_PAGE_SIZE - 96], true);
	expect_covered(o, &o->fot[TWZ_PAGE_SIZE - 97], false);
	expect_covered(o, &o->meta[64], true);
	expect_covered(o, &o->meta[4095], true);
	expect_covered(o, (uint8_t *)&o->mi.sz, true);
	expect_covered(o, (uint8_t *)&o->mi.kuid, true);
	expect_covered(o, (uint8_t *)&o->mi.milen, true);
	free_object(o);
}

/* Pages are read in ascending order, every one once, however many there are. */
static void counts_of_pages(void **state)
{
	static const uint64_t pages[] = { 0, 1, 126, 127, 128, 129, 255, 256 };

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct object *o = hash_object(pages[i] * TWZ_PAGE_SIZE);

		derive(o);
		assert_int_equal(o->reads, pages[i] + 1);
		o->mi.fotentries = 130;
		derive(o);
		assert_int_equal(o->reads, pages[i] + 3);
		free_object(o);
	}
}

static int read_nothing(void *arg, uint64_t number, const void **page)
{
	uint64_t *reads = arg;

	(void)number;
	(void)page;
	(*reads)++;
	return *reads > 100 ? -EINTR : 0;
}

static void largest_object_has_three_levels(void **state)
{
	struct metainfo mi = { .magic = MI_MAGIC, .flags = MIF_SZ, .p_flags = 5, .milen = 576,
			       .fotentries = OBJ_MAXFOTE, .sz = OBJ_MAXDATA };
	struct id_tree tree;
	uint64_t reads = 0;
	objid_t id = 77;

	(void)state;
	assert_int_equal(meta_check(&mi), 0);
	id_tree_begin(&tree, &mi);
	assert_int_equal(tree.shape.levels, 3);
	assert_int_equal(tree.shape.data_pages, 0x3dfff);
	assert_true(tree.shape.fot_start >= OBJ_TOPDATA);
	assert_int_equal(id_derive_hashdata(&mi, read_nothing, &reads, &id), -EINTR);
	assert_int_equal(id, 77);
}

/* Digests as they are kept beside an object. */
struct kept {
	struct id_shape shape;
	uint8_t (*pages)[HASH_FANOUT][HASH_SIZE];
	uint32_t count;
};

static void keep_digest(void *arg, unsigned int level, uint32_t index, const uint8_t digest[HASH_SIZE])
{
	static const uint8_t nothing[HASH_SIZE];
	struct kept *k = arg;
	uint32_t page = id_side_page(&k->shape, level, index / HASH_FANOUT);

	assert_true(level < k->shape.levels && index < k->shape.digests[level]);
	assert_true(page < id_side_pages(&k->shape));
	uint8_t *place = k->pages[page][index % HASH_FANOUT];
	assert_memory_equal(place, nothing, HASH_SIZE);
	memcpy(place, digest, HASH_SIZE);
	k->count++;
}

/* Every group's digest stands in the group above it; the last one is the root. */
static void check_groups(const struct kept *k, const uint8_t root[HASH_SIZE])
{
	const struct id_shape *s = &k->shape;
	uint8_t digest[HASH_SIZE];

	for (unsigned int level = 0; level < s->levels; level++) {
		for (uint32_t group = 0; group < s->digests[level + 1]; group++) {
			const uint8_t *above = root;

			if (level + 1 < s->levels)
				above = k->pages[id_side_page(s, level + 1, group / HASH_FANOUT)]
						[group % HASH_FANOUT];
			id_hash_group(s, level, group, k->pages[id_side_page(s, level, group)],
				      digest);
			assert_memory_equal(digest, above, HASH_SIZE);
		}
	}
}

static void check_leaves(const struct kept *k, const uint8_t *fot_page)
{
	const struct id_shape *s = &k->shape;
	uint64_t last = 0;
	uint8_t digest[HASH_SIZE];

	for (uint32_t leaf = 0; leaf < s->digests[0]; leaf++) {
		uint64_t page = id_page_of(s, leaf);

		assert_true(page > last && page <= META_PAGE);
		last = page;
		assert_int_equal(id_leaf_of(s, page), leaf);
		id_hash_leaf(s, page, page == META_PAGE - 1 ? fot_page : NULL, digest);
		assert_memory_equal(digest, k->pages[id_side_page(s, 0, leaf / HASH_FANOUT)]
						    [leaf % HASH_FANOUT], HASH_SIZE);
	}
	assert_int_equal(last, META_PAGE);
	assert_true(id_leaf_of(s, 0) == ID_NO_LEAF);
	assert_true(id_leaf_of(s, META_PAGE + 1) == ID_NO_LEAF);
	assert_true(id_leaf_of(s, s->data_pages + 1) == ID_NO_LEAF);
}

static void check_kept(uint64_t data_pages, uint32_t entries, unsigned int levels)
{
	struct metainfo mi = { .magic = MI_MAGIC, .flags = MIF_SZ, .p_flags = 5, .milen = 576,
			       .fotentries = entries + 1, .sz = data_pages * TWZ_PAGE_SIZE };
	uint8_t root[HASH_SIZE], fot_page[TWZ_PAGE_SIZE];
	struct id_tree tree;
	struct kept k = { 0 };

	memset(fot_page, 0x5a, sizeof(fot_page));
	id_tree_begin(&tree, &mi);
	k.shape = tree.shape;
	k.pages = calloc(id_side_pages(&k.shape), sizeof(*k.pages));
	assert_non_null(k.pages);
	assert_int_equal(k.shape.levels, levels);
	tree.keep = keep_digest;
	tree.keep_arg = &k;
	while (id_tree_next(&tree) != 0)
		id_tree_add(&tree, id_tree_next(&tree) == META_PAGE - 1 ? fot_page : NULL);
	id_tree_finish(&tree, root);
	assert_int_equal(k.count, k.shape.digests[0] + (levels > 1 ? k.shape.digests[1] : 0) +
					  (levels > 2 ? k.shape.digests[2] : 0));
	check_groups(&k, root);
	check_leaves(&k, fot_page);
	free(k.pages);
}

static void digests_are_kept(void **state)
{
	(void)state;
	check_kept(0, 0, 1);
	check_kept(1, 0, 1);
	check_kept(127, 0, 1);
	check_kept(127, 1, 2);
	check_kept(128, 300, 2);
	check_kept(300, 0, 2);
	check_kept(16383, 0, 2);
	check_kept(16384, 128, 3);
}

/* The largest object's digests fit the page space they are kept in. */
static void digests_have_room(void **state)
{
	struct metainfo mi = { .magic = MI_MAGIC, .flags = MIF_SZ, .p_flags = 5, .milen = 576,
			       .fotentries = OBJ_MAXFOTE, .sz = OBJ_MAXDATA };
	struct id_shape s;

	(void)state;
	id_shape(&s, &mi);
	assert_int_equal(s.digests[1], 2048);
	assert_int_equal(s.digests[2], 16);
	assert_int_equal(s.digests[3], 1);
	assert_int_equal(id_side_page(&s, 2, 0), 0);
	assert_int_equal(id_side_page(&s, 1, 0), 1);
	assert_int_equal(id_side_page(&s, 0, 0), 17);
	assert_int_equal(id_side_pages(&s), 2065);
}

static void unwritten_pages_are_zero_pages(void **state)
{
	struct object *o = hash_object(3 * TWZ_PAGE_SIZE);
	objid_t id = derive(o);

	(void)state;
	o->data_pages = 0;
	assert_true(derive(o) == id);
	free_object(o);
}

static void failures(void **state)
{
	struct object *o = hash_object(2 * TWZ_PAGE_SIZE);
	objid_t id = 5;

	(void)state;
	o->fail_at = 2;
	assert_int_equal(id_derive_hashdata(&o->mi, read_page, o, &id), -EIO);
	assert_int_equal(o->reads, 2);
	assert_int_equal(id_derive(&o->mi), 0);
	o->mi.p_flags = 4;
	assert_int_equal(id_derive_hashdata(&o->mi, read_page, o, &id), -EINVAL);
	assert_int_equal(id, 5);
	free_object(o);
}

static const struct metainfo good = { .magic = MI_MAGIC, .p_flags = MIP_DFL_READ, .milen = 576,
				      .fotentries = 1 };

#define REFUSED(field, value)                                  \
	do {                                                   \
		struct metainfo mi_ = good;                    \
		const char *why_ = NULL;                       \
                                                               \
		mi_.field = (value);                           \
		assert_int_equal(meta_check_why(&mi_, &why_), -EINVLOBJ); \
		assert_non_null(why_);                         \
	} while (0)

#define ACCEPTED(field, value)                    \
	do {                                      \
		struct metainfo mi_ = good;       \
                                                  \
		mi_.field = (value);              \
		assert_int_equal(meta_check(&mi_), 0); \
	} while (0)

static void metadata_checks(void **state)
{
	(void)state;
	assert_int_equal(meta_check(&good), 0);
	REFUSED(magic, MI_MAGIC ^ 1);
	REFUSED(milen, 0);
	REFUSED(milen, 48);
	REFUSED(milen, 72);
	REFUSED(milen, 4112);
	REFUSED(milen, UINT32_MAX);
	ACCEPTED(milen, 64);
	ACCEPTED(milen, 4096);
	ACCEPTED(fotentries, 0);
	ACCEPTED(fotentries, OBJ_MAXFOTE);
	REFUSED(fotentries, OBJ_MAXFOTE + 1);
	REFUSED(p_flags, 2);
	REFUSED(p_flags, 0x80);
	REFUSED(p_flags, 0x8000);
	ACCEPTED(p_flags, MIP_ALL & ~MIP_HASHDATA);
	ACCEPTED(sz, UINT64_MAX);
}

static void size_counts_with_its_flag(void **state)
{
	struct metainfo mi = good;

	(void)state;
	mi.flags = MIF_SZ;
	mi.sz = 0x3dfff000;
	assert_int_equal(meta_check(&mi), 0);
	mi.sz++;
	assert_int_equal(meta_check(&mi), -EINVLOBJ);
}

static void hashdata_checks(void **state)
{
	struct metainfo mi = good;

	(void)state;
	mi.p_flags = MIP_HASHDATA | MIP_DFL_READ;
	assert_int_equal(meta_check(&mi), -EINVLOBJ);
	mi.flags = MIF_SZ;
	assert_int_equal(meta_check(&mi), 0);
	mi.flags = MIF_SZ | 2;
	assert_int_equal(meta_check(&mi), -EINVLOBJ);
	mi.flags = MIF_SZ;
	mi.pad = 1;
	assert_int_equal(meta_check(&mi), -EINVLOBJ);
	mi.pad = 0;
	mi.p_flags |= MIP_DFL_WRITE;
	assert_int_equal(meta_check(&mi), -EINVLOBJ);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_a),
		cmocka_unit_test(other_fields_do_not_count),
		cmocka_unit_test(vectors_b_c_e),
		cmocka_unit_test(vector_d),
		cmocka_unit_test(covered_and_uncovered_bytes),
		cmocka_unit_test(counts_of_pages),
		cmocka_unit_test(largest_object_has_three_levels),
		cmocka_unit_test(digests_are_kept),
		cmocka_unit_test(digests_have_room),
		cmocka_unit_test(unwritten_pages_are_zero_pages),
		cmocka_unit_test(failures),
		cmocka_unit_test(metadata_checks),
		cmocka_unit_test(size_counts_with_its_flag),
		cmocka_unit_test(hashdata_checks),
	};

	return cmocka_run_group_tests_name("obj/id", tests, NULL, NULL);
}
