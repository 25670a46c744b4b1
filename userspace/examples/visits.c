// SPDX-License-Identifier: BSD-3-Clause
/* Counts how often it was run, in a persistent object. */
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>
#include <twz/sys/kec.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

struct visits {
	uint64_t count;
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

int main(void)
{
	struct visits *visits;
	twzobj object;
	int r = open_or_make(&object, "visits");

	if (r < 0) {
		kec_printf("visits: no object (error %d)\n", -r);
		return 1;
	}
	visits = twz_object_base(&object);
	visits->count++;
	_clwb(&visits->count);
	_pfence();
	kec_printf("visit number %lu\n", (unsigned long)visits->count);
	return 0;
}
