// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistent objects: creation, durability calls, deletion, the name root. Each run also leaves
 * an object behind and checks the one that the run before left, so that a second boot of the
 * same store tests what survived.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/persist.h>

#define NAME "test_persist"
#define WORDS 4096u

struct kept {
	uint64_t runs;
	uint64_t sum;
	struct kept *self; /* through the FOT of a second object and back */
	uint64_t words[WORDS];
};

static bool no_store(void)
{
	if (twz_sysinfo()->features & TWZ_FEATURE_STORE)
		return false;
	ktap_skip("no store");
	return true;
}

static void needs_a_store(void)
{
	twzobj o;

	if (twz_sysinfo()->features & TWZ_FEATURE_STORE) {
		ktap_skip("there is a store");
		return;
	}
	CHECK_EQ(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS), -ENODEV);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_PERSIST, 0, 0, &(objid_t){ 0 }), -ENODEV);
}

static void create_write_delete(void)
{
	struct kernel_ostat st;
	uint64_t *base;
	objid_t id;
	twzobj o;

	if (no_store())
		return;
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	id = twz_object_guid(&o);
	base = twz_object_base(&o);
	for (unsigned i = 0; i < WORDS; i++)
		base[i] = i * 3;
	_clwb_len(base, WORDS * sizeof(*base));
	_pfence();
	CHECK_EQ(sys_osync(id, 0x1000, WORDS * sizeof(*base), 0), 0);
	CHECK_EQ(sys_osync(id, 0, 0, 0), 0);
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK_EQ(st.backing, TWZ_BACKING_PERSISTENT);
	CHECK(st.flags & OS_FLAGS_PERSIST);
	twz_object_release(&o);
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	base = twz_object_base(&o);
	for (unsigned i = 0; i < WORDS; i++)
		if (base[i] != i * 3)
			CHECK_EQ(base[i], i * 3);
	twz_object_release(&o);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), -ENOENT);
}

static void default_backing(void)
{
	struct kernel_ostat st;
	twzobj o;

	if (no_store())
		return;
	NEED(twz_object_new(&o, NULL, NULL, NEW_FLAGS) == 0);
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK_EQ(st.backing, TWZ_BACKING_PERSISTENT);
	drop_object(&o);
	NEED(twz_object_new(&o, NULL, NULL, NEW_FLAGS | TWZ_OC_VOLATILE) == 0);
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK_EQ(st.backing, TWZ_BACKING_VOLATILE);
	drop_object(&o);
}

static void space_comes_back(void)
{
	struct twz_sysinfo before, after;
	twzobj o;

	if (no_store())
		return;
	sys_sysinfo(&before, sizeof(before));
	for (int i = 0; i < 20; i++) {
		NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
		for (unsigned p = 0; p < 32; p++)
			((uint64_t *)twz_object_base(&o))[p * 512] = p;
		drop_object(&o);
	}
	sys_sysinfo(&after, sizeof(after));
	ktap_note("store free: %lu before, %lu after", before.pm_free, after.pm_free);
	CHECK(after.pm_free + (256 << 10) >= before.pm_free);
}

static void name_root(void)
{
	objid_t id, bad = missing_id();
	struct twz_sysinfo si;
	twzobj *root;

	if (no_store())
		return;
	sys_sysinfo(&si, sizeof(si));
	NEED(si.nameroot != 0);
	root = twz_name_get_root();
	NEED(root);
	CHECK(twz_object_guid(root) == si.nameroot);
	CHECK_EQ(twz_name_dfl_assign(missing_id(), "test_persist_x"), 0);
	CHECK_EQ(twz_name_dfl_resolve("test_persist_x", 0, &id), 0);
	CHECK(id == missing_id());
	CHECK_EQ(twz_name_dfl_remove("test_persist_x"), 0);
	CHECK_EQ(twz_name_dfl_resolve("test_persist_x", 0, &id), -ENOENT);
	CHECK_EQ(twz_root_action(KACTION_CMD_ROOT_SET_NAMEROOT, (uintptr_t)&bad), -ENOENT);
	CHECK_EQ(twz_root_action(KACTION_CMD_ROOT_SET_NAMEROOT, 8), -EFAULT);
	CHECK_EQ(twz_root_action(KACTION_CMD_ROOT_SYNC, 0), 0);
	sys_sysinfo(&si, sizeof(si));
	CHECK(twz_object_guid(root) == si.nameroot);
}

static uint64_t word_of(uint64_t run, unsigned i)
{
	return (run + 1) * 0x9e3779b97f4a7c15ull ^ i;
}

static void check_kept(const struct kept *k)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < WORDS; i++)
		wrong += k->words[i] != word_of(k->runs, i);
	CHECK_EQ(wrong, 0);
	CHECK_EQ(k->sum, word_of(k->runs, WORDS));
	ktap_note("run %lu of this store", (unsigned long)k->runs + 1);
}

static void leave(twzobj *o, uint64_t run)
{
	struct kept *k = twz_object_base(o);

	k->runs = run;
	k->sum = word_of(run, WORDS);
	for (unsigned i = 0; i < WORDS; i++)
		k->words[i] = word_of(run, i);
	CHECK_EQ(twz_ptr_store_guid(o, &k->self, o, (struct kept *)0x1000, ACCESS_RW), 0);
	_clwb_len(k, sizeof(*k));
	_pfence();
}

/* A new object each run; the name moves to it when it is whole, and the old one goes. */
static void survives(void)
{
	objid_t old;
	uint64_t run = 0;
	twzobj o;
	int r;

	if (no_store())
		return;
	r = twz_name_dfl_resolve(NAME, 0, &old);
	if (r == 0) {
		NEED(twz_object_init_guid(&o, old, FE_READ) == 0);
		check_kept(twz_object_base(&o));
		run = ((struct kept *)twz_object_base(&o))->runs + 1;
		twz_object_release(&o);
	} else {
		CHECK_EQ(r, -ENOENT);
	}
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	leave(&o, run);
	CHECK_EQ(twz_name_dfl_assign(twz_object_guid(&o), NAME), 0);
	if (r == 0)
		CHECK_EQ(twz_object_delete_guid(old, TWZ_OD_IMMEDIATE), 0);
	twz_object_release(&o);
}

static void use_all(void *arg)
{
	uint64_t *base = twz_object_base(arg);

	for (uint64_t p = 0; p < OBJ_MAXDATA / TWZ_PAGE_SIZE; p++)
		base[p * 512] = p + 1;
}

/* Growth beyond the store ends the thread that grows, and harms nothing. */
static void full_store(void)
{
	struct twz_sysinfo si;
	uint64_t *base, p = 0;
	twzobj o;

	if (no_store())
		return;
	sys_sysinfo(&si, sizeof(si));
	if (si.pm_free > 64ul << 20) {
		ktap_skip("a store with more than 64 MiB free takes too long to fill");
		return;
	}
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	CHECK_EQ(exit_code_of(use_all, &o), THRD_EXIT_FAULT(FAULT_PAGE));
	base = twz_object_base(&o);
	while (p < si.pm_free / TWZ_PAGE_SIZE / 2 && base[p * 512] == p + 1)
		p++;
	CHECK_EQ(p, si.pm_free / TWZ_PAGE_SIZE / 2);
	drop_object(&o);
	NEED(twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, NEW_FLAGS) == 0);
	*(uint64_t *)twz_object_base(&o) = 1;
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "without a store persistence is refused", needs_a_store },
	{ "create, write, sync, reopen, delete", create_write_delete },
	{ "untied objects persist by default", default_backing },
	{ "space comes back", space_comes_back },
	{ "the name root", name_root },
	{ "what the last run left is whole", survives },
	{ "T60: a full store", full_store },
};

int main(void)
{
	return KTAP_RUN(cases);
}
