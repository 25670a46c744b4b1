// SPDX-License-Identifier: BSD-3-Clause
/* What Linux and ELF files call this machine. */
#include "../../src/twix.h"

#include <elf.h>

const char twix_machine_name[] = "aarch64";
const uint16_t twix_elf_machine = EM_AARCH64;
