# SPDX-License-Identifier: BSD-3-Clause
# Interrupt controllers.
obj-$(CONFIG_PLIC) += plic.o
obj-$(CONFIG_GICV2) += gicv2.o
obj-$(CONFIG_GICV3) += gicv3.o
obj-y += $(if $(CONFIG_GICV2)$(CONFIG_GICV3),gic.o)
