# SPDX-License-Identifier: BSD-3-Clause
# Time and threads.
obj-y += time.o wall.o stat.o queue.o sched.o values.o thread.o control.o lend.o sync.o
