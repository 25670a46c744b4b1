// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls on objects.
 */
#include <abi/errno.h>
#include <abi/object.h>
#include <abi/sysinfo.h>
#include <arch/upcall.h>
#include <base/bits.h>
#include <base/string.h>
#include <mm/usercopy.h>
#include <obj/object.h>
#include <sched/stat.h>
#include <sched/thread.h>
#include <sec/check.h>
#include <sec/context.h>
#include <sys/access.h>
#include <sys/calls.h>

/*
 * The call again with what is left, when something large is gone: not to delete anything, but to
 * free its pages, so that they are free when the call returns. No other call looks like this: ID 0
 * is nobody's.
 */
#define SWEEP_ONLY (1ul << 63)

static long sweep(long result)
{
	struct arch_regs *regs = &current_thread()->regs;

	if (result || !object_remains_step())
		return result;
	arch_regs_set_argument(regs, 0, 0);
	arch_regs_set_argument(regs, 1, 0);
	arch_regs_set_argument(regs, 2, SWEEP_ONLY);
	arch_regs_restart(regs);
	return SYSCALL_PARKED;
}

/* lo hi flags */
long sys_odelete(SYS_ARGS)
{
	SYS_UNUSED();
	if (a0 == 0 && a1 == 0 && a2 == SWEEP_ONLY)
		return sweep(0);
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
		error = sec_allows(current_thread(), object, SEC_OP_DELETE);
		if (!error)
			error = object_delete(object, a2 & TWZ_OD_IMMEDIATE);
	}
	object_put(object);
	return sweep(error);
}

static int tie_checked(struct object *parent, struct object *child, bool untie)
{
	int error = sec_allows(current_thread(), parent, SEC_OP_TIE_PARENT);

	if (!error && !untie)
		error = sec_allows(current_thread(), child, SEC_OP_TIE_CHILD);
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
	struct object *child = a4 & OTIE_UNTIE ? object_get_kept(MKID(a3, a2)) : object_get(MKID(a3, a2));
	int error = -ENOENT;
	if (parent && child)
		error = tie_checked(parent, child, a4 & OTIE_UNTIE);
	object_put(parent);
	object_put(child);
	return error;
}

static void fill_flags(struct object *object, struct kernel_ostat *stat)
{
	stat->flags = (object->pins ? OS_FLAGS_PIN : 0) |
		      (object->kernel_owned ? OS_FLAGS_KERNEL : 0) |
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
	stat->cache_mode = object_cache_mode(object, 1);
	stat->nr_sleepers = atomic_load(&object->sleepers);
	stat->backing = object->persistent ? TWZ_BACKING_PERSISTENT : TWZ_BACKING_VOLATILE;
	stat->pages = object->page_count;
	stat->maps = object->map_count;
	if (object->persistent)
		(void)store_tie_counts(object->store, &object->stored, &stat->ties_in,
				       &stat->ties_out);
	stat->ties_in += object->ties_in;
	stat->ties_out += object->ties_out;
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
	bool shared = !error && page && object_page_shared(object, pgnr, page);
	spin_unlock(&object->lock);
	stat->pgnr = pgnr;
	stat->flags = (page ? OS_PAGE_EXIST : 0) | (shared ? OS_PAGE_COW : 0);
	return error;
}

/* type lo hi arg out* */
long sys_ostat(SYS_ARGS)
{
	union {
		struct kernel_ostat object;
		struct kernel_ostat_page page;
		struct kernel_ostat_thread thread;
		struct kernel_ostat_sctx context;
	} stat;
	size_t size = sizeof(stat.object);

	SYS_UNUSED();
	if (a0 != TWZ_OSTAT_OBJECT && a0 != TWZ_OSTAT_PAGE && a0 != TWZ_OSTAT_THREAD &&
	    a0 != TWZ_OSTAT_SCTX)
		return -EINVAL;
	struct object *object = object_get(MKID(a2, a1));
	if (!object)
		return -ENOENT;
	int error = sec_allows(current_thread(), object, SEC_OP_STAT);
	if (!error && a0 == TWZ_OSTAT_OBJECT) {
		fill_stat(object, &stat.object);
	} else if (!error && a0 == TWZ_OSTAT_THREAD) {
		size = sizeof(stat.thread);
		error = thread_stat(object, &stat.thread);
	} else if (!error && a0 == TWZ_OSTAT_SCTX) {
		size = sizeof(stat.context);
		error = seccontext_stat(object, &stat.context);
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
	int error = sys_take_object(MKID(a1, a0), SEC_OP_WRITE, &object);
	if (error)
		return error;
	object_sync(object, a2, length);
	object_put(object);
	return 0;
}

/* ---- Copying ranges ---- */

static int check_ranges(uint64_t to, uint64_t from, uint64_t length, bool same)
{
	if (!is_aligned(to | from | length, PAGE_SIZE) || to < OBJ_NULLPAGE_SIZE ||
	    from < OBJ_NULLPAGE_SIZE || !range_within(to, length, OBJ_MAXSIZE) ||
	    !range_within(from, length, OBJ_MAXSIZE))
		return -EINVAL;
	return same && ranges_overlap(to, length, from, length) ? -EINVAL : 0;
}

/* One batch, and the call again with what is left: a large copy delays nobody. */
static long copy_step(struct object *to, struct object *from, uint64_t to_at, uint64_t from_at,
		      uint64_t length)
{
	struct arch_regs *regs = &current_thread()->regs;
	uint64_t done;
	int error = object_copy_pages(to, to_at / PAGE_SIZE, from, from_at / PAGE_SIZE,
				      length / PAGE_SIZE, &done);

	done *= PAGE_SIZE;
	if (error || done == length)
		return error;
	arch_regs_set_argument(regs, 2, to_at + done);
	arch_regs_set_argument(regs, 3, from_at + done);
	arch_regs_set_argument(regs, 4, length - done);
	arch_regs_restart(regs);
	return SYSCALL_PARKED;
}

/* dest* src* doff soff len flags */
long sys_ocopy(SYS_ARGS)
{
	struct object *to;
	struct object *from = NULL;
	objid_t to_id, from_id;

	if (a5)
		return -EINVAL;
	int error = copy_from_user(&to_id, a0, sizeof(to_id));
	if (!error)
		error = copy_from_user(&from_id, a1, sizeof(from_id));
	if (!error)
		error = check_ranges(a2, a3, a4, to_id == from_id);
	if (!error)
		error = sys_take_object(to_id, SEC_OP_COPY_TO, &to);
	if (error)
		return error;
	if (from_id)
		error = sys_take_object(from_id, SEC_OP_COPY_FROM, &from);
	if (!error && to->kernel_owned)
		error = -EACCES;
	long result = error ? error : copy_step(to, from, a2, a3, a4);
	object_put(from);
	object_put(to);
	return result;
}

/* lo hi addr* flags */
long sys_opin(SYS_ARGS)
{
	struct object *object;

	SYS_UNUSED();
	if (a3 & ~(unsigned long)OP_UNPIN)
		return -EINVAL;
	if (a2)
		return -ENOTSUP; /* no device address means the same to every device here */
	/* What is deleted at once is not found any more, but what keeps it can be taken away. */
	int error = (a3 & OP_UNPIN ? sys_take_kept : sys_take_object)(MKID(a1, a0), SEC_OP_PIN, &object);
	if (error)
		return error;
	error = a3 & OP_UNPIN ? object_unpin(object) : object_pin(object);
	object_put(object);
	return error;
}

static long octl_cache_mode(struct object *object, uint64_t offset, uint64_t length, uint64_t mode)
{
	if (!range_within(offset, length, OBJ_MAXSIZE - OBJ_NULLPAGE_SIZE) || mode > OC_CM_WC)
		return -EINVAL;
	if (object->kernel_owned)
		return mode == OC_CM_WB ? 0 : -EINVAL;
	if (length == 0)
		return 0;
	uint64_t first = (offset + OBJ_NULLPAGE_SIZE) / PAGE_SIZE;
	uint64_t end = div_round_up(offset + OBJ_NULLPAGE_SIZE + length, PAGE_SIZE);
	/* The kernel reads metadata where it stands: it stays as it is. */
	return object_set_cache_mode(object, first, MIN(end, (uint64_t)OBJ_META_PGNR), (unsigned int)mode);
}

static long octl(struct object *object, unsigned long op, unsigned long a1, unsigned long a2,
		 unsigned long a3)
{
	switch (op) {
	case OCO_CACHE_MODE:
		return octl_cache_mode(object, a1, a2, a3);
	case OCO_PERSIST:
		return a1 > 1 || a2 || a3 ? -EINVAL : object_set_persistent(object, a1);
	default:
		return -ENOTSUP;
	}
}

/* lo hi op a1 a2 a3 */
long sys_octl(SYS_ARGS)
{
	struct object *object;

	SYS_UNUSED();
	if (a2 > OCO_MAP_RO)
		return -EINVAL;
	int error = sys_take_object(MKID(a1, a0), SEC_OP_CONFIGURE, &object);
	if (error)
		return error;
	long result = octl(object, a2, a3, a4, a5);
	object_put(object);
	return result;
}
