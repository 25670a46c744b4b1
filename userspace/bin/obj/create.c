// SPDX-License-Identifier: BSD-3-Clause
/* obj create, cp, rm, tie, untie: making objects and letting them go. */
#include "obj.h"

#include <base/string.h>
#include <twz/name.h>

#define READ_WRITE (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)

struct wish {
	uint64_t flags; /* TWZ_OC_* */
	uint64_t size;
	bool sized;
	const char *from;
	const char *path;
};

static bool parse_rights(const char *text, uint64_t *flags)
{
	static const char letters[] = "rwxud";
	static const uint64_t rights[] = { TWZ_OC_DFL_READ, TWZ_OC_DFL_WRITE, TWZ_OC_DFL_EXEC,
		TWZ_OC_DFL_USE, TWZ_OC_DFL_DEL };

	*flags &= ~(uint64_t)(READ_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE | TWZ_OC_DFL_DEL);
	for (; *text; text++) {
		const char *at = strchr(letters, *text);

		if (!at)
			return false;
		*flags |= rights[at - letters];
	}
	return true;
}

/* What follows the option's name, or NULL if it is another option. */
static const char *value_of(const char *text, const char *option)
{
	size_t n = strlen(option);

	return strncmp(text, option, n) == 0 ? text + n : NULL;
}

static bool parse_option(const char *text, struct wish *w)
{
	const char *value;

	if (strcmp(text, "--volatile") == 0)
		w->flags |= TWZ_OC_VOLATILE;
	else if (strcmp(text, "--persistent") == 0)
		w->flags |= TWZ_OC_PERSIST;
	else if (strcmp(text, "--hash") == 0)
		w->flags = (w->flags | TWZ_OC_HASHDATA) & ~(uint64_t)TWZ_OC_DFL_WRITE;
	else if ((value = value_of(text, "--rights=")))
		return parse_rights(value, &w->flags);
	else if ((value = value_of(text, "--size="))) {
		w->sized = true;
		return parse_number(value, &w->size) && w->size <= OBJ_MAXDATA;
	} else if ((value = value_of(text, "--from=")))
		w->from = value;
	else
		return false;
	return true;
}

/* A path must be free, and its namespace there, before anything is made. */
static bool path_is_free(const char *path)
{
	const char *last;
	twzobj parent;
	objid_t id;
	int r = find_id(path, &id);

	if (r == 0) {
		refuse_error(path, -EEXIST);
		return false;
	}
	if (!open_parent(path, &parent, &last))
		return false;
	twz_object_release(&parent);
	if (!*last || strlen(last) > NAME_MAXLEN) {
		refuse_error(path, *last ? -ENAMETOOLONG : -EINVAL);
		return false;
	}
	return true;
}

/* Size it, name it, and say what it is; deleted again if that fails. */
static int finish(twzobj *o, const struct wish *w)
{
	objid_t id = twz_object_guid(o);
	int r = 0;

	if (w->sized)
		twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, (ssize_t)w->size);
	if (w->path)
		r = twz_name_assign(id, w->path);
	twz_object_release(o);
	if (r < 0) {
		twz_object_delete_guid(id, 0);
		return refuse_error(w->path, r);
	}
	say(IDFMT "\n", IDPR(id));
	return DONE;
}

static int make(const struct wish *w)
{
	twzobj source, o;
	int r;

	if (w->path && !path_is_free(w->path))
		return REFUSED;
	if (w->from && !open_object(w->from, &source, ACCESS_READ))
		return REFUSED;
	r = twz_object_new(&o, w->from ? &source : NULL, NULL, w->flags | TWZ_OC_TIED_NONE);
	if (w->from)
		twz_object_release(&source);
	return r < 0 ? refuse_error(w->path ? w->path : "create", r) : finish(&o, w);
}

int command_create(int argc, char **argv)
{
	struct wish w = { .flags = READ_WRITE };

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && !parse_option(argv[i], &w)) {
			refuse(argv[i], "not an option of create: --volatile --persistent --hash "
			    "--rights=rwxud --size=BYTES --from=OBJ");
			return USAGE;
		}
		if (strncmp(argv[i], "--", 2) == 0)
			continue;
		if (w.path) {
			refuse(argv[i], "one path is enough");
			return USAGE;
		}
		w.path = argv[i];
	}
	return make(&w);
}

int command_cp(int argc, char **argv)
{
	struct wish w = { .from = argv[0], .path = argv[1] };
	struct kernel_ostat st;
	objid_t id;

	(void)argc;
	if (!find_object(argv[0], &id, &st))
		return REFUSED;
	w.flags = st.p_flags & (READ_WRITE | TWZ_OC_DFL_EXEC | TWZ_OC_DFL_USE | TWZ_OC_DFL_DEL);
	return make(&w);
}

/* Whether a namespace names anything but itself and its parent. */
static bool names_something(objid_t id)
{
	struct twz_name_ent *e;
	bool found = false;
	twzobj ns;
	ssize_t n;

	if (twz_object_init_guid(&ns, id, FE_READ) < 0)
		return false;
	if (is_namespace(&ns))
		for (size_t pos = 0; !found && (n = twz_hier_get_entry(&ns, pos, &e)) > 0;
		    pos += (size_t)n)
			found = (e->flags & NAME_ENT_VALID) && strcmp(e->name, ".") &&
			    strcmp(e->name, "..");
	twz_object_release(&ns);
	return found;
}

/*
 * The object first, then its name: a power cut between leaves a name that `obj ls' shows as gone,
 * not an object that nobody finds.
 */
static int remove_one(const char *text)
{
	bool by_name = true;
	objid_t id;
	int r;

	if (objid_parse(text, strlen(text), &id))
		by_name = false;
	else if ((r = twz_name_dfl_resolve(text, TWZ_HIER_SYM, &id)) < 0)
		return refuse_error(text, r);
	if (object_exists(id)) {
		if (names_something(id))
			return refuse_error(text, -ENOTEMPTY);
		r = twz_object_delete_guid(id, 0);
		if (r < 0)
			return refuse_error(text, r);
	} else if (!by_name) {
		return refuse_error(text, -ENOENT);
	}
	r = by_name ? twz_name_dfl_remove(text) : 0;
	return r < 0 ? refuse_error(text, r) : DONE;
}

int command_rm(int argc, char **argv)
{
	int status = DONE;

	for (int i = 0; i < argc; i++)
		status |= remove_one(argv[i]);
	return status;
}

static int tie(char **argv, int flags)
{
	struct kernel_ostat st;
	objid_t parent, child;
	int r;

	if (!find_object(argv[0], &parent, &st) || !find_object(argv[1], &child, &st))
		return REFUSED;
	r = twz_object_tie_guid(parent, child, flags);
	if (r == -ENOENT)
		return refuse(argv[1], "it is not tied to %s", argv[0]);
	return r < 0 ? refuse_error(argv[1], r) : DONE;
}

int command_tie(int argc, char **argv)
{
	(void)argc;
	return tie(argv, 0);
}

int command_untie(int argc, char **argv)
{
	(void)argc;
	return tie(argv, TIE_UNTIE);
}
