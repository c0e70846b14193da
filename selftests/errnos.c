// SPDX-License-Identifier: GPL-2.0
/* Errors that only a contrived situation brings about, and which of two comes first. */
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "labyrinth_stall.h"
#include "labyrinth_ticket.h"
#include "labyrinth_user.h"

#define FILE_MAX	"/proc/sys/fs/file-max"

/* An ioctl, its fields all zero: wrong, where it has any. */
FIXTURE(command)
{
	int fd;
	char address[ADDRESS_SIZE];
	__u32 cmd[128];		/* size and flags first */
};

FIXTURE_VARIANT(command)
{
	unsigned int number;
	__u32 size;
};

FIXTURE_VARIANT_ADD(command, info) {
	.number = LABYRINTH_INFO, .size = sizeof(struct labyrinth_info) };
FIXTURE_VARIANT_ADD(command, stat) {
	.number = LABYRINTH_STAT, .size = sizeof(struct labyrinth_stat) };
FIXTURE_VARIANT_ADD(command, acquire) {
	.number = LABYRINTH_ACQUIRE, .size = sizeof(struct labyrinth_acquire) };
FIXTURE_VARIANT_ADD(command, release) {
	.number = LABYRINTH_RELEASE, .size = sizeof(struct labyrinth_release) };
FIXTURE_VARIANT_ADD(command, copy) {
	.number = LABYRINTH_COPY, .size = sizeof(struct labyrinth_copy) };
FIXTURE_VARIANT_ADD(command, give) {
	.number = LABYRINTH_GIVE, .size = sizeof(struct labyrinth_give) };
FIXTURE_VARIANT_ADD(command, take) {
	.number = LABYRINTH_TAKE, .size = sizeof(struct labyrinth_take) };

FIXTURE_SETUP(command)
{
	self->fd = open_quiet(_metadata, 1, O_RDWR);
	ASSERT_EQ(0, device_address(self->fd, self->address));
	ASSERT_GT(sizeof(self->cmd), variant->size);
}

FIXTURE_TEARDOWN(command)
{
	close(self->fd);
	if (!device_is_there(self->address))
		device_bind(self->address);
	EXPECT_TRUE(device_is_there(self->address));
}

/* All that is wrong with the struct comes first, in this order; then the last error. */
#define expect_struct_errors_before(last)				\
({									\
	__u32 *_cmd = self->cmd;					\
									\
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, variant->number, NULL));	\
	_cmd[1] = 1U << 31;						\
	_cmd[0] = variant->size - 1;					\
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, variant->number, _cmd));	\
	_cmd[0] = variant->size + 4;					\
	_cmd[variant->size / 4] = 1;					\
	EXPECT_ERRNO(E2BIG, ioctl(self->fd, variant->number, _cmd));	\
	_cmd[variant->size / 4] = 0;					\
	EXPECT_ERRNO(EOPNOTSUPP, ioctl(self->fd, variant->number, _cmd)); \
	_cmd[1] = 0;							\
	EXPECT_ERRNO(last, ioctl(self->fd, variant->number, _cmd));	\
})

TEST_F(command, other_process_is_eperm_after_the_struct_and_before_the_fields)
{
	struct peer peer;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		expect_struct_errors_before(EPERM);
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(command, dead_device_is_enodev_after_eperm_and_before_the_fields)
{
	struct peer peer;

	if (access(DRIVER "unbind", W_OK))
		SKIP(return, "no right to unbind devices");
	ASSERT_EQ(0, device_unbind(self->address));
	expect_struct_errors_before(ENODEV);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		expect_struct_errors_before(EPERM);
		test_child_exit();
	}
	test_peer_join(&peer);
}

/* Everything at its best; each test makes two things go wrong at a time. */
FIXTURE(precedence)
{
	int fd;
	struct labyrinth_info info;
	struct labyrinth_buffer own[3];	/* the last one is stale */
	struct labyrinth_stat before;
};

FIXTURE_SETUP(precedence)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_info(self->fd, &self->info);
	test_acquire(self->fd, 3, self->own);
	test_release(self->fd, 1, &self->own[2]);
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(precedence)
{
	close(self->fd);
}

/*
 * A busy buffer, alone and with others. Whatever way they are gone through, and that
 * may well be by slot, no handle is lower than 0, and none higher than all ones.
 */
#define expect_before_ebusy(call, ...)					\
({									\
	const __u64 _busy = self->own[0].handle, _stale = self->own[2].handle; \
	const __u64 _pairs[][2] = {					\
		{ _busy, _stale }, { _busy, 0 }, { _busy, ~0ULL },	\
	};								\
	const __u64 _twice[] = { _busy, _stale, _busy };		\
	unsigned int _i;						\
									\
	EXPECT_ERRNO(EBUSY, call(self->fd, ##__VA_ARGS__, 1, &_busy));	\
	for (_i = 0; _i < ARRAY_COUNT(_pairs); _i++)			\
		EXPECT_ERRNO(ENOENT, call(self->fd, ##__VA_ARGS__, 2, _pairs[_i])); \
	EXPECT_ERRNO(EINVAL, call(self->fd, ##__VA_ARGS__, 3, _twice));	\
	test_unchanged(self->fd, &self->before);			\
})

TEST_F(precedence, release_is_einval_then_enoent_then_ebusy)
{
	char *page = test_map_buffer(self->fd, &self->own[0]);

	*page = 1;
	expect_before_ebusy(raw_release_handles, LABYRINTH_RELEASE_IF_UNMAPPED);
}

TEST_F(precedence, give_is_einval_then_enoent_then_ebusy)
{
	test_copy(self->fd, self->own[0].handle, 0, self->own[1].handle, 0, 1, 0);
	expect_before_ebusy(raw_give_handles);
	test_event(self->fd, 0, 0);
}

TEST_F(precedence, copy_is_einval_then_enoent_then_eagain)
{
	__u64 src = self->own[0].handle, dst = self->own[1].handle;
	__u64 stale = self->own[2].handle;
	__u32 i;

	for (i = 0; i < self->info.copy_depth; i++)
		test_copy(self->fd, src, 0, dst, 0, 1, i);
	test_err_copy(EAGAIN, self->fd, src, 0, dst, 0, 1, 0);
	test_err_copy(ENOENT, self->fd, stale, 0, dst, 0, 1, 0);
	test_err_copy(ENOENT, self->fd, src, 0, stale, 0, 1, 0);
	test_err_copy(EINVAL, self->fd, src, 0, stale, 0, 0, 0);
	test_err_copy(EINVAL, self->fd, src, self->own[0].length, dst, 0, 1, 0);
	test_unchanged(self->fd, &self->before);
}

TEST_F(precedence, copy_is_eperm_and_enodev_before_eacces)
{
	int rdonly = raw_open(1, O_RDONLY);
	char address[ADDRESS_SIZE];
	struct peer peer;

	ASSERT_EQ(0, device_address(rdonly, address));
	test_err_copy(EACCES, rdonly, 1, 0, 2, 0, 1, 0);
	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid) {
		test_err_copy(EPERM, rdonly, 1, 0, 2, 0, 1, 0);
		test_child_exit();
	}
	test_peer_join(&peer);
	if (access(DRIVER "unbind", W_OK))
		SKIP(return, "no right to unbind devices");
	ASSERT_EQ(0, device_unbind(address));
	test_err_copy(ENODEV, rdonly, 1, 0, 2, 0, 1, 0);
	close(rdonly);
	ASSERT_EQ(0, device_bind(address));
}

TEST_F(precedence, take_during_another_take_is_ebusy)
{
	struct single_take taker = { .fd = self->fd };
	struct labyrinth_buffer taken;
	struct pollfd faults = { .events = POLLIN };

	taker.buffers = stall_memory(&faults.fd);
	if (!taker.buffers)
		SKIP(return, "no userfaultfd in this kernel");
	taker.ticket = test_give(self->fd, 1, &self->own[0]);
	ASSERT_EQ(0, pthread_create(&taker.thread, NULL, single_take_run, &taker));
	ASSERT_EQ(1, poll(&faults, 1, 5000));
	ASSERT_EQ(POLLIN, faults.revents);
	/* It sleeps while it says what it is about to take. */
	test_err_take(EBUSY, self->fd, taker.ticket, 1, &taken);
	test_err_take(EBUSY, self->fd, taker.ticket, 0, NULL);
	EXPECT_EQ(1, stat_value(self->fd, ticketed));
	ASSERT_EQ(0, stall_end(faults.fd, taker.buffers));
	ASSERT_EQ(0, pthread_join(taker.thread, NULL));
	EXPECT_EQ(0, taker.result);
	test_err_take(ENOENT, self->fd, taker.ticket, 1, &taken);
	test_release(self->fd, 1, taker.buffers);
	close(taker.ticket);
	close(faults.fd);
}

/* A device of few pages, and users with few rights. */
#define MAX		300

FIXTURE(limited)
{
	int fd;
	__u32 reachable;		/* pages one file can have at most */
	struct labyrinth_buffer *buffers;
	struct labyrinth_stat before;
	unsigned long long file_quota, file_max;
	struct modes modes;
};

FIXTURE_SETUP(limited)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_stat(self->fd, &self->before);
	self->buffers = calloc(MAX, sizeof(*self->buffers));
	ASSERT_NE(NULL, self->buffers);
	self->file_quota = number_in(LIMITS "file_quota");
	self->file_max = number_in(FILE_MAX);
	if (geteuid() || access(LIMITS, F_OK))
		SKIP(return, "only root can set limits");
	ASSERT_GE(MAX, self->before.high);
	ASSERT_LT(MAX, self->file_quota);
	modes_open(_metadata, &self->modes);
	ASSERT_EQ(0, set_number(LIMITS "max", MAX));
	self->reachable = MAX - self->before.reserve;
}

FIXTURE_TEARDOWN(limited)
{
	set_number(FILE_MAX, self->file_max);
	set_number(LIMITS "max", self->before.max);
	set_number(LIMITS "file_quota", self->file_quota);
	modes_restore(&self->modes);
	close(self->fd);
	free(self->buffers);
}

/* Acquires so many pages, waiting for some of them. */
#define test_take_pages(fd, wanted)					\
({									\
	__u32 _got = 0, _wanted = (wanted), _most;			\
									\
	for (; _got < _wanted; _got += _most) {				\
		_most = _wanted - _got < 50 ? _wanted - _got : 50;	\
		test_acquire(fd, _most, self->buffers + _got);		\
	}								\
})

/* All four ways to ask, besides PARTIAL, which is trimmed where that helps. */
#define expect_refused(error, fd, count)				\
({									\
	struct labyrinth_buffer *_to = calloc(count, sizeof(*_to));	\
									\
	test_err_acquire(error, fd, 0, count, _to);			\
	test_err_acquire(error, fd, LABYRINTH_ACQUIRE_NOWAIT, count, _to); \
	EXPECT_ERRNO(error, raw_acquire_until(fd, 0, count, _to, 1));	\
	EXPECT_ERRNO(error, raw_acquire_until(fd, 0, count, _to,	\
					      now_ns() + 60 * NSEC_PER_SEC)); \
	free(_to);							\
})

TEST_F(limited, acquire_of_more_than_max_request_is_einval_if_it_would_wait)
{
	struct labyrinth_info info;
	__u32 most;
	int got, other;

	test_info(self->fd, &info);
	most = info.max_request;
	EXPECT_EQ(MAX / 4, most);
	test_err_acquire(EINVAL, self->fd, 0, most + 1, self->buffers);
	/* A deadline does not help, not even one in the past. */
	EXPECT_ERRNO(EINVAL, raw_acquire_until(self->fd, 0, most + 1, self->buffers, 1));
	EXPECT_EQ(most, raw_acquire(self->fd, 0, most, self->buffers));
	test_release(self->fd, most, self->buffers);
	got = raw_acquire(self->fd, LABYRINTH_ACQUIRE_NOWAIT, most + 1, self->buffers);
	ASSERT_EQ(most + 1, got);
	test_release(self->fd, got, self->buffers);
	got = raw_acquire(self->fd, LABYRINTH_ACQUIRE_PARTIAL, most + 1, self->buffers);
	ASSERT_LE(1, got);
	/* It comes before what the quota says. */
	ASSERT_EQ(0, set_number(LIMITS "file_quota", 1));
	other = raw_open(0, O_RDWR);
	test_err_acquire(EINVAL, other, 0, most + 1, self->buffers);
	test_err_acquire(EDQUOT, other, 0, most, self->buffers);
	close(other);
}

TEST_F(limited, acquire_that_no_release_could_meet_is_enomem_at_once)
{
	int other = raw_open(0, O_RDWR);
	struct labyrinth_buffer more;

	test_take_pages(self->fd, self->reachable - 10);
	expect_refused(ENOMEM, self->fd, 11);
	test_take_pages(self->fd, 10);
	expect_refused(ENOMEM, self->fd, 1);
	test_err_acquire(ENOMEM, self->fd, LABYRINTH_ACQUIRE_PARTIAL, 8, self->buffers);
	test_err_acquire_order(ENOMEM, self->fd, 0, 1, 1, self->buffers);
	/* Somebody else might well get a page, later. */
	test_err_acquire(EAGAIN, other, LABYRINTH_ACQUIRE_NOWAIT, 1, &more);
	EXPECT_ERRNO(ETIMEDOUT, raw_acquire_until(other, 0, 1, &more, 1));
	EXPECT_EQ(self->reachable, stat_value(self->fd, owned));
	EXPECT_EQ(0, stat_value(self->fd, waiters));
	close(other);
}

TEST_F(limited, acquire_is_edquot_then_enomem)
{
	int other;

	ASSERT_EQ(0, set_number(LIMITS "file_quota", self->reachable));
	other = raw_open(0, O_RDWR);
	test_take_pages(other, self->reachable - 10);
	/* Over the quota, and more than there can ever be. */
	expect_refused(EDQUOT, other, 11);
	test_err_acquire_order(EDQUOT, other, 0, 1, 6, self->buffers);
	close(other);
	/* One page more of quota, and only the second is true. */
	ASSERT_EQ(0, set_number(LIMITS "file_quota", self->reachable + 1));
	other = raw_open(0, O_RDWR);
	test_take_pages(other, self->reachable - 10);
	expect_refused(ENOMEM, other, 11);
	close(other);
}

TEST_F(limited, acquire_is_enobufs_then_enomem)
{
	struct peer peer;

	if (!test_fork_as(&peer, USER, self->reachable)) {
		int fd = raw_open(0, O_RDWR);

		test_take_pages(fd, self->reachable - 10);
		expect_refused(ENOBUFS, fd, 11);
		test_child_exit();
	}
	test_peer_join(&peer);
}

TEST_F(limited, acquire_is_edquot_then_enobufs_then_eagain)
{
	struct hoard hoard;
	struct peer peer;

	hoard_fill(_metadata, &hoard, 0, self->fd);
	ASSERT_EQ(0, set_number(LIMITS "file_quota", 20));
	if (!test_fork_as(&peer, USER, 10)) {
		int fd = raw_open(0, O_RDWR);

		expect_refused(EDQUOT, fd, 21);
		expect_refused(ENOBUFS, fd, 20);
		expect_refused(ENOBUFS, fd, 11);
		test_err_acquire_order(EDQUOT, fd, 0, 1, 11, self->buffers);
		test_err_acquire_order(ENOBUFS, fd, 0, 1, 6, self->buffers);
		test_err_acquire_order(ENOMEM, fd, 0, 1, 5, self->buffers);
		test_err_acquire(EAGAIN, fd, LABYRINTH_ACQUIRE_NOWAIT, 10,
				 self->buffers);
		EXPECT_ERRNO(ETIMEDOUT, raw_acquire_until(fd, 0, 10, self->buffers, 1));
		test_child_exit();
	}
	test_peer_join(&peer);
	hoard_close(&hoard);
}

TEST_F(limited, take_is_edquot_then_enobufs)
{
	struct labyrinth_buffer taken[12];
	struct peer peer;
	int ticket;

	test_acquire(self->fd, 12, self->buffers);
	ticket = test_give(self->fd, 12, self->buffers);
	ASSERT_EQ(0, set_number(LIMITS "file_quota", 11));
	if (!test_fork_as(&peer, USER, 10)) {
		int fd = raw_open(0, O_RDWR);

		test_err_take(EDQUOT, fd, ticket, 12, taken);
		test_child_exit();
	}
	test_peer_join(&peer);
	ASSERT_EQ(0, set_number(LIMITS "file_quota", 12));
	if (!test_fork_as(&peer, USER, 10)) {
		int fd = raw_open(0, O_RDWR);

		test_err_take(ENOBUFS, fd, ticket, 12, taken);
		test_child_exit();
	}
	test_peer_join(&peer);
	EXPECT_EQ(12, stat_value(self->fd, ticketed));
	close(ticket);
}

TEST_F(limited, give_where_the_system_has_no_file_left_is_enfile)
{
	struct labyrinth_stat before;
	struct peer peer;
	int next;

	if (!test_fork_as(&peer, USER, RLIM_INFINITY)) {
		int fd = raw_open(0, O_RDWR);

		test_acquire(fd, 2, self->buffers);
		next = next_descriptor();
		test_stat(fd, &before);
		test_peer_send(&peer, 1);
		test_peer_receive(&peer);
		test_err_give(ENFILE, fd, 2, self->buffers);
		EXPECT_EQ(next, next_descriptor());
		test_unchanged(fd, &before);
		test_peer_send(&peer, 1);
		test_peer_receive(&peer);
		EXPECT_LE(0, raw_give(fd, 2, self->buffers));
		test_child_exit();
	}
	test_peer_receive(&peer);
	/* No other number will do: the kernel's count of few files is a rough one. */
	ASSERT_EQ(0, set_number(FILE_MAX, 0));
	test_peer_send(&peer, 1);
	test_peer_receive(&peer);
	ASSERT_EQ(0, set_number(FILE_MAX, self->file_max));
	test_peer_send(&peer, 1);
	test_peer_join(&peer);
}

TEST_HARNESS_MAIN
