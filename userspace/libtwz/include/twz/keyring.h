// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/obj/keyring.h was before. */
#include <twz/obj/keyring.h>
