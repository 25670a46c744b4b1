// SPDX-License-Identifier: BSD-3-Clause
/* Namespaces, see hier.h. The rules for readers are those of libtwz. */
#include "hier.h"

#include <abi/errno.h>
#include <base/bits.h>
#include <stdlib.h>
#include <string.h>

#include "idset.h"
#include "region.h"
#include "report.h"

#define FIRST_ENTRY (OBJ_NULLPAGE_SIZE + NAMESPACE_ENTS_OFFSET)
#define PATH_LIMIT 4096u
#define DLEN_MAX (NAME_MAXLEN + 1 + TARGET_MAXLEN + 1)

union record {
	struct twz_name_ent ent; /* its name is in room, and ends there */
	char room[sizeof(struct twz_name_ent) + DLEN_MAX + 1];
};

/* Read the record at an offset: 1, 0 at the end of the list, -EINVLOBJ, -EUCLEAN. */
static int read_record(const struct object *ns, uint64_t offset, union record *r)
{
	int error;

	if (!range_within(offset, sizeof(r->ent), OBJ_TOPDATA))
		return 0;
	error = object_read(ns, offset, &r->ent, sizeof(r->ent));
	if (error || r->ent.dlen == 0)
		return error;
	if (r->ent.dlen > DLEN_MAX ||
	    !range_within(offset, NAME_ENT_RECLEN(r->ent.dlen), OBJ_TOPDATA))
		return -EINVLOBJ;
	error = object_read(ns, offset + sizeof(r->ent), r->ent.name, r->ent.dlen);
	if (error)
		return error;
	r->ent.name[r->ent.dlen] = '\0';
	return strlen(r->ent.name) < r->ent.dlen ? 1 : -EINVLOBJ;
}

static bool is_self(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Whether a valid record names something: a proper name, and a target if it is a link. */
static bool means_something(const union record *r)
{
	size_t len = strlen(r->ent.name);

	if (!name_fits(r->ent.name, len))
		return false;
	return r->ent.type != NAME_ENT_SYMLINK || r->ent.dlen > len + 2;
}

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(grow(NULL, size, 1), text, size);
}

static void add_entry(struct entries *e, const union record *r, uint64_t at)
{
	bool link = r->ent.type == NAME_ENT_SYMLINK;

	if ((e->count & (e->count - 1)) == 0)
		e->list = grow(e->list, e->count ? 2 * e->count : 1, sizeof(*e->list));
	e->list[e->count++] = (struct entry){
		.id = link ? 0 : r->ent.id,
		.type = r->ent.type,
		.name = copy_text(r->ent.name),
		.target = link ? copy_text(r->ent.name + strlen(r->ent.name) + 1) : NULL,
		.at = at,
	};
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void drop(struct entry *e)
{
	free(e->name);
	free(e->target);
}

/* Of records with one name the last counts. */
static void sort_entries(struct entries *e)
{
	size_t kept = 0;

	if (e->count > 1)
		qsort(e->list, e->count, sizeof(*e->list), by_name);
	for (size_t i = 0; i < e->count; i++) {
		if (i + 1 < e->count && strcmp(e->list[i].name, e->list[i + 1].name) == 0)
			drop(&e->list[i]);
		else
			e->list[kept++] = e->list[i];
	}
	e->count = kept;
}

/* More records than would fit the store mean pages that stand in several places. */
static uint64_t record_limit(const struct store *st)
{
	return st->pages * (STORE_PAGE_SIZE / sizeof(struct twz_name_ent));
}

static int read_list(const struct object *ns, struct entries *out)
{
	uint64_t left = record_limit(ns->st);
	union record r;
	int more;

	while ((more = read_record(ns, out->end, &r)) > 0) {
		if (left-- == 0)
			return -EINVLOBJ;
		if ((r.ent.flags & NAME_ENT_VALID) && !is_self(r.ent.name)) {
			if (means_something(&r))
				add_entry(out, &r, out->end);
			else
				out->improper++;
		}
		out->end += NAME_ENT_RECLEN(r.ent.dlen);
	}
	return more;
}

int entries_read(const struct object *ns, struct entries *out)
{
	struct twz_namespace_hdr header;
	int error = object_read(ns, OBJ_NULLPAGE_SIZE, &header, sizeof(header));

	*out = (struct entries){ .end = FIRST_ENTRY };
	if (error)
		return error;
	if (header.magic != NAMESPACE_MAGIC || header.version != NAMESPACE_VERSION)
		return -ENOTDIR;
	error = read_list(ns, out);
	sort_entries(out);
	return error;
}

void entries_free(struct entries *e)
{
	for (size_t i = 0; i < e->count; i++)
		drop(&e->list[i]);
	free(e->list);
	e->list = NULL;
	e->count = 0;
}

static bool same_name(const char *name, const char *text, size_t len)
{
	return strncmp(name, text, len) == 0 && name[len] == '\0';
}

const struct entry *entries_find(const struct entries *e, const char *name, size_t len)
{
	for (size_t i = 0; i < e->count; i++) {
		if (same_name(e->list[i].name, name, len))
			return &e->list[i];
	}
	return NULL;
}

bool name_fits(const char *name, size_t len)
{
	if (len < 1 || len > NAME_MAXLEN || memchr(name, '/', len) != NULL)
		return false;
	return !(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')));
}

/* ---- Paths ---- */

static size_t skip_slashes(const char *path)
{
	return strspn(path, "/");
}

/* Look one name up in the namespace `ns`, and make it the parent of what is found. */
static int look_up(struct store *st, objid_t ns, struct place *p)
{
	struct entries entries;
	struct object o;
	const struct entry *e;
	int error = object_open(st, ns, &o);

	if (error)
		return error;
	error = entries_read(&o, &entries);
	e = entries_find(&entries, p->name, p->name_len);
	p->parent = ns;
	p->id = e != NULL ? e->id : 0;
	p->type = e != NULL ? e->type : NAME_ENT_REGULAR;
	if (!error && e == NULL)
		error = -ENOENT;
	entries_free(&entries);
	return error;
}

static bool walk_failed(const char *path, const struct place *p, int error)
{
	int so_far = (int)(p->name + p->name_len - path);

	if (error == -ENOTDIR)
		return complain("%.*s: what it is in is no namespace", so_far, path);
	if (error == -EINVLOBJ)
		return complain("%.*s: the list of names that it is in is malformed", so_far, path);
	return complain("%.*s: %s", so_far, path, error_text(error));
}

/* Take the next component of the path. `last`: it need not exist. */
static bool step(struct store *st, const char *path, struct place *p, bool last)
{
	int error = -ENOTDIR;

	if (!name_fits(p->name, p->name_len))
		return complain("%s: a name has 1 to %u bytes, no slash, and is not . or ..", path,
				NAME_MAXLEN);
	if (p->type == NAME_ENT_NAMESPACE)
		error = look_up(st, p->id, p);
	if (error && !(last && error == -ENOENT))
		return walk_failed(path, p, error);
	if (!last && p->type == NAME_ENT_SYMLINK)
		return complain("%.*s: a symbolic link: name what it leads to",
				(int)(p->name + p->name_len - path), path);
	return true;
}

bool path_walk(struct store *st, const char *path, struct place *out)
{
	struct place p = { .name = path, .type = NAME_ENT_NAMESPACE };
	const char *rest = path + skip_slashes(path);

	if (store_nameroot(st, &p.id) != 0)
		return complain("%s: the root of names is damaged", path);
	if (p.id == 0)
		return complain("%s: the store has no names", path);
	while (*rest != '\0') {
		p.name = rest;
		p.name_len = strcspn(rest, "/");
		rest += p.name_len;
		rest += skip_slashes(rest);
		if (!step(st, path, &p, *rest == '\0'))
			return false;
	}
	*out = p;
	return true;
}

/* An ID as IDFMT prints it. */
static bool parse_id(const char *arg, objid_t *id)
{
	char *end;
	uint64_t hi;

	if (strlen(arg) != 33 || strspn(arg, "0123456789abcdefABCDEF") != 16 || arg[16] != ':' ||
	    strspn(arg + 17, "0123456789abcdefABCDEF") != 16)
		return false;
	hi = strtoull(arg, &end, 16);
	*id = MKID(hi, strtoull(end + 1, NULL, 16));
	return true;
}

bool object_named(struct store *st, const char *arg, struct object *o)
{
	struct place p;
	objid_t id;
	int error;

	if (!parse_id(arg, &id)) {
		if (!path_walk(st, arg, &p))
			return false;
		if (p.type == NAME_ENT_SYMLINK)
			return complain("%s: a symbolic link: name what it leads to", arg);
		if (p.id == 0)
			return complain("%s: %s", arg, error_text(-ENOENT));
		id = p.id;
	}
	error = object_open(st, id, o);
	return error == 0 || complain("%s: object " IDFMT ": %s", arg, IDPR(id), error_text(error));
}

/* ---- Writing ---- */

static uint64_t dlen_of(const struct entry *e)
{
	return strlen(e->name) + 1 + (e->target != NULL ? strlen(e->target) + 1 : 0);
}

uint64_t hier_record_size(const struct entry *e)
{
	return NAME_ENT_RECLEN(dlen_of(e));
}

static int write_durably(struct object *ns, uint64_t offset, const void *bytes, size_t len)
{
	int error = object_write(ns, offset, bytes, len);

	region_ops.fence();
	return error;
}

/* The record without its length, which is what makes it part of the list. */
static int write_body(struct object *ns, uint64_t at, const struct entry *e)
{
	union record r = { .ent = { .id = e->id, .type = e->type } };
	size_t len = strlen(e->name) + 1;

	memcpy(r.ent.name, e->name, len);
	if (e->target != NULL)
		memcpy(r.ent.name + len, e->target, strlen(e->target) + 1);
	return write_durably(ns, at, &r, sizeof(r.ent) + dlen_of(e));
}

int hier_append(struct object *ns, uint64_t *end, const struct entry *e)
{
	uint32_t flags = NAME_ENT_VALID;
	uint64_t dlen = dlen_of(e);
	int error;

	/* room for the end of the list, too */
	if (!range_within(*end, NAME_ENT_RECLEN(dlen) + sizeof(struct twz_name_ent), OBJ_TOPDATA))
		return -ENOSPC;
	error = write_body(ns, *end, e);
	if (!error)
		error = write_durably(ns, *end + offsetof(struct twz_name_ent, dlen), &dlen,
				      sizeof(dlen));
	if (!error)
		error = write_durably(ns, *end + offsetof(struct twz_name_ent, flags), &flags,
				      sizeof(flags));
	if (!error)
		*end += NAME_ENT_RECLEN(dlen);
	return error;
}

int hier_withdraw(struct object *ns, uint64_t at)
{
	uint32_t flags = 0;

	return write_durably(ns, at + offsetof(struct twz_name_ent, flags), &flags, sizeof(flags));
}

int hier_begin(struct object *ns, objid_t parent, uint64_t *end)
{
	struct twz_namespace_hdr header = { .magic = NAMESPACE_MAGIC,
					    .version = NAMESPACE_VERSION };
	char self_name[] = ".", up_name[] = "..";
	struct entry self = { .id = ns->h.id, .type = NAME_ENT_NAMESPACE, .name = self_name };
	struct entry up = { .id = parent, .type = NAME_ENT_NAMESPACE, .name = up_name };
	int error;

	*end = FIRST_ENTRY;
	error = hier_append(ns, end, &self);
	if (!error)
		error = hier_append(ns, end, &up);
	return error ? error : write_durably(ns, OBJ_NULLPAGE_SIZE, &header, sizeof(header));
}

/* ---- All names ---- */

/* Namespaces seen but not yet read, by their index in the list; the list grows behind it. */
struct collection {
	struct store *st;
	FILE *report;
	struct names *names;
	size_t room;
	struct idset seen; /* namespaces that were read */
};

static void add_name(struct collection *c, objid_t id, const char *above, const char *name,
		     bool is_namespace)
{
	size_t size = strlen(above) + strlen(name) + 2;
	char *path = grow(NULL, size, 1);

	snprintf(path, size, "%s%s%s", above, name, is_namespace ? "/" : "");
	if (c->names->count == c->room) {
		c->room = c->room * 2 + 16;
		c->names->list = grow(c->names->list, c->room, sizeof(*c->names->list));
	}
	c->names->list[c->names->count++] = (struct named){ id, path };
}

static void name_fault(struct collection *c, const char *path, const char *what)
{
	c->names->faults++;
	if (c->report == NULL)
		return;
	fputs("name ", c->report);
	print_name(c->report, path);
	fprintf(c->report, ": %s\n", what);
}

static void collect_entry(struct collection *c, const char *above, const struct entry *e)
{
	struct store_handle h;

	if (e->type == NAME_ENT_SYMLINK)
		return;
	if (strlen(above) > PATH_LIMIT) {
		name_fault(c, above, "too many namespaces in each other");
		return;
	}
	add_name(c, e->id, above, e->name, e->type == NAME_ENT_NAMESPACE);
	if (store_lookup(c->st, e->id, &h) != 0)
		name_fault(c, c->names->list[c->names->count - 1].path,
			   "there is no such object any more");
}

static bool is_namespace(const struct named *n)
{
	size_t len = strlen(n->path);

	return n->path[len - 1] == '/';
}

/* One namespace's entries go to the end of the list. */
static void collect_from(struct collection *c, const struct named *from)
{
	char *above = from->path; /* the list may move, this does not */
	struct entries entries;
	struct object ns;
	int error;

	if (object_open(c->st, from->id, &ns) != 0)
		return; /* reported when it was listed */
	if (!idset_add(&c->seen, from->id)) {
		name_fault(c, above, "a namespace with two names");
		return;
	}
	error = entries_read(&ns, &entries);
	for (size_t i = 0; i < entries.count; i++)
		collect_entry(c, above, &entries.list[i]);
	if (entries.improper != 0)
		name_fault(c, above, "lists things without a proper name");
	if (error)
		name_fault(c, above, error == -ENOTDIR ? "not a namespace" :
				     error == -EINVLOBJ ? "the list of names is malformed" :
				     error_text(error));
	entries_free(&entries);
}

static int by_id(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->path, y->path);
}

void names_collect(struct store *st, FILE *report, struct names *out)
{
	struct collection c = { .st = st, .report = report, .names = out };
	struct store_handle h;
	objid_t root;

	*out = (struct names){ .list = NULL };
	if (store_nameroot(st, &root) != 0 || root == 0)
		return;
	add_name(&c, root, "", "", true);
	if (store_lookup(st, root, &h) != 0)
		name_fault(&c, "/", "there is no such object any more");
	for (size_t i = 0; i < out->count && out->count <= record_limit(st); i++) {
		struct named from = out->list[i];

		if (is_namespace(&from))
			collect_from(&c, &from);
	}
	idset_free(&c.seen);
	qsort(out->list, out->count, sizeof(*out->list), by_id);
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i].path);
	free(n->list);
}

const struct named *names_of(const struct names *n, objid_t id)
{
	size_t lo = 0, hi = n->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (n->list[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n->count && n->list[lo].id == id ? &n->list[lo] : NULL;
}
