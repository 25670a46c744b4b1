# SPDX-License-Identifier: BSD-3-Clause
# What the machine is, and bringing its CPUs up.
obj-y += ranges.o fdt.o options.o machine.o memory.o cpus.o
