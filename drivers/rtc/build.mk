# SPDX-License-Identifier: BSD-3-Clause
# Real-time clocks.
obj-$(CONFIG_GOLDFISH_RTC) += goldfish.o
obj-$(CONFIG_PL031) += pl031.o
