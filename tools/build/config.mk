# SPDX-License-Identifier: BSD-3-Clause
# From Kconfig to variables: $(O)/.config (people's) to $(O)/auto.mk (make's) and
# $(O)/include/generated/autoconf.h (the compiler's). Result: CONFIG_*, ARCH.

export KCONFIG_CONFIG := $(O)/.config

# The board that an existing configuration is for must be the one that is meant.
board-symbol = CONFIG_BOARD_$(shell printf %s '$1' | tr a-z- A-Z_)=y
config-words := $(if $(wildcard $(O)/.config),$(file <$(O)/.config))
config-board := $(strip $(foreach b,$(boards),$(if $(filter $(call board-symbol,$b),$(config-words)),$b)))
ifneq ($(and $(build-goals)$(filter-out %_defconfig,$(config-goals)),$(config-board)),)
ifneq ($(config-board),$(BOARD))
ifneq ($(and $(explicit-O),$(if $(given-board),,free)),)
override BOARD := $(config-board)
else
$(error $(O)/.config is for $(config-board), not $(BOARD): run make $(BOARD)_defconfig$(if $(explicit-O), O=$(O)), or name another O=)
endif
endif
endif

ifneq ($(build-goals)$(config-goals),)
$(call need,config)
endif

.PHONY: menuconfig olddefconfig savedefconfig

%_defconfig:
	$(call run,CONFIG,$(O)/.config,$(PYTHON) tools/build/kconf defconfig boards/$*/defconfig $(O))
	$(if $(explicit-O),,@mkdir -p build && echo $* >build/.board)

menuconfig: $(O)/.config
	@$(PYTHON) -m menuconfig

olddefconfig: $(O)/.config
	@$(PYTHON) -m olddefconfig >/dev/null

savedefconfig: $(O)/.config
	@$(PYTHON) tools/build/kconf savedefconfig $(O)
	@echo "wrote $(O)/defconfig (to keep it: cp $(O)/defconfig boards/$(BOARD)/defconfig)"

# A board that was never configured starts from its defconfig.
$(O)/.config:
	$(call run,CONFIG,$@,$(PYTHON) tools/build/kconf defconfig boards/$(BOARD)/defconfig $(O))

ifneq ($(build-goals),)

autoconf := $(O)/include/generated/autoconf.h
kconfig-files :=
include $(O)/auto.mk

$(O)/auto.mk: $(O)/.config tools/build/kconf $(wildcard Kconfig */Kconfig */*/Kconfig)
	@$(PYTHON) tools/build/kconf sync $(O)

# Written together with auto.mk; asked for by itself only when someone removed it.
$(autoconf):
	@$(PYTHON) tools/build/kconf sync $(O)

ARCH := $(CONFIG_ARCH)
include boards/$(BOARD)/board.mk

endif
