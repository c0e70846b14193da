// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Tickets of a device that is none: what is said when the kernel refuses one, and that
 * no buffer is lost then.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scripted.h"

#define TICKETS		"capabilities 31\n"	/* all that this device can have */
#define MANY		100	/* more than the library has room for on its stack */

static void test_old_module(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *buf = labyrinth_buf_acquire(dev);

	result(said(buf && labyrinth_bufs_give(&buf, 1) < 0, ENOTTY, "no tickets") && buf,
	       "giving without tickets in the module is ENOTTY, and the buffer stays");
	result(said(labyrinth_bufs_take(dev, 0, &buf, 1) < 0, ENOTTY, "no tickets"),
	       "so is taking");
	result(said(labyrinth_ticket_count(dev, 0) < 0, ENOTTY, "no tickets"),
	       "and counting what is in one");
	labyrinth_device_close(dev);
}

static const struct {
	int error;
	const char *words, *name;
} gifts[] = {
	{ EBUSY, "copies from or to", "give: EBUSY is about a copy that has not ended" },
	{ EINVAL, "holds 1 to 16", "give: EINVAL says what a ticket holds" },
	{ EMFILE, "no file descriptor", "give: EMFILE is about descriptors" },
	{ ENFILE, "no file descriptor", "give: so is ENFILE" },
	{ ENOENT, "giving: a buffer is not owned", "give: ENOENT is about what is not owned" },
	{ ENODEV, "is gone", "give: ENODEV says that the device is gone" },
};

static void test_give(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *bufs[2];
	size_t i;

	acquire(dev, bufs, 2);
	memcpy(labyrinth_buf_data(bufs[1]), "kept", sizeof("kept"));
	for (i = 0; i < ARRAY_SIZE(gifts); i++) {
		refuse("give", gifts[i].error);
		result(said(labyrinth_bufs_give(bufs, 2) < 0, gifts[i].error, gifts[i].words),
		       gifts[i].name);
	}
	result(bufs[0] && bufs[1] && !strcmp(labyrinth_buf_data(bufs[1]), "kept"),
	       "give: after all of these the buffers are as before");
	script(0, "");
	result(!labyrinth_bufs_release(bufs, 2) && !owned(dev), "give: and can be released");
	labyrinth_device_close(dev);
}

static const struct {
	int error;
	const char *lines, *words, *name;
} takings[] = {
	{ EXDEV, "", "another device than /dev/labyrinth0",
	  "take: EXDEV is about a ticket of another device" },
	{ EBUSY, "", "somebody else is taking", "take: EBUSY is about somebody who takes too" },
	{ ENOBUFS, "", "RLIMIT_MEMLOCK", "take: ENOBUFS names the limit" },
	{ EDQUOT, "charged 63\n", "it has 63, and an open file may have 64",
	  "take: EDQUOT tells the quota, and what counts for it" },
	{ EDQUOT, "fail-stat 5\n", "taking on /dev/labyrinth0",
	  "take: EDQUOT names the call, where the quota cannot be told" },
	{ EFAULT, "", "taking on /dev/labyrinth0", "take: EFAULT names the call" },
	{ EPERM, "", "after fork()", "take: EPERM says what to do after fork()" },
};

static void test_take(void)
{
	struct labyrinth_device *dev = open_device();
	struct labyrinth_buf *bufs[2];
	char lines[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(takings); i++) {
		snprintf(lines, sizeof(lines), "fail-take %d\n%s", takings[i].error,
			 takings[i].lines);
		script(0, lines);
		result(said(labyrinth_bufs_take(dev, 5, bufs, 2) < 0, takings[i].error,
			    takings[i].words), takings[i].name);
	}
	result(said(labyrinth_ticket_count(dev, 5) < 0, EPERM, "after fork()"),
	       "a count that fails says why");
	labyrinth_device_close(dev);
}

static void test_passing(void)
{
	struct labyrinth_device *dev = open_scripted(TICKETS);
	struct labyrinth_buf *bufs[3], *back[3] = { NULL };
	int ticket;

	acquire(dev, bufs, 3);
	memcpy(labyrinth_buf_data(bufs[2]), "third", sizeof("third"));
	ticket = labyrinth_bufs_give(bufs, 3);
	result(ticket >= 0 && !bufs[0] && !bufs[1] && !bufs[2] && !owned(dev),
	       "what is given is no longer in the array, nor owned");
	errno = EXDEV;
	result(labyrinth_ticket_count(dev, ticket) == 3 && errno == EXDEV,
	       "a ticket tells how many it holds, and errno is as it was");
	result(said(labyrinth_bufs_take(dev, ticket, back, 2) < 0, ENOSPC,
		    "holds 3 buffers, but there is room for 2"),
	       "a list too short for a ticket is ENOSPC, and both numbers are told");
	result(said(labyrinth_bufs_take(dev, 0, back, 3) < 0, EINVAL,
		    "descriptor 0 is not a ticket"),
	       "a descriptor that is no ticket is EINVAL, and named");
	result(labyrinth_bufs_take(dev, ticket, back, ~0U) == 3 &&
	       !strcmp(labyrinth_buf_data(back[2]), "third") && owned(dev) == 3,
	       "after all of these they come in their order, with what is in them");
	result(said(labyrinth_bufs_take(dev, ticket, back, 3) < 0, ENOENT, "taken already"),
	       "a ticket that is empty is ENOENT, and says so");
	close(ticket);
	labyrinth_device_close(dev);
}

static void test_many(void)
{
	struct labyrinth_device *dev = open_scripted(TICKETS "pages 512\n");
	struct labyrinth_buf *bufs[MANY], *hole;
	int ticket;

	acquire(dev, bufs, MANY);
	result(owned(dev) == MANY && labyrinth_buf_data(bufs[MANY - 1]),
	       "100 buffers can be acquired at once, where the device can");
	result(said(labyrinth_bufs_give(bufs, 129) < 0, EINVAL, "holds 1 to 128"),
	       "giving more than the device can is EINVAL, and none is looked at");
	hole = bufs[MANY - 1];
	bufs[MANY - 1] = NULL;
	result(said(labyrinth_bufs_give(bufs, MANY) < 0, EINVAL, "entry 99") &&
	       owned(dev) == MANY, "of 100 buffers that which is none is named, and none given");
	bufs[MANY - 1] = hole;
	*(char *)labyrinth_buf_data(hole) = 'L';
	ticket = labyrinth_bufs_give(bufs, MANY);
	result(ticket >= 0 && !bufs[0] && !bufs[MANY - 1] && !owned(dev),
	       "100 buffers can be given at once");
	result(labyrinth_bufs_take(dev, ticket, bufs, MANY) == MANY &&
	       *(char *)labyrinth_buf_data(bufs[MANY - 1]) == 'L',
	       "and taken, with what is in the last of them");
	result(!labyrinth_bufs_release(bufs, MANY) && !owned(dev),
	       "they are released in batches, and none remains");
	close(ticket);
	labyrinth_device_close(dev);
}

void test_tickets(void)
{
	test_old_module();
	test_give();
	test_take();
	test_passing();
	test_many();
}
