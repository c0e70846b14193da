// SPDX-License-Identifier: GPL-2.0
/* Sentinel mode can be switched on and off at any time, and no owner sees anything of it. */
#include "labyrinth_peer.h"
#include "labyrinth_sentinel.h"

#define BATCH		64	/* pages in one call, at most */

#define PEERS		3

#define LEAST_TURNS	100	/* of switching it on or off */

FIXTURE(sentinel_switch)
{
	int fd;
	struct labyrinth_info info;
};

FIXTURE_SETUP(sentinel_switch)
{
	self->fd = open_with_sentinel(_metadata, "0");
	test_info(self->fd, &self->info);
}

FIXTURE_TEARDOWN(sentinel_switch)
{
	sentinel_write(self->fd, "0");
	EXPECT_EQ(0, stat_value(self->fd, poisoned));
	set_number(LIMITS "max", self->info.max_pages);
	close(self->fd);
	client_unload();
}

TEST_F(sentinel_switch, takes_0_and_1_and_nothing_else)
{
	char path[64], now[8] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/labyrinth/labyrinth%u/sentinel",
		 device_number(self->fd));
	EXPECT_EQ(0, sentinel_write(self->fd, "1"));
	EXPECT_ERRNO(EINVAL, sentinel_write(self->fd, "2"));
	EXPECT_ERRNO(EINVAL, sentinel_write(self->fd, "-1"));
	EXPECT_ERRNO(EINVAL, sentinel_write(self->fd, "10"));
	EXPECT_ERRNO(EINVAL, sentinel_write(self->fd, "pattern"));
	file = fopen(path, "r");
	ASSERT_NE(NULL, file);
	EXPECT_NE(NULL, fgets(now, sizeof(now), file));
	EXPECT_STREQ("1\n", now);
	fclose(file);
	EXPECT_EQ(0, sentinel_write(self->fd, "0\n"));
}

TEST_F(sentinel_switch, pages_read_as_zero_whatever_the_mode_was_when_they_became_free)
{
	static const char * const modes[] = { "0", "1", "1", "0" };
	struct labyrinth_buffer buffers[BATCH];
	unsigned int i, j;

	client_require(_metadata, self->fd);
	for (i = 0; i < ARRAY_COUNT(modes); i++) {
		ASSERT_EQ(0, sentinel_write(self->fd, modes[i]));
		test_acquire(self->fd, BATCH, buffers);
		for (j = 0; j < BATCH; j++) {
			char *page = test_map_buffer(self->fd, &buffers[j]);

			ASSERT_TRUE(all_bytes_are(page, page_size(), 0));
			memset(page, 0xee, page_size());
			munmap(page, page_size());
		}
		test_release(self->fd, BATCH, buffers);
		look_at_all(_metadata, self->fd);
	}
}

TEST_F(sentinel_switch, pages_that_a_cpu_has_at_hand_read_as_zero_once_it_is_off)
{
	struct labyrinth_buffer buffers[AT_HAND];
	cpu_set_t before;
	unsigned int i;

	ASSERT_EQ(0, sentinel_write(self->fd, "1"));
	have_some_at_hand(_metadata, self->fd, &before);
	ASSERT_EQ(0, sentinel_write(self->fd, "0"));
	for (i = 0; i < AT_HAND; i++) {
		char *page;

		test_acquire(self->fd, 1, &buffers[i]);
		page = test_map_buffer(self->fd, &buffers[i]);
		EXPECT_TRUE(all_bytes_are(page, page_size(), 0));
		munmap(page, page_size());
	}
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(before), &before));
}

/* Until killed; leaves the loop if a page is not zero. */
static void use_pages(unsigned int count)
{
	struct labyrinth_buffer buffers[BATCH];
	int fd = raw_open(0, O_RDWR);
	unsigned int i;

	for (;;) {
		if (raw_acquire(fd, 0, count, buffers) < 0)
			return;
		for (i = 0; i < count; i++) {
			char *page = raw_map(fd, PROT_READ | PROT_WRITE, page_size(),
					     buffers[i].offset);

			if (page == MAP_FAILED || !all_bytes_are(page, page_size(), 0))
				return;
			memset(page, 0xd1, page_size());
			munmap(page, page_size());
		}
		if (raw_release(fd, 0, count, buffers))
			return;
	}
}

TEST_F_TIMEOUT(sentinel_switch, switching_to_and_fro_under_load_never_shows_a_pattern, 240)
{
	__u64 end = now_ns() + 2 * SOON_NS;
	struct peer peers[PEERS];
	struct labyrinth_stat stat;
	unsigned int i, turns = 0;

	for (i = 0; i < PEERS; i++) {
		ASSERT_LE(0, peer_fork(&peers[i]));
		if (!peers[i].pid) {
			use_pages(1 + 20 * i);
			_exit(1);
		}
	}
	while (now_ns() < end || turns < LEAST_TURNS) {
		ASSERT_EQ(0, sentinel_write(self->fd, turns++ % 2 ? "0" : "1"));
		test_stat(self->fd, &stat);
		ASSERT_EQ(stat.total, stat_sum(&stat));
		ASSERT_EQ(0, stat.poisoned);
		sleep_ms(turns % 16);
	}
	/* Those that found something are not there to be killed. */
	for (i = 0; i < PEERS; i++)
		test_peer_kill(&peers[i]);
}

TEST_HARNESS_MAIN
