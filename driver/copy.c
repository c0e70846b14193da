// SPDX-License-Identifier: GPL-2.0
/* COPY: check that both ranges are the caller's, and queue a job for the engine. */
#include <linux/slab.h>

#include "device.h"
#include "ioctl.h"

/* What can be said without knowing the buffers. */
static int check_copy(const struct labyrinth_copy *copy, struct labyrinth_pool *pool)
{
	const u64 max = PAGE_SIZE << pool->max_order;

	if (!copy->length || copy->length > max)
		return -EINVAL;
	if (copy->src_offset > max - copy->length || copy->dst_offset > max - copy->length)
		return -EINVAL;
	if (copy->src_handle == copy->dst_handle &&
	    copy->src_offset < copy->dst_offset + copy->length &&
	    copy->dst_offset < copy->src_offset + copy->length)
		return -EINVAL;
	return 0;
}

static bool is_inside(u64 offset, u64 length, const struct labyrinth_page *page)
{
	return offset + length <= PAGE_SIZE << page->order;
}

/* The ranges leave every mapping before the device may begin. State mutex held. */
static int fence_and_queue(struct labyrinth_file *lf, struct labyrinth_job *job)
{
	if (job->fence) {
		labyrinth_mapping_fence(lf, job->src, job->src_offset, job->length);
		labyrinth_mapping_fence(lf, job->dst, job->dst_offset, job->length);
	}
	return labyrinth_engine_submit(&lf->ldev->engine, &lf->queue, job);
}

/* Under the state mutex from look-up to submission, so that both stay the file's. */
static int submit(struct labyrinth_file *lf, const struct labyrinth_copy *copy,
		  struct labyrinth_job *job)
{
	int err;

	mutex_lock(&lf->state);
	job->src = labyrinth_file_find(lf, copy->src_handle);
	job->dst = labyrinth_file_find(lf, copy->dst_handle);
	if (labyrinth_pool_dead(&lf->ldev->pool))
		err = -ENODEV;
	else if (!job->src || !job->dst)
		err = -ENOENT;
	else if (!is_inside(copy->src_offset, copy->length, job->src) ||
		 !is_inside(copy->dst_offset, copy->length, job->dst))
		err = -EINVAL;
	else
		err = fence_and_queue(lf, job);
	mutex_unlock(&lf->state);
	return err;
}

/**
 * labyrinth_do_copy() - LABYRINTH_COPY
 * @file: the open file
 * @user: where the caller's struct is
 * @arg: that struct
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
long labyrinth_do_copy(struct file *file, void __user *user, union labyrinth_arg *arg)
{
	struct labyrinth_file *lf = file->private_data;
	const struct labyrinth_copy *copy = &arg->copy;
	struct labyrinth_job *job;
	int err;

	err = check_copy(copy, &lf->ldev->pool);
	if (err)
		return err;
	if (!lf->writable)
		return -EACCES;

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return -ENOMEM;
	job->src_offset = copy->src_offset;
	job->dst_offset = copy->dst_offset;
	job->length = copy->length;
	job->fence = copy->flags & LABYRINTH_COPY_FENCE;
	job->user_data = copy->user_data;
	err = submit(lf, copy, job);
	if (err)
		kfree(job);
	return err;
}
