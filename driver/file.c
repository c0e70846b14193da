// SPDX-License-Identifier: GPL-2.0
/*
 * Open files: who may use one, what it owns, and what becomes of it when it is closed
 * or the device goes.
 */
#include <linux/bitmap.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "device.h"

static void free_file(struct kref *users)
{
	struct labyrinth_file *lf = container_of(users, struct labyrinth_file, users);

	labyrinth_account_put(lf->account);
	mmdrop(lf->mm);
	put_device(&lf->ldev->dev);
	bitmap_free(lf->named);
	kfree(lf);
}

static struct labyrinth_file *create_file(struct labyrinth_device *ldev,
					  struct inode *inode)
{
	struct labyrinth_file *lf = kzalloc(sizeof(*lf), GFP_KERNEL_ACCOUNT);

	if (!lf)
		return NULL;
	lf->named = bitmap_zalloc(ldev->pool.nr_slots, GFP_KERNEL_ACCOUNT);
	if (!lf->named)
		goto free;
	lf->account = labyrinth_account_create(&ldev->pool.users,
					       READ_ONCE(ldev->file_quota));
	if (!lf->account)
		goto free;
	kref_init(&lf->users);
	INIT_LIST_HEAD(&lf->link);
	INIT_LIST_HEAD(&lf->buffers);
	mutex_init(&lf->state);
	labyrinth_queue_init(&lf->queue);
	labyrinth_mapping_init(lf, inode);
	mmgrab(current->mm);
	lf->mm = current->mm;
	get_device(&ldev->dev);
	lf->ldev = ldev;
	return lf;

free:
	bitmap_free(lf->named);
	kfree(lf);
	return NULL;
}

/* Removal kills the pool before it goes through the list: one of them sees the other. */
static int join_device(struct labyrinth_file *lf)
{
	struct labyrinth_device *ldev = lf->ldev;
	int err = 0;

	mutex_lock(&ldev->files_lock);
	if (labyrinth_pool_dead(&ldev->pool))
		err = -ENODEV;
	else
		list_add_tail(&lf->link, &ldev->files);
	mutex_unlock(&ldev->files_lock);
	return err;
}

static int labyrinth_open(struct inode *inode, struct file *file)
{
	struct labyrinth_device *ldev = container_of(inode->i_cdev,
						     struct labyrinth_device, cdev);
	struct labyrinth_file *lf;
	int err;

	/* Without reading there are no events, and mmap cannot be write-only. */
	if (!(file->f_mode & FMODE_READ))
		return -EINVAL;
	if (!current->mm)
		return -EPERM;
	lf = create_file(ldev, inode);
	if (!lf)
		return -ENOMEM;
	lf->writable = file->f_mode & FMODE_WRITE;
	err = join_device(lf);
	if (err) {
		kref_put(&lf->users, free_file);
		return err;
	}
	file->private_data = lf;
	file->f_mapping = &lf->mapping;
	return stream_open(inode, file);
}

static int labyrinth_close(struct inode *inode, struct file *file)
{
	struct labyrinth_file *lf = file->private_data;
	struct labyrinth_device *ldev = lf->ldev;

	mutex_lock(&ldev->files_lock);
	list_del_init(&lf->link);
	mutex_unlock(&ldev->files_lock);

	labyrinth_queue_close(&ldev->engine, &lf->queue);
	labyrinth_release_all(lf);
	kref_put(&lf->users, free_file);
	return 0;
}

static void labyrinth_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct labyrinth_file *lf = file->private_data;

	seq_printf(m, "labyrinth-owned:\t%u\n", READ_ONCE(lf->owned));
	/* A snapshot either way: it may change before it has been read. */
	seq_printf(m, "labyrinth-charged:\t%u\n", data_race(lf->account->charged));
	seq_printf(m, "labyrinth-quota:\t%u\n", lf->account->quota);
}

/**
 * labyrinth_wake_files() - let everyone who waits on a file look again
 * @ldev: a device that is going
 *
 * Context: Process context.
 */
void labyrinth_wake_files(struct labyrinth_device *ldev)
{
	struct labyrinth_file *lf;

	mutex_lock(&ldev->files_lock);
	list_for_each_entry(lf, &ldev->files, link)
		wake_up_all(&lf->queue.wait);
	mutex_unlock(&ldev->files_lock);
	wake_up_all(&ldev->spare_wait);
}

/**
 * labyrinth_revoke_files() - take the mappings of all open files away
 * @ldev: a dead device
 *
 * Holds the list's lock only to step from file to file: one whose mappings take long
 * to walk does not keep the others from being closed.
 *
 * Context: Process context.
 */
void labyrinth_revoke_files(struct labyrinth_device *ldev)
{
	struct labyrinth_file *lf;

	for (;;) {
		mutex_lock(&ldev->files_lock);
		lf = list_first_entry_or_null(&ldev->files, struct labyrinth_file, link);
		if (lf) {
			list_del_init(&lf->link);
			kref_get(&lf->users);
		}
		mutex_unlock(&ldev->files_lock);
		if (!lf)
			return;
		labyrinth_mapping_revoke_all(lf);
		kref_put(&lf->users, free_file);
	}
}

const struct file_operations labyrinth_fops = {
	.owner = THIS_MODULE,
	.open = labyrinth_open,
	.release = labyrinth_close,
	.read = labyrinth_read,
	.poll = labyrinth_poll,
	.mmap = labyrinth_mmap,
	.show_fdinfo = labyrinth_show_fdinfo,
	.unlocked_ioctl = labyrinth_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};
