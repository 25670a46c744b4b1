// SPDX-License-Identifier: BSD-3-Clause
/*
 * Prints and sets the time of day, in UTC.
 *
 *   date
 *   date YYYY-MM-DDTHH:MM:SS
 *   date @SECONDS
 */
#include <base/string.h>
#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define NS_PER_S 1000000000ull
#define DAYS_PER_400_YEARS 146097u

struct date {
	uint32_t year, month, day; /* the latter two from 1 */
	uint32_t hour, minute, second;
};

/*
 * Days since 1 March of year 0, by which leap days come last in a year, of the Gregorian calendar.
 */
static uint64_t days_of(const struct date *d)
{
	uint64_t year = d->month <= 2 ? d->year - 1 : d->year;
	uint64_t month = d->month <= 2 ? d->month + 9 : d->month - 3;

	return year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + d->day - 1;
}

#define DAYS_TO_1970 719468u

static uint64_t seconds_of(const struct date *d)
{
	return ((days_of(d) - DAYS_TO_1970) * 24 + d->hour) * 3600 + d->minute * 60 + d->second;
}

static struct date date_of(uint64_t seconds)
{
	uint64_t days = seconds / 86400 + DAYS_TO_1970;
	uint32_t rest = (uint32_t)(seconds % 86400);
	uint32_t of_400 = (uint32_t)(days % DAYS_PER_400_YEARS);
	uint32_t year = (of_400 - of_400 / 1460 + of_400 / 36524 - of_400 / 146096) / 365;
	uint32_t of_year = of_400 - (year * 365 + year / 4 - year / 100);
	uint32_t month = (of_year * 5 + 2) / 153;
	struct date d = {
		.year = (uint32_t)(days / DAYS_PER_400_YEARS) * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = of_year - (month * 153 + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
	};
	return d;
}

static bool digits(const char **s, unsigned int count, uint32_t *n)
{
	*n = 0;
	for (; count > 0; count--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		*n = *n * 10 + (uint32_t)(**s - '0');
	}
	return true;
}

static bool literal(const char **s, char c)
{
	return *(*s)++ == c;
}

/* A date that the calendar has, or false. */
static bool parse_date(const char *s, uint64_t *seconds)
{
	struct date d, back;

	if (!(digits(&s, 4, &d.year) && literal(&s, '-') && digits(&s, 2, &d.month) && literal(&s, '-') &&
		digits(&s, 2, &d.day) && literal(&s, 'T') && digits(&s, 2, &d.hour) && literal(&s, ':') &&
		digits(&s, 2, &d.minute) && literal(&s, ':') && digits(&s, 2, &d.second) && !*s))
		return false;
	if (d.year < 1970 || d.month < 1 || d.month > 12 || d.day < 1 || d.hour > 23 || d.minute > 59 ||
	    d.second > 59)
		return false;
	*seconds = seconds_of(&d);
	back = date_of(*seconds);
	return memcmp(&d, &back, sizeof(d)) == 0;
}

static bool parse_seconds(const char *s, uint64_t *seconds)
{
	*seconds = 0;
	if (!*s)
		return false;
	for (; *s >= '0' && *s <= '9' && *seconds < NS_PER_S * 1000; s++)
		*seconds = *seconds * 10 + (uint64_t)(*s - '0');
	return !*s;
}

static int set(const char *text)
{
	struct timespec ts = { 0, 0 };
	uint64_t seconds;
	long r;

	if (!(*text == '@' ? parse_seconds(text + 1, &seconds) : parse_date(text, &seconds))) {
		kec_printf("date: %s is no time: say YYYY-MM-DDTHH:MM:SS or @SECONDS\n", text);
		return 2;
	}
	ts.tv_sec = (long)seconds;
	r = sys_clock(TWZ_CLOCK_REAL, TWZ_CLOCK_SET, &ts);
	if (r == -EINVAL)
		kec_printf("date: that is before the latest time on record, or past 2262\n");
	else if (r < 0)
		kec_printf("date: the time cannot be set (error %ld)\n", -r);
	return r < 0;
}

static void print(void)
{
	static const char *const sources[] = {
		" (since power-on: the time is not known)",
		" (or later: the last time on record)",
		"",
		"",
	};
	struct date d = date_of(twz_clock_real_ns() / NS_PER_S);

	kec_printf("%04u-%02u-%02uT%02u:%02u:%02uZ%s\n", d.year, d.month, d.day, d.hour, d.minute, d.second,
	    sources[twz_clock_real_source() & 3]);
}

int main(int argc, char **argv)
{
	int r = argc == 2 ? set(argv[1]) : 0;

	if (argc > 2) {
		kec_printf("usage: date [YYYY-MM-DDTHH:MM:SS | @SECONDS]\n");
		return 2;
	}
	if (r == 0)
		print();
	return r;
}
