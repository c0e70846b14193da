/* SPDX-License-Identifier: GPL-2.0 */
/* The ioctls: each is called with its struct copied in and the common checks done. */
#ifndef LABYRINTH_IOCTL_H
#define LABYRINTH_IOCTL_H

#include <linux/labyrinth.h>

struct file;

/**
 * struct labyrinth_header - what the struct of any ioctl begins with
 * @size: bytes of it that the caller knows
 * @flags: what they mean depends on the ioctl
 */
struct labyrinth_header {
	u32 size;
	u32 flags;
};

/**
 * union labyrinth_report - the struct of an ioctl that only asks how things are
 * @header: the first fields of each
 * @info: LABYRINTH_INFO
 * @stat: LABYRINTH_STAT
 */
union labyrinth_report {
	struct labyrinth_header header;
	struct labyrinth_info info;
	struct labyrinth_stat stat;
};

/**
 * union labyrinth_arg - the struct of any other ioctl
 * @header: the first fields of each
 * @acquire: LABYRINTH_ACQUIRE
 * @release: LABYRINTH_RELEASE
 * @copy: LABYRINTH_COPY
 * @give: LABYRINTH_GIVE
 * @take: LABYRINTH_TAKE
 */
union labyrinth_arg {
	struct labyrinth_header header;
	struct labyrinth_acquire acquire;
	struct labyrinth_release release;
	struct labyrinth_copy copy;
	struct labyrinth_give give;
	struct labyrinth_take take;
};

/*
 * Each takes the open file, where the caller's struct is, and that struct, zero past what
 * the caller knows; its flags are known to be valid.
 */
long labyrinth_do_acquire(struct file *file, void __user *user,
			  union labyrinth_arg *arg);		/* acquire.c */
long labyrinth_do_release(struct file *file, void __user *user,
			  union labyrinth_arg *arg);		/* release.c */
long labyrinth_acquire_short(struct file *file, void __user *user,
			     union labyrinth_arg *arg);		/* short.c */
long labyrinth_release_short(struct file *file, void __user *user,
			     union labyrinth_arg *arg);		/* short.c */
long labyrinth_do_copy(struct file *file, void __user *user,
		       union labyrinth_arg *arg);		/* copy.c */
long labyrinth_do_give(struct file *file, void __user *user,
		       union labyrinth_arg *arg);		/* ticket.c */
long labyrinth_do_take(struct file *file, void __user *user,
		       union labyrinth_arg *arg);		/* ticket.c */

/*
 * Describes a buffer to user space, which is open for writing. Field by field: for a few
 * bytes, copy_to_user() costs twice as much.
 */
#define unsafe_tell_buffer(pool, page, to, fault)				\
do {										\
	const struct labyrinth_page *__page = (page);				\
	struct labyrinth_buffer __user *__to = (to);				\
	u64 __offset = (u64)labyrinth_page_pgoff((pool), __page) << PAGE_SHIFT;	\
										\
	unsafe_put_user(__page->handle, &__to->handle, fault);			\
	unsafe_put_user(__offset, &__to->offset, fault);			\
	unsafe_put_user(PAGE_SIZE << __page->order, &__to->length, fault);	\
	unsafe_put_user(__page->order, &__to->order, fault);			\
	unsafe_put_user(0, &__to->flags, fault);				\
} while (0)

#endif /* LABYRINTH_IOCTL_H */
