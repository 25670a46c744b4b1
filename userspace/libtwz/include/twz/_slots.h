// SPDX-License-Identifier: BSD-3-Clause
/* Where twz/sys/slots.h was before. */
#include <twz/sys/slots.h>
