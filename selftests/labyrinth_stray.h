/* SPDX-License-Identifier: GPL-2.0 */
/* What no driver should do, module/stray_main.c: to have it done. */
#ifndef LABYRINTH_STRAY_H
#define LABYRINTH_STRAY_H

#include "labyrinth_module.h"

#define STRAY_MODULE	"labyrinth_stray_test"

static inline int stray_unload(void)
{
	return module_unload(STRAY_MODULE);
}

/* Has the engine be busy for so long; 0 ends that. */
static inline int stray_hog(unsigned int ms)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ms);
	return module_write(STRAY_MODULE, "hog", text);
}

#define TOO_SLOW	"this machine is too slow to keep the engine busy"

/*
 * Then the driver may have seen the engine idle in between, which proves nothing. The
 * hog itself notices in its next turn, for which it may be late just now; and if it could
 * not take the engine at all, that was its last one.
 */
static inline bool hog_was_late(void)
{
	long long turns = module_value(STRAY_MODULE, "turns");

	return wait_until(module_value(STRAY_MODULE, "late") > 0 ||
			  module_value(STRAY_MODULE, "turns") != turns) &&
	       module_value(STRAY_MODULE, "late") > 0;
}

static inline int stray_store(unsigned int index, unsigned int offset)
{
	char text[32];

	snprintf(text, sizeof(text), "%u %u", index, offset);
	return module_write(STRAY_MODULE, "store", text);
}

static inline int stray_dma(unsigned int index, unsigned int offset, unsigned int length)
{
	char text[48];

	snprintf(text, sizeof(text), "%u %u %u", index, offset, length);
	return module_write(STRAY_MODULE, "dma", text);
}

/* Has a remembered page kept from being freed. */
static inline int stray_hold(unsigned int index)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", index);
	return module_write(STRAY_MODULE, "hold", text);
}

/* Whether the pool still has a remembered page, which must be free: it is written to. */
static inline bool stray_is_in_pool(unsigned int index)
{
	/* Twice inverted, the byte is what it was. */
	return !stray_store(index, 0) && !stray_store(index, 0);
}

/*
 * The module remembers so many free pages. That leaves the low watermark of others, or
 * the refill would make them surplus, which goes back to the system.
 */
static inline void stray_remember(struct __test_metadata *_metadata, int fd,
				  unsigned int count)
{
	struct labyrinth_stat stat;
	char text[16];

	test_stat(fd, &stat);
	ASSERT_LE(stat.low + count, stat.free);
	snprintf(text, sizeof(text), "%u", count);
	ASSERT_EQ(0, module_write(STRAY_MODULE, "free", text));
	ASSERT_TRUE(wait_until(!stat_value(fd, kernel)));
	ASSERT_EQ(stat.total, stat_value(fd, total));
}

/* Skips where the module cannot be had. */
static inline void stray_require(struct __test_metadata *_metadata, int fd)
{
	char parameters[64], address[ADDRESS_SIZE];

	ASSERT_EQ(0, device_address(fd, address));
	snprintf(parameters, sizeof(parameters), "device=%u pci=%s", device_number(fd),
		 address);
	module_require(_metadata, STRAY_MODULE, parameters);
}

/* Lets the device's on-board memory begin with these bytes, by way of a copy. */
static inline void stray_load_device(struct __test_metadata *_metadata, int fd,
				     unsigned char value)
{
	struct labyrinth_buffer pair[2];
	char *page;

	test_acquire(fd, 2, pair);
	page = test_map_buffer(fd, &pair[0]);
	memset(page, value, page_size());
	test_copy(fd, pair[0].handle, 0, pair[1].handle, 0, 4095, 0);
	test_event(fd, 0, 0);
	munmap(page, page_size());
	test_release(fd, 2, pair);
	ASSERT_TRUE(wait_until(device_is_quiet(fd)));
}

/* Unbinds and binds a device: whatever was wrong with it, it begins anew. */
static inline void device_renew(struct __test_metadata *_metadata, const char *address)
{
	char bound[sizeof(DRIVER) + ADDRESS_SIZE];

	/* A device that reports itself dead is bound, and cannot be opened. */
	snprintf(bound, sizeof(bound), DRIVER "%s", address);
	if (!access(bound, F_OK))
		EXPECT_EQ(0, device_unbind(address));
	EXPECT_EQ(0, device_bind(address));
	EXPECT_TRUE(wait_until(device_is_there(address)));
}

#endif /* LABYRINTH_STRAY_H */
