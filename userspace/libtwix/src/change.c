// SPDX-License-Identifier: BSD-3-Clause
/*
 * Changes of names that take more than one durable step: a file that is made and then named, a name that
 * is removed and then its file. While one is under way a record says what is left of it if power goes
 * now; the first program after that does what they say. So nothing stays in the store that no name leads to.
 *
 * The records stand in the metadata page of the root directory, from object offset 0x3ffffc40 on, behind its
 * inode; the extension TWIX_CHANGES_TAG says that they do. One is believed only if its words belong together,
 * so all of it is made durable at once.
 */
#include "twix.h"

#include <string.h>
#include <sys/stat.h>
#include <twz/name.h>
#include <twz/obj/hier.h>
#include <twz/persist.h>
#include <twz/sys/sys.h>
#include <twz/sys/syscall.h>

#define TWIX_CHANGES_TAG 0x7877746368616e67ull
#define CHANGES_OFFSET 0xc40u /* in the metadata page */
#define CHANGES 15u

/* A line. If the directory has no such name of that object, the object has so many names. */
struct twix_change {
	uint64_t owner; /* atomic, never durable: the boot that uses it; 0: nobody does */
	uint64_t check; /* atomic: the hash of what follows; 0: there is nothing to do */
	objid_t id, dir;
	uint64_t name;  /* its hash */
	uint64_t links;
};

_Static_assert(sizeof(struct twix_change) == 64, "a line");
_Static_assert(CHANGES_OFFSET + CHANGES * sizeof(struct twix_change) <= TWIX_PAGE, "in the metadata page");

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

static uint64_t hash_of_name(const char *name)
{
	uint64_t h = 1;

	while (*name)
		h = mix(h, (unsigned char)*name++);
	return h;
}

static uint64_t check_of(const struct twix_change *c)
{
	uint64_t h = mix(mix(mix(1, ID_LO(c->id)), ID_HI(c->id)), ID_LO(c->dir));

	return mix(mix(mix(h, ID_HI(c->dir)), c->name), c->links) | 1;
}

static void persist(const void *p, size_t n)
{
	_clwb_len(p, n);
	_pfence();
}

/* --- where the records are */

static struct twix_change *place_of(twzobj *o)
{
	return (void *)((char *)twz_object_meta(o) + CHANGES_OFFSET);
}

/* NULL: the root has none. */
static struct twix_change *find_records(void)
{
	twzobj *root = twz_name_get_root();

	return root && twz_object_getext(root, TWIX_CHANGES_TAG) == place_of(root) ? place_of(root) : NULL;
}

static void make_records(void)
{
	twzobj *root = twz_name_get_root();

	if (!root || twix_is_volatile(root))
		return;
	memset(place_of(root), 0, CHANGES * sizeof(struct twix_change));
	persist(place_of(root), CHANGES * sizeof(struct twix_change));
	twz_object_addext(root, TWIX_CHANGES_TAG, place_of(root));
}

/* --- a change */

static struct twix_change *claim(void)
{
	struct twix_change *all = find_records();
	uint64_t boot = twz_sysinfo()->boot_code;

	for (unsigned i = 0; all && i < CHANGES; i++) {
		uint64_t nobody = 0;

		if (__atomic_compare_exchange_n(&all[i].owner, &nobody, boot, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return &all[i];
	}
	return NULL;
}

struct twix_change *twix_change_begin(objid_t id, objid_t dir, const char *name, unsigned links)
{
	struct twix_change *c = claim();

	if (!c)
		return NULL;
	c->id = id;
	c->dir = dir;
	c->name = hash_of_name(name);
	c->links = links;
	__atomic_store_n(&c->check, check_of(c), __ATOMIC_RELEASE);
	persist(c, sizeof(*c));
	return c;
}

void twix_change_end(struct twix_change *c)
{
	if (!c)
		return;
	__atomic_store_n(&c->check, 0, __ATOMIC_RELEASE);
	persist(&c->check, sizeof(c->check));
	__atomic_store_n(&c->owner, 0, __ATOMIC_RELEASE);
}

int twix_change_keep(twzobj *o, objid_t dir, const char *name, struct twix_change **c)
{
	int r;

	*c = twix_change_begin(twz_object_guid(o), dir, name, 0);
	r = twz_object_ctl(o, OCO_PERSIST, 1, 0, 0);
	if (r < 0) {
		twix_change_end(*c);
		*c = NULL;
	}
	return r;
}

/* --- after a cut */

/* An object is only looked for when it is used, and then it must be there. */
static bool open_existing(objid_t id, twzobj *o)
{
	struct kernel_ostat st;

	return sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0 && twz_object_init_guid(o, id, FE_READ | FE_WRITE) == 0;
}

static bool has_name(const struct twix_change *c)
{
	struct twz_name_ent *e;
	bool found = false;
	size_t pos = 0;
	ssize_t n;
	twzobj ns;

	if (!open_existing(c->dir, &ns))
		return false;
	twz_hier_rename(&ns, ".", &ns, "."); /* finishes one that was cut */
	while (!found && (n = twz_hier_get_entry(&ns, pos, &e)) > 0) {
		found = e->flags & NAME_ENT_VALID && e->id == c->id && hash_of_name(e->name) == c->name;
		pos += (size_t)n;
	}
	twz_object_release(&ns);
	return found;
}

/* Whether nobody has used it since: a change that its program did not live to end is an old story. */
static bool is_as_left(twzobj *o, const struct twix_change *c)
{
	if (S_ISDIR(twix_inode_mode(o)))
		return c->links == 0 && twix_directory_is_empty(c->id);
	return twix_inode_links(o) == c->links || twix_inode_links(o) == c->links + 1;
}

static void undo(const struct twix_change *c)
{
	unsigned links;
	twzobj o;

	if (has_name(c) || !open_existing(c->id, &o))
		return;
	links = twix_inode_links(&o);
	if (is_as_left(&o, c)) {
		twix_inode_link(&o, (int)c->links - (int)links);
		if (c->links == 0)
			twz_object_delete(&o, 0);
	}
	twz_object_release(&o);
}

/* Those of this boot are other programs', who end them. */
void twix_changes_undo(void)
{
	struct twix_change *all = find_records();
	uint64_t boot = twz_sysinfo()->boot_code;

	if (!all)
		make_records();
	for (unsigned i = 0; all && i < CHANGES; i++) {
		struct twix_change *c = &all[i];
		uint64_t owner = __atomic_load_n(&c->owner, __ATOMIC_ACQUIRE);

		if (owner == boot || !__atomic_compare_exchange_n(&c->owner, &owner, boot, false, __ATOMIC_ACQ_REL,
		    __ATOMIC_RELAXED))
			continue;
		if (c->check && c->check == check_of(c))
			undo(c);
		twix_change_end(c);
	}
}
