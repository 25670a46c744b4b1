// SPDX-License-Identifier: BSD-3-Clause
/*
 * The load: operations drawn from a seed. Each thread works on its own area and objects, so that
 * what it announced in order is what its part of the store went through; threads meet in the
 * store, the name root and the shared counter.
 */
#include "storm.h"

#include <base/printf.h>
#include <twz/name.h>
#include <twz/persist.h>
#include <twz/sys/sys.h>

#define SYNC_ONE_IN 8u /* writes */
#define BURST_MAX 20u
#define COPY_ONE_IN 3u /* creations */

static uint32_t draw(struct worker *w, uint32_t below)
{
	w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((w->random >> 33) % below);
}

static uint32_t this_pattern(const struct worker *w)
{
	return w->number << 28 | (w->seq & 0xfffffff);
}

/* --- objects */

static void enter(struct worker *w, unsigned i, objid_t id)
{
	announce(w, "e %u " IDFMT, i, IDPR(id));
	slot_enter(&w->area->slots[i], id);
	acknowledge(w);
}

static void create_in(struct worker *w, unsigned i, objid_t source)
{
	objid_t id;
	int r = twz_object_create(OBJECT_FLAGS | TWZ_OC_PERSIST, 0, source, &id);

	if (r < 0) {
		refuse(w, r);
		return;
	}
	acknowledge_id(w, id);
	enter(w, i, id);
}

static void op_create(struct worker *w, unsigned i)
{
	unsigned from = 1 + draw(w, SLOTS - 1);

	if (i != LOG_SLOT && draw(w, COPY_ONE_IN) == 0 && slot_is_used(&w->area->slots[from])) {
		announce(w, "y %u %u", i, from);
		create_in(w, i, w->area->slots[from].id);
	} else {
		announce(w, "c %u", i);
		create_in(w, i, 0);
	}
}

/* The object goes before the slot: a slot that names nothing can be told, a lost object not. */
static void op_delete(struct worker *w, unsigned i)
{
	int r;

	if (delete_tied(w, i))
		return;
	release_children(w, i);
	announce(w, "d %u", i);
	r = twz_object_delete_guid(w->area->slots[i].id, TWZ_OD_IMMEDIATE);
	if (r == 0)
		slot_clear(&w->area->slots[i]);
	finish(w, r);
	if (r == 0)
		forget_parent(w, i);
}

static void write_page(uint64_t *page, uint32_t pattern, unsigned place)
{
	for (unsigned i = 0; i < WORDS_PER_PAGE; i++)
		__atomic_store_n(&page[i], pattern_word(pattern, place, i), __ATOMIC_RELAXED);
	_clwb_len(page, TWZ_PAGE_SIZE);
}

/* The other way to durability: the kernel's. */
static int sync_pages(objid_t id, unsigned first, unsigned count)
{
	long r = 0;

	for (unsigned p = first; p < first + count && r == 0; p++)
		r = sys_osync(id, places[p] * TWZ_PAGE_SIZE, TWZ_PAGE_SIZE, 0);
	return (int)r;
}

static void op_write(struct worker *w, unsigned i)
{
	unsigned count = 1 + draw(w, 3), first = draw(w, PLACES - count + 1);
	objid_t id = w->area->slots[i].id;
	char *start;
	twzobj o;
	int r = 0;

	announce(w, "w %u %u %u", i, first, count);
	r = twz_object_init_guid(&o, id, ACCESS);
	if (r == 0) {
		start = (char *)twz_object_base(&o) - OBJ_NULLPAGE_SIZE;
		for (unsigned p = first; p < first + count; p++)
			write_page((uint64_t *)(start + places[p] * TWZ_PAGE_SIZE), this_pattern(w), p);
		if (draw(w, SYNC_ONE_IN) == 0)
			r = sync_pages(id, first, count);
		else
			_pfence();
		twz_object_release(&o);
	}
	finish(w, r);
}

/* Places from first on whose pages follow one another: what one call can copy. */
static unsigned run_length(unsigned first, unsigned most)
{
	unsigned n = 1;

	while (n < most && places[first + n] == places[first] + n)
		n++;
	return n;
}

static void op_copy_pages(struct worker *w, unsigned i)
{
	unsigned from = 1 + draw(w, SLOTS - 1), count = 1 + draw(w, 4);
	unsigned first = draw(w, PLACES - count + 1), n;
	const struct slot *slots = w->area->slots;
	long r = 0;

	if (from == i || !slot_is_used(&slots[from]))
		return;
	announce(w, "p %u %u %u %u", i, first, count, from);
	for (unsigned p = first; p < first + count && r == 0; p += n) {
		uint64_t offset = places[p] * TWZ_PAGE_SIZE;

		n = run_length(p, first + count - p);
		r = sys_ocopy(&slots[i].id, &slots[from].id, offset, offset, n * TWZ_PAGE_SIZE, 0);
	}
	finish(w, (int)r);
}

static void op_size(struct worker *w, unsigned i)
{
	uint64_t size = draw(w, 1u << 20);
	twzobj o;
	int r;

	announce(w, "z %u %lu", i, (unsigned long)size);
	r = twz_object_init_guid(&o, w->area->slots[i].id, ACCESS);
	if (r == 0) {
		twz_object_setsz(&o, TWZ_OSSM_ABSOLUTE, (ssize_t)size);
		twz_object_release(&o);
	}
	finish(w, r);
}

/*
 * An object with a page of its own, entered in the slot: all of it is durable, or the slot is
 * empty.
 */
static int burst_object(struct worker *w, unsigned i, objid_t *id)
{
	twzobj o;
	int r = twz_object_new(&o, NULL, NULL, OBJ_PERSISTENT, OBJECT_FLAGS);

	if (r < 0)
		return r;
	*id = twz_object_guid(&o);
	write_page(twz_object_base(&o), this_pattern(w), 0);
	_pfence();
	twz_object_release(&o);
	slot_enter(&w->area->slots[i], *id);
	return 0;
}

static int burst_delete(struct slot *s)
{
	int r = twz_object_delete_guid(s->id, TWZ_OD_IMMEDIATE);

	slot_clear(s);
	return r;
}

/*
 * Objects that come and go in an empty slot, with no word to the console: it takes longer than all
 * that the store does, and a cut would mostly fall into it. The last object stays.
 */
static void op_burst(struct worker *w, unsigned i)
{
	unsigned count = 1 + draw(w, BURST_MAX);
	objid_t id = 0;
	int r;

	announce(w, "b %u %u", i, count);
	r = burst_object(w, i, &id);
	while (r == 0 && --count) {
		r = burst_delete(&w->area->slots[i]);
		if (r == 0)
			r = burst_object(w, i, &id);
	}
	if (r < 0)
		refuse(w, r);
	else
		acknowledge_id(w, id);
}

/* --- names, log, counters */

static void op_name(struct worker *w, unsigned i)
{
	unsigned k = draw(w, NAMES);
	char name[32];

	snprintf(name, sizeof(name), STORM_NAME ".%u.%u", w->number, k);
	if (draw(w, 3)) {
		announce(w, "n %u %u", k, i);
		finish(w, twz_name_dfl_assign(w->area->slots[i].id, name));
	} else {
		int r;

		announce(w, "u %u", k);
		r = twz_name_dfl_remove(name);
		finish(w, r == -ENOENT ? 0 : r);
	}
}

static void append(struct log *log, unsigned thread, uint64_t number)
{
	struct record *r = &log->records[(number - 1) % LOG_RECORDS];

	record_fill(r, thread, number);
	persist(r, sizeof(*r));
	__atomic_store_n(&log->count, number, __ATOMIC_RELEASE);
	persist(&log->count, sizeof(log->count));
}

static void op_log(struct worker *w)
{
	struct log *log;
	twzobj o;
	int r;

	if (!slot_is_used(&w->area->slots[LOG_SLOT])) {
		op_create(w, LOG_SLOT);
		return;
	}
	r = twz_object_init_guid(&o, w->area->slots[LOG_SLOT].id, ACCESS);
	if (r < 0)
		return;
	log = twz_object_base(&o);
	announce(w, "l %lu", (unsigned long)log->count + 1);
	append(log, w->number, log->count + 1);
	acknowledge(w);
	twz_object_release(&o);
}

static void op_counter(struct worker *w)
{
	uint64_t *counter = &w->area->counter;

	announce(w, "k %lu", (unsigned long)*counter + 1);
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELEASE);
	persist(counter, sizeof(*counter));
	acknowledge(w);
}

static void op_shared(struct worker *w)
{
	uint64_t value;

	announce(w, "s");
	value = atomic_fetch_add(&directory->shared, 1) + 1;
	persist(&directory->shared, sizeof(directory->shared));
	acknowledge_value(w, value);
}

/* --- all of it */

static void one_operation(struct worker *w)
{
	unsigned what = draw(w, 100), i = 1 + draw(w, SLOTS - 1);
	bool used = slot_is_used(&w->area->slots[i]);

	if (what < 12)
		op_log(w);
	else if (what < 20)
		op_counter(w);
	else if (what < 28)
		op_shared(w);
	else if (!used && what < 60)
		op_burst(w, i);
	else if (!used)
		op_create(w, i);
	else if (what < 33)
		op_name(w, i);
	else if (what < 50)
		op_delete(w, i);
	else if (what < 56)
		op_tie(w, i, 1 + draw(w, SLOTS - 1));
	else if (what < 57)
		op_untie(w, i);
	else if (what < 62)
		op_size(w, i);
	else if (what < 70)
		op_copy_pages(w, i);
	else
		op_write(w, i);
}

static void tidy_slot(struct worker *w, struct area *a, unsigned thread, unsigned i)
{
	struct kernel_ostat st;
	struct slot *s = &a->slots[i];

	if (!slot_is_used(s) || (sys_ostat(TWZ_OSTAT_OBJECT, s->id, 0, &st) != -ENOENT))
		return;
	announce(w, "f %u %u", thread, i);
	slot_clear(s);
	acknowledge(w);
}

void load_tidy(struct worker *w)
{
	const struct request *q = w->request;
	struct kernel_ostat st;

	for (unsigned t = 0; t < MAX_THREADS; t++)
		for (unsigned i = 0; i < SLOTS; i++)
			tidy_slot(w, &directory->areas[t], t, i);
	for (unsigned i = 0; i < q->look_count; i++) {
		if (id_in_slots(q->looks[i]) || sys_ostat(TWZ_OSTAT_OBJECT, q->looks[i], 0, &st) < 0 ||
		    (st.flags & OS_FLAGS_DELETED))
			continue;
		announce(w, "x " IDFMT, IDPR(q->looks[i]));
		finish(w, twz_object_delete_guid(q->looks[i], TWZ_OD_IMMEDIATE));
	}
	flush_said(w);
}

void load_run(struct worker *w)
{
	for (uint64_t n = 0; !w->request->limit || n < w->request->limit; n++)
		one_operation(w);
	flush_said(w);
}
