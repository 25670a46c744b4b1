// SPDX-License-Identifier: BSD-3-Clause
/*
 * The machine's real-time clock, if it has one: a device that knows the time of day while the
 * machine is off. The first that a driver takes counts.
 */
#ifndef DEV_RTC_H
#define DEV_RTC_H

#include <stdint.h>

struct rtc_ops {
	const char *name;
	uint64_t (*read)(void);        /* nanoseconds since 1970, whatever the device says */
	void (*write)(uint64_t ns);    /* set it, as exactly as it can be; NULL: it cannot be set */
};

/* From a driver's probe. */
void rtc_register(const struct rtc_ops *ops);

const struct rtc_ops *rtc(void); /* NULL: none */

/* Find it. Boot CPU, once. */
void rtc_init(const void *fdt);

#endif
