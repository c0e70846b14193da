// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth stat: the pool's state and all its counters, in one snapshot.
 */
#include <stddef.h>
#include <string.h>

#include "command.h"

#define ROW(name, text)	{ #name, text, offsetof(struct labyrinth_stat, name) }

static const struct {
	const char *key, *meaning;
	size_t offset;
} rows[] = {
	ROW(total, "pages in the pool: the sum of the next six"),
	ROW(free, "pages of nobody"),
	ROW(owned, "pages of open files"),
	ROW(ticketed, "pages of tickets"),
	ROW(kernel, "pages of in-kernel clients"),
	ROW(quarantined, "released, but a DMA may still reach them"),
	ROW(poisoned, "never handed out again"),
	ROW(waiters, "requests waiting now"),
	ROW(low, "fewer free pages ask the interrupt for more"),
	ROW(high, "refilling stops here"),
	ROW(reserve, "kept for atomic callers in the kernel"),
	ROW(max, "pages the pool may hold"),
	ROW(acquired, "pages handed out"),
	ROW(released, "pages given back"),
	ROW(revoked, "pages whose mappings were taken away"),
	ROW(scrubbed, "pages zeroed before reuse"),
	ROW(irq_refills, "interrupts that added pages"),
	ROW(irq_refill_pages, "pages allocated in the interrupt handler"),
	ROW(irq_hard, "handler runs in hard interrupt context"),
	ROW(irq_threaded, "handler runs in a thread"),
	ROW(worker_refills, "worker runs that added pages"),
	ROW(worker_refill_pages, "pages allocated by the worker"),
	ROW(refill_failures, "page allocations that failed"),
	ROW(trimmed, "pages given back to the system"),
	ROW(shrunk, "pages given back under memory pressure"),
	ROW(exhaustion_waits, "requests that had to wait"),
	ROW(exhaustion_fails, "requests refused for want of pages"),
	ROW(fragmentation_fails, "contiguous requests refused"),
	ROW(steals, "pages taken from another CPU's cache"),
	ROW(copies, "copies that ended well"),
	ROW(copies_failed, "copies that failed"),
	ROW(copied_bytes, "bytes copied"),
	ROW(chunks, "chunks begun by the DMA engine"),
	ROW(chunks_outside, "transfers started outside the interrupt"),
	ROW(dma_timeouts, "transfers that did not end in time"),
	ROW(given, "pages moved into tickets"),
	ROW(taken, "pages moved out of tickets"),
};

static int show(struct labyrinth_device *dev, const struct style *style)
{
	struct field fields[1 + ARRAY_SIZE(rows)];
	struct labyrinth_stat stat;
	size_t i;

	if (labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0)
		return library_failed();

	fields[0] = (struct field){ "device", "", labyrinth_device_path(dev), 0 };
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fields[i + 1] = (struct field){ rows[i].key, rows[i].meaning, NULL, 0 };
		memcpy(&fields[i + 1].value, (const char *)&stat + rows[i].offset,
		       sizeof(fields[i + 1].value));
	}
	return fields_print("stat", fields, ARRAY_SIZE(fields), style);
}

static int run(const struct command *command, int argc, char **argv)
{
	return show_device(command, argc, argv, show);
}

const struct command command_stat = {
	.name = "stat",
	.synopsis = "[-d DEV] [--columns KEY,...] [--json]",
	.summary = "show a pool's pages and counters",
	.help = DEVICE_HELP
		STYLE_HELP,
	.run = run,
};
