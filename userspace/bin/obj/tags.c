// SPDX-License-Identifier: BSD-3-Clause
/* Extensions: what they are called, and how what they mark is checked. */
#include "obj.h"

#include <base/string.h>

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

static const struct tag {
	uint64_t tag;
	const char *name;
	int (*check)(twzobj *o, void *what); /* NULL: nothing is known that could be wrong */
} tags[] = {
	{ ALLOC_METAINFO_TAG, "allocator", NULL },
	{ EVENT_METAEXT_TAG, "event", NULL },
	{ TWZIO_METAEXT_TAG, "io", NULL },
	{ BSTREAM_METAEXT_TAG, "byte stream", NULL },
	{ BSTREAMD_METAEXT_TAG, "duplex byte stream", NULL },
	{ DGRAM_METAEXT_TAG, "datagrams", NULL },
	{ QUEUE_METAEXT_TAG, "queue", NULL },
	{ PTY_METAEXT_TAG, "pseudo-terminal", NULL },
	{ HIER_METAEXT_TAG, "names", check_names },
	{ USER_METAEXT_TAG, "user", NULL },
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

const char *tag_name(uint64_t tag)
{
	const struct tag *t = find_tag(tag);

	if (tag == METAEXT_CLAIMED)
		return "(being written, or left so by a power cut)";
	return t ? t->name : "(not known)";
}

int tag_check(twzobj *o, uint64_t tag, void *what)
{
	const struct tag *t = find_tag(tag);

	return t && t->check ? t->check(o, what) : 0;
}
