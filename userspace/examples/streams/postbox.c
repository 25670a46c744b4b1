// SPDX-License-Identifier: BSD-3-Clause
/* A stream that outlives the machine: "postbox TEXT ..." puts lines in, "postbox" takes them out. */
#include <base/string.h>
#include <twz/name.h>
#include <twz/obj.h>
#include <twz/obj/bstream.h>
#include <twz/sys/kec.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE | TWZ_OC_TIED_NONE)

/* Open the stream, or make it: it is whole before the name leads to it. */
static int open_or_make(twzobj *o)
{
	int r = twz_object_init_name(o, "postbox", FE_READ | FE_WRITE);

	if (r != -ENOENT)
		return r;
	r = twz_object_new(o, NULL, NULL, FLAGS);
	if (r < 0)
		return r;
	r = bstream_obj_init(o, NULL, 12);
	r = r < 0 ? r : twz_name_assign(twz_object_guid(o), "postbox");
	if (r < 0)
		twz_object_delete(o, 0);
	return r;
}

/* A write takes what fits, and is durable when it returns. */
static int put(twzobj *o, const char *text)
{
	size_t len = strlen(text);
	ssize_t n;

	for (size_t done = 0; done < len; done += (size_t)n) {
		n = bstream_write(o, text + done, len - done, TWZIO_NONBLOCK);
		if (n < 0)
			return (int)n;
	}
	return 0;
}

static int take_all(twzobj *o)
{
	char buf[64];
	ssize_t n;

	while ((n = bstream_read(o, buf, sizeof(buf), TWZIO_NONBLOCK)) > 0)
		kec_write(buf, (size_t)n);
	return n == -EAGAIN ? 0 : (int)n;
}

int main(int argc, char **argv)
{
	twzobj object;
	int r = open_or_make(&object);

	for (int i = 1; r == 0 && i < argc; i++) {
		r = put(&object, argv[i]);
		r = r < 0 ? r : put(&object, "\n");
	}
	if (r == 0 && argc == 1)
		r = take_all(&object);
	if (r < 0)
		kec_printf("postbox: error %d\n", -r);
	return r < 0;
}
