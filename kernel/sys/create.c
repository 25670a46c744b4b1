// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls that make objects.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sys/access.h>
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
		error = sys_take_object(source_id, SEC_OP_CREATE_FROM, &source.object);
	if (error)
		return error;
	long result = create_and_tell(&spec, a5);
	object_put(source.object);
	return result;
}

/* ---- The general form ---- */

/* Everything about one call; too large for the stack. */
struct creation {
	struct twz_ocreate_spec spec;
	struct twz_ocreate_source user_sources[TWZ_OCREATE_MAX_SOURCES];
	objid_t user_ties[TWZ_OCREATE_MAX_TIES];
	struct object_source sources[TWZ_OCREATE_MAX_SOURCES];
	struct object *ties[TWZ_OCREATE_MAX_TIES];
	unsigned int source_count; /* entries of sources that hold a reference, or none is needed */
	unsigned int tie_count;
};

#define CREATION_ORDER 3u
_Static_assert(sizeof(struct creation) <= PAGE_SIZE << CREATION_ORDER, "fits its pages");
_Static_assert(TWZ_OCREATE_MAX_SOURCES == OBJECT_MAX_SOURCES &&
	       TWZ_OCREATE_MAX_TIES == OBJECT_MAX_TIES, "limits");

static int check_spec(const struct twz_ocreate_spec *spec)
{
	if (spec->srcs_len > TWZ_OCREATE_MAX_SOURCES || spec->ties_len > TWZ_OCREATE_MAX_TIES)
		return -EINVAL;
	if (spec->backing_type > TWZ_BACKING_PERSISTENT || spec->lifetime > 1 || spec->reserved)
		return -EINVAL;
	if (spec->lifetime == 1 && spec->ties_len == 0)
		return -EINVAL;
	return check_create_flags(spec->flags);
}

static bool page_range(uint64_t start, uint64_t length)
{
	return is_aligned(start | length, PAGE_SIZE) && range_within(start, length, OBJ_MAXSIZE);
}

/* The ranges in pages. Page 0 exists nowhere: a range that begins there loses it. */
static int decode_source(const struct twz_ocreate_source *user, bool first, struct object_source *source)
{
	uint64_t dest = user->dest ? user->dest : user->start;

	if (user->flags || !page_range(user->start, user->length) || !page_range(dest, user->length))
		return -EINVAL;
	*source = (struct object_source){
		.first = user->start / PAGE_SIZE,
		.count = user->length / PAGE_SIZE,
		.dest = dest / PAGE_SIZE,
	};
	if (user->start != 0 || user->length != 0)
		return 0;
	if (!first || user->id == 0 || user->dest != 0)
		return -EINVAL;
	source->whole = true;
	source->first = source->dest = 1;
	source->count = OBJ_MAXPAGES - 1;
	return 0;
}

static int take_sources(struct creation *creation)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < creation->spec.srcs_len; i++) {
		const struct twz_ocreate_source *user = &creation->user_sources[i];
		struct object_source *source = &creation->sources[i];
		error = decode_source(user, i == 0, source);
		if (!error && user->id)
			error = sys_take_object(user->id, SEC_OP_CREATE_FROM, &source->object);
		creation->source_count += error == 0;
	}
	return error;
}

static int take_ties(struct creation *creation)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < creation->spec.ties_len; i++) {
		error = sys_take_object(creation->user_ties[i], SEC_OP_CREATE_TIED_TO, &creation->ties[i]);
		creation->tie_count += error == 0;
	}
	return error;
}

static void release(struct creation *creation)
{
	for (unsigned int i = 0; i < creation->source_count; i++)
		object_put(creation->sources[i].object);
	for (unsigned int i = 0; i < creation->tie_count; i++)
		object_put(creation->ties[i]);
}

static int copy_in(struct creation *creation, uintptr_t at)
{
	struct twz_ocreate_spec *spec = &creation->spec;
	const objid_t zero = 0;
	int error = copy_from_user(spec, at, sizeof(*spec));

	if (!error)
		error = check_spec(spec);
	if (!error)
		error = copy_from_user(creation->user_sources, spec->srcs,
				       spec->srcs_len * sizeof(struct twz_ocreate_source));
	if (!error)
		error = copy_from_user(creation->user_ties, spec->ties, spec->ties_len * sizeof(objid_t));
	/* The result is writable, or nothing happens. */
	if (!error)
		error = copy_to_user(at + offsetof(struct twz_ocreate_spec, result), &zero, sizeof(zero));
	return error;
}

static long create_general(struct creation *creation, uintptr_t at)
{
	const struct twz_ocreate_spec *user = &creation->spec;
	int error = take_sources(creation);

	if (!error)
		error = take_ties(creation);
	if (error)
		return error;
	const struct object_spec spec = {
		.p_flags = create_p_flags(user->flags),
		.persistent = user->backing_type == TWZ_BACKING_PERSISTENT || (user->flags & TWZ_OC_PERSIST),
		.zero_nonce = user->flags & TWZ_OC_ZERONONCE,
		.born_deleted = user->lifetime == 1,
		.kuid = user->ku,
		.sources = creation->sources,
		.source_count = creation->source_count,
		.ties = creation->ties,
		.tie_count = creation->tie_count,
	};
	return create_and_tell(&spec, at + offsetof(struct twz_ocreate_spec, result));
}

/* spec* */
long sys_ocreate2(SYS_ARGS)
{
	struct creation *creation = pages_alloc(CREATION_ORDER);

	SYS_UNUSED();
	if (!creation)
		return -ENOMEM;
	creation->source_count = creation->tie_count = 0;
	long result = copy_in(creation, a0);
	if (!result) {
		result = create_general(creation, a0);
		release(creation);
	}
	pages_free(creation, CREATION_ORDER);
	return result;
}
