// SPDX-License-Identifier: BSD-3-Clause
/*
 * Persistence primitives. A store is durable once its lines were written back (_clwb) and a
 * fence (_pfence) has returned. They do what the machine needs (sysinfo flush_mode); where no
 * instruction does, _clwb records the range and _pfence asks the kernel.
 */
#ifndef TWZ_PERSIST_H
#define TWZ_PERSIST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define __CL_SIZE 64

/* Start writing back the line that holds p. */
void _clwb(const void *p);

/* Start writing back every line of [p, p + len). */
void _clwb_len(const void *p, size_t len);

/* Return when every write-back this thread started is in the persistence domain; later stores
 * come after it. */
void _pfence(void);

#ifdef __cplusplus
}
#endif

#endif
