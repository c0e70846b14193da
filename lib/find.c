// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Finding devices: every /dev/labyrinthN, and the only one.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* More than a person would plug in; a list longer than this ends in "...". */
#define NAMED	8

bool liblabyrinth_module_loaded(void)
{
	return !access("/sys/module/labyrinth", F_OK);
}

static bool parse_name(const char *name, unsigned int *number)
{
	const size_t prefix = strlen(DEVICE_PREFIX);
	unsigned long value;
	char *end;

	if (strncmp(name, DEVICE_PREFIX, prefix))
		return false;
	name += prefix;
	if (*name < '0' || *name > '9')
		return false;
	/* What is too large becomes ULONG_MAX. */
	value = strtoul(name, &end, 10);
	if (*end || value > INT_MAX)
		return false;
	*number = value;
	return true;
}

/* Inserts in ascending order; when the array is full, the largest falls out. */
static void insert(unsigned int *numbers, size_t filled, size_t max, unsigned int number)
{
	size_t i;

	if (!max)
		return;
	if (filled == max) {
		if (numbers[max - 1] < number)
			return;
		filled--;
	}
	for (i = filled; i && numbers[i - 1] > number; i--)
		numbers[i] = numbers[i - 1];
	numbers[i] = number;
}

EXPORT int labyrinth_devices_list(unsigned int *numbers, size_t max)
{
	struct dirent *entry;
	unsigned int number;
	size_t found = 0;
	DIR *folder;

	folder = opendir(DEVICE_FOLDER);
	if (!folder)
		return liblabyrinth_fail(errno, "cannot list " DEVICE_FOLDER ": %m");

	while ((entry = readdir(folder))) {
		if (!parse_name(entry->d_name, &number))
			continue;
		insert(numbers, found < max ? found : max, max, number);
		found++;
	}
	closedir(folder);
	return found;
}

static void fail_several(const unsigned int *numbers, int found)
{
	char names[NAMED * 32] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < found && i < NAMED; i++)
		used += snprintf(names + used, sizeof(names) - used,
				 "%s" DEVICE_FOLDER "/" DEVICE_PREFIX "%u",
				 i ? ", " : "", numbers[i]);
	liblabyrinth_fail(ENOTUNIQ, "there are %d labyrinth devices, choose one: %s%s",
			  found, names, found > NAMED ? ", ..." : "");
}

EXPORT struct labyrinth_device *labyrinth_device_open_only(void)
{
	unsigned int numbers[NAMED];
	int found;

	found = labyrinth_devices_list(numbers, NAMED);
	if (found < 0)
		return NULL;
	if (found > 1) {
		fail_several(numbers, found);
		return NULL;
	}
	if (found == 1)
		return labyrinth_device_open_number(numbers[0]);

	if (liblabyrinth_module_loaded())
		liblabyrinth_fail(ENODEV,
				  "no labyrinth device: the module is loaded, but drives none; is there an edu device (in QEMU: -device edu)? see dmesg");
	else
		liblabyrinth_fail(ENODEV,
				  "no labyrinth device: is the module loaded? (labyrinth load)");
	return NULL;
}
