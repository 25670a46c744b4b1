// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prints the kernel's log.
 *
 *   dmesg [-l LEVEL] [-n COUNT] [-f [SECONDS]]
 *   dmesg -L LEVEL
 *
 * -l: only messages up to a level (0 errors … 4 debugging); -n: the last COUNT records; -f: go on
 * as they come, for a while if SECONDS are given; -L: the level that the console shows from now on.
 */
#include <base/string.h>
#include <twz/sys/kec.h>
#include <twz/sys/klog.h>
#include <twz/sys/sys.h>

#define NS_PER_S 1000000000ull

struct options {
	uint64_t level;
	uint64_t count; /* 0 = all */
	bool follow;
	uint64_t seconds; /* to follow; 0 = for ever */
	bool set_level;
};

static int usage(void)
{
	kec_printf("usage: dmesg [-l LEVEL] [-n COUNT] [-f [SECONDS]] | dmesg -L LEVEL\n");
	return 2;
}

static bool number(const char *s, uint64_t *n)
{
	*n = 0;
	if (!s || !*s)
		return false;
	for (; *s >= '0' && *s <= '9' && *n < 1000000000; s++)
		*n = *n * 10 + (uint64_t)(*s - '0');
	return !*s;
}

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0) {
			o->follow = true;
			i += i + 1 < argc && number(argv[i + 1], &o->seconds);
		} else if (strcmp(argv[i], "-l") == 0) {
			if (!number(argv[++i], &o->level))
				return false;
		} else if (strcmp(argv[i], "-n") == 0) {
			if (!number(argv[++i], &o->count))
				return false;
		} else if (strcmp(argv[i], "-L") == 0) {
			if (!number(argv[++i], &o->level))
				return false;
			o->set_level = true;
		} else {
			return false;
		}
	}
	return true;
}

/* The start of a line, unless the record goes on in one. */
static void print_record(const struct twz_klog_record *r, bool goes_on)
{
	uint64_t us = r->ns / 1000;

	if (!goes_on)
		kec_printf("[%5lu.%06lu] %u %u ", (unsigned long)(us / 1000000),
		    (unsigned long)(us % 1000000), (unsigned int)r->level, r->cpu);
	kec_printf("%.*s%s", (int)r->length, r->text, r->flags & TWZ_KLOG_CONTINUES ? "" : "\n");
}

static void print_new(struct twz_klog_reader *log, const struct options *o)
{
	struct twz_klog_record r;
	bool goes_on = false;
	uint64_t lost = log->lost;

	while (twz_klog_read(log, &r)) {
		if (log->lost != lost)
			kec_printf("dmesg: %lu records lost\n", (unsigned long)(log->lost - lost));
		goes_on = goes_on && log->lost == lost;
		lost = log->lost;
		if (r.level <= o->level)
			print_record(&r, goes_on);
		goes_on = r.flags & TWZ_KLOG_CONTINUES;
	}
}

static void follow(struct twz_klog_reader *log, const struct options *o)
{
	uint64_t end = twz_clock_ns() + o->seconds * NS_PER_S, now;

	for (;;) {
		print_new(log, o);
		now = twz_clock_ns();
		if (o->seconds && now >= end)
			return;
		if (twz_klog_wait(log, o->seconds ? end - now : 0) == -EINTR)
			return;
	}
}

int main(int argc, char **argv)
{
	struct options o = { .level = TWZ_KLOG_PROGRAM };
	struct twz_klog_reader log;
	int r;

	if (!parse(argc, argv, &o))
		return usage();
	if (o.set_level) {
		r = (int)twz_root_action(KACTION_CMD_ROOT_LOG_LEVEL, o.level);
		if (r < 0)
			kec_printf("dmesg: the level cannot be set (error %d)\n", -r);
		return r < 0;
	}
	r = twz_klog_open(&log);
	if (r < 0) {
		kec_printf("dmesg: the log cannot be opened (error %d)\n", -r);
		return 1;
	}
	uint64_t next = log.log->next;
	if (log.next > 0)
		kec_printf("dmesg: %lu earlier records are gone\n", (unsigned long)log.next);
	if (o.count && next - log.next > o.count)
		log.next = next - o.count;
	if (o.follow)
		follow(&log, &o);
	else
		print_new(&log, &o);
	twz_klog_close(&log);
	return 0;
}
