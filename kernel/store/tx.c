// SPDX-License-Identifier: BSD-3-Clause
/*
 * Transactions: how a change of several metadata words becomes one step.
 *
 * A transaction is a list of (offset, new word). Commit writes it to the log page as one record
 * with a sum over all of it and waits until that is durable: from here on the change has
 * happened, because a mount redoes the record. Then the words are stored where they belong, and
 * commit waits again. So:
 *
 *  - at any instant at most one transaction is in the log and not yet in place: the last one;
 *  - a record that is half written belongs to a transaction that has not happened, and its sum
 *    tells;
 *  - redoing the last record is harmless, because nothing that came later can have changed its
 *    words: every later change of a metadata word, and every change of what a page is used for,
 *    is itself a transaction and has replaced the record;
 *  - so the record is never retired, and recovery reads one page.
 *
 * Pages that nothing reaches yet are filled directly. They must be durable before the record can
 * be, hence the fence in front of it.
 */
#include "internal.h"

void store_tx_begin(struct store *st)
{
	st->tx.count = 0;
	st->tx.error = 0;
	st->tx.fresh = false;
}

int store_tx_fail(struct store *st, int error)
{
	if (!st->tx.error)
		st->tx.error = error;
	return error;
}

static struct store_write *find_write(struct store *st, uint64_t offset)
{
	for (uint32_t i = 0; i < st->tx.count; i++) {
		if (st->tx.write[i].offset == offset)
			return &st->tx.write[i];
	}
	return NULL;
}

int store_tx_get(struct store *st, uint64_t offset, uint64_t *payload)
{
	struct store_write *write = find_write(st, offset);

	if (!write)
		return store_read(st, offset, payload);
	*payload = write->value & PAYLOAD_MAX;
	return 0;
}

void store_tx_put(struct store *st, uint64_t offset, uint64_t payload)
{
	struct store_write *write = find_write(st, offset);

	if (!write) {
		if (st->tx.count == STORE_TX_WORDS) {
			store_tx_fail(st, -E2BIG);
			return;
		}
		write = &st->tx.write[st->tx.count++];
		write->offset = offset;
	}
	write->value = payload;
}

void store_tx_add(struct store *st, uint64_t offset, int64_t delta)
{
	uint64_t value;
	int error = store_tx_get(st, offset, &value);

	if (error) {
		store_tx_fail(st, error);
		return;
	}
	value += (uint64_t)delta;
	if (value > PAYLOAD_MAX) {
		store_tx_fail(st, store_damaged(st, "counter", offset));
		return;
	}
	store_tx_put(st, offset, value);
}

void store_tx_state(struct store *st, enum state_word index, uint64_t payload)
{
	store_tx_put(st, state_offset(SUPER_A_PAGE, index), payload);
	store_tx_put(st, state_offset(SUPER_B_PAGE, index), payload);
}

void store_tx_state_id(struct store *st, enum state_word first, objid_t id)
{
	store_tx_state(st, first, (uint64_t)id & PAYLOAD_MAX);
	store_tx_state(st, first + 1, (uint64_t)(id >> 48) & PAYLOAD_MAX);
	store_tx_state(st, first + 2, (uint64_t)(id >> 96));
}

int store_tx_state_get(struct store *st, enum state_word index, uint64_t *payload)
{
	struct store_write *write = find_write(st, state_offset(SUPER_A_PAGE, index));

	if (!write)
		return store_state(st, index, payload);
	*payload = write->value & PAYLOAD_MAX;
	return 0;
}

void store_tx_state_add(struct store *st, enum state_word index, int64_t delta)
{
	uint64_t value;
	int error = store_tx_state_get(st, index, &value);

	if (!error && value + (uint64_t)delta > PAYLOAD_MAX)
		error = store_damaged(st, "state counter", state_offset(SUPER_A_PAGE, index));
	if (error)
		store_tx_fail(st, error);
	else
		store_tx_state(st, index, value + (uint64_t)delta);
}

void store_fresh_done(struct store *st, uint64_t page, uint64_t count)
{
	pm_flush(st->ops, store_page_at(st, page), count * STORE_PAGE_SIZE, PM_FRESH_FLUSH);
	st->tx.fresh = true;
}

void store_fresh_fill(struct store *st, uint64_t page, const void *content)
{
	if (content)
		pm_copy(store_page_at(st, page), content, STORE_PAGE_SIZE);
	else
		pm_zero(store_page_at(st, page), STORE_PAGE_SIZE);
	store_fresh_done(st, page, 1);
}

static uint64_t record_sum(const struct store *st, const struct log_record *record)
{
	uint64_t sum = store_sum(st->salt[1], (const uint64_t *)record, 3);

	return store_sum(sum, (const uint64_t *)record->write, 2 * record->count);
}

static void write_record(struct store *st)
{
	struct log_record *log = store_page_at(st, LOG_PAGE);
	size_t bytes = st->tx.count * sizeof(struct store_write);

	pm_store64(&log->seq, ++st->seq);
	pm_store64(&log->count, st->tx.count);
	pm_store64(&log->reserved, 0);
	pm_copy(log->write, st->tx.write, bytes);
	pm_store64(&log->sum, record_sum(st, log));
	pm_flush(st->ops, log, offsetof(struct log_record, write) + bytes, PM_LOG_FLUSH);
	pm_fence(st->ops, PM_LOG_FENCE);
}

/* One flush for each 64-byte line, however many of its words were written. */
static bool line_seen(const struct store_write *write, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++) {
		if (write[i].offset / LINE_BYTES == write[index].offset / LINE_BYTES)
			return true;
	}
	return false;
}

static void apply(struct store *st, const struct store_write *write, uint32_t count,
		  enum pm_site site)
{
	for (uint32_t i = 0; i < count; i++)
		pm_store64(store_word_at(st, write[i].offset), write[i].value);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t line = write[i].offset & ~(uint64_t)(LINE_BYTES - 1);

		if (!line_seen(write, i))
			pm_flush(st->ops, st->base + line, LINE_BYTES, site);
	}
}

/*
 * While it is built a transaction holds payloads; on a read-only mount it is the log record, and
 * holds sealed words. Both copies of a state word stand side by side.
 */
static void seal_all(struct store *st)
{
	uint64_t last = 0, sealed = 0;

	for (uint32_t i = 0; i < st->tx.count; i++) {
		uint64_t payload = st->tx.write[i].value;

		if (payload != last)
			sealed = store_seal(payload);
		last = payload;
		st->tx.write[i].value = sealed;
	}
}

int store_tx_commit(struct store *st)
{
	if (st->tx.error)
		return st->tx.error;
	if (!st->tx.count)
		return 0;
	seal_all(st);
	if (st->tx.fresh)
		pm_fence(st->ops, PM_FRESH_FENCE);
	write_record(st);
	apply(st, st->tx.write, st->tx.count, PM_APPLY_FLUSH);
	pm_fence(st->ops, PM_APPLY_FENCE);
	return 0;
}

/* Where a transaction may write: state words, bitmap, buckets, object pages; no header, no log. */
static bool write_allowed(const struct store *st, const struct store_write *write)
{
	uint64_t page = write->offset / STORE_PAGE_SIZE;
	uint64_t within = write->offset % STORE_PAGE_SIZE;
	uint64_t payload;

	if (write->offset % 8 || page >= st->pages || !store_unseal(write->value, &payload))
		return false;
	if (page == SUPER_A_PAGE || page == SUPER_B_PAGE)
		return within >= STATE_OFFSET && within < STATE_OFFSET + 8 * STATE_WORDS;
	return page >= BITMAP_PAGE;
}

/* Whether the record is whole. A torn one belongs to an operation that never was. */
bool store_log_sound(const struct store *st)
{
	const struct log_record *log = store_page_at(st, LOG_PAGE);

	return log->count && log->count <= STORE_TX_WORDS && !log->reserved &&
	       log->sum == record_sum(st, log);
}

static bool load_record(struct store *st)
{
	const struct log_record *log = store_page_at(st, LOG_PAGE);

	st->seq = log->seq;
	if (!store_log_sound(st))
		return false;
	st->tx.count = (uint32_t)log->count;
	memcpy(st->tx.write, log->write, st->tx.count * sizeof(struct store_write));
	return true;
}

static bool in_place(const struct store *st)
{
	for (uint32_t i = 0; i < st->tx.count; i++) {
		if (*store_word_at(st, st->tx.write[i].offset) != st->tx.write[i].value)
			return false;
	}
	return true;
}

int store_log_load(struct store *st)
{
	store_tx_begin(st);
	if (!load_record(st)) {
		if (st->seq)
			store_log(STORE_LOG_INFO,
				  "the log record is incomplete: its operation never happened");
		return 0;
	}
	for (uint32_t i = 0; i < st->tx.count; i++) {
		if (!write_allowed(st, &st->tx.write[i]))
			return store_damaged(st, "log record", LOG_PAGE * STORE_PAGE_SIZE);
	}
	if (in_place(st))
		return 0;
	store_log(STORE_LOG_INFO, "the last operation was cut off; completed from the log");
	st->overlay = st->tx.count;
	return 0;
}

/* Also what is in place already: a machine that was reset may have it in its caches only. */
void store_log_apply(struct store *st)
{
	apply(st, st->tx.write, st->tx.count, PM_REPLAY_FLUSH);
	pm_fence(st->ops, PM_REPLAY_FENCE);
	st->overlay = 0;
}
