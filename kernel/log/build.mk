# SPDX-License-Identifier: BSD-3-Clause
# The kernel log and the console it goes to.
obj-y += log.o ring.o console.o
