# SPDX-License-Identifier: BSD-3-Clause
# Physical memory and the kernel's own address space.
obj-y += bootmem.o phys.o slab.o kmap.o
