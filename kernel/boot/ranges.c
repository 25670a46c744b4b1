// SPDX-License-Identifier: BSD-3-Clause
/* Sets of address ranges, see boot/ranges.h. */
#include <base/bits.h>
#include <boot/ranges.h>

static paddr_t range_end(struct range r)
{
	return r.base + r.size;
}

static void remove_at(struct range *set, unsigned int *count, unsigned int at)
{
	(*count)--;
	for (unsigned int i = at; i < *count; i++)
		set[i] = set[i + 1];
}

static void insert_at(struct range *set, unsigned int *count, unsigned int at, struct range r)
{
	for (unsigned int i = *count; i > at; i--)
		set[i] = set[i - 1];
	set[at] = r;
	(*count)++;
}

bool ranges_add(struct range *set, unsigned int *count, unsigned int max, struct range r)
{
	unsigned int at = 0;

	if (r.size == 0)
		return true;
	while (at < *count && range_end(set[at]) < r.base)
		at++;
	if (at == *count || set[at].base > range_end(r)) {
		if (*count == max)
			return false;
		insert_at(set, count, at, r);
		return true;
	}
	/* Swallow every range that r touches. */
	while (at < *count && set[at].base <= range_end(r)) {
		paddr_t base = MIN(r.base, set[at].base);

		r.size = MAX(range_end(r), range_end(set[at])) - base;
		r.base = base;
		remove_at(set, count, at);
	}
	insert_at(set, count, at, r);
	return true;
}

/* Take r out of set[at], which it splits. */
static bool split(struct range *set, unsigned int *count, unsigned int max, unsigned int at,
		  struct range r)
{
	struct range low = { set[at].base, r.base - set[at].base };
	struct range high = { range_end(r), range_end(set[at]) - range_end(r) };

	if (*count == max) {
		set[at] = low.size >= high.size ? low : high;
		return false;
	}
	set[at] = low;
	insert_at(set, count, at + 1, high);
	return true;
}

bool ranges_subtract(struct range *set, unsigned int *count, unsigned int max, struct range r)
{
	unsigned int i = 0;

	while (i < *count) {
		struct range *s = &set[i];

		if (!ranges_overlap(s->base, s->size, r.base, r.size)) {
			i++;
		} else if (s->base >= r.base && range_end(*s) <= range_end(r)) {
			remove_at(set, count, i);
		} else if (s->base < r.base && range_end(*s) > range_end(r)) {
			return split(set, count, max, i, r);
		} else if (s->base < r.base) {
			s->size = r.base - s->base;
			i++;
		} else {
			s->size = range_end(*s) - range_end(r);
			s->base = range_end(r);
			i++;
		}
	}
	return true;
}

bool ranges_contain(const struct range *set, unsigned int count, struct range r)
{
	for (unsigned int i = 0; i < count; i++) {
		if (r.size != 0 && range_between(r.base, r.size, set[i].base, range_end(set[i])))
			return true;
	}
	return false;
}

struct range range_inner_pages(struct range r)
{
	struct range inner = { 0, 0 };
	paddr_t base, end = align_down(range_end(r), PAGE_SIZE);

	if (align_up_checked(r.base, PAGE_SIZE, &base) || end <= base)
		return inner;
	return (struct range){ base, end - base };
}

struct range range_outer_pages(struct range r)
{
	paddr_t base = align_down(r.base, PAGE_SIZE), end;

	if (r.size == 0)
		return (struct range){ base, 0 };
	if (align_up_checked(range_end(r), PAGE_SIZE, &end))
		end = align_down(UINT64_MAX, PAGE_SIZE);
	return (struct range){ base, end - base };
}
