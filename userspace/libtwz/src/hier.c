// SPDX-License-Identifier: BSD-3-Clause
/*
 * Namespaces: a list of records behind a header (abi/hier.h, docs/names.md). Changes hold the
 * namespace's lock; readers hold nothing, and see a name's old or new binding. Each step of a
 * change is durable before the next, so that what a cut leaves, or a holder of the lock that
 * ended, is a list like any other; only a rename that is pending is finished by who comes next.
 */
#include "hier.h"

#include <twz/persist.h>

#define NEW_FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define READ_TRIES 10000u
#define MATCHES 16u

/* A record about to be written. */
struct new_entry {
	const char *name;
	const char *target; /* of a symlink, or NULL */
	objid_t id;
	uint8_t type;
};

/* The records with a name, as far as there is room, and where the list ends. */
struct matches {
	size_t pos[MATCHES]; /* ascending; only of those that are valid */
	size_t count;        /* how many there are */
	size_t end;
	size_t hole;         /* a record that may be used anew; only with has_hole */
	bool has_hole;
};

struct twz_namespace_hdr *__twz_hier_header(twzobj *ns)
{
	struct twz_namespace_hdr *h = twz_object_base(ns);

	return h && h->magic == NAMESPACE_MAGIC && h->version == NAMESPACE_VERSION ? h : NULL;
}

static struct twz_name_ent *entry_at(twzobj *ns, size_t pos)
{
	return (void *)((char *)twz_object_base(ns) + NAMESPACE_ENTS_OFFSET + pos);
}

ssize_t twz_hier_get_entry(twzobj *ns, size_t pos, struct twz_name_ent **ent)
{
	struct twz_name_ent *e;
	uint64_t dlen;

	if (!__twz_hier_header(ns))
		return -ENOTDIR;
	if (pos % NAME_ENT_ALIGN)
		return -EINVAL;
	if (pos > HIER_LIST_SIZE - sizeof(*e))
		return 0;
	e = entry_at(ns, pos);
	dlen = __atomic_load_n(&e->dlen, __ATOMIC_ACQUIRE);
	if (dlen == 0)
		return 0;
	if (dlen > HIER_DLEN_MAX || NAME_ENT_RECLEN(dlen) > HIER_LIST_SIZE - pos ||
	    strnlen(e->name, dlen) == dlen)
		return -EINVLOBJ;
	*ent = e;
	return (ssize_t)NAME_ENT_RECLEN(dlen);
}

bool __twz_hier_is_named(const struct twz_name_ent *e, const char *name, size_t len)
{
	return strncmp(e->name, name, len) == 0 && e->name[len] == 0;
}

static bool is_valid(const struct twz_name_ent *e)
{
	return __atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & NAME_ENT_VALID;
}

/* --- reading, without a lock */

/* Whether the record at pos counts, while a rename may be half done. */
static bool counts(const struct twz_name_ent *e, size_t pos, uint64_t pending)
{
	if (pending && NAMESPACE_PLACE(pos) == (uint32_t)pending)
		return true;
	return is_valid(e) && !(pending && NAMESPACE_PLACE(pos) == pending >> 32);
}

/* Of two that count the later does; the new name of a rename before all others. */
static void choose(struct twz_name_ent *e, size_t pos, uint64_t pending, struct twz_name_ent **best)
{
	bool renamed = pending && *best &&
	    NAMESPACE_PLACE((char *)*best - (char *)e + pos) == (uint32_t)pending;

	if (!renamed && (!*best || e > *best || (pending && NAMESPACE_PLACE(pos) == (uint32_t)pending)))
		*best = e;
}

static int scan_for(twzobj *ns, const char *name, size_t len, uint64_t pending, size_t few,
    struct twz_name_ent **best)
{
	struct twz_name_ent *e;
	size_t pos = 0;
	ssize_t n;

	while (few-- && (n = twz_hier_get_entry(ns, pos, &e)) > 0) {
		if (__twz_hier_is_named(e, name, len) && counts(e, pos, pending))
			choose(e, pos, pending, best);
		pos += (size_t)n;
	}
	return few == (size_t)-1 ? -E2BIG : (int)n;
}

/* As scan_for; -E2BIG: the index does not know, either. */
static int index_for(twzobj *ns, const char *name, size_t len, uint64_t pending,
    struct twz_name_ent **best)
{
	struct hierindex *x = __twz_hierindex_open(ns);
	size_t pos[MATCHES], n = 0;

	if (!x)
		return -E2BIG;
	n = __twz_hierindex_find(x, name, len, pos, MATCHES);
	__twz_hierindex_close(x);
	for (size_t i = 0; i < n && i < MATCHES; i++) {
		struct twz_name_ent *e;

		if (twz_hier_get_entry(ns, pos[i], &e) > 0 && __twz_hier_is_named(e, name, len) &&
		    counts(e, pos[i], pending))
			choose(e, pos[i], pending, best);
	}
	return n > MATCHES ? -E2BIG : 0;
}

static int find_best(twzobj *ns, const char *name, size_t len, uint64_t pending,
    struct twz_name_ent **best)
{
	int r = -E2BIG;

	if (!__twz_hierindex_exists(ns))
		r = scan_for(ns, name, len, pending, HIER_FEW, best);
	if (r == -E2BIG) {
		*best = NULL;
		r = index_for(ns, name, len, pending, best);
	}
	if (r == -E2BIG) {
		*best = NULL;
		r = scan_for(ns, name, len, pending, HIER_LIST_SIZE, best);
	}
	return r;
}

/* Take out what is needed: the record may become another one meanwhile. */
static int take_out(const struct twz_name_ent *e, size_t len, struct hier_found *f)
{
	uint64_t dlen = e->dlen;
	size_t n;

	f->id = e->id;
	f->type = e->type;
	f->target[0] = 0;
	if (f->type != NAME_ENT_SYMLINK)
		return 0;
	if (dlen > HIER_DLEN_MAX || dlen <= len + 2)
		return -EINVLOBJ;
	n = dlen - (len + 1) < sizeof(f->target) ? dlen - (len + 1) : sizeof(f->target);
	memcpy(f->target, e->name + len + 1, n);
	f->target[n - 1] = 0;
	return f->target[0] ? 0 : -EINVLOBJ;
}

int __twz_hier_find(twzobj *ns, const char *name, size_t len, struct hier_found *f)
{
	struct twz_namespace_hdr *h = __twz_hier_header(ns);
	uint64_t changes;
	int r, tries = READ_TRIES;

	if (!h)
		return -ENOTDIR;
	do {
		struct twz_name_ent *e = NULL;

		changes = __atomic_load_n(&h->changes, __ATOMIC_ACQUIRE);
		r = find_best(ns, name, len, __atomic_load_n(&h->pending, __ATOMIC_ACQUIRE), &e);
		if (r == 0)
			r = e ? take_out(e, len, f) : -ENOENT;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&h->changes, __ATOMIC_RELAXED) != changes && --tries);
	return r;
}

/* --- changing: the namespace is locked */

static void persist(const void *p, size_t len)
{
	_clwb_len(p, len);
	_pfence();
}

/* Readers that are under way look again; indices, too. Not durable. */
static void tell_change(struct twz_namespace_hdr *h, size_t pos)
{
	uint64_t n = h->changes + 1;

	__atomic_store_n(&h->recent[n % 4], NAMESPACE_PLACE(pos), __ATOMIC_RELAXED);
	__atomic_store_n(&h->changes, n, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Durable with the next fence. */
static void set_valid(struct twz_name_ent *e, bool valid)
{
	if (valid)
		__atomic_fetch_or(&e->flags, NAME_ENT_VALID, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&e->flags, ~NAME_ENT_VALID, __ATOMIC_RELEASE);
	_clwb_len(&e->flags, sizeof(e->flags));
}

static uint64_t length_of(const struct new_entry *new)
{
	return strlen(new->name) + 1 + (new->target ? strlen(new->target) + 1 : 0);
}

/* Everything but dlen and VALID, in zeroes up to its end, and as many bytes more; flushed. */
static void write_body(struct twz_name_ent *e, const struct new_entry *new, uint64_t len, size_t more)
{
	size_t nlen = strlen(new->name) + 1;

	memset(e->name, 0, len - sizeof(*e) + more);
	e->id = new->id;
	e->flags = 0;
	e->type = new->type;
	memcpy(e->name, new->name, nlen);
	if (new->target)
		memcpy(e->name + nlen, new->target, strlen(new->target));
	_clwb_len(e, len + more);
}

/*
 * The record joins the list. Readers of the format may count on this order; a cut cannot tell,
 * for what is not VALID yet is written again.
 */
__attribute__((noinline)) static void append_length(struct twz_name_ent *e, uint64_t dlen)
{
	_pfence();
	__atomic_store_n(&e->dlen, dlen, __ATOMIC_RELEASE);
	persist(&e->dlen, sizeof(e->dlen));
}

/* A record at the end that does not count yet. What an earlier try left is not the next record. */
static int append(twzobj *ns, size_t pos, const struct new_entry *new)
{
	struct twz_name_ent *e = entry_at(ns, pos);
	uint64_t dlen = length_of(new);

	if (NAME_ENT_RECLEN(dlen) + sizeof(*e) > HIER_LIST_SIZE - pos)
		return -ENOSPC;
	write_body(e, new, NAME_ENT_RECLEN(dlen), sizeof(*e));
	append_length(e, dlen);
	return 0;
}

/* A record where one of its length stood that is not valid, and that has room for it: dlen stays. */
static void write_again(twzobj *ns, size_t pos, const struct new_entry *new)
{
	struct twz_name_ent *e = entry_at(ns, pos);

	tell_change(__twz_hier_header(ns), pos);
	write_body(e, new, NAME_ENT_RECLEN(e->dlen), 0);
	_pfence();
}

static void note_match(struct matches *m, size_t pos)
{
	size_t i;

	if (m->count++ >= MATCHES)
		return;
	for (i = m->count - 1; i > 0 && m->pos[i - 1] > pos; i--)
		m->pos[i] = m->pos[i - 1];
	m->pos[i] = pos;
}

/* Look through the list; dlen: of a record that is to be written, 0: none. */
static int scan(twzobj *ns, const char *name, uint64_t dlen, size_t few, struct matches *m)
{
	size_t len = strlen(name);
	struct twz_name_ent *e;
	ssize_t n;

	*m = (struct matches){ .end = 0 };
	while (few-- && (n = twz_hier_get_entry(ns, m->end, &e)) > 0) {
		if (is_valid(e) && __twz_hier_is_named(e, name, len))
			note_match(m, m->end);
		if (!m->has_hole && !is_valid(e) && dlen && e->dlen >= dlen &&
		    NAME_ENT_RECLEN(e->dlen) == NAME_ENT_RECLEN(dlen)) {
			m->has_hole = true;
			m->hole = m->end;
		}
		m->end += (size_t)n;
	}
	return few == (size_t)-1 ? -E2BIG : (int)n;
}

static int consult(twzobj *ns, struct hierindex *x, const char *name, uint64_t dlen,
    struct matches *m)
{
	size_t pos[MATCHES], len = strlen(name);
	size_t n = __twz_hierindex_find(x, name, len, pos, MATCHES);

	*m = (struct matches){ .end = __twz_hierindex_end(x) };
	for (size_t i = 0; i < n && i < MATCHES; i++) {
		struct twz_name_ent *e;

		if (twz_hier_get_entry(ns, pos[i], &e) > 0 && is_valid(e) &&
		    __twz_hier_is_named(e, name, len))
			note_match(m, pos[i]);
	}
	if (dlen)
		m->has_hole = __twz_hierindex_take_hole(x, ns, dlen, &m->hole);
	return n > MATCHES ? -E2BIG : 0;
}

/* 0 or -EINVLOBJ; *x is the index, if there is one, to be closed. */
static int look_up(twzobj *ns, const char *name, uint64_t dlen, struct hierindex **x,
    struct matches *m)
{
	int r = __twz_hierindex_exists(ns) ? -E2BIG : scan(ns, name, dlen, HIER_FEW, m);

	*x = NULL;
	if (r == -E2BIG && (*x = __twz_hierindex_open(ns)))
		r = consult(ns, *x, name, dlen, m);
	if (r == -E2BIG)
		r = scan(ns, name, dlen, HIER_LIST_SIZE, m);
	return r;
}

static void make_hole(twzobj *ns, struct hierindex *x, size_t pos)
{
	struct twz_name_ent *e = entry_at(ns, pos);

	set_valid(e, false);
	if (x)
		__twz_hierindex_add_hole(x, pos, e->dlen);
}

/*
 * All records of a name but the one at `but`, in order: a cut must not make one count again that
 * did not. More than fit are found by looking again. Durable.
 */
static int clear(twzobj *ns, struct hierindex *x, const char *name, size_t but, struct matches *m)
{
	int r = 0;

	for (;;) {
		for (size_t i = 0; i < m->count && i < MATCHES; i++)
			if (m->pos[i] != but) {
				make_hole(ns, x, m->pos[i]);
				_pfence();
			}
		if (m->count <= MATCHES || r < 0)
			return r;
		r = scan(ns, name, 0, HIER_LIST_SIZE, m);
	}
}

#define NOWHERE ((size_t)-1)

/* Write a record that does not count yet; where it is. */
static int write_new(twzobj *ns, struct hierindex *x, const struct new_entry *new,
    const struct matches *m, size_t *pos)
{
	int r = 0;

	*pos = m->has_hole ? m->hole : m->end;
	if (m->has_hole)
		write_again(ns, *pos, new);
	else
		r = append(ns, *pos, new);
	if (r == 0 && x)
		__twz_hierindex_add(x, *pos, new->name, strlen(new->name));
	return r;
}

/* --- renaming */

static struct twz_name_ent *pending_record(twzobj *ns, uint32_t place)
{
	struct twz_name_ent *e;

	return place && twz_hier_get_entry(ns, NAMESPACE_PLACE_POS(place), &e) > 0 ? e : NULL;
}

/* Do, perhaps again, what a pending rename says. */
static void finish_rename(twzobj *ns, struct twz_namespace_hdr *h)
{
	uint64_t pending = __atomic_load_n(&h->pending, __ATOMIC_ACQUIRE);
	struct twz_name_ent *from = pending_record(ns, (uint32_t)(pending >> 32));
	struct twz_name_ent *to = pending_record(ns, (uint32_t)pending);
	struct hierindex *x;
	struct matches m;

	if (from && to) {
		set_valid(to, true);
		tell_change(h, NAMESPACE_PLACE_POS((uint32_t)pending));
		set_valid(from, false);
		if (look_up(ns, to->name, 0, &x, &m) == 0)
			clear(ns, x, to->name, NAMESPACE_PLACE_POS((uint32_t)pending), &m);
		__twz_hierindex_close(x);
	}
	_pfence();
	__atomic_store_n(&h->pending, 0, __ATOMIC_RELEASE);
	persist(&h->pending, sizeof(h->pending));
}

static struct twz_namespace_hdr *lock(twzobj *ns)
{
	struct twz_namespace_hdr *h = __twz_hier_header(ns);

	if (!h)
		return NULL;
	mutex_acquire(&h->lock);
	if (__atomic_load_n(&h->pending, __ATOMIC_ACQUIRE))
		finish_rename(ns, h);
	return h;
}

static int check_name(const char *name)
{
	size_t len = strnlen(name, NAME_MAXLEN + 1);

	if (len == 0 || memchr(name, '/', len))
		return -EINVAL;
	return len > NAME_MAXLEN ? -ENAMETOOLONG : 0;
}

static int put_locked(twzobj *ns, struct twz_namespace_hdr *h, const struct new_entry *new)
{
	struct hierindex *x;
	struct matches m;
	size_t pos;
	int r = look_up(ns, new->name, length_of(new), &x, &m);

	if (r == 0)
		r = write_new(ns, x, new, &m, &pos);
	if (r == 0) {
		set_valid(entry_at(ns, pos), true);
		_pfence();
		if (m.has_hole || m.count)
			tell_change(h, pos);
		if (x)
			__twz_hierindex_caught_up(x, h);
		clear(ns, x, new->name, pos, &m);
	}
	__twz_hierindex_close(x);
	return r;
}

static int put(twzobj *ns, const struct new_entry *new)
{
	struct twz_namespace_hdr *h;
	int r = check_name(new->name);

	if (r < 0)
		return r;
	h = lock(ns);
	if (!h)
		return -ENOTDIR;
	r = put_locked(ns, h, new);
	mutex_release(&h->lock);
	return r;
}

static int remove_locked(twzobj *ns, struct twz_namespace_hdr *h, const char *name)
{
	struct hierindex *x;
	struct matches m;
	int r = look_up(ns, name, 0, &x, &m);

	if (r == 0 && !m.count)
		r = -ENOENT;
	if (r == 0 && m.count > 1)
		tell_change(h, m.pos[0]);
	if (r == 0)
		r = clear(ns, x, name, NOWHERE, &m);
	__twz_hierindex_close(x);
	return r;
}

int twz_hier_assign_name(twzobj *ns, const char *name, int type, objid_t id)
{
	struct new_entry new = { .name = name, .id = id, .type = (uint8_t)type };

	if (!id || (type != NAME_ENT_REGULAR && type != NAME_ENT_NAMESPACE))
		return -EINVAL;
	return put(ns, &new);
}

int twz_hier_symlink(twzobj *ns, const char *name, const char *target)
{
	struct new_entry new = { .name = name, .target = target, .type = NAME_ENT_SYMLINK };
	size_t len = strnlen(target, HIER_TARGET_MAXLEN + 1);

	if (len == 0)
		return -EINVAL;
	return len > HIER_TARGET_MAXLEN ? -ENAMETOOLONG : put(ns, &new);
}

int twz_hier_remove_name(twzobj *ns, const char *name)
{
	struct twz_namespace_hdr *h;
	int r = check_name(name);

	if (r < 0)
		return r;
	h = lock(ns);
	if (!h)
		return -ENOTDIR;
	r = remove_locked(ns, h, name);
	mutex_release(&h->lock);
	return r;
}

/* The record of x as one to be written under y. */
static int as_new(twzobj *ns, const char *x, const char *y, struct hier_found *f,
    struct new_entry *new)
{
	int r = __twz_hier_find(ns, x, strlen(x), f);

	*new = (struct new_entry){ .name = y, .id = f->id, .type = f->type };
	if (r == 0 && f->type == NAME_ENT_SYMLINK)
		new->target = f->target;
	return r;
}

/* Of several records of a name, only the one that counts stays; nobody sees it. */
static int single_out(twzobj *ns, struct twz_namespace_hdr *h, const char *name, size_t *pos)
{
	struct hierindex *x;
	struct matches m;
	int r = look_up(ns, name, 0, &x, &m);

	*pos = r == 0 && m.count && m.count <= MATCHES ? m.pos[m.count - 1] : NOWHERE;
	if (r == 0 && m.count > 1) {
		tell_change(h, m.pos[0]);
		r = *pos == NOWHERE ? -EINVLOBJ : clear(ns, x, name, *pos, &m);
	}
	__twz_hierindex_close(x);
	return r < 0 ? r : *pos == NOWHERE ? -ENOENT : 0;
}

/* In one namespace: one store decides. */
static int rename_within(twzobj *ns, struct twz_namespace_hdr *h, const char *x, const char *y)
{
	struct hier_found f;
	struct new_entry new;
	struct hierindex *index;
	struct matches m;
	size_t from, to;
	int r = as_new(ns, x, y, &f, &new);

	if (r < 0 || strcmp(x, y) == 0)
		return r;
	r = single_out(ns, h, x, &from);
	if (r < 0)
		return r;
	r = look_up(ns, y, length_of(&new), &index, &m);
	if (r == 0)
		r = write_new(ns, index, &new, &m, &to);
	if (r == 0) {
		tell_change(h, to);
		if (index)
			__twz_hierindex_caught_up(index, h);
	}
	__twz_hierindex_close(index);
	if (r < 0)
		return r;
	__atomic_store_n(&h->pending, NAMESPACE_PENDING(from, to), __ATOMIC_RELEASE);
	persist(&h->pending, sizeof(h->pending));
	finish_rename(ns, h);
	return 0;
}

/* Into another namespace: first the new name, then the old one goes. */
static int rename_across(twzobj *a, struct twz_namespace_hdr *ha, const char *x, twzobj *b,
    struct twz_namespace_hdr *hb, const char *y)
{
	struct hier_found f;
	struct new_entry new;
	int r = as_new(a, x, y, &f, &new);

	if (r == 0)
		r = put_locked(b, hb, &new);
	return r == 0 ? remove_locked(a, ha, x) : r;
}

static int rename_between(twzobj *a, const char *x, twzobj *b, const char *y)
{
	bool a_first = twz_object_guid(a) < twz_object_guid(b);
	struct twz_namespace_hdr *first = lock(a_first ? a : b), *second;
	int r = -ENOTDIR;

	if (!first)
		return r;
	second = lock(a_first ? b : a);
	if (second) {
		r = rename_across(a, a_first ? first : second, x, b, a_first ? second : first, y);
		mutex_release(&second->lock);
	}
	mutex_release(&first->lock);
	return r;
}

/* A namespace that moved has another parent. */
static void new_parent(twzobj *b, const char *y)
{
	struct hier_found f;
	twzobj moved;

	if (__twz_hier_find(b, y, strlen(y), &f) < 0 || f.type != NAME_ENT_NAMESPACE ||
	    f.id == twz_object_guid(b) || strcmp(y, ".") == 0 || strcmp(y, "..") == 0 ||
	    twz_object_init_guid(&moved, f.id, FE_READ | FE_WRITE) < 0)
		return;
	twz_hier_assign_name(&moved, "..", NAME_ENT_NAMESPACE, twz_object_guid(b));
	twz_object_release(&moved);
}

int twz_hier_rename(twzobj *a, const char *x, twzobj *b, const char *y)
{
	struct twz_namespace_hdr *h;
	int r = check_name(x);

	if (r == 0)
		r = check_name(y);
	if (r < 0)
		return r;
	if (twz_object_guid(a) != twz_object_guid(b)) {
		r = rename_between(a, x, b, y);
		if (r == 0)
			new_parent(b, y);
		return r;
	}
	h = lock(a);
	if (!h)
		return -ENOTDIR;
	r = rename_within(a, h, x, y);
	mutex_release(&h->lock);
	return r;
}

/* The magic is written last: until then it is no namespace. */
int twz_hier_namespace_init(twzobj *ns, objid_t parent)
{
	struct twz_namespace_hdr *h = twz_object_base(ns);
	struct new_entry self = { ".", NULL, twz_object_guid(ns), NAME_ENT_NAMESPACE };
	struct new_entry up = { "..", NULL, parent ? parent : self.id, NAME_ENT_NAMESPACE };
	size_t second = NAME_ENT_RECLEN(sizeof("."));
	int r;

	if (h->magic == NAMESPACE_MAGIC)
		return -EEXIST;
	memset(h, 0, sizeof(*h));
	h->version = NAMESPACE_VERSION;
	append(ns, 0, &self);
	append(ns, second, &up);
	set_valid(entry_at(ns, 0), true);
	set_valid(entry_at(ns, second), true);
	_pfence();
	r = twz_object_addext(ns, HIER_METAEXT_TAG, h);
	if (r < 0 && r != -EEXIST)
		return r;
	h->magic = NAMESPACE_MAGIC;
	persist(h, sizeof(*h));
	return 0;
}

static enum object_backing_type backing_of(twzobj *o)
{
	struct kernel_ostat st;

	if (twz_object_kstat(o, &st) < 0)
		return OBJ_VOLATILE;
	return st.backing == TWZ_BACKING_PERSISTENT ? OBJ_PERSISTENT : OBJ_VOLATILE;
}

int twz_hier_namespace_new(twzobj *ns, twzobj *parent, const char *name, uint64_t flags)
{
	objid_t up = twz_object_guid(parent);
	int r;

	memset(ns, 0, sizeof(*ns));
	r = check_name(name);
	if (r < 0)
		return r;
	r = twz_object_new(ns, NULL, NULL, backing_of(parent), flags | NEW_FLAGS);
	if (r < 0)
		return r;
	r = twz_hier_namespace_init(ns, up);
	if (r == 0)
		r = twz_hier_assign_name(parent, name, NAME_ENT_NAMESPACE, twz_object_guid(ns));
	if (r < 0) {
		twz_object_delete(ns, TWZ_OD_IMMEDIATE);
		twz_object_release(ns);
	}
	return r;
}
