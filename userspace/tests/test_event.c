// SPDX-License-Identifier: BSD-3-Clause
/* Events: bits of words, waiting for many of them, timeouts, wakes from other threads. */
#include "ktap.h"
#include "testlib.h"

#include <twz/obj/event.h>

#define MS(n) ((struct timespec){ (n) / 1000, (n) % 1000 * (long)NS_PER_MS })

static struct event many[EVENT_WAIT_MAX + 1];
static struct evhdr words[EVENT_WAIT_MAX + 1];

static void clear_words(void)
{
	for (size_t i = 0; i <= EVENT_WAIT_MAX; i++) {
		atomic_store(&words[i].point, 0);
		event_init(&many[i], &words[i], 1);
	}
}

static void bits(void)
{
	struct evhdr *hdr;
	twzobj o;

	NEED(new_object(&o) == 0);
	hdr = twz_object_base(&o);
	atomic_store(&hdr->point, 77);
	event_obj_init(&o, hdr);
	CHECK_EQ(event_poll(hdr, ~0ull), 0);
	CHECK(twz_object_getext(&o, EVENT_METAEXT_TAG) == hdr);
	CHECK_EQ(event_wake(hdr, 6, -1), 0);
	CHECK_EQ(event_wake(hdr, 2, -1), 0);
	CHECK_EQ(event_poll(hdr, ~0ull), 6);
	CHECK_EQ(event_poll(hdr, 3), 2);
	CHECK_EQ(event_clear(hdr, 3), 2);
	CHECK_EQ(event_clear(hdr, 3), 0);
	CHECK_EQ(event_poll_other(&hdr->point, ~0ull), 4);
	CHECK_EQ(event_wake_other(&hdr->point, 1ull << 63, 1), 0);
	CHECK_EQ((int64_t)event_clear_other(&hdr->point, 1ull << 63), INT64_MIN);
	CHECK_EQ(event_poll(hdr, ~0ull), 4);
	drop_object(&o);
}

static void both_forms(void)
{
	struct timespec to = MS(1);
	struct event e;

	clear_words();
	CHECK_EQ(event_init(&e, &words[0], 0), -EINVAL);
	CHECK_EQ(event_init(&e, &words[0], 3), 0);
	CHECK(e.hdr == &words[0] && e.events == 3 && e.result == 0 && e.flags == 0);
	CHECK_EQ(event_init(&e, &words[0], 3, NULL), 0);
	CHECK_EQ(e.flags, 0);
	CHECK_EQ(event_init(&e, &words[0], 3, &to), 0);
	CHECK_EQ(e.flags, EVENT_TIMEOUT);
	CHECK_EQ(event_wait(1, &e), 0);
	event_wake(&words[0], 2, -1);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(e.result, 2);
	CHECK_EQ((event_wait)(1, &e, NULL), 1);
	CHECK_EQ((event_init)(&e, &words[0], 1), 0);
	CHECK_EQ(event_wait(1, &e, &to), 0);
}

/* T21 */
static void every_entry(void)
{
	struct timespec none = { 0, 0 };

	clear_words();
	CHECK_EQ(event_wait(EVENT_WAIT_MAX, many, &none), 0);
	for (size_t i = 0; i < EVENT_WAIT_MAX; i += 31) {
		event_wake(&words[i], 3, -1);
		CHECK_EQ(event_wait(EVENT_WAIT_MAX, many, NULL), 1);
		for (size_t k = 0; k < EVENT_WAIT_MAX; k++)
			CHECK(many[k].result == (k == i));
		event_clear(&words[i], 3);
	}
	for (size_t i = 0; i <= EVENT_WAIT_MAX; i++)
		event_wake(&words[i], 1, -1);
	CHECK_EQ(event_wait(EVENT_WAIT_MAX, many), (int)EVENT_WAIT_MAX);
	CHECK_EQ(event_wait(EVENT_WAIT_MAX + 1, many), -EINVAL);
	CHECK_EQ(event_wait(0, many), -EINVAL);
}

static uint64_t waited_ms(size_t n, struct event *e, const struct timespec *to, int want)
{
	uint64_t start = twz_clock_ns();

	CHECK_EQ(event_wait(n, e, to), want);
	return (twz_clock_ns() - start) / NS_PER_MS;
}

/* How early is checked, not how late. */
static void timeouts(void)
{
	struct timespec to = MS(5), longer = { 100000, 0 }, bad = { 0, 1000000000 }, worse = { -1, 0 };

	clear_words();
	CHECK(waited_ms(3, many, &to, 0) >= 5);
	event_add_timeout(&many[2], &to);
	CHECK(waited_ms(3, many, NULL, 0) >= 5);
	CHECK(waited_ms(3, many, &longer, 0) >= 5);
	event_add_timeout(&many[1], &longer);
	CHECK(waited_ms(3, many, NULL, 0) >= 5);
	CHECK(waited_ms(0, many, &to, 0) >= 5);
	CHECK_EQ(event_wait(3, many, &bad), -EINVAL);
	CHECK_EQ(event_wait(3, many, &worse), -EINVAL);
	event_add_timeout(&many[0], &bad);
	CHECK_EQ(event_wait(3, many, &to), -EINVAL);
}

static void wake_later(void *arg)
{
	twz_sleep_ns(2 * NS_PER_MS);
	event_wake_other(arg, 4, -1);
}

static void woken(size_t n, size_t which)
{
	struct timespec longest = { PATIENCE_NS / 1000000000, 0 };
	struct thread t;

	clear_words();
	event_init_other(&many[which], &words[which].point, 6);
	CHECK_EQ(many[which].flags, EVENT_OTHER);
	NEED(run_thread(&t, wake_later, &words[which].point) == 0);
	CHECK_EQ(event_wait(n, many, &longest), 1);
	CHECK_EQ(many[which].result, 4);
	finish_thread(&t);
}

static void from_another_thread(void)
{
	woken(1, 0);
	woken(3, 2);
	woken(EVENT_WAIT_MAX, EVENT_WAIT_MAX - 1);
}

/* Bits that nobody asked for end no wait. */
static void wake_others_first(void *arg)
{
	struct evhdr *hdr = arg;

	for (unsigned i = 0; i < 20; i++) {
		event_wake(hdr, 1ull << (8 + i), -1);
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	}
	event_wake(hdr, 2, -1);
}

static void only_what_was_asked_for(void)
{
	struct event e;
	struct thread t;

	clear_words();
	event_init(&e, &words[0], 2);
	NEED(run_thread(&t, wake_others_first, &words[0]) == 0);
	CHECK_EQ(event_wait(1, &e), 1);
	CHECK_EQ(e.result, 2);
	finish_thread(&t);
}

/* Many wait, each for a bit of its own; one wakes them all, again and again. */
#define WAITERS 4
#define ROUNDS 200

static struct evhdr go, done;

static void waiter(void *arg)
{
	uint64_t mine = 1ull << (uintptr_t)arg;
	struct event e;

	for (unsigned i = 0; i < ROUNDS; i++) {
		event_init(&e, &go, mine);
		if (event_wait(1, &e) != 1 || event_clear(&go, mine) != mine)
			twz_thread_exit(1);
		event_wake(&done, mine, -1);
	}
}

static void ping_pong(void)
{
	struct thread t[WAITERS];
	struct event e[WAITERS];
	uint64_t seen;

	for (uintptr_t i = 0; i < WAITERS; i++)
		NEED(run_thread(&t[i], waiter, (void *)i) == 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		event_wake(&go, (1 << WAITERS) - 1, -1);
		for (seen = 0; seen != (1 << WAITERS) - 1; seen |= event_clear(&done, ~0ull)) {
			event_init(&e[0], &done, ((1 << WAITERS) - 1) & ~seen);
			if (event_wait(1, e) != 1)
				break;
		}
		CHECK_EQ(seen, (1 << WAITERS) - 1);
	}
	for (unsigned i = 0; i < WAITERS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
}

static void on_signal(int fault, void *info, void *userdata)
{
	(void)fault;
	(void)info;
	(void)userdata;
}

static atomic_int interrupted;

static void wait_for_signal(void *arg)
{
	atomic_store(&interrupted, 2); /* it can take signals now */
	atomic_store(&interrupted, event_wait(1, (struct event *)arg));
}

static void signals(void)
{
	struct thread t;

	if (sys_signal(missing_id(), 0, 0, 0, 0) == -ENOSYS) {
		ktap_skip("no signals");
		return;
	}
	clear_words();
	atomic_store(&interrupted, 1);
	twz_fault_set(FAULT_SIGNAL, on_signal, NULL);
	NEED(run_thread(&t, wait_for_signal, many) == 0);
	while (atomic_load(&interrupted) == 1)
		twz_sleep_ns(NS_PER_MS);
	while (atomic_load(&interrupted) == 2) {
		if (sys_signal(t.tid, 0, 0, 0, 0) < 0)
			break;
		twz_sleep_ns(NS_PER_MS);
	}
	finish_thread(&t);
	CHECK_EQ(interrupted, -EINTR);
}

static const struct ktap_case cases[] = {
	{ "bits", bits },
	{ "both_forms", both_forms },
	{ "every_entry", every_entry },
	{ "timeouts", timeouts },
	{ "from_another_thread", from_another_thread },
	{ "only_what_was_asked_for", only_what_was_asked_for },
	{ "ping_pong", ping_pong },
	{ "signals", signals },
};

int main(void)
{
	return KTAP_RUN(cases);
}
