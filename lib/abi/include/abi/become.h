// SPDX-License-Identifier: BSD-3-Clause
/*
 * SYS_BECOME: registers, view and active security context change together.
 */
#ifndef ABI_BECOME_H
#define ABI_BECOME_H

#include <abi/types.h>

struct sys_become_args {
	objid_t target_view; /* 0 = keep */
	objid_t sctx_hint;   /* attached context to make active; 0 = keep the active one */
	union {
		uint64_t target_ip;
		uint64_t target_rip; /* the name it had elsewhere */
	};
	uint64_t target_sp; /* sp and thread pointer are 0 when the active context changes */
	uint64_t target_tp;
	uint64_t flags;     /* 0 */
	uint64_t args[8];   /* the argument registers */
};

/* a1 of the call. */
#define SYS_BECOME_INPLACE 1u /* keep registers and pc, change view and context only */
#define SYS_BECOME_NOFRAME 2u /* push nothing: there is no way back */

/* Frames that a thread can have pushed. */
#define SYS_BECOME_MAX_DEPTH 64u

_Static_assert(offsetof(struct sys_become_args, sctx_hint) == 16, "become sctx_hint");
_Static_assert(offsetof(struct sys_become_args, target_ip) == 32, "become target_ip");
_Static_assert(offsetof(struct sys_become_args, target_sp) == 40, "become target_sp");
_Static_assert(offsetof(struct sys_become_args, target_tp) == 48, "become target_tp");
_Static_assert(offsetof(struct sys_become_args, flags) == 56, "become flags");
_Static_assert(offsetof(struct sys_become_args, args) == 64, "become args");
_Static_assert(sizeof(struct sys_become_args) == 128, "become args");

#endif
