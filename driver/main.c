// SPDX-License-Identifier: GPL-2.0
/*
 * The module: its parameters, its device class, and the making and publishing of one
 * device. pci.c decides when.
 */
#include <linux/dma-map-ops.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <linux/labyrinth.h>

#include "device.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define DEFAULT_MAX		2048	/* 8 MiB, half of x86's ZONE_DMA */
#define DEFAULT_HIGH		256
#define DEFAULT_LOW		64
#define DEFAULT_RESERVE		16
#define MINORS			256

static int max_pages = -1;
module_param_named(max, max_pages, int, 0444);
MODULE_PARM_DESC(max, "pages a device's pool may hold at most (default: 2048, or an eighth of memory)");

static int high = -1;
module_param(high, int, 0444);
MODULE_PARM_DESC(high, "free pages to preallocate and to refill to (default: 256, at most max)");

static int low = -1;
module_param(low, int, 0444);
MODULE_PARM_DESC(low, "free pages below which the interrupt handler refills (default: 64, at most high / 4)");

static int reserve = -1;
module_param(reserve, int, 0444);
MODULE_PARM_DESC(reserve, "free pages kept from user space (default: 16, at most high / 8)");

static int quota = -1;
module_param(quota, int, 0444);
MODULE_PARM_DESC(quota, "pages one open file may own (default: half of max)");

static int user_quota = -1;
module_param(user_quota, int, 0444);
MODULE_PARM_DESC(user_quota, "pages one user may own on a device, 0 for no limit (default: three quarters of max)");

static bool sentinel;
module_param(sentinel, bool, 0444);
MODULE_PARM_DESC(sentinel, "fill free pages with a pattern, and check it when they are handed out (default: no)");

static dev_t first_dev;
static DEFINE_IDA(numbers);

static struct class labyrinth_class = {
	.name = "labyrinth",
	.dev_groups = labyrinth_groups,
};

static u32 chosen(int parameter, u32 otherwise)
{
	return parameter < 0 ? otherwise : parameter;
}

/* Fills in what was not given, and checks what was. */
static int choose_limits(struct device *dev, struct labyrinth_limits *limits)
{
	u32 memory = min_t(unsigned long, totalram_pages() / 8, DEFAULT_MAX);

	limits->max = max_pages > 0 ? max_pages : memory;
	limits->high = chosen(high, min_t(u32, DEFAULT_HIGH, limits->max));
	limits->low = chosen(low, min_t(u32, DEFAULT_LOW, limits->high / 4));
	limits->reserve = chosen(reserve, min_t(u32, DEFAULT_RESERVE, limits->high / 8));
	if (limits->max > LABYRINTH_MAX_PAGES) {
		dev_err(dev, "max=%u is too large: the arena has room for %u pages\n",
			limits->max, LABYRINTH_MAX_PAGES);
		return -EINVAL;
	}
	if (!labyrinth_limits_are_valid(limits)) {
		dev_err(dev, "low=%u high=%u reserve=%u max=%u: need low <= high <= max and reserve < high\n",
			limits->low, limits->high, limits->reserve, limits->max);
		return -EINVAL;
	}
	return 0;
}

static void ring(struct labyrinth_pool *pool)
{
	edu_ring(&container_of(pool, struct labyrinth_device, pool)->edu);
}

static void spare(struct labyrinth_pool *pool)
{
	struct labyrinth_device *ldev = container_of(pool, struct labyrinth_device, pool);

	/* All: one exclusive poller must not swallow what others wait for. */
	wake_up_interruptible_all(&ldev->spare_wait);
}

static bool watched(struct labyrinth_pool *pool)
{
	return wq_has_sleeper(&container_of(pool, struct labyrinth_device,
					    pool)->spare_wait);
}

static const struct labyrinth_pool_ops pool_ops = {
	.ring = ring,
	.spare = spare,
	.watched = watched,
};

static void release_device(struct device *dev)
{
	struct labyrinth_device *ldev = container_of(dev, struct labyrinth_device, dev);

	labyrinth_pool_release(&ldev->pool);
	kfree(ldev);
}

/**
 * labyrinth_device_create() - make a device with a filled pool
 * @pdev: the PCI function, its DMA mask set
 * @out: the device, to be given up with put_device()
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int labyrinth_device_create(struct pci_dev *pdev, struct labyrinth_device **out)
{
	struct labyrinth_limits limits;
	struct labyrinth_device *ldev;
	int err;

	err = choose_limits(&pdev->dev, &limits);
	if (err)
		return err;
	ldev = kzalloc(sizeof(*ldev), GFP_KERNEL);
	if (!ldev)
		return -ENOMEM;
	device_initialize(&ldev->dev);
	ldev->dev.class = &labyrinth_class;
	ldev->dev.parent = &pdev->dev;
	ldev->dev.release = release_device;
	ldev->coherent = dev_is_dma_coherent(&pdev->dev);
	ldev->file_quota = quota > 0 ? quota : max(limits.max / 2, 1u);
	init_waitqueue_head(&ldev->spare_wait);
	mutex_init(&ldev->files_lock);
	mutex_init(&ldev->clients_lock);
	mutex_init(&ldev->limits_lock);
	INIT_LIST_HEAD(&ldev->clients);
	INIT_LIST_HEAD(&ldev->files);
	ldev->pool.sentinel = sentinel;
	err = labyrinth_pool_init(&ldev->pool, &pdev->dev, &pool_ops, &limits,
				  chosen(user_quota, max(limits.max * 3 / 4, 1u)));
	if (err) {
		put_device(&ldev->dev);
		return err;
	}
	labyrinth_engine_init(&ldev->engine, &ldev->edu, &labyrinth_engine_ops,
			      &ldev->pool);
	*out = ldev;
	return 0;
}

/**
 * labyrinth_device_publish() - make /dev/labyrinthN
 * @ldev: a device that is ready for use
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int labyrinth_device_publish(struct labyrinth_device *ldev)
{
	int err;

	ldev->number = ida_alloc_max(&numbers, MINORS - 1, GFP_KERNEL);
	if (ldev->number < 0)
		return ldev->number;
	ldev->dev.devt = MKDEV(MAJOR(first_dev), ldev->number);
	err = dev_set_name(&ldev->dev, "labyrinth%d", ldev->number);
	if (err)
		goto free_number;
	cdev_init(&ldev->cdev, &labyrinth_fops);
	ldev->cdev.owner = THIS_MODULE;
	err = cdev_device_add(&ldev->cdev, &ldev->dev);
	if (err)
		goto free_number;
	labyrinth_debugfs_add(ldev);
	return 0;

free_number:
	ida_free(&numbers, ldev->number);
	return err;
}

/**
 * labyrinth_device_unpublish() - remove /dev/labyrinthN
 * @ldev: a published device; its open files go on
 *
 * Context: Process context.
 */
void labyrinth_device_unpublish(struct labyrinth_device *ldev)
{
	cdev_device_del(&ldev->cdev, &ldev->dev);
}

/**
 * labyrinth_device_free_number() - remove the rest of what bears a device's number
 * @ldev: an unpublished device that has nothing any more that anybody could wait for
 *
 * Context: Process context. Waits for whoever reads in debugfs, who may be stuck in a copy
 * to user space.
 */
void labyrinth_device_free_number(struct labyrinth_device *ldev)
{
	labyrinth_debugfs_remove(ldev);
	ida_free(&numbers, ldev->number);
}

/**
 * labyrinth_device_get() - find a published device
 * @number: the N of /dev/labyrinthN
 *
 * Context: Process context.
 * Return: the device, to be given up with put_device(), or NULL.
 */
struct labyrinth_device *labyrinth_device_get(unsigned int number)
{
	struct device *dev;

	if (number >= MINORS)
		return NULL;
	dev = class_find_device_by_devt(&labyrinth_class,
					MKDEV(MAJOR(first_dev), number));
	return dev ? container_of(dev, struct labyrinth_device, dev) : NULL;
}

static int __init labyrinth_init(void)
{
	int err;

	err = class_register(&labyrinth_class);
	if (err)
		return err;
	err = alloc_chrdev_region(&first_dev, 0, MINORS, "labyrinth");
	if (err)
		goto unregister_class;
	labyrinth_debugfs_init();
	err = pci_register_driver(&labyrinth_pci_driver);
	if (err)
		goto remove_debugfs;
	return 0;

remove_debugfs:
	labyrinth_debugfs_exit();
	unregister_chrdev_region(first_dev, MINORS);
unregister_class:
	class_unregister(&labyrinth_class);
	return err;
}
module_init(labyrinth_init);

static void __exit labyrinth_exit(void)
{
	pci_unregister_driver(&labyrinth_pci_driver);
	labyrinth_debugfs_exit();
	unregister_chrdev_region(first_dev, MINORS);
	class_unregister(&labyrinth_class);
	ida_destroy(&numbers);
}
module_exit(labyrinth_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Labyrinth authors");
MODULE_DESCRIPTION("Exclusive DMA page buffers on QEMU's edu device");
