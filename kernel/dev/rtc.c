// SPDX-License-Identifier: BSD-3-Clause
/* The one real-time clock. See dev/rtc.h. */
#include <stddef.h>

#include <dev/driver.h>
#include <dev/rtc.h>
#include <log.h>

#define LOG_PREFIX "rtc"

static const struct rtc_ops *clock; /* set once, at boot */

void rtc_register(const struct rtc_ops *ops)
{
	if (clock == NULL)
		clock = ops;
	else
		log_notice("%s: %s is in charge already, this one is not used", ops->name, clock->name);
}

const struct rtc_ops *rtc(void)
{
	return clock;
}

void rtc_init(const void *fdt)
{
	drivers_probe(DRIVER_RTC, fdt);
}
