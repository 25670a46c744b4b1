# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of portable code, as programs of the machine that builds, under ASan and UBSan.
# README.md beside this file tells how to add one.
#
# test_NAME.c becomes build/host-tests/NAME.test, a cmocka program; fuzz_NAME.c becomes
# build/host-tests/NAME.fuzz, a libFuzzer program (clang only). Their other sources:
srcs-test_string := lib/base/string.c lib/base/strlcpy.c
srcs-test_printf := lib/base/printf.c lib/base/string.c
srcs-test_list :=
srcs-test_heap := lib/base/heap.c
srcs-test_bits :=
srcs-test_id := kernel/obj/id.c
flags-test_id := -Wno-gnu
srcs-test_pack := kernel/boot/pack.c kernel/obj/id.c tools/twzpack/image.c tools/twzpack/write.c
srcs-test_split := tools/twzpack/split.c tools/twzpack/image.c kernel/obj/id.c
srcs-test_names := tools/twzpack/names.c tools/twzpack/image.c kernel/obj/id.c
srcs-test_twzpack := $(addprefix tools/twzpack/,show.c names.c split.c image.c write.c) \
	kernel/boot/pack.c kernel/obj/id.c
srcs-fuzz_pack := kernel/boot/pack.c kernel/obj/id.c
srcs-fuzz_split := tools/twzpack/split.c tools/twzpack/image.c kernel/obj/id.c

# Tests of other areas list theirs in a file of their own.
-include $(wildcard tests/host/*/build.mk)

# --- rules

host-tests-dir := $(or $(explicit-O),build)/host-tests
host-tests-cc := $(if $(shell command -v clang),clang,$(HOSTCC))
# Those that have a list, even an empty one.
host-tests-kinds := test $(if $(filter clang,$(host-tests-cc)),fuzz)
host-tests-names := $(foreach t,$(foreach k,$(host-tests-kinds),$(patsubst tests/host/%.c,%,$(wildcard \
	tests/host/$k_*.c))),$(if $(filter file,$(origin srcs-$t)),$t))
host-tests-flags := -std=gnu11 -O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer \
	-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all
host-tests-include := -Itests/host -Itools/twzpack -Ilib/abi/include -Ilib/base/include \
	-Ikernel/include $(sodium-headers)
$(call keep,$(host-tests-dir)/flags,$(host-tests-cc) $(host-tests-flags) $(host-tests-include) \
	$(foreach t,$(host-tests-names),$t:$(flags-$t):$(srcs-$t)))

# The C library's functions must stay what they are: ours get a prefix.
host-tests-own = $(if $(filter lib/base/string.c lib/base/printf.c,$1),-include tests/host/rename.h)

# Objects are made anew for each test, so that each can have its own flags.
define host-test-object
$(host-tests-dir)/obj/$1/$(basename $2).o: $2 $(host-tests-dir)/flags | $(third-party-stamps)
	$$(call run,HOSTCC,$2,$(host-tests-cc) $(host-tests-flags) $(if $(filter fuzz_%,$1),-fsanitize=fuzzer-no-link) $(flags-$1) $(call host-tests-own,$2) $(host-tests-include) -MMD -MP -c -o $$@ $2)
endef

define host-test-library
$(host-tests-dir)/obj/sodium/$(basename $(notdir $1)).o: $1 $(host-tests-dir)/flags | $(third-party-stamps)
	$$(call run,HOSTCC,$$(@F),$(host-tests-cc) $(filter-out -W%,$(host-tests-flags)) -fno-sanitize=alignment $(sodium-flags) -w -MMD -MP -c -o $$@ $1)
endef

host-tests-library := $(foreach s,$(sodium-sources),$(host-tests-dir)/obj/sodium/$(basename $(notdir $s)).o)
host-test-binary = $(host-tests-dir)/$(if $(filter fuzz_%,$1),$(1:fuzz_%=%).fuzz,$(1:test_%=%).test)

define host-test
$1-objs := $(foreach s,tests/host/$1.c $(srcs-$1),$(host-tests-dir)/obj/$1/$(basename $s).o)
$(foreach s,tests/host/$1.c $(srcs-$1),$(eval $(call host-test-object,$1,$s)))
$(host-test-binary): $$($1-objs) $(host-tests-library)
	$$(call run,HOSTLD,$$@,$(host-tests-cc) $(host-tests-flags) -o $$@ $$($1-objs) $(host-tests-library) $(if $(filter fuzz_%,$1),-fsanitize=fuzzer,-lcmocka) $(ldflags-$1))
host-test-objs += $$($1-objs)
endef

host-test-objs := $(host-tests-library)
$(foreach s,$(sodium-sources),$(eval $(call host-test-library,$s)))
$(foreach t,$(host-tests-names),$(eval $(call host-test,$t)))
host-test-binaries := $(foreach t,$(host-tests-names),$(call host-test-binary,$t))

.PHONY: host-tests
host-tests: $(host-test-binaries)
