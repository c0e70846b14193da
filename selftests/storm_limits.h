/* SPDX-License-Identifier: GPL-2.0 */
/* Making it harder for a storm: few pages, and a driver that looks at free ones. */
#ifndef STORM_LIMITS_H
#define STORM_LIMITS_H

#include "labyrinth_limits.h"

static inline int storm_set(unsigned int number, const char *file, unsigned int value)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/labyrinth/labyrinth%u/%s", number, file);
	return set_number(path, value);
}

/* Leaves a device so few pages, 32 or more, that there are not enough for all. */
static inline int storm_make_scarce(unsigned int number, unsigned int max)
{
	return storm_set(number, "limits/low", 8) ||
	       storm_set(number, "limits/reserve", 8) ||
	       storm_set(number, "limits/high", 32) ||
	       storm_set(number, "limits/max", max);
}

/* Has the driver notice who writes to a free page. */
static inline int storm_watch_free_pages(unsigned int number, bool on)
{
	return storm_set(number, "sentinel", on);
}

#endif /* STORM_LIMITS_H */
