// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * More of what a device that is none refuses: opening, finding it, acquiring, copies that
 * end badly, and events that cannot be had.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "scripted.h"

/* A file of the folder that stands for the system. */
static const char *in_folder(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", getenv("LABYRINTH_FAKE"), name);
	return path;
}

static void create(const char *name)
{
	FILE *file = fopen(in_folder(name), "w");

	if (!file || fclose(file))
		exit(1);
}

static void test_odd_names(void)
{
	static const char *const odd[] = {
		"labyrinth", "labyrinth-1", "labyrinth1x", "labyrinth4294967296", "labyrint0",
	};
	unsigned int numbers[3] = { 99, 99, 99 };
	size_t i;

	script(0, "");
	script(7, "");
	for (i = 0; i < ARRAY_SIZE(odd); i++)
		create(odd[i]);
	unlink(in_folder("labyrinth1"));
	result(labyrinth_devices_list(numbers, 3) == 2 && numbers[0] == 0 && numbers[1] == 7 &&
	       numbers[2] == 99, "only what has a number for its name is a device");
	for (i = 0; i < ARRAY_SIZE(odd); i++)
		unlink(in_folder(odd[i]));
	unlink(in_folder("labyrinth7"));
}

/* So many that no folder lists them from the last to the first by chance. */
static void test_short_list(void)
{
	unsigned int numbers[3] = { 99, 99, 99 }, i;
	char name[32];

	for (i = 0; i < 12; i++)
		script(i, "");
	result(labyrinth_devices_list(numbers, 2) == 12 && numbers[0] == 0 && numbers[1] == 1 &&
	       numbers[2] == 99, "a list with room for two has the first two");
	result(labyrinth_devices_list(NULL, 0) == 12, "without a list they are counted");
	result(said(!labyrinth_device_open_only(), ENOTUNIQ, "are 12 labyrinth devices") &&
	       strstr(labyrinth_strerror(), "/dev/labyrinth7, ..."),
	       "of very many the first eight are named");
	for (i = 1; i < 12; i++) {
		snprintf(name, sizeof(name), "labyrinth%u", i);
		unlink(in_folder(name));
	}
}

static void test_open_only(void)
{
	char *const folder = strdup(getenv("LABYRINTH_FAKE"));
	struct labyrinth_device *dev;

	script(0, "");
	dev = labyrinth_device_open_only();
	result(dev && !strcmp(labyrinth_device_path(dev), "/dev/labyrinth0"),
	       "of one device it is the only one");
	labyrinth_device_close(dev);
	unlink(in_folder("labyrinth0"));
	create("module");
	result(said(!labyrinth_device_open_only(), ENODEV, "the module is loaded, but"),
	       "with a module and no device ENODEV says so");
	result(said(!labyrinth_device_open_number(6), ENODEV, "drives no such device"),
	       "also when a device is named");
	unlink(in_folder("module"));
	setenv("LABYRINTH_FAKE", "/nonexistent", 1);
	result(said(!labyrinth_device_open_only(), ENOENT, "cannot list /dev"),
	       "a folder of devices that cannot be read is told");
	setenv("LABYRINTH_FAKE", folder, 1);
	free(folder);
	script(4000001, "fail-open 13\n");
	result(said(!labyrinth_device_open_number(4000001), EACCES,
		    "cannot open /dev/labyrinth4000001"),
	       "without permission, and nobody to tell who may, it is EACCES and names the device");
	unlink(in_folder("labyrinth4000001"));
}

static void test_sizes(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_info info;
	struct labyrinth_stat stat;

	result(said(labyrinth_device_info(dev, &info, sizeof(info) - 1) < 0, EINVAL,
		    "too few for the info"), "a struct too small for the info is EINVAL");
	result(said(labyrinth_device_stat(dev, &stat, sizeof(stat) - 1) < 0, EINVAL,
		    "too few for the stat"), "one too small for statistics too");
	result(!labyrinth_device_info(dev, &info, sizeof(info)) && info.copy_depth == 8,
	       "info comes as it is");
	labyrinth_device_close(dev);
}

static const struct {
	const char *lines;
	unsigned int count, order, flags;
	int error;
	const char *words, *name;
} requests[] = {
	{ "", 200, 0, 0, EINVAL, "1 to 128 buffers, not 200",
	  "acquire: more than a call can is EINVAL, also with room for so many" },
	{ "", 2, 1, 0, EINVAL, "0 to 0 on this device, not 1",
	  "acquire: an order too high is EINVAL, and names the highest" },
	{ "", 17, 0, 0, EINVAL, "waits for at most 16 pages, not 17",
	  "acquire: too many to wait for is EINVAL, and names the limit" },
	{ "fail-acquire 22\n", 17, 0, LABYRINTH_ACQUIRE_NOWAIT, EINVAL, "acquire 17 buffers is not",
	  "acquire: which is not the matter without waiting" },
	{ "fail-acquire 22\n", 2, 0, 0, EINVAL, "acquire 2 buffers is not valid",
	  "acquire: EINVAL for no known reason says that the request is not valid" },
	{ "fail-acquire 122\ncharged 511\n", 2, 0, 0, EDQUOT, "has 511 pages, wants 2 more",
	  "acquire: EDQUOT tells what the file has" },
	{ "fail-acquire 12\nmax 1\n", 2, 0, 0, ENOMEM, "the pool holds at most 1,",
	  "acquire: ENOMEM for more than the pool holds says so" },
	{ "fail-acquire 12\n", 2, 1, 0, ENOMEM, "buffers of 2 pages in one piece, 4 pages",
	  "acquire: ENOMEM for a higher order speaks of fragments" },
	{ "fail-acquire 11\nfree 0\nowned 500\n", 2, 0, 0, EAGAIN,
	  "no page is free: of 512, 500 owned by open files",
	  "acquire: EAGAIN without a free page says so" },
	{ "fail-acquire 11\nfree 0\n", 2, 0, 0, EAGAIN, "of 512, none yet",
	  "acquire: EAGAIN in a pool that is empty says so" },
	{ "fail-acquire 11\nfail-info 5\n", 2, 0, 0, EAGAIN, "acquiring on /dev/labyrinth0",
	  "acquire: without figures the call is named" },
};

static void test_acquire(void)
{
	struct labyrinth_device *dev = open_scripted("pages 512\n");
	struct labyrinth_acquire_options options = { .size = sizeof(options) };
	struct labyrinth_buf *bufs[200];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		script(0, requests[i].lines);
		options.order = requests[i].order;
		options.flags = requests[i].flags;
		result(said(labyrinth_bufs_acquire(dev, requests[i].count, &options, bufs) < 0,
			    requests[i].error, requests[i].words), requests[i].name);
	}
	options.size--;
	result(said(labyrinth_bufs_acquire(dev, 1, &options, bufs) < 0, EINVAL,
		    "size must be"), "acquire: shorter options are EINVAL");
	options.size++;
	options.reserved = 1;
	result(said(labyrinth_bufs_acquire(dev, 1, &options, bufs) < 0, EINVAL,
		    "reserved 0"), "acquire: so is something where nothing must be");
	result(!owned(dev), "acquire: after all of these nothing is owned");
	labyrinth_device_close(dev);
}

static const struct {
	int error;
	const char *words, *name;
} ends[] = {
	{ ECANCELED, "one of its buffers was released",
	  "copy: ECANCELED is about a buffer that was released" },
	{ ETIMEDOUT, "/dev/labyrinth0 did not finish",
	  "copy: ETIMEDOUT is about a device that does not finish" },
	{ ENODEV, "is gone", "copy: ENODEV is about a device that goes meanwhile" },
};

static void test_copy(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_event event = { 0 };
	struct labyrinth_buf *bufs[2];
	char line[64];
	size_t i;

	acquire(dev, bufs, 2);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(line, sizeof(line), "event-result %d\n", ends[i].error);
		script(0, line);
		result(said(labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) < 0, ends[i].error,
			    ends[i].words), ends[i].name);
	}
	result(!labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 9) &&
	       labyrinth_events_read(dev, &event, 1) == 1 && event.result == -ENODEV &&
	       event.user_data == 9, "copy: one that was started tells it in its event");
	labyrinth_device_close(dev);
}

static void test_abandoned(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_event event;
	struct labyrinth_buf *bufs[2];
	int i, interrupted = 0;

	acquire(dev, bufs, 2);
	refuse("poll", EINTR);
	result(said(labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) < 0, EINTR,
		    "waiting for events: interrupted"), "copy: one whose wait fails says why");
	script(0, "");
	result(!labyrinth_events_wait(dev, 50) && !labyrinth_events_read(dev, &event, 1),
	       "copy: its event is nobody's");
	refuse("read", EINTR);
	for (i = 0; i < 8; i++)
		interrupted += said(labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) < 0, EINTR,
				    "reading events: interrupted");
	script(0, "");
	result(interrupted == 8 && !labyrinth_copy(bufs[1], 0, bufs[0], 0, 64),
	       "copy: its place is free again, when no other is");
	labyrinth_device_close(dev);
}

static void test_no_events(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_event events[2];
	struct labyrinth_buf *bufs[2];

	acquire(dev, bufs, 2);
	refuse("poll", EINTR);
	result(said(labyrinth_events_wait(dev, -1) < 0, EINTR, "waiting for events: interrupted"),
	       "a wait for events that fails says why");
	script(0, "");
	if (labyrinth_copy_start(bufs[1], 0, bufs[0], 0, 64, 5))
		exit(1);
	refuse("read", ENODEV);
	result(said(labyrinth_events_read(dev, events, 2) < 0, ENODEV, "is gone"),
	       "reading events that fails says why");
	script(0, "");
	result(labyrinth_events_wait(dev, 1000) == 1, "and no event is lost");
	refuse("poll", ENODEV);
	result(labyrinth_events_read(dev, events, UINT_MAX) == 1 && events[0].user_data == 5,
	       "an event that is kept comes also when the device is gone");
	result(labyrinth_events_read(dev, events, 2) < 0 && errno == ENODEV,
	       "after it that is told");
	labyrinth_device_close(dev);
}

/* Past the library: events that it knows nothing about, one with a number of its own. */
static void test_foreign_events(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_copy copy = { .size = sizeof(copy), .length = 64 };
	struct labyrinth_event event;
	struct labyrinth_buf *bufs[2];
	int i, submitted = 0;

	acquire(dev, bufs, 2);
	copy.src_handle = labyrinth_buf_handle(bufs[0]);
	copy.dst_handle = labyrinth_buf_handle(bufs[1]);
	for (i = 0; i < 2; i++) {
		copy.user_data = i ? 3 : UINT64_MAX;
		submitted += !ioctl(labyrinth_device_fd(dev), LABYRINTH_COPY, &copy);
	}
	result(submitted == 2 && !labyrinth_events_read(dev, &event, 1) &&
	       !labyrinth_events_pending(dev),
	       "events of copies that the library did not submit are left out");
	labyrinth_device_close(dev);
}

void test_refused(void)
{
	test_odd_names();
	test_short_list();
	test_open_only();
	test_sizes();
	test_acquire();
	test_copy();
	test_abandoned();
	test_no_events();
	test_foreign_events();
}
