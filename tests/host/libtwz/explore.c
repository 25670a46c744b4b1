// SPDX-License-Identifier: BSD-3-Clause
/*
 * The crash explorer for libtwz. See explore.h.
 */
#define _GNU_SOURCE
#include "../unit.h"

#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "../store/seen.h"
#include "../store/trace.h"
#include <abi/view.h>

#include "explore.h"

UNSEEN_BEGIN

#define BASE_SLOT 0x8000ul /* where no program of the host has anything */
#define SLOT_STEP 3ul      /* no two objects side by side */
#define NESTED_EFFORT 2u
#define SITE_DEPTH 4u
#define EACH_SEEDS 3u
#define TICK_SECONDS 2

/* A flush or fence: its place in the code, and those that led to it. */
struct site {
	uintptr_t at[SITE_DEPTH];
	uint64_t is_fence;
};

static struct {
	const struct explore_test *test;
	struct explore_result result;
	unsigned world;            /* the one that runs */
	uint64_t boots, boot;
	unsigned long thrown;
	bool may_throw, stop_at_bad;
	bool judging;              /* or setting up: flushes and fences are not those to test */
	uint64_t steps;
	unsigned judged;           /* recoveries so far, to choose the nested ones by */
	sigjmp_buf *frame;         /* where a state that cannot go on goes */
	const char *failure;
	twzobj object[TRACE_WORLDS][EXPLORE_OBJECTS];
} run;

/* The variables of the thread, which a new program has anew: where, how many, and how they
 * begin. */
static struct {
	char *at;
	const void *image;
	size_t len, image_len;
} thread_data;

static struct site sites[TRACE_SITES];
static bool met[TRACE_SITES]; /* by an operation or recovery, other than only by who judges */
static unsigned site_count = 1;

/* ---- Objects ---- */

static size_t object_bytes(void)
{
	return (run.test->data_pages + EXPLORE_LAST_PAGES) * TWZ_PAGE_SIZE;
}

static uintptr_t object_at(unsigned world, unsigned i)
{
	return (BASE_SLOT + (world * EXPLORE_OBJECTS + i) * SLOT_STEP + 1) << OBJ_SHIFT;
}

static void map(int fd, uintptr_t at, size_t len, size_t offset)
{
	void *p = mmap((void *)at, len, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_FIXED_NOREPLACE, fd, (off_t)offset);

	if (p != (void *)at)
		abort();
}

/* The memory of a world in one piece, and each object's part where the object stands. */
void *trace_region(unsigned world, size_t bytes)
{
	int fd = memfd_create("explore", 0);
	size_t data = run.test->data_pages * TWZ_PAGE_SIZE;
	size_t last = EXPLORE_LAST_PAGES * TWZ_PAGE_SIZE;
	void *all;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		abort();
	all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (all == MAP_FAILED)
		abort();
	for (unsigned i = 0; i < run.test->objects; i++) {
		uintptr_t at = object_at(world, i);

		map(fd, at + OBJ_NULLPAGE_SIZE, data, i * object_bytes());
		map(fd, at + OBJ_MAXSIZE - last, last, i * object_bytes() + data);
	}
	close(fd);
	return all;
}

void trace_region_free(unsigned world, void *region, size_t bytes)
{
	for (unsigned i = 0; i < run.test->objects; i++) {
		uintptr_t at = object_at(world, i);
		size_t last = EXPLORE_LAST_PAGES * TWZ_PAGE_SIZE;

		munmap((void *)(at + OBJ_NULLPAGE_SIZE), run.test->data_pages * TWZ_PAGE_SIZE);
		munmap((void *)(at + OBJ_MAXSIZE - last), last);
	}
	munmap(region, bytes);
}

/* Which object an address is in, and of which world; false: none. */
static bool locate(const void *p, unsigned *world, unsigned *object)
{
	uintptr_t slot = VADDR_TO_SLOT(p) - BASE_SLOT - 1;

	*object = (unsigned)(slot / SLOT_STEP % EXPLORE_OBJECTS);
	*world = (unsigned)(slot / SLOT_STEP / EXPLORE_OBJECTS);
	return slot < TRACE_WORLDS * EXPLORE_OBJECTS * SLOT_STEP && slot % SLOT_STEP == 0 &&
	       *object < run.test->objects;
}

/* From where an object's byte stands to where trace.h knows it; NULL: nothing is there. */
static void *traced(const void *p)
{
	uintptr_t offset = (uintptr_t)p & (OBJ_MAXSIZE - 1);
	size_t last = EXPLORE_LAST_PAGES * TWZ_PAGE_SIZE;
	unsigned world, object;
	unsigned char *part;

	if (!locate(p, &world, &object))
		return NULL;
	part = trace_memory(world) + object * object_bytes();
	if (offset >= OBJ_MAXSIZE - last)
		return part + object_bytes() - (OBJ_MAXSIZE - offset);
	if (offset >= OBJ_NULLPAGE_SIZE && offset < OBJ_NULLPAGE_SIZE + object_bytes() - last)
		return part + offset - OBJ_NULLPAGE_SIZE;
	return NULL;
}

static bool is_volatile(size_t word)
{
	uint64_t at = word * 8 % object_bytes(), data = run.test->data_pages * TWZ_PAGE_SIZE;

	at = at < data ? OBJ_NULLPAGE_SIZE + at : OBJ_MAXSIZE - object_bytes() + at;
	return run.test->is_volatile((unsigned)(word * 8 / object_bytes()), at);
}

static void *translate(void *at)
{
	void *known = traced(at);

	return known ? known : at;
}

twzobj *explore_object(unsigned i)
{
	return &run.object[run.world][i];
}

objid_t explore_id(unsigned i)
{
	return MKID(0x0e0b1ec7 + i, 0x1234567800000000ul + i);
}

int explore_at(const void *p)
{
	unsigned world, object;

	return locate(p, &world, &object) && world == run.world ? (int)object : -1;
}

int explore_find(objid_t id)
{
	for (unsigned i = 0; i < run.test->objects; i++)
		if (explore_id(i) == id)
			return (int)i;
	return -1;
}

/* The handles of a world, as if just opened. */
static void open_objects(unsigned world)
{
	for (unsigned i = 0; i < run.test->objects; i++)
		run.object[world][i] = (twzobj){
			.base = (void *)(object_at(world, i) + OBJ_NULLPAGE_SIZE),
			.id = explore_id(i),
			.vf = FE_READ | FE_WRITE,
		};
}

static void make_objects(void)
{
	for (unsigned i = 0; i < run.test->objects; i++) {
		struct metainfo *mi = (struct metainfo *)(object_at(0, i) + OBJ_METAPAGE);

		mi->magic = MI_MAGIC;
		mi->fotentries = 1;
		mi->milen = MI_MILEN_DEFAULT;
		mi->p_flags = MIP_DFL_READ | MIP_DFL_WRITE;
	}
}

/* ---- Places ---- */

static bool in_test(uintptr_t at)
{
	extern const char __start_explore_test[] __attribute__((weak)),
	    __stop_explore_test[] __attribute__((weak));

	return at >= (uintptr_t)__start_explore_test && at < (uintptr_t)__stop_explore_test;
}

static unsigned find_site(const struct site *s)
{
	for (unsigned i = 1; i < site_count; i++)
		if (memcmp(&sites[i], s, sizeof(*s)) == 0)
			return i;
	if (site_count == TRACE_SITES)
		abort();
	sites[site_count] = *s;
	return site_count++;
}

/* The call and its callers, up to the test's own. */
static unsigned site_of(const void *caller, bool is_fence)
{
	struct site s = { .is_fence = is_fence, .at = { (uintptr_t)caller } };
	unsigned depth = seen_depth < SEEN_DEPTH ? seen_depth : SEEN_DEPTH;
	unsigned found;

	for (unsigned i = 1; i < (run.test->depth ? run.test->depth : 3) && i <= depth; i++) {
		if (in_test(seen_stack[depth - i]))
			break;
		s.at[i] = seen_stack[depth - i];
	}
	found = find_site(&s);
	if (!run.judging)
		met[found] = true;
	return found;
}

/* "function at file.c:12|function at …|" of each site so far, as the debugger's tables have it. */
static char *texts[TRACE_SITES];

static void read_text(FILE *f, unsigned n)
{
	char text[1024] = "";
	size_t used = 0;

	for (unsigned i = 0; i < SITE_DEPTH && sites[n].at[i]; i++) {
		if (used >= sizeof(text) - 1 || !fgets(text + used, (int)(sizeof(text) - used), f))
			break;
		used = strlen(text);
		if (used && text[used - 1] == '\n')
			text[used - 1] = '|';
	}
	texts[n] = strdup(text);
}

/* Those from `first` on, at once: each start of the tool reads all tables. */
static void describe_from(unsigned first)
{
	extern const char __executable_start[];
	char path[256] = "", *command = NULL;
	size_t len;
	FILE *f = open_memstream(&command, &len);

	if (!f || readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		abort();
	fprintf(f, "addr2line -sfpe %s", path);
	for (unsigned n = first; n < site_count; n++)
		for (unsigned i = 0; i < SITE_DEPTH && sites[n].at[i]; i++)
			fprintf(f, " 0x%lx", sites[n].at[i] - (uintptr_t)__executable_start - 1);
	fclose(f);
	f = popen(command, "r");
	for (unsigned n = first; f && n < site_count; n++)
		read_text(f, n);
	if (f)
		pclose(f);
	free(command);
}

static const char *describe(unsigned n)
{
	static unsigned described = 1;

	if (n >= described) {
		describe_from(described);
		described = site_count;
	}
	return texts[n] ? texts[n] : "";
}

/* ---- What libtwz asks for ---- */

void explore_fail(const char *what)
{
	run.failure = what;
	if (run.frame)
		siglongjmp(*run.frame, 1);
	fprintf(stderr, "in the operation: %s\n", what);
	abort();
}

void explore_throw(const char *what)
{
	run.thrown++;
	if (!run.may_throw && !run.failure)
		run.failure = what;
}

void explore_may_throw(void)
{
	run.may_throw = true;
}

unsigned long explore_thrown(void)
{
	return run.thrown;
}

bool explore_is_cut(void)
{
	return run.world != 0;
}

void explore_flush(const void *p, size_t len, const void *caller)
{
	unsigned world, object;
	void *at = traced(p);

	seen_settle();
	if (!len)
		return;
	if (!at || !traced((const char *)p + len - 1) || !locate(p, &world, &object) ||
	    world != run.world)
		explore_fail("a flush of what is not there");
	trace_flush(world, at, len, site_of(caller, false));
}

void explore_fence(const void *caller)
{
	seen_settle();
	trace_fence(run.world, site_of(caller, true));
}

/* ---- The program's own memory ---- */

/* The first is the program itself. */
static int find_thread_data(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size, (void)data;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];

		if (ph->p_type != PT_TLS || !info->dlpi_tls_data)
			continue;
		thread_data.at = info->dlpi_tls_data;
		thread_data.len = ph->p_memsz;
		thread_data.image = (const void *)(info->dlpi_addr + ph->p_vaddr);
		thread_data.image_len = ph->p_filesz;
	}
	return 1;
}

static void new_thread_data(void)
{
	if (!thread_data.len)
		return;
	memset(thread_data.at, 0, thread_data.len);
	memcpy(thread_data.at, thread_data.image, thread_data.image_len);
}

/* ---- States ---- */

static void bad(const char *what)
{
	if (run.result.bad++ == 0)
		run.result.first = what;
}

static bool gives_up(void)
{
	return run.stop_at_bad && run.result.bad;
}

static void state(unsigned world);

static bool is_nested(unsigned world)
{
	unsigned share = run.test->nested ? run.test->nested : 16;

	return world == 0 && run.test->recover && run.judged++ % share == 0;
}

/* What a program that starts finds: its own memory is new. */
static void start_world(unsigned world)
{
	run.world = world;
	run.boot = ++run.boots;
	explore_set_boot(run.boot);
	run.thrown = 0;
	run.may_throw = false;
	run.failure = NULL;
	run.judging = false;
	open_objects(world);
	new_thread_data();
	if (run.test->reboot)
		run.test->reboot();
}

static const char *recover_and_judge(unsigned world, bool nested)
{
	const char *what = NULL;

	if (run.test->recover) {
		trace_explore(world, nested ? state : NULL, NESTED_EFFORT);
		run.test->recover();
		seen_settle();
		trace_explore(world, NULL, 0);
	}
	run.judging = true;
	if (!run.failure)
		what = run.test->judge();
	return run.failure ? run.failure : what;
}

/* A state of world stands in world + 1. */
static void state(unsigned world)
{
	__typeof__(run.boot) boot = run.boot;
	unsigned long thrown = run.thrown;
	bool may_throw = run.may_throw, judging = run.judging;
	const char *failure = run.failure;
	unsigned depth = seen_depth;
	sigjmp_buf here, *outer = run.frame;
	bool nested = is_nested(world);
	char *kept_thread;

	if (gives_up())
		return;
	kept_thread = memcpy(malloc(thread_data.len + 1), thread_data.at, thread_data.len);
	(*(world ? &run.result.nested : &run.result.states))++;
	run.frame = &here;
	if (sigsetjmp(here, 0) == 0) {
		const char *what;

		start_world(world + 1);
		what = recover_and_judge(world + 1, nested);
		if (what)
			bad(what);
	} else {
		bad(run.failure);
	}
	seen_settle();
	trace_explore(world + 1, NULL, 0);
	run.frame = outer;
	run.world = world;
	run.boot = boot;
	explore_set_boot(boot);
	run.thrown = thrown;
	run.may_throw = may_throw;
	run.judging = judging;
	run.failure = failure;
	seen_depth = depth;
	memcpy(thread_data.at, kept_thread, thread_data.len);
	free(kept_thread);
}

void explore_step_begin(void)
{
	trace_judgement(++run.steps);
}

void explore_step_end(void)
{
	seen_settle();
	trace_judgement(++run.steps);
	if (run.world == 0 && !gives_up())
		trace_cut(0);
}

/* ---- Faults and endless loops ---- */

static void on_fault(int signal)
{
	(void)signal;
	explore_fail("a fault");
}

static void on_tick(int signal)
{
	static unsigned long before;
	unsigned long now = run.result.states + run.result.nested + run.boots;

	(void)signal;
	if (now == before && run.frame)
		explore_fail("no end");
	before = now;
}

static void watch(bool on)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct sigaction tick = { .sa_handler = on_tick, .sa_flags = SA_NODEFER | SA_RESTART };
	struct itimerval every = { { TICK_SECONDS, 0 }, { TICK_SECONDS, 0 } }, never = { 0 };

	if (!on)
		fault.sa_handler = tick.sa_handler = SIG_DFL;
	setitimer(ITIMER_REAL, on ? &every : &never, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGALRM, &tick, NULL);
}

/* ---- Runs ---- */

static void begin(const struct explore_test *t, uint64_t seed)
{
	memset(&run.result, 0, sizeof(run.result));
	dl_iterate_phdr(find_thread_data, NULL);
	if (run.test)
		trace_end();
	run.test = t;
	run.frame = NULL;
	run.judged = 0;
	seen_translate = translate;
	trace_is_volatile = t->is_volatile ? is_volatile : NULL;
	seen_depth = 0;
	trace_reset(t->objects * object_bytes(), seed);
	start_world(0);
	make_objects();
	run.judging = true;
	if (t->setup)
		t->setup();
	run.judging = false;
	seen_settle();
	trace_adopt();
}

/* The operation itself may end early only where something was left out. */
static void run_operation(const struct explore_test *t, bool dropped)
{
	sigjmp_buf here;

	run.frame = dropped ? &here : NULL;
	if (!dropped || sigsetjmp(here, 0) == 0) {
		explore_step_begin();
		t->operation();
		explore_step_end();
		if (run.failure)
			bad(run.failure);
	} else {
		bad(run.failure);
	}
	run.frame = NULL;
}

static struct explore_result run_without(const struct explore_test *t, unsigned site, uint64_t seed)
{
	begin(t, seed);
	trace_drop(site ? (int)site : -1);
	run.stop_at_bad = site != 0;
	watch(true);
	trace_explore(0, state, t->effort ? t->effort : 24);
	run_operation(t, site != 0);
	trace_explore(0, NULL, 0);
	watch(false);
	trace_drop(-1);
	run.result.fences = trace_counts[0].fences + trace_counts[1].fences;
	return run.result;
}

struct explore_result explore_run(const struct explore_test *t)
{
	return run_without(t, 0, t->seed + 1);
}

/* A name is that of a function, after "flush " or "fence " if only one of them is meant. */
static bool is_meant(const char *name, bool is_fence, const char *text)
{
	const char *other = is_fence ? "flush " : "fence ", *found;

	if (strncmp(name, other, 6) == 0)
		return false;
	if (strncmp(name, is_fence ? "fence " : "flush ", 6) == 0)
		name += 6;
	found = strstr(text, name);
	return found && (found == text || found[-1] == '|') && found[strlen(name)] == ' ';
}

static bool needs_no_notice(const struct explore_test *t, unsigned site)
{
	for (const char *const *name = t->unneeded; name && *name; name++)
		if (is_meant(*name, sites[site].is_fence, describe(site)))
			return true;
	return false;
}

static bool is_noticed(const struct explore_test *t, unsigned site)
{
	for (uint64_t seed = 1; seed <= EACH_SEEDS; seed++)
		if (run_without(t, site, t->seed + seed).bad)
			return true;
	return false;
}

/* A flush or fence, as one of the tests makes it. */
static bool is_needed(const struct explore_test *tests, size_t count, unsigned site,
    bool (*met_by)[TRACE_SITES])
{
	for (size_t i = 0; i < count; i++)
		if (needs_no_notice(&tests[i], site))
			return true;
	for (size_t i = 0; i < count; i++)
		if (met_by[i][site] && is_noticed(&tests[i], site))
			return true;
	print_message("# nobody misses the %s of %s\n", sites[site].is_fence ? "fence" : "flush",
	    describe(site));
	return false;
}

unsigned explore_each_site(const struct explore_test *tests, size_t count)
{
	bool (*met_by)[TRACE_SITES] = calloc(count, sizeof(*met_by));
	unsigned missed = 0, all;

	for (size_t i = 0; i < count; i++) {
		memset(met, 0, sizeof(met));
		explore_run(&tests[i]);
		memcpy(met_by[i], met, sizeof(met));
	}
	all = site_count;
	for (unsigned site = 1; site < all; site++) {
		bool any = false;

		for (size_t i = 0; i < count; i++)
			any |= met_by[i][site];
		missed += any && !is_needed(tests, count, site, met_by);
	}
	print_message("# %u flushes and fences left out in turn: %u not noticed\n", all - 1,
	    missed);
	free(met_by);
	return missed;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void explore_check_all(const struct explore_test *tests, size_t count)
{
	double from = now();

	for (size_t i = 0; i < count; i++) {
		struct explore_result r = explore_run(&tests[i]);

		print_message("# %lu states, %lu of recovery, %lu fences; %lu bad%s%s\n",
		    r.states, r.nested, r.fences, r.bad, r.bad ? ": " : "",
		    r.bad ? r.first : "");
		assert_int_equal(r.bad, 0);
		assert_true(r.states > 0);
	}
	assert_int_equal(explore_each_site(tests, count), 0);
	print_message("# %.1f s, %.0f states/s\n", now() - from,
	    (double)run.boots / (now() - from));
}

void explore_check(const struct explore_test *t)
{
	explore_check_all(t, 1);
}

UNSEEN_END
