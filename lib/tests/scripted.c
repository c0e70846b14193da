// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What each function of the library answers when the kernel refuses a call, on a device
 * that is none; see fake-system.c. Needs no device.
 * usage: LABYRINTH_FAKE=FOLDER LD_PRELOAD=fake.so scripted
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scripted.h"

static unsigned int tests, failures;

void result(int passed, const char *name)
{
	printf("%sok %u - %s\n", passed ? "" : "not ", ++tests, name);
	if (!passed) {
		printf("# errno %d, text: %s\n", errno, labyrinth_strerror());
		failures++;
	}
}

void script(unsigned int number, const char *lines)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/labyrinth%u", getenv("LABYRINTH_FAKE"), number);
	file = fopen(path, "w");
	if (!file || fputs(lines, file) < 0 || fclose(file))
		exit(1);
}

void refuse(const char *call, int error)
{
	char line[64];

	snprintf(line, sizeof(line), "fail-%s %d\n", call, error);
	script(0, line);
}

struct labyrinth_device *open_scripted(const char *lines)
{
	struct labyrinth_device *dev;

	script(0, lines);
	dev = labyrinth_device_open_number(0);
	if (!dev)
		exit(1);
	return dev;
}

struct labyrinth_device *open_device(void)
{
	return open_scripted("");
}

void acquire(struct labyrinth_device *dev, struct labyrinth_buf **bufs, unsigned int count)
{
	const struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_NOWAIT,
	};

	if (labyrinth_bufs_acquire(dev, count, &options, bufs) != (int)count)
		exit(1);
}

unsigned int owned(struct labyrinth_device *dev)
{
	struct labyrinth_stat stat;

	if (labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0)
		exit(1);
	return stat.owned;
}

int said(int failed, int error, const char *words)
{
	return failed && errno == error && strstr(labyrinth_strerror(), words);
}

static void test_open(void)
{
	struct labyrinth_device *dev;

	refuse("open", EMFILE);
	dev = labyrinth_device_open_number(0);
	result(said(!dev, EMFILE, "cannot open /dev/labyrinth0"), "an open that fails says why");
	refuse("info", ENOTTY);
	dev = labyrinth_device_open_number(0);
	result(said(!dev, ENOTTY, "is not a labyrinth device"),
	       "a file without INFO is not a labyrinth device");
	script(0, "");
	script(1, "");
	dev = labyrinth_device_open_only();
	result(said(!dev, ENOTUNIQ, "/dev/labyrinth0, /dev/labyrinth1"),
	       "of two devices none is the only one, and the text names both");
}

static void test_list(void)
{
	unsigned int numbers[1] = { 99 };

	script(1, "");
	result(labyrinth_devices_list(numbers, 1) == 2 && numbers[0] == 0,
	       "the list says how many there are, also where there is room for fewer");
}

static const struct {
	int error;
	const char *words, *name;
} acquisitions[] = {
	{ EAGAIN, "cannot be had now", "acquire: EAGAIN tells who has the pages" },
	{ ETIMEDOUT, "cannot be had now", "acquire: so does ETIMEDOUT" },
	{ EDQUOT, "over the quota", "acquire: EDQUOT names the quota" },
	{ ENOBUFS, "RLIMIT_MEMLOCK", "acquire: ENOBUFS names the limit" },
	{ ENOMEM, "no memory", "acquire: ENOMEM speaks of memory" },
	{ EINTR, "interrupted", "acquire: EINTR speaks of the signal" },
	{ EPERM, "after fork()", "acquire: EPERM says what to do after fork()" },
	{ ENODEV, "is gone", "acquire: ENODEV says that the device is gone" },
	{ EOPNOTSUPP, "load a newer one", "acquire: EOPNOTSUPP is about an old module" },
};

static void test_acquire_options(struct labyrinth_device *dev)
{
	struct labyrinth_acquire_options options = {
		.size = sizeof(options),
		.flags = LABYRINTH_ACQUIRE_POPULATE,
	};
	struct labyrinth_buf *buf;

	result(said(labyrinth_bufs_acquire(dev, 1, &options, &buf) < 0, EOPNOTSUPP, "flags 0x4"),
	       "acquire: a flag that is not the library's is EOPNOTSUPP, and named");
	options.size++;
	result(said(labyrinth_bufs_acquire(dev, 1, &options, &buf) < 0, E2BIG, "newer"),
	       "acquire: longer options are E2BIG");
}

static void test_acquire(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *bufs[2];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(acquisitions); i++) {
		refuse("acquire", acquisitions[i].error);
		result(said(labyrinth_bufs_acquire(dev, 2, NULL, bufs) < 0,
			    acquisitions[i].error, acquisitions[i].words),
		       acquisitions[i].name);
	}
	script(0, "");
	result(said(labyrinth_bufs_acquire(dev, 17, NULL, bufs) < 0, EINVAL, "1 to 16 buffers"),
	       "acquire: too many at once is EINVAL, and names the limit");
	test_acquire_options(dev);
	result(labyrinth_bufs_acquire(dev, 2, NULL, bufs) == 2,
	       "acquire: after all of these it works as before");
	labyrinth_device_close(dev);
}

static void test_release(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *bufs[3] = { NULL };

	acquire(dev, bufs, 3);
	memcpy(labyrinth_buf_data(bufs[0]), "kept", sizeof("kept"));
	refuse("release", ENODEV);
	result(said(labyrinth_buf_release(bufs[0]) < 0, ENODEV, "is gone"),
	       "a release that fails says why");
	result(!strcmp(labyrinth_buf_data(bufs[0]), "kept") && labyrinth_buf_handle(bufs[0]),
	       "and the buffer is as it was");
	result(labyrinth_bufs_release(bufs, 3) < 0 && bufs[0] && bufs[1] && bufs[2],
	       "of several none is lost from the array");
	script(0, "");
	result(!labyrinth_bufs_release(bufs, 3) && !bufs[0] && !bufs[1] && !bufs[2],
	       "what is released then is no longer in it");
	labyrinth_device_close(dev);
}

static const struct {
	int error;
	const char *words, *name;
} copies[] = {
	{ EAGAIN, "all 8 places", "copy: EAGAIN tells how many places there are" },
	{ EINVAL, "cannot copy 64 bytes", "copy: EINVAL names the range" },
	{ EACCES, "copying", "copy: EACCES names the call" },
	{ ENODEV, "is gone", "copy: ENODEV says that the device is gone" },
	{ ENOENT, "not owned", "copy: ENOENT is about a buffer that is not owned" },
};

static void test_copy(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *bufs[2];
	size_t i;

	acquire(dev, bufs, 2);
	/* More often than there are places, none of which must be lost. */
	refuse("copy", EINVAL);
	for (i = 0; i < 9; i++)
		labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 1);
	for (i = 0; i < ARRAY_SIZE(copies); i++) {
		refuse("copy", copies[i].error);
		result(said(labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 1) < 0 &&
			    !labyrinth_events_pending(dev), copies[i].error, copies[i].words),
		       copies[i].name);
	}
	script(0, "");
	memcpy(labyrinth_buf_data(bufs[0]), "copied", sizeof("copied"));
	result(!labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) &&
	       !strcmp(labyrinth_buf_data(bufs[1]), "copied"),
	       "copy: after all of these it works as before");
	labyrinth_device_close(dev);
}

static void test_events(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_event events[9];
	struct labyrinth_buf *bufs[2];
	uint64_t i;

	acquire(dev, bufs, 2);
	result(!labyrinth_events_wait(dev, 0) && !labyrinth_events_read(dev, events, 9),
	       "events: none before a copy");
	for (i = 0; i < 7; i++)
		if (labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 100 + i))
			exit(1);
	result(!labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) && labyrinth_events_pending(dev) == 7,
	       "events of other copies are kept while labyrinth_copy() waits for its own");
	if (labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 107))
		exit(1);
	result(said(labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 108) < 0, EAGAIN,
		    "read events"),
	       "a copy more than there are places is EAGAIN, also while events are kept");
	result(labyrinth_events_wait(dev, -1) == 1, "a wait ends at once where events are kept");
	result(labyrinth_events_read(dev, events, 3) == 3 && events[0].user_data == 100 &&
	       events[2].user_data == 102, "events come in the order of their copies");
	result(labyrinth_events_read(dev, events, 9) == 5 && events[0].user_data == 103 &&
	       events[4].user_data == 107, "those kept before those in the kernel");
	result(!labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 108) &&
	       labyrinth_events_read(dev, events, 9) == 1, "their places are free again");
	labyrinth_device_close(dev);
}

static void test_apart(unsigned int number, const char *copying, const char *giving,
		       const char *name)
{
	struct labyrinth_device *devs[2];
	struct labyrinth_buf *bufs[2];

	script(number, "");
	devs[0] = open_device();
	devs[1] = labyrinth_device_open_number(number);
	if (!devs[1])
		exit(1);
	bufs[0] = labyrinth_buf_acquire(devs[0]);
	bufs[1] = labyrinth_buf_acquire(devs[1]);
	if (!bufs[0] || !bufs[1])
		exit(1);
	result(said(labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) < 0, EXDEV, copying) &&
	       said(labyrinth_bufs_give(bufs, 2) < 0, EXDEV, giving), name);
	labyrinth_device_close(devs[1]);
	labyrinth_device_close(devs[0]);
}

static void test_two_devices(void)
{
	test_apart(1, "copy between buffers of /dev/labyrinth0 and /dev/labyrinth1",
		   "into one ticket buffers of /dev/labyrinth0 and /dev/labyrinth1",
		   "what takes buffers of one device is EXDEV with two, and names both");
	test_apart(0, "copy between buffers of two opens of /dev/labyrinth0",
		   "into one ticket buffers of two opens of /dev/labyrinth0",
		   "with two opens of a device too, and says that they are two");
}

static void test_stat(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_stat stat;

	script(0, "free 12345678901\n");
	result(!labyrinth_device_stat(dev, &stat, sizeof(stat)) && stat.free == 12345678901ULL,
	       "statistics come as they are");
	refuse("stat", ENODEV);
	result(said(labyrinth_device_stat(dev, &stat, sizeof(stat)) < 0, ENODEV, "is gone"),
	       "or say why not");
	labyrinth_device_close(dev);
}

int main(void)
{
	printf("TAP version 13\n");
	test_open();
	test_list();
	test_acquire();
	test_release();
	test_copy();
	test_events();
	test_two_devices();
	test_stat();
	test_tickets();
	test_unmapped();
	test_refused();
	test_memory();
	printf("1..%u\n", tests);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:0 error:0\n", tests - failures,
	       failures);
	return failures ? 1 : 0;
}
