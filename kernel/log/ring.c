// SPDX-License-Identifier: BSD-3-Clause
/*
 * The records of the log. The first ones stand in the kernel's image, as there is no other memory
 * yet; once there are objects they move into one.
 *
 * Readers take no lock: `number` is 0 while a record changes, and is written last.
 */
#include <stdatomic.h>

#include <base/bits.h>
#include <base/string.h>
#include <cpu.h>
#include <log_ring.h>
#include <obj/data.h>
#include <obj/object.h>
#include <sched/sync.h>
#include <sched/time.h>

#define EARLY_RECORDS 128u
#define RECORDS_PER_PAGE (PAGE_SIZE / sizeof(struct twz_klog_record))
#define PAGES 16u
#define CAPACITY (PAGES * RECORDS_PER_PAGE)

_Static_assert(TWZ_KLOG_RECORDS == PAGE_SIZE, "records begin with the second page");
_Static_assert(PAGE_SIZE % sizeof(struct twz_klog_record) == 0, "no record is in two pages");
_Static_assert(EARLY_RECORDS <= CAPACITY, "all early records move");

/* Guarded by the log's lock. */
static struct twz_klog_record early[EARLY_RECORDS];
static uint64_t next;
static struct twz_klog *head; /* NULL: the records are the early ones */

static struct object *object;                  /* set once, before head */
static struct twz_klog_record *pages[PAGES];

static struct twz_klog_record *place(uint64_t number)
{
	if (head == NULL)
		return &early[number % EARLY_RECORDS];
	number %= CAPACITY;
	return &pages[number / RECORDS_PER_PAGE][number % RECORDS_PER_PAGE];
}

static void set_number(struct twz_klog_record *record, uint64_t number, memory_order order)
{
	atomic_store_explicit((_Atomic uint64_t *)&record->number, number, order);
}

static void set_next(uint64_t number)
{
	next = number;
	if (head != NULL)
		atomic_store_explicit((_Atomic uint64_t *)&head->next, number, memory_order_release);
}

static void open_record(struct log_writer *writer)
{
	struct twz_klog_record *record = place(next);

	set_number(record, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	record->ns = time_now_ns();
	record->level = writer->level;
	record->flags = writer->flags;
	record->length = 0;
	record->cpu = this_cpu()->id;
	writer->open = record;
}

void log_ring_end(struct log_writer *writer, uint8_t flags)
{
	struct twz_klog_record *record = writer->open;

	if (record == NULL)
		return;
	record->flags |= flags;
	set_number(record, next + 1, memory_order_release);
	set_next(next + 1);
	writer->open = NULL;
}

/* As much as goes into one record, at most up to a newline. Returns how much that was. */
static size_t put_part(struct log_writer *writer, const char *text, size_t length)
{
	const char *newline = memchr(text, '\n', length);
	size_t line = newline != NULL ? (size_t)(newline - text) : length;

	if (writer->open != NULL && line > 0 && writer->open->length == TWZ_KLOG_TEXT)
		log_ring_end(writer, TWZ_KLOG_CONTINUES);
	if (writer->open == NULL)
		open_record(writer);

	struct twz_klog_record *record = writer->open;
	size_t n = MIN(line, (size_t)(TWZ_KLOG_TEXT - record->length));
	memcpy(record->text + record->length, text, n);
	record->length += n;
	if (newline == NULL || n < line)
		return n;
	log_ring_end(writer, 0);
	return n + 1;
}

void log_ring_put(struct log_writer *writer, const char *text, size_t length)
{
	while (length > 0) {
		size_t n = put_part(writer, text, length);

		text += n;
		length -= n;
	}
}

uint64_t log_ring_next(void)
{
	return next;
}

uint64_t log_ring_first(void)
{
	uint64_t kept = head != NULL ? CAPACITY : EARLY_RECORDS;

	return next > kept ? next - kept : 0;
}

const struct twz_klog_record *log_ring_record(uint64_t number)
{
	return place(number);
}

/* ---- The object ---- */

bool log_ring_make_object(void)
{
	object = data_object_create(TWZ_KLOG_ID, "kernel log");
	if (object == NULL)
		return false;
	for (unsigned int i = 0; i < PAGES; i++) {
		pages[i] = data_object_page(object, 2 + i);
		if (pages[i] == NULL)
			return false;
	}
	return true;
}

void log_ring_move(void)
{
	struct twz_klog *to = (void *)((char *)data_object_page(object, 1) + TWZ_KLOG_OFFSET);
	uint64_t first = log_ring_first();

	to->version = TWZ_KLOG_VERSION;
	to->record_size = sizeof(struct twz_klog_record);
	to->capacity = CAPACITY;
	for (uint64_t i = first; i < next; i++) {
		uint64_t at = i % CAPACITY;
		pages[at / RECORDS_PER_PAGE][at % RECORDS_PER_PAGE] = early[i % EARLY_RECORDS];
	}
	head = to;
	set_next(next);
}

void log_ring_wake(void)
{
	if (object != NULL)
		sync_wake(object, OBJ_NULLPAGE_SIZE + TWZ_KLOG_OFFSET + offsetof(struct twz_klog, next),
			  -1);
}
