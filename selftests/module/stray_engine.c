// SPDX-License-Identifier: GPL-2.0
/* Transfers to anywhere, and an engine that is busy with harmless ones. */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/stop_machine.h>

#include "stray.h"

/* Registers and bits of the device, as the driver's edu.c has them. */
#define EDU_REG_DMA_SRC		0x80
#define EDU_REG_DMA_DST		0x88
#define EDU_REG_DMA_COUNT	0x90
#define EDU_REG_DMA_CMD		0x98
#define EDU_DMA_RUN		BIT(0)
#define EDU_DMA_FROM_DEVICE	BIT(1)
#define EDU_ONBOARD		0x40000

/* A transfer takes 100 ms. */
#define IDLE_PATIENCE_MS	2000
#define HOG_SLEEP_MS		50
#define HOG_SPIN_MS		200

/**
 * struct transfer - from the beginning of the on-board memory to somewhere
 * @regs: the registers
 * @bus: where to
 * @bytes: 1 to STRAY_MAX_TRANSFER
 * @slipped: set if the engine had been idle when it was to be taken: it still was, or was at
 *	somebody else's transfer
 */
struct transfer {
	void __iomem *regs;
	dma_addr_t bus;
	u32 bytes;
	bool slipped;
};

static bool is_busy(void __iomem *regs)
{
	u32 command = readl(regs + EDU_REG_DMA_CMD);

	return command != ~0u && (command & EDU_DMA_RUN);
}

bool stray_engine_is_busy(const struct stray_engine *engine)
{
	return is_busy(engine->regs);
}

/*
 * With all other CPUs stopped, interrupts off: the driver can neither find the engine
 * idle before we take it, nor mix its registers with ours, which may abort the machine.
 */
static int take_engine(void *argument)
{
	struct transfer *transfer = argument;
	void __iomem *regs = transfer->regs;
	ktime_t give_up = ktime_add_ms(ktime_get(), HOG_SPIN_MS);
	bool idle = true, too_late;

	for (;;) {
		/* The time first: this CPU, too, may stand still between the two looks. */
		too_late = ktime_after(ktime_get(), give_up);
		if (!is_busy(regs))
			break;
		idle = false;
		if (too_late)
			return -EBUSY;
		udelay(9);	/* each look costs the emulated machine a lot */
	}
	/* The engine refuses to be written to while it runs: what is there is what ran last. */
	transfer->slipped = idle || readq(regs + EDU_REG_DMA_DST) != transfer->bus;
	writeq(EDU_ONBOARD, regs + EDU_REG_DMA_SRC);
	writeq(transfer->bus, regs + EDU_REG_DMA_DST);
	writeq(transfer->bytes, regs + EDU_REG_DMA_COUNT);
	writeq(EDU_DMA_RUN | EDU_DMA_FROM_DEVICE, regs + EDU_REG_DMA_CMD);
	return 0;
}

int stray_engine_start(const struct stray_engine *engine, dma_addr_t bus, u32 bytes)
{
	struct transfer transfer = { .regs = engine->regs, .bus = bus, .bytes = bytes };

	return stop_machine(take_engine, &transfer, NULL);
}

bool stray_engine_wait(const struct stray_engine *engine)
{
	ktime_t give_up = ktime_add_ms(ktime_get(), IDLE_PATIENCE_MS);

	while (is_busy(engine->regs)) {
		if (ktime_after(ktime_get(), give_up))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

/*
 * Real-time, for it must be back before the transfer ends. The first one is under way.
 * Without signals, an interruptible sleep ends early only for kthread_stop().
 */
static int hog_on(void *argument)
{
	struct stray_engine *engine = argument;
	struct transfer transfer = {
		.regs = engine->regs, .bus = engine->hog_bus, .bytes = 1,
	};
	ktime_t pause = ms_to_ktime(HOG_SLEEP_MS);
	int err = 0;

	while (!err && ktime_before(ktime_get(), engine->hog_until)) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule_hrtimeout(&pause, HRTIMER_MODE_REL);
		if (kthread_should_stop())
			break;
		err = stop_machine(take_engine, &transfer, NULL);
		engine->late += err || transfer.slipped;
		/* Who sees that this turn is over sees what came of it. */
		smp_store_release(&engine->turns, engine->turns + 1);
	}
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

void stray_engine_stop_hog(struct stray_engine *engine)
{
	if (!engine->hog_page)
		return;
	if (engine->hog)
		kthread_stop(engine->hog);
	engine->hog = NULL;
	stray_engine_wait(engine);
	dma_free_coherent(&engine->pdev->dev, PAGE_SIZE, engine->hog_page, engine->hog_bus);
	engine->hog_page = NULL;
}

int stray_engine_hog(struct stray_engine *engine, u32 ms)
{
	struct task_struct *hog;
	int err;

	engine->hog_page = dma_alloc_coherent(&engine->pdev->dev, PAGE_SIZE,
					      &engine->hog_bus, GFP_KERNEL);
	if (!engine->hog_page)
		return -ENOMEM;
	engine->hog_until = ktime_add_ms(ktime_get(), ms);
	hog = kthread_create(hog_on, engine, "labyrinth-hog");
	err = PTR_ERR_OR_ZERO(hog);
	if (!err) {
		sched_set_fifo(hog);
		engine->hog = hog;
		err = stray_engine_start(engine, engine->hog_bus, 1);
	}
	if (err)
		stray_engine_stop_hog(engine);
	else
		wake_up_process(hog);
	return err;
}
