// SPDX-License-Identifier: BSD-3-Clause
/*
 * Running programs: arguments and results, what is no program, and that nothing is left behind.
 * The program run is this one: with an argument it is the child and does what the argument says.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/env.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>

#define SELF "test_programs"

static objid_t self_id;

/* In the child: 7 if the arguments are as the parent gave them. */
static int child_arguments(int argc, char **argv)
{
	bool right = argc == 4 && strcmp(argv[0], SELF) == 0 && strcmp(argv[2], "") == 0 &&
	    strcmp(argv[3], "a b\"c") == 0 && argv[4] == NULL;

	return right ? 7 : 8;
}

/* In the child: initial data, zeroed data and thread-local data are as the source says. */
static int child_data(void)
{
	static uint64_t initial = 0x1234567;
	static uint64_t zero[4096];
	static __thread uint64_t local = 99;
	bool right = initial == 0x1234567 && local == 99;

	for (size_t i = 0; i < sizeof(zero) / sizeof(*zero); i++)
		right &= zero[i] == 0;
	initial = 1;
	local = 2;
	zero[4095] = 3;
	return right ? 0 : 1;
}

static bool variable_is(const char *name, const char *value)
{
	const char *got = twz_getenv(name);

	return value ? got && strcmp(got, value) == 0 : !got;
}

/* In the child: 7 if the environment is as the parent has it, and given by opts. */
static int child_environment(void)
{
	bool right = variable_is("TEST_SET", "by the parent") && variable_is("TEST_GIVEN", "to it") &&
	    variable_is("TEST_CHANGED", "for it") && variable_is("TEST_REMOVED", NULL);

	right &= twz_setenv("TEST_SET", "by the child") == 0;
	return right && variable_is("TEST_SET", "by the child") ? 7 : 8;
}

/* In the child: 7 if there is as much of the environment as fits. */
static int child_full_environment(void)
{
	const char *value = twz_getenv("TEST_BIG");

	return value && strlen(value) == TWZ_ENV_MAX - strlen("TEST_BIG") - 3 ? 7 : 8;
}

/* In the child: 7 if an environment without end or names is an empty one, or has what is sound. */
static int child_noise(void)
{
	const char *e = twz_env_next(NULL);

	if (e && strcmp(e, "A=1") != 0)
		return 8;
	return !(e && twz_env_next(e)) && variable_is("B", NULL) ? 7 : 8;
}

static volatile int *volatile nowhere = (volatile int *)8;

static int child(int argc, char **argv)
{
	if (strcmp(argv[1], "arguments") == 0)
		return child_arguments(argc, argv);
	if (strcmp(argv[1], "data") == 0)
		return child_data();
	if (strcmp(argv[1], "environment") == 0)
		return child_environment();
	if (strcmp(argv[1], "full environment") == 0)
		return child_full_environment();
	if (strcmp(argv[1], "noise") == 0)
		return child_noise();
	if (strcmp(argv[1], "fault") == 0)
		*nowhere = 1;
	if (strcmp(argv[1], "packroot") == 0)
		return twz_program_packroot() != 0 ? 5 : 6;
	return 0;
}

static int64_t run_with(int argc, char *const argv[], const struct twz_program_opts *opts)
{
	struct thread t;
	uint64_t status;
	int r = twz_program_spawn(self_id, argc, argv, opts, &t);

	if (r == 0)
		r = twz_program_wait(&t, &status);
	return r < 0 ? r : (int64_t)status;
}

/* Exit status of the child with these arguments, or a negative error. */
static int64_t run(int argc, char *const argv[])
{
	return run_with(argc, argv, NULL);
}

static int64_t run_mode(const char *mode)
{
	char *argv[] = { (char *)SELF, (char *)mode, NULL };

	return run(2, argv);
}

static void arguments(void)
{
	char *argv[] = { (char *)SELF, (char *)"arguments", (char *)"", (char *)"a b\"c", NULL };

	CHECK_EQ(run(4, argv), 7);
	CHECK_EQ(run_mode("packroot"), 5);
}

static void own_data(void)
{
	for (int i = 0; i < 3; i++)
		CHECK_EQ(run_mode("data"), 0);
}

static void faulting_program(void)
{
	CHECK_EQ(run_mode("fault"), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(run_mode("nothing"), 0);
}

static void not_programs(void)
{
	char *none[] = { NULL };
	struct twz_program *h;
	struct thread t;
	twzobj o;

	NEED(new_object(&o) == 0);
	CHECK_EQ(twz_program_spawn(twz_object_guid(&o), 0, none, NULL, &t), -ENOEXEC);
	h = twz_object_base(&o);
	h->magic = PROGRAM_MAGIC;
	h->version = PROGRAM_VERSION;
	h->machine = twz_sysinfo()->arch ^ 3;
	h->entry = 0x1800;
	CHECK_EQ(twz_program_spawn(twz_object_guid(&o), 0, none, NULL, &t), -ENOEXEC);
	h->machine = twz_sysinfo()->arch;
	h->entry = SLOT_TO_VADDR(1);
	CHECK_EQ(twz_program_spawn(twz_object_guid(&o), 0, none, NULL, &t), -ENOEXEC);
	h->entry = 0x1800;
	h->data = missing_id();
	CHECK_EQ(twz_program_spawn(twz_object_guid(&o), 0, none, NULL, &t), -ENOENT);
	CHECK_EQ(twz_program_spawn(0, 0, none, NULL, &t), -EINVAL);
	CHECK_EQ(twz_program_spawn(self_id, -1, none, NULL, &t), -E2BIG);
	drop_object(&o);
}

static void too_many_arguments(void)
{
	static char big[TWZ_ARGS_MAX + 8];
	char *argv[] = { big, NULL };
	struct thread t;

	memset(big, 'x', sizeof(big) - 1);
	CHECK_EQ(twz_program_spawn(self_id, 1, argv, NULL, &t), -E2BIG);
	big[TWZ_ARGS_MAX / 2] = 0;
	CHECK_EQ(run(1, argv), 0);
}

static void environment(void)
{
	static const char *const given[] = { "TEST_GIVEN=to it", "TEST_CHANGED=for it", NULL };
	static const char *const nameless[] = { "=x", NULL }, *const bare[] = { "x", NULL };
	struct twz_program_opts opts = { .env = given };
	char *argv[] = { (char *)SELF, (char *)"environment", NULL };

	CHECK_EQ(twz_setenv("TEST_SET", "by the parent"), 0);
	CHECK_EQ(twz_setenv("TEST_CHANGED", "not for it"), 0);
	CHECK_EQ(twz_setenv("TEST_REMOVED", "x"), 0);
	CHECK_EQ(twz_setenv("TEST_REMOVED", NULL), 0);
	CHECK_EQ(run_with(2, argv, &opts), 7);
	CHECK(variable_is("TEST_SET", "by the parent"));
	CHECK(variable_is("TEST_CHANGED", "not for it"));
	CHECK(variable_is("TEST_GIVEN", NULL));
	opts.env = nameless;
	CHECK_EQ(run_with(2, argv, &opts), -EINVAL);
	opts.env = bare;
	CHECK_EQ(run_with(2, argv, &opts), -EINVAL);
	CHECK_EQ(twz_setenv("TEST_SET", NULL), 0);
	CHECK_EQ(twz_setenv("TEST_CHANGED", NULL), 0);
}

static void full_environment(void)
{
	static char big[TWZ_ENV_MAX + 8] = "TEST_BIG=";
	const char *const given[] = { big, NULL };
	struct twz_program_opts opts = { .env = given };
	char *argv[] = { (char *)SELF, (char *)"full environment", NULL };

	if (twz_env_next(NULL)) {
		ktap_skip("there is an environment already");
		return;
	}
	memset(big + 9, 'x', TWZ_ENV_MAX - 9 - 1);
	CHECK_EQ(run_with(2, argv, &opts), -E2BIG);
	CHECK_EQ(twz_setenv("TEST_BIG", big + 9), -ENOMEM);
	big[TWZ_ENV_MAX - 2] = 0;
	CHECK_EQ(run_with(2, argv, &opts), 7);
	CHECK_EQ(twz_setenv("TEST_BIG", big + 9), 0);
	CHECK_EQ(twz_setenv("X", ""), -ENOMEM);
	CHECK_EQ(run(2, argv), 7);
	CHECK_EQ(twz_setenv("TEST_BIG", NULL), 0);
	CHECK(!twz_env_next(NULL));
}

/* ---- Arguments and environment as no honest program writes them ---- */

struct forged {
	struct twz_program_args args;
	uint64_t argv[4];
	char text[32];
};

#define PANICKED 255
#define FORGED_AT (SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_ARGS_OFFSET)
#define FORGED_TEXT (FORGED_AT + offsetof(struct forged, text))

static const char forged_text[32] = SELF "\0noise"; /* the second begins behind SELF */

static struct forged forged_block(void)
{
	struct forged f = {
		.args = { .magic = TWZ_ARGS_MAGIC, .version = TWZ_ARGS_VERSION, .argc = 2,
			  .argv = FORGED_AT + offsetof(struct forged, argv), .size = sizeof(f) },
		.argv = { FORGED_TEXT, FORGED_TEXT + sizeof(SELF), 0, 0 },
	};

	memcpy(f.text, forged_text, sizeof(f.text));
	return f;
}

/* A view of this program as twz_program_spawn makes it. */
static int forge_view(twzobj *view, twzobj *data, objid_t stack, objid_t tid, objid_t template)
{
	int r = new_object(view);

	if (r == 0)
		r = twz_object_init_guid(data, template, FE_READ | FE_WRITE | FE_DERIVE);
	if (r < 0)
		return r;
	twz_view_set(view, PROGRAM_TEXT_SLOT, self_id, VE_READ | VE_EXEC);
	twz_view_set(view, PROGRAM_DATA_SLOT, twz_object_guid(data), VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_THRD, tid, VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_STACK, stack, VE_READ | VE_WRITE);
	twz_view_set(view, TWZSLOT_CVIEW, twz_object_guid(view), VE_READ | VE_WRITE);
	return 0;
}

/* Run this program with that block, and that stack object; its exit status or a negative error. */
static int64_t run_forged(const struct forged *block, twzobj *stack)
{
	struct thrd_spawn_args a = {
		.arg = FORGED_AT,
		.stack_base = SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_STACK_OFFSET,
		.stack_size = TWZ_THREAD_STACK_SIZE,
	};
	twzobj program, view, data;
	struct thread t;
	uint64_t status;
	int64_t r = twz_object_init_guid(&program, self_id, FE_READ);
	struct twz_program *h = twz_object_base(&program);

	memcpy((char *)twz_object_base(stack) - OBJ_NULLPAGE_SIZE + TWZ_ARGS_OFFSET, block,
	    sizeof(*block));
	if (r == 0)
		r = twz_thread_create(&t);
	if (r == 0)
		r = forge_view(&view, &data, twz_object_guid(stack), t.tid, h->data);
	if (r < 0)
		return r;
	a.target_view = twz_object_guid(&view);
	a.start_func = h->entry;
	r = sys_thrd_spawn(t.tid, &a, 0);
	if (r == 0)
		r = twz_program_wait(&t, &status);
	twz_object_release(&program);
	twz_object_release(&data);
	drop_object(&view);
	return r < 0 ? r : (int64_t)status;
}

static void forged_arguments(void)
{
	const uint64_t foreign = SLOT_TO_VADDR(TWZSLOT_STACK) + TWZ_STACK_OFFSET;
	struct forged f = forged_block();
	twzobj stack;

	NEED(new_object(&stack) == 0);
	CHECK_EQ(run_forged(&f, &stack), 7);
	f.args.argv = foreign;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f.args.argv = 8;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.args.argv++;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.args.argc = 1u << 31;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.args.argc = 1; /* no NULL behind it */
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.args.size = TWZ_ARGS_MAX + 1;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.args.size = offsetof(struct forged, text) + sizeof(SELF); /* the second is outside */
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	f.argv[0] = ~0ull;
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	f = forged_block();
	memset(f.text + sizeof(SELF), 'x', sizeof(f.text) - sizeof(SELF));
	CHECK_EQ(run_forged(&f, &stack), PANICKED);
	drop_object(&stack);
}

static void forged_environment(void)
{
	struct forged f = forged_block();
	twzobj stack;
	char *env;

	NEED(new_object(&stack) == 0);
	env = (char *)twz_object_base(&stack) - OBJ_NULLPAGE_SIZE + TWZ_ENV_OFFSET;
	memset(env, '=', TWZ_ENV_MAX + 4096);
	CHECK_EQ(run_forged(&f, &stack), 7);
	memset(env, 'B', TWZ_ENV_MAX);
	CHECK_EQ(run_forged(&f, &stack), 7);
	memcpy(env, "A=1\0B=", 6);
	CHECK_EQ(run_forged(&f, &stack), 7);
	memcpy(env, "A=1\0BBB\0B=2", 12);
	CHECK_EQ(run_forged(&f, &stack), 7);
	drop_object(&stack);
}

/* The most memory that was free after one of so many programs: an idle CPU may hold on to the
 * address space it used last, so single readings differ. */
static uint64_t most_free(int runs)
{
	struct twz_sysinfo si;
	uint64_t most = 0;

	for (int i = 0; i < runs; i++) {
		bool fault = i == runs / 2;

		CHECK_EQ(run_mode(fault ? "fault" : "data"), fault ? THRD_EXIT_FAULT(FAULT_NULL) : 0);
		sys_sysinfo(&si, sizeof(si));
		most = si.mem_free > most ? si.mem_free : most;
	}
	return most;
}

/* A page lost by each of the programs in between would show. */
static void nothing_is_left(void)
{
	uint64_t before = most_free(10), after;

	most_free(20);
	after = most_free(10);
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (64 << 10) >= before);
}

static void many_programs_at_once(void)
{
	enum { COUNT = 8 };
	char *argv[] = { (char *)SELF, (char *)"data", NULL };
	struct thread t[COUNT];
	uint64_t status;

	for (int i = 0; i < COUNT; i++)
		NEED(twz_program_spawn(self_id, 2, argv, NULL, &t[i]) == 0);
	for (int i = 0; i < COUNT; i++) {
		CHECK_EQ(twz_program_wait(&t[i], &status), 0);
		CHECK_EQ(status, 0);
	}
}

static const struct ktap_case cases[] = {
	{ "arguments arrive", arguments },
	{ "each run has its own data", own_data },
	{ "a faulting program ends alone", faulting_program },
	{ "what is no program is refused", not_programs },
	{ "arguments that do not fit are refused", too_many_arguments },
	{ "the environment is passed on", environment },
	{ "an environment as large as can be", full_environment },
	{ "arguments that lead out of their block", forged_arguments },
	{ "an environment that does not end", forged_environment },
	{ "many programs at once", many_programs_at_once },
	{ "nothing is left behind", nothing_is_left },
};

static int find_self(void)
{
	struct twz_name_ent ent;
	twzobj pack;
	int r = twz_object_init_guid(&pack, twz_program_packroot(), FE_READ);

	if (r == 0)
		r = twz_hier_resolve_name(&pack, SELF, 0, &ent);
	if (r == 0)
		self_id = ent.id;
	return r;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	if (argc == 0 || strcmp(argv[0], SELF) != 0)
		return 0;
	if (find_self() < 0) {
		ktap_note("this program does not find itself in the pack");
		return 1;
	}
	return KTAP_RUN(cases);
}
