// SPDX-License-Identifier: BSD-3-Clause
/* obj check: judges an object by all it says of itself. Nothing is repaired. */
#include "obj.h"

#include <base/string.h>

int report(const char *fmt, ...)
{
	va_list ap;

	say("  ");
	va_start(ap, fmt);
	say_with(fmt, ap);
	va_end(ap);
	say("\n");
	return 1;
}

static int check_meta(const struct metainfo *mi)
{
	int found = 0;

	if (mi->magic != MI_MAGIC)
		found += report("metadata: magic is %x", mi->magic);
	if (mi->milen < MI_MILEN_MIN || mi->milen > MI_MILEN_MAX || mi->milen % 16)
		found += report("metadata: its length is %u", mi->milen);
	if (mi->flags & ~MIF_SZ)
		found += report("metadata: flags %x are not known", mi->flags);
	if ((mi->flags & MIF_SZ) && mi->sz > OBJ_MAXDATA)
		found += report("metadata: the size %lx is beyond the data", (unsigned long)mi->sz);
	if (mi->fotentries > OBJ_MAXFOTE)
		found += report("metadata: %u foreign entries are more than there can be",
		    mi->fotentries);
	return found;
}

static int check_ext(twzobj *o, const struct metainfo *mi, size_t i)
{
	uint64_t tag = __atomic_load_n(&mi->exts[i].tag, __ATOMIC_ACQUIRE), at = mi->exts[i].ptr;

	if (!tag || tag == METAEXT_CLAIMED)
		return 0;
	for (size_t k = 0; k < i; k++)
		if (mi->exts[k].tag == tag)
			return report("extension %lx is there twice", (unsigned long)tag);
	if (at < OBJ_NULLPAGE_SIZE || at >= OBJ_TOPDATA)
		return report("extension %lx is at %lx, which is not in the data", (unsigned long)tag,
		    (unsigned long)at);
	return tag_check(o, tag, (char *)twz_object_base(o) - OBJ_NULLPAGE_SIZE + at);
}

static int check_entry(twzobj *o, uint64_t index)
{
	struct fotentry fe = *fot_entry(o, index);
	const char *name;

	if (fe.flags & ~(uint64_t)FE_ALL)
		return report("entry %lu: flags %lx are not known", (unsigned long)index,
		    (unsigned long)fe.flags);
	if (!(fe.flags & _FE_VALID))
		return 0;
	if (!(fe.flags & FE_NAME) && !fe.id)
		return report("entry %lu: valid, and leads to ID 0", (unsigned long)index);
	if ((fe.flags & FE_NAME) && fot_name(o, &fe, &name) < 0)
		return report("entry %lu: its name at %lx is not a string in the object",
		    (unsigned long)index, (unsigned long)fe.name.data);
	if (!(fe.flags & FE_NAME) && !object_exists(fe.id))
		return report("entry %lu: leads to " IDFMT ", which does not exist",
		    (unsigned long)index, IDPR(fe.id));
	return 0;
}

static int check_object(twzobj *o)
{
	const struct metainfo *mi = twz_object_meta(o);
	int found = check_meta(mi);

	for (uint64_t i = 1; i < fot_count(o); i++)
		found += check_entry(o, i);
	for (size_t i = 0; i < ext_slots(mi); i++)
		found += check_ext(o, mi, i);
	/* Namespaces made by the kernel's pack have no extension. */
	if (is_namespace(o) && !twz_object_getext(o, HIER_METAEXT_TAG))
		found += tag_check(o, HIER_METAEXT_TAG, twz_object_base(o));
	return found;
}

static int check_one(const char *text)
{
	int found;
	twzobj o;

	if (!open_object(text, &o, ACCESS_READ))
		return REFUSED;
	say("%s: " IDFMT "\n", text, IDPR(twz_object_guid(&o)));
	found = check_object(&o);
	if (found)
		say("%s: %d finding%s\n", text, found, found == 1 ? "" : "s");
	else
		say("%s: nothing wrong\n", text);
	twz_object_release(&o);
	return found ? REFUSED : DONE;
}

int command_check(int argc, char **argv)
{
	int status = DONE;

	for (int i = 0; i < argc; i++)
		status |= check_one(argv[i]);
	return status;
}
