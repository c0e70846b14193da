/* SPDX-License-Identifier: GPL-2.0 */
/* The calls that the fuzzer makes, and what each may be answered with. */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include "fuzz_values.h"

/* Every file may have been closed meanwhile, and its number given to another. */
static const int fuzz_common[] = {
	EBADF, ENOTTY, EFAULT, EINVAL, E2BIG, EOPNOTSUPP, EPERM, 0 };
static const int fuzz_nothing[] = { 0 };
static const int fuzz_acquire_errors[] = {
	EAGAIN, ETIMEDOUT, EINTR, EDQUOT, ENOBUFS, ENOMEM, 0 };
static const int fuzz_release_errors[] = { ENOENT, EBUSY, 0 };
static const int fuzz_copy_errors[] = { EACCES, ENOENT, EAGAIN, 0 };
static const int fuzz_give_errors[] = { ENOENT, EBUSY, EMFILE, ENFILE, 0 };
static const int fuzz_take_errors[] = {
	ENOENT, EXDEV, EBUSY, ENOSPC, EDQUOT, ENOBUFS, 0 };
static const int fuzz_mmap_errors[] = { EACCES, ENOMEM, EOVERFLOW, ENODEV, 0 };
static const int fuzz_read_errors[] = { EAGAIN, EINTR, 0 };

static const struct {
	const char *name;
	const int *errors;
} fuzz_allowed[FUZZ_CALLS] = {
	[FUZZ_INFO] = { "INFO", fuzz_nothing },
	[FUZZ_STAT] = { "STAT", fuzz_nothing },
	[FUZZ_UNKNOWN] = { "unknown ioctl", fuzz_nothing },
	[FUZZ_ACQUIRE] = { "ACQUIRE", fuzz_acquire_errors },
	[FUZZ_RELEASE] = { "RELEASE", fuzz_release_errors },
	[FUZZ_COPY] = { "COPY", fuzz_copy_errors },
	[FUZZ_GIVE] = { "GIVE", fuzz_give_errors },
	[FUZZ_TAKE] = { "TAKE", fuzz_take_errors },
	[FUZZ_MMAP] = { "mmap", fuzz_mmap_errors },
	[FUZZ_READ] = { "read", fuzz_read_errors },
};

static inline bool fuzz_is_among(int error, const int *errors)
{
	while (*errors && *errors != error)
		errors++;
	return *errors;
}

/* An answer that is not among the documented ones ends the fuzzer. */
static inline int fuzz_judge(struct fuzzer *z, enum fuzz_call call, int result)
{
	int error = result ? errno : 0;

	atomic_fetch_add(&z->fuzz->answers[call][error & 0xff], 1);
	if (!result)
		return 0;
	if (result == -1 && (fuzz_is_among(error, fuzz_common) ||
			     fuzz_is_among(error, fuzz_allowed[call].errors)))
		return error;
	fprintf(stderr, "# thread %u: %s gives %d, %s (LABYRINTH_SEED=%llu)\n", z->number,
		fuzz_allowed[call].name, result, strerror(error),
		(unsigned long long)z->fuzz->seed);
	_exit(KSFT_FAIL);
}

static inline int fuzz_info_or_stat(struct fuzzer *z)
{
	char raw[FUZZ_STRUCT] = { 0 };
	bool info = fuzz_once_in(z, 2);
	int fd = fuzz_device(z);
	void *at;

	((__u32 *)raw)[1] = fuzz_once_in(z, 16) ? fuzz_flags(z, 0) : 0;
	at = fuzz_struct(z, raw, info ? sizeof(struct labyrinth_info) :
					sizeof(struct labyrinth_stat));
	return fuzz_judge(z, info ? FUZZ_INFO : FUZZ_STAT,
			  ioctl(fd, info ? LABYRINTH_INFO : LABYRINTH_STAT, at));
}

/* None of ours: a wrong number, direction, size or type. */
static inline int fuzz_unknown(struct fuzzer *z)
{
	char raw[FUZZ_STRUCT] = { 0 };
	void *at = fuzz_struct(z, raw, 64);
	unsigned int command = LABYRINTH_INFO + fuzz_pick(z, 7, 255);

	if (fuzz_once_in(z, 2))
		command = LABYRINTH_INFO ^ 1U << fuzz_pick(z, 8, 31);
	return fuzz_judge(z, FUZZ_UNKNOWN, ioctl(fuzz_device(z), command, at));
}

static inline void fuzz_remember(struct fuzzer *z, const struct labyrinth_buffer *at,
				 __u32 count)
{
	struct labyrinth_buffer buffers[16];
	__u32 i;

	if (count > ARRAY_COUNT(buffers))
		count = ARRAY_COUNT(buffers);
	fuzz_load(buffers, at, count * sizeof(*buffers));
	for (i = 0; i < count; i++)
		__atomic_store_n(&z->fuzz->handles[z->slot][fuzz_pick(z, 0, FUZZ_HANDLES - 1)],
				 buffers[i].handle, __ATOMIC_RELAXED);
}

static inline int fuzz_acquire(struct fuzzer *z)
{
	union {
		struct labyrinth_acquire cmd;
		char raw[FUZZ_STRUCT];
	} u = { .raw = { 0 } };
	int fd = fuzz_device(z);
	static const struct labyrinth_buffer none[256];
	__u64 deadlines[] = { 1, now_ns() + NSEC_PER_MSEC, now_ns() - 1, 0, ~0ULL };
	struct labyrinth_buffer *buffers;
	void *at;
	int error;

	u.cmd.flags = fuzz_flags(z, LABYRINTH_ACQUIRE_NOWAIT | LABYRINTH_ACQUIRE_PARTIAL |
				    LABYRINTH_ACQUIRE_POPULATE);
	u.cmd.count = fuzz_count(z);
	if (fuzz_once_in(z, 4))
		u.cmd.order = fuzz_once_in(z, 8) ? fuzz_number(z) : fuzz_pick(z, 0, 5);
	u.cmd.deadline_ns = deadlines[fuzz_pick(z, 0, fuzz_once_in(z, 8) ? 4 : 2)];
	if (u.cmd.flags & LABYRINTH_ACQUIRE_POPULATE ? !fuzz_once_in(z, 4) :
						       fuzz_once_in(z, 32))
		u.cmd.arena_addr = (uintptr_t)z->fuzz->arena;
	if (fuzz_once_in(z, 32))
		u.cmd.arena_addr = fuzz_number(z);
	if (fuzz_once_in(z, 64))
		u.cmd.reserved = 1;
	buffers = fuzz_place(z, none, (u.cmd.count % 257) * sizeof(*none) % sizeof(none));
	u.cmd.buffers = (uintptr_t)buffers;
	at = fuzz_struct(z, &u, sizeof(u.cmd));
	error = fuzz_judge(z, FUZZ_ACQUIRE, ioctl(fd, LABYRINTH_ACQUIRE, at));
	if (!error) {
		fuzz_load(&u.cmd, at, sizeof(u.cmd));
		fuzz_remember(z, buffers, u.cmd.acquired);
	}
	return error;
}

static inline int fuzz_release(struct fuzzer *z)
{
	union {
		struct labyrinth_release cmd;
		char raw[FUZZ_STRUCT];
	} u = { .raw = { 0 } };
	int fd = fuzz_device(z);

	u.cmd.flags = fuzz_flags(z, fuzz_once_in(z, 4) ? LABYRINTH_RELEASE_IF_UNMAPPED : 0);
	/* One stale handle among them is enough for ENOENT. */
	u.cmd.count = fuzz_once_in(z, 2) ? 1 : fuzz_count(z);
	u.cmd.reserved = fuzz_once_in(z, 64);
	u.cmd.handles = (uintptr_t)fuzz_handles(z, u.cmd.count);
	return fuzz_judge(z, FUZZ_RELEASE, ioctl(fd, LABYRINTH_RELEASE,
					      fuzz_struct(z, &u, sizeof(u.cmd))));
}

static inline int fuzz_copy(struct fuzzer *z)
{
	union {
		struct labyrinth_copy cmd;
		char raw[FUZZ_STRUCT];
	} u = { .raw = { 0 } };
	int fd = fuzz_device(z);

	u.cmd.flags = fuzz_flags(z, LABYRINTH_COPY_FENCE);
	u.cmd.src_handle = fuzz_handle(z);
	u.cmd.dst_handle = fuzz_once_in(z, 8) ? u.cmd.src_handle : fuzz_handle(z);
	u.cmd.src_offset = fuzz_once_in(z, 2) ? 0 : fuzz_number(z);
	u.cmd.dst_offset = fuzz_once_in(z, 2) ? 0 : fuzz_number(z);
	u.cmd.length = fuzz_once_in(z, 4) ? fuzz_number(z) : fuzz_pick(z, 1, 4096);
	u.cmd.user_data = random_next(&z->random);
	if (!z->fuzz->copies)
		u.cmd.src_handle = 0;
	return fuzz_judge(z, FUZZ_COPY, ioctl(fd, LABYRINTH_COPY,
					      fuzz_struct(z, &u, sizeof(u.cmd))));
}

static inline int fuzz_give(struct fuzzer *z)
{
	union {
		struct labyrinth_give cmd;
		char raw[FUZZ_STRUCT];
	} u = { .raw = { 0 } };
	int fd = fuzz_device(z);
	void *at;
	int error;

	u.cmd.flags = fuzz_flags(z, 0);
	u.cmd.count = fuzz_once_in(z, 2) ? 1 : fuzz_count(z);
	u.cmd.ticket_fd = (int)fuzz_number(z);
	u.cmd.handles = (uintptr_t)fuzz_handles(z, u.cmd.count);
	/* In the arena, another thread might write over the descriptor. */
	do {
		at = fuzz_struct(z, &u, sizeof(u.cmd));
	} while (fuzz_in_arena(z, at));
	error = fuzz_judge(z, FUZZ_GIVE, ioctl(fd, LABYRINTH_GIVE, at));
	if (error)
		return error;
	fuzz_load(&u.cmd, at, sizeof(u.cmd));
	fuzz_put_fd(z, fuzz_pick(z, FUZZ_TICKETS, FUZZ_OTHERS - 1), u.cmd.ticket_fd);
	return 0;
}

static inline int fuzz_take(struct fuzzer *z)
{
	union {
		struct labyrinth_take cmd;
		char raw[FUZZ_STRUCT];
	} u = { .raw = { 0 } };
	int fd = fuzz_device(z);
	static const struct labyrinth_buffer none[256];
	struct labyrinth_buffer *buffers;
	void *at;
	int error;

	u.cmd.flags = fuzz_flags(z, 0);
	u.cmd.count = fuzz_count(z);
	u.cmd.ticket_fd = fuzz_ticket(z);
	buffers = fuzz_place(z, none, (u.cmd.count % 257) * sizeof(*none) % sizeof(none));
	u.cmd.buffers = (uintptr_t)buffers;
	at = fuzz_struct(z, &u, sizeof(u.cmd));
	error = fuzz_judge(z, FUZZ_TAKE, ioctl(fd, LABYRINTH_TAKE, at));
	if (!error) {
		fuzz_load(&u.cmd, at, sizeof(u.cmd));
		fuzz_remember(z, buffers, u.cmd.count);
	}
	return error;
}

/* One of the ioctls: 0 or its errno. */
static inline int fuzz_ioctl(struct fuzzer *z)
{
	switch (fuzz_pick(z, 0, 23)) {
	case 0:
		return fuzz_info_or_stat(z);
	case 1:
		return fuzz_unknown(z);
	case 2 ... 9:
		return fuzz_acquire(z);
	case 10 ... 14:
		return fuzz_release(z);
	case 15 ... 16:
		return fuzz_copy(z);
	case 17 ... 19:
		return fuzz_give(z);
	default:
		return fuzz_take(z);
	}
}

#endif /* FUZZ_CALLS_H */
