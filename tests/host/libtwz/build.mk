# SPDX-License-Identifier: BSD-3-Clause
# Tests of libtwz under the crash explorer (explore.h): its sources as they are, built so that the
# compiler reports every store. A test is one line: its name, and what of libtwz it needs besides
# handles, pointers, metadata, the FOT and mutexes. What is not used is not linked, nor what it needs.
ifneq ($(shell command -v clang),)
explore-libtwz := $(addprefix userspace/libtwz/src/,object.c ptr.c meta.c fot.c fothash.c fotmap.c pool.c mutex.c \
	sync.c)
explore-sources := $(addprefix tests/host/,libtwz/explore.c libtwz/explore_runtime.c store/trace.c store/seen.c)
explore-flags := -O1 -fno-sanitize=all -fsanitize=thread -fno-vectorize -fno-slp-vectorize \
	-fno-optimize-sibling-calls -ffunction-sections -Iuserspace/libtwz/include -Iuserspace/libtwz/arch/riscv64/include \
	-Ilib/abi/arch/riscv64
explore-ldflags := $(foreach f,--gc-sections $(addprefix --wrap=,memcpy memmove memset),-Xlinker $f)

# The allocator, for tests of what uses it.
explore-alloc := tests/host/libtwz/explore_alloc.c $(wildcard userspace/libtwz/src/alloc/*.c)

define explore-test
srcs-$1 := $(explore-sources) $(explore-libtwz) $2
flags-$1 := $(explore-flags)
ldflags-$1 := $(explore-ldflags)
endef

$(eval $(call explore-test,test_libtwz_cuts))
$(eval $(call explore-test,test_twz_hier,$(addprefix userspace/libtwz/src/,hier.c hierindex.c)))
$(eval $(call explore-test,test_twz_fotname,userspace/libtwz/src/fotname.c $(explore-alloc)))
$(eval $(call explore-test,test_twz_queue,$(addprefix userspace/libtwz/src/,queue.c stream.c)))
$(eval $(call explore-test,test_twz_keyring,userspace/libtwz/src/keyring.c))
$(eval $(call explore-test,test_twz_pty,$(addprefix userspace/libtwz/src/,pty.c pty_read.c pty_settings.c pty_line.c pty_edit.c stream.c bstream.c event.c) \
	userspace/libtwz/hosted/arch/x86_64/copy.c))
$(eval $(call explore-test,test_twz_mutex))
$(eval $(call explore-test,test_twz_structures,$(wildcard userspace/libtwz/src/ds/*.c) $(explore-alloc)))
$(eval $(call explore-test,test_twz_tx,$(addprefix userspace/libtwz/src/tx/,tx.c log.c parts.c)))
$(eval $(call explore-test,test_twz_txalloc,$(addprefix userspace/libtwz/src/tx/,tx.c log.c parts.c txalloc.c) $(explore-alloc)))
$(eval $(call explore-test,test_twz_txn,$(addprefix userspace/libtwz/src/tx/,tx.c log.c txn.c parts.c)))
# Files of libtwix, on a model of the kernel's objects.
$(eval $(call explore-test,test_twix_files,$(addprefix userspace/libtwz/src/,hier.c hierindex.c) \
	$(addprefix userspace/libtwix/src/,regular.c inode.c names.c change.c make.c)))
flags-test_twix_files += -D_GNU_SOURCE= -Wno-macro-redefined -fno-inline
# The VFS of the port of SQLite; the functions of SQLite that it calls are the test's.
ifneq ($(wildcard /usr/include/sqlite3.h),)
$(eval $(call explore-test,test_sqlite_vfs,userspace/ports/sqlite/vfs-objects.c))
flags-test_sqlite_vfs += -D_GNU_SOURCE= -DLOG_AT=0x1000u -DLOG_BYTES=0x2000u -fno-inline
endif
$(eval $(call explore-test,test_twz_alloc,$(explore-alloc)))
$(eval $(call explore-test,test_twz_streams,$(addprefix userspace/libtwz/src/,stream.c bstream.c dgram.c event.c) \
	userspace/libtwz/hosted/arch/x86_64/copy.c))
endif
