// SPDX-License-Identifier: BSD-3-Clause
/* obj name: looking names up and changing them. */
#include "obj.h"

#include <base/string.h>
#include <twz/name.h>

static int show(char **argv)
{
	objid_t id;
	int r = twz_name_dfl_resolve(argv[0], 0, &id);

	if (r < 0)
		return refuse_error(argv[0], r);
	say(IDFMT "%s\n", IDPR(id), object_exists(id) ? "" : " (gone)");
	return DONE;
}

static int assign(char **argv)
{
	struct kernel_ostat st;
	objid_t id;
	int r;

	if (!find_object(argv[1], &id, &st))
		return REFUSED;
	r = twz_name_assign(id, argv[0]);
	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static int take(char **argv)
{
	int r = twz_name_dfl_remove(argv[0]);

	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static int rename(char **argv)
{
	const char *old, *new;
	twzobj from, to;
	int r;

	if (!open_parent(argv[0], &from, &old))
		return REFUSED;
	if (!open_parent(argv[1], &to, &new)) {
		twz_object_release(&from);
		return REFUSED;
	}
	r = twz_hier_rename(&from, old, &to, new);
	twz_object_release(&from);
	twz_object_release(&to);
	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static int make_link(char **argv)
{
	const char *last;
	twzobj ns;
	int r;

	if (!open_parent(argv[0], &ns, &last))
		return REFUSED;
	r = twz_hier_symlink(&ns, last, argv[1]);
	twz_object_release(&ns);
	return r < 0 ? refuse_error(argv[0], r) : DONE;
}

static int names_of_one(char **argv)
{
	struct kernel_ostat st;
	const char *path;
	objid_t id;
	size_t at = 0, found = 0;

	if (!find_object(argv[0], &id, &st))
		return REFUSED;
	names_collect();
	while ((path = names_next(id, &at))) {
		say("%s\n", path);
		found++;
	}
	return found ? DONE : refuse(argv[0], "it has no name");
}

int command_name(int argc, char **argv)
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **argv);
		const char *usage;
	} verbs[] = {
		{ "show", 1, show, "show PATH" },
		{ "assign", 2, assign, "assign PATH OBJ" },
		{ "remove", 1, take, "remove PATH" },
		{ "rename", 2, rename, "rename OLD NEW" },
		{ "link", 2, make_link, "link PATH TARGET" },
		{ "of", 1, names_of_one, "of OBJ" },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verbs[i].name, argv[0]))
			continue;
		if (argc - 1 == verbs[i].arguments)
			return verbs[i].run(argv + 1);
		say("usage: obj name %s\n", verbs[i].usage);
		return USAGE;
	}
	refuse(argv[0], "obj name knows show, assign, remove, rename, link and of");
	return USAGE;
}
