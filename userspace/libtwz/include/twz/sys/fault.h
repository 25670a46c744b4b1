// SPDX-License-Identifier: BSD-3-Clause
/* Faults raised and handled in software. Delivery by the kernel comes with a later version. */
#ifndef TWZ_SYS_FAULT_H
#define TWZ_SYS_FAULT_H

#include <abi/fault.h>

/* Install fn for a fault (NULL removes). -EINVAL bad number or FAULT_FAULT. */
int twz_fault_set(int fault, void (*fn)(int fault, void *info, void *userdata), void *userdata);

/* The userdata given with the handler. */
void *twz_fault_get_userdata(int fault);

/* Run the handler of a fault; without one: print it and end the thread with 256 + fault. */
void twz_fault_raise(int fault, void *info);
void twz_fault_raise_data(int fault, void *info, void *userdata);

#endif
