# SPDX-License-Identifier: BSD-3-Clause
# Serial ports.
obj-$(CONFIG_NS16550) += ns16550.o
obj-$(CONFIG_PL011) += pl011.o
