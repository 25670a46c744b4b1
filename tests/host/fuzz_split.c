// SPDX-License-Identifier: BSD-3-Clause
/* Fuzzer of twzpack's reading of ELF files; headers are put right so that it gets further. */
#include "split.h"

#include <elf.h>
#include <obj/id.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void repair(uint8_t *mem, size_t len)
{
	Elf64_Ehdr h;

	if (len < sizeof(h))
		return;
	memcpy(&h, mem, sizeof(h));
	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS64;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	h.e_type = ET_EXEC;
	h.e_machine = EM_AARCH64;
	h.e_phentsize = sizeof(Elf64_Phdr);
	h.e_phoff %= len;
	h.e_phnum %= 8;
	memcpy(mem, &h, sizeof(h));
}

static void split(const uint8_t *mem, size_t len)
{
	char why[SPLIT_WHY] = "";
	struct split s;

	if (!split_elf(mem, len, &s, why)) {
		if (why[0] == '\0')
			abort();
		return;
	}
	if (s.text.id != id_derive(s.text.mi) || s.text.count < 2)
		abort();
	image_free(&s.text);
	image_free(&s.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	uint8_t *mem = malloc(len != 0 ? len : 1);

	if (mem == NULL)
		abort();
	memcpy(mem, input, len);
	split(mem, len);
	repair(mem, len);
	split(mem, len);
	free(mem);
	return 0;
}
