# SPDX-License-Identifier: BSD-3-Clause
# Time and threads.
obj-y += time.o wall.o sched.o thread.o sync.o
