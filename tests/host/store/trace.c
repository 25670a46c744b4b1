// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent memory that can lose power. See trace.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "unseen.h"

#include "trace.h"

#define DIRTY 1u   /* on the list: a cut may leave an older value */
#define FLUSHED 2u /* `flushed` holds the value whose write-back was started */
#define MIDDLE 4u  /* `middle` holds a value between the durable one and the latest */

#define THOROUGH 16u      /* an effort from here on also gets the systematic samples in full */
#define ALL_SUBSETS 10u   /* words: up to here every subset is tried */
#define FEW_SUBSETS 5u    /* the same with less effort */
#define ONE_BY_ONE 80u    /* words: up to here each alone, each missing, each prefix */
#define LINE_SUBSETS 6u   /* lines: up to here every subset */
#define SEEN_BITS 22u
#define EVER_BITS 24u

struct undo {
	uint32_t word;
	uint64_t value;
};

static struct world {
	uint64_t *live;      /* what the CPU sees; mapped as the store's region */
	uint64_t *durable;
	uint64_t *flushed;
	uint64_t *middle;
	uint8_t *mark;
	uint32_t *dirty;
	unsigned dirty_count;
	struct undo *undo;   /* how `durable` was before the state was set up */
	unsigned undo_count, undo_room;
	uint64_t hash;       /* of `durable` */
	void (*explore)(unsigned world);
	unsigned effort;
} worlds[TRACE_WORLDS];

struct trace_counts trace_counts[TRACE_WORLDS];
bool (*trace_is_volatile)(size_t word);

static size_t words;
static int dropped = -1;
static uint64_t random_state;
/* An open-addressed set of hashes. */
struct set {
	uint64_t *entries;
	size_t mask;
	size_t count; /* an estimate where processes share it */
};

static struct set seen; /* states under their judgement, since the reset */
static struct set ever; /* states, of this process and those it is forked from and with */
static uint64_t judgement; /* the rule by which states are judged; see trace_judgement() */
static unsigned long bypassed;

UNSEEN_BEGIN

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 33) * 0xff51afd7ed558ccdull;
	v = (v ^ v >> 29) * 0xc4ceb9fe1a85ec53ull;
	return v ^ v >> 32;
}

static uint64_t word_hash(size_t word, uint64_t value)
{
	return mix(value + mix(word + 1));
}

static uint64_t random64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void *zeroes(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

void trace_end(void)
{
	for (unsigned i = 0; i < TRACE_WORLDS; i++) {
		struct world *w = &worlds[i];

		if (w->live)
			trace_region_free(i, w->live, words * 8);
		free(w->durable);
		free(w->flushed);
		free(w->middle);
		free(w->mark);
		free(w->dirty);
		free(w->undo);
		memset(w, 0, sizeof(*w));
	}
	free(seen.entries);
	memset(&seen, 0, sizeof(seen));
}

static void make_ever(void)
{
	if (ever.entries)
		return;
	ever.entries = mmap(NULL, 8ul << EVER_BITS, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ever.entries == MAP_FAILED)
		abort();
	ever.mask = (1ul << EVER_BITS) - 1;
}

void trace_reset(size_t bytes, uint64_t seed)
{
	trace_end();
	words = bytes / 8;
	random_state = mix(seed + 77) | 1;
	bypassed = 0;
	make_ever();
	seen.entries = zeroes(8ul << SEEN_BITS);
	seen.mask = (1ul << SEEN_BITS) - 1;
	memset(trace_counts, 0, sizeof(trace_counts));
	for (unsigned i = 0; i < TRACE_WORLDS; i++) {
		struct world *w = &worlds[i];

		w->live = trace_region(i, bytes);
		w->durable = zeroes(bytes);
		w->flushed = zeroes(bytes);
		w->middle = zeroes(bytes);
		w->mark = zeroes(words);
		w->dirty = zeroes(words * sizeof(w->dirty[0]));
	}
}

unsigned char *trace_memory(unsigned world)
{
	return (unsigned char *)worlds[world].live;
}

void trace_drop(int site)
{
	dropped = site;
}

void trace_explore(unsigned world, void (*fn)(unsigned world), unsigned effort)
{
	worlds[world].explore = fn;
	worlds[world].effort = effort;
}

unsigned trace_volatile_words(unsigned world)
{
	return worlds[world].dirty_count;
}

bool trace_complete(unsigned world)
{
	const struct world *w = &worlds[world];

	for (size_t i = 0; i < words; i++) {
		if (w->live[i] != w->durable[i] && !(w->mark[i] & DIRTY))
			return false;
	}
	return true;
}

/* ---- What is durable, and going back ---- */

/* Worlds above see it as their starting point. */
static void rebase(unsigned world, uint32_t word, uint64_t value)
{
	for (unsigned i = world; i < TRACE_WORLDS; i++) {
		struct world *w = &worlds[i];

		w->hash ^= word_hash(word, w->durable[word]) ^ word_hash(word, value);
		w->durable[word] = value;
		if (i > world || !(w->mark[word] & DIRTY))
			w->live[word] = value;
	}
}

static void set_durable(unsigned world, uint32_t word, uint64_t value)
{
	struct world *w = &worlds[world];

	if (w->durable[word] == value)
		return;
	if (world) {
		if (w->undo_count == w->undo_room) {
			w->undo_room = w->undo_room ? 2 * w->undo_room : 1024;
			w->undo = realloc(w->undo, w->undo_room * sizeof(w->undo[0]));
			if (!w->undo)
				abort();
		}
		w->undo[w->undo_count++] = (struct undo){ word, w->durable[word] };
	}
	rebase(world, word, value);
}

void trace_adopt(void)
{
	struct world *w = &worlds[0];

	for (size_t i = 0; i < words; i++) {
		w->mark[i] = 0;
		if (w->live[i] != w->durable[i])
			rebase(0, (uint32_t)i, w->live[i]);
	}
	w->dirty_count = 0;
}

static void put_back(unsigned world)
{
	struct world *w = &worlds[world];

	for (unsigned i = 0; i < w->dirty_count; i++) {
		w->live[w->dirty[i]] = w->durable[w->dirty[i]];
		w->mark[w->dirty[i]] = 0;
	}
	w->dirty_count = 0;
	while (w->undo_count) {
		w->undo_count--;
		rebase(world, w->undo[w->undo_count].word, w->undo[w->undo_count].value);
	}
}

/* ---- Making states ---- */

/* Put a hash into a set; false: it was there. A set that is three quarters full takes no more. */
static bool is_new(struct set *set, uint64_t hash)
{
	size_t at = hash & set->mask;

	if (!hash)
		hash = 1;
	while (set->count < set->mask / 4 * 3 || set->entries[at]) {
		uint64_t found = 0;

		if (__atomic_compare_exchange_n(&set->entries[at], &found, hash, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			set->count++;
			return true;
		}
		if (found == hash)
			return false;
		at = (at + 1) & set->mask;
	}
	return set != &ever; /* never claim what was not remembered */
}

static uint64_t *picked; /* the value chosen for each dirty word */

static uint64_t state_hash(const struct world *w)
{
	uint64_t hash = w->hash;

	for (unsigned i = 0; i < w->dirty_count; i++) {
		uint32_t word = w->dirty[i];

		hash ^= word_hash(word, w->durable[word]) ^ word_hash(word, picked[i]);
	}
	return hash;
}

static void try_state(unsigned world)
{
	struct world *w = &worlds[world];
	uint64_t *mine = picked;

	uint64_t hash = mix(state_hash(w) + world);

	if (!is_new(&seen, mix(hash ^ judgement))) {
		trace_counts[world].repeated++;
		return;
	}
	trace_counts[world].states++;
	trace_counts[world].distinct += is_new(&ever, hash);
	for (unsigned i = 0; i < w->dirty_count; i++)
		set_durable(world + 1, w->dirty[i], picked[i]);
	picked = NULL;
	w->explore(world);
	free(picked);
	picked = mine;
	put_back(world + 1);
}

static void pick(const struct world *w, unsigned i, bool latest)
{
	picked[i] = latest ? w->live[w->dirty[i]] : w->durable[w->dirty[i]];
}

static void pick_all(const struct world *w, bool latest)
{
	for (unsigned i = 0; i < w->dirty_count; i++)
		pick(w, i, latest);
}

static void try_subsets(unsigned world)
{
	const struct world *w = &worlds[world];

	for (uint32_t set = 0; set < 1u << w->dirty_count; set++) {
		for (unsigned i = 0; i < w->dirty_count; i++)
			pick(w, i, set >> i & 1);
		try_state(world);
	}
}

static void try_one_by_one(unsigned world)
{
	const struct world *w = &worlds[world];

	for (unsigned n = 0; n < w->dirty_count; n++) {
		pick_all(w, false);
		pick(w, n, true);
		try_state(world);
		pick_all(w, true);
		pick(w, n, false);
		try_state(world);
		for (unsigned i = 0; i < w->dirty_count; i++)
			pick(w, i, i < n);
		try_state(world);
	}
}

/* The 64-byte lines of the dirty words: which one each word is in, and how many there are. */
static unsigned number_lines(const struct world *w, unsigned *line_of)
{
	unsigned lines = 0;

	for (unsigned i = 0; i < w->dirty_count; i++) {
		line_of[i] = lines;
		for (unsigned j = 0; j < i; j++) {
			if (w->dirty[j] / 8 == w->dirty[i] / 8) {
				line_of[i] = line_of[j];
				break;
			}
		}
		lines += line_of[i] == lines;
	}
	return lines;
}

static void try_lines(unsigned world)
{
	const struct world *w = &worlds[world];
	unsigned line_of[ONE_BY_ONE];
	unsigned lines = number_lines(w, line_of);

	if (lines > LINE_SUBSETS)
		return;
	for (uint32_t set = 0; set < 1u << lines; set++) {
		for (unsigned i = 0; i < w->dirty_count; i++)
			pick(w, i, set >> line_of[i] & 1);
		try_state(world);
	}
}

static void pick_random(const struct world *w, unsigned i, unsigned chance)
{
	uint32_t word = w->dirty[i];
	uint64_t roll = random64();

	pick(w, i, roll % 16 < chance);
	if (w->mark[word] & MIDDLE && roll >> 8 & 1)
		picked[i] = w->middle[word];
	if (w->mark[word] & FLUSHED && (roll >> 9 & 3) == 0)
		picked[i] = w->flushed[word];
}

static void try_random(unsigned world)
{
	const struct world *w = &worlds[world];

	for (unsigned n = 0; n < w->effort; n++) {
		unsigned chance = 1 + random64() % 15;

		for (unsigned i = 0; i < w->dirty_count; i++)
			pick_random(w, i, chance);
		try_state(world);
	}
}

static void make_states(unsigned world)
{
	struct world *w = &worlds[world];
	uint64_t *outer = picked;

	if (!w->explore || world + 1 >= TRACE_WORLDS)
		return;
	trace_counts[world].fences++;
	picked = zeroes((w->dirty_count + 1) * sizeof(picked[0]));
	pick_all(w, false);
	try_state(world);
	pick_all(w, true);
	try_state(world);
	if (w->dirty_count <= (w->effort >= THOROUGH ? ALL_SUBSETS : FEW_SUBSETS)) {
		try_subsets(world);
	} else {
		if (w->dirty_count <= ONE_BY_ONE && w->effort >= THOROUGH) {
			try_one_by_one(world);
			try_lines(world);
		}
		try_random(world);
	}
	free(picked);
	picked = outer;
}

void trace_cut(unsigned world)
{
	make_states(world);
}

void trace_judgement(uint64_t number)
{
	judgement = mix(number + 1);
}

/* ---- Stores, flushes and fences ---- */

unsigned trace_world_of(const void *addr)
{
	for (unsigned i = 0; i < TRACE_WORLDS; i++) {
		const uint64_t *live = worlds[i].live;

		if ((const uint64_t *)addr >= live && (const uint64_t *)addr < live + words)
			return i;
	}
	fprintf(stderr, "a store outside of persistent memory\n");
	abort();
}

/* The word is about to change, or just did, from `old`. */
static void note_store(struct world *w, uint32_t word, uint64_t old)
{
	if (!(w->mark[word] & DIRTY)) {
		w->mark[word] = DIRTY;
		w->dirty[w->dirty_count++] = word;
	} else {
		w->middle[word] = old;
		w->mark[word] |= MIDDLE;
	}
}

void trace_store64(uint64_t *to, uint64_t value)
{
	struct world *w = &worlds[trace_world_of(to)];
	uint32_t word = (uint32_t)(to - w->live);

	if (w->live[word] == value)
		return;
	note_store(w, word, w->live[word]);
	w->live[word] = value;
}

/* ---- Stores that the compiler made ---- */

bool trace_is_memory(const void *addr)
{
	for (unsigned i = 0; i < TRACE_WORLDS; i++) {
		const uint64_t *live = worlds[i].live;

		if (live && (const uint64_t *)addr >= live && (const uint64_t *)addr < live + words)
			return true;
	}
	return false;
}

void trace_seen_store(uint64_t *word, uint64_t old)
{
	struct world *w = &worlds[trace_world_of(word)];

	bypassed++;
	if (*word != old)
		note_store(w, (uint32_t)(word - w->live), old);
}

unsigned long trace_bypassed(void)
{
	return bypassed;
}

/* Lines of 64 bytes; a flush covers every line it touches. */
void trace_flush(unsigned world, const void *addr, size_t len, unsigned site)
{
	struct world *w = &worlds[world];
	size_t start = (size_t)((const unsigned char *)addr - (unsigned char *)w->live);
	size_t from = start / 64 * 8;
	size_t to = (start + len + 63) / 64 * 8;

	trace_counts[world].site[site]++;
	if ((int)site == dropped)
		return;
	for (size_t i = from; i < to; i++) {
		if (w->mark[i] & DIRTY) {
			w->flushed[i] = w->live[i];
			w->mark[i] |= FLUSHED;
		}
	}
}

static void settle(unsigned world)
{
	struct world *w = &worlds[world];
	unsigned left = 0;

	for (unsigned i = 0; i < w->dirty_count; i++) {
		uint32_t word = w->dirty[i];

		if (w->mark[word] & FLUSHED)
			set_durable(world, word, w->flushed[word]);
		else if (trace_is_volatile && trace_is_volatile(word))
			set_durable(world, word, w->live[word]);
		w->mark[word] &= (uint8_t)~FLUSHED;
		if (w->live[word] == w->durable[word])
			w->mark[word] = 0;
		else
			w->dirty[left++] = word;
	}
	w->dirty_count = left;
}

void trace_fence(unsigned world, unsigned site)
{
	trace_counts[world].site[site]++;
	if ((int)site == dropped)
		return;
	make_states(world);
	settle(world);
}

UNSEEN_END
