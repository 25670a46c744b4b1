// SPDX-License-Identifier: BSD-3-Clause
/* Boot options, see boot/options.h and boot/machine.h. */
#include <base/string.h>
#include <boot/machine.h>
#include <boot/options.h>
#include <log.h>

#define LOG_PREFIX "boot"

/* One word of the command line, cut into its parts. */
struct word {
	const char *name, *value;
	size_t name_length, value_length;
};

/* Cut the next word off; returns where to go on, or NULL at the end of the line. */
static const char *next_word(const char *p, struct word *w)
{
	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	if (*p == '\0')
		return NULL;
	w->name = p;
	while (*p != '\0' && *p != ' ' && *p != '\t' && *p != '\n' && *p != '=')
		p++;
	w->name_length = (size_t)(p - w->name);
	if (*p == '=')
		p++;
	char quote = *p == '"' && p[-1] == '=' ? *p++ : '\0';
	w->value = p;
	while (*p != '\0' && (quote ? *p != quote : *p != ' ' && *p != '\t' && *p != '\n'))
		p++;
	w->value_length = (size_t)(p - w->value);
	return quote && *p == quote ? p + 1 : p;
}

const char *option_find(const char *line, const char *name, size_t *length)
{
	const char *found = NULL;
	size_t name_length = strlen(name);
	struct word w;

	while ((line = next_word(line, &w)) != NULL) {
		if (w.name_length == name_length && memcmp(w.name, name, name_length) == 0) {
			found = w.value;
			*length = w.value_length;
		}
	}
	return found;
}

bool option_number(const char *text, size_t length, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = (unsigned int)(unsigned char)text[i] - '0';

		if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return length > 0;
}

const char *boot_option(const char *name, size_t *length)
{
	return option_find(machine.bootargs, name, length);
}

bool boot_option_is(const char *name, const char *value)
{
	size_t length;
	const char *found = boot_option(name, &length);

	return found != NULL && length == strlen(value) && memcmp(found, value, length) == 0;
}

uint64_t boot_option_number(const char *name, uint64_t otherwise)
{
	size_t length;
	uint64_t value;
	const char *text = boot_option(name, &length);

	if (text == NULL)
		return otherwise;
	if (!option_number(text, length, &value)) {
		log_warn("option %s=%.*s is not a number: ignored", name, (int)length, text);
		return otherwise;
	}
	return value;
}
