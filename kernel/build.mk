# SPDX-License-Identifier: BSD-3-Clause
# The portable kernel: the init order, locks, and one folder an area.
obj-y += main.o spinlock.o
subdir-y += boot mm log trace debug dev sched store obj sec fault kso sys
