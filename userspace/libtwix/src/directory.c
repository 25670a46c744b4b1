// SPDX-License-Identifier: BSD-3-Clause
/* Directories: hierarchy objects. Where one is read on is the position in its list. */
#include "twix.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <twz/sys/program.h>
#include <twz/sys/syscall.h>

static unsigned char type_of(int type)
{
	switch (type) {
	case NAME_ENT_NAMESPACE:
		return DT_DIR;
	case NAME_ENT_SYMLINK:
		return DT_LNK;
	default:
		return DT_REG;
	}
}

/* Of two records with one name the later counts: is there one behind pos? */
static bool is_superseded(twzobj *ns, const struct twz_name_ent *e, size_t pos)
{
	struct twz_name_ent *later;
	ssize_t n;

	while ((n = twz_hier_get_entry(ns, pos, &later)) > 0) {
		if (__atomic_load_n(&later->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID &&
		    strcmp(later->name, e->name) == 0)
			return true;
		pos += (size_t)n;
	}
	return false;
}

/* Room for the records that one call gives. */
struct out {
	char *buf;
	size_t used, room;
};

/* False: there is no room. */
static bool put(struct out *out, const char *name, ino_t number, unsigned char type, long next)
{
	size_t len = strlen(name);
	size_t size = ROUND_UP(offsetof(struct dirent, d_name) + len + 1, 8);
	struct dirent *d = (void *)(out->buf + out->used);

	if (size > out->room - out->used)
		return false;
	memset(d, 0, size);
	d->d_ino = number;
	d->d_off = next;
	d->d_reclen = (unsigned short)size;
	d->d_type = type;
	memcpy(d->d_name, name, len + 1);
	out->used += size;
	return true;
}

static ino_t number_of(objid_t dir, const struct twz_name_ent *e)
{
	return e->type == NAME_ENT_SYMLINK ? twix_link_number(dir, e->name) : ID_LO(e->id) ^ ID_HI(e->id);
}

/* Those of an object. 0, or what is wrong with it; 1: there was no room. */
static int list_object(struct twix_file *f, struct out *out)
{
	twzobj *ns = twix_file_object(f);
	struct twz_name_ent *e;
	ssize_t len = -EIO;

	while (ns && (len = twz_hier_get_entry(ns, (size_t)f->offset, &e)) > 0) {
		size_t next = (size_t)f->offset + (size_t)len;

		if (e->flags & NAME_ENT_VALID && !is_superseded(ns, e, next) &&
		    !put(out, e->name, number_of(f->id, e), type_of(e->type), (long)next))
			return 1;
		f->offset = (int64_t)next;
	}
	return len == -EINVLOBJ ? -EIO : (int)len;
}

#define NODES (1ul << 40) /* behind the names of an object those of the table begin */

static bool is_in_object(objid_t dir, const char *name)
{
	objid_t id;
	int type;

	return twix_path_find(dir, name, &id, &type) == 0 && !twix_is_node(id) && id != twz_program_packroot();
}

/* Those of the table: all of a directory that is no object, and those that the root has besides. */
static int list_nodes(struct twix_file *f, struct out *out)
{
	objid_t dir = twix_is_node(f->id) ? f->id : twix_node_root();
	long at = f->offset - (long)NODES;
	struct twix_node_entry e;

	while (twix_node_next(dir, &at, &e)) {
		ino_t number = twix_is_node(e.id) ? ID_LO(e.id) + 1 : ID_LO(e.id) ^ ID_HI(e.id);

		if (!(dir != f->id && is_in_object(f->id, e.name)) &&
		    !put(out, e.name, number, type_of(e.type), at + (long)NODES))
			return 1;
		f->offset = at + (long)NODES;
	}
	return 0;
}

static long directory_getdents(struct twix_file *f, void *buf, size_t n)
{
	struct out out = { .buf = buf, .room = n };
	bool nodes = twix_is_node(f->id) || f->id == twix_root_id();
	int r = 0;

	mutex_acquire(&f->lock);
	if ((size_t)f->offset < NODES && !twix_is_node(f->id))
		r = list_object(f, &out);
	if (r == 0 && nodes) {
		if ((size_t)f->offset < NODES)
			f->offset = (int64_t)NODES;
		r = list_nodes(f, &out);
	}
	mutex_release(&f->lock);
	if (out.used)
		return (long)out.used;
	return r == 1 ? -EINVAL : r;
}

/* Only to go to a place that was told, or to the beginning. */
static off_t directory_size(struct twix_file *f)
{
	(void)f;
	return 0;
}

static long directory_sync(struct twix_file *f)
{
	return twix_is_node(f->id) ? -EINVAL : sys_osync(f->id, 0, 0, 0);
}

const struct twix_ops twix_directory_ops = {
	.size = directory_size,
	.getdents = directory_getdents,
	.sync = directory_sync,
	.mode = S_IFDIR,
};
