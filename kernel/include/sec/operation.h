// SPDX-License-Identifier: BSD-3-Clause
/*
 * The operations that need rights on objects, and what each needs: the one table. An operation on
 * several objects has a line for each part an object can play in it. docs/security.md has the rows
 * by number.
 */
#ifndef SEC_OPERATION_H
#define SEC_OPERATION_H

#include <stdint.h>

/* Rights, with the values of the default-permission bits (abi/object.h). */
#define SEC_READ 4u
#define SEC_WRITE 8u
#define SEC_EXEC 0x10u
#define SEC_USE 0x20u
#define SEC_DEL 0x40u
#define SEC_ALL 0x7cu

/* X(name, row, rights that are all needed, rights of which one is needed; 0 = not even one) */
#define SEC_OPERATIONS(X)                                                       \
	X(READ, 1, SEC_READ, 0)                                                 \
	X(WRITE, 1, SEC_WRITE, 0)                                               \
	X(EXECUTE, 1, SEC_EXEC, 0)                                              \
	X(CREATE_FROM, 2, SEC_READ, 0)                                          \
	X(CREATE_TIED_TO, 2, SEC_WRITE, 0)                                      \
	X(DELETE, 3, SEC_DEL, 0)                                                \
	X(TIE_PARENT, 4, SEC_WRITE, 0)                                          \
	X(TIE_CHILD, 4, 0, SEC_READ | SEC_WRITE | SEC_EXEC | SEC_USE)           \
	X(COPY_FROM, 5, SEC_READ, 0)                                            \
	X(COPY_TO, 5, SEC_WRITE, 0)                                             \
	X(PIN, 7, SEC_READ | SEC_WRITE, 0)                                      \
	X(CONFIGURE, 8, SEC_WRITE, 0)                                           \
	X(MAP_DEVICE, 9, SEC_USE, 0)                                            \
	X(MAP_FOR_DEVICE, 9, SEC_READ | SEC_WRITE, 0)                           \
	X(MAP_READ_FOR_DEVICE, 9, SEC_READ, 0)                                  \
	X(STAT, 11, 0, SEC_ALL)                                                 \
	X(SPAWN_THREAD, 12, SEC_WRITE, 0)                                       \
	X(SPAWN_VIEW, 12, 0, SEC_USE | SEC_WRITE)                               \
	X(ATTACH_CONTEXT, 13, SEC_USE, 0)                                       \
	X(ATTACH_TO_THREAD, 14, SEC_USE | SEC_WRITE, 0)                         \
	X(ENTER_VIEW, 15, 0, SEC_USE | SEC_WRITE)                               \
	X(ATTACH_TO_ROOT, 16, SEC_USE, 0)                                       \
	X(START_THREAD, 16, SEC_WRITE, 0)                                       \
	X(ATTACH_TO_DEVICE, 17, SEC_USE | SEC_WRITE, 0)                         \
	X(GIVE_TO_DEVICE, 17, SEC_USE, 0)                                       \
	X(INVALIDATE, 18, 0, SEC_USE | SEC_WRITE)                               \
	X(SYNC, 19, SEC_READ, 0)                                                \
	X(CONTROL_THREAD, 20, SEC_WRITE, 0)                                     \
	X(THREAD_REGISTERS, 20, SEC_READ | SEC_WRITE, 0)                        \
	X(SYSTEM_SERVICE, 21, SEC_USE, 0)                                       \
	X(SERVE_QUEUE, 21, SEC_READ | SEC_WRITE, 0)                             \
	X(DEVICE_INTERRUPTS, 22, SEC_USE, 0)                                    \
	X(CHANGE_MACHINE, 23, SEC_WRITE, 0)

enum sec_operation {
#define X(name, row, all, any) SEC_OP_##name,
	SEC_OPERATIONS(X)
#undef X
	SEC_OPERATION_COUNT,
};

struct sec_need {
	uint32_t all; /* rights that are all needed */
	uint32_t any; /* rights of which one is needed; 0 = none */
	const char *name;
};

extern const struct sec_need sec_needs[SEC_OPERATION_COUNT];

#endif
