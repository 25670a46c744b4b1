# SPDX-License-Identifier: BSD-3-Clause
# What helps when something is wrong: panic, backtraces, checks of debug builds.
obj-y += panic.o symbols.o
obj-$(CONFIG_DEBUG) += stackguard.o lockcheck.o times.o ubsan.o
obj-$(CONFIG_DEBUG_DELAYS) += delays.o
# The handlers of a check must not be checked by it.
cflags-stackguard.o := -fno-stack-protector
cflags-ubsan.o := -fno-sanitize=all
