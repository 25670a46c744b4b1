// SPDX-License-Identifier: BSD-3-Clause
/*
 * Counts how often it was run. The number is not written to a file: it stands in an object, which
 * is there, at the same place of a pointer, when the program runs again.
 */
#include <stdio.h>
#include <string.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/persist.h>

struct state {
	unsigned long runs;
};

static int open_or_make(twzobj *o, const char *name)
{
	int r = twz_object_init_name(o, name, FE_READ | FE_WRITE);

	if (r != -ENOENT)
		return r;
	r = twz_object_new(o, NULL, NULL, TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE);
	if (r == 0)
		r = twz_name_assign(twz_object_guid(o), name);
	return r;
}

int main(void)
{
	struct state *state;
	twzobj object;
	int r = open_or_make(&object, "runs");

	if (r < 0) {
		fprintf(stderr, "counter: %s\n", strerror(-r));
		return 1;
	}
	state = twz_object_base(&object);
	state->runs++;
	_clwb(&state->runs);
	_pfence();
	printf("run number %lu\n", state->runs);
	return 0;
}
