// SPDX-License-Identifier: GPL-2.0
/*
 * The way in for ioctls: one table row for each, and the checks that all have in
 * common, in the order of precedence that the UAPI header promises.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include "device.h"
#include "ioctl.h"

/* How far a caller's struct may outgrow ours; its tail has to be scanned for zeroes. */
#define MAX_STRUCT_SIZE		PAGE_SIZE

static void get_info(struct labyrinth_file *lf, union labyrinth_report *report)
{
	struct labyrinth_device *ldev = lf->ldev;

	report->info = (struct labyrinth_info){
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
}

static void get_stat(struct labyrinth_file *lf, union labyrinth_report *report)
{
	report->stat = (struct labyrinth_stat){};
	labyrinth_pool_stat(&lf->ldev->pool, lf->account, &report->stat);
}

/**
 * struct labyrinth_ioctl_row - one ioctl
 * @cmd: its number, as user space gives it
 * @size: bytes of its struct in this kernel
 * @min_size: bytes of its struct in the first kernel that had it
 * @flags: the flags it knows
 * @call: does what its struct asks for
 * @report: for an ioctl that asks for nothing: fills all of its struct but @size
 */
struct labyrinth_ioctl_row {
	u32 cmd;
	u32 size;
	u32 min_size;
	u32 flags;
	long (*call)(struct file *file, void __user *user, union labyrinth_arg *arg);
	void (*report)(struct labyrinth_file *lf, union labyrinth_report *report);
};

/* Of all structs. */
#define SMALLEST	sizeof(struct labyrinth_release)

#define ROW(_cmd, _struct, _last, _flags, ...)					\
	[_IOC_NR(_cmd)] = {							\
		.cmd = _cmd,							\
		.size = sizeof(struct _struct) +				\
			BUILD_BUG_ON_ZERO(sizeof(struct _struct) % sizeof(u64)) + \
			BUILD_BUG_ON_ZERO(sizeof(struct _struct) < SMALLEST) +	\
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, size) != 0) + \
			BUILD_BUG_ON_ZERO(offsetof(struct _struct, flags) != 4), \
		.min_size = offsetofend(struct _struct, _last),			\
		.flags = _flags,						\
		__VA_ARGS__							\
	}

/* Rows that are missing are ENOTTY. */
static const struct labyrinth_ioctl_row rows[] = {
	ROW(LABYRINTH_INFO, labyrinth_info, copy_chunk, 0, .report = get_info),
	ROW(LABYRINTH_STAT, labyrinth_stat, shrunk, 0, .report = get_stat),
	ROW(LABYRINTH_ACQUIRE, labyrinth_acquire, reserved,
	    LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL |
	    LABYRINTH_ACQUIRE_POPULATE, .call = labyrinth_acquire_short),
	ROW(LABYRINTH_RELEASE, labyrinth_release, handles,
	    LABYRINTH_RELEASE_IF_UNMAPPED, .call = labyrinth_release_short),
	ROW(LABYRINTH_COPY, labyrinth_copy, user_data, LABYRINTH_COPY_FENCE,
	    .call = labyrinth_do_copy),
	ROW(LABYRINTH_GIVE, labyrinth_give, handles, 0, .call = labyrinth_do_give),
	ROW(LABYRINTH_TAKE, labyrinth_take, buffers, 0, .call = labyrinth_do_take),
};

static const struct labyrinth_ioctl_row *find_row(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(rows))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(rows));
	return rows[nr].cmd == cmd ? &rows[nr] : NULL;
}

/* Copies a struct of @row in, whatever its size: what we do not know of it must be zero. */
static noinline int read_any_size(const struct labyrinth_ioctl_row *row,
				  void __user *user, void *arg)
{
	struct labyrinth_header *header = arg;
	u32 size;
	int err;

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;
	if (size > MAX_STRUCT_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, row->size, user, size);
	header->size = size;	/* the caller may have changed it meanwhile */
	return err;
}

#define WORDS(bytes)		((bytes) / sizeof(u64))

/*
 * The same, if it is as large as ours, as nearly every caller's is: 170 instructions fewer
 * for the two structs of an ACQUIRE and a RELEASE. The loop is unrolled for 40 of them.
 */
static __always_inline int read_struct(const struct labyrinth_ioctl_row *row,
				       void __user *user, union labyrinth_arg *arg)
{
	const u64 __user *from = user;
	u64 *to = (u64 *)arg;
	u32 size = row->size, i;

	might_fault();
	if (!user_read_access_begin(user, size))
		return read_any_size(row, user, arg);
#pragma GCC unroll 8
	for (i = 0; i < WORDS(sizeof(*arg)); i++) {
		if (i >= WORDS(SMALLEST) && i == WORDS(size))
			break;
		unsafe_get_user(to[i], &from[i], fault);
	}
	user_read_access_end();
	if (likely(arg->header.size == size))
		return 0;
	return read_any_size(row, user, arg);

fault:
	user_read_access_end();
	/* One that is shorter may end before what cannot be read. */
	return read_any_size(row, user, arg);
}

/* The checks that all ioctls have in common, of a struct that has been copied in. */
static int admit(const struct labyrinth_ioctl_row *row, const struct labyrinth_file *lf,
		 const struct labyrinth_header *header)
{
	if (header->flags & ~row->flags)
		return -EOPNOTSUPP;
	if (!labyrinth_file_is_mine(lf))
		return -EPERM;
	return labyrinth_pool_dead(&lf->ldev->pool) ? -ENODEV : 0;
}

/* By itself, because the reports are large, and the compiler zeroes what is on a stack. */
static noinline long do_report(const struct labyrinth_ioctl_row *row,
			       struct labyrinth_file *lf, void __user *user)
{
	union labyrinth_report report;
	u32 size;
	int err;

	err = read_any_size(row, user, &report);
	if (!err)
		err = admit(row, lf, &report.header);
	if (err)
		return err;
	size = report.header.size;
	row->report(lf, &report);
	report.header.size = size;
	return copy_to_user(user, &report, min(row->size, size)) ? -EFAULT : 0;
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
	struct labyrinth_file *lf = file->private_data;
	void __user *user = (void __user *)arg;
	union labyrinth_arg call;
	int err;

	if (!row)
		return -ENOTTY;
	if (row->report)
		return do_report(row, lf, user);
	err = read_struct(row, user, &call);
	if (!err)
		err = admit(row, lf, &call.header);
	return err ? err : row->call(file, user, &call);
}
