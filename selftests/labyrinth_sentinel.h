/* SPDX-License-Identifier: GPL-2.0 */
/* The mode in which free pages hold a pattern: to switch it, and to have them looked at. */
#ifndef LABYRINTH_SENTINEL_H
#define LABYRINTH_SENTINEL_H

#include "labyrinth_client.h"
#include "labyrinth_limits.h"
#include "labyrinth_pool.h"
#include "labyrinth_stray.h"

/* A small pool is looked through sooner. It still has to grow for that. */
#define SENTINEL_MAX_PAGES	384

static inline int sentinel_write(int fd, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/labyrinth/labyrinth%u/sentinel",
		 device_number(fd));
	return sysfs_write(path, text);
}

/* The first device, in sentinel mode or not. Skips where there is no such mode. */
static inline int open_with_sentinel(struct __test_metadata *_metadata, const char *mode)
{
	struct labyrinth_info info;
	int fd = open_quiet(_metadata, 0, O_RDWR);

	test_info(fd, &info);
	if (!(info.capabilities & LABYRINTH_CAP_SENTINEL))
		SKIP(_exit(KSFT_SKIP), "no sentinel mode in this driver");
	client_unload();
	stray_unload();
	ASSERT_TRUE(wait_until(pool_is_full(fd)));
	ASSERT_EQ(0, sentinel_write(fd, mode));
	ASSERT_EQ(0, stat_value(fd, poisoned));
	ASSERT_EQ(0, set_number(LIMITS "max", SENTINEL_MAX_PAGES));
	return fd;
}

/* Has every free page handed out, the reserve too; what the refill adds, as well. */
static inline void look_at_all(struct __test_metadata *_metadata, int fd)
{
	struct labyrinth_stat stat;

	do {
		test_stat(fd, &stat);
		ASSERT_EQ(0, client_take("process", stat.max - stat.kernel));
	} while (stat_value(fd, free));
	EXPECT_EQ(0, client_value("dirty"));
	ASSERT_EQ(0, client_write("free", "process"));
	ASSERT_TRUE(wait_until(device_is_quiet(fd)));
}

#endif /* LABYRINTH_SENTINEL_H */
