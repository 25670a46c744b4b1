// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in terminals (userspace/libtwz/src/pty.c): a terminal that is made is whole or none,
 * settings that were set are there, and what is typed afterwards arrives, whatever was lost before.
 */
#include "unit.h"

#include "libtwz/explore.h"

#include <twz/obj/bstream.h>
#include <twz/obj/pty.h>

#include "../../userspace/libtwz/src/stream.h"

/* ---- The rest of libtwz: nothing says that an object is volatile, nobody waits ---- */

__thread struct twz_thread_self __twz_self;

long sys_ostat(int type, objid_t id, uint64_t arg, void *out)
{
	(void)type, (void)id, (void)arg, (void)out;
	return -ENOSYS;
}

long sys_thread_sync_abs(size_t n, struct sys_thread_sync_args *ops, struct timespec *timeout)
{
	(void)n, (void)ops, (void)timeout;
	return -ENOSYS;
}

uint64_t twz_clock_ns(void);
uint64_t twz_clock_ns(void)
{
	return 0;
}

static bool making;
static unsigned cols, next_cols; /* as acknowledged, and as it may be */
static unsigned line, next_line; /* the same of c_line */

EXPLORE_SEEN_ONLY_LIBTWZ

static void make(void)
{
	assert_int_equal(pty_obj_init_server(explore_object(0), NULL), 0);
}

static void set_size(unsigned to)
{
	struct winsize w = { .ws_row = 25, .ws_col = (unsigned short)to };

	explore_step_begin();
	next_cols = to;
	assert_int_equal(pty_ioctl_server(explore_object(0), TIOCSWINSZ, (long)&w), 0);
	cols = to;
	explore_step_end();
}

static void set_line(unsigned to)
{
	struct termios t;

	assert_int_equal(pty_ioctl_server(explore_object(0), TCGETS, (long)&t), 0);
	t.c_line = (unsigned char)to;
	explore_step_begin();
	next_line = to;
	assert_int_equal(pty_ioctl_server(explore_object(0), TCSETS, (long)&t), 0);
	line = to;
	explore_step_end();
}

static void settings(void)
{
	cols = next_cols = 80;
	line = next_line = 0;
	making = false;
	set_size(132);
	set_line(7);
	assert_int_equal(pty_write_server(explore_object(0), "half a line", 11, TWZIO_NONBLOCK), 11);
	set_size(40);
	set_line(8);
}

/* What the terminal has passed on to the program. */
static ssize_t arrived(char *text, size_t len)
{
	struct pty_hdr *h = twz_object_base(explore_object(0));

	return bstream_hdr_read(explore_object(0), twz_object_lea(explore_object(0), h->stoc), text, len,
	    TWZIO_NONBLOCK);
}

/* What a terminal is made with. */
#define USUAL (ICANON | ECHO | ECHOE | ECHOK | ECHOKE | ISIG | IEXTEN)

static const char *judge(void)
{
	struct termios t;
	struct winsize w;
	char text[16];

	if (pty_ioctl_server(explore_object(0), TCGETS, (long)&t) < 0 ||
	    pty_ioctl_server(explore_object(0), TIOCGWINSZ, (long)&w) < 0)
		return "there is no terminal";
	if (w.ws_row != 25 || (w.ws_col != cols && w.ws_col != next_cols))
		return "the size of the window is lost";
	if ((t.c_line != line && t.c_line != next_line) || t.c_lflag != USUAL)
		return "the settings are lost";
	if (pty_write_server(explore_object(0), "new\n", 4, TWZIO_NONBLOCK) != 4)
		return "nothing can be typed any more";
	if (arrived(text, sizeof(text)) != 4 || memcmp(text, "new\n", 4) != 0)
		return "something else arrives than was typed";
	return NULL;
}

static void make_one(void)
{
	cols = next_cols = 80;
	line = next_line = 0;
	making = true;
	explore_step_begin();
	make();
	making = false;
	explore_step_end();
}

/* With its extension it is whole. */
static const char *judge_making(void)
{
	const struct metaext *ext = twz_object_meta(explore_object(0))->exts;

	if (ext[1].tag == TWZIO_METAEXT_TAG && ext[1].ptr != OBJ_NULLPAGE_SIZE + offsetof(struct pty_hdr, io))
		return "an extension leads elsewhere";
	if (ext[0].tag != PTY_METAEXT_TAG)
		return making ? NULL : "it has no extension";
	if (ext[0].ptr != OBJ_NULLPAGE_SIZE)
		return "its extension leads elsewhere";
	if (!making && ext[1].tag != TWZIO_METAEXT_TAG)
		return "it is no io object";
	return judge();
}

/* Extensions have a test of their own, test_libtwz_cuts.c. */
static void cuts_while_it_is_made(void **state)
{
	static const char *const elsewhere[] = { "publish", NULL };
	static const struct explore_test test = { .objects = 1, .data_pages = 5, .operation = make_one,
		.judge = judge_making, .unneeded = elsewhere };

	(void)state;
	explore_check(&test);
}

/* What goes through the streams is forgotten anyway. */
static void cuts_while_it_is_set(void **state)
{
	static const char *const streams[] = { "settle_bytes", "settle_position", NULL };
	static const struct explore_test test = { .objects = 1, .data_pages = 5, .setup = make,
		.operation = settings, .judge = judge, .unneeded = streams };

	(void)state;
	explore_check(&test);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_while_it_is_made),
		cmocka_unit_test(cuts_while_it_is_set),
	};

	__twz_rt.sysinfo.features |= TWZ_FEATURE_STORE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
