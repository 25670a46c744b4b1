// SPDX-License-Identifier: BSD-3-Clause
/*
 * System calls with arguments drawn at random, but shaped like real ones: IDs of objects that
 * exist, structures that are nearly right, addresses at the edges. Whatever they return, the kernel
 * goes on, and when all that was made is deleted the memory is back.
 *
 *   test_fuzz_calls            a fixed seed, for a moment
 *   test_fuzz_calls SEED [N]   N batches from that seed on, or without end; each says how to see it
 *                              again
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define FUZZERS 4u
#define CALLS 400u       /* of a thread in a batch */
#define BATCHES 6u
#define BATCH_NS (3000 * NS_PER_MS)
#define POOL 24u         /* objects at a time */
#define KERNELS 8u       /* IDs from 1 on are the kernel's own objects */
/* Caches of the kernel that may fill at any time, and tables of what the idle slots map. */
#define SLACK (64 * TWZ_PAGE_SIZE)

/* Objects that the fuzzers know, shared by all; 0: a free place. Torn reads are one more odd ID. */
static objid_t pool[POOL];
static objid_t made[1024]; /* of a batch: to be deleted after it */
static atomic_uint made_count;

struct fuzzer {
	struct thread thread;
	uint64_t seed;
	uint64_t until;
	twzobj own;          /* what calls may write over, to its end */
	unsigned char *room; /* in it */
	uint64_t done;
};

static struct fuzzer fuzzers[FUZZERS];

/* ---- Drawing ---- */

static uint64_t draw(struct fuzzer *f)
{
	f->seed ^= f->seed << 13;
	f->seed ^= f->seed >> 7;
	f->seed ^= f->seed << 17;
	return f->seed;
}

static uint64_t below(struct fuzzer *f, uint64_t n)
{
	return (draw(f) >> 16) % n;
}

static bool one_in(struct fuzzer *f, uint64_t n)
{
	return below(f, n) == 0;
}

static uint64_t draw_number(struct fuzzer *f)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 4, 7, 8, 63, 64, 255, 256, 4095, 4096, 4097, OBJ_MAXSIZE - 1, OBJ_MAXSIZE,
		OBJ_MAXSIZE - TWZ_PAGE_SIZE, UINT32_MAX, 1ull << 32, INT64_MAX, 1ull << 63, UINT64_MAX - 4095,
		UINT64_MAX,
	};

	switch (below(f, 4)) {
	case 0:
		return edges[below(f, sizeof(edges) / sizeof(*edges))];
	case 1:
		return below(f, 64) * TWZ_PAGE_SIZE;
	case 2:
		return below(f, 32);
	default:
		return draw(f) >> below(f, 64);
	}
}

static objid_t draw_id(struct fuzzer *f)
{
	switch (below(f, 12)) {
	case 0:
		return 0;
	case 1:
		return 1 + below(f, KERNELS);
	case 2:
		return missing_id();
	case 3:
		return MKID(draw_number(f), draw_number(f));
	default:
		return pool[below(f, POOL)];
	}
}

static uint64_t draw_address(struct fuzzer *f)
{
	switch (below(f, 10)) {
	case 0:
		return 0;
	case 1:
		return below(f, 4096);
	case 2:
		return 0xffffffff80000000ul + draw_number(f);
	case 3:
		return (uintptr_t)f->room - OBJ_NULLPAGE_SIZE + draw_number(f) % (OBJ_MAXSIZE / 2);
	case 4:
		return draw(f);
	case 5:
		return OBJ_MAXSIZE - below(f, 16); /* of the program's text */
	default:
		return (uintptr_t)f->room + below(f, 8) * 16;
	}
}

/* An object of this batch, to be deleted when it is over. */
static void remember(struct fuzzer *f, objid_t id)
{
	unsigned n = atomic_fetch_add(&made_count, 1);

	if (n < sizeof(made) / sizeof(*made))
		made[n] = id;
	else
		sys_odelete(id, TWZ_OD_IMMEDIATE);
	pool[below(f, POOL)] = id;
}

/* ---- Structures ---- */

/* The room filled with what may stand there, where structures are put together. */
static void scribble(struct fuzzer *f)
{
	uint64_t *word = (uint64_t *)f->room;

	for (unsigned i = 0; i < 48; i++)
		switch (below(f, 4)) {
		case 0:
			word[i] = draw_address(f);
			break;
		case 1:
			word[i] = ID_LO(draw_id(f));
			break;
		default:
			word[i] = draw_number(f);
		}
}

/*
 * Whether it is an address in what the program is made of, or may be: in any slot but the fuzzer's
 * own. The null pages and what is no user address do no harm.
 */
static bool is_of_others(const struct fuzzer *f, uint64_t at)
{
	return at >= OBJ_NULLPAGE_SIZE && at < 1ull << 47 && at / OBJ_MAXSIZE != (uintptr_t)f->room / OBJ_MAXSIZE;
}

/*
 * As registers. Never into the program's own code, which could do anything with such registers,
 * also what the calls here take care not to; nor a stack in its data, where the kernel writes what
 * it tells of faults.
 */
static void scribble_registers(struct fuzzer *f)
{
	uint64_t *word = (uint64_t *)f->room;

	scribble(f);
	for (unsigned i = 0; i < 128; i++)
		if (is_of_others(f, word[i]))
			word[i] = (uintptr_t)f->room;
}

static uint32_t draw_create_flags(struct fuzzer *f)
{
	uint32_t flags = NEW_FLAGS | TWZ_OC_DFL_DEL;

	if (one_in(f, 4))
		flags = draw_number(f);
	if (one_in(f, 4))
		flags |= TWZ_OC_HASHDATA;
	if (one_in(f, 3))
		flags |= one_in(f, 2) ? TWZ_OC_PERSIST : TWZ_OC_VOLATILE;
	return flags & ~TWZ_OC_NODEL;
}

static long fuzz_ocreate(struct fuzzer *f)
{
	objid_t source = one_in(f, 2) ? 0 : draw_id(f), id = 0;
	long r = sys_ocreate(draw_create_flags(f), one_in(f, 2) ? 0 : draw_id(f), source, &id);

	if (r >= 0 && id)
		remember(f, id);
	return r;
}

static long fuzz_ocreate2(struct fuzzer *f)
{
	struct twz_ocreate_spec *spec = (void *)f->room;
	struct twz_ocreate_source *sources = (void *)(f->room + 256);
	objid_t *ties = (void *)(f->room + 1024);

	scribble(f);
	*spec = (struct twz_ocreate_spec){
		.srcs = one_in(f, 8) ? draw_address(f) : (uintptr_t)sources,
		.srcs_len = one_in(f, 8) ? draw_number(f) : below(f, 4),
		.ties = one_in(f, 8) ? draw_address(f) : (uintptr_t)ties,
		.ties_len = one_in(f, 8) ? draw_number(f) : below(f, 3),
		.flags = draw_create_flags(f),
		.backing_type = one_in(f, 4) ? draw(f) : below(f, 3),
		.lifetime = below(f, 3),
	};
	for (unsigned i = 0; i < 4; i++) {
		uint64_t pages = 1 + below(f, 40);
		sources[i] = (struct twz_ocreate_source){
			.id = draw_id(f),
			.start = one_in(f, 6) ? draw_number(f) : pages * TWZ_PAGE_SIZE,
			.length = one_in(f, 6) ? draw_number(f) : below(f, 64) * TWZ_PAGE_SIZE,
			.dest = one_in(f, 6) ? draw_number(f) : below(f, 64) * TWZ_PAGE_SIZE,
		};
		ties[i] = draw_id(f);
	}
	long r = sys_ocreate2(spec);
	if (r >= 0 && spec->result)
		remember(f, spec->result);
	return r;
}

static long fuzz_ocopy(struct fuzzer *f)
{
	objid_t *ids = (void *)f->room;

	ids[0] = draw_id(f);
	ids[1] = draw_id(f);
	return sys_ocopy(one_in(f, 8) ? (void *)draw_address(f) : ids,
	    one_in(f, 8) ? (void *)draw_address(f) : ids + 1, one_in(f, 4) ? draw_number(f) : TWZ_PAGE_SIZE * 3,
	    one_in(f, 4) ? draw_number(f) : TWZ_PAGE_SIZE, one_in(f, 4) ? draw_number(f) : TWZ_PAGE_SIZE * 20, 0);
}

static long fuzz_odelete(struct fuzzer *f)
{
	return sys_odelete(pool[below(f, POOL)], one_in(f, 4) ? draw_number(f) : below(f, 2));
}

static long fuzz_tie(struct fuzzer *f)
{
	return sys_otie(draw_id(f), draw_id(f), one_in(f, 6) ? draw_number(f) : below(f, 2));
}

static long fuzz_pin(struct fuzzer *f)
{
	uint64_t *at = one_in(f, 4) ? (void *)draw_address(f) : (void *)f->room;

	return sys_opin(pool[below(f, POOL)], at, one_in(f, 6) ? draw_number(f) : below(f, 2));
}

static long fuzz_octl(struct fuzzer *f)
{
	int op = one_in(f, 6) ? (int)draw_number(f) : (int)below(f, 6);

	return sys_octl(pool[below(f, POOL)], op, draw_number(f), draw_number(f), draw_number(f));
}

static long fuzz_ostat(struct fuzzer *f)
{
	return sys_ostat(below(f, 4), draw_id(f), draw_number(f), (void *)draw_address(f));
}

static long fuzz_osync(struct fuzzer *f)
{
	return sys_osync(draw_id(f), draw_number(f), draw_number(f), one_in(f, 6) ? draw_number(f) : 0);
}

static long fuzz_invalidate(struct fuzzer *f)
{
	struct sys_invalidate_op *ops = (void *)f->room;

	scribble(f);
	for (unsigned i = 0; i < 4; i++) {
		ops[i].id = one_in(f, 2) ? below(f, 5) : draw_id(f);
		ops[i].flags = one_in(f, 4) ? draw(f) : KSOI_VALID | below(f, 2) * KSOI_CURRENT;
	}
	return sys_invalidate(one_in(f, 8) ? (void *)draw_address(f) : ops, one_in(f, 8) ? draw_number(f) : below(f, 5));
}

/* Never for long: what sleeps has a timeout, or is ended with its batch. */
static long fuzz_sync(struct fuzzer *f)
{
	struct sys_thread_sync_args *ops = (void *)f->room;
	struct timespec *timeout = (void *)(f->room + 1024);

	scribble(f);
	for (unsigned i = 0; i < 4; i++)
		ops[i] = (struct sys_thread_sync_args){
			.addr = one_in(f, 3) ? draw_address(f) : (uintptr_t)f->room + 512 + 8 * below(f, 8),
			.arg = draw_number(f),
			.op = one_in(f, 8) ? draw(f) : below(f, 2),
			.flags = one_in(f, 8) ? draw(f) : 2 * below(f, 2),
		};
	*timeout = (struct timespec){ one_in(f, 8) ? (long)draw(f) : 0, one_in(f, 8) ? (long)draw(f) : 1000 };
	return sys_thread_sync(one_in(f, 8) ? draw_number(f) : below(f, 5),
	    one_in(f, 8) ? (void *)draw_address(f) : ops, one_in(f, 8) ? (void *)draw_address(f) : timeout);
}

/*
 * Everything of these two but what ends the machine, silences it, or moves the root of its names.
 */
static long fuzz_kaction(struct fuzzer *f)
{
	struct sys_kaction_args *ops = (void *)f->room;

	for (unsigned i = 0; i < 3; i++)
		ops[i] = (struct sys_kaction_args){
			.id = one_in(f, 2) ? KSO_ROOT_ID : draw_id(f),
			.cmd = one_in(f, 2) ? KACTION_CMD_ROOT_SYNC : 100 + (int64_t)below(f, 1000),
			.arg = draw_number(f),
			.flags = one_in(f, 6) ? draw(f) : KACTION_VALID,
		};
	return sys_kaction(one_in(f, 8) ? draw_number(f) : below(f, 4), ops);
}

static long fuzz_thrd_ctl(struct fuzzer *f)
{
	static const int ops[] = {
		THRD_CTL_SET_GS, THRD_CTL_YIELD, THRD_CTL_GET_ID, THRD_CTL_GET_CALLER, THRD_CTL_GET_ACTIVE,
		THRD_CTL_SET_ACTIVE, THRD_CTL_GET_SCHED, THRD_CTL_GET_STATS, THRD_CTL_SET_SCHED,
	};
	int op = one_in(f, 8) ? 0x200 + (int)below(f, 1000) : ops[below(f, sizeof(ops) / sizeof(*ops))];
	struct twz_sched *sched = (void *)f->room;

	memset(f->room, 0, sizeof(*sched));
	sched->prio = below(f, 50);
	return sys_thrd_ctl(op, op == THRD_CTL_SET_SCHED ? (long)sched : (long)draw_address(f));
}

/* Other threads are the fuzzers only; they are woken and ended when the batch is over. */
static long fuzz_thrd_ctl2(struct fuzzer *f)
{
	objid_t other = fuzzers[below(f, FUZZERS)].thread.tid;
	int op = THRD_CTL_SET_SCHED + (int)below(f, 8);

	if (op == THRD_CTL_KILL && !one_in(f, 20))
		op = THRD_CTL_RESUME;
	if (op == THRD_CTL_WRITE_REGS) {
		scribble_registers(f);
		return sys_thrd_ctl2(other, op, (long)f->room);
	}
	return sys_thrd_ctl2(one_in(f, 4) ? draw_id(f) : other, op, one_in(f, 2) ? (long)f->room : (long)draw_address(f));
}

static long fuzz_spawn(struct fuzzer *f)
{
	struct thrd_spawn_args *args = (void *)f->room;

	*args = (struct thrd_spawn_args){
		.target_view = one_in(f, 2) ? 0 : draw_id(f),
		.start_func = draw_address(f),
		.stack_base = draw_address(f),
		.stack_size = draw_number(f),
		.tls_base = draw_address(f),
	};
	if (is_of_others(f, args->stack_base + args->stack_size))
		args->stack_size = (uintptr_t)f->room + 2048 - args->stack_base;
	return one_in(f, 4) ? sys_thrd_spawn(pool[below(f, POOL)], args, one_in(f, 8) ? (int)draw(f) : 0) : 0;
}

static long fuzz_attach(struct fuzzer *f)
{
	uint32_t type = one_in(f, 4) ? draw(f) : 1 + below(f, 7);
	objid_t parent = one_in(f, 2) ? 0 : pool[below(f, POOL)];

	return one_in(f, 2) ? sys_attach(parent, pool[below(f, POOL)], one_in(f, 8) ? draw(f) : 0, type == KSO_VIEW ? 0 : type)
			    : sys_detach(parent, draw_id(f), draw(f), type);
}

/* Going elsewhere at random ends the thread at once: rarely. */
static long fuzz_become(struct fuzzer *f)
{
	scribble_registers(f);
	if (!one_in(f, 16))
		return sys_become_return(0, 1, 2, 3, 4) + (sys_become)((void *)8, draw(f), draw(f));
	return one_in(f, 2) ? (sys_become)((void *)f->room, draw(f), draw(f)) : sys_fault_return((void *)f->room);
}

static long fuzz_output(struct fuzzer *f)
{
	switch (below(f, 4)) {
	case 0:
		return sys_random((void *)draw_address(f), draw_number(f), draw_number(f));
	case 1:
		return sys_sysinfo((void *)draw_address(f), draw_number(f));
	case 2:
		return sys_clock(below(f, 6), below(f, 3), (void *)draw_address(f));
	default:
		return sys_kec_read((void *)draw_address(f), below(f, 3), KEC_READ_NONBLOCK);
	}
}

/*
 * Any number at all with any registers, but for the calls that have ways to end the machine or the
 * case.
 */
static long fuzz_raw(struct fuzzer *f)
{
	long number = one_in(f, 2) ? (long)draw_number(f) : SYS_VMAP + (long)below(f, 2) * 3;

	if (number >= SYS_BASE && number < SYS_BASE + 32 && number != SYS_VMAP && number != SYS_KQUEUE)
		number = SYS_KCONF;
	return __twz_syscall6(draw_number(f), draw_address(f), draw_number(f), draw_address(f), draw_number(f),
	    draw_address(f), number);
}

static long (*const calls[])(struct fuzzer *) = {
	fuzz_ocreate, fuzz_ocreate2, fuzz_ocreate2, fuzz_ocopy, fuzz_ocopy, fuzz_odelete, fuzz_tie, fuzz_pin, fuzz_octl,
	fuzz_ostat, fuzz_osync, fuzz_invalidate, fuzz_sync, fuzz_kaction, fuzz_thrd_ctl, fuzz_thrd_ctl2, fuzz_spawn,
	fuzz_attach, fuzz_become, fuzz_output, fuzz_raw,
};

/* ---- Batches ---- */

static void run_fuzzer(void *arg)
{
	struct fuzzer *f = arg;

	for (unsigned i = 0; i < CALLS && twz_clock_ns() < f->until; i++) {
		calls[below(f, sizeof(calls) / sizeof(*calls))](f);
		f->done++;
	}
}

static void fill_pool(void)
{
	for (unsigned i = 0; i < POOL; i += 2) {
		twzobj o;
		if (new_object(&o) != 0)
			continue;
		for (uint64_t page = 1; page <= 1 + i; page++)
			*page_word(&o, page) = page;
		pool[i] = made[atomic_fetch_add(&made_count, 1)] = twz_object_guid(&o);
		twz_object_release(&o);
	}
}

/* Whatever was tied to what never goes stays, deleted or not, until it is untied. */
static void untie_from_kernel(objid_t id)
{
	for (objid_t parent = 1; parent <= KERNELS; parent++)
		for (int ties = 0; ties < 1000 && sys_otie(parent, id, OTIE_UNTIE) == 0; ties++)
			;
}

/* Pins and ties keep objects; what is deleted is then gone with the last of them. */
static void drop_all(void)
{
	unsigned n = atomic_exchange(&made_count, 0);

	for (unsigned i = 0; i < n && i < sizeof(made) / sizeof(*made); i++) {
		for (int pins = 0; pins < 1000 && sys_opin(made[i], NULL, OP_UNPIN) >= 0; pins++)
			;
		untie_from_kernel(made[i]);
		twz_object_delete_guid(made[i], TWZ_OD_IMMEDIATE);
	}
	memset(pool, 0, sizeof(pool));
}

/* Whatever has become of it: it ends now. */
static void end_fuzzer(struct fuzzer *f)
{
	uint64_t code;

	while (twz_thread_join(&f->thread, &code, BATCH_NS) < 0) {
		sys_thrd_ctl2(f->thread.tid, THRD_CTL_RESUME, 0);
		sys_thrd_ctl2(f->thread.tid, THRD_CTL_KILL, 0);
	}
	twz_thread_release(&f->thread);
	drop_object(&f->own);
}

static uint64_t batch(uint64_t seed)
{
	uint64_t done = 0;

	fill_pool();
	for (unsigned i = 0; i < FUZZERS; i++) {
		fuzzers[i] = (struct fuzzer){
			.seed = (seed * FUZZERS + i) * 0x9e3779b97f4a7c15ull | 1,
			.until = twz_clock_ns() + BATCH_NS,
		};
		if (new_object(&fuzzers[i].own) != 0)
			return 0;
		fuzzers[i].room = twz_object_base(&fuzzers[i].own);
		CHECK_EQ(run_thread(&fuzzers[i].thread, run_fuzzer, &fuzzers[i]), 0);
		/* A mapping alone does not keep it: somebody may invalidate the view. */
		twz_object_tie(NULL, &fuzzers[i].thread.obj, 0);
	}
	for (unsigned i = 0; i < FUZZERS; i++) {
		end_fuzzer(&fuzzers[i]);
		done += fuzzers[i].done;
	}
	drop_all();
	return done;
}

static uint64_t first_seed = 4711, batches = BATCHES;

static void batches_leave_nothing(void)
{
	uint64_t before = 0, done = 0;

	/* The first fills the kernel's caches. */
	for (unsigned i = 0; i < batches; i++) {
		done += batch(first_seed + i);
		if (i == 1)
			before = memory_free();
	}
	uint64_t after = memory_free();
	ktap_note("%lu calls; memory free: %lu before, %lu after", (unsigned long)done, (unsigned long)before,
	    (unsigned long)after);
	CHECK(done > 0);
	CHECK(after + SLACK >= before);
}

static const struct ktap_case cases[] = {
	{ "the kernel goes on and keeps nothing", batches_leave_nothing },
};

static uint64_t number_of(const char *text)
{
	uint64_t value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (uint64_t)(*text++ - '0');
	return value;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		first_seed = number_of(argv[1]);
	if (argc > 2)
		batches = number_of(argv[2]);
	if (argc != 2)
		return KTAP_RUN(cases);
	for (uint64_t seed = first_seed;; seed++) {
		uint64_t done = batch(seed);
		ktap_note("seed %lu: %lu calls, %lu bytes free", (unsigned long)seed, (unsigned long)done,
		    (unsigned long)memory_free());
	}
}
