// SPDX-License-Identifier: BSD-3-Clause
/*
 * Lanes and their records: how several words change at once. What shall be done is written down
 * with a check over it and over small contents; once that is durable it is going to happen, after a
 * crash from the record. Two fences: one makes the record durable, one what it says. The record is
 * then put away without waiting: until the thread's next fence, doing it once more changes nothing
 * that could have been relied on. What it freed is not given away before that.
 */
#include "alloc.h"

#define OFFSET_MASK ((1ull << 27) - 1)
#define FIELD(entry, shift, bits) ((entry) >> (shift) & ((1ull << (bits)) - 1))

struct decoded {
	enum entry_kind kind;
	uint32_t chunk, block; /* SET, CLEAR */
	uint32_t page, count;  /* PAGES, UNPAGES */
	uint8_t state;
	uint64_t offset; /* PTR, WORD, CONTENT */
	uint64_t value;  /* PTR; CONTENT: bytes */
};

static struct decoded decode(uint64_t e)
{
	return (struct decoded){
		.kind = (enum entry_kind)(e >> 60),
		.chunk = (uint32_t)FIELD(e, 12, 14),
		.block = (uint32_t)FIELD(e, 0, 12),
		.page = (uint32_t)FIELD(e, 0, 18),
		.count = (uint32_t)FIELD(e, 18, 18),
		.state = (uint8_t)FIELD(e, 36, 8),
		.offset = (e & OFFSET_MASK) * 8,
		.value = FIELD(e, 27, 30),
	};
}

static bool block_is_there(const struct arena *a, const struct decoded *d)
{
	unsigned class = __twz_alloc_run_class(a, d->chunk);

	return class < CLASSES && d->block < __twz_alloc_class[class].blocks;
}

static bool content_is_there(const struct arena *a, const struct decoded *d)
{
	return d->offset >= a->first && d->value <= CONTENT_MAX / 8 &&
	    d->offset + d->value * 8 <= a->first + (uint64_t)a->pages * TWZ_PAGE_SIZE;
}

static bool makes_sense(const struct arena *a, const struct decoded *d)
{
	switch (d->kind) {
	case ENTRY_SET:
	case ENTRY_CLEAR:
		return block_is_there(a, d);
	case ENTRY_PAGES:
	case ENTRY_UNPAGES:
		return d->count && d->page < a->pages && d->count <= a->pages - d->page;
	case ENTRY_PTR:
	case ENTRY_WORD:
		return __twz_alloc_is_word(a, d->offset);
	case ENTRY_CONTENT:
		return content_is_there(a, d);
	}
	return false;
}

/* --- the check */

static uint64_t mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
	return sum ^ sum >> 29;
}

static uint64_t mix_content(const struct arena *a, uint64_t sum, const struct decoded *d)
{
	const uint64_t *p = (const void *)(a->zero + d->offset);

	for (uint64_t i = 0; i < d->value; i++)
		sum = mix(sum, p[i]);
	return sum;
}

/* Over a head and its words; those make sense. */
static uint64_t check_of(const struct arena *a, uint64_t head, const uint64_t *words, unsigned n)
{
	uint64_t sum = mix(0x7477, head);

	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(words[i]);

		sum = mix(sum, words[i]);
		if (d.kind == ENTRY_CONTENT)
			sum = mix_content(a, sum, &d);
		if (d.kind == ENTRY_WORD && i + 1 < n)
			sum = mix(sum, words[++i]);
	}
	return sum | 1;
}

static bool all_make_sense(const struct arena *a, const uint64_t *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(words[i]);

		if (!makes_sense(a, &d))
			return false;
		i += d.kind == ENTRY_WORD;
		if (i >= n)
			return false;
	}
	return true;
}

/* --- doing it */

static uint64_t *word_of_block(const struct arena *a, const struct decoded *d)
{
	return &__twz_alloc_run(a, d->chunk)->bits[d->block / 64];
}

static uint64_t *word_at(const struct arena *a, uint64_t offset)
{
	return (void *)(a->zero + offset);
}

/* The entry, which may be two words: returns the last. */
static const uint64_t *store_entry(struct arena *a, const uint64_t *word)
{
	struct decoded d = decode(*word);
	uint64_t bit = 1ull << d.block % 64;

	switch (d.kind) {
	case ENTRY_SET:
		__atomic_fetch_or(word_of_block(a, &d), bit, __ATOMIC_RELEASE);
		break;
	case ENTRY_CLEAR:
		__atomic_fetch_and(word_of_block(a, &d), ~bit, __ATOMIC_RELEASE);
		break;
	case ENTRY_PAGES:
	case ENTRY_UNPAGES:
		__twz_alloc_put_states(a, d.page, d.count,
		    d.kind == ENTRY_PAGES ? d.state : PAGE_FREE);
		break;
	case ENTRY_PTR:
		__atomic_store_n(word_at(a, d.offset), d.value, __ATOMIC_RELEASE);
		break;
	case ENTRY_WORD:
		__atomic_store_n(word_at(a, d.offset), *++word, __ATOMIC_RELEASE);
		break;
	case ENTRY_CONTENT:
		break;
	}
	return word;
}

static const uint64_t *flush_entry(struct arena *a, const uint64_t *word)
{
	struct decoded d = decode(*word);

	switch (d.kind) {
	case ENTRY_SET:
	case ENTRY_CLEAR:
		__twz_obj_flush(a->o, word_of_block(a, &d), sizeof(uint64_t));
		break;
	case ENTRY_PAGES:
	case ENTRY_UNPAGES:
		__twz_obj_flush(a->o, a->states + d.page, d.count);
		break;
	case ENTRY_PTR:
	case ENTRY_WORD:
		__twz_obj_flush(a->o, a->zero + d.offset, sizeof(uint64_t));
		break;
	case ENTRY_CONTENT:
		break;
	}
	return d.kind == ENTRY_WORD ? word + 1 : word;
}

/* All stores, then all flushes: an atomic operation waits for flushes before it. */
static void apply(struct arena *a, const uint64_t *words, unsigned n, bool durable)
{
	for (const uint64_t *w = words; w < words + n; w++)
		w = store_entry(a, w);
	for (const uint64_t *w = words; durable && w < words + n; w++)
		w = flush_entry(a, w);
}

/* --- what becomes free */

/* The blocks and pages that the entries free, in their order. */
static unsigned freed(const uint64_t *words, unsigned n, enum entry_kind kind, uint64_t *out)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		enum entry_kind k = (enum entry_kind)(words[i] >> 60);

		if (k == kind)
			out[count++] = words[i];
		i += k == ENTRY_WORD;
	}
	return count;
}

/* Let blocks be given away; those remain in `blocks` whose run may have no region left. */
static unsigned release(struct arena *a, uint64_t *blocks, unsigned n)
{
	unsigned left = 0;

	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(blocks[i]);

		if (d.kind == ENTRY_CLEAR && __twz_alloc_drop_block(a, d.chunk, d.block))
			blocks[left++] = blocks[i];
	}
	return left;
}

/* The blocks are released by the thread's next step: have the words for that at hand. */
static void prefetch_release(const struct arena *a, const uint64_t *blocks, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(blocks[i]);
		unsigned class = __twz_alloc_run_class(a, d.chunk);

		if (class < CLASSES)
			__builtin_prefetch(__twz_alloc_busy(__twz_alloc_run(a, d.chunk), class) +
			    d.block / 64, 1);
	}
}

static void drop_runs(struct arena *a, unsigned l, const uint64_t *blocks, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__twz_alloc_drop_run(a, l, decode(blocks[i]).chunk);
}

static void note_pages(struct arena *a, const uint64_t *pages, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(pages[i]);

		__twz_alloc_note(a, d.page, d.count);
	}
}

static unsigned take_pending(struct lane *lane, uint64_t *out)
{
	memcpy(out, lane->pending, sizeof(lane->pending));
	memset(lane->pending, 0, sizeof(lane->pending));
	return PENDING;
}

/* --- the record */

static uint32_t done(const struct arena *a, unsigned l)
{
	return __atomic_load_n(&a->h->done[l], __ATOMIC_ACQUIRE);
}

/* What lane l had done when that was `count` cannot come back. */
static void note_settled(struct arena *a, unsigned l, uint32_t count)
{
	__atomic_store_n(&a->h->settled[l], count, __ATOMIC_RELAXED);
}

/* The line that says which record is put away. */
static void flush_mark(struct arena *a, unsigned l)
{
	__twz_obj_flush(a->o, &a->h->put_away[l].head, sizeof(uint64_t));
}

bool __twz_alloc_has_record(const struct arena *a, unsigned l)
{
	const struct record *r = &a->h->lane[l].record;

	return r->check && r->head != a->h->put_away[l].head;
}

/*
 * Records of other lanes, be they this thread's or others', that may come back must not come after
 * this one, which may undo what they did.
 */
__attribute__((noinline)) static void settle_others(struct arena *a, unsigned mine)
{
	uint32_t counts[LANES], unsettled = 0;

	for (unsigned l = 0; l < LANES; l++) {
		counts[l] = done(a, l);
		if (l == mine || counts[l] == __atomic_load_n(&a->h->settled[l], __ATOMIC_RELAXED))
			continue;
		__twz_obj_flush(a->o, &a->h->put_away[l].head, sizeof(uint64_t));
		unsettled |= 1u << l;
	}
	if (!unsettled)
		return;
	__twz_obj_fence(a->o);
	for (; unsettled; unsettled &= unsettled - 1) {
		unsigned l = (unsigned)__builtin_ctz(unsettled);

		note_settled(a, l, counts[l]);
	}
}

/* After the check was made of it: a line that is being written back is slow to read. */
static void flush_content(struct arena *a, const uint64_t *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct decoded d = decode(words[i]);

		if (d.kind == ENTRY_CONTENT)
			__twz_obj_flush(a->o, a->zero + d.offset, d.value * 8);
		i += d.kind == ENTRY_WORD;
	}
}

static void write_record(struct arena *a, unsigned l, const uint64_t *words, unsigned n)
{
	struct record *r = &a->h->lane[l].record;
	uint64_t head = ((r->head >> 8) + 1) << 8 | n;

	settle_others(a, l);
	memcpy(r->word, words, n * sizeof(words[0]));
	r->head = head;
	__atomic_store_n(&r->check, check_of(a, head, words, n), __ATOMIC_RELEASE);
	flush_content(a, words, n);
	__twz_obj_flush(a->o, r, offsetof(struct record, word) + n * sizeof(words[0]));
	__twz_obj_fence(a->o);
	note_settled(a, l, done(a, l));
}

/* Put the record away, for this boot. Whoever flushes the mark after that does it for good. */
static void mark(struct arena *a, unsigned l)
{
	__atomic_store_n(&a->h->put_away[l].head, a->h->lane[l].record.head, __ATOMIC_RELEASE);
	__atomic_store_n(&a->h->done[l], done(a, l) + 1, __ATOMIC_RELEASE);
}

void __twz_alloc_retire(struct arena *a, unsigned l)
{
	mark(a, l);
	flush_mark(a, l);
}

__attribute__((noinline)) void __twz_alloc_fence_for_others(struct arena *a)
{
	__twz_obj_fence(a->o);
}

/* With pages that become free: nobody takes them before the record cannot come back. */
static void finish_with_pages(struct arena *a, unsigned l, const uint64_t *words, unsigned n,
    const uint64_t *pages, unsigned page_entries)
{
	__twz_alloc_lock(a);
	apply(a, words, n, true);
	__twz_obj_fence(a->o);
	__twz_alloc_retire(a, l);
	__twz_alloc_fence_for_others(a);
	note_pages(a, pages, page_entries);
	__twz_alloc_unlock(a);
}

/* With `leave` the mark is left to whoever writes the next record, if nothing else needs it. */
static void commit(struct arena *a, unsigned l, const uint64_t *words, unsigned n, bool leave)
{
	struct lane *lane = &a->h->lane[l];
	uint64_t old[PENDING], blocks[RECORD_WORDS], pages[RECORD_WORDS];
	unsigned block_entries = freed(words, n, ENTRY_CLEAR, blocks);
	unsigned page_entries = freed(words, n, ENTRY_UNPAGES, pages), old_entries;

	write_record(a, l, words, n);
	old_entries = release(a, old, take_pending(lane, old));
	if (page_entries) {
		finish_with_pages(a, l, words, n, pages, page_entries);
	} else {
		apply(a, words, n, true);
		__twz_obj_fence(a->o);
		mark(a, l);
		if (!leave || block_entries > PENDING)
			flush_mark(a, l);
	}
	if (!page_entries && block_entries > PENDING)
		__twz_alloc_fence_for_others(a);
	if (page_entries || block_entries > PENDING)
		drop_runs(a, l, blocks, release(a, blocks, block_entries));
	else
		memcpy(lane->pending, blocks, block_entries * sizeof(blocks[0]));
	prefetch_release(a, lane->pending, block_entries <= PENDING ? block_entries : 0);
	drop_runs(a, l, old, old_entries);
}

void __twz_alloc_commit(struct arena *a, unsigned l, const uint64_t *words, unsigned n)
{
	commit(a, l, words, n, false);
}

void __twz_alloc_commit_words(struct arena *a, unsigned l, const uint64_t *words, unsigned n)
{
	commit(a, l, words, n, true);
}

void __twz_alloc_do(struct arena *a, const uint64_t *words, unsigned n)
{
	uint64_t blocks[RECORD_WORDS], pages[RECORD_WORDS];
	unsigned block_entries = freed(words, n, ENTRY_CLEAR, blocks);
	unsigned page_entries = freed(words, n, ENTRY_UNPAGES, pages);

	if (page_entries)
		__twz_alloc_lock(a);
	apply(a, words, n, false);
	if (page_entries) {
		note_pages(a, pages, page_entries);
		__twz_alloc_unlock(a);
	}
	block_entries = block_entries ? release(a, blocks, block_entries) : 0;
	if (block_entries) {
		unsigned l = __twz_alloc_lane_acquire(a);

		drop_runs(a, l, blocks, block_entries);
		__twz_alloc_lane_release(a, l);
	}
}

void __twz_alloc_replay(struct arena *a, unsigned l)
{
	struct record *r = &a->h->lane[l].record;
	unsigned n = r->head & 0xff;

	if (!__twz_alloc_has_record(a, l) || n > RECORD_WORDS || !all_make_sense(a, r->word, n))
		return;
	if (check_of(a, r->head, r->word, n) == r->check)
		apply(a, r->word, n, true);
}

/* --- lanes
 *
 * A thread keeps a lane for as long as it lives, so that a call takes no lock; when it has ended,
 * the lock says so to whoever wants the lane next. Threads that get none, and calls from within a
 * call (a fault handler), use those that are shared.
 */

static __thread unsigned my_lane = LANES;

static bool is_free(const struct mutex *m)
{
	return __atomic_load_n(&m->sleep, __ATOMIC_RELAXED) == MUTEX_FREE;
}

static unsigned hash_of_thread(void)
{
	return (unsigned)((ID_LO(twz_thread_id()) >> 2) * 0x9e3779b97f4a7c15ull >> 32);
}

void __twz_alloc_finish_lane(struct arena *a, unsigned l)
{
	uint64_t old[PENDING];

	if (__twz_alloc_has_record(a, l)) {
		__twz_alloc_replay(a, l);
		__twz_obj_fence(a->o);
		__twz_alloc_retire(a, l);
		__twz_alloc_fence_for_others(a);
	}
	a->h->lane[l].active = 0;
	release(a, old, take_pending(&a->h->lane[l], old));
}

/* Take a lane that nobody has, or whose thread has ended. */
static bool try_lane(struct arena *a, unsigned l)
{
	int r = mutex_try_r(&a->h->lane[l].lock);

	if (r == 1)
		__twz_alloc_finish_lane(a, l);
	return r >= 0;
}

/* A lane that this thread keeps from now on, or had: LANES if there is none. */
static unsigned own_lane(struct arena *a)
{
	unsigned first = hash_of_thread() % OWN_LANES;
	static __thread unsigned turn;

	for (unsigned l = 0; l < OWN_LANES; l++)
		if (__twz_alloc_is_mine(&a->h->lane[l].lock))
			return l;
	for (unsigned i = 0; i < OWN_LANES; i++) {
		unsigned l = (first + i) % OWN_LANES;

		if (is_free(&a->h->lane[l].lock) && try_lane(a, l))
			return l;
	}
	turn = (turn + 1) % OWN_LANES;
	return try_lane(a, turn) ? turn : LANES;
}

static unsigned shared_lane(struct arena *a)
{
	unsigned l = OWN_LANES + hash_of_thread() % (LANES - OWN_LANES);

	for (unsigned i = OWN_LANES; i < LANES; i++)
		if (is_free(&a->h->lane[i].lock) && try_lane(a, i))
			return i;
	if (__twz_alloc_is_mine(&a->h->lane[l].lock) || mutex_acquire_r(&a->h->lane[l].lock) == 1)
		__twz_alloc_finish_lane(a, l);
	return l;
}

/* Begin a call in a lane that this thread keeps; false: this is one from within. */
static bool enter(struct lane *lane)
{
	if (lane->active)
		return false;
	lane->active = 1;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

unsigned __twz_alloc_lane_acquire(struct arena *a)
{
	unsigned l = my_lane;

	if (l >= OWN_LANES || !__twz_alloc_is_mine(&a->h->lane[l].lock))
		l = own_lane(a);
	if (l == LANES || !enter(&a->h->lane[l]))
		return shared_lane(a);
	return my_lane = l;
}

void __twz_alloc_lane_release(struct arena *a, unsigned l)
{
	atomic_signal_fence(memory_order_seq_cst);
	if (l < OWN_LANES)
		a->h->lane[l].active = 0;
	else
		mutex_release(&a->h->lane[l].lock);
}

static void settle_lane(struct arena *a, unsigned l)
{
	uint64_t old[PENDING];

	__twz_alloc_retire(a, l);
	__twz_alloc_fence_for_others(a);
	drop_runs(a, l, old, release(a, old, take_pending(&a->h->lane[l], old)));
}

void __twz_alloc_settle(struct arena *a)
{
	unsigned mine = __twz_alloc_lane_acquire(a);

	settle_lane(a, mine);
	for (unsigned l = 0; l < LANES; l++) {
		if (l == mine || __twz_alloc_is_mine(&a->h->lane[l].lock) || !try_lane(a, l))
			continue;
		settle_lane(a, l);
		mutex_release(&a->h->lane[l].lock);
	}
	__twz_alloc_lane_release(a, mine);
}
