// SPDX-License-Identifier: BSD-3-Clause
/* Heads, records, sequence words and locks, as the structures use them. */
#include "record.h"

#include "../alloc/alloc.h"

/* Looks at a sequence word before a reader asks for the lock. */
#define PATIENCE 10000u

void ds_head_write(twzobj *o, struct twz_ds_head *head, uint32_t kind, unsigned flags)
{
	struct twz_ds_head h = { kind, TWZ_DS_VERSION, (uint16_t)flags };
	uint64_t word;

	memcpy(&word, &h, sizeof(word));
	ds_store_durably(o, (uint64_t *)(void *)head, word);
}

struct ds_record *ds_record_new(twzobj *o, const void *key, size_t klen, struct ds_value value,
    int *error)
{
	struct ds_record *r = twz_alloc_reserve(o, ds_record_size(klen, value.len), 0, error);

	if (!r)
		return NULL;
	r->klen = (uint32_t)klen;
	r->vlen = (uint32_t)value.len;
	memcpy(r->bytes, key, klen);
	memset(r->bytes + klen, 0, ds_round8(klen) - klen);
	ds_copy(ds_record_value(r), value.bytes, value.len);
	memset(ds_record_value(r) + value.len, 0, ds_round8(value.len) - value.len);
	return r;
}

void ds_record_overwrite(twzobj *o, struct ds_record *r, struct ds_value value)
{
	uint64_t word = 0;

	memcpy(&word, value.bytes, value.len);
	ds_store_durably(o, (uint64_t *)(void *)ds_record_value(r), word);
}

ssize_t ds_record_copy(const twzobj *o, const struct ds_record *r, void *buf, size_t size)
{
	uint32_t klen = r->klen, vlen = r->vlen;
	const unsigned char *value = r->bytes + ds_round8(klen);

	if (klen > TWZ_DS_KEY_MAX || !ds_inside(ds_offset(o, value), vlen, 8))
		return -EINVLOBJ;
	ds_copy(buf, value, vlen < size ? vlen : size);
	return vlen;
}

static int cancel_unless(int r, twzobj *o, const struct twz_alloc_action *actions, size_t count)
{
	for (size_t i = 0; r < 0 && i < count; i++)
		if (actions[i].kind == TWZ_ALLOC_KEEP)
			twz_alloc_cancel(o, actions[i].at);
	return r;
}

int ds_publish(twzobj *o, const struct twz_alloc_action *actions, size_t count)
{
	return cancel_unless(twz_alloc_publish(o, actions, count), o, actions, count);
}

int ds_publish_words(twzobj *o, const struct twz_alloc_action *actions, size_t count)
{
	return cancel_unless(__twz_alloc_publish_words(o, actions, count), o, actions, count);
}

void ds_lock(twzobj *o, struct twz_ds_guard *g)
{
	if (mutex_acquire_r(&g->lock) == 0 && ds_is_ready(g))
		return;
	twz_alloc_recover(o);
	ds_seq_end(&g->seq);
	__atomic_store_n(&g->boot, __twz_rt.sysinfo.boot_code, __ATOMIC_RELEASE);
}

int ds_seq_wait(twzobj *o, struct twz_ds_guard *g, uint64_t *seq)
{
	bool read_only = o->vf && !(o->vf & FE_WRITE);

	for (unsigned i = 0; i < PATIENCE && (read_only || ds_is_ready(g)); i++) {
		*seq = ds_load(&g->seq);
		if (!(*seq & 1))
			return 0;
	}
	if (read_only)
		return -EAGAIN;
	ds_lock(o, g);
	*seq = ds_load(&g->seq);
	ds_unlock(g);
	return 0;
}
