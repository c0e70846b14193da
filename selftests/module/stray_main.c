// SPDX-License-Identifier: GPL-2.0
/*
 * Does what no driver should: writes to pages that it has given back, holds on to one, and
 * uses the DMA engine behind its driver's back. For kselftests that want to see it noticed. In
 * debugfs, under labyrinth_stray_test/:
 *
 *	free	write "COUNT": take so many pages, and give them back at once; their
 *		addresses are remembered
 *	store	write "INDEX OFFSET": the CPU inverts a byte of a remembered page
 *	dma	write "INDEX OFFSET LENGTH": the device writes the first bytes of its
 *		on-board memory to a remembered page
 *	hold	write "INDEX": takes a reference on a remembered page, as KVM does on one of
 *		the writer's, and drops it when pages are taken again, or the module goes
 *	hog	write "MS": the engine is busy for so long, with harmless transfers, and
 *		ignores its driver. Returns when the first one is under way; 0 waits for
 *		the last one to end
 *	shutdown write an empty line: has the driver shut the device down, as at power-off
 *	busy	1 if the engine is, else 0
 *	late	how often that did not work: a transfer had ended before the next was begun
 *	turns	how many have been begun after the first
 *
 * A remembered page that the pool has given back to the system meanwhile is ESTALE: to
 * write to it would harm others. So that this is never a matter of luck, leave at least
 * the low watermark of free pages when taking some.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "labyrinth.h"
#include "stray.h"

#define MOST_PAGES		1024
#define MOST_HOG_MS		120000u

/**
 * struct remembered - a page that is not ours any more
 * @page: how the pool calls it
 * @cpu: where it was for the CPU
 * @bus: where it was for the device
 */
struct remembered {
	struct labyrinth_page *page;
	void *cpu;
	dma_addr_t bus;
};

/**
 * struct stray - the only one
 * @lock: held for a whole command, by gone() and at the end
 * @pool: the pool, valid until the module goes, even if the device does not last
 * @gone: nothing of the device may be touched any more
 * @pages: the first @count are remembered
 * @count: see there
 * @held: the page on which there is a reference, or NULL
 * @watcher: registered for the address space of whoever wants it held
 * @engine: the device's, used behind its driver's back
 */
struct stray {
	struct mutex lock;	/* a command, gone(), or the end of the module */
	struct labyrinth_pool *pool;
	bool gone;
	struct remembered pages[MOST_PAGES];
	u32 count;
	struct page *held;
	struct mmu_notifier watcher;
	struct stray_engine engine;
};

static struct stray the_stray = {
	.lock = __MUTEX_INITIALIZER(the_stray.lock),
};

static struct dentry *directory;

static unsigned int device;
module_param(device, uint, 0444);
MODULE_PARM_DESC(device, "whose pool: the N of /dev/labyrinthN (default: 0)");

static char *pci;
module_param(pci, charp, 0444);
MODULE_PARM_DESC(pci, "the PCI function behind it, such as 0000:00:10.0");

static int take_pages(struct stray *stray, u32 count)
{
	struct remembered *one;

	for (stray->count = 0; stray->count < count; stray->count++) {
		one = &stray->pages[stray->count];
		one->page = labyrinth_alloc_page_gfp_atomic_exclusive(stray->pool);
		if (!one->page)
			return -ENOMEM;
		one->cpu = labyrinth_page_address(one->page);
		one->bus = labyrinth_page_bus_address(one->page);
	}
	return 0;
}

#ifdef CONFIG_MMU_NOTIFIER
/* KVM's does more; what matters is that there is one. */
static int watch(struct mmu_notifier *watcher)
{
	static const struct mmu_notifier_ops ops = {};

	watcher->ops = &ops;
	return mmu_notifier_register(watcher, current->mm);
}

static void unwatch(struct mmu_notifier *watcher)
{
	mmu_notifier_unregister(watcher, watcher->mm);
}
#else
static int watch(struct mmu_notifier *watcher)
{
	return -EOPNOTSUPP;
}

static void unwatch(struct mmu_notifier *watcher)
{
}
#endif

static void drop_held(struct stray *stray)
{
	if (!stray->held)
		return;
	put_page(stray->held);
	stray->held = NULL;
	unwatch(&stray->watcher);
}

/* The last one first: so they come to lie in the pool as they did before. */
static int do_free(struct stray *stray, const u32 *count)
{
	u32 i;
	int err;

	if (*count > MOST_PAGES)
		return -EINVAL;
	drop_held(stray);
	err = take_pages(stray, *count);
	for (i = stray->count; i--; )
		labyrinth_free_page_exclusive(stray->pool, stray->pages[i].page);
	if (err)
		stray->count = 0;
	return err;
}

/* The pool's own record of the page outlives the page. */
static int check_place(struct stray *stray, u32 index, u32 offset, u32 length)
{
	struct remembered *one = &stray->pages[index];

	if (index >= stray->count || !length || length > STRAY_MAX_TRANSFER ||
	    offset >= PAGE_SIZE || length > PAGE_SIZE - offset)
		return -EINVAL;
	if (labyrinth_page_address(one->page) != one->cpu ||
	    labyrinth_page_bus_address(one->page) != one->bus)
		return -ESTALE;
	return 0;
}

static int do_store(struct stray *stray, const u32 *arguments)
{
	u32 index = arguments[0], offset = arguments[1];
	int err = check_place(stray, index, offset, 1);
	u8 *byte;

	if (err)
		return err;
	byte = stray->pages[index].cpu + offset;
	WRITE_ONCE(*byte, (u8)~READ_ONCE(*byte));
	return 0;
}

static int do_dma(struct stray *stray, const u32 *arguments)
{
	u32 index = arguments[0], offset = arguments[1], length = arguments[2];
	int err = check_place(stray, index, offset, length);

	if (err)
		return err;
	if (!stray_engine_wait(&stray->engine))
		return -EBUSY;
	err = stray_engine_start(&stray->engine, stray->pages[index].bus + offset, length);
	if (!err && !stray_engine_wait(&stray->engine))
		err = -EBUSY;
	return err;
}

static int do_hold(struct stray *stray, const u32 *index)
{
	int err = check_place(stray, *index, 0, 1);
	void *cpu;

	if (err)
		return err;
	cpu = stray->pages[*index].cpu;
	drop_held(stray);
	err = watch(&stray->watcher);
	if (err)
		return err;
	stray->held = is_vmalloc_addr(cpu) ? vmalloc_to_page(cpu) : virt_to_page(cpu);
	get_page(stray->held);
	return 0;
}

static int do_hog(struct stray *stray, const u32 *ms)
{
	if (*ms > MOST_HOG_MS)
		return -EINVAL;
	stray_engine_stop_hog(&stray->engine);
	return *ms ? stray_engine_hog(&stray->engine, *ms) : 0;
}

/* Nobody unbinds the device meanwhile: whoever commands us sees to that. */
static int do_shutdown(struct stray *stray, const u32 *arguments)
{
	struct device_driver *driver = stray->engine.pdev->dev.driver;

	if (!driver)
		return -ENODEV;
	to_pci_driver(driver)->shutdown(stray->engine.pdev);
	return 0;
}

/* Reads exactly so many numbers, then does what is asked with them. */
static ssize_t command(struct file *file, const char __user *from, size_t length,
		       unsigned int wanted,
		       int (*work)(struct stray *stray, const u32 *arguments))
{
	struct stray *stray = file->private_data;
	u32 numbers[3];
	char text[48], end;
	int got, err;

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, length))
		return -EFAULT;
	text[length] = 0;
	got = sscanf(text, "%u %u %u %c", &numbers[0], &numbers[1], &numbers[2], &end);
	if (got != wanted)
		return -EINVAL;

	mutex_lock(&stray->lock);
	err = stray->gone ? -ENODEV : work(stray, numbers);
	mutex_unlock(&stray->lock);
	return err ? err : length;
}

#define DEFINE_COMMAND(name, wanted)						\
static ssize_t name##_write(struct file *file, const char __user *from,		\
			    size_t length, loff_t *position)			\
{										\
	return command(file, from, length, wanted, do_##name);			\
}										\
										\
static const struct file_operations name##_fops = {				\
	.owner = THIS_MODULE,							\
	.open = simple_open,							\
	.write = name##_write,							\
}

DEFINE_COMMAND(free, 1);
DEFINE_COMMAND(store, 2);
DEFINE_COMMAND(dma, 3);
DEFINE_COMMAND(hold, 1);
DEFINE_COMMAND(hog, 1);
DEFINE_COMMAND(shutdown, 0);

static int busy_get(void *context, u64 *value)
{
	struct stray *stray = context;

	mutex_lock(&stray->lock);
	*value = !stray->gone && stray_engine_is_busy(&stray->engine);
	mutex_unlock(&stray->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(busy_fops, busy_get, NULL, "%llu\n");

/* Removal frees the pages, and wants all memory of the device back from us, too. */
static void stray_gone(void *context)
{
	struct stray *stray = context;

	mutex_lock(&stray->lock);
	stray_engine_stop_hog(&stray->engine);
	stray->count = 0;
	stray->gone = true;
	mutex_unlock(&stray->lock);
}

static const struct labyrinth_client_ops stray_ops = {
	.gone = stray_gone,
};

static struct pci_dev *find_device(const char *address)
{
	unsigned int domain, bus, slot, function;

	if (!address || sscanf(address, "%x:%x:%x.%u", &domain, &bus, &slot,
			       &function) != 4)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, function));
}

static int __init stray_test_init(void)
{
	struct stray *stray = &the_stray;
	int err;

	stray->engine.pdev = find_device(pci);
	if (!stray->engine.pdev)
		return -ENODEV;
	stray->engine.regs = pci_iomap(stray->engine.pdev, STRAY_BAR, 0);
	if (!stray->engine.regs) {
		err = -ENOMEM;
		goto put_device;
	}
	stray->pool = labyrinth_pool_get(device, &stray_ops, stray);
	if (IS_ERR(stray->pool)) {
		err = PTR_ERR(stray->pool);
		goto unmap;
	}

	directory = debugfs_create_dir("labyrinth_stray_test", NULL);
	debugfs_create_file("free", 0200, directory, stray, &free_fops);
	debugfs_create_file("store", 0200, directory, stray, &store_fops);
	debugfs_create_file("dma", 0200, directory, stray, &dma_fops);
	debugfs_create_file("hold", 0200, directory, stray, &hold_fops);
	debugfs_create_file("hog", 0200, directory, stray, &hog_fops);
	debugfs_create_file("shutdown", 0200, directory, stray, &shutdown_fops);
	debugfs_create_file("busy", 0400, directory, stray, &busy_fops);
	debugfs_create_u32("late", 0400, directory, &stray->engine.late);
	debugfs_create_u32("turns", 0400, directory, &stray->engine.turns);
	return 0;

unmap:
	pci_iounmap(stray->engine.pdev, stray->engine.regs);
put_device:
	pci_dev_put(stray->engine.pdev);
	return err;
}
module_init(stray_test_init);

static void __exit stray_test_exit(void)
{
	struct stray *stray = &the_stray;

	/* Waits for commands under way; no new ones from here on, but gone() may come. */
	debugfs_remove_recursive(directory);
	mutex_lock(&stray->lock);
	stray_engine_stop_hog(&stray->engine);
	drop_held(stray);
	mutex_unlock(&stray->lock);
	labyrinth_pool_put(stray->pool, stray);
	pci_iounmap(stray->engine.pdev, stray->engine.regs);
	pci_dev_put(stray->engine.pdev);
}
module_exit(stray_test_exit);

MODULE_IMPORT_NS(LABYRINTH);
MODULE_LICENSE("GPL");
MODULE_AUTHOR("The Labyrinth authors");
MODULE_DESCRIPTION("Writes to free pages of a Labyrinth pool, driven by kselftests");
