// SPDX-License-Identifier: BSD-3-Clause
/*
 * Which names objects have: the default namespace and those below it, walked breadth first as far
 * as the table goes.
 */
#include "obj.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/name.h>

#define MOST 1024

static struct name_seen seen[MOST];
static size_t seen_count;
static objid_t spaces[MOST]; /* namespaces that were or will be walked */
static char space_paths[MOST][120];
static size_t space_count;

static void add_space(objid_t id, const char *path)
{
	for (size_t i = 0; i < space_count; i++)
		if (spaces[i] == id)
			return;
	if (space_count == MOST)
		return;
	strlcpy(space_paths[space_count], path, sizeof(space_paths[0]));
	spaces[space_count++] = id;
}

static void add_name(const struct twz_name_ent *e, const char *dir)
{
	struct name_seen *s = &seen[seen_count];

	if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0 || e->type == NAME_ENT_SYMLINK)
		return;
	s->id = e->id;
	snprintf(s->path, sizeof(s->path), "%s%s", dir, e->name);
	seen_count++;
	if (e->type == NAME_ENT_NAMESPACE && strlen(s->path) + 2 < sizeof(s->path)) {
		char path[sizeof(s->path)];

		snprintf(path, sizeof(path), "%s/", s->path);
		add_space(e->id, path);
	}
}

static void walk(twzobj *ns, void *path)
{
	struct twz_name_ent *e;
	ssize_t n;

	if (!is_namespace(ns))
		return;
	for (size_t pos = 0; seen_count < MOST && (n = twz_hier_get_entry(ns, pos, &e)) > 0;
	     pos += (size_t)n)
		if (e->flags & NAME_ENT_VALID)
			add_name(e, path);
}

size_t names_collect(void)
{
	twzobj *root = twz_name_get_root();

	if (!root || seen_count)
		return seen_count;
	add_space(twz_object_guid(root), "");
	for (size_t i = 0; i < space_count && seen_count < MOST; i++)
		visit(spaces[i], walk, space_paths[i]);
	return seen_count;
}

const char *names_next(objid_t id, size_t *at)
{
	while (*at < seen_count) {
		const struct name_seen *s = &seen[(*at)++];

		if (s->id == id)
			return s->path;
	}
	return NULL;
}

const char *names_of(objid_t id)
{
	twzobj *root = twz_name_get_root();
	size_t at = 0;

	return root && id == twz_object_guid(root) ? "/" : names_next(id, &at);
}
