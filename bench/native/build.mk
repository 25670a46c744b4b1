# SPDX-License-Identifier: BSD-3-Clause
# The native benchmarks, a program of this machine with its own compiler: bench/run calls
#
#   make -f bench/native/build.mk O=FOLDER HOSTED=FOLDER
#
# where HOSTED has the hosted build's libtwz.a. The peers are Debian's packages
# (tools/setup bench).

O ?= build/bench/native
HOSTED ?= build/hosted
CC := gcc

sources := $(wildcard bench/native/*.c)
headers := $(wildcard bench/native/*.h)
objects := $(patsubst bench/native/%.c,$(O)/%.o,$(sources))
include-twz := -Iuserspace/libtwz/include -Iuserspace/libtwz/hosted/include -Ilib/abi/include \
	-Ilib/base/include
flags := -std=gnu11 -O2 -g -Wall -Wextra -Werror

$(O)/bench_native: $(objects) $(HOSTED)/libtwz.a
	@echo "  LD      $@"
	@$(CC) -o $@ $(objects) $(HOSTED)/libtwz.a -lpmemobj -lpmem -llmdb -lsqlite3 -lm -lpthread

.PHONY: objects
objects: $(objects)

$(O)/%.o: bench/native/%.c $(headers) bench/native/build.mk
	@mkdir -p $(O)
	@echo "  CC      $<"
	@$(CC) $(flags) $(if $(findstring ours,$<),$(include-twz)) -c -o $@ $<
