// SPDX-License-Identifier: BSD-3-Clause
/*
 * The durable list of threads to start again, see kso/resume_book.h and docs/format-resume.md.
 */
#define LOG_PREFIX "resume"

#include <abi/errno.h>
#include <abi/object.h>
#include <base/string.h>
#include <kso/resume_book.h>
#include <log.h>
#include <obj/object.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <spinlock.h>

#define RECORD_BYTES 1024u
#define RECORD_IN_USE 1u
#define RECORD_UNRESTRICTED 2u
#define RECORD_FLAGS (RECORD_IN_USE | RECORD_UNRESTRICTED)
#define SUM_BYTES 16u

/* On media. */
struct record {
	uint64_t sequence; /* of the two copies the higher counts; 0 = never written */
	uint32_t flags;
	uint32_t context_count;
	objid_t thread;
	objid_t view;
	objid_t active;
	struct twz_sched sched;
	objid_t contexts[TWZ_THRD_MAX_SCS];
	uint8_t reserved[288];
	uint8_t sum[SUM_BYTES]; /* over all bytes before it */
};

_Static_assert(sizeof(struct record) == RECORD_BYTES, "a record");
_Static_assert(offsetof(struct record, sched) == 64, "record: sched");
_Static_assert(offsetof(struct record, contexts) == 208, "record: contexts");
_Static_assert(offsetof(struct record, sum) == RECORD_BYTES - SUM_BYTES, "record: sum");

/*
 * Places are counted from 1: place p begins at object offset PLACE_BYTES · (p + 1), two to a page.
 */
#define PLACE_BYTES (2 * RECORD_BYTES)
#define PLACES_MAX ((uint32_t)(OBJ_MAXDATA / PLACE_BYTES))
_Static_assert(OBJ_NULLPAGE_SIZE == 2 * PLACE_BYTES, "place 1 is the first of the data");

static struct {
	struct spinlock lock;
	/* Guarded by lock. */
	struct object *object; /* holds a reference */
	uint32_t places;       /* those beyond have never been used */
	uint32_t lowest_free;  /* no place below it is free */
	/* Too large for the stack: what is read, and what is to be written. */
	struct record in, out;
} book;

static uint64_t copy_offset(resume_place place, unsigned int copy)
{
	return (uint64_t)(place + 1) * PLACE_BYTES + copy * RECORD_BYTES;
}

static void record_sum(const struct record *record, uint8_t sum[SUM_BYTES])
{
	static const uint8_t personal[16] = "twz-resume-rec-1";

	crypto_generichash_blake2b_salt_personal(sum, SUM_BYTES, (const uint8_t *)record,
						 offsetof(struct record, sum), NULL, 0, NULL, personal);
}

static bool record_sound(const struct record *record)
{
	uint8_t sum[SUM_BYTES];

	record_sum(record, sum);
	return memcmp(sum, record->sum, SUM_BYTES) == 0 && record->sequence &&
	       !(record->flags & ~RECORD_FLAGS) && record->context_count <= TWZ_THRD_MAX_SCS;
}

/* What a place holds. The copy that counts is left in book.in. */
struct content {
	int copy; /* -1: none counts */
	uint64_t sequence;
	bool written;
	bool in_use;
};

static int read_copy(resume_place place, int copy)
{
	return object_read(book.object, copy_offset(place, copy), &book.in, RECORD_BYTES);
}

static int read_place(resume_place place, struct content *content)
{
	int error = 0;

	*content = (struct content){ .copy = -1 };
	for (int copy = 0; copy < 2 && !error; copy++) {
		error = read_copy(place, copy);
		content->written |= book.in.sequence != 0;
		if (error || !record_sound(&book.in) || book.in.sequence <= content->sequence)
			continue;
		content->copy = copy;
		content->sequence = book.in.sequence;
		content->in_use = book.in.flags & RECORD_IN_USE;
	}
	if (!error && content->copy == 0)
		error = read_copy(place, 0);
	return error;
}

/* Make book.out what the place holds. The copy that counts stays until the other one is whole. */
static int write_place(resume_place place)
{
	struct content content;
	int error = read_place(place, &content);

	if (error)
		return error;
	book.out.sequence = content.sequence + 1;
	record_sum(&book.out, book.out.sum);
	uint64_t at = copy_offset(place, content.copy == 0 ? 1 : 0);
	error = object_write(book.object, at, &book.out, RECORD_BYTES);
	if (!error)
		object_sync(book.object, at, RECORD_BYTES);
	return error;
}

static int place_is_free(resume_place place, bool *free)
{
	struct content content;
	int error = place > book.places ? 0 : read_place(place, &content);

	*free = !error && (place > book.places || !content.in_use);
	return error;
}

static int find_free(resume_place *place)
{
	bool free = false;
	int error = 0;
	uint32_t at;

	for (at = book.lowest_free; !error && at <= PLACES_MAX; at++) {
		error = place_is_free(at, &free);
		if (free)
			break;
	}
	*place = at;
	return error ? error : free ? 0 : -ENOSPC;
}

static void fill_out(const struct resume_state *state)
{
	book.out = (struct record){
		.flags = RECORD_IN_USE | (state->unrestricted ? RECORD_UNRESTRICTED : 0),
		.context_count = state->context_count,
		.thread = state->thread,
		.view = state->view,
		.active = state->active,
		.sched = state->sched,
	};
	memcpy(book.out.contexts, state->contexts, state->context_count * sizeof(objid_t));
}

int resume_book_write(resume_place *place, const struct resume_state *state)
{
	int error = -ENODEV;
	resume_place at = *place;

	spin_lock(&book.lock);
	if (book.object)
		error = at ? 0 : find_free(&at);
	if (!error) {
		fill_out(state);
		error = write_place(at);
	}
	if (!error && !*place) {
		book.lowest_free = at + 1;
		if (at > book.places)
			book.places = at;
		*place = at;
	}
	spin_unlock(&book.lock);
	return error;
}

int resume_book_erase(resume_place *place)
{
	int error = -ENODEV;

	spin_lock(&book.lock);
	if (book.object) {
		book.out = (struct record){ 0 };
		error = write_place(*place);
	}
	if (!error) {
		if (*place < book.lowest_free)
			book.lowest_free = *place;
		*place = 0;
	}
	spin_unlock(&book.lock);
	return error;
}

static void take_in(struct resume_state *state)
{
	*state = (struct resume_state){
		.thread = book.in.thread,
		.view = book.in.view,
		.active = book.in.active,
		.unrestricted = book.in.flags & RECORD_UNRESTRICTED,
		.context_count = book.in.context_count,
		.sched = book.in.sched,
	};
	memcpy(state->contexts, book.in.contexts, sizeof(state->contexts));
}

resume_place resume_book_next(resume_place after, struct resume_state *state)
{
	resume_place found = 0;

	spin_lock(&book.lock);
	for (resume_place place = after + 1; !found && place <= book.places; place++) {
		struct content content;
		if (read_place(place, &content) != 0 || !content.in_use)
			continue;
		take_in(state);
		found = place;
	}
	spin_unlock(&book.lock);
	return found;
}

/* ---- Opening ---- */

/* Pages are added one behind the other, and never taken away. */
static int count_places(struct object *object, uint32_t *places)
{
	void *page = NULL;
	uint64_t pgnr = 1;
	int error;

	spin_lock(&object->lock);
	while ((error = object_page(object, pgnr, false, &page)) == 0 && page)
		pgnr++;
	spin_unlock(&object->lock);
	*places = (pgnr - 1) * (PAGE_SIZE / PLACE_BYTES);
	return error;
}

static void report_damage(void)
{
	for (resume_place place = 1; place <= book.places; place++) {
		struct content content;
		int error = read_place(place, &content);
		if (error || (content.written && content.copy < 0))
			log_warn("place %u of the threads to resume holds no whole record: if a thread had been entered "
				 "there, it is not resumed", place);
	}
}

int resume_book_open(struct object *object)
{
	uint32_t places;
	int error = count_places(object, &places);

	if (error)
		return error;
	object_ref(object);
	spin_lock(&book.lock);
	book.object = object;
	book.places = places;
	book.lowest_free = 1;
	report_damage();
	spin_unlock(&book.lock);
	return 0;
}
