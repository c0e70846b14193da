// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file to write while it is not complete. Where the file system can do it, it has no
 * name until then, so that nothing is left of it whatever ends the command.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "copy.h"

#define SUFFIX		".XXXXXX"
#define NAMES_TO_TRY	100

/* Static, for the signal handler that removes it when the device is lost. */
static char *name;
static bool named;

void temporary_unlink(void)
{
	if (named)
		unlink(name);
}

void temporary_discard(void)
{
	temporary_unlink();
	named = false;
	free(name);
	name = NULL;
}

/* Opens the folder of @path, or a file in it. */
int temporary_open_folder(const char *path, int flags)
{
	char *copy = strdup(path);
	int fd;

	if (!copy)
		return -1;
	fd = open(dirname(copy), flags | O_CLOEXEC, 0600);
	free(copy);
	return fd;
}

static void name_descriptor(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/self/fd/%d", fd);
}

/* To be named, it must be in /proc, and have room for its suffix. */
static int open_unnamed(const char *path)
{
	int fd = temporary_open_folder(path, O_TMPFILE | O_RDWR);
	char link[32];

	if (fd < 0)
		return -1;
	name_descriptor(fd, link, sizeof(link));
	if (!access(link, F_OK) && (!access(name, F_OK) || errno == ENOENT))
		return fd;
	close(fd);
	return -1;
}

/*
 * Opens a file for the content of @path, in the same folder. Returns its descriptor, or
 * -1 with errno. What is wrong with the folder, the second attempt tells.
 */
int temporary_open(const char *path)
{
	int fd, error;

	if (asprintf(&name, "%s" SUFFIX, path) < 0) {
		name = NULL;
		errno = ENOMEM;
		return -1;
	}
	fd = open_unnamed(path);
	if (fd >= 0)
		return fd;
	fd = mkostemp(name, O_CLOEXEC);
	named = fd >= 0;
	if (named)
		return fd;
	error = errno;
	temporary_discard();
	errno = error;
	return -1;
}

static int choose_suffix(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char bytes[sizeof(SUFFIX) - 2];
	char *at = name + strlen(name) - sizeof(bytes);
	size_t i;

	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		return -1;
	for (i = 0; i < sizeof(bytes); i++)
		at[i] = letters[bytes[i] % (sizeof(letters) - 1)];
	return 0;
}

/* Nothing can be linked over a file that is there: a name of its own comes first. */
static int give_name(int fd)
{
	unsigned int tries;
	char link[32];

	name_descriptor(fd, link, sizeof(link));
	for (tries = 0; tries < NAMES_TO_TRY; tries++) {
		if (choose_suffix() < 0)
			break;
		if (!linkat(AT_FDCWD, link, AT_FDCWD, name, AT_SYMLINK_FOLLOW)) {
			named = true;
			/* Some file systems log nothing of a file without a name. */
			return fsync(fd);
		}
		if (errno != EEXIST)
			break;
	}
	return -1;
}

/* Puts what was opened for it, and is on the disk, in the place of @path. */
int temporary_rename(int fd, const char *path)
{
	if (!named && give_name(fd) < 0)
		return -1;
	if (rename(name, path) < 0)
		return -1;
	named = false;
	temporary_discard();
	return 0;
}
