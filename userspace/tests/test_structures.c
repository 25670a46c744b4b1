// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent data structures: each against a simple model in memory, with noise in the place of
 * what it wrote, and with readers while others write. The environment variable TEST_OPS says how
 * many operations the models are run for (as many as the emulator does in a moment, unless it is
 * set).
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/blob.h>
#include <twz/ds/hash.h>
#include <twz/ds/list.h>
#include <twz/ds/log.h>
#include <twz/ds/map.h>
#include <twz/ds/vector.h>
#include <twz/env.h>
#include <twz/twztry.h>

#define KEYS 1024u
#define MOST 6000u /* bytes of a value */
#define FIRSTS 64u /* maps that are begun beside a reader */

struct roots {
	_Alignas(64) struct twz_hash hash;
	_Alignas(64) struct twz_map map;
	struct twz_vec vec;
	struct twz_list list;
	struct twz_blob blob;
	_Alignas(64) struct twz_log log;
	_Alignas(64) struct twz_map firsts[FIRSTS];
};

static twzobj object;
static struct roots *roots;
static uint64_t live_before;

static unsigned char buffer[MOST], expected[MOST];

/* --- chance, the same every time */

static uint64_t chance_state = 88172645463325252ull;

static uint64_t chance(uint64_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (chance_state >> 11) % below;
}

static unsigned long operations(void)
{
	const char *s = twz_getenv("TEST_OPS");
	unsigned long n = 0;

	for (; s && *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (unsigned long)(*s - '0');
	return n ? n : 4000;
}

/* --- the object */

static uint64_t live(void)
{
	struct twz_alloc_stats st;

	CHECK_EQ(twz_alloc_stats(&object, &st), 0);
	return st.live_count;
}

static bool begin(void)
{
	if (new_object(&object) < 0 || twz_object_init_alloc(&object, sizeof(struct roots)) < 0)
		return false;
	roots = twz_object_base(&object);
	live_before = live();
	return true;
}

static unsigned long found_damage;

static void count_damage(const char *what, uint64_t offset, void *data)
{
	(void)data;
	ktap_note("%s at %lx", what, (unsigned long)offset);
	found_damage++;
}

static void end(void)
{
	CHECK_EQ(live(), live_before);
	CHECK_EQ(twz_alloc_check(&object, count_damage, NULL), 0);
	drop_object(&object);
}

/* --- one interface for maps of both kinds, with keys of both kinds */

struct kind {
	bool ordered, whole; /* whole: keys of 64 bits */
};

static const struct kind *kind;

/* The bytes of key number i: some share long beginnings, some are very short. */
static size_t key_of(unsigned i, unsigned char *key)
{
	size_t n = 0;

	if (kind->whole) {
		uint64_t word = (uint64_t)i * 0x9e3779b97f4a7c15ull;
		memcpy(key, &word, sizeof(word));
		return sizeof(word);
	}
	if (i % 3 == 1)
		for (; n < 30; n++)
			key[n] = 'x';
	if (i % 64 == 2)
		for (; n < TWZ_DS_KEY_MAX - 8; n++)
			key[n] = (unsigned char)(n < 400 ? 0 : i >> 6);
	for (unsigned v = i; v || !n; v /= 7)
		key[n++] = (unsigned char)(v % 7);
	key[n++] = 9;
	return n;
}

static uint64_t word_of(const unsigned char *key)
{
	uint64_t word;

	memcpy(&word, key, sizeof(word));
	return word;
}

static int put(unsigned i, const void *value, size_t len, unsigned flags)
{
	unsigned char key[TWZ_DS_KEY_MAX];
	size_t klen = key_of(i, key);

	if (kind->ordered && kind->whole)
		return twz_map_put_u64(&object, &roots->map, word_of(key), value, len, flags);
	if (kind->ordered)
		return twz_map_put(&object, &roots->map, key, klen, value, len, flags);
	if (kind->whole)
		return twz_hash_put_u64(&object, &roots->hash, word_of(key), value, len, flags);
	return twz_hash_put(&object, &roots->hash, key, klen, value, len, flags);
}

static ssize_t get(unsigned i, void *buf, size_t size)
{
	unsigned char key[TWZ_DS_KEY_MAX];
	size_t klen = key_of(i, key);

	if (kind->ordered && kind->whole)
		return twz_map_get_u64(&object, &roots->map, word_of(key), buf, size);
	if (kind->ordered)
		return twz_map_get(&object, &roots->map, key, klen, buf, size);
	if (kind->whole)
		return twz_hash_get_u64(&object, &roots->hash, word_of(key), buf, size);
	return twz_hash_get(&object, &roots->hash, key, klen, buf, size);
}

static int erase(unsigned i)
{
	unsigned char key[TWZ_DS_KEY_MAX];
	size_t klen = key_of(i, key);

	if (kind->ordered && kind->whole)
		return twz_map_erase_u64(&object, &roots->map, word_of(key));
	if (kind->ordered)
		return twz_map_erase(&object, &roots->map, key, klen);
	if (kind->whole)
		return twz_hash_erase_u64(&object, &roots->hash, word_of(key));
	return twz_hash_erase(&object, &roots->hash, key, klen);
}

static ssize_t count(void)
{
	return kind->ordered ? twz_map_count(&object, &roots->map) :
			       twz_hash_count(&object, &roots->hash);
}

static int check(void)
{
	return kind->ordered ? twz_ds_check(&object, &roots->map, TWZ_DS_MAP) :
			       twz_ds_check(&object, &roots->hash, TWZ_DS_HASH);
}

/* --- the model: what each key has */

static struct {
	bool there;
	unsigned char fill;
	unsigned len;
} model[KEYS];
static ssize_t model_count;

static size_t some_length(void)
{
	switch (chance(8)) {
	case 0:
		return chance(MOST);
	case 1:
	case 2:
		return 8;
	default:
		return chance(100);
	}
}

static void model_put(unsigned i)
{
	unsigned char fill = (unsigned char)chance(256);
	size_t len = chance(4) && model[i].there ? model[i].len : some_length();
	unsigned flags = (unsigned)chance(4) == 0 ? (unsigned)chance(3) : 0;
	int want = flags == TWZ_DS_NEW && model[i].there ? -EEXIST :
		   flags == TWZ_DS_OLD && !model[i].there ? -ENOENT : 0;

	memset(expected, fill, len);
	CHECK_EQ(put(i, expected, len, flags), want);
	if (want)
		return;
	model_count += !model[i].there;
	model[i].there = true;
	model[i].fill = fill;
	model[i].len = (unsigned)len;
}

static void model_get(unsigned i)
{
	ssize_t len = get(i, buffer, sizeof(buffer));

	CHECK_EQ(len, model[i].there ? (ssize_t)model[i].len : -ENOENT);
	if (len < 0)
		return;
	memset(expected, model[i].fill, model[i].len);
	CHECK(memcmp(buffer, expected, model[i].len) == 0);
}

static void model_erase(unsigned i)
{
	CHECK_EQ(erase(i), model[i].there ? 0 : -ENOENT);
	model_count -= model[i].there;
	model[i].there = false;
}

static int compare_entry(const struct twz_map_iter *it, const unsigned char *key, size_t klen)
{
	size_t len = it->klen < klen ? it->klen : klen;
	int c;

	if (kind->whole)
		return (it->key64 > word_of(key)) - (it->key64 < word_of(key));
	c = memcmp(it->key, key, len);
	return c ? c : (it->klen > klen) - (it->klen < klen);
}

static int seek(struct twz_map_iter *it, unsigned i, bool back)
{
	unsigned char key[TWZ_DS_KEY_MAX];
	size_t klen = key_of(i, key);

	if (kind->whole)
		return back ? twz_map_seek_back_u64(it, word_of(key)) :
			      twz_map_seek_u64(it, word_of(key));
	return back ? twz_map_seek_back(it, key, klen) : twz_map_seek(it, key, klen);
}

/* A walk from one end meets all keys in order. */
static void model_walk(bool back)
{
	unsigned char last[TWZ_DS_KEY_MAX];
	struct twz_map_iter it;
	size_t last_len = 0;
	ssize_t met = 0;

	twz_map_iter_init(&it, &object, &roots->map);
	while ((back ? twz_map_prev(&it) : twz_map_next(&it)) == 1) {
		int c = met++ ? compare_entry(&it, last, last_len) : back ? -1 : 1;
		CHECK(back ? c < 0 : c > 0);
		memcpy(last, it.key, it.klen);
		last_len = it.klen;
	}
	CHECK_EQ(met, model_count);
}

/* A seek finds the key itself, or is where a walk from there goes on. */
static void model_seek(unsigned i)
{
	unsigned char key[TWZ_DS_KEY_MAX];
	size_t klen = key_of(i, key);
	bool back = chance(2);
	struct twz_map_iter it;
	int r, c;

	twz_map_iter_init(&it, &object, &roots->map);
	r = seek(&it, i, back);
	c = r == 1 ? compare_entry(&it, key, klen) : 0;
	CHECK(r == 0 ? !model[i].there : model[i].there ? c == 0 : back ? c < 0 : c > 0);
	if (r == 1 && (back ? twz_map_next(&it) : twz_map_prev(&it)) == 1) {
		c = compare_entry(&it, key, klen);
		CHECK(back ? c > 0 : c < 0);
	}
}

static void hash_walk(void)
{
	struct twz_hash_iter it;
	ssize_t met = 0;

	twz_hash_iter_init(&it, &object, &roots->hash);
	while (twz_hash_next(&it) == 1) {
		CHECK(twz_hash_find(&object, &roots->hash, it.key, it.klen, NULL) == it.value);
		met++;
	}
	CHECK_EQ(met, model_count);
}

static void model_all(void)
{
	CHECK_EQ(check(), 0);
	CHECK_EQ(count(), model_count);
	if (kind->ordered) {
		model_walk(false);
		model_walk(true);
	} else {
		hash_walk();
	}
}

static void run_model(const struct kind *k)
{
	unsigned long ops = operations();

	NEED(begin());
	kind = k;
	memset(model, 0, sizeof(model));
	model_count = 0;
	for (unsigned long n = 0; n < ops; n++) {
		unsigned i = (unsigned)chance(KEYS);
		/* The map grows for a while, then shrinks, and so on. */
		bool shrink = n / (ops / 4 + 1) % 2;
		if (chance(4) == 0)
			model_get(i);
		else if (chance(8) < (shrink ? 2u : 6u))
			model_put(i);
		else
			model_erase(i);
		if (kind->ordered && chance(8) == 0)
			model_seek(i);
		if (n % (ops / 8 + 1) == 0)
			model_all();
	}
	model_all();
	for (unsigned i = 0; i < KEYS / 2; i++)
		model_erase(i);
	model_all();
	CHECK_EQ(kind->ordered ? twz_map_clear(&object, &roots->map) :
				 twz_hash_clear(&object, &roots->hash), 0);
	CHECK_EQ(count(), 0);
	end();
}

static void hash_of_words(void)
{
	run_model(&(struct kind){ false, true });
}

static void hash_of_bytes(void)
{
	run_model(&(struct kind){ false, false });
}

static void map_of_words(void)
{
	run_model(&(struct kind){ true, true });
}

static void map_of_bytes(void)
{
	run_model(&(struct kind){ true, false });
}

/* Everything that was erased one by one has been freed: nodes, too. */
static void nothing_left(void)
{
	static const struct kind k = { true, false };

	NEED(begin());
	kind = &k;
	for (unsigned i = 0; i < 400; i++)
		CHECK_EQ(put(i, &i, sizeof(i), TWZ_DS_NEW), 0);
	for (unsigned i = 0; i < 400; i++)
		CHECK_EQ(erase((i * 7) % 400), 0);
	CHECK_EQ(roots->map.root, 0);
	end();
}

static void values_of_any_size(void)
{
	static const struct kind kinds[] = { { false, true }, { true, true } };
	static char large[1 << 20];

	for (unsigned k = 0; k < 2; k++) {
		NEED(begin());
		kind = &kinds[k];
		memset(large, 'v', sizeof(large));
		CHECK_EQ(put(1, NULL, 0, 0), 0);
		CHECK_EQ(get(1, buffer, sizeof(buffer)), 0);
		CHECK_EQ(put(1, large, sizeof(large), 0), 0);
		CHECK_EQ(get(1, buffer, 10), sizeof(large));
		CHECK_EQ(buffer[9], 'v');
		memset(large, 0, sizeof(large));
		CHECK_EQ(get(1, large, sizeof(large)), sizeof(large));
		CHECK_EQ(large[sizeof(large) - 1], 'v');
		CHECK_EQ(put(1, "x", 1, TWZ_DS_OLD), 0);
		CHECK_EQ(get(1, buffer, sizeof(buffer)), 1);
		CHECK_EQ(check(), 0);
		CHECK_EQ(erase(1), 0);
		CHECK_EQ(twz_hash_clear(&object, &roots->hash), 0);
		end();
	}
}

static void wrong_arguments(void)
{
	static char far[TWZ_DS_KEY_MAX + 1];
	struct twz_hash elsewhere = { 0 };
	uint64_t v = 1;

	NEED(begin());
	CHECK_EQ(twz_hash_put_u64(&object, &elsewhere, 1, &v, 8, 0), -EINVAL);
	CHECK_EQ(twz_hash_put(&object, &roots->hash, far, 0, &v, 8, 0), -EINVAL);
	CHECK_EQ(twz_hash_put(&object, &roots->hash, far, sizeof(far), &v, 8, 0), -EINVAL);
	CHECK_EQ(twz_hash_put_u64(&object, &roots->hash, 1, &v, TWZ_DS_VALUE_MAX + 1ul, 0),
	    -EINVAL);
	CHECK_EQ(twz_hash_get_u64(&object, &roots->hash, 1, &v, 8), -ENOENT);
	CHECK_EQ(twz_map_put(&object, &roots->map, far, sizeof(far), &v, 8, 0), -EINVAL);
	CHECK_EQ(twz_map_get_u64(&object, &roots->map, 1, &v, 8), -ENOENT);
	CHECK_EQ(twz_map_put_u64(&object, &roots->map, 1, &v, 8, 0), 0);
	CHECK_EQ(twz_map_put(&object, &roots->map, "a", 1, &v, 8, 0), -EINVAL);
	CHECK_EQ(twz_map_get(&object, &roots->map, "a", 1, &v, 8), -EINVAL);
	CHECK_EQ(twz_ds_check(&object, &roots->hash, 0x1234), -EINVAL);
	CHECK_EQ(twz_ds_check(&object, &roots->map, 0), 0);
	CHECK_EQ(twz_ds_check(&object, &roots->map, TWZ_DS_HASH), -EINVLOBJ);
	CHECK(strcmp(twz_ds_kind_name(TWZ_DS_MAP), "map") == 0 && !twz_ds_kind_name(1));
	CHECK_EQ(twz_map_erase_u64(&object, &roots->map, 1), 0);
	end();
}

/* --- vector */

static void vector(void)
{
	uint64_t e[3] = { 0 }, many[200][3], sum = 0;

	NEED(begin());
	CHECK_EQ(twz_vec_push(&object, &roots->vec, e, sizeof(e)), -EINVAL);
	CHECK_EQ(twz_vec_init(&object, &roots->vec, sizeof(e)), 0);
	CHECK_EQ(twz_vec_init(&object, &roots->vec, sizeof(e)), 0);
	CHECK_EQ(twz_vec_init(&object, &roots->vec, 8), -EEXIST);
	CHECK_EQ(twz_vec_push(&object, &roots->vec, e, 8), -EINVAL);
	for (uint64_t i = 0; i < 1000; i++) {
		e[0] = e[1] = e[2] = i;
		CHECK_EQ(twz_vec_push(&object, &roots->vec, e, sizeof(e)), i);
	}
	memset(many, 7, sizeof(many));
	CHECK_EQ(twz_vec_append(&object, &roots->vec, many, sizeof(e), 200), 1000);
	CHECK_EQ(twz_vec_count(&roots->vec), 1200);
	for (uint64_t i = 0; i < 1000; i++) {
		CHECK_EQ(twz_vec_get(&object, &roots->vec, i, e, sizeof(e)), 0);
		sum += e[0] + e[2];
	}
	CHECK_EQ(sum, 999 * 1000);
	e[0] = e[1] = e[2] = 42;
	CHECK_EQ(twz_vec_set(&object, &roots->vec, 77, e, sizeof(e)), 0);
	CHECK_EQ(((uint64_t *)twz_vec_at(&object, &roots->vec, 77))[2], 42);
	CHECK_EQ(((uint64_t *)twz_vec_at(&object, &roots->vec, 78))[0], 78);
	CHECK_EQ(twz_vec_set(&object, &roots->vec, 1200, e, sizeof(e)), -ENOENT);
	CHECK(!twz_vec_at(&object, &roots->vec, 1200));
	CHECK_EQ(twz_vec_pop(&object, &roots->vec, e, sizeof(e)), 0);
	CHECK_EQ(e[1], 0x0707070707070707);
	CHECK_EQ(twz_ds_check(&object, &roots->vec, 0), 0);
	CHECK_EQ(twz_vec_truncate(&object, &roots->vec, 2000), -ENOENT);
	CHECK_EQ(twz_vec_truncate(&object, &roots->vec, 0), 0);
	CHECK_EQ(twz_vec_pop(&object, &roots->vec, e, sizeof(e)), -ENOENT);
	end();
}

static void vector_of_bytes(void)
{
	unsigned char b = 0;

	NEED(begin());
	CHECK_EQ(twz_vec_init(&object, &roots->vec, 1), 0);
	for (unsigned i = 0; i < 300; i++) {
		b = (unsigned char)i;
		CHECK_EQ(twz_vec_push(&object, &roots->vec, &b, 1), i);
	}
	b = 99;
	CHECK_EQ(twz_vec_set(&object, &roots->vec, 130, &b, 1), 0);
	for (unsigned i = 0; i < 300; i++) {
		CHECK_EQ(twz_vec_get(&object, &roots->vec, i, &b, 1), 0);
		CHECK_EQ(b, i == 130 ? 99 : (unsigned char)i);
	}
	CHECK_EQ(twz_vec_truncate(&object, &roots->vec, 0), 0);
	end();
}

/* --- list */

static void list(void)
{
	struct twz_list_node *n;
	int k = 0;

	NEED(begin());
	for (int i = 100; i < 200; i++)
		CHECK_EQ(twz_list_push_back(&object, &roots->list, &i, sizeof(i)), 0);
	for (int i = 99; i >= 0; i--)
		CHECK_EQ(twz_list_push(&object, &roots->list, &i, sizeof(i)), 0);
	twz_list_for_each(&object, &roots->list, n)
		CHECK_EQ(*(int *)(void *)n->data, k++);
	CHECK_EQ(twz_list_count(&object, &roots->list), 200);
	n = twz_list_first(&object, &roots->list);
	CHECK_EQ(twz_list_remove_after(&object, &roots->list, n), 0);
	CHECK_EQ(*(int *)(void *)twz_list_next(n)->data, 2);
	CHECK_EQ(twz_ds_check(&object, &roots->list, 0), 0);
	while (twz_list_count(&object, &roots->list) > 1)
		CHECK_EQ(twz_list_remove_after(&object, &roots->list, n), 0);
	k = 7;
	CHECK_EQ(twz_list_push_back(&object, &roots->list, &k, sizeof(k)), 0);
	CHECK_EQ(*(int *)(void *)twz_list_next(n)->data, 7);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	CHECK_EQ(twz_list_pop(&object, &roots->list), -ENOENT);
	CHECK_EQ(twz_list_push_back(&object, &roots->list, &k, sizeof(k)), 0);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	end();
}

/* Nodes in two objects: one's own in the other one, the list's behind it. */
static void list_through_objects(void)
{
	struct twz_list_node *theirs, *n;
	twzobj other;
	int k = 0;

	NEED(begin());
	NEED(new_object(&other) == 0);
	theirs = twz_object_base(&other);
	theirs->len = sizeof(k);
	memcpy(theirs->data, &(int){ 1 }, sizeof(k));
	CHECK_EQ(twz_list_push(&object, &roots->list, &(int){ 0 }, sizeof(k)), 0);
	n = twz_list_first(&object, &roots->list);
	CHECK_EQ(twz_list_link(&object, &roots->list, n, theirs), 0);
	CHECK(twz_list_next(n) && twz_list_next(n)->flags == TWZ_LIST_NODE);
	CHECK_EQ(twz_list_push_back(&object, &roots->list, &(int){ 2 }, sizeof(k)), 0);
	CHECK_EQ(twz_list_push_back(&object, &roots->list, &(int){ 3 }, sizeof(k)), 0);
	twz_list_for_each(&object, &roots->list, n)
		CHECK_EQ(*(int *)(void *)n->data, k++);
	CHECK_EQ(k, 4);
	CHECK_EQ(twz_list_check(&object, &roots->list), 0);
	CHECK_EQ(twz_list_remove_after(&object, &roots->list, theirs), 0);
	CHECK_EQ(*(int *)(void *)twz_list_next(theirs)->data, 3);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	CHECK_EQ(twz_list_count(&object, &roots->list), 1);
	CHECK_EQ(twz_list_pop(&object, &roots->list), 0);
	CHECK_EQ(roots->list.pending, 0);
	drop_object(&other);
	end();
}

/* --- blob */

static void blob(void)
{
	struct twz_blob *b;

	NEED(begin());
	b = &roots->blob;
	CHECK_EQ(twz_blob_len(&object, b), 0);
	CHECK(strcmp(twz_blob_string(&object, b), "") == 0);
	CHECK_EQ(twz_blob_set_string(&object, b, "persistent"), 0);
	CHECK_EQ(twz_blob_append(&object, b, " memory", 7), 0);
	CHECK(strcmp(twz_blob_string(&object, b), "persistent memory") == 0);
	CHECK_EQ(twz_blob_len(&object, b), 17);
	CHECK_EQ(twz_blob_read(&object, b, 11, buffer, 100), 6);
	CHECK(memcmp(buffer, "memory", 6) == 0);
	CHECK_EQ(twz_blob_read(&object, b, 17, buffer, 100), 0);
	CHECK(twz_blob_compare(&object, b, &object, b) == 0);
	CHECK_EQ(twz_ds_check(&object, b, TWZ_DS_BLOB), 0);
	CHECK_EQ(twz_blob_set(&object, b, NULL, 0), 0);
	CHECK_EQ(b->data, 0);
	end();
}

/* --- log */

static unsigned long appended, read_back;

static void read_some(uint64_t *at, unsigned most)
{
	while (most--) {
		ssize_t len = twz_log_read(&object, &roots->log, at, buffer, sizeof(buffer));
		if (len < 0) {
			CHECK_EQ(len, -ENOENT);
			CHECK_EQ(read_back, appended);
			return;
		}
		memset(expected, (unsigned char)read_back++, (size_t)len);
		CHECK(memcmp(buffer, expected, (size_t)len) == 0);
	}
}

static void log_in_a_ring(void)
{
	unsigned long ops = operations();
	uint64_t at = 0, pos;

	NEED(begin());
	appended = read_back = 0;
	CHECK_EQ(twz_log_append(&object, &roots->log, "a", 1, NULL), -EINVAL);
	CHECK_EQ(twz_log_init(&object, &roots->log, 4096), 0);
	CHECK_EQ(twz_log_init(&object, &roots->log, 4096), -EEXIST);
	CHECK_EQ(twz_log_append(&object, &roots->log, buffer, 2040, NULL), -EINVAL);
	for (unsigned long n = 0; n < ops; n++) {
		size_t len = chance(150);
		int r;
		memset(buffer, (unsigned char)appended, len);
		r = twz_log_append(&object, &roots->log, buffer, len, &pos);
		appended += r == 0;
		CHECK(r == 0 || r == -ENOSPC);
		if (r == -ENOSPC) {
			read_some(&at, (unsigned)chance(30));
			CHECK_EQ(twz_log_truncate(&object, &roots->log, at), 0);
			CHECK_EQ(twz_ds_check(&object, &roots->log, 0), 0);
		}
		/* As after a crash: where the end is was not flushed. */
		if (chance(50) == 0)
			roots->log.end = chance(2) ? roots->log.front : 0;
	}
	read_some(&at, ~0u);
	CHECK_EQ(read_back, appended);
	CHECK_EQ(at, twz_log_end(&object, &roots->log));
	CHECK_EQ(twz_log_truncate(&object, &roots->log, at + 16), -EINVAL);
	twz_free(&object, (void *)roots->log.area, NULL, 0);
	end();
}

/* --- noise */

static void make_all(void)
{
	static const struct kind kinds[] = { { false, true }, { true, false } };

	for (unsigned k = 0; k < 2; k++) {
		kind = &kinds[k];
		for (unsigned i = 0; i < 300; i++)
			put(i, expected, i % 40, 0);
	}
	twz_vec_init(&object, &roots->vec, 24);
	for (unsigned i = 0; i < 200; i++)
		twz_vec_push(&object, &roots->vec, expected, 24);
	for (unsigned i = 0; i < 20; i++)
		twz_list_push(&object, &roots->list, &i, sizeof(i));
	twz_blob_set(&object, &roots->blob, expected, 100);
	twz_log_init(&object, &roots->log, 1024);
	for (unsigned i = 0; i < 5; i++)
		twz_log_append(&object, &roots->log, expected, 50, NULL);
}

static void use_maps(unsigned i)
{
	static const struct kind kinds[] = { { false, true }, { true, false } };
	struct twz_hash_iter h;
	struct twz_map_iter m;

	for (unsigned k = 0; k < 2; k++) {
		kind = &kinds[k];
		put(i, expected, i % 40, 0);
		get(i, buffer, sizeof(buffer));
		erase(i / 2);
		count();
	}
	twz_hash_iter_init(&h, &object, &roots->hash);
	for (unsigned n = 0; n < 1000 && twz_hash_next(&h) == 1; n++)
		;
	twz_map_iter_init(&m, &object, &roots->map);
	for (unsigned n = 0; n < 50 && twz_map_next(&m) == 1; n++)
		;
	for (unsigned n = 0; n < 50 && twz_map_prev(&m) == 1; n++)
		;
}

static void use_all(unsigned i)
{
	uint64_t at = 0;

	use_maps(i);
	twz_vec_get(&object, &roots->vec, i, buffer, 24);
	twz_vec_set(&object, &roots->vec, i, buffer, 24);
	twz_vec_push(&object, &roots->vec, buffer, 24);
	twz_list_count(&object, &roots->list);
	twz_list_push_back(&object, &roots->list, buffer, 10);
	twz_list_pop(&object, &roots->list);
	twz_blob_append(&object, &roots->blob, buffer, 10);
	twz_blob_read(&object, &roots->blob, 0, buffer, sizeof(buffer));
	twz_log_append(&object, &roots->log, buffer, 10, NULL);
	twz_log_read(&object, &roots->log, &at, buffer, sizeof(buffer));
	for (unsigned k = 0; k < 5; k++)
		twz_ds_check(&object, k == 0 ? (void *)&roots->hash : k == 1 ? (void *)&roots->map :
		    k == 2 ? (void *)&roots->vec : k == 3 ? (void *)&roots->list :
		    (void *)&roots->log, 0);
}

/* Words of noise: pointers into the data, small numbers, anything. */
static uint64_t noise(uint64_t old)
{
	switch (chance(6)) {
	case 0:
		return chance(0x100000) & ~(uint64_t)(chance(2) * 63);
	case 1:
		return chance(64);
	case 2:
		return old + 64 - chance(128);
	case 3:
		return old ^ 1ull << chance(64);
	case 4:
		return chance_state;
	default:
		return chance(0x40000000);
	}
}

static void hit(uint64_t from, uint64_t to, unsigned times)
{
	uint64_t *words = twz_object_base(&object);

	while (times--) {
		uint64_t *w = &words[(from + chance(to - from)) / 8];
		*w = noise(*w);
	}
}

static void quiet(int fault, void *info, void *userdata)
{
	(void)fault, (void)info, (void)userdata;
}

/* Errors, wrong values or thrown pointers, but never an access outside or an endless loop. */
static void noise_does_no_harm(void)
{
	unsigned rounds = (unsigned)(operations() / 400) + 2;

	twz_fault_set(FAULT_PPTR, quiet, NULL);
	for (unsigned round = 0; round < rounds; round++) {
		struct twz_alloc_stats st;
		NEED(begin());
		memset(expected, 'n', sizeof(expected));
		make_all();
		CHECK_EQ(twz_alloc_stats(&object, &st), 0);
		for (unsigned i = 0; i < 8; i++) {
			/* The allocator's own words are its own tests' concern. */
			hit(0, sizeof(struct roots), (unsigned)chance(2));
			hit(0x40000, st.end, 1 + (unsigned)chance(200));
			memset(&roots->hash.stripes, 0, sizeof(roots->hash.stripes));
			memset(&roots->map.guard, 0, sizeof(roots->map.guard));
			memset(&roots->vec.guard, 0, sizeof(roots->vec.guard));
			memset(&roots->list.guard, 0, sizeof(roots->list.guard));
			memset(&roots->log.lock, 0, sizeof(roots->log.lock));
			use_all(i * 31);
		}
		drop_object(&object);
	}
	twz_fault_set(FAULT_PPTR, NULL, NULL);
}

/* --- threads */

#define WRITERS 2
#define READERS 2
#define SHARED_KEYS 64u

static _Atomic unsigned long torn, reads, writes;
static _Atomic long put_error, get_error; /* the last that there was, 0: none */
static atomic_bool stop_reading;

static void note_error(_Atomic long *error, long r)
{
	if (r < 0)
		*error = r;
}

/* A value is a byte many times over. */
static void writer(void *arg)
{
	unsigned char value[96];
	uint64_t state = (uintptr_t)arg * 7919 + 1;
	unsigned long ops = operations() / 2;

	for (unsigned long n = 0; n < ops; n++) {
		unsigned i;
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		i = state >> 33 & (SHARED_KEYS - 1);
		memset(value, (int)(state >> 40), sizeof(value));
		if (state >> 60 == 0)
			erase(i);
		else
			note_error(&put_error, put(i, value, 16 + (state >> 50 & 63), 0));
		writes++;
	}
}

static void reader(void *arg)
{
	unsigned char value[96];
	unsigned i = (unsigned)(uintptr_t)arg;

	while (!atomic_load(&stop_reading)) {
		ssize_t len = get(i++ & (SHARED_KEYS - 1), value, sizeof(value));
		bool bad = len >= 0 && (len < 16 || len > 80);
		note_error(&get_error, len == -ENOENT ? 0 : len);
		for (ssize_t k = 1; k < len && !bad; k++)
			bad = value[k] != value[0];
		torn += bad;
		reads++;
	}
}

static void run_threads(const struct kind *k)
{
	struct thread w[WRITERS], r[READERS];

	NEED(begin());
	kind = k;
	torn = reads = writes = 0;
	put_error = get_error = 0;
	atomic_store(&stop_reading, false);
	for (uintptr_t i = 0; i < READERS; i++)
		CHECK_EQ(run_thread(&r[i], reader, (void *)i), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		CHECK_EQ(run_thread(&w[i], writer, (void *)i), 0);
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK_EQ(finish_thread(&w[i]), 0);
	atomic_store(&stop_reading, true);
	for (unsigned i = 0; i < READERS; i++)
		CHECK_EQ(finish_thread(&r[i]), 0);
	CHECK_EQ(torn, 0);
	CHECK_EQ(put_error, 0);
	CHECK_EQ(get_error, 0);
	CHECK_EQ(check(), 0);
	CHECK_EQ(writes, WRITERS * (operations() / 2));
	ktap_note("%lu reads beside %lu writes", (unsigned long)reads, (unsigned long)writes);
	twz_hash_clear(&object, &roots->hash);
	twz_map_clear(&object, &roots->map);
	end();
}

static void threads_of_hash(void)
{
	run_threads(&(struct kind){ false, true });
}

static void threads_of_map(void)
{
	run_threads(&(struct kind){ true, false });
}

/* Each map in turn, until its key is there. */
static void early_reader(void *arg)
{
	uint64_t value;
	ssize_t len;

	(void)arg;
	for (unsigned i = 0; i < FIRSTS; i++) {
		do
			len = twz_map_get_u64(&object, &roots->firsts[i], i, &value, sizeof(value));
		while (len == -ENOENT);
		note_error(&get_error, len);
	}
}

/* A reader is interrupted anywhere: where there is one CPU, by the first change. */
static void readers_from_the_beginning(void)
{
	struct thread r;

	NEED(begin());
	get_error = 0;
	CHECK_EQ(run_thread(&r, early_reader, NULL), 0);
	for (uint64_t i = 0; i < FIRSTS; i++) {
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
		CHECK_EQ(twz_map_put_u64(&object, &roots->firsts[i], i, &i, sizeof(i), 0), 0);
	}
	CHECK_EQ(finish_thread(&r), 0);
	CHECK_EQ(get_error, 0);
	for (unsigned i = 0; i < FIRSTS; i++)
		CHECK_EQ(twz_map_clear(&object, &roots->firsts[i]), 0);
	end();
}

/* Each element in turn, as soon as it is there. */
static void follower(void *arg)
{
	unsigned long ops = operations() / 2;

	(void)arg;
	for (uint64_t i = 0, e[2] = { 0 }; i < ops; i++) {
		int r;
		do
			r = twz_vec_get(&object, &roots->vec, i, e, sizeof(e));
		while (r == -ENOENT);
		note_error(&get_error, r);
		torn += r == 0 && (e[0] != i || e[1] != i);
	}
}

static void reader_of_vector(void)
{
	struct thread r;

	NEED(begin());
	torn = 0;
	get_error = 0;
	CHECK_EQ(twz_vec_init(&object, &roots->vec, 2 * sizeof(uint64_t)), 0);
	CHECK_EQ(run_thread(&r, follower, NULL), 0);
	for (uint64_t i = 0; i < operations() / 2; i++) {
		uint64_t e[2] = { i, i };
		CHECK_EQ(twz_vec_push(&object, &roots->vec, e, sizeof(e)), i);
	}
	CHECK_EQ(finish_thread(&r), 0);
	CHECK_EQ(torn, 0);
	CHECK_EQ(get_error, 0);
	CHECK_EQ(twz_vec_truncate(&object, &roots->vec, 0), 0);
	end();
}

static void appender(void *arg)
{
	uint64_t record[8];
	unsigned long ops = operations() / 8;

	for (uint64_t n = 0; n < ops; n++) {
		for (unsigned i = 0; i < 8; i++)
			record[i] = (uintptr_t)arg << 32 | n;
		torn += twz_log_append(&object, &roots->log, record, sizeof(record), NULL) != 0;
	}
}

/* Each appender's records are all there, in its order. */
static void threads_of_log(void)
{
	uint64_t record[8], at = 0, next[WRITERS] = { 0 };
	struct thread w[WRITERS];

	NEED(begin());
	torn = 0;
	CHECK_EQ(twz_log_init(&object, &roots->log, operations() / 8 * WRITERS * 80 + 128), 0);
	for (uintptr_t i = 0; i < WRITERS; i++)
		CHECK_EQ(run_thread(&w[i], appender, (void *)i), 0);
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK_EQ(finish_thread(&w[i]), 0);
	while (twz_log_read(&object, &roots->log, &at, record, sizeof(record)) == sizeof(record)) {
		NEED(record[0] >> 32 < WRITERS);
		CHECK_EQ((uint32_t)record[7], next[record[0] >> 32]++);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK_EQ(next[i], operations() / 8);
	CHECK_EQ(torn, 0);
	twz_free(&object, (void *)roots->log.area, NULL, 0);
	end();
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "a hash map with keys of 64 bits does what its model does", hash_of_words },
		{ "a hash map with keys of bytes does what its model does", hash_of_bytes },
		{ "a map with keys of 64 bits does what its model does", map_of_words },
		{ "a map with keys of bytes does what its model does", map_of_bytes },
		{ "erasing all keys of a map leaves nothing", nothing_left },
		{ "values of no byte and of a megabyte", values_of_any_size },
		{ "wrong arguments are errors", wrong_arguments },
		{ "a vector grows, is set and shrinks", vector },
		{ "a vector of bytes", vector_of_bytes },
		{ "a list at both ends and in between", list },
		{ "a list through two objects", list_through_objects },
		{ "a blob is set and grows", blob },
		{ "a log runs around its ring", log_in_a_ring },
		{ "noise in structures does no harm", noise_does_no_harm },
		{ "readers of a hash map see whole values", threads_of_hash },
		{ "readers of a map see whole values", threads_of_map },
		{ "readers are there before the first change", readers_from_the_beginning },
		{ "a reader of a vector sees each element", reader_of_vector },
		{ "a log has all records of many appenders", threads_of_log },
	};

	(void)argc, (void)argv;
	return KTAP_RUN(cases);
}
