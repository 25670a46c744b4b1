// SPDX-License-Identifier: BSD-3-Clause
/* What Linux calls this machine. */
#include "../../src/twix.h"

const char twix_machine_name[] = "riscv64";
