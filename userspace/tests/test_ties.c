// SPDX-License-Identifier: BSD-3-Clause
/* Ties: lifetimes, counts, cycles, depth; and what libtwz ties by itself. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>

#define DFL (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)
#define DEPTH 16 /* ties in the longest chain */

/* Its ID, closed and marked for deletion: only ties hold it. The caller's tie is made first. */
static objid_t child_of(objid_t parent)
{
	objid_t id = 0;

	if (twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id) < 0 ||
	    sys_otie(parent, id, 0) < 0 || sys_odelete(id, 0) < 0)
		ktap_fail(__FILE__, __LINE__, "no child");
	return id;
}

static objid_t loose_object(void)
{
	objid_t id = 0;

	if (twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &id) < 0)
		ktap_fail(__FILE__, __LINE__, "no object");
	return id;
}

static void child_lives_as_long(void)
{
	objid_t parent = loose_object(), child = child_of(parent), grandchild = child_of(child);

	CHECK(object_exists(child) && object_exists(grandchild));
	CHECK_EQ(sys_odelete(parent, TWZ_OD_IMMEDIATE), 0);
	CHECK(!object_exists(child));
	CHECK(!object_exists(grandchild));
}

static void counted(void)
{
	objid_t parent = loose_object(), child = child_of(parent);

	CHECK_EQ(twz_object_tie_guid(parent, child, 0), 0);
	CHECK_EQ(twz_object_tie_guid(parent, child, 0), 0);
	CHECK_EQ(twz_object_tie_guid(parent, child, TIE_UNTIE), 0);
	CHECK_EQ(twz_object_tie_guid(parent, child, TIE_UNTIE), 0);
	CHECK(object_exists(child));
	CHECK_EQ(twz_object_tie_guid(parent, child, TIE_UNTIE), 0);
	CHECK(!object_exists(child));
	CHECK_EQ(twz_object_tie_guid(parent, child, TIE_UNTIE), -ENOENT);
	sys_odelete(parent, TWZ_OD_IMMEDIATE);
}

static void refused(void)
{
	objid_t a = loose_object(), b = loose_object();

	CHECK_EQ(twz_object_tie_guid(a, a, 0), -EPERM);
	CHECK_EQ(twz_object_tie_guid(a, b, TIE_UNTIE), -ENOENT);
	CHECK_EQ(twz_object_tie_guid(a, b, 2), -EINVAL);
	CHECK_EQ(twz_object_tie_guid(a, missing_id(), 0), -ENOENT);
	CHECK_EQ(twz_object_tie_guid(missing_id(), a, 0), -ENOENT);
	CHECK_EQ(twz_object_tie_guid(0, a, 0), -ENOENT);
	sys_odelete(a, TWZ_OD_IMMEDIATE);
	sys_odelete(b, TWZ_OD_IMMEDIATE);
}

static void no_cycles(void)
{
	objid_t chain[8];

	for (int i = 0; i < 8; i++)
		chain[i] = loose_object();
	for (int i = 0; i < 7; i++)
		CHECK_EQ(sys_otie(chain[i], chain[i + 1], 0), 0);
	CHECK_EQ(sys_otie(chain[1], chain[0], 0), -ELOOP);
	CHECK_EQ(sys_otie(chain[7], chain[0], 0), -ELOOP);
	CHECK_EQ(sys_otie(chain[7], chain[3], 0), -ELOOP);
	CHECK_EQ(sys_otie(chain[0], chain[7], 0), 0);
	CHECK_EQ(sys_otie(chain[3], chain[4], OTIE_UNTIE), 0);
	CHECK_EQ(sys_otie(chain[7], chain[3], 0), 0);
	for (int i = 0; i < 8; i++)
		sys_odelete(chain[i], 0);
	for (int i = 0; i < 8; i++)
		CHECK(!object_exists(chain[i]));
}

static void drop_chain(const objid_t *chain, int count)
{
	for (int i = count - 1; i >= 0; i--)
		sys_odelete(chain[i], 0);
	for (int i = 0; i < count; i++)
		CHECK(!object_exists(chain[i]));
}

/* Longer by one at its upper end each time, then at its lower. */
static void depth_from_below(void)
{
	objid_t chain[DEPTH + 2];

	for (int i = 0; i < DEPTH + 2; i++)
		chain[i] = loose_object();
	for (int i = DEPTH - 1; i >= 0; i--)
		CHECK_EQ(sys_otie(chain[i], chain[i + 1], 0), 0);
	CHECK_EQ(sys_otie(chain[DEPTH + 1], chain[0], 0), -EMLINK);
	drop_chain(chain, DEPTH + 2);
}

static void depth_from_above(void)
{
	objid_t chain[DEPTH + 2];

	for (int i = 0; i < DEPTH + 2; i++)
		chain[i] = loose_object();
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(sys_otie(chain[i], chain[i + 1], 0), 0);
	CHECK_EQ(sys_otie(chain[DEPTH], chain[DEPTH + 1], 0), -EMLINK);
	drop_chain(chain, DEPTH + 2);
}

static void depth_in_the_middle(void)
{
	objid_t chain[DEPTH + 2];

	for (int i = 0; i < DEPTH + 2; i++)
		chain[i] = loose_object();
	for (int i = 0; i <= DEPTH; i++)
		if (i != DEPTH / 2)
			CHECK_EQ(sys_otie(chain[i], chain[i + 1], 0), 0);
	CHECK_EQ(sys_otie(chain[DEPTH / 2], chain[DEPTH / 2 + 1], 0), -EMLINK);
	drop_chain(chain, DEPTH + 2);
}

/* As many chains as there are ways through, which nobody may walk one by one. */
static void lattice(void)
{
	enum { LAYERS = 8, WIDTH = 6 };
	static objid_t node[LAYERS][WIDTH];
	objid_t top = loose_object();

	for (int l = 0; l < LAYERS; l++)
		for (int w = 0; w < WIDTH; w++)
			node[l][w] = loose_object();
	for (int l = LAYERS - 2; l >= 0; l--)
		for (int w = 0; w < WIDTH * WIDTH; w++)
			CHECK_EQ(sys_otie(node[l][w / WIDTH], node[l + 1][w % WIDTH], 0), 0);
	CHECK_EQ(sys_otie(top, node[0][0], 0), 0);
	CHECK_EQ(sys_otie(node[LAYERS - 1][0], node[0][1], 0), -ELOOP);
	for (int l = 0; l < LAYERS; l++)
		for (int w = 0; w < WIDTH; w++)
			sys_odelete(node[l][w], 0);
	CHECK(object_exists(node[LAYERS - 1][WIDTH - 1]));
	sys_odelete(top, 0);
	CHECK(!object_exists(node[LAYERS - 1][WIDTH - 1]));
}

/* --- what libtwz ties */

struct made {
	objid_t id[3];
	objid_t tid;
};

static void make_things(void *arg)
{
	struct made *made = arg;
	twzobj kept, derived;

	made->tid = twz_thread_id();
	CHECK_EQ(twz_object_new(&kept, NULL, NULL, OBJ_VOLATILE, DFL), 0);
	*page_word(&kept, 1) = 7;
	made->id[0] = twz_object_guid(&kept);
	CHECK_EQ(twz_object_create(DFL | TWZ_OC_VOLATILE, 0, 0, &made->id[1]), 0);
	CHECK_EQ(twz_object_init_guid(&derived, made->id[0], ACCESS_RW | FE_DERIVE), 0);
	CHECK_EQ(*page_word(&derived, 1), 7);
	*page_word(&derived, 1) = 8;
	CHECK_EQ(*page_word(&kept, 1), 7);
	made->id[2] = twz_object_guid(&derived);
	for (int i = 0; i < 3; i++)
		CHECK(object_exists(made->id[i]));
	twz_object_release(&derived);
	twz_object_release(&kept);
}

static void thread_takes_its_objects_along(void)
{
	struct made made;

	CHECK_EQ(exit_code_of(make_things, &made), 0);
	for (int i = 0; i < 3; i++)
		CHECK(object_goes(made.id[i]));
	CHECK(object_goes(made.tid));
}

static void make_and_fault(void *arg)
{
	volatile uintptr_t nowhere = 8;
	objid_t *id = arg;

	if (twz_object_create(DFL | TWZ_OC_VOLATILE, 0, 0, id) == 0)
		*(volatile int *)nowhere = 1;
}

static void faulting_thread_too(void)
{
	objid_t id = 0;

	CHECK_EQ(exit_code_of(make_and_fault, &id), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK(id != 0 && object_goes(id));
}

static void default_is_tied(void)
{
	struct kernel_ostat st;
	objid_t id;
	twzobj o;

	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, DFL) == 0);
	id = twz_object_guid(&o);
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK(st.flags & OS_FLAGS_DELETED);
	CHECK_EQ(st.ties_in, 1);
	*page_word(&o, 1) = 1;
	CHECK_EQ(twz_object_tie(NULL, &o, TIE_UNTIE), 0);
	CHECK(object_exists(id));
	CHECK_EQ(*page_word(&o, 1), 1);
	CHECK_EQ(twz_object_tie(NULL, &o, 0), 0);
	twz_object_release(&o);
	CHECK(object_exists(id));
	CHECK_EQ(twz_object_tie_guid(twz_thread_id(), id, TIE_UNTIE), 0);
	CHECK(!object_exists(id));
}

static void tied_to_the_view(void)
{
	struct kernel_ostat st;
	twzobj o, view;
	objid_t id;

	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, DFL | TWZ_OC_TIED_VIEW) == 0);
	id = twz_object_guid(&o);
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK(st.flags & OS_FLAGS_DELETED);
	CHECK_EQ(twz_object_tie(NULL, &o, TIE_UNTIE), -ENOENT);
	CHECK_EQ(twz_object_wire(NULL, &o), 0);
	CHECK_EQ(twz_object_unwire(NULL, &o), 0);
	NEED(new_view(&view) == 0);
	CHECK_EQ(twz_object_wire_guid(&view, id), 0);
	CHECK_EQ(twz_object_unwire(NULL, &o), 0);
	CHECK_EQ(twz_object_unwire(NULL, &o), -ENOENT);
	twz_object_release(&o);
	CHECK(object_exists(id));
	drop_object(&view);
	CHECK(!object_exists(id));
}

static void deletion_right(void)
{
	twzobj o;

	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, DFL) == 0);
	CHECK_EQ(twz_object_meta(&o)->p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL);
	twz_object_release(&o);
	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, DFL | TWZ_OC_NODEL) == 0);
	CHECK_EQ(twz_object_meta(&o)->p_flags, MIP_DFL_READ | MIP_DFL_WRITE);
	twz_object_release(&o);
	NEED(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ) == 0);
	CHECK_EQ(twz_object_meta(&o)->p_flags, MIP_DFL_READ);
	twz_object_release(&o);
	CHECK_EQ(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, DFL | TWZ_OC_TIED_NONE | TWZ_OC_TIED_VIEW),
	    -EINVAL);
}

/* Each thread starts the next and ends: no chain of ties grows. */
static void pass_on(void *arg)
{
	long left = (long)arg;
	struct thread t;

	if (left == 0)
		return;
	if (run_thread(&t, pass_on, (void *)(left - 1)) < 0)
		twz_thread_exit(1);
	twz_thread_exit(finish_thread(&t));
}

static void threads_in_a_row(void)
{
	CHECK_EQ(exit_code_of(pass_on, (void *)24l), 0);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void threads_leave_nothing(void)
{
	uint64_t before = 0, after;

	for (int i = 0; i < 120; i++) {
		exit_code_of(nothing, NULL);
		if (i == 19)
			before = memory_free();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (64 << 10) >= before);
}

/* --- races */

#define RIVALS 4

static objid_t family[3];

static void tie_and_untie(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg;

	for (unsigned i = 0; i < 500; i++) {
		objid_t a = family[(me + i) % 3], b = family[(me + i + 1) % 3];
		long r = sys_otie(a, b, 0);

		if (r != 0 && r != -ELOOP)
			twz_thread_exit(1);
		if (r == 0 && sys_otie(a, b, OTIE_UNTIE) != 0)
			twz_thread_exit(2);
	}
}

static void rivals(void)
{
	struct kernel_ostat st;
	struct thread t[RIVALS];

	for (int i = 0; i < 3; i++)
		family[i] = loose_object();
	for (uintptr_t i = 0; i < RIVALS; i++)
		NEED(run_thread(&t[i], tie_and_untie, (void *)i) == 0);
	for (int i = 0; i < RIVALS; i++)
		CHECK_EQ(finish_thread(&t[i]), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, family[i], 0, &st), 0);
		CHECK_EQ(st.ties_in, 0);
		sys_odelete(family[i], 0);
		CHECK(!object_exists(family[i]));
	}
}

static void persistent_parent(void)
{
	objid_t parent, child;

	if (!have_store())
		return;
	NEED(twz_object_create(NEW_FLAGS | TWZ_OC_PERSIST, 0, 0, &parent) == 0);
	NEED(twz_object_create(NEW_FLAGS | TWZ_OC_PERSIST, 0, 0, &child) == 0);
	CHECK_EQ(sys_otie(parent, child, 0), 0);
	CHECK_EQ(sys_otie(child, parent, 0), -ELOOP);
	CHECK_EQ(sys_odelete(child, 0), 0);
	CHECK(object_exists(child));
	CHECK_EQ(sys_odelete(parent, 0), 0);
	CHECK(!object_exists(child));
	CHECK(!object_exists(parent));
}

/* Deleted ones in the middle stay, with all that is tied to them, until the one at the top goes. */
static void persistent_chain(void)
{
	objid_t chain[4];

	if (!have_store())
		return;
	for (int i = 0; i < 4; i++)
		NEED(twz_object_create(NEW_FLAGS | TWZ_OC_PERSIST, 0, 0, &chain[i]) == 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(sys_otie(chain[i], chain[i + 1], 0), 0);
	for (int i = 3; i > 0; i--) {
		CHECK_EQ(sys_odelete(chain[i], 0), 0);
		for (int j = 0; j < 4; j++)
			CHECK(object_exists(chain[j]));
	}
	CHECK_EQ(sys_odelete(chain[0], 0), 0);
	for (int i = 0; i < 4; i++)
		CHECK(!object_exists(chain[i]));
}

static const struct ktap_case cases[] = {
	{ "a child lives as long as its parent", child_lives_as_long },
	{ "ties are counted", counted },
	{ "bad ties are refused", refused },
	{ "no cycles", no_cycles },
	{ "a chain that grows at its upper end", depth_from_below },
	{ "a chain that grows at its lower end", depth_from_above },
	{ "two chains that become one", depth_in_the_middle },
	{ "many ways through one lattice", lattice },
	{ "objects are tied to their thread by default", default_is_tied },
	{ "a thread takes its objects along", thread_takes_its_objects_along },
	{ "a thread that faults does, too", faulting_thread_too },
	{ "objects tied to the view", tied_to_the_view },
	{ "who may delete what was made", deletion_right },
	{ "threads that start threads", threads_in_a_row },
	{ "threads leave nothing behind", threads_leave_nothing },
	{ "ties and unties at once", rivals },
	{ "a persistent parent", persistent_parent },
	{ "a chain of persistent objects", persistent_chain },
};

int main(void)
{
	return KTAP_RUN(cases);
}
