# SPDX-License-Identifier: BSD-3-Clause
# Who may do what, and random numbers.
obj-y += check.o context.o random.o
