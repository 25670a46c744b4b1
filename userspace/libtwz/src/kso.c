// SPDX-License-Identifier: BSD-3-Clause
/* Headers and directories of kernel state objects. */
#include "runtime.h"

#include <base/printf.h>
#include <stdarg.h>
#include <twz/persist.h>
#include <twz/sys/kso.h>
#include <twz/sys/thread.h>

int kso_set_name(twzobj *o, const char *fmt, ...)
{
	struct kso_hdr *hdr = o ? twz_object_base(o) : &twz_thread_repr_base()->hdr;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(hdr->name, sizeof(hdr->name), fmt, ap);
	va_end(ap);
	_clwb_len(hdr->name, sizeof(hdr->name));
	_pfence();
	return 0;
}

size_t twz_kso_name(twzobj *o, char *to, size_t size)
{
	const struct kso_hdr *hdr = twz_object_base(o);
	size_t i;

	for (i = 0; i + 1 < size && i < sizeof(hdr->name) && hdr->name[i]; i++)
		to[i] = hdr->name[i] >= ' ' && hdr->name[i] <= '~' ? hdr->name[i] : '?';
	to[i] = 0;
	return i;
}

bool twz_kso_next(twzobj *o, size_t *index, struct kso_attachment *out)
{
	char *base = twz_object_base(o);
	uint32_t at = ((struct kso_hdr *)base)->dir_offset;
	struct kso_dir_attachments *dir = (void *)(base + at);

	if (at == 0)
		return false;
	for (; *index < __atomic_load_n(&dir->count, __ATOMIC_ACQUIRE); ++*index) {
		*out = dir->children[*index];
		if (out->id) {
			++*index;
			return true;
		}
	}
	return false;
}
