// SPDX-License-Identifier: BSD-3-Clause
/*
 * How readers and writers of a stream sleep and wake.
 *
 * No wake is lost. A sleeper clears its bit under the lock, having seen there that it has nothing
 * to do, and then sleeps while the word has the value its own clear left. Whoever gives it
 * something to do afterwards has the lock later, so it sees the bit clear, sets it, and then
 * wakes; if it sets the bit before the sleeper is in the kernel's queue, the kernel finds that the
 * word differs.
 *
 * Setting stands inside the lock and waking behind it, so that who is woken finds the lock free.
 * One that ends between the two leaves a bit that is set and a sleeper: for that it marks the wake
 * as due, together with the bit, and whoever has the lock next and finds the mark wakes, too. The
 * marks are in the word's upper half, sleepers compare the lower.
 *
 * Order: the word needs none of its own. What a bit stands for is read and written under the lock,
 * whose acquire and release order it; who waits for a bit without the lock (event_wait) reads it
 * with acquire, and it is set with release.
 */
#include "stream.h"

#include <twz/sys/sync.h>

#define DUE(bits) ((bits) << STREAM_DUE_SHIFT)
#define EVERYBODY ((uint64_t)-1)
#define ACCESS (FE_READ | FE_WRITE)

static void wake(struct evhdr *ev)
{
	struct sys_thread_sync_args op = {
		.addr = (uintptr_t)&ev->point,
		.arg = EVERYBODY,
		.op = THREAD_SYNC_WAKE,
	};

	sys_thread_sync(1, &op, NULL);
}

SLOW void __stream_mutex_wake(struct mutex *m)
{
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&m->sleep, 1, NULL);
}

/* What the other had published stands; whether it had told anybody is not known. */
SLOW void __stream_taken_over(struct evhdr *ev)
{
	atomic_fetch_or_explicit(&ev->point, STREAM_BOTH, memory_order_release);
	wake(ev);
}

void __stream_unlock_and_wake(struct evhdr *ev, struct mutex *m, uint64_t bits)
{
	atomic_fetch_or_explicit(&ev->point, bits | DUE(bits), memory_order_release);
	__stream_mutex_give(m);
	wake(ev);
	atomic_fetch_and_explicit(&ev->point, ~DUE(bits), memory_order_relaxed);
}

int __stream_wait(struct evhdr *ev, struct mutex *m, uint64_t bit)
{
	uint64_t point = atomic_fetch_and_explicit(&ev->point, ~bit, memory_order_relaxed) & ~bit;
	struct sys_thread_sync_args ops[2] = { {
		.addr = (uintptr_t)&ev->point,
		.arg = (uint32_t)point,
		.op = THREAD_SYNC_SLEEP,
		.flags = THREAD_SYNC_32BIT,
	} };

	__stream_mutex_give(m);
	return (int)__twz_sleep(1, ops, NULL);
}

static bool is_volatile(objid_t id)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0 && !(st.flags & OS_FLAGS_PERSIST);
}

/* The object this thread asked for last: borrowed handles do not live long enough to remember. */
static __thread struct {
	objid_t id;
	uint64_t flags;
} last;

SLOW bool __stream_learn_kind(twzobj *o)
{
	uint64_t kinds = __atomic_load_n(&__twz_kinds, __ATOMIC_ACQUIRE);
	objid_t id = o->id;

	if (!id && twz_vaddr_to_obj(o->base, &id, NULL) < 0)
		return true;
	if (last.id != id || last.flags >> H_KINDS_SHIFT != kinds) {
		last.flags = kinds << H_KINDS_SHIFT | (is_volatile(id) ? H_VOLATILE : 0);
		last.id = id;
	}
	__atomic_store_n(&o->flags, last.flags | (o->flags & H_BORROWED), __ATOMIC_RELAXED);
	return !(last.flags & H_VOLATILE);
}

void __stream_touch_pages(const void *p, size_t len)
{
	const volatile char *c = p;

	for (size_t i = 0; i < len; i += TWZ_PAGE_SIZE)
		(void)c[i];
}

void __stream_touch_pages_writable(void *p, size_t len)
{
	volatile char *c = p;

	for (size_t i = 0; i < len; i += TWZ_PAGE_SIZE)
		c[i] = c[i];
}

int __stream_register(twzobj *o, uint64_t tag, void *p)
{
	int r = twz_object_addext(o, tag, p);

	if (r == -EEXIST)
		return 0;
	return r < 0 ? r : 1;
}

void *__stream_ext(twzobj *o, uint64_t tag, uint64_t size)
{
	void *p = twz_object_getext(o, tag);

	return p && __stream_in(o, p) && __stream_fits(p, size) ? p : NULL;
}

int __stream_register_two(twzobj *o, uint64_t tag, void *p, struct twzio_hdr *io)
{
	int first = __stream_register(o, tag, p);
	int second = first < 0 ? first : __stream_register(o, TWZIO_METAEXT_TAG, io);

	if (second < 0 && first > 0)
		twz_object_delext(o, tag);
	return second < 0 ? second : 0;
}

int __stream_end(twzobj *endobj, void *loc, struct twzio_hdr *io, twzobj *chan, uint64_t tag)
{
	char *hdr = __stream_ext(chan, tag, sizeof(uint64_t));
	int r;

	if (!hdr)
		return -EINVLOBJ;
	__twz_obj_flush(endobj, (char *)loc + sizeof(uint64_t), sizeof(uint64_t) + sizeof(*io));
	r = twz_ptr_store_guid(endobj, (void **)loc, chan, (void *)twz_ptr_local(hdr), ACCESS);
	if (r == 0)
		r = __stream_register(endobj, TWZIO_METAEXT_TAG, io);
	return r < 0 ? r : 0;
}
