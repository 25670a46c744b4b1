// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kinds of kernel state objects. A volatile object keeps its own as long as it exists; those of
 * persistent objects stand in a table by ID as well, made before the object is used, so that
 * remembering cannot fail later.
 */
#include <abi/errno.h>
#include <base/bits.h>
#include <base/list.h>
#include <kso/type.h>
#include <mm/slab.h>
#include <obj/object.h>

struct kso_record {
	struct list link;
	objid_t id;
	uint32_t type;
};

#define BUCKETS 256u

static struct slab_cache record_cache = SLAB_CACHE("kso type", struct kso_record);

static struct {
	struct spinlock lock;
	/* Guarded by lock. Zeroed lists are empty until first used. */
	struct list buckets[BUCKETS];
} known;

/* Lock held. */
static struct list *bucket_of(objid_t id)
{
	struct list *bucket = &known.buckets[ID_LO(id) % BUCKETS];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

/* Lock held. */
static struct kso_record *find(objid_t id)
{
	struct list *bucket = bucket_of(id);

	list_for_each_entry(struct kso_record, record, bucket, link)
		if (record->id == id)
			return record;
	return NULL;
}

static int remember(objid_t id, uint32_t type)
{
	struct kso_record *record = slab_alloc_zero(&record_cache);

	if (!record)
		return -ENOMEM;
	record->id = id;
	record->type = type;
	spin_lock(&known.lock);
	list_push_back(bucket_of(id), &record->link);
	spin_unlock(&known.lock);
	return 0;
}

int kso_claim(struct object *object, uint32_t type)
{
	if (object->kso_type != KSO_NONE)
		return object->kso_type == type ? 0 : -EBUSY;
	int error = object->persistent ? remember(object->id, type) : 0;
	if (!error)
		object->kso_type = type;
	return error;
}

int kso_keep(const struct object *object)
{
	if (object->kso_type == KSO_NONE || kso_recall(object->id) != KSO_NONE)
		return 0;
	return remember(object->id, object->kso_type);
}

uint32_t kso_recall(objid_t id)
{
	spin_lock(&known.lock);
	struct kso_record *record = find(id);
	uint32_t type = record ? record->type : KSO_NONE;
	spin_unlock(&known.lock);
	return type;
}

void kso_forget(objid_t id)
{
	spin_lock(&known.lock);
	struct kso_record *record = find(id);
	if (record)
		list_remove(&record->link);
	spin_unlock(&known.lock);
	if (record)
		slab_free(&record_cache, record);
}
