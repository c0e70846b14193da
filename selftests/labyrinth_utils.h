/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every selftest of Labyrinth needs: the device, the calls, the counters.
 *
 * Calls come in threes, as iommufd's do: raw_x() returns what the kernel said,
 * test_x() asserts success, test_err_x() expects one errno.
 */
#ifndef LABYRINTH_UTILS_H
#define LABYRINTH_UTILS_H

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include <linux/labyrinth.h>

#include "kselftest_harness.h"

#define NSEC_PER_MSEC	1000000ULL
#define NSEC_PER_SEC	1000000000ULL

/* How long anything that should happen "soon" may take on an emulated machine. */
#define SOON_NS		(5 * NSEC_PER_SEC)

#define ARRAY_COUNT(array)	(sizeof(array) / sizeof((array)[0]))

static inline __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * NSEC_PER_SEC + (__u64)now.tv_nsec;
}

static inline void sleep_ms(unsigned int ms)
{
	struct timespec left = {
		.tv_sec = ms / 1000,
		.tv_nsec = (ms % 1000) * (long)NSEC_PER_MSEC,
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* True as soon as the condition holds, false if it still does not after SOON_NS. */
#define wait_until(condition)						\
({									\
	__u64 _give_up = now_ns() + SOON_NS;				\
	bool _met;							\
									\
	while (!(_met = (condition)) && now_ns() < _give_up)		\
		sleep_ms(5);						\
	_met;								\
})

/* As SKIP, in the middle of a test: what has failed by then is not forgotten. */
#define SKIP_REST(statement, ...)					\
do {									\
	if (_metadata->exit_code == KSFT_FAIL)				\
		statement;						\
	SKIP(statement, __VA_ARGS__);					\
} while (0)

#define EXPECT_ERRNO(expected, call)					\
({									\
	errno = 0;							\
	EXPECT_EQ(-1, (call));						\
	EXPECT_EQ((expected), errno);					\
})

/* A device keeps its number while a file of it is open, so these may have gaps. */
#define MOST_NUMBERS	64

/* The nth device that is there now, whatever its number. */
static inline int raw_open(unsigned int nth, int flags)
{
	unsigned int number;
	char path[32];

	for (number = 0; number < MOST_NUMBERS; number++) {
		snprintf(path, sizeof(path), "/dev/labyrinth%u", number);
		if (!access(path, F_OK) && !nth--)
			return open(path, flags | O_CLOEXEC);
	}
	errno = ENODEV;
	return -1;
}

static inline int raw_info(int fd, struct labyrinth_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return ioctl(fd, LABYRINTH_INFO, info);
}

static inline int raw_stat(int fd, struct labyrinth_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	return ioctl(fd, LABYRINTH_STAT, stat);
}

/* The number of buffers of 2^order pages acquired, or -1. */
static inline int raw_acquire_order(int fd, __u32 flags, __u32 order, __u32 count,
				    struct labyrinth_buffer *buffers)
{
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.count = count,
		.order = order,
		.buffers = (uintptr_t)buffers,
	};

	if (ioctl(fd, LABYRINTH_ACQUIRE, &cmd))
		return -1;
	return (int)cmd.acquired;
}

/* The number of buffers acquired, or -1. */
static inline int raw_acquire_until(int fd, __u32 flags, __u32 count,
				    struct labyrinth_buffer *buffers,
				    __u64 deadline_ns)
{
	struct labyrinth_acquire cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.count = count,
		.buffers = (uintptr_t)buffers,
		.deadline_ns = deadline_ns,
	};

	if (ioctl(fd, LABYRINTH_ACQUIRE, &cmd))
		return -1;
	return (int)cmd.acquired;
}

static inline int raw_acquire(int fd, __u32 flags, __u32 count,
			      struct labyrinth_buffer *buffers)
{
	return raw_acquire_until(fd, flags, count, buffers, 0);
}

static inline int raw_release_handles(int fd, __u32 flags, __u32 count,
				      const __u64 *handles)
{
	struct labyrinth_release cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.count = count,
		.handles = (uintptr_t)handles,
	};

	return ioctl(fd, LABYRINTH_RELEASE, &cmd);
}

static inline int raw_release(int fd, __u32 flags, __u32 count,
			      const struct labyrinth_buffer *buffers)
{
	__u64 *handles = calloc(count ? count : 1, sizeof(*handles));
	int result, error;
	__u32 i;

	for (i = 0; i < count; i++)
		handles[i] = buffers[i].handle;
	result = raw_release_handles(fd, flags, count, handles);
	error = errno;
	free(handles);
	errno = error;
	return result;
}

static inline int raw_copy(int fd, __u64 src, __u64 src_offset, __u64 dst,
			   __u64 dst_offset, __u64 length, __u64 user_data)
{
	struct labyrinth_copy cmd = {
		.size = sizeof(cmd),
		.src_handle = src,
		.dst_handle = dst,
		.src_offset = src_offset,
		.dst_offset = dst_offset,
		.length = length,
		.user_data = user_data,
	};

	return ioctl(fd, LABYRINTH_COPY, &cmd);
}

/* The poll events that are true now. */
static inline int poll_now(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&pollfd, 1, 0) < 0 ? -1 : pollfd.revents;
}

/*
 * What a poll() has been woken for. One that nobody wakes looks once more when its time
 * is up: what it finds then does not count.
 */
static inline int poll_woken(int fd, short events, int ms)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	__u64 end = now_ns() + (__u64)ms * NSEC_PER_MSEC;

	if (poll(&pollfd, 1, ms) != 1 || now_ns() >= end)
		return 0;
	return pollfd.revents;
}

/* One event. A device that never delivers it ends in ETIMEDOUT, not in a hang. */
static inline int raw_event(int fd, struct labyrinth_event *event)
{
	ssize_t got;

	if (!poll_woken(fd, POLLIN, 20000)) {
		errno = ETIMEDOUT;
		return -1;
	}
	got = read(fd, event, sizeof(*event));
	if (got < 0)
		return -1;
	return got == sizeof(*event) ? 0 : (int)got;
}

static inline void *raw_map(int fd, int prot, __u64 length, __u64 offset)
{
	return mmap(NULL, (size_t)length, prot, MAP_SHARED, fd, (off_t)offset);
}

/* The end of a child of a test: without this, what it expected would not count. */
#define test_child_exit() \
	_exit(_metadata->exit_code == KSFT_FAIL ? KSFT_FAIL : KSFT_PASS)

#define test_info(fd, info)	ASSERT_EQ(0, raw_info(fd, info))
#define test_stat(fd, stat)	ASSERT_EQ(0, raw_stat(fd, stat))

#define test_acquire(fd, count, buffers) \
	ASSERT_EQ((int)(count), raw_acquire(fd, 0, count, buffers))
#define test_err_acquire(error, fd, flags, count, buffers) \
	EXPECT_ERRNO(error, raw_acquire(fd, flags, count, buffers))
#define test_acquire_order(fd, order, count, buffers) \
	ASSERT_EQ((int)(count), raw_acquire_order(fd, 0, order, count, buffers))
#define test_err_acquire_order(error, fd, flags, order, count, buffers) \
	EXPECT_ERRNO(error, raw_acquire_order(fd, flags, order, count, buffers))

#define test_release(fd, count, buffers) \
	ASSERT_EQ(0, raw_release(fd, 0, count, buffers))
#define test_err_release(error, fd, flags, count, buffers) \
	EXPECT_ERRNO(error, raw_release(fd, flags, count, buffers))
#define test_err_release_handles(error, fd, count, handles) \
	EXPECT_ERRNO(error, raw_release_handles(fd, 0, count, handles))

#define test_copy(...)		ASSERT_EQ(0, raw_copy(__VA_ARGS__))
#define test_err_copy(error, ...) \
	EXPECT_ERRNO(error, raw_copy(__VA_ARGS__))

#define test_event(fd, expected_user_data, expected_result)		\
({									\
	struct labyrinth_event _event;					\
									\
	ASSERT_EQ(0, raw_event(fd, &_event));				\
	EXPECT_EQ((__u64)(expected_user_data), _event.user_data);	\
	EXPECT_EQ((expected_result), _event.result);			\
	EXPECT_EQ((__u32)LABYRINTH_EVENT_COPY, _event.type);		\
})

#define test_map(fd, prot, length, offset)				\
({									\
	char *_map = raw_map(fd, prot, length, offset);			\
									\
	ASSERT_NE(MAP_FAILED, _map);					\
	_map;								\
})
#define test_map_buffer(fd, buffer) \
	test_map(fd, PROT_READ | PROT_WRITE, (buffer)->length, (buffer)->offset)
#define test_map_arena(fd, info) \
	test_map(fd, PROT_READ | PROT_WRITE, (info)->arena_length, 0)
#define test_err_map(error, fd, prot, length, offset) \
	EXPECT_ERRNO(error, raw_map(fd, prot, length, offset) == MAP_FAILED ? -1 : 0)

static inline __u64 stat_sum(const struct labyrinth_stat *stat)
{
	return stat->free + stat->owned + stat->ticketed + stat->kernel +
	       stat->quarantined + stat->poisoned;
}

/* A call that failed, or was refused, must leave no trace in the pool. */
#define test_unchanged(fd, before)					\
({									\
	struct labyrinth_stat _now;					\
									\
	test_stat(fd, &_now);						\
	EXPECT_EQ((before)->owned, _now.owned);				\
	EXPECT_EQ((before)->charged, _now.charged);			\
	EXPECT_EQ((before)->ticketed, _now.ticketed);			\
	EXPECT_EQ((before)->kernel, _now.kernel);			\
	EXPECT_EQ((before)->quarantined, _now.quarantined);		\
	EXPECT_EQ((before)->poisoned, _now.poisoned);			\
	EXPECT_EQ((before)->waiters, _now.waiters);			\
	EXPECT_EQ((before)->acquired, _now.acquired);			\
	EXPECT_EQ((before)->released, _now.released);			\
	EXPECT_EQ((before)->revoked, _now.revoked);			\
	EXPECT_EQ(_now.total, stat_sum(&_now));				\
})

/* One counter, read for wait_until(); all ones if STAT fails. */
#define stat_value(fd, field)						\
({									\
	struct labyrinth_stat _stat;					\
									\
	raw_stat(fd, &_stat) ? ~0ULL : _stat.field;			\
})

static inline bool device_is_quiet(int fd)
{
	struct labyrinth_stat stat;

	/* Surplus is given back by a worker, which may still be at it. */
	return !raw_stat(fd, &stat) && !stat.owned && !stat.ticketed && !stat.kernel &&
	       !stat.quarantined && !stat.waiters && stat.free <= stat.high &&
	       stat.total == stat_sum(&stat);
}

static inline void log_unrest(struct __test_metadata *_metadata, int fd)
{
	struct labyrinth_stat stat = { 0 };

	raw_stat(fd, &stat);
	TH_LOG("owned %llu ticketed %llu kernel %llu quarantined %llu waiters %llu",
	       (unsigned long long)stat.owned, (unsigned long long)stat.ticketed,
	       (unsigned long long)stat.kernel, (unsigned long long)stat.quarantined,
	       (unsigned long long)stat.waiters);
	TH_LOG("free %llu high %llu total %llu max %llu", (unsigned long long)stat.free,
	       (unsigned long long)stat.high, (unsigned long long)stat.total,
	       (unsigned long long)stat.max);
}

/*
 * Opens the nth device once nothing of an earlier test is left on it. Pages that
 * do not come back are a failure of the driver, not a reason to skip.
 */
static inline int open_quiet(struct __test_metadata *_metadata,
			     unsigned int nth, int flags)
{
	int fd;

	if (access("/sys/class/labyrinth", F_OK))
		SKIP(_exit(KSFT_SKIP), "the labyrinth module is not loaded");
	fd = raw_open(nth, flags);
	ASSERT_LE(0, fd);
	if (!wait_until(device_is_quiet(fd)))
		log_unrest(_metadata, fd);
	ASSERT_TRUE(device_is_quiet(fd));
	return fd;
}

/* Bytes that differ from page to page and within a page. */
static inline unsigned char pattern_at(unsigned int seed, size_t i)
{
	return (unsigned char)(seed * 31 + i * 7 + i / 251 + 1);
}

static inline void pattern_fill(void *to, size_t size, unsigned int seed)
{
	unsigned char *bytes = to;
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = pattern_at(seed, i);
}

static inline bool pattern_matches(const void *at, size_t size, unsigned int seed)
{
	const unsigned char *bytes = at;
	size_t i;

	for (i = 0; i < size; i++)
		if (bytes[i] != pattern_at(seed, i))
			return false;
	return true;
}

static inline bool all_bytes_are(const void *at, size_t size, unsigned char value)
{
	const unsigned char *bytes = at;

	return bytes[0] == value && !memcmp(bytes, bytes + 1, size - 1);
}

/* PREEMPT_RT: interrupt handlers are threads, and locks sleep. */
static inline bool kernel_is_realtime(void)
{
	return !access("/sys/kernel/realtime", F_OK);
}

static inline size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

#endif /* LABYRINTH_UTILS_H */
