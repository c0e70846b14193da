// SPDX-License-Identifier: GPL-2.0
/*
 * QEMU's edu device: identification, interrupts, the DMA engine.
 *
 * Register meanings are from QEMU's docs/specs/edu.rst and hw/misc/edu.c. Below 0x80
 * the device answers 4-byte accesses only. It has no reset: interrupt status survives
 * the driver, and a running DMA cannot be aborted. While one runs, writes to the DMA
 * registers are ignored.
 */
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jiffies.h>

#include "edu.h"
#include "fault.h"

#define EDU_REG_ID		0x00	/* 0xRRrr00ed: major and minor revision */
#define EDU_REG_LIVENESS	0x04	/* reads back inverted */
#define EDU_REG_IRQ_STATUS	0x24
#define EDU_REG_IRQ_RAISE	0x60	/* sets status bits and raises the interrupt */
#define EDU_REG_IRQ_ACK		0x64	/* clears status bits */
#define EDU_REG_DMA_SRC		0x80
#define EDU_REG_DMA_DST		0x88
#define EDU_REG_DMA_COUNT	0x90
#define EDU_REG_DMA_CMD		0x98

#define EDU_ID_MASK		0x0000ffff
#define EDU_ID			0x000000ed

#define EDU_DMA_RUN		BIT(0)
#define EDU_DMA_FROM_DEVICE	BIT(1)
#define EDU_DMA_IRQ		BIT(2)

#define EDU_ONBOARD		0x40000	/* the on-board memory, in device addresses */

static u32 edu_read(struct edu *edu, unsigned int reg)
{
	unsigned long flags;
	u32 value;

	raw_spin_lock_irqsave(&edu->lock, flags);
	value = edu->regs ? readl(edu->regs + reg) : ~0;
	raw_spin_unlock_irqrestore(&edu->lock, flags);
	return value;
}

static void edu_write(struct edu *edu, unsigned int reg, u32 value)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&edu->lock, flags);
	if (edu->regs)
		writel(value, edu->regs + reg);
	raw_spin_unlock_irqrestore(&edu->lock, flags);
}

/**
 * edu_attach() - begin to use a device's registers
 * @edu: zeroed
 * @regs: BAR 0, mapped until after edu_detach()
 *
 * Context: Process context.
 */
void edu_attach(struct edu *edu, void __iomem *regs)
{
	raw_spin_lock_init(&edu->lock);
	edu->regs = regs;
}

/**
 * edu_detach() - never touch the registers again
 * @edu: the device
 *
 * When this returns the BAR may be unmapped, whoever may still want to ring.
 *
 * Context: Any.
 */
void edu_detach(struct edu *edu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&edu->lock, flags);
	if (edu->regs)
		writel(~0, edu->regs + EDU_REG_IRQ_ACK);	/* of a late ring */
	edu->regs = NULL;
	raw_spin_unlock_irqrestore(&edu->lock, flags);
}

/**
 * edu_identify() - is this an edu device, and is it alive?
 * @edu: the device
 *
 * Context: Any.
 * Return: true if its identification and its liveness register answer as they must.
 */
bool edu_identify(struct edu *edu)
{
	const u32 probe = 0x5a17c0de;

	if ((edu_read(edu, EDU_REG_ID) & EDU_ID_MASK) != EDU_ID)
		return false;
	edu_write(edu, EDU_REG_LIVENESS, probe);
	return edu_read(edu, EDU_REG_LIVENESS) == ~probe;
}

/**
 * edu_take_irqs() - read and acknowledge pending interrupts
 * @edu: the device
 *
 * Acknowledges exactly the bits it read: one that comes in between raises the
 * interrupt anew.
 *
 * Context: Any.
 * Return: EDU_IRQ_* bits; 0 if there are none or the device is gone.
 */
u32 edu_take_irqs(struct edu *edu)
{
	u32 status = edu_read(edu, EDU_REG_IRQ_STATUS);

	if (!status || status == ~0u)
		return 0;
	edu_write(edu, EDU_REG_IRQ_ACK, status);
	return status;
}

/**
 * edu_ring() - make the device raise its interrupt with EDU_IRQ_REFILL
 * @edu: the device
 *
 * Context: Any.
 */
void edu_ring(struct edu *edu)
{
	edu_write(edu, EDU_REG_IRQ_RAISE, EDU_IRQ_REFILL);
}

/**
 * edu_start_dma() - move bytes between memory and the on-board memory
 * @edu: the device, no DMA running
 * @direction: which way
 * @bus: bus address of the memory; above the device's mask QEMU would clamp it
 *	silently, and the data would go elsewhere
 * @bytes: 1 to EDU_MAX_TRANSFER, from the start of the on-board memory
 *
 * Always uses the same on-board range, so nothing of it can be chosen from outside.
 *
 * Context: Any.
 */
void edu_start_dma(struct edu *edu, enum edu_direction direction, dma_addr_t bus,
		   u32 bytes)
{
	u32 command = EDU_DMA_RUN | EDU_DMA_IRQ;
	u64 src = bus, dst = EDU_ONBOARD;
	unsigned long flags;

	if (WARN_ON_ONCE(!bytes || bytes > EDU_MAX_TRANSFER))
		return;
	if (direction == EDU_FROM_DEVICE) {
		swap(src, dst);
		command |= EDU_DMA_FROM_DEVICE;
	}

	raw_spin_lock_irqsave(&edu->lock, flags);
	if (edu->regs) {
		writeq(src, edu->regs + EDU_REG_DMA_SRC);
		writeq(dst, edu->regs + EDU_REG_DMA_DST);
		writeq(bytes, edu->regs + EDU_REG_DMA_COUNT);
		writeq(command, edu->regs + EDU_REG_DMA_CMD);
	}
	raw_spin_unlock_irqrestore(&edu->lock, flags);
}

/**
 * edu_dma_running() - is a DMA under way?
 * @edu: the device
 *
 * Context: Any.
 * Return: true also if the device does not answer: all ones say that it may be gone, not
 * that it reaches no memory.
 */
bool edu_dma_running(struct edu *edu)
{
	return (edu_read(edu, EDU_REG_DMA_CMD) & EDU_DMA_RUN) ||
	       labyrinth_fault_due(LABYRINTH_FAULT_DMA_LATE);
}

/**
 * edu_wait_for_dma() - wait for the engine to be idle
 * @edu: the device
 * @ms: how long at most
 *
 * Context: Process context, sleeps.
 * Return: whether it is idle.
 */
bool edu_wait_for_dma(struct edu *edu, unsigned int ms)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(ms);

	while (edu_dma_running(edu)) {
		if (time_after(jiffies, deadline))
			return !edu_dma_running(edu);
		usleep_range(1000, 2000);
	}
	return true;
}
