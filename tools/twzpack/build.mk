# SPDX-License-Identifier: BSD-3-Clause
# What twzpack shares with the kernel: the derivation of IDs and the reader of packs.
twzpack-srcs := kernel/obj/id.c kernel/boot/pack.c
