// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in libtwz: adding foreign entries, storing pointers, adding and removing extensions.
 * The compiler calls us before every store of libtwz's code (-fsanitize=thread with a runtime of
 * our own), so each is seen; what a cut can leave is made at every fence: each word as of its last
 * flush and fence, or as any store since left it. In each such state every pointer that is stored
 * resolves, no entry and no extension is half there, and what was acknowledged is there. Then every
 * flush and every fence is left out in turn, and that must show.
 */
#include "unit.h"

#include "store/unseen.h"

#include <abi/errno.h>
#include <string.h>
#include <twz/obj.h>

#include "../../userspace/libtwz/src/runtime.h"

UNSEEN_BEGIN

#define PAGES 3u
#define WORDS (PAGES * TWZ_PAGE_SIZE / 8)
#define VALUES 8u
#define LOCS 3u
#define EXTS 2u

struct twz_runtime __twz_rt = { .sysinfo = { .boot_code = 7 } };

/* The end of an object: a page of data, the last of its FOT, its metadata. */
static _Alignas(4096) uint64_t memory[WORDS];
static twzobj object;

static uint64_t *const locs = memory;
static struct metainfo *const meta = (struct metainfo *)(memory + WORDS - TWZ_PAGE_SIZE / 8);

/* ---- What a cut can leave ---- */

static uint64_t shadow[WORDS]; /* memory when it was last looked at */
static struct word {
	uint64_t value[VALUES]; /* the durable one, and what was stored since */
	unsigned count;         /* of those; 1: nothing since */
	unsigned flushed;       /* how many of them the next fence settles */
} words[WORDS];

static bool recording;
static unsigned long states, bad, sites;
static bool handing_out;    /* the last flush was that of an index handed out */
static bool first_of_add;   /* the one left out was the fence after that */
static long dropped; /* the flush or fence to leave out, counted from 0; -1: none */

/* What has been acknowledged, and what may be there. */
static objid_t target[LOCS];
static bool stored[LOCS], ext_added[EXTS], ext_removed[EXTS], ext_tried[EXTS];

static void settle(void)
{
	if (!recording || memcmp(memory, shadow, sizeof(memory)) == 0)
		return;
	for (unsigned i = 0; i < WORDS; i++) {
		if (memory[i] == shadow[i])
			continue;
		shadow[i] = memory[i];
		assert_true(words[i].count < VALUES);
		words[i].value[words[i].count++] = memory[i];
	}
}

/* ---- Judging ---- */

static const struct fotentry *entry_of(const uint64_t *image, uint64_t index)
{
	return (const struct fotentry *)(image + WORDS - TWZ_PAGE_SIZE / 8) - index;
}

static bool known_target(objid_t id)
{
	for (unsigned i = 0; i < LOCS; i++)
		if (target[i] == id)
			return true;
	return false;
}

static bool pointer_resolves(const uint64_t *image, unsigned loc, uint32_t entries)
{
	uint64_t index = PPTR_FOTE(image[loc * 8]);

	if (image[loc * 8] == 0)
		return !stored[loc];
	return index > 0 && index < entries && entry_of(image, index)->id == target[loc] &&
	       entry_of(image, index)->flags == (_FE_VALID | _FE_ALLOC | FE_READ) &&
	       PPTR_OFFSET(image[loc * 8]) == 0x1000 + loc;
}

static bool fot_is_sound(const uint64_t *image)
{
	uint32_t entries = ((const struct metainfo *)(image + WORDS - TWZ_PAGE_SIZE / 8))->fotentries;

	for (unsigned i = 0; i < LOCS; i++)
		if (!pointer_resolves(image, i, entries))
			return false;
	for (uint32_t i = 1; i < entries; i++) {
		const struct fotentry *e = entry_of(image, i);
		if ((e->flags & _FE_VALID) && (!known_target(e->id) || e->info != 0 ||
					       e->flags != (_FE_VALID | _FE_ALLOC | FE_READ)))
			return false;
	}
	return entries >= 1 && entries < 100;
}

static uint64_t ext_tag(unsigned i)
{
	return 0x5000 + i;
}

static bool exts_are_sound(const uint64_t *image)
{
	const struct metainfo *mi = (const struct metainfo *)(image + WORDS - TWZ_PAGE_SIZE / 8);
	bool found[EXTS] = { false };

	for (unsigned i = 0; i < 32; i++) {
		uint64_t tag = mi->exts[i].tag;
		if (tag == 0 || tag == METAEXT_CLAIMED)
			continue;
		if (tag < ext_tag(0) || tag >= ext_tag(EXTS) || !ext_tried[tag - ext_tag(0)] ||
		    mi->exts[i].ptr != 0x2000 + tag || found[tag - ext_tag(0)])
			return false;
		found[tag - ext_tag(0)] = true;
	}
	for (unsigned i = 0; i < EXTS; i++)
		if (found[i] ? ext_removed[i] : ext_added[i])
			return false;
	return true;
}

/* Life goes on after the cut: new entries do no harm to what is there. */
static bool goes_on(const uint64_t *image)
{
	bool sound;

	memcpy(memory, image, sizeof(memory));
	recording = false;
	ssize_t index = twz_object_addfot(&object, target[0], FE_READ);
	sound = index > 0 && twz_object_addfot(&object, target[LOCS - 1], FE_READ) > 0 && fot_is_sound(memory);
	recording = true;
	memcpy(memory, shadow, sizeof(memory));
	return sound;
}

static void judge(const uint64_t *image)
{
	states++;
	bad += !fot_is_sound(image) || !exts_are_sound(image) || !goes_on(image);
}

static void enumerate(uint64_t *image, unsigned from)
{
	while (from < WORDS && words[from].count == 1)
		from++;
	if (from == WORDS) {
		judge(image);
		return;
	}
	for (unsigned i = 0; i < words[from].count; i++) {
		image[from] = words[from].value[i];
		enumerate(image, from + 1);
	}
}

static void cut(void)
{
	static uint64_t image[WORDS];

	settle();
	for (unsigned i = 0; i < WORDS; i++)
		image[i] = words[i].value[0];
	enumerate(image, 0);
}

/* ---- What libtwz calls ---- */

void __twz_obj_flush(twzobj *o, const void *p, size_t len)
{
	uintptr_t first = ((uintptr_t)p - (uintptr_t)memory) / 64 * 8;
	uintptr_t end = ((uintptr_t)p - (uintptr_t)memory + len + 63) / 64 * 8;

	(void)o;
	settle();
	if (!recording)
		return;
	handing_out = p == &meta->fotentries;
	if ((long)sites++ == dropped)
		return;
	assert_true(end <= WORDS);
	for (uintptr_t i = first; i < end; i++)
		words[i].flushed = words[i].count;
}

void __twz_obj_fence(twzobj *o)
{
	(void)o;
	if (!recording)
		return;
	cut();
	if ((long)sites++ == dropped) {
		first_of_add = handing_out;
		return;
	}
	for (unsigned i = 0; i < WORDS; i++) {
		struct word *w = &words[i];
		if (w->flushed < 2)
			continue;
		memmove(w->value, w->value + w->flushed - 1, (w->count - w->flushed + 1) * sizeof(w->value[0]));
		w->count -= w->flushed - 1;
		w->flushed = 0;
	}
}

struct metainfo *twz_object_meta(twzobj *o)
{
	(void)o;
	return meta;
}

objid_t twz_object_guid(twzobj *o)
{
	return o->id;
}

int twz_vaddr_to_obj(const void *p, objid_t *id, uint32_t *access)
{
	if ((uintptr_t)p < (uintptr_t)memory || (uintptr_t)p >= (uintptr_t)(memory + WORDS))
		return -ENOENT;
	*id = object.id;
	if (access)
		*access = FE_READ | FE_WRITE;
	return 0;
}

void __twz_throw_pptr(objid_t id, uint64_t fote, uint32_t info, int error, const void *p)
{
	(void)id, (void)fote, (void)info, (void)error, (void)p;
	fail();
}

void *__twz_object_lea_foreign(twzobj *o, const void *p, uint32_t mask)
{
	(void)o, (void)p, (void)mask;
	return NULL;
}

/* ---- What the compiler calls ---- */

#define PLAIN(bytes)                                        \
	void __tsan_read##bytes(void *at);                  \
	void __tsan_write##bytes(void *at);                 \
	void __tsan_read##bytes(void *at) { (void)at; }     \
	void __tsan_write##bytes(void *at) { (void)at; settle(); }

PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

#define ATOMIC(bits, type)                                                                                \
	type __tsan_atomic##bits##_load(const type *at, int order);                                       \
	void __tsan_atomic##bits##_store(type *at, type value, int order);                                \
	type __tsan_atomic##bits##_fetch_or(type *at, type value, int order);                             \
	type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type value, int o, int f);    \
	type __tsan_atomic##bits##_load(const type *at, int order)                                        \
	{                                                                                                 \
		(void)order;                                                                              \
		return *at;                                                                               \
	}                                                                                                 \
	void __tsan_atomic##bits##_store(type *at, type value, int order)                                 \
	{                                                                                                 \
		(void)order;                                                                              \
		settle();                                                                                 \
		*at = value;                                                                              \
		settle();                                                                                 \
	}                                                                                                 \
	type __tsan_atomic##bits##_fetch_or(type *at, type value, int order)                              \
	{                                                                                                 \
		type old = *at;                                                                           \
		__tsan_atomic##bits##_store(at, old | value, order);                                      \
		return old;                                                                               \
	}                                                                                                 \
	type __tsan_atomic##bits##_compare_exchange_val(type *at, type old, type value, int o, int f)     \
	{                                                                                                 \
		type was = *at;                                                                           \
		(void)f;                                                                                  \
		if (was == old)                                                                           \
			__tsan_atomic##bits##_store(at, value, o);                                        \
		return was;                                                                               \
	}

ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}

/* ---- The run ---- */

static void reset(long drop)
{
	memset(memory, 0, sizeof(memory));
	meta->magic = MI_MAGIC;
	meta->fotentries = 1;
	meta->milen = MI_MILEN_DEFAULT;
	memcpy(shadow, memory, sizeof(memory));
	for (unsigned i = 0; i < WORDS; i++)
		words[i] = (struct word){ .value = { memory[i] }, .count = 1 };
	object = (twzobj){ .base = (char *)meta - OBJ_METAPAGE + OBJ_NULLPAGE_SIZE, .id = MKID(9, 9) };
	for (unsigned i = 0; i < LOCS; i++)
		target[i] = MKID(0x7000 + i, 0x8000 + i);
	memset(stored, 0, sizeof(stored));
	memset(ext_added, 0, sizeof(ext_added));
	memset(ext_removed, 0, sizeof(ext_removed));
	memset(ext_tried, 0, sizeof(ext_tried));
	states = bad = sites = 0;
	first_of_add = false;
	dropped = drop;
	recording = true;
}

static void store_pointer(unsigned loc)
{
	twzobj to = { .id = target[loc] };

	assert_int_equal(__twz_ptr_store_guid(&object, &locs[loc * 8], &to, (void *)(0x1000ul + loc), FE_READ), 0);
	stored[loc] = true;
	cut();
}

static void add_ext(unsigned i)
{
	ext_tried[i] = true;
	assert_int_equal(twz_object_addext(&object, ext_tag(i), (void *)(uintptr_t)(0x2000 + ext_tag(i))), 0);
	ext_added[i] = true;
	cut();
}

static void remove_ext(unsigned i)
{
	ext_added[i] = false;
	assert_int_equal((twz_object_delext)(&object, ext_tag(i)), 0);
	ext_removed[i] = true;
	cut();
}

static void everything(long drop)
{
	reset(drop);
	store_pointer(0);
	add_ext(0);
	store_pointer(1);
	add_ext(1);
	remove_ext(0);
	store_pointer(2);
	recording = false;
}

/* T8 */
static void cuts_leave_nothing_half(void **state)
{
	(void)state;
	everything(-1);
	print_message("# %lu states, %lu flushes and fences\n", states, sites);
	assert_true(states > 50);
	assert_int_equal(bad, 0);
}

/*
 * But for the fence after an index was handed out, which the specification asks for: what stands in
 * the entry comes with a fence of its own before anything names it.
 */
static void each_flush_and_fence_counts(void **state)
{
	unsigned long count;

	(void)state;
	everything(-1);
	count = sites;
	for (unsigned long i = 0; i < count; i++) {
		everything((long)i);
		if (bad == 0 && !first_of_add)
			print_message("# leaving out number %lu of %lu is not noticed\n", i, count);
		assert_true(bad > 0 || first_of_add);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_leave_nothing_half),
		cmocka_unit_test(each_flush_and_fence_counts),
	};

	(void)argc, (void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

UNSEEN_END
