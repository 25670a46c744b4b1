// SPDX-License-Identifier: BSD-3-Clause
/*
 * The namespaces of the machine: the pack's, which names the programs, and the default one,
 * which lives in the store if there is one and is made at its first boot.
 */
#include "init.h"

#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/sys/kec.h>
#include <twz/sys/program.h>
#include <twz/sys/sys.h>

#define ROOT_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

static twzobj pack, root;

twzobj *programs(void)
{
	return pack.base ? &pack : NULL;
}

objid_t names_root_id(void)
{
	return root.base ? twz_object_guid(&root) : 0;
}

static int make_root(enum object_backing_type type)
{
	int r = twz_object_new(&root, NULL, NULL, type, ROOT_FLAGS);

	return r < 0 ? r : twz_hier_namespace_init(&root, 0);
}

static void make_volatile_root(void)
{
	int r = make_root(OBJ_VOLATILE);

	if (r < 0)
		kec_printf("init: no namespace could be made (error %d): there are no names\n", -r);
}

/* First boot of a store: the namespace is whole and durable before the store names it. */
static int make_store_root(void)
{
	objid_t id;
	long r = make_root(OBJ_PERSISTENT);

	if (r == 0) {
		id = twz_object_guid(&root);
		r = twz_root_action(KACTION_CMD_ROOT_SET_NAMEROOT, (uintptr_t)&id);
	}
	if (r < 0 && root.base) {
		twz_object_delete(&root, 0);
		twz_object_release(&root);
	}
	return (int)r;
}

static int open_store_root(objid_t id)
{
	struct kernel_ostat st;
	int r = (int)sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st);

	return r < 0 ? r : twz_object_init_guid(&root, id, FE_READ | FE_WRITE);
}

static void setup_root(void)
{
	const struct twz_sysinfo *si = twz_sysinfo();
	int r;

	if (!(si->features & TWZ_FEATURE_STORE)) {
		kec_printf("init: there is no persistent store: names and objects last until "
			   "power-off\n");
		make_volatile_root();
		return;
	}
	if (si->nameroot) {
		r = open_store_root(si->nameroot);
		if (r < 0)
			kec_printf("init: the store's name root " IDFMT
				   " cannot be opened (error %d)\n", IDPR(si->nameroot), -r);
	} else {
		r = make_store_root();
		if (r < 0)
			kec_printf("init: the store takes no name root (error %d)\n", -r);
		else
			kec_printf("init: new store: made its name root " IDFMT "\n",
			    IDPR(names_root_id()));
	}
	if (r < 0) {
		kec_printf("init: names last until power-off\n");
		make_volatile_root();
	}
}

void names_setup(void)
{
	objid_t id = twz_program_packroot();

	if (!id || twz_object_init_guid(&pack, id, FE_READ) < 0)
		kec_printf("init: the boot pack has no names: no programs\n");
	setup_root();
	if (root.base)
		twz_name_switch_root(&root);
}

static void list(const char *title, twzobj *ns)
{
	struct twz_name_ent *e;
	ssize_t n;

	kec_printf("%s\n", title);
	for (size_t pos = 0; (n = twz_hier_get_entry(ns, pos, &e)) > 0; pos += (size_t)n)
		if ((e->flags & NAME_ENT_VALID) && e->name[0] != '.')
			kec_printf("  " IDFMT "  %s%s\n", IDPR(e->id), e->name,
			    e->type == NAME_ENT_NAMESPACE ? "/" : "");
	if (n < 0)
		kec_printf("  the list is damaged (error %ld)\n", (long)-n);
}

void names_list(void)
{
	if (programs())
		list("programs", programs());
	if (root.base)
		list("names", &root);
}
