// SPDX-License-Identifier: BSD-3-Clause
/*
 * Power cuts in transactions that allocate and free: a list has the nodes it had before or after, and
 * the live regions are its nodes, no more and no fewer.
 */
#include "unit.h"

#include <abi/errno.h>
#include <string.h>
#include <twz/persist.h>
#include <twz/txalloc.h>

#include "../../userspace/libtwz/src/tx/txn.h"
#include "libtwz/explore.h"

#define LOG 1024u
#define MOST 16u

struct node {
	struct node *next; /* p-ptr */
	uint64_t value;
};

struct root {
	struct node *head; /* p-ptr */
	_Alignas(64) struct twz_tx tx;
	char log[LOG];
	struct twz_tx_allocs allocs;
};

__thread struct twz_tx_run *__twz_tx_innermost;

/* Not reached: logs of one object have no parts. */
int __twz_tx_guarded(int (*fn)(void *), void *arg)
{
	return fn(arg);
}

/* The list, from its head on. */
struct list {
	unsigned n;
	uint64_t value[MOST];
};

static struct list now, next;

static struct root *root(void)
{
	return explore_object(0)->base;
}

static void settle(void)
{
	assert_int_equal(tx_alloc_settle(explore_object(0), &root()->tx, &root()->allocs), 0);
}

#define SEEN static __attribute__((noinline))

SEEN void fill(void *p, void *data)
{
	struct node *n = p;

	n->next = root()->head;
	n->value = *(uint64_t *)data;
}

/* Take one node off, put two on. */
SEEN void change(uint64_t value, bool take, bool commit)
{
	struct root *r = root();
	void *p;

	TXSTART(explore_object(0), &r->tx) {
		TXRECORD(&r->tx, &r->head);
		if (take) {
			struct node *first = twz_object_lea(explore_object(0), r->head);

			assert_int_equal(tx_free(&r->tx, &r->allocs, r->head), 0);
			r->head = first->next;
		}
		for (uint64_t v = value; v < value + 2; v++) {
			uint64_t filling = v;

			assert_int_equal(tx_alloc(explore_object(0), &r->tx, &r->allocs,
			    sizeof(struct node), fill, &filling, &p), 0);
			r->head = p;
		}
		TXRECORD_ALLOCS(&r->tx, &r->allocs);
		if (commit)
			TXCOMMIT;
		TXABORT(1);
	} TXEND;
	settle();
}

EXPLORE_SEEN_ONLY_LIBTWZ

static void setup(void)
{
	tx_init(&root()->tx, LOG);
	assert_int_equal(twz_object_init_alloc(explore_object(0), 8192), 0);
	memset(&now, 0, sizeof(now));
	next = now;
}

static void put(uint64_t value)
{
	memmove(next.value + 1, next.value, next.n++ * sizeof(*next.value));
	next.value[0] = value;
}

static void stepped(void)
{
	now = next;
	explore_step_end();
}

static void operation(void)
{
	for (uint64_t i = 1; i < 4; i++) {
		explore_step_begin();
		if (i > 1)
			memmove(next.value, next.value + 1, --next.n * sizeof(*next.value));
		put(10 * i);
		put(10 * i + 1);
		change(10 * i, i > 1, true);
		stepped();
		explore_step_begin();
		change(1000, true, false);
		stepped();
	}
}

static void recover(void)
{
	settle();
	_pfence();
}

static int count(void *p, size_t len, void *data)
{
	(void)p, (void)len;
	++*(unsigned *)data;
	return 0;
}

static bool is(const struct list *want)
{
	const struct node *n = twz_object_lea(explore_object(0), root()->head);
	unsigned i = 0;

	for (; n && i < want->n; n = twz_object_lea(explore_object(0), n->next))
		if (n->value != want->value[i++] || !twz_alloc_usable(explore_object(0), n))
			return false;
	return !n && i == want->n;
}

static const char *judge(void)
{
	const struct list *l = is(&now) ? &now : &next;
	unsigned live = 0;

	if (!is(l))
		return "neither list";
	twz_alloc_walk(explore_object(0), count, &live);
	if (live != l->n)
		return live > l->n ? "a region is lost" : "a node is free";
	return twz_alloc_check(explore_object(0), NULL, NULL) == 0 ? NULL : "the allocator makes no sense";
}

/* Those of allocator and log have tests of their own. */
static const char *const elsewhere[] = { "tx_init", "twz_alloc", "twz_free", "renew", "recover", "flush_drop", "drop",
	"count_records", "__twz_txlog_publish", "commit_small", "__twz_txlog_commit", "undo_span",
	"__twz_txlog_undo", "__twz_txlog_recover", "__twz_txlog_settle", "__twz_tx_check", NULL };

static void cut(void **state)
{
	static const struct explore_test t = { .objects = 1, .data_pages = 200, .setup = setup, .operation = operation,
		.recover = recover, .judge = judge, .unneeded = elsewhere };
	struct explore_result r;

	(void)state;
	r = explore_run(&t);
	print_message("# %lu states, %lu of recovery; %lu bad%s%s\n", r.states, r.nested, r.bad, r.bad ? ": " : "",
	    r.bad ? r.first : "");
	assert_true(r.states > 100);
	assert_int_equal(r.bad, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut),
	};

	(void)argc, (void)argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

EXPLORE_SEEN_END
