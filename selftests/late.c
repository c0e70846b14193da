// SPDX-License-Identifier: GPL-2.0
/* A transfer whose end is noticed late, or not at all: no page is lost or reused early. */
#include "labyrinth_inject.h"
#include "labyrinth_stray.h"
#include "labyrinth_suspend.h"

#define LATE	INJECT_OWN "fail_dma_late"
#define LOST	INJECT_OWN "fail_dma_lost"

/* Until the driver takes a device for dead: ten seconds, and some. */
#define DEAD_NS	(30 * NSEC_PER_SEC)

struct pages {
	int fd;
	char address[ADDRESS_SIZE];
	struct labyrinth_buffer buffers[4];
	char *maps[4];
	struct labyrinth_stat before;
};

/* Four mapped buffers, each with a pattern of its own. */
static void pages_open(struct __test_metadata *_metadata, struct pages *pages)
{
	int i;

	pages->fd = open_quiet(_metadata, 0, O_RDWR);
	ASSERT_EQ(0, device_address(pages->fd, pages->address));
	inject_require(_metadata, LATE);
	inject_require(_metadata, LOST);
	fault_catch();
	test_acquire(pages->fd, 4, pages->buffers);
	for (i = 0; i < 4; i++) {
		pages->maps[i] = test_map_buffer(pages->fd, &pages->buffers[i]);
		pattern_fill(pages->maps[i], page_size(), i);
	}
	test_stat(pages->fd, &pages->before);
}

static void pages_close(struct __test_metadata *_metadata, struct pages *pages)
{
	inject(LATE, 0);
	inject(LOST, 0);
	close(pages->fd);
	if (!device_is_there(pages->address))
		device_renew(_metadata, pages->address);
}

#define test_copy_page(pages, from, to, length, user_data)		\
	test_copy((pages)->fd, (pages)->buffers[from].handle, 0,	\
		  (pages)->buffers[to].handle, 0, length, user_data)

FIXTURE(end)
{
	struct pages pages;
};

/* What is not noticed: the end of the first half, into the device, or the second. */
FIXTURE_VARIANT(end)
{
	const char *fault;
	int skip;
};

FIXTURE_VARIANT_ADD(end, first_half_is_late)
{
	.fault = LATE,
};

FIXTURE_VARIANT_ADD(end, second_half_is_late)
{
	.fault = LATE,
	.skip = 1,
};

FIXTURE_VARIANT_ADD(end, first_half_is_lost)
{
	.fault = LOST,
};

FIXTURE_VARIANT_ADD(end, second_half_is_lost)
{
	.fault = LOST,
	.skip = 1,
};

FIXTURE_SETUP(end)
{
	pages_open(_metadata, &self->pages);
}

FIXTURE_TEARDOWN(end)
{
	pages_close(_metadata, &self->pages);
}

TEST_F_TIMEOUT(end, copy_ends_with_etimedout_and_the_others_are_done, 60)
{
	struct labyrinth_stat after, *before = &self->pages.before;
	struct pages *pages = &self->pages;

	ASSERT_EQ(0, inject_after(variant->fault, variant->skip, 1));
	test_copy_page(pages, 0, 1, 4095, 5);
	test_copy_page(pages, 2, 3, 4095, 6);
	test_copy_page(pages, 3, 1, 4095, 7);
	test_event(pages->fd, 5, -ETIMEDOUT);
	test_event(pages->fd, 6, 0);
	test_event(pages->fd, 7, 0);
	EXPECT_TRUE(pattern_matches(pages->maps[0], page_size(), 0));
	EXPECT_TRUE(pattern_matches(pages->maps[1], 4095, 2));
	EXPECT_TRUE(pattern_matches(pages->maps[2], page_size(), 2));
	EXPECT_TRUE(pattern_matches(pages->maps[3], 4095, 2));
	test_stat(pages->fd, &after);
	EXPECT_EQ(before->dma_timeouts + 1, after.dma_timeouts);
	EXPECT_EQ(before->copies_failed + 1, after.copies_failed);
	EXPECT_EQ(before->copies + 2, after.copies);
	EXPECT_EQ(before->chunks + 3, after.chunks);
	EXPECT_EQ(0, after.quarantined);
	EXPECT_EQ(4, after.owned);
	EXPECT_EQ(after.total, stat_sum(&after));
	test_release(pages->fd, 4, pages->buffers);
	EXPECT_TRUE(wait_until(device_is_quiet(pages->fd)));
}

TEST_F_TIMEOUT(end, file_closed_meanwhile_leaves_nothing_behind, 60)
{
	struct pages *pages = &self->pages;
	int i, watcher = raw_open(0, O_RDWR);

	ASSERT_LE(0, watcher);
	ASSERT_EQ(0, inject_after(variant->fault, variant->skip, 1));
	test_copy_page(pages, 0, 1, 4095, 5);
	for (i = 0; i < 4; i++)
		munmap(pages->maps[i], page_size());
	ASSERT_EQ(0, close(pages->fd));
	pages->fd = watcher;
	/* An orphan is over with its chunk, or when that is found to have timed out. */
	EXPECT_TRUE(wait_until(stat_value(watcher, dma_timeouts) ==
			       pages->before.dma_timeouts + 1));
	EXPECT_TRUE(wait_until(device_is_quiet(watcher)));
	EXPECT_EQ(0, stat_value(watcher, charged));
	test_acquire(watcher, 4, pages->buffers);
	test_copy_page(pages, 0, 1, 4095, 1);
	test_event(watcher, 1, 0);
}

FIXTURE(late)
{
	struct pages pages;
};

FIXTURE_SETUP(late)
{
	pages_open(_metadata, &self->pages);
}

FIXTURE_TEARDOWN(late)
{
	pages_close(_metadata, &self->pages);
}

TEST_F_TIMEOUT(late, pages_are_in_quarantine_until_the_engine_is_seen_idle, 60)
{
	struct pages *pages = &self->pages;
	struct labyrinth_stat held;

	ASSERT_EQ(0, inject(LATE, -1));
	test_copy_page(pages, 0, 1, 4095, 5);
	test_copy_page(pages, 2, 3, 4095, 6);
	test_event(pages->fd, 5, -ETIMEDOUT);
	test_release(pages->fd, 2, pages->buffers);
	test_sigbus(pages->maps[0]);
	test_sigbus(pages->maps[1]);
	test_stat(pages->fd, &held);
	EXPECT_EQ(2, held.quarantined);
	EXPECT_EQ(2, held.owned);
	EXPECT_EQ(4, held.charged);
	EXPECT_EQ(held.total, stat_sum(&held));
	/* The other one is not started meanwhile: it would be ignored. */
	EXPECT_EQ(pages->before.chunks + 1, held.chunks);
	ASSERT_EQ(0, inject(LATE, 0));
	test_event(pages->fd, 6, 0);
	EXPECT_TRUE(pattern_matches(pages->maps[3], 4095, 2));
	EXPECT_TRUE(wait_until(!stat_value(pages->fd, quarantined)));
	EXPECT_EQ(2, stat_value(pages->fd, charged));
}

/* And one that is unbound then is not bound again before it looks idle. */
TEST_F_TIMEOUT(late, engine_that_never_looks_idle_is_a_dead_device, 120)
{
	struct pages *pages = &self->pages;
	struct labyrinth_event event;
	__u64 end = now_ns() + DEAD_NS;

	ASSERT_EQ(0, inject(LATE, -1));
	test_copy_page(pages, 0, 1, 4095, 5);
	test_copy_page(pages, 2, 3, 4095, 6);
	while (!(poll_now(pages->fd) & POLLERR) && now_ns() < end)
		sleep_ms(100);
	expect_dead(_metadata, pages->fd, &pages->buffers[0]);
	test_event(pages->fd, 5, -ETIMEDOUT);
	test_event(pages->fd, 6, -ENODEV);
	EXPECT_ERRNO(ENODEV, read(pages->fd, &event, sizeof(event)));
	ASSERT_EQ(0, device_unbind(pages->address));
	EXPECT_ERRNO(EBUSY, device_bind(pages->address));
	EXPECT_FALSE(device_is_there(pages->address));
	ASSERT_EQ(0, inject(LATE, 0));
	EXPECT_EQ(0, device_bind(pages->address));
	EXPECT_TRUE(wait_until(device_is_there(pages->address)));
}

TEST_F_TIMEOUT(late, unbind_waits_for_it_for_a_while_only, 60)
{
	struct pages *pages = &self->pages;
	__u64 begin;

	ASSERT_EQ(0, inject(LATE, -1));
	test_copy_page(pages, 0, 1, 4095, 5);
	begin = now_ns();
	ASSERT_EQ(0, device_unbind(pages->address));
	EXPECT_GT(2 * SOON_NS, now_ns() - begin);
	test_event(pages->fd, 5, -ENODEV);
	expect_dead(_metadata, pages->fd, &pages->buffers[0]);
	test_sigbus(pages->maps[0]);
}

TEST_F_TIMEOUT(late, machine_does_not_sleep_while_the_engine_looks_busy, 90)
{
	struct pages *pages = &self->pages;

	suspend_require(_metadata);
	ASSERT_EQ(0, inject(LATE, -1));
	test_copy_page(pages, 0, 1, 4095, 5);
	test_copy_page(pages, 2, 3, 4095, 6);
	EXPECT_ERRNO(EBUSY, suspend_and_wake());
	ASSERT_EQ(0, inject(LATE, 0));
	/* Its interrupt has come and gone. */
	test_event(pages->fd, 5, -ETIMEDOUT);
	test_event(pages->fd, 6, 0);
	EXPECT_TRUE(pattern_matches(pages->maps[3], 4095, 2));
	EXPECT_EQ(0, stat_value(pages->fd, quarantined));
}

/* After each of the two devices has been seen idle, so that the machine falls asleep. */
TEST_F_TIMEOUT(late, engine_that_is_busy_after_a_sleep_is_a_dead_device, 120)
{
	struct pages *pages = &self->pages;
	char second[ADDRESS_SIZE];
	int other;

	suspend_require(_metadata);
	other = raw_open(1, O_RDWR);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, device_address(other, second));
	ASSERT_EQ(0, inject_after(LATE, 2, -1));
	EXPECT_EQ(0, suspend_and_wake());
	ASSERT_EQ(0, inject(LATE, 0));
	expect_dead(_metadata, pages->fd, &pages->buffers[0]);
	test_sigbus(pages->maps[0]);
	EXPECT_EQ(POLLERR | POLLHUP, poll_now(other) & (POLLERR | POLLHUP));
	EXPECT_EQ(0, close(other));
	/* Nor does a dead one keep the machine awake. */
	EXPECT_EQ(0, suspend_and_wake());
	device_renew(_metadata, second);
	device_renew(_metadata, pages->address);
}

TEST_HARNESS_MAIN
