// SPDX-License-Identifier: BSD-3-Clause
/*
 * Importing, see transfer.h. Objects are hidden in the store while they are filled, so that a cut
 * leaves nothing of them; then all are published, and last they get their names.
 */
#include "transfer.h"

#include <errno.h> /* before abi/errno.h, which then only adds to it */

#include <abi/errno.h>
#include <base/bits.h>
#include <fcntl.h>
#include <obj/id.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "inside.h"

#define BLOCK_PAGES 16u
#define DRAWS 16

/* ---- Where things go ---- */

/* The part of a path behind its last slash, which must not be all of a path with folders. */
static bool place_without_root(struct item *item)
{
	const char *name = item->entry.name + strspn(item->entry.name, "/");
	size_t len = strcspn(name, "/");

	if (name[len + strspn(name + len, "/")] != '\0')
		return complain("%s: the store has no names yet: there is no such namespace",
				item->entry.name);
	if (!name_fits(name, len))
		return complain("%s: a name has 1 to %u bytes, no slash, and is not . or ..",
				item->entry.name, NAME_MAXLEN);
	memmove(item->entry.name, name, len);
	item->entry.name[len] = '\0';
	return true;
}

static bool place_item(struct store *st, struct item *item)
{
	struct place place;

	if (!path_walk(st, item->entry.name, &place))
		return false;
	if (place.parent == 0)
		return complain("%s: exists already", item->entry.name);
	if (place.id != 0 || place.type == NAME_ENT_SYMLINK)
		return complain("%s: exists already", item->entry.name);
	item->parent_id = place.parent;
	memmove(item->entry.name, place.name, place.name_len);
	item->entry.name[place.name_len] = '\0';
	return true;
}

static bool same_place(const struct item *a, const struct item *b)
{
	return a->parent == NO_ITEM && b->parent == NO_ITEM && a->parent_id == b->parent_id &&
	       strcmp(a->entry.name, b->entry.name) == 0;
}

static bool names_differ(const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		for (size_t k = i + 1; p->items[i].parent == NO_ITEM && k < p->count; k++) {
			if (same_place(&p->items[i], &p->items[k]))
				return complain("%s: two things are given this name",
						p->items[i].entry.name);
		}
	}
	return true;
}

/* What was asked for goes into a root of names that is made for it. */
static void add_root(struct plan *p, size_t count)
{
	size_t root = plan_root(p);

	for (size_t i = 0; i < count; i++) {
		struct item *item = &p->items[i];

		if (item->parent != NO_ITEM)
			continue;
		item->parent = root;
		p->items[root].records += hier_record_size(&item->entry);
	}
	p->items[root].pages = plan_namespace_pages(p->items[root].records);
}

/* A new record may need a page of its own, a leaf and a node. */
static uint64_t pages_needed(const struct plan *p)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < p->count; i++)
		pages += p->items[i].pages + (p->items[i].parent_id != 0 ? 3 : 0);
	return pages;
}

/* What an import that was killed left behind is free when the store is mounted for writing. */
static bool has_room(struct store *st, const struct plan *p)
{
	uint64_t pages = pages_needed(p), free_pages;
	struct store_stats stats;

	store_stats(st, &stats);
	free_pages = stats.free_pages + inside_orphan_pages(st);
	return pages <= free_pages ||
	       complain("no space left: %llu pages are needed, %llu are free",
			(unsigned long long)pages, (unsigned long long)free_pages);
}

bool import_place(struct store *st, struct plan *p)
{
	size_t count = p->count;
	objid_t root;

	if (store_nameroot(st, &root) != 0)
		return complain("the root of names is damaged");
	for (size_t i = 0; i < count; i++) {
		struct item *item = &p->items[i];

		if (item->parent == NO_ITEM && root == 0 && !place_without_root(item))
			return false;
		if (item->parent == NO_ITEM && root != 0 && !place_item(st, item))
			return false;
	}
	if (!names_differ(p))
		return false;
	if (root == 0)
		add_root(p, count);
	return has_room(st, p);
}

/* ---- Filling objects ---- */

static bool report(const struct item *item, int error)
{
	const char *what = item->path[0] != '\0' ? item->path : item->entry.name;

	return complain("%s: not imported: %s", what, error_text(error));
}

static int draw_id(struct metainfo *mi, objid_t *id)
{
	for (int i = 0; i < DRAWS; i++) {
		if (getrandom(&mi->nonce, sizeof(mi->nonce), 0) != sizeof(mi->nonce))
			return -EIO;
		*id = id_derive(mi);
		if (!objid_is_reserved(*id))
			return 0;
	}
	return -EIO;
}

/* As libtwix has it: docs/libtwix.md, "Modes and times". */
struct inode {
	uint32_t mode, links;
	uint32_t uid, gid;
	uint64_t atime, mtime, ctime;
};

#define INODE_TAG 0x78697774696e6f64ull
#define INODE_OFFSET 0xc00u /* in the metadata page */

static void add_inode(uint8_t *page, const struct item *item)
{
	struct inode in = {
		.mode = item->mode, .links = 1, .atime = item->changed, .mtime = item->changed, .ctime = item->changed,
	};

	memcpy(page + INODE_OFFSET, &in, sizeof(in));
	((struct metainfo *)page)->exts[0] = (struct metaext){ INODE_TAG, OBJ_METAPAGE + INODE_OFFSET };
}

static int create_hidden(struct store *st, struct item *item)
{
	static _Alignas(TWZ_PAGE_SIZE) uint8_t page[TWZ_PAGE_SIZE];
	struct metainfo *mi = (struct metainfo *)page;
	int error;

	memset(page, 0, sizeof(page));
	mi->magic = MI_MAGIC;
	mi->p_flags = IMPORT_PERMISSIONS;
	mi->fotentries = 1;
	mi->milen = MI_MILEN_DEFAULT;
	if (item->entry.type == NAME_ENT_REGULAR) {
		mi->flags = MIF_SZ;
		mi->sz = item->size;
		if (item->mode)
			add_inode(page, item);
	} else {
		mi->exts[0] = (struct metaext){ HIER_METAEXT_TAG, OBJ_NULLPAGE_SIZE };
	}
	error = draw_id(mi, &item->entry.id);
	item->object = (struct object){ .st = st, .mi = *mi };
	if (!error)
		error = store_create(st, item->entry.id, page, STORE_CREATE_HIDDEN,
				     &item->object.h);
	item->created = error == 0;
	return error;
}

static bool is_zero(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, TWZ_PAGE_SIZE - 1) == 0;
}

/* Store the pages of one block of a file that are not zero. */
static int store_block(struct item *item, uint64_t first, const uint8_t *block, size_t len)
{
	int error = 0;

	for (size_t at = 0; at < len && !error; at += TWZ_PAGE_SIZE, first++) {
		void *page;

		if (!is_zero(block + at))
			error = store_page_alloc(item->object.st, &item->object.h, first,
						 block + at, &page);
	}
	return error;
}

/* Reads a block in full but at the end of the file. */
static ssize_t read_block(int fd, uint8_t *block, size_t size, uint64_t at)
{
	size_t len = 0;
	ssize_t n = 1;

	while (len < size && n > 0) {
		n = pread(fd, block + len, size - len, (off_t)(at + len));
		if (n < 0)
			return -errno;
		len += (size_t)n;
	}
	memset(block + len, 0, size - len);
	return (ssize_t)len;
}

static int fill_from(struct item *item, int fd)
{
	static _Alignas(8) uint8_t block[BLOCK_PAGES * TWZ_PAGE_SIZE];
	uint64_t at = 0;
	ssize_t n;
	int error = 0;

	while ((n = read_block(fd, block, sizeof(block), at)) > 0 && !error) {
		if (at + (uint64_t)n > item->size)
			break;
		error = stopped() ? -EINTR :
				    store_block(item, OBJ_NULLPAGE_SIZE / TWZ_PAGE_SIZE +
						at / TWZ_PAGE_SIZE, block, (size_t)n);
		at += (uint64_t)n;
	}
	if (error || n < 0)
		return error ? error : (int)n;
	return at == item->size && n == 0 ? 0 : -ESTALE;
}

static bool fill_file(struct item *item)
{
	int fd = open(item->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error;

	if (fd < 0)
		return report(item, errno);
	error = fill_from(item, fd);
	close(fd);
	if (error == -ESTALE)
		return complain("%s: not imported: it changed meanwhile", item->path);
	return error == 0 || report(item, error);
}

/* ".." of what has no folder in the plan is the namespace that it goes to; the root's is itself. */
static objid_t parent_id(const struct plan *p, const struct item *item)
{
	if (item->parent != NO_ITEM)
		return p->items[item->parent].entry.id;
	return item->parent_id != 0 ? item->parent_id : item->entry.id;
}

static bool make_objects(struct store *st, struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct item *item = &p->items[i];
		int error = 0;

		if (item->entry.type == NAME_ENT_SYMLINK)
			continue;
		error = stopped() ? -EINTR : create_hidden(st, item);
		if (error)
			return report(item, error);
		if (item->entry.type == NAME_ENT_REGULAR && !fill_file(item))
			return false;
	}
	return true;
}

/* Now that all IDs are known: the lists of the new namespaces. */
static bool make_lists(struct plan *p)
{
	int error = 0;

	for (size_t i = 0; i < p->count && !error; i++) {
		struct item *item = &p->items[i];

		if (item->entry.type == NAME_ENT_NAMESPACE)
			error = hier_begin(&item->object, parent_id(p, item), &item->end);
		if (error)
			return report(item, error);
	}
	for (size_t i = 0; i < p->count; i++) {
		struct item *item = &p->items[i], *folder;

		if (item->parent == NO_ITEM)
			continue;
		folder = &p->items[item->parent];
		error = stopped() ? -EINTR :
				    hier_append(&folder->object, &folder->end, &item->entry);
		if (error)
			return report(item, error);
	}
	return true;
}

/* ---- Making them appear ---- */

static bool publish(struct store *st, struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct item *item = &p->items[i];
		int error = item->created ? store_publish(st, &item->object.h, 0) : 0;

		if (error)
			return report(item, error);
		item->published = item->created;
	}
	return true;
}

static int enter(struct store *st, struct item *item)
{
	struct entries entries;
	struct object ns;
	uint64_t at;
	int error = object_open(st, item->parent_id, &ns);

	if (error)
		return error;
	error = entries_read(&ns, &entries);
	entries_free(&entries);
	at = entries.end;
	if (!error)
		error = hier_append(&ns, &entries.end, &item->entry);
	if (!error)
		item->named_at = at;
	return error;
}

static bool name_all(struct store *st, struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct item *item = &p->items[i];
		int error = 0;

		if (item->parent_id != 0)
			error = enter(st, item);
		else if (item->parent == NO_ITEM)
			error = store_set_nameroot(st, item->entry.id);
		if (error)
			return report(item, error);
	}
	return true;
}

/* ---- Taking it back ---- */

static int withdraw(struct store *st, struct item *item)
{
	struct object ns;
	int error = 0;

	if (item->named_at != 0) {
		error = object_open(st, item->parent_id, &ns);
		if (!error)
			error = hier_withdraw(&ns, item->named_at);
	}
	if (!error && item->published)
		error = store_mark_deleted(st, &item->object.h);
	if (!error && item->created)
		error = store_free(st, &item->object.h);
	return error;
}

static void take_back(struct store *st, struct plan *p)
{
	for (size_t i = p->count; i-- > 0;) {
		int error = withdraw(st, &p->items[i]);

		if (error)
			complain("%s: what was imported of it cannot be removed: %s",
				 p->items[i].path, error_text(error));
	}
}

bool import_run(struct store *st, struct plan *p)
{
	if (make_objects(st, p) && make_lists(p) && publish(st, p) && name_all(st, p))
		return true;
	take_back(st, p);
	return false;
}
