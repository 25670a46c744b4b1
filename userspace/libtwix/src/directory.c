// SPDX-License-Identifier: BSD-3-Clause
/* Directories: hierarchy objects. Where one is read on is the position in its list. */
#include "twix.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <twz/obj/hier.h>
#include <twz/sys/syscall.h>

static unsigned char type_of(const struct twz_name_ent *e)
{
	switch (e->type) {
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

/* Bytes written for a record; 0 if there is no room. */
static size_t put_entry(char *buf, size_t room, const struct twz_name_ent *e, size_t next)
{
	size_t len = strlen(e->name);
	size_t size = ROUND_UP(offsetof(struct dirent, d_name) + len + 1, 8);
	struct dirent *d = (void *)buf;

	if (size > room)
		return 0;
	memset(buf, 0, size);
	d->d_ino = e->id ? ID_LO(e->id) ^ ID_HI(e->id) : 1;
	d->d_off = (off_t)next;
	d->d_reclen = (unsigned short)size;
	d->d_type = type_of(e);
	memcpy(d->d_name, e->name, len + 1);
	return size;
}

static long directory_getdents(struct twix_file *f, void *buf, size_t n)
{
	twzobj *ns = twix_file_object(f);
	struct twz_name_ent *e;
	size_t used = 0, put;
	ssize_t len = -EIO;

	mutex_acquire(&f->lock);
	while (ns && (len = twz_hier_get_entry(ns, (size_t)f->offset, &e)) > 0) {
		size_t next = (size_t)f->offset + (size_t)len;

		if (e->flags & NAME_ENT_VALID && !is_superseded(ns, e, next)) {
			put = put_entry((char *)buf + used, n - used, e, next);
			if (!put)
				break;
			used += put;
		}
		f->offset = (int64_t)next;
	}
	mutex_release(&f->lock);
	if (used)
		return (long)used;
	return len > 0 ? -EINVAL : len == -EINVLOBJ ? -EIO : len;
}

/* Only to go to a place that was told, or to the beginning. */
static off_t directory_size(struct twix_file *f)
{
	(void)f;
	return 0;
}

static long directory_sync(struct twix_file *f)
{
	return sys_osync(f->id, 0, 0, 0);
}

const struct twix_ops twix_directory_ops = {
	.size = directory_size,
	.getdents = directory_getdents,
	.sync = directory_sync,
	.mode = S_IFDIR,
};
