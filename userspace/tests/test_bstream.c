// SPDX-License-Identifier: BSD-3-Clause
/*
 * Byte streams: order and contents, partial writes, ends, readiness, many readers and writers, and
 * what noise in a header and a holder that ends do.
 */
#include "ktap.h"
#include "testlib.h"

#include <base/string.h>
#include <twz/obj/bstream.h>

#define NBITS 6u
#define ROOM ((1u << NBITS) - 1)

static int new_stream(twzobj *o, uint32_t nbits)
{
	int r = new_object(o);

	return r < 0 ? r : bstream_obj_init(o, NULL, nbits);
}

static void fill(unsigned char *p, size_t len, unsigned from)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(from + i * 7);
}

static void in_and_out(void)
{
	unsigned char in[ROOM + 10], out[ROOM + 10];
	unsigned sent = 0;
	twzobj o;

	NEED(new_stream(&o, NBITS) == 0);
	/* every length at every position */
	for (unsigned round = 0; round < 3 * ROOM; round++) {
		size_t n = round % (ROOM + 10) + 1;
		size_t fits = n < ROOM ? n : ROOM;
		fill(in, n, sent);
		memset(out, 0xee, sizeof(out));
		CHECK_EQ(bstream_write(&o, in, n, TWZIO_NONBLOCK), (ssize_t)fits);
		CHECK_EQ(bstream_read(&o, out, sizeof(out), TWZIO_NONBLOCK), (ssize_t)fits);
		CHECK(memcmp(in, out, fits) == 0);
		CHECK_EQ(out[fits], 0xee);
		sent += 3;
	}
	CHECK_EQ(bstream_read(&o, out, 1, TWZIO_NONBLOCK), -EAGAIN);
	CHECK_EQ(bstream_read(&o, out, 0, 0), 0);
	CHECK_EQ(bstream_write(&o, in, 0, 0), 0);
	CHECK_EQ(bstream_read(&o, out, 1, 2), -EINVAL);
	CHECK_EQ(bstream_write(&o, in, 1, 4 | TWZIO_NONBLOCK), -EINVAL);
	drop_object(&o);
}

static const struct ktap_case cases[] = {
	{ "in_and_out", in_and_out },
};

int main(void)
{
	return KTAP_RUN(cases);
}
