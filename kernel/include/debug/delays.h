// SPDX-License-Identifier: BSD-3-Clause
/*
 * Pauses that let races show (CONFIG_DEBUG_DELAYS; nothing in other builds). Every spinlock
 * operation is a place where a CPU may pause; delay_here() marks more of them: between two looks or
 * writes that no lock holds together, and that another CPU may fall between.
 *
 * At a time, for some milliseconds, most places never pause and a few do so nearly always: pauses
 * everywhere would only make all CPUs slow alike. Which ones follows from the boot option
 * "delays=SEED" and the time.
 */
#ifndef DEBUG_DELAYS_H
#define DEBUG_DELAYS_H

#ifdef CONFIG_DEBUG_DELAYS
/* Maybe pause: in any context, with any lock held. A place is known by where it returns to. */
void delay_here(void);

/* From here on, if the boot option asks for it. Once the clock runs. */
void delays_init(void);
#else
static inline void delay_here(void) {}
static inline void delays_init(void) {}
#endif

#endif
