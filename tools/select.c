// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which device a subcommand works on: -d N, -d PATH, or the only one.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "command.h"

struct labyrinth_device *select_device(const char *choice, int *code)
{
	struct labyrinth_device *dev;
	unsigned int number;

	if (!choice)
		dev = labyrinth_device_open_only();
	else if (parse_number(choice, INT_MAX, &number))
		dev = labyrinth_device_open_number(number);
	else
		dev = labyrinth_device_open(choice);
	if (dev)
		return dev;

	if (errno == ENOTUNIQ)
		*code = usage_error("%s (-d N)", labyrinth_strerror());
	else
		*code = library_failed();
	return NULL;
}

/* False for a device opened by another name. */
bool device_number(const struct labyrinth_device *dev, unsigned int *number)
{
	return sscanf(labyrinth_device_path(dev), "/dev/labyrinth%u", number) == 1;
}
