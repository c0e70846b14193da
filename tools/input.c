// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file that is read, straight into pages of the device.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "copy.h"

/* Reports its errors. */
int input_open(const char *name, int *fd, struct stat *source)
{
	*fd = open(name, O_RDONLY | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, source) < 0)
		return input_failed(name, errno);
	if (S_ISDIR(source->st_mode))
		return failed("%s is a directory: name a file", name);
	return EXIT_DONE;
}

/*
 * Reads @length bytes, fewer only at the end of the file. Returns 0; or -1 with errno,
 * which is EINTR if the command is to stop.
 */
int input_read(int fd, void *data, size_t length, size_t *got)
{
	char *at = data;
	ssize_t count;

	*got = 0;
	while (*got < length) {
		if (signals_stopped()) {
			errno = EINTR;
			return -1;
		}
		count = read(fd, at + *got, length - *got);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		if (!count)
			break;
		*got += count;
	}
	return 0;
}

int input_failed(const char *name, int error)
{
	if (error == EFAULT)
		return failed("the device went away while its pages were in use");
	return failed("cannot read %s: %s", name, strerror(error));
}
