// SPDX-License-Identifier: BSD-3-Clause
/* Tests of base/heap.h, by comparison with a plain array. */
#include "unit.h"

#include <base/heap.h>

#define NODES 300

static struct heap_node nodes[NODES];

static int setup(void **state)
{
	(void)state;
	memset(nodes, 0, sizeof(nodes));
	return 0;
}

/* The smallest key among the nodes that say they are in a heap; *count = how many do. */
static uint64_t smallest(size_t *count)
{
	uint64_t min = UINT64_MAX;

	*count = 0;
	for (size_t i = 0; i < NODES; i++) {
		if (!heap_contains(&nodes[i]))
			continue;
		(*count)++;
		if (nodes[i].key < min)
			min = nodes[i].key;
	}
	return min;
}

static void empty_heap(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h);
	assert_true(heap_empty(&h));
	assert_null(heap_min(&h));
	assert_null(heap_pop(&h));
}

static void pops_in_order(void **state)
{
	struct heap h = { NULL };
	uint64_t seed = 7, last = 0;

	(void)state;
	for (size_t i = 0; i < NODES; i++)
		heap_insert(&h, &nodes[i], next_random(&seed) % 100);
	for (size_t i = 0; i < NODES; i++) {
		struct heap_node *n = heap_pop(&h);

		assert_non_null(n);
		assert_true(n->key >= last);
		assert_false(heap_contains(n));
		last = n->key;
	}
	assert_true(heap_empty(&h));
}

static void extreme_keys(void **state)
{
	struct heap h = { NULL };

	(void)state;
	heap_insert(&h, &nodes[0], UINT64_MAX);
	heap_insert(&h, &nodes[1], 0);
	heap_insert(&h, &nodes[2], 1ull << 63);
	assert_ptr_equal(heap_pop(&h), &nodes[1]);
	assert_ptr_equal(heap_pop(&h), &nodes[2]);
	assert_ptr_equal(heap_pop(&h), &nodes[0]);
}

static void one_step(struct heap *h, uint64_t *seed)
{
	struct heap_node *n = &nodes[next_random(seed) % NODES];
	size_t count;
	uint64_t min;

	if (!heap_contains(n))
		heap_insert(h, n, next_random(seed) % 1000);
	else if (next_random(seed) % 2 == 0)
		heap_remove(h, n);
	else
		heap_pop(h);
	min = smallest(&count);
	assert_int_equal(heap_empty(h), count == 0);
	if (count != 0)
		assert_int_equal(heap_min(h)->key, min);
}

static void random_insertions_and_removals(void **state)
{
	struct heap h = { NULL };
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 20000; i++)
		one_step(&h, &seed);
}

/* A million nodes in ascending order make the longest list of children there is. */
static void no_recursion(void **state)
{
	const size_t many = 1000000;
	struct heap_node *n = calloc(many, sizeof(*n));
	struct heap h = { NULL };

	(void)state;
	assert_non_null(n);
	for (size_t i = 0; i < many; i++)
		heap_insert(&h, &n[i], i);
	for (size_t i = 0; i < many; i++)
		assert_ptr_equal(heap_pop(&h), &n[i]);
	for (size_t i = many; i > 0; i--)
		heap_insert(&h, &n[i - 1], i);
	for (size_t i = 0; i < many; i++)
		heap_remove(&h, &n[i]);
	assert_true(heap_empty(&h));
	free(n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_heap, setup),
		cmocka_unit_test_setup(pops_in_order, setup),
		cmocka_unit_test_setup(extreme_keys, setup),
		cmocka_unit_test_setup(random_insertions_and_removals, setup),
		cmocka_unit_test(no_recursion),
	};

	return cmocka_run_group_tests_name("base/heap", tests, NULL, NULL);
}
