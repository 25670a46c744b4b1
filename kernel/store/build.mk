# SPDX-License-Identifier: BSD-3-Clause
# The persistent object store. Portable: hosted builds take all of it but port.o (and, to see every
# store, pm.o).
obj-y += word.o media.o tx.o list.o space.o index.o tree.o share.o run.o tie.o orphan.o free.o
obj-y += super.o mount.o check.o check_object.o check_tie.o
obj-y += pm.o pm_site.o port.o
