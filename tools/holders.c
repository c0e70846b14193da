// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who has a labyrinth device open, from /proc.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static bool is_device(const char *pid, const char *fd)
{
	static const char prefix[] = "/dev/labyrinth";
	char link[600], target[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%s/fd/%s", pid, fd);
	length = readlink(link, target, sizeof(target) - 1);
	return length >= (ssize_t)sizeof(prefix) - 1 &&
	       !memcmp(target, prefix, sizeof(prefix) - 1);
}

static bool holds_device(const char *pid)
{
	struct dirent *entry;
	bool holds = false;
	char path[300];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	folder = opendir(path);
	if (!folder)
		return false;
	while (!holds && (entry = readdir(folder)))
		holds = is_device(pid, entry->d_name);
	closedir(folder);
	return holds;
}

static void read_name(const char *pid, char *name, size_t size)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file || !fgets(name, size, file))
		snprintf(name, size, "?");
	name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
}

/* Writes "a device is open in NAME (PID), ..." to @text, cut to @size. */
void holders_describe(char *text, size_t size)
{
	unsigned int number;
	struct dirent *entry;
	char name[32];
	size_t used = 0;
	DIR *folder;

	snprintf(text, size, "no process of yours has a device open");
	folder = opendir("/proc");
	if (!folder)
		return;
	while (used < size && (entry = readdir(folder))) {
		if (!parse_number(entry->d_name, INT_MAX, &number) ||
		    !holds_device(entry->d_name))
			continue;
		read_name(entry->d_name, name, sizeof(name));
		used += snprintf(text + used, size - used, "%s%s (%u)",
				 used ? ", " : "a device is open in ", name, number);
	}
	closedir(folder);
}
