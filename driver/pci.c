// SPDX-License-Identifier: GPL-2.0
/* The PCI side: probing a device, its interrupt, and its removal while in use. */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/preempt.h>

#include "compat.h"
#include "device.h"
#include "fault.h"

static irqreturn_t labyrinth_interrupt(int irq, void *data)
{
	struct labyrinth_device *ldev = data;
	u32 status = edu_take_irqs(&ldev->edu);

	if (!status)
		return IRQ_NONE;	/* INTx may be shared, or the device is gone */
	labyrinth_pool_count(&ldev->pool,
			     in_hardirq() ? LABYRINTH_IRQ_HARD : LABYRINTH_IRQ_THREADED, 1);
	if ((status & EDU_IRQ_DMA) && !labyrinth_fault_due(LABYRINTH_FAULT_DMA_LOST))
		labyrinth_engine_irq(&ldev->engine);
	if ((status & EDU_IRQ_REFILL) && !labyrinth_fault_due(LABYRINTH_FAULT_REFILL_LOST))
		labyrinth_pool_refill_irq(&ldev->pool);
	return IRQ_HANDLED;
}

/* Stops bus mastering, and makes sure that the device has seen it. */
static bool stop_mastering(struct pci_dev *pdev)
{
	u16 command;

	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	/* All ones: unplugged, nothing is left that could write to memory. */
	return command == 0xffff || !(command & PCI_COMMAND_MASTER);
}

/* Identifies the device and makes sure that it is quiet. */
static int wake_device(struct pci_dev *pdev, struct edu *edu)
{
	if (!edu_identify(edu)) {
		dev_err(&pdev->dev, "this is not an edu device, or it does not answer\n");
		return -ENODEV;
	}
	/*
	 * An earlier driver, or kernel, may have left a DMA running. With bus mastering
	 * back on, it would land in memory that is not its own any more.
	 */
	if (!edu_wait_for_dma(edu, DMA_PATIENCE_MS)) {
		dev_err(&pdev->dev, "a DMA of an earlier user does not end\n");
		return -EBUSY;
	}
	edu_take_irqs(edu);
	return 0;
}

/* Falls back to INTx, and switches it on, where there is no MSI. */
static int set_up_interrupt(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	int err;

	err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSI | PCI_IRQ_INTX);
	if (err < 0)
		return err;
	err = request_irq(pci_irq_vector(pdev, 0), labyrinth_interrupt,
			  pdev->msi_enabled ? 0 : IRQF_SHARED, "labyrinth", ldev);
	if (err) {
		pci_free_irq_vectors(pdev);
		pci_intx(pdev, 0);
	}
	ldev->listening = !err;
	return err;
}

/*
 * Freeing an MSI vector switches INTx on again. The device may still raise one, at the
 * end of a DMA: on a shared line, with nobody to answer for it, that would be a storm.
 */
static void tear_down_interrupt(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	if (!ldev->listening)
		return;		/* shut down, and unplugged after all */
	ldev->listening = false;
	if (!pdev->msi_enabled)
		pci_intx(pdev, 0);
	free_irq(pci_irq_vector(pdev, 0), ldev);
	pci_free_irq_vectors(pdev);
	pci_intx(pdev, 0);
}

/*
 * After this nothing starts any more: no claim, no copy, no interrupt, no DMA. Who
 * waits for pages has been told. Returns whether DMA has truly ended.
 */
static bool quiesce(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	bool idle, cut_off;

	labyrinth_pool_kill(&ldev->pool);
	labyrinth_engine_kill(&ldev->engine);
	labyrinth_engine_stop(&ldev->engine);
	labyrinth_wake_files(ldev);
	tear_down_interrupt(pdev, ldev);
	idle = edu_wait_for_dma(&ldev->edu, DMA_PATIENCE_MS);
	cut_off = stop_mastering(pdev);
	edu_take_irqs(&ldev->edu);
	return idle || cut_off;
}

static void lose_pages(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	dev_err(&pdev->dev, "a DMA cannot be stopped: its memory is lost until reboot\n");
	labyrinth_pool_end_charges(&ldev->pool);
}

/*
 * Takes everything away from files that are open, with pages mapped and copies under
 * way. All coherent memory is freed here: the DMA API forbids to do it after removal.
 * What files may touch afterwards is the memory of the device structure, which they
 * hold.
 */
static void retire(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	bool safe = quiesce(pdev, ldev);

	/* Before the workers are stopped: pages that clients free queue work. */
	labyrinth_tell_clients(ldev);
	labyrinth_pool_stop(&ldev->pool);
	labyrinth_engine_drain(&ldev->engine);
	labyrinth_wake_files(ldev);
	labyrinth_revoke_files(ldev);
	if (safe)
		labyrinth_pool_free_pages(&ldev->pool);
	else
		lose_pages(pdev, ldev);
	edu_detach(&ldev->edu);
}

/* The device is bound, but of no use until it is unbound, which frees its memory. */
static void report_dead(struct labyrinth_device *ldev)
{
	struct pci_dev *pdev = to_pci_dev(ldev->dev.parent);

	dev_err(&pdev->dev, "a DMA does not end: the device is dead until it is bound again\n");
	labyrinth_pool_kill(&ldev->pool);
	labyrinth_engine_kill(&ldev->engine);
	stop_mastering(pdev);
	labyrinth_engine_drain(&ldev->engine);
	labyrinth_wake_files(ldev);
	labyrinth_revoke_files(ldev);
}

static void engine_broken(struct labyrinth_engine *engine)
{
	report_dead(container_of(engine, struct labyrinth_device, engine));
}

const struct labyrinth_engine_ops labyrinth_engine_ops = {
	.broken = engine_broken,
};

static int labyrinth_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct labyrinth_device *ldev;
	struct edu edu = {};
	void __iomem *regs;
	int err;

	err = pci_enable_device(pdev);
	if (err)
		return err;
	pci_intx(pdev, 0);	/* enabling has switched it on, and nobody listens yet */
	err = pci_request_regions(pdev, "labyrinth");
	if (err)
		goto disable;
	regs = pci_iomap(pdev, EDU_BAR, 0);
	if (!regs) {
		err = -ENOMEM;
		goto release_regions;
	}
	edu_attach(&edu, regs);
	err = wake_device(pdev, &edu);
	if (err)
		goto unmap;
	err = labyrinth_set_dma_mask(pdev, &edu);
	if (err)
		goto unmap;
	err = labyrinth_device_create(pdev, &ldev);
	if (err)
		goto unmap;
	edu_attach(&ldev->edu, regs);
	err = set_up_interrupt(pdev, ldev);
	if (err)
		goto free_pages;
	pci_set_master(pdev);
	pci_set_drvdata(pdev, ldev);
	err = labyrinth_device_publish(ldev);
	if (err)
		goto retire;
	dev_info(&ldev->dev, "at most %u pages, %s\n", ldev->pool.limits.max,
		 pdev->msi_enabled ? "MSI" : "INTx");
	return 0;

retire:	/* the node existed for a moment, so somebody may have opened it */
	retire(pdev, ldev);
	goto put;
free_pages:
	labyrinth_pool_kill(&ldev->pool);
	labyrinth_pool_stop(&ldev->pool);
	labyrinth_pool_free_pages(&ldev->pool);
put:
	put_device(&ldev->dev);
unmap:
	pci_iounmap(pdev, regs);
release_regions:
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void labyrinth_remove(struct pci_dev *pdev)
{
	struct labyrinth_device *ldev = pci_get_drvdata(pdev);
	void __iomem *regs = ldev->edu.regs;

	labyrinth_device_unpublish(ldev);
	retire(pdev, ldev);
	labyrinth_device_free_number(ldev);
	put_device(&ldev->dev);
	pci_iounmap(pdev, regs);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}

/* Power-off or kexec: the device must not write into what comes next. */
static void labyrinth_shutdown(struct pci_dev *pdev)
{
	quiesce(pdev, pci_get_drvdata(pdev));
}

static void go_on(struct pci_dev *pdev, struct labyrinth_device *ldev)
{
	if (labyrinth_pool_dead(&ldev->pool))
		return;
	edu_take_irqs(&ldev->edu);
	pci_set_master(pdev);
	labyrinth_engine_resume(&ldev->engine);
	labyrinth_pool_resume(&ldev->pool);
}

/* Copies stay queued. The transfer in the device ends, or else there is no suspend. */
static int labyrinth_suspend(struct device *dev)
{
	struct labyrinth_device *ldev = dev_get_drvdata(dev);
	struct pci_dev *pdev = to_pci_dev(dev);

	if (labyrinth_pool_dead(&ldev->pool))
		return 0;	/* it is cut off already */
	labyrinth_pool_suspend(&ldev->pool);
	labyrinth_engine_pause(&ldev->engine);
	if (!edu_wait_for_dma(&ldev->edu, DMA_PATIENCE_MS)) {
		dev_err(dev, "cannot suspend: a DMA does not end\n");
		go_on(pdev, ldev);
		return -EBUSY;
	}
	stop_mastering(pdev);
	return 0;
}

/* The kernel that resumed us from disk may have used the device too. */
static int labyrinth_resume(struct device *dev)
{
	struct labyrinth_device *ldev = dev_get_drvdata(dev);

	if (labyrinth_pool_dead(&ldev->pool))
		return 0;
	if (!edu_wait_for_dma(&ldev->edu, DMA_PATIENCE_MS)) {
		report_dead(ldev);
		return -EBUSY;
	}
	go_on(to_pci_dev(dev), ldev);
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(labyrinth_pm_ops, labyrinth_suspend, labyrinth_resume);

static const struct pci_device_id labyrinth_ids[] = {
	{ PCI_DEVICE(EDU_VENDOR_ID, EDU_DEVICE_ID) },
	{}
};
MODULE_DEVICE_TABLE(pci, labyrinth_ids);

struct pci_driver labyrinth_pci_driver = {
	.name = "labyrinth",
	.id_table = labyrinth_ids,
	.probe = labyrinth_probe,
	.remove = labyrinth_remove,
	.shutdown = labyrinth_shutdown,
	.driver.pm = pm_sleep_ptr(&labyrinth_pm_ops),
};
