// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel log: records in memory (ring.c), shown on the console as soon as there is one. They
 * are counted, so that what was lost to the ring's size is known too.
 *
 * A log line does not break into a line that a program is about to finish: it waits for the end of
 * the line, or for the next output after a moment.
 *
 * One lock, innermost of all. A CPU that comes again while it holds the lock (a trap inside the log
 * itself) passes; after a panic only the CPU whose turn it is passes, without a lock.
 */
#include <arch/time.h>
#include <base/bits.h>
#include <base/printf.h>
#include <base/string.h>
#include <cpu.h>
#include <dev/console.h>
#include <log.h>
#include <log_ring.h>
#include <log_sink.h>
#include <panic.h>
#include <panic_turn.h>
#include <sched/time.h>
#include <spinlock.h>

#define LOG_PREFIX "log"
#define PATIENCE_PER_SECOND 20 /* a program has a twentieth of a second to finish its line */

static struct spinlock lock = SPINLOCK_INIT;
static struct cpu *_Atomic holder;

/* Guarded by lock. */
static uint64_t shown;      /* number of the first record that the console has not seen */
static uint64_t last_write; /* counter at the last console_write() */

static _Atomic int max_level = CONFIG_LOG_LEVEL;

_Atomic uint32_t log_wake_wanted;

_Static_assert(LOG_ERROR == TWZ_KLOG_ERROR && LOG_DEBUG == TWZ_KLOG_DEBUG, "levels are those of records");

/* False: the lock is not taken, and need not be. */
static bool log_lock(void)
{
	if (panic_active()) {
		panic_await_turn();
		return false;
	}
	if (atomic_load_explicit(&holder, memory_order_relaxed) == this_cpu())
		return false;
	spin_lock(&lock);
	atomic_store_explicit(&holder, this_cpu(), memory_order_relaxed);
	return true;
}

static void log_unlock(bool locked)
{
	if (!locked)
		return;
	atomic_store_explicit(&holder, NULL, memory_order_relaxed);
	spin_unlock(&lock);
}

/* Somebody may wait for what was just written; waking takes locks, so it is done on the way out. */
static void want_wake(void)
{
	atomic_store_explicit(&log_wake_wanted, 1, memory_order_release);
	atomic_store_explicit(&this_cpu()->resched, 1, memory_order_relaxed);
}

void log_wake(void)
{
	atomic_store(&log_wake_wanted, 0);
	log_ring_wake();
}

/* ---- Showing; lock held ---- */

static bool show_record(const struct twz_klog_record *record)
{
	if (record->flags & TWZ_KLOG_QUIET)
		return true;
	return console_show(record->text, record->length) &&
	       ((record->flags & TWZ_KLOG_CONTINUES) || console_show("\n", 1));
}

/* Whether anything waits to be shown; what is quiet is passed over. */
static bool anything_to_show(void)
{
	uint64_t first = log_ring_first();

	if (shown < first)
		return true;
	while (shown < log_ring_next() && (log_ring_record(shown)->flags & TWZ_KLOG_QUIET))
		shown++;
	return shown < log_ring_next();
}

static void ring_show(void)
{
	static const char lost[] = "log: earlier lines are lost\n";

	if (!anything_to_show())
		return;
	if (!console_at_line_start())
		console_show("\n", 1);
	if (shown < log_ring_first()) {
		if (!console_show(lost, sizeof(lost) - 1))
			return;
		shown = log_ring_first();
	}
	while (shown < log_ring_next()) {
		if (!show_record(log_ring_record(shown)))
			return;
		shown++;
	}
}

/* Whether the console shows part of a line that was written just now. */
static bool line_in_progress(void)
{
	return !console_at_line_start() &&
	       arch_counter() - last_write < time_hz() / PATIENCE_PER_SECOND;
}

static void put_piece(void *arg, const char *text, size_t length)
{
	log_ring_put(arg, text, length);
}

/* ---- The interface ---- */

/* What the console is not to show is kept all the same, but for debugging. */
void log_vprint(enum log_level level, const char *prefix, const char *format, va_list args)
{
	int most = atomic_load_explicit(&max_level, memory_order_relaxed);
	struct log_writer writer = {
		.level = level,
		.flags = (int)level > most ? TWZ_KLOG_QUIET : 0,
	};

	if ((int)level > MAX(most, (int)LOG_INFO))
		return;
	bool locked = log_lock();
	base_format(put_piece, &writer, "%s: ", prefix);
	base_vformat(put_piece, &writer, format, args);
	log_ring_end(&writer, 0);
	if (level == LOG_ERROR || !line_in_progress())
		ring_show();
	want_wake();
	log_unlock(locked);
}

void log_print(enum log_level level, const char *prefix, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vprint(level, prefix, format, args);
	va_end(args);
}

void log_set_level(int level)
{
	if (level >= LOG_ERROR && level <= LOG_DEBUG)
		atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

void log_flush(void)
{
	bool locked = log_lock();

	ring_show();
	log_unlock(locked);
}

/* With nowhere to show it, a program's text is kept with the log. */
static void keep_program_text(const char *text, size_t length)
{
	struct log_writer writer = { .level = TWZ_KLOG_PROGRAM };

	log_ring_put(&writer, text, length);
	log_ring_end(&writer, TWZ_KLOG_CONTINUES);
}

void console_write(const char *text, size_t length)
{
	bool locked = log_lock();

	if (!line_in_progress())
		ring_show();
	if (!console_show(text, length))
		keep_program_text(text, length);
	else if (console_at_line_start())
		ring_show();
	last_write = arch_counter();
	log_unlock(locked);
}

void log_object_init(void)
{
	if (!log_ring_make_object()) {
		log_warn("out of memory for the log object: programs cannot read the log");
		return;
	}
	bool locked = log_lock();
	log_ring_move();
	log_unlock(locked);
}
