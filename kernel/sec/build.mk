# SPDX-License-Identifier: BSD-3-Clause
# Who may do what, and random numbers.
obj-y += operation.o context.o masks.o check.o attach.o active.o late.o random.o
