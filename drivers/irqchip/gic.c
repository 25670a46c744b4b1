// SPDX-License-Identifier: BSD-3-Clause
/*
 * The parts that versions 2 and 3 of the generic interrupt controller share.
 */
#include <abi/errno.h>
#include <dev/driver.h>

#include "gic.h"

#define TYPE_SHARED 0u
#define TYPE_PRIVATE 1u
#define TRIGGER_EDGES 3u /* flags: rising 1, falling 2, high 4, low 8 */

unsigned int gic_line_count(const volatile void *distributor)
{
	uint32_t typer = mmio_read32((const volatile char *)distributor + GICD_TYPER);
	unsigned int lines = ((typer & 31u) + 1) * 32;

	return lines < GIC_LINES_MAX ? lines : GIC_LINES_MAX;
}

void gic_reset_lines(volatile char *frame, unsigned int first, unsigned int count)
{
	for (unsigned int line = first; line < first + count; line += 32) {
		mmio_write32(frame + GICD_ICENABLER + line / 8, ~0u);
		mmio_write32(frame + GICD_ICPENDR + line / 8, ~0u);
	}
	for (unsigned int line = first; line < first + count; line += 4)
		mmio_write32(frame + GICD_IPRIORITYR + line, GIC_PRIORITY * 0x01010101u);
	for (unsigned int line = first; line < first + count; line += 16)
		if (line >= GIC_PRIVATE_FIRST)
			mmio_write32(frame + GICD_ICFGR + line / 4, 0);
}

/* Two bits a line, of which the upper says edge. For private lines it may be fixed. */
void gic_set_trigger(volatile char *frame, unsigned int line, bool level)
{
	volatile char *word = frame + GICD_ICFGR + line / 16 * 4;
	uint32_t bit = 2u << line % 16 * 2, value = mmio_read32(word);

	mmio_write32(word, level ? value & ~bit : value | bit);
}

void gic_unmask(volatile char *frame, unsigned int line)
{
	mmio_write32(frame + GICD_ISENABLER + line / 32 * 4, 1u << line % 32);
}

void gic_mask(volatile char *frame, unsigned int line)
{
	mmio_write32(frame + GICD_ICENABLER + line / 32 * 4, 1u << line % 32);
}

int gic_translate(const uint32_t *cells, int count, unsigned int lines, bool *level)
{
	if (count < 3)
		return -EINVAL;
	*level = !(cells[2] & TRIGGER_EDGES);
	if (cells[0] == TYPE_PRIVATE && cells[1] < GIC_SHARED_FIRST - GIC_PRIVATE_FIRST)
		return (int)(GIC_PRIVATE_FIRST + cells[1]);
	if (cells[0] == TYPE_SHARED && lines > GIC_SHARED_FIRST &&
	    cells[1] < lines - GIC_SHARED_FIRST)
		return (int)(GIC_SHARED_FIRST + cells[1]);
	return -EINVAL;
}
