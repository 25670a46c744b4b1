// SPDX-License-Identifier: BSD-3-Clause
/*
 * How readers and writers of a stream sleep and wake.
 *
 * No wake is lost. A sleeper clears its bit under the lock, having seen there that it has nothing to
 * do, and then sleeps while the word has the value its own clear left. Whoever gives it something to
 * do afterwards has the lock later, so it sees the bit clear, sets it, and then wakes; if it sets the
 * bit before the sleeper is in the kernel's queue, the kernel finds that the word differs.
 *
 * Setting stands inside the lock and waking behind it, so that who is woken finds the lock free. One
 * that ends between the two leaves a bit that is set and a sleeper: for that it marks the wake as
 * due, together with the bit, and whoever has the lock next and finds the mark wakes, too. The marks
 * are in the word's upper half, sleepers compare the lower.
 *
 * Order: the word needs none of its own. What a bit stands for is read and written under the lock,
 * whose acquire and release order it; who waits for a bit without the lock (event_wait) reads it with
 * acquire, and it is set with release.
 */
#include "stream.h"

#include <twz/sys/sync.h>

#define DUE(bits) ((bits) << 32)
#define EVERYBODY ((uint64_t)-1)
#define ACCESS (FE_READ | FE_WRITE)

/* What a handle knows, in its flags. */
#define H_KIND_KNOWN 0x100u
#define H_KIND_VOLATILE 0x200u

static void wake(struct evhdr *ev)
{
	twz_thread_sync(THREAD_SYNC_WAKE, (atomic_ulong *)&ev->point, EVERYBODY, NULL);
}

bool __stream_lock(struct evhdr *ev, struct mutex *m)
{
	if (mutex_acquire_r(m) == 0)
		return false;
	/* What it had published stands; whether it had told anybody is not known. */
	atomic_fetch_or_explicit(&ev->point, STREAM_BOTH, memory_order_release);
	wake(ev);
	return true;
}

static void unlock_and_wake(struct evhdr *ev, struct mutex *m, uint64_t bits)
{
	atomic_fetch_or_explicit(&ev->point, bits | DUE(bits), memory_order_release);
	mutex_release(m);
	wake(ev);
	atomic_fetch_and_explicit(&ev->point, ~DUE(bits), memory_order_relaxed);
}

void __stream_unlock(struct evhdr *ev, struct mutex *m, uint64_t bits)
{
	uint64_t point = atomic_load_explicit(&ev->point, memory_order_relaxed);

	bits &= ~point | point >> 32;
	if (bits)
		unlock_and_wake(ev, m, bits);
	else
		mutex_release(m);
}

int __stream_wait(struct evhdr *ev, struct mutex *m, uint64_t bit)
{
	uint64_t point = atomic_fetch_and_explicit(&ev->point, ~bit, memory_order_relaxed) & ~bit;

	mutex_release(m);
	return twz_thread_sync32(THREAD_SYNC_SLEEP, (atomic_uint_least32_t *)&ev->point,
	    (uint32_t)point, NULL);
}

/* Ask the kernel once for a handle; one that is borrowed has nowhere to remember it. */
static bool learn_kind(twzobj *o)
{
	struct kernel_ostat st;
	bool durable = o->flags & H_BORROWED || twz_object_kstat(o, &st) < 0 ||
		       st.flags & OS_FLAGS_PERSIST;

	__atomic_fetch_or(&o->flags, H_KIND_KNOWN | (durable ? 0 : H_KIND_VOLATILE), __ATOMIC_RELAXED);
	return durable;
}

bool __stream_durable(twzobj *o)
{
	uint64_t flags = __atomic_load_n(&o->flags, __ATOMIC_RELAXED);

	if (!__twz_have_store())
		return false;
	return flags & H_KIND_KNOWN ? !(flags & H_KIND_VOLATILE) : learn_kind(o);
}

void __stream_touch(const void *p, size_t len)
{
	const volatile char *c = p;

	for (size_t i = 0; i < len; i += TWZ_PAGE_SIZE)
		(void)c[i];
	if (len)
		(void)c[len - 1];
}

static void rewrite(volatile char *c)
{
	*c = *c;
}

void __stream_touch_writable(void *p, size_t len)
{
	char *c = p;

	for (size_t i = 0; i < len; i += TWZ_PAGE_SIZE)
		rewrite(c + i);
	if (len)
		rewrite(c + len - 1);
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
