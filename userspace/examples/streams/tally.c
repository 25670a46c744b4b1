// SPDX-License-Identifier: BSD-3-Clause
/* Counts what can be read from anything that is an io object, waiting a tenth of a second. */
#include <twz/obj.h>
#include <twz/obj/bstream.h>
#include <twz/obj/dgram.h>
#include <twz/obj/io.h>
#include <twz/sys/kec.h>

#define FLAGS (TWZ_OC_DFL_READ | TWZ_OC_DFL_WRITE)

/* Bytes and pieces. It does not know what the object is. */
static int tally(twzobj *o, const char *what)
{
	struct timespec tenth = { 0, 100000000 };
	unsigned long bytes = 0, pieces = 0;
	struct event e;
	char buf[16];
	ssize_t n;
	int r;

	while ((r = twzio_poll(o, TWZIO_EVENT_READ, &e)) >= 0) {
		if (r == 0 && event_wait(1, &e, &tenth) == 0)
			break;
		n = twzio_read(o, buf, sizeof(buf), 0, TWZIO_NONBLOCK);
		bytes += n > 0 ? (unsigned long)n : 0;
		pieces += n > 0;
	}
	kec_printf("%s: %lu bytes in %lu pieces\n", what, bytes, pieces);
	return r < 0 ? r : 0;
}

int main(void)
{
	twzobj stream, channel;
	int r = twz_object_new(&stream, NULL, NULL, FLAGS);

	r = r < 0 ? r : bstream_obj_init(&stream, NULL, 10);
	r = r < 0 ? r : twz_object_new(&channel, NULL, NULL, FLAGS);
	r = r < 0 ? r : dgram_obj_init(&channel, NULL, 10, 64);
	for (int i = 0; r >= 0 && i < 3; i++) {
		r = (int)twzio_write(&stream, "abcdefgh", 8, 0, 0);
		r = r < 0 ? r : (int)dgram_send(&channel, DGRAM_B, "abcdefgh", 8, 0);
	}
	r = r < 0 ? r : tally(&stream, "stream");
	r = r < 0 ? r : tally(&channel, "messages");
	return r < 0;
}
