# SPDX-License-Identifier: BSD-3-Clause
# Objects: finding, making, pages, identity, translation, ties, and the store they may live in.
obj-y += table.o create.o data.o pages.o copy.o move.o hash.o id.o verify.o digest.o recompute.o subtree.o tie.o chain.o retie.o publish.o pin.o cache.o remains.o persist.o stores.o
