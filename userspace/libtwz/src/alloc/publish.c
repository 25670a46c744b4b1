// SPDX-License-Identifier: BSD-3-Clause
/* Several regions and words in one failure-atomic step. See twz/alloc.h. */
#include "alloc.h"

void *twz_alloc_reserve(twzobj *o, size_t len, uint64_t flags, int *error)
{
	int align = __twz_alloc_align(flags, 0), r;
	struct region region;
	struct arena a;
	unsigned l;

	r = align < 0 ? -EINVAL : __twz_alloc_open(&a, o);
	if (r == 0)
		r = __twz_alloc_take(&a, len, (size_t)align, &region, &l);
	if (r < 0) {
		if (error)
			*error = r;
		return NULL;
	}
	__twz_alloc_lane_release(&a, l);
	return a.zero + region.offset;
}

void twz_alloc_cancel(twzobj *o, void *p)
{
	struct region r;
	struct arena a;

	if (__twz_alloc_open(&a, o) < 0 || !__twz_alloc_region(&a, p, &r) || r.live) {
		__twz_throw_pptr(twz_object_guid(o), 0, FAULT_PPTR_INVALID, -EINVAL, p);
		return;
	}
	__twz_alloc_give(&a, &r);
}

/* A publication being put together. */
struct plan {
	uint64_t words[RECORD_WORDS];
	unsigned n;
	bool needs_fence;
};

static int plan_keep(struct arena *a, const struct twz_alloc_action *act, struct plan *plan)
{
	struct region r;

	if (!__twz_alloc_region(a, act->at, &r) || r.live || act->value > r.size)
		return -EINVAL;
	if (plan->n + 2 > RECORD_WORDS)
		return -E2BIG;
	plan->words[plan->n++] = __twz_alloc_entry_live(&r);
	if (!act->value || __twz_alloc_content(a, &r, act->value, plan->words, &plan->n))
		plan->needs_fence = true;
	return 0;
}

static int plan_drop(struct arena *a, const struct twz_alloc_action *act, struct plan *plan)
{
	struct region r;

	if (!__twz_alloc_region(a, act->at, &r) || !r.live)
		return -EINVAL;
	plan->words[plan->n++] = __twz_alloc_entry_free(&r);
	return 0;
}

static int plan_set(struct arena *a, const struct twz_alloc_action *act, struct plan *plan)
{
	uint64_t offset = __twz_alloc_offset(a->o, act->at);

	if (!__twz_alloc_is_word(a, offset))
		return -EINVAL;
	__twz_alloc_touch(a, offset);
	if (act->value < OBJ_MAXSIZE) {
		plan->words[plan->n++] = __twz_alloc_entry_ptr(offset, act->value);
		return 0;
	}
	if (plan->n + 2 > RECORD_WORDS)
		return -E2BIG;
	plan->words[plan->n++] = __twz_alloc_entry(ENTRY_WORD, offset / 8);
	plan->words[plan->n++] = act->value;
	return 0;
}

static int plan_one(struct arena *a, const struct twz_alloc_action *act, struct plan *plan)
{
	if (act->zero)
		return -EINVAL;
	if (plan->n >= RECORD_WORDS)
		return -E2BIG;
	switch (act->kind) {
	case TWZ_ALLOC_KEEP:
		return plan_keep(a, act, plan);
	case TWZ_ALLOC_DROP:
		return plan_drop(a, act, plan);
	case TWZ_ALLOC_SET:
		return plan_set(a, act, plan);
	}
	return -EINVAL;
}

static bool is_region(const struct twz_alloc_action *act)
{
	return act->kind == TWZ_ALLOC_KEEP || act->kind == TWZ_ALLOC_DROP;
}

/* One region is kept or dropped once. */
static bool is_met_twice(struct arena *a, const struct twz_alloc_action *actions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (is_region(&actions[i]) && is_region(&actions[j]) &&
			    __twz_alloc_offset(a->o, actions[i].at) ==
			    __twz_alloc_offset(a->o, actions[j].at))
				return true;
	return false;
}

typedef void commit_fn(struct arena *a, unsigned l, const uint64_t *words, unsigned n);

static int publish(twzobj *o, const struct twz_alloc_action *actions, size_t n, commit_fn *commit)
{
	struct plan plan = { .n = 0 };
	struct arena a;
	unsigned l;
	int r = __twz_alloc_open(&a, o);

	if (r == 0 && n > TWZ_ALLOC_ACTIONS)
		r = -E2BIG;
	if (r == 0 && is_met_twice(&a, actions, n))
		r = -EINVAL;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = plan_one(&a, &actions[i], &plan);
	if (r < 0 || n == 0)
		return r;
	if (plan.needs_fence)
		__twz_obj_fence(o);
	l = __twz_alloc_lane_acquire(&a);
	commit(&a, l, plan.words, plan.n);
	__twz_alloc_lane_release(&a, l);
	return 0;
}

int twz_alloc_publish(twzobj *o, const struct twz_alloc_action *actions, size_t n)
{
	return publish(o, actions, n, __twz_alloc_commit);
}

int __twz_alloc_publish_words(twzobj *o, const struct twz_alloc_action *actions, size_t n)
{
	return publish(o, actions, n, __twz_alloc_commit_words);
}
