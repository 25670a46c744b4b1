// SPDX-License-Identifier: BSD-3-Clause
/*
 * Queues (abi/queue.h, docs/queue.md). Everything in the object may be noise: of the header each
 * call makes one checked copy, positions are masked, and nothing outside the ring is touched.
 *
 * What orders what. A producer may overwrite a slot once tail has passed it; a consumer copies the
 * entry and then moves tail, so one that was overtaken meanwhile fails to, and starts again. Marks
 * of sleepers are set before the last look, and whoever clears one then changes the word that is
 * slept on: no wake is lost.
 *
 * Cuts of power: head and tail are durable before a slot is written, the entry before its cmd_id.
 * So no published entry is lost or torn, and a position is either published or can be skipped.
 */
#include "stream.h"

#include <twz/obj/queue.h>

#define FIRST_RING ((sizeof(struct queue_hdr) + 63) & ~63ul) /* from the base */

/* One ring as it was found to be at the beginning of a call. */
struct ring {
	twzobj *o;
	struct queue_subqueue *sq;
	char *entries;
	uint32_t l2length;
	uint32_t stride;
	bool durable;
};

static uint32_t load32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/* Of the header, which does not change. */
static uint64_t load_once(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static uint64_t load64(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static uint32_t next(uint32_t position)
{
	return (position + 1) & QUEUE_POSITION_MASK;
}

static uint32_t distance(uint32_t from, uint32_t to)
{
	return (to - from) & QUEUE_POSITION_MASK;
}

static uint32_t length(const struct ring *r)
{
	return 1u << r->l2length;
}

static uint32_t tail_position(const struct ring *r)
{
	return (uint32_t)load64(&r->sq->tail) & QUEUE_POSITION_MASK;
}

static struct queue_entry *entry_at(const struct ring *r, uint32_t position)
{
	return (void *)(r->entries + (size_t)(position & (length(r) - 1)) * r->stride);
}

QUICK int open_ring(struct ring *r, twzobj *o, int which)
{
	struct queue_hdr *h = twz_object_base(o);
	uint64_t l2length, stride, at;

	if (!h || __atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) != QUEUE_MAGIC)
		return -EINVLOBJ;
	r->o = o;
	r->sq = &h->subqueue[which];
	l2length = load_once(&r->sq->l2length);
	stride = load_once(&r->sq->stride);
	at = load_once(&r->sq->queue);
	if (l2length > QUEUE_L2LENGTH_MAX || stride < sizeof(struct queue_entry) || stride % 8 ||
	    stride > OBJ_MAXDATA || at < OBJ_NULLPAGE_SIZE || at % 8 || at > OBJ_TOPDATA ||
	    stride << l2length > OBJ_TOPDATA - at)
		return -EINVLOBJ;
	r->entries = (char *)h - OBJ_NULLPAGE_SIZE + at;
	r->l2length = (uint32_t)l2length;
	r->stride = (uint32_t)stride;
	r->durable = __stream_durable(o);
	return 0;
}

/* --- copying: word by word, for the other side may look at, or change, the entry meanwhile */

/* The caller's word at p: entries begin with 32-bit numbers, and may be aligned to no more. */
static uint64_t get_word(const char *p)
{
	uint64_t w;

	if ((uintptr_t)p % sizeof(w) == 0)
		return *(const uint64_t *)p;
	memcpy(&w, p, sizeof(w));
	return w;
}

static void put_word(char *p, uint64_t w)
{
	if ((uintptr_t)p % sizeof(w) == 0)
		*(uint64_t *)p = w;
	else
		memcpy(p, &w, sizeof(w));
}

/* The last bytes of an entry of len that is no multiple of 8. */
static uint64_t get_rest(const char *p, size_t len)
{
	uint64_t w = 0;

	memcpy(&w, p, len);
	return w;
}

/* Beyond cmd_id. len: bytes of from; the rest becomes zero. */
static void copy_in(const struct ring *r, struct queue_entry *to, const void *from, size_t len)
{
	uint64_t *words = (uint64_t *)to;
	const char *p = from;
	size_t i;

	__atomic_store_n(&to->info, ((const struct queue_entry *)from)->info, __ATOMIC_RELAXED);
	for (i = 8; i + 8 <= len; i += 8)
		__atomic_store_n(&words[i / 8], get_word(p + i), __ATOMIC_RELAXED);
	for (; i < r->stride; i += 8)
		__atomic_store_n(&words[i / 8], i < len ? get_rest(p + i, len - i) : 0, __ATOMIC_RELAXED);
}

static void copy_out(const struct ring *r, struct queue_entry *to, uint32_t cmd_id,
    const struct queue_entry *from)
{
	const uint64_t *words = (const uint64_t *)from;

	to->cmd_id = cmd_id;
	to->info = __atomic_load_n(&from->info, __ATOMIC_RELAXED);
	for (size_t i = 8; i < r->stride; i += 8)
		put_word((char *)to + i, __atomic_load_n(&words[i / 8], __ATOMIC_RELAXED));
}

static void flush(const struct ring *r, const void *p, size_t len)
{
	if (r->durable)
		__twz_obj_flush(r->o, p, len);
}

static void fence(const struct ring *r)
{
	if (r->durable)
		__twz_obj_fence(r->o);
}

/* --- waking */

static void wake(void *word, uint32_t width_flag)
{
	struct sys_thread_sync_args a;

	twz_thread_sync_init(&a, THREAD_SYNC_WAKE, word, (unsigned long)-1);
	a.flags = width_flag;
	sys_thread_sync(1, &a, NULL);
}

SLOW static void wake_consumers(const struct ring *r)
{
	__atomic_fetch_and(&r->sq->tail, ~(uint64_t)QUEUE_TAIL_WAITING, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&r->sq->bell, 1, __ATOMIC_SEQ_CST);
	wake(&r->sq->bell, 0);
}

/* Whatever a consumer waits for has happened. */
QUICK void ring_bell(const struct ring *r)
{
	__atomic_fetch_add(&r->sq->bell, 1, __ATOMIC_SEQ_CST);
	if (__builtin_expect(load64(&r->sq->tail) & QUEUE_TAIL_WAITING, 0))
		wake_consumers(r);
}

SLOW static void wake_producers(const struct ring *r, uint32_t w)
{
	while (w & QUEUE_WAITERS_WAITING) {
		uint32_t cleared = (w & ~QUEUE_WAITERS_WAITING) + QUEUE_WAITERS_STEP;

		if (__atomic_compare_exchange_n(&r->sq->waiters, &w, cleared, false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			wake(&r->sq->waiters, THREAD_SYNC_32BIT);
			return;
		}
	}
}

/* A slot has become free. */
QUICK void tell_producers(const struct ring *r)
{
	uint32_t w = load32(&r->sq->waiters);

	if (__builtin_expect(w & QUEUE_WAITERS_WAITING, 0))
		wake_producers(r, w);
}

/* --- putting in */

/* The position to write; -EAGAIN if there is none, and then nothing has changed. */
QUICK int64_t reserve(const struct ring *r)
{
	uint32_t head = load32(&r->sq->head), again;

	for (;;) {
		uint32_t h = head & QUEUE_POSITION_MASK;

		if (distance(tail_position(r), h) >= length(r)) {
			/* Full, if head was still that when tail was read. */
			again = load32(&r->sq->head);
			if (again == head)
				return -EAGAIN;
			head = again;
			continue;
		}
		if (__atomic_compare_exchange_n(&r->sq->head, &head, next(h), false,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return h;
	}
}

/* Sleep until there may be room: 0, or a negative error. */
static int wait_for_room(const struct ring *r)
{
	uint32_t mark = __atomic_fetch_or(&r->sq->waiters, QUEUE_WAITERS_WAITING, __ATOMIC_SEQ_CST) |
	    QUEUE_WAITERS_WAITING;
	uint32_t head = load32(&r->sq->head) & QUEUE_POSITION_MASK;

	if (distance(tail_position(r), head) < length(r))
		return 0;
	return twz_thread_sync32(THREAD_SYNC_SLEEP, (atomic_uint_least32_t *)&r->sq->waiters, mark,
	    NULL);
}

static void publish(const struct ring *r, uint32_t position, const struct queue_entry *from,
    size_t len)
{
	struct queue_entry *e = entry_at(r, position);

	flush(r, &r->sq->head, sizeof(r->sq->head));
	flush(r, &r->sq->tail, sizeof(r->sq->tail));
	fence(r);
	copy_in(r, e, from, len);
	flush(r, e, r->stride);
	fence(r);
	__atomic_store_n(&e->cmd_id, queue_cmd_id(position, r->l2length), __ATOMIC_SEQ_CST);
	flush(r, &e->cmd_id, sizeof(e->cmd_id));
	fence(r);
	ring_bell(r);
}

static int put(const struct ring *r, const struct queue_entry *entry, size_t len, int flags)
{
	int64_t position;
	int error;

	while ((position = reserve(r)) < 0) {
		if (flags & QUEUE_NONBLOCK)
			return -EAGAIN;
		error = wait_for_room(r);
		if (error < 0)
			return error;
	}
	publish(r, (uint32_t)position, entry, len);
	return 0;
}

/* --- taking out */

/* What the slot of a position says: 1 its entry, 0 nothing yet, -1 that there is none. */
QUICK int look(const struct ring *r, uint32_t position, uint32_t *cmd_id)
{
	*cmd_id = load32(&entry_at(r, position)->cmd_id);
	if (*cmd_id == queue_cmd_id(position, r->l2length))
		return 1;
	return *cmd_id == queue_skipped_id(position, r->l2length) ? -1 : 0;
}

/* Go on to the position after that of `tail`, unless another consumer did. */
QUICK bool advance(const struct ring *r, uint64_t tail)
{
	uint64_t to = next((uint32_t)tail & QUEUE_POSITION_MASK) | (tail & QUEUE_TAIL_WAITING);

	if (!__atomic_compare_exchange_n(&r->sq->tail, &tail, to, false, __ATOMIC_SEQ_CST,
		__ATOMIC_SEQ_CST))
		return false;
	flush(r, &r->sq->tail, sizeof(r->sq->tail));
	fence(r);
	tell_producers(r);
	return true;
}

/* 0, or -EAGAIN if there is no entry. */
QUICK int try_take(const struct ring *r, struct queue_entry *entry)
{
	uint32_t cmd_id;

	for (;;) {
		uint64_t tail = load64(&r->sq->tail);
		uint32_t position = (uint32_t)tail & QUEUE_POSITION_MASK;
		int there = look(r, position, &cmd_id);

		if (there == 0)
			return -EAGAIN;
		if (there > 0)
			copy_out(r, entry, cmd_id, entry_at(r, position));
		if (advance(r, tail) && there > 0)
			return 0;
	}
}

static bool is_ready(const struct ring *r)
{
	uint32_t cmd_id;

	return look(r, tail_position(r), &cmd_id) != 0;
}

/* Say that this consumer is about to sleep while bell is what is returned; look again after it. */
static uint64_t announce(const struct ring *r)
{
	uint64_t bell = load64(&r->sq->bell);

	__atomic_fetch_or(&r->sq->tail, QUEUE_TAIL_WAITING, __ATOMIC_SEQ_CST);
	return bell;
}

static int wait_for_entry(const struct ring *r)
{
	uint64_t bell = announce(r);

	if (is_ready(r))
		return 0;
	return twz_thread_sync(THREAD_SYNC_SLEEP, (atomic_ulong *)&r->sq->bell, bell, NULL);
}

static int take(const struct ring *r, struct queue_entry *entry, int flags)
{
	int error;

	while (try_take(r, entry) < 0) {
		if (flags & QUEUE_NONBLOCK)
			return -EAGAIN;
		error = wait_for_entry(r);
		if (error < 0)
			return error;
	}
	return 0;
}

/* --- the calls */

static int begin(struct ring *r, twzobj *o, int which, int flags)
{
	if (flags & ~QUEUE_NONBLOCK || (which != QUEUE_SUBMISSION && which != QUEUE_COMPLETION))
		return -EINVAL;
	return open_ring(r, o, which);
}

static int enqueue(twzobj *o, int which, const struct queue_entry *entry, int flags)
{
	struct ring r;
	int error = begin(&r, o, which, flags);

	return error < 0 ? error : put(&r, entry, r.stride, flags);
}

static int dequeue(twzobj *o, int which, struct queue_entry *entry, int flags)
{
	struct ring r;
	int error = begin(&r, o, which, flags);

	return error < 0 ? error : take(&r, entry, flags);
}

int queue_submit(twzobj *o, struct queue_entry *entry, int flags)
{
	return enqueue(o, QUEUE_SUBMISSION, entry, flags);
}

int queue_complete(twzobj *o, struct queue_entry *entry, int flags)
{
	return enqueue(o, QUEUE_COMPLETION, entry, flags);
}

int queue_receive(twzobj *o, struct queue_entry *entry, int flags)
{
	return dequeue(o, QUEUE_SUBMISSION, entry, flags);
}

int queue_get_finished(twzobj *o, struct queue_entry *entry, int flags)
{
	return dequeue(o, QUEUE_COMPLETION, entry, flags);
}

int queue_enqueue_len(twzobj *o, int sq, const struct queue_entry *entry, size_t len, int flags)
{
	struct ring r;
	int error = len < sizeof(*entry) ? -EINVAL : begin(&r, o, sq, flags);

	if (error < 0)
		return error;
	return len > r.stride ? -EMSGSIZE : put(&r, entry, len, flags);
}

int queue_dequeue_len(twzobj *o, int sq, struct queue_entry *entry, size_t len, int flags)
{
	struct ring r;
	int error = begin(&r, o, sq, flags);

	if (error < 0)
		return error;
	return len < r.stride ? -EMSGSIZE : take(&r, entry, flags);
}

/* --- waiting for several */

static bool word_differs(const struct queue_dequeue_multiple_spec *s)
{
	return atomic_load(s->word) != s->cmp;
}

/* Take what there is; how many. */
static ssize_t sweep(size_t n, struct queue_dequeue_multiple_spec *specs, const struct ring *rings)
{
	ssize_t count = 0;

	for (size_t i = 0; i < n; i++) {
		specs[i].ret = specs[i].result ? try_take(&rings[i], specs[i].result) == 0
					       : word_differs(&specs[i]);
		count += specs[i].ret;
	}
	return count;
}

static int wait_for_any(size_t n, struct queue_dequeue_multiple_spec *specs,
    const struct ring *rings)
{
	struct sys_thread_sync_args ops[QUEUE_DEQUEUE_MULTIPLE_MAX];

	for (size_t i = 0; i < n; i++) {
		if (specs[i].result)
			twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP,
			    (atomic_ulong *)&rings[i].sq->bell, announce(&rings[i]));
		else
			twz_thread_sync_init(&ops[i], THREAD_SYNC_SLEEP,
			    (atomic_ulong *)specs[i].word, specs[i].cmp);
	}
	for (size_t i = 0; i < n; i++)
		if (specs[i].result && is_ready(&rings[i]))
			return 0;
	return twz_thread_sync_multiple(n, ops, NULL);
}

ssize_t queue_dequeue_multiple(size_t n, struct queue_dequeue_multiple_spec *specs)
{
	struct ring rings[QUEUE_DEQUEUE_MULTIPLE_MAX];
	ssize_t count;
	int error;

	if (n > QUEUE_DEQUEUE_MULTIPLE_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		error = specs[i].result ? begin(&rings[i], specs[i].obj, specs[i].sq, 0) : 0;
		if (error < 0)
			return error;
	}
	while ((count = sweep(n, specs, rings)) == 0 && n > 0) {
		error = wait_for_any(n, specs, rings);
		if (error < 0)
			return error;
	}
	return count;
}

/* --- repair */

/* Whether position a is behind b: by less than half of the way around. */
static bool is_behind(uint32_t a, uint32_t b)
{
	return distance(b, a) > QUEUE_POSITION_MASK / 2;
}

/*
 * head may be further ahead than there is room only after a cut of power, which kept it and not the
 * tail that made room: those positions were never written.
 */
static uint32_t pull_back_head(const struct ring *r, uint32_t tail, uint32_t head)
{
	if (is_behind(head, tail) || distance(tail, head) <= length(r))
		return head;
	head = (tail + length(r)) & QUEUE_POSITION_MASK;
	__atomic_store_n(&r->sq->head, head, __ATOMIC_SEQ_CST);
	return head;
}

/* Skip a position that was reserved and not filled; 1 if it was such. Consumers do not get past one
 * that is: if tail is not beyond it, what was seen in the slot still stands there. */
static int skip(const struct ring *r, uint32_t position)
{
	uint32_t *cmd_id = &entry_at(r, position)->cmd_id, seen;

	if (look(r, position, &seen) != 0 || is_behind(position, tail_position(r)))
		return 0;
	return __atomic_compare_exchange_n(cmd_id, &seen, queue_skipped_id(position, r->l2length), false,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Nothing of it need be durable: after the next cut the next repair does the same. */
static int repair(const struct ring *r)
{
	uint32_t head = load32(&r->sq->head) & QUEUE_POSITION_MASK, tail = tail_position(r);
	int count = 0;

	head = pull_back_head(r, tail, head);
	for (uint32_t p = tail; !is_behind(head, p) && p != head; p = next(p))
		count += skip(r, p);
	__atomic_fetch_or(&r->sq->tail, QUEUE_TAIL_WAITING, __ATOMIC_SEQ_CST);
	ring_bell(r);
	__atomic_fetch_or(&r->sq->waiters, QUEUE_WAITERS_WAITING, __ATOMIC_SEQ_CST);
	tell_producers(r);
	return count;
}

int queue_repair(twzobj *o)
{
	struct ring sq, cq;

	if (open_ring(&sq, o, QUEUE_SUBMISSION) < 0 || open_ring(&cq, o, QUEUE_COMPLETION) < 0)
		return -EINVLOBJ;
	return repair(&sq) + repair(&cq);
}

/* --- making one */

/* Lay out a ring from base offset *at on. */
static int lay_out(struct queue_subqueue *sq, uint64_t *at, size_t l2length, size_t stride)
{
	uint64_t size;

	if (l2length > QUEUE_L2LENGTH_MAX || stride > OBJ_MAXDATA)
		return -EINVAL;
	stride = stride < sizeof(struct queue_entry) ? sizeof(struct queue_entry) : (stride + 7) & ~7ul;
	size = (((uint64_t)stride << l2length) + 63) & ~63ull;
	if (size > OBJ_MAXDATA - *at)
		return -EINVAL;
	memset(sq, 0, sizeof(*sq));
	sq->queue = OBJ_NULLPAGE_SIZE + *at;
	sq->l2length = l2length;
	sq->stride = stride;
	*at += size;
	return 0;
}

/* A queue that is no more: until the new one is whole, and its entries are zero. */
static void unmake(twzobj *o, struct queue_hdr *h, uint64_t end)
{
	__atomic_store_n(&h->magic, 0, __ATOMIC_SEQ_CST);
	__twz_obj_flush(o, &h->magic, sizeof(h->magic));
	__twz_obj_fence(o);
	memset((char *)h + FIRST_RING, 0, end - FIRST_RING);
	__twz_obj_flush(o, (char *)h + FIRST_RING, end - FIRST_RING);
}

/* The magic comes last: until then it is no queue. */
int queue_init_hdr(twzobj *o, size_t sqlen, size_t sqstride, size_t cqlen, size_t cqstride)
{
	struct queue_hdr *h = twz_object_base(o);
	struct queue_subqueue sq, cq;
	uint64_t at = FIRST_RING;
	int r;

	if (!h || lay_out(&sq, &at, sqlen, sqstride) < 0 || lay_out(&cq, &at, cqlen, cqstride) < 0)
		return -EINVAL;
	r = twz_object_addext(o, QUEUE_METAEXT_TAG, h);
	if (r < 0 && r != -EEXIST)
		return r;
	if (h->magic == QUEUE_MAGIC)
		unmake(o, h, at);
	h->flags = 0;
	h->subqueue[QUEUE_SUBMISSION] = sq;
	h->subqueue[QUEUE_COMPLETION] = cq;
	__twz_obj_flush(o, h, sizeof(*h));
	__twz_obj_fence(o);
	__atomic_store_n(&h->magic, QUEUE_MAGIC, __ATOMIC_SEQ_CST);
	__twz_obj_flush(o, h, sizeof(h->magic));
	__twz_obj_fence(o);
	return 0;
}
