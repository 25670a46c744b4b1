// SPDX-License-Identifier: BSD-3-Clause
// Third-party sources ask for <sys/types.h>, and of it use only what <stddef.h> and <stdint.h> have.
#include <stddef.h>
#include <stdint.h>
