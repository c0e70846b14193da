/* SPDX-License-Identifier: GPL-2.0 */
/* The limits of the first device in sysfs: to read, to set and to restore them. */
#ifndef LABYRINTH_LIMITS_H
#define LABYRINTH_LIMITS_H

#include "labyrinth_device.h"

#define LIMITS	"/sys/class/labyrinth/labyrinth0/limits/"
#define POOL	"/sys/class/labyrinth/labyrinth0/pool/"

static inline unsigned long long number_in(const char *path)
{
	unsigned long long value = ~0ULL;
	FILE *file = fopen(path, "r");

	if (!file)
		return value;
	if (fscanf(file, "%llu", &value) != 1)
		value = ~0ULL;
	fclose(file);
	return value;
}

static inline int set_number(const char *path, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	return sysfs_write(path, text);
}

/* In an order in which each step is valid, whatever the test has left. */
static inline void restore_watermarks(const struct labyrinth_stat *before)
{
	set_number(LIMITS "max", before->max);
	set_number(LIMITS "low", 0);
	set_number(LIMITS "high", before->max);
	set_number(LIMITS "reserve", before->reserve);
	set_number(LIMITS "high", before->high);
	set_number(LIMITS "low", before->low);
}

#endif /* LABYRINTH_LIMITS_H */
