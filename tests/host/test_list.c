// SPDX-License-Identifier: BSD-3-Clause
/* Tests of base/list.h. */
#include "unit.h"

#include <base/list.h>

struct item {
	int value;
	struct list link;
};

static struct item items[6];

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		items[i].value = i;
		list_init(&items[i].link);
	}
	return 0;
}

/* The values on the list, as a number of decimal digits; checks the links backwards, too. */
static long digits(struct list *head)
{
	long n = 0;

	list_for_each_entry(struct item, it, head, link) {
		assert_ptr_equal(it->link.prev->next, &it->link);
		assert_ptr_equal(it->link.next->prev, &it->link);
		n = n * 10 + it->value;
	}
	return n;
}

static void empty_list(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	assert_true(list_empty(&head));
	assert_null(list_first(&head));
	assert_null(list_last(&head));
	assert_null(list_pop_front(&head));
	assert_int_equal(digits(&head), 0);
}

static void order_of_insertion(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	list_push_back(&head, &items[2].link);
	list_push_back(&head, &items[3].link);
	list_push_front(&head, &items[1].link);
	list_insert_after(&items[2].link, &items[4].link);
	list_insert_before(&items[2].link, &items[5].link);
	assert_int_equal(digits(&head), 15243);
	assert_ptr_equal(list_entry(list_first(&head), struct item, link), &items[1]);
	assert_ptr_equal(list_last(&head), &items[3].link);
}

static void removal_unlinks(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	for (int i = 1; i <= 4; i++)
		list_push_back(&head, &items[i].link);
	assert_true(list_linked(&items[2].link));
	list_remove(&items[2].link);
	list_remove(&items[2].link);
	assert_false(list_linked(&items[2].link));
	assert_int_equal(digits(&head), 134);
	assert_ptr_equal(list_pop_front(&head), &items[1].link);
	list_remove(&items[4].link);
	list_remove(&items[3].link);
	assert_true(list_empty(&head));
}

static void walking_while_removing(void **state)
{
	struct list head = LIST_INIT(head);

	(void)state;
	for (int i = 1; i <= 5; i++)
		list_push_back(&head, &items[i].link);
	list_for_each_safe(n, &head) {
		if (list_entry(n, struct item, link)->value % 2 == 0)
			list_remove(n);
	}
	assert_int_equal(digits(&head), 135);
	list_for_each_entry_safe(struct item, it, &head, link)
		list_remove(&it->link);
	assert_true(list_empty(&head));
}

static void joining_lists(void **state)
{
	struct list a = LIST_INIT(a), b = LIST_INIT(b);

	(void)state;
	list_append_all(&a, &b);
	assert_true(list_empty(&a));
	list_push_back(&b, &items[1].link);
	list_push_back(&b, &items[2].link);
	list_append_all(&a, &b);
	assert_int_equal(digits(&a), 12);
	assert_true(list_empty(&b));
	list_push_back(&b, &items[3].link);
	list_append_all(&a, &b);
	assert_int_equal(digits(&a), 123);
	list_append_all(&a, &b);
	assert_int_equal(digits(&a), 123);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(empty_list, setup),
		cmocka_unit_test_setup(order_of_insertion, setup),
		cmocka_unit_test_setup(removal_unlinks, setup),
		cmocka_unit_test_setup(walking_while_removing, setup),
		cmocka_unit_test_setup(joining_lists, setup),
	};

	return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
