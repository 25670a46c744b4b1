// SPDX-License-Identifier: BSD-3-Clause
/*
 * After a panic the CPUs print one after the other. Private to the log and to panic.c.
 */
#ifndef PANIC_TURN_H
#define PANIC_TURN_H

/* After a panic: return if this CPU may print now, else park it (panic_park()). */
void panic_await_turn(void);

#endif
