// SPDX-License-Identifier: BSD-3-Clause
/* Formatted output, see base/printf.h. */
#include <base/bits.h>
#include <base/printf.h>
#include <base/string.h>
#include <stdbool.h>
#include <stdint.h>

/* INT_MAX; limits.h is not used because a hosted one drags in its C library. */
#define INT_LIMIT __INT_MAX__

struct sink {
	void (*put)(void *arg, const char *text, size_t len);
	void *arg;
	size_t total;
};

enum length { LEN_CHAR, LEN_SHORT, LEN_INT, LEN_LONG, LEN_LLONG, LEN_SIZE, LEN_MAX, LEN_PTRDIFF };

struct spec {
	bool left, zero, plus, space, alt;
	int width;
	int precision; /* −1 = none given */
	enum length length;
};

static void emit(struct sink *out, const char *text, size_t len)
{
	if (len == 0)
		return;
	out->put(out->arg, text, len);
	out->total += len;
}

static void emit_repeated(struct sink *out, char c, int count)
{
	char run[16];

	memset(run, c, sizeof(run));
	while (count > 0) {
		int n = MIN(count, (int)sizeof(run));

		emit(out, run, (size_t)n);
		count -= n;
	}
}

/* Text padded with blanks to the width. */
static void emit_text(struct sink *out, const struct spec *s, const char *text, size_t len)
{
	int pad = (size_t)s->width > len ? s->width - (int)len : 0;

	if (!s->left)
		emit_repeated(out, ' ', pad);
	emit(out, text, len);
	if (s->left)
		emit_repeated(out, ' ', pad);
}

static void emit_string(struct sink *out, const struct spec *s, const char *text)
{
	if (text == NULL)
		text = "(null)";
	emit_text(out, s, text,
		  s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

/* Digits of value, most significant first, ending at end; returns where they start. */
static char *digits_before(char *end, uint64_t value, unsigned int base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	for (; value != 0; value /= base)
		*--end = set[value % base];
	return end;
}

/* Prefix, zeros for the precision (or for the width, with the 0 flag), digits; padded. */
static void emit_number(struct sink *out, const struct spec *s, const char *prefix, uint64_t value,
			unsigned int base, bool upper)
{
	char digits[24];
	char *end = digits + sizeof(digits), *start = digits_before(end, value, base, upper);
	int len = (int)(end - start), prefix_len = (int)strlen(prefix), zeros, pad;

	zeros = MAX((s->precision < 0 ? 1 : s->precision) - len, 0);
	if (s->alt && base == 8 && zeros == 0 && (value != 0 || s->precision == 0))
		zeros = 1;
	if (s->zero && !s->left && s->precision < 0)
		zeros = MAX(zeros, s->width - prefix_len - len);
	pad = zeros > INT_LIMIT - prefix_len - len ? 0 : s->width - prefix_len - len - zeros;
	if (!s->left)
		emit_repeated(out, ' ', pad);
	emit(out, prefix, (size_t)prefix_len);
	emit_repeated(out, '0', zeros);
	emit(out, start, (size_t)len);
	if (s->left)
		emit_repeated(out, ' ', pad);
}

/* A va_list that can be passed on by address, whatever type the platform made it. */
struct args {
	va_list ap;
};

static int64_t next_signed(struct args *a, enum length length)
{
	switch (length) {
	case LEN_CHAR:
		return (signed char)va_arg(a->ap, int);
	case LEN_SHORT:
		return (short)va_arg(a->ap, int);
	case LEN_INT:
		return va_arg(a->ap, int);
	case LEN_LONG:
		return va_arg(a->ap, long);
	case LEN_LLONG:
		return va_arg(a->ap, long long);
	case LEN_MAX:
		return va_arg(a->ap, intmax_t);
	default:
		return va_arg(a->ap, ptrdiff_t);
	}
}

static uint64_t next_unsigned(struct args *a, enum length length)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(a->ap, unsigned int);
	case LEN_SHORT:
		return (unsigned short)va_arg(a->ap, unsigned int);
	case LEN_INT:
		return va_arg(a->ap, unsigned int);
	case LEN_LONG:
		return va_arg(a->ap, unsigned long);
	case LEN_LLONG:
		return va_arg(a->ap, unsigned long long);
	case LEN_MAX:
		return va_arg(a->ap, uintmax_t);
	default:
		return va_arg(a->ap, size_t);
	}
}

static void convert_signed(struct sink *out, const struct spec *s, struct args *a)
{
	int64_t v = next_signed(a, s->length);
	const char *prefix = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

	emit_number(out, s, prefix, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false);
}

static void convert_hex(struct sink *out, const struct spec *s, struct args *a, bool upper)
{
	uint64_t v = next_unsigned(a, s->length);

	emit_number(out, s, s->alt && v != 0 ? (upper ? "0X" : "0x") : "", v, 16, upper);
}

static void convert_char(struct sink *out, const struct spec *s, struct args *a)
{
	char c = (char)va_arg(a->ap, int);

	emit_text(out, s, &c, 1);
}

/* Perform one conversion; false = not one that we know, and no argument was taken. */
static bool convert(struct sink *out, const struct spec *s, char conversion, struct args *a)
{
	switch (conversion) {
	case 'd':
	case 'i':
		convert_signed(out, s, a);
		return true;
	case 'u':
		emit_number(out, s, "", next_unsigned(a, s->length), 10, false);
		return true;
	case 'o':
		emit_number(out, s, "", next_unsigned(a, s->length), 8, false);
		return true;
	case 'x':
	case 'X':
		convert_hex(out, s, a, conversion == 'X');
		return true;
	case 'p':
		emit_number(out, s, "0x", (uintptr_t)va_arg(a->ap, void *), 16, false);
		return true;
	case 's':
		emit_string(out, s, va_arg(a->ap, const char *));
		return true;
	case 'c':
		convert_char(out, s, a);
		return true;
	case '%':
		emit(out, "%", 1);
		return true;
	default:
		return false;
	}
}

static const char *parse_flags(const char *p, struct spec *s)
{
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '+')
			s->plus = true;
		else if (*p == ' ')
			s->space = true;
		else if (*p == '#')
			s->alt = true;
		else
			return p;
	}
}

/* A decimal number or *; a number beyond INT_LIMIT becomes INT_LIMIT. */
static const char *parse_number(const char *p, int *value, struct args *a)
{
	*value = 0;
	if (*p == '*') {
		*value = va_arg(a->ap, int);
		return p + 1;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		int digit = *p - '0';

		*value = *value > (INT_LIMIT - digit) / 10 ? INT_LIMIT : *value * 10 + digit;
	}
	return p;
}

static const char *parse_length(const char *p, enum length *length)
{
	switch (*p) {
	case 'h':
		*length = p[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return p + (p[1] == 'h' ? 2 : 1);
	case 'l':
		*length = p[1] == 'l' ? LEN_LLONG : LEN_LONG;
		return p + (p[1] == 'l' ? 2 : 1);
	case 'z':
		*length = LEN_SIZE;
		return p + 1;
	case 'j':
		*length = LEN_MAX;
		return p + 1;
	case 't':
		*length = LEN_PTRDIFF;
		return p + 1;
	default:
		*length = LEN_INT;
		return p;
	}
}

/* Read flags, width, precision and length; returns the address of the conversion letter. */
static const char *parse_spec(const char *p, struct spec *s, struct args *a)
{
	*s = (struct spec){ .precision = -1 };
	p = parse_flags(p, s);
	p = parse_number(p, &s->width, a);
	if (s->width < 0) {
		s->left = true;
		s->width = s->width < -INT_LIMIT ? INT_LIMIT : -s->width;
	}
	if (*p == '.') {
		p = parse_number(p + 1, &s->precision, a);
		s->precision = MAX(s->precision, -1);
	}
	return parse_length(p, &s->length);
}

int base_vformat(void (*put)(void *arg, const char *text, size_t len), void *arg, const char *fmt,
		 va_list ap)
{
	struct sink out = { put, arg, 0 };
	struct args args;

	va_copy(args.ap, ap);
	while (*fmt != '\0') {
		const char *start = fmt;
		struct spec spec;

		while (*fmt != '\0' && *fmt != '%')
			fmt++;
		emit(&out, start, (size_t)(fmt - start));
		if (*fmt == '\0')
			break;
		start = fmt;
		fmt = parse_spec(fmt + 1, &spec, &args);
		if (*fmt != '\0' && convert(&out, &spec, *fmt, &args))
			fmt++;
		else
			emit(&out, start, (size_t)(fmt - start));
	}
	va_end(args.ap);
	return out.total > INT_LIMIT ? INT_LIMIT : (int)out.total;
}

int base_format(void (*put)(void *arg, const char *text, size_t len), void *arg, const char *fmt,
		...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = base_vformat(put, arg, fmt, ap);
	va_end(ap);
	return n;
}

struct buffer {
	char *next;
	size_t room; /* without the NUL */
};

static void put_buffer(void *arg, const char *text, size_t len)
{
	struct buffer *b = arg;
	size_t n = MIN(len, b->room);

	memcpy(b->next, text, n);
	b->next += n;
	b->room -= n;
}

static void put_nothing(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)text;
	(void)len;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buffer b = { buf, size - 1 };
	int n;

	if (size == 0)
		return base_vformat(put_nothing, NULL, fmt, ap);
	n = base_vformat(put_buffer, &b, fmt, ap);
	*b.next = '\0';
	return n;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
