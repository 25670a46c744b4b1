// SPDX-License-Identifier: BSD-3-Clause
/*
 * Running programs: arguments and results, what is no program, and that nothing is left behind.
 * The program run is this one: with an argument it is the child and does what the argument says.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
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

static volatile int *volatile nowhere = (volatile int *)8;

static int child(int argc, char **argv)
{
	if (strcmp(argv[1], "arguments") == 0)
		return child_arguments(argc, argv);
	if (strcmp(argv[1], "data") == 0)
		return child_data();
	if (strcmp(argv[1], "fault") == 0)
		*nowhere = 1;
	if (strcmp(argv[1], "packroot") == 0)
		return twz_program_packroot() != 0 ? 5 : 6;
	return 0;
}

/* Exit status of the child with these arguments, or a negative error. */
static int64_t run(int argc, char *const argv[])
{
	struct thread t;
	uint64_t status;
	int r = twz_program_spawn(self_id, argc, argv, NULL, &t);

	if (r == 0)
		r = twz_program_wait(&t, &status);
	return r < 0 ? r : (int64_t)status;
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
