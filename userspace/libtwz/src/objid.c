// SPDX-License-Identifier: BSD-3-Clause
/* Reading object IDs from text. */
#include <twz/_types.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Sixteen digits, with or without 0x; returns the bytes read, 0 if they are not there. */
static size_t parse_half(const char *s, size_t len, uint64_t *half)
{
	size_t i = 0;
	uint64_t v = 0;

	if (len >= 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		i = 2;
	if (len < i + 16)
		return 0;
	for (size_t end = i + 16; i < end; i++) {
		int d = hex_digit(s[i]);

		if (d < 0)
			return 0;
		v = v << 4 | (uint64_t)d;
	}
	*half = v;
	return i;
}

_Bool objid_parse(const char *s, size_t len, objid_t *id)
{
	uint64_t hi, lo;
	size_t n = 0, half;

	while (n < len && s[n])
		n++;
	half = parse_half(s, n, &hi);
	if (!half)
		return 0;
	s += half;
	n -= half;
	if (n && *s == ':') {
		s++;
		n--;
	}
	half = parse_half(s, n, &lo);
	if (!half || half != n)
		return 0;
	*id = MKID(hi, lo);
	return 1;
}
