/* SPDX-License-Identifier: GPL-2.0 */
/* The client inside the kernel, module/labyrinth_client_test.c: to load and command it. */
#ifndef LABYRINTH_CLIENT_H
#define LABYRINTH_CLIENT_H

#include "labyrinth_module.h"

#define CLIENT_MODULE	"labyrinth_client_test"
#define CLIENT_CONTROL	MODULE_CONTROL CLIENT_MODULE "/"

static inline int client_load(unsigned int device)
{
	char parameters[32];

	snprintf(parameters, sizeof(parameters), "device=%u", device);
	return module_load(CLIENT_MODULE, parameters);
}

static inline int client_unload(void)
{
	return module_unload(CLIENT_MODULE);
}

static inline int client_write(const char *name, const char *text)
{
	return module_write(CLIENT_MODULE, name, text);
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
	return module_value(CLIENT_MODULE, name);
}

static inline void client_require(struct __test_metadata *_metadata, int fd)
{
	char parameters[32];

	snprintf(parameters, sizeof(parameters), "device=%u", device_number(fd));
	module_require(_metadata, CLIENT_MODULE, parameters);
}

/* The first device, at rest, with the module as a client. Skips where that cannot be. */
static inline int open_with_client(struct __test_metadata *_metadata)
{
	int fd = open_quiet(_metadata, 0, O_RDWR);

	client_unload();	/* its pages would keep the pool from being full */
	ASSERT_TRUE(wait_until(pool_is_full(fd)));
	client_require(_metadata, fd);
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
