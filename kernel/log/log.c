// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel log: a ring of text in memory, shown on the console as soon as there is one. Positions
 * count all bytes ever written, so that what was lost to the ring's size is known too.
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
#include <log_sink.h>
#include <panic.h>
#include <panic_turn.h>
#include <sched/time.h>
#include <spinlock.h>

#define RING_SIZE 16384u
#define PATIENCE_PER_SECOND 20 /* a program has a twentieth of a second to finish its line */

static struct spinlock lock = SPINLOCK_INIT;
static struct cpu *_Atomic holder;

/* Guarded by lock. */
static char ring[RING_SIZE];
static uint64_t written;    /* bytes ever put into the ring */
static uint64_t shown;      /* of those, how many the console has seen */
static uint64_t last_write; /* counter at the last console_write() */

static _Atomic int max_level = CONFIG_LOG_LEVEL;

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

/* ---- The ring; lock held ---- */

static void ring_put(const char *text, size_t length)
{
	while (length > 0) {
		size_t at = written % RING_SIZE;
		size_t n = MIN(length, RING_SIZE - at);

		memcpy(ring + at, text, n);
		written += n;
		text += n;
		length -= n;
	}
}

static void ring_show(void)
{
	static const char lost[] = "log: earlier lines are lost\n";

	if (shown < written && !console_at_line_start())
		console_show("\n", 1);
	if (written - shown > RING_SIZE) {
		if (!console_show(lost, sizeof(lost) - 1))
			return;
		shown = written - RING_SIZE;
	}
	while (shown < written) {
		size_t at = shown % RING_SIZE;
		size_t n = MIN(written - shown, (uint64_t)(RING_SIZE - at));

		if (!console_show(ring + at, n))
			return;
		shown += n;
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
	(void)arg;
	ring_put(text, length);
}

/* ---- The interface ---- */

void log_vprint(enum log_level level, const char *prefix, const char *format, va_list args)
{
	if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	bool locked = log_lock();
	base_format(put_piece, NULL, "%s: ", prefix);
	base_vformat(put_piece, NULL, format, args);
	ring_put("\n", 1);
	if (level == LOG_ERROR || !line_in_progress())
		ring_show();
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

void console_write(const char *text, size_t length)
{
	bool locked = log_lock();

	if (!line_in_progress())
		ring_show();
	if (!console_show(text, length))
		ring_put(text, length);
	else if (console_at_line_start())
		ring_show();
	last_write = arch_counter();
	log_unlock(locked);
}

void console_write_unlocked(const char *text, size_t length)
{
	ring_show();
	console_show(text, length);
}
