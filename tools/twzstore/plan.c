// SPDX-License-Identifier: BSD-3-Clause
/* Planning an import, see plan.h: everything that can be refused is refused here. */
#include "plan.h"

#include <base/bits.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

#define INODE_AND_META 2u
#define DIRECT 64u  /* pages with lower numbers need no node and leaf */
#define LEAF 512u
#define BLOCK 65536u

static char *copy_text(const char *text, size_t len)
{
	char *copy = grow(NULL, len + 1, 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

static struct item *add_item(struct plan *p, const char *path, const char *name, uint8_t type,
			     size_t parent)
{
	if (p->count == p->room) {
		p->room = 2 * p->room + 64;
		p->items = grow(p->items, p->room, sizeof(*p->items));
	}
	p->items[p->count] = (struct item){
		.path = copy_text(path, strlen(path)),
		.entry = { .type = type, .name = copy_text(name, strlen(name)) },
		.parent = parent,
		.pages = INODE_AND_META,
	};
	return &p->items[p->count++];
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].path);
		free(p->items[i].entry.name);
		free(p->items[i].entry.target);
	}
	free(p->items);
	*p = (struct plan){ .items = NULL };
}

/* ---- Pages ---- */

/* What has been counted of an object whose pages come in ascending order. */
struct counter {
	uint64_t pages;
	uint64_t leaf; /* of the page before, plus 1 */
};

static void count_page(struct counter *c, uint64_t pgnr)
{
	c->pages++;
	if (pgnr < DIRECT || pgnr / LEAF + 1 == c->leaf)
		return;
	c->pages += c->leaf == 0 ? 2 : 1; /* with the first leaf, the node */
	c->leaf = pgnr / LEAF + 1;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Pages of zeroes are not stored. -1: the file cannot be read. */
static int count_file(int fd, struct item *item)
{
	static uint8_t block[BLOCK];
	struct counter c = { .pages = INODE_AND_META };
	uint64_t at = 0;
	ssize_t n;

	while ((n = pread(fd, block, BLOCK, (off_t)at)) > 0) {
		for (size_t i = 0; i < (size_t)n; i += TWZ_PAGE_SIZE) {
			if (!is_zero(block + i, MIN((size_t)n - i, TWZ_PAGE_SIZE)))
				count_page(&c, 1 + (at + i) / TWZ_PAGE_SIZE);
		}
		at += (uint64_t)n;
	}
	item->pages = c.pages;
	return n < 0 ? -1 : 0;
}

uint64_t plan_namespace_pages(uint64_t bytes)
{
	struct counter c = { .pages = INODE_AND_META };

	for (uint64_t pgnr = 1; pgnr <= div_round_up(bytes, TWZ_PAGE_SIZE); pgnr++)
		count_page(&c, pgnr);
	return c.pages;
}

/* ---- Files, folders, links ---- */

static bool look_at_file(const char *path, struct item *item)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int error = 0;

	if (fd < 0 || fstat(fd, &st) != 0) {
		error = errno;
		if (fd >= 0)
			close(fd);
		return complain("%s: %s", path, strerror(error));
	}
	item->size = (uint64_t)st.st_size;
	if (S_ISREG(st.st_mode) && item->size <= OBJ_MAXDATA && count_file(fd, item) != 0)
		error = errno;
	close(fd);
	if (!S_ISREG(st.st_mode))
		return complain("%s: neither file nor folder nor symbolic link", path);
	if (item->size > OBJ_MAXDATA)
		return complain("%s: too large for an object: %llu bytes, at most %lu are possible",
				path, (unsigned long long)item->size, OBJ_MAXDATA);
	return error == 0 || complain("%s: %s", path, strerror(error));
}

static bool look_at_link(const char *path, struct item *item)
{
	char target[TARGET_MAXLEN + 2];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len < 0)
		return complain("%s: %s", path, strerror(errno));
	if (len > (ssize_t)TARGET_MAXLEN)
		return complain("%s: leads to a name of more than %u bytes", path, TARGET_MAXLEN);
	item->entry.target = copy_text(target, (size_t)len);
	item->pages = 0;
	return true;
}

static int not_itself(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool plan_below(struct plan *p, size_t folder);

static uint8_t type_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return NAME_ENT_NAMESPACE;
	return S_ISLNK(mode) ? NAME_ENT_SYMLINK : NAME_ENT_REGULAR;
}

static bool plan_child(struct plan *p, size_t folder, const char *name)
{
	size_t size = strlen(p->items[folder].path) + strlen(name) + 2;
	char *path = grow(NULL, size, 1);
	struct item *item;
	struct stat st;
	bool ok;

	snprintf(path, size, "%s/%s", p->items[folder].path, name);
	if (lstat(path, &st) != 0) {
		complain("%s: %s", path, strerror(errno));
		free(path);
		return false;
	}
	item = add_item(p, path, name, type_of(st.st_mode), folder);
	p->items[folder].records += hier_record_size(&item->entry);
	if (item->entry.type == NAME_ENT_NAMESPACE)
		ok = plan_below(p, p->count - 1);
	else if (item->entry.type == NAME_ENT_SYMLINK)
		ok = look_at_link(path, item);
	else
		ok = look_at_file(path, item);
	free(path);
	return ok;
}

/* The header, "." and "..", and the end. */
static void start_list(struct item *item)
{
	item->records = NAMESPACE_ENTS_OFFSET + NAME_ENT_RECLEN(sizeof(".")) +
			NAME_ENT_RECLEN(sizeof("..")) + sizeof(struct twz_name_ent);
}

/* A path that is too long ends the depth of this. */
static bool plan_below(struct plan *p, size_t folder)
{
	struct dirent **list;
	int count = scandir(p->items[folder].path, &list, not_itself, by_name);
	bool ok = true;

	if (count < 0)
		return complain("%s: %s", p->items[folder].path, strerror(errno));
	start_list(&p->items[folder]);
	for (int i = 0; i < count; i++) {
		ok = ok && plan_child(p, folder, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	p->items[folder].pages = plan_namespace_pages(p->items[folder].records);
	return ok;
}

bool plan_file(struct plan *p, const char *path, const char *name)
{
	return look_at_file(path, add_item(p, path, name, NAME_ENT_REGULAR, NO_ITEM));
}

bool plan_mode(struct plan *p)
{
	struct item *item = &p->items[p->count - 1];
	struct stat st;

	if (stat(item->path, &st) != 0)
		return complain("%s: %s", item->path, strerror(errno));
	item->mode = st.st_mode & (S_IFMT | 0777);
	item->changed = (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
	return true;
}

bool plan_folder(struct plan *p, const char *path, const char *name)
{
	add_item(p, path, name, NAME_ENT_NAMESPACE, NO_ITEM);
	return plan_below(p, p->count - 1);
}

size_t plan_root(struct plan *p)
{
	struct item *item = add_item(p, "", "/", NAME_ENT_NAMESPACE, NO_ITEM);

	start_list(item);
	item->pages = plan_namespace_pages(item->records);
	return p->count - 1;
}
