// SPDX-License-Identifier: BSD-3-Clause
/* Ending the machine's run. */
#include "init.h"

#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

static _Noreturn void act(int cmd, unsigned arg, const char *what)
{
	long r = twz_root_action(cmd, arg);

	kec_printf("init: the kernel did not %s (error %ld)\n", what, -r);
	for (;;)
		twz_sleep_ns(1000000000ull);
}

_Noreturn void power_off(unsigned status)
{
	act(KACTION_CMD_ROOT_POWER_OFF, status, "power off");
}

_Noreturn void reboot(void)
{
	act(KACTION_CMD_ROOT_REBOOT, 0, "reboot");
}
