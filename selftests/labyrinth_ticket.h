/* SPDX-License-Identifier: GPL-2.0 */
/* Tickets: putting buffers in, and taking them out. */
#ifndef LABYRINTH_TICKET_H
#define LABYRINTH_TICKET_H

#include <pthread.h>

#include "labyrinth_utils.h"

/* The ticket, or -1. */
static inline int raw_give_handles(int fd, __u32 count, const __u64 *handles)
{
	struct labyrinth_give cmd = {
		.size = sizeof(cmd),
		.count = count,
		.ticket_fd = -1,
		.handles = (uintptr_t)handles,
	};

	return ioctl(fd, LABYRINTH_GIVE, &cmd) ? -1 : cmd.ticket_fd;
}

static inline int raw_give(int fd, __u32 count, const struct labyrinth_buffer *buffers)
{
	__u64 *handles = calloc(count ? count : 1, sizeof(*handles));
	int result, error;
	__u32 i;

	for (i = 0; i < count; i++)
		handles[i] = buffers[i].handle;
	result = raw_give_handles(fd, count, handles);
	error = errno;
	free(handles);
	errno = error;
	return result;
}

/* Sets *count as the kernel does. */
static inline int raw_take(int fd, int ticket, __u32 *count,
			   struct labyrinth_buffer *buffers)
{
	struct labyrinth_take cmd = {
		.size = sizeof(cmd),
		.ticket_fd = ticket,
		.count = *count,
		.buffers = (uintptr_t)buffers,
	};
	int result = ioctl(fd, LABYRINTH_TAKE, &cmd);

	*count = cmd.count;
	return result;
}

#define test_give(fd, count, buffers)					\
({									\
	int _ticket = raw_give(fd, count, buffers);			\
									\
	ASSERT_LE(0, _ticket);						\
	_ticket;							\
})
#define test_err_give(error, fd, count, buffers) \
	EXPECT_ERRNO(error, raw_give(fd, count, buffers))

/* Expects the ticket to hold as many as were wanted, and closes it. */
#define test_take(fd, ticket, wanted, buffers)				\
({									\
	__u32 _count = (wanted);					\
									\
	ASSERT_EQ(0, raw_take(fd, ticket, &_count, buffers));		\
	EXPECT_EQ((__u32)(wanted), _count);				\
	ASSERT_EQ(0, close(ticket));					\
})
#define test_err_take(error, fd, ticket, room, buffers)			\
({									\
	__u32 _count = (room);						\
									\
	EXPECT_ERRNO(error, raw_take(fd, ticket, &_count, buffers));	\
})

/* The number the next file will get: one that was reserved and forgotten shows in it. */
static inline int next_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

/* Takes a ticket in a thread, for who holds it up meanwhile. */
struct single_take {
	pthread_t thread;
	int fd;
	int ticket;
	struct labyrinth_buffer *buffers;
	int result;
};

static inline void *single_take_run(void *argument)
{
	struct single_take *take = argument;
	__u32 count = 1;

	take->result = raw_take(take->fd, take->ticket, &count, take->buffers);
	return NULL;
}

#endif /* LABYRINTH_TICKET_H */
