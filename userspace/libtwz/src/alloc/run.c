// SPDX-License-Identifier: BSD-3-Clause
/*
 * Runs of small regions. A lane allocates from runs that it owns, one for each class, so that lanes
 * do not meet; regions are freed by anyone. Runs with room that no lane owns are found by a bit for
 * each chunk and class.
 */
#include "alloc.h"

#define ZONE_WORDS (ZONE_PAGES / CHUNK_PAGES / 64) /* of `room` */

struct run *__twz_alloc_run(const struct arena *a, uint32_t chunk)
{
	return (void *)(a->zero + a->first + (uint64_t)chunk * TWZ_ALLOC_RUN_SIZE);
}

unsigned __twz_alloc_run_class(const struct arena *a, uint32_t chunk)
{
	unsigned state = chunk < a->pages / CHUNK_PAGES ?
	    __twz_alloc_state(a, chunk * CHUNK_PAGES) : PAGE_FREE;

	return state >= PAGE_RUN && state < PAGE_RUN + CLASSES ? state - PAGE_RUN : CLASSES;
}

uint64_t *__twz_alloc_busy(struct run *run, unsigned class)
{
	return run->bits + (__twz_alloc_class[class].words + 7) / 8 * 8;
}

/* Bits of the last word that stand for no region. */
static uint64_t beyond(const struct size_class *c, unsigned word)
{
	unsigned left = c->blocks - word * 64;

	return left < 64 ? ~0ull << left : 0;
}

void __twz_alloc_sync_run(struct arena *a, struct run *run, unsigned class)
{
	const struct size_class *c = &__twz_alloc_class[class];
	uint64_t *busy = __twz_alloc_busy(run, class), stamp = __twz_alloc_stamp(a->o);

	if (__atomic_load_n(&run->stamp, __ATOMIC_ACQUIRE) == stamp)
		return;
	for (unsigned i = 0; i < c->words; i++)
		busy[i] = __atomic_load_n(&run->bits[i], __ATOMIC_RELAXED) | beyond(c, i);
	run->maybe = ~0ull;
	__atomic_store_n(&run->stamp, stamp, __ATOMIC_RELEASE);
}

/* --- taking regions: those of one word at a time, for the lane that owns the run */

/* Word w of busy looked full: say so, unless a region of it has been freed meanwhile. */
static void note_full(struct run *run, const uint64_t *busy, unsigned w)
{
	__atomic_fetch_and(&run->maybe, ~(1ull << w), __ATOMIC_SEQ_CST);
	if (~__atomic_load_n(&busy[w], __ATOMIC_SEQ_CST))
		__atomic_fetch_or(&run->maybe, 1ull << w, __ATOMIC_SEQ_CST);
}

/* All of a word that is free; what is live in spite of that is noise. */
static uint64_t take_word(struct run *run, uint64_t *busy, const struct size_class *c, unsigned w)
{
	uint64_t room = ~__atomic_load_n(&busy[w], __ATOMIC_RELAXED);

	if (!room)
		note_full(run, busy, w);
	else
		room &= ~__atomic_fetch_or(&busy[w], room, __ATOMIC_ACQUIRE);
	return room & ~beyond(c, w) & ~__atomic_load_n(&run->bits[w], __ATOMIC_RELAXED);
}

/* Regions of a run for the lane's stock. Each turn takes bits away; more turns than bits are
 * noise. */
static int fill_stock(struct arena *a, unsigned l, struct run *run, unsigned class)
{
	const struct size_class *c = &__twz_alloc_class[class];
	uint64_t *busy = __twz_alloc_busy(run, class), all = ~0ull >> (64 - c->words);

	for (unsigned turn = 0; turn < 8192; turn++) {
		uint64_t maybe = __atomic_load_n(&run->maybe, __ATOMIC_RELAXED) & all;
		unsigned w;

		if (!maybe)
			break;
		w = (unsigned)__builtin_ctzl(maybe);
		a->finder->stock_word[l][class] = (uint8_t)w;
		a->finder->stock[l][class] = take_word(run, busy, c, w);
		if (a->finder->stock[l][class])
			return 0;
	}
	return -ENOMEM;
}

/* Whoever reserves a region writes it next: have the first two lines of the one after it at hand. */
static void prefetch_next(struct run *run, const struct size_class *c, unsigned w, uint64_t stock)
{
	char *next = (char *)run + c->first +
	    (w * 64 + (unsigned)__builtin_ctzl(stock | 1ull << 63)) * c->size;

	__builtin_prefetch(next, 1);
	__builtin_prefetch(next + 64, 1);
}

void __twz_alloc_prefetch_drop(const void *p, size_t len)
{
	unsigned class = __twz_alloc_class_for(len, 16);
	const struct size_class *c = &__twz_alloc_class[class];
	size_t in = (uintptr_t)p % TWZ_ALLOC_RUN_SIZE;
	struct run *run = (void *)((uintptr_t)p - in);

	if (class < CLASSES && in >= c->first)
		__builtin_prefetch(&run->bits[(in - c->first) / c->size / 64], 1);
}

/* A region of the run that the lane owns, or -ENOMEM. */
static int take_from(struct arena *a, unsigned l, struct run *run, unsigned class)
{
	const struct size_class *c = &__twz_alloc_class[class];
	uint64_t *stock = &a->finder->stock[l][class], bit;
	unsigned w;

	for (unsigned turn = 0; turn < 8192; turn++) {
		if (!*stock && fill_stock(a, l, run, class) < 0)
			break;
		bit = *stock & -*stock;
		*stock &= ~bit;
		w = a->finder->stock_word[l][class];
		prefetch_next(run, c, w, *stock);
		if (w < c->words && !(beyond(c, w) & bit) &&
		    !(__atomic_load_n(&run->bits[w], __ATOMIC_RELAXED) & bit))
			return (int)(w * 64 + (unsigned)__builtin_ctzl(bit));
	}
	return -ENOMEM;
}

/* --- runs with room */

static void set_room(struct arena *a, unsigned class, uint32_t chunk)
{
	a->finder->room[chunk / 64][class] |= 1ull << chunk % 64;
	a->h->class_zones[class] |= 1ull << chunk / 64 / ZONE_WORDS;
}

static bool clear_room(struct arena *a, unsigned class, uint32_t chunk)
{
	uint64_t bit = 1ull << chunk % 64, *word = &a->finder->room[chunk / 64][class];
	bool was = *word & bit;

	*word &= ~bit;
	return was;
}

/* A run of class in `room`, or -1. */
static int64_t find_room(struct arena *a, unsigned class)
{
	uint64_t *zones = &a->h->class_zones[class];

	while (*zones & ((1ull << CHUNKS_MAX / 64 / ZONE_WORDS) - 1)) {
		unsigned z = (unsigned)__builtin_ctzl(*zones);

		for (unsigned i = z * ZONE_WORDS; i < (z + 1) * ZONE_WORDS; i++)
			if (a->finder->room[i][class])
				return (int64_t)i * 64 + __builtin_ctzl(a->finder->room[i][class]);
		*zones &= ~(1ull << z);
	}
	return -1;
}

static uint8_t owner_of(const struct arena *a, uint32_t chunk)
{
	return __atomic_load_n(&a->finder->owner[chunk], __ATOMIC_SEQ_CST);
}

static void set_owner(struct arena *a, uint32_t chunk, unsigned owner)
{
	__atomic_store_n(&a->finder->owner[chunk], (uint8_t)owner, __ATOMIC_SEQ_CST);
}

/* Make a run with room lane l's: its chunk, or -1. */
static int64_t adopt_run(struct arena *a, unsigned l, unsigned class)
{
	int64_t chunk;

	__twz_alloc_lock(a);
	while ((chunk = find_room(a, class)) >= 0) {
		clear_room(a, class, (uint32_t)chunk);
		if (__twz_alloc_run_class(a, (uint32_t)chunk) == class &&
		    !owner_of(a, (uint32_t)chunk)) {
			set_owner(a, (uint32_t)chunk, l + 1);
			break;
		}
	}
	__twz_alloc_unlock(a);
	return chunk;
}

/* A new run for lane l: its chunk, or -ENOMEM. Its map is durable before it is a run. */
static int64_t make_run(struct arena *a, unsigned l, unsigned class)
{
	const struct size_class *c = &__twz_alloc_class[class];
	struct run *run;
	uint32_t chunk;
	uint64_t entry;
	int r;

	__twz_alloc_lock(a);
	r = __twz_alloc_take_chunk(a, &chunk);
	if (r == 0)
		set_owner(a, chunk, l + 1);
	__twz_alloc_unlock(a);
	if (r < 0)
		return r;
	run = __twz_alloc_run(a, chunk);
	memset(run->bits, 0, c->words * sizeof(run->bits[0]));
	run->stamp = 0;
	__twz_alloc_sync_run(a, run, class);
	__twz_obj_flush(a->o, run->bits, c->words * sizeof(run->bits[0]));
	__twz_obj_fence(a->o);
	entry = __twz_alloc_entry_pages(chunk * CHUNK_PAGES, CHUNK_PAGES,
	    (uint8_t)(PAGE_RUN + class));
	__twz_alloc_commit(a, l, &entry, 1);
	return chunk;
}

static bool has_room(struct run *run, unsigned class)
{
	const uint64_t *busy = __twz_alloc_busy(run, class);

	for (unsigned i = 0; i < __twz_alloc_class[class].words; i++)
		if (~__atomic_load_n(&busy[i], __ATOMIC_SEQ_CST))
			return true;
	return false;
}

/* Lane l finds no room in this run any more. Regions that are freed now make it one with room. */
static void leave_run(struct arena *a, unsigned class, uint32_t chunk)
{
	__twz_alloc_lock(a);
	set_owner(a, chunk, 0);
	if (has_room(__twz_alloc_run(a, chunk), class))
		set_room(a, class, chunk);
	__twz_alloc_unlock(a);
}

/* The lane's run of class: its chunk, or -1. */
static int64_t current_run(struct arena *a, unsigned l, unsigned class)
{
	uint32_t chunk = a->finder->current[l][class] - 1u;

	if (__twz_alloc_run_class(a, chunk) != class || owner_of(a, chunk) != l + 1)
		return -1;
	return chunk;
}

/* A run for lane l, not one that it had: its chunk, or negative. */
static int64_t next_run(struct arena *a, unsigned l, unsigned class)
{
	int64_t chunk = adopt_run(a, l, class);

	if (chunk < 0)
		chunk = make_run(a, l, class);
	a->finder->stock[l][class] = 0;
	a->finder->current[l][class] = (uint16_t)(chunk < 0 ? 0 : chunk + 1);
	return chunk;
}

int64_t __twz_alloc_take_block(struct arena *a, unsigned l, unsigned class)
{
	int64_t chunk = current_run(a, l, class);

	for (unsigned turn = 0; turn < CHUNKS_MAX; turn++) {
		struct run *run;
		int block;

		if (chunk < 0)
			chunk = next_run(a, l, class);
		if (chunk < 0)
			return chunk;
		run = __twz_alloc_run(a, (uint32_t)chunk);
		__twz_alloc_sync_run(a, run, class);
		block = take_from(a, l, run, class);
		if (block >= 0)
			return chunk << 12 | block;
		leave_run(a, class, (uint32_t)chunk);
		chunk = -1;
	}
	return -EINVLOBJ;
}

/* --- giving back */

static bool is_empty(struct run *run, unsigned class)
{
	const struct size_class *c = &__twz_alloc_class[class];
	const uint64_t *busy = __twz_alloc_busy(run, class);

	for (unsigned i = 0; i < c->words; i++)
		if (busy[i] & ~beyond(c, i) || run->bits[i])
			return false;
	return true;
}

/* Nobody owns the run: let it be found. */
static void offer_run(struct arena *a, unsigned class, uint32_t chunk)
{
	__twz_alloc_lock(a);
	if (!owner_of(a, chunk) && __twz_alloc_run_class(a, chunk) == class)
		set_room(a, class, chunk);
	__twz_alloc_unlock(a);
}

bool __twz_alloc_drop_block(struct arena *a, uint32_t chunk, uint32_t block)
{
	unsigned class = __twz_alloc_run_class(a, chunk), w = block / 64;
	struct run *run = __twz_alloc_run(a, chunk);
	uint64_t *busy, old, room, bit = 1ull << block % 64;

	if (class == CLASSES || block >= __twz_alloc_class[class].blocks)
		return false;
	busy = __twz_alloc_busy(run, class);
	old = __atomic_fetch_and(&busy[w], ~bit, __ATOMIC_SEQ_CST);
	if (!(run->maybe >> w & 1))
		__atomic_fetch_or(&run->maybe, 1ull << w, __ATOMIC_SEQ_CST);
	if (owner_of(a, chunk))
		return false;
	room = __atomic_load_n(&a->finder->room[chunk / 64][class], __ATOMIC_RELAXED);
	if (!(room >> chunk % 64 & 1))
		offer_run(a, class, chunk);
	return (old & ~bit & ~beyond(&__twz_alloc_class[class], w)) == 0 && is_empty(run, class);
}

/* Take an empty run that nobody owns from its class, if that has another. */
static bool withdraw_run(struct arena *a, unsigned class, uint32_t chunk)
{
	bool gone = false;

	__twz_alloc_lock(a);
	if (!owner_of(a, chunk) && __twz_alloc_run_class(a, chunk) == class &&
	    is_empty(__twz_alloc_run(a, chunk), class) && clear_room(a, class, chunk)) {
		gone = find_room(a, class) >= 0;
		if (!gone)
			set_room(a, class, chunk);
	}
	__twz_alloc_unlock(a);
	return gone;
}

void __twz_alloc_drop_run(struct arena *a, unsigned l, uint32_t chunk)
{
	unsigned class = __twz_alloc_run_class(a, chunk);
	uint64_t entry = __twz_alloc_entry_pages(chunk * CHUNK_PAGES, CHUNK_PAGES, PAGE_FREE);

	if (class < CLASSES && withdraw_run(a, class, chunk))
		__twz_alloc_commit(a, l, &entry, 1);
}

/* --- finding runs anew: any may have room */

void __twz_alloc_clear_zone(struct arena *a, uint32_t zone)
{
	uint32_t chunk = zone * (ZONE_PAGES / CHUNK_PAGES);

	memset(a->finder->owner + chunk, 0, ZONE_PAGES / CHUNK_PAGES);
	memset(a->finder->room[chunk / 64], 0, ZONE_WORDS * sizeof(a->finder->room[0]));
}

void __twz_alloc_find_runs(struct arena *a, bool forget_lanes)
{
	uint32_t chunks = __twz_alloc_end(a) / CHUNK_PAGES;

	if (forget_lanes) {
		memset(a->h->class_zones, 0, sizeof(a->h->class_zones));
		memset(a->finder->current, 0, sizeof(a->finder->current));
		memset(a->finder->stock, 0, sizeof(a->finder->stock));
		for (uint32_t zone = 0; zone * (ZONE_PAGES / CHUNK_PAGES) < chunks; zone++)
			__twz_alloc_clear_zone(a, zone);
	}
	for (uint32_t c = 0; c < chunks; c++) {
		unsigned class = __twz_alloc_run_class(a, c);

		if (class < CLASSES && !owner_of(a, c))
			set_room(a, class, c);
	}
}
