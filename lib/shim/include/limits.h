// SPDX-License-Identifier: BSD-3-Clause
// The compiler's own <limits.h> defines the limits, then asks for a system's one:
// this is it, and it has nothing to add.
