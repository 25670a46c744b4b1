// SPDX-License-Identifier: BSD-3-Clause
/*
 * The table of objects in memory, and the lifetime of an object.
 *
 * A hash table of intrusive lists that doubles as objects come; IDs are hashes already, so their
 * low bits select the bucket. One reader-writer question decides its locking: growth replaces the
 * buckets, so all access is under one table lock, held for a chain of about one element.
 */
#define LOG_PREFIX "object"

#include <abi/errno.h>
#include <base/bits.h>
#include <base/string.h>
#include <cpu.h>
#include <kso/type.h>
#include <log.h>
#include <mm/phys.h>
#include <obj/hash.h>
#include <obj/object.h>
#include <obj/persist.h>
#include <obj/private.h>
#include <panic.h>
#include <sched/sync.h>

#define TABLE_FIRST_ORDER 0u /* pages, as a power of two: 256 buckets */
#define TABLE_MAX_ORDER 10u

static struct {
	struct spinlock lock;
	/* Guarded by lock. */
	struct list *buckets;
	unsigned int order;
	uint64_t count;
} table;

struct slab_cache object_cache = SLAB_CACHE("object", struct object);

static uint64_t bucket_count(unsigned int order)
{
	return (PAGE_SIZE << order) / sizeof(struct list);
}

static struct list *bucket_of(objid_t id)
{
	/* Reserved IDs are small numbers, derived ones are hashes: the low bits do for both. */
	return &table.buckets[ID_LO(id) & (bucket_count(table.order) - 1)];
}

static struct list *buckets_alloc(unsigned int order)
{
	struct list *buckets = pages_alloc(order);

	if (buckets)
		for (uint64_t i = 0; i < bucket_count(order); i++)
			list_init(&buckets[i]);
	return buckets;
}

void objects_init(void)
{
	table.order = TABLE_FIRST_ORDER;
	table.buckets = buckets_alloc(table.order);
	if (!table.buckets)
		panic("no memory for the object table");
}

/* Double the buckets; without memory chains just get longer. Table lock held. */
static void table_grow(void)
{
	unsigned int old_order = table.order;
	struct list *old = table.buckets;
	struct list *buckets = buckets_alloc(old_order + 1);

	if (!buckets)
		return;
	table.buckets = buckets;
	table.order = old_order + 1;
	for (uint64_t i = 0; i < bucket_count(old_order); i++) {
		struct list *node;
		while ((node = list_pop_front(&old[i])))
			list_push_back(bucket_of(list_entry(node, struct object, table_link)->id), node);
	}
	pages_free(old, old_order);
}

static struct object *table_find(objid_t id)
{
	struct list *bucket = bucket_of(id);

	list_for_each_entry(struct object, object, bucket, table_link)
		if (object->id == id)
			return object;
	return NULL;
}

static void table_add(struct object *object)
{
	if (table.count > bucket_count(table.order) && table.order < TABLE_MAX_ORDER)
		table_grow();
	list_push_front(bucket_of(object->id), &object->table_link);
	object->in_table = true;
	table.count++;
}

static void table_drop(struct object *object)
{
	list_remove(&object->table_link);
	object->in_table = false;
	table.count--;
}

int object_publish(struct object *object)
{
	spin_lock(&table.lock);
	bool taken = table_find(object->id) != NULL;
	if (!taken) {
		if (!object->persistent && !object->deleted)
			object_ref(object); /* the table's own, until deletion */
		table_add(object);
	}
	spin_unlock(&table.lock);
	return taken ? -EEXIST : 0;
}

void object_reveal(struct object *object, bool whole)
{
	spin_lock(&table.lock);
	object->hidden = false;
	if (!whole)
		table_drop(object);
	spin_unlock(&table.lock);
}

/*
 * A reference to an object found under the table lock. Objects in the table have one, but for those
 * on their way out of the store, which are as good as gone.
 */
static bool table_ref(struct object *object)
{
	if (object->hidden || atomic_load_explicit(&object->refs, memory_order_relaxed) == 0)
		return false;
	object_ref(object);
	return true;
}

struct object *object_new(objid_t id)
{
	struct object *object = slab_alloc_zero(&object_cache);

	if (!object)
		return NULL;
	object->id = id;
	atomic_init(&object->refs, 1);
	list_init(&object->table_link);
	list_init(&object->mappings);
	list_init(&object->spaces);
	list_init(&object->children);
	list_init(&object->parents);
	list_init(&object->end_link);
	return object;
}

/*
 * Bring an object of the store into the table. Another CPU may win the race: then its entry counts.
 */
static struct object *object_open(objid_t id)
{
	struct object *object;
	struct object *other;

	if (persist_store_count() == 0 || objid_is_reserved(id))
		return NULL;
	object = object_new(id);
	if (!object)
		return NULL;
	object->persistent = true;

	spin_lock(&table.lock);
	other = table_find(id);
	/*
	 * The stores are asked under the table lock, so that no second opener and no deletion comes
	 * between.
	 */
	if (other || persist_find(id, &object->store, &object->stored) != 0) {
		if (other && !table_ref(other))
			other = NULL;
		spin_unlock(&table.lock);
		slab_free(&object_cache, object);
		return other;
	}
	object->deleted = store_is_deleted(object->store, &object->stored) == 1;
	object->kso_type = kso_recall(id);
	table_add(object);
	spin_unlock(&table.lock);
	return object;
}

/* Whether a reference was taken. What keeps a deleted object is found by who takes that away. Lock held. */
static bool table_ref_kept(struct object *object)
{
	if (!object->hidden || !object->deleted ||
	    atomic_load_explicit(&object->refs, memory_order_relaxed) == 0)
		return table_ref(object);
	object_ref(object);
	return true;
}

static inline struct object *get(objid_t id, bool (*ref)(struct object *object))
{
	struct object *object;

	if (id == 0)
		return NULL;
	spin_lock(&table.lock);
	object = table_find(id);
	bool known = object != NULL;
	if (object && !ref(object))
		object = NULL;
	spin_unlock(&table.lock);
	return known ? object : object_open(id);
}

struct object *object_get(objid_t id)
{
	return get(id, table_ref);
}

struct object *object_get_kept(objid_t id)
{
	return get(id, table_ref_kept);
}

int object_hold(objid_t id, struct object **out)
{
	spin_lock(&table.lock);
	struct object *object = table_find(id);
	bool known = object != NULL;
	if (object && atomic_load_explicit(&object->refs, memory_order_relaxed) == 0)
		object = NULL;
	if (object)
		object_ref(object);
	spin_unlock(&table.lock);
	*out = known ? object : object_open(id);
	return known || *out ? 0 : -ENOMEM;
}

struct object *object_tied(objid_t id, enum store_tie_way way)
{
	spin_lock(&table.lock);
	struct object *object = table_find(id);
	if (object && list_empty(way == STORE_PARENTS ? &object->parents : &object->children))
		object = NULL;
	spin_unlock(&table.lock);
	/* Its parents hold it, or its children have it kept, as long as their lock is held. */
	return object;
}

/* Nobody can reach the object any more: give back everything it holds. */
static void object_free(struct object *object)
{
	if (!list_empty(&object->mappings) || object->sleepers || object->thread || !list_empty(&object->spaces))
		panic("object " IDFMT " freed in use", IDPR(object->id));
	object_ties_drop(object);
	object_subtrees_free(object);
	hash_forget(object);
	object_cache_forget(object);
	object_dissolve(object);
}

/* Drop a reference that is not the last without any lock. */
static bool put_not_last(struct object *object)
{
	uint32_t refs = atomic_load_explicit(&object->refs, memory_order_relaxed);

	while (refs > 1)
		if (atomic_compare_exchange_weak_explicit(&object->refs, &refs, refs - 1,
							  memory_order_release, memory_order_relaxed))
			return true;
	return false;
}

/*
 * Whether a persistent parent keeps a deleted object in the store, and with it what is tied to
 * that; it then only leaves the table. So does one of which that cannot be told. Asked under the
 * table lock: a parent that goes meanwhile either has untied it already, or looks for it afterwards
 * and opens it anew.
 */
static bool stays_tied(struct object *object)
{
	uint64_t parents, children;

	spin_lock(&table.lock);
	int error = store_tie_counts(object->store, &object->stored, &parents, &children);
	bool stays = error || parents > 0;
	if (stays)
		table_drop(object);
	spin_unlock(&table.lock);
	return stays;
}

/*
 * A deleted persistent object leaves the store before it leaves the table, so that its ID is not
 * found in between. Whatever translated to its pages is gone: mappings hold references.
 */
static void object_leave_store(struct object *object)
{
	if (stays_tied(object))
		return;
	object_stored_ties_drop(object);
	kso_forget(object->id);
	int error = store_free_begin(object->store, &object->stored, &object->freeing);

	object->leaving = error == 0;
	if (error)
		log_error("freeing " IDFMT " in the store failed (%d)", IDPR(object->id), error);
	spin_lock(&table.lock);
	table_drop(object);
	spin_unlock(&table.lock);
}

/*
 * What an object holds goes with it, and may hold others: those are given back one after the other,
 * not one within the other, however long the chain is. Of each CPU, touched by it alone.
 */
static struct ending {
	struct list objects; /* struct object.end_link */
	bool busy;
} endings[CONFIG_MAX_CPUS];

static void object_end(struct object *object)
{
	struct ending *ending = &endings[this_cpu()->id];
	struct list *node;

	if (!ending->busy)
		list_init(&ending->objects);
	list_push_back(&ending->objects, &object->end_link);
	if (ending->busy)
		return;
	ending->busy = true;
	while ((node = list_pop_front(&ending->objects))) {
		object = list_entry(node, struct object, end_link);
		if (object->in_table)
			object_leave_store(object);
		object_free(object);
	}
	ending->busy = false;
}

void object_put(struct object *object)
{
	if (!object || put_not_last(object))
		return;
	spin_lock(&table.lock);
	if (atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) != 1) {
		spin_unlock(&table.lock);
		return;
	}
	bool stays_in_table = object->persistent && object->deleted &&
			      !persist_readonly(object->store);
	if (object->in_table && !stays_in_table)
		table_drop(object);
	spin_unlock(&table.lock);
	object_end(object);
}

int object_delete(struct object *object, bool immediate)
{
	bool drop_table_ref = false;
	int error = 0;

	spin_lock(&object->lock);
	if (!object->deleted && object->persistent)
		error = store_mark_deleted(object->store, &object->stored);
	if (!error) {
		/* A volatile object's table reference is what kept it alive so far. */
		drop_table_ref = !object->deleted && !object->persistent;
		object->deleted = true;
	}
	spin_unlock(&object->lock);
	if (error)
		return error;
	object_tie_review(object);
	if (immediate) {
		spin_lock(&table.lock);
		object->hidden = true;
		spin_unlock(&table.lock);
		sync_object_deleted(object);
	}
	if (drop_table_ref)
		object_put(object);
	return 0;
}

uint64_t objects_count(void)
{
	spin_lock(&table.lock);
	uint64_t count = table.count;
	spin_unlock(&table.lock);
	return count;
}
