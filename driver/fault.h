/* SPDX-License-Identifier: GPL-2.0 */
/* Faults made on purpose, for tests, where fail-nth does not reach; see fault.c. */
#ifndef LABYRINTH_FAULT_H
#define LABYRINTH_FAULT_H

#include <linux/types.h>

struct dentry;

/**
 * enum labyrinth_fault - what can be made to go wrong
 * @LABYRINTH_FAULT_REFILL_IRQ: the interrupt handler gets no page
 * @LABYRINTH_FAULT_REFILL_WORKER: the worker, or a probe, gets no page
 * @LABYRINTH_FAULT_REFILL_LOST: the handler does not see that the device was rung
 * @LABYRINTH_FAULT_DMA_LATE: the device looks busy though its transfer has ended
 * @LABYRINTH_FAULT_DMA_LOST: the handler does not see that a transfer has ended
 * @LABYRINTH_FAULTS: how many there are
 */
enum labyrinth_fault {
	LABYRINTH_FAULT_REFILL_IRQ,
	LABYRINTH_FAULT_REFILL_WORKER,
	LABYRINTH_FAULT_REFILL_LOST,
	LABYRINTH_FAULT_DMA_LATE,
	LABYRINTH_FAULT_DMA_LOST,
	LABYRINTH_FAULTS
};

/* Debian's kernels have none: there, nothing of this is compiled. */
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool labyrinth_fault_due(enum labyrinth_fault fault);
void labyrinth_fault_init(struct dentry *root);
#else
static inline bool labyrinth_fault_due(enum labyrinth_fault fault)
{
	return false;
}

static inline void labyrinth_fault_init(struct dentry *root)
{
}
#endif

#endif /* LABYRINTH_FAULT_H */
