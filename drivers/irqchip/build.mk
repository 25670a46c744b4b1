# SPDX-License-Identifier: BSD-3-Clause
# Interrupt controllers.
obj-$(CONFIG_PLIC) += plic.o
