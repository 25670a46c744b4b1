# SPDX-License-Identifier: BSD-3-Clause
# What the machine is, bringing its CPUs up, and the way into user mode.
obj-y += ranges.o fdt.o options.o machine.o memory.o cpus.o start.o pack.o init.o
