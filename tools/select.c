// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which device a subcommand works on: -d N, -d PATH, or the only one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "command.h"

/* What has no slash may be a file of this folder, but is more likely a slip. */
static bool may_be_path(const char *choice)
{
	return strchr(choice, '/') || !access(choice, F_OK);
}

struct labyrinth_device *select_device(const char *choice, int *code)
{
	struct labyrinth_device *dev;
	unsigned int number;

	if (!choice) {
		dev = labyrinth_device_open_only();
	} else if (parse_number(choice, INT_MAX, &number)) {
		dev = labyrinth_device_open_number(number);
	} else if (may_be_path(choice)) {
		dev = labyrinth_device_open(choice);
	} else {
		*code = usage_error("'%s' is neither the number of a device nor a path", choice);
		return NULL;
	}
	if (dev)
		return dev;

	if (errno == ENOTUNIQ)
		*code = usage_error("%s (-d N)", labyrinth_strerror());
	else
		*code = library_failed();
	return NULL;
}

/* Whether there is a device at all. Returns an exit code. */
int select_any(void)
{
	const int found = labyrinth_devices_list(NULL, 0);
	struct labyrinth_device *dev;

	if (found < 0)
		return failed("%s", labyrinth_strerror());
	if (!found) {
		/* Opening says why there is none. */
		dev = labyrinth_device_open_only();
		if (!dev)
			return library_failed();
		labyrinth_device_close(dev);
	}
	return EXIT_DONE;
}

static bool number_of_path(const char *path, unsigned int *number)
{
	char link[64], target[512];
	struct stat node;
	const char *name;
	ssize_t length;

	if (stat(path, &node) < 0 || !S_ISCHR(node.st_mode))
		return false;
	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", major(node.st_rdev),
		 minor(node.st_rdev));
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	name = strrchr(target, '/');
	return name && sscanf(name, "/labyrinth%u", number) == 1;
}

static bool is_there(unsigned int number)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/labyrinth%u", number);
	return !access(path, F_OK);
}

/*
 * Which device, without opening it: for what is not asked of the device itself, and who
 * may not open it. Returns an exit code.
 */
int select_number(const char *choice, unsigned int *number)
{
	struct labyrinth_device *dev;
	int code;

	if (!choice) {
		if (labyrinth_devices_list(number, 1) == 1)
			return EXIT_DONE;
	} else if (parse_number(choice, INT_MAX, number)) {
		if (is_there(*number))
			return EXIT_DONE;
	} else if (number_of_path(choice, number)) {
		return EXIT_DONE;
	}

	/* Opening says what is wrong. */
	dev = select_device(choice, &code);
	if (!dev)
		return code;
	labyrinth_device_close(dev);
	return failed("cannot tell the number of the device: call it by that (-d N)");
}
