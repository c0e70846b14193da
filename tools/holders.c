// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who keeps the module in use: processes with a device or a ticket open, from /proc, and
 * modules.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool is_ours(const char *pid, const char *fd)
{
	char link[600], target[64];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/%s/fd/%s", pid, fd);
	length = readlink(link, target, sizeof(target) - 1);
	target[length > 0 ? length : 0] = '\0';
	return begins_with(target, "/dev/labyrinth") ||
	       begins_with(target, "anon_inode:[labyrinth-ticket]");
}

static bool holds_ours(const char *pid)
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
		holds = is_ours(pid, entry->d_name);
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

static size_t list_processes(char *text, size_t size)
{
	unsigned int number;
	struct dirent *entry;
	char name[32];
	size_t used = 0;
	DIR *folder = opendir("/proc");

	while (folder && used < size && (entry = readdir(folder))) {
		if (!parse_number(entry->d_name, INT_MAX, &number) ||
		    !holds_ours(entry->d_name))
			continue;
		read_name(entry->d_name, name, sizeof(name));
		used += snprintf(text + used, size - used, "%s%s (%u)",
				 used ? ", " : "a device or ticket is open in ", name, number);
	}
	if (folder)
		closedir(folder);
	return used;
}

static size_t list_modules(char *text, size_t size)
{
	DIR *folder = opendir("/sys/module/labyrinth/holders");
	struct dirent *entry;
	size_t used = 0;

	while (folder && used < size && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		used += snprintf(text + used, size - used, "%s%s",
				 used ? ", " : "it is used by the module ", entry->d_name);
	}
	if (folder)
		closedir(folder);
	return used;
}

/*
 * Writes who uses the module to @text, cut to @size: "a device or ticket is open in NAME (PID),
 * ...", or "it is used by the module NAME".
 */
void holders_describe(char *text, size_t size)
{
	if (!list_processes(text, size) && !list_modules(text, size))
		snprintf(text, size, "by whom, /proc does not show");
}
