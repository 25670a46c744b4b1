// SPDX-License-Identifier: BSD-3-Clause
/* obj ls, mkdir, stat: what there is. */
#include "obj.h"

#include <base/string.h>

static const char *kind_name(const struct kernel_ostat *st)
{
	static const char *const kinds[KSO_MAX] = {
		"object", "view", "context", "thread", "root", "device", "directory", "data",
	};

	return st->kso_type < KSO_MAX ? kinds[st->kso_type] : "unknown";
}

static void list_entry(twzobj *ns, const struct twz_name_ent *e)
{
	struct kernel_ostat st;
	char target[PATH_MOST];
	int n;

	if (e->type == NAME_ENT_SYMLINK) {
		n = twz_hier_readlink(ns, e->name, target, sizeof(target));
		say("%-33s %-9s       %8s  %s -> ", "-", "link", "", e->name);
		say_text(target, n > 0 ? (size_t)n : 0);
	} else if (sys_ostat(TWZ_OSTAT_OBJECT, e->id, 0, &st) < 0) {
		say(IDFMT " %-9s       %8s  %s", IDPR(e->id), "gone", "", e->name);
	} else {
		say(IDFMT " %-9s ", IDPR(e->id),
		    e->type == NAME_ENT_NAMESPACE ? "names" : kind_name(&st));
		say_rights(st.p_flags);
		say(" %7luK  %s%s", (unsigned long)st.pages * 4, e->name,
		    e->type == NAME_ENT_NAMESPACE ? "/" : "");
	}
	say("\n");
}

/* Whether a later valid record has the same name: then this one does not count. */
static bool overruled(twzobj *ns, size_t pos, const char *name)
{
	struct twz_name_ent *e;
	ssize_t n;

	for (; (n = twz_hier_get_entry(ns, pos, &e)) > 0; pos += (size_t)n)
		if ((e->flags & NAME_ENT_VALID) && strcmp(e->name, name) == 0)
			return true;
	return false;
}

int command_ls(int argc, char **argv)
{
	const char *path = argc ? argv[0] : "/";
	struct twz_name_ent *e;
	twzobj ns;
	ssize_t n;

	if (!open_object(path, &ns, ACCESS_READ))
		return REFUSED;
	if (!is_namespace(&ns)) {
		twz_object_release(&ns);
		return refuse(path, "it is no namespace");
	}
	for (size_t pos = 0; (n = twz_hier_get_entry(&ns, pos, &e)) > 0; pos += (size_t)n)
		if ((e->flags & NAME_ENT_VALID) && strcmp(e->name, ".") && strcmp(e->name, "..") &&
		    !overruled(&ns, pos + (size_t)n, e->name))
			list_entry(&ns, e);
	twz_object_release(&ns);
	return n < 0 ? refuse_error(path, n) : DONE;
}

int command_mkdir(int argc, char **argv)
{
	const char *last;
	twzobj parent, ns;
	objid_t id;
	int r;

	(void)argc;
	if (find_id(argv[0], &id) == 0)
		return refuse_error(argv[0], -EEXIST);
	if (!open_parent(argv[0], &parent, &last))
		return REFUSED;
	r = twz_hier_namespace_new(&ns, &parent, last, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE);
	twz_object_release(&parent);
	if (r < 0)
		return refuse_error(argv[0], r);
	say(IDFMT "\n", IDPR(twz_object_guid(&ns)));
	twz_object_release(&ns);
	return DONE;
}

static void say_flags(uint64_t flags)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} names[] = {
		{ OS_FLAGS_PERSIST, "persistent" },
		{ OS_FLAGS_KERNEL, "kernel" },
		{ OS_FLAGS_HASH, "hash-data" },
		{ OS_FLAGS_PIN, "pinned" },
		{ OS_FLAGS_DELETED, "deleted" },
		{ OS_FLAGS_INVALID, "invalid" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (flags & names[i].flag)
			say(" %s", names[i].name);
}

static void say_meta(twzobj *o)
{
	const struct metainfo *mi = twz_object_meta(o);

	if (mi->flags & MIF_SZ)
		say("  data         %lu bytes\n", (unsigned long)mi->sz);
	else
		say("  data         no size set\n");
	say("  nonce        " IDFMT "\n", IDPR(mi->nonce));
	say("  entries      %lu foreign, room for %lu extensions\n", (unsigned long)fot_count(o) - 1,
	    (unsigned long)ext_slots(mi));
	for (size_t i = 0; i < ext_slots(mi); i++) {
		uint64_t tag = __atomic_load_n(&mi->exts[i].tag, __ATOMIC_ACQUIRE);

		if (tag)
			say("  extension    %-16lx at %lx  %s\n", (unsigned long)tag,
			    (unsigned long)mi->exts[i].ptr, tag_name(tag));
	}
}

static void say_kernel(objid_t id, const struct kernel_ostat *st)
{
	bool persistent = st->backing == TWZ_BACKING_PERSISTENT || (st->flags & OS_FLAGS_PERSIST);
	const char *path;

	say("object " IDFMT "\n", IDPR(id));
	for (size_t at = 0; (path = names_next(id, &at));)
		say("  name         %s\n", path);
	say("  kind         %s,%s rights ", kind_name(st), persistent ? "" : " volatile,");
	say_rights(st->p_flags);
	say_flags(st->flags);
	say("\n  memory       %lu KiB, in %lu address spaces\n", (unsigned long)st->pages * 4,
	    (unsigned long)st->maps);
	say("  ties         %lu in, %lu out\n", (unsigned long)st->ties_in,
	    (unsigned long)st->ties_out);
	if (st->kuid)
		say("  key          " IDFMT "\n", IDPR(st->kuid));
}

static int stat_one(const char *text)
{
	struct kernel_ostat st;
	objid_t id;
	twzobj o;

	if (!find_object(text, &id, &st))
		return REFUSED;
	say_kernel(id, &st);
	if ((st.flags & OS_FLAGS_INVALID) || !(st.p_flags & MIP_DFL_READ) ||
	    twz_object_init_guid(&o, id, FE_READ) < 0) {
		say("  metadata     cannot be read\n");
		return DONE;
	}
	say_meta(&o);
	twz_object_release(&o);
	return DONE;
}

int command_stat(int argc, char **argv)
{
	int status = DONE;

	names_collect();
	for (int i = 0; i < argc; i++)
		status |= stat_one(argv[i]);
	return status;
}
