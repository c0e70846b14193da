// SPDX-License-Identifier: GPL-2.0
/* A fenced copy keeps the CPU off its pages until it has ended, and off no others. */
#include <sys/time.h>

#include "labyrinth_device.h"
#include "labyrinth_peer.h"
#include "labyrinth_present.h"
#include "labyrinth_sleeper.h"

/* What does not wait for the device takes less; the shortest copy takes 200 ms. */
#define AT_ONCE_NS	(50 * NSEC_PER_MSEC)

#define test_at_once(...)						\
({									\
	__u64 _start = now_ns();					\
									\
	__VA_ARGS__;							\
	EXPECT_GT(AT_ONCE_NS, now_ns() - _start);			\
})

static int raw_fenced(int fd, const struct labyrinth_buffer *src, __u64 src_offset,
		      const struct labyrinth_buffer *dst, __u64 dst_offset,
		      __u64 length, __u64 user_data)
{
	struct labyrinth_copy cmd = {
		.size = sizeof(cmd),
		.flags = LABYRINTH_COPY_FENCE,
		.src_handle = src->handle,
		.dst_handle = dst->handle,
		.src_offset = src_offset,
		.dst_offset = dst_offset,
		.length = length,
		.user_data = user_data,
	};

	return ioctl(fd, LABYRINTH_COPY, &cmd);
}

#define test_fenced(...)	ASSERT_EQ(0, raw_fenced(__VA_ARGS__))

/* No copy of this file has ended yet. */
static bool is_underway(int fd)
{
	return !(poll_now(fd) & POLLIN);
}

/* The next event tells of a copy that had ended at that time, and well. */
#define test_ended_by(when, fd, expected_user_data)			\
({									\
	struct labyrinth_event _event;					\
									\
	ASSERT_EQ(0, raw_event(fd, &_event));				\
	EXPECT_EQ((__u64)(expected_user_data), _event.user_data);	\
	EXPECT_EQ(0, _event.result);					\
	EXPECT_GE((__u64)(when), _event.timestamp_ns);			\
})

FIXTURE(fence)
{
	int fd;
	size_t page;
	struct labyrinth_info info;
	struct labyrinth_buffer src, dst, more[2];
	char *arena;
	char *from, *to, *aside;	/* src, dst and more[0]: written to, so present */
	int pipefd[2];
};

FIXTURE_SETUP(fence)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	self->page = page_size();
	test_info(self->fd, &self->info);
	ASSERT_TRUE(self->info.capabilities & LABYRINTH_CAP_FENCE);
	test_acquire(self->fd, 1, &self->src);
	test_acquire(self->fd, 1, &self->dst);
	test_acquire(self->fd, 2, self->more);
	self->arena = test_map_arena(self->fd, &self->info);
	self->from = self->arena + self->src.offset;
	self->to = self->arena + self->dst.offset;
	self->aside = self->arena + self->more[0].offset;
	pattern_fill(self->from, self->page, 1);
	memset(self->to, 0xa5, self->page);
	pattern_fill(self->aside, self->page, 2);
	ASSERT_EQ(0, pipe2(self->pipefd, O_CLOEXEC | O_NONBLOCK));
	fault_catch();
}

FIXTURE_TEARDOWN(fence)
{
	munmap(self->arena, self->info.arena_length);
	close(self->fd);
}

/* A system call never waits for a fence, so it tells which pages have one. */
#define test_fenced_off(address) \
	EXPECT_ERRNO(EFAULT, write(self->pipefd[1], address, 1))

TEST_F(fence, reader_of_the_destination_sees_the_finished_data)
{
	__u64 seen;

	/* A page is two chunks: the wait must not end with the first. */
	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 1);
	EXPECT_TRUE(is_underway(self->fd));
	EXPECT_TRUE(pattern_matches(self->to, self->page, 1));
	seen = now_ns();
	test_ended_by(seen, self->fd, 1);
}

TEST_F(fence, write_to_the_destination_comes_after_the_data)
{
	__u64 seen;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 2048, 2);
	EXPECT_TRUE(is_underway(self->fd));
	EXPECT_EQ(0, touch(self->to + 100, TOUCH_WRITE));
	seen = now_ns();
	test_ended_by(seen, self->fd, 2);
	EXPECT_EQ(0xee, (unsigned char)self->to[100]);
	EXPECT_TRUE(pattern_matches(self->to, 100, 1));
	EXPECT_TRUE(all_bytes_are(self->to + 2048, self->page - 2048, 0xa5));
}

TEST_F(fence, reader_of_the_source_waits)
{
	__u64 seen;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 1, 3);
	/* Another byte of the page; what is kept off is the page. */
	EXPECT_EQ(0, touch(self->from + self->page - 1, TOUCH_READ));
	seen = now_ns();
	test_ended_by(seen, self->fd, 3);
}

TEST_F(fence, write_to_the_source_is_not_in_the_copy)
{
	__u64 seen;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 4095, 4);
	EXPECT_EQ(0, touch(self->from + 100, TOUCH_WRITE));
	seen = now_ns();
	test_ended_by(seen, self->fd, 4);
	EXPECT_EQ(0xee, (unsigned char)self->from[100]);
	EXPECT_TRUE(pattern_matches(self->to, 4095, 1));
}

TEST_F(fence, page_is_taken_out_of_every_mapping)
{
	char *maps[6] = {
		self->from, self->to,
		test_map_arena(self->fd, &self->info) + self->src.offset,
		test_map_arena(self->fd, &self->info) + self->dst.offset,
		test_map_buffer(self->fd, &self->src),
		test_map_buffer(self->fd, &self->dst),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_COUNT(maps); i++)
		ASSERT_EQ(1, write(self->pipefd[1], maps[i], 1));
	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 0);
	for (i = 0; i < ARRAY_COUNT(maps); i++)
		test_fenced_off(maps[i]);
	EXPECT_TRUE(is_underway(self->fd));
}

TEST_F(fence, without_the_flag_the_pages_stay_accessible)
{
	test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0, self->page, 0);
	test_at_once(EXPECT_TRUE(is_present(self->from)));
	test_at_once(EXPECT_TRUE(is_present(self->to)));
	EXPECT_EQ(0, touch(self->from, TOUCH_WRITE));
	EXPECT_EQ(0, touch(self->to, TOUCH_WRITE));
	EXPECT_TRUE(is_underway(self->fd));
}

TEST_F(fence, other_pages_of_the_file_are_not_affected)
{
	char *untouched = self->arena + self->more[1].offset;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 0);
	test_at_once(EXPECT_TRUE(is_present(self->aside)));
	test_at_once(test_touch(untouched));
	test_at_once(EXPECT_EQ(1, write(self->pipefd[1], self->aside, 1)));
	EXPECT_TRUE(pattern_matches(self->aside, self->page, 2));
	EXPECT_TRUE(is_underway(self->fd));
}

TEST_F(fence, only_pages_that_the_range_overlaps_are_fenced)
{
	static const struct {
		unsigned int offset, length;
		bool fenced[2];
	} cases[] = {
		{ 0, 4096, { true, false } }, { 4095, 1, { true, false } },
		{ 4096, 1, { false, true } }, { 4095, 2, { true, true } },
	};
	struct labyrinth_buffer pairs[2][ARRAY_COUNT(cases)];
	struct labyrinth_acquire acquire = {
		.size = sizeof(acquire),
		.count = 2 * ARRAY_COUNT(cases),
		.order = 1,
		.buffers = (uintptr_t)pairs,
	};
	unsigned int i, j, as_src;
	char *pages;

	ASSERT_LE(1, self->info.max_order);
	ASSERT_EQ(0, ioctl(self->fd, LABYRINTH_ACQUIRE, &acquire));
	for (as_src = 0; as_src < 2; as_src++)
		for (i = 0; i < ARRAY_COUNT(cases); i++)
			memset(self->arena + pairs[as_src][i].offset, 1, 2 * self->page);
	for (as_src = 0; as_src < 2; as_src++) {
		for (i = 0; i < ARRAY_COUNT(cases); i++) {
			struct labyrinth_buffer *pair = &pairs[as_src][i];
			unsigned int at = cases[i].offset;

			test_fenced(self->fd, as_src ? pair : &self->src, as_src ? at : 0,
				    as_src ? &self->dst : pair, as_src ? 0 : at,
				    cases[i].length, 0);
			pages = self->arena + pair->offset;
			for (j = 0; j < 2; j++) {
				if (cases[i].fenced[j])
					test_fenced_off(pages + j * self->page);
				else
					EXPECT_TRUE(is_present(pages + j * self->page));
			}
		}
	}
	EXPECT_TRUE(is_underway(self->fd));
}

TEST_F(fence, system_call_gets_efault_at_once)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char byte;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 1, 5);
	test_at_once(EXPECT_ERRNO(EFAULT, read(zero, self->to, self->page)));
	test_at_once(EXPECT_ERRNO(EFAULT, read(zero, self->from, 1)));
	test_at_once(test_fenced_off(self->to));
	test_at_once(test_fenced_off(self->from));
	test_at_once(EXPECT_ERRNO(EFAULT, ioctl(self->fd, LABYRINTH_STAT, self->to)));
	EXPECT_TRUE(is_underway(self->fd));
	/* Nothing has been written, and nothing was broken. */
	EXPECT_ERRNO(EAGAIN, read(self->pipefd[0], &byte, 1));
	test_event(self->fd, 5, 0);
	EXPECT_TRUE(all_bytes_are(self->to + 1, self->page - 1, 0xa5));
	EXPECT_EQ(1, write(self->pipefd[1], self->to, 1));
	EXPECT_EQ(1, read(zero, self->to, 1));
}

TEST_F(fence, touch_waits_for_all_fenced_copies_of_the_page)
{
	__u64 seen;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 2048, 6);
	test_fenced(self->fd, &self->src, 2048, &self->dst, 2048, 2048, 7);
	EXPECT_TRUE(pattern_matches(self->to, self->page, 1));
	seen = now_ns();
	test_ended_by(seen, self->fd, 6);
	test_ended_by(seen, self->fd, 7);
}

TEST_F(fence, refused_copy_fences_nothing)
{
	unsigned int i;

	for (i = 0; i < self->info.copy_depth; i++)
		test_copy(self->fd, self->src.handle, 0, self->dst.handle, 0,
			  self->page, i);
	EXPECT_ERRNO(EAGAIN, raw_fenced(self->fd, &self->src, 0, &self->dst, 0, 1, 0));
	EXPECT_ERRNO(EINVAL, raw_fenced(self->fd, &self->src, 0, &self->src, 0, 1, 0));
	test_at_once(test_touch(self->from));
	test_at_once(test_touch(self->to));
	EXPECT_EQ(1, write(self->pipefd[1], self->to, 1));
	EXPECT_TRUE(is_underway(self->fd));
}

/* Has copies queued for more than three seconds, and touches. */
static void be_killed(struct peer *peer)
{
	struct labyrinth_buffer pair[2];
	struct labyrinth_info info;
	int fd, i;
	char *arena;

	fd = raw_open(0, O_RDWR);
	if (raw_info(fd, &info) || raw_acquire(fd, 0, 2, pair) != 2)
		_exit(1);
	arena = raw_map(fd, PROT_READ, info.arena_length, 0);
	for (i = 0; i < 8; i++)
		if (raw_fenced(fd, &pair[0], 0, &pair[1], 0, 4096, i))
			_exit(1);
	peer_send(peer, 1, -1);
	touch(arena + pair[1].offset, TOUCH_READ);
	peer_send(peer, 2, -1);
	_exit(0);
}

TEST_F(fence, sigkill_ends_the_wait)
{
	struct peer peer;
	__u64 number, start;
	int status;

	ASSERT_LE(0, peer_fork(&peer));
	if (!peer.pid)
		be_killed(&peer);
	ASSERT_EQ(1, test_peer_receive(&peer));
	ASSERT_TRUE(wait_until(task_state(peer.pid) == 'S'));
	start = now_ns();
	ASSERT_EQ(0, kill(peer.pid, SIGKILL));
	ASSERT_EQ(peer.pid, waitpid(peer.pid, &status, 0));
	EXPECT_GT(NSEC_PER_SEC, now_ns() - start);
	EXPECT_TRUE(WIFSIGNALED(status));
	/* The access never went on. */
	EXPECT_EQ(-1, peer_receive(&peer, &number, NULL));
}

static int alarmed_fd;
static atomic_int alarms, alarms_meanwhile;

static void on_alarm(int sig)
{
	alarms += sig == SIGALRM;
	alarms_meanwhile += is_underway(alarmed_fd);
}

TEST_F(fence, signal_handler_runs_at_once_and_then_the_access_goes_on)
{
	const struct itimerval soon = { .it_value.tv_usec = 100000 };
	struct sigaction action = { .sa_handler = on_alarm };
	__u64 seen;

	alarmed_fd = self->fd;
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 8);
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &soon, NULL));
	EXPECT_EQ(0, touch(self->to, TOUCH_READ));
	seen = now_ns();
	EXPECT_EQ(1, alarms);
	EXPECT_EQ(1, alarms_meanwhile);
	test_ended_by(seen, self->fd, 8);
	EXPECT_TRUE(pattern_matches(self->to, self->page, 1));
}

TEST_F(fence, munmap_of_the_page_does_not_hang)
{
	char *alone = test_map_buffer(self->fd, &self->dst);
	struct sleeper sleeper;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, 4095, 0);
	sleeper_start(_metadata, &sleeper, alone);
	test_at_once(EXPECT_EQ(0, munmap(alone, self->page)));
	EXPECT_TRUE(is_underway(self->fd));
	EXPECT_EQ(SIGSEGV, sleeper_join(_metadata, &sleeper));
}

TEST_F(fence, other_threads_map_and_unmap_meanwhile)
{
	struct sleeper sleeper;
	char *memory;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 0);
	sleeper_start(_metadata, &sleeper, self->to);
	test_at_once(memory = mmap(NULL, self->page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		     ASSERT_NE(MAP_FAILED, memory);
		     *memory = 1;
		     EXPECT_EQ(0, munmap(memory, self->page)));
	EXPECT_TRUE(is_underway(self->fd));
	EXPECT_FALSE(atomic_load(&sleeper.done));
	EXPECT_EQ(0, sleeper_join(_metadata, &sleeper));
}

TEST_F(fence, release_ends_the_wait_with_sigbus)
{
	struct sleeper sleepers[2];

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 0);
	sleeper_start(_metadata, &sleepers[0], self->from);
	sleeper_start(_metadata, &sleepers[1], self->to);
	test_release(self->fd, 1, &self->dst);
	EXPECT_EQ(SIGBUS, sleeper_join(_metadata, &sleepers[1]));
	/* Not only when the device was done with the page, which it reads still. */
	EXPECT_TRUE(is_underway(self->fd));
	EXPECT_FALSE(atomic_load(&sleepers[0].done));
	test_event(self->fd, 0, -ECANCELED);
	EXPECT_EQ(0, sleeper_join(_metadata, &sleepers[0]));
}

TEST_F(fence, release_of_one_side_frees_the_other_of_a_copy_that_has_not_begun)
{
	struct sleeper sleeper;

	test_copy(self->fd, self->more[0].handle, 0, self->more[1].handle, 0,
		  self->page, 0);
	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 1);
	sleeper_start(_metadata, &sleeper, self->from);
	test_release(self->fd, 1, &self->dst);
	EXPECT_EQ(0, sleeper_join(_metadata, &sleeper));
	EXPECT_TRUE(is_underway(self->fd));
}

TEST_F(fence, give_of_a_fenced_buffer_is_ebusy)
{
	const __u64 handles[] = { self->src.handle, self->dst.handle };
	struct labyrinth_give give = { .size = sizeof(give), .count = 1 };
	struct labyrinth_stat before;
	unsigned int i;

	test_fenced(self->fd, &self->src, 0, &self->dst, 0, self->page, 0);
	test_stat(self->fd, &before);
	for (i = 0; i < ARRAY_COUNT(handles); i++) {
		give.handles = (uintptr_t)&handles[i];
		EXPECT_ERRNO(EBUSY, ioctl(self->fd, LABYRINTH_GIVE, &give));
	}
	test_unchanged(self->fd, &before);
	EXPECT_TRUE(is_underway(self->fd));
}

/* On the second device, so that the first one is never missed. */
TEST(unbind_ends_the_wait_with_sigbus)
{
	int fd = open_quiet(_metadata, 1, O_RDWR), i;
	struct labyrinth_buffer pair[2];
	struct sleeper sleepers[2];
	char address[ADDRESS_SIZE];

	ASSERT_EQ(0, device_address(fd, address));
	if (access(DRIVER "unbind", W_OK))
		SKIP(return, "no right to unbind devices");
	fault_catch();
	test_acquire(fd, 2, pair);
	for (i = 0; i < 8; i++)
		test_fenced(fd, &pair[0], 0, &pair[1], 0, 4096, i);
	for (i = 0; i < 2; i++)
		sleeper_start(_metadata, &sleepers[i], test_map_buffer(fd, &pair[i]));
	EXPECT_EQ(0, device_unbind(address));
	EXPECT_EQ(0, device_bind(address));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(SIGBUS, sleeper_join(_metadata, &sleepers[i]));
	EXPECT_TRUE(wait_until(device_is_there(address)));
}

TEST_HARNESS_MAIN
