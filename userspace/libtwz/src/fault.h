// SPDX-License-Identifier: BSD-3-Clause
/* What the dispatcher of faults and the blocks that catch them share. */
#ifndef TWZ_SRC_FAULT_H
#define TWZ_SRC_FAULT_H

#include "runtime.h"

#include <twz/twztry.h>

/* --- fault.c */
/* Bytes of a fault's information; 0 for a number that is none. */
size_t __twz_fault_info_size(int fault, const void *info);
void __twz_fault_set_frame(struct twz_fault_frame *frame);
/* Whether a handler or a block of this thread would get the fault. */
bool __twz_fault_is_taken(int fault);
/* Print the fault and end the thread. */
_Noreturn void __twz_fault_uncaught(int fault, const void *info);

/* --- try.c */
/* Leave for the innermost block, if there is one. */
void __twz_try_unwind(int fault, const void *info, size_t length);

/* --- fault_report.c */
/* Print what is known of a fault; frame NULL: raised in software. */
void __twz_fault_report(int fault, const void *info, const struct twz_fault_frame *frame);

/* --- arch/ */
/* Print the general registers. */
void __twz_frame_print(const struct twz_fault_frame *f);

#endif
