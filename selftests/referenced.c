// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel may hold a reference on a page that was mapped, as KVM does, and have it written
 * to although no page table shows it any more. Such a page gets no other owner.
 */
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "labyrinth_stray.h"
#include "labyrinth_ticket.h"

#define MAX_PAGES	384	/* a small pool is taken as a whole sooner */
#define REMEMBERED	8
#define HELD		3	/* one of those */

FIXTURE(referenced)
{
	int fd;
	struct labyrinth_stat before;
	struct hoard hoard;	/* all pages, the held one too */
};

FIXTURE_SETUP(referenced)
{
	self->fd = open_quiet(_metadata, 0, O_RDWR);
	test_stat(self->fd, &self->before);
	stray_require(_metadata, self->fd);
	ASSERT_TRUE(wait_until(pool_is_full(self->fd)));
	stray_remember(_metadata, self->fd, REMEMBERED);
	if (stray_hold(HELD)) {
		ASSERT_EQ(EOPNOTSUPP, errno);
		stray_unload();
		SKIP(_exit(KSFT_SKIP), "this kernel has no mmu notifiers");
	}
	/* All can be had, and none becomes surplus. */
	ASSERT_EQ(0, set_number(LIMITS "reserve", 0));
	ASSERT_EQ(0, set_number(LIMITS "max", MAX_PAGES));
	ASSERT_EQ(0, set_number(LIMITS "high", MAX_PAGES));
	hoard_fill(_metadata, &self->hoard, 0, self->fd);
	ASSERT_EQ(MAX_PAGES, self->hoard.count);
}

FIXTURE_TEARDOWN(referenced)
{
	hoard_close(&self->hoard);
	EXPECT_EQ(0, stray_unload());
	restore_watermarks(&self->before);
	close(self->fd);
}

/* Everything has been given back, and the pool has all pages but one, or a new one for it. */
static void expect_held_one_is_gone(struct __test_metadata *_metadata, int fd)
{
	unsigned int i;

	ASSERT_TRUE(wait_until(device_is_quiet(fd)));
	EXPECT_LE(MAX_PAGES - 1, stat_value(fd, total));
	for (i = 0; i < REMEMBERED; i++)
		EXPECT_EQ(i != HELD, stray_is_in_pool(i));
}

TEST_F(referenced, page_goes_back_to_the_system_when_it_is_released)
{
	while (self->hoard.count)
		test_hoard_release(&self->hoard, 1);
	expect_held_one_is_gone(_metadata, self->fd);
}

TEST_F(referenced, page_goes_back_to_the_system_when_many_are_released)
{
	while (self->hoard.count)
		test_hoard_release(&self->hoard, 4);
	expect_held_one_is_gone(_metadata, self->fd);
}

TEST_F(referenced, page_goes_back_to_the_system_when_its_file_is_closed)
{
	hoard_close(&self->hoard);
	expect_held_one_is_gone(_metadata, self->fd);
}

/* The index of the only buffer that cannot be given away; all others have been. */
static unsigned int give_all_but_one(struct __test_metadata *_metadata, struct hoard *hoard)
{
	unsigned int i, kept = 0, found = hoard->count;
	int ticket;

	for (i = 0; i < hoard->count; i++) {
		ticket = raw_give(hoard->owners[i], 1, &hoard->buffers[i]);
		if (ticket >= 0) {
			close(ticket);
			continue;
		}
		EXPECT_EQ(EBUSY, errno);
		found = i;
		kept++;
	}
	ASSERT_EQ(1, kept);
	return found;
}

TEST_F(referenced, page_cannot_be_given_away_and_stays_as_it_was)
{
	struct hoard *hoard = &self->hoard;
	unsigned int kept = give_all_but_one(_metadata, hoard);
	unsigned long long revoked;
	char *page;

	page = test_map_buffer(hoard->owners[kept], &hoard->buffers[kept]);
	memset(page, 0x5a, page_size());
	revoked = stat_value(self->fd, revoked);
	test_err_give(EBUSY, hoard->owners[kept], 1, &hoard->buffers[kept]);
	EXPECT_EQ(revoked, stat_value(self->fd, revoked));
	EXPECT_TRUE(all_bytes_are(page, page_size(), 0x5a));
	EXPECT_EQ(1, stat_value(self->fd, owned));
	test_release(hoard->owners[kept], 1, &hoard->buffers[kept]);
	expect_held_one_is_gone(_metadata, self->fd);
}

TEST_F(referenced, page_goes_back_to_the_system_when_a_copy_has_ended)
{
	struct hoard *hoard = &self->hoard;
	unsigned int kept = give_all_but_one(_metadata, hoard);
	int fd = hoard->owners[kept];
	struct labyrinth_buffer target;

	test_acquire(fd, 1, &target);
	test_copy(fd, hoard->buffers[kept].handle, 0, target.handle, 0, page_size(), 1);
	test_release(fd, 1, &hoard->buffers[kept]);
	if (!stat_value(self->fd, quarantined))
		SKIP_REST(return, TOO_SLOW);
	test_release(fd, 1, &target);
	expect_held_one_is_gone(_metadata, self->fd);
}

TEST_HARNESS_MAIN
