// SPDX-License-Identifier: BSD-3-Clause
/* Checking a structure of any kind. */
#include "record.h"

#include <twz/ds/blob.h>
#include <twz/ds/hash.h>
#include <twz/ds/list.h>
#include <twz/ds/log.h>
#include <twz/ds/map.h>
#include <twz/ds/vector.h>

static const struct {
	uint32_t kind;
	uint32_t size;
	const char *name;
} kinds[] = {
	{ TWZ_DS_VEC, sizeof(struct twz_vec), "vector" },
	{ TWZ_DS_MAP, sizeof(struct twz_map), "map" },
	{ TWZ_DS_HASH, sizeof(struct twz_hash), "hash" },
	{ TWZ_DS_LIST, sizeof(struct twz_list), "list" },
	{ TWZ_DS_BLOB, sizeof(struct twz_blob), "blob" },
	{ TWZ_DS_LOG, sizeof(struct twz_log), "log" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_index(uint32_t kind)
{
	size_t i = 0;

	while (i < KINDS && kinds[i].kind != kind)
		i++;
	return i;
}

const char *twz_ds_kind_name(uint32_t kind)
{
	size_t i = kind_index(kind);

	return i < KINDS ? kinds[i].name : NULL;
}

static int check_kind(twzobj *o, const void *root, uint32_t kind)
{
	switch (kind) {
	case TWZ_DS_VEC:
		return twz_vec_check(o, root);
	case TWZ_DS_MAP:
		return twz_map_check(o, root);
	case TWZ_DS_HASH:
		return twz_hash_check(o, root);
	case TWZ_DS_LIST:
		return twz_list_check(o, root);
	case TWZ_DS_BLOB:
		return twz_blob_check(o, root);
	default:
		return twz_log_check(o, root);
	}
}

int twz_ds_check(twzobj *o, const void *root, uint32_t kind)
{
	size_t i;

	if (!ds_root_ok(o, root, sizeof(struct twz_ds_head)))
		return -EINVAL;
	if (!kind)
		kind = ((const struct twz_ds_head *)root)->magic;
	i = kind_index(kind);
	if (i == KINDS || !ds_root_ok(o, root, kinds[i].size))
		return -EINVAL;
	return check_kind(o, root, kind);
}
