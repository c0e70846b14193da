/* SPDX-License-Identifier: GPL-2.0 */
/* The edu device's registers. Only edu.c touches them. */
#ifndef LABYRINTH_EDU_H
#define LABYRINTH_EDU_H

#include <linux/spinlock.h>
#include <linux/types.h>

#define EDU_VENDOR_ID		0x1234	/* QEMU */
#define EDU_DEVICE_ID		0x11e8
#define EDU_BAR			0

/* Interrupt status bits that mean something to this driver. */
#define EDU_IRQ_REFILL		0x00000001	/* raised by edu_ring(), ours to choose */
#define EDU_IRQ_DMA		0x00000100	/* raised by the device at the end of a DMA */

/*
 * The longest transfer. The on-board memory has 4,096 bytes, but up to QEMU 9.0 a
 * DMA that reaches the last one aborts the whole machine, and later versions copy
 * out of bounds (hw/misc/edu.c, edu_check_range()).
 */
#define EDU_MAX_TRANSFER	4095u

/* Every DMA takes this long, whatever its length (hw/misc/edu.c). */
#define EDU_DMA_MS		100

/**
 * enum edu_direction - which way a DMA goes
 * @EDU_TO_DEVICE: from memory into the on-board memory
 * @EDU_FROM_DEVICE: from the on-board memory into memory
 */
enum edu_direction {
	EDU_TO_DEVICE,
	EDU_FROM_DEVICE,
};

/**
 * struct edu - one device's registers
 * @lock: guards @regs; raw, so that it can be taken wherever the pool rings
 * @regs: BAR 0, or NULL once detached: then reads give all ones, as from an
 *	unplugged device, and writes go nowhere
 */
struct edu {
	raw_spinlock_t lock;
	void __iomem *regs;
};

void edu_attach(struct edu *edu, void __iomem *regs);
void edu_detach(struct edu *edu);
bool edu_identify(struct edu *edu);
u32 edu_take_irqs(struct edu *edu);
void edu_ring(struct edu *edu);
void edu_start_dma(struct edu *edu, enum edu_direction direction, dma_addr_t bus,
		   u32 bytes);
bool edu_dma_running(struct edu *edu);
bool edu_wait_for_dma(struct edu *edu, unsigned int ms);

#endif /* LABYRINTH_EDU_H */
