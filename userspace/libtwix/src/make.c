// SPDX-License-Identifier: BSD-3-Clause
/* New files and directories, before they have their names. */
#include "twix.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <twz/obj/hier.h>

#define NEW_OBJECT (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE | TWZ_OC_VOLATILE)

bool twix_is_volatile(twzobj *o)
{
	struct kernel_ostat st;

	return twz_object_kstat(o, &st) < 0 || st.backing != TWZ_BACKING_PERSISTENT;
}

static int fill(twzobj *o, objid_t dir, mode_t mode)
{
	int r = 0;

	if (S_ISDIR(mode))
		r = twz_hier_namespace_init(o, dir);
	else
		twz_object_setsz(o, TWZ_OSSM_ABSOLUTE, 0);
	twix_inode_make(o, mode & (S_IFMT | 07777) & ~twix_mode_mask());
	return r;
}

static int make(twzobj *dir, const char *name, mode_t mode, twzobj *o, struct twix_change **c)
{
	objid_t id = twz_object_guid(dir);
	int r = !twix_inode_may(dir, W_OK | X_OK) ? -EACCES : twix_inode_links(dir) ? 0 : -ENOENT;

	if (r == 0)
		r = twz_object_new(o, NULL, NULL, NEW_OBJECT);
	if (r < 0)
		return r;
	r = fill(o, id, mode);
	twix_inode_inherit(o, dir);
	if (r == 0 && !twix_is_volatile(dir))
		r = twix_change_keep(o, id, name, c);
	if (r < 0) {
		twz_object_delete(o, TWZ_OD_IMMEDIATE);
		twz_object_release(o);
	}
	return r;
}

/* All is done in memory: the store gets it whole, when it is known whose name it will have. */
int twix_make(objid_t dir, const char *name, mode_t mode, twzobj *o, struct twix_change **c)
{
	twzobj parent;
	int r = twz_object_init_guid(&parent, dir, FE_READ | FE_WRITE);

	*c = NULL;
	if (r < 0)
		return r;
	r = make(&parent, name, mode, o, c);
	twz_object_release(&parent);
	return r;
}

int twix_make_directory(const struct twix_where *w, mode_t mode, twzobj *parent)
{
	struct twix_change *c;
	twzobj ns;
	int r = twix_make(w->parent, w->name, S_IFDIR | mode, &ns, &c);

	if (r < 0)
		return r;
	r = twz_hier_assign_name(parent, w->name, NAME_ENT_NAMESPACE, twz_object_guid(&ns));
	if (r == 0)
		twix_inode_link(parent, 1);
	else
		twz_object_delete(&ns, TWZ_OD_IMMEDIATE);
	twix_change_end(c);
	twz_object_release(&ns);
	return r;
}
