# SPDX-License-Identifier: BSD-3-Clause
# Sources that are fetched by recipe: each lib/NAME/recipe has a lib/NAME/build.mk
# beside it that tells how to compile what was fetched.
#
# Result, for NAME in $(third-party): NAME-dir, NAME-headers (flags for those who
# include its headers), and $(call third-party-objs,CLASS,NAMES): its objects, of a class.

third-party-dir := $(or $(explicit-O),build)/third-party
third-party :=
include lib/fdt/build.mk lib/sodium/build.mk
third-party-stamps := $(foreach n,$(third-party),$(third-party-dir)/$n/.fetched)
third-party-headers := $(foreach n,$(third-party),$($n-headers))
third-party-objs = $(foreach n,$2,$(patsubst %.c,$(O)/$1/third-party/$n/%.o,$(notdir $($n-sources))))

# For code without a C library beneath it: stand-ins for the standard headers, last of all.
shim-headers := -idirafter lib/shim/include

define fetch-rule
$(third-party-dir)/$1/.fetched: $2 tools/fetch-source
	@tools/fetch-source $2 $$(@D)
$(filter $(third-party-dir)/%,$($1-sources)): $(third-party-dir)/$1/.fetched ;
endef
$(foreach n,$(third-party),$(eval $(call fetch-rule,$n,$($n-recipe))))

# $(call third-party-rules,CLASS,COMPILER AND FLAGS): compile all of it as CLASS.
define third-party-rule
$(O)/$1/third-party/$2/$(basename $(notdir $3)).o: $3 $(call flags-file,third-party-$1,$4) | $(third-party-stamps)
	$$(call run,CC,$$@,$4 $($2-flags) -w -MMD -MP -c -o $$@ $$<)
endef
third-party-rules = $(foreach n,$(third-party),$(foreach s,$($n-sources),$(eval $(call third-party-rule,$1,$n,$s,$2))))
