/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device, and an open file of it.
 *
 * Lock order, outermost first:
 *
 *	mmap_lock			the kernel's: held in mmap, fault, munmap
 *	  labyrinth_file.state		who owns what in this file, and what is mapped
 *	    i_mmap_rwsem, page tables	the kernel's: taken by a revoke
 *	    labyrinth_engine.lock	jobs and events; also in the interrupt handler
 *	      labyrinth_pool.lock	who has how many pages; raw
 *	        labyrinth_shard.lock	a list of free pages, raw, innermost
 *	      edu.lock			one register access, raw
 *	labyrinth_device.files_lock	the list of files; nothing is taken under it
 *	labyrinth_device.clients_lock	the list of clients; held while they are told
 *	labyrinth_device.limits_lock	a change of watermarks through sysfs
 *
 * None of them is held over a user copy: a copy may fault, the fault needs mmap_lock,
 * and mmap holds that while it waits for the state mutex. None is held over a sleep,
 * a scrub, or (but for the one file's state mutex) a revoke.
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
 * @account: who pays for its pages
 * @state: guards @buffers, @owned, the ownership of pages by this file, and page tables that
 *	show them
 * @buffers: the pages it owns
 * @owned: how many
 * @queue: its copies and events
 */
struct labyrinth_file {
	struct labyrinth_device *ldev;
	struct kref users;
	struct list_head link;
	struct mm_struct *mm;
	bool writable;
	struct address_space mapping;
	struct labyrinth_account *account;
	struct mutex state;		/* guards the list below and its pages */
	struct list_head buffers;
	u32 owned;
	struct labyrinth_queue queue;
};

/* main.c */
int labyrinth_device_create(struct pci_dev *pdev, struct labyrinth_device **out);
int labyrinth_device_publish(struct labyrinth_device *ldev);
void labyrinth_device_unpublish(struct labyrinth_device *ldev);

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

/* file.c */
extern const struct file_operations labyrinth_fops;
struct labyrinth_page *labyrinth_file_find(struct labyrinth_file *lf, u64 handle);
struct labyrinth_page *labyrinth_file_page_at(struct labyrinth_file *lf, pgoff_t pgoff);
bool labyrinth_file_is_mine(struct labyrinth_file *lf);
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
void labyrinth_mapping_revoke(struct labyrinth_file *lf, struct list_head *pages);
void labyrinth_mapping_revoke_all(struct labyrinth_file *lf);

/* acquire.c */
int labyrinth_tell_buffers(struct labyrinth_pool *pool, u64 user,
			   struct list_head *pages);
int labyrinth_adopt(struct labyrinth_file *lf, struct list_head *pages, u32 count,
		    enum labyrinth_state from, enum labyrinth_counter counter,
		    struct vm_area_struct *arena);

/* batch.c */

/**
 * struct labyrinth_handles - an array of handles, each in it once
 * @count: how many
 * @given: as user space gave them
 * @sorted: by slot, so that neighbours in the arena can be revoked in one go
 * @few: where both are if there are few: no allocation for a single page
 */
struct labyrinth_handles {
	u32 count;
	u64 *given;
	u64 *sorted;
	u64 few[2 * 4];
};

int labyrinth_handles_get(struct labyrinth_handles *handles, u64 user, u32 count);
void labyrinth_handles_put(struct labyrinth_handles *handles);
int labyrinth_collect(struct labyrinth_file *lf, const struct labyrinth_handles *handles,
		      bool (*is_busy)(struct labyrinth_page *page),
		      struct list_head *pages);
void labyrinth_collect_as_given(struct labyrinth_file *lf,
				const struct labyrinth_handles *handles,
				struct list_head *pages);

/* release.c */
void labyrinth_release_all(struct labyrinth_file *lf);

/* event.c */
ssize_t labyrinth_read(struct file *file, char __user *buf, size_t count, loff_t *pos);
__poll_t labyrinth_poll(struct file *file, poll_table *table);

#endif /* LABYRINTH_DEVICE_H */
