// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * labyrinth stat: the pool's state and all its counters, in one snapshot.
 */
#include "command.h"

#define STAT(name, text)	ROW(struct labyrinth_stat, name, text)

static const struct column rows[] = {
	TEXT_ROW("device", "its path"),
	STAT(total, "pages in the pool: the sum of the next six"),
	STAT(free, "pages of nobody"),
	STAT(owned, "pages of open files"),
	STAT(ticketed, "pages of tickets"),
	STAT(kernel, "pages of in-kernel clients"),
	STAT(quarantined, "released, but a DMA may still reach them"),
	STAT(poisoned, "never handed out again"),
	STAT(waiters, "requests waiting now"),
	STAT(low, "fewer free pages ask the interrupt for more"),
	STAT(high, "refilling stops here"),
	STAT(reserve, "kept for atomic callers in the kernel"),
	STAT(max, "pages the pool may hold"),
	STAT(acquired, "pages handed out"),
	STAT(released, "pages given back"),
	STAT(revoked, "pages whose mappings were taken away"),
	STAT(scrubbed, "pages zeroed before reuse"),
	STAT(irq_refills, "interrupts that added pages"),
	STAT(irq_refill_pages, "pages allocated in the interrupt handler"),
	STAT(irq_hard, "handler runs in hard interrupt context"),
	STAT(irq_threaded, "handler runs in a thread"),
	STAT(worker_refills, "worker runs that added pages"),
	STAT(worker_refill_pages, "pages allocated by the worker"),
	STAT(refill_failures, "page allocations that failed"),
	STAT(trimmed, "pages given back to the system"),
	STAT(shrunk, "pages given back under memory pressure"),
	STAT(exhaustion_waits, "requests that had to wait"),
	STAT(exhaustion_fails, "requests refused for want of pages"),
	STAT(fragmentation_fails, "contiguous requests refused"),
	STAT(steals, "pages taken from another CPU's cache"),
	STAT(copies, "copies that ended well"),
	STAT(copies_failed, "copies that failed"),
	STAT(copied_bytes, "bytes copied"),
	STAT(chunks, "chunks begun by the DMA engine"),
	STAT(chunks_outside, "chunks begun outside the interrupt handler"),
	STAT(dma_timeouts, "transfers that did not end in time"),
	STAT(given, "pages moved into tickets"),
	STAT(taken, "pages moved out of tickets"),
};

static int show(struct labyrinth_device *dev, const struct style *style)
{
	struct field fields[ARRAY_SIZE(rows)];
	struct labyrinth_stat stat;

	if (labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0)
		return library_failed();
	fields_read(fields, rows, ARRAY_SIZE(rows), &stat);
	fields[0].text = labyrinth_device_path(dev);
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
	.columns = rows,
	.column_count = ARRAY_SIZE(rows),
	.run = run,
};
