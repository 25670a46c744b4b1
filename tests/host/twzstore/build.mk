# SPDX-License-Identifier: BSD-3-Clause
# What the tests of twzstore are linked from: all of the tool but its command line.
twzstore-tested := $(filter-out tools/twzstore/main.c,$(wildcard tools/twzstore/*.c)) \
	$(filter-out kernel/store/port.c,$(wildcard kernel/store/*.c)) kernel/obj/id.c \
	tests/host/twzstore/image.c
flags-test_twzstore := -D_GNU_SOURCE
srcs-test_twzstore := $(twzstore-tested)
# Lives by its speed: some hundred thousand checks. The other tests run the same code with
# sanitizers.
flags-test_twzstore_flips := -D_GNU_SOURCE -O2 -fno-sanitize=all
srcs-test_twzstore_flips := $(twzstore-tested)
flags-fuzz_store_image := -D_GNU_SOURCE -O2
srcs-fuzz_store_image := $(twzstore-tested)
