// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls on objects.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <abi/sysinfo.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sys/calls.h>

#define DFL_MASK (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE | \
		  TWZ_OC_DFL_DEL)

static int check_create_flags(unsigned long flags)
{
	if (flags & ~(unsigned long)TWZ_SYS_OC_ALL)
		return -EINVAL;
	if ((flags & TWZ_OC_HASHDATA) && (flags & TWZ_OC_DFL_WRITE))
		return -EINVAL;
	if ((flags & TWZ_OC_ZERONONCE) && !(flags & TWZ_OC_HASHDATA))
		return -EINVAL;
	if (flags & TWZ_OC_DMA)
		return -ENOTSUP; /* no device can be given memory yet */
	return 0;
}

/* A referenced object on which the current thread has `need`; or the error. */
static int get_checked(objid_t id, uint32_t need, struct object **out)
{
	struct object *object = object_get(id);

	if (!object)
		return -ENOENT;
	int error = sec_check(current_thread(), object, need);
	if (error) {
		object_put(object);
		return error;
	}
	*out = object;
	return 0;
}

/* Make the object and tell its ID; an ID that cannot be told takes the object with it. */
static long create_and_tell(const struct object_spec *spec, uintptr_t id_at)
{
	struct object *object;
	int error = object_create(spec, &object);

	if (error)
		return error;
	error = copy_to_user(id_at, &object->id, sizeof(object->id));
	if (error)
		object_delete(object, false);
	object_put(object);
	return error;
}

static uint16_t create_p_flags(unsigned long flags)
{
	return (flags & DFL_MASK) | (flags & TWZ_OC_HASHDATA ? MIP_HASHDATA : 0);
}

/* kulo kuhi slo shi flags id* */
long sys_ocreate(SYS_ARGS)
{
	const objid_t zero = 0;
	objid_t source_id = MKID(a3, a2);
	struct object_source source = { .first = 1, .count = OBJ_MAXPAGES - 1, .dest = 1, .whole = true };
	struct object_spec spec = {
		.p_flags = create_p_flags(a4),
		.persistent = a4 & TWZ_OC_PERSIST,
		.zero_nonce = a4 & TWZ_OC_ZERONONCE,
		.kuid = MKID(a1, a0),
		.sources = &source,
		.source_count = source_id != 0,
	};
	int error = check_create_flags(a4);

	if (error)
		return error;
	/* The result is writable, or nothing happens. */
	error = copy_to_user(a5, &zero, sizeof(zero));
	if (!error && source_id)
		error = get_checked(source_id, SEC_READ, &source.object);
	if (error)
		return error;
	long result = create_and_tell(&spec, a5);
	object_put(source.object);
	return result;
}

/* lo hi flags */
long sys_odelete(SYS_ARGS)
{
	SYS_UNUSED();
	if (a2 & ~(unsigned long)TWZ_OD_IMMEDIATE)
		return -EINVAL;
	struct object *object = object_get(MKID(a1, a0));
	if (!object)
		return -ENOENT;
	spin_lock(&object->lock);
	bool deleted = object->deleted;
	spin_unlock(&object->lock);
	/* Deleting what is deleted changes nothing and needs nothing. */
	int error = 0;
	if (!deleted || (a2 & TWZ_OD_IMMEDIATE)) {
		error = sec_check(current_thread(), object, SEC_DEL);
		if (!error)
			error = object_delete(object, a2 & TWZ_OD_IMMEDIATE);
	}
	object_put(object);
	return error;
}

static int tie_checked(struct object *parent, struct object *child, bool untie)
{
	int error = sec_check(current_thread(), parent, SEC_WRITE);

	if (!error && !untie)
		error = sec_check_any(current_thread(), child, SEC_READ | SEC_WRITE | SEC_EXEC | SEC_USE);
	if (error)
		return error;
	return untie ? object_untie(parent, child) : object_tie(parent, child);
}

/* plo phi clo chi flags */
long sys_otie(SYS_ARGS)
{
	SYS_UNUSED();
	if (a4 & ~(unsigned long)OTIE_UNTIE)
		return -EINVAL;
	struct object *parent = object_get(MKID(a1, a0));
	struct object *child = object_get(MKID(a3, a2));
	int error = -ENOENT;
	if (parent && child)
		error = tie_checked(parent, child, a4 & OTIE_UNTIE);
	object_put(parent);
	object_put(child);
	return error;
}

static void fill_flags(struct object *object, struct kernel_ostat *stat)
{
	stat->flags = (object->kernel_owned ? OS_FLAGS_KERNEL : 0) |
		      (object->persistent ? OS_FLAGS_PERSIST : 0) |
		      (object->hidden ? OS_FLAGS_HIDDEN : 0) |
		      (object->deleted ? OS_FLAGS_DELETED : 0) |
		      (object->identity == OBJ_INVALID ? OS_FLAGS_INVALID : 0) |
		      (object->p_flags & MIP_HASHDATA ? OS_FLAGS_HASH : 0);
}

static void fill_stat(struct object *object, struct kernel_ostat *stat)
{
	memset(stat, 0, sizeof(*stat));
	spin_lock(&object->lock);
	void *page;
	fill_flags(object, stat);
	stat->kso_type = object->kso_type;
	stat->nr_sleepers = atomic_load(&object->sleepers);
	stat->backing = object->persistent ? TWZ_BACKING_PERSISTENT : TWZ_BACKING_VOLATILE;
	stat->pages = object->page_count;
	stat->maps = object->map_count;
	stat->ties_in = object->ties_in;
	stat->pins = object->pins;
	stat->p_flags = object->p_flags;
	stat->kuid = object->kuid;
	if (object_page(object, OBJ_META_PGNR, false, &page) == 0 && page) {
		const struct metainfo *mi = page;
		stat->sz = mi->flags & MIF_SZ ? mi->sz : 0;
		stat->fotentries = mi->fotentries;
	}
	spin_unlock(&object->lock);
}

static int fill_page_stat(struct object *object, uint64_t pgnr, struct kernel_ostat_page *stat)
{
	void *page;

	memset(stat, 0, sizeof(*stat));
	spin_lock(&object->lock);
	int error = object_page(object, pgnr, false, &page);
	spin_unlock(&object->lock);
	stat->pgnr = pgnr;
	stat->flags = page ? OS_PAGE_EXIST : 0;
	return error;
}

/* type lo hi arg out* */
long sys_ostat(SYS_ARGS)
{
	union {
		struct kernel_ostat object;
		struct kernel_ostat_page page;
	} stat;
	size_t size = sizeof(stat.object);

	SYS_UNUSED();
	if (a0 != TWZ_OSTAT_OBJECT && a0 != TWZ_OSTAT_PAGE)
		return -EINVAL;
	struct object *object = object_get(MKID(a2, a1));
	if (!object)
		return -ENOENT;
	int error = sec_check_any(current_thread(), object, SEC_ALL);
	if (!error && a0 == TWZ_OSTAT_OBJECT) {
		fill_stat(object, &stat.object);
	} else if (!error) {
		size = sizeof(stat.page);
		error = fill_page_stat(object, a3, &stat.page);
	}
	object_put(object);
	return error ? error : copy_to_user(a4, &stat, size);
}

/* lo hi off len flags */
long sys_osync(SYS_ARGS)
{
	struct object *object;
	uint64_t length = a3 ? a3 : OBJ_MAXSIZE - a2;

	SYS_UNUSED();
	if (a4 || a2 > OBJ_MAXSIZE || !range_within(a2, length, OBJ_MAXSIZE))
		return -EINVAL;
	int error = get_checked(MKID(a1, a0), SEC_WRITE, &object);
	if (error)
		return error;
	object_sync(object, a2, length);
	object_put(object);
	return 0;
}
