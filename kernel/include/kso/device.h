// SPDX-License-Identifier: BSD-3-Clause
/*
 * Devices of the device tree, as kernel state objects: registers to be mapped, interrupts to wait
 * for. Their drivers are programs. docs/kso.md, "Devices".
 */
#ifndef KSO_DEVICE_H
#define KSO_DEVICE_H

#include <stdint.h>

struct object;

/*
 * Make the objects of all devices. Boot CPU, once. Devices that there is no memory for are left
 * out, with a message.
 */
void devices_init(const void *fdt);

/*
 * KACTION_CMD_DEVICE_*: how many interrupts can be waited for, or 0; -EINVAL, -ENODEV, -EBUSY,
 * -ENOMEM.
 */
long device_action(struct object *object, int64_t command, uint64_t argument);

#endif
