# SPDX-License-Identifier: BSD-3-Clause
# Physical memory, the kernel's own address space, and those of views.
obj-y += bootmem.o phys.o slab.o kmap.o space.o fault.o
