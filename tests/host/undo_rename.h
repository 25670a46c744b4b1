// SPDX-License-Identifier: BSD-3-Clause
/* The opposite of rename.h. */
#undef memchr
#undef memcmp
#undef memcpy
#undef memmove
#undef memset
#undef strchr
#undef strcmp
#undef strlen
#undef strncmp
#undef strnlen
#undef snprintf
#undef vsnprintf
