// SPDX-License-Identifier: BSD-3-Clause
/* A guest book in one object: a list of entries, the newest first. */
#include <base/string.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)
#define MOST 1000

struct entry {
	struct entry *next; /* p-ptr: the entry before this one */
	char text[56];
};

struct book {
	struct entry *newest; /* p-ptr */
	struct entry entries[MOST];
};

/* Open the object of that name; make it if there is none. */
static int open_or_make(twzobj *o, const char *name)
{
	int r = twz_object_init_name(o, name, FE_READ | FE_WRITE);

	if (r != -ENOENT)
		return r;
	r = twz_object_new(o, NULL, NULL, FLAGS);
	if (r < 0)
		return r;
	r = twz_name_assign(twz_object_guid(o), name);
	if (r < 0)
		twz_object_delete(o, 0);
	return r;
}

/* The entry is durable before anything leads to it. */
static int add(twzobj *o, const char *text)
{
	struct book *book = twz_object_base(o);
	struct entry *newest = twz_object_lea(o, book->newest);
	struct entry *entry = newest ? newest + 1 : book->entries;

	if (entry == book->entries + MOST)
		return -ENOSPC;
	entry->next = book->newest;
	strlcpy(entry->text, text, sizeof(entry->text));
	_clwb_len(entry, sizeof(*entry));
	_pfence();
	return twz_ptr_store_guid(o, &book->newest, NULL, entry, FE_READ | FE_WRITE);
}

static void print(twzobj *o)
{
	struct book *book = twz_object_base(o);
	struct entry *entry = twz_object_lea(o, book->newest);

	for (; entry; entry = twz_object_lea(o, entry->next))
		kec_printf("- %s\n", entry->text);
}

int main(int argc, char **argv)
{
	twzobj object;
	int r = open_or_make(&object, "guestbook");

	for (int i = 1; r == 0 && i < argc; i++)
		r = add(&object, argv[i]);
	if (r < 0) {
		kec_printf("guestbook: error %d\n", -r);
		return 1;
	}
	print(&object);
	return 0;
}
