/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device, and an open file of it.
 *
 * Lock order, outermost first:
 *
 *	mmap_lock			the kernel's, or that of one mapping: held in mmap, munmap
 *					and most of a fault
 *	  labyrinth_file.state		who owns what in this file, and what is mapped
 *	    i_mmap_rwsem, page tables	the kernel's: taken by a revoke
 *	    labyrinth_engine.lock	jobs and events; also in the interrupt handler
 *	      labyrinth_pool.lock	who has how many pages; raw, nothing of ours below it
 *	      edu.lock			one register access, raw
 *	labyrinth_device.files_lock	the list of files; held while their waiters are woken
 *	labyrinth_device.clients_lock	the list of clients; held while they are told
 *	labyrinth_device.limits_lock	a change of watermarks through sysfs
 *
 * None of them is held over a user copy: a copy may fault, the fault needs mmap_lock,
 * and mmap holds that while it waits for the state mutex. None is held over a wait for
 * the device or for a page, a scrub, or (but for the one file's state mutex) a revoke.
 * What may sleep below a mutex is an allocation: of a page table, under the state mutex.
 *
 * The device may go at any time. What a task holds is memory: the device structure
 * and its slots live until the last file is closed, the pages and registers do not.
 * Removal kills the pool first and takes every file's state mutex afterwards, to
 * revoke; so whoever finds the pool alive under that mutex may use its pages until
 * dropping it.
 */
#ifndef LABYRINTH_DEVICE_H
#define LABYRINTH_DEVICE_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/poll.h>

#include "edu.h"
#include "engine.h"
#include "pool.h"

/* Bounds of the interface, as INFO reports them. */
#define LABYRINTH_MAX_BATCH	256	/* entries in one array */

/* Five times what a DMA takes: how long probe, suspend and removal wait for one. */
#define DMA_PATIENCE_MS		(5 * EDU_DMA_MS)

/**
 * struct labyrinth_device - one edu device
 * @dev: in class labyrinth; its release frees this
 * @cdev: /dev/labyrinthN
 * @number: the N
 * @edu: its registers
 * @pool: its pages
 * @engine: its DMA engine
 * @debugfs: its folder there
 * @limits_lock: one change of the watermarks at a time
 * @file_quota: pages one open file may own
 * @listening: its interrupt handler is installed
 * @coherent: whether the CPU's caches see its DMA, so that user mappings may be cached
 * @spare_wait: woken when a page can be had, for poll
 * @files_lock: guards @files
 * @files: open files removal has not visited
 * @clients_lock: guards @clients
 * @clients: in-kernel users of the pool
 */
struct labyrinth_device {
	struct device dev;
	struct cdev cdev;
	int number;
	struct edu edu;
	struct labyrinth_pool pool;
	struct labyrinth_engine engine;
	struct dentry *debugfs;
	struct mutex limits_lock;	/* held from reading the limits to setting them */
	u32 file_quota;
	bool listening;
	bool coherent;
	wait_queue_head_t spare_wait;
	struct mutex files_lock;	/* guards the list below */
	struct list_head files;
	struct mutex clients_lock;	/* guards the list below */
	struct list_head clients;
};

/**
 * struct labyrinth_file - one open file, an owner of pages
 * @ldev: its device; the file holds a reference
 * @users: the open file, and removal while it visits
 * @link: in the device's @files
 * @mm: the address space that opened it, the only one that may use it; compared, and
 *	held so that it is not reused
 * @writable: not opened O_RDONLY
 * @mapping: its own address_space: a revoke walks the mappings of this file only,
 *	however many openers the device has
 * @arena_start: the address of the mapping of the arena that was made last, 0 once that
 *	is gone. Answers most questions about it without a look-up
 * @account: who pays for its pages
 * @state: guards @buffers, @owned, @named, the ownership of pages by this file, and page
 *	tables that show them
 * @buffers: the pages it owns
 * @owned: how many
 * @named: a bit for each slot, set while a call puts the buffers it has named in order
 * @queue: its copies and events
 */
struct labyrinth_file {
	struct labyrinth_device *ldev;
	struct kref users;
	struct list_head link;
	struct mm_struct *mm;
	bool writable;
	struct address_space mapping;
	unsigned long arena_start;
	struct labyrinth_account *account;
	struct mutex state;		/* guards the list below and its pages */
	struct list_head buffers;
	u32 owned;
	unsigned long *named;
	struct labyrinth_queue queue;
};

/* main.c */
int labyrinth_device_create(struct pci_dev *pdev, struct labyrinth_device **out);
int labyrinth_device_publish(struct labyrinth_device *ldev);
void labyrinth_device_unpublish(struct labyrinth_device *ldev);
void labyrinth_device_free_number(struct labyrinth_device *ldev);

struct labyrinth_device *labyrinth_device_get(unsigned int number);

/* sysfs.c */
extern const struct attribute_group *labyrinth_groups[];

/* debugfs.c */
void labyrinth_debugfs_add(struct labyrinth_device *ldev);
void labyrinth_debugfs_remove(struct labyrinth_device *ldev);
void labyrinth_debugfs_init(void);
void labyrinth_debugfs_exit(void);

/* client.c */
void labyrinth_tell_clients(struct labyrinth_device *ldev);

/* dma.c */
int labyrinth_set_dma_mask(struct pci_dev *pdev, struct edu *edu);

/* pci.c */
extern struct pci_driver labyrinth_pci_driver;
extern const struct labyrinth_engine_ops labyrinth_engine_ops;

/**
 * labyrinth_file_is_mine() - may the calling process use this file?
 * @lf: the file
 *
 * Only the address space that opened it may: a page shared with a fork child, or with
 * whom the descriptor was sent to, would have two owners.
 *
 * Context: Process context.
 * Return: false means -EPERM.
 */
static inline bool labyrinth_file_is_mine(const struct labyrinth_file *lf)
{
	return current->mm == lf->mm;
}

/**
 * labyrinth_file_owns() - does a file own a buffer?
 * @lf: the file
 * @page: any slot
 *
 * Context: Any. Stable under the file's state mutex, until the pool is dead.
 * Return: true if it does, whether or not the device has gone.
 */
static inline bool labyrinth_file_owns(const struct labyrinth_file *lf,
				       const struct labyrinth_page *page)
{
	/* Another file's buffer has that file's account for as long as it is held. */
	return smp_load_acquire(&page->held) && READ_ONCE(page->account) == lf->account;
}

/**
 * labyrinth_file_hold() - make a file the owner of a buffer
 * @lf: the file, its state mutex held
 * @page: a buffer in the caller's hands alone
 *
 * Context: Process context.
 */
static inline void labyrinth_file_hold(struct labyrinth_file *lf,
				       struct labyrinth_page *page)
{
	lockdep_assert_held(&lf->state);
	WRITE_ONCE(page->state, LABYRINTH_OWNED);
	/* For who looks at whose the page is: not before what is in the account. */
	smp_store_release(&page->account, lf->account);
	/* For who asks whether the buffer is another file's: not before its account. */
	smp_store_release(&page->held, true);
}

/**
 * labyrinth_file_let_go() - end the ownership of a buffer; its account goes on paying
 * @lf: the file, its state mutex held
 * @page: a buffer that it owns
 *
 * Context: Process context.
 */
static inline void labyrinth_file_let_go(struct labyrinth_file *lf,
					 struct labyrinth_page *page)
{
	lockdep_assert_held(&lf->state);
	WRITE_ONCE(page->held, false);
}

/**
 * labyrinth_file_find() - find an owned buffer by its handle
 * @lf: the file, its state mutex held
 * @handle: as user space gave it
 *
 * Context: Process context.
 * Return: the buffer, or NULL if the handle names none that this file owns now.
 */
static inline struct labyrinth_page *labyrinth_file_find(struct labyrinth_file *lf,
							 u64 handle)
{
	struct labyrinth_pool *pool = &lf->ldev->pool;
	struct labyrinth_page *page;

	lockdep_assert_held(&lf->state);
	if ((handle & LABYRINTH_SLOT_MASK) >= pool->nr_slots)
		return NULL;
	page = labyrinth_page_of_handle(pool, handle);
	/* In this order: the handle means something only once the owner is known. */
	if (!labyrinth_file_owns(lf, page) || page->handle != handle)
		return NULL;
	return page;
}

/**
 * labyrinth_file_page_at() - find an owned buffer by its place in the arena
 * @lf: the file, its state mutex held
 * @pgoff: in pages; guards and what lies outside the arena are allowed
 *
 * Context: Process context.
 * Return: the buffer that this place is in, or NULL if this file owns none there.
 */
static inline struct labyrinth_page *labyrinth_file_page_at(struct labyrinth_file *lf,
							    pgoff_t pgoff)
{
	struct labyrinth_page *page;

	lockdep_assert_held(&lf->state);
	page = labyrinth_arena_find(&lf->ldev->pool, pgoff);
	return page && labyrinth_file_owns(lf, page) ? page : NULL;
}

/* file.c */
extern const struct file_operations labyrinth_fops;
void labyrinth_wake_files(struct labyrinth_device *ldev);
void labyrinth_revoke_files(struct labyrinth_device *ldev);

/* ioctl.c */
long labyrinth_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* mapping.c */
int labyrinth_mmap(struct file *file, struct vm_area_struct *vma);
void labyrinth_mapping_init(struct labyrinth_file *lf, struct inode *inode);
struct vm_area_struct *labyrinth_mapping_find_arena(struct file *file, u64 address);
void labyrinth_mapping_populate(struct labyrinth_file *lf, struct vm_area_struct *vma,
				struct list_head *pages);
void labyrinth_mapping_fence(struct labyrinth_file *lf, struct labyrinth_page *page,
			     u32 offset, u32 length);
void labyrinth_mapping_populate_one(struct labyrinth_file *lf, struct vm_area_struct *vma,
				    struct labyrinth_page *page);
void labyrinth_mapping_revoke_one(struct labyrinth_file *lf, struct labyrinth_page *page);
void labyrinth_mapping_revoke(struct labyrinth_file *lf, struct list_head *pages);
void labyrinth_mapping_revoke_all(struct labyrinth_file *lf);

/* acquire.c */
int labyrinth_tell_buffers(struct labyrinth_pool *pool, u64 user, struct list_head *pages,
			   u32 count);
int labyrinth_adopt(struct labyrinth_file *lf, struct list_head *pages, u32 count,
		    u32 total, enum labyrinth_state from, struct vm_area_struct *arena);

/* batch.c */

/**
 * struct labyrinth_handles - an array of handles
 * @count: how many
 * @given: as user space gave them
 * @few: where they are if there are few, as nearly always: an allocation takes 200
 *	instructions
 */
struct labyrinth_handles {
	u32 count;
	u64 *given;
	u64 few[32];
};

int labyrinth_handles_get(struct labyrinth_handles *handles, u64 user, u32 count);
void labyrinth_handles_put(struct labyrinth_handles *handles);
int labyrinth_collect(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		      bool (*is_busy)(struct labyrinth_page *page),
		      struct list_head *pages);
void labyrinth_collect_as_given(struct labyrinth_file *lf,
				const struct labyrinth_handles *handles,
				struct list_head *pages);
void labyrinth_uncollect(struct labyrinth_file *lf, struct list_head *pages);

/* release.c */
void labyrinth_release_all(struct labyrinth_file *lf);

/* event.c */
ssize_t labyrinth_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
__poll_t labyrinth_poll(struct file *file, poll_table *table);

#endif /* LABYRINTH_DEVICE_H */
