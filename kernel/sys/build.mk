# SPDX-License-Identifier: BSD-3-Clause
# System calls.
obj-y += table.o access.o create.o object.o thread.o machine.o clock.o console.o
