// SPDX-License-Identifier: BSD-3-Clause
/* Splitting a program, see split.h: everything about the file is checked, then it is copied. */
#include "split.h"

#include <abi/pack.h>
#include <base/bits.h>
#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifndef EM_RISCV
#define EM_RISCV 243
#endif
#define MAX_SEGMENTS 64

struct elf {
	const uint8_t *file;
	size_t len;
	Elf64_Ehdr header;
	Elf64_Phdr load[MAX_SEGMENTS]; /* not empty ones */
	unsigned int loads;
	Elf64_Phdr tls;
	bool has_tls;
	struct twz_program program; /* the header to be: as linked in, completed */
	char *why;
};

static bool __attribute__((format(printf, 2, 3))) refuse(struct elf *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->why, SPLIT_WHY, fmt, ap);
	va_end(ap);
	return false;
}

static uint32_t machine_number(unsigned int elf_machine)
{
	switch (elf_machine) {
	case EM_RISCV:
		return ABI_MACHINE_RISCV64;
	case EM_AARCH64:
		return ABI_MACHINE_ARM64;
	default:
		return 0;
	}
}

static bool check_header(struct elf *e)
{
	const Elf64_Ehdr *h = &e->header;

	if (e->len < SELFMAG || memcmp(e->file, ELFMAG, SELFMAG) != 0)
		return refuse(e, "not an ELF file");
	if (e->len < sizeof(*h))
		return refuse(e, "truncated ELF header");
	memcpy(&e->header, e->file, sizeof(*h));
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(e, "not a 64-bit little-endian program");
	if (machine_number(h->e_machine) == 0)
		return refuse(e, "not for RISC-V or ARM (ELF machine %u)", h->e_machine);
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return refuse(e, "not a static executable (ELF type %u)", h->e_type);
	if (h->e_phnum == 0 || h->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(e, "no program headers");
	if (h->e_phnum > MAX_SEGMENTS)
		return refuse(e, "too many program headers (%u)", h->e_phnum);
	if (!range_within(h->e_phoff, h->e_phnum * sizeof(Elf64_Phdr), e->len))
		return refuse(e, "truncated program headers");
	return true;
}

/* Which slot a segment stands in; it is known to be in slot 0 or 1. */
static uint64_t slot_of(const Elf64_Phdr *s)
{
	return s->p_vaddr >> OBJ_SHIFT;
}

static uint64_t offset_of(const Elf64_Phdr *s)
{
	return s->p_vaddr & (OBJ_MAXSIZE - 1);
}

static bool check_load(struct elf *e, unsigned int i, const Elf64_Phdr *s)
{
	bool data = slot_of(s) == PROGRAM_DATA_SLOT;

	if (s->p_filesz > s->p_memsz)
		return refuse(e, "segment %u is larger in the file than in memory", i);
	if (!range_within(s->p_offset, s->p_filesz, e->len))
		return refuse(e, "segment %u is truncated", i);
	if ((s->p_flags & PF_W) && (s->p_flags & PF_X))
		return refuse(e, "segment %u is both writable and executable", i);
	if (slot_of(s) > PROGRAM_DATA_SLOT ||
	    !range_between(offset_of(s), s->p_memsz, OBJ_NULLPAGE_SIZE, OBJ_TOPDATA))
		return refuse(e, "segment %u is at %#lx, outside slots 0 and 1", i,
			      (unsigned long)s->p_vaddr);
	if (!data && (s->p_flags & PF_W))
		return refuse(e, "segment %u is writable, but in the text slot", i);
	if (data && !(s->p_flags & PF_W))
		return refuse(e, "segment %u is not writable, but in the data slot", i);
	return true;
}

static bool add_load(struct elf *e, unsigned int i, const Elf64_Phdr *s)
{
	if (s->p_memsz == 0 && s->p_filesz == 0)
		return true;
	if (!check_load(e, i, s))
		return false;
	for (unsigned int k = 0; k < e->loads; k++) {
		const Elf64_Phdr *o = &e->load[k];

		if (ranges_overlap(s->p_vaddr, s->p_memsz, o->p_vaddr, o->p_memsz))
			return refuse(e, "segment %u overlaps another one", i);
	}
	e->load[e->loads++] = *s;
	return true;
}

static bool add_segment(struct elf *e, unsigned int i)
{
	Elf64_Phdr s;

	memcpy(&s, e->file + e->header.e_phoff + i * sizeof(s), sizeof(s));
	switch (s.p_type) {
	case PT_LOAD:
		return add_load(e, i, &s);
	case PT_INTERP:
		return refuse(e, "dynamically linked: link with -static");
	case PT_TLS:
		if (e->has_tls)
			return refuse(e, "two TLS segments");
		e->tls = s;
		e->has_tls = true;
		return true;
	default:
		return true;
	}
}

/* The segment whose bytes in the file hold len bytes at address, or NULL. */
static const Elf64_Phdr *segment_with(const struct elf *e, uint64_t address, uint64_t len)
{
	for (unsigned int i = 0; i < e->loads; i++) {
		const Elf64_Phdr *s = &e->load[i];

		if (address >= s->p_vaddr && range_within(address - s->p_vaddr, len, s->p_filesz))
			return s;
	}
	return NULL;
}

/* Without initial bytes any address will do that is valid and not 0. */
static void tls_from_segment(struct elf *e)
{
	struct twz_program *p = &e->program;

	p->tls_image = e->tls.p_filesz != 0 ? e->tls.p_vaddr : OBJ_NULLPAGE_SIZE;
	p->tls_filesz = e->tls.p_filesz;
	p->tls_memsz = e->tls.p_memsz;
	p->tls_align = MAX(e->tls.p_align, (uint64_t)1);
}

/* The program header may describe the TLS itself; else it is taken from the TLS segment. */
static bool complete_tls(struct elf *e)
{
	struct twz_program *p = &e->program;

	if (e->has_tls && p->tls_image == 0 && e->tls.p_memsz != 0)
		tls_from_segment(e);
	if (p->tls_image == 0)
		return true;
	if (!is_pow2(p->tls_align) || p->tls_align > TWZ_PAGE_SIZE)
		return refuse(e, "TLS alignment %#lx is wrong", (unsigned long)p->tls_align);
	if (p->tls_memsz < p->tls_filesz || p->tls_memsz > OBJ_MAXDATA)
		return refuse(e, "TLS size %#lx is wrong", (unsigned long)p->tls_memsz);
	if (e->has_tls && p->tls_memsz < e->tls.p_memsz)
		return refuse(e, "program header names a smaller TLS than there is");
	if (p->tls_filesz != 0 && segment_with(e, p->tls_image, p->tls_filesz) == NULL)
		return refuse(e, "TLS image is not part of a loaded segment");
	return true;
}

static bool read_program(struct elf *e)
{
	const Elf64_Phdr *first = segment_with(e, OBJ_NULLPAGE_SIZE, sizeof(e->program));

	if (first == NULL)
		return refuse(e, "nothing at %#lx, where the program header belongs",
			      OBJ_NULLPAGE_SIZE);
	memcpy(&e->program, e->file + first->p_offset + (OBJ_NULLPAGE_SIZE - first->p_vaddr),
	       sizeof(e->program));
	if (e->program.magic != PROGRAM_MAGIC)
		return refuse(e, "no program header magic at %#lx", OBJ_NULLPAGE_SIZE);
	if (e->program.version != PROGRAM_VERSION)
		return refuse(e, "program header version %u, not %u", e->program.version,
			      PROGRAM_VERSION);
	if (e->program.text_end > OBJ_TOPDATA || e->program.data_end > OBJ_TOPDATA)
		return refuse(e, "program header names ends outside the objects");
	return true;
}

static bool complete_program(struct elf *e)
{
	const Elf64_Phdr *entry = segment_with(e, e->header.e_entry, 1);
	struct twz_program *p = &e->program;
	uint32_t machine = machine_number(e->header.e_machine);

	if (entry == NULL || !(entry->p_flags & PF_X))
		return refuse(e, "entry point %#lx is not in executable text",
			      (unsigned long)e->header.e_entry);
	if (p->machine != 0 && p->machine != machine)
		return refuse(e, "program header and ELF header name different machines");
	if (p->entry != 0 && p->entry != e->header.e_entry)
		return refuse(e, "program header and ELF header name different entry points");
	p->machine = machine;
	p->entry = e->header.e_entry;
	p->data = 0;
	p->flags &= PROGRAM_PROCESS;
	p->data_image = p->data_filesz = 0;
	memset(p->reserved, 0, sizeof(p->reserved));
	return complete_tls(e);
}

static bool read_elf(struct elf *e)
{
	if (!check_header(e))
		return false;
	for (unsigned int i = 0; i < e->header.e_phnum; i++) {
		if (!add_segment(e, i))
			return false;
	}
	return read_program(e) && complete_program(e);
}

/* The initial data behind the text, too: a copy of the object's bytes is a program. */
static void add_data_image(struct split *out)
{
	uint64_t at = align_up(out->header.text_end, TWZ_PAGE_SIZE);
	uint8_t page[TWZ_PAGE_SIZE];

	out->header.data_image = at;
	for (size_t i = 0; out->has_data && i < out->data.count; i++) {
		uint64_t offset = (uint64_t)out->data.pages[i].number * TWZ_PAGE_SIZE;

		if (offset >= OBJ_TOPDATA || at + offset > OBJ_TOPDATA)
			continue;
		image_read(&out->data, offset, page, sizeof(page));
		image_write(&out->text, at + offset - OBJ_NULLPAGE_SIZE, page, sizeof(page));
		out->header.data_filesz = MAX(out->header.data_filesz, offset);
	}
	out->text.mi->flags = MIF_SZ;
	out->text.mi->sz = at + out->header.data_filesz - OBJ_NULLPAGE_SIZE;
}

static void copy_segments(const struct elf *e, struct split *out)
{
	for (unsigned int i = 0; i < e->loads; i++) {
		const Elf64_Phdr *s = &e->load[i];
		bool data = slot_of(s) == PROGRAM_DATA_SLOT;
		uint64_t *end = data ? &out->header.data_end : &out->header.text_end;

		image_write(data ? &out->data : &out->text, offset_of(s), e->file + s->p_offset,
			    s->p_filesz);
		*end = MAX(*end, offset_of(s) + s->p_memsz);
		out->has_data |= data;
	}
}

bool split_elf(const void *file, size_t len, struct split *out, char why[SPLIT_WHY])
{
	struct elf e = { .file = file, .len = len, .why = why };

	if (!read_elf(&e))
		return false;
	memset(out, 0, sizeof(*out));
	out->header = e.program;
	image_init(&out->text, MIP_DFL_READ | MIP_DFL_EXEC);
	image_init(&out->data, MIP_DFL_READ);
	out->text.flags = PACK_OBJECT_PROGRAM;
	copy_segments(&e, out);
	if (out->has_data)
		image_finish(&out->data);
	else
		image_free(&out->data);
	out->header.data = out->data.id;
	add_data_image(out);
	image_write(&out->text, OBJ_NULLPAGE_SIZE, &out->header, sizeof(out->header));
	image_finish(&out->text);
	return true;
}
