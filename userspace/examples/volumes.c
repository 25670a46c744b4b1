// SPDX-License-Identifier: BSD-3-Clause
/* A guest book in volumes: an object for every few entries, and one list through all of them. */
#include <base/string.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>

#define NAME "volumes"
#define ACCESS (FE_READ | FE_WRITE)
#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define MOST 3 /* entries of a volume; few, to see many volumes */

struct entry {
	struct entry *next; /* p-ptr: the entry before this one, perhaps in another volume */
	char text[56];
};

struct volume {
	struct entry *newest; /* p-ptr */
	struct entry entries[MOST];
};

static int write_entry(twzobj *o, struct entry *entry, struct entry *next, const char *text)
{
	strlcpy(entry->text, text, sizeof(entry->text));
	_clwb_len(entry, sizeof(*entry));
	_pfence();
	return twz_ptr_store_guid(o, &entry->next, NULL, next, ACCESS);
}

/* Write the entry, then lead to it. */
static int add_to(twzobj *o, struct entry *entry, struct entry *next, const char *text)
{
	struct volume *volume = twz_object_base(o);
	int r = write_entry(o, entry, next, text);

	return r < 0 ? r : twz_ptr_store_guid(o, &volume->newest, NULL, entry, ACCESS);
}

/* A volume that begins with this entry. It is whole before the name leads to it. */
static int begin_volume(twzobj *o, struct entry *next, const char *text)
{
	struct volume *volume;
	twzobj fresh;
	int r = twz_object_new(&fresh, NULL, NULL, FLAGS);

	if (r < 0)
		return r;
	volume = twz_object_base(&fresh);
	r = add_to(&fresh, volume->entries, next, text);
	if (r == 0)
		r = twz_name_assign(twz_object_guid(&fresh), NAME);
	if (r < 0)
		twz_object_delete(&fresh, 0);
	twz_object_release(&fresh);
	if (r < 0)
		return r;
	twz_object_release(o);
	return twz_object_init_name(o, NAME, ACCESS);
}

/* o is the newest volume. */
static int add(twzobj *o, const char *text)
{
	struct volume *volume = twz_object_base(o);
	struct entry *newest = twz_object_lea(o, volume->newest);

	if (newest + 1 == volume->entries + MOST)
		return begin_volume(o, newest, text);
	return add_to(o, newest + 1, newest, text);
}

static void print(twzobj *o)
{
	struct volume *volume = twz_object_base(o);
	struct entry *entry = twz_object_lea(o, volume->newest);

	for (; entry; entry = twz_ptr_lea(entry->next)) {
		twzobj holder = twz_object_from_ptr(entry);
		kec_printf("- %s (" IDFMT ")\n", entry->text, IDPR(twz_object_guid(&holder)));
	}
}

int main(int argc, char **argv)
{
	twzobj object;
	int r = twz_object_init_name(&object, NAME, ACCESS);
	int i = 1;

	if (r == -ENOENT && i < argc)
		r = begin_volume(&object, NULL, argv[i++]);
	for (; r == 0 && i < argc; i++)
		r = add(&object, argv[i]);
	if (r < 0) {
		kec_printf("volumes: error %d\n", -r);
		return 1;
	}
	print(&object);
	return 0;
}
