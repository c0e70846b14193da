// SPDX-License-Identifier: GPL-2.0
/*
 * Faults made on purpose, for tests. The kernel's own, such as failslab with fail-nth,
 * reach what a system call does; these reach the interrupt handler, the worker and the
 * device. In /sys/kernel/debug/labyrinth/, for all devices together, folders with the
 * files that the kernel's documentation of fault injection describes:
 *
 *	fail_refill_irq		the interrupt handler gets no page
 *	fail_refill_worker	the worker, or a probe, gets no page
 *	fail_refill_lost	the interrupt that the pool has rung for is dropped
 *	fail_dma_late		a look at the idle engine sees it busy: the handler then
 *				takes a transfer that has ended for one under way, and
 *				the watchdog, or a removal, waits as many looks longer
 *	fail_dma_lost		the interrupt at the end of a transfer is dropped
 */
#include <linux/fault-inject.h>

#include "fault.h"

static DECLARE_FAULT_ATTR(fail_refill_irq);
static DECLARE_FAULT_ATTR(fail_refill_worker);
static DECLARE_FAULT_ATTR(fail_refill_lost);
static DECLARE_FAULT_ATTR(fail_dma_late);
static DECLARE_FAULT_ATTR(fail_dma_lost);

static struct fault_attr * const attrs[LABYRINTH_FAULTS] = {
	[LABYRINTH_FAULT_REFILL_IRQ] = &fail_refill_irq,
	[LABYRINTH_FAULT_REFILL_WORKER] = &fail_refill_worker,
	[LABYRINTH_FAULT_REFILL_LOST] = &fail_refill_lost,
	[LABYRINTH_FAULT_DMA_LATE] = &fail_dma_late,
	[LABYRINTH_FAULT_DMA_LOST] = &fail_dma_lost,
};

/**
 * labyrinth_fault_due() - is this to go wrong now?
 * @fault: what
 *
 * Context: Any, no raw spinlock held.
 * Return: true if the caller is to fail; always false without fault injection.
 */
bool labyrinth_fault_due(enum labyrinth_fault fault)
{
	return should_fail(attrs[fault], 1);
}

/**
 * labyrinth_fault_init() - let the administrator make things go wrong
 * @root: the module's folder in debugfs; removing it removes what is added here
 *
 * Context: Process context.
 */
void labyrinth_fault_init(struct dentry *root)
{
	fault_create_debugfs_attr("fail_refill_irq", root, &fail_refill_irq);
	fault_create_debugfs_attr("fail_refill_worker", root, &fail_refill_worker);
	fault_create_debugfs_attr("fail_refill_lost", root, &fail_refill_lost);
	fault_create_debugfs_attr("fail_dma_late", root, &fail_dma_late);
	fault_create_debugfs_attr("fail_dma_lost", root, &fail_dma_lost);
}
