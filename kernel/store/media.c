// SPDX-License-Identifier: BSD-3-Clause
/*
 * Reading metadata: every word that comes from the media passes through here and is checked
 * before it is used as an offset, a count or a flag.
 */
#include "internal.h"

#define DAMAGE_LINES 32u /* logged per mount; what follows is only counted */

int store_damaged(struct store *st, const char *what, uint64_t where)
{
	uint64_t before = __atomic_fetch_add(&st->faults, 1, __ATOMIC_RELAXED);

	if (before < DAMAGE_LINES)
		store_log(STORE_LOG_ERROR, "damaged: %s at offset 0x%llx", what,
			  (unsigned long long)where);
	if (before == DAMAGE_LINES)
		store_log(STORE_LOG_ERROR, "further damage is counted, not listed");
	return -EUCLEAN;
}

uint64_t store_overlaid(const struct store *st, uint64_t offset)
{
	for (uint32_t i = st->overlay; i-- > 0;) {
		if (st->tx.write[i].offset == offset)
			return st->tx.write[i].value;
	}
	return __atomic_load_n(store_word_at(st, offset), __ATOMIC_ACQUIRE);
}

int store_read(struct store *st, uint64_t offset, uint64_t *payload)
{
	if (!store_unseal(store_raw(st, offset), payload))
		return store_damaged(st, "metadata word", offset);
	return 0;
}

int store_read_page(struct store *st, uint64_t offset, uint64_t *page)
{
	int error = store_read(st, offset, page);

	if (error)
		return error;
	if (*page && (*page < st->first_data || *page >= st->pages))
		return store_damaged(st, "page number out of range", offset);
	return 0;
}

uint64_t store_inode_sum(const struct store *st, const struct inode_header *header)
{
	return store_sum(st->salt[0], (const uint64_t *)header, LINE_BYTES / 8 - 1);
}

int store_inode_id(struct store *st, uint64_t page, objid_t *id)
{
	const struct inode_header *header = store_page_at(st, page);

	if (header->magic != INODE_MAGIC || header->self != page ||
	    header->sum != store_inode_sum(st, header))
		return store_damaged(st, "inode header", page * STORE_PAGE_SIZE);
	*id = MKID(header->id_hi, header->id_lo);
	return 0;
}

int store_state(struct store *st, enum state_word index, uint64_t *payload)
{
	if (store_unseal(store_raw(st, state_offset(SUPER_A_PAGE, index)), payload))
		return 0;
	store_damaged(st, "superblock A, state word", state_offset(SUPER_A_PAGE, index));
	return store_read(st, state_offset(SUPER_B_PAGE, index), payload);
}
