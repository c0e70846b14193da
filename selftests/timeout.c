// SPDX-License-Identifier: GPL-2.0
/* A device that does not finish: who waits is told, and nothing is reused too early. */
#include "labyrinth_pool.h"
#include "labyrinth_sleeper.h"
#include "labyrinth_stray.h"

#define CHUNK		4095	/* bytes, which the device copies in two transfers */

/* Longer than any of these tests waits: the engine is busy until told otherwise. */
#define FOR_GOOD_MS	60000

#define TRANSFER_NS	(100 * NSEC_PER_MSEC)	/* always, whatever its length */

/* A transfer that takes so much longer has been given up. */
#define EARLIEST_NS	(300 * NSEC_PER_MSEC)
#define LATEST_NS	(4 * NSEC_PER_SEC)

/* The driver's patience with an engine that does not become idle, and some. */
#define DEAD_NS		(20 * NSEC_PER_SEC)

FIXTURE(timeout)
{
	int fd;
	char address[ADDRESS_SIZE];
	struct labyrinth_buffer buffers[4];
	char *pages[4];
	struct labyrinth_stat before;
};

FIXTURE_SETUP(timeout)
{
	int i;

	self->fd = open_quiet(_metadata, 0, O_RDWR);
	if (access("/sys/class/labyrinth/labyrinth0/pool/dma_timeouts", F_OK))
		SKIP(_exit(KSFT_SKIP), "no DMA timeouts in this driver");
	ASSERT_EQ(0, device_address(self->fd, self->address));
	stray_require(_metadata, self->fd);
	fault_catch();
	test_acquire(self->fd, 4, self->buffers);
	for (i = 0; i < 4; i++) {
		self->pages[i] = test_map_buffer(self->fd, &self->buffers[i]);
		pattern_fill(self->pages[i], page_size(), i);
	}
	test_stat(self->fd, &self->before);
}

FIXTURE_TEARDOWN(timeout)
{
	stray_unload();
	close(self->fd);
	if (!device_is_there(self->address))
		device_renew(_metadata, self->address);
}

/* From one of the four buffers to another. */
static int copy_between(int fd, const struct labyrinth_buffer *buffers, int from, int to,
			__u32 flags, __u64 user_data)
{
	struct labyrinth_copy cmd = {
		.size = sizeof(cmd),
		.flags = flags,
		.src_handle = buffers[from].handle,
		.dst_handle = buffers[to].handle,
		.length = 4096,
		.user_data = user_data,
	};

	return ioctl(fd, LABYRINTH_COPY, &cmd);
}

TEST_F_TIMEOUT(timeout, copy_ends_with_etimedout_and_the_next_ones_work, 60)
{
	__u64 begin = now_ns(), took;
	struct labyrinth_stat after;
	struct labyrinth_event event;

	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, 0, 5));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 2, 3, 0, 6));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 2, 1, 0, 7));
	test_event(self->fd, 5, -ETIMEDOUT);
	took = now_ns() - begin;
	EXPECT_LT(EARLIEST_NS, took);
	EXPECT_GT(LATEST_NS, took);
	/* The others are not tried as long as they would be ignored. */
	sleep_ms(1000);
	test_stat(self->fd, &after);
	if ((poll_now(self->fd) & POLLIN || after.chunks != self->before.chunks + 1) &&
	    hog_was_late())
		SKIP_REST(return, TOO_SLOW);
	EXPECT_EQ(0, poll_now(self->fd) & POLLIN);
	EXPECT_EQ(self->before.dma_timeouts + 1, after.dma_timeouts);
	EXPECT_EQ(self->before.chunks + 1, after.chunks);
	ASSERT_EQ(0, stray_hog(0));
	test_event(self->fd, 6, 0);
	EXPECT_TRUE(pattern_matches(self->pages[3], page_size(), 2));
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(7, event.user_data);
	EXPECT_EQ(0, event.result);
	EXPECT_TRUE(pattern_matches(self->pages[1], page_size(), 2));
	EXPECT_TRUE(pattern_matches(self->pages[0], page_size(), 0));
	test_stat(self->fd, &after);
	EXPECT_EQ(self->before.dma_timeouts + 1, after.dma_timeouts);
	EXPECT_EQ(self->before.copies_failed + 1, after.copies_failed);
	EXPECT_EQ(self->before.copies + 2, after.copies);
}

/* The engine is taken over between the two transfers of a copy that has no more. */
TEST_F_TIMEOUT(timeout, lost_end_of_a_transfer_is_a_timeout, 60)
{
	__u64 begin = now_ns();

	test_copy(self->fd, self->buffers[0].handle, 0, self->buffers[1].handle, 0,
		  CHUNK, 1);
	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	/* As late as that, the second one may have done its work. */
	if (now_ns() - begin >= 2 * TRANSFER_NS)
		SKIP_REST(return, TOO_SLOW);
	test_event(self->fd, 1, -ETIMEDOUT);
	EXPECT_TRUE(pattern_matches(self->pages[1], page_size(), 1));
	ASSERT_EQ(0, stray_hog(0));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 2, 1, 0, 2));
	test_event(self->fd, 2, 0);
	EXPECT_TRUE(pattern_matches(self->pages[1], page_size(), 2));
}

TEST_F_TIMEOUT(timeout, its_pages_are_in_quarantine_until_the_engine_is_idle, 60)
{
	struct labyrinth_buffer *found;
	struct labyrinth_stat held;
	struct hoard hoard;

	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, 0, 1));
	test_event(self->fd, 1, -ETIMEDOUT);
	test_release(self->fd, 4, self->buffers);
	test_sigbus(self->pages[0]);
	test_sigbus(self->pages[1]);
	test_stat(self->fd, &held);
	if (held.quarantined != 2 && hog_was_late())
		SKIP_REST(return, TOO_SLOW);
	EXPECT_EQ(2, held.quarantined);
	EXPECT_EQ(2, held.charged);
	EXPECT_EQ(held.total, stat_sum(&held));
	found = hoard_until(_metadata, &hoard, 0, self->fd, self->buffers, 2);
	test_stat(self->fd, &held);
	if ((found || held.quarantined != 2) && hog_was_late())
		SKIP_REST(return, TOO_SLOW);
	EXPECT_EQ(NULL, found);
	EXPECT_EQ(2, held.quarantined);
	EXPECT_EQ(held.max - held.reserve - 2, hoard.count);
	hoard_close(&hoard);
	ASSERT_EQ(0, stray_hog(0));
	EXPECT_TRUE(wait_until(!stat_value(self->fd, quarantined)));
	EXPECT_TRUE(wait_until(device_is_quiet(self->fd)));
	EXPECT_EQ(0, stat_value(self->fd, charged));
}

TEST_F_TIMEOUT(timeout, closing_the_file_does_not_free_them_earlier, 60)
{
	int watcher = raw_open(0, O_RDWR);
	struct labyrinth_stat held;

	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, 0, 1));
	munmap(self->pages[0], page_size());
	munmap(self->pages[1], page_size());
	munmap(self->pages[2], page_size());
	munmap(self->pages[3], page_size());
	ASSERT_EQ(0, close(self->fd));
	ASSERT_TRUE(wait_until(stat_value(watcher, dma_timeouts) ==
			       self->before.dma_timeouts + 1));
	self->fd = watcher;
	sleep_ms(500);
	test_stat(watcher, &held);
	if (held.quarantined != 2 && hog_was_late())
		SKIP_REST(return, TOO_SLOW);
	EXPECT_EQ(2, held.quarantined);
	EXPECT_EQ(0, held.owned);
	ASSERT_EQ(0, stray_hog(0));
	EXPECT_TRUE(wait_until(device_is_quiet(watcher)));
}

TEST_F_TIMEOUT(timeout, who_waits_for_a_fence_goes_on, 60)
{
	struct sleeper sleeper;

	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, LABYRINTH_COPY_FENCE,
				  1));
	sleeper_start(_metadata, &sleeper, self->pages[1]);
	test_event(self->fd, 1, -ETIMEDOUT);
	EXPECT_EQ(0, sleeper_join(_metadata, &sleeper));
	test_touch(self->pages[0]);
	EXPECT_TRUE(pattern_matches(self->pages[1], page_size(), 1));
	ASSERT_EQ(0, stray_hog(0));
}

TEST_F_TIMEOUT(timeout, unbind_does_not_wait_for_it_for_long, 60)
{
	struct labyrinth_event event;
	__u64 begin;

	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, 0, 1));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 2, 3, 0, 2));
	begin = now_ns();
	ASSERT_EQ(0, device_unbind(self->address));
	EXPECT_GT(2 * SOON_NS, now_ns() - begin);
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(-ENODEV, event.result);
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(-ENODEV, event.result);
	expect_dead(_metadata, self->fd, &self->buffers[0]);
}

/* The device that cannot be had back reports itself dead; a new one works. */
TEST_F_TIMEOUT(timeout, engine_that_never_ends_is_a_dead_device, 90)
{
	struct pollfd pollfd = { .fd = self->fd };
	struct labyrinth_buffer pair[2];
	struct labyrinth_event event;
	struct waiter waiter = { .count = 1 };
	__u64 end = now_ns() + DEAD_NS;
	struct hoard hoard;
	char *to;
	int fd;

	waiter.fd = raw_open(0, O_RDWR);
	ASSERT_EQ(0, stray_hog(FOR_GOOD_MS));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 0, 1, 0, 1));
	ASSERT_EQ(0, copy_between(self->fd, self->buffers, 2, 3, 0, 2));
	hoard_fill(_metadata, &hoard, 0, self->fd);
	waiter_start(_metadata, &waiter);
	/* Without POLLIN, or the events would end it. */
	while (poll(&pollfd, 1, 100) == 0 && now_ns() < end)
		;
	if (!pollfd.revents && hog_was_late())
		SKIP_REST(return, TOO_SLOW);
	ASSERT_EQ(POLLERR | POLLHUP, pollfd.revents);
	waiter_join(_metadata, &waiter);
	EXPECT_EQ(-1, waiter.result);
	EXPECT_EQ(ENODEV, waiter.error);
	expect_dead(_metadata, self->fd, &self->buffers[0]);
	/* It first reports itself dead, and then takes the mappings away. */
	EXPECT_TRUE(wait_until(touch(self->pages[0], TOUCH_READ) == SIGBUS &&
			       touch(self->pages[3], TOUCH_READ) == SIGBUS));
	test_event(self->fd, 1, -ETIMEDOUT);
	ASSERT_EQ(0, raw_event(self->fd, &event));
	EXPECT_EQ(2, event.user_data);
	/* It has had its turn if the engine was idle for a moment, and only then. */
	if (event.result != -ETIMEDOUT || !hog_was_late())
		EXPECT_EQ(-ENODEV, event.result);
	EXPECT_ERRNO(ENODEV, read(self->fd, &event, sizeof(event)));
	hoard_close(&hoard);
	close(waiter.fd);

	/* It is unbound with the engine still busy, and its file still open. */
	ASSERT_EQ(0, device_unbind(self->address));
	EXPECT_EQ(0, stray_unload());
	ASSERT_EQ(0, device_bind(self->address));
	ASSERT_TRUE(wait_until(device_is_there(self->address)));
	fd = device_open_at(self->address);
	ASSERT_LE(0, fd);
	EXPECT_TRUE(device_is_quiet(fd));
	test_acquire(fd, 2, pair);
	pattern_fill(test_map_buffer(fd, &pair[0]), page_size(), 9);
	to = test_map_buffer(fd, &pair[1]);
	test_copy(fd, pair[0].handle, 0, pair[1].handle, 0, page_size(), 3);
	test_event(fd, 3, 0);
	EXPECT_TRUE(pattern_matches(to, page_size(), 9));
	EXPECT_EQ(0, close(fd));
}

TEST_HARNESS_MAIN
