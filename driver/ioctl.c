// SPDX-License-Identifier: GPL-2.0
/*
 * The way in for ioctls: one table row for each, and the checks that all have in
 * common, in the order of precedence that the UAPI header promises.
 */
#include <linux/compat.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"

/* How far a caller's struct may outgrow ours; its tail has to be scanned for zeroes. */
#define MAX_STRUCT_SIZE		PAGE_SIZE

static long reply(struct labyrinth_call *call, const void *from, size_t size)
{
	if (copy_to_user(call->user, from, min_t(size_t, size, call->user_size)))
		return -EFAULT;
	return 0;
}

static long labyrinth_do_info(struct labyrinth_call *call)
{
	struct labyrinth_device *ldev = call->lf->ldev;
	struct labyrinth_info *info = &call->arg.info;

	*info = (struct labyrinth_info){
		.size = call->user_size,
		.abi_version = LABYRINTH_ABI_VERSION,
		.page_size = PAGE_SIZE,
		.capabilities = LABYRINTH_CAP_COPY | LABYRINTH_CAP_PARTIAL |
				LABYRINTH_CAP_CONTIGUOUS | LABYRINTH_CAP_POPULATE |
				LABYRINTH_CAP_TICKETS | LABYRINTH_CAP_FENCE |
				LABYRINTH_CAP_SENTINEL | LABYRINTH_CAP_USER_QUOTA,
		.arena_length = (u64)ldev->pool.arena_pages << PAGE_SHIFT,
		.max_copy = PAGE_SIZE << ldev->pool.max_order,
		.max_pages = ldev->pool.capacity,
		.max_order = ldev->pool.max_order,
		.max_batch = LABYRINTH_MAX_BATCH,
		.max_request = labyrinth_pool_max_request(&ldev->pool),
		.file_quota = READ_ONCE(ldev->file_quota),
		.user_quota = READ_ONCE(ldev->pool.users.quota),
		.copy_depth = LABYRINTH_COPY_DEPTH,
		.copy_chunk = EDU_MAX_TRANSFER,
	};
	return reply(call, info, sizeof(*info));
}

static long labyrinth_do_stat(struct labyrinth_call *call)
{
	struct labyrinth_stat *stat = &call->arg.stat;

	*stat = (struct labyrinth_stat){ .size = call->user_size };
	labyrinth_pool_stat(&call->lf->ldev->pool, call->lf->account, stat);
	return reply(call, stat, sizeof(*stat));
}

/**
 * struct labyrinth_ioctl_row - one ioctl
 * @size: bytes of its struct in this kernel
 * @min_size: bytes of its struct in the first kernel that had it
 * @flags: the flags it knows
 * @call: does it
 */
struct labyrinth_ioctl_row {
	u32 size;
	u32 min_size;
	u32 flags;
	long (*call)(struct labyrinth_call *call);
};

#define ROW(_cmd, _call, _struct, _last, _flags)				\
	[_IOC_NR(_cmd)] = {							\
		.size = sizeof(struct _struct) +				\
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, size) != 0) + \
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, flags) != 4), \
		.min_size = offsetofend(struct _struct, _last),			\
		.flags = _flags,						\
		.call = _call,							\
	}

/* Rows that are missing are ENOTTY. */
static const struct labyrinth_ioctl_row rows[] = {
	ROW(LABYRINTH_INFO, labyrinth_do_info, labyrinth_info, copy_chunk, 0),
	ROW(LABYRINTH_STAT, labyrinth_do_stat, labyrinth_stat, shrunk, 0),
	ROW(LABYRINTH_ACQUIRE, labyrinth_do_acquire, labyrinth_acquire, reserved,
	    LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL |
	    LABYRINTH_ACQUIRE_POPULATE),
	ROW(LABYRINTH_RELEASE, labyrinth_do_release, labyrinth_release, handles,
	    LABYRINTH_RELEASE_IF_UNMAPPED),
	ROW(LABYRINTH_COPY, labyrinth_do_copy, labyrinth_copy, user_data,
	    LABYRINTH_COPY_FENCE),
	ROW(LABYRINTH_GIVE, labyrinth_do_give, labyrinth_give, handles, 0),
	ROW(LABYRINTH_TAKE, labyrinth_do_take, labyrinth_take, buffers, 0),
};

static const struct labyrinth_ioctl_row *find_row(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(rows) || cmd != _IO(LABYRINTH_TYPE, nr) || !rows[nr].call)
		return NULL;
	return &rows[nr];
}

static long copy_in(struct labyrinth_call *call, const struct labyrinth_ioctl_row *row)
{
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)call->user))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;
	if (size > MAX_STRUCT_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&call->arg, row->size, call->user, size);
	if (err)
		return err;
	call->user_size = size;	/* the caller may have changed it meanwhile */
	return 0;
}

/**
 * labyrinth_ioctl() - every ioctl enters here
 * @file: the open file
 * @cmd: LABYRINTH_*
 * @arg: user pointer to the struct of that ioctl
 *
 * Context: Process context.
 * Return: 0 or a negative errno, the first that applies by the UAPI header's list.
 */
long labyrinth_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct labyrinth_ioctl_row *row = find_row(cmd);
	struct labyrinth_call call;	/* the rest of it is for copy_in() */
	long err;

	if (!row)
		return -ENOTTY;
	call.file = file;
	call.lf = file->private_data;
	call.user = (void __user *)arg;
	err = copy_in(&call, row);
	if (err)
		return err;
	if (call.arg.flags & ~row->flags)
		return -EOPNOTSUPP;
	if (!labyrinth_file_is_mine(call.lf))
		return -EPERM;
	if (labyrinth_pool_dead(&call.lf->ldev->pool))
		return -ENODEV;
	return row->call(&call);
}
