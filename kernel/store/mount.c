// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mounting, and the few words that belong to the store as a whole.
 */
#include "internal.h"

static int refuse(int error, const char *why)
{
	store_log(STORE_LOG_ERROR, "not mounted: %s", why);
	return error;
}

/* What a region without a store means to the caller. */
static int no_store(enum store_content content)
{
	switch (content) {
	case STORE_BLANK:
		return -ENODEV;
	case STORE_UNFINISHED:
		store_log(STORE_LOG_INFO, "a format was interrupted here");
		return -ENODEV;
	case STORE_FOREIGN:
		return refuse(-EINVAL, "the region holds something that is no store; left alone");
	default:
		return refuse(-EINVAL, "the region is too small, too large or misaligned");
	}
}

/* One of the two header copies, or NULL. */
static const struct super_header *pick_super(struct store *st)
{
	static const uint64_t pages[] = { SUPER_A_PAGE, SUPER_B_PAGE };
	const struct super_header *found = NULL;

	for (unsigned i = 0; i < 2; i++) {
		const struct super_header *super = store_page_at(st, pages[i]);

		if (!store_super_sound(super, pages[i]))
			store_damaged(st, i ? "superblock B" : "superblock A",
				      pages[i] * STORE_PAGE_SIZE);
		else if (!found)
			found = super;
	}
	return found;
}

static int check_super(const struct super_header *super, size_t len, bool rdonly)
{
	struct super_header expected;

	if (super->version != STORE_VERSION || super->incompat)
		return refuse(-ENOTSUP, "the store has a later format than this kernel knows");
	if (super->ro_compat && !rdonly)
		return refuse(-EROFS, "the store has a feature that only allows reading");
	store_geometry(&expected, super->pages);
	/* version … incompat were judged above; uuid, self and sum are this copy's own */
	if (super->header_bytes != expected.header_bytes ||
	    memcmp(&super->pages, &expected.pages,
		   offsetof(struct super_header, self) - offsetof(struct super_header, pages)) ||
	    super->first_data >= super->pages)
		return refuse(-EUCLEAN, "the superblock contradicts itself");
	if (super->pages > store_usable_pages(len))
		return refuse(-EUCLEAN, "the region is shorter than the store in it");
	return 0;
}

static void use_super(struct store *st, const struct super_header *super)
{
	st->pages = super->pages;
	st->bitmap = super->bitmap_page * STORE_PAGE_SIZE;
	st->bitmap_words = (super->pages + MAP_PAGES - 1) / MAP_PAGES;
	st->buckets = super->bucket_page * STORE_PAGE_SIZE;
	st->bucket_mask = super->buckets - 1;
	st->refs = super->ref_page * STORE_PAGE_SIZE;
	st->first_data = super->first_data;
	memcpy(st->salt, super->uuid, sizeof(st->salt));
	store_space_init(st);
}

/* Before anything is written, both copies of every state word must agree, or one be damaged. */
static int check_state(struct store *st)
{
	for (unsigned i = 0; i < STATE_WORDS; i++) {
		uint64_t a = store_raw(st, state_offset(SUPER_A_PAGE, i));
		uint64_t b = store_raw(st, state_offset(SUPER_B_PAGE, i));
		uint64_t payload;
		bool sound_b = store_unseal(b, &payload);
		bool sound_a = store_unseal(a, &payload);

		if (sound_a && sound_b && a == b)
			continue;
		if (sound_a == sound_b) {
			store_damaged(st, "state word, both copies", state_offset(SUPER_A_PAGE, i));
			return refuse(-EUCLEAN, "the superblocks disagree");
		}
		store_damaged(st, "state word, one copy",
			      state_offset(sound_a ? SUPER_B_PAGE : SUPER_A_PAGE, i));
	}
	return 0;
}

static int check_counts(struct store *st)
{
	uint64_t free_pages, objects, boots;

	if (store_state(st, STATE_FREE, &free_pages) || store_state(st, STATE_OBJECTS, &objects) ||
	    store_state(st, STATE_BOOTS, &boots))
		return -EUCLEAN;
	if (free_pages > st->pages - st->first_data || objects > st->pages || boots == PAYLOAD_MAX)
		return refuse(-EUCLEAN, "impossible counts in the superblock");
	return 0;
}

static int count_boot(struct store *st)
{
	store_tx_begin(st);
	store_tx_state_add(st, STATE_BOOTS, 1);
	return store_tx_commit(st);
}

/* All checks see the store as the log will have made it, and come before the first write. */
static int recover(struct store *st)
{
	int error = store_log_load(st);

	if (error || st->rdonly)
		return error;
	error = check_state(st);
	if (!error)
		error = check_counts(st);
	if (error)
		return error;
	store_log_apply(st);
	return count_boot(st);
}

int store_mount(struct store *st, void *base, size_t len, unsigned flags, const struct pm_ops *ops)
{
	enum store_content content = store_probe(base, len);

	if (content != STORE_OURS)
		return no_store(content);
	memset(st, 0, sizeof(*st));
	store_lock_init(&st->lock);
	st->base = base;
	st->ops = ops;
	st->rdonly = flags & STORE_RDONLY;
	const struct super_header *super = pick_super(st);

	if (!super)
		return refuse(-EUCLEAN, "both superblocks are damaged");
	int error = check_super(super, len, st->rdonly);

	if (error)
		return error;
	use_super(st, super);
	error = recover(st);
	if (error)
		return error;
	st->mounted = true;
	if (!st->rdonly)
		store_reap(st);
	return 0;
}

void store_unmount(struct store *st)
{
	st->mounted = false;
	st->base = NULL;
}

int store_set_nameroot(struct store *st, objid_t id)
{
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	store_tx_begin(st);
	store_tx_state_id(st, STATE_ROOT0, id);
	int error = store_tx_commit(st);

	store_lock_release(&st->lock);
	return error;
}

static int state_id(struct store *st, enum state_word first, objid_t *id)
{
	uint64_t part[3];
	int error = 0;

	store_lock_acquire(&st->lock);
	for (unsigned i = 0; i < 3 && !error; i++)
		error = store_state(st, first + i, &part[i]);
	store_lock_release(&st->lock);
	if (!error)
		*id = part[0] | (objid_t)part[1] << 48 | (objid_t)part[2] << 96;
	return error;
}

int store_nameroot(struct store *st, objid_t *id)
{
	return state_id(st, STATE_ROOT0, id);
}

int store_system_object(struct store *st, objid_t *id)
{
	return state_id(st, STATE_SYSTEM0, id);
}

static uint64_t state_or_zero(struct store *st, enum state_word index)
{
	uint64_t value;

	store_lock_acquire(&st->lock);
	if (store_state(st, index, &value))
		value = 0;
	store_lock_release(&st->lock);
	return value;
}

uint64_t store_boot_count(struct store *st)
{
	return state_or_zero(st, STATE_BOOTS);
}

uint64_t store_clock_mark(struct store *st)
{
	return state_or_zero(st, STATE_CLOCK);
}

int store_set_clock_mark(struct store *st, uint64_t ms)
{
	uint64_t mark;

	if (ms > PAYLOAD_MAX)
		return -EINVAL;
	if (st->rdonly)
		return -EROFS;
	store_lock_acquire(&st->lock);
	int error = store_state(st, STATE_CLOCK, &mark);

	if (!error && ms > mark) {
		store_tx_begin(st);
		store_tx_state(st, STATE_CLOCK, ms);
		error = store_tx_commit(st);
	}
	store_lock_release(&st->lock);
	return error;
}

void store_stats(struct store *st, struct store_stats *stats)
{
	memcpy(stats->uuid, st->salt, sizeof(stats->uuid));
	stats->total_pages = st->pages - st->first_data;
	stats->free_pages = state_or_zero(st, STATE_FREE);
	stats->objects = state_or_zero(st, STATE_OBJECTS);
	stats->boots = state_or_zero(st, STATE_BOOTS);
	stats->faults = __atomic_load_n(&st->faults, __ATOMIC_RELAXED);
	stats->rdonly = st->rdonly;
}
