// SPDX-License-Identifier: BSD-3-Clause
/*
 * The first program: sets up the namespaces, then either runs what the boot option autorun asks
 * for and powers off, or starts a session of shells. Without one, or after one that cannot go on, it
 * reads commands from the kernel's console itself.
 */
#include "init.h"

#include <twz/sys/kec.h>
#include <twz/sys/sys.h>

#define MIB(bytes) ((unsigned long)((bytes) >> 20))

void print_machine(void)
{
	struct twz_sysinfo si = *twz_sysinfo();

	sys_sysinfo(&si, sizeof(si));
	kec_printf("Twizzler on %s: %u CPU%s, %lu of %lu MiB memory free, ",
	    twz_machine_name(), si.ncpus, si.ncpus == 1 ? "" : "s", MIB(si.mem_free),
	    MIB(si.mem_total));
	if (si.features & TWZ_FEATURE_STORE)
		kec_printf("%lu of %lu MiB store free%s\n", MIB(si.pm_free), MIB(si.pm_total),
		    si.features & TWZ_FEATURE_STORE_READONLY ? " (read-only)" : "");
	else
		kec_printf("no store\n");
}

int main(int argc, char **argv)
{
	const struct twz_bootinfo *boot = twz_bootinfo();
	int failed;

	(void)argc;
	if (!boot) {
		kec_printf("%s: this program is started by the kernel only\n", argv[0]);
		return 1;
	}
	kec_printf("init: ");
	print_machine();
	names_setup();
	failed = autorun(boot->cmdline);
	if (failed >= 0)
		power_off(failed ? 1 : 0);
	shell_session(boot->cmdline);
	prompt();
}
