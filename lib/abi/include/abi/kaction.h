// SPDX-License-Identifier: BSD-3-Clause
/*
 * Actions on kernel-owned objects: the machine's root, and devices.
 */
#ifndef ABI_KACTION_H
#define ABI_KACTION_H

#include <abi/types.h>

/* One operation of SYS_KACTION. */
struct sys_kaction_args {
	objid_t id;
	int64_t result; /* out: ≥ 0 or a negative error */
	int64_t cmd;
	uint64_t arg;
	uint64_t flags; /* KACTION_VALID; others are skipped */
};

#define KACTION_VALID 1u
#define SYS_KACTION_MAX_OPS 4096u

/* Commands on the root. */
#define KACTION_CMD_ROOT_POWER_OFF 1 /* arg: exit status, 0 = success; boards that can, report it */
#define KACTION_CMD_ROOT_REBOOT 2
#define KACTION_CMD_ROOT_SET_NAMEROOT 3 /* arg: objid_t * of a persistent object; 0 = none */
#define KACTION_CMD_ROOT_SYNC 4
#define KACTION_CMD_ROOT_LOG_LEVEL 5 /* arg: level */
#define KACTION_CMD_ROOT_TRACE 6     /* arg: TWZ_TRACE_* (abi/trace.h), 0 = off */

/* Commands on a device. */
#define KACTION_CMD_DEVICE_SETUP_INTERRUPTS 1 /* arg: count ≤ 32 */
#define KACTION_CMD_DEVICE_ACK_INTERRUPT 2    /* arg: line */

_Static_assert(offsetof(struct sys_kaction_args, result) == 16, "kaction result");
_Static_assert(offsetof(struct sys_kaction_args, cmd) == 24, "kaction cmd");
_Static_assert(offsetof(struct sys_kaction_args, flags) == 40, "kaction flags");
_Static_assert(sizeof(struct sys_kaction_args) == 48, "kaction args");

#endif
