// SPDX-License-Identifier: BSD-3-Clause
/*
 * Doubly linked lists of sealed words on the media: the orphan list, the tie pages with room, an
 * object's ties. All changes are part of the transaction and see what it has changed before.
 */
#include "internal.h"

static bool head_is_state(const struct list *list)
{
	return list->head < STORE_PAGE_SIZE;
}

static enum state_word head_state(const struct list *list)
{
	return (enum state_word)((list->head - STATE_OFFSET) / 8);
}

/* An element's number, from a link or a head: 0, or within the object pages. */
static int checked(struct store *st, const struct list *list, uint64_t offset, uint64_t element)
{
	uint64_t page = element / (STORE_PAGE_SIZE / list->unit);

	if (element && (page < st->first_data || page >= st->pages))
		return store_damaged(st, "link out of range", offset);
	return 0;
}

int store_list_first(struct store *st, const struct list *list, uint64_t *element)
{
	int error = head_is_state(list) ? store_tx_state_get(st, head_state(list), element)
					: store_tx_get(st, list->head, element);

	return error ? error : checked(st, list, list->head, *element);
}

static uint64_t link_at(const struct list *list, uint64_t element, unsigned index)
{
	return element * list->unit + 8ull * index;
}

int store_list_next(struct store *st, const struct list *list, uint64_t element, uint64_t *next)
{
	uint64_t offset = link_at(list, element, list->next);
	int error = store_tx_get(st, offset, next);

	return error ? error : checked(st, list, offset, *next);
}

static void set_first(struct store *st, const struct list *list, uint64_t element)
{
	if (head_is_state(list))
		store_tx_state(st, head_state(list), element);
	else
		store_tx_put(st, list->head, element);
}

void store_list_add(struct store *st, const struct list *list, uint64_t element)
{
	uint64_t head;
	int error = store_list_first(st, list, &head);

	if (error) {
		store_tx_fail(st, error);
		return;
	}
	store_tx_put(st, link_at(list, element, list->next), head);
	store_tx_put(st, link_at(list, element, list->prev), 0);
	if (head)
		store_tx_put(st, link_at(list, head, list->prev), element);
	set_first(st, list, element);
}

/* Both neighbours must agree that the element stands between them. */
static int neighbours(struct store *st, const struct list *list, uint64_t element, uint64_t *next,
		      uint64_t *prev)
{
	uint64_t at = link_at(list, element, list->prev);
	uint64_t back = element, forth;
	int error = store_list_next(st, list, element, next);

	if (!error)
		error = store_tx_get(st, at, prev);
	if (!error)
		error = checked(st, list, at, *prev);
	if (!error && *next)
		error = store_tx_get(st, link_at(list, *next, list->prev), &back);
	if (error)
		return error;
	error = *prev ? store_list_next(st, list, *prev, &forth)
		      : store_list_first(st, list, &forth);
	if (!error && (forth != element || back != element))
		error = store_damaged(st, "list", at);
	return error;
}

void store_list_remove(struct store *st, const struct list *list, uint64_t element)
{
	uint64_t next, prev;
	int error = neighbours(st, list, element, &next, &prev);

	if (error) {
		store_tx_fail(st, error);
		return;
	}
	if (prev)
		store_tx_put(st, link_at(list, prev, list->next), next);
	else
		set_first(st, list, next);
	if (next)
		store_tx_put(st, link_at(list, next, list->prev), prev);
	store_tx_put(st, link_at(list, element, list->next), 0);
	store_tx_put(st, link_at(list, element, list->prev), 0);
}
