// SPDX-License-Identifier: GPL-2.0
/*
 * The least that a driver could do to get pages in its interrupt handler: acknowledge,
 * dma_alloc_coherent(GFP_ATOMIC), and ring again until there are enough. For an edu
 * device that labyrinth.ko has given up: driver_override binds it here.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "bench.h"

/* As many as labyrinth.ko allocates in one run of its handler. */
#define BUDGET			16
#define MOST_PAGES		1024

#define EDU_REG_IRQ_STATUS	0x24
#define EDU_REG_IRQ_RAISE	0x60
#define EDU_REG_IRQ_ACK		0x64

/**
 * struct peer - the device
 * @lock: one refill at a time, and none while the device goes
 * @pdev: NULL while there is none
 * @regs: its registers
 * @target: pages wanted
 * @count: pages there are
 * @cpu: their addresses
 * @bus: and bus addresses
 * @failed: an allocation failed
 * @done: @count has arrived at @target, or @failed
 */
struct peer {
	struct mutex lock;	/* a refill, a removal */
	struct pci_dev *pdev;
	void __iomem *regs;
	unsigned int target;
	unsigned int count;
	void *cpu[MOST_PAGES];
	dma_addr_t bus[MOST_PAGES];
	bool failed;
	struct completion done;
};

static struct peer the_peer = { .lock = __MUTEX_INITIALIZER(the_peer.lock) };

static irqreturn_t peer_interrupt(int irq, void *data)
{
	struct peer *peer = data;
	u32 status = readl(peer->regs + EDU_REG_IRQ_STATUS);
	unsigned int i, n;

	if (!status)
		return IRQ_NONE;
	writel(status, peer->regs + EDU_REG_IRQ_ACK);
	for (i = 0; i < BUDGET && peer->count < peer->target; i++) {
		n = peer->count;
		peer->cpu[n] = dma_alloc_coherent(&peer->pdev->dev, PAGE_SIZE,
						  &peer->bus[n], GFP_ATOMIC | __GFP_NOWARN);
		if (!peer->cpu[n]) {
			peer->failed = true;
			break;
		}
		peer->count++;
	}
	if (peer->failed || peer->count == peer->target)
		complete(&peer->done);
	else
		writel(1, peer->regs + EDU_REG_IRQ_RAISE);
	return IRQ_HANDLED;
}

static int refill(struct peer *peer, unsigned int pages)
{
	if (!peer->pdev)
		return -ENODEV;
	init_completion(&peer->done);
	peer->failed = false;
	peer->target = pages;
	writel(1, peer->regs + EDU_REG_IRQ_RAISE);
	if (!wait_for_completion_timeout(&peer->done, HZ))
		return -ETIMEDOUT;
	while (peer->count) {
		peer->count--;
		dma_free_coherent(&peer->pdev->dev, PAGE_SIZE, peer->cpu[peer->count],
				  peer->bus[peer->count]);
	}
	return peer->failed ? -ENOMEM : 0;
}

static ssize_t refill_write(struct file *file, const char __user *from, size_t length,
			    loff_t *position)
{
	struct peer *peer = file->private_data;
	unsigned int pages;
	int err;

	err = kstrtouint_from_user(from, length, 0, &pages);
	if (err)
		return err;
	if (!pages || pages > MOST_PAGES)
		return -EINVAL;
	mutex_lock(&peer->lock);
	err = refill(peer, pages);
	mutex_unlock(&peer->lock);
	return err ? err : length;
}

static const struct file_operations refill_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = refill_write,
};

static int set_up(struct pci_dev *pdev, struct peer *peer)
{
	int err;

	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (err)
		return err;
	err = pcim_iomap_regions(pdev, BIT(0), "labyrinth_bench");
	if (err)
		return err;
	peer->regs = pcim_iomap_table(pdev)[0];
	pci_set_master(pdev);
	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), peer_interrupt, 0, "labyrinth_bench", peer);
	if (err)
		pci_free_irq_vectors(pdev);
	return err;
}

static int peer_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct peer *peer = &the_peer;
	int err;

	if (peer->pdev)
		return -EBUSY;
	err = pcim_enable_device(pdev);
	if (!err)
		err = set_up(pdev, peer);
	if (!err)
		peer->pdev = pdev;
	return err;
}

static void peer_remove(struct pci_dev *pdev)
{
	struct peer *peer = &the_peer;

	mutex_lock(&peer->lock);
	free_irq(pci_irq_vector(pdev, 0), peer);
	pci_free_irq_vectors(pdev);
	pci_clear_master(pdev);
	peer->pdev = NULL;
	mutex_unlock(&peer->lock);
}

static struct pci_driver peer_driver = {
	.name = "labyrinth_bench",
	.probe = peer_probe,
	.remove = peer_remove,
};

int bench_peer_init(struct dentry *directory)
{
	int err = pci_register_driver(&peer_driver);

	if (!err)
		debugfs_create_file("refill", 0200, directory, &the_peer, &refill_fops);
	return err;
}

void bench_peer_exit(void)
{
	pci_unregister_driver(&peer_driver);
}
