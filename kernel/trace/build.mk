# SPDX-License-Identifier: BSD-3-Clause
# What the CPUs do: a trace, and counters.
obj-y += trace.o syscalls.o
