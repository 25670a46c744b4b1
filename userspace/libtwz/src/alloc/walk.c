// SPDX-License-Identifier: BSD-3-Clause
/* Looking at what is allocated, and for what cannot be. See twz/alloc.h. */
#include "alloc.h"

size_t twz_alloc_usable(twzobj *o, const void *p)
{
	struct region r;
	struct arena a;

	if (!p || __twz_alloc_find(&a, o) < 0 || !__twz_alloc_region(&a, p, &r) || !r.live)
		return 0;
	return r.size;
}

/* What is told while pages are gone through, lowest first. */
struct visitor {
	int (*run)(struct arena *a, uint32_t chunk, unsigned class, struct visitor *v);
	int (*large)(struct arena *a, uint32_t page, uint32_t count, struct visitor *v);
	int (*fn)(void *p, size_t len, void *data);
	void *data;
	struct twz_alloc_stats *st;
};

/* What begins at *page, which then is the page behind it. */
static int visit(struct arena *a, struct visitor *v, uint32_t *page)
{
	uint32_t at = *page, count = 1;
	unsigned class = at % CHUNK_PAGES ? CLASSES : __twz_alloc_run_class(a, at / CHUNK_PAGES);
	uint8_t state = __twz_alloc_state(a, at);
	int r = 0;

	if (class < CLASSES) {
		count = CHUNK_PAGES;
		r = v->run(a, at / CHUNK_PAGES, class, v);
	} else if (state == PAGE_LARGE) {
		count = __twz_alloc_extent(a, at);
		r = v->large(a, at, count, v);
	}
	*page = at + count;
	return r;
}

static int visit_all(struct arena *a, struct visitor *v)
{
	uint32_t end = __twz_alloc_end(a);
	int r = 0;

	for (uint32_t page = 0; r == 0 && (page = __twz_alloc_next(a, page, end)) < end;)
		r = visit(a, v, &page);
	return r;
}

/* --- walking */

static int walk_run(struct arena *a, uint32_t chunk, unsigned class, struct visitor *v)
{
	const struct size_class *c = &__twz_alloc_class[class];
	struct run *run = __twz_alloc_run(a, chunk);
	char *first = (char *)run + c->first;

	for (unsigned w = 0; w < c->words; w++) {
		uint64_t bits = __atomic_load_n(&run->bits[w], __ATOMIC_ACQUIRE);

		for (; bits; bits &= bits - 1) {
			unsigned block = w * 64 + (unsigned)__builtin_ctzl(bits);
			int r = block < c->blocks ?
			    v->fn(first + block * c->size, c->size, v->data) : 0;

			if (r)
				return r;
		}
	}
	return 0;
}

static int walk_large(struct arena *a, uint32_t page, uint32_t count, struct visitor *v)
{
	return v->fn(a->zero + a->first + (uint64_t)page * TWZ_PAGE_SIZE,
	    (size_t)count * TWZ_PAGE_SIZE, v->data);
}

int twz_alloc_walk(twzobj *o, int (*fn)(void *p, size_t len, void *data), void *data)
{
	struct visitor v = { .run = walk_run, .large = walk_large, .fn = fn, .data = data };
	struct arena a;
	int r = __twz_alloc_open(&a, o);

	return r < 0 ? r : visit_all(&a, &v);
}

/* --- counting */

static int count_run(struct arena *a, uint32_t chunk, unsigned class, struct visitor *v)
{
	struct run *run = __twz_alloc_run(a, chunk);
	uint64_t n = 0;

	for (unsigned w = 0; w < __twz_alloc_class[class].words; w++)
		for (uint64_t bits = run->bits[w]; bits; bits &= bits - 1)
			n++;
	v->st->runs++;
	v->st->live_count += n;
	v->st->live_bytes += n * __twz_alloc_class[class].size;
	v->st->used_bytes += TWZ_ALLOC_RUN_SIZE;
	v->st->end = a->first + (uint64_t)(chunk + 1) * TWZ_ALLOC_RUN_SIZE - OBJ_NULLPAGE_SIZE;
	return 0;
}

static int count_large(struct arena *a, uint32_t page, uint32_t count, struct visitor *v)
{
	uint64_t bytes = (uint64_t)count * TWZ_PAGE_SIZE;

	v->st->large++;
	v->st->live_count++;
	v->st->live_bytes += bytes;
	v->st->used_bytes += bytes;
	v->st->end = a->first + (uint64_t)(page + count) * TWZ_PAGE_SIZE - OBJ_NULLPAGE_SIZE;
	return 0;
}

int twz_alloc_stats(twzobj *o, struct twz_alloc_stats *st)
{
	struct visitor v = { .run = count_run, .large = count_large, .st = st };
	struct arena a;
	int r = __twz_alloc_open(&a, o);

	memset(st, 0, sizeof(*st));
	if (r < 0)
		return r;
	r = visit_all(&a, &v);
	st->free_bytes = (uint64_t)a.pages * TWZ_PAGE_SIZE - st->used_bytes;
	return r;
}

/* --- checking */

struct check {
	struct arena *a;
	void (*report)(const char *what, uint64_t offset, void *data);
	void *data;
	int faults;
};

static void found(struct check *c, const char *what, uint64_t offset)
{
	c->faults++;
	if (c->report)
		c->report(what, offset, c->data);
}

static void check_run(struct check *c, uint32_t chunk, unsigned class)
{
	const struct size_class *sc = &__twz_alloc_class[class];
	struct run *run = __twz_alloc_run(c->a, chunk);
	uint64_t offset = (uint64_t)((char *)run - c->a->zero);
	unsigned left = sc->blocks % 64;

	for (uint32_t i = 1; i < CHUNK_PAGES; i++)
		if (__twz_alloc_state(c->a, chunk * CHUNK_PAGES + i) != PAGE_MORE)
			found(c, "a page of a run is not one", offset + i * TWZ_PAGE_SIZE);
	if (left && run->bits[sc->words - 1] >> left)
		found(c, "a run has regions beyond its end", offset);
}

/* The pages from `page` on that belong together; what cannot stand there is told. */
static uint32_t check_page(struct check *c, uint32_t page)
{
	uint64_t offset = c->a->first + (uint64_t)page * TWZ_PAGE_SIZE;
	uint8_t state = __twz_alloc_state(c->a, page);
	uint32_t more;

	switch (state) {
	case PAGE_FREE:
	case PAGE_RESERVED_MORE: /* a part of what was reserved can be left of a crash */
		return 1;
	case PAGE_LARGE:
	case PAGE_RESERVED:
		more = __twz_alloc_extent(c->a, page);
		return more;
	case PAGE_MORE:
		found(c, "a page goes on what does not begin", offset);
		return 1;
	}
	if (state < PAGE_RUN || state >= PAGE_RUN + CLASSES || page % CHUNK_PAGES) {
		found(c, "a page has no state that there is", offset);
		return 1;
	}
	check_run(c, page / CHUNK_PAGES, state - PAGE_RUN);
	return CHUNK_PAGES;
}

int twz_alloc_check(twzobj *o, void (*report)(const char *what, uint64_t offset, void *data),
    void *data)
{
	struct arena a;
	struct check c = { .a = &a, .report = report, .data = data };
	int r = __twz_alloc_find(&a, o);
	uint32_t end;

	if (r == -EINVAL)
		return r;
	if (r < 0) {
		found(&c, "the header makes no sense", 0);
		return c.faults;
	}
	end = __twz_alloc_end(&a);
	for (uint32_t page = 0; (page = __twz_alloc_next(&a, page, end)) < end;)
		page += check_page(&c, page);
	return c.faults;
}
