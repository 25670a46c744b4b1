# SPDX-License-Identifier: BSD-3-Clause
# What is left when every object is known: the default goal, the folders that objects
# go to, and the dependencies that the compilers wrote down.

.PHONY: all
all: kernel user $(if $(wildcard tools/twzpack/*.c),pack)

every-obj := $(kernel-objs) $(user-objs) $(twzpack-objs) $(twzstore-objs) $(host-test-objs)
new-folders := $(strip $(foreach d,$(sort $(patsubst %/,%,$(dir $(every-obj)))),$(if $(wildcard $d/.),,$d)))
ifneq ($(new-folders),)
$(shell mkdir -p $(new-folders))
endif

-include $(wildcard $(every-obj:.o=.d) $(O)/*.d $(O)/user/*.d)
