// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls that make objects.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <abi/syscall.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/phys.h>
#include <mm/slab.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sys/access.h>
#include <sys/calls.h>
#include <sys/making.h>

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

static uint16_t create_p_flags(unsigned long flags)
{
	return (flags & DFL_MASK) | (flags & TWZ_OC_HASHDATA ? MIP_HASHDATA : 0);
}

/* ---- A call under way ---- */

struct general;

/*
 * A creation whose call is made again until it is complete. The thread has it meanwhile; only the
 * very same call goes on with it, any other drops it. Then it starts over: nothing of it was
 * visible.
 */
struct making {
	struct object_creation creation;
	struct object_spec spec;
	struct object_source source; /* SYS_OCREATE */
	struct general *general;     /* SYS_OCREATE2, else NULL */
	uintptr_t id_at;             /* where the ID goes */
	const struct addrspace *space;
	unsigned long args[6];
};

static struct slab_cache making_cache = SLAB_CACHE("creation", struct making);

#define STEPS_A_CALL 5u /* small objects are made in as many */

static void general_free(struct general *general);

static void making_free(struct making *making)
{
	object_put(making->source.object);
	if (making->general)
		general_free(making->general);
	slab_free(&making_cache, making);
}

void making_drop(struct thread *thread)
{
	struct making *making = thread->making;

	if (!making)
		return;
	thread->making = NULL;
	object_create_abandon(&making->creation);
	making_free(making);
}

/* What this thread's call got to before, or NULL. */
static struct making *making_resume(struct thread *thread, const unsigned long args[6])
{
	struct making *making = thread->making;

	if (making && making->space == thread->space && memcmp(making->args, args, sizeof(making->args)) == 0) {
		thread->making = NULL;
		return making;
	}
	making_drop(thread);
	return NULL;
}

static struct making *making_new(struct thread *thread, const unsigned long args[6])
{
	struct making *making = slab_alloc_zero(&making_cache);

	if (!making)
		return NULL;
	making->space = thread->space;
	memcpy(making->args, args, sizeof(making->args));
	return making;
}

/*
 * Tell the ID, then let the object be found under it: an ID that cannot be told leaves no object.
 * On an error there is 0 where the ID goes.
 */
static long tell_and_finish(struct making *making)
{
	const objid_t zero = 0;
	struct object *object;
	int error = copy_to_user(making->id_at, &making->creation.id, sizeof(objid_t));

	if (error) {
		object_create_abandon(&making->creation);
		return error;
	}
	error = object_create_finish(&making->creation, &object);
	if (!error)
		object_put(object);
	else
		(void)copy_to_user(making->id_at, &zero, sizeof(zero));
	return error;
}

/* Nothing is full for good while something large that is gone still takes room. */
static bool no_room(long result)
{
	return (result == -ENOSPC || result == -ENOMEM) && object_remains_step();
}

static long again(struct thread *thread)
{
	arch_regs_restart(&thread->regs);
	return SYSCALL_PARKED;
}

/* Some steps, and the call again with what is left: a large object delays nobody. */
static long making_go_on(struct thread *thread, struct making *making)
{
	int more = 1;

	for (unsigned int i = 0; more == 1 && i < STEPS_A_CALL; i++)
		more = object_create_step(&making->creation);
	if (more == 1) {
		thread->making = making;
		return again(thread);
	}
	long result = more ? more : tell_and_finish(making);
	making_free(making);
	return no_room(result) ? again(thread) : result;
}

static long making_begin(struct thread *thread, struct making *making)
{
	int error = object_create_begin(&making->creation, &making->spec);

	if (!error)
		return making_go_on(thread, making);
	making_free(making);
	return error;
}

/* ---- The short form ---- */

/* kulo kuhi slo shi flags id* */
static int fill_short(struct making *making, const unsigned long *args)
{
	const objid_t zero = 0;
	objid_t source_id = MKID(args[3], args[2]);
	int error = check_create_flags(args[4]);

	making->id_at = args[5];
	making->spec = (struct object_spec){
		.p_flags = create_p_flags(args[4]),
		.persistent = args[4] & TWZ_OC_PERSIST,
		.zero_nonce = args[4] & TWZ_OC_ZERONONCE,
		.kuid = MKID(args[1], args[0]),
		.sources = &making->source,
		.source_count = source_id != 0,
	};
	making->source =
		(struct object_source){ .first = 1, .count = OBJ_MAXPAGES - 1, .dest = 1, .whole = true };
	/* The result is writable, or nothing happens. */
	if (!error)
		error = copy_to_user(making->id_at, &zero, sizeof(zero));
	if (!error && source_id)
		error = sys_take_object(source_id, SEC_OP_CREATE_FROM, &making->source.object);
	return error;
}

long sys_ocreate(SYS_ARGS)
{
	const unsigned long args[6] = { a0, a1, a2, a3, a4, a5 };
	struct thread *thread = current_thread();
	struct making *making = making_resume(thread, args);

	if (making)
		return making_go_on(thread, making);
	making = making_new(thread, args);
	if (!making)
		return -ENOMEM;
	long error = fill_short(making, args);
	if (!error)
		return making_begin(thread, making);
	making_free(making);
	return error;
}

/* ---- The general form ---- */

/* Everything about one call; too large for the stack. */
struct general {
	struct twz_ocreate_spec spec;
	struct twz_ocreate_source user_sources[TWZ_OCREATE_MAX_SOURCES];
	objid_t user_ties[TWZ_OCREATE_MAX_TIES];
	struct object_source sources[TWZ_OCREATE_MAX_SOURCES];
	struct object *ties[TWZ_OCREATE_MAX_TIES];
	unsigned int source_count; /* entries of sources that hold a reference, or none is needed */
	unsigned int tie_count;
};

/* The cache keeps one that nobody uses: most of the time nobody has to look for so many pages. */
static struct slab_cache general_cache = SLAB_CACHE("general creation", struct general);
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

static int take_sources(struct general *general)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < general->spec.srcs_len; i++) {
		const struct twz_ocreate_source *user = &general->user_sources[i];
		struct object_source *source = &general->sources[i];
		error = decode_source(user, i == 0, source);
		if (!error && user->id)
			error = sys_take_object(user->id, SEC_OP_CREATE_FROM, &source->object);
		general->source_count += error == 0;
	}
	return error;
}

static int take_ties(struct general *general)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < general->spec.ties_len; i++) {
		error = sys_take_object(general->user_ties[i], SEC_OP_CREATE_TIED_TO, &general->ties[i]);
		general->tie_count += error == 0;
	}
	return error;
}

static void general_free(struct general *general)
{
	for (unsigned int i = 0; i < general->source_count; i++)
		object_put(general->sources[i].object);
	for (unsigned int i = 0; i < general->tie_count; i++)
		object_put(general->ties[i]);
	slab_free(&general_cache, general);
}

static int copy_in(struct general *general, uintptr_t at)
{
	struct twz_ocreate_spec *spec = &general->spec;
	const objid_t zero = 0;
	int error = copy_from_user(spec, at, sizeof(*spec));

	if (!error)
		error = check_spec(spec);
	if (!error)
		error = copy_from_user(general->user_sources, spec->srcs,
				       spec->srcs_len * sizeof(struct twz_ocreate_source));
	if (!error)
		error = copy_from_user(general->user_ties, spec->ties, spec->ties_len * sizeof(objid_t));
	/* The result is writable, or nothing happens. */
	if (!error)
		error = copy_to_user(at + offsetof(struct twz_ocreate_spec, result), &zero, sizeof(zero));
	return error;
}

static int fill_general(struct making *making, uintptr_t at)
{
	struct general *general = making->general;
	const struct twz_ocreate_spec *user = &general->spec;
	int error = copy_in(general, at);

	if (!error)
		error = take_sources(general);
	if (!error)
		error = take_ties(general);
	making->id_at = at + offsetof(struct twz_ocreate_spec, result);
	making->spec = (struct object_spec){
		.p_flags = create_p_flags(user->flags),
		.persistent = user->backing_type == TWZ_BACKING_PERSISTENT || (user->flags & TWZ_OC_PERSIST),
		.zero_nonce = user->flags & TWZ_OC_ZERONONCE,
		.born_deleted = user->lifetime == 1,
		.kuid = user->ku,
		.sources = general->sources,
		.source_count = general->source_count,
		.ties = general->ties,
		.tie_count = general->tie_count,
	};
	return error;
}

/* spec* */
long sys_ocreate2(SYS_ARGS)
{
	const unsigned long args[6] = { a0, [5] = SYS_OCREATE2 };
	struct thread *thread = current_thread();
	struct making *making = making_resume(thread, args);

	SYS_UNUSED();
	if (making)
		return making_go_on(thread, making);
	making = making_new(thread, args);
	if (!making)
		return -ENOMEM;
	making->general = slab_alloc(&general_cache);
	if (!making->general) {
		making_free(making);
		return -ENOMEM;
	}
	making->general->source_count = making->general->tie_count = 0;
	long error = fill_general(making, a0);
	if (!error)
		return making_begin(thread, making);
	making_free(making);
	return error;
}
