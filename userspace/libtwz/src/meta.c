// SPDX-License-Identifier: BSD-3-Clause
/* The metadata page: size and extensions. Extensions are published crash-safely. */
#include "runtime.h"

static size_t ext_count(const struct metainfo *mi)
{
	uint32_t milen = mi->milen;

	if (milen < MI_MILEN_MIN || milen > MI_MILEN_MAX)
		milen = MI_MILEN_DEFAULT;
	return (milen - sizeof(*mi)) / sizeof(struct metaext);
}

/* The new size; negative or too large if there is none. */
static int64_t new_size(enum twz_object_setsz_mode mode, ssize_t n, bool sized, uint64_t old)
{
	const ssize_t limit = OBJ_MAXSIZE;

	/* Beyond the limit no sum is in range either, and within it none wraps. */
	if (mode == TWZ_OSSM_RELATIVE && sized && n > -limit && n < limit && old < OBJ_MAXSIZE)
		return n + (int64_t)old;
	return n;
}

static bool range_ok(int64_t n)
{
	return n >= 0 && (uint64_t)n <= OBJ_MAXDATA;
}

void twz_object_setsz(twzobj *o, enum twz_object_setsz_mode mode, ssize_t n)
{
	struct metainfo *mi = twz_object_meta(o);
	bool sized;
	uint64_t old;
	int64_t sz;

	if (!mi)
		return;
	sized = __atomic_load_n(&mi->flags, __ATOMIC_ACQUIRE) & MIF_SZ;
	old = __atomic_load_n(&mi->sz, __ATOMIC_ACQUIRE);
	do {
		sz = new_size(mode, n, sized, old);
		if (!range_ok(sz)) {
			__twz_throw_pptr(twz_object_guid(o), 0, FAULT_PPTR_INVALID, -EINVAL, NULL);
			return;
		}
	} while (!__atomic_compare_exchange_n(&mi->sz, &old, (uint64_t)sz, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE));
	__twz_obj_flush(o, &mi->sz, sizeof(mi->sz));
	__twz_obj_fence(o);
	/* flags and p_flags as one word: not every machine has atomic halfwords. */
	__atomic_fetch_or((uint32_t *)&mi->flags, MIF_SZ, __ATOMIC_RELEASE);
	__twz_obj_flush(o, &mi->flags, sizeof(mi->flags));
	__twz_obj_fence(o);
}

static struct metaext *find_ext(struct metainfo *mi, uint64_t tag, const uint64_t *ptr)
{
	if (tag == 0 || tag == METAEXT_CLAIMED)
		return NULL;
	for (size_t i = 0; i < ext_count(mi); i++) {
		struct metaext *e = &mi->exts[i];

		if (__atomic_load_n(&e->tag, __ATOMIC_ACQUIRE) == tag && (!ptr || e->ptr == *ptr))
			return e;
	}
	return NULL;
}

void *twz_object_getext(twzobj *o, uint64_t tag)
{
	struct metainfo *mi = twz_object_meta(o);
	struct metaext *e = mi ? find_ext(mi, tag, NULL) : NULL;

	return e ? twz_object_lea(o, (void *)(uintptr_t)__atomic_load_n(&e->ptr, __ATOMIC_RELAXED))
		 : NULL;
}

/* The local p-ptr for a d-ptr or local p-ptr into o; false if it is neither. */
static bool local_ptr(twzobj *o, const void *p, uint64_t *local)
{
	if (!twz_ptr_islocal(p) && VADDR_TO_SLOT(p) != VADDR_TO_SLOT(o->base))
		return false;
	*local = (uintptr_t)p & (OBJ_MAXSIZE - 1);
	return true;
}

/*
 * A claimed slot carries the claimer's boot code, shifted up to tell it from a pointer, until
 * the pointer is written: a slot that a crash left claimed is found by that.
 */
static uint64_t claim_mark(void)
{
	return __twz_rt.sysinfo.boot_code << 1 | 1ull << 63 | 1;
}

static bool claim(struct metaext *e)
{
	uint64_t tag = 0, ptr;

	if (__atomic_compare_exchange_n(&e->tag, &tag, METAEXT_CLAIMED, false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE)) {
		__atomic_store_n(&e->ptr, claim_mark(), __ATOMIC_RELEASE);
		return true;
	}
	ptr = __atomic_load_n(&e->ptr, __ATOMIC_ACQUIRE);
	return tag == METAEXT_CLAIMED && ptr >> 63 && ptr != claim_mark() &&
	    __atomic_compare_exchange_n(&e->ptr, &ptr, claim_mark(), false, __ATOMIC_ACQ_REL,
		__ATOMIC_ACQUIRE);
}

static void publish(twzobj *o, struct metaext *e, uint64_t tag, uint64_t local)
{
	__atomic_store_n(&e->ptr, local, __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	__atomic_store_n(&e->tag, tag, __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
}

int twz_object_addext(twzobj *o, uint64_t tag, void *ptr)
{
	struct metainfo *mi = twz_object_meta(o);
	uint64_t local;

	if (!mi || tag == 0 || tag == METAEXT_CLAIMED || !local_ptr(o, ptr, &local))
		return -EINVAL;
	if (find_ext(mi, tag, NULL))
		return -EEXIST;
	for (size_t i = 0; i < ext_count(mi); i++) {
		if (claim(&mi->exts[i])) {
			publish(o, &mi->exts[i], tag, local);
			return 0;
		}
	}
	return -ENOMEM;
}

static int remove_ext(twzobj *o, uint64_t tag, const uint64_t *ptr)
{
	struct metainfo *mi = twz_object_meta(o);
	struct metaext *e = mi ? find_ext(mi, tag, ptr) : NULL;

	if (!e)
		return -ENOENT;
	__atomic_store_n(&e->tag, 0, __ATOMIC_RELEASE);
	__twz_obj_flush(o, e, sizeof(*e));
	__twz_obj_fence(o);
	return 0;
}

int(twz_object_delext)(twzobj *o, uint64_t tag)
{
	return remove_ext(o, tag, NULL);
}

int __twz_object_delext_ptr(twzobj *o, uint64_t tag, void *ptr)
{
	uint64_t local;

	return local_ptr(o, ptr, &local) ? remove_ext(o, tag, &local) : -ENOENT;
}
