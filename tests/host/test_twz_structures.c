// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in persistent data structures (userspace/libtwz/src/ds/): after a cut and the next
 * change each is as it was before the operation that was cut, or as it is after it; the checker
 * agrees; and when it is emptied nothing is left in the allocator.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/blob.h>
#include <twz/ds/hash.h>
#include <twz/ds/list.h>
#include <twz/ds/log.h>
#include <twz/ds/map.h>
#include <twz/ds/vector.h>

/* Each begins at the end of a line, so that none of its words comes with its head by chance. */
struct roots {
	_Alignas(64) char pad0[56];
	struct twz_hash hash;
	_Alignas(64) char pad1[56];
	struct twz_map map;
	_Alignas(64) char pad2[56];
	struct twz_vec vec;
	_Alignas(64) char pad3[56];
	struct twz_list list;
	struct twz_blob blob;
	_Alignas(64) char pad4[40];
	struct twz_log log;
};

EXPLORE_SEEN_ONLY_LIBTWZ

#define PAGES 512u
#define KEYS 1500u

static twzobj *obj(void)
{
	return explore_object(0);
}

static struct roots *roots(void)
{
	return twz_object_base(obj());
}

static void make_allocator(void)
{
	assert_int_equal(twz_object_init_alloc(obj(), sizeof(struct roots)), 0);
}

static const char *nothing_is_left(void)
{
	struct twz_alloc_stats st;

	if (twz_alloc_check(obj(), NULL, NULL) != 0)
		return "the allocator is damaged";
	if (twz_alloc_stats(obj(), &st) < 0)
		return "there is no allocator";
	return st.live_count ? "memory is lost" : NULL;
}

/* What is never flushed: guards, how often segments moved, where a log may end; and the allocator's. */
static bool is_volatile(unsigned object, uint64_t offset)
{
	static const struct { size_t at, len; } words[] = {
		{ offsetof(struct roots, hash.epoch), 8 },
		{ offsetof(struct roots, hash.stripes), sizeof(((struct roots *)0)->hash.stripes) },
		{ offsetof(struct roots, map.guard), sizeof(struct twz_ds_guard) },
		{ offsetof(struct roots, vec.guard), sizeof(struct twz_ds_guard) },
		{ offsetof(struct roots, list.guard), sizeof(struct twz_ds_guard) },
		{ offsetof(struct roots, log.lock), sizeof(struct mutex) },
	};

	for (unsigned i = 0; object == 0 && i < sizeof(words) / sizeof(words[0]); i++)
		if (offset - OBJ_NULLPAGE_SIZE - words[i].at < words[i].len)
			return true;
	return explore_alloc_is_volatile(object, offset);
}

/* --- maps: what each key has, and what it may have instead while an operation is on its way */

static enum { HASH, MAP, BYTES } which;
static unsigned char now[KEYS]; /* 0: nothing */
static unsigned pending, pending_value;

/* Values of one byte many times; odd ones have 8 bytes. */
static size_t value_of(unsigned v, unsigned char *value)
{
	size_t len = v & 1 ? 8 : 20 + v % 16;

	memset(value, (int)v, len);
	return len;
}

/* Keys of bytes share 11 bytes with others of their hundred. */
static size_t key_of(unsigned i, char *key)
{
	memset(key, 'a' + (int)(i / 100), 11);
	key[11] = (char)(i % 100);
	key[12] = 'z';
	return i % 100 ? 13 : 5;
}

static uint64_t word_of(unsigned i)
{
	return i * 10ull;
}

static int put(unsigned i, unsigned v)
{
	unsigned char value[64];
	size_t len = value_of(v, value), klen;
	char key[16];

	if (which == HASH)
		return twz_hash_put_u64(obj(), &roots()->hash, word_of(i), value, len, 0);
	if (which == MAP)
		return twz_map_put_u64(obj(), &roots()->map, word_of(i), value, len, 0);
	klen = key_of(i, key);
	return twz_map_put(obj(), &roots()->map, key, klen, value, len, 0);
}

static int erase(unsigned i)
{
	char key[16];
	size_t klen = key_of(i, key);

	if (which == HASH)
		return twz_hash_erase_u64(obj(), &roots()->hash, word_of(i));
	if (which == MAP)
		return twz_map_erase_u64(obj(), &roots()->map, word_of(i));
	return twz_map_erase(obj(), &roots()->map, key, klen);
}

static int clear(void)
{
	return which == HASH ? twz_hash_clear(obj(), &roots()->hash) :
			       twz_map_clear(obj(), &roots()->map);
}

/* The value of a key as it was put; -1: none of those, 0: nothing. */
static int get(unsigned i)
{
	unsigned char value[64], want[64];
	char key[16];
	ssize_t len;

	if (which == HASH)
		len = twz_hash_get_u64(obj(), &roots()->hash, word_of(i), value, sizeof(value));
	else if (which == MAP)
		len = twz_map_get_u64(obj(), &roots()->map, word_of(i), value, sizeof(value));
	else
		len = twz_map_get(obj(), &roots()->map, key, key_of(i, key), value, sizeof(value));
	if (len == -ENOENT)
		return 0;
	if (len <= 0 || (size_t)len != value_of(value[0], want))
		return -1;
	return memcmp(value, want, (size_t)len) == 0 ? value[0] : -1;
}

static void step(unsigned i, unsigned v)
{
	explore_step_begin();
	pending = i;
	pending_value = v;
	assert_int_equal(v ? put(i, v) : erase(i), 0);
	now[i] = (unsigned char)v;
	explore_step_end();
}

static void clear_step(void)
{
	explore_step_begin();
	pending = KEYS;
	assert_int_equal(clear(), 0);
	memset(now, 0, sizeof(now));
	explore_step_end();
}

static void begin_map(int kind)
{
	make_allocator();
	which = kind;
	memset(now, 0, sizeof(now));
	pending = 0;
	pending_value = 0;
}

static void fill(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		now[i] = (unsigned char)(2 + i % 100);
		assert_int_equal(put(i, now[i]), 0);
	}
}

/* The next change settles what was interrupted: a key of the test's own comes and goes, unless
 * that is cut as well. */
static void recover_map(void)
{
	if (put(KEYS - 1, 3) == 0)
		erase(KEYS - 1);
}

/* A reader is enough to make a map ready. */
static void read_map(void)
{
	get(1);
}

static const char *judge_keys(void)
{
	bool all_gone = pending == KEYS;
	ssize_t count = 0, there;

	there = which == HASH ? twz_hash_count(obj(), &roots()->hash) :
				twz_map_count(obj(), &roots()->map);
	if (all_gone && there == (get(KEYS - 1) == 3))
		return NULL;
	for (unsigned i = 0; i < KEYS; i++) {
		int v = now[i] || i == pending ? get(i) : 0;
		if (v != now[i] && !(i == pending && v == (int)pending_value))
			return "a key has not what it should have";
		count += v != 0;
	}
	return there == count + (get(KEYS - 1) == 3) ? NULL :
	    "there are keys that were never put";
}

static const char *judge_map(void)
{
	const char *wrong = judge_keys();
	const void *root = which == HASH ? (void *)&roots()->hash : (void *)&roots()->map;

	if (wrong)
		return wrong;
	twz_alloc_recover(obj());
	twz_alloc_recover(obj());
	if (twz_ds_check(obj(), root, which == HASH ? TWZ_DS_HASH : TWZ_DS_MAP) != 0 ||
	    twz_alloc_check(obj(), NULL, NULL) != 0)
		return "the structure is damaged";
	return clear() == 0 ? nothing_is_left() : "it cannot be cleared";
}

/* From nothing: the first key, other values, longer ones, in place, gone, again. */
static void a_life(void)
{
	step(1, 2);
	step(2, 5);
	step(1, 18);
	step(2, 7);
	step(2, 0);
	step(2, 4);
	step(1, 0);
	step(2, 0);
	step(3, 6);
}

static void begin_hash(void)
{
	begin_map(HASH);
}

static void begin_words(void)
{
	begin_map(MAP);
}

static void begin_bytes(void)
{
	begin_map(BYTES);
}

/*
 * What others have tests of: the allocator, pointers into other objects. And what comes with the
 * first change: whether a seed or a head was durable before shows in too few states.
 */
static const char *const elsewhere[] = { "__twz_alloc_commit", "__twz_alloc_retire", "retire_lanes",
	"replay_lanes", "__twz_alloc_take_block", "twz_alloc_publish", "apply", "write_record",
	"apply_entry", "change_word", "change_block", "change_pages", "clear_states", "grow",
	"apply_entry", "change_word", "change_block", "change_pages", "clear_states", "grow",
	"__twz_ptr_store_guid", "twz_object_addfot", "flush twz_hash_put_u64", "fence start_using",
	"fence begin_change", NULL };

#define TEST(...)                                                                               \
	{ .objects = 2, .data_pages = PAGES, .effort = 6, .nested = 64, .unneeded = elsewhere,  \
		.is_volatile = is_volatile, __VA_ARGS__ }

/* Cuts of an operation; in the second form each flush and each fence is left out as well. */
#define EXPLORE(NAME, ...)                                                                      \
	static void NAME(void **state)                                                          \
	{                                                                                       \
		static const struct explore_test test = TEST(__VA_ARGS__);                      \
		struct explore_result r = explore_run(&test);                                   \
		(void)state;                                                                    \
		print_message("# %lu states, %lu of recovery\n", r.states, r.nested);           \
		if (r.bad)                                                                      \
			print_message("# %s\n", r.first);                                       \
		assert_true(r.states > 20);                                                     \
		assert_int_equal(r.bad, 0);                                                     \
	}
#define EXPLORE_ALL(NAME, ...)                                                                  \
	static void NAME(void **state)                                                          \
	{                                                                                       \
		static const struct explore_test test = TEST(__VA_ARGS__);                      \
		(void)state;                                                                    \
		explore_check(&test);                                                           \
	}

EXPLORE_ALL(hash_life, .setup = begin_hash, .operation = a_life, .recover = read_map,
    .judge = judge_map)
EXPLORE_ALL(map_life, .setup = begin_words, .operation = a_life, .recover = read_map,
    .judge = judge_map)
EXPLORE_ALL(layers_life, .setup = begin_bytes, .operation = a_life, .recover = read_map,
    .judge = judge_map)

/* A hash map one put before the nth time that segments move. */
static unsigned begin_before_move(unsigned n)
{
	unsigned k = 0;

	begin_map(HASH);
	for (uint64_t epoch = roots()->hash.epoch; n > 0; k++) {
		assert_int_equal(put(k, 2), 0);
		n -= roots()->hash.epoch != epoch;
		epoch = roots()->hash.epoch;
	}
	assert_int_equal(clear(), 0);
	fill(0, k - 1);
	return k - 1;
}

static unsigned moving;

static void before_doubling(void)
{
	moving = begin_before_move(2);
}

static void before_split_in_place(void)
{
	moving = begin_before_move(4);
}

static void put_moving(void)
{
	step(moving, 2);
}

EXPLORE(hash_doubles, .setup = before_doubling, .operation = put_moving, .recover = recover_map,
    .judge = judge_map)
EXPLORE(hash_splits, .setup = before_split_in_place, .operation = put_moving,
    .recover = recover_map, .judge = judge_map)

static void few_keys_of_hash(void)
{
	begin_map(HASH);
	fill(0, 15);
}

EXPLORE(hash_is_cleared, .setup = few_keys_of_hash, .operation = clear_step,
    .recover = recover_map, .judge = judge_map)

/* A full leaf, then one below a parent. */
static void full_leaf(void)
{
	begin_map(MAP);
	fill(100, 131);
}

static void split_leaves(void)
{
	step(90, 2);
	for (unsigned i = 80; i < 95; i++)
		if (i != 90)
			step(i, 4);
	step(95, 2);
	step(79, 2);
}

EXPLORE(map_splits, .setup = full_leaf, .operation = split_leaves, .recover = recover_map,
    .judge = judge_map)

/* Three leaves, of which two go. */
static void three_leaves(void)
{
	begin_map(MAP);
	fill(0, 62);
}

static void empty_leaves(void)
{
	for (unsigned i = 62; i-- > 0;)
		step(i, 0);
}

EXPLORE(map_is_pruned, .setup = three_leaves, .operation = empty_leaves, .recover = recover_map,
    .judge = judge_map)

static void few_keys_of_bytes(void)
{
	begin_map(BYTES);
	fill(100, 102);
}

/* Two layers come; their last keys go. */
static void deeper_and_back(void)
{
	step(103, 2);
	step(104, 5);
	step(101, 0);
	step(104, 0);
	step(103, 0);
}

EXPLORE(layers_come_and_go, .setup = few_keys_of_bytes, .operation = deeper_and_back,
    .recover = recover_map, .judge = judge_map)

static void some_keys_of_bytes(void)
{
	begin_map(BYTES);
	fill(98, 104);
}

EXPLORE(map_is_cleared, .setup = some_keys_of_bytes, .operation = clear_step,
    .recover = recover_map, .judge = judge_map)

/* --- vector */

#define ELEM 40u

static uint64_t count_now, count_next;
static unsigned set_at, set_to; /* element set_at may be set_to as well */
static unsigned char elem_now[100];

static void begin_vector(void)
{
	make_allocator();
	count_now = count_next = 0;
	set_at = 100;
	assert_int_equal(twz_vec_init(obj(), &roots()->vec, ELEM), 0);
}

static void vector_step(uint64_t next)
{
	explore_step_begin();
	count_next = next;
}

static void vector_done(void)
{
	count_now = count_next;
	set_at = 100;
	explore_step_end();
}

static void append(unsigned v, unsigned n)
{
	unsigned char e[8 * ELEM];

	memset(e, (int)v, sizeof(e));
	memset(elem_now + count_now, (int)v, n);
	vector_step(count_now + n);
	assert_int_equal(twz_vec_append(obj(), &roots()->vec, e, ELEM, n), count_now);
	vector_done();
}

static void set(unsigned i, unsigned v)
{
	unsigned char e[ELEM];

	memset(e, (int)v, sizeof(e));
	vector_step(count_now);
	set_at = i;
	set_to = v;
	assert_int_equal(twz_vec_set(obj(), &roots()->vec, i, e, ELEM), 0);
	elem_now[i] = (unsigned char)v;
	vector_done();
}

static void vector_life(void)
{
	append(1, 1);
	append(2, 2);
	set(1, 3);
	vector_step(count_now - 1);
	assert_int_equal(twz_vec_pop(obj(), &roots()->vec, NULL, 0), 0);
	vector_done();
	append(4, 1);
	vector_step(0);
	assert_int_equal(twz_vec_truncate(obj(), &roots()->vec, 0), 0);
	vector_done();
}

static void recover_vector(void)
{
	twz_vec_truncate(obj(), &roots()->vec, twz_vec_count(&roots()->vec));
}

static const char *judge_vector(void)
{
	uint64_t count = twz_vec_count(&roots()->vec);
	unsigned char e[ELEM];

	if (count != count_now && count != count_next)
		return "elements are missing, or too many";
	for (unsigned i = 0; i < count; i++) {
		if (twz_vec_get(obj(), &roots()->vec, i, e, ELEM) < 0)
			return "an element cannot be read";
		if (e[0] != elem_now[i] && !(i == set_at && e[0] == set_to))
			return "an element is not what it was";
		for (unsigned k = 1; k < ELEM; k++)
			if (e[k] != e[0])
				return "an element is torn";
	}
	if (twz_vec_check(obj(), &roots()->vec) < 0)
		return "the vector is damaged";
	if (twz_vec_truncate(obj(), &roots()->vec, 0) < 0)
		return "it cannot be emptied";
	return nothing_is_left();
}

EXPLORE(vector_cuts, .setup = begin_vector, .operation = vector_life, .recover = recover_vector,
    .judge = judge_vector)

/* --- list: the numbers in it, before and after */

#define MOST 8u

static unsigned char list_now[MOST], list_next[MOST];


static struct twz_list_node *own_node(void)
{
	return twz_object_base(explore_object(1));
}

static void begin_list(void)
{
	make_allocator();
	memset(list_now, 0, sizeof(list_now));
	memset(list_next, 0, sizeof(list_next));
	own_node()->len = 1;
	own_node()->data[0] = 50;
}

static struct twz_list_node *nth(unsigned n)
{
	struct twz_list_node *node;

	twz_list_for_each(obj(), &roots()->list, node)
		if (n-- == 0)
			return node;
	return NULL;
}

static void list_step(unsigned at, unsigned number)
{
	explore_step_begin();
	if (number) {
		memmove(list_next + at + 1, list_next + at, MOST - 1 - at);
		list_next[at] = (unsigned char)number;
	} else {
		memmove(list_next + at, list_next + at + 1, MOST - 1 - at);
	}
}

static void list_done(int r)
{
	assert_int_equal(r, 0);
	memcpy(list_now, list_next, sizeof(list_now));
	explore_step_end();
}

static void insert(unsigned at, unsigned char number)
{
	list_step(at, number);
	if (at && !nth(at))
		list_done(twz_list_push_back(obj(), &roots()->list, &number, 1));
	else
		list_done(twz_list_insert(obj(), &roots()->list, at ? nth(at - 1) : NULL, &number, 1));
}

static void take_out(unsigned at)
{
	list_step(at, 0);
	list_done(twz_list_remove_after(obj(), &roots()->list, at ? nth(at - 1) : NULL));
}

static void list_life(void)
{
	insert(0, 1);
	insert(1, 2);
	insert(1, 3);
	take_out(2);
	take_out(0);
	insert(1, 4);
	take_out(1);
	take_out(0);
	insert(0, 5);
}

static void list_through_objects(void)
{
	insert(0, 1);
	list_step(1, 50);
	list_done(twz_list_link(obj(), &roots()->list, nth(0), own_node()));
	insert(2, 2);
	insert(2, 3);
	take_out(2);
	take_out(0);
	take_out(1);
	take_out(0);
}

/* A node comes and goes, and that of a recovery that was cut. */
static void recover_list(void)
{
	unsigned char n = 99;

	if (twz_list_push(obj(), &roots()->list, &n, 1) < 0)
		return;
	while (nth(0) && nth(0)->data[0] == 99)
		if (twz_list_pop(obj(), &roots()->list) < 0)
			return;
}

static const char *judge_list(void)
{
	unsigned char there[MOST] = { 0 };
	struct twz_list_node *node;
	unsigned n = 0;

	if (twz_list_check(obj(), &roots()->list) < 0)
		return "the list is damaged";
	twz_list_for_each(obj(), &roots()->list, node)
		if (n < MOST && (n || node->data[0] != 99))
			there[n++] = node->data[0];
	if (memcmp(there, list_now, MOST) != 0 && memcmp(there, list_next, MOST) != 0)
		return "the list has not what it should have";
	while (twz_list_pop(obj(), &roots()->list) == 0)
		;
	return nothing_is_left();
}

EXPLORE(list_cuts, .setup = begin_list, .operation = list_life, .recover = recover_list,
    .judge = judge_list)
EXPLORE(list_of_two_objects, .setup = begin_list, .operation = list_through_objects,
    .recover = recover_list, .judge = judge_list)

/* --- blob */

static const char *string_now, *string_next;

static void set_string(const char *s)
{
	explore_step_begin();
	string_next = s;
	assert_int_equal(twz_blob_set_string(obj(), &roots()->blob, s), 0);
	string_now = s;
	explore_step_end();
}

static void begin_blob(void)
{
	make_allocator();
	string_now = string_next = "";
}

static void blob_life(void)
{
	set_string("one");
	set_string("another, and a longer one at that, so that it is not on one line with what was");
	explore_step_begin();
	string_next = "another, and a longer one at that, so that it is not on one line with what was, too";
	assert_int_equal(twz_blob_append(obj(), &roots()->blob, ", too", 5), 0);
	string_now = string_next;
	explore_step_end();
	set_string("");
	set_string("end");
}

static void recover_blob(void)
{
	twz_alloc_recover(obj());
}

static const char *judge_blob(void)
{
	const char *s = twz_blob_string(obj(), &roots()->blob);

	if (strcmp(s, string_now) != 0 && strcmp(s, string_next) != 0)
		return "the string is neither";
	if (twz_blob_check(obj(), &roots()->blob) < 0)
		return "the blob is damaged";
	twz_blob_set(obj(), &roots()->blob, NULL, 0);
	return nothing_is_left();
}

EXPLORE_ALL(blob_cuts, .setup = begin_blob, .operation = blob_life, .recover = recover_blob,
    .judge = judge_blob)

/* --- log: numbers, from first_now on */

static unsigned first_now, first_next, end_now, end_next;
static uint64_t positions[32];

static void begin_log(void)
{
	make_allocator();
	first_now = first_next = end_now = end_next = 0;
	assert_int_equal(twz_log_init(obj(), &roots()->log, 256), 0);
}

static size_t record_of(unsigned n, unsigned char *bytes)
{
	size_t len = 10 + n * 13 % 60;

	memset(bytes, (int)n + 1, len);
	return len;
}

static void append_record(void)
{
	unsigned char bytes[80];
	size_t len = record_of(end_now, bytes);

	explore_step_begin();
	end_next = end_now + 1;
	assert_int_equal(twz_log_append(obj(), &roots()->log, bytes, len, &positions[end_now]), 0);
	end_now = end_next;
	explore_step_end();
}

static void drop_records(unsigned first)
{
	explore_step_begin();
	first_next = first;
	assert_int_equal(twz_log_truncate(obj(), &roots()->log, positions[first]), 0);
	first_now = first;
	explore_step_end();
}

static void log_life(void)
{
	for (unsigned i = 0; i < 3; i++)
		append_record();
	for (unsigned i = 0; i < 6; i++) {
		drop_records(end_now - 1);
		append_record();
		append_record();
	}
}

static const char *judge_log(void)
{
	unsigned char bytes[80], want[80];
	uint64_t at = 0;
	unsigned n = 0;
	ssize_t len;

	if (twz_log_check(obj(), &roots()->log) < 0)
		return "the log is damaged";
	for (; (len = twz_log_read(obj(), &roots()->log, &at, bytes, sizeof(bytes))) >= 0; n++) {
		if (n == 0 && bytes[0] != first_now + 1 && bytes[0] != first_next + 1)
			return "it does not begin with the first record";
		n = n ? n : bytes[0] - 1u;
		if ((size_t)len != record_of(n, want) || memcmp(bytes, want, (size_t)len) != 0)
			return "a record is not what was appended";
	}
	if (n != end_now && n != end_next && !(n == 0 && first_now == end_now))
		return "it does not end with the last record";
	return NULL;
}

/* What is appended now does not bring back what was cut off. */
static const char *judge_and_append(void)
{
	const char *wrong = judge_log();
	uint64_t end = twz_log_end(obj(), &roots()->log), at = end;
	unsigned char byte = 200;

	if (wrong || twz_log_append(obj(), &roots()->log, &byte, 1, NULL) < 0)
		return wrong;
	if (twz_log_read(obj(), &roots()->log, &at, &byte, 1) != 1 || byte != 200)
		return "what was appended is not read";
	return twz_log_read(obj(), &roots()->log, &at, &byte, 1) == -ENOENT ? NULL :
	    "there is a record that was not appended";
}

EXPLORE_ALL(log_cuts, .setup = begin_log, .operation = log_life, .judge = judge_and_append)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_life),
		cmocka_unit_test(hash_doubles),
		cmocka_unit_test(hash_splits),
		cmocka_unit_test(hash_is_cleared),
		cmocka_unit_test(map_life),
		cmocka_unit_test(map_splits),
		cmocka_unit_test(map_is_pruned),
		cmocka_unit_test(map_is_cleared),
		cmocka_unit_test(layers_life),
		cmocka_unit_test(layers_come_and_go),
		cmocka_unit_test(vector_cuts),
		cmocka_unit_test(list_cuts),
		cmocka_unit_test(list_of_two_objects),
		cmocka_unit_test(blob_cuts),
		cmocka_unit_test(log_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
