// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The edu devices of this machine, from sysfs.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "module.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"

static bool attribute_is(const char *device, const char *name, const char *value)
{
	char path[320], text[16];
	bool equal = false;
	FILE *file;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", device, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		equal = !strcmp(text, value);
	}
	fclose(file);
	return equal;
}

static bool has_driver(const char *device)
{
	char path[320];

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/driver", device);
	return !access(path, F_OK);
}

/* Counts them all, and those that no driver drives. */
void edu_count(unsigned int *all, unsigned int *idle)
{
	struct dirent *entry;
	DIR *folder;

	*all = 0;
	*idle = 0;
	folder = opendir(PCI_DEVICES);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (!attribute_is(entry->d_name, "vendor", "0x1234") ||
		    !attribute_is(entry->d_name, "device", "0x11e8"))
			continue;
		++*all;
		if (!has_driver(entry->d_name))
			++*idle;
	}
	closedir(folder);
}
