# SPDX-License-Identifier: BSD-3-Clause
# System calls.
obj-y += table.o access.o become.o create.o fault.o object.o thread.o kso.o dispatch.o invalidate.o machine.o clock.o console.o
