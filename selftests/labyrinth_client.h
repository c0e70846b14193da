/* SPDX-License-Identifier: GPL-2.0 */
/* The client inside the kernel, module/labyrinth_client_test.c: to load and command it. */
#ifndef LABYRINTH_CLIENT_H
#define LABYRINTH_CLIENT_H

#include <sys/syscall.h>
#include <sys/utsname.h>

#include "labyrinth_device.h"

#define CLIENT_MODULE	"labyrinth_client_test"
#define CLIENT_CONTROL	"/sys/kernel/debug/" CLIENT_MODULE "/"

static inline int client_load(unsigned int device)
{
	char path[256], parameters[32];
	struct utsname system;
	int fd, result;

	uname(&system);
	snprintf(path, sizeof(path), "/lib/modules/%.64s/extra/" CLIENT_MODULE ".ko",
		 system.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(parameters, sizeof(parameters), "device=%u", device);
	result = (int)syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return result;
}

static inline int client_unload(void)
{
	return (int)syscall(SYS_delete_module, CLIENT_MODULE, O_NONBLOCK);
}

static inline int client_write(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), CLIENT_CONTROL "%s", name);
	return sysfs_write(path, text);
}

static inline int client_take(const char *context, __u64 count)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %llu", context, (unsigned long long)count);
	return client_write("take", text);
}

/* The number in a file of the module, -1 if there is none. */
static inline long long client_value(const char *name)
{
	long long value = -1;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), CLIENT_CONTROL "%s", name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%lld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static inline unsigned int device_number(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) ? ~0U : minor(stat.st_rdev);
}

static inline bool pool_is_full(int fd)
{
	struct labyrinth_stat stat;

	return !raw_stat(fd, &stat) && stat.free >= stat.low && !stat.kernel;
}

/* The first device, at rest, with the module as a client. Skips where that cannot be. */
static inline int open_with_client(struct __test_metadata *_metadata)
{
	int fd = open_quiet(_metadata, 0, O_RDWR);

	client_unload();	/* a test that crashed may have left it */
	ASSERT_TRUE(wait_until(pool_is_full(fd)));
	if (client_load(device_number(fd))) {
		if (errno == ENOENT)
			SKIP(_exit(0), "the module " CLIENT_MODULE " is not installed");
		if (errno == EPERM)
			SKIP(_exit(0), "no right to load modules");
		ASSERT_EQ(0, errno);
	}
	if (access(CLIENT_CONTROL, F_OK)) {
		client_unload();
		SKIP(_exit(0), "debugfs is not mounted");
	}
	return fd;
}

/* The module's pages as it counts them, and the device. All others are accounted for. */
#define test_client(fd, expected_held, expected_failed)			\
({									\
	struct labyrinth_stat _now;					\
									\
	EXPECT_EQ((long long)(expected_held), client_value("held"));	\
	EXPECT_EQ((long long)(expected_failed), client_value("failed"));	\
	EXPECT_EQ(0, client_value("dirty"));				\
	test_stat(fd, &_now);						\
	EXPECT_EQ((__u64)(expected_held), _now.kernel);			\
	EXPECT_EQ(_now.total, stat_sum(&_now));				\
	EXPECT_LE(_now.total, _now.max);				\
})

#endif /* LABYRINTH_CLIENT_H */
