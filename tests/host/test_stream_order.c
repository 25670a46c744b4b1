// SPDX-License-Identifier: BSD-3-Clause
/*
 * Streams of bytes (userspace/libtwz/src/stream.c, bstream.c) in every interleaving of a reader
 * with a writer, and in many of more of them, who sleep and wake each other, and end at the worst
 * moments (tests/host/sync/explore.h). Every byte comes out once and in order, and nobody sleeps
 * for ever. What is broken on purpose must be found.
 *
 * The kernel is played here: comparing and falling asleep are one step, waking is another. So is
 * the mutex: it is free, held, or left by a holder that ended.
 */
#include "unit.h"

#include <sys/mman.h>
#include <twz/persist.h>

#include "../../userspace/libtwz/src/stream.h"

/* What is broken on purpose. */
enum broken {
	BREAK_NOTHING,
	BREAK_COMPARE, /* who sleeps does not compare the word */
	BREAK_WAKE,    /* nobody is woken */
	BREAK_LOCK,    /* the lock does not lock */
	BREAK_DUE,     /* one that ends before it wakes does not leave word of it */
	BREAK_TAKEN,   /* whoever takes the lock of one that ended is not told */
	BREAK_COUNT,
};
static enum broken broken;

#define BASE ((char *)(1ul << 45) + OBJ_NULLPAGE_SIZE)
#define NBITS 4u
#define ROOM ((1u << NBITS) - 1)

static twzobj object;
static const char *wrong;

__thread struct twz_thread_self __twz_self;
struct twz_runtime __twz_rt;

static struct bstream_hdr *hdr(void)
{
	return (void *)BASE;
}

static void check(bool good, const char *what)
{
	if (!good && !wrong)
		wrong = what;
}

bool stream_changes(const volatile void *at)
{
	return (char *)at >= BASE && (char *)at < BASE + offsetof(struct bstream_hdr, nbits);
}

/* ---- The rest of libtwz ---- */

void *twz_object_base(twzobj *o)
{
	return o->base;
}

/* The object is volatile, and the mutex is never contended: these are not called. */

uint32_t __twz_kinds = 1;

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	(void)type, (void)id, (void)arg, (void)out;
	return -ENOSYS;
}

int twz_vaddr_to_obj(const void *p, objid_t *id, uint32_t *flags)
{
	(void)p, (void)id, (void)flags;
	return -ENOENT;
}

void __twz_obj_flush(twzobj *o, const void *p, size_t len)
{
	(void)o, (void)p, (void)len;
}

void __twz_obj_fence(twzobj *o)
{
	(void)o;
}

void _clwb_len(const void *p, size_t len)
{
	(void)p, (void)len;
}

void _clwb(const void *p)
{
	(void)p;
}

void _pfence(void)
{
}

int twz_thread_sync(int op, atomic_ulong *w, uint64_t val, struct timespec *timeout)
{
	(void)op, (void)w, (void)val, (void)timeout;
	return 0;
}

/* ---- The mutex ---- */

static bool left; /* its holder ended */

int mutex_acquire_r(struct mutex *m)
{
	bool was_left;

	if (broken == BREAK_LOCK)
		explore_point(&m->sleep, true);
	else
		explore_lock((uint32_t *)&m->sleep);
	m->sleep = 1ul << 8;
	was_left = left;
	left = false;
	return was_left && broken != BREAK_TAKEN;
}

/* ---- The kernel ---- */

static uint32_t runnable[EXPLORE_MAX];
static bool asleep[EXPLORE_MAX];
static bool ends_at_wake[EXPLORE_MAX];
static void *end_of_thread[EXPLORE_MAX][5];

static void sleep_on(const struct sys_thread_sync_args *a)
{
	unsigned int me = explore_self();

	explore_point((void *)a->addr, true);
	if (*(uint32_t *)a->addr != (uint32_t)a->arg && broken != BREAK_COMPARE)
		return;
	runnable[me] = 0;
	asleep[me] = true;
	explore_wait(&runnable[me]);
}

static void wake_all(const struct sys_thread_sync_args *a)
{
	explore_point((void *)a->addr, true);
	if (broken == BREAK_WAKE)
		return;
	for (unsigned int i = 0; i < EXPLORE_MAX; i++) {
		if (!asleep[i])
			continue;
		asleep[i] = false;
		explore_point(&runnable[i], true);
		runnable[i] = 1;
	}
}

/* As if it were killed here: the bit is set, nobody was woken. */
static void end_before_waking(const struct sys_thread_sync_args *a)
{
	if (broken == BREAK_DUE)
		*(uint64_t *)a->addr &= UINT32_MAX;
	__builtin_longjmp(end_of_thread[explore_self()], 1);
}

long sys_thread_sync(size_t n, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	(void)n, (void)timeout;
	if (ops->op == THREAD_SYNC_WAKE && ends_at_wake[explore_self()])
		end_before_waking(ops);
	if (ops->op == THREAD_SYNC_WAKE)
		wake_all(ops);
	else
		sleep_on(ops);
	return 0;
}

long (*__twz_sleep)(size_t n, struct sys_thread_sync_args *ops, struct timespec *until) =
    sys_thread_sync;

/* ---- Scenarios ---- */

static unsigned char next_in, got[EXPLORE_MAX][32];
static unsigned int got_count[EXPLORE_MAX];

static void begin(void)
{
	memset(BASE, 0, bstream_hdr_size(NBITS));
	memset(asleep, 0, sizeof(asleep));
	memset(ends_at_wake, 0, sizeof(ends_at_wake));
	memset(got_count, 0, sizeof(got_count));
	object = (twzobj){ .base = BASE };
	*(uint64_t *)&hdr()->ev.point = TWZIO_EVENT_WRITE;
	hdr()->nbits = NBITS;
	left = false;
	next_in = 1;
	wrong = NULL;
}

/* Full, and whoever polled for room has been told that there is none. */
static void begin_full(void)
{
	begin();
	for (unsigned int i = 0; i < ROOM; i++)
		hdr()->data[i] = next_in++;
	*(uint32_t *)&hdr()->head = ROOM;
	*(uint64_t *)&hdr()->ev.point = TWZIO_EVENT_READ;
}

static void put(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned char c = next_in++;
		check(bstream_write(&object, &c, 1, 0) == 1, "a byte is not taken");
	}
}

static void get(unsigned int count)
{
	unsigned int me = explore_self();

	for (unsigned int i = 0; i < count; i++)
		check(bstream_read(&object, &got[me][got_count[me]++], 1, 0) == 1, "no byte is given");
}

/* What came out, of bytes 1 … count: each once, to each reader in order. */
static const char *all_came(unsigned int count)
{
	uint64_t seen = 0;

	for (unsigned int r = 0; r < EXPLORE_MAX; r++) {
		for (unsigned int i = 0; i < got_count[r]; i++) {
			check(!(seen & 1ull << got[r][i]), "a byte comes twice");
			check(i == 0 || got[r][i] > got[r][i - 1], "bytes come in another order");
			seen |= 1ull << got[r][i];
		}
	}
	check(seen == (2ull << count) - 2, "a byte is lost");
	return wrong;
}

static void run_pair(unsigned int n)
{
	n == 0 ? put(2) : get(2);
}

static const char *end_two(void)
{
	return all_came(2);
}

static void run_single(unsigned int n)
{
	n == 0 ? put(1) : get(1);
}

static const char *end_one(void)
{
	return all_came(1);
}

/* The order of two writers is chance: bytes are told apart by their reader's count only. */
static void run_readers(unsigned int n)
{
	n == 0 ? put(2) : get(1);
}

/* A writer that finds no room, and a reader that makes it. */
static void run_full(unsigned int n)
{
	n == 0 ? put(2) : get(ROOM + 2);
}

static const char *end_full(void)
{
	return all_came(ROOM + 2);
}

/* Thread 0 has ended. */
static uint32_t ended;

static void end_first(void)
{
	explore_point(&ended, true);
	ended = 1;
}

static void begin_dying(void)
{
	begin();
	ends_at_wake[0] = true;
	ended = 0;
}

/* The first writer ends before it wakes. Whoever writes next wakes the reader for both. */
static void run_dying_waker(unsigned int n)
{
	unsigned char c = (unsigned char)(1 + n / 2);

	if (n == 1) {
		get(2);
		return;
	}
	if (n == 2)
		explore_wait(&ended);
	if (__builtin_setjmp(end_of_thread[n]) == 0)
		check(bstream_write(&object, &c, 1, 0) == 1, "a byte is not taken");
	if (n == 0)
		end_first();
}

static const char *end_dying(void)
{
	check(got_count[1] == 2 && got[1][0] + got[1][1] == 3, "a byte is lost");
	return wrong;
}

/* Thread 0 ends with the lock. It had moved head, and told nobody; whoever comes next does. */
static void run_dying_holder(unsigned int n)
{
	if (n == 0) {
		mutex_acquire_r(&hdr()->mutex);
		hdr()->data[*(uint32_t *)&hdr()->head] = 1;
		*(uint32_t *)&hdr()->head += 1;
		left = true;
		explore_point(&hdr()->mutex.sleep, true);
		hdr()->mutex.sleep = 0;
		end_first();
	} else if (n == 1) {
		get(1);
	} else {
		explore_wait(&ended);
		bstream_poll(&object, TWZIO_EVENT_WRITE, &(struct event){ 0 });
	}
}

/* It waits as a program with several streams does. */
static void run_poller(unsigned int n)
{
	struct event e;

	if (n == 0) {
		put(1);
		return;
	}
	while (bstream_poll(&object, TWZIO_EVENT_READ, &e) == 0) {
		uint32_t point = *(uint32_t *)e.hdr;
		struct sys_thread_sync_args a = { .addr = (uintptr_t)e.hdr, .arg = point };
		if (!(point & TWZIO_EVENT_READ))
			sys_thread_sync(1, &a, NULL);
	}
	get(1);
}

/* Those of `whole` are explored whole, of the others so many interleavings. */
#define SAMPLE 3000

static const struct explore_plan plans[] = {
	{ { "one byte", 2, begin, run_single, end_one }, true },
	{ { "one byte, polled for", 2, begin, run_poller, end_one }, true },
	{ { "two bytes", 2, begin, run_pair, end_two }, false },
	{ { "two readers", 3, begin, run_readers, end_two }, false },
	{ { "no room", 2, begin_full, run_full, end_full }, false },
	{ { "one ends before it wakes", 3, begin_dying, run_dying_waker, end_dying }, false },
	{ { "one ends with the lock", 3, begin_dying, run_dying_holder, end_one }, false },
};

static bool explore_all(bool say)
{
	return explore_plans(plans, sizeof(plans) / sizeof(*plans), SAMPLE, say);
}

static void interleavings(void **state)
{
	(void)state;
	broken = BREAK_NOTHING;
	assert_true(explore_all(true));
}

static void broken_streams(void **state)
{
	(void)state;
	for (unsigned int b = BREAK_NOTHING + 1; b < BREAK_COUNT; b++) {
		broken = (enum broken)b;
		if (explore_all(false))
			fail_msg("what is broken as %u is not noticed", b);
	}
	broken = BREAK_NOTHING;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(interleavings),
		cmocka_unit_test(broken_streams),
	};

	if (mmap(BASE - OBJ_NULLPAGE_SIZE, 4 * OBJ_NULLPAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
