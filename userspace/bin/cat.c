// SPDX-License-Identifier: BSD-3-Clause
/* Prints the data of objects, given by name, as far as they say how much they have. */
#include <twz/meta.h>
#include <twz/obj.h>
#include <twz/sys/kec.h>

static int print(const char *name)
{
	const struct metainfo *mi;
	twzobj o;
	int r = twz_object_init_name(&o, name, FE_READ);

	if (r < 0)
		return r;
	mi = twz_object_meta(&o);
	r = mi->flags & MIF_SZ ? kec_write(twz_object_base(&o), mi->sz) : -EINVAL;
	twz_object_release(&o);
	return r;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		int r = print(argv[i]);

		if (r < 0)
			kec_printf("cat: %s: error %d\n", argv[i], -r);
		failed |= r < 0;
	}
	return failed;
}
