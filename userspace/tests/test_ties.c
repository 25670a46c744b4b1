// SPDX-License-Identifier: BSD-3-Clause
/* Ties: lifetimes, counts, cycles, depth; and what libtwz ties by itself. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/sys/kec.h>

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

static objid_t object_of(bool persistent)
{
	objid_t id = 0;

	if (twz_object_create(NEW_FLAGS | (persistent ? TWZ_OC_PERSIST : TWZ_OC_VOLATILE), 0, 0, &id) < 0)
		ktap_fail(__FILE__, __LINE__, "no object");
	return id;
}

/* Objects to be tied from 0 on. */
#define LENGTH (DEPTH + 2)
struct chain {
	objid_t id[LENGTH];
};

/*
 * Which of them are persistent: those from `persistent` on; negative: those above −persistent; or
 * by turns of three.
 */
#define BY_TURNS (-100)

static void make_chain(struct chain *c, int persistent)
{
	for (int i = 0; i < LENGTH; i++)
		c->id[i] = object_of(persistent == BY_TURNS ? i / 3 % 2 == 0 :
			persistent < 0 ? i < -persistent : i >= persistent);
}

static void drop_chain(const struct chain *c)
{
	for (int i = LENGTH - 1; i >= 0; i--)
		sys_odelete(c->id[i], 0);
	for (int i = 0; i < LENGTH; i++)
		CHECK(!object_exists(c->id[i]));
}

static long tie_at(const struct chain *c, int i)
{
	return sys_otie(c->id[i], c->id[i + 1], 0);
}

static void grow_at_the_top(int persistent)
{
	struct chain c;

	make_chain(&c, persistent);
	for (int i = DEPTH; i > 0; i--)
		CHECK_EQ(tie_at(&c, i), 0);
	CHECK_EQ(tie_at(&c, 0), -EMLINK);
	drop_chain(&c);
}

static void grow_at_the_bottom(int persistent)
{
	struct chain c;

	make_chain(&c, persistent);
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(tie_at(&c, i), 0);
	CHECK_EQ(tie_at(&c, DEPTH), -EMLINK);
	drop_chain(&c);
}

/* Two chains become one, wherever they meet. */
static void grow_in_the_middle(int persistent)
{
	for (int middle = 1; middle < DEPTH; middle += 5) {
		struct chain c;

		make_chain(&c, persistent);
		for (int i = 0; i <= DEPTH; i++)
			if (i != middle)
				CHECK_EQ(tie_at(&c, i), 0);
		CHECK_EQ(tie_at(&c, middle), -EMLINK);
		/* Shorter by one at the bottom, and it fits. */
		CHECK_EQ(sys_otie(c.id[DEPTH], c.id[DEPTH + 1], OTIE_UNTIE), 0);
		CHECK_EQ(tie_at(&c, middle), 0);
		CHECK_EQ(tie_at(&c, DEPTH), -EMLINK);
		drop_chain(&c);
	}
}

/* An object that is made with its tie makes a chain longer, too. */
static void grow_by_creation(int persistent)
{
	struct twz_ocreate_spec spec = { .flags = TWZ_OC_DFL_READ, .lifetime = 1, .ties_len = 1 };
	struct kernel_ostat st;
	struct chain c;

	make_chain(&c, persistent);
	for (int i = 0; i < DEPTH; i++)
		CHECK_EQ(tie_at(&c, i), 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, c.id[DEPTH], 0, &st), 0);
	spec.backing_type = (uint16_t)st.backing;
	spec.ties = (uintptr_t)&c.id[DEPTH];
	CHECK_EQ(sys_ocreate2(&spec), -EMLINK);
	spec.ties = (uintptr_t)&c.id[DEPTH - 1];
	CHECK_EQ(sys_ocreate2(&spec), 0);
	CHECK(object_exists(spec.result));
	drop_chain(&c);
	CHECK(!object_exists(spec.result));
}

static void depth(int persistent)
{
	grow_at_the_top(persistent);
	grow_at_the_bottom(persistent);
	grow_in_the_middle(persistent);
	grow_by_creation(persistent);
}

static void volatile_depth(void)
{
	depth(LENGTH);
}

static void stored_depth(void)
{
	if (have_store())
		depth(0);
}

static void mixed_depth(void)
{
	if (!have_store())
		return;
	depth(1);
	depth(DEPTH / 2);
	depth(DEPTH);
	depth(-DEPTH / 2);
	depth(BY_TURNS);
}

/* As many chains as there are ways through, which nobody may walk one by one. */
static void lattice_of(bool persistent)
{
	enum { LAYERS = 8, WIDTH = 6 };
	static objid_t node[LAYERS][WIDTH];
	objid_t top = object_of(persistent), above = loose_object();

	for (int l = 0; l < LAYERS; l++)
		for (int w = 0; w < WIDTH; w++)
			node[l][w] = object_of(persistent);
	for (int l = LAYERS - 2; l >= 0; l--)
		for (int w = 0; w < WIDTH * WIDTH; w++)
			CHECK_EQ(sys_otie(node[l][w / WIDTH], node[l + 1][w % WIDTH], 0), 0);
	CHECK_EQ(sys_otie(top, node[0][0], 0), 0);
	CHECK_EQ(sys_otie(above, top, 0), 0);
	CHECK_EQ(sys_otie(node[LAYERS - 1][0], node[0][1], 0), -ELOOP);
	for (int l = 0; l < LAYERS; l++)
		for (int w = 0; w < WIDTH; w++)
			sys_odelete(node[l][w], 0);
	sys_odelete(top, 0);
	CHECK(object_exists(node[LAYERS - 1][WIDTH - 1]));
	sys_odelete(above, 0);
	CHECK(!object_exists(node[LAYERS - 1][WIDTH - 1]));
	CHECK(!object_exists(top));
}

static void lattice(void)
{
	lattice_of(false);
}

static void stored_lattice(void)
{
	if (have_store())
		lattice_of(true);
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
	{ "a chain of 16 ties cannot grow anywhere", volatile_depth },
	{ "nor can one of persistent objects", stored_depth },
	{ "nor one of both", mixed_depth },
	{ "many ways through one lattice", lattice },
	{ "the same of persistent objects", stored_lattice },
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

/* ---- Over a reboot ---- */

static void name_of(char name[16], int i)
{
	memcpy(name, "tied_a", 7);
	name[5] = (char)('a' + i);
}

/* A chain of 16 ties of which only the uppermost object is not deleted, and one object more. */
static int make_named(void)
{
	char name[16];
	struct chain c;
	bool made = true;

	make_chain(&c, 0);
	for (int i = 0; i < LENGTH; i++) {
		name_of(name, i);
		made = made && twz_name_assign(c.id[i], name) == 0;
	}
	for (int i = 0; i < DEPTH; i++)
		made = made && tie_at(&c, i) == 0;
	for (int i = 1; i <= DEPTH; i++)
		made = made && sys_odelete(c.id[i], 0) == 0;
	kec_printf("ties: %s\n", made ? "made" : "FAILED");
	return made ? 0 : 1;
}

static bool resolve_chain(struct chain *c)
{
	char name[16];

	for (int i = 0; i < LENGTH; i++) {
		name_of(name, i);
		if (twz_name_dfl_resolve(name, 0, &c->id[i]) < 0 || !object_exists(c->id[i]))
			return false;
	}
	return true;
}

static int check_named(void)
{
	objid_t above = loose_object();
	struct chain c;
	bool right = resolve_chain(&c);

	right = right && sys_otie(above, c.id[0], 0) == -EMLINK && tie_at(&c, DEPTH) == -EMLINK;
	right = right && sys_otie(c.id[DEPTH + 1], c.id[0], 0) == -EMLINK;
	right = right && sys_otie(c.id[DEPTH], c.id[0], 0) == -ELOOP;
	right = right && sys_otie(above, c.id[1], 0) == 0 && sys_otie(above, c.id[1], OTIE_UNTIE) == 0;
	right = right && sys_odelete(c.id[0], 0) == 0;
	for (int i = 0; right && i <= DEPTH; i++)
		right = !object_exists(c.id[i]);
	kec_printf("ties: %s\n", right ? "as before" : "FAILED");
	return right ? 0 : 1;
}

/* `make` and, after a reboot, `check`: steps of a test that the host leads. */
int main(int argc, char **argv)
{
	if (argc > 1)
		return strcmp(argv[1], "make") == 0 ? make_named() : check_named();
	return KTAP_RUN(cases);
}
