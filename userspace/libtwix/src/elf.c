// SPDX-License-Identifier: BSD-3-Clause
/*
 * ELF files. Whoever wrote one may be hostile, and may go on writing it: everything that is used of
 * its headers is copied, then checked.
 */
#include "twix.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <twz/sys/slots.h>

#define TABLE_MAX 65536u /* bytes of program headers */

static bool is_within(uint64_t offset, uint64_t bytes, uint64_t size)
{
	return offset <= size && bytes <= size - offset;
}

static bool is_ours(const Elf64_Ehdr *h)
{
	return memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	    h->e_ident[EI_DATA] == ELFDATA2LSB && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	    h->e_machine == twix_elf_machine && h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum != 0 &&
	    h->e_phnum * sizeof(Elf64_Phdr) <= TABLE_MAX;
}

/* What Linux finds out when the old program is gone already. */
static int add_load(struct twix_elf *e, const Elf64_Phdr *p)
{
	struct twix_load *l = &e->load[e->loads];
	uint64_t top = SLOT_TO_VADDR(twz_nslots());

	if (p->p_memsz == 0)
		return 0;
	if (p->p_filesz > p->p_memsz || !is_within(p->p_vaddr, p->p_memsz, top) || e->loads == TWIX_ELF_LOADS ||
	    !is_within(p->p_offset, p->p_filesz, e->size))
		return TWIX_EXEC_FATAL;
	for (unsigned i = 0; i < e->loads; i++)
		if (p->p_vaddr < e->load[i].address + e->load[i].memory && e->load[i].address < p->p_vaddr + p->p_memsz)
			return TWIX_EXEC_FATAL;
	*l = (struct twix_load){ p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz, p->p_flags };
	e->loads++;
	return 0;
}

static int set_interpreter(struct twix_elf *e, const Elf64_Phdr *p)
{
	if (p->p_filesz < 2 || p->p_filesz > sizeof(e->interpreter) || !is_within(p->p_offset, p->p_filesz, e->size))
		return -ENOEXEC;
	memcpy(e->interpreter, e->file + p->p_offset, p->p_filesz);
	return e->interpreter[p->p_filesz - 1] ? -ENOEXEC : 0;
}

static void set_tls(struct twix_elf *e, const Elf64_Phdr *p)
{
	e->tls[0] = p->p_vaddr;
	e->tls[1] = p->p_filesz;
	e->tls[2] = p->p_memsz;
	e->tls[3] = p->p_align;
}

static int read_table(struct twix_elf *e, const Elf64_Phdr *table, unsigned count)
{
	int r = 0;

	/* The interpreter first: it is what Linux looks at before the point of no return. */
	for (unsigned i = 0; i < count && r == 0; i++)
		if (table[i].p_type == PT_INTERP)
			r = set_interpreter(e, &table[i]);
	for (unsigned i = 0; i < count && r == 0; i++)
		if (table[i].p_type == PT_LOAD)
			r = add_load(e, &table[i]);
		else if (table[i].p_type == PT_TLS)
			set_tls(e, &table[i]);
	return r;
}

static void find_header(struct twix_elf *e, uint64_t offset, unsigned count)
{
	e->header_count = count;
	for (unsigned i = 0; i < e->loads; i++) {
		const struct twix_load *l = &e->load[i];

		if (offset >= l->offset && is_within(offset - l->offset, count * sizeof(Elf64_Phdr), l->bytes))
			e->header = l->address + (offset - l->offset);
	}
}

int twix_elf_read(struct twix_elf *e, const char *file, uint64_t size)
{
	Elf64_Phdr *table;
	Elf64_Ehdr h;
	size_t bytes;
	int r;

	memset(e, 0, sizeof(*e));
	if (size < sizeof(h))
		return -ENOEXEC;
	memcpy(&h, file, sizeof(h));
	bytes = h.e_phnum * sizeof(Elf64_Phdr);
	if (!is_ours(&h) || !is_within(h.e_phoff, bytes, size))
		return -ENOEXEC;
	table = twix_pages(bytes);
	if (!table)
		return -ENOMEM;
	memcpy(table, file + h.e_phoff, bytes);
	e->file = file;
	e->size = size;
	e->entry = h.e_entry;
	e->type = h.e_type;
	r = read_table(e, table, h.e_phnum);
	find_header(e, h.e_phoff, h.e_phnum);
	twix_munmap((const long[6]){ (long)table, (long)bytes });
	return r == 0 && e->loads == 0 ? TWIX_EXEC_FATAL : r;
}

const struct twix_load *twix_elf_find(const struct twix_elf *e, uint64_t address, uint64_t bytes)
{
	for (unsigned i = 0; i < e->loads; i++) {
		const struct twix_load *l = &e->load[i];

		if (address >= l->address && is_within(address - l->address, bytes, l->bytes))
			return l;
	}
	return NULL;
}
