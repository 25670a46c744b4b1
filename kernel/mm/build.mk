# SPDX-License-Identifier: BSD-3-Clause
# Physical memory, the kernel's own address space, and those of views.
obj-y += bootmem.o phys.o slab.o kmap.o asid.o flush.o space.o fault.o reserve.o
