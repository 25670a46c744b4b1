# SPDX-License-Identifier: BSD-3-Clause
# What twzstore shares with the kernel: the store itself (all of it but the kernel's side of its
# port) and the derivation of IDs.
twzstore-srcs := $(filter-out kernel/store/port.c,$(wildcard kernel/store/*.c)) kernel/obj/id.c
