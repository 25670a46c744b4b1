// SPDX-License-Identifier: BSD-3-Clause
/*
 * Mistakes that systems of this kind have made, and this one must not: each case says what must not
 * be false. The numbers are those of the specification's list. What is not here is where its
 * subject is tested.
 */
#include "contexts.h"
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>

#define HASH_FLAGS (TWZ_OC_HASHDATA | TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL | TWZ_OC_ZERONONCE)
#define PAGES 3

/* ---- T1, T6 ---- */

static objid_t hash_of(twzobj *source)
{
	struct twz_ocreate_source s = { .id = twz_object_guid(source) };
	objid_t id = 0;

	if (create_from(&id, &s, 1, HASH_FLAGS, 0) != 0)
		ktap_fail(__FILE__, __LINE__, "no hash-data object");
	else
		sys_odelete(id, TWZ_OD_IMMEDIATE);
	return id;
}

/* Flip a bit, see another name come out, and flip it back. */
static void check_counts(twzobj *o, void *byte, objid_t whole)
{
	*(volatile uint8_t *)byte ^= 1;
	objid_t other = hash_of(o);
	*(volatile uint8_t *)byte ^= 1;
	CHECK(other != whole);
}

static int rich_object(twzobj *o)
{
	int r = new_object(o);

	if (r < 0)
		return r;
	for (uint64_t i = 0; i < PAGES * TWZ_PAGE_SIZE; i++)
		((uint8_t *)twz_object_base(o))[i] = (uint8_t)(i % 251);
	twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, PAGES * TWZ_PAGE_SIZE);
	if (twz_object_addfot(o, missing_id(), FE_READ) != 1 ||
	    twz_object_addext(o, 0x1234, twz_object_base(o)) < 0)
		return -1;
	return 0;
}

static void everything_is_in_the_name(void)
{
	uint8_t *base, *fote, *exts;
	objid_t whole;
	twzobj o;

	NEED(rich_object(&o) == 0);
	whole = hash_of(&o);
	base = twz_object_base(&o);
	fote = (uint8_t *)twz_object_meta(&o) - sizeof(struct fotentry);
	exts = (uint8_t *)twz_object_meta(&o)->exts;
	for (size_t i = 0; i < sizeof(struct fotentry); i++)
		check_counts(&o, fote + i, whole);
	for (size_t i = 0; i < 32; i++)
		check_counts(&o, exts + i, whole);
	check_counts(&o, (uint8_t *)twz_object_meta(&o) + TWZ_PAGE_SIZE - 1, whole);
	for (size_t i = 0; i < PAGES * TWZ_PAGE_SIZE; i += TWZ_PAGE_SIZE / 2 - 1)
		check_counts(&o, base + i, whole);
	check_counts(&o, base + PAGES * TWZ_PAGE_SIZE - 1, whole);
	check_counts(&o, &twz_object_meta(&o)->sz, whole);
	/* T6 */
	CHECK(hash_of(&o) == whole);
	drop_object(&o);
}

/* ---- T2, T3, T4: metadata that is changed behind the kernel's back ---- */

static void touch(void *arg)
{
	twzobj o;

	if (twz_object_init_guid(&o, *(objid_t *)arg, FE_READ) == 0)
		(void)*page_word(&o, 1);
}

/* Nothing is granted to anybody any more: not to calls, not to a mapping that is new. */
static void check_invalid(objid_t id)
{
	struct kernel_ostat st;
	objid_t copy = 0, zero = 0;
	twzobj view;

	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), -EINVLOBJ);
	CHECK_EQ(sys_odelete(id, 0), -EINVLOBJ);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, id, &copy), -EINVLOBJ);
	CHECK_EQ(sys_ocopy(&id, &zero, 0x1000, 0x1000, 0x1000, 0), -EINVLOBJ);
	NEED(new_view(&view) == 0);
	struct thread t;
	NEED(run_thread_in(&t, twz_object_guid(&view), touch, &id) == 0);
	CHECK_EQ(finish_thread(&t), THRD_EXIT_FAULT(FAULT_OBJECT));
	drop_object(&view);
}

static void check_field(twzobj *o, void *field, size_t size)
{
	objid_t id = twz_object_guid(o);
	struct kernel_ostat st;
	uint8_t *bytes = field;

	/* T3: it was verified just now, and is mapped writable ever since. */
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
	for (size_t i = 0; i < size; i += size - 1) {
		bytes[i] ^= 0x10;
		check_invalid(id);
		bytes[i] ^= 0x10;
		CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
		CHECK_EQ(st.p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL);
		CHECK(st.kuid == 0);
	}
}

static void changed_identity(uint16_t backing)
{
	struct metainfo *mi;
	twzobj o;

	NEED(twz_object_new(&o, NULL, NULL, backing, NEW_FLAGS) == 0);
	mi = twz_object_meta(&o);
	*page_word(&o, 1) = 5;
	check_field(&o, &mi->p_flags, sizeof(mi->p_flags));
	check_field(&o, &mi->nonce, sizeof(mi->nonce));
	check_field(&o, &mi->kuid, sizeof(mi->kuid));
	CHECK_EQ(*page_word(&o, 1), 5);
	drop_object(&o);
}

static void identity_is_trusted_once(void)
{
	changed_identity(OBJ_VOLATILE);
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		changed_identity(OBJ_PERSISTENT);
}

/* T3 by another way: the metadata page was the target of a copy. */
static void copied_onto_metadata(void)
{
	struct kernel_ostat st;
	objid_t id;
	twzobj o, page;

	NEED(new_object(&o) == 0 && new_object(&page) == 0);
	id = twz_object_guid(&o);
	memcpy(twz_object_base(&page), twz_object_meta(&o), TWZ_PAGE_SIZE);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
	((struct metainfo *)twz_object_base(&page))->p_flags |= MIP_DFL_EXEC;
	CHECK_EQ(sys_ocopy(&id, &page.id, OBJ_METAPAGE, 0x1000, TWZ_PAGE_SIZE, 0), 0);
	check_invalid(id);
	twz_object_meta(&o)->p_flags &= (uint16_t)~MIP_DFL_EXEC;
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
	drop_object(&o);
	drop_object(&page);
}

/* All that reads metadata, whatever it makes of it. */
static void use_everything(twzobj *o)
{
	struct kernel_ostat_page page;
	struct kernel_ostat st;
	objid_t id = twz_object_guid(o), made = 0;

	sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st);
	sys_ostat(TWZ_OSTAT_PAGE, id, OBJ_METAPAGE / TWZ_PAGE_SIZE, &page);
	if (sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, id, &made) == 0)
		sys_odelete(made, TWZ_OD_IMMEDIATE);
	if (sys_ocreate(HASH_FLAGS, 0, id, &made) == 0)
		sys_odelete(made, TWZ_OD_IMMEDIATE);
	exit_code_of(touch, &id);
	sys_osync(id, 0, 0, 0);
}

static void absurd_metadata(void)
{
	static const uint64_t values[] = { 0, 1, 15, 63, 65, 0x3fffffff, 0x7fffffff, 0xffffffff,
		OBJ_MAXDATA + 1, 1ull << 63, ~0ull };
	struct metainfo *mi, kept;
	struct kernel_ostat st;
	twzobj o;

	NEED(new_object(&o) == 0);
	mi = twz_object_meta(&o);
	kept = *mi;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		for (int field = 0; field < 5; field++) {
			mi->magic = field == 0 ? (uint32_t)values[i] : kept.magic;
			mi->milen = field == 1 ? (uint32_t)values[i] : kept.milen;
			mi->fotentries = field == 2 ? (uint32_t)values[i] : kept.fotentries;
			mi->sz = field == 3 ? values[i] : kept.sz;
			mi->flags = field == 3 ? MIF_SZ : field == 4 ? (uint16_t)values[i] : kept.flags;
			use_everything(&o);
		}
	}
	memcpy(mi, &kept, sizeof(kept));
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, twz_object_guid(&o), 0, &st), 0);
	drop_object(&o);
}

/* ---- T5 ---- */

static long delete_it(void *arg)
{
	return sys_odelete(*(objid_t *)arg, 0);
}

static long wire_it(void *arg)
{
	return sys_otie(((objid_t *)arg)[1], ((objid_t *)arg)[0], 0);
}

/* What a thread that has a context, which takes nothing away, may do by the default permissions. */
static long by_default(uint32_t flags, long (*run)(void *), uint16_t *p_flags)
{
	objid_t id[2] = { 0, 0 };
	twzobj parent;
	long r;

	if (new_open_object(&parent) < 0 || sys_ocreate(flags, 0, 0, &id[0]) != 0)
		return -1000000;
	id[1] = twz_object_guid(&parent);
	twzobj o;
	if (twz_object_init_guid(&o, id[0], FE_READ) == 0) {
		*p_flags = twz_object_meta(&o)->p_flags;
		twz_object_release(&o);
	}
	r = with_rights(id[0], ALL_RIGHTS, run, id);
	sys_odelete(id[0], TWZ_OD_IMMEDIATE);
	drop_object(&parent);
	return r;
}

static void default_permissions(void)
{
	uint16_t p_flags = 0;

	CHECK_EQ(by_default(TWZ_OC_DFL_DEL, delete_it, &p_flags), 0);
	CHECK_EQ(p_flags, MIP_DFL_DEL);
	CHECK_EQ(by_default(TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE, delete_it, &p_flags),
	    -EACCES);
	CHECK_EQ(p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_EXEC | MIP_DFL_USE);
	CHECK_EQ(by_default(TWZ_OC_DFL_USE, wire_it, &p_flags), 0);
	CHECK_EQ(p_flags, MIP_DFL_USE);
	CHECK_EQ(by_default(TWZ_OC_DFL_DEL, wire_it, &p_flags), -EACCES);
}

/* ---- T7, T9: the foreign object table and the data ---- */

static void full_fot(void)
{
	struct metainfo *mi;
	uint64_t *below;
	twzobj o;

	NEED(new_object(&o) == 0);
	mi = twz_object_meta(&o);
	below = (uint64_t *)((char *)twz_object_base(&o) - OBJ_NULLPAGE_SIZE + OBJ_TOPDATA) - 512;
	for (int i = 0; i < 512; i++)
		below[i] = 0xabcdef00ull + (uint64_t)i;
	mi->fotentries = OBJ_MAXFOTE - 2;
	CHECK_EQ(twz_object_addfot(&o, missing_id(), FE_READ), OBJ_MAXFOTE - 2);
	CHECK_EQ(twz_object_addfot(&o, missing_id() + 1, FE_READ), OBJ_MAXFOTE - 1);
	for (objid_t i = 2; i < 6; i++)
		CHECK_EQ(twz_object_addfot(&o, missing_id() + i, FE_READ), -ENOSPC);
	CHECK_EQ(mi->fotentries, OBJ_MAXFOTE);
	CHECK_EQ(twz_object_addfot(&o, missing_id() + 1, FE_READ), OBJ_MAXFOTE - 1);
	for (int i = 0; i < 512; i++)
		if (below[i] != 0xabcdef00ull + (uint64_t)i)
			CHECK_EQ(below[i], 0xabcdef00ull + (uint64_t)i);
	drop_object(&o);
}

static ssize_t size_asked;

static void set_size(void *arg)
{
	twz_object_setsz(arg, TWZ_OSSM_ABSOLUTE, size_asked);
}

static void add_size(void *arg)
{
	twz_object_setsz(arg, TWZ_OSSM_RELATIVE, size_asked);
}

static void size_stays_below_the_fot(void)
{
	static const ssize_t sizes[] = { OBJ_MAXDATA + 1, OBJ_MAXSIZE, -1, INT64_MAX, INT64_MIN };
	static const ssize_t steps[] = { 1, OBJ_MAXDATA, INT64_MAX, -(ssize_t)OBJ_MAXDATA - 1, INT64_MIN };
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, OBJ_MAXDATA);
	for (int i = 0; i < 5; i++) {
		size_asked = sizes[i];
		CHECK_EQ(thrown_by(set_size, &o), FAULT_PPTR_INVALID);
		size_asked = steps[i];
		CHECK_EQ(thrown_by(add_size, &o), FAULT_PPTR_INVALID);
		CHECK_EQ(twz_object_meta(&o)->sz, OBJ_MAXDATA);
	}
	/* The kernel believes no size that is too large either. */
	twz_object_meta(&o)->sz = OBJ_MAXDATA + 1;
	CHECK_EQ(sys_ocreate(HASH_FLAGS, 0, twz_object_guid(&o), &id), -EINVAL);
	drop_object(&o);
}

/* ---- T10 ---- */

static void missing_relatives(void)
{
	objid_t parent, child;

	NEED(twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &parent) == 0);
	NEED(twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &child) == 0);
	CHECK_EQ(sys_otie(parent, missing_id(), 0), -ENOENT);
	CHECK_EQ(sys_otie(missing_id(), child, 0), -ENOENT);
	CHECK_EQ(sys_otie(parent, missing_id(), OTIE_UNTIE), -ENOENT);
	CHECK_EQ(sys_otie(missing_id(), child, OTIE_UNTIE), -ENOENT);
	CHECK_EQ(sys_otie(parent, child, 0), 0);
	CHECK_EQ(sys_odelete(child, 0), 0);
	CHECK(object_exists(child));
	CHECK_EQ(sys_otie(parent, child, OTIE_UNTIE), 0);
	CHECK(!object_exists(child));
	sys_odelete(parent, 0);
}

/* ---- T11 ---- */

#define SELF "test_traps"
static objid_t self_id;

/* What a program started with an argument does, for ever. */
static int make_and_drop(void)
{
	twzobj o;

	for (;;) {
		if (twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) < 0)
			return 1;
		*page_word(&o, 1) = 1;
		twz_object_release(&o);
	}
}

static void pause_ns(uint64_t ns)
{
	uint64_t end = twz_clock_ns() + ns;

	while (twz_clock_ns() < end)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
}

/* For ever, too, and each time it takes a while. */
static int hash_and_drop(void)
{
	twzobj o;

	if (twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE) < 0)
		return 1;
	for (uint64_t p = 1; p <= 64; p++)
		*page_word(&o, p) = p;
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, 64l << 20);
	for (;;)
		hash_of(&o);
}

/* Programs that make objects are ended at any step: no object of theirs is left. */
static void end_makers(char *what, uint64_t first_ns)
{
	char *const argv[] = { SELF, what, NULL };
	uint64_t before = 0, after, status;
	struct thread t;

	for (int i = 0; i < 50; i++) {
		NEED(twz_program_spawn(self_id, 2, argv, NULL, &t) == 0);
		pause_ns(first_ns + (uint64_t)i * 37000);
		CHECK_EQ(sys_thrd_ctl2(t.tid, THRD_CTL_KILL, 3), 0);
		CHECK_EQ(twz_program_wait(&t, &status), 0);
		CHECK_EQ(status, 3);
		if (i == 19)
			before = memory_free();
	}
	after = memory_free();
	ktap_note("memory free: %lu before, %lu after", (unsigned long)before, (unsigned long)after);
	CHECK(after + (64 << 10) >= before);
}

static void makers_leave_nothing(void)
{
	end_makers("make", 200000);
}

/* ---- T12 ---- */

#define RIVALS 3
static objid_t victim, relative;
static volatile bool stop;

static void copy_map_and_tie(void *arg)
{
	uintptr_t me = (uintptr_t)arg;

	while (!stop) {
		objid_t id = *(volatile objid_t *)&victim, made = 0;
		twzobj o;
		long r;
		if (me == 0) {
			r = sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, id, &made);
			if (r == 0 && twz_object_init_guid(&o, made, FE_READ) == 0) {
				if (*page_word(&o, 7) != 7)
					twz_thread_exit(2);
				drop_object(&o);
			}
		} else if (me == 1) {
			r = sys_otie(relative, id, 0);
			/* Deleted at once meanwhile it is not found, and goes with its parent. */
			long undone = r == 0 ? sys_otie(relative, id, OTIE_UNTIE) : 0;
			if (undone != 0 && undone != -ENOENT)
				twz_thread_exit(3);
		} else {
			struct kernel_ostat_page page;
			r = sys_ostat(TWZ_OSTAT_PAGE, id, 7, &page);
			if (r == 0 && !(page.flags & OS_PAGE_EXIST))
				twz_thread_exit(4);
		}
		if (r != 0 && r != -ENOENT)
			twz_thread_exit(5);
	}
}

static void deleted_while_used(uint16_t backing)
{
	struct thread t[RIVALS];
	twzobj parent;

	NEED(twz_object_new(&parent, NULL, NULL, backing, NEW_FLAGS) == 0);
	relative = twz_object_guid(&parent);
	stop = false;
	for (uintptr_t i = 0; i < 60; i++) {
		twzobj o;
		NEED(twz_object_new(&o, NULL, NULL, backing, NEW_FLAGS) == 0);
		for (uint64_t p = 1; p < 12; p++)
			*page_word(&o, p) = p;
		victim = twz_object_guid(&o);
		if (i == 0)
			for (uintptr_t k = 0; k < RIVALS; k++)
				NEED(run_thread(&t[k], copy_map_and_tie, (void *)k) == 0);
		pause_ns(300000);
		CHECK_EQ(*page_word(&o, 7), 7);
		drop_object(&o);
	}
	stop = true;
	for (int k = 0; k < RIVALS; k++)
		CHECK_EQ(finish_thread(&t[k]), 0);
	drop_object(&parent);
}

static void deletion_frees_nothing_in_use(void)
{
	deleted_while_used(OBJ_VOLATILE);
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		deleted_while_used(OBJ_PERSISTENT);
}

/* ---- T49 ---- */

static void wild_ranges(void)
{
	static const uint64_t offsets[] = { 0, 1, 0xfff, 0x1001, 0x1800, OBJ_MAXSIZE, OBJ_MAXSIZE + 0x1000, 1ull << 32,
		1ull << 63, ~0xfffull, ~0ull };
	static const uint64_t lengths[] = { 1, 0x800, 0x1001, OBJ_MAXSIZE, OBJ_MAXSIZE + 0x1000, 1ull << 62,
		~0xfffull, ~0ull };
	objid_t id, zero = 0;
	twzobj o;

	NEED(new_object(&o) == 0);
	*page_word(&o, 1) = 77;
	id = twz_object_guid(&o);
	for (size_t i = 0; i < sizeof(offsets) / 8; i++) {
		CHECK_EQ(sys_ocopy(&id, &zero, offsets[i], 0x1000, 0x1000, 0), -EINVAL);
		CHECK_EQ(sys_ocopy(&id, &zero, 0x1000, offsets[i], 0x1000, 0), -EINVAL);
		if (offsets[i] > OBJ_MAXDATA)
			CHECK_EQ(sys_octl(id, OCO_CACHE_MODE, offsets[i], 0x1000, OC_CM_WB), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(lengths) / 8; i++) {
		CHECK_EQ(sys_ocopy(&id, &zero, 0x1000, 0x1000, lengths[i], 0), -EINVAL);
		if (lengths[i] > OBJ_MAXDATA)
			CHECK_EQ(sys_octl(id, OCO_CACHE_MODE, 0, lengths[i], OC_CM_WB), -EINVAL);
	}
	CHECK_EQ(sys_ocopy(&id, &zero, OBJ_METAPAGE, 0x1000, 0x2000, 0), -EINVAL);
	CHECK_EQ(sys_octl(id, OCO_CACHE_MODE, 0x1000, 0x1000, 99), -EINVAL);
	CHECK_EQ(*page_word(&o, 1), 77);
	drop_object(&o);
}

/* ---- T50, its part about hash-data objects; copies are test_copy's ---- */

static volatile uint64_t turns;

static void take_turns(void *arg)
{
	(void)arg;
	while (!stop) {
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
		turns++;
	}
}

/*
 * Another thread gets its turns, on the same CPU if there is only one, while a large object is
 * hashed.
 */
static void hashing_lets_others_run(void)
{
	uint64_t before, after;
	objid_t id, again;
	struct thread t;
	twzobj o;

	NEED(new_object(&o) == 0);
	*page_word(&o, 9) = 9;
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, 12l << 20);
	stop = false;
	turns = 0;
	NEED(run_thread(&t, take_turns, NULL) == 0);
	while (turns == 0)
		sys_thrd_ctl(THRD_CTL_YIELD, 0);
	before = turns;
	id = hash_of(&o);
	after = turns;
	stop = true;
	CHECK_EQ(finish_thread(&t), 0);
	ktap_note("%lu turns meanwhile", (unsigned long)(after - before));
	CHECK(after - before >= 5);
	again = hash_of(&o);
	CHECK(again == id);
	*page_word(&o, 9) = 10;
	CHECK(hash_of(&o) != id);
	drop_object(&o);
}

/* The same of makers that are ended in the middle of hashing. */
static void half_hashed(void)
{
	end_makers("hash", 3000000);
}

static const struct ktap_case cases[] = {
	{ "T1 T6: a name is that of every byte, and always the same", everything_is_in_the_name },
	{ "T2 T3: changed metadata changes no right, and is noticed", identity_is_trusted_once },
	{ "T3: metadata that was copied over", copied_onto_metadata },
	{ "T4: absurd metadata", absurd_metadata },
	{ "T5: default permissions are recorded, and in effect", default_permissions },
	{ "T7: a full foreign object table", full_fot },
	{ "T9: no size reaches the foreign object table", size_stays_below_the_fot },
	{ "T10: ties of what is missing; untied and deleted is gone", missing_relatives },
	{ "T11: makers that are ended leave nothing", makers_leave_nothing },
	{ "T12: deletion while others copy, tie and look", deletion_frees_nothing_in_use },
	{ "T50: hashing lets others run", hashing_lets_others_run },
	{ "T50: makers that are ended while they hash", half_hashed },
	{ "T49: ranges that wrap, are misaligned or beyond the end", wild_ranges },
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
		return strcmp(argv[1], "hash") == 0 ? hash_and_drop() : make_and_drop();
	if (find_self() < 0) {
		ktap_note("this program does not find itself in the pack");
		return 1;
	}
	return KTAP_RUN(cases);
}
