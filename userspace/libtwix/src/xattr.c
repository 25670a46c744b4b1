// SPDX-License-Identifier: BSD-3-Clause
/*
 * Extended attributes. There is one, which every file has: user.twz.id, the ID of its object as libtwz
 * writes it. It cannot be set, and is not listed: who copies what is listed would copy it, too.
 */
#include "twix.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <twz/obj/hier.h>

#define NAME "user.twz.id"
#define NAME_MAX_BYTES 255u

/* 0: what is there is no object. */
static int object_at(const char *path, bool follow, objid_t *id)
{
	struct twix_where w;
	int r = twix_resolve(AT_FDCWD, path, follow, &w);

	if (r < 0)
		return r;
	if (!w.id && w.type != NAME_ENT_SYMLINK)
		return -ENOENT;
	*id = twix_is_node(w.id) || w.type == NAME_ENT_SYMLINK ? 0 : w.id;
	return 0;
}

static int object_of(int fd, objid_t *id)
{
	struct twix_file *f = twix_file_of(fd);
	bool object;

	if (!f)
		return -EBADF;
	object = (f->kind == TWIX_REGULAR || f->kind == TWIX_DIRECTORY || f->kind == TWIX_FIFO) && !twix_is_node(f->id);
	*id = object ? f->id : 0;
	object = f->flags & O_PATH;
	twix_file_put(f);
	return object ? -EBADF : 0;
}

static int check_name(const char *name)
{
	size_t n = strnlen(name, NAME_MAX_BYTES + 1);

	if (n == 0 || n > NAME_MAX_BYTES)
		return -ERANGE;
	return strncmp(name, "user.", 5) == 0 ? 0 : -EOPNOTSUPP;
}

static long get(objid_t id, const char *name, char *value, size_t size)
{
	char text[40];
	int n, r = check_name(name);

	if (r < 0)
		return strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0 ? -ENODATA : r;
	if (!id || strcmp(name, NAME) != 0)
		return -ENODATA;
	n = snprintf(text, sizeof(text), "%016lx:%016lx", IDPR(id));
	if (size && size < (size_t)n)
		return -ERANGE;
	if (size)
		memcpy(value, text, (size_t)n);
	return n;
}

static long get_path(const long a[6], bool follow)
{
	objid_t id;
	int r = object_at((const char *)a[0], follow, &id);

	return r < 0 ? r : get(id, (const char *)a[1], (char *)a[2], (size_t)a[3]);
}

long twix_getxattr(const long a[6])
{
	return get_path(a, true);
}

long twix_lgetxattr(const long a[6])
{
	return get_path(a, false);
}

long twix_fgetxattr(const long a[6])
{
	objid_t id;
	int r = object_of((int)a[0], &id);

	return r < 0 ? r : get(id, (const char *)a[1], (char *)a[2], (size_t)a[3]);
}

/* --- there is nothing to list, and nothing that could be set or removed */

long twix_listxattr(const long a[6])
{
	objid_t id;

	return object_at((const char *)a[0], true, &id);
}

long twix_llistxattr(const long a[6])
{
	objid_t id;

	return object_at((const char *)a[0], false, &id);
}

long twix_flistxattr(const long a[6])
{
	objid_t id;

	return object_of((int)a[0], &id);
}

long twix_setxattr(const long a[6])
{
	objid_t id;
	int r = object_at((const char *)a[0], true, &id);

	return r < 0 ? r : -EOPNOTSUPP;
}

long twix_lsetxattr(const long a[6])
{
	objid_t id;
	int r = object_at((const char *)a[0], false, &id);

	return r < 0 ? r : -EOPNOTSUPP;
}

long twix_fsetxattr(const long a[6])
{
	objid_t id;
	int r = object_of((int)a[0], &id);

	return r < 0 ? r : -EOPNOTSUPP;
}
