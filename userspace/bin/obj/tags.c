// SPDX-License-Identifier: BSD-3-Clause
/* Extensions: what they are called, and how what they mark is checked. */
#include "obj.h"

#include <base/string.h>
#include <twz/alloc.h>
#include <twz/ds/ds.h>
#include <twz/obj/bstreamd.h>
#include <twz/obj/dgram.h>
#include <twz/obj/io.h>
#include <twz/obj/pty.h>
#include <twz/obj/queue.h>
#include <twz/obj/user.h>
#include <twz/txn.h>

static int check_names(twzobj *o, void *what)
{
	const struct twz_namespace_hdr *h = what;
	struct twz_name_ent *e;
	int found = 0;
	ssize_t n;

	if (what != twz_object_base(o) || h->magic != NAMESPACE_MAGIC)
		return report("names: no namespace header at the base");
	if (h->version != NAMESPACE_VERSION)
		return report("names: version %u is not known", h->version);
	for (size_t pos = 0; (n = twz_hier_get_entry(o, pos, &e)) > 0; pos += (size_t)n)
		if ((e->flags & NAME_ENT_VALID) && e->type != NAME_ENT_SYMLINK && !object_exists(e->id))
			found += report("names: %s leads to " IDFMT ", which does not exist", e->name,
			    IDPR(e->id));
	return n < 0 ? found + report("names: the list is damaged") : found;
}

static void report_alloc(const char *what, uint64_t offset, void *data)
{
	(void)data;
	report("allocator: %s at %lx", what, (unsigned long)offset);
}

static int check_alloc(twzobj *o, void *what)
{
	int found = twz_alloc_check(o, report_alloc, NULL);

	(void)what;
	return found < 0 ? report("allocator: its header is damaged") : found;
}

/* Whether length bytes at what are in the data. */
static bool in_data(twzobj *o, const void *what, uint64_t length)
{
	uint64_t at = (uint64_t)((const char *)what - (const char *)twz_object_base(o));

	return at <= OBJ_MAXDATA && length <= OBJ_MAXDATA - at;
}

static int check_stream_at(twzobj *o, const struct bstream_hdr *h)
{
	uint32_t nbits;

	if (!in_data(o, h, sizeof(*h)))
		return report("byte stream: its header is not in the data");
	nbits = h->nbits;
	if (nbits < BSTREAM_NBITS_MIN || nbits > BSTREAM_NBITS_MAX ||
	    !in_data(o, h, sizeof(*h) + (1ul << nbits)))
		return report("byte stream: 2^%u bytes are not in the data", nbits);
	if (h->head >> nbits || h->tail >> nbits)
		return report("byte stream: head %x, tail %x of 2^%u", h->head, h->tail, nbits);
	return 0;
}

static int check_stream(twzobj *o, void *what)
{
	return check_stream_at(o, what);
}

static int check_duplex(twzobj *o, void *what)
{
	struct bstreamd_hdr *h = what;
	int found = 0;

	if (!in_data(o, h, sizeof(*h)))
		return report("duplex byte stream: its header is not in the data");
	for (int i = 0; i < 2; i++) {
		if (!twz_ptr_islocal(h->dir[i]))
			found += report("duplex byte stream: direction %d is in another object", i);
		else
			found += check_stream_at(o, twz_object_lea(o, h->dir[i]));
	}
	return found;
}

static int check_ring(twzobj *o, const struct dgram_ring *r, int number)
{
	uint64_t head = r->head, tail = r->tail, at = (uintptr_t)r->data;

	if (r->nbits < 6 || r->nbits > 28 || at < OBJ_NULLPAGE_SIZE ||
	    at > OBJ_TOPDATA - (1ul << r->nbits))
		return report("datagrams: ring %d, 2^%u bytes at %lx, is not in the data", number,
		    r->nbits, (unsigned long)at);
	if (head - tail > 1ul << r->nbits || (head | tail) % 8)
		return report("datagrams: ring %d has head %lx, tail %lx", number, (unsigned long)head,
		    (unsigned long)tail);
	(void)o;
	return 0;
}

static int check_dgram(twzobj *o, void *what)
{
	const struct dgram_hdr *h = what;

	if (!in_data(o, h, sizeof(*h)))
		return report("datagrams: the header is not in the data");
	return check_ring(o, &h->ring[0], 0) + check_ring(o, &h->ring[1], 1);
}

static int check_locks(twzobj *o, void *what)
{
	const struct twz_txlocks *t = what;

	if (!in_data(o, t, sizeof(*t)) || t->magic != TWZ_TXLOCKS_MAGIC)
		return report("transactions: no locks where they should be");
	return in_data(o, t->lock, t->count * sizeof(t->lock[0])) ? 0 :
	    report("transactions: %u locks are not in the data", t->count);
}

static int check_io(twzobj *o, void *what)
{
	const struct twzio_hdr *h = what;

	if (!in_data(o, h, sizeof(*h)))
		return report("io: the header is not in the data");
	return h->reserved ? report("io: the header is damaged") : 0;
}

static int check_subqueue(twzobj *o, const struct queue_subqueue *q, int number)
{
	uint64_t at = q->queue, stride = q->stride;

	if (q->l2length > QUEUE_L2LENGTH_MAX || stride < sizeof(struct queue_entry) || stride % 8)
		return report("queue: ring %d of 2^%lu entries of %lu bytes", number,
		    (unsigned long)q->l2length, (unsigned long)stride);
	if (stride > OBJ_MAXDATA || at < OBJ_NULLPAGE_SIZE || at % 8 ||
	    !in_data(o, (char *)twz_object_base(o) - OBJ_NULLPAGE_SIZE + at, stride << q->l2length))
		return report("queue: ring %d, at %lx, is not in the data", number, (unsigned long)at);
	return 0;
}

static int check_queue(twzobj *o, void *what)
{
	const struct queue_hdr *h = what;

	if (what != twz_object_base(o) || h->magic != QUEUE_MAGIC)
		return report("queue: no queue header at the base");
	return check_subqueue(o, &h->subqueue[0], 0) + check_subqueue(o, &h->subqueue[1], 1);
}

static int check_pty_server(twzobj *o, struct pty_hdr *h)
{
	struct bstream_hdr *const streams[] = { h->stoc, h->ctos };
	int found = 0;

	if (!in_data(o, h, PTY_SIZE))
		return report("pseudo-terminal: it is not in the data");
	for (int i = 0; i < 2; i++) {
		if (!streams[i] || !twz_ptr_islocal(streams[i]))
			found += report("pseudo-terminal: stream %d is not in this object", i);
		else
			found += check_stream_at(o, twz_object_lea(o, streams[i]));
	}
	if (h->bufpos > PTY_BUFFER_SZ)
		found += report("pseudo-terminal: a line of %lu bytes", (unsigned long)h->bufpos);
	return found;
}

/* Which side it is stands in its io header, which the extension of that leads to. */
static int check_pty(twzobj *o, void *what)
{
	const struct twzio_hdr *io = twz_object_getext(o, TWZIO_METAEXT_TAG);
	struct pty_client_hdr *client = what;
	struct pty_hdr *server = what;

	if (in_data(o, server, sizeof(*server)) && io == &server->io &&
	    io->type == TWZIO_TYPE_PTY_SERVER)
		return check_pty_server(o, server);
	if (!in_data(o, client, sizeof(*client)) || io != &client->io ||
	    io->type != TWZIO_TYPE_PTY_CLIENT)
		return report("pseudo-terminal: it is neither side of one");
	return client->server ? 0 : report("pseudo-terminal: the other side is missing");
}

static int check_user(twzobj *o, void *what)
{
	const struct user_hdr *h = what;
	uint64_t at;

	if (what != twz_object_base(o))
		return report("user: the header is not at the base");
	at = h->name;
	if (at < OBJ_NULLPAGE_SIZE || at > OBJ_TOPDATA - (USER_NAME_MAXLEN + 1))
		return report("user: the name, at %lx, is not in the data", (unsigned long)at);
	at = strnlen((const char *)h - OBJ_NULLPAGE_SIZE + at, USER_NAME_MAXLEN + 1);
	if (at == 0 || at > USER_NAME_MAXLEN)
		return report("user: the name has no bytes, or no end");
	return h->flags || h->reserved ? report("user: the header is damaged") : 0;
}

static int check_structure(twzobj *o, uint64_t tag, void *what)
{
	const char *name = twz_ds_kind_name((uint32_t)tag);

	return twz_ds_check(o, what, (uint32_t)tag) < 0 ? report("%s: damaged", name) : 0;
}

static const struct tag {
	uint64_t tag;
	const char *name;
	int (*check)(twzobj *o, void *what); /* NULL: nothing is known that could be wrong */
} tags[] = {
	{ ALLOC_METAINFO_TAG, "allocator", check_alloc },
	{ TXLOCKS_METAEXT_TAG, "transaction locks", check_locks },
	{ EVENT_METAEXT_TAG, "event", NULL },
	{ TWZIO_METAEXT_TAG, "io", check_io },
	{ BSTREAM_METAEXT_TAG, "byte stream", check_stream },
	{ BSTREAMD_METAEXT_TAG, "duplex byte stream", check_duplex },
	{ DGRAM_METAEXT_TAG, "datagrams", check_dgram },
	{ QUEUE_METAEXT_TAG, "queue", check_queue },
	{ PTY_METAEXT_TAG, "pseudo-terminal", check_pty },
	{ HIER_METAEXT_TAG, "names", check_names },
	{ USER_METAEXT_TAG, "user", check_user },
	{ KRING_METAEXT_TAG, "key ring", NULL },
	{ KU_METAEXT_TAG, "public key", NULL },
	{ KR_METAEXT_TAG, "private key", NULL },
};

static const struct tag *find_tag(uint64_t tag)
{
	for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++)
		if (tags[i].tag == tag)
			return &tags[i];
	return NULL;
}

static bool is_structure(uint64_t tag)
{
	return tag == TWZ_DS_METAEXT_TAG((uint32_t)tag) && twz_ds_kind_name((uint32_t)tag);
}

const char *tag_name(uint64_t tag)
{
	const struct tag *t = find_tag(tag);

	if (tag == METAEXT_CLAIMED)
		return "(being written, or left so by a power cut)";
	if (!t && is_structure(tag))
		return twz_ds_kind_name((uint32_t)tag);
	return t ? t->name : "(not known)";
}

int tag_check(twzobj *o, uint64_t tag, void *what)
{
	const struct tag *t = find_tag(tag);

	if (!t && is_structure(tag))
		return check_structure(o, tag, what);
	return t && t->check ? t->check(o, what) : 0;
}
