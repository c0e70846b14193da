// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A device that is none, and that cannot be mapped: whole, or some of its buffers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripted.h"

#define NO_ARENA	"fail-arena 12\ncapabilities 31\n"

static int is_mapped(void *data)
{
	return !msync(data, getpagesize(), MS_ASYNC);
}

static void test_refused_arena(void)
{
	struct labyrinth_device *dev;
	int before = dup(0), after;

	close(before);
	refuse("arena", EACCES);
	dev = labyrinth_device_open_number(0);
	result(said(!dev, EACCES, "cannot open /dev/labyrinth0"),
	       "open: an arena that may not be mapped is EACCES, and named");
	after = dup(0);
	close(after);
	result(before == after, "open: and no descriptor is left behind");
	script(0, NO_ARENA);
	errno = EXDEV;
	dev = labyrinth_device_open_number(0);
	result(dev && errno == EXDEV,
	       "open: without address space for the arena it works, and errno is as it was");
	labyrinth_device_close(dev);
}

static void test_one_by_one(void)
{
	struct labyrinth_device *dev = open_scripted(NO_ARENA);
	struct labyrinth_buf *bufs[3];
	void *data[3];
	int i;

	acquire(dev, bufs, 3);
	for (i = 0; i < 3; i++)
		data[i] = labyrinth_buf_data(bufs[i]);
	memset(data[0], 'L', labyrinth_buf_size(bufs[0]));
	result(!labyrinth_copy(bufs[1], 0, bufs[0], 0, 64) && !memcmp(data[1], data[0], 64) &&
	       !*(char *)data[2], "without an arena each buffer shows its own page");
	result(!labyrinth_buf_release(bufs[0]) && !is_mapped(data[0]) && is_mapped(data[1]),
	       "and goes from memory when it is released");
	refuse("release", EINTR);
	result(said(labyrinth_buf_release(bufs[1]) < 0, EINTR, "releasing: interrupted") &&
	       is_mapped(data[1]), "unless that fails");
	labyrinth_device_close(dev);
	result(!is_mapped(data[1]) && !is_mapped(data[2]), "or when the device is closed");
}

static void test_given(void)
{
	struct labyrinth_device *dev = open_scripted(NO_ARENA);
	struct labyrinth_buf *buf = labyrinth_buf_acquire(dev);
	void *data = labyrinth_buf_data(buf);
	int ticket;

	memcpy(data, "given", sizeof("given"));
	ticket = labyrinth_bufs_give(&buf, 1);
	result(ticket >= 0 && !is_mapped(data), "and when it is given");
	script(0, NO_ARENA "unmappable 0\n");
	result(said(labyrinth_bufs_take(dev, ticket, &buf, 1) < 0, ENOMEM,
		    "cannot map a buffer") && !owned(dev),
	       "what is taken and cannot be mapped is ENOMEM, and released");
	close(ticket);
	labyrinth_device_close(dev);
}

/* The third page cannot be mapped, after two that could. */
static void test_unmappable(void)
{
	struct labyrinth_device *dev = open_scripted(NO_ARENA "unmappable 16384\n");
	struct labyrinth_buf *bufs[4];

	result(said(labyrinth_bufs_acquire(dev, 4, NULL, bufs) < 0, ENOMEM,
		    "cannot map a buffer of /dev/labyrinth0: Cannot allocate memory"),
	       "acquire: a buffer that cannot be mapped is ENOMEM");
	result(!owned(dev), "acquire: then none is owned");
	result(!is_mapped(labyrinth_buf_data(bufs[0])) &&
	       !is_mapped(labyrinth_buf_data(bufs[1])), "acquire: nor remains mapped");
	script(0, NO_ARENA);
	acquire(dev, bufs, 4);
	result(is_mapped(labyrinth_buf_data(bufs[3])), "acquire: and it works as before");
	labyrinth_device_close(dev);
}

/* The child has its own memory at these addresses; the mapping stands for that here. */
static void test_fork(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *buf = labyrinth_buf_acquire(dev);
	void *data = labyrinth_buf_data(buf);
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		labyrinth_device_close(dev);
		exit(!is_mapped(data));
	}
	result(child > 0 && waitpid(child, &status, 0) == child && !status && is_mapped(data),
	       "a child of fork() that closes the device leaves its own memory alone");
	labyrinth_device_close(dev);
	result(!is_mapped(data), "who opened it does not");
}

void test_unmapped(void)
{
	test_refused_arena();
	test_one_by_one();
	test_given();
	test_unmappable();
	test_fork();
}
