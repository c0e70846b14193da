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

/**
 * struct labyrinth_call - one ioctl on its way
 * @file: the open file
 * @lf: its private part
 * @user: where the caller's struct is
 * @arg: the struct, zero past what the caller knows; its flags are known to be valid
 */
struct labyrinth_call {
	struct file *file;
	struct labyrinth_file *lf;
	void __user *user;
	union labyrinth_arg arg;
};

long labyrinth_do_acquire(struct labyrinth_call *call);	/* acquire.c */
long labyrinth_do_release(struct labyrinth_call *call);	/* release.c */
long labyrinth_do_copy(struct labyrinth_call *call);	/* copy.c */
long labyrinth_do_give(struct labyrinth_call *call);	/* ticket.c */
long labyrinth_do_take(struct labyrinth_call *call);	/* ticket.c */

#endif /* LABYRINTH_IOCTL_H */
