// SPDX-License-Identifier: BSD-3-Clause
/*
 * The kernel log: a ring of text in memory, shown on the console as soon as there is one. Positions
 * count all bytes ever written, so that what was lost to the ring's size is known too.
 *
 * One lock, innermost of all. A CPU that comes again while it holds the lock (a trap inside the log
 * itself) passes; after a panic only the CPU whose turn it is passes, without a lock.
 */
#include <base/bits.h>
#include <base/printf.h>
#include <base/string.h>
#include <cpu.h>
#include <dev/console.h>
#include <log.h>
#include <log_sink.h>
#include <panic.h>
#include <panic_turn.h>
#include <spinlock.h>

#define RING_SIZE 16384u

static struct spinlock lock = SPINLOCK_INIT;
static struct cpu *_Atomic holder;

/* Guarded by lock. */
static char ring[RING_SIZE];
static uint64_t written; /* bytes ever put into the ring */
static uint64_t shown;   /* of those, how many the console has seen */

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
	/* A log line never continues what a program left standing on the console's line. */
	if (shown == written && !console_at_line_start())
		ring_put("\n", 1);
	base_format(put_piece, NULL, "%s: ", prefix);
	base_vformat(put_piece, NULL, format, args);
	ring_put("\n", 1);
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

	ring_show();
	if (shown != written || !console_show(text, length))
		ring_put(text, length);
	log_unlock(locked);
}

void console_write_unlocked(const char *text, size_t length)
{
	ring_show();
	console_show(text, length);
}
