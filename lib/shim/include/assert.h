// SPDX-License-Identifier: BSD-3-Clause
// assert() for third-party sources: a false condition traps, which the kernel turns
// into a panic and a program's fault handler into a report.

#undef assert
#define assert(condition) ((condition) ? (void)0 : __builtin_trap())
