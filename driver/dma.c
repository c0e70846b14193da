// SPDX-License-Identifier: GPL-2.0
/*
 * How wide the device's bus addresses are. The device does not tell, and clamps an
 * address that is too wide without a word: the data then goes to somebody else's
 * memory. So a width above the default is believed only after a trial.
 */
#include <linux/cc_platform.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "device.h"

#define DEFAULT_DMA_BITS	28	/* QEMU's default for the property dma_mask */

/*
 * Blocks tried until one lies above the default width: large ones, because nothing
 * else makes the page allocator leave low memory, and enough to use up what is below.
 */
#define HIGH_BLOCK_SIZE		SZ_4M
#define HIGH_BLOCK_TRIES	(SZ_256M / HIGH_BLOCK_SIZE)

static uint dma_bits = DEFAULT_DMA_BITS;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "width of the device's DMA addresses, 28 to 64 (default: 28); must not exceed its dma_mask property");

static bool unsafe_dma_bits;
module_param(unsafe_dma_bits, bool, 0444);
MODULE_PARM_DESC(unsafe_dma_bits, "believe dma_bits where it cannot be verified; a wrong value corrupts memory");

/**
 * struct trial_block - memory for the trial
 * @link: on the list of blocks tried
 * @cpu: in the kernel's address space
 * @bus: its bus address
 * @size: in bytes
 */
struct trial_block {
	struct list_head link;
	void *cpu;
	dma_addr_t bus;
	size_t size;
};

static struct trial_block *get_block(struct device *dev, unsigned int bits, size_t size)
{
	struct trial_block *block;

	if (dma_set_coherent_mask(dev, DMA_BIT_MASK(bits)))
		return NULL;
	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return NULL;
	block->size = size;
	block->cpu = dma_alloc_coherent(dev, size, &block->bus,
					GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (block->cpu)
		return block;
	kfree(block);
	return NULL;
}

static void put_block(struct device *dev, struct trial_block *block)
{
	if (!block)
		return;
	dma_free_coherent(dev, block->size, block->cpu, block->bus);
	kfree(block);
}

/* Holds on to blocks that turn out low, so that the next one is another. */
static struct trial_block *get_block_above(struct device *dev, unsigned int bits)
{
	struct trial_block *block, *next, *high = NULL;
	LIST_HEAD(low);
	int i;

	for (i = 0; i <= HIGH_BLOCK_TRIES && !high; i++) {
		block = get_block(dev, dma_bits, HIGH_BLOCK_SIZE);
		if (!block)
			break;
		if (block->bus > DMA_BIT_MASK(bits))
			high = block;
		else
			list_add(&block->link, &low);
	}
	list_for_each_entry_safe(block, next, &low, link)
		put_block(dev, block);
	return high;
}

static bool move(struct edu *edu, enum edu_direction direction, dma_addr_t bus)
{
	edu_start_dma(edu, direction, bus, EDU_MAX_TRANSFER);
	return edu_wait_for_dma(edu, DMA_PATIENCE_MS);
}

/* Sends a pattern from high memory through the device into the low page. */
static bool round_trip(struct pci_dev *pdev, struct edu *edu,
		       struct trial_block *high, struct trial_block *low)
{
	bool moved;
	u32 i;

	for (i = 0; i < PAGE_SIZE / sizeof(u32); i++)
		((u32 *)high->cpu)[i] = 0x1abe1000 + i;

	pci_set_master(pdev);
	moved = move(edu, EDU_TO_DEVICE, high->bus) &&
		move(edu, EDU_FROM_DEVICE, low->bus);
	pci_clear_master(pdev);
	edu_take_irqs(edu);
	return moved && !memcmp(high->cpu, low->cpu, EDU_MAX_TRANSFER);
}

/*
 * Lowers *@bits to those that the trial has shown: where it got no block higher up, the
 * device may ignore the bits above.
 */
static int verify_width(struct pci_dev *pdev, struct edu *edu, unsigned int *bits)
{
	struct device *dev = &pdev->dev;
	struct trial_block *low, *high;
	int err = 0;

	low = get_block(dev, DEFAULT_DMA_BITS, PAGE_SIZE);
	high = get_block_above(dev, DEFAULT_DMA_BITS);
	if (!low || !high) {
		if (!unsafe_dma_bits) {
			dev_err(dev, "dma_bits=%u cannot be verified: found no memory %s 256 MiB; unsafe_dma_bits=1 takes the risk\n",
				dma_bits, low ? "above" : "below");
			err = -EIO;
		}
	} else if (!round_trip(pdev, edu, high, low)) {
		dev_err(dev, "dma_bits=%u is too wide for this device: check its dma_mask property\n",
			dma_bits);
		err = -EIO;
	} else if (!unsafe_dma_bits) {
		*bits = min_t(unsigned int, dma_bits, fls64(high->bus));
	}
	put_block(dev, high);
	put_block(dev, low);
	return err;
}

/**
 * labyrinth_set_dma_mask() - decide how wide the device's bus addresses are
 * @pdev: the PCI function, not a bus master, its interrupt off
 * @edu: its registers, no DMA running
 *
 * Context: Process context, sleeps; a wider mask than the default costs two DMAs.
 * Return: 0 or a negative errno.
 */
int labyrinth_set_dma_mask(struct pci_dev *pdev, struct edu *edu)
{
	struct device *dev = &pdev->dev;
	unsigned int bits = dma_bits;
	int err;

	/*
	 * Coherent memory of an encrypted guest is decrypted for the host to see, and
	 * GFP_ATOMIC gets it from small pools only: neither is what is promised here.
	 */
	if (cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT)) {
		dev_err(dev, "memory of encrypted guests is not supported\n");
		return -ENODEV;
	}
	if (dma_bits < DEFAULT_DMA_BITS || dma_bits > 64) {
		dev_err(dev, "dma_bits=%u: must be 28 to 64\n", dma_bits);
		return -EINVAL;
	}
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(dma_bits));
	if (err) {
		dev_err(dev, "no DMA with %u address bits on this machine\n", dma_bits);
		return err;
	}
	if (dma_bits == DEFAULT_DMA_BITS)
		return 0;
	err = verify_width(pdev, edu, &bits);
	if (err)
		return err;
	if (bits < dma_bits)
		dev_info(dev, "dma_bits=%u: only %u could be verified, and are used\n",
			 dma_bits, bits);
	return dma_set_coherent_mask(dev, DMA_BIT_MASK(bits));
}
