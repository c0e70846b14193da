// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * For tests without a device: preloaded (LD_PRELOAD), this answers for the files of the
 * driver. The folder that $LABYRINTH_FAKE names stands for the system, and the test may
 * change it while the program runs:
 *
 *	labyrinthN	there is a device N. Its lines are "KEY VALUE", where KEY is a
 *			field of struct labyrinth_stat, or "capabilities", those of INFO,
 *			or "fail-" and the name of a call (open, info, stat, acquire,
 *			release, copy, give, take, poll, read, or arena, to map all of
 *			that) for the errno it gets, or "dirty", if pages come with what
 *			was in them before, or "miscopy", for bits to change in the place
 *			that is copied from, or "event-result", for the errno that a
 *			copy ends with, or "unmappable", the offset from which on no
 *			buffer can be mapped, or "pages", how many an open of it has (at
 *			most 512)
 *	pagesN		what debugfs tells of its pages
 *	module		the module is loaded
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"

/* The function of the C library that ours of the same name stands before. */
#define REAL(name)	((typeof(name) *)dlsym(RTLD_NEXT, #name))

/* Writes to @real which file of the folder stands for @path. False: none, use @path. */
static int stands_for(const char *path, char *real, size_t size)
{
	const char *folder = getenv("LABYRINTH_FAKE");
	unsigned int number;

	if (!folder)
		return 0;
	if (!strcmp(path, "/dev"))
		snprintf(real, size, "%s", folder);
	else if (sscanf(path, "/dev/labyrinth%u", &number) == 1)
		snprintf(real, size, "%s/labyrinth%u", folder, number);
	else if (sscanf(path, "/sys/kernel/debug/labyrinth/labyrinth%u/pages", &number) == 1)
		snprintf(real, size, "%s/pages%u", folder, number);
	else if (!strcmp(path, "/sys/module/labyrinth"))
		snprintf(real, size, "%s/module", folder);
	else
		return 0;
	return 1;
}

/* Whether the test says something about @key of device @number, and what. */
int fake_script(unsigned int number, const char *key, __u64 *value)
{
	char path[512], line[128], name[64];
	unsigned long long said;
	int found = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/labyrinth%u", getenv("LABYRINTH_FAKE"), number);
	file = REAL(fopen)(path, "re");
	if (!file)
		return 0;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %llu", name, &said) == 2 && !strcmp(name, key);
	fclose(file);
	if (found)
		*value = said;
	return found;
}

static int open_path(const char *path, int flags, mode_t mode)
{
	char real[512];
	unsigned int number;

	if (!stands_for(path, real, sizeof(real)))
		return REAL(open)(path, flags, mode);
	if (sscanf(path, "/dev/labyrinth%u", &number) != 1)
		return REAL(open)(real, flags, mode);
	if (REAL(access)(real, F_OK) < 0)
		return -1;
	return fake_open(number);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_path(path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

FILE *fopen(const char *path, const char *mode)
{
	char real[512];

	return REAL(fopen)(stands_for(path, real, sizeof(real)) ? real : path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}

DIR *opendir(const char *path)
{
	char real[512];

	return REAL(opendir)(stands_for(path, real, sizeof(real)) ? real : path);
}

int access(const char *path, int mode)
{
	char real[512];

	return REAL(access)(stands_for(path, real, sizeof(real)) ? real : path, mode);
}

int ioctl(int fd, unsigned long call, ...)
{
	va_list args;
	void *argument;

	va_start(args, call);
	argument = va_arg(args, void *);
	va_end(args);
	if (fake_is_open(fd))
		return fake_ioctl(fd, call, argument);
	return REAL(ioctl)(fd, call, argument);
}

ssize_t read(int fd, void *data, size_t size)
{
	if (fake_is_open(fd))
		return fake_read(fd, data, size);
	return REAL(read)(fd, data, size);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	if (fake_is_open(fd) && fake_map(fd, length, offset) < 0)
		return MAP_FAILED;
	return REAL(mmap64)(address, length, protection, flags, fd, offset);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	return mmap64(address, length, protection, flags, fd, offset);
}

/*
 * Nothing happens here meanwhile, so that there is nothing to wait for. Who would wait
 * without end is interrupted.
 */
int poll(struct pollfd *files, nfds_t count, int timeout_ms)
{
	int ready;

	if (count != 1 || !fake_is_open(files->fd))
		return REAL(poll)(files, count, timeout_ms);
	ready = fake_poll(files->fd);
	files->revents = ready > 0 ? files->events & POLLIN : 0;
	if (!ready && timeout_ms < 0) {
		errno = EINTR;
		return -1;
	}
	return ready;
}

int close(int fd)
{
	if (fake_is_open(fd))
		fake_close(fd);
	return REAL(close)(fd);
}
