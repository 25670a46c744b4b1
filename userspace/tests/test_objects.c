// SPDX-License-Identifier: BSD-3-Clause
/* Objects: creation, contents, handles, metadata, deletion, copies, foreign pointers, names. */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/name.h>
#include <twz/obj/hier.h>

static void distinct_ids(void)
{
	enum { COUNT = 16 };
	objid_t ids[COUNT];

	for (int i = 0; i < COUNT; i++) {
		NEED(twz_object_create(NEW_FLAGS | TWZ_OC_VOLATILE, 0, 0, &ids[i]) == 0);
		CHECK(!objid_is_reserved(ids[i]));
		for (int k = 0; k < i; k++)
			CHECK(ids[k] != ids[i]);
	}
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(twz_object_delete_guid(ids[i], TWZ_OD_IMMEDIATE), 0);
}

static void fresh_object(void)
{
	struct metainfo *mi;
	uint64_t *base;
	twzobj o;

	NEED(new_object(&o) == 0);
	mi = twz_object_meta(&o);
	CHECK_EQ(mi->magic, MI_MAGIC);
	CHECK_EQ(mi->flags, 0);
	CHECK_EQ(mi->p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL);
	CHECK_EQ(mi->fotentries, 1);
	CHECK_EQ(mi->milen, MI_MILEN_DEFAULT);
	CHECK(mi->nonce != 0);
	CHECK(mi->kuid == 0);
	base = twz_object_base(&o);
	CHECK_EQ(base[0], 0);
	CHECK_EQ(base[TWZ_PAGE_SIZE], 0);
	CHECK_EQ(base[(OBJ_MAXDATA - 8) / 8], 0);
	drop_object(&o);
}

static void contents_stay(void)
{
	static const uint64_t places[] = { 0, 4088, 4096, 1 << 20, 2ul << 20, 511ul << 20,
		OBJ_MAXDATA - 8 };
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	for (size_t i = 0; i < sizeof(places) / 8; i++)
		*(uint64_t *)((char *)twz_object_base(&o) + places[i]) = places[i] ^ 0x5a5a;
	twz_object_release(&o);
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	for (size_t i = 0; i < sizeof(places) / 8; i++)
		CHECK_EQ(*(uint64_t *)((char *)twz_object_base(&o) + places[i]),
		    places[i] ^ 0x5a5a);
	drop_object(&o);
}

static void handles_share_slots(void)
{
	twzobj o, same, ro;

	NEED(new_object(&o) == 0);
	NEED(twz_object_init_guid(&same, twz_object_guid(&o), ACCESS_RW) == 0);
	NEED(twz_object_init_guid(&ro, twz_object_guid(&o), FE_READ) == 0);
	CHECK(same.base == o.base);
	CHECK(ro.base != o.base);
	*(uint32_t *)twz_object_base(&o) = 77;
	CHECK_EQ(*(uint32_t *)twz_object_base(&ro), 77);
	twz_object_release(&same);
	CHECK_EQ(*(uint32_t *)twz_object_base(&o), 77);
	CHECK_EQ(twz_object_release(&same), 0);
	twz_object_release(&ro);
	drop_object(&o);
}

/* More opens and closes than a small machine has slots, and than a first page of them. */
static void slots_come_back(void)
{
	void *first = NULL;
	twzobj o, h;

	NEED(new_object(&o) == 0);
	for (int i = 0; i < 1000; i++) {
		NEED(twz_object_init_guid(&h, twz_object_guid(&o), FE_READ) == 0);
		if (!first)
			first = h.base;
		if (h.base != first || *(uint64_t *)twz_object_base(&h))
			ktap_fail(__FILE__, __LINE__, "the slot was not used again");
		twz_object_release(&h);
	}
	drop_object(&o);
}

static void released_throws(void *arg)
{
	twzobj o;

	(void)arg;
	memset(&o, 0, sizeof(o));
	CHECK(twz_object_base(&o) == NULL);
}

static void bad_handles(void)
{
	objid_t any = missing_id();
	twzobj o;

	CHECK_EQ(twz_object_init_guid(&o, 0, FE_READ), -EINVAL);
	CHECK_EQ(twz_object_init_guid(&o, any, 0), -EINVAL);
	CHECK_EQ(twz_object_init_guid(&o, any, FE_READ | 1), -EINVAL);
	CHECK_EQ(twz_object_init_guid(&o, any, FE_READ | FE_NAME), -EINVAL);
	CHECK_EQ(twz_object_init_guid(&o, any, FE_WRITE | FE_EXEC), -EACCES);
	CHECK(o.base == NULL);
	CHECK_EQ(thrown_by(released_throws, NULL), FAULT_PPTR_INVALID);
}

static void bad_creation(void)
{
	objid_t id = 0;
	twzobj o;

	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ | 2, 0, 0, &id), -EINVAL);
	CHECK_EQ(sys_ocreate(1ull << 40, 0, 0, &id), -EINVAL);
	CHECK_EQ(sys_ocreate(TWZ_OC_TIED_NONE, 0, 0, &id), -EINVAL);
	CHECK_EQ(sys_ocreate(TWZ_OC_ZERONONCE, 0, 0, &id), -EINVAL);
	CHECK_EQ(sys_ocreate(TWZ_OC_HASHDATA | TWZ_OC_DFL_WRITE, 0, 0, &id), -EINVAL);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, missing_id(), &id), -ENOENT);
	CHECK_EQ(sys_ocreate(TWZ_OC_DFL_READ, 0, 0, NULL), -EFAULT);
	CHECK(id == 0);
	CHECK_EQ(twz_object_new(&o, NULL, NULL, 7, NEW_FLAGS), -EINVAL);
	CHECK_EQ(twz_object_new(&o, NULL, NULL, OBJ_VOLATILE, NEW_FLAGS | TWZ_OC_TIED_VIEW),
	    -EINVAL);
	CHECK_EQ(twz_object_new(&o, NULL, TWZ_KU_USER, OBJ_VOLATILE, NEW_FLAGS), -EINVAL);
	CHECK(o.base == NULL);
}

static void read_base(void *arg)
{
	twz_thread_exit(*(volatile uint64_t *)twz_object_base(arg));
}

static void write_base(void *arg)
{
	*(volatile uint64_t *)twz_object_base(arg) = 1;
}

static void execute_base(void *arg)
{
	((void (*)(void))twz_object_base(arg))();
}

static void read_null_page(void *arg)
{
	twz_thread_exit(*((volatile uint8_t *)twz_object_base(arg) - 1));
}

static void deleted_is_gone(void)
{
	struct kernel_ostat st;
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	*(uint64_t *)twz_object_base(&o) = 5;
	twz_object_release(&o);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), 0);
	CHECK_EQ(sys_odelete(id, 2), -EINVAL);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st), -ENOENT);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), -ENOENT);
	CHECK_EQ(twz_object_delete_guid(missing_id(), 0), -ENOENT);
	CHECK_EQ(twz_object_delete_guid(0, 0), -ENOENT);
	NEED(twz_object_init_guid(&o, id, FE_READ) == 0);
	CHECK_EQ(exit_code_of(read_base, &o), THRD_EXIT_FAULT(FAULT_OBJECT));
	twz_object_release(&o);
}

static void deleted_while_open(void)
{
	objid_t id;
	twzobj o;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	*(uint64_t *)twz_object_base(&o) = 5;
	CHECK_EQ(twz_object_delete(&o, 0), 0);
	CHECK_EQ(*(volatile uint64_t *)twz_object_base(&o), 5);
	CHECK_EQ(twz_object_delete(&o, 0), 0);
	twz_object_release(&o);
	CHECK_EQ(twz_object_delete_guid(id, TWZ_OD_IMMEDIATE), -ENOENT);
}

static void protections(void)
{
	twzobj o, ro, rx;

	NEED(new_object(&o) == 0);
	NEED(twz_object_init_guid(&ro, twz_object_guid(&o), FE_READ) == 0);
	NEED(twz_object_init_guid(&rx, twz_object_guid(&o), FE_READ | FE_EXEC) == 0);
	CHECK_EQ(exit_code_of(read_base, &ro), 0);
	CHECK_EQ(exit_code_of(write_base, &ro), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(exit_code_of(execute_base, &ro), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(exit_code_of(execute_base, &o), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(exit_code_of(write_base, &rx), THRD_EXIT_FAULT(FAULT_OBJECT));
	CHECK_EQ(exit_code_of(read_null_page, &o), THRD_EXIT_FAULT(FAULT_NULL));
	CHECK_EQ(*(uint64_t *)twz_object_base(&o), 0);
	twz_object_release(&ro);
	twz_object_release(&rx);
	drop_object(&o);
}

static void copies(void)
{
	uint64_t *from, *to;
	twzobj src, dst;

	NEED(new_object(&src) == 0);
	from = twz_object_base(&src);
	from[0] = 11;
	from[600] = 22;
	from[1 << 18] = 33;
	NEED(twz_object_new(&dst, &src, NULL, OBJ_VOLATILE, NEW_FLAGS) == 0);
	to = twz_object_base(&dst);
	CHECK_EQ(to[0], 11);
	CHECK_EQ(to[600], 22);
	CHECK_EQ(to[1 << 18], 33);
	CHECK_EQ(to[1 << 19], 0);
	from[0] = 12;
	to[600] = 23;
	CHECK_EQ(to[0], 11);
	CHECK_EQ(from[600], 22);
	CHECK(twz_object_meta(&src)->nonce != twz_object_meta(&dst)->nonce);
	CHECK(twz_object_guid(&src) != twz_object_guid(&dst));
	drop_object(&src);
	CHECK_EQ(to[1 << 18], 33);
	drop_object(&dst);
}

static void set_negative_size(void *arg)
{
	twz_object_setsz(arg, TWZ_OSSM_ABSOLUTE, -1);
}

static void set_huge_size(void *arg)
{
	twz_object_setsz(arg, TWZ_OSSM_ABSOLUTE, (ssize_t)OBJ_MAXDATA + 1);
}

static void grow_too_far(void *arg)
{
	twz_object_setsz(arg, TWZ_OSSM_RELATIVE, INT64_MAX);
}

static void sizes(void)
{
	struct metainfo *mi;
	twzobj o;

	NEED(new_object(&o) == 0);
	mi = twz_object_meta(&o);
	twz_object_setsz(&o, TWZ_OSSM_RELATIVE, 100);
	CHECK_EQ(mi->sz, 100);
	CHECK_EQ(mi->flags, MIF_SZ);
	twz_object_setsz(&o, TWZ_OSSM_RELATIVE, -30);
	CHECK_EQ(mi->sz, 70);
	twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, (ssize_t)OBJ_MAXDATA);
	CHECK_EQ(mi->sz, OBJ_MAXDATA);
	CHECK_EQ(thrown_by(set_negative_size, &o), FAULT_PPTR_INVALID);
	CHECK_EQ(thrown_by(set_huge_size, &o), FAULT_PPTR_INVALID);
	CHECK_EQ(thrown_by(grow_too_far, &o), FAULT_PPTR_INVALID);
	CHECK_EQ(mi->sz, OBJ_MAXDATA);
	drop_object(&o);
}

static void extensions(void)
{
	twzobj o, other;
	int i, r = 0;

	NEED(new_object(&o) == 0);
	NEED(new_object(&other) == 0);
	CHECK(twz_object_getext(&o, 42) == NULL);
	CHECK_EQ(twz_object_addext(&o, 42, twz_object_base(&o)), 0);
	CHECK(twz_object_getext(&o, 42) == twz_object_base(&o));
	CHECK_EQ(twz_object_addext(&o, 42, twz_object_base(&o)), -EEXIST);
	CHECK_EQ(twz_object_addext(&o, 0, twz_object_base(&o)), -EINVAL);
	CHECK_EQ(twz_object_addext(&o, 43, twz_object_base(&other)), -EINVAL);
	CHECK_EQ(twz_object_delext(&o, 43), -ENOENT);
	CHECK_EQ(twz_object_delext(&o, 42, (char *)twz_object_base(&o) + 8), -ENOENT);
	CHECK_EQ(twz_object_delext(&o, 42, twz_object_base(&o)), 0);
	CHECK_EQ(twz_object_delext(&o, 42), -ENOENT);
	for (i = 0; i < 100 && r == 0; i++)
		r = twz_object_addext(&o, 100 + (uint64_t)i, (void *)0x1000);
	CHECK_EQ(r, -ENOMEM);
	CHECK_EQ(i - 1, 32);
	drop_object(&other);
	drop_object(&o);
}

struct holder {
	uint64_t value;
	struct holder *ptr;
};

static void foreign_pointers(void)
{
	struct holder *a, *b;
	twzobj oa, ob;

	NEED(new_object(&oa) == 0);
	NEED(new_object(&ob) == 0);
	a = twz_object_base(&oa);
	b = (struct holder *)((char *)twz_object_base(&ob) + 64);
	a->value = 1;
	b->value = 2;
	CHECK_EQ(twz_ptr_store_guid(&oa, &a->ptr, NULL, b, ACCESS_RW), 0);
	CHECK_EQ(twz_ptr_store_guid(&ob, &b->ptr, &oa, (struct holder *)0x1000, ACCESS_RW), 0);
	CHECK_EQ(PPTR_FOTE(a->ptr), 1);
	CHECK_EQ(PPTR_OFFSET(a->ptr), 0x1040);
	CHECK(twz_object_lea(&oa, a->ptr) == b);
	CHECK(twz_object_lea(&ob, b->ptr) == a);
	CHECK(twz_ptr_lea(a->ptr) == b);
	CHECK_EQ(twz_ptr_lea(twz_ptr_lea(a->ptr)->ptr)->value, 1);
	CHECK(twz_object_lea(&oa, (struct holder *)NULL) == NULL);
	CHECK_EQ(twz_object_addfot(&oa, twz_object_guid(&ob), ACCESS_RW), 1);
	CHECK_EQ(twz_object_addfot(&oa, twz_object_guid(&ob), FE_READ), 2);
	CHECK(twz_ptr_swizzle(&oa, b, ACCESS_RW) == a->ptr);
	CHECK(twz_ptr_swizzle(&oa, a, ACCESS_RW) == (struct holder *)0x1000);
	CHECK_EQ(twz_ptr_store_guid(&oa, &a->ptr, &oa, (struct holder *)0x1000, ACCESS_RW), 0);
	CHECK(a->ptr == (struct holder *)0x1000);
	drop_object(&ob);
	drop_object(&oa);
}

static void lea_beyond_fot(void *arg)
{
	CHECK(twz_object_lea((twzobj *)arg, (char *)(5ul << OBJ_SHIFT | 0x1000)) == NULL);
}

static void lea_hole(void *arg)
{
	CHECK(twz_object_lea((twzobj *)arg, (char *)(1ul << OBJ_SHIFT | 0x1000)) == NULL);
}

static void swizzle_wild(void *arg)
{
	char *wild = (char *)SLOT_TO_VADDR(TWZSLOT_MAX_SLOT);

	CHECK(twz_ptr_swizzle((twzobj *)arg, wild, FE_READ) == NULL);
}

static void bad_pointers(void)
{
	struct holder *a;
	twzobj o, other;

	NEED(new_object(&o) == 0);
	NEED(new_object(&other) == 0);
	a = twz_object_base(&o);
	CHECK_EQ(thrown_by(lea_beyond_fot, &o), FAULT_PPTR_INVALID);
	twz_object_meta(&o)->fotentries = 2; /* a hole, as a crash leaves it */
	CHECK_EQ(thrown_by(lea_hole, &o), FAULT_PPTR_INVALID);
	CHECK_EQ(thrown_by(swizzle_wild, &o), FAULT_PPTR_INVALID);
	CHECK_EQ(twz_ptr_store_guid(&other, &a->ptr, NULL, a, FE_READ), -EINVAL);
	CHECK_EQ(twz_ptr_store_guid(&o, &a->ptr, NULL,
		     (struct holder *)SLOT_TO_VADDR(TWZSLOT_MAX_SLOT), FE_READ), -ENOENT);
	CHECK_EQ(twz_object_addfot(&o, 0, FE_READ), -EINVAL);
	CHECK_EQ(twz_object_addfot(&o, missing_id(), 1), -EINVAL);
	twz_object_meta(&o)->fotentries = OBJ_MAXFOTE;
	CHECK_EQ(twz_object_addfot(&o, missing_id(), FE_WRITE), -ENOSPC);
	drop_object(&other);
	drop_object(&o);
}

static void names(void)
{
	objid_t x = missing_id(), y = x + 1;
	struct twz_name_ent ent;
	twzobj ns, sub;

	NEED(new_object(&ns) == 0);
	CHECK_EQ(twz_hier_assign_name(&ns, "x", NAME_ENT_REGULAR, x), -ENOTDIR);
	NEED(twz_hier_namespace_init(&ns, 0) == 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "x", 0, &ent), -ENOENT);
	CHECK_EQ(twz_hier_assign_name(&ns, "x", NAME_ENT_REGULAR, x), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "/x", 0, &ent), 0);
	CHECK(ent.id == x);
	CHECK_EQ(twz_hier_assign_name(&ns, "x", NAME_ENT_REGULAR, y), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "x", 0, &ent), 0);
	CHECK(ent.id == y);
	CHECK_EQ(twz_hier_resolve_name(&ns, "x/y", 0, &ent), -ENOTDIR);
	CHECK_EQ(twz_hier_namespace_new(&sub, &ns, "sub", 0), 0);
	CHECK_EQ(twz_hier_assign_name(&sub, "deep", NAME_ENT_REGULAR, x), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "sub/./../sub//deep", 0, &ent), 0);
	CHECK(ent.id == x);
	CHECK_EQ(twz_hier_symlink(&ns, "link", "sub/deep"), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "link", 0, &ent), 0);
	CHECK(ent.id == x);
	CHECK_EQ(twz_hier_symlink(&ns, "loop", "loop"), 0);
	CHECK_EQ(twz_hier_resolve_name(&ns, "loop", 0, &ent), -ELOOP);
	CHECK_EQ(twz_hier_remove_name(&ns, "x"), 0);
	CHECK_EQ(twz_hier_remove_name(&ns, "x"), -ENOENT);
	CHECK_EQ(twz_hier_resolve_name(&ns, "x", 0, &ent), -ENOENT);
	CHECK_EQ(twz_hier_assign_name(&ns, "", NAME_ENT_REGULAR, x), -EINVAL);
	CHECK_EQ(twz_hier_assign_name(&ns, "a/b", NAME_ENT_REGULAR, x), -EINVAL);
	drop_object(&sub);
	drop_object(&ns);
}

/* Pins, ties either way and pages that are shared are told while they are there. */
static void check_counts(twzobj *o)
{
	objid_t id = twz_object_guid(o), other = 0;
	struct kernel_ostat_page page;
	struct kernel_ostat st;

	CHECK_EQ(twz_object_kstat(o, &st), 0);
	CHECK_EQ(st.flags & OS_FLAGS_PIN, 0);
	CHECK_EQ(sys_opin(id, NULL, 0), 0);
	NEED(sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, id, &other) == 0);
	CHECK_EQ(sys_otie(id, other, 0), 0);
	CHECK_EQ(twz_object_kstat(o, &st), 0);
	CHECK(st.flags & OS_FLAGS_PIN);
	CHECK_EQ(st.pins, 1);
	CHECK_EQ(st.ties_out, 1);
	CHECK_EQ(sys_opin(id, NULL, OP_UNPIN), 0);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, other, 0, &st), 0);
	CHECK_EQ(st.ties_in, 1);
	CHECK_EQ(sys_otie(id, other, OTIE_UNTIE), 0);
	sys_odelete(other, TWZ_OD_IMMEDIATE);
	CHECK_EQ(twz_object_kstat_page(o, 1, &page), 0);
	CHECK_EQ(page.flags, OS_PAGE_EXIST);
	NEED(sys_ocreate(TWZ_OC_DFL_READ | TWZ_OC_DFL_DEL, 0, id, &other) == 0);
	CHECK_EQ(twz_object_kstat_page(o, 1, &page), 0);
	CHECK_EQ(page.flags, OS_PAGE_EXIST | OS_PAGE_COW);
	sys_odelete(other, TWZ_OD_IMMEDIATE);
	CHECK_EQ(twz_object_kstat_page(o, 1, &page), 0);
	CHECK_EQ(page.flags, OS_PAGE_EXIST);
	CHECK_EQ(twz_object_kstat(o, &st), 0);
	CHECK_EQ(st.flags & OS_FLAGS_PIN, 0);
	CHECK_EQ(st.ties_out, 0);
}

static void statistics(void)
{
	struct kernel_ostat st;
	twzobj o;

	NEED(new_object(&o) == 0);
	*(uint64_t *)twz_object_base(&o) = 1;
	CHECK_EQ(twz_object_kstat(&o, &st), 0);
	CHECK_EQ(st.backing, TWZ_BACKING_VOLATILE);
	CHECK_EQ(st.p_flags, MIP_DFL_READ | MIP_DFL_WRITE | MIP_DFL_DEL);
	CHECK(st.pages >= 1);
	check_counts(&o);
	CHECK_EQ(sys_ostat(99, twz_object_guid(&o), 0, &st), -EINVAL);
	CHECK_EQ(sys_ostat(TWZ_OSTAT_OBJECT, missing_id(), 0, &st), -ENOENT);
	drop_object(&o);
}

/* Written through a mapping, the metadata no longer matches the ID: nothing may be granted. */
static void forged_metadata(void)
{
	objid_t id;
	twzobj o, copy;

	NEED(new_object(&o) == 0);
	id = twz_object_guid(&o);
	twz_object_meta(&o)->p_flags |= MIP_DFL_EXEC;
	CHECK_EQ(twz_object_new(&copy, &o, NULL, OBJ_VOLATILE, NEW_FLAGS), -EINVLOBJ);
	twz_object_meta(&o)->p_flags &= (uint16_t)~MIP_DFL_EXEC;
	CHECK_EQ(twz_object_new(&copy, &o, NULL, OBJ_VOLATILE, NEW_FLAGS), 0);
	twz_object_release(&o);
	if (copy.base)
		drop_object(&copy);
	twz_object_delete_guid(id, TWZ_OD_IMMEDIATE);
}

static const struct ktap_case cases[] = {
	{ "created objects have distinct derived IDs", distinct_ids },
	{ "a fresh object has its metadata and reads as zero", fresh_object },
	{ "contents outlive the mapping", contents_stay },
	{ "handles with equal access share a slot", handles_share_slots },
	{ "slots are used again", slots_come_back },
	{ "bad handles are refused", bad_handles },
	{ "bad creation is refused and makes nothing", bad_creation },
	{ "a deleted object is gone", deleted_is_gone },
	{ "an object deleted while open goes with its last mapping", deleted_while_open },
	{ "protections hold, the null page faults, W and X exclude each other", protections },
	{ "a copy is its own object", copies },
	{ "sizes", sizes },
	{ "extensions", extensions },
	{ "foreign pointers lead both ways", foreign_pointers },
	{ "bad pointers throw", bad_pointers },
	{ "names, namespaces and symlinks", names },
	{ "statistics", statistics },
	{ "changed metadata grants nothing", forged_metadata },
};

int main(void)
{
	return KTAP_RUN(cases);
}
