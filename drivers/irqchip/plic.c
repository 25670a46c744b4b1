// SPDX-License-Identifier: BSD-3-Clause
/*
 * Platform-level interrupt controller ("riscv,plic0", "sifive,plic-1.0.0").
 *
 * Registers: a priority for each line (0 = never); for each context a bit per line that lets it
 * through, a threshold, and a claim register: reading it takes the most urgent pending line,
 * writing the line back completes it. A context is one privilege mode of one CPU;
 * interrupts-extended lists them.
 *
 * A completion is ignored for a line that the context does not let through, and the line is then
 * dead. So a line is masked by its priority, never by its bit, and once routed to a CPU it stays
 * there.
 */
#include <libfdt.h>

#include <abi/errno.h>
#include <base/endian.h>
#include <boot/fdt.h>
#include <cpu.h>
#include <dev/driver.h>
#include <dev/irqchip.h>
#include <log.h>
#include <spinlock.h>

#define LOG_PREFIX "plic"

#define PRIORITY(line) ((line) * 4u)
#define ENABLE(context) (0x2000u + (context) * 0x80u)
#define THRESHOLD(context) (0x200000u + (context) * 0x1000u)
#define CLAIM(context) (THRESHOLD(context) + 4u)
#define MAX_CONTEXTS 15872u

#define SUPERVISOR_EXTERNAL 9u /* the CPU's own number of the interrupt line a context drives */
#define NO_CONTEXT UINT32_MAX

/* Set once by the boot CPU. */
static char *registers;
static unsigned int last_line;
static uint32_t contexts[CONFIG_MAX_CPUS]; /* by CPU index */

static struct spinlock lock = SPINLOCK_INIT;
/* Bit per line: some CPU lets it through. Guarded by lock. */
static uint32_t routed[IRQ_MAX_LINES / 32];

static int plic_cpu_init(void)
{
	uint32_t context = contexts[this_cpu()->id];

	if (context == NO_CONTEXT)
		return -ENODEV;
	mmio_write32(registers + THRESHOLD(context), 0);
	return 0;
}

static int plic_translate(const uint32_t *cells, int count, bool *level)
{
	if (count != 1 || cells[0] == 0 || cells[0] > last_line)
		return -EINVAL;
	*level = true; /* its gateways hide the difference */
	return (int)cells[0];
}

/* Let a line through to this CPU, unless it has its CPU. Lock held. */
static void route(unsigned int line, uint32_t context)
{
	char *word = registers + ENABLE(context) + line / 32 * 4;
	uint32_t bit = 1u << line % 32;

	if (routed[line / 32] & bit)
		return;
	routed[line / 32] |= bit;
	mmio_write32(word, mmio_read32(word) | bit);
}

static int plic_enable(unsigned int line, bool level)
{
	uint32_t context = contexts[this_cpu()->id];

	(void)level;
	if (line == 0 || line > last_line)
		return -EINVAL;
	if (context == NO_CONTEXT)
		return -ENODEV;
	spin_lock(&lock);
	route(line, context);
	spin_unlock(&lock);
	mmio_write32(registers + PRIORITY(line), 1);
	return 0;
}

static void plic_disable(unsigned int line)
{
	if (line != 0 && line <= last_line)
		mmio_write32(registers + PRIORITY(line), 0);
}

static void plic_handle(void)
{
	uint32_t context = contexts[this_cpu()->id], line;

	if (context == NO_CONTEXT)
		return;
	while ((line = mmio_read32(registers + CLAIM(context))) != 0) {
		irq_dispatch(line);
		mmio_write32(registers + CLAIM(context), line);
	}
}

static const struct irqchip_ops plic_ops = {
	.name = "plic",
	.cpu_init = plic_cpu_init,
	.translate = plic_translate,
	.enable = plic_enable,
	.disable = plic_disable,
	.handle = plic_handle,
};

/* The CPU whose own interrupt controller has this phandle, or NULL. */
static struct cpu *cpu_of(const void *fdt, uint32_t phandle)
{
	int node = fdt_node_offset_by_phandle(fdt, phandle);
	int parent = node < 0 ? -1 : fdt_parent_offset(fdt, node);

	for (unsigned int i = 0; parent >= 0 && i < cpu_count; i++) {
		if (cpus[i].fdt_node == parent)
			return &cpus[i];
	}
	return NULL;
}

/* Which context is each CPU's; silence every context that is ours. Returns how many there are. */
static unsigned int find_contexts(const void *fdt, int node, uint64_t size)
{
	int length;
	const uint8_t *list = fdt_getprop(fdt, node, "interrupts-extended", &length);
	unsigned int count = list ? (unsigned int)length / 8 : 0, found = 0;

	for (unsigned int i = 0; i < CONFIG_MAX_CPUS; i++)
		contexts[i] = NO_CONTEXT;
	for (unsigned int i = 0; i < count && i < MAX_CONTEXTS && CLAIM(i) + 4 <= size; i++) {
		struct cpu *cpu = cpu_of(fdt, load_be32(list + 8 * i));

		if (load_be32(list + 8 * i + 4) != SUPERVISOR_EXTERNAL || cpu == NULL)
			continue;
		contexts[cpu->id] = i;
		found++;
		for (unsigned int line = 0; line <= last_line; line += 32)
			mmio_write32(registers + ENABLE(i) + line / 32 * 4, 0);
	}
	return found;
}

static int probe(const void *fdt, int node)
{
	uint64_t lines = 0;
	struct range range;

	if (irqchip() != NULL)
		return -EBUSY;
	if (!fdt_node_range(fdt, node, 0, &range) || range.size < CLAIM(0) + 4 ||
	    !fdt_node_u64(fdt, node, "riscv,ndev", &lines) || lines == 0) {
		log_error("%s: bad reg or riscv,ndev", fdt_get_name(fdt, node, NULL));
		return -EINVAL;
	}
	registers = mmio_map(range.base, range.size);
	if (registers == NULL)
		return -ENOMEM;
	last_line = lines < IRQ_MAX_LINES ? (unsigned int)lines : IRQ_MAX_LINES - 1;
	for (unsigned int line = 1; line <= last_line; line++)
		plic_disable(line);
	unsigned int found = find_contexts(fdt, node, range.size);
	if (found == 0) {
		log_error("%s: interrupts-extended names no usable CPU",
			  fdt_get_name(fdt, node, NULL));
		return -ENODEV;
	}
	log_info("%u lines, %u CPUs", last_line, found);
	irqchip_register(&plic_ops, node);
	return 0;
}

DRIVER(plic, DRIVER_IRQCHIP, probe, "riscv,plic0", "sifive,plic-1.0.0");
