/* SPDX-License-Identifier: GPL-2.0 */
/* The DMA engine of an edu device, used behind its driver's back. */
#ifndef LABYRINTH_STRAY_TEST_H
#define LABYRINTH_STRAY_TEST_H

#include <linux/ktime.h>
#include <linux/pci.h>
#include <linux/types.h>

#define STRAY_BAR		0
#define STRAY_MAX_TRANSFER	4095u	/* the last on-board byte aborts the machine */

/**
 * struct stray_engine - an engine that its driver believes to be its own
 * @pdev: the device
 * @regs: its BAR 0, mapped beside the driver's own mapping
 * @hog: the thread that keeps the engine busy, with nobody's lock
 * @hog_page: what it lets the device write to; NULL if there is none
 * @hog_bus: where that is for the device
 * @hog_until: when it stops by itself
 * @late: how often a transfer had ended before the next was begun
 * @turns: how many have been begun after the first
 */
struct stray_engine {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct task_struct *hog;
	void *hog_page;
	dma_addr_t hog_bus;
	ktime_t hog_until;
	u32 late;
	u32 turns;
};

/* One call at a time, but for the first. All but that and stray_engine_start() sleep. */
bool stray_engine_is_busy(const struct stray_engine *engine);
bool stray_engine_wait(const struct stray_engine *engine);
int stray_engine_start(const struct stray_engine *engine, dma_addr_t bus, u32 bytes);
int stray_engine_hog(struct stray_engine *engine, u32 ms);
void stray_engine_stop_hog(struct stray_engine *engine);

#endif /* LABYRINTH_STRAY_TEST_H */
